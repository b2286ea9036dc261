//! Runs a study query on all cores. Each thread reads the next session until none is left.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::available_parallelism;

use super::{Answer, LeftOut, Progress, Question, SessionAnswer, StudyQueryError, session_epochs};
use analysis::{AnalysisError, SignalId, list_signals};
use store::{SessionFile, StoreError};

const THREAD: &str = "study_query";

/// Cancels a query from another thread.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// For a library that reads a flag.
    pub fn flag(&self) -> &AtomicBool {
        &self.0
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Blocks until all sessions are read. `progress` is called on this thread after each one. Sessions that cannot be read are
/// left out and listed in the result with the reason.
pub fn ask(
    folders: &[PathBuf],
    question: &Question,
    mut progress: impl FnMut(Progress),
    cancel: &Cancel,
) -> Result<Answer, StudyQueryError> {
    question.plan.check()?;
    if folders.is_empty() {
        return Err(AnalysisError::NoSession.into());
    }
    let threads = available_parallelism().map_or(1, usize::from).min(folders.len());
    let next = AtomicUsize::new(0);
    let mut found: Vec<(usize, Result<SessionAnswer, StudyQueryError>)> = Vec::with_capacity(folders.len());
    std::thread::scope(|scope| -> Result<(), StudyQueryError> {
        // The queue is bounded: a thread waits until there is room for its result. The queue is created in this closure.
        // If the closure fails, the receiver is dropped and the threads end.
        let (to, answers) = crossbeam_channel::bounded(threads);
        let mut running = Vec::with_capacity(threads);
        for number in 1..=threads {
            let (to, next) = (to.clone(), &next);
            let work = move || {
                while !cancel.is_cancelled() {
                    let k = next.fetch_add(1, Ordering::Relaxed);
                    let Some(folder) = folders.get(k) else { return };
                    if to.send((k, session_epochs(folder, question))).is_err() {
                        return; // the receiver is closed
                    }
                }
            };
            let thread = std::thread::Builder::new().name(format!("{THREAD} {number}")).spawn_scoped(scope, work);
            running.push(thread.map_err(|source| StoreError::Io {
                doing: "start the thread",
                path: THREAD.into(),
                source,
            })?);
        }
        drop(to);
        for answer in &answers {
            found.push(answer);
            progress(Progress { done: found.len(), sessions: folders.len() });
        }
        running.into_iter().try_for_each(|t| t.join().map_err(|_| StoreError::ThreadDied(THREAD)))?;
        Ok(())
    })?;
    if cancel.is_cancelled() && found.len() < folders.len() {
        return Err(StudyQueryError::Cancelled);
    }
    found.sort_by_key(|(k, _)| *k);
    gather(folders, question, found)
}

fn gather(
    folders: &[PathBuf],
    question: &Question,
    found: Vec<(usize, Result<SessionAnswer, StudyQueryError>)>,
) -> Result<Answer, StudyQueryError> {
    let mut answer = Answer { question: question.clone(), sessions: Vec::new(), left_out: Vec::new() };
    for (k, found) in found {
        match found {
            Ok(session) => answer.sessions.push(session),
            // The question is invalid, not the session.
            Err(StudyQueryError::Analysis(e)) => return Err(e.into()),
            Err(e) => answer.left_out.push(LeftOut { folder: folders[k].clone(), why: e.to_string() }),
        }
    }
    if answer.sessions.is_empty() {
        return Err(StudyQueryError::NothingReadable(answer.left_out));
    }
    check_signals(&answer)?;
    Ok(answer)
}

/// A signal that no session has is a mistake in the question. The error lists what there is.
fn check_signals(answer: &Answer) -> Result<(), StudyQueryError> {
    let is_nowhere = |signal: &&SignalId| answer.sessions_without(signal).count() == answer.sessions.len();
    let nowhere = answer.question.plan.signals.iter().find(is_nowhere);
    let (Some(signal), Some(first)) = (nowhere, answer.sessions.first()) else { return Ok(()) };
    let file = SessionFile::open(&first.folder)?;
    let header = file.header();
    Err(StudyQueryError::NoSignal {
        signal: signal.clone(),
        session: format!("{} {}", header.participant, header.session),
        signals: list_signals(file.streams().iter()),
    })
}
