//! Static files: the dashboard, and the networks with which browsers score.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use web_assets::DASHBOARD;

use super::app::App;
use super::networks;
use super::problem::Problem;

pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/dashboard/") }))
        .route("/dashboard", get(|| async { Redirect::temporary("/dashboard/") }))
        .route("/dashboard/", get(|| async { dashboard("index.html") }))
        .route("/dashboard/{*path}", get(|Path(path): Path<String>| async move { dashboard(&path) }))
        .route("/v1/models/{network}/{file}", get(network))
}

fn dashboard(name: &str) -> Result<Response, Problem> {
    let file = DASHBOARD.iter().find(|file| file.name == name);
    let file = file.ok_or_else(|| Problem::not_found("The dashboard has no file with this name."))?;
    let headers = [(header::CONTENT_TYPE, file.content_type), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, file.bytes).into_response())
}

/// Browsers of any origin may load the networks. The networks are public.
async fn network(State(app): State<App>, Path((network, file)): Path<(String, String)>) -> Result<Response, Problem> {
    let kind = match file.as_str() {
        "model.onnx" => "application/octet-stream",
        "model.toml" => "text/plain; charset=utf-8",
        _ => return Err(Problem::not_found("The files of a network are model.onnx and model.toml.")),
    };
    if !networks::is_role(&network) {
        return Err(Problem::not_found("The networks are detector, landmarks, affect and actions."));
    }
    let path = app.pool.models().join(network).join(file);
    let bytes = tokio::fs::read(&path).await;
    let bytes = bytes.map_err(|_| {
        Problem::not_found(
            "This network is not installed on the server. Its owner can install it in the folder of the models.",
        )
    })?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
    ];
    Ok((headers, bytes).into_response())
}
