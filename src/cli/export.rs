//! `affectograph export`

use std::path::PathBuf;
use std::process::ExitCode;

use super::args::{Export, ExportFormat};
use super::exit_code::INCOMPLETE;
use super::interrupt::cancel_at_signal;
use super::output::{print_err, print_out};
use crate::failure::Failure;
use crate::noted_export::noted;
use crate::places::Places;
use analysis::EventChoice;
use export::{DatasetFormat, EventAnalysis, Selection, write_dataset, write_report};
use study_query::{Cancel, Findings, LeftOut, Pilots, Question, StudySessions, ask, session_folder, study_sessions};

pub fn run(a: &Export, places: &Places) -> Result<ExitCode, Failure> {
    if a.event.is_some() && a.format != ExportFormat::Report {
        return Err("--event requires --format report: `affectograph epochs` writes averages as tables".into());
    }
    let cancel = cancel_at_signal()?;
    let selection = select(a.study.as_deref(), &a.session, a.with_pilots, places)?.cancelled_by(&cancel);
    let selection = if a.taken_back { selection.with_taken_back() } else { selection };
    let print_label = |label: &str| print_out!("{label}");
    let format = match a.format {
        ExportFormat::Csv => DatasetFormat::Csv,
        ExportFormat::Tidy => DatasetFormat::Tidy,
        ExportFormat::Bids => DatasetFormat::Bids,
        ExportFormat::Xdf => DatasetFormat::Xdf,
        ExportFormat::Report => DatasetFormat::Report,
        #[cfg(feature = "parquet")]
        ExportFormat::Parquet => DatasetFormat::Parquet,
    };
    let write = || match &a.event {
        Some(event) => report(event, a, &selection, print_label, &cancel),
        None => Ok(write_dataset(&selection, format, &a.to, print_label)?),
    };
    let ((), problem) = noted(places, format.as_str(), &a.to, &selection.folders(), write)?;
    print_out!("{}", a.to.display());
    if let Some(problem) = problem {
        print_err!("affectograph: {problem}");
    }
    for one in selection.left_out() {
        print_err!("affectograph: excluded: {}", one.why);
    }
    Ok(if selection.left_out().is_empty() { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}

fn report(
    event: &EventChoice,
    a: &Export,
    selection: &Selection,
    print_label: impl FnMut(&str),
    cancel: &Cancel,
) -> Result<(), Failure> {
    let question =
        Question { conditions: [event].into_iter().chain(&a.against).cloned().collect(), plan: a.plan.plan() };
    let answer = ask(&selection.folders(), &question, |_| {}, cancel)?;
    let findings = Findings::of(&answer, a.plan.test_settings())?;
    Ok(write_report(selection, Some(EventAnalysis { answer: &answer, findings: &findings }), &a.to, print_label)?)
}

/// The sessions of a study, or the given sessions.
pub(super) fn select(
    study: Option<&str>,
    sessions: &[PathBuf],
    with_pilots: bool,
    places: &Places,
) -> Result<Selection, Failure> {
    let Some(study) = study else {
        return Ok(Selection::open(sessions.iter().map(|path| session_folder(path)), Vec::new())?);
    };
    let (folders, left_out) = sessions_of(study, with_pilots, places)?;
    Ok(Selection::open(folders, left_out)?)
}

/// The sessions of a study. Fails if it has none.
pub(super) fn sessions_of(
    study: &str,
    with_pilots: bool,
    places: &Places,
) -> Result<(Vec<PathBuf>, Vec<LeftOut>), Failure> {
    let library = places.library()?;
    let pilots = if with_pilots { Pilots::Included } else { Pilots::LeftOut };
    let StudySessions { folders, left_out, pilots } = study_sessions(&library, study, pilots)?;
    let is_empty = folders.is_empty() && left_out.is_empty();
    if is_empty && pilots > 0 {
        return Err(format!("the study `{study}` has only pilots: --with-pilots includes them").into());
    }
    if pilots > 0 {
        print_err!("affectograph: {pilots} pilot session(s) are left out: --with-pilots includes them");
    }
    if is_empty {
        let root = library.root().display();
        return Err(format!(
            "there is no session of the study `{study}` in {root}: `affectograph list` lists all sessions, and --sessions sets another folder of recordings"
        )
        .into());
    }
    Ok((folders, left_out))
}
