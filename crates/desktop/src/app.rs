//! The one owner of the window's state: polls the backend, advances the playhead, draws the views and carries out
//! what they ask for.

use std::path::PathBuf;
use std::time::Duration;

use eframe::egui;

use session::Playhead;

use super::command::Command;
use super::pick::{Pick, Picking};
use super::port::{Backend, PagePlace, PageReplayCommand, PixelRect, Wake};
use super::preferences::Preferences;
use super::state::{Dialog, Screen, State};
use super::{apply, keys, receive, theme, views};

/// While something moves.
const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 30);

pub struct App {
    pub state: State,
    pub(super) backend: Box<dyn Backend>,
    pub(super) page_bounds: Option<PixelRect>,
    /// The operator confirmed that the window closes.
    pub(super) is_quitting: bool,
    page_is_visible: bool,
    /// The screen that was drawn last.
    drawn: Screen,
    /// When the playhead was last moved by playing, on the screen's clock.
    played_at_s: Option<f64>,
    preferences_path: Option<PathBuf>,
    picking: Option<Picking>,
    wake: Wake,
}

impl App {
    /// `preferences_path` is where the look is kept; `None` keeps it for this window alone.
    pub fn new(ctx: &egui::Context, backend: Box<dyn Backend>, preferences_path: Option<PathBuf>) -> Self {
        theme::install(ctx);
        let (preferences, problem) = match preferences_path.as_deref().map(Preferences::load) {
            Some(Ok(preferences)) => (preferences, None),
            Some(Err(error)) => (Preferences::default(), Some(error.to_string())),
            None => (Preferences::default(), None),
        };
        ctx.set_theme(preferences.look.theme());
        ctx.set_zoom_factor(preferences.text_scale);
        let mut state = State::new(preferences);
        problem.into_iter().for_each(|sentence| state.notice(sentence));
        let waker = ctx.clone();
        let mut app = App {
            state,
            backend,
            page_bounds: None,
            is_quitting: false,
            page_is_visible: false,
            drawn: Screen::Home,
            played_at_s: None,
            preferences_path,
            picking: None,
            wake: Wake::new(move || waker.request_repaint()),
        };
        app.backend.refresh_library();
        app
    }

    /// Opens a stored session, as a double click in the table would.
    pub fn open(&mut self, ctx: &egui::Context, path: PathBuf) {
        apply::apply(self, Command::OpenSession(path), ctx);
    }

    pub(super) fn store_preferences(&mut self) {
        if let Some(path) = &self.preferences_path
            && let Err(error) = self.state.preferences.store(path)
        {
            self.state.notice(error.to_string());
        }
    }

    pub(super) fn pick(&mut self, pick: Pick) {
        if self.picking.is_some() {
            return;
        }
        match Picking::start(pick, self.wake.clone()) {
            Ok(picking) => {
                self.picking = Some(picking);
                self.state.is_picking = true;
            }
            Err(error) => {
                self.state.notice(format!("The file dialog could not be opened: {error}. Type the path instead."))
            }
        }
    }

    fn receive(&mut self, ctx: &egui::Context) {
        let mut commands = Vec::new();
        for update in self.backend.poll() {
            receive::receive(&mut self.state, update, ctx, &mut commands);
        }
        self.picking = match self.picking.take().map(Picking::finish) {
            Some(Ok(picked)) => {
                apply::picked(self, picked);
                None
            }
            Some(Err(picking)) => Some(picking),
            None => None,
        };
        let dropped = ctx.input(|i| i.raw.dropped_files.first().map(|f| f.path().to_owned()));
        commands.extend(dropped.map(Command::OpenSession));
        self.apply(commands, ctx);
    }

    fn apply(&mut self, commands: Vec<Command>, ctx: &egui::Context) {
        for command in commands {
            // Where the page lies follows from the drawing and changes nothing in it.
            if !matches!(command, Command::PageAt(_)) {
                ctx.request_repaint();
            }
            apply::apply(self, command, ctx);
        }
    }

    fn advance(&mut self, ctx: &egui::Context) {
        if let Some(recording) = &mut self.state.recording {
            recording.now = self.backend.now();
        }
        let Some(review) = &mut self.state.review else { return };
        if review.is_playing() {
            // By the clock, so that a slow machine shows fewer pictures and not slow ones. A window that was hidden
            // does not leap ahead when it comes back.
            let now_s = ctx.input(|i| i.time);
            let elapsed_s = (now_s - self.played_at_s.unwrap_or(now_s)).clamp(0.0, 1.0);
            self.played_at_s = Some(now_s);
            let elapsed = Duration::from_secs_f64(elapsed_s);
            review.playhead.advance(elapsed, review.span.from(), review.span.until());
            review.follow(0.05);
            if review.rated.running.is_some() {
                let at = review.playhead.at;
                apply::added::rated(self, at);
            }
        } else {
            self.played_at_s = None;
        }
        let Some(review) = &mut self.state.review else { return };
        let Playhead { at, rate, .. } = review.playhead;
        let now_s = ctx.input(|i| i.time);
        if review.page.as_mut().is_some_and(|page| page.is_due(review.playhead, now_s)) {
            self.backend.replay_page(PageReplayCommand::MoveTo { at, is_playing: review.is_playing(), rate });
        }
        let wanted = review.frame_index().map(|k| review.frames[k].number);
        if wanted != review.wanted_frame {
            review.wanted_frame = wanted;
            if let Some(number) = wanted {
                self.backend.load_picture(number);
            }
        }
    }

    fn guard_close(&mut self, ctx: &egui::Context) {
        let is_closing = ctx.input(|i| i.viewport().close_requested());
        if is_closing && self.state.recording.is_some() && !self.is_quitting {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            self.state.dialog = Some(Dialog::Quit);
        }
    }

    fn remember_text_scale(&mut self, ctx: &egui::Context) {
        let scale = ctx.zoom_factor();
        if scale != self.state.preferences.text_scale {
            self.state.preferences.text_scale = scale;
            self.store_preferences();
        }
    }

    /// The page lies above everything that egui draws, so it goes while something lies above it.
    fn guard_page(&mut self, ctx: &egui::Context) {
        let page = self.state.recording.as_ref().and_then(|r| r.page.as_ref());
        let is_embedded = page.is_some_and(|p| p.place == PagePlace::Embedded);
        let is_covered = self.state.dialog.is_some() || egui::Popup::is_any_open(ctx);
        let is_visible = self.state.screen == Screen::Live && is_embedded && !is_covered;
        if is_visible != self.page_is_visible {
            self.page_is_visible = is_visible;
            self.backend.page_visible(is_visible);
        }
        // A press that reached this window was outside the page.
        if is_visible && ctx.input(|i| i.pointer.any_pressed()) {
            self.backend.page_focus(false);
        }
    }

    fn is_moving(&self) -> bool {
        let is_playing = self.state.review.as_ref().is_some_and(|r| r.is_playing());
        is_playing || matches!(self.state.screen, Screen::SetUp | Screen::Live)
    }
}

impl App {
    /// Everything but drawing.
    pub fn update(&mut self, ctx: &egui::Context) {
        self.receive(ctx);
        self.guard_close(ctx);
        self.remember_text_scale(ctx);
        self.advance(ctx);
        if self.is_moving() {
            ctx.request_repaint_after(FRAME);
        }
    }

    pub fn draw(&mut self, ui: &mut egui::Ui) {
        let ctx = ui.ctx().clone();
        if self.drawn != self.state.screen {
            self.drawn = self.state.screen;
            // What had the keyboard is gone with its screen; another control may carry its number by now.
            ctx.memory_mut(|m| m.focused().into_iter().for_each(|id| m.surrender_focus(id)));
        }
        let mut commands = Vec::new();
        keys::commands(&ctx, &self.state, &mut commands);
        views::show(ui, &self.state, &mut commands);
        self.apply(commands, &ctx);
        self.guard_page(&ctx);
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.update(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.draw(ui);
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        // The page must be gone before the window it lies in.
        self.backend.close();
    }
}
