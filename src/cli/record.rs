//! `affectograph record`: a session without a window.

use std::process::ExitCode;

use super::args::Record;
use super::run_rig::{interrupted, reopen, run_rig};
use super::{Failure, Places};
use page::Placement;
use recording::{Participation, Rig, RigPlan};

pub fn run(a: &Record, places: &Places) -> Result<ExitCode, Failure> {
    let library = places.library()?;
    for sentence in super::paths::recover_crashed(&library)? {
        eprintln!("{sentence}");
    }
    let study = library.study(&a.study)?;
    if study.study.consent.required {
        eprintln!("The study asks for consent, and without a window nobody confirms it here: have it in writing.");
    }
    let plan = RigPlan::of_study(&study, a.camera.clone(), a.page.then_some(Placement::WINDOW))?;
    if !a.page && study.study.baseline_phases().next().is_some() {
        eprintln!(
            "The study has a baseline, which the participant is guided through on the page: without --page it is left out."
        );
    }
    let flag = interrupted()?;
    let (tx, committed) = crossbeam_channel::bounded(4096);
    let who = Participation { session: a.session, planned: a.duration, ..Participation::of(a.participant.clone()) };
    let rig = Rig::record_study(&library, &study, &plan, who, tx)?;
    let folder = rig.folder().unwrap_or(library.root()).to_owned();
    if !a.json {
        eprintln!("Recording {} into {} (Ctrl-C ends it)", a.participant, folder.display());
    }
    run_rig(rig, &committed, a.duration, &flag, |_, _| {})?;
    let loaded = reopen(&folder)?;
    if a.json {
        println!("{}", loaded.json()?);
    } else {
        loaded.print()?;
        println!("{}", folder.display());
    }
    Ok(ExitCode::SUCCESS)
}
