//! One frame of the window: takes events from the backend, advances the playhead, draws, and executes the commands of
//! views and keys.

use std::path::PathBuf;
use std::time::Duration;

use eframe::egui;

use session::Playhead;

use super::app::App;
use super::command::{Command, LiveCommand};
use super::fallback_fonts::FallbackFonts;
use super::file_dialog::FileDialog;
use super::floating::Floating;
use super::port::{PagePlace, PageReplayCommand};
use super::state::{Dialog, Screen};
use super::{apply, keys, receive, views};

/// Interval of frames while a session plays or a camera picture is shown.
const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 30);

impl App {
    /// Everything but drawing.
    pub fn update(&mut self, ctx: &egui::Context) {
        self.receive(ctx);
        self.guard_close(ctx);
        self.store_text_scale(ctx);
        self.store_window_size(ctx);
        let news = ctx.with_plugin(FallbackFonts::take_news).unwrap_or_default();
        news.into_iter().for_each(|sentence| self.state.warn(sentence));
        self.ring();
        self.advance(ctx);
        let now_s = ctx.input(|i| i.time);
        if let Some(next_s) = self.state.notices.advance(now_s) {
            ctx.request_repaint_after(Duration::from_secs_f64(next_s));
        }
        if self.is_moving() {
            ctx.request_repaint_after(FRAME);
        }
    }

    pub fn draw(&mut self, ui: &mut egui::Ui) {
        let ctx = ui.ctx().clone();
        if self.drawn != self.state.screen {
            self.drawn = self.state.screen;
            // A control of the new screen may have the id of the control that had the keyboard on the old screen.
            ctx.memory_mut(|m| m.focused().into_iter().for_each(|id| m.surrender_focus(id)));
        }
        let mut commands = Vec::new();
        keys::commands(&ctx, &self.state, &mut commands);
        views::show(ui, &self.state, &mut commands);
        self.apply(commands, &ctx);
        self.guard_page(&ctx);
        let has_dialog = self.state.dialog.is_some();
        let is_dialog_new = !std::mem::replace(&mut self.had_dialog, has_dialog) && has_dialog;
        ctx.with_plugin(|floating: &mut Floating| {
            if is_dialog_new {
                floating.close_tooltips();
            }
            floating.keep_off(&ctx, self.state.embedded_page);
        });
    }

    /// Opens a stored session, like a double click in the table.
    pub fn open(&mut self, ctx: &egui::Context, path: PathBuf) {
        apply::apply(self, Command::OpenSession(path), ctx);
    }

    fn receive(&mut self, ctx: &egui::Context) {
        let mut commands = Vec::new();
        for event in self.backend.poll() {
            receive::receive(&mut self.state, event, ctx, &mut commands);
        }
        self.file_dialog = match self.file_dialog.take().map(FileDialog::finish) {
            Some(Ok(chosen)) => {
                apply::use_chosen_file(self, chosen);
                None
            }
            Some(Err(dialog)) => Some(dialog),
            None => None,
        };
        let dropped = ctx.input(|i| i.raw.dropped_files.first().map(|f| f.path().to_owned()));
        commands.extend(dropped.map(Command::OpenSession));
        self.apply(commands, ctx);
    }

    fn apply(&mut self, commands: Vec<Command>, ctx: &egui::Context) {
        for command in commands {
            // Page bounds result from drawing and do not change what is drawn.
            if !matches!(command, Command::Live(LiveCommand::SetPageBounds(_))) {
                ctx.request_repaint();
            }
            apply::apply(self, command, ctx);
        }
    }

    /// Plays the sound of a new alarm, if it is switched on.
    fn ring(&mut self) {
        if self.state.take_alarm_to_ring() && self.state.preferences.sounds.alarm {
            self.alarm_sound.play();
        }
        if let Some(problem) = self.alarm_sound.take_problem() {
            self.state.warn(problem);
        }
    }

    fn advance(&mut self, ctx: &egui::Context) {
        if let Some(recording) = &mut self.state.recording {
            recording.now = self.backend.now();
        }
        let now_s = ctx.input(|i| i.time);
        self.advance_playhead(now_s);
        let Some(review) = &mut self.state.review else { return };
        let Playhead { at, rate, .. } = review.playhead;
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

    /// Follows the clock, so that a slow machine shows fewer pictures, not slower ones. The step is at most 1 s, so
    /// that a window that was hidden does not jump ahead when it is shown again.
    fn advance_playhead(&mut self, now_s: f64) {
        let Some(review) = &mut self.state.review else { return };
        if !review.is_playing() {
            self.played_at_s = None;
            return;
        }
        let elapsed_s = (now_s - self.played_at_s.unwrap_or(now_s)).clamp(0.0, 1.0);
        self.played_at_s = Some(now_s);
        review.playhead.advance(Duration::from_secs_f64(elapsed_s), review.span.from(), review.span.until());
        review.follow(0.05);
        if review.ratings.running.is_some() {
            let at = review.playhead.at;
            apply::rating::advance(self, at);
        }
    }

    /// Asks for a confirmation before the window closes while a recording runs.
    fn guard_close(&mut self, ctx: &egui::Context) {
        let is_requested = ctx.input(|i| i.viewport().close_requested());
        if is_requested && self.state.recording.is_some() && !self.is_closing {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            self.state.dialog = Some(Dialog::CloseWindow);
        }
        // The bar of the editor asks. A second request closes the window.
        if is_requested && let Some(editor) = self.state.editor.as_mut().filter(|e| e.is_changed() && !e.is_leaving) {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            editor.is_leaving = true;
        }
    }

    fn store_text_scale(&mut self, ctx: &egui::Context) {
        // A change by a key. A change in the preferences takes effect with the next frame.
        let scale = ctx.zoom_factor();
        if std::mem::replace(&mut self.seen_text_scale, scale) != scale && scale != self.state.preferences.text_scale {
            self.state.preferences.text_scale = scale;
            self.store_preferences();
        }
    }

    fn store_window_size(&mut self, ctx: &egui::Context) {
        self.size_watch.fit(ctx);
        if let Some(size) = self.size_watch.settled(ctx, self.state.preferences.window) {
            self.state.preferences.window = Some(size);
            self.store_preferences();
        }
    }

    /// The embedded page covers everything that egui draws. Dialogs and menus are placed below it, so that nothing hides
    /// it from the participant.
    fn guard_page(&mut self, ctx: &egui::Context) {
        let page = self.state.recording.as_ref().and_then(|r| r.page.as_ref());
        let is_embedded = page.is_some_and(|p| p.place == PagePlace::Embedded);
        let is_visible = self.state.screen == Screen::Live && is_embedded;
        if !is_visible {
            self.state.embedded_page = None;
        }
        if is_visible != self.page_is_visible {
            self.page_is_visible = is_visible;
            self.backend.page_visible(is_visible);
        }
        // This window receives only presses outside the page.
        if is_visible && ctx.input(|i| i.pointer.any_pressed()) {
            self.backend.page_focus(false);
        }
    }

    fn is_moving(&self) -> bool {
        let is_playing = self.state.review.as_ref().is_some_and(|r| r.is_playing());
        is_playing || matches!(self.state.screen, Screen::SetUp | Screen::Live)
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
        // The embedded page must be closed before the window that contains it.
        self.backend.close();
    }
}
