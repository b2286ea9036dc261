//! `affectograph analyze`: video files into sessions.
//!
//! Whose a file is, `--participant` says, or its name: `sub-07_talk.mp4`, `sub-07_ses-02_talk.mp4`. A name is never
//! made into a pseudonym. A session comes into the library when it is complete, so whatever ends the program, the same
//! command goes on with the files that are still to do.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use chrono::Utc;
use crossbeam_channel::{Receiver, Sender, bounded};
use serde_json::{Value, json};

use super::args::Analyze;
use super::progress::Progress;
use super::run_rig::{interrupted, reopen};
use super::{Failure, INCOMPLETE, Places};
use recording::{Guided, ImportOutcome, ImportedFile, SessionPlan, VideoImporter};
use session::{Body, HEALTH, HealthKind, ParticipantId, SessionNumber, path_in_line, path_text};
use store::{Condition, Library, SessionFile, SessionState, StoredStudy};
use vision::models_folder;

/// For films that belong to no study of the library.
/// Films that were read or have come on, and are not on the terminal yet.
const NEWS_WAITING: usize = 64;
const NO_STUDY: &str = r#"name = "films"
title = "Analyzed video files"

[page]
address = "none"
"#;

/// A file to do.
#[derive(Clone, Debug)]
struct Job {
    /// Absolute, links followed.
    path: PathBuf,
    film: ImportedFile,
    participant: ParticipantId,
    session: Option<SessionNumber>,
}

/// What became of a file.
struct Done {
    job: Job,
    result: Result<Session, String>,
}

struct Session {
    folder: PathBuf,
    session: SessionNumber,
    outcome: ImportOutcome,
    took_s: f64,
    grade: String,
}

enum News {
    /// Of all its frames this share is done.
    At(usize, f64),
    Done(usize, Box<Done>),
    /// Ended by the operator.
    Cancelled,
}

pub fn run(a: &Analyze, places: &Places) -> Result<ExitCode, Failure> {
    let library = places.library()?;
    for left in library.clear_drafts()? {
        eprintln!("What an ended analysis had left half done was removed: {}", left.display());
    }
    let study = match &a.study {
        Some(name) => library.study(name)?.stored(),
        None => StoredStudy::new(&session::Study::parse(NO_STUDY)?, NO_STUDY),
    };
    let model = match &a.model {
        Some(model) => model.clone(),
        None => study.parse()?.affect_model,
    };
    // Everything that can be said before the first frame is said before it.
    let jobs = a.files.iter().map(|file| job(file, a.participant.as_ref())).collect::<Result<Vec<_>, _>>()?;
    let jobs = each_once(jobs, &mut |line| eprintln!("{line}"))?;
    let (jobs, done_before) = without_done(jobs, &library, &study)?;
    let line = Line { library: &library, study: &study, models: models_folder()?, model: &model };
    let threads = a.threads.map_or_else(|| super::paths::processors().div_ceil(2), usize::from);
    let mut told = Told::new(a.json, jobs.iter().map(|job| job.film.bytes).collect());
    for (job, folder) in &done_before {
        told.before(job, folder);
    }
    let flag = interrupted()?;
    let is_cancelled = line.run(jobs, threads, &flag, &mut told)?;
    told.finish(is_cancelled);
    Ok(if told.troubled == 0 && !is_cancelled { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}

fn job(file: &Path, participant: Option<&ParticipantId>) -> Result<Job, Failure> {
    let shown = path_in_line(&path_text(file));
    let path = file.canonicalize().map_err(|e| format!("could not read {shown}: {e}"))?;
    let film = ImportedFile::of(&path).map_err(|e| format!("could not read {shown}: {e}"))?;
    let name = path_text(Path::new(file.file_name().unwrap_or_default()));
    let (named, session) = who(&name);
    let Some(participant) = participant.cloned().or(named) else {
        return Err(format!(
            "whose film is {shown}? Give --participant sub-01, or begin the file's name with its participant: sub-01_{}",
            path_in_line(&name)
        )
        .into());
    };
    Ok(Job { path, film, participant, session })
}

/// One film may be named twice: by another way to it, by a link. It is made into one session.
fn each_once(jobs: Vec<Job>, say: &mut impl FnMut(String)) -> Result<Vec<Job>, Failure> {
    let mut once: Vec<Job> = Vec::new();
    for job in jobs {
        let Some(same) = once.iter().find(|other| is_same_file(&other.path, &job.path)) else {
            once.push(job);
            continue;
        };
        let [first, second] = [same, &job].map(|job| path_in_line(&job.film.file));
        if (&same.participant, same.session) != (&job.participant, job.session) {
            return Err(format!(
                "{first} is named twice, as a film of {} and of {}: give it once, or make a copy for the other",
                named(same),
                named(&job)
            )
            .into());
        }
        say(format!("{second} is the same film as {first}: it is analyzed once."));
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

/// `sub-07_ses-02_anything.mp4`
fn who(name: &str) -> (Option<ParticipantId>, Option<SessionNumber>) {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let mut parts = stem.split('_');
    let participant = parts.next().and_then(|part| part.parse().ok());
    let session = parts.next().filter(|part| part.starts_with("ses-")).and_then(|part| part.parse().ok());
    let session = session.filter(|_| participant.is_some());
    (participant, session)
}

type Found = (Vec<Job>, Vec<(Job, PathBuf)>);

/// Leaves out the files of which the library has a whole session in this study, and that have not changed since.
fn without_done(jobs: Vec<Job>, library: &Library, study: &StoredStudy) -> Result<Found, Failure> {
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
    let mut found = Found::default();
    for job in jobs {
        let same = sessions.iter().find(|(who, film, _)| *who == job.participant && film.as_ref() == Some(&job.film));
        match same {
            Some((.., folder)) => found.1.push((job, folder.clone())),
            None => found.0.push(job),
        }
    }
    Ok(found)
}

/// Which file a session was made from.
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

/// What all files have in common.
struct Line<'a> {
    library: &'a Library,
    study: &'a StoredStudy,
    models: PathBuf,
    model: &'a str,
}

impl Line<'_> {
    /// Returns whether it was cancelled.
    fn run(&self, jobs: Vec<Job>, threads: usize, flag: &AtomicBool, told: &mut Told) -> Result<bool, Failure> {
        let threads = threads.clamp(1, jobs.len().max(1));
        // One set of networks a thread, and all of them before the first file: a network that does not fit ends it here.
        let films =
            (0..threads).map(|_| VideoImporter::load(&self.models, self.model)).collect::<Result<Vec<_>, _>>()?;
        let (queue, waiting) = bounded(jobs.len());
        jobs.into_iter().enumerate().for_each(|job| drop(queue.send(job)));
        drop(queue);
        // A worker that is ahead of the terminal waits for it.
        let (to, news) = bounded(NEWS_WAITING);
        std::thread::scope(|scope| {
            let mut workers = Vec::new();
            for (k, films) in films.into_iter().enumerate() {
                let (to, waiting) = (to.clone(), waiting.clone());
                let builder = std::thread::Builder::new().name(format!("film {k}"));
                workers.push(builder.spawn_scoped(scope, move || self.work(films, &waiting, flag, &to))?);
            }
            drop(to);
            let mut is_cancelled = false;
            for item in news {
                match item {
                    News::At(k, share) => told.at(k, share),
                    News::Done(k, done) => told.done(k, &done),
                    News::Cancelled => is_cancelled = true,
                }
            }
            let all_ended = workers.into_iter().all(|w| w.join().is_ok());
            if all_ended { Ok(is_cancelled) } else { Err("a thread that scores has died".into()) }
        })
    }

    fn work(&self, mut films: VideoImporter, waiting: &Receiver<(usize, Job)>, flag: &AtomicBool, to: &Sender<News>) {
        // The other end reads until all workers are gone.
        for (k, job) in waiting {
            let result = self.analyze(&mut films, &job, flag, |share| drop(to.send(News::At(k, share))));
            let item = match result.transpose() {
                None => News::Cancelled,
                Some(result) => {
                    let result = result.map_err(|e| e.to_string());
                    News::Done(k, Box::new(Done { job, result }))
                }
            };
            let is_over = matches!(item, News::Cancelled);
            let _read = to.send(item);
            if is_over {
                return;
            }
        }
    }

    /// `None` where it was cancelled.
    fn analyze(
        &self,
        films: &mut VideoImporter,
        job: &Job,
        flag: &AtomicBool,
        tell: impl Fn(f64),
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
            planned: None,
        };
        let mut last = 0;
        let outcome = films.record(&job.path, &job.film, &plan, flag, |p| {
            if let Some(expected) = p.expected.filter(|_| p.frames >= last + 15) {
                last = p.frames;
                tell(p.frames as f64 / expected.max(1) as f64);
            }
        })?;
        let Some(outcome) = outcome else { return Ok(None) };
        let grade = reopen(draft.folder())?.quality.grade.to_string();
        let session = draft.session();
        let folder = draft.publish()?;
        Ok(Some(Session { folder, session, outcome, took_s: started.elapsed().as_secs_f64(), grade }))
    }
}

/// Everything that is said while it runs.
struct Told {
    is_json: bool,
    bar: Progress,
    /// A file's size stands for how long it takes.
    weights: Vec<u64>,
    shares: Vec<f64>,
    started: Instant,
    done: usize,
    troubled: usize,
    film_s: f64,
}

impl Told {
    fn new(is_json: bool, weights: Vec<u64>) -> Told {
        Told {
            is_json,
            bar: Progress::start(),
            shares: vec![0.0; weights.len()],
            weights,
            started: Instant::now(),
            done: 0,
            troubled: 0,
            film_s: 0.0,
        }
    }

    fn before(&mut self, job: &Job, folder: &Path) {
        if self.is_json {
            println!("{}", json!({ "file": job.film.file, "session": folder, "is_new": false }));
        } else {
            println!("{}  was analyzed before: {}", path_in_line(&job.film.file), folder.display());
        }
    }

    fn at(&mut self, k: usize, share: f64) {
        self.shares[k] = share.min(1.0);
        let all: u64 = self.weights.iter().sum();
        let done: f64 = self.weights.iter().zip(&self.shares).map(|(w, s)| *w as f64 * s).sum();
        let told = format!("{} of {} files", self.done, self.weights.len());
        self.bar.show(done / all.max(1) as f64, &told);
    }

    fn done(&mut self, k: usize, done: &Done) {
        self.done += 1;
        self.shares[k] = 1.0;
        let (file, participant) = (&done.job.film.file, &done.job.participant);
        match &done.result {
            Ok(s) => {
                let (o, speed) = (&s.outcome, s.outcome.film_s / s.took_s.max(1e-3));
                self.film_s += o.film_s;
                self.troubled += usize::from(o.trouble.is_some());
                if self.is_json {
                    let line = json!({
                        "file": file, "session": s.folder, "is_new": true, "participant": participant,
                        "number": s.session, "frames": o.frames, "with_face": o.with_face, "film_s": o.film_s,
                        "took_s": s.took_s, "times_real_time": speed, "grade": s.grade, "notes": o.notes,
                        "frames_lost": o.lost, "trouble": o.trouble,
                    });
                    return self.bar.say(&line.to_string());
                }
                let face = 100.0 * o.with_face as f64 / o.frames.max(1) as f64;
                let trouble = o.trouble.as_ref().map_or(String::new(), |why| format!("  BUT {why}"));
                let notes: String = o.notes.iter().map(|note| format!("  ({note})")).collect();
                let file = path_in_line(file);
                self.bar.say(&format!(
                    "{participant} {}  {file}  {} frames, {:.1} s of film in {:.1} s ({speed:.1} × real time), face in \
                     {face:.1} %, grade {}  {}{notes}{trouble}",
                    s.session,
                    o.frames,
                    o.film_s,
                    s.took_s,
                    s.grade,
                    s.folder.display()
                ));
            }
            Err(why) => {
                self.troubled += 1;
                if self.is_json {
                    self.bar.say(&json!({ "file": file, "failed": why }).to_string());
                } else {
                    self.bar.say(&format!("{participant}  {}  FAILED: {why}", path_in_line(file)));
                }
            }
        }
    }

    fn finish(&mut self, is_cancelled: bool) {
        self.bar.wipe();
        if is_cancelled {
            eprintln!("Ended. The same command goes on with the files that are still to do.");
        } else if !self.is_json && self.done > 1 {
            let took_s = self.started.elapsed().as_secs_f64();
            let speed = self.film_s / took_s.max(1e-3);
            println!(
                "{} files, {:.0} s of film in {took_s:.0} s ({speed:.1} × real time), {} with trouble",
                self.done, self.film_s, self.troubled
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_its_participant_or_nobody() {
        let names = |name| {
            let (participant, session) = who(name);
            (participant.map(|p| p.to_string()), session.map(|s| s.0))
        };
        assert_eq!(names("sub-07_talk.mp4"), (Some("sub-07".into()), None));
        assert_eq!(names("sub-07_ses-02_talk.v2.mp4"), (Some("sub-07".into()), Some(2)));
        assert_eq!(names("sub-07.mkv"), (Some("sub-07".into()), None));
        assert_eq!(names("sub-07_ses-x.mkv"), (Some("sub-07".into()), None));
        for nobody in ["Anna.mp4", "ses-02_sub-07.mp4", "sub-_a.mp4", "talk sub-07.mp4", ""] {
            assert_eq!(names(nobody), (None, None), "{nobody}");
        }
    }
}
