//! The routes, and what every request passes: limits, time-outs, origins, headers that keep browsers from mischief.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::clock::ServerClock;
use super::config::ServerConfig;
use super::hub_client::HubClient;
use super::pool::VisionPool;
use super::problem::{PROBLEM_JSON, Problem};
use super::wire::{MAX_BATCH_BYTES, MAX_VIDEO_CHUNK_BYTES};
use super::{assets, average_api, browser, download_api, library_api, live_api, login};
use store::Library;

/// From the request's head to the answer's: whoever sends slower than this sends again.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// A chunk of video over a poor line.
const CHUNK_WITHIN: Duration = Duration::from_secs(120);
const PREFLIGHT_KEPT: Duration = Duration::from_secs(7200);

/// What every request may use.
#[derive(Clone)]
pub struct App {
    pub config: Arc<ServerConfig>,
    pub hub: HubClient,
    pub clock: ServerClock,
    pub pool: VisionPool,
    pub library: Library,
    pub turns: Arc<tokio::sync::Semaphore>,
    /// Few sessions are read for an owner at the same time.
    pub readers: Arc<tokio::sync::Semaphore>,
    /// Few passwords are checked at the same time.
    pub logins: Arc<tokio::sync::Semaphore>,
    pub description: Arc<utoipa::openapi::OpenApi>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "affectograph",
        description = "Receives sessions that browsers record, and shows them to their owner. docs/protocol.md explains it.",
        license(name = "MIT OR Apache-2.0")
    ),
    modifiers(&Secrets)
)]
struct Description;

struct Secrets;

impl utoipa::Modify for Secrets {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let bearer = |what: &str| {
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(what)).build())
        };
        components.add_security_scheme("key", bearer("A study's public write key."));
        components.add_security_scheme("session", bearer("The token of one session."));
        components.add_security_scheme("token", bearer("An API token of the owner."));
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(login::COOKIE)));
        components.add_security_scheme("login", cookie);
    }
}

/// The routes with their description, for [`router`] and for whoever only wants to read it.
fn routes_and_description() -> (Router<App>, utoipa::openapi::OpenApi) {
    let batches = OpenApiRouter::new()
        .routes(routes!(browser::begin))
        .routes(routes!(browser::records))
        .routes(routes!(browser::finish))
        .layer(RequestDecompressionLayer::new())
        .layer(RequestBodyLimitLayer::new(MAX_BATCH_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWER_WITHIN));
    let chunks = OpenApiRouter::new()
        .routes(routes!(browser::video))
        .layer(RequestBodyLimitLayer::new(MAX_VIDEO_CHUNK_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, CHUNK_WITHIN));
    let small = OpenApiRouter::new()
        .routes(routes!(browser::clock))
        .routes(routes!(login::login))
        .routes(routes!(login::logout))
        .routes(routes!(login::me))
        .routes(routes!(library_api::studies))
        .routes(routes!(library_api::sessions))
        .routes(routes!(library_api::session))
        .routes(routes!(average_api::average))
        .routes(routes!(library_api::erase))
        .routes(routes!(download_api::download_session))
        .routes(routes!(download_api::download_study))
        .routes(routes!(live_api::live_list))
        .routes(routes!(live_api::live_session))
        .layer(RequestBodyLimitLayer::new(16 * 1024))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWER_WITHIN));
    OpenApiRouter::with_openapi(Description::openapi()).merge(batches).merge(chunks).merge(small).split_for_parts()
}

pub fn description() -> utoipa::openapi::OpenApi {
    routes_and_description().1
}

pub fn router(app: App) -> Router {
    let (routes, _) = routes_and_description();
    let origins = app.hub.origins.clone();
    let allowed = AllowOrigin::predicate(move |origin: &HeaderValue, _| {
        origin.to_str().is_ok_and(|origin| origins.borrow().iter().any(|o| o == origin))
    });
    let cors = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PUT])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::CONTENT_ENCODING])
        .expose_headers([header::RETRY_AFTER])
        .max_age(PREFLIGHT_KEPT);
    routes
        .merge(assets::routes())
        .route("/v1/openapi.json", axum::routing::get(openapi))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::map_response(in_words))
        .layer(cors)
        .layer(middleware::from_fn(keep_browsers_safe))
        .with_state(app)
}

async fn openapi(State(app): State<App>) -> Response {
    axum::Json(app.description.as_ref()).into_response()
}

async fn unknown(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::not_found(format!("There is nothing at {path}. /v1/openapi.json says what there is."))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    let detail = format!("{path} does not answer to {method}. /v1/openapi.json says to what it does.");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
}

/// What the layers refuse, they refuse without a word: here it gets its sentence.
async fn in_words(response: Response) -> Response {
    let status = response.status();
    let is_said = response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t == PROBLEM_JSON);
    if is_said || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let problem = match status {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::too_large("The body is larger than may be. Send it in smaller parts.")
        }
        StatusCode::REQUEST_TIMEOUT => {
            Problem::new(status, "too-slow", "The request took too long to arrive or to answer. Send it again.")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(
            status,
            "unsupported-encoding",
            "The body is in an encoding that is not understood: use none, gzip or deflate.",
        ),
        status if status.is_server_error() => {
            Problem::new(status, "failed", "The server could not do this. Try later.")
        }
        status => Problem::new(status, "refused", "The request was refused: /v1/openapi.json says what is expected."),
    };
    let allow = response.headers().get(header::ALLOW).cloned();
    let mut worded = problem.into_response();
    if let Some(allow) = allow {
        worded.headers_mut().insert(header::ALLOW, allow);
    }
    worded
}

async fn keep_browsers_safe(request: Request, next: Next) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                          connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; \
                          form-action 'self'; frame-ancestors 'none'";
    let is_public = request.uri().path().starts_with("/v1/models/") || request.uri().path().starts_with("/client/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::CACHE_CONTROL, "no-store");
    let policy = if is_public { "cross-origin" } else { "same-origin" };
    set(HeaderName::from_static("cross-origin-resource-policy"), policy);
    response
}
