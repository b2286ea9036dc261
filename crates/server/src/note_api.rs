//! The owner's notes about sessions.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::app::App;
use super::browser::json;
use super::library_api::folder_of;
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};

const MAX_NOTE_BYTES: usize = 10_000;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Empty: the note is removed.
    note: String,
}

/// Stores a note about a session. Only this server has it. Downloads do not contain it.
#[utoipa::path(put, path = "/v1/library/sessions/{name}/note", tag = "owner", security(("login" = []), ("token" = [])),
    params(("name" = String, Path, description = "The name in the list of sessions")), request_body = Note,
    responses((status = 204), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn set_note(
    State(app): State<App>,
    _: Owner,
    Path(name): Path<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let Note { note } = json(body).await?;
    if note.len() > MAX_NOTE_BYTES {
        return Err(Problem::malformed(format!("A note can have at most {MAX_NOTE_BYTES} bytes. Shorten it.")));
    }
    let folder = app.library.relative(&folder_of(&app, &name).await?);
    let now = app.clock.utc();
    app.hub.ledger(move |ledger| ledger.set_session_note(&folder.to_string_lossy(), note.trim(), now)).await?;
    Ok(StatusCode::NO_CONTENT)
}
