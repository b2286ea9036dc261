//! A stored session, opened.

use std::path::PathBuf;
use std::sync::Arc;

use super::{QualityReport, SessionRow};
use crate::session::{Timeline, Timestamp};

pub struct OpenedSession {
    pub session: SessionRow,
    pub study_title: String,
    pub timeline: Timeline,
    /// Every stored frame, by time.
    pub frames: Arc<[StoredFrame]>,
    pub quality: QualityReport,
    /// More for a person to read, in order: camera, networks, software, consent, overridden checks.
    pub facts: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredFrame {
    pub number: u64,
    pub at: Timestamp,
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
