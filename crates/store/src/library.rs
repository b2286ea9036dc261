//! The library: all sessions, participants and studies in one folder:
//!
//! ```text
//! participants.tsv
//! studies/demo/study.toml
//! sub-01/ses-01_20261123T100000Z_demo/session.sqlite, video.mkv
//! ```

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::folders::{DRAFT, FolderName, TIME_FORMAT, subfolders};
use super::ledger::continued_folders;
use super::participants::{self, PARTICIPANTS_FILE};
use super::studies::{StudyEntry, StudyFile, StudyFileError, studies_in};
use super::{Recovery, SessionCondition, SessionFile, SessionHeader, SessionState, StoreError, Summary, recover};
use session::{ParticipantId, SessionNumber, VideoLoss};

/// The folder of a library's own studies, in the library.
pub const STUDIES_FOLDER: &str = "studies";
/// A server continues a session after a pause of at most this time.
const SERVER_CONTINUES: chrono::TimeDelta = chrono::TimeDelta::hours(25);

#[derive(Clone, Debug)]
pub struct Library {
    root: PathBuf,
    shipped_studies: Option<PathBuf>,
}

/// One session in a list. For a damaged session, the data are taken from the folder's name, or are `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionEntry {
    /// Identifies the session.
    pub folder: PathBuf,
    pub participant: Option<ParticipantId>,
    pub session: Option<SessionNumber>,
    pub study: Option<String>,
    pub started: Option<DateTime<Utc>>,
    /// Recorded by the operator to try the study.
    pub pilot: bool,
    /// From the clock's zero to the end; `None` while the session is open.
    pub length: Option<Duration>,
    /// Size of all its files.
    pub size_bytes: u64,
    /// `None` while the session is open.
    pub summary: Option<Summary>,
    /// Stored pictures that are lost; `None` if there are none.
    pub video_loss: Option<VideoLoss>,
    pub condition: Condition,
}

/// What the name of a session's folder states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionName {
    pub folder: PathBuf,
    pub participant: ParticipantId,
    pub session: Option<SessionNumber>,
    pub study: Option<String>,
    pub started: Option<DateTime<Utc>>,
}

/// Whether a session can be opened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    Opens(SessionState),
    /// The error, a sentence.
    Damaged(String),
}

/// A session that a crash left open, and the result of closing it.
#[derive(Debug)]
pub struct Recovered {
    pub folder: PathBuf,
    pub outcome: Result<Recovery, StoreError>,
}

impl Library {
    /// Creates the folder if it does not exist.
    pub fn open(root: &Path) -> Result<Library, StoreError> {
        std::fs::create_dir_all(root).map_err(StoreError::io("create the folder", root))?;
        Ok(Library { root: root.to_owned(), shipped_studies: None })
    }

    /// Adds the studies that come with the program to [`Library::studies`].
    pub fn with_studies(self, folder: &Path) -> Library {
        Library { shipped_studies: Some(folder.to_owned()), ..self }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn shipped_studies(&self) -> Option<&Path> {
        self.shipped_studies.as_deref()
    }

    /// The folder of a session as the ledger names it, relative to the folder of sessions.
    pub fn relative(&self, folder: &Path) -> PathBuf {
        folder.strip_prefix(&self.root).unwrap_or(folder).to_owned()
    }

    /// The participants of `participants.tsv` in its order, then those that only have a folder.
    pub fn participants(&self) -> Result<Vec<ParticipantId>, StoreError> {
        let mut all = participants::read(&self.root.join(PARTICIPANTS_FILE))?;
        for (_, participant) in self.participant_folders()? {
            if !all.contains(&participant) {
                all.push(participant);
            }
        }
        Ok(all)
    }

    /// The number after the highest used one, so that no pseudonym is used twice.
    pub fn next_participant(&self) -> Result<ParticipantId, StoreError> {
        let highest = self.participants()?.iter().filter_map(ParticipantId::number).max();
        Ok(ParticipantId::numbered(highest.unwrap_or(0).saturating_add(1)))
    }

    /// The number after this participant's highest session number.
    pub fn next_session(&self, participant: &ParticipantId) -> Result<SessionNumber, StoreError> {
        let taken = self.numbered_folders(&self.root.join(participant.as_str()))?;
        let highest = taken.iter().filter_map(|(_, name)| name.session).max();
        Ok(SessionNumber(highest.map_or(0, |n| n.0).saturating_add(1)))
    }

    /// Creates the folder of a new session and lists the participant. A used session number is refused.
    pub fn create_session(
        &self,
        participant: &ParticipantId,
        session: SessionNumber,
        study: &str,
        started: DateTime<Utc>,
    ) -> Result<PathBuf, StoreError> {
        let _lock = self.lock_folders()?;
        let folder = self.free_folder(participant, session, study, started)?;
        self.list_participant(participant, started)?;
        make_session_folder(&folder)?;
        Ok(folder)
    }

    /// The session or draft that has this number.
    pub fn taken(&self, participant: &ParticipantId, session: SessionNumber) -> Result<Option<PathBuf>, StoreError> {
        let mut all = self.numbered_folders(&self.root.join(participant.as_str()))?.into_iter();
        Ok(all.find(|(_, name)| name.session == Some(session)).map(|(folder, _)| folder))
    }

    /// The folder of a session, if its number is free. The caller must hold the lock of [`Library::lock_folders`].
    pub(super) fn free_folder(
        &self,
        participant: &ParticipantId,
        session: SessionNumber,
        study: &str,
        started: DateTime<Utc>,
    ) -> Result<PathBuf, StoreError> {
        let name = format!("{session}_{}_{study}", started.format(TIME_FORMAT));
        let taken = self.taken(participant, session)?.map(StoreError::Exists);
        taken.map_or_else(|| Ok(self.root.join(participant.as_str()).join(name)), Err)
    }

    /// Fails if `participants.tsv` cannot be changed. Called before a session is created.
    pub(super) fn check_list(&self) -> Result<(), StoreError> {
        participants::check(&self.root.join(PARTICIPANTS_FILE))
    }

    /// Adds a participant to `participants.tsv`.
    pub(super) fn list_participant(&self, participant: &ParticipantId, since: DateTime<Utc>) -> Result<(), StoreError> {
        participants::add(&self.root.join(PARTICIPANTS_FILE), participant, since.date_naive())
    }

    /// All sessions, including damaged ones, by participant and number. Reads headers, not records.
    pub fn sessions(&self) -> Result<Vec<SessionEntry>, StoreError> {
        let mut sessions = Vec::new();
        for (folder, participant) in self.participant_folders()? {
            for (folder, name) in self.session_folders(&folder)? {
                sessions.push(entry(folder, Some(participant.clone()), name));
            }
        }
        sessions.sort_by(|a, b| (&a.participant, a.session, &a.folder).cmp(&(&b.participant, b.session, &b.folder)));
        Ok(sessions)
    }

    /// Completes erasures and reassignments that a kill interrupted. Called at the program's start. Returns what could not be
    /// completed. The next start tries again.
    pub fn finish_interrupted(&self) -> Result<Vec<StoreError>, StoreError> {
        let _lock = self.lock_folders()?;
        Ok(self.finish_erasing().into_iter().chain(self.finish_reassigning()).collect())
    }

    /// Closes each of these sessions that a crash left open. Called at the program's start, after
    /// [`Library::finish_interrupted`], with all sessions. A failure of one session does not affect the others. Sessions that a
    /// server will continue stay open.
    pub fn recover_all(&self, sessions: &[SessionEntry]) -> Result<Vec<Recovered>, StoreError> {
        let continued = continued_folders(&self.root, Utc::now() - SERVER_CONTINUES)?;
        let crashed = sessions.iter().filter(|s| s.condition == Condition::Opens(SessionState::Crashed));
        let crashed = crashed.map(|s| &s.folder).filter(|folder| !continued.contains(*folder));
        let closed = crashed
            .filter_map(|folder| Some(Recovered { outcome: recover(folder).transpose()?, folder: folder.clone() }));
        Ok(closed.collect())
    }

    /// The folders of all sessions, including damaged ones. Does not read them.
    pub fn folders(&self) -> Result<Vec<PathBuf>, StoreError> {
        Ok(self.session_names()?.into_iter().map(|name| name.folder).collect())
    }

    /// The names of all sessions, including damaged ones. Does not read the sessions.
    pub fn session_names(&self) -> Result<Vec<SessionName>, StoreError> {
        let mut names = Vec::new();
        for (folder, participant) in self.participant_folders()? {
            for (folder, FolderName { session, started, study }) in self.session_folders(&folder)? {
                names.push(SessionName { folder, participant: participant.clone(), session, study, started });
            }
        }
        Ok(names)
    }

    /// Adds a session that was recorded elsewhere: moves the folder `made`, on the same file system, to its place in the
    /// library. Returns the new path.
    pub fn adopt(&self, made: &Path, participant: &ParticipantId, name: &str) -> Result<PathBuf, StoreError> {
        let _lock = self.lock_folders()?;
        let parent = self.root.join(participant.as_str());
        let folder = parent.join(name);
        let number = FolderName::parse(name).session;
        if number.is_none() {
            return Err(StoreError::OutsideLibrary(folder, self.root.clone()));
        }
        if let Some((taken, _)) = self.session_folders(&parent)?.into_iter().find(|(_, n)| n.session == number) {
            return Err(StoreError::Exists(taken));
        }
        self.enter_adopted(SessionFile::open(made)?.header(), participant)?;
        std::fs::create_dir_all(&parent).map_err(StoreError::io("create the folder", &parent))?;
        std::fs::rename(made, &folder).map_err(StoreError::io("move", made))?;
        Ok(folder)
    }

    /// Lists the participant of a session that was recorded elsewhere, with its condition. A pilot has no participant.
    fn enter_adopted(&self, header: &SessionHeader, participant: &ParticipantId) -> Result<(), StoreError> {
        if header.pilot {
            return Ok(());
        }
        self.list_participant(participant, Utc::now())?;
        let Some(condition) = SessionCondition::of(header) else { return Ok(()) };
        let study = &header.study.name;
        if let Some(other) = self.note_condition(participant, study, &condition)? {
            let recorded = condition.name;
            tracing::warn!(
                "a session of {participant} in the study `{study}` was recorded in the condition `{recorded}`, but \
                 participants.tsv states `{other}`, and later sessions get that one: correct the list if it is wrong"
            );
        }
        Ok(())
    }

    /// The folder of the library's own studies. It need not exist.
    pub fn own_studies(&self) -> PathBuf {
        self.root.join(STUDIES_FOLDER)
    }

    /// The library's own studies first, then the shipped studies with other names.
    pub fn studies(&self) -> Result<Vec<StudyEntry>, StoreError> {
        let own = self.own_studies();
        let mut studies = studies_in(&own).map_err(StoreError::io("read the folder", &own))?;
        if let Some(shipped) = &self.shipped_studies {
            let names: Vec<_> = studies.iter().map(|s| s.name.clone()).collect();
            let shipped = studies_in(shipped).map_err(StoreError::io("read the folder", shipped))?;
            studies.extend(shipped.into_iter().filter(|s| !names.contains(&s.name)));
        }
        Ok(studies)
    }

    /// By name, or by the path of a `study.toml` or its folder.
    pub fn study(&self, name_or_path: &str) -> Result<StudyFile, StudyFileError> {
        let studies = self
            .studies()
            .map_err(|e| StudyFileError::Unreadable { path: self.root.clone(), source: std::io::Error::other(e) })?;
        let names = studies.iter().map(|s| s.name.clone()).collect();
        match studies.into_iter().find(|s| s.name == name_or_path) {
            Some(entry) => entry.study,
            None if Path::new(name_or_path).exists() => StudyFile::read(Path::new(name_or_path)),
            None => Err(StudyFileError::Unknown { name: name_or_path.to_owned(), names }),
        }
    }

    pub(super) fn participant_folders(&self) -> Result<Vec<(PathBuf, ParticipantId)>, StoreError> {
        let folders = subfolders(&self.root)?.into_iter();
        Ok(folders.filter_map(|(path, name)| Some((path, name.parse().ok()?))).collect())
    }

    fn session_folders(&self, participant: &Path) -> Result<Vec<(PathBuf, FolderName)>, StoreError> {
        let folders = subfolders(participant)?.into_iter();
        Ok(folders
            .filter(|(_, name)| name.starts_with("ses-"))
            .map(|(p, name)| (p, FolderName::parse(&name)))
            .collect())
    }

    /// The folders of sessions and of drafts. Both use session numbers.
    pub(super) fn numbered_folders(&self, participant: &Path) -> Result<Vec<(PathBuf, FolderName)>, StoreError> {
        let drafts = subfolders(participant)?.into_iter();
        let drafts = drafts.filter_map(|(path, name)| Some((path, FolderName::parse(name.strip_prefix(DRAFT)?))));
        Ok(self.session_folders(participant)?.into_iter().chain(drafts).collect())
    }

    /// Locks the library while folders are created or removed, so that two programs never assign the same number.
    pub(super) fn lock_folders(&self) -> Result<File, StoreError> {
        let path = self.root.join(".library.lock");
        let open = File::options().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(StoreError::io("open", &path))?;
        file.lock().map_err(StoreError::io("lock", &path))?;
        Ok(file)
    }
}

pub(super) fn make_session_folder(folder: &Path) -> Result<(), StoreError> {
    let parent = folder.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(StoreError::io("create the folder", parent))?;
    std::fs::create_dir(folder).map_err(StoreError::io("create the folder", folder))
}

/// One session for a list.
pub fn session_entry(folder: &Path) -> SessionEntry {
    let name_of =
        |path: Option<&Path>| path.and_then(Path::file_name).and_then(|n| n.to_str()).unwrap_or_default().to_owned();
    let participant = name_of(folder.parent()).parse().ok();
    entry(folder.to_owned(), participant, FolderName::parse(&name_of(Some(folder))))
}

fn entry(folder: PathBuf, participant: Option<ParticipantId>, name: FolderName) -> SessionEntry {
    let mut entry = SessionEntry {
        size_bytes: size_bytes(&folder),
        folder,
        participant,
        session: name.session,
        study: name.study,
        started: name.started,
        pilot: false,
        length: None,
        summary: None,
        video_loss: None,
        condition: Condition::Opens(SessionState::Crashed),
    };
    let opened = SessionFile::open(&entry.folder);
    let opened = opened.and_then(|session| Ok((session.state()?, session.video_loss()?, session)));
    match opened {
        Ok((state, video_loss, session)) => {
            // During a recording, missing pictures may still be written.
            entry.video_loss = video_loss.filter(|_| state != SessionState::Recording);
            let header = session.header();
            entry.participant = Some(header.participant.clone());
            entry.session = Some(header.session);
            entry.study = Some(header.study.name.clone());
            entry.started = Some(header.zero_utc);
            entry.pilot = header.pilot;
            entry.summary = session.summary().cloned();
            entry.length = entry.summary.as_ref().map(|s| Duration::from_nanos(s.end.as_ns().max(0) as u64));
            entry.condition = Condition::Opens(state);
        }
        Err(e) => entry.condition = Condition::Damaged(e.to_string()),
    }
    entry
}

/// A file that disappears during the reading counts as 0.
fn size_bytes(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|f| f.metadata().ok()).filter(|m| m.is_file()).map(|m| m.len()).sum()
}
