//! The routes, their OpenAPI description, and the limits, time-outs and allowed origins of requests.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
use super::problem::Problem;
use super::responses::{describe_errors, set_host, set_security_headers};
use super::unread_body::read_unread_body;
use super::wire::{MAX_BATCH_BYTES, MAX_VIDEO_CHUNK_BYTES};
use super::{
    assets, average_api, browser, catalogue_api, client_files, comparison_api, download_api, erase_api, export_api,
    invitation_api, library_api, live_api, login, media_api, note_api, session_list_api, status_api, studies_api,
    visitor_api,
};

/// From the head of the request to the head of the answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Long enough for a chunk of video over a slow connection.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(120);
/// A study with a long consent text, as the form and as the file that the change began with.
const MAX_STUDY_BYTES: usize = 512 * 1024;
const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(7200);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "affectograph",
        description = "Receives sessions that browsers record, and shows them to the server's owner. docs/protocol.md describes the protocol.",
        license(name = "MIT OR Apache-2.0")
    ),
    modifiers(&SecuritySchemes)
)]
struct Description;

struct SecuritySchemes;

impl utoipa::Modify for SecuritySchemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let bearer = |description: &str| {
            SecurityScheme::Http(
                HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build(),
            )
        };
        components.add_security_scheme("key", bearer("A study's public write key."));
        components.add_security_scheme("session", bearer("The token of one session."));
        components.add_security_scheme("token", bearer("An API token of the owner."));
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(login::COOKIE)));
        components.add_security_scheme("login", cookie);
    }
}

fn routes_and_description() -> (Router<App>, utoipa::openapi::OpenApi) {
    let batches = OpenApiRouter::new()
        .routes(routes!(browser::begin))
        .routes(routes!(browser::records))
        .routes(routes!(browser::finish))
        .layer(RequestDecompressionLayer::new())
        .layer(RequestBodyLimitLayer::new(MAX_BATCH_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWER_TIMEOUT));
    let chunks = OpenApiRouter::new()
        .routes(routes!(browser::video))
        .layer(RequestBodyLimitLayer::new(MAX_VIDEO_CHUNK_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, CHUNK_TIMEOUT));
    let studies = OpenApiRouter::new()
        .routes(routes!(studies_api::create))
        .routes(routes!(studies_api::change))
        .layer(RequestBodyLimitLayer::new(MAX_STUDY_BYTES))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWER_TIMEOUT));
    let small = OpenApiRouter::new()
        .routes(routes!(browser::clock))
        .routes(routes!(invitation_api::invitation))
        .routes(routes!(visitor_api::withdraw))
        .routes(routes!(visitor_api::own_data))
        .routes(routes!(login::login))
        .routes(routes!(login::logout))
        .routes(routes!(login::me))
        .routes(routes!(studies_api::studies))
        .routes(routes!(studies_api::study))
        .routes(routes!(studies_api::add_key))
        .routes(routes!(studies_api::change_key, studies_api::revoke_key))
        .routes(routes!(session_list_api::sessions))
        .routes(routes!(library_api::session, erase_api::erase_session))
        .routes(routes!(library_api::events))
        .routes(routes!(note_api::set_note))
        .routes(routes!(media_api::picture))
        .routes(routes!(media_api::replay))
        .routes(routes!(erase_api::close))
        .routes(routes!(erase_api::erase_participant))
        .routes(routes!(average_api::average))
        .routes(routes!(comparison_api::compare))
        .routes(routes!(catalogue_api::study_events))
        .routes(routes!(status_api::status))
        .routes(routes!(export_api::export_session))
        .routes(routes!(export_api::export_study))
        .routes(routes!(download_api::download_session))
        .routes(routes!(download_api::download_study))
        .routes(routes!(live_api::live_list))
        .routes(routes!(live_api::live_session))
        .layer(RequestBodyLimitLayer::new(16 * 1024))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWER_TIMEOUT));
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(batches)
        .merge(chunks)
        .merge(studies)
        .merge(small)
        .split_for_parts()
}

pub fn description() -> utoipa::openapi::OpenApi {
    routes_and_description().1
}

pub fn router(app: App) -> Router {
    let (routes, _) = routes_and_description();
    let hub = app.hub.clone();
    let allowed = AllowOrigin::async_predicate(move |origin: HeaderValue, _: &Parts| async move {
        match origin.to_str() {
            Ok(origin) => hub.is_origin_allowed(origin).await,
            Err(_) => false,
        }
    });
    let cors = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, header::CONTENT_ENCODING])
        .expose_headers([header::RETRY_AFTER])
        .max_age(PREFLIGHT_MAX_AGE);
    routes
        .merge(assets::routes())
        .merge(client_files::routes())
        .route("/v1/openapi.json", axum::routing::get(openapi))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::map_response(describe_errors))
        .layer(cors)
        .layer(middleware::from_fn_with_state(app.clone(), set_security_headers))
        .layer(middleware::from_fn(set_host))
        .layer(middleware::from_fn(read_unread_body))
        .with_state(app)
}

async fn openapi(State(app): State<App>) -> Response {
    axum::Json(app.description.as_ref()).into_response()
}

async fn unknown(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::not_found(format!("There is nothing at {path}. /v1/openapi.json lists all paths."))
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    let detail =
        format!("{path} does not support the method {method}. /v1/openapi.json lists the methods of each path.");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
}
