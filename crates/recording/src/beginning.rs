//! Starts a recording of a study, for the window and the command line: the plan of the rig, the page and the folder of the
//! session.

use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use crossbeam_channel::Sender;

use super::{Guided, Rig, RigError, RigPlan, SessionPlan};
use capture::{CameraSpec, Pace};
use page::{PageError, PageSpec, Placement};
use session::{CheckId, ParticipantId, SessionNumber};
use store::{Committed, Consent, Library, StudyFile};
use vision::models_folder;

/// Who is recorded, and what the operator confirmed.
#[derive(Clone, Debug)]
pub struct Participation {
    pub participant: ParticipantId,
    /// `None`: the participant's next.
    pub session: Option<SessionNumber>,
    pub consent: Option<Consent>,
    /// The operator tries the study.
    pub pilot: bool,
    pub overridden_checks: Vec<CheckId>,
    /// The git revision of the program, for the header. `None`: not known.
    pub revision: Option<String>,
    /// How long the recording is to be; `None`: as long as the study's phases, where it has some.
    pub planned: Option<Duration>,
}

impl Participation {
    /// The participant's next session, without consent and without overridden checks.
    pub fn of(participant: ParticipantId) -> Participation {
        Participation {
            participant,
            session: None,
            consent: None,
            pilot: false,
            overridden_checks: Vec::new(),
            revision: None,
            planned: None,
        }
    }
}

impl RigPlan {
    /// The plan of a study, in real time. `page` is the placement of its page; `None`: no page.
    pub fn of_study(study: &StudyFile, camera: CameraSpec, page: Option<Placement>) -> Result<RigPlan, RigError> {
        let beside = study.path.parent().unwrap_or(Path::new("."));
        let page = page.map(|placement| PageSpec::of_study(&study.study.page, beside, placement));
        Ok(RigPlan {
            camera,
            camera_settings: study.study.camera.clone(),
            pace: Pace::RealTime,
            models: models_folder()?,
            affect_model: study.study.affect_model.clone(),
            page: page.transpose().map_err(PageError::from)?,
            window: None,
        })
    }
}

impl Rig {
    /// Creates the session's folder in the library and records into it. If the recording cannot start, an empty folder is
    /// removed, so that the session number stays free.
    pub fn record_study(
        library: &Library,
        study: &StudyFile,
        plan: &RigPlan,
        who: Participation,
        committed: Sender<Committed>,
    ) -> Result<Rig, RigError> {
        let session = match who.session {
            Some(session) => session,
            None => library.next_session(&who.participant)?,
        };
        let folder = library.create_session(&who.participant, session, &study.study.name, Utc::now())?;
        let plan_of_session = SessionPlan {
            folder: folder.clone(),
            participant: who.participant,
            session,
            study: study.stored(),
            guided: Guided::of_study(&study.study),
            consent: who.consent,
            pilot: who.pilot,
            overridden_checks: who.overridden_checks,
            revision: who.revision,
            planned: who.planned.or_else(|| study.study.planned(plan.has_page())),
        };
        Rig::record(plan, plan_of_session, committed).inspect_err(|_| {
            // Fails, as intended, if the folder has content.
            std::fs::remove_dir(&folder).ok();
        })
    }
}
