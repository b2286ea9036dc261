//! Owns the state of the window and the backend. [`frame_loop`](super::frame_loop) runs it, `apply` and `receive`
//! change it.

use std::path::PathBuf;

use eframe::egui;

use super::alarm_sound::AlarmSound;
use super::fallback_fonts::FallbackFonts;
use super::file_dialog::{FileDialog, FileRequest};
use super::floating::Floating;
use super::port::{Backend, PixelRect, Wake};
use super::preferences::Preferences;
use super::state::{Screen, State};
use super::theme;
use super::window_size::SizeWatch;

pub struct App {
    pub state: State,
    pub(super) backend: Box<dyn Backend>,
    /// The bounds that the backend has for the embedded page.
    pub(super) page_bounds: Option<PixelRect>,
    /// The operator has confirmed that the window closes while a recording runs.
    pub(super) is_closing: bool,
    pub(super) page_is_visible: bool,
    /// The screen of the previous frame.
    pub(super) drawn: Screen,
    /// Whether the previous frame had a dialog.
    pub(super) had_dialog: bool,
    /// When playing last moved the playhead, in the time of egui.
    pub(super) played_at_s: Option<f64>,
    pub(super) file_dialog: Option<FileDialog>,
    /// The text size of the previous frame.
    pub(super) seen_text_scale: f32,
    pub(super) size_watch: SizeWatch,
    pub(super) alarm_sound: AlarmSound,
    preferences_path: Option<PathBuf>,
    wake: Wake,
}

impl App {
    /// `preferences_path` is the file of the preferences. With `None` they are not stored.
    pub fn new(ctx: &egui::Context, backend: Box<dyn Backend>, preferences_path: Option<PathBuf>) -> Self {
        theme::install(ctx);
        ctx.add_plugin(FallbackFonts::default());
        ctx.add_plugin(Floating::default());
        let (preferences, problem) = match preferences_path.as_deref().map(Preferences::load) {
            Some(Ok(preferences)) => (preferences, None),
            Some(Err(error)) => (Preferences::default(), Some(error.to_string())),
            None => (Preferences::default(), None),
        };
        ctx.set_theme(preferences.look.preference());
        ctx.set_zoom_factor(preferences.text_scale);
        let mut state = State::new(preferences);
        problem.into_iter().for_each(|sentence| state.warn(sentence));
        let waker = ctx.clone();
        let mut app = App {
            state,
            backend,
            page_bounds: None,
            is_closing: false,
            page_is_visible: false,
            drawn: Screen::Home,
            had_dialog: false,
            played_at_s: None,
            file_dialog: None,
            seen_text_scale: ctx.zoom_factor(),
            size_watch: SizeWatch::default(),
            alarm_sound: AlarmSound::default(),
            preferences_path,
            wake: Wake::new(move || waker.request_repaint()),
        };
        app.backend.set_participant_screen(app.state.preferences.participant);
        app.backend.refresh_library();
        app
    }

    pub(super) fn store_preferences(&mut self) {
        if let Some(path) = &self.preferences_path {
            self.backend.store_preferences(&self.state.preferences, path);
        }
    }

    /// Does nothing while another file dialog is open.
    pub(super) fn open_file_dialog(&mut self, request: FileRequest) {
        if self.file_dialog.is_some() {
            return;
        }
        match FileDialog::open(request, self.wake.clone()) {
            Ok(dialog) => {
                self.file_dialog = Some(dialog);
                self.state.is_file_dialog_open = true;
            }
            Err(error) => {
                self.state.warn(format!("The file dialog could not be opened: {error}. Type the path instead."))
            }
        }
    }
}
