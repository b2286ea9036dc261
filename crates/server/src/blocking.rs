//! The way from a task to what waits for a disk.

use store::StoreError;

/// Runs what waits for a disk where waiting is allowed.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::ThreadDied("server")))
}
