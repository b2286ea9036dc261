//! What the owner's screen hears while it is open: that sessions changed, and what one of them has just stored.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event as Sse, KeepAlive};
use axum::response::{IntoResponse, Response, Sse as SseResponse};
use tokio::sync::{broadcast, oneshot};
use tokio_stream::wrappers::{BroadcastStream, WatchStream};
use tokio_stream::{Stream, StreamExt};

use super::app::App;
use super::library_api::folder_of;
use super::live::LiveNews;
use super::login::Owner;
use super::orders::Order;
use super::problem::{Problem, ProblemDetails};

const STILL_THERE: Duration = Duration::from_secs(15);

/// Server-sent events: `changed` whenever the list of sessions is another.
#[utoipa::path(get, path = "/v1/library/live", tag = "owner", security(("login" = [])),
    responses((status = 200, content_type = "text/event-stream"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn live_list(State(app): State<App>, _: Owner) -> impl IntoResponse {
    let changes = WatchStream::new(app.hub.changes.clone());
    let changes = changes.map(|n| Ok::<_, Infallible>(Sse::default().event("changed").data(n.to_string())));
    SseResponse::new(changes).keep_alive(KeepAlive::new().interval(STILL_THERE))
}

/// Server-sent events of one open session: `news` with what was committed, `missed` where the reader was too slow,
/// `ended` when nothing more comes.
#[utoipa::path(get, path = "/v1/library/sessions/{name}/live", tag = "owner", security(("login" = [])),
    params(("name" = String, Path, description = "As the list names it")),
    responses((status = 200, body = LiveNews, content_type = "text/event-stream"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn live_session(State(app): State<App>, _: Owner, Path(name): Path<String>) -> Result<Response, Problem> {
    let folder = folder_of(&app, &name).await?;
    let orders = app.hub.orders_of(folder).await?;
    let orders = orders.ok_or_else(|| Problem::conflict("ended", "This session is not open any more."))?;
    let (to, watched) = oneshot::channel();
    orders.try_send(Order::Watch(to)).map_err(|_| Problem::busy())?;
    let news = watched.await.map_err(|_| Problem::busy())?;
    Ok(SseResponse::new(told(news)).keep_alive(KeepAlive::new().interval(STILL_THERE)).into_response())
}

fn told(
    news: broadcast::Receiver<std::sync::Arc<LiveNews>>,
) -> impl Stream<Item = Result<Sse, axum::Error>> + Send + 'static {
    let news = BroadcastStream::new(news).map(|news| match news {
        Ok(news) => Sse::default().event("news").json_data(news.as_ref()),
        Err(_) => Ok(Sse::default().event("missed").data("")),
    });
    news.chain(tokio_stream::once(Ok(Sse::default().event("ended").data(""))))
}
