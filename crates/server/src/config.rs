//! The settings of a server, parsed once from the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

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
    pub sessions_per_key: usize,
    pub max_sessions: usize,
    /// The server accepts no data while less disk space is free.
    pub min_free_bytes: u64,
    /// The git revision of the program, for the headers of sessions. `None`: not known.
    pub revision: Option<String>,
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
