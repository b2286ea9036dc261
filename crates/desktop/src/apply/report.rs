//! Commands of the report after a recording.

use crate::app::App;
use crate::command::ReportCommand;
use crate::port::SessionNote;

use super::home;

pub fn apply(app: &mut App, command: ReportCommand) {
    match command {
        ReportCommand::EditNote(text) => app.state.report_note = text,
        ReportCommand::StoreNote => {
            let text = app.state.report_note.trim().to_owned();
            if let Some(finished) = &app.state.finished
                && !text.is_empty()
            {
                app.backend.add_note(SessionNote { folder: finished.session.folder.clone(), text });
            }
        }
        ReportCommand::NextParticipant => home::show_new_session_dialog(app, None),
    }
}
