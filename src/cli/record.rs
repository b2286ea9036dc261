//! `affectograph record`: a session without a window.

use std::path::Path;
use std::process::ExitCode;

use super::args::Record;
use super::run_rig::{interrupted, reopen, run_rig};
use super::{Failure, Places};
use crate::capture::Pace;
use crate::page::{PageAddress, PageSpec, Placement};
use crate::recording::{Rig, RigPlan, SessionPlan};
use crate::store::StudyFile;
use crate::vision::models_folder;

pub fn run(a: &Record, places: &Places) -> Result<ExitCode, Failure> {
    let library = places.library()?;
    for sentence in super::paths::recover_crashed(&library)? {
        eprintln!("{sentence}");
    }
    let study = library.study(&a.study)?;
    if study.study.consent.required {
        eprintln!("The study asks for consent, and without a window nobody confirms it here: have it in writing.");
    }
    let plan = RigPlan {
        camera: a.camera.clone(),
        camera_settings: study.study.camera.clone(),
        pace: Pace::RealTime,
        models: models_folder()?,
        affect_model: study.study.affect_model.clone(),
        page: a.page.then(|| page(&study)).transpose()?,
    };
    let number = match a.session {
        Some(number) => number,
        None => library.next_session(&a.participant)?,
    };
    let flag = interrupted()?;
    let folder = library.create_session(&a.participant, number, &study.study.name, chrono::Utc::now())?;
    let session = SessionPlan {
        folder: folder.clone(),
        participant: a.participant.clone(),
        session: number,
        study: study.stored(),
        consent: None,
        overridden_checks: Vec::new(),
    };
    let (tx, committed) = crossbeam_channel::bounded(4096);
    let rig = match Rig::record(&plan, session, tx) {
        Ok(rig) => rig,
        Err(e) => {
            // Nothing was recorded: an empty folder would take the number. One with something in it stays.
            let _ = std::fs::remove_dir(&folder);
            return Err(e.into());
        }
    };
    if !a.json {
        eprintln!("Recording {} {number} into {} (Ctrl-C ends it)", a.participant, folder.display());
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

fn page(study: &StudyFile) -> Result<PageSpec, Failure> {
    let beside = study.path.parent().unwrap_or(Path::new("."));
    let settings = &study.study.page;
    Ok(PageSpec {
        address: PageAddress::parse(&settings.address, beside)?,
        placement: Placement::ParticipantWindow { monitor: None, program: None, display: None },
        mask: settings.mask.clone(),
        allow: settings.allow.clone(),
        data_dir: None,
    })
}
