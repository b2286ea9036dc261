//! What the owner sees and takes away: studies, sessions as they come in, averages, downloads, and erasing for good.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::sse::{Event as Sse, KeepAlive};
use axum::response::{IntoResponse, Response, Sse as SseResponse};
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio_stream::wrappers::{BroadcastStream, ReceiverStream, WatchStream};
use tokio_stream::{Stream, StreamExt};
use utoipa::ToSchema;

use super::app::App;
use super::download;
use super::live::{AffectPoint, EventPoint, GapPoint, LiveNews, is_listed};
use super::login::Owner;
use super::problem::{Problem, ProblemDetails};
use super::remote::{Order, blocking};
use crate::analysis::{Correction, EpochPlan, EventChoice, Measure, average as average_of};
use crate::session::{AFFECT, Body as RecordBody, ParticipantId, StreamName};
use crate::store::{Condition, RemoteState, SessionEntry, SessionFile, SessionState, StoreError};
use crate::survey::{Cancel, Question, SurveyError, ask};

/// Points of a course that a screen can show.
const MOST_POINTS: usize = 4_000;
const MOST_EVENTS: usize = 5_000;
const MOST_GAPS: usize = 2_000;
const STILL_THERE: Duration = Duration::from_secs(15);

#[derive(Serialize, ToSchema)]
pub struct Studies {
    studies: Vec<StudyRow>,
}

#[derive(Serialize, ToSchema)]
pub struct StudyRow {
    name: String,
    title: String,
    /// What is wrong with its file, where something is.
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

/// Studies with their keys.
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
    /// Sessions whose video waits to be looked at.
    videos_waiting: usize,
}

/// One session, as a list shows it.
#[derive(Serialize, ToSchema)]
pub struct SessionRow {
    /// Names it in addresses.
    name: String,
    participant: Option<String>,
    number: Option<u32>,
    study: Option<String>,
    started_utc: Option<String>,
    length_s: Option<f64>,
    size_bytes: u64,
    /// `recording`, `finished` (its video is being looked at), `closed`, `recovered`, `crashed`, `damaged`
    state: String,
    /// What is wrong with it, where something is.
    problem: Option<String>,
    grade: Option<String>,
    events: Option<u64>,
    lost: Option<u64>,
    /// Of a session that is open: seconds since something came.
    silent_s: Option<f64>,
}

/// All sessions, or one study's.
#[utoipa::path(get, path = "/v1/library/sessions", tag = "owner", security(("login" = []), ("token" = [])),
    params(("study" = Option<String>, Query, description = "Of this study alone")),
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
    let grade = summary.and_then(|s| s.quality.as_ref()?.get("grade")?.as_str().map(str::to_owned));
    SessionRow {
        name: name_of(&entry),
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
fn name_of(entry: &SessionEntry) -> String {
    let part = |path: Option<&std::path::Path>| {
        path.and_then(std::path::Path::file_name).unwrap_or_default().to_string_lossy().into_owned()
    };
    format!("{}_{}", part(entry.folder.parent()), part(Some(&entry.folder)))
}

/// The folder of a session of the library; nothing else has such a name.
async fn folder_of(app: &App, name: &str) -> Result<PathBuf, Problem> {
    let (library, wanted) = (app.library.clone(), name.to_owned());
    let found = blocking(move || Ok(library.folders()?.into_iter().find(|f| folder_name(f) == wanted))).await?;
    found.ok_or_else(|| Problem::not_found("There is no such session. It may have been erased."))
}

fn folder_name(folder: &std::path::Path) -> String {
    let part = |path: Option<&std::path::Path>| {
        path.and_then(std::path::Path::file_name).unwrap_or_default().to_string_lossy().into_owned()
    };
    format!("{}_{}", part(folder.parent()), part(Some(folder)))
}

/// A session as a screen shows it: its course thinned, its events listed.
#[derive(Serialize, ToSchema)]
pub struct SessionPicture {
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
    /// Samples that the course stands for.
    affect_samples: u64,
    events: Vec<EventPoint>,
    /// Events that are not in the list, because it would be too long.
    events_left_out: u64,
    gaps: Vec<GapPoint>,
}

/// One session.
#[utoipa::path(get, path = "/v1/library/sessions/{name}", tag = "owner", security(("login" = []), ("token" = [])),
    params(("name" = String, Path, description = "As the list names it")),
    responses((status = 200, body = SessionPicture), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn session(
    State(app): State<App>,
    _: Owner,
    Path(name): Path<String>,
) -> Result<Json<SessionPicture>, Problem> {
    let folder = folder_of(&app, &name).await?;
    let _turn = app.readers.acquire().await;
    let picture = blocking(move || picture(&folder)).await;
    picture.map(Json).map_err(|e| Problem::conflict("damaged", format!("{e}.")))
}

fn picture(folder: &std::path::Path) -> Result<SessionPicture, StoreError> {
    let file = SessionFile::open(folder)?;
    let header = file.header();
    let mut news = LiveNews::default();
    let mut left_out = 0;
    file.each_record(|record| {
        // Only what is shown is kept: a long session has a million numbers beside it.
        let is_shown = match &record.body {
            RecordBody::Sample { .. } => record.stream.as_str() == AFFECT,
            RecordBody::Event { kind, .. } if is_listed(record.stream.as_str(), kind) => {
                let has_room = news.events.len() < MOST_EVENTS;
                left_out += u64::from(!has_room);
                has_room
            }
            RecordBody::Event { .. } => false,
            RecordBody::Gap(_) => news.gaps.len() < MOST_GAPS,
        };
        if is_shown {
            news.add(&record);
        }
    })?;
    let by_time = |a: f64, b: f64| a.total_cmp(&b);
    news.affect.sort_by(|a, b| by_time(a.at_s, b.at_s));
    news.events.sort_by(|a, b| by_time(a.at_s, b.at_s));
    news.gaps.sort_by(|a, b| by_time(a.from_s, b.from_s));
    Ok(SessionPicture {
        name: folder_name(folder),
        participant: header.participant.to_string(),
        number: header.session.0,
        study: header.study.name.clone(),
        study_title: header.study.title.clone(),
        started_utc: header.zero_utc.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        state: format!("{:?}", file.state()?).to_lowercase(),
        camera: header.camera.name.clone(),
        quality: file.summary().and_then(|s| s.quality.clone()),
        affect_samples: news.affect.len() as u64,
        affect: thinned(&news.affect),
        events: news.events,
        events_left_out: left_out,
        gaps: news.gaps,
    })
}

/// Least and greatest valence of each stretch, so that no peak is thinned away.
fn thinned(points: &[AffectPoint]) -> Vec<AffectPoint> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil(MOST_POINTS / 2);
    let mut kept = Vec::with_capacity(MOST_POINTS);
    for chunk in points.chunks(stretch) {
        let valence = |k: &usize| chunk[*k].valence.unwrap_or(0.0);
        let least = (0..chunk.len()).min_by(|a, b| valence(a).total_cmp(&valence(b))).unwrap_or(0);
        let greatest = (0..chunk.len()).max_by(|a, b| valence(a).total_cmp(&valence(b))).unwrap_or(0);
        kept.extend([least.min(greatest), least.max(greatest)].map(|k| chunk[k]));
    }
    kept
}

#[derive(Deserialize)]
pub struct AverageQuery {
    stream: String,
    kind: String,
    target: Option<String>,
    from_s: Option<f64>,
    until_s: Option<f64>,
}

impl AverageQuery {
    /// Counted from the mean of the time before the event, where the window has any.
    fn plan(&self) -> EpochPlan {
        let usual = EpochPlan::default();
        let window_s = (self.from_s.unwrap_or(usual.window_s.0), self.until_s.unwrap_or(usual.window_s.1));
        let has_before = window_s.0 < 0.0;
        EpochPlan {
            window_s,
            baseline_s: has_before.then_some((window_s.0, window_s.1.min(0.0))),
            zero: if has_before { usual.zero } else { Correction::Raw },
            ..usual
        }
    }
}

/// The mean course around a kind of event, over all closed sessions of a study.
#[derive(Serialize, ToSchema)]
pub struct AveragePicture {
    times_s: Vec<f64>,
    valence: Band,
    arousal: Band,
    participants: u64,
    epochs: u64,
    matched: u64,
    /// Epochs that were left out, by reason.
    dropped: BTreeMap<String, u64>,
    sessions: usize,
    /// Sessions that could not be read, each a sentence.
    left_out: Vec<String>,
}

/// A mean with the bounds of its 95 % interval, where there is more than one unit.
#[derive(Serialize, ToSchema)]
pub struct Band {
    mean: Vec<f64>,
    low: Option<Vec<f64>>,
    high: Option<Vec<f64>>,
}

/// The mean course of valence and arousal around events of one kind.
#[utoipa::path(get, path = "/v1/library/studies/{study}/average", tag = "owner", security(("login" = []), ("token" = [])),
    params(("study" = String, Path), ("stream" = String, Query, description = "`page`"),
           ("kind" = String, Query, description = "`click`"), ("target" = Option<String>, Query, description = "A selector as recorded"),
           ("from_s" = Option<f64>, Query, description = "Where an epoch begins, in seconds from its event; -1 where left out"),
           ("until_s" = Option<f64>, Query, description = "Where it ends; 4 where left out")),
    responses((status = 200, body = AveragePicture), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn average(
    State(app): State<App>,
    _: Owner,
    Path(study): Path<String>,
    query: Result<Query<AverageQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<AveragePicture>, Problem> {
    let Query(query) = query.map_err(|_| Problem::malformed("An average needs `stream` and `kind` of its events."))?;
    let stream: StreamName = query.stream.parse().map_err(|why| Problem::malformed(format!("{why}.")))?;
    let folders = closed_of(&app, &study).await?;
    if folders.is_empty() {
        return Err(Problem::conflict("nothing-to-average", "This study has no closed session yet."));
    }
    let plan = query.plan();
    let choice = EventChoice { kind: Some(query.kind), target: query.target, ..EventChoice::stream(stream) };
    let _turn = app.readers.acquire().await;
    let asked = tokio::task::spawn_blocking(move || averaged(&folders, choice, plan)).await;
    let asked = asked.map_err(|_| Problem::busy())?;
    asked.map(Json).map_err(|e| Problem::conflict("nothing-to-average", format!("{e}.")))
}

fn averaged(folders: &[PathBuf], choice: EventChoice, plan: EpochPlan) -> Result<AveragePicture, SurveyError> {
    let question = Question { conditions: vec![choice], plan: plan.clone() };
    let answer = ask(folders, &question, |_| {}, &Cancel::default())?;
    answer.check()?;
    let sessions = answer.condition(0);
    let valence = average_of(&sessions, &plan, Measure::Valence)?;
    let arousal = average_of(&sessions, &plan, Measure::Arousal)?;
    let band = |a: &crate::analysis::Average| Band {
        mean: a.mean.clone(),
        low: a.interval.as_ref().map(|i| i.low.clone()),
        high: a.interval.as_ref().map(|i| i.high.clone()),
    };
    Ok(AveragePicture {
        times_s: valence.times_s.clone(),
        valence: band(&valence),
        arousal: band(&arousal),
        participants: valence.participants,
        epochs: valence.epochs,
        matched: valence.matched,
        dropped: valence.dropped.iter().map(|(reason, n)| (reason.to_string(), *n)).collect(),
        sessions: answer.sessions.len(),
        left_out: answer.left_out.into_iter().map(|l| l.why).collect(),
    })
}

async fn closed_of(app: &App, study: &str) -> Result<Vec<PathBuf>, Problem> {
    let (library, study) = (app.library.clone(), study.to_owned());
    let of_study = move |s: &SessionEntry| {
        s.study.as_ref() == Some(&study)
            && matches!(s.condition, Condition::Opens(SessionState::Closed | SessionState::Recovered))
    };
    Ok(blocking(move || Ok(library.sessions()?.into_iter().filter(of_study).map(|s| s.folder).collect())).await?)
}

/// Erases all that there is of a participant, for good.
#[utoipa::path(delete, path = "/v1/library/participants/{participant}", tag = "owner", security(("login" = []), ("token" = [])),
    params(("participant" = String, Path, description = "`sub-01`")),
    responses((status = 204), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn erase(State(app): State<App>, _: Owner, Path(participant): Path<String>) -> Result<StatusCode, Problem> {
    let id: ParticipantId = participant.parse().map_err(|why| Problem::malformed(format!("{why}.")))?;
    let (library, who) = (app.library.clone(), id.clone());
    if !blocking(move || library.participants()).await?.contains(&who) {
        return Err(Problem::not_found(format!("There is no participant {id}.")));
    }
    app.hub.leave(Some(participant.clone())).await?;
    let library = app.library.clone();
    match blocking(move || library.erase_participant(&id)).await {
        Ok(()) => {}
        Err(StoreError::Recording(_)) => {
            let detail = "The participant is being recorded by another program on this machine: end that first.";
            return Err(Problem::conflict("recording", detail));
        }
        Err(e) => return Err(e.into()),
    }
    app.hub.forget(&participant).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// One closed session with all its files, as a tar archive.
#[utoipa::path(get, path = "/v1/library/sessions/{name}/download", tag = "owner", security(("login" = []), ("token" = [])),
    params(("name" = String, Path, description = "As the list names it")),
    responses((status = 200, content_type = "application/x-tar"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn download_session(State(app): State<App>, _: Owner, Path(name): Path<String>) -> Result<Response, Problem> {
    let folder = folder_of(&app, &name).await?;
    let looked_at = folder.clone();
    let state = blocking(move || SessionFile::open(&looked_at)?.state()).await;
    if matches!(state, Ok(SessionState::Recording | SessionState::Crashed)) {
        let detail = "This session is still being recorded: it can be downloaded when it has ended.";
        return Err(Problem::conflict("recording", detail));
    }
    // A damaged one is handed out as it is.
    Ok(archive(&name, vec![folder]))
}

/// All closed sessions of a study, as a tar archive.
#[utoipa::path(get, path = "/v1/library/studies/{study}/download", tag = "owner", security(("login" = []), ("token" = [])),
    params(("study" = String, Path)),
    responses((status = 200, content_type = "application/x-tar"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn download_study(State(app): State<App>, _: Owner, Path(study): Path<String>) -> Result<Response, Problem> {
    let folders = closed_of(&app, &study).await?;
    if folders.is_empty() {
        return Err(Problem::not_found("This study has no closed session."));
    }
    Ok(archive(&study, folders))
}

fn archive(name: &str, folders: Vec<PathBuf>) -> Response {
    let (to, parts) = mpsc::channel(8);
    tokio::task::spawn_blocking(move || download::write(&folders, to));
    let safe: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{safe}.tar\""));
    let mut response = Body::from_stream(ReceiverStream::new(parts)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
    if let Ok(disposition) = disposition {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// Server-sent events: `changed` whenever the list of sessions is another.
#[utoipa::path(get, path = "/v1/library/live", tag = "owner", security(("login" = [])),
    responses((status = 200, content_type = "text/event-stream"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn live_list(State(app): State<App>, _: Owner) -> impl IntoResponse {
    let changes = WatchStream::new(app.hub.changes.clone());
    let changes = changes.map(|n| Ok::<_, Infallible>(Sse::default().event("changed").data(n.to_string())));
    SseResponse::new(changes).keep_alive(KeepAlive::new().interval(STILL_THERE))
}

/// Server-sent events of one open session: `news` with what was committed, `missed` where the reader was too slow,
/// `ended` when nothing more comes.
#[utoipa::path(get, path = "/v1/library/sessions/{name}/live", tag = "owner", security(("login" = [])),
    params(("name" = String, Path, description = "As the list names it")),
    responses((status = 200, body = LiveNews, content_type = "text/event-stream"), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn live_session(State(app): State<App>, _: Owner, Path(name): Path<String>) -> Result<Response, Problem> {
    let folder = folder_of(&app, &name).await?;
    let orders = app.hub.orders_of(folder).await?;
    let orders = orders.ok_or_else(|| Problem::conflict("ended", "This session is not open any more."))?;
    let (to, watched) = oneshot::channel();
    orders.try_send(Order::Watch(to)).map_err(|_| Problem::busy())?;
    let news = watched.await.map_err(|_| Problem::busy())?;
    Ok(SseResponse::new(told(news)).keep_alive(KeepAlive::new().interval(STILL_THERE)).into_response())
}

fn told(
    news: broadcast::Receiver<std::sync::Arc<LiveNews>>,
) -> impl Stream<Item = Result<Sse, axum::Error>> + Send + 'static {
    let news = BroadcastStream::new(news).map(|news| match news {
        Ok(news) => Sse::default().event("news").json_data(news.as_ref()),
        Err(_) => Ok(Sse::default().event("missed").data("")),
    });
    news.chain(tokio_stream::once(Ok(Sse::default().event("ended").data(""))))
}
