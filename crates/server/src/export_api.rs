//! Downloads for other programs: CSV, BIDS and Parquet.
//!
//! The export is written into a folder on the server's disk, one session in memory at a time, and sent from there as a tar
//! archive. The folder is removed when it is sent, and at the next start after a kill.

use std::fmt;
use std::io;
use std::path::{Path as FilePath, PathBuf};

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use tokio::sync::mpsc;
use utoipa::{IntoParams, ToSchema};

use super::app::App;
use super::blocking::blocking;
use super::download;
use super::download_api::{archive_response, closed_session};
use super::library_api::closed_of;
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use super::secrets;
use export::{ExportError, Selection};
use store::{Library, StoreError};
use study_query::Pilots;

/// Begins the name of a folder with an export that is being sent.
const FOLDER: &str = ".export-";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One table for each stream of each session.
    Csv,
    /// Tables of all sessions together.
    Tidy,
    Bids,
    Parquet,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Csv => "csv",
            Format::Tidy => "tidy",
            Format::Bids => "bids",
            Format::Parquet => "parquet",
        })
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// `csv` (one table for each stream of each session), `tidy` (tables of all sessions together), `bids` or `parquet`.
    #[param(inline)]
    format: Format,
}

/// One closed session in a format of other programs, as a tar archive.
#[utoipa::path(get, path = "/v1/library/sessions/{name}/export", tag = "owner", security(("login" = []), ("token" = [])),
    params(("name" = String, Path, description = "The name in the list of sessions"), ExportQuery),
    responses((status = 200, content_type = "application/x-tar"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn export_session(
    State(app): State<App>,
    _: Owner,
    Path(name): Path<String>,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let folder = closed_session(&app, &name).await?;
    exported(&app, &name, vec![folder], query.format).await
}

/// All closed sessions of a study in a format of other programs, as a tar archive.
#[utoipa::path(get, path = "/v1/library/studies/{study}/export", tag = "owner", security(("login" = []), ("token" = [])),
    params(("study" = String, Path), ExportQuery),
    responses((status = 200, content_type = "application/x-tar"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn export_study(
    State(app): State<App>,
    _: Owner,
    Path(study): Path<String>,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let folders = closed_of(&app, &study, Pilots::Included).await?;
    if folders.is_empty() {
        return Err(Problem::not_found("This study has no closed session to download."));
    }
    exported(&app, &study, folders, query.format).await
}

async fn exported(app: &App, name: &str, folders: Vec<PathBuf>, format: Format) -> Result<Response, Problem> {
    if format == Format::Parquet && cfg!(not(feature = "parquet")) {
        return Err(Problem::not_found("This server was built without Parquet. Choose another format."));
    }
    super::browser::check_disk(app)
        .map_err(|_| Problem::no_room("The server's disk is nearly full. Make room first."))?;
    // What cannot be exported is known before the first byte is sent.
    let opened = tokio::task::spawn_blocking(move || Selection::open(folders, Vec::new())).await;
    let selection = opened.map_err(|_| Problem::busy())?;
    let selection = selection.map_err(|e| Problem::conflict("not-exported", format!("{e}.")))?;
    let id = secrets::random_id().map_err(|_| Problem::busy())?;
    let folder = ExportFolder(app.library.root().join(format!("{FOLDER}{id}")));
    let title: String =
        format!("{name}_{format}").chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    let (to, parts) = mpsc::channel(8);
    let (permits, library, inner) = (app.long_read_permits.clone(), app.library.clone(), title.clone());
    tokio::spawn(async move {
        // The permit is held while the folder is written. The reader of the archive may be slow.
        let permit = tokio::select! {
            permit = permits.acquire_owned() => permit,
            () = to.closed() => return,
        };
        let Ok(permit) = permit else { return };
        let written = tokio::task::spawn_blocking(move || {
            let result = write(&selection, &library, format, &folder.0.join(&inner));
            drop(permit);
            send(result, &folder, &inner, to);
        });
        written.await.ok();
    });
    Ok(archive_response(&title, parts))
}

fn send(written: Result<(), ExportError>, folder: &ExportFolder, name: &str, to: mpsc::Sender<io::Result<Bytes>>) {
    match written {
        Ok(()) => download::write(&[(folder.0.join(name), PathBuf::from(name))], to),
        Err(e) => {
            tracing::error!("an export could not be written: {e}");
            // The reader sees a broken archive. Sending fails only if the reader is gone.
            to.blocking_send(Err(io::Error::other(e.to_string()))).ok();
        }
    }
}

fn write(selection: &Selection, library: &Library, format: Format, to: &FilePath) -> Result<(), ExportError> {
    let participants = library.root().join("participants.tsv");
    match format {
        Format::Csv => export::write_csv_sessions(selection, to, |_| {}),
        Format::Tidy => export::write_tidy(selection, to, |_| {}),
        Format::Bids => {
            export::write_bids(selection, Some(&participants).filter(|p| p.exists()).map(|p| &**p), to, |_| {})
        }
        #[cfg(feature = "parquet")]
        Format::Parquet => export::write_parquet(selection, to, |_| {}),
        // `exported` has refused it.
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => Ok(()),
    }
}

/// The folder of one export. It is removed when this is dropped.
struct ExportFolder(PathBuf);

impl Drop for ExportFolder {
    fn drop(&mut self) {
        if let Err(e) = std::fs::remove_dir_all(&self.0)
            && e.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!("the folder {} of an export was not removed: {e}", self.0.display());
        }
    }
}

/// Removes what exports left when the server was killed.
pub async fn remove_leftovers(library: Library) -> Result<(), StoreError> {
    blocking(move || {
        let root = library.root();
        let entries = std::fs::read_dir(root).map_err(|source| StoreError::Io {
            doing: "read the folder",
            path: root.to_owned(),
            source,
        })?;
        let left = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(FOLDER));
        left.for_each(|entry| drop(ExportFolder(entry.path())));
        Ok(())
    })
    .await
}
