//! The thread `job_worker`: exports sessions and imports video files, one job after the other.

use std::path::PathBuf;
use std::thread::JoinHandle;

use super::command_queue::{CommandQueue, QueuedCommand};
use super::to_window::ToWindow;
use crate::film_import::{Done, FilesProgress, FilmImport, ImportReport};
use crate::noted_export::noted;
use crate::places::Places;
use desktop::port::{self, Activity, BackendEvent, JobProgress, JobResult, SessionsExport};
use export::{DatasetFormat, ExportError, Selection, write_dataset};
use session::path_in_line;
use study_query::Cancel;

pub enum Job {
    Export(SessionsExport),
    Import(port::FilmImport),
}

impl QueuedCommand for (Job, Cancel) {
    fn replaces(&self, _: &Self) -> bool {
        false
    }
}

pub fn start(places: Places, jobs: CommandQueue<(Job, Cancel)>, window: ToWindow) -> std::io::Result<JoinHandle<()>> {
    let run = move || {
        for (job, cancel) in jobs.each() {
            let done = match job {
                Job::Export(request) => export(&places, &request, &cancel, &window),
                Job::Import(request) => import(&places, request, &cancel, &window),
            };
            window.send(match done {
                Ok(result) => BackendEvent::JobFinished(result),
                Err(sentence) => BackendEvent::Failed { during: Activity::Job, sentence },
            });
        }
    };
    std::thread::Builder::new().name("job_worker".into()).spawn(run)
}

fn format(format: port::DatasetFormat) -> DatasetFormat {
    match format {
        port::DatasetFormat::Csv => DatasetFormat::Csv,
        port::DatasetFormat::Tidy => DatasetFormat::Tidy,
        port::DatasetFormat::Bids => DatasetFormat::Bids,
        port::DatasetFormat::Xdf => DatasetFormat::Xdf,
        port::DatasetFormat::Parquet => DatasetFormat::Parquet,
        port::DatasetFormat::Report => DatasetFormat::Report,
    }
}

fn export(places: &Places, request: &SessionsExport, cancel: &Cancel, window: &ToWindow) -> Result<JobResult, String> {
    let selection = Selection::open(request.sessions.clone(), Vec::new()).map_err(|e| e.to_string())?;
    let selection = selection.cancelled_by(cancel);
    let (of, mut begun) = (selection.sessions().len(), 0);
    let progress = |label: &str| {
        let done = begun as f32 / of as f32;
        begun += 1;
        let name = format!("{} of {of}: {label}", begun.min(of));
        window.send(BackendEvent::JobProgress(JobProgress { done: done.min(1.0), name }));
    };
    let format = format(request.format);
    let write = || write_dataset(&selection, format, &request.to, progress);
    let ((), problem) = match noted(places, format.as_str(), &request.to, &selection.folders(), write) {
        Err(ExportError::Cancelled) => return Ok(JobResult::Cancelled),
        written => written.map_err(|e| e.to_string())?,
    };
    let mut left_out: Vec<String> = selection.left_out().iter().map(|one| one.why.clone()).collect();
    left_out.extend(problem);
    Ok(JobResult::Exported { to: request.to.clone(), sessions: of, left_out })
}

/// Sends the progress of an import to the window and keeps its results.
struct Import<'a> {
    window: &'a ToWindow,
    progress: FilesProgress,
    made: Vec<PathBuf>,
    problems: Vec<String>,
}

impl Import<'_> {
    fn send(&self) {
        let (done, name) = (self.progress.share() as f32, self.progress.label());
        self.window.send(BackendEvent::JobProgress(JobProgress { done, name }));
    }
}

impl ImportReport for Import<'_> {
    fn progress(&mut self, file: usize, share: f64) {
        self.progress.advance(file, share);
        self.send();
    }

    fn done(&mut self, file: usize, done: &Done) {
        self.progress.end(file);
        let name = path_in_line(&done.job.film.file);
        match &done.result {
            Ok(session) => {
                self.made.push(session.folder.clone());
                let trouble = session.outcome.trouble.iter();
                self.problems.extend(trouble.map(|why| format!("{name} was imported, but {why}")));
            }
            Err(why) => self.problems.push(format!("{name} was not imported: {why}")),
        }
        self.send();
    }
}

fn import(places: &Places, request: port::FilmImport, cancel: &Cancel, window: &ToWindow) -> Result<JobResult, String> {
    let library = places.library().map_err(|e| e.to_string())?;
    library.clear_drafts().map_err(|e| e.to_string())?;
    let films = FilmImport {
        files: &request.films,
        participant: request.participant.as_ref(),
        study: request.study.as_deref(),
        model: None,
        threads: None,
        keeping: store::FilmKeeping::Inside,
    };
    let mut prepared = films.prepare(&library).map_err(|e| e.to_string())?;
    let there_already = prepared.there_already.len();
    let progress = FilesProgress::of(&prepared.jobs);
    let mut report = Import { window, progress, made: Vec::new(), problems: std::mem::take(&mut prepared.notes) };
    let is_cancelled = prepared.run(cancel.flag(), &mut report).map_err(|e| e.to_string())?;
    Ok(JobResult::Imported { made: report.made, there_already, problems: report.problems, is_cancelled })
}
