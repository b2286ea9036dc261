//! Runs blocking work of a task on tokio's blocking threads.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::problem::Problem;
use store::StoreError;
use study_query::Cancel;

/// Runs `work`, which may wait for the disk, on a blocking thread.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::ThreadDied("server")))
}

/// Waits for a permit and runs `work` on a blocking thread. The permit is held until `work` ends, also if the request that
/// began it is given up.
pub async fn with_permit<T: Send + 'static>(
    permits: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let permit = permits.clone().acquire_owned().await.map_err(|_| Problem::busy())?;
    let done = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work()
    });
    done.await.map_err(|_| Problem::busy())
}

/// Runs `work` to its end, also if the request that began it is given up.
pub async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(work).await.unwrap_or_else(|_| Err(Problem::busy()))
}

/// Ends the work of a request that is given up.
pub struct CancelOnDrop(pub Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_permit_is_held_while_the_work_of_a_request_that_was_given_up_goes_on() {
        let permits = Arc::new(Semaphore::new(1));
        let (end_work, work_ends) = std::sync::mpsc::sync_channel(1);
        let request = with_permit(&permits, move || work_ends.recv());
        tokio::time::timeout(Duration::from_millis(50), request).await.expect_err("the work has not ended");
        assert_eq!(permits.available_permits(), 0);
        end_work.send(()).unwrap();
        let permit = tokio::time::timeout(Duration::from_secs(20), permits.acquire()).await;
        drop(permit.expect("the permit is never released").unwrap());
    }
}
