//! The thread `study_query_worker`: runs the window's study queries and writes their results to files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use super::command_queue::{CommandQueue, QueuedCommand};
use super::rows;
use super::to_window::ToWindow;
use crate::noted_export::noted;
use crate::places::Places;
use analysis::Trace;
use desktop::port::{
    Activity, BackendEvent, ConditionResult, SingleEpoch, StudyExport, StudyExportFormat, StudyQuery, StudyQueryResult,
};
use export::{ConditionCurves, ExportError, FigureFormat, write_average_figure, write_epochs};
use study_query::{Cancel, Findings, StudyQueryError, TestSettings};

pub enum StudyQueryCommand {
    Run(Box<StudyQuery>, Cancel),
    Export(StudyExport),
}

impl QueuedCommand for StudyQueryCommand {
    /// A new question takes the place of the one before.
    fn replaces(&self, older: &Self) -> bool {
        matches!((self, older), (StudyQueryCommand::Run(..), StudyQueryCommand::Run(..)))
    }
}

pub fn start(
    places: Places,
    commands: CommandQueue<StudyQueryCommand>,
    window: ToWindow,
) -> std::io::Result<JoinHandle<()>> {
    let worker = StudyQueryWorker { places, window, answered: None };
    std::thread::Builder::new().name("study_query_worker".into()).spawn(move || worker.run(&commands))
}

struct StudyQueryWorker {
    places: Places,
    window: ToWindow,
    /// The newest result, for exports.
    answered: Option<(study_query::Answer, Findings)>,
}

impl StudyQueryWorker {
    fn run(mut self, commands: &CommandQueue<StudyQueryCommand>) {
        for command in commands.each() {
            let update = match command {
                StudyQueryCommand::Run(question, cancel) => match self.ask(*question, &cancel) {
                    Ok(answer) => BackendEvent::StudyQueryFinished(Box::new(answer)),
                    Err(_) if cancel.is_cancelled() => BackendEvent::StudyQueryCancelled,
                    Err(e) => BackendEvent::Failed { during: Activity::StudyQuery, sentence: sentence(&e) },
                },
                StudyQueryCommand::Export(order) => match self.export(&order) {
                    Ok(()) => BackendEvent::ExportFinished { to: order.to },
                    Err(sentence) => BackendEvent::Failed { during: Activity::Export, sentence },
                },
            };
            self.window.send(update);
        }
    }

    fn ask(&mut self, question: StudyQuery, cancel: &Cancel) -> Result<StudyQueryResult, StudyQueryError> {
        let conditions = question.events.iter().map(|form| form.choice());
        let conditions = conditions.collect::<Result<Vec<_>, _>>().map_err(analysis::AnalysisError::Plan)?;
        let asked = study_query::Question { conditions, plan: question.plan.clone() };
        let progress = |p: study_query::Progress| {
            self.window.send(BackendEvent::StudyQueryProgress { done: p.done as u64, of: p.sessions as u64 });
        };
        let answer = study_query::ask(&question.sessions, &asked, progress, cancel)?;
        let findings = Findings::of(&answer, TestSettings::default())?;
        let shown = shown(question, &answer, &findings);
        self.answered = Some((answer, findings));
        Ok(shown)
    }

    fn export(&self, order: &StudyExport) -> Result<(), String> {
        let (answer, findings) = self.answered.as_ref().ok_or("There is no result to export. Run a query first.")?;
        if let Some(folder) = order.to.parent() {
            let failed =
                |e| format!("The folder {} could not be created: {e}. Choose another folder.", folder.display());
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let write = || match order.format {
            StudyExportFormat::FigureSvg => figure(answer, findings, &order.to, FigureFormat::Svg),
            StudyExportFormat::FigurePng => figure(answer, findings, &order.to, FigureFormat::Png),
            StudyExportFormat::Tables => write_epochs(answer, findings, &order.to).map(|_| ()),
        };
        let format = match order.format {
            StudyExportFormat::FigureSvg | StudyExportFormat::FigurePng => "averages",
            StudyExportFormat::Tables => "epochs",
        };
        let sessions: Vec<PathBuf> = answer.sessions.iter().map(|s| s.folder.clone()).collect();
        let ((), problem) = noted(&self.places, format, &order.to, &sessions, write).map_err(|e| e.to_string())?;
        if let Some(problem) = problem {
            self.window.send(BackendEvent::Notice(problem));
        }
        Ok(())
    }
}

/// All signals, both conditions, and their differences.
fn figure(
    answer: &study_query::Answer,
    findings: &Findings,
    path: &Path,
    format: FigureFormat,
) -> Result<(), ExportError> {
    let conditions: Vec<ConditionCurves<'_>> =
        findings.conditions.iter().map(|c| ConditionCurves { name: &c.name, averages: &c.averages }).collect();
    let title = answer.sessions.first().map_or_else(String::new, |s| s.study.clone());
    write_average_figure(&title, &conditions, &findings.comparisons, path, format)
}

/// An error message with a capital letter and a full stop.
fn sentence(e: &StudyQueryError) -> String {
    let text = e.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let rest = letters.as_str();
    let end = if rest.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{rest}{end}")
}

/// The result for the window.
fn shown(question: StudyQuery, answer: &study_query::Answer, findings: &Findings) -> StudyQueryResult {
    let plan = &question.plan;
    let conditions = findings
        .conditions
        .iter()
        .enumerate()
        .map(|(k, found)| ConditionResult { averages: found.averages.clone(), epochs: epochs(answer, k) })
        .collect();
    let unread = answer.left_out.iter().map(|l| (rows::title(&l.folder), l.why.clone())).collect();
    StudyQueryResult {
        times_s: plan.times_s(),
        conditions,
        comparisons: findings.comparisons.clone(),
        notes: findings.notes.clone(),
        unread,
        query: question,
    }
}

fn epochs(answer: &study_query::Answer, condition: usize) -> Arc<[SingleEpoch]> {
    let plan = &answer.question.plan;
    let mut single = Vec::new();
    for session in &answer.sessions {
        let Some(found) = session.conditions.get(condition) else { continue };
        let title = format!("{} {}", found.participant, found.session);
        let session: &PathBuf = &session.folder;
        for epoch in &found.epochs {
            // Epochs that cannot be corrected were excluded when they were cut.
            let curve = |trace: &Trace| {
                let values = trace.values(plan.zero).unwrap_or_default();
                values.into_iter().map(|v| v as f32).collect()
            };
            single.push(SingleEpoch {
                session: session.clone(),
                title: title.clone(),
                at: epoch.onset,
                curves: epoch.traces.iter().map(curve).collect(),
            });
        }
    }
    single.into()
}
