//! Starts and stops the server. Sessions that are open when it stops are resumed at the next start.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::accept::DefaultAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use tokio::sync::Semaphore;

use super::app::App;
use super::client_files;
use super::clock::ServerClock;
use super::config::{ServeError, ServerConfig};
use super::export_api;
use super::file_permits::FilePermits;
use super::hub::{self, HubParts};
use super::hub_client::{HubClient, Release};
use super::links::{self, LinkKey};
use super::pool::{PoolThreads, VisionPool};
use super::routes::{description, router};
use super::secrets;
use store::{Ledger, Library, PARTICIPANTS_FILE, StoreError};

/// Time-out for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_HEAD_BYTES: u32 = 64 * 1024;
/// Requests of one HTTP/2 connection at the same time.
const MAX_STREAMS: u32 = 100;
/// An HTTP/2 connection that does not answer pings is closed.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time-out for the requests in progress when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// Requests of the owner that read sessions at the same time.
const READ_PERMITS: usize = 2;
/// Exports and comparisons of whole studies. They do not delay the pages of the dashboard.
const LONG_READ_PERMITS: usize = 1;
/// Passwords that are checked at the same time. Each check takes 19 MB and a tenth of a second. The limit slows down
/// guessing and bounds its cost for the server.
const LOGIN_PERMITS: usize = 2;

/// A running server. [`Running::stop`] stops it. A killed server loses nothing that it has acknowledged.
pub struct Running {
    pub address: SocketAddr,
    runtime: tokio::runtime::Runtime,
    handle: Handle<SocketAddr>,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
    hub: HubClient,
    hub_thread: std::thread::JoinHandle<()>,
    pool_threads: PoolThreads,
}

/// A folder of sessions without its list of participants may be a disk that is not mounted: then nothing is forgotten.
fn forget_erased(ledger: &Ledger, library: &Library) -> Result<(), StoreError> {
    let root = library.root();
    if root.join(PARTICIPANTS_FILE).exists() { ledger.forget_erased_folders(root) } else { Ok(()) }
}

/// The server listens when this returns. A server without an owner also starts: browsers can record, and nobody can read
/// the sessions.
pub fn serve(config: ServerConfig) -> Result<Running, ServeError> {
    config.check()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("server").enable_all().build()?;
    let ledger = Ledger::open(&config.sessions)?;
    let library = Library::open(&config.sessions)?.with_studies(&config.studies);
    if let Err(e) = forget_erased(&ledger, &library) {
        tracing::warn!("sessions that were erased while the server was stopped are still in the ledger: {e}");
    }
    let link_key = LinkKey::new(ledger.secret(links::SECRET, secrets::random()?)?);
    let listener = std::net::TcpListener::bind(config.address);
    let listener = listener.and_then(|l| l.set_nonblocking(true).map(|()| l));
    let listener = listener.map_err(|source| ServeError::Listen { address: config.address, source })?;
    let address = listener.local_addr()?;
    let tls = config.tls.clone();
    let tls = tls.map(|(certificate, key)| runtime.block_on(tls_config(certificate, key))).transpose()?;

    let (pool, pool_threads) = VisionPool::start(config.vision_threads, config.models.clone())?;
    let (config, clock) = (Arc::new(config), ServerClock::start());
    let file_permits = FilePermits::new();
    let parts = HubParts {
        config: config.clone(),
        clock,
        ledger,
        library: library.clone(),
        pool: pool.clone(),
        file_permits: file_permits.clone(),
    };
    if let Err(e) = client_files::keep(&config.sessions) {
        tracing::warn!("the browsers' library was not copied into the server's folder: {e}");
    }
    if let Err(e) = export_api::remove_leftovers(&config.sessions) {
        tracing::warn!("what earlier downloads left was not removed: {e}");
    }
    let (hub, hub_thread) = hub::start(parts, runtime.handle().clone())?;
    let app = App {
        config,
        hub: hub.clone(),
        clock,
        pool,
        library,
        link_key,
        file_permits,
        read_permits: Arc::new(Semaphore::new(READ_PERMITS)),
        long_read_permits: Arc::new(Semaphore::new(LONG_READ_PERMITS)),
        login_permits: Arc::new(Semaphore::new(LOGIN_PERMITS)),
        description: Arc::new(description()),
    };
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let handle = Handle::new();
    let _in_runtime = runtime.enter();
    let mut server = axum_server::from_tcp(listener)?.handle(handle.clone()).first_request_timeout(HEAD_TIMEOUT);
    let http = server.http_builder();
    http.http1().header_read_timeout(HEAD_TIMEOUT).max_buf_size(MAX_HEAD_BYTES as usize);
    http.http2()
        .max_header_list_size(MAX_HEAD_BYTES)
        .max_concurrent_streams(MAX_STREAMS)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_INTERVAL);
    let served = match tls {
        // Browsers use HTTP/2 only over TLS. Proxies use HTTP/1.1.
        None => runtime.spawn(server.http1_only().serve(service)),
        Some(tls) => {
            let acceptor = RustlsAcceptor::<DefaultAcceptor>::new(tls).handshake_timeout(HANDSHAKE_TIMEOUT);
            runtime.spawn(server.acceptor(acceptor).serve(service))
        }
    };
    drop(_in_runtime);
    Ok(Running { address, runtime, handle, served, hub, hub_thread, pool_threads })
}

async fn tls_config(certificate: std::path::PathBuf, key: std::path::PathBuf) -> Result<RustlsConfig, ServeError> {
    // An error means that a provider is already installed. That one is used then.
    rustls::crypto::ring::default_provider().install_default().ok();
    let config = RustlsConfig::from_pem_file(&certificate, &key).await;
    config.map_err(|source| ServeError::Tls { certificate, key, source })
}

impl Running {
    /// Answers the requests in progress, releases all sessions without closing them, and stops.
    pub fn stop(self) -> Result<(), ServeError> {
        let Running { runtime, handle, served, hub, hub_thread, pool_threads, .. } = self;
        handle.graceful_shutdown(Some(STOP_TIMEOUT));
        let served = runtime.block_on(served);
        if let Err(problem) = runtime.block_on(hub.release_sessions(Release::All)) {
            tracing::error!("the open sessions could not be released while the server stops: {}", problem.detail());
        }
        hub.stop();
        drop(hub);
        if hub_thread.join().is_err() {
            tracing::error!("the thread `hub` panicked");
        }
        runtime.shutdown_timeout(STOP_TIMEOUT);
        pool_threads.join();
        served.map_err(std::io::Error::other)??;
        Ok(())
    }

    /// Whether the server still listens.
    pub fn is_running(&self) -> bool {
        !self.served.is_finished()
    }
}
