//! The thread `hub`. It owns the ledger and the list of open sessions. [`HubClient`] sends it commands.

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
use super::hub_client::{Admission, HubClient, HubCommand, OpenSession, SessionHandle, SessionLookup};
use super::pool::VisionPool;
use super::problem::Problem;
use super::rate::Rate;
use super::remote;
use super::remote_plan::{OpenedRecorder, RemotePlan};
use super::reply::reply;
use super::secrets;
use super::session_command::SessionCommand;
use super::wire::CameraMode;
use store::{Ledger, Library, RemoteSession, RemoteState, SessionFile, Sha256, StoreError};

/// Commands that can wait for the hub.
const QUEUE: usize = 1024;
const TICK: Duration = Duration::from_secs(2);
/// A login without requests ends after this time.
const LOGIN: Duration = Duration::from_secs(12 * 3600);
/// A session without requests is closed as it is after this time.
const SILENCE: chrono::TimeDelta = chrono::TimeDelta::hours(24);
/// Interval at which the time of a session's last request is written to the ledger.
const ACTIVITY_INTERVAL: Duration = Duration::from_secs(60);
const SESSIONS_PER_S: f64 = 20.0;
const SESSIONS_BURST: f64 = 400.0;
/// Pages ask for an invitation before they ask for consent.
const INVITATIONS_PER_S: f64 = 50.0;
const INVITATIONS_BURST: f64 = 1_000.0;
const LOGINS_PER_S: f64 = 0.5;
const LOGINS_BURST: f64 = 10.0;

struct Open {
    handle: SessionHandle,
    participant: String,
    key: String,
    folder: PathBuf,
    state: RemoteState,
    last_request: Instant,
    /// When the ledger last got the time of a request.
    last_stored: Instant,
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
    file_permits: Arc<Semaphore>,
    sessions: HashMap<String, Open>,
    logins: HashMap<Sha256, Login>,
    begin_rate: Rate,
    invitation_rate: Rate,
    login_rate: Rate,
    origins: watch::Sender<Arc<Vec<String>>>,
    changes: watch::Sender<u64>,
    commands: Receiver<HubCommand>,
    client: HubClient,
}

/// What the hub is built from.
pub struct HubParts {
    pub config: Arc<ServerConfig>,
    pub clock: ServerClock,
    pub ledger: Ledger,
    pub library: Library,
    pub pool: VisionPool,
    pub file_permits: Arc<Semaphore>,
}

/// Resumes every session that was not closed, and starts the thread.
pub fn start(parts: HubParts, runtime: tokio::runtime::Handle) -> Result<(HubClient, JoinHandle<()>), StoreError> {
    let HubParts { config, clock, ledger, library, pool, file_permits } = parts;
    let (sender, commands) = bounded(QUEUE);
    let (origins, watched_origins) = watch::channel(Arc::new(Vec::new()));
    let (changes, watched_changes) = watch::channel(0);
    let client = HubClient::new(sender, watched_origins, watched_changes);
    let mut hub = Hub {
        begin_rate: Rate::new(SESSIONS_PER_S, SESSIONS_BURST),
        invitation_rate: Rate::new(INVITATIONS_PER_S, INVITATIONS_BURST),
        login_rate: Rate::new(LOGINS_PER_S, LOGINS_BURST),
        sessions: HashMap::new(),
        logins: HashMap::new(),
        client: client.clone(),
        config,
        clock,
        runtime,
        ledger,
        library,
        pool,
        file_permits,
        origins,
        changes,
        commands,
    };
    hub.refresh_origins();
    hub.resume_sessions()?;
    let thread = std::thread::Builder::new().name("hub".to_owned()).spawn(move || hub.run());
    let thread = thread.map_err(|source| StoreError::Io { doing: "start the thread", path: "hub".into(), source })?;
    Ok((client, thread))
}

impl Hub {
    fn run(mut self) {
        let mut ticked = Instant::now();
        loop {
            match self.commands.recv_timeout(TICK) {
                Ok(HubCommand::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(command) => self.execute(command),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if ticked.elapsed() >= TICK {
                ticked = Instant::now();
                self.tick();
            }
        }
    }

    fn execute(&mut self, command: HubCommand) {
        match command {
            HubCommand::FindSession(id, to) => reply(to, self.find(&id)),
            HubCommand::AdmitSession { key, study, origin, wants_number, to } => {
                reply(to, self.admit(&key, &study, &origin, wants_number));
            }
            HubCommand::Invite { key, study, origins, to } => reply(to, self.invite(&key, &study, &origins)),
            HubCommand::RegisterSession(session, to) => reply(to, self.register(*session)),
            HubCommand::SessionActive(id) => self.session_active(&id),
            HubCommand::SetState(id, state, finish) => {
                if let Some(open) = self.sessions.get_mut(&id) {
                    open.state = state;
                }
                self.store_state(&id, state, finish.as_deref());
            }
            HubCommand::SessionClosed(id) => {
                self.sessions.remove(&id);
                self.store_state(&id, RemoteState::Closed, None);
            }
            HubCommand::PasswordHash(to) => reply(to, self.password_hash()),
            HubCommand::Login(to) => reply(to, self.login()),
            HubCommand::CheckCookie(cookie, to) => reply(to, self.csrf_token_of(&cookie)),
            HubCommand::Logout(cookie) => {
                self.logins.remove(&secrets::sha256(&cookie));
            }
            HubCommand::CheckApiToken(token, to) => {
                reply(to, self.ledger.has_api_token(&secrets::sha256(&token)).map_err(Problem::from));
            }
            HubCommand::ListKeys(to) => reply(to, self.ledger.keys().map_err(Problem::from)),
            HubCommand::OpenSessions(to) => reply(to, self.open_sessions()),
            HubCommand::SessionCommands(folder, to) => {
                let found = self.sessions.values().find(|s| s.folder == folder);
                reply(to, found.map(|s| s.handle.commands.clone()));
            }
            HubCommand::ReleaseSessions { participant, to } => {
                reply(to, self.release_sessions(participant.as_deref()));
            }
            HubCommand::ForgetParticipant(participant, to) => {
                reply(to, self.ledger.forget_participant(&participant).map_err(Problem::from));
                self.notify_change();
            }
            HubCommand::Stop => {}
        }
    }

    fn find(&self, id: &str) -> Result<SessionLookup, Problem> {
        if let Some(open) = self.sessions.get(id) {
            return Ok(SessionLookup::Open(open.handle.clone()));
        }
        Ok(match self.ledger.session(id)? {
            Some(session) => SessionLookup::Closed {
                token_sha256: session.token_sha256,
                finish: session.finish.as_deref().and_then(|f| serde_json::from_str(f).ok()),
            },
            None => SessionLookup::Unknown,
        })
    }

    /// Refuses a key that is unknown or belongs to another study, and a page whose origin the key does not allow.
    fn check_key(&self, key: &str, study: &str, origins: &[String]) -> Result<(), Problem> {
        let found = self.ledger.keys()?.into_iter().find(|k| k.key == key && !k.is_revoked);
        let Some(found) = found else {
            let detail = "The write key is unknown or was revoked. Ask the study's owner for a valid key.";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "unknown-key", detail));
        };
        if !found.origins.iter().any(|o| origins.contains(o)) {
            let detail =
                "The write key does not allow pages of this origin. The study's owner can add the origin to the key.";
            return Err(Problem::forbidden("wrong-origin", detail));
        }
        if found.study != study {
            let detail = format!("The write key belongs to the study `{}`. Use the key of this study.", found.study);
            return Err(Problem::forbidden("wrong-study", detail));
        }
        Ok(())
    }

    /// Refuses if the key or the server has its largest number of open sessions.
    fn check_open_sessions(&self, key: &str) -> Result<(), Problem> {
        let open = self.sessions.values().filter(|s| s.key == key).count();
        if open >= self.config.sessions_per_key || self.sessions.len() >= self.config.max_sessions {
            let detail = "The largest number of open sessions is reached. Try again when other sessions have ended.";
            return Err(Problem::too_fast(detail, 60));
        }
        Ok(())
    }

    /// Why no session can begin, or `None` if one can.
    fn invite(&mut self, key: &str, study: &str, origins: &[String]) -> Result<Option<String>, Problem> {
        let admitted = self.invitation_rate.take(1.0, Instant::now());
        admitted.map_err(|s| Problem::too_fast("Too many pages ask for an invitation. Try again later.", s))?;
        self.check_key(key, study, origins)?;
        Ok(self.check_open_sessions(key).err().map(|problem| problem.detail().to_owned()))
    }

    fn admit(&mut self, key: &str, study: &str, origin: &str, wants_number: bool) -> Result<Admission, Problem> {
        self.check_key(key, study, &[origin.to_owned()])?;
        self.check_open_sessions(key)?;
        let admitted = self.begin_rate.take(1.0, Instant::now());
        admitted.map_err(|s| Problem::too_fast("Too many sessions begin at the same time. Try again later.", s))?;
        let number = if wants_number {
            let next = self.library.next_participant()?.number().unwrap_or(1);
            Some(self.ledger.give_participant_number(next)?)
        } else {
            None
        };
        Ok(Admission { number })
    }

    fn register(
        &mut self,
        (session, plan, opened): (RemoteSession, RemotePlan, OpenedRecorder),
    ) -> Result<(), Problem> {
        self.ledger.add_session(&session)?;
        self.start_task(&session, plan, Some(opened));
        Ok(())
    }

    fn start_task(&mut self, session: &RemoteSession, plan: RemotePlan, opened: Option<OpenedRecorder>) {
        let (folder, state) = (plan.folder.clone(), plan.state);
        let commands = remote::start(&self.runtime, self.client.clone(), plan, opened);
        let handle = SessionHandle { token_sha256: session.token_sha256, origin: session.origin.clone(), commands };
        let now = Instant::now();
        let silent = (self.clock.utc() - session.seen_utc).to_std().unwrap_or_default();
        let open = Open {
            handle,
            participant: session.participant.clone(),
            key: session.key.clone(),
            folder,
            state,
            last_request: now.checked_sub(silent).unwrap_or(now),
            last_stored: now,
        };
        self.sessions.insert(session.id.clone(), open);
        self.notify_change();
    }

    /// Resumes the sessions that were open when the server ended, whether it was stopped or killed.
    fn resume_sessions(&mut self) -> Result<(), StoreError> {
        for session in self.ledger.unclosed_sessions()? {
            let folder = self.library.root().join(&session.folder);
            let file = match SessionFile::open(&folder) {
                Ok(file) => file,
                // The session was erased or is damaged. Nothing can be added to it.
                Err(e) => {
                    tracing::error!("session {} cannot be resumed and is marked as closed: {e}", folder.display());
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
                pool: self.pool.clone(),
                min_free_bytes: self.config.min_free_bytes,
                file_permits: self.file_permits.clone(),
                state: session.state,
                finish: session.finish.as_deref().and_then(|f| serde_json::from_str(f).ok()),
            };
            drop(file);
            tracing::info!("session {} is resumed", folder.display());
            self.start_task(&session, plan, None);
        }
        Ok(())
    }

    fn session_active(&mut self, id: &str) {
        let now = Instant::now();
        let Some(open) = self.sessions.get_mut(id) else { return };
        open.last_request = now;
        if now.duration_since(open.last_stored) >= ACTIVITY_INTERVAL {
            open.last_stored = now;
            if let Err(e) = self.ledger.set_session_seen(id, self.clock.utc()) {
                tracing::warn!("the ledger could not store the time of a session's last request: {e}");
            }
        }
    }

    fn password_hash(&mut self) -> Result<Option<String>, Problem> {
        let admitted = self.login_rate.take(1.0, Instant::now());
        admitted.map_err(|s| Problem::too_fast("There were too many login attempts. Try again later.", s))?;
        Ok(self.ledger.password()?)
    }

    fn login(&mut self) -> Result<(String, String), Problem> {
        let failed = |_| Problem::busy();
        let (cookie, csrf) = (secrets::random_token("").map_err(failed)?, secrets::random_token("").map_err(failed)?);
        self.logins.insert(secrets::sha256(&cookie), Login { csrf: csrf.clone(), used: Instant::now() });
        Ok((cookie, csrf))
    }

    fn csrf_token_of(&mut self, cookie: &str) -> Option<String> {
        let login = self.logins.get_mut(&secrets::sha256(cookie)).filter(|l| l.used.elapsed() < LOGIN)?;
        login.used = Instant::now();
        Some(login.csrf.clone())
    }

    fn open_sessions(&self) -> Vec<OpenSession> {
        let open = self.sessions.values().map(|s| OpenSession {
            folder: s.folder.clone(),
            state: s.state,
            seen_s_ago: s.last_request.elapsed().as_secs_f64(),
        });
        open.collect()
    }

    fn release_sessions(&mut self, participant: Option<&str>) -> Vec<oneshot::Receiver<()>> {
        let is_selected = |p: &str| participant.is_none_or(|selected| selected == p);
        let selected = self.sessions.extract_if(|_, s| is_selected(&s.participant));
        let mut released = Vec::new();
        for (_, session) in selected {
            let (to, done) = oneshot::channel();
            let commands = session.handle.commands;
            self.runtime.spawn(async move {
                // An error means that the task has ended and released its files.
                commands.send(SessionCommand::Release(to)).await.ok();
            });
            released.push(done);
        }
        self.notify_change();
        released
    }

    fn tick(&mut self) {
        self.refresh_origins();
        self.logins.retain(|_, l| l.used.elapsed() < LOGIN);
        let silence = SILENCE.to_std().unwrap_or(Duration::MAX);
        let is_silent = |s: &&Open| s.state == RemoteState::Open && s.last_request.elapsed() > silence;
        for open in self.sessions.values().filter(is_silent) {
            // A full queue means that the session is not silent. The next tick tries again.
            open.handle.commands.try_send(SessionCommand::Abandon).ok();
        }
    }

    /// The command line creates and revokes keys while the server runs, so the origins are read again at each tick.
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
            Err(e) => tracing::error!("the write keys could not be read from the ledger: {e}"),
        }
    }

    fn notify_change(&self) {
        self.changes.send_modify(|n| *n += 1);
    }

    /// A failure is only logged. The session file holds the session, and a restart determines its state again.
    fn store_state(&mut self, id: &str, state: RemoteState, finish: Option<&str>) {
        if let Err(e) = self.ledger.set_session_state(id, state, finish) {
            tracing::error!("the ledger could not store the state `{state:?}` of session {id}: {e}");
        }
        self.notify_change();
    }
}

/// The network that the study selects. A study that this version cannot read uses the default network.
fn affect_model(file: &SessionFile) -> String {
    file.header().study.parse().map_or_else(|_| "affect".to_owned(), |s| s.affect_model)
}
