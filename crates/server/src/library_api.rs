//! The owner's view of one session: its curves, its events, and what is known about it.

use std::path::PathBuf;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::app::App;
use super::blocking::{blocking, with_permit};
use super::consent_record::ConsentRecord;
use super::hub_client::OpenSession;
use super::live::{AffectPoint, EventPoint, GapPoint, LiveBatch, is_listed};
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use super::session_state::state_name;
use session::{AFFECT, Body, REPLAY};
use store::{Condition, SessionFile, SessionState, StoreError, session_entry, session_label};
use study_query::Pilots;

/// Points of a curve that a screen can show.
const MAX_POINTS: usize = 4_000;
/// Events in one answer. The others are in further answers of [`events`].
const MAX_EVENTS: usize = 5_000;
const USUAL_EVENT_LIMIT: usize = 500;
/// Bounds the memory of one request.
const MAX_SKIP: usize = 200_000;
const MAX_GAPS: usize = 2_000;

/// The folder of the session with this name. Only folders of sessions have such names.
pub async fn folder_of(app: &App, name: &str) -> Result<PathBuf, Problem> {
    let (library, wanted) = (app.library.clone(), name.to_owned());
    let found = blocking(move || Ok(library.session_folder(&wanted))).await?;
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
    /// The condition that the participant was assigned to.
    condition: Option<String>,
    /// The owner's note.
    note: String,
    consent: ConsentRecord,
    /// The session has pictures of the face.
    has_pictures: bool,
    /// The page was recorded for replay.
    has_replay: bool,
    #[schema(value_type = Option<Object>)]
    quality: Option<serde_json::Value>,
    affect: Vec<AffectPoint>,
    /// Number of samples before thinning.
    affect_samples: u64,
    /// The last events.
    events: Vec<EventPoint>,
    /// Number of earlier events.
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
    let open = app.hub.open_sessions().await?.into_iter().find(|o| o.folder == folder);
    let in_library = app.library.relative(&folder);
    let note = app.hub.ledger(move |ledger| ledger.session_note(&in_library.to_string_lossy())).await?;
    let details = with_permit(&app.read_permits, move || details(&folder, open.as_ref())).await?;
    let details = details.map_err(|e| Problem::conflict("damaged", format!("{e}.")))?;
    Ok(Json(SessionDetails { note: note.unwrap_or_default(), ..details }))
}

fn details(folder: &std::path::Path, open: Option<&OpenSession>) -> Result<SessionDetails, StoreError> {
    let file = SessionFile::open(folder)?;
    let header = file.header();
    let mut shown = LiveBatch::default();
    let mut last_events = LastEvents::new(MAX_EVENTS);
    let mut has_replay = false;
    file.each_record(|record| {
        has_replay |= record.stream.as_str() == REPLAY;
        // Only shown records are kept, because a long session has millions of other numbers.
        let is_shown = match &record.body {
            Body::Sample { .. } => record.stream.as_str() == AFFECT,
            Body::Event { kind, .. } => is_listed(record.stream.as_str(), kind),
            Body::Gap(_) => shown.gaps.len() < MAX_GAPS,
        };
        if is_shown {
            shown.add(&record);
            last_events.add(shown.events.drain(..));
        }
    })?;
    let (events, left_out) = last_events.finish();
    let by_time = |a: f64, b: f64| a.total_cmp(&b);
    shown.affect.sort_by(|a, b| by_time(a.at_s, b.at_s));
    shown.gaps.sort_by(|a, b| by_time(a.from_s, b.from_s));
    let state = Condition::Opens(file.state()?);
    Ok(SessionDetails {
        name: session_label(folder),
        participant: header.participant.to_string(),
        number: header.session.0,
        study: header.study.name.clone(),
        study_title: header.study.title.clone(),
        started_utc: header.zero_utc.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        state: state_name(&state, open).to_owned(),
        camera: header.camera.name.clone(),
        condition: header.condition.clone(),
        note: String::new(),
        consent: ConsentRecord::of(header),
        has_pictures: file.has_frames()?,
        has_replay,
        quality: file.summary().and_then(|s| s.quality.clone()),
        affect_samples: shown.affect.len() as u64,
        affect: thinned(&shown.affect),
        events,
        events_left_out: left_out,
        gaps: shown.gaps,
    })
}

/// The last events by time, and the number of the others. Keeps at most twice the limit.
struct LastEvents {
    events: Vec<EventPoint>,
    limit: usize,
    left_out: u64,
}

impl LastEvents {
    fn new(limit: usize) -> LastEvents {
        LastEvents { events: Vec::new(), limit, left_out: 0 }
    }

    fn add(&mut self, events: impl Iterator<Item = EventPoint>) {
        self.events.extend(events);
        if self.events.len() >= 2 * self.limit {
            self.cut();
        }
    }

    fn cut(&mut self) {
        // The sort is stable: events at the same time stay in their order.
        self.events.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
        let surplus = self.events.len().saturating_sub(self.limit);
        self.events.drain(..surplus);
        self.left_out += surplus as u64;
    }

    fn finish(mut self) -> (Vec<EventPoint>, u64) {
        self.cut();
        (self.events, self.left_out)
    }
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct EventQuery {
    /// Only events whose stream, kind or target contains this text.
    search: Option<String>,
    /// Only events before this time of the session.
    before_s: Option<f64>,
    /// At most this number of events, 1 to 5000. The default is 500.
    limit: Option<usize>,
    /// Leaves out this number of the last events that match, at most 200000.
    skip: usize,
}

#[derive(Serialize, ToSchema)]
pub struct Events {
    /// The last events that match, in the order of time.
    events: Vec<EventPoint>,
    /// Number of earlier events that match.
    earlier: u64,
}

/// Events of one session, in pages and searched.
#[utoipa::path(get, path = "/v1/library/sessions/{name}/events", tag = "owner", security(("login" = []), ("token" = [])),
    params(("name" = String, Path, description = "The name in the list of sessions"), EventQuery),
    responses((status = 200, body = Events), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn events(
    State(app): State<App>,
    _: Owner,
    Path(name): Path<String>,
    Query(query): Query<EventQuery>,
) -> Result<Json<Events>, Problem> {
    let limit = query.limit.unwrap_or(USUAL_EVENT_LIMIT);
    if limit == 0 || limit > MAX_EVENTS {
        return Err(Problem::malformed(format!("`limit` must be a number from 1 to {MAX_EVENTS}.")));
    }
    if query.skip > MAX_SKIP {
        return Err(Problem::malformed(format!(
            "`skip` must be at most {MAX_SKIP}. Use `before_s` for earlier events."
        )));
    }
    let folder = folder_of(&app, &name).await?;
    let found = with_permit(&app.read_permits, move || -> Result<_, StoreError> {
        let mut last = LastEvents::new(limit + query.skip);
        let wanted = query.search.unwrap_or_default().trim().to_lowercase();
        let matches = |e: &EventPoint| {
            let text = format!("{} {} {}", e.stream, e.kind, e.what).to_lowercase();
            text.contains(&wanted) && query.before_s.is_none_or(|before_s| e.at_s < before_s)
        };
        SessionFile::open(&folder)?.each_record(|record| {
            if matches!(&record.body, Body::Event { kind, .. } if is_listed(record.stream.as_str(), kind)) {
                let mut batch = LiveBatch::default();
                batch.add(&record);
                last.add(batch.events.into_iter().filter(matches));
            }
        })?;
        let (mut events, earlier) = last.finish();
        events.truncate(events.len().saturating_sub(query.skip));
        let surplus = events.len().saturating_sub(limit);
        events.drain(..surplus);
        Ok(Events { events, earlier: earlier + surplus as u64 })
    });
    found.await?.map(Json).map_err(|e| Problem::conflict("damaged", format!("{e}.")))
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

/// Folders of the study's closed sessions, by participant and number. Only the sessions of this study are read.
pub async fn closed_of(app: &App, study: &str, pilots: Pilots) -> Result<Vec<PathBuf>, Problem> {
    let (library, study) = (app.library.clone(), study.to_owned());
    let read = move || {
        let mut names = library.session_names()?;
        names.retain(|name| name.study.as_ref() == Some(&study));
        names.sort_by(|a, b| (&a.participant, a.session, &a.folder).cmp(&(&b.participant, b.session, &b.folder)));
        let is_wanted = |folder: &PathBuf| {
            let entry = session_entry(folder);
            let is_closed = matches!(entry.condition, Condition::Opens(SessionState::Closed | SessionState::Recovered));
            is_closed && (pilots == Pilots::Included || !entry.pilot)
        };
        Ok(names.into_iter().map(|name| name.folder).filter(is_wanted).collect())
    };
    Ok(blocking(read).await?)
}
