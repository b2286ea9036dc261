//! The state that every request may use.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use tokio::sync::Semaphore;

use super::address::ClientAddress;
use super::clock::ServerClock;
use super::config::ServerConfig;
use super::file_permits::FilePermits;
use super::hub_client::HubClient;
use super::links::LinkKey;
use super::pool::VisionPool;
use store::Library;

#[derive(Clone)]
pub struct App {
    pub config: Arc<ServerConfig>,
    pub hub: HubClient,
    pub clock: ServerClock,
    pub pool: VisionPool,
    pub library: Library,
    /// For identifiers in recruiting links.
    pub link_key: LinkKey,
    pub file_permits: FilePermits,
    /// Limits how many requests of the owner read sessions at the same time.
    pub read_permits: Arc<Semaphore>,
    /// Limits how many studies are exported or compared at the same time.
    pub long_read_permits: Arc<Semaphore>,
    /// Limits how many passwords are checked at the same time.
    pub login_permits: Arc<Semaphore>,
    pub description: Arc<utoipa::openapi::OpenApi>,
}

impl FromRequestParts<App> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<ClientAddress, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Ok(ClientAddress::of(peer, &parts.headers, &app.config.trusted_proxies))
    }
}
