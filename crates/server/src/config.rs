//! How a server is set up: parsed once from the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;

#[derive(Clone, Debug)]
pub struct ServerConfig {
    pub address: SocketAddr,
    /// Certificate chain and private key, PEM.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Plain HTTP on other than the loopback, behind a proxy that does TLS.
    pub allow_plain_http: bool,
    /// Recordings, and the server's own ledger.
    pub sessions: PathBuf,
    /// Shipped studies.
    pub studies: PathBuf,
    /// Networks.
    pub models: PathBuf,
    /// Sessions whose video is looked at at the same time.
    pub vision_threads: usize,
    pub sessions_per_key: usize,
    pub max_sessions: usize,
    /// Nothing is taken while less is free.
    pub min_free_bytes: u64,
    /// The git revision of the program, for the headers of sessions. `None`: not known.
    pub revision: Option<String>,
}

#[derive(Debug, Error)]
pub enum ServeError {
    #[error(
        "{0} can be reached from other machines, and plain HTTP would show everybody between what participants do: \
         give --certificate and --private-key, or --allow-plain-http where a proxy in front does TLS"
    )]
    PlainHttp(SocketAddr),
    #[error("could not listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("the certificate {certificate} with the key {key} cannot be used: {source}")]
    Tls { certificate: PathBuf, key: PathBuf, source: std::io::Error },
    #[error("nobody owns this server yet: run `affectograph serve init` first")]
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
