//! The settings of a server, parsed once from the command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

#[derive(Clone, Debug)]
pub struct ServerConfig {
    pub address: SocketAddr,
    /// Certificate chain and private key, PEM.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Allows plain HTTP on other addresses than the loopback address, for use behind a proxy that provides TLS.
    pub allow_plain_http: bool,
    /// Folder of the sessions and of the server's ledger.
    pub sessions: PathBuf,
    /// Folder of the studies that come with the program.
    pub studies: PathBuf,
    /// Folder of the networks.
    pub models: PathBuf,
    /// Number of sessions whose video is scored at the same time.
    pub vision_threads: usize,
    /// Largest number of sessions of a key at the same time. Silent sessions do not count.
    pub sessions_per_key: usize,
    /// Largest number of sessions at the same time. Silent sessions do not count.
    pub max_sessions: usize,
    /// Addresses of proxies whose header `X-Forwarded-For` is used. It is ignored from all others.
    pub trusted_proxies: Vec<IpAddr>,
    pub limits: SessionLimits,
    pub quotas: Quotas,
    /// The server accepts no data while less disk space is free.
    pub min_free_bytes: u64,
    /// The git revision of the program, for the headers of sessions. `None`: not known.
    pub revision: Option<String>,
}

/// Limits for sessions, so that forgotten and invented sessions do not keep others out.
#[derive(Clone, Debug)]
pub struct SessionLimits {
    /// A session without requests releases its files and threads after this time. It goes on with the next request.
    pub silent_after: Duration,
    /// A session without requests is closed as it is after this time. It still goes on with the next request, except that a
    /// closed video cannot go on. So a session with video is closed after [`SessionLimits::VIDEO_CLOSE_AFTER`] at the
    /// earliest.
    pub close_after: Duration,
    /// Largest number of open sessions that began at one address.
    pub per_address: usize,
    /// Sessions that can begin at one address in a minute. As many can begin at once.
    pub starts_per_address_per_min: u32,
}

impl SessionLimits {
    pub const VIDEO_CLOSE_AFTER: Duration = Duration::from_secs(24 * 3600);
}

impl Default for SessionLimits {
    fn default() -> SessionLimits {
        SessionLimits {
            silent_after: Duration::from_secs(5 * 60),
            close_after: Duration::from_secs(30 * 60),
            per_address: 100,
            starts_per_address_per_min: 60,
        }
    }
}

/// Limits for what browsers send, in bytes as received.
#[derive(Clone, Debug)]
pub struct Quotas {
    /// For the video of one session, and as much again for its records.
    pub session_bytes: u64,
    /// For all stored sessions of one write key. `None`: no limit.
    pub key_bytes: Option<u64>,
    /// For all stored sessions of one study. `None`: no limit.
    pub study_bytes: Option<u64>,
    /// The largest average bit rate of a session's video.
    pub video_bits_per_s: f64,
}

impl Default for Quotas {
    fn default() -> Quotas {
        Quotas { session_bytes: 10_000_000_000, key_bytes: None, study_bytes: None, video_bits_per_s: 8e6 }
    }
}

#[derive(Debug, Error)]
pub enum ServeError {
    #[error(
        "the server would listen on {0} without encryption, and other computers can reach this address: \
         give --certificate and --private-key, or --allow-plain-http if a proxy in front provides TLS"
    )]
    PlainHttp(SocketAddr),
    #[error("could not listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("could not load the certificate {certificate} with the key {key}: {source}")]
    Tls { certificate: PathBuf, key: PathBuf, source: std::io::Error },
    #[error("the server has no owner yet: run `affectograph serve init` first")]
    NoOwner,
    #[error(transparent)]
    Secret(#[from] super::secrets::SecretError),
    #[error(transparent)]
    Store(#[from] store::StoreError),
    #[error("the server could not run: {0}")]
    Run(#[from] std::io::Error),
}

impl ServerConfig {
    pub fn check(&self) -> Result<(), ServeError> {
        if self.tls.is_none() && !self.address.ip().is_loopback() && !self.allow_plain_http {
            return Err(ServeError::PlainHttp(self.address));
        }
        Ok(())
    }
}
