//! What can be asked of a study's sessions, and what the answer looks like.

use std::path::PathBuf;
use std::sync::Arc;

use analysis::EventChoice;
pub use analysis::{Average, Cluster, Comparison, Correction, DropReason, EpochPlan};
use session::{EventData, EventRow, Timeline, Timestamp};

/// Events as a person describes them. All that is written must hold; an empty field lets everything pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventForm {
    pub stream: String,
    pub kind: String,
    /// The element it happened to.
    pub target: String,
    /// What it says: a value, a label, a name, a key.
    pub value: String,
    /// A regular expression over all that it says.
    pub pattern: String,
}

impl EventForm {
    /// All like this one.
    pub fn like(event: &EventRow<EventData>) -> EventForm {
        let choice = EventChoice::like(event);
        EventForm {
            stream: choice.stream.to_string(),
            kind: choice.kind.unwrap_or_default(),
            target: choice.target.unwrap_or_default(),
            value: choice.value.unwrap_or_default(),
            pattern: choice.matches.unwrap_or_default(),
        }
    }

    /// What the analysis takes; a sentence where the form means nothing.
    pub fn choice(&self) -> Result<EventChoice, String> {
        let given = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let choice = EventChoice {
            stream: self.stream.trim().parse()?,
            kind: given(&self.kind),
            target: given(&self.target),
            value: given(&self.value),
            matches: given(&self.pattern),
        };
        // Nothing to choose from, but the pattern is read.
        choice.count(&Timeline::default()).map_err(|e| e.to_string())?;
        Ok(choice)
    }

    /// Nothing is chosen before the stream is.
    pub fn is_empty(&self) -> bool {
        self.stream.trim().is_empty()
    }

    /// `click button#buy`: what a legend says.
    pub fn title(&self) -> String {
        let subject = [&self.target, &self.value, &self.pattern].into_iter().find(|text| !text.is_empty());
        let kind = if self.kind.is_empty() { &self.stream } else { &self.kind };
        match (kind.is_empty(), subject) {
            (true, None) => "all events".to_owned(),
            (false, None) => kind.clone(),
            (true, Some(subject)) => subject.clone(),
            (false, Some(subject)) => format!("{kind} {subject}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct StudyQuery {
    /// Folders, in the order of the table.
    pub sessions: Vec<PathBuf>,
    /// One condition, or two to compare.
    pub events: Vec<EventForm>,
    pub plan: EpochPlan,
}

/// What happened in a study, as far as one can choose it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventCatalogue {
    /// Most frequent first.
    pub kinds: Vec<EventKind>,
    /// Sessions that could not be read: title and sentence.
    pub unread: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EventKind {
    pub stream: String,
    pub kind: String,
    pub count: u64,
    /// Most frequent first, the many rare ones left out.
    pub targets: Vec<(String, u64)>,
    /// Of events that name no target: labels, names, keys.
    pub values: Vec<(String, u64)>,
}

/// How many events a form means.
#[derive(Clone, Debug, PartialEq)]
pub struct EventCounts {
    pub events: EventForm,
    /// By session folder; a sentence where the form cannot be understood.
    pub found: Result<Vec<(PathBuf, u64)>, String>,
}

impl EventCounts {
    pub fn total(&self) -> u64 {
        self.found.iter().flatten().map(|(_, n)| n).sum()
    }
}

/// One answer to one [`StudyQuery`].
#[derive(Clone, Debug, PartialEq)]
pub struct StudyQueryResult {
    pub question: StudyQuery,
    /// Relative to the event, the same grid for all curves.
    pub times_s: Vec<f64>,
    /// As many as the question has.
    pub conditions: Vec<ConditionResult>,
    /// Of valence, then of arousal; empty for one condition, or where nothing can be compared.
    pub comparisons: Vec<Comparison>,
    /// What could not be computed, and why.
    pub notes: Vec<String>,
    /// Sessions that could not be read: title and sentence.
    pub unread: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ConditionResult {
    /// Of valence, then of arousal.
    pub averages: Vec<Average>,
    pub epochs: Arc<[SingleEpoch]>,
}

impl ConditionResult {
    pub fn participants(&self) -> u64 {
        self.averages.first().map_or(0, |a| a.participants)
    }

    /// Reason and how many, most frequent first.
    pub fn left_out(&self) -> Vec<(DropReason, u64)> {
        let dropped = self.averages.first().map(|a| &a.dropped);
        let mut dropped: Vec<_> = dropped.into_iter().flatten().map(|(why, n)| (*why, *n)).collect();
        dropped.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        dropped
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct SingleEpoch {
    pub session: PathBuf,
    /// `sub-03 ses-01`
    pub title: String,
    pub at: Timestamp,
    /// Valence and arousal on the answer's grid; not a number where nothing was read.
    pub curves: [Vec<f32>; 2],
}

#[derive(Clone, Debug, PartialEq)]
pub struct StudyExport {
    pub format: StudyExportFormat,
    pub to: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StudyExportFormat {
    FigureSvg,
    /// At print resolution.
    FigurePng,
    /// A new folder: averages, participants, epochs and clusters, one CSV file each.
    Tables,
}

impl StudyExportFormat {
    pub const ALL: [StudyExportFormat; 3] =
        [StudyExportFormat::FigureSvg, StudyExportFormat::FigurePng, StudyExportFormat::Tables];

    pub fn label(self) -> &'static str {
        match self {
            StudyExportFormat::FigureSvg => "Figure as SVG …",
            StudyExportFormat::FigurePng => "Figure as PNG …",
            StudyExportFormat::Tables => "Tables as CSV …",
        }
    }

    pub fn description(self) -> &'static str {
        match self {
            StudyExportFormat::FigureSvg => "Figure as shown, SVG",
            StudyExportFormat::FigurePng => "Figure as shown, PNG for print",
            StudyExportFormat::Tables => "Tables as CSV: averages, participants, epochs, clusters",
        }
    }

    /// What is proposed.
    pub fn file_name(self) -> &'static str {
        match self {
            StudyExportFormat::FigureSvg => "averages.svg",
            StudyExportFormat::FigurePng => "averages.png",
            StudyExportFormat::Tables => "averages",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_named_by_what_it_asks_for_and_a_wrong_pattern_is_told() {
        let form = EventForm { stream: "page".into(), kind: "click".into(), ..EventForm::default() };
        assert_eq!(form.title(), "click");
        assert_eq!(EventForm { target: "#buy".into(), ..form.clone() }.title(), "click #buy");
        assert_eq!(EventForm { kind: String::new(), pattern: "bu.".into(), ..form.clone() }.title(), "page bu.");
        assert_eq!(form.choice().unwrap().kind.as_deref(), Some("click"));
        assert!(EventForm { pattern: "(".into(), ..form }.choice().is_err());
        assert!(EventForm::default().choice().is_err());
    }
}
