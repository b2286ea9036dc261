//! Changes from one screen to another.

use std::path::PathBuf;

use crate::app::App;
use crate::command::RateCommand;
use crate::port::ParticipantCommand;
use crate::state::{ParticipantView, Screen};

use super::rating;

pub fn go_home(app: &mut App) {
    match app.state.screen {
        // A recording ends only after a confirmation.
        Screen::Live if app.state.recording.is_some() => return,
        Screen::SetUp => {
            app.state.rehearsal = None;
            app.state.participant = ParticipantView::default();
            app.backend.end_rehearsal();
        }
        Screen::Review => {
            leave_review(app);
            if app.state.study.is_some() {
                app.state.screen = Screen::Study;
                return;
            }
        }
        // A recording that failed has no report. Its closing screen would stay open.
        Screen::Report | Screen::Live => leave_report(app),
        Screen::Study => {
            app.backend.cancel_study_query();
            app.state.study = None;
        }
        Screen::Editor => app.state.editor = None,
        Screen::Home => {}
    }
    app.state.screen = Screen::Home;
    app.backend.refresh_library();
}

/// The participant's closing screen ends with the report.
fn leave_report(app: &mut App) {
    app.state.finished = None;
    app.state.past_alarms.clear();
    app.state.participant = ParticipantView::default();
    app.backend.participant(ParticipantCommand::Close);
}

pub fn leave_review(app: &mut App) {
    rating::apply(app, RateCommand::End);
    app.state.review = None;
    app.backend.close_session();
}

pub fn open_session(app: &mut App, path: PathBuf) {
    let is_idle = matches!(app.state.screen, Screen::Home | Screen::Report | Screen::Review | Screen::Study);
    if !is_idle || app.state.opening.is_some() {
        return;
    }
    app.state.dialog = None;
    if app.state.screen == Screen::Report {
        app.backend.participant(ParticipantCommand::Close);
    }
    rating::apply(app, RateCommand::End);
    app.state.opening = Some(path.clone());
    app.backend.open_session(&path);
}
