//! The study file `study.toml`: page, camera, consent, phases, markers, questionnaires, conditions, and what a server
//! offers.

mod camera;
mod check;
mod conditions;
mod consent;
mod edit;
mod error;
mod excerpt;
mod kept_page;
mod model;
mod names;
mod page;
mod parse;
mod participant;
mod phases;
mod questionnaire_texts;
mod questionnaires;
mod remote;
mod remote_control;
mod serial_source;
mod sources;
mod visitors;

pub use camera::CameraSettings;
pub use check::check_study_name;
pub use conditions::{AssignmentSettings, ConditionTable, StudyCondition};
pub use consent::ConsentSettings;
pub use edit::edited_text;
pub use error::StudyError;
pub use excerpt::{ConditionExcerpt, ConsentExcerpt, StudyExcerpt};
pub use kept_page::KeptPage;
pub use model::Study;
pub use page::{OnCrash, PagePlacement, PageSettings};
pub use participant::{ConsentBy, ParticipantSettings, Seat, SeatChoice};
pub use phases::{Marker, Phase, PhaseKind};
pub use questionnaire_texts::{QuestionnaireText, QuestionnaireTexts};
pub use questionnaires::{
    Item as QuestionnaireItem, ItemsError, Questionnaire, QuestionnaireKind, QuestionnaireTime, Scale,
};
pub use remote::{RemoteCamera, RemoteSettings};
pub use remote_control::{REMOTE_CONTROL_PORT, RemoteControlSettings};
pub use serial_source::SerialPortSettings;
pub use sources::{SourceKind, SourceSettings};
pub use visitors::VisitorSettings;
