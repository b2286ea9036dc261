//! What is kept: the session file, its recorder, the video file, the library of studies and sessions.
//!
//! Only this room knows SQLite and Matroska.

mod added_streams;
mod by_time;
mod checksum;
mod commit;
mod ebml;
mod error;
mod follower;
mod frame_index;
mod fuzz;
mod header;
mod header_rows;
mod jpeg;
mod ledger;
mod library;
mod lock;
mod mkv;
mod mkv_scan;
mod participants;
mod record_rows;
mod recorder;
mod recover;
mod schema;
#[doc(hidden)]
pub mod scratch;
mod session_draft;
mod session_file;
mod stream_writer;
mod studies;
mod table_file;
mod verify;
mod verify_video;
mod video;

pub use added_streams::{AddedStreams, Addition, Draft, Turn};
pub use commit::{Committed, RECORDER_SEQ_0};
pub use error::StoreError;
pub use follower::Follower;
pub use frame_index::{FrameIndex, FrameRow};
#[doc(hidden)]
pub use fuzz::{recovery as fuzz_recovery, seed_video as fuzz_seed_video, video as fuzz_video};
pub use header::{
    CameraDescription, Consent, ModelDescription, ReportedNetwork, SessionHeader, SessionState, StoredStudy, Summary,
};
pub use header_rows::NOT_YET_REPORTED;
pub use jpeg::{CompressError, JpegEncoder};
pub use ledger::{Ledger, RemoteSession, RemoteState, Sha256, WriteKey};
pub use library::{Condition, Library, Recovered, SessionEntry, session_entry};
pub use lock::LastWords;
use lock::SessionLock;
pub use participants::ParticipantTable;
pub use recorder::{Recorder, SessionEnd, StoreCounters, disk_free_bytes};
pub use recover::{Recovery, recover};
pub use session_draft::SessionDraft;
pub use session_file::{SessionFile, store_camera, store_quality};
pub use stream_writer::{NotStored, StreamWriter};
pub use studies::{StudyEntry, StudyFile, StudyFileError};
pub use verify::{Finding, FrameRun, Verification, verify};
pub use video::VideoSink;
