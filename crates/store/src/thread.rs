//! Starts and joins the threads that store.

use std::thread::JoinHandle;

use super::StoreError;

pub(super) fn spawn<T: Send + 'static>(
    name: &'static str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, StoreError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(StoreError::io("start the thread", name))
}

pub(super) fn join<T>(name: &'static str, thread: JoinHandle<T>) -> Result<T, StoreError> {
    thread.join().map_err(|_| StoreError::ThreadDied(name))
}
