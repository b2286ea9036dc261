//! What the owner sees beside the curves: pictures of the face, and the recorded page.

use std::io::{self, Write};
use std::path::Path as FilePath;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::app::App;
use super::blocking::{blocking, with_permit};
use super::download;
use super::library_api::folder_of;
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use session::{Body as RecordBody, REPLAY, Timestamp};
use store::SessionFile;
use stored_frames::{FrameError, FrameReader};

/// The header with the time of a picture.
const AT_S: HeaderName = HeaderName::from_static("x-affectograph-at-s");

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PictureQuery {
    /// Seconds from the zero of the session's clock. The answer is the last picture at or before it.
    at_s: f64,
}

/// One picture of the session's video. The header `X-Affectograph-At-S` is its time.
#[utoipa::path(get, path = "/v1/library/sessions/{name}/picture", tag = "owner", security(("login" = []), ("token" = [])),
    params(("name" = String, Path, description = "The name in the list of sessions"), PictureQuery),
    responses((status = 200, content_type = "image/jpeg"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn picture(
    State(app): State<App>,
    _: Owner,
    Path(name): Path<String>,
    Query(query): Query<PictureQuery>,
) -> Result<Response, Problem> {
    let folder = folder_of(&app, &name).await?;
    let at = Timestamp::checked_from_secs_f64(query.at_s)
        .ok_or_else(|| Problem::malformed("`at_s` must be a time of the session in seconds."))?;
    let found = with_permit(&app.read_permits, move || -> Result<_, FrameError> {
        let file = SessionFile::open(&folder)?;
        let Some(row) = file.frame_before(at)? else { return Ok(None) };
        Ok(Some((row.meta.at, FrameReader::open(&file)?.jpeg_of(&file, &row)?)))
    });
    let found = found.await?.map_err(|e| Problem::conflict("damaged", format!("{e}.")))?;
    let (at, jpeg) = found.ok_or_else(|| Problem::not_found("The session has no picture at or before this time."))?;
    let at_s = HeaderValue::from_str(&format!("{:.6}", at.as_secs_f64())).map_err(|_| Problem::busy())?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg")), (AT_S, at_s)], jpeg).into_response())
}

/// The events of the recorded page for rrweb, one JSON object in each line. `timestamp` is in milliseconds from the zero of the
/// session's clock. The answer is empty if the page was not recorded.
#[utoipa::path(get, path = "/v1/library/sessions/{name}/replay", tag = "owner", security(("login" = []), ("token" = [])),
    params(("name" = String, Path, description = "The name in the list of sessions")),
    responses((status = 200, content_type = "application/x-ndjson"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn replay(State(app): State<App>, _: Owner, Path(name): Path<String>) -> Result<Response, Problem> {
    let folder = folder_of(&app, &name).await?;
    let opened = folder.clone();
    let opened = blocking(move || SessionFile::open(&opened).map(drop)).await;
    opened.map_err(|e| Problem::conflict("damaged", format!("{e}.")))?;
    let (outgoing, body) = download::channel();
    tokio::task::spawn_blocking(move || outgoing.write(|parts| send_replay(&folder, parts)));
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"))], body).into_response())
}

/// One event is in memory at a time.
fn send_replay(folder: &FilePath, mut out: impl Write) -> io::Result<()> {
    let file = SessionFile::open(folder).map_err(io::Error::other)?;
    let mut failed = None;
    let read = file.each_event(REPLAY, Some(&["rrweb"]), |record| {
        let RecordBody::Event { mut data, .. } = record.body else { return };
        if failed.is_none() {
            data.insert("timestamp".to_owned(), (record.at.as_secs_f64() * 1e3).into());
            failed = writeln!(out, "{}", Value::Object(data)).err();
        }
    });
    if let Some(e) = failed {
        return Err(e);
    }
    read.map_err(io::Error::other)?;
    out.flush()
}
