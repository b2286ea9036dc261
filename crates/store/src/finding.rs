//! What `verify` found, and its text.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::SessionState;
use session::{GapReason, StreamName, Timestamp};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verification {
    pub session: PathBuf,
    /// `None` if the session file is too damaged.
    pub state: Option<SessionState>,
    /// No data is damaged, and the session's gaps account for all missing data.
    pub is_intact: bool,
    pub records: u64,
    pub frames: u64,
    /// Frames whose picture is damaged or missing.
    pub frames_damaged: u64,
    pub video_bytes: u64,
    pub findings: Vec<Finding>,
}

/// Frames with consecutive numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrameRun {
    pub count: u64,
    pub first: u64,
    pub last: u64,
    /// Capture times of the first and the last frame.
    pub from: Timestamp,
    pub until: Timestamp,
}

impl fmt::Display for FrameRun {
    /// `frame 9 (00:00:00.297)`, `frames 9 to 12 (00:00:00.297 to 00:00:00.396, 4 frames)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FrameRun { count, first, last, from, until } = self;
        match count {
            1 => write!(f, "frame {first} ({from})"),
            n => write!(f, "frames {first} to {last} ({from} to {until}, {n} frames)"),
        }
    }
}

/// One finding. `Display` is its text.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// The program ended without closing the session.
    NotClosed,
    /// A process is writing the session. The other findings may be temporary.
    BeingRecorded,
    DatabaseDamaged {
        problem: String,
    },
    /// Participant, study, camera, networks, streams or summary differ from their checksum.
    HeaderDamaged,
    RecordUnreadable {
        problem: String,
    },
    /// The record is readable, but differs from its checksum.
    RecordDamaged {
        stream: String,
        number: u64,
        at: Timestamp,
    },
    /// Numbers that a stream skips.
    RecordsMissing {
        stream: StreamName,
        first: u64,
        last: u64,
    },
    /// Frame numbers that are neither in the video nor accounted for by a gap.
    FramesMissing {
        count: u64,
        first: u64,
        last: u64,
    },
    /// The frame is in the session file and not in the video.
    FrameNotInVideo {
        number: u64,
        at: Timestamp,
        offset: u64,
    },
    /// The session file and the video have different data about the frame.
    FrameDiffers {
        number: u64,
        at: Timestamp,
    },
    /// Frames are in the video and not in the session file, as after a crash. `recover` adds them.
    FramesNotInDatabase {
        count: u64,
        first: u64,
        last: u64,
    },
    /// Pictures differ from their checksums.
    PicturesDamaged(FrameRun),
    /// The heads of clusters are damaged, and their pictures are not.
    FrameHeadsDamaged(FrameRun),
    /// The video ends before these frames.
    FramesCutOff(FrameRun),
    VideoMissing {
        frames: u64,
    },
    FilmMissing {
        file: String,
        frames: u64,
    },
    /// The film differs from the one that was imported, in bytes that may belong to no picture.
    FilmChanged {
        file: String,
        found: u64,
        expected: u64,
    },
    VideoEmpty {
        frames: u64,
    },
    VideoUnreadable {
        problem: String,
    },
    /// The head of the file is damaged: size, program, kind of track.
    VideoHeadDamaged,
    /// Table of contents, seek table or duration is damaged. Players use them to seek.
    SeekTableDamaged,
    /// Bytes that belong to no frame.
    VideoBytesDamaged {
        from: u64,
        until: u64,
    },
    /// Bytes after the last whole frame.
    VideoTorn {
        bytes: u64,
    },
    /// The video plays, but has no seek table.
    VideoNotFinished,
    /// Pictures without checksums. Damage cannot be detected.
    PicturesUnchecked {
        frames: u64,
    },
    /// Records without checksums. Damage cannot be detected.
    RecordsUnchecked {
        records: u64,
    },
    /// Data that was lost, according to the session's gaps.
    Lost {
        stream: StreamName,
        reason: GapReason,
        count: u64,
        seconds: f64,
        gaps: u64,
    },
}

impl Finding {
    /// Whether data is damaged, or missing without a gap.
    pub fn is_damage(&self) -> bool {
        !matches!(self, Finding::Lost { .. } | Finding::BeingRecorded) && !self.is_unchecked()
    }

    /// Whether damage cannot be detected.
    pub fn is_unchecked(&self) -> bool {
        matches!(self, Finding::PicturesUnchecked { .. } | Finding::RecordsUnchecked { .. })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::NotClosed => {
                write!(f, "the program ended without closing the session; it is closed at the next start")
            }
            Finding::BeingRecorded => write!(f, "the session is being recorded at this moment"),
            Finding::DatabaseDamaged { problem } => write!(f, "session.sqlite is damaged: {problem}"),
            Finding::HeaderDamaged => write!(
                f,
                "the header in session.sqlite (participant, study, camera, networks, streams or summary) differs from its \
                 checksum"
            ),
            Finding::RecordUnreadable { problem } => write!(f, "{problem}"),
            Finding::RecordDamaged { stream, number, at } => {
                write!(f, "record {number} of `{stream}` ({at}) differs from its checksum")
            }
            Finding::RecordsMissing { stream, first, last } if first == last => {
                write!(f, "record {first} of `{stream}` is missing")
            }
            Finding::RecordsMissing { stream, first, last } => {
                write!(f, "records {first} to {last} of `{stream}` are missing ({})", last - first + 1)
            }
            Finding::FramesMissing { count, first, last } => {
                write!(f, "{count} of the frames {first} to {last} are missing without a gap")
            }
            Finding::FrameNotInVideo { number, at, offset } => {
                write!(f, "frame {number} ({at}) is not in video.mkv at byte {offset}")
            }
            Finding::FramesNotInDatabase { count, first, last } => {
                write!(f, "{count} frames of video.mkv, {first} to {last}, are not in session.sqlite")
            }
            Finding::FrameDiffers { number, at } => {
                write!(f, "session.sqlite and video.mkv have different data about frame {number} ({at})")
            }
            Finding::PicturesDamaged(run) if run.count == 1 => write!(f, "the picture of {run} is damaged"),
            Finding::PicturesDamaged(run) => write!(f, "the pictures of {run} are damaged"),
            Finding::FrameHeadsDamaged(run) => write!(
                f,
                "the cluster head of {run} in video.mkv is damaged: players may stop there. The picture itself is not damaged"
            ),
            Finding::FramesCutOff(run) => write!(f, "video.mkv ends before {run}"),
            Finding::VideoMissing { frames } => write!(f, "video.mkv is missing, and with it {frames} frames"),
            Finding::FilmMissing { file, frames } => {
                write!(f, "the film {file} is missing, and with it the pictures of {frames} frames: move the film back")
            }
            Finding::FilmChanged { file, found, expected } if found == expected => {
                write!(f, "the film {file} is not the one that was imported: its SHA-256 is another one")
            }
            Finding::FilmChanged { file, found, expected } => {
                write!(f, "the film {file} is not the one that was imported: it has {found} bytes and had {expected}")
            }
            Finding::VideoEmpty { frames } => write!(f, "video.mkv is empty: its {frames} frames are lost"),
            Finding::VideoUnreadable { problem } => write!(f, "{problem}"),
            Finding::VideoHeadDamaged => write!(f, "the head of video.mkv is damaged"),
            Finding::SeekTableDamaged => write!(
                f,
                "the table of contents, the seek table or the duration of video.mkv is damaged: players may jump to the wrong place"
            ),
            Finding::VideoBytesDamaged { from, until } => {
                write!(f, "bytes {from} to {until} of video.mkv belong to no frame")
            }
            Finding::VideoTorn { bytes } => write!(f, "video.mkv ends with {bytes} bytes that are no whole frame"),
            Finding::VideoNotFinished => write!(f, "video.mkv has no seek table"),
            Finding::PicturesUnchecked { frames } => write!(
                f,
                "the pictures of {frames} frames have no checksum, because the program that recorded them stored none: they \
                 can be decoded, but damage cannot be detected"
            ),
            Finding::RecordsUnchecked { records } => write!(
                f,
                "{records} records have no checksum, because the program that recorded them stored none: they can be read, \
                 but damage cannot be detected"
            ),
            Finding::Lost { stream, reason, count, seconds, gaps } => {
                write!(f, "lost in `{stream}`: {count} in {gaps} gaps of {seconds:.3} s together ({reason})")
            }
        }
    }
}
