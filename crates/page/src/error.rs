//! Why a page could not be shown or closed.

use std::time::Duration;

use thiserror::Error;

use super::address::AddressError;

/// The longest wait for a page to close.
pub(super) const CLOSE_LIMIT: Duration = Duration::from_secs(8);

#[derive(Debug, Error)]
pub enum PageError {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error(
        "this build shows no pages: build affectograph with its feature `desktop`, or choose a study without a page"
    )]
    NoWebView,
    #[error("a page cannot be embedded in the window without X11: choose the participant window")]
    NotEmbeddable,
    #[error("the participant window could not be started: {0}. Close other programs and try again")]
    Start(std::io::Error),
    #[error("the page could not be shown because a thread did not start: {0}. Close other programs and try again")]
    Thread(std::io::Error),
    #[error("the page did not close within {} s: close its window if it is still open", CLOSE_LIMIT.as_secs())]
    CloseTimedOut,
}
