//! Runs blocking work of a task on tokio's blocking threads.

use store::StoreError;

/// Runs `work`, which may wait for the disk, on a blocking thread.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::ThreadDied("server")))
}
