//! Changes of stored sessions, and long work on them: erase, reassign, export of several sessions, import of video files.

use std::path::PathBuf;

use session::{ParticipantId, SessionNumber};

/// Gives a session another participant or number.
#[derive(Clone, Debug, PartialEq)]
pub struct Reassignment {
    pub folder: PathBuf,
    pub participant: ParticipantId,
    pub session: SessionNumber,
}

/// What the operator has confirmed to erase.
#[derive(Clone, Debug, PartialEq)]
pub enum Erasure {
    Sessions(Vec<PathBuf>),
    /// All sessions, the row in `participants.tsv` and the folder.
    Participant(ParticipantId),
}

/// An export that the library knows of.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportRow {
    pub to: PathBuf,
    /// `csv`, `bids` …
    pub format: String,
    /// Whether something is there now. Otherwise it may be on a medium that is not attached.
    pub is_reachable: bool,
    /// The folders of its sessions. Some may be erased.
    pub sessions: Vec<PathBuf>,
}

/// A note about a session after its recording.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionNote {
    pub folder: PathBuf,
    pub text: String,
}

/// The format of an export of whole sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatasetFormat {
    Csv,
    Tidy,
    Bids,
    Xdf,
    Parquet,
    Report,
}

impl DatasetFormat {
    pub const ALL: [DatasetFormat; 6] = [
        DatasetFormat::Csv,
        DatasetFormat::Tidy,
        DatasetFormat::Bids,
        DatasetFormat::Xdf,
        DatasetFormat::Parquet,
        DatasetFormat::Report,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            DatasetFormat::Csv => "csv",
            DatasetFormat::Tidy => "tidy",
            DatasetFormat::Bids => "bids",
            DatasetFormat::Xdf => "xdf",
            DatasetFormat::Parquet => "parquet",
            DatasetFormat::Report => "report",
        }
    }

    pub fn description(self) -> &'static str {
        match self {
            DatasetFormat::Csv => "CSV: tables of each session, and its figure",
            DatasetFormat::Tidy => "Tidy: tables of all sessions, one row per value, with a code book",
            DatasetFormat::Bids => "BIDS: a dataset with HED tags",
            DatasetFormat::Xdf => "XDF: one file per session, for Lab Streaming Layer",
            DatasetFormat::Parquet => "Parquet: one partitioned table",
            DatasetFormat::Report => "Report: a printable page with figures and methods",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct SessionsExport {
    pub sessions: Vec<PathBuf>,
    pub format: DatasetFormat,
    /// A new folder.
    pub to: PathBuf,
}

/// Video files that become sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmImport {
    pub films: Vec<PathBuf>,
    /// `None`: they belong to no study.
    pub study: Option<String>,
    /// `None`: each file's name begins with its participant.
    pub participant: Option<ParticipantId>,
}

/// The progress of the running job. Only one runs at a time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobProgress {
    /// 0 … 1
    pub done: f32,
    /// The session or file in work, for display.
    pub name: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum JobResult {
    Exported {
        to: PathBuf,
        sessions: usize,
        /// One message for each session that was left out.
        left_out: Vec<String>,
    },
    Imported {
        made: Vec<PathBuf>,
        /// Files that were imported before.
        there_already: usize,
        /// One message for each file with a problem.
        problems: Vec<String>,
        is_cancelled: bool,
    },
    /// Nothing was written.
    Cancelled,
}
