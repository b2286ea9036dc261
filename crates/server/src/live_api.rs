//! Server-sent events for the dashboard: changes of the list of sessions, and what one session has just stored.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event as Sse, KeepAlive};
use axum::response::{IntoResponse, Response, Sse as SseResponse};
use tokio::sync::{broadcast, oneshot, watch};
use tokio_stream::wrappers::{BroadcastStream, WatchStream};
use tokio_stream::{Stream, StreamExt};

use super::app::App;
use super::library_api::folder_of;
use super::live::LiveBatch;
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use super::session_command::SessionCommand;

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Server-sent events: `changed` when the list of sessions has changed.
#[utoipa::path(get, path = "/v1/library/live", tag = "owner", security(("login" = [])),
    responses((status = 200, content_type = "text/event-stream"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn live_list(State(app): State<App>, _: Owner) -> impl IntoResponse {
    let changes = WatchStream::new(app.hub.changes.clone());
    let changes = changes.map(|n| Ok::<_, Infallible>(Sse::default().event("changed").data(n.to_string())));
    SseResponse::new(until_logins_end(app.hub.password_changes, changes))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

/// Server-sent events of one open session: `news` with committed records, `missed` where the reader was too slow, `ended`
/// when the session has ended.
#[utoipa::path(get, path = "/v1/library/sessions/{name}/live", tag = "owner", security(("login" = [])),
    params(("name" = String, Path, description = "The name in the list of sessions")),
    responses((status = 200, body = LiveBatch, content_type = "text/event-stream"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn live_session(State(app): State<App>, _: Owner, Path(name): Path<String>) -> Result<Response, Problem> {
    let folder = folder_of(&app, &name).await?;
    let commands = app.hub.commands_of(folder).await?;
    let commands = commands.ok_or_else(|| {
        Problem::conflict("ended", "This session is no longer open. Open it in the list of sessions.")
    })?;
    let (to, watched) = oneshot::channel();
    commands.try_send(SessionCommand::Watch(to)).map_err(|_| Problem::busy())?;
    let batches = watched.await.map_err(|_| Problem::busy())?;
    Ok(SseResponse::new(until_logins_end(app.hub.password_changes, events(batches)))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response())
}

/// Ends the stream when the owner's password changes. The dashboard then has to log in again.
fn until_logins_end<T: Send + 'static>(
    password_changes: watch::Receiver<u64>,
    stream: impl Stream<Item = T> + Send + 'static,
) -> impl Stream<Item = T> + Send + 'static {
    let ended = WatchStream::from_changes(password_changes).map(|_| None);
    stream.map(Some).chain(tokio_stream::once(None)).merge(ended).map_while(|item| item)
}

fn events(
    batches: broadcast::Receiver<std::sync::Arc<LiveBatch>>,
) -> impl Stream<Item = Result<Sse, axum::Error>> + Send + 'static {
    let batches = BroadcastStream::new(batches).map(|batch| match batch {
        Ok(batch) => Sse::default().event("news").json_data(batch.as_ref()),
        Err(_) => Ok(Sse::default().event("missed").data("")),
    });
    batches.chain(tokio_stream::once(Ok(Sse::default().event("ended").data(""))))
}
