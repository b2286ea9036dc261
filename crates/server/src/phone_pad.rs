//! Markers from a phone in the laboratory's network. The operator switches it on for one recording.
//!
//! The address contains a random token. A request without it is refused. A tap gets the time of its arrival. The thread
//! `phone pad` serves the requests and ends with the recording.

use std::collections::VecDeque;
use std::future::Ready;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_server::Handle;
use axum_server::accept::Accept;
use serde::{Deserialize, Serialize};
use session::{Clock, Latest, Marker, Timestamp};
use thiserror::Error;
use tokio::sync::Semaphore;

use super::rate::Rate;
use super::secrets;

/// Requests at the same time. A phone sends one per second and one per tap.
const REQUESTS: usize = 16;
/// Connections at the same time. Each one is a file descriptor of the program that records, and anyone in the network can
/// open one.
const CONNECTIONS: usize = 32;
const MAX_BODY_BYTES: usize = 1024;
/// Markers per second, and at once.
const TAP_RATE_HZ: f64 = 10.0;
const TAP_BURST: f64 = 20.0;
/// For the head of a request, and for its body and answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const STOP_TIMEOUT: Duration = Duration::from_millis(500);
/// The markers of this pad that it can take back. More than the rate allows within the limit.
const KEPT_MARKS: usize = 128;
/// The longest name of a phone, in characters.
const NAME: usize = 32;
const PAGE: &str = include_str!("phone_pad.html");

#[derive(Debug, Error)]
pub enum PhonePadError {
    #[error(
        "The phone pad was not started: this computer has no address in a local network. Connect it to the network of the phone."
    )]
    NoNetwork,
    #[error("The phone pad was not started: {0}.")]
    Secret(#[from] secrets::SecretError),
    #[error("The phone pad was not started: {0}. Try it again.")]
    Start(#[from] std::io::Error),
}

/// What the phone shows, beside the time. Changed while the recording runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhoneStatus {
    /// What is being lost.
    pub alarms: Vec<String>,
    pub is_paused: bool,
}

/// What the operator did on the phone.
#[derive(Clone, Debug, PartialEq)]
pub enum PhoneAction {
    Mark { at: Timestamp, marker: Marker, phone: String },
    TakeBack { at: Timestamp },
}

pub struct PhonePadPlan {
    /// Shown above the markers.
    pub title: String,
    pub markers: Vec<Marker>,
    pub clock: Clock,
    /// The start of the recording.
    pub started: Timestamp,
    pub status: Latest<PhoneStatus>,
    /// Takes an action. `false`: there is no room for it.
    pub act: Box<dyn Fn(PhoneAction) -> bool + Send + Sync>,
}

/// A running phone pad. Dropping it ends it.
pub struct PhonePad {
    url: String,
    handle: Handle<SocketAddr>,
    thread: Option<JoinHandle<()>>,
}

impl PhonePad {
    /// Listens on this computer's address in the local network.
    pub fn start(plan: PhonePadPlan) -> Result<PhonePad, PhonePadError> {
        PhonePad::listen(IpAddr::V4(local_address().ok_or(PhonePadError::NoNetwork)?), plan)
    }

    pub fn listen(address: IpAddr, plan: PhonePadPlan) -> Result<PhonePad, PhonePadError> {
        PhonePad::listen_with(address, plan, REQUEST_TIMEOUT)
    }

    fn listen_with(address: IpAddr, plan: PhonePadPlan, timeout: Duration) -> Result<PhonePad, PhonePadError> {
        let token = secrets::random_id()?;
        let listener = std::net::TcpListener::bind(SocketAddr::new(address, 0))?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}/{token}", listener.local_addr()?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = Handle::new();
        let service = router(Arc::new(Pad::new(plan, timeout)), &token).into_make_service();
        let (stop, few) = (handle.clone(), FewConnections(handle.clone()));
        let thread = std::thread::Builder::new().name("phone pad".into()).spawn(move || {
            let served = runtime.block_on(async move {
                let mut server = axum_server::from_tcp(listener)?.handle(stop).first_request_timeout(timeout);
                server.http_builder().http1().header_read_timeout(timeout);
                server.acceptor(few).http1_only().serve(service).await
            });
            if let Err(error) = served {
                tracing::error!("the phone pad ended: {error}");
            }
        })?;
        Ok(PhonePad { url, handle, thread: Some(thread) })
    }

    /// The address for the phone. Whoever has it can set markers until the recording ends.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for PhonePad {
    fn drop(&mut self) {
        self.handle.graceful_shutdown(Some(STOP_TIMEOUT));
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was printed when it happened.
            thread.join().ok();
        }
    }
}

/// The address from which this computer would reach another network. Sends nothing.
fn local_address() -> Option<Ipv4Addr> {
    let somewhere = [Ipv4Addr::new(192, 168, 0, 1), Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(203, 0, 113, 1)];
    somewhere.into_iter().find_map(|address| {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        socket.connect((address, 9)).ok()?;
        match socket.local_addr().ok()?.ip() {
            IpAddr::V4(own) if !own.is_loopback() && !own.is_unspecified() => Some(own),
            _ => None,
        }
    })
}

/// Drops a new connection while there are [`CONNECTIONS`].
#[derive(Clone)]
struct FewConnections(Handle<SocketAddr>);

impl<I, S> Accept<I, S> for FewConnections {
    type Stream = I;
    type Service = S;
    type Future = Ready<std::io::Result<(I, S)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        // The new connection is counted already.
        let has_room = self.0.connection_count() <= CONNECTIONS;
        std::future::ready(has_room.then_some((stream, service)).ok_or_else(|| {
            tracing::debug!("the phone pad refused a connection: {CONNECTIONS} are open");
            std::io::Error::other("too many connections")
        }))
    }
}

struct Pad {
    plan: PhonePadPlan,
    timeout: Duration,
    permits: Semaphore,
    taps: Latest<Rate>,
    /// The newest markers of this pad, at most [`KEPT_MARKS`].
    marks: Latest<VecDeque<Timestamp>>,
}

impl Pad {
    fn new(plan: PhonePadPlan, timeout: Duration) -> Pad {
        let taps = Latest::default();
        taps.put(Rate::new(TAP_RATE_HZ, TAP_BURST));
        Pad { plan, timeout, permits: Semaphore::new(REQUESTS), taps, marks: Latest::default() }
    }

    fn keep_mark(&self, at: Timestamp) {
        self.marks.change(|marks| {
            let marks = marks.get_or_insert_default();
            marks.push_back(at);
            if marks.len() > KEPT_MARKS {
                marks.pop_front();
            }
        });
    }

    /// Whether the marker at `at` is one of this pad and can still be taken back.
    fn can_take_back(&self, at: Timestamp, now: Timestamp) -> bool {
        let is_own = self.marks.change(|marks| marks.as_ref().is_some_and(|marks| marks.contains(&at)));
        is_own && session::can_be_taken_back(at, now, session::UNDO_LIMIT)
    }

    fn forget_mark(&self, at: Timestamp) {
        self.marks.change(|marks| marks.iter_mut().for_each(|marks| marks.retain(|mark| *mark != at)));
    }

    fn has_room(&self) -> bool {
        self.taps.change(|rate| rate.as_mut().is_some_and(|rate| rate.take(1.0, Instant::now()).is_ok()))
    }
}

type Shared = Arc<Pad>;

fn router(pad: Shared, token: &str) -> Router {
    // Every other address, also one without the token, is refused in the same way.
    Router::new()
        .route(&format!("/{token}"), get(|| async { Html(PAGE) }))
        .route(&format!("/{token}/state"), get(state))
        .route(&format!("/{token}/mark"), post(mark))
        .route(&format!("/{token}/undo"), post(undo))
        .fallback(|| async { StatusCode::FORBIDDEN })
        .method_not_allowed_fallback(|| async { StatusCode::FORBIDDEN })
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(pad.clone(), limited))
        .with_state(pad)
}

/// Limits the requests at the same time and the time of each, and keeps the address with its token out of caches and of other sites.
async fn limited(State(pad): State<Shared>, request: Request, next: Next) -> Response {
    let Ok(_permit) = pad.permits.try_acquire() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    // A phone that leaves the network in the middle of a request must not keep its place.
    let answer = tokio::time::timeout(pad.timeout, next.run(request)).await;
    let mut response = answer.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'",
        ),
    );
    response
}

#[derive(Serialize)]
struct ShownMarker {
    key: char,
    label: String,
}

#[derive(Serialize)]
struct ShownState {
    title: String,
    clock: String,
    alarms: Vec<String>,
    is_paused: bool,
    markers: Vec<ShownMarker>,
}

async fn state(State(pad): State<Shared>) -> Json<ShownState> {
    let plan = &pad.plan;
    let status = plan.status.change(|status| status.clone()).unwrap_or_default();
    Json(ShownState {
        title: plan.title.clone(),
        clock: elapsed(plan, plan.clock.now()),
        alarms: status.alarms,
        is_paused: status.is_paused,
        markers: plan.markers.iter().map(|m| ShownMarker { key: m.key, label: m.label.clone() }).collect(),
    })
}

/// `00:12:41`
fn elapsed(plan: &PhonePadPlan, at: Timestamp) -> String {
    let seconds = at.since_ns(plan.started).max(0) / 1_000_000_000;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[derive(Deserialize)]
struct Tap {
    key: char,
    #[serde(default)]
    phone: String,
}

#[derive(Serialize)]
struct Marked {
    at: String,
    at_ns: i64,
}

async fn mark(State(pad): State<Shared>, Json(tap): Json<Tap>) -> Result<Json<Marked>, StatusCode> {
    let plan = &pad.plan;
    let at = plan.clock.now();
    let marker = plan.markers.iter().find(|m| m.key == tap.key).cloned().ok_or(StatusCode::UNPROCESSABLE_ENTITY)?;
    if !pad.has_room() {
        return Err(StatusCode::TOO_MANY_REQUESTS);
    }
    let phone = phone_name(&tap.phone);
    if !(plan.act)(PhoneAction::Mark { at, marker, phone }) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    pad.keep_mark(at);
    Ok(Json(Marked { at: elapsed(plan, at), at_ns: at.as_ns() }))
}

/// The name that the operator typed, in one line.
fn phone_name(typed: &str) -> String {
    let name: String = typed.chars().filter(|c| !c.is_control()).take(NAME).collect();
    let name = name.trim();
    if name.is_empty() { "1".to_owned() } else { name.to_owned() }
}

#[derive(Deserialize)]
struct Undo {
    at_ns: i64,
}

#[derive(Serialize)]
struct Undone {}

async fn undo(State(pad): State<Shared>, Json(undo): Json<Undo>) -> Result<Json<Undone>, StatusCode> {
    let (at, now) = (Timestamp::from_ns(undo.at_ns), pad.plan.clock.now());
    if !pad.can_take_back(at, now) {
        return Err(StatusCode::GONE);
    }
    if !pad.has_room() || !(pad.plan.act)(PhoneAction::TakeBack { at }) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    pad.forget_mark(at);
    Ok(Json(Undone {}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::{Receiver, bounded};
    use std::io::{Read, Write};
    use std::net::TcpStream;

    fn started() -> (PhonePad, Receiver<PhoneAction>, Latest<PhoneStatus>, Clock) {
        started_with(REQUEST_TIMEOUT)
    }

    fn started_with(timeout: Duration) -> (PhonePad, Receiver<PhoneAction>, Latest<PhoneStatus>, Clock) {
        let (to, actions) = bounded(64);
        let (clock, status) = (Clock::start(), Latest::default());
        let marker = |key, label: &str| Marker { key, label: label.into() };
        let plan = PhonePadPlan {
            title: "Checkout".into(),
            markers: vec![marker('1', "laughs"), marker('e', "ends <b>")],
            clock,
            started: clock.now(),
            status: status.clone(),
            act: Box::new(move |action| to.try_send(action).is_ok()),
        };
        let pad = PhonePad::listen_with(IpAddr::V4(Ipv4Addr::LOCALHOST), plan, timeout).unwrap();
        (pad, actions, status, clock)
    }

    fn agent() -> ureq::Agent {
        ureq::Agent::config_builder().http_status_as_error(false).build().into()
    }

    fn post(url: &str, body: &str) -> (u16, String) {
        let request = agent().post(url).header("content-type", "application/json");
        let mut answer = request.send(body).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    #[test]
    fn a_tap_becomes_a_marker_with_its_arrival_and_the_phones_name() {
        let (pad, actions, status, clock) = started();
        status.put(PhoneStatus { alarms: vec!["No pictures.".into()], is_paused: true });
        let mut page = agent().get(pad.url()).call().unwrap();
        assert!(page.body_mut().read_to_string().unwrap().contains("Take back"));
        let mut state = agent().get(format!("{}/state", pad.url())).call().unwrap();
        let state: serde_json::Value = serde_json::from_str(&state.body_mut().read_to_string().unwrap()).unwrap();
        assert_eq!(state["alarms"][0], "No pictures.");
        assert_eq!((&state["is_paused"], &state["markers"][1]["label"]), (&true.into(), &"ends <b>".into()));

        let before = clock.now();
        let (code, answer) = post(&format!("{}/mark", pad.url()), r#"{"key": "e", "phone": " Ann\n's "}"#);
        assert_eq!(code, 200, "{answer}");
        let Ok(PhoneAction::Mark { at, marker, phone }) = actions.try_recv() else { panic!("no marker") };
        assert!(before <= at && at <= clock.now());
        assert_eq!((marker.key, phone.as_str()), ('e', "Ann's"));
        assert_eq!(post(&format!("{}/undo", pad.url()), &format!("{{\"at_ns\": {}}}", at.as_ns())).0, 200);
        assert_eq!(actions.try_recv(), Ok(PhoneAction::TakeBack { at }));
        assert_eq!(post(&format!("{}/mark", pad.url()), r#"{"key": "x"}"#).0, 422);
        assert!(actions.is_empty());
    }

    #[test]
    fn only_a_marker_of_this_pad_is_taken_back_and_only_once() {
        let (pad, actions, _, clock) = started();
        let undo = |at_ns: i64| post(&format!("{}/undo", pad.url()), &format!("{{\"at_ns\": {at_ns}}}")).0;
        let foreign = clock.now().as_ns();
        assert_eq!(undo(foreign), 410, "no marker of this pad");
        assert_eq!(undo(foreign + 60_000_000_000), 410, "in the future");
        assert!(actions.is_empty());
        let (_, answer) = post(&format!("{}/mark", pad.url()), r#"{"key": "1"}"#);
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let at_ns = answer["at_ns"].as_i64().unwrap();
        assert_eq!([undo(at_ns), undo(at_ns)], [200, 410]);
        let taken_back = actions.try_iter().filter(|action| matches!(action, PhoneAction::TakeBack { .. }));
        assert_eq!(taken_back.count(), 1);
    }

    /// Sends the text and nothing more.
    fn connected(pad: &PhonePad, text: &str) -> TcpStream {
        let (address, _) = pad.url().strip_prefix("http://").unwrap().split_once('/').unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    }

    #[test]
    fn connections_have_a_bound_and_are_free_again_later() {
        let (pad, _, _, _) = started_with(Duration::from_secs(2));
        let open: Vec<TcpStream> = (0..200).map(|_| connected(&pad, "")).collect();
        let until = std::time::Instant::now() + Duration::from_secs(1);
        while pad.handle.connection_count() > CONNECTIONS && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        let count = pad.handle.connection_count();
        assert!((1..=CONNECTIONS).contains(&count), "{count}");
        drop(open);
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while agent().get(pad.url()).call().is_err() {
            assert!(std::time::Instant::now() < until, "no phone gets in any more");
        }
    }

    #[test]
    fn a_body_that_never_comes_keeps_no_place() {
        let (pad, actions, _, _) = started_with(Duration::from_millis(500));
        let token = pad.url().rsplit_once('/').unwrap().1.to_owned();
        let head = format!(
            "POST /{token}/mark HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n"
        );
        let mut stalled: Vec<TcpStream> = (0..REQUESTS).map(|_| connected(&pad, &head)).collect();
        let mut answer = [0; 12];
        for stream in &mut stalled {
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 408");
        }
        assert_eq!(post(&format!("{}/mark", pad.url()), r#"{"key": "1"}"#).0, 200);
        assert_eq!(actions.len(), 1);
    }

    #[test]
    fn every_request_without_the_token_is_refused() {
        let (pad, actions, _, _) = started();
        let (root, token) = pad.url().rsplit_once('/').unwrap();
        let root = root.to_owned();
        let mut wrong = token.to_owned();
        wrong.replace_range(0..1, if wrong.starts_with('A') { "B" } else { "A" });
        for path in ["", "/", "/state", "/mark", "/x/mark", &format!("/{wrong}"), &format!("/{wrong}/state"), "/%2e%2e"]
        {
            let code = agent().get(format!("{root}{path}")).call().unwrap().status();
            assert_eq!(code.as_u16(), 403, "{path}");
        }
        assert_eq!(post(&format!("{root}/{wrong}/mark"), r#"{"key": "1"}"#).0, 403);
        assert!(actions.is_empty());
    }

    #[test]
    fn a_flood_and_a_large_body_are_refused_and_the_pad_ends() {
        let (pad, actions, _, _) = started();
        let url = format!("{}/mark", pad.url());
        let codes: Vec<u16> = (0..40).map(|_| post(&url, r#"{"key": "1"}"#).0).collect();
        assert!(codes.contains(&429), "{codes:?}");
        assert_eq!(codes.iter().filter(|code| **code == 200).count(), actions.len());
        let large = format!(r#"{{"key": "1", "phone": "{}"}}"#, "x".repeat(2 * MAX_BODY_BYTES));
        assert_eq!(post(&url, &large).0, 413);
        drop(pad);
        assert!(agent().get(&url).call().is_err(), "it still listens");
    }
}
