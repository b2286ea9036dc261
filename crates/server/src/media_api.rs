//! What the owner sees beside the curves: pictures of the face, and the recorded page.

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use utoipa::IntoParams;

use super::app::App;
use super::blocking::blocking;
use super::library_api::folder_of;
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use session::{Body as RecordBody, REPLAY, Timestamp};
use store::{SessionFile, StoreError};

/// The header with the time of a picture.
const AT_S: HeaderName = HeaderName::from_static("x-affectograph-at-s");
const PART_BYTES: usize = 64 * 1024;

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
    let _permit = app.read_permits.acquire().await;
    let found = blocking(move || {
        let file = SessionFile::open(&folder)?;
        let Some(row) = file.frame_before(at)? else { return Ok(None) };
        Ok(Some((row.meta.at, file.picture_of(&row)?)))
    });
    let found = found.await.map_err(|e| Problem::conflict("damaged", format!("{e}.")))?;
    let (at, jpeg) = found.ok_or_else(|| Problem::not_found("The session has no picture at or before this time."))?;
    let at_s = HeaderValue::from_str(&format!("{:.6}", at.as_secs_f64())).map_err(|_| Problem::busy())?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg")), (AT_S, at_s)], jpeg).into_response())
}

/// The events of the recorded page for rrweb, one JSON object in each line. `timestamp` is in milliseconds from the zero of the
/// session's clock.
#[utoipa::path(get, path = "/v1/library/sessions/{name}/replay", tag = "owner", security(("login" = []), ("token" = [])),
    params(("name" = String, Path, description = "The name in the list of sessions")),
    responses((status = 200, content_type = "application/x-ndjson"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn replay(State(app): State<App>, _: Owner, Path(name): Path<String>) -> Result<Response, Problem> {
    let folder = folder_of(&app, &name).await?;
    let opened = blocking(move || {
        let file = SessionFile::open(&folder)?;
        let has_stream = file.streams().iter().any(|s| s.name.as_str() == REPLAY);
        Ok(has_stream.then_some(folder))
    });
    let folder = opened.await.map_err(|e| Problem::conflict("damaged", format!("{e}.")))?;
    let folder = folder.ok_or_else(|| Problem::not_found("The page of this session was not recorded for replay."))?;
    let (to, parts) = mpsc::channel::<std::io::Result<Bytes>>(8);
    tokio::task::spawn_blocking(move || {
        if let Err(e) = send_replay(&folder, &to) {
            // Sending fails only if the reader is gone. It does not need the error then.
            to.blocking_send(Err(std::io::Error::other(e))).ok();
        }
    });
    let kind = HeaderValue::from_static("application/x-ndjson");
    Ok(([(header::CONTENT_TYPE, kind)], Body::from_stream(ReceiverStream::new(parts))).into_response())
}

/// One event is in memory at a time. Blocks while the reader is slow.
fn send_replay(folder: &std::path::Path, to: &mpsc::Sender<std::io::Result<Bytes>>) -> Result<(), StoreError> {
    let mut part = Vec::with_capacity(PART_BYTES);
    SessionFile::open(folder)?.each_event(REPLAY, Some(&["rrweb"]), |record| {
        let RecordBody::Event { mut data, .. } = record.body else { return };
        if to.is_closed() {
            return;
        }
        data.insert("timestamp".to_owned(), (record.at.as_secs_f64() * 1e3).into());
        part.extend_from_slice(serde_json::Value::Object(data).to_string().as_bytes());
        part.push(b'\n');
        if part.len() >= PART_BYTES {
            let full = std::mem::replace(&mut part, Vec::with_capacity(PART_BYTES));
            to.blocking_send(Ok(full.into())).ok();
        }
    })?;
    to.blocking_send(Ok(part.into())).ok();
    Ok(())
}
