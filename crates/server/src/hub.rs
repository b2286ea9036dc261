//! The thread `hub`: owns the ledger and knows every session that is open. Whoever wants something of either asks it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use tokio::sync::{Semaphore, oneshot, watch};

use super::clock::ServerClock;
use super::config::ServerConfig;
use super::hub_client::{Admission, Ask, Found, HubClient, OpenSession, SessionHandle};
use super::orders::{Opened, Order, RemotePlan};
use super::pool::VisionPool;
use super::problem::Problem;
use super::rate::Rate;
use super::remote;
use super::secrets;
use super::wire::CameraMode;
use store::{Ledger, Library, RemoteSession, RemoteState, SessionFile, Sha256, StoreError};

/// Questions that wait.
const QUEUE: usize = 1024;
const TICK: Duration = Duration::from_secs(2);
/// How long an owner stays logged in without doing anything.
const LOGIN: Duration = Duration::from_secs(12 * 3600);
/// A session from which nothing came for this long is closed as it is.
const SILENCE: chrono::TimeDelta = chrono::TimeDelta::hours(24);
/// How often the ledger is told that a session lives.
const SEEN_EVERY: Duration = Duration::from_secs(60);
const SESSIONS_PER_S: f64 = 20.0;
const SESSIONS_BURST: f64 = 400.0;
const LOGINS_PER_S: f64 = 0.5;
const LOGINS_BURST: f64 = 10.0;

struct Open {
    handle: SessionHandle,
    participant: String,
    key: String,
    folder: PathBuf,
    state: RemoteState,
    seen: Instant,
    seen_told: Instant,
}

struct Login {
    csrf: String,
    used: Instant,
}

pub struct Hub {
    config: Arc<ServerConfig>,
    clock: ServerClock,
    runtime: tokio::runtime::Handle,
    ledger: Ledger,
    library: Library,
    pool: VisionPool,
    turns: Arc<Semaphore>,
    sessions: HashMap<String, Open>,
    logins: HashMap<Sha256, Login>,
    begins: Rate,
    login_tries: Rate,
    origins: watch::Sender<Arc<Vec<String>>>,
    changes: watch::Sender<u64>,
    asks: Receiver<Ask>,
    client: HubClient,
}

/// What the hub is made of.
pub struct HubParts {
    pub config: Arc<ServerConfig>,
    pub clock: ServerClock,
    pub ledger: Ledger,
    pub library: Library,
    pub pool: VisionPool,
    pub turns: Arc<Semaphore>,
}

/// Goes on with every session that was not closed, and answers from then on.
pub fn start(parts: HubParts, runtime: tokio::runtime::Handle) -> Result<(HubClient, JoinHandle<()>), StoreError> {
    let HubParts { config, clock, ledger, library, pool, turns } = parts;
    let (ask, asks) = bounded(QUEUE);
    let (origins, seen_origins) = watch::channel(Arc::new(Vec::new()));
    let (changes, seen_changes) = watch::channel(0);
    let client = HubClient::new(ask, seen_origins, seen_changes);
    let mut hub = Hub {
        begins: Rate::new(SESSIONS_PER_S, SESSIONS_BURST),
        login_tries: Rate::new(LOGINS_PER_S, LOGINS_BURST),
        sessions: HashMap::new(),
        logins: HashMap::new(),
        client: client.clone(),
        config,
        clock,
        runtime,
        ledger,
        library,
        pool,
        turns,
        origins,
        changes,
        asks,
    };
    hub.refresh_origins();
    hub.go_on()?;
    let thread = std::thread::Builder::new().name("hub".to_owned()).spawn(move || hub.run());
    let thread = thread.map_err(|source| StoreError::Io { doing: "start the thread", path: "hub".into(), source })?;
    Ok((client, thread))
}

impl Hub {
    fn run(mut self) {
        let mut ticked = Instant::now();
        loop {
            match self.asks.recv_timeout(TICK) {
                Ok(Ask::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(ask) => self.answer(ask),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if ticked.elapsed() >= TICK {
                ticked = Instant::now();
                self.tick();
            }
        }
    }

    /// Whoever asked may be gone: then nobody needs the answer.
    fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Find(id, to) => drop(to.send(self.find(&id))),
            Ask::Admit { key, study, origin, wants_number, to } => {
                drop(to.send(self.admit(&key, &study, &origin, wants_number)));
            }
            Ask::Register(what, to) => drop(to.send(self.register(*what))),
            Ask::Seen(id) => self.seen(&id),
            Ask::SetState(id, state, finish) => {
                if let Some(open) = self.sessions.get_mut(&id) {
                    open.state = state;
                }
                let done = self.ledger.set_session_state(&id, state, finish.as_deref());
                self.said(done);
                self.changed();
            }
            Ask::Closed(id) => {
                self.sessions.remove(&id);
                let done = self.ledger.set_session_state(&id, RemoteState::Closed, None);
                self.said(done);
                self.changed();
            }
            Ask::Password(to) => drop(to.send(self.password())),
            Ask::Login(to) => drop(to.send(self.login())),
            Ask::Owner(cookie, to) => drop(to.send(self.owner(&cookie))),
            Ask::Logout(cookie) => drop(self.logins.remove(&secrets::sha256(&cookie))),
            Ask::ApiToken(token, to) => {
                drop(to.send(self.ledger.has_api_token(&secrets::sha256(&token)).map_err(Problem::from)));
            }
            Ask::Keys(to) => drop(to.send(self.ledger.keys().map_err(Problem::from))),
            Ask::Open(to) => drop(to.send(self.open())),
            Ask::Orders(folder, to) => {
                let found = self.sessions.values().find(|s| s.folder == folder);
                drop(to.send(found.map(|s| s.handle.orders.clone())));
            }
            Ask::Leave { participant, to } => drop(to.send(self.leave(participant.as_deref()))),
            Ask::Forget(participant, to) => {
                drop(to.send(self.ledger.forget_participant(&participant).map_err(Problem::from)));
                self.changed();
            }
            Ask::Stop => {}
        }
    }

    fn find(&self, id: &str) -> Result<Found, Problem> {
        if let Some(open) = self.sessions.get(id) {
            return Ok(Found::Open(open.handle.clone()));
        }
        Ok(match self.ledger.session(id)? {
            Some(session) => Found::Closed {
                token_sha256: session.token_sha256,
                finish: session.finish.as_deref().and_then(|f| serde_json::from_str(f).ok()),
            },
            None => Found::Unknown,
        })
    }

    fn admit(&mut self, key: &str, study: &str, origin: &str, wants_number: bool) -> Result<Admission, Problem> {
        let found = self.ledger.keys()?.into_iter().find(|k| k.key == key && !k.is_revoked);
        let Some(found) = found else {
            let detail = "This write key is not known or was revoked. Its study's owner has the one that is good.";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "unknown-key", detail));
        };
        if !found.origins.iter().any(|o| o == origin) {
            let detail = "This write key is not for pages of this origin. The study's owner can add it to the key.";
            return Err(Problem::forbidden("wrong-origin", detail));
        }
        if found.study != study {
            let detail = format!("This write key is for the study `{}`.", found.study);
            return Err(Problem::forbidden("wrong-study", detail));
        }
        let open = self.sessions.values().filter(|s| s.key == key).count();
        if open >= self.config.sessions_per_key || self.sessions.len() >= self.config.max_sessions {
            let detail = "As many sessions are open as may be. Try again when others have ended.";
            return Err(Problem::too_fast(detail, 60));
        }
        let admitted = self.begins.take(1.0, Instant::now());
        admitted.map_err(|s| Problem::too_fast("Too many sessions begin at once. Try again in a moment.", s))?;
        let number = if wants_number {
            let next = self.library.next_participant()?.number().unwrap_or(1);
            Some(self.ledger.give_participant_number(next)?)
        } else {
            None
        };
        Ok(Admission { number })
    }

    fn register(&mut self, (session, plan, opened): (RemoteSession, RemotePlan, Opened)) -> Result<(), Problem> {
        self.ledger.add_session(&session)?;
        self.begin(&session, plan, Some(opened));
        Ok(())
    }

    fn begin(&mut self, session: &RemoteSession, plan: RemotePlan, opened: Option<Opened>) {
        let (folder, state) = (plan.folder.clone(), plan.state);
        let orders = remote::start(&self.runtime, plan, opened);
        let handle = SessionHandle { token_sha256: session.token_sha256, origin: session.origin.clone(), orders };
        let now = Instant::now();
        let silent = (self.clock.utc() - session.seen_utc).to_std().unwrap_or_default();
        let open = Open {
            handle,
            participant: session.participant.clone(),
            key: session.key.clone(),
            folder,
            state,
            seen: now.checked_sub(silent).unwrap_or(now),
            seen_told: now,
        };
        self.sessions.insert(session.id.clone(), open);
        self.changed();
    }

    /// Sessions that the server left open when it ended, in whatever way.
    fn go_on(&mut self) -> Result<(), StoreError> {
        for session in self.ledger.unclosed_sessions()? {
            let folder = self.library.root().join(&session.folder);
            let file = match SessionFile::open(&folder) {
                Ok(file) => file,
                // Erased or damaged: nothing can be added to it.
                Err(e) => {
                    tracing::error!("a session cannot go on: {e}");
                    self.ledger.set_session_state(&session.id, RemoteState::Closed, None)?;
                    continue;
                }
            };
            let header = file.header();
            let plan = RemotePlan {
                id: session.id.clone(),
                folder: folder.clone(),
                zero_utc_ns: header.zero_utc.timestamp_nanos_opt().unwrap_or(0),
                camera: CameraMode::from_stored(&session.camera).unwrap_or(CameraMode::Off),
                affect_model: affect_model(&file),
                clock: self.clock,
                hub: self.client.clone(),
                pool: self.pool.clone(),
                min_free_bytes: self.config.min_free_bytes,
                turns: self.turns.clone(),
                state: session.state,
                finish: session.finish.as_deref().and_then(|f| serde_json::from_str(f).ok()),
            };
            drop(file);
            self.begin(&session, plan, None);
        }
        Ok(())
    }

    fn seen(&mut self, id: &str) {
        let now = Instant::now();
        let Some(open) = self.sessions.get_mut(id) else { return };
        open.seen = now;
        if now.duration_since(open.seen_told) >= SEEN_EVERY {
            open.seen_told = now;
            let done = self.ledger.set_session_seen(id, self.clock.utc());
            self.said(done);
        }
    }

    fn password(&mut self) -> Result<Option<String>, Problem> {
        let tried = self.login_tries.take(1.0, Instant::now());
        tried.map_err(|s| Problem::too_fast("Too many logins were tried. Try again in a moment.", s))?;
        Ok(self.ledger.password()?)
    }

    fn login(&mut self) -> Result<(String, String), Problem> {
        let failed = |_| Problem::busy();
        let (cookie, csrf) = (secrets::random_token("").map_err(failed)?, secrets::random_token("").map_err(failed)?);
        self.logins.insert(secrets::sha256(&cookie), Login { csrf: csrf.clone(), used: Instant::now() });
        Ok((cookie, csrf))
    }

    fn owner(&mut self, cookie: &str) -> Option<String> {
        let login = self.logins.get_mut(&secrets::sha256(cookie)).filter(|l| l.used.elapsed() < LOGIN)?;
        login.used = Instant::now();
        Some(login.csrf.clone())
    }

    fn open(&self) -> Vec<OpenSession> {
        let open = self.sessions.values().map(|s| OpenSession {
            folder: s.folder.clone(),
            state: s.state,
            seen_s_ago: s.seen.elapsed().as_secs_f64(),
        });
        open.collect()
    }

    fn leave(&mut self, participant: Option<&str>) -> Vec<oneshot::Receiver<()>> {
        let of = |p: &str| participant.is_none_or(|wanted| wanted == p);
        let leaving = self.sessions.extract_if(|_, s| of(&s.participant));
        let mut left = Vec::new();
        for (_, session) in leaving {
            let (to, done) = oneshot::channel();
            let orders = session.handle.orders;
            self.runtime.spawn(async move {
                // A task that has ended has let go.
                drop(orders.send(Order::Leave(to)).await);
            });
            left.push(done);
        }
        self.changed();
        left
    }

    fn tick(&mut self) {
        self.refresh_origins();
        self.logins.retain(|_, l| l.used.elapsed() < LOGIN);
        let silence = SILENCE.to_std().unwrap_or(Duration::MAX);
        for open in self.sessions.values().filter(|s| s.state == RemoteState::Open && s.seen.elapsed() > silence) {
            // Full of orders means not silent.
            drop(open.handle.orders.try_send(Order::Abandon));
        }
    }

    /// Keys are made and revoked on the command line while the server runs.
    fn refresh_origins(&mut self) {
        match self.ledger.keys() {
            Ok(keys) => {
                let mut all: Vec<String> = keys.into_iter().filter(|k| !k.is_revoked).flat_map(|k| k.origins).collect();
                all.sort();
                all.dedup();
                self.origins.send_if_modified(|old| {
                    let is_new = **old != all;
                    if is_new {
                        *old = Arc::new(all);
                    }
                    is_new
                });
            }
            Err(e) => tracing::error!("{e}"),
        }
    }

    fn changed(&self) {
        self.changes.send_modify(|n| *n += 1);
    }

    /// The session itself is on the disk; after a restart its state is found out anew.
    fn said(&self, done: Result<(), StoreError>) {
        if let Err(e) = done {
            tracing::error!("{e}");
        }
    }
}

/// The study's choice; a study of another version than this program's uses the usual one.
fn affect_model(file: &SessionFile) -> String {
    file.header().study.parse().map_or_else(|_| "affect".to_owned(), |s| s.affect_model)
}
