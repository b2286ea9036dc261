//! `affectograph export`

use std::path::PathBuf;
use std::process::ExitCode;

use super::args::{Export, ExportFormat};
use super::show::session_folder;
use super::{Failure, INCOMPLETE, Places};
use crate::export::{FrameRow, Selection, write_bids, write_csv_sessions, write_xdf};
use crate::store::SessionFile;

pub fn run(a: &Export, places: &Places) -> Result<ExitCode, Failure> {
    let selection = select(a.study.as_deref(), &a.session, places)?;
    let told = |label: &str| println!("{label}");
    match a.format {
        ExportFormat::Csv => write_csv_sessions(&selection, &a.to, told)?,
        ExportFormat::Bids => write_bids(&selection, laboratory(&selection).as_deref(), &a.to, told)?,
        ExportFormat::Xdf => write_xdf(&selection, &a.to, told)?,
    }
    println!("{}", a.to.display());
    for one in selection.left_out() {
        eprintln!("affectograph: left out: {}", one.why);
    }
    Ok(if selection.left_out().is_empty() { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}

/// The sessions of a study, or those that were named.
pub(super) fn select(study: Option<&str>, sessions: &[PathBuf], places: &Places) -> Result<Selection, Failure> {
    let folders: Vec<PathBuf> = match study {
        None => sessions.iter().map(|path| session_folder(path)).collect(),
        Some(study) => {
            let library = places.library()?;
            let all = library.sessions()?;
            let folders: Vec<_> =
                all.iter().filter(|s| s.study.as_deref() == Some(study)).map(|s| s.folder.clone()).collect();
            if folders.is_empty() {
                let mut known: Vec<_> = all.iter().filter_map(|s| s.study.as_deref()).collect();
                known.sort_unstable();
                known.dedup();
                let known =
                    if known.is_empty() { "none at all".to_owned() } else { format!("those of {}", known.join(", ")) };
                return Err(format!(
                    "there is no session of the study `{study}` in {}, {known}: name another study, or the folder of the recordings with --sessions",
                    library.root().display()
                )
                .into());
            }
            folders
        }
    };
    Ok(Selection::open(folders)?)
}

/// `participants.tsv` two folders above the first session, where a library keeps it.
fn laboratory(selection: &Selection) -> Option<PathBuf> {
    let first = selection.sessions().first()?;
    Some(first.folder.parent()?.parent()?.join("participants.tsv"))
}

pub fn frame_rows(file: &SessionFile) -> Result<impl Iterator<Item = FrameRow>, Failure> {
    Ok(file.frames()?.rows().iter().map(|f| FrameRow {
        number: f.number,
        at: f.at,
        time_source: f.time_source.as_str(),
        device_sequence: f.device_sequence,
    }))
}

pub fn figure_title(file: &SessionFile) -> String {
    let h = file.header();
    format!("{} {}, {}, {}", h.participant, h.session, h.study.title, h.zero_utc.format("%Y-%m-%d %H:%M UTC"))
}
