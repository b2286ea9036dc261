//! Runs blocking work of a task on tokio's blocking threads.

use std::future::Future;

use super::problem::Problem;
use store::StoreError;

/// Runs `work`, which may wait for the disk, on a blocking thread.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::ThreadDied("server")))
}

/// Runs `work` to its end, also if the request that began it is given up.
pub async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(work).await.unwrap_or_else(|_| Err(Problem::busy()))
}
