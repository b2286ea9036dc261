//! `affectograph record`: records a session without a window.

use std::process::ExitCode;

use super::args::Record;
use super::exit_code::INCOMPLETE;
use super::interrupt::cancel_at_signal;
use super::output::{print_err, print_out};
use super::remote_record::RemoteControl;
use super::run_rig::{Stops, run_rig};
use super::show::print_session;
use crate::failure::Failure;
use crate::places::{Places, recover_crashed};
use crate::session_json::session_json;
use crate::version::revision;
use analysis::Ending;
use page::Placement;
use recording::{Participation, Rig, RigPlan};
use session::SeatChoice;
use study_query::StoredSession;

pub fn run(a: &Record, places: &Places) -> Result<ExitCode, Failure> {
    let library = places.library()?;
    for message in recover_crashed(&library)? {
        print_err!("{message}");
    }
    let study = library.study(&a.study)?;
    if study.study.consent.required {
        print_err!("The study requires consent. This command does not record it: obtain it in writing.");
    }
    let mut plan = RigPlan::of_study(&study, a.camera.clone(), a.page.then_some(Placement::WINDOW))?;
    plan.sources.extend(a.sources.iter().cloned());
    plan.lsl_out |= a.lsl_out;
    if !study.study.camera.record {
        print_err!("The study records no camera.");
    }
    if a.page && !study.study.needs_window() {
        print_err!("The study shows nothing to the participant, so --page has no effect.");
    }
    if !a.page && study.study.baseline_phases().next().is_some() {
        print_err!("The study has a guided baseline, which is shown on the page. Without --page it is omitted.");
    }
    if !a.page && !study.study.questionnaires.is_empty() {
        print_err!("The study has questionnaires, which are shown on the page. Without --page they are omitted.");
    }
    let cancel = cancel_at_signal()?;
    let (mut participant, mut session) = (a.participant.clone(), a.session);
    let network = study.study.remote_control.as_ref().is_some_and(|settings| settings.network);
    let address = a.remote_control.as_ref().map(|at| at.to_listen(network)).transpose()?;
    let mut remote = address.map(|address| RemoteControl::listen(address, &plan.sources)).transpose()?;
    if let Some(remote) = &mut remote
        && !remote.wait_for_start(&mut participant, &mut session, cancel.flag())
    {
        print_err!("No recording was started.");
        return Ok(ExitCode::SUCCESS);
    }
    let (tx, committed) = crossbeam_channel::bounded(4096);
    let who = Participation {
        session,
        planned: a.duration,
        condition: a.condition.clone(),
        pilot: a.pilot || study.study.participant.screen == SeatChoice::Pilot,
        revision: revision(),
        ..Participation::of(participant.clone())
    };
    let set_up = remote.as_mut().and_then(RemoteControl::set_up);
    let rig = Rig::record_study_after(set_up, &library, &study, &plan, who, tx);
    if let Some(remote) = &mut remote {
        remote.started(rig.as_ref().map_err(ToString::to_string));
    }
    let rig = rig?;
    let folder = rig.folder().unwrap_or(library.root()).to_owned();
    if !a.json {
        print_err!("Recording {participant} into {} (Ctrl-C stops the recording)", folder.display());
    }
    let stops = Stops { duration: a.duration, interrupted: cancel.flag(), remote: remote.as_ref() };
    run_rig(rig, &committed, stops, |_, _| {})?;
    let stored = StoredSession::open_and_store_quality(&folder)?;
    if a.json {
        print_out!("{}", session_json(&stored)?);
    } else {
        print_session(&stored);
        print_out!("{}", folder.display());
    }
    let is_whole = !matches!(stored.quality.end.how, Ending::DiskFull | Ending::StoringFailed);
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}
