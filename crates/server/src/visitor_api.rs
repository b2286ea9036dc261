//! What a visitor can do with the own session: delete it, and read it if the study allows that.

use std::path::PathBuf;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::app::App;
use super::blocking::{blocking, to_its_end};
use super::browser::{bearer, study_of_key};
use super::download;
use super::hub_client::VisitorAccess;
use super::invitation_api::origins;
use super::own_data;
use super::problem::{Problem, ProblemDetails};
use super::secrets;
use store::StoreError;

/// Visitors who read their data at the same time. Each reads a whole session. The owner's requests have their own permits.
static READERS: Semaphore = Semaphore::const_new(2);

#[derive(Debug, Serialize, ToSchema)]
pub struct Withdrawn {
    pub session: String,
    /// Records, video and everything else of the session are erased.
    pub erased: bool,
}

/// Erases the session: its records, its video and its row in the ledger. The answer is the confirmation. It may be repeated.
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "browser", security(("session" = [])),
    params(("id" = String, Path, description = "The session")),
    responses((status = 200, body = Withdrawn), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn withdraw(
    State(app): State<App>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<Withdrawn>, Problem> {
    let access = access(&id, &uri, &headers)?;
    to_its_end(async move {
        let visit = app.hub.end_visit(access).await?;
        if !visit.is_erased {
            erase(&app, &id, visit.folder).await?;
        }
        Ok(Json(Withdrawn { session: id, erased: true }))
    })
    .await
}

async fn erase(app: &App, id: &str, folder: PathBuf) -> Result<(), Problem> {
    let (library, erased) = (app.library.clone(), folder.clone());
    let erased = blocking(move || if erased.exists() { library.erase_visit(&erased) } else { Ok(()) }).await;
    match erased {
        Ok(()) => app.hub.forget_visit(id, folder).await,
        Err(StoreError::Recording(_)) => Err(Problem::busy()),
        Err(e) => Err(e.into()),
    }
}

/// All records of the session, as JSON. Only if the study has `own_data = true` in `[visitors]`.
#[utoipa::path(get, path = "/v1/sessions/{id}/data", tag = "browser", security(("session" = [])),
    params(("id" = String, Path, description = "The session")),
    responses((status = 200, content_type = "application/json"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn own_data(
    State(app): State<App>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let visit = app.hub.find_visit(access(&id, &uri, &headers)?).await?;
    let folder = visit.folder.clone();
    if visit.is_erased || !blocking(move || Ok(folder.exists())).await? {
        let detail = "The data of this session were deleted. Nothing of it is stored.";
        return Err(Problem::new(StatusCode::GONE, "gone", detail));
    }
    if !study_of_key(&app, &visit.study).await?.study.visitors.own_data {
        let detail = "This study does not give visitors their data here. Ask the people who run the study.";
        return Err(Problem::forbidden("no-own-data", detail));
    }
    let permit = READERS.try_acquire().map_err(|_| Problem::busy())?;
    let (outgoing, body) = download::channel();
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        outgoing.write(|parts| own_data::write(&visit.folder, parts));
    });
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"my-data.json\""));
    Ok(response)
}

fn access(id: &str, uri: &Uri, headers: &HeaderMap) -> Result<VisitorAccess, Problem> {
    Ok(VisitorAccess {
        id: id.to_owned(),
        token_sha256: secrets::sha256(bearer(headers)?),
        origins: origins(uri, headers)?,
    })
}
