//! The state that every request may use.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::clock::ServerClock;
use super::config::ServerConfig;
use super::file_permits::FilePermits;
use super::hub_client::HubClient;
use super::pool::VisionPool;
use store::Library;

#[derive(Clone)]
pub struct App {
    pub config: Arc<ServerConfig>,
    pub hub: HubClient,
    pub clock: ServerClock,
    pub pool: VisionPool,
    pub library: Library,
    pub file_permits: FilePermits,
    /// Limits how many requests of the owner read sessions at the same time.
    pub read_permits: Arc<Semaphore>,
    /// Limits how many passwords are checked at the same time.
    pub login_permits: Arc<Semaphore>,
    pub description: Arc<utoipa::openapi::OpenApi>,
}
