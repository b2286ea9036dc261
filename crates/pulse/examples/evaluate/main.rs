//! Measures the heart rate on recordings that nothing was fitted to, beside plain POS in the same run.
//!
//! `cargo run --release -p pulse --example evaluate -- SHARED FOLDER`
//!
//! `SHARED` holds `pulse/clips` and `pulse/no_pulse`. `FOLDER` holds the tables of `cargo run --release -p vision --example
//! skin_tables`.

#![allow(clippy::print_stdout, reason = "a developer reads its output")]

mod reference;
mod score;
mod skin_table;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pulse::{Calibration, SkinRow, rates};
use reference::Reference;
use score::{Group, Judged};

/// One recording with what is known about it.
struct Recording {
    group: &'static str,
    name: String,
    rows: Vec<SkinRow>,
    reference: Reference,
}

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [shared, folder] = arguments.as_slice() else {
        println!("usage: evaluate SHARED FOLDER");
        return ExitCode::FAILURE;
    };
    match evaluate(shared, folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            println!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn evaluate(shared: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let calibration = Calibration::stored()?;
    let recordings = recordings(shared, folder)?;
    let mut groups: Vec<Group> = Vec::new();
    for recording in &recordings {
        let windows = rates(&recording.rows, &calibration).filter_map(|window| {
            let true_bpm = recording.reference.rate_bpm(window.from_s)?;
            Some(Judged::new(&window, true_bpm))
        });
        let judged: Vec<Judged> = windows.collect();
        score::print_recording(&recording.name, &judged);
        match groups.iter_mut().find(|g| g.name == recording.group) {
            Some(group) => group.recordings.push(judged),
            None => groups.push(Group { name: recording.group, recordings: vec![judged] }),
        }
    }
    score::print_groups(&groups);
    groups.iter().filter(|g| g.name == "UBFC").for_each(score::print_risk_and_coverage);
    Ok(())
}

fn recordings(shared: &Path, folder: &Path) -> Result<Vec<Recording>, Box<dyn Error>> {
    let mut recordings = Vec::new();
    for path in sorted(folder)?.iter().filter(|p| p.extension().is_some_and(|e| e == "txt")) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let beats = || Reference::beats(&shared.join("pulse/clips").join(&name).join("truth.csv"));
        let (group, reference) = match name.as_str() {
            n if n.starts_with("ubfc") => ("UBFC", beats()?),
            n if n.starts_with("vitallens") => ("vitallens_1", beats()?),
            n if n.starts_with("photo_still") => ("photographs, still", Reference::None),
            n if n.starts_with("photo_swaying") => ("photographs, swaying", Reference::None),
            n if n.starts_with("photo_flickering") => ("photographs, flickering", Reference::None),
            "phantom_06" => ("phantom, G 0.6 %", Reference::Constant(72.0)),
            "phantom_02" => ("phantom, G 0.2 %", Reference::Constant(72.0)),
            "phantom_none" => ("phantom without pulse", Reference::None),
            _ => return Err(format!("{}: it is unknown what this is", path.display()).into()),
        };
        let rows = skin_table::read(path)?;
        recordings.push(Recording { group, name, rows, reference });
    }
    for clip in sorted(&shared.join("pulse/no_pulse"))? {
        let name = clip.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let reference = Reference::mean_of_clip(&clip.join("truth.csv"))?;
        recordings.push(Recording { group: "no_pulse", name, rows: skin_table::patches(&clip)?, reference });
    }
    Ok(recordings)
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut paths = std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}
