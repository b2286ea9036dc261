//! The content of `study.toml`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::camera::CameraSettings;
use super::conditions::{AssignmentSettings, StudyCondition};
use super::consent::ConsentSettings;
use super::page::{PagePlacement, PageSettings};
use super::participant::{ConsentBy, ParticipantSettings, Seat};
use super::phases::{Marker, Phase, PhaseKind};
use super::questionnaire_texts::QuestionnaireTexts;
use super::questionnaires::{Questionnaire, QuestionnaireTime};
use super::remote::RemoteSettings;
use super::remote_control::RemoteControlSettings;
use super::sources::SourceSettings;
use super::visitors::VisitorSettings;

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
    #[serde(default)]
    pub visitors: VisitorSettings,
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
    #[serde(default)]
    pub questionnaires: Vec<Questionnaire>,
    #[serde(default)]
    pub questionnaire_texts: QuestionnaireTexts,
    #[serde(default)]
    pub conditions: Vec<StudyCondition>,
    #[serde(default)]
    pub assignment: AssignmentSettings,
    /// Other instruments.
    #[serde(default)]
    pub sources: Vec<SourceSettings>,
    /// Whether a recording offers its affect, events and frames to other programs over Lab Streaming Layer.
    #[serde(default)]
    pub lsl_out: bool,
    /// Whether other programs may start and stop the recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_control: Option<RemoteControlSettings>,
    /// For participants at other computers.
    #[serde(default)]
    pub remote: RemoteSettings,
}

fn default_planned_minutes() -> f64 {
    30.0
}

pub(super) fn default_affect_model() -> String {
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

    /// Whether this seat needs a window of the participant: for what the program shows, or for the consent, which a
    /// participant can give on their own screen.
    pub fn needs_window_for(&self, seat: Seat) -> bool {
        let is_asked = self.consent.required || !self.consent.text.trim().is_empty();
        self.needs_window() || is_asked && self.consent_by(seat) == ConsentBy::Participant
    }

    /// Who confirms the consent. The operator who tries a study needs no second screen for it.
    pub fn consent_by(&self, seat: Seat) -> ConsentBy {
        match seat {
            Seat::Participant => self.consent.by,
            Seat::Pilot => ConsentBy::Operator,
        }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_participant_who_agrees_on_the_screen_needs_one_and_a_pilot_does_not() {
        let study = Study::parse(
            "name = \"a\"\ntitle = \"A\"\n[consent]\nrequired = true\nby = \"participant\"\ntext = \"T\"\n",
        )
        .unwrap();
        assert!(!study.needs_window(), "nothing is shown in the recording");
        assert!(study.needs_window_for(Seat::Participant) && !study.needs_window_for(Seat::Pilot));
        assert_eq!(study.consent_by(Seat::Pilot), ConsentBy::Operator);
        let study = Study::parse("name = \"a\"\ntitle = \"A\"\n").unwrap();
        assert!(!study.needs_window_for(Seat::Participant));
    }
}
