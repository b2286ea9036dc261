//! Queries over the sessions of a study, and their results.

use std::path::PathBuf;
use std::sync::Arc;

use analysis::EventChoice;
pub use analysis::{Average, Cluster, Comparison, Correction, DropReason, EpochPlan, SignalId};
use session::{EventData, EventRow, Timeline, Timestamp};

/// A selection of events, as typed by a person. An event must match all fields. An empty field matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventForm {
    pub stream: String,
    pub kind: String,
    /// The page element of the event.
    pub target: String,
    /// The event's value, label, name or key.
    pub value: String,
    /// A regular expression for the text of the event.
    pub pattern: String,
    /// Only in sessions of this condition.
    pub condition: String,
}

impl EventForm {
    /// Selects the events that are like this one.
    pub fn like(event: &EventRow<EventData>) -> EventForm {
        let choice = EventChoice::like(event);
        EventForm {
            stream: choice.stream.to_string(),
            kind: choice.kind.unwrap_or_default(),
            target: choice.target.unwrap_or_default(),
            value: choice.value.unwrap_or_default(),
            pattern: choice.matches.unwrap_or_default(),
            condition: choice.condition.unwrap_or_default(),
        }
    }

    /// The selection as the analysis takes it. The error is a message for the operator.
    pub fn choice(&self) -> Result<EventChoice, String> {
        let given = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let choice = EventChoice {
            stream: self.stream.trim().parse()?,
            kind: given(&self.kind),
            target: given(&self.target),
            value: given(&self.value),
            matches: given(&self.pattern),
            condition: given(&self.condition),
        };
        // An empty timeline is enough to check the pattern.
        choice.count(&Timeline::default()).map_err(|e| e.to_string())?;
        Ok(choice)
    }

    /// Whether no stream is chosen.
    pub fn is_empty(&self) -> bool {
        self.stream.trim().is_empty()
    }

    /// The name of the selection in a legend: `click button#buy`.
    pub fn title(&self) -> String {
        let subject = [&self.target, &self.value, &self.pattern].into_iter().find(|text| !text.is_empty());
        let kind = if self.kind.is_empty() { &self.stream } else { &self.kind };
        let title = match (kind.is_empty(), subject) {
            (true, None) => "all events".to_owned(),
            (false, None) => kind.clone(),
            (true, Some(subject)) => subject.clone(),
            (false, Some(subject)) => format!("{kind} {subject}"),
        };
        if self.condition.is_empty() { title } else { format!("{title} ({})", self.condition) }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct StudyQuery {
    /// Folders of the sessions, in the order of the table.
    pub sessions: Vec<PathBuf>,
    /// One condition, or two to compare.
    pub events: Vec<EventForm>,
    pub plan: EpochPlan,
}

/// The kinds of events in the sessions of a study.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventCatalogue {
    /// Most frequent first.
    pub kinds: Vec<EventKind>,
    /// The conditions of the sessions, with numbers of sessions.
    pub conditions: Vec<(String, u64)>,
    /// What can be averaged.
    pub signals: Vec<SignalId>,
    /// Sessions that could not be read: title and reason.
    pub unread: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EventKind {
    pub stream: String,
    pub kind: String,
    pub count: u64,
    /// The most frequent targets, most frequent first.
    pub targets: Vec<(String, u64)>,
    /// Labels, names and keys of the events without a target.
    pub values: Vec<(String, u64)>,
}

/// The number of events that match a form.
#[derive(Clone, Debug, PartialEq)]
pub struct EventCounts {
    pub events: EventForm,
    /// By session folder. The error is the reason why the form is invalid.
    pub found: Result<Vec<(PathBuf, u64)>, String>,
}

impl EventCounts {
    pub fn total(&self) -> u64 {
        self.found.iter().flatten().map(|(_, n)| n).sum()
    }
}

/// The result of one [`StudyQuery`].
#[derive(Clone, Debug, PartialEq)]
pub struct StudyQueryResult {
    pub query: StudyQuery,
    /// Times relative to the event. All curves use this grid.
    pub times_s: Vec<f64>,
    /// As many as the query has.
    pub conditions: Vec<ConditionResult>,
    /// In the order of the plan's signals. Empty for one condition, and if the conditions cannot be compared.
    pub comparisons: Vec<Comparison>,
    /// Results that could not be computed, with the reason.
    pub notes: Vec<String>,
    /// Sessions that could not be read: title and reason.
    pub unread: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ConditionResult {
    /// In the order of the plan's signals.
    pub averages: Vec<Average>,
    pub epochs: Arc<[SingleEpoch]>,
}

impl ConditionResult {
    pub fn participants(&self) -> u64 {
        self.averages.first().map_or(0, |a| a.participants)
    }

    /// Reasons and numbers of dropped events, most frequent first.
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
    /// The plan's signals on the grid of the result. NaN where there is no reading.
    pub curves: Vec<Vec<f32>>,
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

    /// The proposed name of the file or folder.
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
