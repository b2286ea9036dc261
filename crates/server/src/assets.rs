//! What is served as it is: the dashboard, the client library, and the networks that browsers score with.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use super::app::App;
use super::problem::Problem;

/// Name, type, bytes.
type Asset = (&'static str, &'static str, &'static [u8]);

const JS: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

const DASHBOARD: &[Asset] = &[
    ("", "text/html; charset=utf-8", include_bytes!("../../../assets/dashboard/index.html")),
    ("style.css", CSS, include_bytes!("../../../assets/dashboard/style.css")),
    ("main.js", JS, include_bytes!("../../../assets/dashboard/main.js")),
    ("api.js", JS, include_bytes!("../../../assets/dashboard/api.js")),
    ("dom.js", JS, include_bytes!("../../../assets/dashboard/dom.js")),
    ("studies.js", JS, include_bytes!("../../../assets/dashboard/studies.js")),
    ("session.js", JS, include_bytes!("../../../assets/dashboard/session.js")),
    ("average.js", JS, include_bytes!("../../../assets/dashboard/average.js")),
    ("plots.js", JS, include_bytes!("../../../assets/dashboard/plots.js")),
    ("icon.svg", "image/svg+xml", include_bytes!("../../../assets/icon.svg")),
    ("uplot/uPlot.esm.js", JS, include_bytes!("../../../assets/dashboard/uplot/uPlot.esm.js")),
    ("uplot/uPlot.min.css", CSS, include_bytes!("../../../assets/dashboard/uplot/uPlot.min.css")),
    ("uplot/LICENSE", "text/plain; charset=utf-8", include_bytes!("../../../assets/dashboard/uplot/LICENSE")),
];

const NETWORKS: [&str; 3] = ["detector", "landmarks", "affect"];

pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/dashboard/") }))
        .route("/dashboard", get(|| async { Redirect::temporary("/dashboard/") }))
        .route("/dashboard/", get(|| async { file(DASHBOARD, "") }))
        .route("/dashboard/{*path}", get(|Path(path): Path<String>| async move { file(DASHBOARD, &path) }))
        .route("/v1/models/{network}/{file}", get(network))
}

fn file(assets: &[Asset], path: &str) -> Result<Response, Problem> {
    let found = assets.iter().find(|(name, ..)| *name == path);
    let (_, kind, bytes) = found.ok_or_else(|| Problem::not_found("There is no such file."))?;
    Ok(([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "no-cache")], *bytes).into_response())
}

/// A network for browsers of any origin: they hold no secret.
async fn network(State(app): State<App>, Path((network, file)): Path<(String, String)>) -> Result<Response, Problem> {
    let kind = match file.as_str() {
        "model.onnx" => "application/octet-stream",
        "model.toml" => "text/plain; charset=utf-8",
        _ => return Err(Problem::not_found("A network has a model.onnx and a model.toml.")),
    };
    if !NETWORKS.contains(&network.as_str()) {
        return Err(Problem::not_found("There are the networks detector, landmarks and affect."));
    }
    let path = app.pool.models().join(network).join(file);
    let bytes = tokio::fs::read(&path).await;
    let bytes = bytes.map_err(|_| Problem::not_found("This network is not installed on the server."))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
    ];
    Ok((headers, bytes).into_response())
}
