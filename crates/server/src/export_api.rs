//! Downloads for other programs: CSV, BIDS and Parquet.
//!
//! The export is written into a folder on the server's disk, one session in memory at a time, and sent from there as a tar
//! archive. The folder is removed when it is sent, and at the next start after a kill.

use std::io;
use std::path::{Path as FilePath, PathBuf};

use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::app::App;
use super::download::{self, Parts};
use super::download_api::{archive_response, closed_session, closed_sessions};
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use super::secrets;
use export::{DatasetFormat, ExportError, Selection, write_dataset};
use store::StoreError;
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

impl Format {
    fn dataset(self) -> DatasetFormat {
        match self {
            Format::Csv => DatasetFormat::Csv,
            Format::Tidy => DatasetFormat::Tidy,
            Format::Bids => DatasetFormat::Bids,
            Format::Parquet => DatasetFormat::Parquet,
        }
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

/// All closed sessions of a study, without pilots, in a format of other programs, as a tar archive.
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
    let folders = closed_sessions(&app, &study, Pilots::LeftOut).await?;
    exported(&app, &study, folders, query.format).await
}

async fn exported(app: &App, name: &str, folders: Vec<PathBuf>, format: Format) -> Result<Response, Problem> {
    let format = format.dataset();
    if !format.is_built() {
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
    let title: String = format!("{name}_{}", format.as_str())
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
        .collect();
    let (outgoing, body) = download::channel();
    let (permits, inner) = (app.long_read_permits.clone(), title.clone());
    tokio::spawn(async move {
        // The permit is held while the folder is written. The reader of the archive may be slow.
        let permit = tokio::select! {
            permit = permits.acquire_owned() => permit,
            () = outgoing.closed() => return,
        };
        let Ok(permit) = permit else { return };
        let written = tokio::task::spawn_blocking(move || {
            let result = write_dataset(&selection, format, &folder.0.join(&inner), |_| {});
            drop(permit);
            outgoing.write(|parts| send(result, &folder, &inner, parts));
        });
        written.await.ok();
    });
    Ok(archive_response(&title, body))
}

/// The reader of an export that could not be written sees a broken archive.
fn send(written: Result<(), ExportError>, folder: &ExportFolder, name: &str, parts: Parts) -> io::Result<()> {
    match written {
        Ok(()) => download::archive(&[(folder.0.join(name), PathBuf::from(name))], parts),
        Err(e) => {
            tracing::error!("an export could not be written: {e}");
            Err(io::Error::other(e.to_string()))
        }
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

/// Removes what exports left in the server's folder when the server was killed.
pub fn remove_leftovers(root: &FilePath) -> Result<(), StoreError> {
    let failed = |source| StoreError::Io { doing: "read the folder", path: root.to_owned(), source };
    for entry in std::fs::read_dir(root).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with(FOLDER) {
            drop(ExportFolder(entry.path()));
        }
    }
    Ok(())
}
