//! The plan of a session, and the rig that runs it.

use std::path::Path;

use chrono::Utc;
use crossbeam_channel::{Receiver, bounded};
use sha2::{Digest, Sha256};

use super::embedded_place::{EmbeddedPlace, bounds_px};
use super::participant_window::{ParticipantWindow, WindowPlace};
use super::rows;
use crate::places::Places;
use crate::version::revision;
use capture::{CameraSpec, list_devices};
use desktop::port::{
    CameraMode, PagePlace, PageState, PageStatus, ParticipantScreen, PixelRect, RecordingRequest, RehearsalInfo,
    SessionPlan as PortPlan,
};
use page::{Placement, monitor_count};
use recording::{Participation, Rig, RigError, RigPlan, SetUpSources};
use session::{CameraSettings, ConsentBy, OnCrash, PagePlacement, ParticipantId, Seat, SessionNumber, Study, hex};
use store::{Committed, Consent, StudyFile};

/// A session in preparation, with the operator's changes.
pub struct Plan {
    port: PortPlan,
    file: StudyFile,
    pub study: Study,
    pub camera: CameraSpec,
    pub settings: CameraSettings,
    pub placement: PagePlacement,
    /// For a page with its own window.
    pub screen: ParticipantScreen,
    /// Who sits at the participant's screen.
    pub seat: Seat,
}

impl Plan {
    /// `Err` is a message for the user.
    pub fn read(port: PortPlan, screen: ParticipantScreen) -> Result<Plan, String> {
        let file = StudyFile::read(&port.study_file).map_err(|e| e.to_string())?;
        let study = file.study.clone();
        let seat = study.participant.screen.fixed().unwrap_or(port.seat);
        let port = PortPlan { seat, ..port };
        Ok(Plan {
            settings: study.camera.clone(),
            placement: study.placement(),
            screen,
            seat,
            camera: first_camera(),
            study,
            file,
            port,
        })
    }

    /// Whether a page that crashed waits until the operator loads it again.
    pub fn waits_after_crash(&self) -> bool {
        self.study.page.as_ref().is_some_and(|page| page.on_crash == OnCrash::Wait)
    }

    pub fn info(&self) -> RehearsalInfo {
        RehearsalInfo { plan: self.port.clone(), study: self.study.clone() }
    }

    pub fn choose_camera(&mut self, spec: &str, mode: Option<&CameraMode>) -> Result<(), String> {
        let mut camera: CameraSpec = spec.parse().map_err(|e: capture::CameraError| e.to_string())?;
        if let Some(wanted) = mode {
            (self.settings.width_px, self.settings.height_px) = (wanted.width_px, wanted.height_px);
            self.settings.rate_hz = wanted.rate_hz;
            if let CameraSpec::Device { id, mode, .. } = &mut camera {
                let devices = list_devices().map_err(|e| e.to_string())?;
                let device = devices.into_iter().find(|d| d.id == *id);
                *mode = device.and_then(|d| d.modes.into_iter().find(|m| rows::camera_mode(m) == *wanted));
            }
        }
        self.camera = camera;
        Ok(())
    }

    /// `None`: the study shows nothing to the participant. `window` is the participant window that is open.
    pub fn page_state(
        &self,
        status: PageStatus,
        parent_xid: Option<u64>,
        window: Option<&ParticipantWindow>,
    ) -> Option<PageState> {
        if !self.study.needs_window() {
            return None;
        }
        let next = || WindowPlace::now(self.seat, self.screen).name;
        let place = match (window, self.embedding(parent_xid)) {
            (Some(window), _) => PagePlace::ParticipantWindow { screen: window.place().name.clone() },
            (None, Some(_)) => PagePlace::Embedded,
            (None, None) => PagePlace::ParticipantWindow { screen: next() },
        };
        let address = match &self.study.page {
            Some(page) => page.address.clone(),
            None => "No page: only the cross and questionnaires".to_owned(),
        };
        Some(PageState { address, place, status })
    }

    /// Opens the participant window, unless the page is embedded in the window `parent_xid`, or the study shows nothing, not
    /// even the consent.
    pub fn participant_window(&self, parent_xid: Option<u64>) -> Option<Result<ParticipantWindow, String>> {
        let is_wanted = self.study.needs_window_for(self.seat) && self.embedding(parent_xid).is_none();
        is_wanted.then(|| ParticipantWindow::open(&self.file, self.seat, self.screen))
    }

    /// The window that will contain the page. `None`: the page gets its own window.
    fn embedding(&self, parent_xid: Option<u64>) -> Option<u64> {
        if self.seat == Seat::Participant {
            // The plots would show the participant their own measurement.
            return None;
        }
        match self.placement {
            PagePlacement::Embedded => parent_xid,
            PagePlacement::ParticipantWindow => None,
            PagePlacement::Auto => parent_xid.filter(|_| monitor_count() < 2),
        }
    }

    fn rig(
        &self,
        parent_xid: Option<u64>,
        place: EmbeddedPlace,
        window: Option<&ParticipantWindow>,
    ) -> Result<RigPlan, RigError> {
        let placement = match self.embedding(parent_xid) {
            Some(parent_xid) => {
                // Until the window sets the page's place, the page is one hidden pixel.
                let nowhere = PixelRect { left_px: 0, top_px: 0, width_px: 1, height_px: 1 };
                Placement::Embedded { parent_xid, bounds: bounds_px(place.bounds.unwrap_or(nowhere)), zoom: 1.0 }
            }
            None => Placement::ParticipantWindow {
                monitor: self.screen.monitor,
                full_screen: self.screen.full_screen,
                program: None,
                display: None,
            },
        };
        let plan = RigPlan::of_study(&self.file, self.camera.clone(), Some(placement))?;
        // A window that shows only the consent has no part in the recording.
        let window = window.filter(|_| self.study.needs_window()).map(ParticipantWindow::host);
        let mut plan = RigPlan { camera_settings: self.settings.clone(), window, ..plan };
        if let Some(page) = &mut plan.page {
            page.condition = self.port.shown_condition().map(str::to_owned);
        }
        Ok(plan)
    }

    pub fn who(&self) -> (&ParticipantId, &SessionNumber) {
        (&self.port.participant, &self.port.session)
    }

    /// What the operator is told if a recording got another condition than the set-up has shown.
    pub fn changed_condition(&self, recorded: Option<&str>) -> Option<String> {
        changed_condition(self.port.shown_condition(), recorded)
    }

    /// Without its page.
    fn rig_alone(&self) -> Result<RigPlan, RigError> {
        let plan = RigPlan::of_study(&self.file, self.camera.clone(), None)?;
        Ok(RigPlan { camera_settings: self.settings.clone(), ..plan })
    }
}

fn changed_condition(shown: Option<&str>, recorded: Option<&str>) -> Option<String> {
    let name = |condition: Option<&str>| condition.unwrap_or("none").to_owned();
    (shown != recorded).then(|| {
        let (recorded, shown) = (name(recorded), name(shown));
        format!(
            "The condition of this session is {recorded}. The set-up showed {shown}: the study or participants.tsv has changed \
             since then."
        )
    })
}

/// The first usable camera, or the phantom if there is none.
fn first_camera() -> CameraSpec {
    let devices = list_devices().unwrap_or_default();
    let usable = devices.into_iter().find(|d| d.trouble.is_none());
    usable.and_then(|d| d.id.to_string().parse().ok()).unwrap_or(CameraSpec::Phantom)
}

/// A rig that is in use, for a rehearsal or a recording.
pub struct ActiveRig {
    /// `None`: it did not start.
    pub rig: Option<Rig>,
    /// Why the rig did not start.
    pub camera_problem: Option<String>,
    /// Why the rig runs without its page.
    pub page_problem: Option<String>,
    /// `None` in a rehearsal.
    pub folder: Option<std::path::PathBuf>,
    pub committed: Receiver<Committed>,
}

impl ActiveRig {
    /// Does not fail: the checks of the rehearsal show the problem.
    pub fn rehearse(
        plan: &Plan,
        parent_xid: Option<u64>,
        place: EmbeddedPlace,
        window: Option<&ParticipantWindow>,
    ) -> ActiveRig {
        match plan.rig(parent_xid, place, window).and_then(|rig| Rig::rehearse(&rig)) {
            // A missing page is a problem of the page. The camera can be set up meanwhile.
            Err(RigError::Page(e)) => ActiveRig::rehearse_alone(plan, e.to_string()),
            Err(why) => ActiveRig::rehearsed(Err(why), None),
            Ok(rig) => {
                show_page(&rig, place);
                ActiveRig::rehearsed(Ok(rig), None)
            }
        }
    }

    /// Without the page, which has this problem.
    pub fn rehearse_alone(plan: &Plan, page_problem: String) -> ActiveRig {
        ActiveRig::rehearsed(plan.rig_alone().and_then(|rig| Rig::rehearse(&rig)), Some(page_problem))
    }

    fn rehearsed(rig: Result<Rig, RigError>, page_problem: Option<String>) -> ActiveRig {
        let (_, committed) = bounded(0);
        let (rig, camera_problem) = match rig {
            Ok(rig) => (Some(rig), None),
            Err(why) => (None, Some(why.to_string())),
        };
        ActiveRig { rig, camera_problem, page_problem, folder: None, committed }
    }

    pub fn record(
        plan: &Plan,
        places: &Places,
        request: RecordingRequest,
        set_up: Option<SetUpSources>,
        (parent_xid, place): (Option<u64>, EmbeddedPlace),
        window: Option<&ParticipantWindow>,
    ) -> Result<ActiveRig, String> {
        let rig = plan.rig(parent_xid, place, window).map_err(|e| e.to_string())?;
        let library = places.library().map_err(|e| e.to_string())?;
        let PortPlan { participant, session, condition, .. } = plan.port.clone();
        let given = request.given_consent;
        let consent = request.consent_text.map(|text| Consent {
            given_at: given.as_ref().map_or_else(Utc::now, |given| given.at),
            text_sha256: hex(&Sha256::digest(text.as_bytes())),
            by: Some(if given.is_some() { ConsentBy::Participant } else { ConsentBy::Operator }),
            name_typed: given.and_then(|given| given.typed),
        });
        let pilot = plan.seat == Seat::Pilot;
        let overridden_checks = request.overridden_checks;
        let (session, revision) = (Some(session), revision());
        let who = Participation {
            participant,
            session,
            consent,
            pilot,
            overridden_checks,
            revision,
            condition,
            planned: None,
        };
        let (tx, committed) = bounded(4096);
        let rig = Rig::record_study_after(set_up, &library, &plan.file, &rig, who, tx).map_err(|e| e.to_string())?;
        show_page(&rig, place);
        let folder = rig.folder().map(Path::to_owned);
        Ok(ActiveRig { rig: Some(rig), camera_problem: None, page_problem: None, folder, committed })
    }
}

fn show_page(rig: &Rig, place: EmbeddedPlace) {
    if let Some(page) = rig.page() {
        page.set_visible(place.is_visible);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_condition_than_the_one_shown_is_told() {
        assert_eq!(changed_condition(Some("calm"), Some("calm")), None);
        assert_eq!(changed_condition(None, None), None);
        let told = changed_condition(Some("calm"), Some("loud")).unwrap();
        assert!(told.starts_with("The condition of this session is loud. The set-up showed calm"), "{told}");
        assert!(changed_condition(None, Some("loud")).unwrap().contains("showed none"));
    }
}
