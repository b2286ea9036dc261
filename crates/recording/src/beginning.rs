//! Starts a recording of a study, for the window and the command line: the plan of the rig, the page and the folder of the
//! session.

use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use crossbeam_channel::Sender;

use super::{Guided, Rig, RigError, RigPlan, SessionPlan, SetUpSources};
use capture::{CameraSpec, Pace};
use page::{PageError, PageSpec, Placement, questionnaire_page};
use session::{CheckId, ParticipantId, Questionnaire, QuestionnaireItem, QuestionnaireKind, SessionNumber};
use store::{Committed, Consent, Library, SessionStart, StudyFile, table_text};
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
    /// The condition that the operator chose by hand. `None`: the study's assignment decides, if the study has conditions.
    pub condition: Option<String>,
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
            condition: None,
            planned: None,
        }
    }
}

impl RigPlan {
    /// The plan of a study, in real time. `camera` is not used if the study records none. `window` is the placement of the participant's window; `None`: no window. A study
    /// that shows nothing has none.
    pub fn of_study(study: &StudyFile, camera: CameraSpec, window: Option<Placement>) -> Result<RigPlan, RigError> {
        let page = match window.filter(|_| study.study.needs_window()) {
            Some(placement) => Some(page_spec(study, placement)?),
            None => None,
        };
        Ok(RigPlan {
            camera: study.study.camera.record.then_some(camera),
            camera_settings: study.study.camera.clone(),
            pace: Pace::RealTime,
            models: models_folder()?,
            affect_model: study.study.affect_model.clone(),
            page,
            window: None,
            markers: study.study.markers.clone(),
            sources: study.study.sources.clone(),
            lsl_out: study.study.lsl_out,
        })
    }
}

/// The page of a study with its questionnaires. Without a page, the window is calm between them.
pub fn page_spec(study: &StudyFile, placement: Placement) -> Result<PageSpec, RigError> {
    let beside = study.path.parent().unwrap_or(Path::new("."));
    let spec = PageSpec::of_study(study.study.page.as_ref(), beside, placement).map_err(PageError::from)?;
    let questionnaires = study.study.questionnaires.iter().map(|q| {
        let items = questionnaire_items(q, beside)?;
        Ok(questionnaire_page(q, &items, &study.study.questionnaire_texts))
    });
    let closing = study.study.participant.closing.clone();
    Ok(PageSpec { questionnaires: questionnaires.collect::<Result<_, RigError>>()?, closing, ..spec })
}

/// The items of a questionnaire; none if it has no table. `beside` is the study file's folder.
pub fn questionnaire_items(q: &Questionnaire, beside: &Path) -> Result<Vec<QuestionnaireItem>, RigError> {
    if q.kind != QuestionnaireKind::Items {
        return Ok(Vec::new());
    }
    let path = beside.join(&q.items);
    let failed = |why: String| RigError::Items { name: q.name.clone(), path: path.clone(), why };
    let bytes = std::fs::read(&path).map_err(|e| failed(e.to_string()))?;
    let text = table_text(&bytes).map_err(failed)?;
    QuestionnaireItem::read_table(&text).map_err(|e| failed(e.to_string()))
}

impl Rig {
    /// Creates the session's folder in the library and records into it. If the recording cannot start, the empty folder, the
    /// participant's new row and the new condition are taken back.
    pub fn record_study(
        library: &Library,
        study: &StudyFile,
        plan: &RigPlan,
        who: Participation,
        committed: Sender<Committed>,
    ) -> Result<Rig, RigError> {
        Rig::record_study_after(None, library, study, plan, who, committed)
    }

    /// As [`Rig::record_study`], with what the set-up has received since a marker started the recording.
    pub fn record_study_after(
        set_up: Option<SetUpSources>,
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
        let started = library.start_session(&SessionStart {
            study: &study.study,
            participant: &who.participant,
            session,
            chosen: who.condition.as_deref(),
            pilot: who.pilot,
            at: Utc::now(),
        })?;
        let plan_of_session = SessionPlan {
            folder: started.folder.clone(),
            participant: who.participant,
            session,
            study: study.stored(),
            guided: Guided::of_study(&study.study),
            consent: who.consent,
            pilot: who.pilot,
            overridden_checks: who.overridden_checks,
            revision: who.revision,
            planned: who.planned.or_else(|| study.study.planned(plan.has_page())),
            condition: started.condition.clone(),
        };
        let mut plan = plan.clone();
        if let (Some(page), Some(condition)) = (&mut plan.page, &started.condition) {
            page.condition = Some(condition.name.clone());
        }
        Rig::record_after(set_up, &plan, plan_of_session, committed).inspect_err(|_| {
            if let Err(e) = library.take_back(&started) {
                tracing::error!("what was prepared for a recording that could not start is still there: {e}");
            }
        })
    }
}
