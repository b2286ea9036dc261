//! The events of a study, so that the owner can choose from a list.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::app::App;
use super::blocking::{CancelOnDrop, with_permit};
use super::library_api::closed_of;
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use study_query::{Cancel, Catalogue, CountedKind, Found, Pilots};

#[derive(Serialize, ToSchema)]
pub struct StudyEvents {
    /// The most frequent first.
    kinds: Vec<KindRow>,
    /// The conditions of the sessions, with numbers of sessions.
    conditions: Vec<NameCount>,
    /// What can be averaged, each as `STREAM.FIELD`.
    signals: Vec<String>,
    /// Number of sessions that were read.
    sessions: usize,
    /// One sentence for each session that could not be read.
    left_out: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct KindRow {
    stream: String,
    kind: String,
    count: u64,
    /// The most frequent targets.
    targets: Vec<NameCount>,
    /// The most frequent values of events without a target, for example names of marks.
    values: Vec<NameCount>,
}

#[derive(Serialize, ToSchema)]
pub struct NameCount {
    name: String,
    count: u64,
}

/// The kinds of events in the closed sessions of a study.
#[utoipa::path(get, path = "/v1/library/studies/{study}/events", tag = "owner", security(("login" = []), ("token" = [])),
    params(("study" = String, Path)),
    responses((status = 200, body = StudyEvents), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn study_events(
    State(app): State<App>,
    _: Owner,
    Path(study): Path<String>,
) -> Result<Json<StudyEvents>, Problem> {
    let folders = closed_of(&app, &study, Pilots::LeftOut).await?;
    let cancel = Cancel::default();
    let _given_up = CancelOnDrop(cancel.clone());
    let counted = with_permit(&app.read_permits, move || {
        let mut events = Catalogue::default();
        folders.iter().take_while(|_| !cancel.is_cancelled()).for_each(|folder| events.add(folder));
        (folders.len(), events.finish())
    });
    let (sessions, Found { kinds, conditions, signals, unread }) = counted.await?;
    let names =
        |counted: Vec<(String, u64)>| counted.into_iter().map(|(name, count)| NameCount { name, count }).collect();
    let row = |CountedKind { stream, kind, count, targets, values }| KindRow {
        stream,
        kind,
        count,
        targets: names(targets),
        values: names(values),
    };
    Ok(Json(StudyEvents {
        kinds: kinds.into_iter().map(row).collect(),
        conditions: names(conditions),
        signals: signals.into_iter().map(String::from).collect(),
        sessions: sessions - unread.len(),
        left_out: unread.into_iter().map(|(_, why)| format!("{why}.")).collect(),
    }))
}
