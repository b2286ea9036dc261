//! All sessions, participants and studies below one folder:
//!
//! ```text
//! participants.tsv
//! studies/demo/study.toml
//! sub-01/ses-01_20261123T100000Z_demo/session.sqlite, video.mkv
//! ```

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Serialize;

use super::participants::{self, PARTICIPANTS_FILE};
use super::session_draft::DRAFT;
use super::studies::{StudyEntry, StudyFile, StudyFileError, studies_in};
use super::{Recovery, SessionFile, SessionLock, SessionState, StoreError, Summary, recover};
use session::{ParticipantId, SessionNumber, VideoLoss};

const TIME_FORMAT: &str = "%Y%m%dT%H%M%SZ";
/// A session on its way out: renamed first, so that a half-erased one never shows up as a session.
const ERASING: &str = ".erasing-";

#[derive(Clone, Debug)]
pub struct Library {
    root: PathBuf,
    shipped_studies: Option<PathBuf>,
}

/// One session as a list shows it. What a damaged one does not tell is taken from its folder's name, or `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionEntry {
    /// Its identity.
    pub folder: PathBuf,
    pub participant: Option<ParticipantId>,
    pub session: Option<SessionNumber>,
    pub study: Option<String>,
    pub started: Option<DateTime<Utc>>,
    /// From the clock's zero to the end; `None` while it is open.
    pub length: Option<Duration>,
    /// Of all its files.
    pub size_bytes: u64,
    /// `None` while it is open.
    pub summary: Option<Summary>,
    /// Pictures that were stored and are gone; `None` where all are there.
    pub video_loss: Option<VideoLoss>,
    pub condition: Condition,
}

/// Whether a session opens.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    Opens(SessionState),
    /// A sentence.
    Damaged(String),
}

/// A session that a crash had left open.
#[derive(Debug)]
pub struct Recovered {
    pub folder: PathBuf,
    pub outcome: Result<Recovery, StoreError>,
}

impl Library {
    /// The folder is made where it does not exist.
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

    /// Those of `participants.tsv` in its order, then those that only have a folder.
    pub fn participants(&self) -> Result<Vec<ParticipantId>, StoreError> {
        let mut all = participants::read(&self.root.join(PARTICIPANTS_FILE))?;
        for (_, participant) in self.participant_folders()? {
            if !all.contains(&participant) {
                all.push(participant);
            }
        }
        Ok(all)
    }

    /// The number after the highest one in use, so that no pseudonym is given twice.
    pub fn next_participant(&self) -> Result<ParticipantId, StoreError> {
        let highest = self.participants()?.iter().filter_map(ParticipantId::number).max();
        Ok(ParticipantId::numbered(highest.unwrap_or(0).saturating_add(1)))
    }

    /// The number after this participant's highest.
    pub fn next_session(&self, participant: &ParticipantId) -> Result<SessionNumber, StoreError> {
        let taken = self.numbered_folders(&self.root.join(participant.as_str()))?;
        let highest = taken.iter().filter_map(|(_, name)| name.session).max();
        Ok(SessionNumber(highest.map_or(0, |n| n.0).saturating_add(1)))
    }

    /// Makes the folder of a new session, and the participant known. A number that is taken is refused.
    pub fn create_session(
        &self,
        participant: &ParticipantId,
        session: SessionNumber,
        study: &str,
        started: DateTime<Utc>,
    ) -> Result<PathBuf, StoreError> {
        let _turn = self.take_turn()?;
        let folder = self.free_folder(participant, session, study, started)?;
        self.know(participant, started)?;
        let parent = self.root.join(participant.as_str());
        std::fs::create_dir_all(&parent).map_err(StoreError::io("create the folder", &parent))?;
        std::fs::create_dir(&folder).map_err(StoreError::io("create the folder", &folder))?;
        Ok(folder)
    }

    /// Where a session belongs, if no other has its number. Whoever calls it has the turn.
    pub(super) fn free_folder(
        &self,
        participant: &ParticipantId,
        session: SessionNumber,
        study: &str,
        started: DateTime<Utc>,
    ) -> Result<PathBuf, StoreError> {
        let parent = self.root.join(participant.as_str());
        match self.numbered_folders(&parent)?.into_iter().find(|(_, n)| n.session == Some(session)) {
            Some((taken, _)) => Err(StoreError::Exists(taken)),
            None => Ok(parent.join(format!("{session}_{}_{study}", started.format(TIME_FORMAT)))),
        }
    }

    /// Refuses where a participant could not be listed, before anything is made for which that must be done.
    pub(super) fn check_list(&self) -> Result<(), StoreError> {
        participants::check(&self.root.join(PARTICIPANTS_FILE))
    }

    /// Lists a participant in `participants.tsv`.
    pub(super) fn know(&self, participant: &ParticipantId, since: DateTime<Utc>) -> Result<(), StoreError> {
        participants::add(&self.root.join(PARTICIPANTS_FILE), participant, since.date_naive())
    }

    /// Every session, damaged ones too, by participant and number. Reads headers, never records.
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

    /// Closes every session that a crash left open, and finishes erasing what was being erased. Meant for the
    /// program's start. Each failure belongs to one session and keeps no other from being closed.
    pub fn recover_all(&self) -> Result<Vec<Recovered>, StoreError> {
        self.finish_erasing()?;
        let crashed = self.sessions()?.into_iter().filter(|s| s.condition == Condition::Opens(SessionState::Crashed));
        let closed =
            crashed.filter_map(|s| Some(Recovered { outcome: recover(&s.folder).transpose()?, folder: s.folder }));
        Ok(closed.collect())
    }

    /// Removes a session's folder for good, damaged or not; one that is being recorded is refused.
    pub fn erase(&self, folder: &Path) -> Result<(), StoreError> {
        let _turn = self.take_turn()?;
        let outside = || StoreError::OutsideLibrary(folder.to_owned(), self.root.clone());
        let real = |path: &Path| path.canonicalize().map_err(StoreError::io("find", path));
        let (root, found) = (real(&self.root)?, real(folder)?);
        let inside = found.strip_prefix(&root).map_err(|_| outside())?;
        let parts: Vec<_> = inside.iter().filter_map(|p| p.to_str()).collect();
        let [participant, name] = parts[..] else { return Err(outside()) };
        if participant.parse::<ParticipantId>().is_err() || FolderName::parse(name).session.is_none() {
            return Err(outside());
        }
        if SessionLock::is_held(&found)? {
            return Err(StoreError::Recording(found));
        }
        let doomed = root.join(format!("{ERASING}{participant}_{name}"));
        std::fs::rename(&found, &doomed).map_err(StoreError::io("erase", &found))?;
        self.finish_erasing()
    }

    /// Removes all that there is of a participant: every session, whatever else lies in the folder, and the row in
    /// `participants.tsv`. A participant of whom a session is being recorded is refused.
    pub fn erase_participant(&self, participant: &ParticipantId) -> Result<(), StoreError> {
        let _turn = self.take_turn()?;
        self.check_list()?;
        let folder = self.root.join(participant.as_str());
        for (session, _) in self.session_folders(&folder)? {
            if SessionLock::is_held(&session)? {
                return Err(StoreError::Recording(session));
            }
        }
        if folder.exists() {
            let doomed = self.root.join(format!("{ERASING}{participant}"));
            std::fs::rename(&folder, &doomed).map_err(StoreError::io("erase", &folder))?;
        }
        participants::remove(&self.root.join(PARTICIPANTS_FILE), participant)?;
        self.finish_erasing()
    }

    /// The folder of every session, damaged ones too. Looks into none of them.
    pub fn folders(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut folders = Vec::new();
        for (participant, _) in self.participant_folders()? {
            folders.extend(self.session_folders(&participant)?.into_iter().map(|(folder, _)| folder));
        }
        Ok(folders)
    }

    /// Puts a session that was recorded elsewhere into the library: `made`, a folder beside it, is moved to where its
    /// name says. Returns its new place.
    pub fn adopt(&self, made: &Path, participant: &ParticipantId, name: &str) -> Result<PathBuf, StoreError> {
        let _turn = self.take_turn()?;
        let parent = self.root.join(participant.as_str());
        let folder = parent.join(name);
        let number = FolderName::parse(name).session;
        if number.is_none() {
            return Err(StoreError::OutsideLibrary(folder, self.root.clone()));
        }
        if let Some((taken, _)) = self.session_folders(&parent)?.into_iter().find(|(_, n)| n.session == number) {
            return Err(StoreError::Exists(taken));
        }
        SessionFile::open(made)?;
        participants::add(&self.root.join(PARTICIPANTS_FILE), participant, Utc::now().date_naive())?;
        std::fs::create_dir_all(&parent).map_err(StoreError::io("create the folder", &parent))?;
        std::fs::rename(made, &folder).map_err(StoreError::io("move", made))?;
        Ok(folder)
    }

    /// The participants' own studies first, then the shipped ones that they do not replace.
    pub fn studies(&self) -> Result<Vec<StudyEntry>, StoreError> {
        let own = self.root.join("studies");
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

    /// Those of sessions and of drafts of sessions: whatever has a number.
    fn numbered_folders(&self, participant: &Path) -> Result<Vec<(PathBuf, FolderName)>, StoreError> {
        let drafts = subfolders(participant)?.into_iter();
        let drafts = drafts.filter_map(|(path, name)| Some((path, FolderName::parse(name.strip_prefix(DRAFT)?))));
        Ok(self.session_folders(participant)?.into_iter().chain(drafts).collect())
    }

    /// Held while folders come or go, so that two programs never give one number twice.
    pub(super) fn take_turn(&self) -> Result<File, StoreError> {
        let path = self.root.join(".library.lock");
        let open = File::options().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(StoreError::io("open", &path))?;
        file.lock().map_err(StoreError::io("lock", &path))?;
        Ok(file)
    }

    fn finish_erasing(&self) -> Result<(), StoreError> {
        for (path, name) in subfolders(&self.root)? {
            if name.starts_with(ERASING) {
                std::fs::remove_dir_all(&path).map_err(StoreError::io("erase", &path))?;
            }
        }
        Ok(())
    }
}

/// What `ses-01_20261123T100000Z_demo` says.
#[derive(Debug)]
struct FolderName {
    session: Option<SessionNumber>,
    started: Option<DateTime<Utc>>,
    study: Option<String>,
}

impl FolderName {
    fn parse(name: &str) -> FolderName {
        let mut parts = name.splitn(3, '_');
        let session = parts.next().filter(|p| p.starts_with("ses-")).and_then(|p| p.parse().ok());
        let started = parts.next().and_then(|p| NaiveDateTime::parse_from_str(p, TIME_FORMAT).ok());
        FolderName { session, started: started.map(|t| t.and_utc()), study: parts.next().map(str::to_owned) }
    }
}

/// One session as a list shows it.
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
        length: None,
        summary: None,
        video_loss: None,
        condition: Condition::Opens(SessionState::Crashed),
    };
    let opened = SessionFile::open(&entry.folder);
    let opened = opened.and_then(|session| Ok((session.state()?, session.video_loss()?, session)));
    match opened {
        Ok((state, video_loss, session)) => {
            // What is being recorded is on its way.
            entry.video_loss = video_loss.filter(|_| state != SessionState::Recording);
            let header = session.header();
            entry.participant = Some(header.participant.clone());
            entry.session = Some(header.session);
            entry.study = Some(header.study.name.clone());
            entry.started = Some(header.zero_utc);
            entry.summary = session.summary().cloned();
            entry.length = entry.summary.as_ref().map(|s| Duration::from_nanos(s.end.as_ns().max(0) as u64));
            entry.condition = Condition::Opens(state);
        }
        Err(e) => entry.condition = Condition::Damaged(e.to_string()),
    }
    entry
}

/// A file that vanishes while one looks has no size.
fn size_bytes(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|f| f.metadata().ok()).filter(|m| m.is_file()).map(|m| m.len()).sum()
}

/// Path and name of each; none where there is no such folder.
pub(super) fn subfolders(folder: &Path) -> Result<Vec<(PathBuf, String)>, StoreError> {
    let failed = |e| StoreError::io("read the folder", folder)(e);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if let Ok(name) = entry.file_name().into_string()
            && entry.path().is_dir()
        {
            folders.push((entry.path(), name));
        }
    }
    folders.sort();
    Ok(folders)
}
