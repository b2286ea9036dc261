//! Why the stream `pulse` cannot be added to a session.

use thiserror::Error;

use session::StreamName;
use store::StoreError;
use stored_frames::FrameError;

#[derive(Debug, Error)]
pub enum PulseError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Frames(#[from] FrameError),
    #[error(
        "the session has the stream `{0}` from the same colours already: nothing was added. A further run is possible after \
         `affectograph rescore` has scored frames that were skipped"
    )]
    AlreadyThere(StreamName),
    #[error(
        "the session has no landmarks of a face, so its skin cannot be found: score it with `affectograph rescore`"
    )]
    NoLandmarks,
    #[error("the session has neither colours of skin nor a video to read them from")]
    NoColours,
    #[error("the calibration in the program cannot be read ({0}): this is a fault of the program")]
    Calibration(String),
    #[error("cancelled: nothing was added")]
    Cancelled,
}
