//! Limits how many sessions have their files opened or closed at the same time.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

const OPENINGS: usize = 4;
const CLOSINGS: usize = 2;

/// Browsers wait for openings and nobody waits for closings, so an opening never waits for a closing.
#[derive(Clone, Debug)]
pub struct FilePermits {
    openings: Arc<Semaphore>,
    closings: Arc<Semaphore>,
}

impl FilePermits {
    pub fn new() -> FilePermits {
        FilePermits { openings: Arc::new(Semaphore::new(OPENINGS)), closings: Arc::new(Semaphore::new(CLOSINGS)) }
    }

    /// `None` only after the semaphore was closed, which never happens.
    pub async fn open(&self) -> Option<SemaphorePermit<'_>> {
        self.openings.acquire().await.ok()
    }

    /// To close and grade a session, and to open its files for that.
    pub async fn close(&self) -> Option<SemaphorePermit<'_>> {
        self.closings.acquire().await.ok()
    }
}
