//! The sessions of an export. All are opened first, so that unreadable ones are known before the first byte is written.
//! Their records are loaded one session at a time, so that a study of any size fits into memory.

use std::path::{Path, PathBuf};

use super::ExportError;
use analysis::QualityReport;
use session::{FrameMeta, StreamInfo, Timeline};
use store::{SessionFile, SessionHeader, SessionState, StoreError};
use study_query::{Cancel, LeftOut, StoredSession};

/// The last two names of a session's folder. The rest of the path is private and is not exported.
pub(super) fn folder_label(folder: &Path) -> String {
    let names: Vec<_> = folder.iter().map(|name| name.to_string_lossy()).collect();
    names[names.len().saturating_sub(2)..].join("/")
}

/// A session with its header. Its records are not loaded.
#[derive(Clone, Debug)]
pub struct Selected {
    cancel: Cancel,
    pub folder: PathBuf,
    pub header: SessionHeader,
    pub state: SessionState,
    pub streams: Vec<StreamInfo>,
    with_taken_back: bool,
}

/// Ordered by study, participant and session number; never empty.
#[derive(Clone, Debug)]
pub struct Selection {
    sessions: Vec<Selected>,
    left_out: Vec<LeftOut>,
}

/// One session in memory.
#[derive(Debug)]
pub struct ExportedSession {
    pub header: SessionHeader,
    pub timeline: Timeline,
    /// By number.
    pub frames: Vec<FrameMeta>,
    pub quality: QualityReport,
}

impl Selection {
    /// Opens all sessions. Sessions that are damaged, of another or a newer format, or being recorded are left out. If none
    /// remains, this is an error. `left_out` contains sessions that are already known to be unreadable.
    pub fn open(
        folders: impl IntoIterator<Item = PathBuf>,
        mut left_out: Vec<LeftOut>,
    ) -> Result<Selection, ExportError> {
        let mut sessions = Vec::new();
        for folder in folders {
            match Selected::open(&folder) {
                Ok(session) if session.state == SessionState::Recording => {
                    left_out.push(LeftOut { why: StoreError::Recording(folder.clone()).to_string(), folder });
                }
                Ok(session) => sessions.push(session),
                Err(e) => left_out.push(LeftOut { why: e.to_string(), folder }),
            }
        }
        sessions.sort_by(|a, b| a.identity().cmp(&b.identity()));
        if let Some([a, b]) = sessions.windows(2).find(|pair| pair[0].identity() == pair[1].identity()) {
            let h = &a.header;
            let study = h.study.name.clone();
            return Err(ExportError::Twice(
                a.folder.clone(),
                b.folder.clone(),
                h.participant.clone(),
                h.session,
                study,
            ));
        }
        if sessions.is_empty() {
            return Err(ExportError::NothingSelected(left_out));
        }
        Ok(Selection { sessions, left_out })
    }

    /// An export of this selection fails with [`ExportError::Cancelled`] after `cancel`, before it reads the next session.
    /// It leaves no files.
    pub fn cancelled_by(mut self, cancel: &Cancel) -> Selection {
        self.sessions.iter_mut().for_each(|session| session.cancel = cancel.clone());
        self
    }

    /// Includes the markers that the operator has taken back, and the events that took them back.
    pub fn with_taken_back(mut self) -> Selection {
        self.sessions.iter_mut().for_each(|session| session.with_taken_back = true);
        self
    }

    pub fn sessions(&self) -> &[Selected] {
        &self.sessions
    }

    pub fn folders(&self) -> Vec<PathBuf> {
        self.sessions.iter().map(|s| s.folder.clone()).collect()
    }

    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The title of the export: the session's title, or the titles of the studies, each once.
    pub fn title(&self) -> String {
        if let [only] = &self.sessions[..] {
            return session_title(&only.header);
        }
        self.study_titles()
    }

    pub fn study_titles(&self) -> String {
        let mut titles: Vec<&str> = self.sessions.iter().map(|s| s.header.study.title.as_str()).collect();
        titles.dedup();
        titles.join("; ")
    }

    /// The names of the studies, each once.
    pub fn studies(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.sessions.iter().map(|s| s.header.study.name.as_str()).collect();
        names.dedup();
        names
    }

    /// The streams of all sessions, ordered by name. If descriptions differ, the first one is used.
    pub fn streams(&self) -> Vec<&StreamInfo> {
        let mut all: Vec<&StreamInfo> = self.sessions.iter().flat_map(|s| &s.streams).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all.dedup_by(|a, b| a.name == b.name);
        all
    }
}

impl Selected {
    fn open(folder: &Path) -> Result<Selected, StoreError> {
        let file = SessionFile::open(folder)?;
        Ok(Selected {
            cancel: Cancel::default(),
            folder: folder.to_owned(),
            header: file.header().clone(),
            state: file.state()?,
            streams: file.streams().to_vec(),
            with_taken_back: false,
        })
    }

    fn identity(&self) -> (&str, &str, u32) {
        (&self.header.study.name, self.header.participant.as_str(), self.header.session.0)
    }

    /// `sub-01_ses-01_task-demo`, as BIDS names files.
    pub fn label(&self) -> String {
        let h = &self.header;
        format!("{}_{}_task-{}", h.participant, h.session, task(&h.study.name))
    }

    /// Streams of Lab Streaming Layer have their session times, computed from all measurements of their clocks.
    pub fn load(&self) -> Result<ExportedSession, ExportError> {
        let session = self.load_as_stored()?;
        Ok(ExportedSession { timeline: session.timeline.with_lsl_times(), ..session })
    }

    /// With the stored times, from which the senders' stamps can be computed.
    pub fn load_as_stored(&self) -> Result<ExportedSession, ExportError> {
        if self.cancel.is_cancelled() {
            return Err(ExportError::Cancelled);
        }
        let StoredSession { file, timeline, quality } = StoredSession::open(&self.folder)?;
        let frames = file.frames()?.metas().collect();
        let timeline = if self.with_taken_back { timeline.with_taken_back() } else { timeline };
        Ok(ExportedSession { frames, header: self.header.clone(), timeline, quality })
    }
}

impl ExportedSession {
    /// The title of its figure.
    pub fn title(&self) -> String {
        session_title(&self.header)
    }
}

/// The title of a session's figures.
pub fn session_title(h: &SessionHeader) -> String {
    format!("{} {}, {}, {}", h.participant, h.session, h.study.title, h.zero_utc.format("%Y-%m-%d %H:%M UTC"))
}

/// The study's name as a BIDS label, with letters and digits only. A file may contain other characters.
fn task(study: &str) -> String {
    let label: String = study.chars().filter(char::is_ascii_alphanumeric).collect();
    if label.is_empty() { "study".to_owned() } else { label }
}
