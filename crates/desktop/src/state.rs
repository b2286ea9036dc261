//! The state of the window. Views read it and push [`Command`](super::command::Command)s. Only `apply` and `receive`
//! change it.

use std::path::PathBuf;
use std::time::Duration;

use session::{CheckId, ConsentBy, ParticipantId, Seat, SessionNumber, Study, Timestamp};

pub use super::editor_state::{AfterSave, EditorTab, NewStudyDraft, StudyEditor};
use super::indexed_timeline::IndexedTimeline;
use super::job_state::{ImportDraft, Job, ReassignDraft, SessionsExportDraft, is_taken};
use super::lane_choice::LaneList;
use super::notices::Notices;
pub use super::participant_state::ParticipantView;
use super::phase_clock::PhaseClock;
use super::photo::Photo;
use super::port::{
    Alarm, CameraRow, CameraState, Check, CheckState, DownloadProgress, DownloadRequest, ExportFormat, FaceOverlay,
    FinishedSession, GivenConsent, HealthFigures, PageState, SessionNote, SessionPart, SessionPlan, SessionRow,
    StartedInfo, StudyExportFormat,
};
use super::preferences::Preferences;
use super::recent_markers::RecentMarkers;
pub use super::review_state::{FollowedPage, Review, Side};
pub use super::session_table::{Column, Filter, Home, SortOrder, StateKind, date, state_label};
pub use super::study_state::{StudyForm, StudyQueryProgress, StudySide, StudyState};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    Home,
    SetUp,
    Live,
    Report,
    Review,
    Study,
    Editor,
}

pub struct State {
    pub screen: Screen,
    pub preferences: Preferences,
    pub home: Home,
    pub rehearsal: Option<Rehearsal>,
    pub recording: Option<Recording>,
    pub participant: ParticipantView,
    /// The rectangle of the embedded page in this window, while it is shown.
    pub embedded_page: Option<eframe::egui::Rect>,
    /// The alarms of the recording that has ended. They were not shown on a participant's screen.
    pub past_alarms: Vec<String>,
    pub finished: Option<FinishedSession>,
    pub review: Option<Review>,
    /// The session that is being read.
    pub opening: Option<PathBuf>,
    /// The time to show first in the session that is being read.
    pub arriving_at: Option<Timestamp>,
    /// The study on the study screen. Kept while one of its sessions is in review.
    pub study: Option<StudyState>,
    /// The study file on the editor's screen.
    pub editor: Option<StudyEditor>,
    /// Name or initials of the person who annotates or rates. Stored with annotations and ratings.
    pub author: String,
    pub dialog: Option<Dialog>,
    /// Set while sessions are downloaded from a server.
    pub download: Option<DownloadProgress>,
    /// The running export or import of sessions.
    pub job: Option<Job>,
    /// The dialog of the running export of a figure, of records or of averages. It is shown again if the export fails.
    pub exporting: Option<Dialog>,
    /// The note that is written about the session that was just recorded.
    pub report_note: String,
    /// The note that is being stored. It is shown again if that fails.
    pub sent_note: Option<SessionNote>,
    /// The typed API token. Kept until the window closes. Never stored.
    pub api_token: String,
    pub notices: Notices,
    /// Whether a file dialog of the system is open.
    pub is_file_dialog_open: bool,
}

impl State {
    pub fn new(preferences: Preferences) -> Self {
        State {
            screen: Screen::Home,
            preferences,
            home: Home::default(),
            rehearsal: None,
            recording: None,
            participant: ParticipantView::default(),
            embedded_page: None,
            past_alarms: Vec::new(),
            finished: None,
            review: None,
            opening: None,
            arriving_at: None,
            study: None,
            editor: None,
            author: String::new(),
            dialog: None,
            download: None,
            job: None,
            exporting: None,
            report_note: String::new(),
            sent_note: None,
            api_token: String::new(),
            notices: Notices::default(),
            is_file_dialog_open: false,
        }
    }

    /// Whether a session is set up, recorded or reported.
    pub fn has_session(&self) -> bool {
        self.rehearsal.is_some() || self.recording.is_some() || self.finished.is_some()
    }

    /// The session on the screen, and the signals that are chosen for it.
    pub(super) fn signals(&self) -> Option<(&IndexedTimeline, &LaneList)> {
        let lanes = &self.preferences.lanes;
        match self.screen {
            Screen::Live => self.recording.as_ref().map(|recording| (&recording.log, &lanes.live)),
            Screen::Review => self.review.as_ref().map(|review| (&review.log, &lanes.review)),
            _ => None,
        }
    }

    /// Whether a new alarm is to ring now. Returns it once. An alarm does not ring in front of the participant: it rings when
    /// the operator's view is back.
    pub(super) fn take_alarm_to_ring(&mut self) -> bool {
        let is_hidden = self.participant.front == Some(true);
        self.recording.as_mut().is_some_and(|r| !is_hidden && std::mem::take(&mut r.has_new_alarm))
    }

    /// Shows a warning until it is dismissed.
    pub fn warn(&mut self, sentence: String) {
        self.notices.add(sentence, true);
    }

    /// Shows information that fades by itself.
    pub fn inform(&mut self, sentence: String) {
        self.notices.add(sentence, false);
    }

    /// Takes the typed note, to store it. `None` if there is none, or while another is being stored.
    pub fn take_note(&mut self) -> Option<SessionNote> {
        let text = self.report_note.trim().to_owned();
        let folder = self.finished.as_ref()?.session.folder.clone();
        if text.is_empty() || self.sent_note.is_some() {
            return None;
        }
        self.report_note.clear();
        self.sent_note = Some(SessionNote { folder, text });
        self.sent_note.clone()
    }
}

// --- Rehearsal -------------------------------------------------------------------------------------------------

pub struct Rehearsal {
    pub plan: SessionPlan,
    /// `None` while the rehearsal is being opened.
    pub study: Option<Study>,
    pub cameras: Option<Vec<CameraRow>>,
    pub camera: Option<CameraState>,
    pub checks: Vec<Check>,
    pub page: Option<PageState>,
    pub preview: Option<ShownPreview>,
    pub has_consent: bool,
    /// The consent that the participant gave on their own screen.
    pub given_consent: Option<GivenConsent>,
    /// The operator has pressed Record.
    pub is_starting: bool,
}

impl Rehearsal {
    pub fn new(plan: SessionPlan) -> Self {
        Rehearsal {
            plan,
            study: None,
            cameras: None,
            camera: None,
            checks: Vec::new(),
            page: None,
            preview: None,
            has_consent: false,
            given_consent: None,
            is_starting: false,
        }
    }

    /// The checks that the operator would override. One that waits is among them.
    pub fn failing(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|c| matches!(c.state, CheckState::Failed | CheckState::Waiting))
    }

    /// What prevents the start of the recording.
    pub fn readiness(&self) -> Readiness {
        let Some(study) = &self.study else { return Readiness::NotYet("Opening camera, networks and page …") };
        if self.is_starting {
            return Readiness::NotYet("Starting …");
        }
        if self.checks.is_empty() {
            return Readiness::NotYet("Checking …");
        }
        if study.consent.required && !self.has_consent {
            return Readiness::NotYet(match study.consent_by(self.plan.seat) {
                ConsentBy::Operator => "The participant's consent is not confirmed yet.",
                ConsentBy::Participant => "The participant has not agreed yet.",
            });
        }
        let mut failing: Vec<CheckId> = self.failing().map(|c| c.id.clone()).collect();
        // Several sources have one check each.
        failing.dedup();
        if failing.is_empty() { Readiness::Ready } else { Readiness::Failing(failing) }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Readiness {
    /// Cannot be overridden. The text is the reason.
    NotYet(&'static str),
    /// The operator can override these checks.
    Failing(Vec<CheckId>),
    Ready,
}

pub struct ShownPreview {
    pub photo: Photo,
    pub face: Option<FaceOverlay>,
    pub faces: u32,
    pub affect: Option<[f32; session::affect::FIELDS]>,
}

// --- Recording -------------------------------------------------------------------------------------------------

pub struct Recording {
    pub plan: SessionPlan,
    pub study: Study,
    pub started: StartedInfo,
    pub log: IndexedTimeline,
    /// The session clock at this frame.
    pub now: Timestamp,
    pub health: HealthFigures,
    pub alarms: Vec<Alarm>,
    /// The texts of all alarms so far, at most [`PAST_ALARMS`].
    pub past_alarms: Vec<String>,
    pub checks: Vec<Check>,
    pub preview: Option<ShownPreview>,
    pub page: Option<PageState>,
    pub part: Option<SessionPart>,
    /// All parts are over, and the participant sees the closing screen.
    pub are_parts_over: bool,
    pub note: Option<NoteDraft>,
    pub stop: StopState,
    /// Whether the page, embedded or in its own window, has the keyboard.
    pub page_has_keyboard: bool,
    /// The markers that can still be taken back.
    pub recent: RecentMarkers,
    pub phases: PhaseClock,
    /// An alarm was raised, and its sound was not played yet.
    pub has_new_alarm: bool,
    /// Whether the marker pad is open.
    pub has_pad: bool,
    /// The address of the phone pad, while it is switched on.
    pub phone_url: Option<String>,
    /// Whether the window with this address is open.
    pub has_phone_window: bool,
}

/// Alarms that are kept for the report.
pub const PAST_ALARMS: usize = 20;

impl Recording {
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.now.since_ns(self.started.at).max(0).unsigned_abs())
    }

    /// The elapsed time as a time of a clock that began at zero.
    pub fn elapsed_at(&self) -> Timestamp {
        Timestamp::from_ns(self.now.since_ns(self.started.at).max(0))
    }

    /// What the operator reads when all parts are over.
    pub fn parts_over_sentence(&self) -> String {
        let sees = if self.study.needs_window() { "The participant sees the closing screen. " } else { "" };
        format!("All parts of the session are over. {sees}The recording goes on until you stop it.")
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct NoteDraft {
    /// The time at which the operator began to write.
    pub at: Timestamp,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopState {
    No,
    /// The confirmation is shown.
    Requested,
    Stopping,
}

// --- Dialogs ---------------------------------------------------------------------------------------------------

/// The open dialog. At most one is open. It has the keyboard. It does not cover an embedded page.
#[derive(Clone, Debug, PartialEq)]
pub enum Dialog {
    NewSession(PlanDraft),
    NewStudy(NewStudyDraft),
    Open {
        path: String,
    },
    Download(DownloadDraft),
    Erase {
        sessions: Vec<SessionRow>,
        typed: String,
    },
    EraseParticipant {
        participant: ParticipantId,
        typed: String,
    },
    Reassign(ReassignDraft),
    ExportSessions(SessionsExportDraft),
    ImportFilms(ImportDraft),
    /// Confirmation of a recording although checks fail.
    Override,
    /// Confirmation of stopping a recording and removing its session.
    Discard,
    Export(ExportDraft),
    ExportStudy(StudyExportDraft),
    Shortcuts,
    Preferences(Box<Preferences>),
    /// The signals of the session, to choose those that are shown.
    Signals {
        search: String,
    },
    /// Takes the path of a video file, where the system has no file dialogs.
    VideoPath(String),
    /// Confirmation of loading the page again while a recording runs.
    ReloadPage,
    /// Confirmation of closing the window while a recording runs.
    CloseWindow,
    Failure {
        title: &'static str,
        sentence: String,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct PlanDraft {
    pub study_file: Option<PathBuf>,
    pub participant: String,
    pub session: String,
    /// The condition that the operator chose by hand. `None`: the one that the random order proposes.
    pub condition: Option<String>,
    /// Who sits at the participant's screen.
    pub seat: Seat,
}

impl PlanDraft {
    /// Without the proposed condition, which the library knows. The error is a message for the operator.
    pub fn plan(&self) -> Result<SessionPlan, String> {
        let study_file = self.study_file.clone().ok_or("Choose a study.")?;
        let participant = self.participant.trim().parse::<ParticipantId>()?;
        let session = self.session.trim().parse::<SessionNumber>()?;
        let (condition, seat) = (self.condition.clone(), self.seat);
        Ok(SessionPlan { study_file, participant, session, condition, proposed: None, seat })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DownloadDraft {
    pub server: String,
    pub token: String,
    pub study: String,
    /// Why the last attempt failed.
    pub problem: Option<String>,
}

impl DownloadDraft {
    /// `None` while the server or the token is missing.
    pub fn request(&self) -> Option<DownloadRequest> {
        let filled = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
        Some(DownloadRequest { server: filled(&self.server)?, token: filled(&self.token)?, study: filled(&self.study) })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExportDraft {
    pub format: ExportFormat,
    pub to: String,
    /// Whether the file or folder exists.
    pub exists: bool,
    /// Why the last attempt failed.
    pub problem: Option<String>,
}

impl ExportDraft {
    /// Checks whether the path exists.
    pub fn checked(self) -> Self {
        ExportDraft { exists: is_taken(&self.to), ..self }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct StudyExportDraft {
    pub format: StudyExportFormat,
    pub to: String,
    /// Whether the file or folder exists.
    pub exists: bool,
    /// Why the last attempt failed.
    pub problem: Option<String>,
}

impl StudyExportDraft {
    /// Checks whether the path exists.
    pub fn checked(self) -> Self {
        StudyExportDraft { exists: is_taken(&self.to), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_checked_in_words() {
        let mut draft = PlanDraft {
            study_file: None,
            participant: "Anna".into(),
            session: "1".into(),
            condition: None,
            seat: Seat::Participant,
        };
        assert!(draft.plan().unwrap_err().contains("study"));
        draft.study_file = Some("study.toml".into());
        assert!(draft.plan().unwrap_err().contains("pseudonym"));
        draft.participant = " sub-04 ".into();
        assert_eq!(draft.plan().unwrap().session, SessionNumber(1));
    }
}
