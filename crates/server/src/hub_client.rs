//! The commands of the thread `hub`, and the handle that sends them. Requests and sessions hold a [`HubClient`].

use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::Sender;
use tokio::sync::{mpsc, oneshot, watch};

use super::problem::Problem;
use super::remote_plan::{OpenedRecorder, RemotePlan};
use super::session_command::SessionCommand;
use super::wire::Finish;
use store::{RemoteSession, RemoteState, Sha256, WriteKey};

/// What a request needs of an open session.
#[derive(Clone)]
pub struct SessionHandle {
    pub token_sha256: Sha256,
    pub origin: String,
    pub commands: mpsc::Sender<SessionCommand>,
}

/// The result of looking up a session by its identifier.
pub enum SessionLookup {
    Open(SessionHandle),
    /// The session's token now only proves that the session is closed.
    Closed {
        token_sha256: Sha256,
        finish: Option<Finish>,
    },
    Unknown,
}

/// Permission to begin a session.
#[derive(Debug)]
pub struct Admission {
    /// A number for a participant who has none yet.
    pub number: Option<u32>,
}

/// What the dashboard shows of an open session.
#[derive(Clone, Debug)]
pub struct OpenSession {
    pub folder: PathBuf,
    pub state: RemoteState,
    pub seen_s_ago: f64,
}

/// A command with the sender of its answer.
pub enum HubCommand {
    FindSession(String, oneshot::Sender<Result<SessionLookup, Problem>>),
    AdmitSession {
        key: String,
        study: String,
        origin: String,
        wants_number: bool,
        to: oneshot::Sender<Result<Admission, Problem>>,
    },
    /// Answers with why no session can begin, or `None` if one can.
    Invite {
        key: String,
        study: String,
        origins: Vec<String>,
        to: oneshot::Sender<Result<Option<String>, Problem>>,
    },
    RegisterSession(Box<(RemoteSession, RemotePlan, OpenedRecorder)>, oneshot::Sender<Result<(), Problem>>),
    SessionActive(String),
    SetState(String, RemoteState, Option<String>),
    SessionClosed(String),
    PasswordHash(oneshot::Sender<Result<Option<String>, Problem>>),
    Login(oneshot::Sender<Result<(String, String), Problem>>),
    CheckCookie(String, oneshot::Sender<Option<String>>),
    Logout(String),
    CheckApiToken(String, oneshot::Sender<Result<bool, Problem>>),
    ListKeys(oneshot::Sender<Result<Vec<WriteKey>, Problem>>),
    OpenSessions(oneshot::Sender<Vec<OpenSession>>),
    SessionCommands(PathBuf, oneshot::Sender<Option<mpsc::Sender<SessionCommand>>>),
    ReleaseSessions {
        participant: Option<String>,
        to: oneshot::Sender<Vec<oneshot::Receiver<()>>>,
    },
    ForgetParticipant(String, oneshot::Sender<Result<(), Problem>>),
    Stop,
}

/// Sends commands to the hub.
#[derive(Clone)]
pub struct HubClient {
    commands: Sender<HubCommand>,
    /// Origins that at least one key allows.
    pub origins: watch::Receiver<Arc<Vec<String>>>,
    /// Increases when a session begins, ends or changes.
    pub changes: watch::Receiver<u64>,
}

impl HubClient {
    pub fn new(
        commands: Sender<HubCommand>,
        origins: watch::Receiver<Arc<Vec<String>>>,
        changes: watch::Receiver<u64>,
    ) -> Self {
        HubClient { commands, origins, changes }
    }

    async fn request<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> HubCommand) -> Result<T, Problem> {
        let (to, answer) = oneshot::channel();
        self.commands.try_send(command(to)).map_err(|_| Problem::busy())?;
        answer.await.map_err(|_| Problem::busy())
    }

    pub async fn find(&self, id: &str) -> Result<SessionLookup, Problem> {
        self.request(|to| HubCommand::FindSession(id.to_owned(), to)).await?
    }

    pub async fn admit(&self, key: &str, study: &str, origin: &str, wants_number: bool) -> Result<Admission, Problem> {
        let (key, study, origin) = (key.to_owned(), study.to_owned(), origin.to_owned());
        self.request(|to| HubCommand::AdmitSession { key, study, origin, wants_number, to }).await?
    }

    /// Why no session can begin, or `None` if one can. One of the `origins` must be allowed by the key.
    pub async fn invite(&self, key: &str, study: &str, origins: Vec<String>) -> Result<Option<String>, Problem> {
        let (key, study) = (key.to_owned(), study.to_owned());
        self.request(|to| HubCommand::Invite { key, study, origins, to }).await?
    }

    pub async fn register(
        &self,
        session: RemoteSession,
        plan: RemotePlan,
        opened: OpenedRecorder,
    ) -> Result<(), Problem> {
        self.request(|to| HubCommand::RegisterSession(Box::new((session, plan, opened)), to)).await?
    }

    /// The Argon2 hash of the owner's password. `None` where the server has no owner yet.
    pub async fn password_hash(&self) -> Result<Option<String>, Problem> {
        self.request(HubCommand::PasswordHash).await?
    }

    /// Creates a login. Returns the cookie's value and the CSRF token.
    pub async fn login(&self) -> Result<(String, String), Problem> {
        self.request(HubCommand::Login).await?
    }

    /// The CSRF token of a valid cookie.
    pub async fn check_cookie(&self, cookie: &str) -> Result<Option<String>, Problem> {
        self.request(|to| HubCommand::CheckCookie(cookie.to_owned(), to)).await
    }

    pub fn logout(&self, cookie: &str) {
        self.send(HubCommand::Logout(cookie.to_owned()));
    }

    pub async fn is_api_token(&self, token: &str) -> Result<bool, Problem> {
        self.request(|to| HubCommand::CheckApiToken(token.to_owned(), to)).await?
    }

    pub async fn keys(&self) -> Result<Vec<WriteKey>, Problem> {
        self.request(HubCommand::ListKeys).await?
    }

    pub async fn open_sessions(&self) -> Result<Vec<OpenSession>, Problem> {
        self.request(HubCommand::OpenSessions).await
    }

    /// The sender of commands to the open session in `folder`.
    pub async fn commands_of(&self, folder: PathBuf) -> Result<Option<mpsc::Sender<SessionCommand>>, Problem> {
        self.request(|to| HubCommand::SessionCommands(folder, to)).await
    }

    /// Releases the open sessions of one participant, or all, without closing them. Returns when their files are
    /// released.
    pub async fn release_sessions(&self, participant: Option<String>) -> Result<(), Problem> {
        for released in self.request(|to| HubCommand::ReleaseSessions { participant, to }).await? {
            // An error means that the task has ended. Its files are released then, too.
            released.await.ok();
        }
        Ok(())
    }

    pub async fn forget_participant(&self, participant: &str) -> Result<(), Problem> {
        self.request(|to| HubCommand::ForgetParticipant(participant.to_owned(), to)).await?
    }

    pub fn session_active(&self, id: &str) {
        self.send(HubCommand::SessionActive(id.to_owned()));
    }

    pub fn set_state(&self, id: &str, state: RemoteState, finish: Option<&Finish>) {
        // Serializing a map of numbers does not fail.
        let finish = finish.and_then(|f| serde_json::to_string(f).ok());
        self.send(HubCommand::SetState(id.to_owned(), state, finish));
    }

    pub fn session_closed(&self, id: &str) {
        self.send(HubCommand::SessionClosed(id.to_owned()));
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
