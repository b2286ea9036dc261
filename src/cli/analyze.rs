//! `affectograph analyze`: makes sessions from video files. [`film_import`](crate::film_import) does the work.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use serde_json::json;

use super::args::Analyze;
use super::exit_code::INCOMPLETE;
use super::interrupt::cancel_at_signal;
use super::output::{print_err, print_out};
use super::progress::Progress;
use crate::failure::Failure;
use crate::film_import::{Done, FilesProgress, FilmImport, ImportReport, Job};
use crate::places::Places;
use session::path_in_line;
use store::FilmKeeping;

pub fn run(a: &Analyze, places: &Places) -> Result<ExitCode, Failure> {
    let library = places.library()?;
    for left in library.clear_drafts()? {
        print_err!("Removed the incomplete session of an earlier analysis: {}", left.display());
    }
    let import = FilmImport {
        files: &a.files,
        participant: a.participant.as_ref(),
        study: a.study.as_deref(),
        model: a.model.as_deref(),
        threads: a.threads.map(usize::from),
        keeping: if a.by_reference { FilmKeeping::ByReference } else { FilmKeeping::Inside },
    };
    let mut prepared = import.prepare(&library)?;
    prepared.notes.iter().for_each(|line| print_err!("{line}"));
    let mut output = Output::new(a.json, &prepared.jobs);
    for (job, folder) in &prepared.there_already {
        output.print_analyzed_before(job, folder);
    }
    let cancel = cancel_at_signal()?;
    let is_cancelled = prepared.run(cancel.flag(), &mut output)?;
    output.finish(is_cancelled);
    Ok(if output.incomplete == 0 && !is_cancelled { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}

/// Prints progress and results.
struct Output {
    is_json: bool,
    bar: Progress,
    progress: FilesProgress,
    started: Instant,
    /// Files that failed or have missing frames.
    incomplete: usize,
    film_s: f64,
}

impl Output {
    fn new(is_json: bool, jobs: &[Job]) -> Output {
        Output {
            is_json,
            bar: Progress::start(),
            progress: FilesProgress::of(jobs),
            started: Instant::now(),
            incomplete: 0,
            film_s: 0.0,
        }
    }

    fn print_analyzed_before(&mut self, job: &Job, folder: &Path) {
        if self.is_json {
            print_out!("{}", json!({ "file": job.film.file, "session": folder, "is_new": false }));
        } else {
            print_out!("{}  was analyzed before: {}", path_in_line(&job.film.file), folder.display());
        }
    }

    fn print_result(&mut self, done: &Done) {
        let (file, participant) = (&done.job.film.file, &done.job.participant);
        match &done.result {
            Ok(s) => {
                let (o, speed) = (&s.outcome, s.outcome.film_s / s.took_s.max(1e-3));
                self.film_s += o.film_s;
                self.incomplete += usize::from(o.trouble.is_some());
                if self.is_json {
                    let line = json!({
                        "file": file, "session": s.folder, "is_new": true, "participant": participant,
                        "number": s.session, "frames": o.frames, "with_face": o.with_face, "film_s": o.film_s,
                        "took_s": s.took_s, "times_real_time": speed, "grade": s.grade, "notes": o.notes,
                        "frames_lost": o.lost, "trouble": o.trouble,
                    });
                    return self.bar.print_line(&line.to_string());
                }
                let face = 100.0 * o.with_face as f64 / o.frames.max(1) as f64;
                let trouble = o.trouble.as_ref().map_or(String::new(), |why| format!("  BUT {why}"));
                let notes: String = o.notes.iter().map(|note| format!("  ({note})")).collect();
                let file = path_in_line(file);
                self.bar.print_line(&format!(
                    "{participant} {}  {file}  {} frames, {:.1} s of video in {:.1} s ({speed:.1} × real time), face in \
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
                self.incomplete += 1;
                if self.is_json {
                    self.bar.print_line(&json!({ "file": file, "failed": why }).to_string());
                } else {
                    self.bar.print_line(&format!("{participant}  {}  FAILED: {why}", path_in_line(file)));
                }
            }
        }
    }

    fn finish(&mut self, is_cancelled: bool) {
        self.bar.wipe();
        if is_cancelled {
            print_err!("Cancelled. The same command continues with the remaining files.");
        } else if !self.is_json && self.progress.done() > 1 {
            let took_s = self.started.elapsed().as_secs_f64();
            let speed = self.film_s / took_s.max(1e-3);
            print_out!(
                "{} files, {:.0} s of video in {took_s:.0} s ({speed:.1} × real time), {} failed or incomplete",
                self.progress.done(),
                self.film_s,
                self.incomplete
            );
        }
    }
}

impl ImportReport for Output {
    fn progress(&mut self, k: usize, share: f64) {
        self.progress.advance(k, share);
        self.bar.show(self.progress.share(), &self.progress.label());
    }

    fn done(&mut self, k: usize, done: &Done) {
        self.progress.end(k);
        self.print_result(done);
    }
}
