//! Commands of the preferences.

use eframe::egui;

use crate::app::App;
use crate::command::PreferencesCommand;
use crate::file_dialog::FileRequest;
use crate::state::Dialog;

pub fn apply(app: &mut App, command: PreferencesCommand, ctx: &egui::Context) {
    use PreferencesCommand as C;
    match command {
        C::Show => app.state.dialog = Some(Dialog::Preferences(Box::new(app.state.preferences.clone()))),
        C::Edit(draft) => {
            if let Some(Dialog::Preferences(shown)) = &mut app.state.dialog {
                *shown = draft;
            }
        }
        C::BrowseRecordings => app.open_file_dialog(FileRequest::Recordings),
        C::Save => save(app, ctx),
    }
}

fn save(app: &mut App, ctx: &egui::Context) {
    let Some(Dialog::Preferences(draft)) = &mut app.state.dialog else { return };
    // The dialog shows the error and disables its button.
    let Ok(recordings) = draft.recordings_folder() else { return };
    draft.recordings = recordings;
    let Some(Dialog::Preferences(draft)) = app.state.dialog.take() else { return };
    let before = std::mem::replace(&mut app.state.preferences, *draft);
    let now = &app.state.preferences;
    ctx.set_theme(now.look.preference());
    ctx.set_zoom_factor(now.text_scale);
    if now.participant != before.participant {
        app.backend.set_participant_screen(now.participant);
    }
    if now.recordings != before.recordings {
        app.state.inform("The folder of recordings is used when the program starts again.".to_owned());
    }
    app.store_preferences();
}
