//! The state of the server for its owner: the disk, and what needs attention.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::app::App;
use super::blocking::blocking;
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use store::{Library, StudyEntry, disk_free_bytes};

/// With less than this multiple of the required space, the owner is warned.
const WARNING_FACTOR: u64 = 3;
/// So many videos wait only if the server cannot keep up.
const MANY_WAITING: usize = 20;

#[derive(Serialize, ToSchema)]
pub struct ServerStatus {
    /// `null` if the system does not say it.
    free_bytes: Option<u64>,
    /// The server accepts nothing while less is free.
    min_free_bytes: u64,
    videos_waiting: usize,
    open_sessions: usize,
    silent_sessions: usize,
    /// One sentence for each thing that needs attention.
    alarms: Vec<String>,
}

/// The disk, the open sessions, and what needs attention.
#[utoipa::path(get, path = "/v1/library/status", tag = "owner", security(("login" = []), ("token" = [])),
    responses((status = 200, body = ServerStatus), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn status(State(app): State<App>, _: Owner) -> Result<Json<ServerStatus>, Problem> {
    let open = app.hub.open_sessions().await?;
    let library = app.library.clone();
    let read = |library: Library| Ok((disk_free_bytes(library.root()), library.studies()?));
    let (free_bytes, studies) = blocking(move || read(library)).await?;
    let (min_free_bytes, videos_waiting) = (app.config.min_free_bytes, app.pool.waiting());
    Ok(Json(ServerStatus {
        free_bytes,
        min_free_bytes,
        videos_waiting,
        silent_sessions: open.iter().filter(|o| o.is_silent).count(),
        open_sessions: open.len(),
        alarms: alarms(free_bytes, min_free_bytes, videos_waiting, &studies),
    }))
}

fn alarms(free_bytes: Option<u64>, min_free_bytes: u64, videos_waiting: usize, studies: &[StudyEntry]) -> Vec<String> {
    let mut alarms = Vec::new();
    let gigabytes = |bytes: u64| bytes as f64 * 1e-9;
    match free_bytes {
        Some(free) if free < min_free_bytes => alarms.push(format!(
            "The disk is full: {:.1} GB are free, and the server needs {:.1} GB. Nothing is accepted. Make room.",
            gigabytes(free),
            gigabytes(min_free_bytes)
        )),
        Some(free) if free < min_free_bytes.saturating_mul(WARNING_FACTOR) => alarms.push(format!(
            "The disk is nearly full: {:.1} GB are free. Below {:.1} GB the server accepts nothing. Make room.",
            gigabytes(free),
            gigabytes(min_free_bytes)
        )),
        _ => {}
    }
    if videos_waiting > MANY_WAITING {
        alarms.push(format!(
            "{videos_waiting} videos wait to be scored. They are kept. More threads (`--vision-threads`) make it faster."
        ));
    }
    let unreadable = studies.iter().filter_map(|s| Some((&s.name, s.study.as_ref().err()?)));
    alarms.extend(unreadable.map(|(name, e)| format!("No session of the study {name} can begin: {e}.")));
    alarms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_warned_before_the_disk_is_full() {
        let alarms = |free| alarms(Some(free), 1_000_000_000, 0, &[]);
        assert!(alarms(4_000_000_000).is_empty());
        assert!(alarms(2_500_000_000)[0].contains("nearly full: 2.5 GB"));
        assert!(alarms(900_000_000)[0].contains("Nothing is accepted"));
    }
}
