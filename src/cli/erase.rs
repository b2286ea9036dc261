//! `affectograph erase`

use std::io::{BufRead, IsTerminal, stdin};
use std::path::PathBuf;
use std::process::ExitCode;

use super::args::Erase;
use super::output::print_out;
use super::problems::print_problems;
use crate::failure::Failure;
use crate::places::{Places, finish_interrupted};
use session::ParticipantId;
use store::{Library, NotedExport};
use study_query::session_folder;

pub fn run(a: &Erase, places: &Places) -> Result<ExitCode, Failure> {
    let library = places.library()?;
    print_problems(&finish_interrupted(&library)?);
    match &a.participant {
        Some(participant) => erase_participant(a, &library, participant),
        None => erase_sessions(a, &library),
    }
}

fn erase_participant(a: &Erase, library: &Library, participant: &ParticipantId) -> Result<ExitCode, Failure> {
    let folder = library.root().join(participant.as_str());
    let sessions: Vec<PathBuf> = library.folders()?.into_iter().filter(|s| s.starts_with(&folder)).collect();
    let is_folder_missing = folder.symlink_metadata().is_err();
    // Exports of sessions that were erased before are listed, too.
    let is_exported = library.exports()?.iter().any(|export| export.has(participant.as_str()));
    if is_folder_missing && !is_exported && !library.participants()?.contains(participant) {
        return Err(format!(
            "there is no participant {participant} in {}: `affectograph list` lists all sessions",
            library.root().display()
        )
        .into());
    }
    print_out!("{participant}: {} session(s), the folder, and the row in participants.tsv", sessions.len());
    sessions.iter().for_each(|s| print_out!("  {}", s.display()));
    let stays = what_stays(library, std::slice::from_ref(&participant.to_string()))?;
    confirm(a, participant.as_str())?;
    library.erase_participant(participant)?;
    print_out!("Erased: {participant}");
    print_stays(&stays);
    Ok(ExitCode::SUCCESS)
}

fn erase_sessions(a: &Erase, library: &Library) -> Result<ExitCode, Failure> {
    let folders: Vec<PathBuf> = a.session.iter().map(|path| session_folder(path)).collect();
    let labels = folders.iter().map(|folder| library.label_of(folder)).collect::<Result<Vec<_>, _>>()?;
    folders.iter().for_each(|s| print_out!("{}", s.display()));
    let stays = what_stays(library, &labels)?;
    confirm(a, "erase")?;
    for folder in &folders {
        library.erase(folder)?;
        print_out!("Erased: {}", folder.display());
    }
    print_stays(&stays);
    Ok(ExitCode::SUCCESS)
}

/// The exports with these sessions or participants.
fn what_stays(library: &Library, labels: &[String]) -> Result<Vec<NotedExport>, Failure> {
    let exports = library.exports()?.into_iter();
    let stays: Vec<NotedExport> = exports.filter(|e| labels.iter().any(|label| e.has(label))).collect();
    print_stays(&stays);
    Ok(stays)
}

fn print_stays(exports: &[NotedExport]) {
    for export in exports {
        let reachable = if export.is_reachable() { "" } else { ", not found now: it may be on another disk" };
        print_out!("Stays, remove it yourself: {} ({}{reachable})", export.to, export.format);
    }
}

/// `--yes`, or the name typed on a terminal.
fn confirm(a: &Erase, name: &str) -> Result<(), Failure> {
    if a.yes {
        return Ok(());
    }
    if !stdin().is_terminal() {
        return Err("nothing was erased: use --yes to confirm, because there is no terminal to ask on".into());
    }
    print_out!("This cannot be undone. Type {name} to confirm:");
    let mut typed = String::new();
    stdin().lock().read_line(&mut typed)?;
    if typed.trim() == name { Ok(()) } else { Err("nothing was erased: the name was not typed".into()) }
}
