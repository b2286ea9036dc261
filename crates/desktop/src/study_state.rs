//! The study screen's state: sessions, form, event counts and the newest result.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::port::{
    EpochPlan, EventCatalogue, EventCounts, EventForm, Library, SessionRow, SessionState, SingleEpoch, StudyQuery,
    StudyQueryResult,
};

pub struct StudyState {
    /// The label in `study.toml`.
    pub name: String,
    pub title: String,
    /// The sessions that can be opened, by participant and number.
    pub sessions: Vec<SessionRow>,
    /// The number of sessions that cannot be opened.
    pub closed: usize,
    pub excluded: BTreeSet<PathBuf>,
    /// Whether sessions that the operator recorded to try the study are included.
    pub with_pilots: bool,
    /// `None` until the sessions have been read.
    pub catalogue: Option<EventCatalogue>,
    pub form: StudyForm,
    /// The counts for the forms. `None` while they are being counted.
    pub event_counts: [Option<EventCounts>; 2],
    pub progress: Option<StudyQueryProgress>,
    pub result: Option<StudyQueryResult>,
    /// Lowest and highest value on the scale of each signal of the result.
    pub scales: Vec<(f32, f32)>,
    pub side: StudySide,
    /// The selected epoch: condition, and position in its epochs.
    pub epoch: Option<(usize, usize)>,
    pub is_exporting: bool,
}

/// The operator's settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StudyForm {
    pub events: [EventForm; 2],
    pub is_comparing: bool,
    pub plan: EpochPlan,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StudyQueryProgress {
    /// In sessions.
    pub done: u64,
    pub of: u64,
    pub is_cancelled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StudySide {
    Sessions,
    Epochs,
    Figures,
}

impl StudyState {
    pub fn new(name: String, library: Option<&Library>) -> Self {
        let mut study = StudyState {
            title: name.clone(),
            name,
            sessions: Vec::new(),
            closed: 0,
            excluded: BTreeSet::new(),
            with_pilots: false,
            catalogue: None,
            form: StudyForm::default(),
            event_counts: [None, None],
            progress: None,
            result: None,
            scales: Vec::new(),
            side: StudySide::Sessions,
            epoch: None,
            is_exporting: false,
        };
        if let Some(library) = library {
            study.take_sessions(library);
        }
        study
    }

    /// Takes the study's sessions from the library. Returns whether they have changed.
    pub fn take_sessions(&mut self, library: &Library) -> bool {
        if let Some(row) = library.studies.iter().find(|s| s.name == self.name) {
            self.title = row.title.clone();
        }
        let of_study = library.sessions.iter().filter(|s| s.study == self.name);
        let (open, closed): (Vec<_>, Vec<_>) = of_study.partition(|s| {
            matches!(s.state, SessionState::Complete | SessionState::Recovered(_) | SessionState::Incomplete(_))
        });
        let mut sessions: Vec<SessionRow> = open.into_iter().cloned().collect();
        sessions.sort_by_key(|s| (s.participant.as_ref().and_then(|p| p.number()), s.title(), s.folder.clone()));
        let folders = |rows: &[SessionRow]| rows.iter().map(|s| s.folder.clone()).collect::<Vec<_>>();
        let is_other = folders(&self.sessions) != folders(&sessions);
        self.sessions = sessions;
        self.closed = closed.len();
        is_other
    }

    pub fn take_result(&mut self, result: StudyQueryResult) {
        self.scales = scales(&result);
        self.result = Some(result);
        self.progress = None;
        self.epoch = None;
    }

    /// Includes a session, also one that is not in the library.
    pub fn include(&mut self, session: SessionRow) {
        self.with_pilots |= session.is_pilot;
        self.excluded.remove(&session.folder);
        if !self.sessions.iter().any(|s| s.folder == session.folder) {
            self.sessions.push(session);
        }
    }

    pub fn selected_epoch(&self) -> Option<&SingleEpoch> {
        let (condition, position) = self.epoch?;
        self.result.as_ref()?.conditions.get(condition)?.epochs.get(position)
    }

    /// Folders of the sessions of the query.
    pub fn included(&self) -> Vec<PathBuf> {
        self.sessions.iter().filter(|row| self.is_included(row)).map(|row| row.folder.clone()).collect()
    }

    pub fn is_included(&self, row: &SessionRow) -> bool {
        (self.with_pilots || !row.is_pilot) && !self.excluded.contains(&row.folder)
    }

    pub fn pilots(&self) -> usize {
        self.sessions.iter().filter(|row| row.is_pilot).count()
    }

    /// The query of the form. The error is a message that says what is missing.
    pub fn query(&self) -> Result<StudyQuery, String> {
        let form = &self.form;
        let sessions = self.included();
        if sessions.is_empty() {
            return Err("No session is chosen. Choose at least one on the right.".to_owned());
        }
        let events = form.events[..if form.is_comparing { 2 } else { 1 }].to_vec();
        if events.iter().any(EventForm::is_empty) {
            return Err("Choose the events to average.".to_owned());
        }
        if form.is_comparing && events[0] == events[1] {
            return Err("Both conditions have the same events. Change one of them.".to_owned());
        }
        form.plan.check().map_err(|e| e.to_string())?;
        for (matches, condition) in self.event_counts.iter().flatten().zip(["A", "B"]).take(events.len()) {
            match &matches.found {
                Err(sentence) => return Err(sentence.clone()),
                Ok(_) if matches.total() == 0 => {
                    return Err(format!("No event matches condition {condition}."));
                }
                Ok(_) => {}
            }
        }
        Ok(StudyQuery { sessions, events, plan: form.plan.clone() })
    }

    /// Whether the form differs from the query of the shown result.
    pub fn is_outdated(&self) -> bool {
        self.result.as_ref().is_some_and(|result| self.query().as_ref() != Ok(&result.query))
    }
}

/// Lowest and highest value on the scale of each signal. Means and intervals fit whole. Of the single epochs,
/// the lowest and highest 2 % of the values may be cut off.
fn scales(result: &StudyQueryResult) -> Vec<(f32, f32)> {
    let scale = |field: usize| {
        let mut single: Vec<f32> = result
            .conditions
            .iter()
            .flat_map(|c| c.epochs.iter().filter_map(|e| e.curves.get(field)).flatten().copied())
            .filter(|v| v.is_finite())
            .collect();
        let rank = |values: &mut Vec<f32>, share: f64| {
            let k = ((values.len().saturating_sub(1)) as f64 * share) as usize;
            (!values.is_empty()).then(|| *values.select_nth_unstable_by(k, f32::total_cmp).1)
        };
        let inner = [rank(&mut single, 0.02), rank(&mut single, 0.98)];
        let averages = result.conditions.iter().filter_map(|c| c.averages.get(field));
        let curves = averages
            .flat_map(|a| [Some(&a.mean), a.interval.as_ref().map(|i| &i.low), a.interval.as_ref().map(|i| &i.high)])
            .flatten()
            .flatten()
            .map(|v| *v as f32)
            .filter(|v| v.is_finite());
        let (low, high) =
            curves.chain(inner.into_iter().flatten()).fold((0f32, 0f32), |(low, high), v| (low.min(v), high.max(v)));
        let air = ((high - low) * 0.12).max(0.02);
        (low - air, high + air)
    };
    (0..result.query.plan.signals.len()).map(scale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn studied() -> StudyState {
        let mut study = StudyState::new("demo".into(), None);
        study.sessions = vec![SessionRow {
            folder: "a".into(),
            participant: None,
            session: None,
            study: "demo".into(),
            started: None,
            length: None,
            size_bytes: 0,
            grade: None,
            is_pilot: false,
            state: SessionState::Complete,
        }];
        study
    }

    #[test]
    fn pilots_are_left_out_until_asked_for() {
        let mut s = studied();
        let pilot = SessionRow { folder: "p".into(), is_pilot: true, ..s.sessions[0].clone() };
        s.sessions.push(pilot.clone());
        assert_eq!((s.included(), s.pilots()), (vec![PathBuf::from("a")], 1));
        s.with_pilots = true;
        assert_eq!(s.included().len(), 2);
        // A session that is opened from its own review is asked for.
        s.with_pilots = false;
        s.include(pilot);
        assert_eq!(s.included().len(), 2);
    }

    #[test]
    fn what_is_missing_is_said_in_words() {
        let mut s = studied();
        assert!(s.query().unwrap_err().contains("Choose the events"));
        (s.form.events[0].stream, s.form.events[0].kind) = ("page".into(), "click".into());
        assert!(s.query().is_ok());
        s.form.is_comparing = true;
        assert!(s.query().unwrap_err().contains("Choose the events"));
        s.form.events[1] = s.form.events[0].clone();
        assert!(s.query().unwrap_err().contains("same events"));
        s.form.is_comparing = false;
        s.form.plan.window_s = (2.0, 2.0);
        assert!(s.query().unwrap_err().contains("window"));
        s.form.plan = EpochPlan::default();
        let nothing = EventCounts { events: s.form.events[0].clone(), found: Ok(vec![("a".into(), 0)]) };
        s.event_counts[0] = Some(nothing);
        assert!(s.query().unwrap_err().contains("No event matches"));
        s.excluded.insert("a".into());
        assert!(s.query().unwrap_err().contains("No session"));
    }
}
