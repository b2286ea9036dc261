//! Makes sessions from video files, for `affectograph analyze` and the window.
//!
//! The participant of a file is given, or is in its name: `sub-07_talk.mp4`, `sub-07_ses-02_talk.mp4`. Other names are not
//! converted to pseudonyms. A session is added to the library when it is complete. If the program ends early, the same
//! import continues with the remaining files.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use chrono::Utc;
use crossbeam_channel::{Receiver, Sender, bounded};
use serde_json::Value;

use crate::failure::Failure;
use crate::processors::processors;
use crate::version::revision;
use recording::{Guided, ImportOutcome, ImportedFile, SessionPlan, VideoImporter};
use session::{
    Body, HEALTH, HealthKind, ParticipantId, SessionNumber, participant_in_file_name, path_in_line, path_text,
};
use store::{Condition, FilmKeeping, Library, SessionFile, SessionState, StoredStudy};
use study_query::StoredSession;
use vision::models_folder;

/// Threads that read affect and compress frames of one file. The thread that follows the face is slower than more of them.
const MAX_FRAME_THREADS: usize = 8;
/// Events of the worker threads that are not handled yet.
const EVENTS_WAITING: usize = 64;
/// The study of video files that belong to no study of the library.
const NO_STUDY: &str = r#"name = "films"
title = "Analyzed video files"

[page]
address = "none"
"#;

/// A file to analyze.
#[derive(Clone, Debug)]
pub struct Job {
    /// Absolute path without links.
    path: PathBuf,
    pub film: ImportedFile,
    pub participant: ParticipantId,
    session: Option<SessionNumber>,
}

/// The result for one file.
pub struct Done {
    pub job: Job,
    pub result: Result<Session, String>,
}

pub struct Session {
    pub folder: PathBuf,
    pub session: SessionNumber,
    pub outcome: ImportOutcome,
    pub took_s: f64,
    pub grade: String,
}

/// An event of a worker thread. The number is the file's index.
enum WorkerEvent {
    /// The share of the file's frames that is done.
    Progress(usize, f64),
    Done(usize, Box<Done>),
    /// The user ended the import.
    Cancelled,
}

/// What the importer reports, on the calling thread. The number is the file's index.
pub trait ImportReport {
    /// The share of the file's frames that is done.
    fn progress(&mut self, file: usize, share: f64);
    fn done(&mut self, file: usize, done: &Done);
}

/// How much of an import is done.
pub struct FilesProgress {
    /// File sizes, which estimate the processing times.
    weights: Vec<u64>,
    shares: Vec<f64>,
    done: usize,
}

impl FilesProgress {
    pub fn of(jobs: &[Job]) -> FilesProgress {
        let weights: Vec<u64> = jobs.iter().map(|job| job.film.bytes).collect();
        FilesProgress { shares: vec![0.0; weights.len()], weights, done: 0 }
    }

    pub fn advance(&mut self, file: usize, share: f64) {
        self.shares[file] = share.min(1.0);
    }

    pub fn end(&mut self, file: usize) {
        self.shares[file] = 1.0;
        self.done += 1;
    }

    /// Files that are done.
    pub fn done(&self) -> usize {
        self.done
    }

    /// Of all bytes, 0 to 1.
    pub fn share(&self) -> f64 {
        let all: u64 = self.weights.iter().sum();
        let done: f64 = self.weights.iter().zip(&self.shares).map(|(w, s)| *w as f64 * s).sum();
        done / all.max(1) as f64
    }

    /// `3 of 12 files`
    pub fn label(&self) -> String {
        format!("{} of {} files", self.done, self.weights.len())
    }
}

/// What is imported.
pub struct FilmImport<'a> {
    pub files: &'a [PathBuf],
    /// `None`: each file's name begins with its participant.
    pub participant: Option<&'a ParticipantId>,
    /// A study of the library. `None`: the files belong to no study.
    pub study: Option<&'a str>,
    /// `None`: the study's network.
    pub model: Option<&'a str>,
    /// `None`: half as many as there are processors, because each file uses at least two.
    pub threads: Option<usize>,
    pub keeping: FilmKeeping,
}

/// An import whose arguments were checked.
pub struct Prepared<'a> {
    pub jobs: Vec<Job>,
    /// Files that were imported before, with the folders of their sessions.
    pub there_already: Vec<(Job, PathBuf)>,
    /// Messages for the user.
    pub notes: Vec<String>,
    library: &'a Library,
    study: StoredStudy,
    models: PathBuf,
    model: String,
    threads: usize,
    keeping: FilmKeeping,
}

impl FilmImport<'_> {
    /// Checks all arguments before the first frame is read.
    pub fn prepare<'a>(&self, library: &'a Library) -> Result<Prepared<'a>, Failure> {
        let study = match self.study {
            Some(name) => library.study(name)?.stored(),
            None => StoredStudy::new(&session::Study::parse(NO_STUDY)?, NO_STUDY),
        };
        let model = match self.model {
            Some(model) => model.to_owned(),
            None => study.excerpt()?.affect_model,
        };
        let mut notes = Vec::new();
        let jobs = self.files.iter().map(|file| job(file, self.participant)).collect::<Result<Vec<_>, _>>()?;
        let jobs = without_duplicates(jobs, &mut notes)?;
        let (jobs, there_already) = split_analyzed(jobs, library, &study)?;
        Ok(Prepared {
            jobs,
            there_already,
            notes,
            library,
            study,
            models: models_folder()?,
            model,
            keeping: self.keeping,
            threads: self.threads.unwrap_or_else(|| processors().div_ceil(2)),
        })
    }
}

fn job(file: &Path, participant: Option<&ParticipantId>) -> Result<Job, Failure> {
    let shown = path_in_line(&path_text(file));
    let path = file.canonicalize().map_err(|e| format!("could not read {shown}: {e}"))?;
    let film = ImportedFile::of(&path).map_err(|e| format!("could not read {shown}: {e}"))?;
    let name = path_text(Path::new(file.file_name().unwrap_or_default()));
    let (named, session) = participant_in_file_name(&name);
    let Some(participant) = participant.cloned().or(named) else {
        return Err(format!(
            "the participant of {shown} is not known. Give the participant (--participant sub-01), or begin the file's name with it: sub-01_{}",
            path_in_line(&name)
        )
        .into());
    };
    Ok(Job { path, film, participant, session })
}

/// Removes files that are named twice, also by another path or a link. Adds a note for each.
fn without_duplicates(jobs: Vec<Job>, notes: &mut Vec<String>) -> Result<Vec<Job>, Failure> {
    let mut once: Vec<Job> = Vec::new();
    for job in jobs {
        let Some(same) = once.iter().find(|other| is_same_file(&other.path, &job.path)) else {
            once.push(job);
            continue;
        };
        let [first, second] = [same, &job].map(|job| path_in_line(&job.film.file));
        if (&same.participant, same.session) != (&job.participant, job.session) {
            return Err(format!(
                "{first} is named twice, as a video of {} and of {}: give it once, or make a copy for the other participant",
                named(same),
                named(&job)
            )
            .into());
        }
        notes.push(format!("{second} is the same file as {first}: it is analyzed once."));
    }
    Ok(once)
}

fn named(job: &Job) -> String {
    job.session.map_or_else(|| job.participant.to_string(), |session| format!("{} {session}", job.participant))
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let id = |path: &Path| path.metadata().ok().map(|meta| (meta.dev(), meta.ino()));
        if let (Some(a), Some(b)) = (id(a), id(b)) {
            return a == b;
        }
    }
    a == b
}

/// Files to analyze, and files that were analyzed before with the folders of their sessions.
type SplitJobs = (Vec<Job>, Vec<(Job, PathBuf)>);

/// A file was analyzed before if the library has a closed session of it in this study, and if it has not changed since.
fn split_analyzed(jobs: Vec<Job>, library: &Library, study: &StoredStudy) -> Result<SplitJobs, Failure> {
    let mut sessions = Vec::new();
    for entry in library.sessions()? {
        let is_closed = entry.condition == Condition::Opens(SessionState::Closed);
        if is_closed && entry.study.as_deref() == Some(study.name.as_str()) {
            let file = SessionFile::open(&entry.folder)?;
            if jobs.iter().any(|job| job.film.file == file.header().camera.spec) {
                sessions.push((file.header().participant.clone(), film_of(&file)?, entry.folder));
            }
        }
    }
    let mut split = SplitJobs::default();
    for job in jobs {
        let same = sessions
            .iter()
            .find(|(participant, film, _)| *participant == job.participant && film.as_ref() == Some(&job.film));
        match same {
            Some((.., folder)) => split.1.push((job, folder.clone())),
            None => split.0.push(job),
        }
    }
    Ok(split)
}

/// The file that a session was made from.
fn film_of(session: &SessionFile) -> Result<Option<ImportedFile>, Failure> {
    let mut film = None;
    session.each_record(|record| {
        if let Body::Event { kind, data } = record.body
            && record.stream.as_str() == HEALTH
            && kind == HealthKind::Film.as_str()
        {
            film = serde_json::from_value(Value::Object(data)).ok();
        }
    })?;
    Ok(film)
}

/// Threads for the frames of one file, if `films` files are analyzed at the same time.
fn frame_threads(films: usize) -> NonZeroUsize {
    NonZeroUsize::new(processors().div_ceil(films).min(MAX_FRAME_THREADS)).unwrap_or(NonZeroUsize::MIN)
}

impl Prepared<'_> {
    /// Returns `true` if the import was cancelled.
    pub fn run(&mut self, flag: &AtomicBool, report: &mut impl ImportReport) -> Result<bool, Failure> {
        let jobs = std::mem::take(&mut self.jobs);
        let this = &*self;
        let threads = this.threads.clamp(1, jobs.len().max(1));
        let per_film = frame_threads(threads);
        // One set of networks per thread. All are loaded before the first file, so an invalid network is reported here.
        let films = (0..threads)
            .map(|_| VideoImporter::load(&this.models, &this.model, per_film).map(|films| films.keeping(this.keeping)))
            .collect::<Result<Vec<_>, _>>()?;
        let (queue, waiting) = bounded(jobs.len());
        for job in jobs.into_iter().enumerate() {
            queue.send(job).map_err(|_| "the queue of files is closed")?;
        }
        drop(queue);
        // A worker waits if the reader is slow.
        let (sender, events) = bounded(EVENTS_WAITING);
        std::thread::scope(|scope| {
            let mut workers = Vec::new();
            for (k, films) in films.into_iter().enumerate() {
                let (sender, waiting) = (sender.clone(), waiting.clone());
                let builder = std::thread::Builder::new().name(format!("film {k}"));
                workers.push(builder.spawn_scoped(scope, move || this.work(films, &waiting, flag, &sender))?);
            }
            drop(sender);
            let mut is_cancelled = false;
            for event in events {
                match event {
                    WorkerEvent::Progress(k, share) => report.progress(k, share),
                    WorkerEvent::Done(k, done) => report.done(k, &done),
                    WorkerEvent::Cancelled => is_cancelled = true,
                }
            }
            let all_ended = workers.into_iter().all(|w| w.join().is_ok());
            if all_ended {
                Ok(is_cancelled)
            } else {
                Err("a scoring thread died: start the same import again to continue".into())
            }
        })
    }

    fn work(
        &self,
        mut films: VideoImporter,
        waiting: &Receiver<(usize, Job)>,
        flag: &AtomicBool,
        events: &Sender<WorkerEvent>,
    ) {
        for (k, job) in waiting {
            // The receiver reads until all workers have ended, so sending does not fail.
            let progress = |share| {
                events.send(WorkerEvent::Progress(k, share)).ok();
            };
            let event = match self.analyze(&mut films, &job, flag, progress).transpose() {
                None => WorkerEvent::Cancelled,
                Some(result) => {
                    let result = result.map_err(|e| e.to_string());
                    WorkerEvent::Done(k, Box::new(Done { job, result }))
                }
            };
            let is_over = matches!(event, WorkerEvent::Cancelled);
            if events.send(event).is_err() || is_over {
                return;
            }
        }
    }

    /// `None`: the import was cancelled.
    fn analyze(
        &self,
        films: &mut VideoImporter,
        job: &Job,
        flag: &AtomicBool,
        progress: impl Fn(f64),
    ) -> Result<Option<Session>, Failure> {
        let started = Instant::now();
        let draft = self.library.draft_session(&job.participant, job.session, &self.study.name, Utc::now())?;
        let plan = SessionPlan {
            folder: draft.folder().to_owned(),
            participant: job.participant.clone(),
            session: draft.session(),
            study: self.study.clone(),
            guided: Guided::default(),
            consent: None,
            overridden_checks: Vec::new(),
            condition: None,
            pilot: false,
            revision: revision(),
            planned: None,
        };
        let mut last = 0;
        let outcome = films.record(&job.path, &job.film, &plan, flag, |p| {
            if let Some(expected) = p.expected.filter(|_| p.frames >= last + 15) {
                last = p.frames;
                progress(p.frames as f64 / expected.max(1) as f64);
            }
        })?;
        let Some(outcome) = outcome else { return Ok(None) };
        let grade = StoredSession::open_and_store_quality(draft.folder())?.quality.grade.to_string();
        let session = draft.session();
        let folder = draft.publish()?;
        Ok(Some(Session { folder, session, outcome, took_s: started.elapsed().as_secs_f64(), grade }))
    }
}
