//! The owner's view of the library: studies, sessions, the contents of one session; and erasing a participant.

use std::collections::BTreeMap;
use std::path::PathBuf;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::app::App;
use super::blocking::blocking;
use super::live::{AffectPoint, EventPoint, GapPoint, LiveBatch, is_listed};
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use session::{AFFECT, Body, ParticipantId};
use store::{Condition, RemoteState, SessionEntry, SessionFile, SessionState, StoreError};
use study_query::listed_grade;

/// Points of a curve that a screen can show.
const MAX_POINTS: usize = 4_000;
const MAX_EVENTS: usize = 5_000;
const MAX_GAPS: usize = 2_000;

#[derive(Serialize, ToSchema)]
pub struct Studies {
    studies: Vec<StudyRow>,
}

#[derive(Serialize, ToSchema)]
pub struct StudyRow {
    name: String,
    title: String,
    /// Why the study's file cannot be read. `null` for a valid file.
    problem: Option<String>,
    keys: Vec<KeyRow>,
    sessions: usize,
}

#[derive(Serialize, ToSchema)]
pub struct KeyRow {
    key: String,
    origins: Vec<String>,
    is_revoked: bool,
}

/// All studies with their keys.
#[utoipa::path(get, path = "/v1/library/studies", tag = "owner", security(("login" = []), ("token" = [])),
    responses((status = 200, body = Studies), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn studies(State(app): State<App>, _: Owner) -> Result<Json<Studies>, Problem> {
    let keys = app.hub.keys().await?;
    let library = app.library.clone();
    let (studies, sessions) = blocking(move || Ok((library.studies()?, library.sessions()?))).await?;
    let of = |name: &str| sessions.iter().filter(|s| s.study.as_deref() == Some(name)).count();
    let rows = studies.into_iter().map(|s| {
        let (title, problem) = match &s.study {
            Ok(file) => (file.study.title.clone(), None),
            Err(e) => (s.name.clone(), Some(e.to_string())),
        };
        let keys = keys.iter().filter(|k| k.study == s.name).map(|k| KeyRow {
            key: k.key.clone(),
            origins: k.origins.clone(),
            is_revoked: k.is_revoked,
        });
        StudyRow { title, problem, keys: keys.collect(), sessions: of(&s.name), name: s.name }
    });
    Ok(Json(Studies { studies: rows.collect() }))
}

#[derive(Serialize, ToSchema)]
pub struct Sessions {
    sessions: Vec<SessionRow>,
    /// Sessions whose video waits to be scored.
    videos_waiting: usize,
}

/// One session in the list of sessions.
#[derive(Serialize, ToSchema)]
pub struct SessionRow {
    /// Identifies the session in paths.
    name: String,
    participant: Option<String>,
    number: Option<u32>,
    study: Option<String>,
    started_utc: Option<String>,
    length_s: Option<f64>,
    size_bytes: u64,
    /// `recording`, `finished` (its video is being scored), `closed`, `recovered`, `crashed`, `damaged`
    state: String,
    /// What is wrong with the session. `null` for a sound session.
    problem: Option<String>,
    grade: Option<String>,
    events: Option<u64>,
    lost: Option<u64>,
    /// For an open session: seconds since the last request.
    silent_s: Option<f64>,
}

/// All sessions, or the sessions of one study.
#[utoipa::path(get, path = "/v1/library/sessions", tag = "owner", security(("login" = []), ("token" = [])),
    params(("study" = Option<String>, Query, description = "Only sessions of this study")),
    responses((status = 200, body = Sessions), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn sessions(
    State(app): State<App>,
    _: Owner,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Json<Sessions>, Problem> {
    let open = app.hub.open_sessions().await?;
    let library = app.library.clone();
    let mut all = blocking(move || library.sessions()).await?;
    let wanted = query.get("study");
    all.sort_by_key(|s| std::cmp::Reverse(s.started));
    let rows = all.into_iter().filter(|s| wanted.is_none() || s.study.as_ref() == wanted);
    let rows = rows.map(|entry| {
        let open = open.iter().find(|o| o.folder == entry.folder);
        row(entry, open.map(|o| (o.state, o.seen_s_ago)))
    });
    Ok(Json(Sessions { sessions: rows.collect(), videos_waiting: app.pool.waiting() }))
}

fn row(entry: SessionEntry, open: Option<(RemoteState, f64)>) -> SessionRow {
    let (state, problem) = match (&entry.condition, open) {
        (Condition::Damaged(why), _) => ("damaged", Some(why.clone())),
        (_, Some((RemoteState::Finished, _))) => ("finished", None),
        (Condition::Opens(SessionState::Recording), _) => ("recording", None),
        (Condition::Opens(SessionState::Crashed), _) => ("crashed", None),
        (Condition::Opens(SessionState::Closed), _) => ("closed", None),
        (Condition::Opens(SessionState::Recovered), _) => ("recovered", None),
    };
    let summary = entry.summary.as_ref();
    let grade = listed_grade(&entry).map(|grade| grade.to_string());
    let problem = problem.or_else(|| entry.video_loss.as_ref().map(ToString::to_string));
    SessionRow {
        name: name_of(&entry.folder),
        participant: entry.participant.map(|p| p.to_string()),
        number: entry.session.map(|n| n.0),
        study: entry.study,
        started_utc: entry.started.map(|t| t.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
        length_s: entry.length.map(|l| l.as_secs_f64()),
        size_bytes: entry.size_bytes,
        state: state.to_owned(),
        problem,
        grade,
        events: summary.map(|s| s.events),
        lost: summary.map(|s| s.lost),
        silent_s: open.map(|(_, s)| s),
    }
}

/// `sub-01_ses-01_20261123T100000Z_demo`
fn name_of(folder: &std::path::Path) -> String {
    let part = |path: Option<&std::path::Path>| {
        path.and_then(std::path::Path::file_name).unwrap_or_default().to_string_lossy().into_owned()
    };
    format!("{}_{}", part(folder.parent()), part(Some(folder)))
}

/// The folder of the session with this name. Only folders of sessions have such names.
pub async fn folder_of(app: &App, name: &str) -> Result<PathBuf, Problem> {
    let (library, wanted) = (app.library.clone(), name.to_owned());
    let found = blocking(move || Ok(library.folders()?.into_iter().find(|f| name_of(f) == wanted))).await?;
    found.ok_or_else(|| Problem::not_found("There is no session with this name. It may have been erased."))
}

/// A session for the dashboard: thinned curves and a list of events.
#[derive(Serialize, ToSchema)]
pub struct SessionDetails {
    name: String,
    participant: String,
    number: u32,
    study: String,
    study_title: String,
    started_utc: String,
    state: String,
    camera: String,
    #[schema(value_type = Option<Object>)]
    quality: Option<serde_json::Value>,
    affect: Vec<AffectPoint>,
    /// Number of samples before thinning.
    affect_samples: u64,
    events: Vec<EventPoint>,
    /// Number of events that are left out to bound the list.
    events_left_out: u64,
    gaps: Vec<GapPoint>,
}

/// One session.
#[utoipa::path(get, path = "/v1/library/sessions/{name}", tag = "owner", security(("login" = []), ("token" = [])),
    params(("name" = String, Path, description = "The name in the list of sessions")),
    responses((status = 200, body = SessionDetails), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn session(
    State(app): State<App>,
    _: Owner,
    Path(name): Path<String>,
) -> Result<Json<SessionDetails>, Problem> {
    let folder = folder_of(&app, &name).await?;
    let _permit = app.read_permits.acquire().await;
    let details = blocking(move || details(&folder)).await;
    details.map(Json).map_err(|e| Problem::conflict("damaged", format!("{e}.")))
}

fn details(folder: &std::path::Path) -> Result<SessionDetails, StoreError> {
    let file = SessionFile::open(folder)?;
    let header = file.header();
    let mut shown = LiveBatch::default();
    let mut left_out = 0;
    file.each_record(|record| {
        // Only shown records are kept, because a long session has millions of other numbers.
        let is_shown = match &record.body {
            Body::Sample { .. } => record.stream.as_str() == AFFECT,
            Body::Event { kind, .. } if is_listed(record.stream.as_str(), kind) => {
                let has_room = shown.events.len() < MAX_EVENTS;
                left_out += u64::from(!has_room);
                has_room
            }
            Body::Event { .. } => false,
            Body::Gap(_) => shown.gaps.len() < MAX_GAPS,
        };
        if is_shown {
            shown.add(&record);
        }
    })?;
    let by_time = |a: f64, b: f64| a.total_cmp(&b);
    shown.affect.sort_by(|a, b| by_time(a.at_s, b.at_s));
    shown.events.sort_by(|a, b| by_time(a.at_s, b.at_s));
    shown.gaps.sort_by(|a, b| by_time(a.from_s, b.from_s));
    Ok(SessionDetails {
        name: name_of(folder),
        participant: header.participant.to_string(),
        number: header.session.0,
        study: header.study.name.clone(),
        study_title: header.study.title.clone(),
        started_utc: header.zero_utc.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        state: format!("{:?}", file.state()?).to_lowercase(),
        camera: header.camera.name.clone(),
        quality: file.summary().and_then(|s| s.quality.clone()),
        affect_samples: shown.affect.len() as u64,
        affect: thinned(&shown.affect),
        events: shown.events,
        events_left_out: left_out,
        gaps: shown.gaps,
    })
}

/// Least and greatest valence of each stretch, so that no peak is thinned away.
fn thinned(points: &[AffectPoint]) -> Vec<AffectPoint> {
    if points.len() <= MAX_POINTS {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil(MAX_POINTS / 2);
    let mut kept = Vec::with_capacity(MAX_POINTS);
    for chunk in points.chunks(stretch) {
        let valence = |k: &usize| chunk[*k].valence.unwrap_or(0.0);
        let least = (0..chunk.len()).min_by(|a, b| valence(a).total_cmp(&valence(b))).unwrap_or(0);
        let greatest = (0..chunk.len()).max_by(|a, b| valence(a).total_cmp(&valence(b))).unwrap_or(0);
        kept.extend([least.min(greatest), least.max(greatest)].map(|k| chunk[k]));
    }
    kept
}

/// Folders of the study's closed sessions.
pub async fn closed_of(app: &App, study: &str) -> Result<Vec<PathBuf>, Problem> {
    let (library, study) = (app.library.clone(), study.to_owned());
    let of_study = move |s: &SessionEntry| {
        s.study.as_ref() == Some(&study)
            && matches!(s.condition, Condition::Opens(SessionState::Closed | SessionState::Recovered))
    };
    Ok(blocking(move || Ok(library.sessions()?.into_iter().filter(of_study).map(|s| s.folder).collect())).await?)
}

/// Erases all data of a participant permanently.
#[utoipa::path(delete, path = "/v1/library/participants/{participant}", tag = "owner", security(("login" = []), ("token" = [])),
    params(("participant" = String, Path, description = "`sub-01`")),
    responses((status = 204), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn erase(State(app): State<App>, _: Owner, Path(participant): Path<String>) -> Result<StatusCode, Problem> {
    let id: ParticipantId = participant.parse().map_err(|why| Problem::malformed(format!("{why}.")))?;
    let (library, who) = (app.library.clone(), id.clone());
    if !blocking(move || library.participants()).await?.contains(&who) {
        return Err(Problem::not_found(format!("There is no participant {id} in the library.")));
    }
    app.hub.release_sessions(Some(participant.clone())).await?;
    let library = app.library.clone();
    match blocking(move || library.erase_participant(&id)).await {
        Ok(()) => {}
        Err(StoreError::Recording(_)) => {
            let detail = "Another program on this computer is recording the participant. Stop that recording first.";
            return Err(Problem::conflict("recording", detail));
        }
        Err(e) => return Err(e.into()),
    }
    app.hub.forget_participant(&participant).await?;
    Ok(StatusCode::NO_CONTENT)
}
