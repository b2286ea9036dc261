//! The requests of browsers that record: the clock, a new session, records, video, and the end of a session.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::{Json, response::Response};
use chrono::DateTime;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, oneshot};

use super::address::ClientAddress;
use super::app::App;
use super::blocking::blocking;
use super::enrolment::{Assigned, EnrolRequest, Enrolled};
use super::hub_client::{NewRemoteSession, SessionLookup, StartRequest};
use super::networks::{self, Installed};
use super::problem::{Problem, ProblemDetails};
use super::quota::SessionQuota;
use super::remote_plan::{OpenedRecorder, RemotePlan, WAS_SILENT};
use super::secrets;
use super::session_command::SessionCommand;
use super::wire::{
    Acknowledged, Batch, CameraMode, ChunksStored, ClientInfo, ClockReading, Completion, ConsentGiven, Finish,
    Finished, MAX_BATCH_BYTES, MAX_BATCH_RECORDS, MAX_INFLATED_BYTES, MAX_VIDEO_CHUNK_BYTES, NewSession, SessionBegun,
};
use session::{
    self, CameraSettings, ParticipantId, SessionNumber, StreamInfo, Study, action_stream, affect_stream, blink_stream, eyes_stream, face_stream, health_stream,
    landmarks_stream, marker_stream, page_clock_stream, page_stream, program, replay_stream, server_stream,
    video_frame_stream, video_stream,
};
use store::{
    CameraDescription, Consent, ModelDescription, NOT_YET_REPORTED, RemoteSession, RemoteState, SessionCondition,
    SessionHeader, StoreError, StudyFile, disk_free_bytes,
};
use vision::ModelCard;

/// The server's clock. The browser measures the offset of its own clock to it.
#[utoipa::path(get, path = "/v1/clock", tag = "browser", responses((status = 200, body = ClockReading)))]
pub async fn clock(State(app): State<App>) -> Json<ClockReading> {
    Json(ClockReading { utc_ms: app.clock.utc_ms() })
}

/// Begins a session. The key is a public write key of the study. It must allow the page's origin.
#[utoipa::path(post, path = "/v1/sessions", tag = "browser", security(("key" = [])),
    request_body = NewSession,
    responses((status = 201, body = SessionBegun), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn begin(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = bearer(&headers)?;
    let origin = origin(&headers)?;
    let new: NewSession = json(body).await?;
    let participant = new.participant.as_deref().map(str::parse::<ParticipantId>).transpose();
    let participant = participant.map_err(|why| Problem::malformed(format!("{why}.")))?;
    check_client(&new.client)?;
    let request = StartRequest { key: key.to_owned(), study: new.study.clone(), origin: origin.to_owned(), address };
    let quota = app.hub.admit(request).await?;
    check_disk(&app)?;
    let study = study_of_key(&app, &new.study).await?;
    if !new.camera.is_permitted(study.study.remote.camera) {
        let detail = "This study does not permit this use of the camera. The study's owner can permit it in the dashboard, or \
                      use another `camera` in the page.";
        return Err(Problem::forbidden("camera-not-permitted", detail));
    }
    let consent = new.consent.as_ref().map(consent).transpose()?;
    if study.study.consent.required && consent.is_none() {
        let detail =
            "This study requires consent. Ask the participant and send `consent` with the time at which it was given.";
        return Err(Problem::malformed(detail));
    }
    let enrolled = enrol(&app, &new, &study, participant).await?;
    let assigned = assign(&app, &study.study, enrolled).await?;
    let condition = assigned.condition.as_ref().map(|condition| condition.name.clone());
    let id = secrets::random_id().map_err(|_| Problem::busy())?;
    let token = secrets::random_token("ags_").map_err(|_| Problem::busy())?;
    let begun = create(&app, &id, &new, &study, assigned, consent, quota).await?;
    let session = RemoteSession {
        id: id.clone(),
        token_sha256: secrets::sha256(&token),
        key: key.to_owned(),
        study: study.study.name.clone(),
        participant: begun.participant.to_string(),
        folder: app.library.relative(&begun.plan.folder),
        origin: origin.to_owned(),
        camera: new.camera.as_str().to_owned(),
        created_utc: app.clock.utc(),
        seen_utc: app.clock.utc(),
        state: RemoteState::Open,
        finish: None,
        received_bytes: 0,
        may_go_on: false,
    };
    let page = study.study.page.clone().unwrap_or_default();
    let answer = SessionBegun {
        session: id,
        token,
        participant: begun.participant.to_string(),
        condition,
        number: begun.number.0,
        zero_utc_ms: begun.opened.zero_utc_ns as f64 * 1e-6,
        mask: page.mask,
        content: page.content,
        own_data: study.study.visitors.own_data,
        max_batch_bytes: MAX_BATCH_BYTES,
        max_inflated_bytes: MAX_INFLATED_BYTES,
        max_batch_records: MAX_BATCH_RECORDS,
        max_video_chunk_bytes: MAX_VIDEO_CHUNK_BYTES,
        committed: std::collections::BTreeMap::new(),
    };
    app.hub.register(NewRemoteSession { session, address, plan: begun.plan, opened: begun.opened }).await?;
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

/// Called when nothing of the request can be refused any more, so that no place in the study is used up in vain.
async fn enrol(
    app: &App,
    new: &NewSession,
    study: &StudyFile,
    participant: Option<ParticipantId>,
) -> Result<Enrolled, Problem> {
    let Study { name, remote, .. } = &study.study;
    let link = new.link.as_deref().map(|identifier| app.link_key.hash(name, identifier)).transpose()?;
    app.hub.enrol(EnrolRequest { study: name.clone(), participant, link, remote: remote.clone() }).await
}

/// The condition is in `participants.tsv`, which the window uses, too. The ledger has a copy for its counts, and knows
/// conditions that were assigned before the list had them.
async fn assign(app: &App, study: &Study, enrolled: Enrolled) -> Result<Assigned, Problem> {
    let Enrolled { participant, known_condition } = enrolled;
    if study.conditions.is_empty() {
        return Ok(Assigned { participant, condition: None });
    }
    let (library, of, who) = (app.library.clone(), study.clone(), participant.clone());
    let known = known_condition.clone().map(|name| SessionCondition { assigned: Some(name.clone()), name });
    let condition = blocking(move || {
        known.map_or(Ok(()), |known| library.keep_condition(&of, &who, &known))?;
        library.assign_condition(&of, &who, None)
    })
    .await?;
    let name = condition.as_ref().map(|condition| condition.name.clone());
    if name != known_condition {
        let (study, who) = (study.name.clone(), participant.to_string());
        app.hub.ledger(move |ledger| ledger.set_condition(&study, &who, name.as_deref())).await?;
    }
    Ok(Assigned { participant, condition })
}

/// The origin of the page, as its browser reports it.
pub fn origin(headers: &HeaderMap) -> Result<&str, Problem> {
    let origin = headers.get(header::ORIGIN).and_then(|o| o.to_str().ok());
    origin.ok_or_else(|| {
        let detail =
            "The header `Origin` is missing. Only a web page can begin a session, and its browser sends this header.";
        Problem::forbidden("wrong-origin", detail)
    })
}

/// Refuses if the disk is too full for a new session.
pub fn check_disk(app: &App) -> Result<(), Problem> {
    if disk_free_bytes(app.library.root()).is_some_and(|free| free < app.config.min_free_bytes) {
        return Err(Problem::no_room("The server's disk is nearly full, so no session can begin. Try again later."));
    }
    Ok(())
}

/// The study that a write key names.
pub async fn study_of_key(app: &App, name: &str) -> Result<StudyFile, Problem> {
    let (library, study) = (app.library.clone(), name.to_owned());
    let study = tokio::task::spawn_blocking(move || library.study(&study)).await.map_err(|_| Problem::busy())?;
    study.map_err(|e| {
        tracing::error!("the study `{name}` of a write key cannot be read: {e}");
        Problem::not_found("The study of this key cannot be read on the server. The server's log contains the reason.")
    })
}

struct Begun {
    participant: ParticipantId,
    number: SessionNumber,
    plan: RemotePlan,
    opened: OpenedRecorder,
}

async fn create(
    app: &App,
    id: &str,
    new: &NewSession,
    study: &StudyFile,
    assigned: Assigned,
    consent: Option<Consent>,
    quota: SessionQuota,
) -> Result<Begun, Problem> {
    let Assigned { participant, condition } = assigned;
    let zero_utc = DateTime::from_timestamp_nanos(app.clock.utc_ns());
    let affect = &study.study.affect_model;
    let models = if new.camera == CameraMode::Video { cards(app, affect).await } else { Installed::default() };
    let streams = streams(new, study, &models);
    let header = SessionHeader {
        participant: participant.clone(),
        session: SessionNumber(1), // replaced when the folder is created
        study: study.stored(),
        zero_utc,
        software: format!("{}, server; recorded by affectograph client {}", program(), new.client.version),
        revision: app.config.revision.clone(),
        host: host_of(&new.client),
        camera: camera_of(new.camera, &study.study.camera),
        // A browser that scores reports its networks when it has loaded them.
        models: models.iter().flatten().map(described).collect(),
        pilot: false,
        consent,
        overridden_checks: Vec::new(),
        condition_assigned: condition.as_ref().and_then(|condition| condition.assigned.clone()),
        condition: condition.map(|condition| condition.name),
    };
    let (library, who, name) = (app.library.clone(), participant.clone(), study.study.name.clone());
    let _permit = app.file_permits.open().await;
    let (folder, number, opened) = blocking(move || {
        // Another session of this participant may begin at the same time and take the number.
        let mut tries = 0;
        let (folder, number) = loop {
            let number = library.next_session(&who)?;
            match library.create_session(&who, number, &name, zero_utc) {
                Ok(folder) => break (folder, number),
                Err(StoreError::Exists(_)) if tries < 20 => tries += 1,
                Err(e) => return Err(e),
            }
        };
        let opened = OpenedRecorder::create(&folder, SessionHeader { session: number, ..header }, streams)?;
        Ok((folder, number, opened))
    })
    .await?;
    let plan = RemotePlan {
        id: id.to_owned(),
        folder,
        camera: new.camera,
        clock: app.clock,
        pool: app.pool.clone(),
        min_free_bytes: app.config.min_free_bytes,
        file_permits: app.file_permits.clone(),
        state: RemoteState::Open,
        finish: None,
        quota,
        video_end: None,
        silent_after: app.config.limits.silent_after,
        is_closed: false,
        is_woken_to_close: false,
        resumed_because: WAS_SILENT,
    };
    Ok(Begun { participant, number, plan, opened })
}

/// Stores records. Acknowledged records are on the disk. Sending them again has no effect.
#[utoipa::path(post, path = "/v1/sessions/{id}/records", tag = "browser", security(("session" = [])),
    params(("id" = String, Path, description = "The session")), request_body = Batch,
    responses((status = 200, body = Acknowledged), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn records(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Acknowledged>, Problem> {
    let session = open_session(&app, &id, &headers).await?;
    let bytes = read(body, MAX_INFLATED_BYTES).await?;
    let batch: Batch = parse(&bytes)?;
    let (committed, refused) = request(&session, |to| SessionCommand::Records(batch, bytes.len() as u64, to)).await?;
    if refused.is_empty() {
        return Ok(Json(Acknowledged { committed }));
    }
    let detail = "Some records are invalid. Gaps were stored in their place, and all other records were stored. Do not send them again.";
    Err(Problem::malformed(detail).with_committed(committed).with_refused(refused))
}

/// Stores a chunk of the browser's video.
#[utoipa::path(put, path = "/v1/sessions/{id}/video/{n}", tag = "browser", security(("session" = [])),
    params(("id" = String, Path, description = "The session"), ("n" = u64, Path, description = "Number of the chunk, counted from 0")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "WebM, or fragmented MP4"),
    responses((status = 200, body = ChunksStored), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn video(
    State(app): State<App>,
    Path((id, n)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ChunksStored>, Problem> {
    let session = open_session(&app, &id, &headers).await?;
    let n = n
        .parse()
        .map_err(|_| Problem::malformed("The number of a video chunk must be a whole number, counted from 0."))?;
    let bytes = read(body, MAX_VIDEO_CHUNK_BYTES).await?;
    let chunks = request(&session, |to| SessionCommand::Chunk(n, bytes, to)).await?;
    Ok(Json(ChunksStored { chunks }))
}

/// Ends a complete session. For an incomplete session the answer lists what is missing.
#[utoipa::path(post, path = "/v1/sessions/{id}/finish", tag = "browser", security(("session" = [])),
    params(("id" = String, Path, description = "The session")), request_body = Finish,
    responses((status = 200, body = Finished), (status = "4XX", body = ProblemDetails, content_type = "application/problem+json"),
              (status = "5XX", body = ProblemDetails, content_type = "application/problem+json")))]
pub async fn finish(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Finished>, Problem> {
    let finished = match find(&app, &id, &headers).await? {
        // The browser repeats the request if the answer was lost.
        SessionLookup::Closed { finish: Some(finish) } => {
            Finished { committed: finish.streams, video_chunks: finish.video_chunks, completion: None }
        }
        found => {
            let session = opened(found)?;
            let finish: Finish = json(body).await?;
            request(&session, |to| SessionCommand::Finish(finish, to)).await?
        }
    };
    Ok(Json(Finished { completion: completion_of(&app, &id).await, ..finished }))
}

/// What the study gives at the end. The session is finished, so a failure is only logged.
async fn completion_of(app: &App, id: &str) -> Option<Completion> {
    let failed = |problem: &Problem| {
        tracing::error!(
            "session {id} is finished, but its participant gets nothing of the study's end: {}",
            problem.detail()
        );
    };
    let own = id.to_owned();
    let session = app.hub.ledger(move |ledger| ledger.session(&own)).await.inspect_err(failed).ok()??;
    let study = study_of_key(app, &session.study).await.inspect_err(failed).ok()?;
    Completion::of(&study.study.remote)
}

async fn request<T>(
    session: &mpsc::Sender<SessionCommand>,
    command: impl FnOnce(oneshot::Sender<Result<T, Problem>>) -> SessionCommand,
) -> Result<T, Problem> {
    let (to, answer) = oneshot::channel();
    session.try_send(command(to)).map_err(|_| Problem::busy())?;
    answer.await.map_err(|_| Problem::busy())?
}

/// A request with a session's token must have the header `Origin` of the page that began the session. Browsers send it with
/// each POST and PUT of a script, also from a page of the same origin and while a page is being left (`keepalive`).
async fn find(app: &App, id: &str, headers: &HeaderMap) -> Result<SessionLookup, Problem> {
    let token = secrets::sha256(bearer(headers)?);
    let origin = headers.get(header::ORIGIN).and_then(|o| o.to_str().ok()).unwrap_or_default();
    app.hub.find(id, token, origin).await
}

/// The open session with this identifier, if the token belongs to it.
async fn open_session(app: &App, id: &str, headers: &HeaderMap) -> Result<mpsc::Sender<SessionCommand>, Problem> {
    opened(find(app, id, headers).await?)
}

fn opened(found: SessionLookup) -> Result<mpsc::Sender<SessionCommand>, Problem> {
    match found {
        SessionLookup::Open(session) => Ok(session),
        SessionLookup::Closed { .. } => Err(Problem::gone()),
    }
}

pub fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let (scheme, token) = value.and_then(|v| v.split_once(' ')).ok_or_else(Problem::no_authorization)?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        return Err(Problem::no_authorization());
    }
    Ok(token.trim())
}

/// Reads at most `max_bytes` after decompression, which also bounds a compression bomb.
async fn read(body: Body, max_bytes: usize) -> Result<Bytes, Problem> {
    to_bytes(body, max_bytes).await.map_err(|e| {
        let mut cause: Option<&dyn std::error::Error> = Some(&e);
        while let Some(e) = cause {
            if e.to_string().contains("length limit") {
                return Problem::too_large(format!(
                    "The request body is larger than {max_bytes} bytes. Send it in parts."
                ));
            }
            cause = e.source();
        }
        Problem::bad_request(
            "The request body is incomplete, or its content encoding does not match the header `Content-Encoding`.",
        )
    })
}

pub async fn json<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    parse(&read(body, MAX_INFLATED_BYTES).await?)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|e| {
        let detail = format!("The request body is not the expected JSON: {e}.");
        if e.is_data() { Problem::malformed(detail) } else { Problem::bad_request(detail) }
    })
}

fn check_client(client: &ClientInfo) -> Result<(), Problem> {
    let screen = client.screen.as_ref().map_or(0, |s| s.to_string().len());
    let is_valid = !client.version.is_empty()
        && client.version.len() <= 64
        && client.user_agent.len() <= 1_000
        && client.language.len() <= 100
        && screen <= 1_000;
    if is_valid {
        return Ok(());
    }
    let detail = "`client.version` must have 1 to 64 bytes, `client.user_agent` at most 1000, `client.language` at most \
                  100 and `client.screen` at most 1000.";
    Err(Problem::malformed(detail))
}

fn consent(given: &ConsentGiven) -> Result<Consent, Problem> {
    let is_hash = given.text_sha256.len() == 64 && given.text_sha256.bytes().all(|b| b.is_ascii_hexdigit());
    let at = (0.0..1e14).contains(&given.given_utc_ms).then_some(given.given_utc_ms as i64);
    match at.and_then(DateTime::from_timestamp_millis) {
        Some(given_at) if is_hash => {
            Ok(Consent { given_at, text_sha256: given.text_sha256.to_ascii_lowercase(), by: None, name_typed: None })
        }
        _ => Err(Problem::malformed("`consent` must have the time at which it was given and the SHA-256 of its text.")),
    }
}

fn host_of(client: &ClientInfo) -> String {
    let clean = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    let screen = client.screen.as_ref().map_or_else(String::new, |s| format!("; screen {s}"));
    format!("browser {}; language {}{screen}", clean(&client.user_agent), clean(&client.language))
}

fn camera_of(mode: CameraMode, settings: &CameraSettings) -> CameraDescription {
    let name = match mode {
        CameraMode::Video => "camera of the browser",
        CameraMode::Scores => "camera of the browser (scored there)",
        CameraMode::Off => "no camera",
    };
    CameraDescription {
        spec: mode.as_str().to_owned(),
        name: name.to_owned(),
        backend: "browser".to_owned(),
        // The measured rate replaces this when the video has been converted.
        rate_hz: if mode == CameraMode::Off { 0.0 } else { settings.rate_hz },
        ..CameraDescription::default()
    }
}

/// The cards of the installed networks.
async fn cards(app: &App, affect: &str) -> Installed {
    let (models, affect) = (app.pool.models().clone(), affect.to_owned());
    tokio::task::spawn_blocking(move || networks::installed(&models, &affect)).await.unwrap_or_default()
}

fn described(card: &ModelCard) -> ModelDescription {
    let ModelCard { name, version, sha256, .. } = card.clone();
    ModelDescription { name, version, sha256, ..ModelDescription::default() }
}

fn streams(new: &NewSession, study: &StudyFile, models: &Installed) -> Vec<StreamInfo> {
    let mut streams = vec![page_stream(), page_clock_stream(), marker_stream(), health_stream(), replay_stream()];
    let rate_hz = study.study.camera.rate_hz;
    let of_face = |[affect, face, landmarks]: [&str; 3]| {
        [affect_stream(rate_hz, affect), face_stream(rate_hz, face), landmarks_stream(rate_hz, landmarks)]
    };
    match new.camera {
        CameraMode::Off => {}
        CameraMode::Scores => streams.extend(of_face([NOT_YET_REPORTED; 3])),
        CameraMode::Video => {
            let network = |card: &Option<ModelCard>| {
                let network =
                    card.as_ref().map_or("a network that is not installed here".to_owned(), ModelCard::software);
                format!("{network}, at the server")
            };
            let [detector, landmarks, actions, affect] = models.each_ref().map(network);
            streams.extend(of_face([&affect, &format!("{detector}; {landmarks}"), &landmarks]));
            streams.extend([action_stream(rate_hz, &actions), eyes_stream(rate_hz, &actions), blink_stream(&actions)]);
        }
    }
    if new.camera == CameraMode::Video {
        streams.extend([video_stream("camera of the browser"), video_frame_stream()]);
    }
    streams.push(server_stream());
    debug_assert!(streams.iter().any(|s| s.name.as_str() == session::SERVER));
    streams
}
