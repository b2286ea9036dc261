//! Commands of the report after a recording.

use crate::app::App;
use crate::command::ReportCommand;

use super::home;

pub fn apply(app: &mut App, command: ReportCommand) {
    match command {
        ReportCommand::EditNote(text) => app.state.report_note = text,
        ReportCommand::StoreNote => {
            if let Some(note) = app.state.take_note() {
                app.backend.add_note(note);
            }
        }
        ReportCommand::NextParticipant => home::show_new_session_dialog(app, None),
    }
}
