//! The owner closes and erases sessions.

use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::app::App;
use super::blocking::{blocking, to_its_end};
use super::hub_client::Release;
use super::library_api::folder_of;
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use session::ParticipantId;
use store::StoreError;

/// Closes an open session as it is. What its browser has not sent yet is not stored.
#[utoipa::path(post, path = "/v1/library/sessions/{name}/close", tag = "owner", security(("login" = []), ("token" = [])),
    params(("name" = String, Path, description = "The name in the list of sessions")),
    responses((status = 202, description = "The session is being closed"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn close(State(app): State<App>, _: Owner, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    let folder = folder_of(&app, &name).await?;
    app.hub.close_session(folder).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Erases one session permanently. Its participant, with pseudonym and condition, stays.
#[utoipa::path(delete, path = "/v1/library/sessions/{name}", tag = "owner", security(("login" = []), ("token" = [])),
    params(("name" = String, Path, description = "The name in the list of sessions")),
    responses((status = 204), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn erase_session(State(app): State<App>, _: Owner, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    let folder = folder_of(&app, &name).await?;
    to_its_end(async move {
        app.hub.release_sessions(Release::Session(folder.clone())).await?;
        let (library, erased) = (app.library.clone(), folder.clone());
        erased_or_recording(blocking(move || library.erase(&erased)).await)?;
        app.hub.forget_session(folder).await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Erases all data of a participant permanently.
#[utoipa::path(delete, path = "/v1/library/participants/{participant}", tag = "owner", security(("login" = []), ("token" = [])),
    params(("participant" = String, Path, description = "`sub-01`")),
    responses((status = 204), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn erase_participant(
    State(app): State<App>,
    _: Owner,
    Path(participant): Path<String>,
) -> Result<StatusCode, Problem> {
    let id: ParticipantId = participant.parse().map_err(|why| Problem::malformed(format!("{why}.")))?;
    to_its_end(erase_known_participant(app, id)).await
}

async fn erase_known_participant(app: App, id: ParticipantId) -> Result<StatusCode, Problem> {
    let (library, who) = (app.library.clone(), id.clone());
    let is_in_library = blocking(move || library.participants()).await?.contains(&who);
    let mut folders = Vec::new();
    if is_in_library {
        app.hub.release_sessions(Release::Participant(id.to_string())).await?;
        let library = app.library.clone();
        let names = blocking(move || library.session_names()).await?;
        folders.extend(names.into_iter().filter(|n| n.participant == id).map(|n| n.folder));
        let (library, who) = (app.library.clone(), id.clone());
        erased_or_recording(blocking(move || library.erase_participant(&who)).await)?;
    }
    // Only the ledger knows a participant whose sessions were erased one by one.
    if !app.hub.forget_participant(id.as_str(), folders).await? && !is_in_library {
        return Err(Problem::not_found(format!("There is no participant {id} in the library.")));
    }
    Ok(StatusCode::NO_CONTENT)
}

fn erased_or_recording(erased: Result<(), StoreError>) -> Result<(), Problem> {
    match erased {
        Ok(()) => Ok(()),
        Err(StoreError::Recording(_)) => {
            let detail = "Another program on this computer is recording it. Stop that recording first.";
            Err(Problem::conflict("recording", detail))
        }
        Err(e) => Err(e.into()),
    }
}
