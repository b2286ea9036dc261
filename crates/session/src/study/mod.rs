//! The study file `study.toml`: page, camera, consent, phases, markers, questionnaires and conditions.

mod camera;
mod check;
mod conditions;
mod consent;
mod edit;
mod page;
mod phases;
mod questionnaires;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use camera::CameraSettings;
pub use check::check_study_name;
pub use conditions::{AssignmentSettings, ConditionTable, StudyCondition};
pub use consent::ConsentSettings;
pub use edit::edited_text;
pub use page::{PagePlacement, PageSettings};
pub use phases::{Marker, Phase, PhaseKind};
pub use questionnaires::{Item as QuestionnaireItem, ItemsError, Questionnaire, QuestionnaireKind, QuestionnaireTime, Scale};

/// An error in a study file, with its line and column.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct StudyError {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Study {
    /// Short name for folders and lists: letters and digits.
    pub name: String,
    /// Displayed title.
    pub title: String,
    #[serde(default)]
    pub description: String,
    /// Planned length in minutes, for the check of free disk space.
    #[serde(default = "default_planned_minutes")]
    pub planned_minutes: f64,
    /// `None`: a study without a page, such as an interview or a film on another screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageSettings>,
    #[serde(default)]
    pub camera: CameraSettings,
    #[serde(default)]
    pub consent: ConsentSettings,
    /// Folder of the affect network in `models/`.
    #[serde(default = "default_affect_model")]
    pub affect_model: String,
    #[serde(default)]
    pub markers: Vec<Marker>,
    #[serde(default)]
    pub phases: Vec<Phase>,
    /// Text below the fixation cross during a baseline.
    #[serde(default = "default_baseline_sentence")]
    pub baseline_sentence: String,
    /// Labels to choose from in the annotation of a session.
    #[serde(default)]
    pub annotation_labels: Vec<String>,
    #[serde(default)]
    pub questionnaires: Vec<Questionnaire>,
    #[serde(default)]
    pub conditions: Vec<StudyCondition>,
    #[serde(default)]
    pub assignment: AssignmentSettings,
}

fn default_planned_minutes() -> f64 {
    30.0
}

fn default_affect_model() -> String {
    "affect".to_owned()
}

fn default_baseline_sentence() -> String {
    "Please sit comfortably, keep still and look at the cross.".to_owned()
}

impl Study {
    /// The guided phases before the page begins, in their order.
    pub fn baseline_phases(&self) -> impl Iterator<Item = &Phase> {
        self.phases.iter().filter(|p| p.kind == PhaseKind::Baseline)
    }

    /// Planned length of a recording, by its phases. `None` if the study has no task phase. `has_window`: the participant
    /// has a window, which the baseline needs.
    pub fn planned(&self, has_window: bool) -> Option<Duration> {
        let is_timed = self.phases.iter().any(|p| p.kind == PhaseKind::Task);
        let counted = self.phases.iter().filter(|p| has_window || p.kind == PhaseKind::Task);
        let seconds: f64 = counted.map(|p| p.seconds).sum();
        Duration::try_from_secs_f64(seconds).ok().filter(|_| is_timed)
    }

    /// Whether the program shows something to the participant: a page, the cross of a baseline, or a questionnaire.
    pub fn needs_window(&self) -> bool {
        self.page.is_some() || self.baseline_phases().next().is_some() || !self.questionnaires.is_empty()
    }

    /// The phases that the program times after the baseline. A page times its own.
    pub fn timed_phases(&self) -> impl Iterator<Item = &Phase> {
        self.phases.iter().filter(|p| self.page.is_none() && p.kind == PhaseKind::Task)
    }

    /// In their order.
    pub fn questionnaires_at(&self, when: QuestionnaireTime) -> impl Iterator<Item = &Questionnaire> {
        self.questionnaires.iter().filter(move |q| q.when == when)
    }

    /// The placement of what the participant sees.
    pub fn placement(&self) -> PagePlacement {
        self.page.as_ref().map(|page| page.placement).unwrap_or_default()
    }

    pub fn parse(text: &str) -> Result<Study, StudyError> {
        let study = Study::unchecked(text)?;
        study.check(text)?;
        Ok(study)
    }

    /// The study that an editor shows, which need not be complete. It may not be recorded.
    pub fn unchecked(text: &str) -> Result<Study, StudyError> {
        toml::from_str(text).map_err(|e| {
            let offset = e.span().map_or(0, |s| s.start);
            at(text, offset, e.message().to_owned())
        })
    }

    /// What TOML's grammar cannot express. `text` is the study's text, for the place of an error.
    pub fn check(&self, text: &str) -> Result<(), StudyError> {
        check::check(self).map_err(|wrong| at(text, wrong.offset(text), wrong.message))
    }
}

fn at(text: &str, offset: usize, message: String) -> StudyError {
    let before = &text[..offset.min(text.len())];
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    StudyError {
        line: before.matches('\n').count() + 1,
        column: text[line_start..offset.min(text.len())].chars().count() + 1,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SMALL: &str = "name = \"demo\"\ntitle = \"Demo\"\n[page]\naddress = \"page\"\n";

    #[test]
    fn a_small_study_gets_sensible_defaults() {
        let s = Study::parse(SMALL).unwrap();
        assert_eq!((s.camera.width_px, s.camera.rate_hz), (640, 30.0));
        assert_eq!(s.affect_model, "affect");
        assert_eq!(s.placement(), PagePlacement::Auto);
    }

    #[test]
    fn a_typo_is_found_by_line_and_column() {
        let e = Study::parse(&SMALL.replace("address", "adress")).unwrap_err();
        assert_eq!((e.line, e.column), (4, 1), "{e}");
        assert!(e.message.contains("adress"), "{e}");
        let e = Study::parse(&SMALL.replace("\"demo\"", "\"../demo\"")).unwrap_err();
        assert_eq!(e.line, 1, "{e}");
        let e = Study::parse(&format!(
            "{SMALL}[[markers]]\nkey = \"1\"\nlabel = \"a\"\n[[markers]]\nkey = \"1\"\nlabel = \"b\"\n"
        ))
        .unwrap_err();
        assert!(e.to_string().contains("twice"), "{e}");
    }

    #[test]
    fn phases_are_tasks_unless_they_say_otherwise() {
        let phase = |name: &str, more: &str| format!("[[phases]]\nname = \"{name}\"\nseconds = 60\n{more}\n");
        let (rest, work) = (phase("rest", "kind = \"baseline\""), phase("work", ""));
        let study = Study::parse(&format!("annotation_labels = [\"smile\", \"talk\"]\n{SMALL}{rest}{work}")).unwrap();
        assert_eq!(study.phases[1].kind, PhaseKind::Task);
        assert_eq!(study.baseline_phases().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["rest"]);
        assert_eq!(study.annotation_labels, ["smile", "talk"]);
        let e = Study::parse(&format!("{SMALL}{work}{rest}")).unwrap_err();
        assert!(e.message.contains("before the tasks"), "{e}");
        let e = Study::parse(&format!("annotation_labels = [\"a\", \"a\"]\n{SMALL}")).unwrap_err();
        assert!(e.line == 1 && e.message.contains("twice"), "{e}");
    }

    #[test]
    fn a_study_may_have_no_page() {
        let study = Study::parse("name = \"talk\"\ntitle = \"Talk\"\n").unwrap();
        assert!(study.page.is_none() && !study.needs_window());
        assert_eq!((study.placement(), study.planned(false)), (PagePlacement::Auto, None));
        let phases = "[[phases]]\nname = \"talk\"\nseconds = 30\n";
        let study = Study::parse(&format!("name = \"talk\"\ntitle = \"Talk\"\n{phases}")).unwrap();
        assert_eq!(study.timed_phases().count(), 1);
        assert_eq!(study.planned(false), Some(Duration::from_secs(30)));
        let rest = format!("name = \"talk\"\ntitle = \"Talk\"\n{phases}kind = \"baseline\"\n");
        assert!(Study::parse(&rest).unwrap().needs_window(), "the cross needs a window");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
            Study::parse(&text).ok();
            Study::parse(&format!("{SMALL}{text}")).ok();
        }
    }
}
