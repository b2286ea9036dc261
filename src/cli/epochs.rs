//! `affectograph epochs`

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::args::Epochs;
use super::export::sessions_of;
use super::interrupt::cancel_at_signal;
use super::output::{print_err, print_out, write_err, write_out};
use crate::failure::Failure;
use crate::noted_export::noted;
use crate::places::Places;
use analysis::{Average, Comparison, Measure, describe_dropped};
use export::write_epochs;
use session::StreamName;
use study_query::{Answer, ConditionFindings, Findings, LeftOut, Progress, Question, ask, session_folder};

pub fn run(a: &Epochs, places: &Places) -> Result<ExitCode, Failure> {
    let (folders, unreadable) = sessions(a, places)?;
    let question =
        Question { conditions: [&a.event].into_iter().chain(&a.against).cloned().collect(), plan: a.plan.plan() };
    let mut answer = ask(&folders, &question, show_progress(&folders), &cancel_at_signal()?)?;
    answer.left_out.extend(unreadable);
    for LeftOut { folder, why } in &answer.left_out {
        print_err!("affectograph: {} is excluded: {why}", folder.display());
    }
    let findings = Findings::of(&answer, a.plan.test_settings())?;
    if a.json {
        print_out!("{}", json!({ "question": question, "findings": findings, "left_out": answer.left_out }));
    } else {
        write_out(format_args!("{}", results_text(&answer, &findings)?));
    }
    if let Some(folder) = &a.to {
        let sessions: Vec<PathBuf> = answer.sessions.iter().map(|s| s.folder.clone()).collect();
        let write = || write_epochs(&answer, &findings, folder);
        let (written, problem) = noted(places, "epochs", folder, &sessions, write)?;
        if let Some(problem) = problem {
            print_err!("affectograph: {problem}");
        }
        for path in written {
            if a.json {
                print_err!("{}", path.display());
            } else {
                print_out!("{}", path.display());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn sessions(a: &Epochs, places: &Places) -> Result<(Vec<PathBuf>, Vec<LeftOut>), Failure> {
    let named = a.session.iter().map(|path| session_folder(path)).collect();
    match &a.study {
        Some(study) => sessions_of(study, a.with_pilots, places),
        None => Ok((named, Vec::new())),
    }
}

/// Counts the sessions in one line, if standard error is a terminal.
fn show_progress(folders: &[PathBuf]) -> impl FnMut(Progress) {
    let is_shown = folders.len() > 1 && std::io::stderr().is_terminal();
    move |Progress { done, sessions }| {
        if is_shown {
            let end = if done == sessions { "\n" } else { "" };
            write_err(format_args!("\r{done} of {sessions} sessions{end}"));
        }
    }
}

fn results_text(answer: &Answer, findings: &Findings) -> Result<String, std::fmt::Error> {
    let plan = &answer.question.plan;
    let mut out = String::new();
    writeln!(out, "{} session(s), {} values of {}", answer.sessions.len(), plan.zero, sources(findings))?;
    // The names of the signals are one column.
    let width = plan.signals.iter().map(|signal| plan.label(signal).chars().count()).fold(8, usize::max);
    for condition in &findings.conditions {
        write_condition(&mut out, condition, width)?;
    }
    if !findings.comparisons.is_empty() {
        let names: Vec<_> = findings.conditions.iter().map(|c| c.name.as_str()).collect();
        writeln!(out, "\n{}", names.join("  minus  "))?;
        findings.comparisons.iter().try_for_each(|c| write_comparison(&mut out, c, width))?;
    }
    let mut notes: Vec<&String> =
        findings.conditions.iter().flat_map(|c| &c.against_zero).flat_map(|c| &c.notes).collect();
    notes.extend(findings.comparisons.iter().flat_map(|c| &c.notes).chain(&findings.notes));
    notes.dedup();
    if !notes.is_empty() {
        writeln!(out)?;
    }
    notes.into_iter().try_for_each(|note| writeln!(out, "{note}"))?;
    Ok(out)
}

/// `the stream affect`, or each signal with its unit.
fn sources(findings: &Findings) -> String {
    let measures: Vec<&Measure> =
        findings.conditions.iter().take(1).flat_map(|c| c.averages.iter().map(|a| &a.measure)).collect();
    let streams: BTreeSet<&StreamName> = measures.iter().map(|m| &m.signal.stream).collect();
    match streams.first() {
        Some(only) if streams.len() == 1 && measures.iter().all(|m| m.signal.is_affect()) => {
            format!("the stream {only}")
        }
        _ => measures.iter().map(|m| format!("{} ({})", m.signal, m.unit)).collect::<Vec<_>>().join(", "),
    }
}

fn write_condition(out: &mut String, condition: &ConditionFindings, width: usize) -> std::fmt::Result {
    writeln!(out, "\n{}", condition.name)?;
    if let Some(a) = condition.averages.first() {
        writeln!(
            out,
            "  {} of {} events kept, of {} participant(s); {}",
            a.epochs,
            a.matched,
            a.participants,
            describe_dropped(&a.dropped)
        )?;
    }
    for average in &condition.averages {
        write_average(out, average, width)?;
        match condition.against_zero.iter().find(|c| c.measure == average.measure) {
            Some(test) => write_comparison(out, test, width)?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

fn write_average(out: &mut String, a: &Average, width: usize) -> std::fmt::Result {
    let after = a.times_s.iter().position(|t| *t >= -1e-9).unwrap_or(0);
    let peak = (after..a.mean.len()).max_by(|x, y| a.mean[*x].abs().total_cmp(&a.mean[*y].abs()));
    let Some(peak) = peak else { return Ok(()) };
    write!(out, "  {:width$} peak {:+.4} at {:.2} s", a.measure, a.mean[peak], a.times_s[peak])?;
    if let Some(i) = &a.interval {
        write!(
            out,
            " (95 % {:+.4} … {:+.4}, bootstrap {:+.4} … {:+.4})",
            i.low[peak], i.high[peak], i.boot_low[peak], i.boot_high[peak]
        )?;
    }
    writeln!(out)
}

fn write_comparison(out: &mut String, c: &Comparison, width: usize) -> std::fmt::Result {
    let d = c.effect.cohens_d.map_or(String::new(), |d| format!(", d = {d:+.2}"));
    writeln!(
        out,
        "  {:width$} mean after the event {:+.4} (95 % {:+.4} … {:+.4}{d})",
        c.measure, c.effect.difference, c.effect.low, c.effect.high
    )?;
    let found: Vec<_> = c.clusters.iter().filter(|c| c.is_significant()).collect();
    for cluster in &found {
        writeln!(
            out,
            "  {:width$} {:.2} to {:.2} s differ, p = {:.4} (at most {:.4})",
            "", cluster.from_s, cluster.until_s, cluster.p, cluster.p_high
        )?;
    }
    if found.is_empty() {
        let least = c.clusters.iter().map(|c| c.p).reduce(f64::min);
        let least = least.map_or("no cluster exceeds the threshold".to_owned(), |p| format!("smallest p = {p:.3}"));
        writeln!(out, "  {:width$} no time range differs ({least})", "")?;
    }
    Ok(())
}
