//! Commands of the set-up screen.

use crate::app::App;
use crate::command::SetUpCommand;
use crate::file_dialog::FileRequest;
use crate::port::RecordingRequest;
use crate::state::{Dialog, Readiness, Rehearsal};
use session::CheckId;

pub fn apply(app: &mut App, command: SetUpCommand) {
    use SetUpCommand as C;
    match command {
        C::RefreshCameras => {
            if let Some(rehearsal) = &mut app.state.rehearsal {
                rehearsal.cameras = None;
                app.backend.refresh_cameras();
            }
        }
        C::ChooseCamera { spec, mode } => app.backend.choose_camera(&spec, mode),
        C::BrowseVideo => app.open_file_dialog(FileRequest::Video),
        C::EditVideoPath(path) => app.state.dialog = Some(Dialog::VideoPath(path)),
        C::UseVideo(path) => {
            app.state.dialog = None;
            app.backend.choose_camera(&path.to_string_lossy(), None);
        }
        C::SetControl { control, value } => app.backend.set_control(control, value),
        C::PlacePage(placement) => app.backend.place_page(placement),
        C::ReloadPage if app.state.recording.is_some() => app.state.dialog = Some(Dialog::ReloadPage),
        C::ReloadPage => app.backend.reload_page(),
        C::ReloadPageNow => {
            app.state.dialog = None;
            app.backend.reload_page();
        }
        C::ConfirmConsent(has_consent) => {
            if let Some(rehearsal) = &mut app.state.rehearsal {
                rehearsal.has_consent = has_consent;
            }
        }
        C::Record => record(app),
        C::RecordRemotely => record_remotely(app),
        C::RecordAnyway(shown) => record_anyway(app, &shown),
    }
}

fn record(app: &mut App) {
    let Some(rehearsal) = &app.state.rehearsal else { return };
    match rehearsal.readiness() {
        Readiness::NotYet(_) => {}
        Readiness::Ready => start(app, Vec::new()),
        Readiness::Failing(_) => app.state.dialog = Some(Dialog::Override),
    }
}

/// Another program cannot override a check, and cannot give consent.
fn record_remotely(app: &mut App) {
    let readiness = app.state.rehearsal.as_ref().map(Rehearsal::readiness);
    let why = match readiness {
        Some(Readiness::Ready) => return start(app, Vec::new()),
        Some(Readiness::NotYet(why)) => why.trim_end_matches('.').to_owned(),
        Some(Readiness::Failing(checks)) => format!("not passed: {}", CheckId::texts(&checks)),
        None => "no session is set up".to_owned(),
    };
    app.state.warn(format!("Another program asked to start the recording. It was refused: {why}."));
    app.backend.refuse_remote_start(why);
}

/// Overrides the checks that fail. `shown` are those that the dialog listed at the press. If another one fails, the dialog
/// stays open and lists it.
fn record_anyway(app: &mut App, shown: &[CheckId]) {
    if app.state.dialog != Some(Dialog::Override) {
        return;
    }
    let Some(rehearsal) = &app.state.rehearsal else { return };
    match rehearsal.readiness() {
        Readiness::NotYet(_) => {}
        Readiness::Ready => start(app, Vec::new()),
        Readiness::Failing(checks) if checks.iter().all(|c| shown.contains(c)) => start(app, checks),
        Readiness::Failing(_) => {}
    }
}

fn start(app: &mut App, overridden_checks: Vec<CheckId>) {
    let Some(rehearsal) = &mut app.state.rehearsal else { return };
    let consent = rehearsal.study.as_ref().map(|s| &s.consent);
    let consent_text = consent.filter(|_| rehearsal.has_consent).map(|c| c.text.clone());
    let given_consent = rehearsal.given_consent.clone();
    rehearsal.is_starting = true;
    app.state.dialog = None;
    app.backend.start_recording(RecordingRequest { overridden_checks, consent_text, given_consent });
}
