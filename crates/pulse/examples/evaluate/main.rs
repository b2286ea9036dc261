//! Measures the heart rate on recordings that nothing was fitted to, beside plain POS in the same run.
//!
//! `cargo run --release -p pulse --example evaluate -- SHARED CACHE [MODELS]`
//!
//! `SHARED` holds `pulse/clips`, `pulse/no_pulse` and `data/london.tar`, unpacked into `CACHE/photos`. `CACHE` keeps the colours of
//! each recording as a table, so that a second run needs no networks. No picture is written.

mod films;
mod reference;
mod score;
mod skin_table;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use films::Films;
use pulse::{Calibration, SkinRow, rates};
use reference::Reference;
use score::{Judged, Group};

/// One recording with what is known about it.
struct Recording {
    group: &'static str,
    name: String,
    rows: Vec<SkinRow>,
    reference: Reference,
}

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [shared, cache, rest @ ..] = arguments.as_slice() else {
        println!("usage: evaluate SHARED CACHE [MODELS]");
        return ExitCode::FAILURE;
    };
    let models = rest.first().map_or(Path::new("models"), PathBuf::as_path);
    match evaluate(shared, cache, models) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            println!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn evaluate(shared: &Path, cache: &Path, models: &Path) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(cache)?;
    let calibration = Calibration::stored()?;
    let recordings = recordings(shared, &Films::new(cache, models))?;
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

fn recordings(shared: &Path, films: &Films) -> Result<Vec<Recording>, Box<dyn Error>> {
    let mut recordings = Vec::new();
    for folder in films::folders(&shared.join("pulse/clips"))? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let group = if name.starts_with("ubfc") { "UBFC" } else { "vitallens_1" };
        let rows = films.film(&name, &folder.join("video.mp4"))?;
        recordings.push(Recording { group, name, rows, reference: Reference::beats(&folder.join("truth.csv"))? });
    }
    for folder in films::folders(&shared.join("pulse/no_pulse"))? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let reference = Reference::mean_of_clip(&folder.join("truth.csv"))?;
        recordings.push(Recording { group: "no_pulse", name, rows: films::patches(&folder)?, reference });
    }
    for photo in films.photos()? {
        for change in films::PhotoChange::ALL {
            let (name, rows) = films.photo(&photo, change)?;
            recordings.push(Recording { group: change.group(), name, rows, reference: Reference::None });
        }
    }
    for (group, strength, bpm) in [
        ("phantom, G 0.6 %", 1.0, Some(72.0)),
        ("phantom, G 0.2 %", 1.0 / 3.0, Some(72.0)),
        ("phantom without pulse", 0.0, None),
    ] {
        let rows = films.phantom(group, strength)?;
        let reference = bpm.map_or(Reference::None, Reference::Constant);
        recordings.push(Recording { group, name: group.to_owned(), rows, reference });
    }
    Ok(recordings)
}
