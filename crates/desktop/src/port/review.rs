//! A stored session, opened.

use std::path::PathBuf;
use std::sync::Arc;

use super::{QualityReport, SessionRow};
use analysis::{Baseline, PoorStretch};
use session::{Body, FrameMeta, RATING, Record, StreamInfo, Timeline, Timestamp};

pub struct OpenedSession {
    pub session: SessionRow,
    pub study_title: String,
    pub timeline: Timeline,
    /// The page itself was recorded and can be replayed.
    pub has_page: bool,
    /// Every stored frame, by time.
    pub frames: Arc<[FrameMeta]>,
    pub quality: QualityReport,
    /// More for a person to read, in order: camera, networks, software, consent, overridden checks.
    pub facts: Vec<(String, String)>,
    /// What the study lets people annotate.
    pub annotation_labels: Vec<String>,
    /// `None` where the session has no baseline phase.
    pub baseline: Option<Baseline>,
    /// Where the face was seen badly, by time.
    pub poor: Vec<PoorStretch>,
}

/// The recorded page beside the face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PageReplay {
    Open,
    /// Where the playhead stands; said when somebody moved it, and now and then while it plays.
    At {
        at: Timestamp,
        is_playing: bool,
        rate: f64,
    },
    Close,
}

// --- What people add afterwards --------------------------------------------------------------------------------

/// Records for a stream beside the raw data.
#[derive(Clone, Debug, PartialEq)]
pub struct Addition {
    pub stream: AddedStream,
    pub author: String,
    pub bodies: Vec<(Timestamp, Body)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddedStream {
    Annotation,
    /// Each time somebody rates the session is a stream of its own, counted from 1.
    Rating {
        pass: u32,
    },
}

/// The stream of one pass: `rating`, `rating_2`, `rating_3` …
pub fn rating_stream_name(pass: u32) -> String {
    if pass <= 1 { RATING.to_owned() } else { format!("{RATING}_{pass}") }
}

/// Records that were added and are stored now.
#[derive(Clone, Debug)]
pub struct Added {
    pub stream: StreamInfo,
    pub author: String,
    pub records: Vec<Record>,
}

/// How far a self-report and the network agree.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    pub pass: u32,
    pub author: String,
    /// Valence and arousal; a sentence where they cannot be compared.
    pub fields: [Result<analysis::Agreement, String>; 2],
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExportOrder {
    pub format: ExportFormat,
    /// A folder for [`ExportFormat::Csv`], a file for the figures. The operator chose it and agreed to overwrite.
    pub to: PathBuf,
    /// What is on the screen, for the figures.
    pub from: Timestamp,
    pub until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// One file a stream, the whole session.
    Csv,
    FigurePng,
    FigureSvg,
}
