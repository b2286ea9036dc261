//! Storage: the session file, its recorder, the video file, the library of studies and sessions.
//!
//! Only this crate uses SQLite, and writes Matroska.

mod added_streams;
mod assignment;
mod by_time;
mod checksum;
mod commit;
mod compacted;
mod counts;
mod ebml;
mod enrolments;
mod erase;
mod error;
mod exports;
mod file_mode;
mod file_start;
mod film;
mod film_writer;
mod finding;
mod folders;
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
mod numbering;
mod participants;
mod place;
mod reassign;
mod record_rows;
mod recorder;
mod recover;
mod reserve;
mod schema;
#[doc(hidden)]
pub mod scratch;
mod session_condition;
mod session_draft;
mod session_file;
mod session_label;
mod session_start;
mod stored_copy;
mod stream_writer;
mod studies;
mod study_templates;
mod study_write_error;
mod study_writer;
mod table_file;
mod thread;
mod verify;
mod verify_film;
mod verify_video;
mod video;

pub use added_streams::{AddedStreams, AdditionLock, Draft};
pub use commit::Committed;
pub use compacted::{
    compacted_file, place_film, recorded_video, remove_recorded_video, remove_unfinished, unfinished_file,
};
pub use counts::StoreCounters;
pub use enrolments::{Enrolment, EnrolmentCount};
pub use error::StoreError;
pub use exports::NotedExport;
pub use file_mode::make_new_files_private;
pub use film::{Film, FilmFile, FilmKeeping, discard_session, keep_film};
pub use film_writer::{FilmWriter, compare_film};
pub use finding::{Finding, FrameRun, Verification};
pub use follower::Follower;
pub use frame_index::{FrameIndex, FrameRow, checksum_of};
#[doc(hidden)]
pub use fuzz::{recovery as fuzz_recovery, seed_video as fuzz_seed_video, video as fuzz_video};
pub use header::{
    Addition, CameraDescription, Consent, ModelDescription, ReportedNetwork, SessionEnd, SessionHeader, SessionState,
    StoredStudy, Summary,
};
pub use header_rows::NOT_YET_REPORTED;
pub use jpeg::{CompressError, JpegEncoder};
pub use ledger::{Ledger, ReceivedBytes, RemoteSession, RemoteState, SeenSession, Sha256, TokenScope, WriteKey};
pub use library::{Condition, Library, Recovered, STUDIES_FOLDER, SessionEntry, SessionName, session_entry};
use lock::SessionLock;
pub use lock::StorageFailure;
pub use numbering::RECORDER_SEQ_0;
pub use participants::PARTICIPANTS_FILE;
pub use participants::ParticipantTable;
pub use reassign::{Assignment, Reassigned};
pub use recorder::{FrameWriter, Recorder};
pub use recover::{Recovery, recover};
pub use reserve::disk_free_bytes;
pub use session_condition::{SessionCondition, assigned_column, condition_column};
pub use session_draft::SessionDraft;
pub use session_file::{SessionFile, store_camera, store_quality};
pub use session_label::{session_label, split_session_label};
pub use session_start::{SessionStart, StartedSession};
pub use stored_copy::Stored;
pub use stream_writer::{NotStored, StreamWriter};
pub use studies::{StudyEntry, StudyFile, StudyFileError};
pub use study_templates::{MediaKind, NewStudy, StudyTemplate};
pub use study_write_error::StudyWriteError;
pub use table_file::table_text;
pub use verify::verify;
pub use video::VideoSink;
