//! Executes commands on the state and the backend. Nothing here waits: file dialogs have threads of their own, and slow
//! work runs in the backend.

mod annotations;
pub(super) mod editor;
pub(super) mod home;
mod jobs;
mod live;
mod navigation;
mod preferences;
pub(super) mod rating;
mod report;
mod review;
mod setup;
mod signals;
mod study;

use eframe::egui;

use super::app::App;
use super::command::Command;
use super::file_dialog::{ChosenFile, FileRequest};
use super::job_state::SessionsExportDraft;
use super::state::{Dialog, ExportDraft, StudyExportDraft};

pub fn apply(app: &mut App, command: Command, ctx: &egui::Context) {
    let state = &mut app.state;
    match command {
        Command::GoHome => navigation::go_home(app),
        Command::OpenSession(path) => navigation::open_session(app, path),
        Command::SetTheme(theme) => {
            state.preferences.look = theme;
            ctx.set_theme(theme.preference());
            app.store_preferences();
        }
        Command::ShowShortcuts => state.dialog = Some(Dialog::Shortcuts),
        Command::OpenManual => app.backend.open_manual(),
        Command::CloseDialog => state.dialog = None,
        Command::DismissNotice(sentence) => state.notices.dismiss(&sentence),
        Command::CloseWindow => {
            app.is_closing = true;
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        }
        Command::Preferences(command) => preferences::apply(app, command, ctx),
        Command::Home(command) => home::apply(app, command),
        Command::SetUp(command) => setup::apply(app, command),
        Command::Live(command) => live::apply(app, command, ctx.pixels_per_point()),
        Command::Review(command) => review::apply(app, command),
        Command::Signals(command) => signals::apply(app, command),
        Command::Annotate(command) => annotations::apply(app, command),
        Command::Rate(command) => rating::apply(app, command),
        Command::Study(command) => study::apply(app, command),
        Command::Job(command) => jobs::apply(app, command),
        Command::Report(command) => report::apply(app, command),
        Command::Editor(command) => editor::apply(app, command),
        Command::Participant(command) => app.backend.participant(command),
    }
}

/// Takes the result of a file dialog.
pub fn use_chosen_file(app: &mut App, chosen: ChosenFile) {
    app.state.is_file_dialog_open = false;
    match chosen {
        ChosenFile::Nothing => {}
        ChosenFile::NotShown(request) => {
            let sentence =
                "This system shows no file dialogs (no desktop portal and no zenity). Type the path instead.";
            app.state.warn(sentence.to_owned());
            if request == FileRequest::Video && app.state.rehearsal.is_some() {
                app.state.dialog = Some(Dialog::VideoPath(String::new()));
            }
        }
        ChosenFile::Recordings(path) => {
            if let Some(Dialog::Preferences(draft)) = &mut app.state.dialog {
                draft.recordings = Some(path);
            }
        }
        ChosenFile::Session(path) => navigation::open_session(app, path),
        ChosenFile::Media(path) => editor::use_media(app, &path),
        ChosenFile::Page(path) => editor::use_page(app, &path),
        // The system's dialog may have been open for long.
        ChosenFile::Video(_) if app.state.rehearsal.is_none() => {
            app.state.warn("The video file was not used as the camera: the set-up is over.".to_owned());
        }
        ChosenFile::Video(path) => app.backend.choose_camera(&path.to_string_lossy(), None),
        ChosenFile::Films(films) => {
            if let Some(Dialog::ImportFilms(draft)) = &mut app.state.dialog {
                draft.films = films;
                draft.problem = None;
            }
        }
        ChosenFile::Export(path) => {
            let to = path.to_string_lossy().into_owned();
            app.state.dialog = match app.state.dialog.take() {
                Some(Dialog::Export(draft)) => Some(Dialog::Export(ExportDraft { to, ..draft }.checked())),
                Some(Dialog::ExportStudy(draft)) => {
                    Some(Dialog::ExportStudy(StudyExportDraft { to, ..draft }.checked()))
                }
                Some(Dialog::ExportSessions(draft)) => {
                    Some(Dialog::ExportSessions(SessionsExportDraft { to, ..draft }.checked()))
                }
                other => other,
            };
        }
    }
}
