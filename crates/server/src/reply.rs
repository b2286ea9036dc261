//! Answers a command of another task or thread.

use tokio::sync::oneshot;

/// Sends `answer`. A receiver that has been dropped needs no answer, so that case is not an error.
pub fn reply<T>(to: oneshot::Sender<T>, answer: T) {
    to.send(answer).ok();
}
