//! The commands of the thread `hub`, and the handle that sends them. Requests and sessions hold a [`HubClient`].

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::Sender;
use tokio::sync::{mpsc, oneshot, watch};

use super::address::ClientAddress;
use super::enrolment::{EnrolRequest, Enrolled};
use super::problem::Problem;
use super::quota::SessionQuota;
use super::remote_plan::{OpenedRecorder, RemotePlan};
use super::reply::reply;
use super::session_command::SessionCommand;
use super::wire::Finish;
use store::{Ledger, RemoteSession, RemoteState, Sha256, StoreError, TokenScope};

/// The result of looking up a session for a request with a token from a page of an origin.
pub enum SessionLookup {
    Open(mpsc::Sender<SessionCommand>),
    /// The token now only proves that the session is closed.
    Closed {
        finish: Option<Finish>,
    },
}

/// Who wants to know whether a session could begin. The key must allow one of the `origins`.
#[derive(Clone, Debug)]
pub struct InvitationRequest {
    pub key: String,
    pub study: String,
    pub origins: Vec<String>,
    pub address: ClientAddress,
}

/// Who wants to begin a session.
#[derive(Clone, Debug)]
pub struct StartRequest {
    pub key: String,
    pub study: String,
    pub origin: String,
    pub address: ClientAddress,
}

/// Which open sessions are released.
#[derive(Clone, Debug)]
pub enum Release {
    All,
    Participant(String),
    /// By its folder.
    Session(PathBuf),
}

/// A visitor who wants to read or to delete the own session.
#[derive(Clone, Debug)]
pub struct VisitorAccess {
    pub id: String,
    pub token_sha256: Sha256,
    /// The origins that the request can come from.
    pub origins: Vec<String>,
}

/// The session of a visitor.
#[derive(Clone, Debug)]
pub struct Visit {
    pub folder: PathBuf,
    pub study: String,
    /// It was erased before.
    pub is_erased: bool,
}

/// The receivers are told when the session's files are released.
pub type EndedVisit = (Visit, Vec<oneshot::Receiver<()>>);

/// What the dashboard shows of an open session.
#[derive(Clone, Debug)]
pub struct OpenSession {
    pub folder: PathBuf,
    pub state: RemoteState,
    pub seen_s_ago: f64,
    /// Its files and threads are released until the next request.
    pub is_silent: bool,
}

/// What has changed in the list of sessions.
pub struct Changes {
    /// Counts the changes.
    pub version: u64,
    /// Folders of the sessions that have changed. `None` if that is not known.
    pub folders: Option<HashSet<PathBuf>>,
}

/// The answer of a session's task that was asked to close the session.
pub type CloseAnswer = oneshot::Receiver<Result<(), Problem>>;

/// A command with the sender of its answer.
pub enum HubCommand {
    FindSession {
        id: String,
        token_sha256: Sha256,
        origin: String,
        to: oneshot::Sender<Result<SessionLookup, Problem>>,
    },
    /// Answers with the session that this token belongs to, open or closed.
    FindVisit(VisitorAccess, oneshot::Sender<Result<Visit, Problem>>),
    /// The same. The session accepts no data from now on. The receiver is told when its files are released.
    EndVisit(VisitorAccess, oneshot::Sender<Result<EndedVisit, Problem>>),
    /// The files of the session are erased.
    ForgetVisit {
        id: String,
        folder: PathBuf,
        to: oneshot::Sender<Result<(), Problem>>,
    },
    /// Answers with why no session can begin, or `None` if one can.
    Invite(InvitationRequest, oneshot::Sender<Result<Option<String>, Problem>>),
    AdmitSession(StartRequest, oneshot::Sender<Result<SessionQuota, Problem>>),
    RegisterSession(Box<NewRemoteSession>, oneshot::Sender<Result<(), Problem>>),
    /// A request was answered. The session has received this number of bytes in total.
    SessionActive(String, u64),
    /// The session has released its files and its task has ended. It goes on with the plan.
    SessionSilent(Box<RemotePlan>),
    SetState(String, RemoteState, Option<String>),
    SessionClosed(String),
    SessionMayGoOn(String),
    CloseSession(PathBuf, oneshot::Sender<Result<CloseAnswer, Problem>>),
    PasswordHash(ClientAddress, oneshot::Sender<Result<Option<String>, Problem>>),
    Login {
        address: ClientAddress,
        /// The hash of the password that was given.
        password_hash: String,
        to: oneshot::Sender<Result<(String, String), Problem>>,
    },
    CheckCookie(String, oneshot::Sender<Result<Option<String>, Problem>>),
    Logout(String),
    CheckApiToken(String, oneshot::Sender<Result<Option<TokenScope>, Problem>>),
    /// Runs a short request to the ledger.
    Ledger(Box<dyn FnOnce(&Ledger) + Send>),
    /// The same, and reads the keys again.
    ChangeKeys(Box<dyn FnOnce(&Ledger) + Send>),
    IsOriginAllowed(String, oneshot::Sender<bool>),
    Enrol(Box<EnrolRequest>, oneshot::Sender<Result<Enrolled, Problem>>),
    OpenSessions(oneshot::Sender<Vec<OpenSession>>),
    ChangesSince(Option<u64>, oneshot::Sender<Changes>),
    SessionCommands(PathBuf, oneshot::Sender<Option<mpsc::Sender<SessionCommand>>>),
    ReleaseSessions(Release, oneshot::Sender<Vec<oneshot::Receiver<()>>>),
    ForgetParticipant {
        participant: String,
        folders: Vec<PathBuf>,
        to: oneshot::Sender<Result<bool, Problem>>,
    },
    ForgetSession(PathBuf, oneshot::Sender<Result<(), Problem>>),
    Stop,
}

/// A session that has begun.
pub struct NewRemoteSession {
    pub session: RemoteSession,
    pub address: ClientAddress,
    pub plan: RemotePlan,
    pub opened: OpenedRecorder,
}

async fn all_released(sessions: Vec<oneshot::Receiver<()>>) {
    for released in sessions {
        // An error means that the task has ended. Its files are released then, too.
        released.await.ok();
    }
}

/// Sends commands to the hub.
#[derive(Clone)]
pub struct HubClient {
    commands: Sender<HubCommand>,
    /// Origins that at least one key allows.
    origins: watch::Receiver<Arc<Vec<String>>>,
    /// Increases when a session begins, ends or changes.
    pub changes: watch::Receiver<u64>,
    /// Increases when the owner's password changes. All logins end then.
    pub password_changes: watch::Receiver<u64>,
}

impl HubClient {
    pub fn new(
        commands: Sender<HubCommand>,
        origins: watch::Receiver<Arc<Vec<String>>>,
        changes: watch::Receiver<u64>,
        password_changes: watch::Receiver<u64>,
    ) -> Self {
        HubClient { commands, origins, changes, password_changes }
    }

    async fn request<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> HubCommand) -> Result<T, Problem> {
        let (to, answer) = oneshot::channel();
        self.commands.try_send(command(to)).map_err(|_| Problem::busy())?;
        answer.await.map_err(|_| Problem::busy())
    }

    pub async fn find(&self, id: &str, token_sha256: Sha256, origin: &str) -> Result<SessionLookup, Problem> {
        let (id, origin) = (id.to_owned(), origin.to_owned());
        self.request(|to| HubCommand::FindSession { id, token_sha256, origin, to }).await?
    }

    pub async fn find_visit(&self, access: VisitorAccess) -> Result<Visit, Problem> {
        self.request(|to| HubCommand::FindVisit(access, to)).await?
    }

    /// Ends the session. Returns when its files are released.
    pub async fn end_visit(&self, access: VisitorAccess) -> Result<Visit, Problem> {
        let (visit, released) = self.request(|to| HubCommand::EndVisit(access, to)).await??;
        all_released(released).await;
        Ok(visit)
    }

    pub async fn forget_visit(&self, id: &str, folder: PathBuf) -> Result<(), Problem> {
        let id = id.to_owned();
        self.request(|to| HubCommand::ForgetVisit { id, folder, to }).await?
    }

    pub async fn admit(&self, request: StartRequest) -> Result<SessionQuota, Problem> {
        self.request(|to| HubCommand::AdmitSession(request, to)).await?
    }

    /// Why no session can begin, or `None` if one can.
    pub async fn invite(&self, request: InvitationRequest) -> Result<Option<String>, Problem> {
        self.request(|to| HubCommand::Invite(request, to)).await?
    }

    pub async fn register(&self, new: NewRemoteSession) -> Result<(), Problem> {
        self.request(|to| HubCommand::RegisterSession(Box::new(new), to)).await?
    }

    /// The Argon2 hash of the owner's password, for one attempt from this address. `None` where the server has no owner yet.
    pub async fn password_hash(&self, address: ClientAddress) -> Result<Option<String>, Problem> {
        self.request(|to| HubCommand::PasswordHash(address, to)).await?
    }

    /// Creates a login after the password was checked. Returns the cookie's value and the CSRF token.
    pub async fn login(&self, address: ClientAddress, password_hash: String) -> Result<(String, String), Problem> {
        self.request(|to| HubCommand::Login { address, password_hash, to }).await?
    }

    /// The CSRF token of a valid cookie.
    pub async fn check_cookie(&self, cookie: &str) -> Result<Option<String>, Problem> {
        self.request(|to| HubCommand::CheckCookie(cookie.to_owned(), to)).await?
    }

    pub fn logout(&self, cookie: &str) {
        self.send(HubCommand::Logout(cookie.to_owned()));
    }

    /// `None` for an unknown token.
    pub async fn scope_of_token(&self, token: &str) -> Result<Option<TokenScope>, Problem> {
        self.request(|to| HubCommand::CheckApiToken(token.to_owned(), to)).await?
    }

    pub async fn enrol(&self, request: EnrolRequest) -> Result<Enrolled, Problem> {
        self.request(|to| HubCommand::Enrol(Box::new(request), to)).await?
    }

    /// Runs a short request to the ledger in the hub's thread.
    pub async fn ledger<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Ledger) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        Ok(self.request(|to| HubCommand::Ledger(Box::new(move |ledger| reply(to, run(ledger))))).await??)
    }

    /// Changes the write keys. Pages with a new key are answered from now on.
    pub async fn change_keys<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Ledger) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        Ok(self.request(|to| HubCommand::ChangeKeys(Box::new(move |ledger| reply(to, run(ledger))))).await??)
    }

    /// Whether a write key allows pages of this origin. A key that was made a moment ago counts.
    pub async fn is_origin_allowed(&self, origin: &str) -> bool {
        if self.origins.borrow().iter().any(|o| o == origin) {
            return true;
        }
        // A busy hub means that the page has to ask again.
        self.request(|to| HubCommand::IsOriginAllowed(origin.to_owned(), to)).await.unwrap_or(false)
    }

    pub async fn open_sessions(&self) -> Result<Vec<OpenSession>, Problem> {
        self.request(HubCommand::OpenSessions).await
    }

    /// What has changed in the list of sessions after `version`.
    pub async fn changes_since(&self, version: Option<u64>) -> Result<Changes, Problem> {
        self.request(|to| HubCommand::ChangesSince(version, to)).await
    }

    /// Closes the open session in `folder` as it is. Fails if it is not open, or if its file cannot be written.
    pub async fn close_session(&self, folder: PathBuf) -> Result<(), Problem> {
        let answer = self.request(|to| HubCommand::CloseSession(folder, to)).await??;
        answer.await.map_err(|_| Problem::busy())?
    }

    /// The sender of commands to the open session in `folder`. `None` if it is silent.
    pub async fn commands_of(&self, folder: PathBuf) -> Result<Option<mpsc::Sender<SessionCommand>>, Problem> {
        self.request(|to| HubCommand::SessionCommands(folder, to)).await
    }

    /// Releases open sessions without closing them. Returns when their files are released.
    pub async fn release_sessions(&self, which: Release) -> Result<(), Problem> {
        all_released(self.request(|to| HubCommand::ReleaseSessions(which, to)).await?).await;
        Ok(())
    }

    /// `folders` are those of the participant's erased sessions.
    /// Returns whether the ledger contained anything of the participant.
    pub async fn forget_participant(&self, participant: &str, folders: Vec<PathBuf>) -> Result<bool, Problem> {
        let participant = participant.to_owned();
        self.request(|to| HubCommand::ForgetParticipant { participant, folders, to }).await?
    }

    /// `folder` is that of the erased session.
    pub async fn forget_session(&self, folder: PathBuf) -> Result<(), Problem> {
        self.request(|to| HubCommand::ForgetSession(folder, to)).await?
    }

    pub fn session_active(&self, id: &str, received_bytes: u64) {
        self.send(HubCommand::SessionActive(id.to_owned(), received_bytes));
    }

    pub fn session_silent(&self, plan: RemotePlan) {
        self.send(HubCommand::SessionSilent(Box::new(plan)));
    }

    pub fn set_state(&self, id: &str, state: RemoteState, finish: Option<&Finish>) {
        // Serializing a map of numbers does not fail.
        let finish = finish.and_then(|f| serde_json::to_string(f).ok());
        self.send(HubCommand::SetState(id.to_owned(), state, finish));
    }

    pub fn session_closed(&self, id: &str) {
        self.send(HubCommand::SessionClosed(id.to_owned()));
    }

    /// The session is being closed because it is silent. It goes on if its browser sends another request.
    pub fn session_may_go_on(&self, id: &str) {
        self.send(HubCommand::SessionMayGoOn(id.to_owned()));
    }

    pub fn stop(&self) {
        self.send(HubCommand::Stop);
    }

    /// Blocks while the queue is full. That is short, because the hub never waits for a session.
    fn send(&self, command: HubCommand) {
        // Sending fails only after the hub has ended. The command has no effect then.
        self.commands.send(command).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that was stored was answered with 503 if the hub's queue was full a moment later.
    #[test]
    fn a_key_that_was_made_is_never_answered_as_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (commands, received) = crossbeam_channel::bounded(1);
        let filler = commands.clone();
        let client =
            HubClient::new(commands, watch::channel(Arc::default()).1, watch::channel(0).1, watch::channel(0).1);
        let root = dir.path().to_owned();
        let hub = std::thread::spawn(move || {
            let ledger = Ledger::open(&root).unwrap();
            let command = received.recv().unwrap();
            filler.send(HubCommand::Logout(String::new())).unwrap();
            match command {
                HubCommand::Ledger(run) | HubCommand::ChangeKeys(run) => run(&ledger),
                _ => panic!("another command"),
            }
            received
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let known = runtime.block_on(client.change_keys(|ledger| ledger.revoke_key("agk_none"))).unwrap();
        assert!(!known);
        hub.join().unwrap();
    }
}
