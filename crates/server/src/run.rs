//! Starts the server and ends it: sessions that are open then go on when it is started again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::accept::DefaultAcceptor;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use tokio::sync::Semaphore;

use super::app::{App, description, router};
use super::clock::ServerClock;
use super::config::{ServeError, ServerConfig};
use super::hub::{self, HubParts};
use super::hub_client::HubClient;
use super::pool::{PoolThreads, VisionPool};
use store::{Ledger, Library};

/// The head of a request must be here by then.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Requests at work when the server is ended.
const END_WITHIN: Duration = Duration::from_secs(5);
/// Sessions opened, closed and judged at the same time.
const TURNS: usize = 4;
const READERS: usize = 2;
/// Passwords checked at the same time: each takes 19 MB and a tenth of a second, so guessing stays slow and cheap for us.
const LOGINS: usize = 2;

/// A server at work. [`Running::stop`] ends it properly; a kill costs nothing that was acknowledged.
pub struct Running {
    pub address: SocketAddr,
    runtime: tokio::runtime::Runtime,
    handle: Handle<SocketAddr>,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
    hub: HubClient,
    hub_thread: std::thread::JoinHandle<()>,
    pool_threads: PoolThreads,
}

/// Listens when it returns. A server that nobody owns yet starts nevertheless: browsers can record, nobody can look.
pub fn serve(config: ServerConfig) -> Result<Running, ServeError> {
    config.check()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("server").enable_all().build()?;
    let ledger = Ledger::open(&config.sessions)?;
    let library = Library::open(&config.sessions)?.with_studies(&config.studies);
    let listener = std::net::TcpListener::bind(config.address);
    let listener = listener.and_then(|l| l.set_nonblocking(true).map(|()| l));
    let listener = listener.map_err(|source| ServeError::Listen { address: config.address, source })?;
    let address = listener.local_addr()?;
    let tls = config.tls.clone();
    let tls = tls.map(|(certificate, key)| runtime.block_on(tls_config(certificate, key))).transpose()?;

    let (pool, pool_threads) = VisionPool::start(config.vision_threads, config.models.clone())?;
    let (config, clock, turns) = (Arc::new(config), ServerClock::start(), Arc::new(Semaphore::new(TURNS)));
    let parts = HubParts {
        config: config.clone(),
        clock,
        ledger,
        library: library.clone(),
        pool: pool.clone(),
        turns: turns.clone(),
    };
    let (hub, hub_thread) = hub::start(parts, runtime.handle().clone())?;
    let app = App {
        config,
        hub: hub.clone(),
        clock,
        pool,
        library,
        turns,
        readers: Arc::new(Semaphore::new(READERS)),
        logins: Arc::new(Semaphore::new(LOGINS)),
        description: Arc::new(description()),
    };
    let service = router(app).into_make_service();
    let handle = Handle::new();
    let _in_runtime = runtime.enter();
    let mut server = axum_server::from_tcp(listener)?.handle(handle.clone()).http1_only();
    server.http_builder().http1().header_read_timeout(HEAD_WITHIN).max_buf_size(64 * 1024);
    let served = match tls {
        None => runtime.spawn(server.serve(service)),
        Some(tls) => {
            let acceptor = RustlsAcceptor::<DefaultAcceptor>::new(tls).handshake_timeout(HANDSHAKE_WITHIN);
            runtime.spawn(server.acceptor(acceptor).serve(service))
        }
    };
    drop(_in_runtime);
    Ok(Running { address, runtime, handle, served, hub, hub_thread, pool_threads })
}

async fn tls_config(certificate: std::path::PathBuf, key: std::path::PathBuf) -> Result<RustlsConfig, ServeError> {
    // Fails only where a provider is installed already, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let config = RustlsConfig::from_pem_file(&certificate, &key).await;
    config.map_err(|source| ServeError::Tls { certificate, key, source })
}

impl Running {
    /// Answers what is being asked, lets go of all sessions where they are, and ends.
    pub fn stop(self) -> Result<(), ServeError> {
        let Running { runtime, handle, served, hub, hub_thread, pool_threads, .. } = self;
        handle.graceful_shutdown(Some(END_WITHIN));
        let served = runtime.block_on(served);
        if let Err(problem) = runtime.block_on(hub.leave(None)) {
            tracing::error!("{}", problem.detail());
        }
        hub.stop();
        drop(hub);
        if hub_thread.join().is_err() {
            tracing::error!("the thread `hub` failed");
        }
        runtime.shutdown_timeout(END_WITHIN);
        pool_threads.join();
        served.map_err(std::io::Error::other)??;
        Ok(())
    }

    /// Whether it still listens.
    pub fn is_running(&self) -> bool {
        !self.served.is_finished()
    }
}
