//! What may be asked of the hub, and how: requests and sessions hold a [`HubClient`] and never the hub itself.

use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::Sender;
use tokio::sync::{mpsc, oneshot, watch};

use super::orders::{Opened, Order, RemotePlan};
use super::problem::Problem;
use super::wire::Finish;
use store::{RemoteSession, RemoteState, Sha256, WriteKey};

/// An open session, as requests need it.
#[derive(Clone)]
pub struct SessionHandle {
    pub token_sha256: Sha256,
    pub origin: String,
    pub orders: mpsc::Sender<Order>,
}

/// What there is of a session's identifier.
pub enum Found {
    Open(SessionHandle),
    /// Closed: its token still opens nothing but the knowledge of that.
    Closed {
        token_sha256: Sha256,
        finish: Option<Finish>,
    },
    Unknown,
}

/// Leave to begin a session.
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

/// A question, and where its answer goes.
pub enum Ask {
    Find(String, oneshot::Sender<Result<Found, Problem>>),
    Admit {
        key: String,
        study: String,
        origin: String,
        wants_number: bool,
        to: oneshot::Sender<Result<Admission, Problem>>,
    },
    Register(Box<(RemoteSession, RemotePlan, Opened)>, oneshot::Sender<Result<(), Problem>>),
    Seen(String),
    SetState(String, RemoteState, Option<String>),
    Closed(String),
    Password(oneshot::Sender<Result<Option<String>, Problem>>),
    Login(oneshot::Sender<Result<(String, String), Problem>>),
    Owner(String, oneshot::Sender<Option<String>>),
    Logout(String),
    ApiToken(String, oneshot::Sender<Result<bool, Problem>>),
    Keys(oneshot::Sender<Result<Vec<WriteKey>, Problem>>),
    Open(oneshot::Sender<Vec<OpenSession>>),
    Orders(PathBuf, oneshot::Sender<Option<mpsc::Sender<Order>>>),
    Leave {
        participant: Option<String>,
        to: oneshot::Sender<Vec<oneshot::Receiver<()>>>,
    },
    Forget(String, oneshot::Sender<Result<(), Problem>>),
    Stop,
}

/// How everybody else asks.
#[derive(Clone)]
pub struct HubClient {
    ask: Sender<Ask>,
    /// Origins that any key allows.
    pub origins: watch::Receiver<Arc<Vec<String>>>,
    /// Counts up whenever a session begins, ends or changes.
    pub changes: watch::Receiver<u64>,
}

impl HubClient {
    pub fn new(ask: Sender<Ask>, origins: watch::Receiver<Arc<Vec<String>>>, changes: watch::Receiver<u64>) -> Self {
        HubClient { ask, origins, changes }
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, Problem> {
        let (to, answer) = oneshot::channel();
        self.ask.try_send(question(to)).map_err(|_| Problem::busy())?;
        answer.await.map_err(|_| Problem::busy())
    }

    pub async fn find(&self, id: &str) -> Result<Found, Problem> {
        self.ask(|to| Ask::Find(id.to_owned(), to)).await?
    }

    pub async fn admit(&self, key: &str, study: &str, origin: &str, wants_number: bool) -> Result<Admission, Problem> {
        let (key, study, origin) = (key.to_owned(), study.to_owned(), origin.to_owned());
        self.ask(|to| Ask::Admit { key, study, origin, wants_number, to }).await?
    }

    pub async fn register(&self, session: RemoteSession, plan: RemotePlan, opened: Opened) -> Result<(), Problem> {
        self.ask(|to| Ask::Register(Box::new((session, plan, opened)), to)).await?
    }

    pub async fn password(&self) -> Result<Option<String>, Problem> {
        self.ask(Ask::Password).await?
    }

    /// Makes a login: the cookie's value, and the word that changes must bring along.
    pub async fn login(&self) -> Result<(String, String), Problem> {
        self.ask(Ask::Login).await?
    }

    /// The word that changes must bring along, where the cookie is good.
    pub async fn owner(&self, cookie: &str) -> Result<Option<String>, Problem> {
        self.ask(|to| Ask::Owner(cookie.to_owned(), to)).await
    }

    pub fn logout(&self, cookie: &str) {
        self.tell(Ask::Logout(cookie.to_owned()));
    }

    pub async fn is_api_token(&self, token: &str) -> Result<bool, Problem> {
        self.ask(|to| Ask::ApiToken(token.to_owned(), to)).await?
    }

    pub async fn keys(&self) -> Result<Vec<WriteKey>, Problem> {
        self.ask(Ask::Keys).await?
    }

    pub async fn open_sessions(&self) -> Result<Vec<OpenSession>, Problem> {
        self.ask(Ask::Open).await
    }

    /// How to ask the open session in `folder`.
    pub async fn orders_of(&self, folder: PathBuf) -> Result<Option<mpsc::Sender<Order>>, Problem> {
        self.ask(|to| Ask::Orders(folder, to)).await
    }

    /// Leaves the open sessions of one participant, or all, where they are; returns when their files are let go.
    pub async fn leave(&self, participant: Option<String>) -> Result<(), Problem> {
        for left in self.ask(|to| Ask::Leave { participant, to }).await? {
            // A task that has ended already has let go.
            drop(left.await);
        }
        Ok(())
    }

    pub async fn forget(&self, participant: &str) -> Result<(), Problem> {
        self.ask(|to| Ask::Forget(participant.to_owned(), to)).await?
    }

    pub fn seen(&self, id: &str) {
        self.tell(Ask::Seen(id.to_owned()));
    }

    pub fn set_state(&self, id: &str, state: RemoteState, finish: Option<&Finish>) {
        // A map of numbers always becomes JSON.
        let finish = finish.and_then(|f| serde_json::to_string(f).ok());
        self.tell(Ask::SetState(id.to_owned(), state, finish));
    }

    pub fn closed(&self, id: &str) {
        self.tell(Ask::Closed(id.to_owned()));
    }

    pub fn stop(&self) {
        self.tell(Ask::Stop);
    }

    /// Waits for room, which is there in no time: the hub never waits for anybody.
    fn tell(&self, ask: Ask) {
        // A hub that is gone needs to hear nothing.
        drop(self.ask.send(ask));
    }
}
