//! The thread `hub`. It owns the ledger and the list of open sessions. [`HubClient`] sends it commands.

mod enrolment;
mod visits;

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use tokio::sync::{mpsc, oneshot, watch};

use super::address::ClientAddress;
use super::address_rates::AddressRates;
use super::chunks;
use super::clock::ServerClock;
use super::config::{ServerConfig, SessionLimits};
use super::file_permits::FilePermits;
use super::hub_client::{
    Changes, CloseAnswer, HubClient, HubCommand, InvitationRequest, NewRemoteSession, OpenSession, Release,
    SessionLookup, StartRequest,
};
use super::login_attempts::LoginAttempts;
use super::memory;
use super::pool::VisionPool;
use super::problem::Problem;
use super::quota::{ReceivedTotals, SessionQuota};
use super::rate::Rate;
use super::remote;
use super::remote_plan::{RemotePlan, SERVER_RESTARTED, WAS_CLOSED};
use super::reply::reply;
use super::running::{CountedSession, RunningSessions};
use super::secrets;
use super::session_command::{CloseReason, SessionCommand};
use super::wire::CameraMode;
use session::ParticipantId;
use store::{
    Ledger, Library, ReceivedBytes, RemoteSession, RemoteState, SeenSession, SessionFile, SessionState, Sha256,
    StoreError, TokenScope,
};

/// Commands that can wait for the hub.
const QUEUE: usize = 1024;
const TICK: Duration = Duration::from_secs(2);
/// A login without requests ends after this time.
const LOGIN: Duration = Duration::from_secs(12 * 3600);
/// A session that was closed because it was silent goes on within this time after it was closed.
const GO_ON_WITHIN: chrono::TimeDelta = chrono::TimeDelta::hours(24);
/// Sessions that are being closed by the hub at the same time, because each opens its files again.
const MAX_CLOSINGS: usize = 8;
/// A session that is still open after this time was not closed, for example because the disk is full. It is tried again.
const CLOSE_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// Changes of the list of sessions that are known. A dashboard that is older gets the whole list.
const KNOWN_CHANGES: usize = 4_096;
/// Interval at which the time of a session's last request is written to the ledger.
const ACTIVITY_INTERVAL: Duration = Duration::from_secs(60);
const SESSIONS_PER_S: f64 = 20.0;
const SESSIONS_BURST: f64 = 400.0;
/// Pages ask for an invitation before they ask for consent.
const INVITATIONS_PER_S: f64 = 50.0;
const INVITATIONS_BURST: f64 = 1_000.0;
/// Invitations for each session that may begin at one address, because several pages may ask before one session begins.
const INVITATIONS_PER_START: f64 = 4.0;

struct Open {
    task: Task,
    token_sha256: Sha256,
    origin: String,
    participant: String,
    key: String,
    study: String,
    folder: PathBuf,
    has_video: bool,
    /// `None` after a restart of the server and after a closed session was opened again, because addresses are not stored.
    /// Such a session counts for its write key only.
    address: Option<ClientAddress>,
    state: RemoteState,
    last_request: Instant,
    /// When the hub last asked the session's task to close the session.
    close_asked: Option<Instant>,
    received_bytes: u64,
    /// When the ledger last got the time of a request, and the number of bytes that it has.
    last_stored: Instant,
    stored_bytes: u64,
}

/// Why the task of a silent session is started.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WakeFor {
    Request,
    Closing,
}

enum Task {
    Running {
        commands: mpsc::Sender<SessionCommand>,
        _counted: CountedSession,
    },
    /// No task runs. The next request starts one with this plan.
    Silent(Box<RemotePlan>),
}

impl Open {
    fn is_silent(&self) -> bool {
        matches!(self.task, Task::Silent(_))
    }

    /// The conversion of a video may take long, and the file is closed only after it.
    fn is_being_closed(&self) -> bool {
        let is_converting = self.has_video && self.state == RemoteState::Finished;
        !is_converting && self.close_asked.is_some_and(|asked| asked.elapsed() < CLOSE_AGAIN_AFTER)
    }

    fn close_after(&self, limits: &SessionLimits) -> Duration {
        if self.has_video { limits.close_after.max(SessionLimits::VIDEO_CLOSE_AFTER) } else { limits.close_after }
    }
}

struct Login {
    csrf: String,
    used: Instant,
}

pub struct Hub {
    config: Arc<ServerConfig>,
    pub(super) clock: ServerClock,
    runtime: tokio::runtime::Handle,
    pub(super) ledger: Ledger,
    library: Library,
    pool: VisionPool,
    file_permits: FilePermits,
    sessions: HashMap<String, Open>,
    running: RunningSessions,
    logins: HashMap<Sha256, Login>,
    /// A session has released its files since the last tick.
    has_freed_memory: bool,
    begin_rate: Rate,
    invitation_rate: Rate,
    starts: AddressRates,
    invitations: AddressRates,
    login_attempts: LoginAttempts,
    totals: ReceivedTotals,
    /// The hash that the logins belong to.
    password: Option<String>,
    password_changes: watch::Sender<u64>,
    origins: watch::Sender<Arc<Vec<String>>>,
    /// Counts the changes of the list of sessions.
    changes: watch::Sender<u64>,
    /// The last changes, with the folder of the session that changed.
    changed: VecDeque<(u64, PathBuf)>,
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
    pub file_permits: FilePermits,
}

/// Resumes every session that was not closed, and starts the thread.
pub fn start(parts: HubParts, runtime: tokio::runtime::Handle) -> Result<(HubClient, JoinHandle<()>), StoreError> {
    let HubParts { config, clock, ledger, library, pool, file_permits } = parts;
    let (sender, commands) = bounded(QUEUE);
    let (origins, watched_origins) = watch::channel(Arc::new(Vec::new()));
    // The count of another run of the server must not be mistaken for one of this run.
    let (changes, watched_changes) = watch::channel(clock.utc_ms() as u64 * 1000);
    let (password_changes, watched_password) = watch::channel(0);
    let client = HubClient::new(sender, watched_origins, watched_changes, watched_password);
    let starts_per_min = f64::from(config.limits.starts_per_address_per_min);
    let mut hub = Hub {
        has_freed_memory: false,
        begin_rate: Rate::new(SESSIONS_PER_S, SESSIONS_BURST),
        invitation_rate: Rate::new(INVITATIONS_PER_S, INVITATIONS_BURST),
        starts: AddressRates::new(starts_per_min),
        invitations: AddressRates::new(INVITATIONS_PER_START * starts_per_min),
        login_attempts: LoginAttempts::default(),
        totals: ReceivedTotals::default(),
        password: ledger.password()?,
        password_changes,
        changed: VecDeque::new(),
        sessions: HashMap::new(),
        running: RunningSessions::default(),
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
    hub.refresh_totals()?;
    hub.resume_sessions()?;
    let thread = std::thread::Builder::new().name("hub".to_owned()).spawn(move || hub.run());
    let thread = thread.map_err(|source| StoreError::Io { doing: "start the thread", path: "hub".into(), source })?;
    Ok((client, thread))
}

/// Refuses a token of another session, and a page of another origin. `stored` is the session's hash of its token, and the
/// origin of the page that began it.
fn check_access(stored: (&Sha256, &str), token_sha256: &Sha256, origins: &[impl AsRef<str>]) -> Result<(), Problem> {
    if stored.0 != token_sha256 {
        return Err(Problem::wrong_token());
    }
    if origins.iter().all(|origin| origin.as_ref() != stored.1) {
        return Err(Problem::wrong_session_origin());
    }
    Ok(())
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
            HubCommand::FindSession { id, token_sha256, origin, to } => {
                reply(to, self.find(&id, token_sha256, &origin));
            }
            HubCommand::FindVisit(access, to) => reply(to, self.find_visit(&access)),
            HubCommand::EndVisit(access, to) => reply(to, self.end_visit(&access)),
            HubCommand::ForgetVisit { id, folder, to } => reply(to, self.forget_visit(&id, folder)),
            HubCommand::Invite(request, to) => reply(to, self.invite(&request)),
            HubCommand::AdmitSession(request, to) => reply(to, self.admit(&request)),
            HubCommand::RegisterSession(session, to) => reply(to, self.register(*session)),
            HubCommand::SessionActive(id, received_bytes) => self.session_active(&id, received_bytes),
            HubCommand::SessionSilent(plan) => self.session_silent(plan),
            HubCommand::SetState(id, state, finish) => self.store_state(&id, state, finish.as_deref()),
            HubCommand::SessionClosed(id) => {
                self.store_state(&id, RemoteState::Closed, None);
                self.sessions.remove(&id);
                self.has_freed_memory = true;
            }
            HubCommand::SessionMayGoOn(id) => {
                if let Err(e) = self.ledger.set_session_may_go_on(&id) {
                    tracing::error!("the ledger could not store that a silent session may go on: {e}");
                }
            }
            HubCommand::CloseSession(folder, to) => reply(to, self.close_session(&folder)),
            HubCommand::PasswordHash(address, to) => reply(to, self.password_hash(address)),
            HubCommand::Login { address, password_hash, to } => reply(to, self.login(address, &password_hash)),
            HubCommand::CheckCookie(cookie, to) => reply(to, self.csrf_token_of(&cookie)),
            HubCommand::Logout(cookie) => {
                self.logins.remove(&secrets::sha256(&cookie));
            }
            HubCommand::CheckApiToken(token, to) => reply(to, self.scope_of_token(&token)),
            HubCommand::Ledger(run) => run(&self.ledger),
            HubCommand::ChangeKeys(run) => {
                run(&self.ledger);
                self.refresh_origins();
            }
            HubCommand::IsOriginAllowed(origin, to) => reply(to, self.is_origin_allowed(&origin)),
            HubCommand::Enrol(request, to) => reply(to, self.enrol(&request)),
            HubCommand::OpenSessions(to) => reply(to, self.open_sessions()),
            HubCommand::SessionCommands(folder, to) => {
                let found = self.sessions.values().find(|s| s.folder == folder).map(|s| &s.task);
                let Some(Task::Running { commands, .. }) = found else { return reply(to, None) };
                reply(to, Some(commands.clone()));
            }
            HubCommand::ChangesSince(version, to) => reply(to, self.changes_since(version)),
            HubCommand::ReleaseSessions(which, to) => reply(to, self.release_sessions(&which)),
            HubCommand::ForgetParticipant { participant, folders, to } => {
                let forgotten = self.ledger.forget_participant(&participant);
                let forgotten = forgotten.and_then(|was_known| self.refresh_totals().map(|()| was_known));
                reply(to, forgotten.map_err(Problem::from));
                folders.into_iter().for_each(|folder| self.notify_change(folder));
            }
            HubCommand::ForgetSession(folder, to) => {
                let name = self.library.relative(&folder).to_string_lossy().into_owned();
                let forgotten = self.ledger.forget_session(&name).and_then(|()| self.refresh_totals());
                reply(to, forgotten.map_err(Problem::from));
                self.notify_change(folder);
            }
            HubCommand::Stop => {}
        }
    }

    fn find(&mut self, id: &str, token_sha256: Sha256, origin: &str) -> Result<SessionLookup, Problem> {
        if let Some(open) = self.sessions.get_mut(id) {
            check_access((&open.token_sha256, &open.origin), &token_sha256, &[origin])?;
            open.last_request = Instant::now();
            if open.is_silent() {
                self.running.check(&open.key, &self.config)?;
            }
            return self.wake(id, WakeFor::Request).map(SessionLookup::Open).ok_or_else(Problem::busy);
        }
        let session = self.ledger.session(id)?.ok_or_else(Problem::no_session)?;
        check_access((&session.token_sha256, &session.origin), &token_sha256, &[origin])?;
        if session.may_go_on && self.clock.utc() - session.seen_utc < GO_ON_WITHIN {
            self.running.check(&session.key, &self.config)?;
            self.reopen(session)?;
            return self.wake(id, WakeFor::Request).map(SessionLookup::Open).ok_or_else(Problem::busy);
        }
        Ok(SessionLookup::Closed { finish: session.finish.as_deref().and_then(|f| serde_json::from_str(f).ok()) })
    }

    /// Starts the task of a silent session. Returns the sender of commands to an open session.
    fn wake(&mut self, id: &str, wake_for: WakeFor) -> Option<mpsc::Sender<SessionCommand>> {
        let open = self.sessions.get_mut(id)?;
        let plan = match &open.task {
            Task::Running { commands, .. } => return Some(commands.clone()),
            Task::Silent(plan) => {
                RemotePlan { is_woken_to_close: wake_for == WakeFor::Closing, ..RemotePlan::clone(plan) }
            }
        };
        let commands = remote::start(&self.runtime, self.client.clone(), plan, None);
        open.task = Task::Running { commands: commands.clone(), _counted: self.running.count(&open.key) };
        let folder = open.folder.clone();
        self.notify_change(folder);
        Some(commands)
    }

    /// Refuses a key that is unknown or belongs to another study, and a page whose origin the key does not allow.
    fn check_key(&self, key: &str, study: &str, origins: &[String]) -> Result<(), Problem> {
        let found = self.ledger.key(key)?.filter(|k| !k.is_revoked);
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

    /// Why no session can begin, or `None` if one can.
    fn invite(&mut self, request: &InvitationRequest) -> Result<Option<String>, Problem> {
        let InvitationRequest { key, study, origins, address } = request;
        // Requests without a valid key use up nothing of what the others share.
        self.check_key(key, study, origins)?;
        let now = Instant::now();
        let detail = "Too many pages at this network address ask for an invitation. Try again later.";
        self.invitations.take(*address, now, detail)?;
        let admitted = self.invitation_rate.take(1.0, now);
        admitted.map_err(|s| Problem::too_fast("Too many pages ask for an invitation. Try again later.", s))?;
        Ok(self.check_open_sessions(key, study, *address).err().map(|problem| problem.detail().to_owned()))
    }

    /// Refuses if the key, the server or the address has its largest number of open sessions, or if a quota is used up.
    fn check_open_sessions(&mut self, key: &str, study: &str, address: ClientAddress) -> Result<(), Problem> {
        if self.running.is_full_for(key, &self.config) {
            let detail = "The largest number of open sessions is reached. Try again when other sessions have ended.";
            return Err(Problem::too_fast(detail, 60));
        }
        let limits = &self.config.limits;
        let counts = |s: &&Open| s.address == Some(address) && s.last_request.elapsed() < limits.close_after;
        if self.sessions.values().filter(counts).count() >= limits.per_address {
            let detail = "The largest number of open sessions that began at this network address is reached. Try again when \
                          some of them have ended.";
            return Err(Problem::too_fast(detail, 60));
        }
        self.totals.check(key, study, &self.config.quotas)
    }

    fn check_start_rate(&mut self, address: ClientAddress) -> Result<(), Problem> {
        let now = Instant::now();
        self.starts.take(address, now, "Too many sessions begin at this network address. Try again later.")?;
        let admitted = self.begin_rate.take(1.0, now);
        admitted.map_err(|s| Problem::too_fast("Too many sessions begin at the same time. Try again later.", s))
    }

    fn admit(&mut self, request: &StartRequest) -> Result<SessionQuota, Problem> {
        let StartRequest { key, study, origin, address } = request;
        self.check_key(key, study, std::slice::from_ref(origin))?;
        self.check_open_sessions(key, study, *address)?;
        self.check_start_rate(*address)?;
        Ok(self.totals.session(key, study, &self.config.quotas, 0, 0))
    }

    /// A label that no participant of the library has.
    pub(super) fn new_participant(&mut self) -> Result<ParticipantId, Problem> {
        loop {
            let (prefix, number) = self.ledger.give_participant_number()?;
            let participant = ParticipantId::with_prefix(&prefix, number).map_err(|why| {
                tracing::error!("no participant can be numbered: {why}");
                Problem::busy()
            })?;
            if !self.library.root().join(participant.as_str()).exists() {
                return Ok(participant);
            }
        }
    }

    fn register(&mut self, new: NewRemoteSession) -> Result<(), Problem> {
        let NewRemoteSession { session, address, plan, opened } = new;
        self.ledger.add_session(&session)?;
        let commands = remote::start(&self.runtime, self.client.clone(), plan, Some(opened));
        let task = Task::Running { commands, _counted: self.running.count(&session.key) };
        self.add(session, task, Some(address));
        Ok(())
    }

    fn add(&mut self, session: RemoteSession, task: Task, address: Option<ClientAddress>) {
        let (folder, now) = (self.library.root().join(&session.folder), Instant::now());
        let open = Open {
            task,
            token_sha256: session.token_sha256,
            origin: session.origin,
            participant: session.participant,
            key: session.key,
            study: session.study,
            folder: folder.clone(),
            has_video: session.camera == CameraMode::Video.as_str(),
            address,
            state: session.state,
            // The time while the server was stopped is not the session's silence.
            last_request: now,
            close_asked: None,
            received_bytes: session.received_bytes,
            last_stored: now,
            stored_bytes: session.received_bytes,
        };
        self.sessions.insert(session.id, open);
        self.notify_change(folder);
    }

    /// Resumes the sessions that were open when the server ended, whether it was stopped or killed. They are silent until
    /// their browsers send requests. Finished sessions go on at the next ticks.
    fn resume_sessions(&mut self) -> Result<(), StoreError> {
        for session in self.ledger.unclosed_sessions()? {
            let folder = self.library.root().join(&session.folder);
            let (file, video_bytes) = match SessionFile::open(&folder) {
                Ok(file) => (file, chunks::stored_bytes(&folder).unwrap_or(0)),
                // The session was erased or is damaged. Nothing can be added to it.
                Err(e) => {
                    tracing::error!("session {} cannot be resumed and is marked as closed: {e}", folder.display());
                    self.ledger.set_session_state(&session.id, RemoteState::Closed, None)?;
                    continue;
                }
            };
            // The server may have ended before the task had opened the file again.
            let is_closed =
                session.state == RemoteState::Open && file.state().is_ok_and(|state| state == SessionState::Closed);
            let plan = self.plan(&session, video_bytes, is_closed, SERVER_RESTARTED);
            tracing::info!("session {} is resumed", folder.display());
            self.add(session, Task::Silent(Box::new(plan)), None);
        }
        Ok(())
    }

    /// The plan of a stored session.
    fn plan(
        &mut self,
        session: &RemoteSession,
        video_bytes: u64,
        is_closed: bool,
        resumed_because: &'static str,
    ) -> RemotePlan {
        let record_bytes = session.received_bytes.saturating_sub(video_bytes);
        let quotas = &self.config.quotas;
        RemotePlan {
            id: session.id.clone(),
            folder: self.library.root().join(&session.folder),
            camera: CameraMode::from_stored(&session.camera).unwrap_or(CameraMode::Off),
            clock: self.clock,
            pool: self.pool.clone(),
            min_free_bytes: self.config.min_free_bytes,
            file_permits: self.file_permits.clone(),
            state: session.state,
            finish: session.finish.as_deref().and_then(|f| serde_json::from_str(f).ok()),
            quota: self.totals.session(&session.key, &session.study, quotas, video_bytes, record_bytes),
            video_end: None,
            silent_after: self.config.limits.silent_after,
            is_closed,
            is_woken_to_close: false,
            resumed_because,
        }
    }

    /// Lists a session again that was closed because it was silent. Its task opens the file. If that fails for good, the task
    /// marks the session as closed for good.
    fn reopen(&mut self, session: RemoteSession) -> Result<(), Problem> {
        self.ledger.reopen_session(&session.id)?;
        let session = RemoteSession { state: RemoteState::Open, finish: None, ..session };
        let plan = self.plan(&session, 0, true, WAS_CLOSED);
        self.add(session, Task::Silent(Box::new(plan)), None);
        Ok(())
    }

    fn session_active(&mut self, id: &str, received_bytes: u64) {
        let now = Instant::now();
        let Some(open) = self.sessions.get_mut(id) else { return };
        (open.last_request, open.received_bytes) = (now, received_bytes);
        if now.duration_since(open.last_stored) >= ACTIVITY_INTERVAL {
            self.store_activity(id);
        }
    }

    fn store_activity(&mut self, id: &str) {
        let Some(open) = self.sessions.get_mut(id) else { return };
        let seen = SeenSession { id, received_bytes: open.received_bytes };
        match self.ledger.set_sessions_seen(&[seen], self.clock.utc()) {
            Ok(()) => (open.last_stored, open.stored_bytes) = (Instant::now(), open.received_bytes),
            Err(e) => tracing::warn!("the ledger could not store the time of a session's last request: {e}"),
        }
    }

    fn session_silent(&mut self, plan: Box<RemotePlan>) {
        self.has_freed_memory = true;
        self.store_activity(&plan.id);
        // A session that was released meanwhile is not in the list.
        if let Some(open) = self.sessions.get_mut(&plan.id) {
            let folder = open.folder.clone();
            open.task = Task::Silent(plan);
            self.notify_change(folder);
        }
    }

    /// Asks the session's task to close the session. Returns the receiver of the task's answer.
    fn close_session(&mut self, folder: &Path) -> Result<CloseAnswer, Problem> {
        let is_open = |s: &Open| s.folder == folder && s.state == RemoteState::Open;
        let found = self.sessions.iter().find(|(_, s)| is_open(s)).map(|(id, _)| id.clone());
        let commands = self.wake(&found.ok_or_else(Problem::not_open)?, WakeFor::Request).ok_or_else(Problem::busy)?;
        let (to, answer) = oneshot::channel();
        // A full queue means that the session is busy. The owner can try again.
        commands.try_send(SessionCommand::Close(CloseReason::Owner, to)).map_err(|_| Problem::busy())?;
        Ok(answer)
    }

    fn password_hash(&mut self, address: ClientAddress) -> Result<Option<String>, Problem> {
        let admitted = self.login_attempts.admit(address, Instant::now());
        admitted.map_err(|s| {
            let detail = format!("Logins from this network address have failed too often. Try again after {s} s.");
            Problem::too_fast(detail, s)
        })?;
        Ok(self.ledger.password()?)
    }

    fn scope_of_token(&self, token: &str) -> Result<Option<TokenScope>, Problem> {
        Ok(self.ledger.scope_of_token(&secrets::sha256(token))?)
    }

    /// Ends all logins if the command line has changed the password.
    fn refresh_password(&mut self) -> Result<(), StoreError> {
        let password = self.ledger.password()?;
        if password != self.password {
            self.password = password;
            self.logins.clear();
            self.password_changes.send_modify(|n| *n += 1);
        }
        Ok(())
    }

    fn refresh_totals(&mut self) -> Result<(), StoreError> {
        let mut received = self.ledger.received_bytes()?;
        // The ledger does not have the newest numbers of open sessions.
        received.extend(self.sessions.values().map(|s| ReceivedBytes {
            key: s.key.clone(),
            study: s.study.clone(),
            bytes: s.received_bytes.saturating_sub(s.stored_bytes),
        }));
        self.totals.set(&received);
        Ok(())
    }

    fn login(&mut self, address: ClientAddress, password_hash: &str) -> Result<(String, String), Problem> {
        self.login_attempts.succeeded(address);
        self.refresh_password()?;
        if self.password.as_deref() != Some(password_hash) {
            let detail = "The password was changed during the login. Enter the new password.";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "wrong-password", detail));
        }
        let failed = |_| Problem::busy();
        let (cookie, csrf) = (secrets::random_token("").map_err(failed)?, secrets::random_token("").map_err(failed)?);
        self.logins.insert(secrets::sha256(&cookie), Login { csrf: csrf.clone(), used: Instant::now() });
        Ok((cookie, csrf))
    }

    fn csrf_token_of(&mut self, cookie: &str) -> Result<Option<String>, Problem> {
        let hash = secrets::sha256(cookie);
        // An invented cookie costs no reading of the ledger.
        if !self.logins.contains_key(&hash) {
            return Ok(None);
        }
        self.refresh_password()?;
        let login = self.logins.get_mut(&hash).filter(|l| l.used.elapsed() < LOGIN);
        Ok(login.map(|login| {
            login.used = Instant::now();
            login.csrf.clone()
        }))
    }

    fn open_sessions(&self) -> Vec<OpenSession> {
        let open = self.sessions.values().map(|s| OpenSession {
            folder: s.folder.clone(),
            state: s.state,
            seen_s_ago: s.last_request.elapsed().as_secs_f64(),
            is_silent: s.is_silent(),
        });
        open.collect()
    }

    fn release_sessions(&mut self, which: &Release) -> Vec<oneshot::Receiver<()>> {
        let is_selected = |s: &Open| match which {
            Release::All => true,
            Release::Participant(participant) => s.participant == *participant,
            Release::Session(folder) => s.folder == *folder,
        };
        let selected: Vec<_> = self.sessions.extract_if(|_, s| is_selected(s)).collect();
        self.store_seen(&selected.iter().map(|(id, s)| (id.as_str(), s)).collect::<Vec<_>>());
        let mut released = Vec::new();
        for (_, session) in selected {
            released.extend(self.release(session));
        }
        released
    }

    fn store_seen(&mut self, sessions: &[(&str, &Open)]) {
        let seen = sessions.iter().map(|(id, s)| SeenSession { id, received_bytes: s.received_bytes });
        if let Err(e) = self.ledger.set_sessions_seen(&seen.collect::<Vec<_>>(), self.clock.utc()) {
            tracing::warn!("the ledger could not store what the sessions have received: {e}");
        }
    }

    /// The receiver is told when the session's files are released. `None` if it has none open.
    fn release(&mut self, session: Open) -> Option<oneshot::Receiver<()>> {
        self.notify_change(session.folder);
        let Task::Running { commands, .. } = session.task else { return None };
        let (to, done) = oneshot::channel();
        self.runtime.spawn(async move {
            // An error means that the task has ended and released its files.
            commands.send(SessionCommand::Release(to)).await.ok();
        });
        Some(done)
    }

    fn tick(&mut self) {
        self.refresh_changed_origins();
        if let Err(e) = self.refresh_password() {
            tracing::error!("the owner's password could not be read from the ledger: {e}");
        }
        self.logins.retain(|_, l| l.used.elapsed() < LOGIN);
        let now = Instant::now();
        self.starts.forget_full(now);
        self.invitations.forget_full(now);
        self.close_silent_sessions();
        if std::mem::take(&mut self.has_freed_memory) {
            self.runtime.spawn_blocking(memory::release_unused);
        }
    }

    /// Starts what nobody waits for: silent sessions release their files, and forgotten and finished sessions are closed.
    fn close_silent_sessions(&mut self) {
        let limits = self.config.limits.clone();
        let (mut to_close, mut closings) = (Vec::new(), 0);
        for (id, open) in &self.sessions {
            let silence = open.last_request.elapsed();
            match (&open.task, open.state) {
                _ if open.is_being_closed() => closings += 1,
                // The server was restarted, or its files could not be opened, for example because too many were open.
                (Task::Silent(_), RemoteState::Finished) => to_close.push((open.close_asked, id.clone())),
                (_, RemoteState::Open) if silence >= open.close_after(&limits) => {
                    to_close.push((open.close_asked, id.clone()));
                }
                (Task::Running { commands, .. }, RemoteState::Open) if silence >= limits.silent_after => {
                    // A full queue means that the session is not silent.
                    commands.try_send(SessionCommand::FallSilent).ok();
                }
                _ => {}
            }
        }
        // Sessions that could not be closed come last, so that they do not keep the others open.
        to_close.sort_unstable();
        for (_, id) in to_close.into_iter().take(MAX_CLOSINGS.saturating_sub(closings)) {
            self.close_unattended(&id);
        }
    }

    fn close_unattended(&mut self, id: &str) {
        let is_full = self.running.is_full(&self.config);
        let Some(open) = self.sessions.get_mut(id) else { return };
        // A finished session runs until its video is converted, so it needs room. Closing an open session makes room.
        if open.state == RemoteState::Finished && is_full {
            return;
        }
        open.close_asked = Some(Instant::now());
        let is_open = open.state == RemoteState::Open;
        if let Some(commands) = self.wake(id, WakeFor::Closing)
            && is_open
        {
            // Nobody waits for the answer. A full queue means that the session is not silent.
            commands.try_send(SessionCommand::Close(CloseReason::Silence, oneshot::channel().0)).ok();
        }
    }

    /// The command line creates and revokes keys while the server runs.
    fn refresh_changed_origins(&mut self) {
        match self.ledger.has_changed() {
            Ok(false) => {}
            Ok(true) => self.refresh_origins(),
            Err(e) => tracing::error!("the ledger could not be read: {e}"),
        }
    }

    /// Whether a write key allows pages of this origin. Also knows a key that another program has just made.
    fn is_origin_allowed(&mut self, origin: &str) -> bool {
        self.refresh_changed_origins();
        self.origins.borrow().iter().any(|o| o == origin)
    }

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

    fn notify_change(&mut self, folder: PathBuf) {
        self.changes.send_modify(|n| *n += 1);
        if self.changed.len() >= KNOWN_CHANGES {
            self.changed.pop_front();
        }
        self.changed.push_back((*self.changes.borrow(), folder));
    }

    fn changes_since(&self, version: Option<u64>) -> Changes {
        let newest = *self.changes.borrow();
        let oldest = self.changed.front().map_or(newest, |(first, _)| first - 1);
        let known = version.filter(|version| (oldest..=newest).contains(version));
        let after = |known: u64| self.changed.iter().filter(move |(n, _)| *n > known).map(|(_, f)| f.clone()).collect();
        Changes { version: newest, folders: known.map(after) }
    }

    /// A failure is only logged. The session file holds the session, and a restart determines its state again.
    fn store_state(&mut self, id: &str, state: RemoteState, finish: Option<&str>) {
        let now = self.clock.utc();
        let stored = match self.sessions.get_mut(id) {
            Some(open) => {
                let seen = SeenSession { id, received_bytes: open.received_bytes };
                let stored = self.ledger.set_session_state_and_seen(&seen, now, state, finish);
                if stored.is_ok() {
                    (open.last_stored, open.stored_bytes) = (Instant::now(), open.received_bytes);
                }
                stored
            }
            None => self.ledger.set_session_state(id, state, finish),
        };
        if let Err(e) = stored {
            tracing::error!("the ledger could not store the state `{state:?}` of session {id}: {e}");
        }
        if let Some(open) = self.sessions.get_mut(id) {
            open.state = state;
            let folder = open.folder.clone();
            self.notify_change(folder);
        }
    }
}
