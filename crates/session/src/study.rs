//! The study file `study.toml`: page, camera, consent, phases and markers.

use std::collections::HashSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::participant_settings::{ConsentBy, ParticipantSettings, SeatChoice};

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
    pub page: PageSettings,
    #[serde(default)]
    pub camera: CameraSettings,
    #[serde(default)]
    pub consent: ConsentSettings,
    #[serde(default)]
    pub participant: ParticipantSettings,
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
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageSettings {
    /// `https://…`, or a folder or HTML file relative to the study file.
    pub address: String,
    #[serde(default)]
    pub placement: PagePlacement,
    /// CSS selectors of masked elements. Events on them are recorded without their content.
    #[serde(default)]
    pub mask: Vec<String>,
    /// CSS selectors of fields whose typed text a remote browser may record. For other fields it records only the length.
    #[serde(default)]
    pub content: Vec<String>,
    /// Other origins that the page may navigate to, `https://example.org`.
    #[serde(default)]
    pub allow: Vec<String>,
    #[serde(default)]
    pub on_crash: OnCrash,
}

/// What happens after the page's process has died in a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCrash {
    /// The page is loaded again at once.
    #[default]
    Restart,
    /// The participant sees the waiting screen until the operator loads the page again.
    Wait,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PagePlacement {
    /// With a second monitor: the participant's window. Otherwise: embedded.
    #[default]
    Auto,
    Embedded,
    ParticipantWindow,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CameraSettings {
    pub width_px: u32,
    pub height_px: u32,
    pub rate_hz: f64,
    /// In the units of the camera's control. `None` leaves the control automatic.
    pub exposure: Option<i64>,
    pub white_balance_k: Option<i64>,
    pub focus: Option<i64>,
}

impl Default for CameraSettings {
    fn default() -> Self {
        CameraSettings {
            width_px: 640,
            height_px: 480,
            rate_hz: 30.0,
            exposure: None,
            white_balance_k: None,
            focus: None,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsentSettings {
    /// The consent text. It is shown at set-up, and its hash is stored with the session.
    pub text: String,
    /// If true, the consent must be given before a recording can start from the window.
    pub required: bool,
    pub by: ConsentBy,
    /// The participant's button; empty: "I agree".
    pub button: String,
    /// The label of the field in which the participant types initials. Empty: no initials are asked for.
    pub initials: String,
}

/// A marker of the operator: a key and a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    /// A single key: `1`–`9` or a letter.
    pub key: char,
    pub label: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    pub name: String,
    pub seconds: f64,
    #[serde(default)]
    pub kind: PhaseKind,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseKind {
    /// A task on the study's page. The page times it; the plan informs the operator.
    #[default]
    Task,
    /// The participant rests and looks at a cross before the page begins. It gives the participant's own zero of valence
    /// and arousal.
    Baseline,
}

impl PhaseKind {
    /// The name stored in files.
    pub fn as_str(self) -> &'static str {
        match self {
            PhaseKind::Task => "task",
            PhaseKind::Baseline => "baseline",
        }
    }
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

    /// Planned length of a recording, by its phases. `None` if the study has no task phase.
    pub fn planned(&self, has_page: bool) -> Option<Duration> {
        let is_timed = self.phases.iter().any(|p| p.kind == PhaseKind::Task);
        let counted = self.phases.iter().filter(|p| has_page || p.kind == PhaseKind::Task);
        let seconds: f64 = counted.map(|p| p.seconds).sum();
        Duration::try_from_secs_f64(seconds).ok().filter(|_| is_timed)
    }

    pub fn parse(text: &str) -> Result<Study, StudyError> {
        let study: Study = toml::from_str(text).map_err(|e| {
            let offset = e.span().map_or(0, |s| s.start);
            at(text, offset, e.message().to_owned())
        })?;
        study.check().map_err(|(needle, message)| at(text, text.find(needle).unwrap_or(0), message))?;
        Ok(study)
    }

    /// Checks that TOML's grammar cannot express. An error has the key that it belongs to.
    fn check(&self) -> Result<(), (&'static str, String)> {
        if self.name.is_empty() || self.name.len() > 32 || !self.name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err((
                "name",
                format!(
                    "`name` is `{}`: use 1 to 32 letters and digits, because it becomes part of folder names",
                    self.name
                ),
            ));
        }
        if !(self.planned_minutes > 0.0 && self.planned_minutes <= 24.0 * 60.0) {
            return Err(("planned_minutes", "`planned_minutes` must be above 0 and at most 1440".into()));
        }
        if self.page.address.trim().is_empty() {
            return Err((
                "address",
                "`page.address` is empty: enter a URL, or a folder or file relative to the study file".into(),
            ));
        }
        let c = &self.camera;
        if !(16..=8192).contains(&c.width_px)
            || !(16..=8192).contains(&c.height_px)
            || !(1.0..=240.0).contains(&c.rate_hz)
        {
            return Err(("[camera]", "`camera` must have 16 to 8192 px and 1 to 240 Hz".into()));
        }
        if self.participant.screen == SeatChoice::Participant && self.page.placement == PagePlacement::Embedded {
            let message = "a page that is embedded beside the plots shows the participant their own measurement: remove \
                `placement`, or set `screen = \"pilot\"`";
            return Err(("placement", message.to_owned()));
        }
        if self.consent.by == ConsentBy::Participant && self.consent.text.trim().is_empty() {
            return Err((
                "[consent]",
                "the participant cannot agree to an empty text: write `consent.text`".to_owned(),
            ));
        }
        let mut keys = HashSet::new();
        for marker in &self.markers {
            if !marker.key.is_ascii_alphanumeric() {
                return Err(("[[markers]]", format!("marker key `{}` is not a letter or digit", marker.key)));
            }
            if !keys.insert(marker.key.to_ascii_lowercase()) {
                return Err((
                    "[[markers]]",
                    format!("marker key `{}` is used twice: give each marker its own key", marker.key),
                ));
            }
        }
        if let Some(p) = self.phases.iter().find(|p| !(p.seconds > 0.0 && p.seconds.is_finite())) {
            return Err(("[[phases]]", format!("phase `{}` must be longer than 0 s", p.name)));
        }
        let first_task = self.phases.iter().position(|p| p.kind == PhaseKind::Task).unwrap_or(self.phases.len());
        if let Some(p) = self.phases.iter().skip(first_task).find(|p| p.kind == PhaseKind::Baseline) {
            let message = format!(
                "phase `{}` is a baseline: move it before the tasks, because the page begins after the baseline",
                p.name
            );
            return Err(("[[phases]]", message));
        }
        let mut labels = HashSet::new();
        for label in &self.annotation_labels {
            if label.trim().is_empty() || label.len() > 100 {
                return Err(("annotation_labels", "an annotation label must have 1 to 100 bytes".into()));
            }
            if !labels.insert(label) {
                return Err(("annotation_labels", format!("annotation label `{label}` is used twice: remove one")));
            }
        }
        Ok(())
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
    use super::super::participant_settings::Seat;
    use super::*;
    use proptest::prelude::*;

    const SMALL: &str = "name = \"demo\"\ntitle = \"Demo\"\n[page]\naddress = \"page\"\n";

    #[test]
    fn a_small_study_gets_sensible_defaults() {
        let s = Study::parse(SMALL).unwrap();
        assert_eq!((s.camera.width_px, s.camera.rate_hz), (640, 30.0));
        assert_eq!(s.affect_model, "affect");
        assert_eq!(s.page.placement, PagePlacement::Auto);
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
    fn the_participants_screen_is_the_studys_own() {
        let s = Study::parse(SMALL).unwrap();
        assert_eq!((s.participant.screen.fixed(), s.page.on_crash), (None, OnCrash::Restart));
        assert!(!s.participant.withdraw && s.consent.by == ConsentBy::Operator);
        let text = "on_crash = \"wait\"\n[participant]\nscreen = \"participant\"\nwaiting = \"Bitte warten.\"\n\
            withdraw = true\n[consent]\nby = \"participant\"\ntext = \"Ja?\"\n";
        let s = Study::parse(&format!("{SMALL}{text}")).unwrap();
        assert_eq!(s.participant.screen.fixed(), Some(Seat::Participant));
        assert_eq!((s.participant.waiting.as_str(), s.page.on_crash), ("Bitte warten.", OnCrash::Wait));
        let e = Study::parse(&format!("{SMALL}placement = \"embedded\"\n{text}")).unwrap_err();
        assert!(e.line == 5 && e.message.contains("own measurement"), "{e}");
        let e = Study::parse(&format!("{SMALL}[consent]\nby = \"participant\"\n")).unwrap_err();
        assert!(e.line == 5 && e.message.contains("empty text"), "{e}");
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

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
            Study::parse(&text).ok();
            Study::parse(&format!("{SMALL}{text}")).ok();
        }
    }
}
