//! Downloads for the owner: one session, or all sessions of a study.

use std::path::PathBuf;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::app::App;
use super::blocking::blocking;
use super::download;
use super::library_api::{closed_of, folder_of};
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use store::{SessionFile, SessionState};
use study_query::Pilots;

/// One closed session with all its files, as a tar archive.
#[utoipa::path(get, path = "/v1/library/sessions/{name}/download", tag = "owner", security(("login" = []), ("token" = [])),
    params(("name" = String, Path, description = "The name in the list of sessions")),
    responses((status = 200, content_type = "application/x-tar"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn download_session(State(app): State<App>, _: Owner, Path(name): Path<String>) -> Result<Response, Problem> {
    // A damaged session is sent as it is.
    let folder = closed_session(&app, &name).await?;
    Ok(archive(&name, vec![folder]))
}

/// The folder of a session that is not being recorded.
pub async fn closed_session(app: &App, name: &str) -> Result<PathBuf, Problem> {
    let folder = folder_of(app, name).await?;
    let path = folder.clone();
    let state = blocking(move || SessionFile::open(&path)?.state()).await;
    if matches!(state, Ok(SessionState::Recording | SessionState::Crashed)) {
        let detail = "This session is still being recorded. Download it when it has ended.";
        return Err(Problem::conflict("recording", detail));
    }
    Ok(folder)
}

/// All closed sessions of a study with their files, also pilots, as a tar archive.
#[utoipa::path(get, path = "/v1/library/studies/{study}/download", tag = "owner", security(("login" = []), ("token" = [])),
    params(("study" = String, Path)),
    responses((status = 200, content_type = "application/x-tar"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn download_study(State(app): State<App>, _: Owner, Path(study): Path<String>) -> Result<Response, Problem> {
    let folders = closed_sessions(&app, &study, Pilots::Included).await?;
    Ok(archive(&study, folders))
}

/// The folders of the study's closed sessions. Refuses a study that has none.
pub async fn closed_sessions(app: &App, study: &str, pilots: Pilots) -> Result<Vec<PathBuf>, Problem> {
    let folders = closed_of(app, study, pilots).await?;
    if folders.is_empty() {
        let but_pilots = if pilots == Pilots::LeftOut { " that is not a pilot" } else { "" };
        return Err(Problem::not_found(format!("This study has no closed session{but_pilots} to download.")));
    }
    Ok(folders)
}

fn archive(name: &str, folders: Vec<PathBuf>) -> Response {
    let (outgoing, body) = download::channel();
    // `sub-01/ses-01_…`
    let placed = |folder: PathBuf| {
        let name = folder.file_name().unwrap_or_default();
        let participant = folder.parent().and_then(std::path::Path::file_name).unwrap_or_default();
        let place = std::path::Path::new(participant).join(name);
        (folder, place)
    };
    let folders: Vec<_> = folders.into_iter().map(placed).collect();
    tokio::task::spawn_blocking(move || outgoing.write(|parts| download::archive(&folders, parts)));
    archive_response(name, body)
}

/// The answer with a tar archive, which is sent while it is made.
pub fn archive_response(name: &str, body: Body) -> Response {
    let safe: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{safe}.tar\""));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
    if let Ok(disposition) = disposition {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}
