//! An opened session, and the records that people add to it.

use std::path::PathBuf;
use std::sync::Arc;

use super::{QualityReport, SessionRow};
use analysis::{Baseline, PoorStretch};
use session::{Body, FrameMeta, RATING, Record, StreamInfo, Timeline, Timestamp};

pub struct OpenedSession {
    pub session: SessionRow,
    pub study_title: String,
    pub timeline: Timeline,
    /// Whether the page was recorded and can be replayed.
    pub has_page: bool,
    /// All stored frames, by time.
    pub frames: Arc<[FrameMeta]>,
    pub quality: QualityReport,
    /// Names and values for display: camera, networks, software, consent, overridden checks.
    pub facts: Vec<(String, String)>,
    /// The annotation labels of the study.
    pub annotation_labels: Vec<String>,
    /// `None` if the session has no baseline phase.
    pub baseline: Option<Baseline>,
    /// Stretches of poor quality, by time.
    pub poor: Vec<PoorStretch>,
}

/// A command to the window with the recorded page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PageReplayCommand {
    Open,
    /// Sent after a jump of the playhead, and about once a second while it plays.
    MoveTo {
        at: Timestamp,
        is_playing: bool,
        rate: f64,
    },
    Close,
}

// --- Added streams ---------------------------------------------------------------------------------------------

/// Records for an added stream.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRecords {
    pub stream: AddedStream,
    pub author: String,
    pub bodies: Vec<(Timestamp, Body)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedStream {
    Annotation,
    /// Each rating of the session is a stream of its own. Passes count from 1.
    Rating {
        pass: u32,
    },
}

/// The stream of one pass: `rating`, `rating_2`, `rating_3` …
pub fn rating_stream_name(pass: u32) -> String {
    if pass <= 1 { RATING.to_owned() } else { format!("{RATING}_{pass}") }
}

/// Added records that have been stored.
#[derive(Clone, Debug)]
pub struct AddedRecords {
    pub stream: StreamInfo,
    pub author: String,
    pub records: Vec<Record>,
}

/// Agreement of a self-report and the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    pub pass: u32,
    pub author: String,
    /// Of valence and of arousal. The error is the reason why they cannot be compared.
    pub fields: [Result<analysis::Agreement, String>; 2],
}

#[derive(Clone, Debug, PartialEq)]
pub struct SessionExport {
    pub format: ExportFormat,
    /// A folder for [`ExportFormat::Csv`], a file for the figures. The operator has chosen it and accepts that a
    /// file is overwritten. A folder must be new or empty.
    pub to: PathBuf,
    /// The time window of a figure.
    pub from: Timestamp,
    pub until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// The whole session, one file for each stream.
    Csv,
    FigurePng,
    FigureSvg,
}
