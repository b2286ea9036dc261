//! Hosts the browsers' library, so that a page needs no files of its own.
//!
//! Two addresses have it. `/v1/client/affectograph.min.js` is the server's newest version. `/v1/client/0.1.0-1a2b3c4d/…` is
//! one version for ever, so that a page can name the checksum of its script. Versions that this server had before stay in its
//! folder, so that pages with an older address go on after an update of the server.

use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::LazyLock;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha384};
use utoipa::ToSchema;
use web_assets::{CLIENT, CLIENT_VERSION, WebFile};

use super::app::App;
use super::problem::Problem;

/// The script for plain HTML.
const SCRIPT: &str = "affectograph.min.js";
/// In the server's folder.
const FOLDER: &str = "client-library";

/// What a page needs to load the library from this server.
#[derive(Clone, Debug, serde::Serialize, ToSchema)]
pub struct HostedLibrary {
    /// The address of the script, without the server's origin.
    path: String,
    /// For the attribute `integrity` of the script.
    integrity: String,
}

/// The version with a checksum of all files. Two builds of one version can have different files.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut sum = Sha256::new();
    for file in CLIENT {
        sum.update(file.name.as_bytes());
        sum.update(Sha256::digest(file.bytes));
    }
    let sum: String = sum.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{sum}", CLIENT_VERSION.trim())
});

static HOSTED: LazyLock<HostedLibrary> = LazyLock::new(|| {
    let script = CLIENT.iter().find(|file| file.name == SCRIPT).map_or(&[][..], |file| file.bytes);
    HostedLibrary {
        path: format!("/v1/client/{}/{SCRIPT}", *VERSION),
        integrity: format!("sha384-{}", STANDARD.encode(Sha384::digest(script))),
    }
});

pub fn hosted() -> HostedLibrary {
    HOSTED.clone()
}

pub fn routes() -> Router<App> {
    Router::new().route("/v1/client/{file}", get(newest)).route("/v1/client/{version}/{file}", get(of_version))
}

/// Copies this version's files into the server's folder, completely or not at all.
pub fn keep(root: &FilePath) -> io::Result<()> {
    let folder = root.join(FOLDER).join(VERSION.as_str());
    if folder.exists() {
        return Ok(());
    }
    let draft = folder.with_extension("new");
    std::fs::create_dir_all(&draft)?;
    for WebFile { name, bytes, .. } in CLIENT {
        std::fs::write(draft.join(name), bytes)?;
    }
    std::fs::rename(draft, folder)
}

async fn newest(Path(name): Path<String>) -> Result<Response, Problem> {
    let file = find(&name).ok_or_else(no_file)?;
    Ok(answer(file.content_type, "no-cache", file.bytes))
}

async fn of_version(
    State(app): State<App>,
    Path((version, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    const FOR_EVER: &str = "public, max-age=31536000, immutable";
    // Only names of files that the library has now, and plain names of versions, so that no path leaves the folder.
    let file = find(&name).ok_or_else(no_file)?;
    if version == *VERSION {
        return Ok(answer(file.content_type, FOR_EVER, file.bytes));
    }
    let is_plain = version.len() < 80 && version.bytes().all(|b| b.is_ascii_alphanumeric() || b".-+".contains(&b));
    if !is_plain || version.contains("..") || version.ends_with(".new") {
        return Err(no_version());
    }
    let path: PathBuf = app.library.root().join(FOLDER).join(version).join(file.name);
    let bytes = tokio::fs::read(path).await.map_err(|_| no_version())?;
    Ok(answer(file.content_type, FOR_EVER, bytes))
}

fn find(name: &str) -> Option<&'static WebFile> {
    CLIENT.iter().find(|file| file.name == name)
}

fn no_file() -> Problem {
    Problem::not_found("The library has no file with this name.")
}

fn no_version() -> Problem {
    Problem::not_found("The server does not have this version of the library. Copy the code for your page again.")
}

/// Pages of any origin may load the library.
fn answer(content_type: &'static str, caching: &'static str, body: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
    ];
    (headers, body).into_response()
}
