//! Why a source could not be recorded, or nothing could be offered to other programs.

use thiserror::Error;

use lsl::LslError;
use serial::PortError;
use store::StoreError;

#[derive(Debug, Error)]
pub enum SourceError {
    #[error(transparent)]
    Lsl(#[from] LslError),
    #[error(transparent)]
    Serial(#[from] PortError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("could not start a thread: {0}")]
    Thread(#[from] std::io::Error),
}
