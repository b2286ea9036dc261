//! Hosts the browsers' library, so that a page needs no files of its own.
//!
//! Two addresses have it. `/v1/client/affectograph.min.js` is the server's newest version. `/v1/client/0.1.0-1a2b3c4d/…` is
//! one version for ever, so that a page can name the checksum of its script. Versions that this server had before stay in its
//! folder, so that pages with an older address go on after an update of the server.

use std::fs::File;
use std::io::{self, Write};
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
use session::hex;

/// The script for plain HTML.
const SCRIPT: &str = "affectograph.min.js";
/// In the server's folder.
const FOLDER: &str = "client-library";
/// Ends the name of a folder that is being written.
const DRAFT: &str = ".new";

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
    format!("{}-{}", CLIENT_VERSION.trim(), hex(&sum.finalize()[..4]))
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
    let parent = root.join(FOLDER);
    let folder = parent.join(VERSION.as_str());
    let has = |file: &WebFile| std::fs::read(folder.join(file.name)).is_ok_and(|bytes| bytes == file.bytes);
    if CLIENT.iter().all(has) {
        return Ok(());
    }
    // What a killed server left.
    let draft = parent.join(format!("{}{DRAFT}", *VERSION));
    remove_folder(&draft)?;
    std::fs::create_dir_all(&draft)?;
    for WebFile { name, bytes, .. } in CLIENT {
        let mut file = File::create(draft.join(name))?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    // A copy of an earlier program may be cut off.
    remove_folder(&folder)?;
    std::fs::rename(draft, folder)?;
    File::open(parent)?.sync_all()
}

fn remove_folder(folder: &FilePath) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
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
    if version == *VERSION {
        let file = find(&name).ok_or_else(no_file)?;
        return Ok(answer(file.content_type, FOR_EVER, file.bytes));
    }
    if !is_plain(&version) || version.ends_with(DRAFT) {
        return Err(no_version());
    }
    // An earlier version may have files that this one does not have.
    let content_type = content_type(&name).filter(|_| is_plain(&name)).ok_or_else(no_file)?;
    let path: PathBuf = app.library.root().join(FOLDER).join(version).join(name);
    let bytes = tokio::fs::read(path).await.map_err(|_| no_version())?;
    Ok(answer(content_type, FOR_EVER, bytes))
}

/// Only names without a path, so that no request leaves the folder.
fn is_plain(name: &str) -> bool {
    name.len() < 80
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-+_".contains(&b))
        && !name.starts_with('.')
        && !name.contains("..")
}

/// That of the library's files with the same ending.
fn content_type(name: &str) -> Option<&'static str> {
    let ending = |name: &str| FilePath::new(name).extension().map(ToOwned::to_owned);
    CLIENT.iter().find(|file| ending(file.name) == ending(name)).map(|file| file.content_type)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_copy_and_what_a_kill_left_are_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join(FOLDER).join(VERSION.as_str());
        let draft = dir.path().join(FOLDER).join(format!("{}.new", *VERSION));
        for left in [&folder, &draft] {
            std::fs::create_dir_all(left).unwrap();
            std::fs::write(left.join(SCRIPT), "cut").unwrap();
            std::fs::write(left.join("old.js"), "of another version").unwrap();
        }
        keep(dir.path()).unwrap();
        let names = |folder: &FilePath| -> Vec<String> {
            let entries = std::fs::read_dir(folder).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
        };
        assert_eq!(names(&dir.path().join(FOLDER)), std::slice::from_ref(&*VERSION));
        assert_eq!(names(&folder).len(), CLIENT.len());
        for file in CLIENT {
            assert_eq!(std::fs::read(folder.join(file.name)).unwrap(), file.bytes, "{}", file.name);
        }
        keep(dir.path()).unwrap();
    }
}
