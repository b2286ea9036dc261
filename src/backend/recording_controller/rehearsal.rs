//! Set-up: a rig that stores nothing. Each change of its plan starts a new one.

use super::{RecordingController, Running};
use crate::backend::active_rig::{ActiveRig, Plan};
use crate::backend::review_worker::ReviewCommand;
use crate::backend::rows;
use capture::CameraSpec;
use desktop::port::{Activity, BackendEvent, CameraControl, CameraMode, CameraState, PageStatus, SessionPlan};
use recording::{Rig, SetUpSources};

impl RecordingController {
    pub(super) fn begin_rehearsal(&mut self, plan: SessionPlan) {
        // The list of the window may be older than a session of another program. If the library cannot be read, the start of the
        // recording reports it.
        let taken =
            self.places.library().and_then(|library| Ok((library.taken(&plan.participant, plan.session)?, library)));
        if let Ok((Some(_), library)) = taken {
            let next = library.next_session(&plan.participant);
            let next = next.map_or_else(|_| String::new(), |n| format!(" The next free number is {n}."));
            let sentence = format!("{} {} exists already.{next}", plan.participant, plan.session);
            self.window.failed(Activity::Rehearse, sentence);
            return;
        }
        match Plan::read(plan, self.participant_screen) {
            Ok(plan) => {
                self.window.send(BackendEvent::RehearsalOpened(Box::new(plan.info())));
                self.plan = Some(plan);
                self.end_rehearsal();
                self.open_participant();
                self.open_remote_control();
                // Listing cameras is slow, so the review worker does it.
                self.send_to_review(ReviewCommand::Cameras);
                self.rehearse();
            }
            Err(sentence) => self.window.failed(Activity::Rehearse, sentence),
        }
    }

    /// Starts a new rig with the current plan.
    pub(super) fn rehearse(&mut self) {
        self.end_rehearsal();
        let Some(plan) = &self.plan else { return };
        let active = match &self.participant_problem {
            Some(problem) => ActiveRig::rehearse_alone(plan, problem.clone()),
            None => ActiveRig::rehearse(plan, self.parent_xid, self.page, self.participant.as_ref()),
        };
        if plan.study.camera.record {
            self.window.send(BackendEvent::Camera(camera_state(&plan.camera, &active)));
        }
        let status = active.page_problem.clone().map_or(PageStatus::Loading, PageStatus::Failed);
        let page = plan.page_state(status, self.parent_xid, self.participant.as_ref());
        page.into_iter().for_each(|page| self.window.send(BackendEvent::Page(page)));
        if let Some(rig) = &active.rig {
            self.clock.put(rig.clock());
        }
        let mut running = Running::new(active);
        running.known.remote_control = self.remote.known();
        self.running = Some(running);
        self.send_checks();
    }

    /// Starts a new rig and a new participant window with the current plan.
    pub(super) fn rehearse_in_new_window(&mut self) {
        self.end_rehearsal();
        self.open_participant();
        self.rehearse();
    }

    pub(super) fn end_rehearsal(&mut self) {
        drop(self.end_set_up(false));
    }

    /// `keeps_markers`: the inlets whose markers are commands go on, so that no marker is lost until the recording receives them.
    pub(super) fn end_set_up(&mut self, keeps_markers: bool) -> Option<SetUpSources> {
        let mut rig = self.running.take()?.active.rig?;
        let kept = if keeps_markers { rig.keep_markers() } else { None };
        if let Err(e) = rig.stop() {
            self.window.send(BackendEvent::Notice(e.to_string()));
        }
        kept
    }

    pub(super) fn choose_camera(&mut self, spec: &str, mode: Option<CameraMode>) {
        let Some(plan) = &mut self.plan else { return };
        match plan.choose_camera(spec, mode.as_ref()) {
            Ok(()) => self.rehearse(),
            Err(sentence) => self.window.failed(Activity::Rehearse, sentence),
        }
    }

    pub(super) fn set_control(&mut self, control: CameraControl, value: Option<i64>) {
        let Some(plan) = &mut self.plan else { return };
        match control {
            CameraControl::Exposure => plan.settings.exposure = value,
            CameraControl::WhiteBalance => plan.settings.white_balance_k = value,
            CameraControl::Focus => plan.settings.focus = value,
        }
        let settings = plan.settings.clone();
        if let Some(rig) = self.rig() {
            rig.adjust_camera(settings);
        }
    }
}

fn camera_state(spec: &CameraSpec, active: &ActiveRig) -> CameraState {
    match active.rig.as_ref().and_then(Rig::camera_info) {
        Some(info) => rows::camera_state(spec, info),
        None => rows::failed_camera_state(spec, active.camera_problem.clone()),
    }
}
