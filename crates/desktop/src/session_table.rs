//! The table of sessions: its rows, their order and the selection.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use session::ParticipantId;

use super::port::{Grade, Library, SessionRow, SessionState};

#[derive(Default)]
pub struct Home {
    /// `None` until the library has been read.
    pub library: Option<Library>,
    pub filter: Filter,
    /// If set, only the sessions of this study are shown.
    pub study: Option<String>,
    pub order: SortOrder,
    /// The folder of the session that was selected last. It has the keyboard.
    pub selected: Option<PathBuf>,
    /// The folders of all selected sessions, with the one above.
    pub selection: BTreeSet<PathBuf>,
    /// Where a range of rows begins.
    pub anchor: Option<PathBuf>,
    /// Indices of `library.sessions`, filtered and sorted.
    pub rows: Vec<usize>,
}

/// Which sessions the table shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Words that participant, study or date contain.
    pub text: String,
    /// Sessions of these states are hidden.
    pub hidden_states: BTreeSet<StateKind>,
    /// Sessions of these grades are hidden. `None`: without a grade.
    pub hidden_grades: BTreeSet<Option<Grade>>,
}

impl Filter {
    fn passes(&self, row: &SessionRow, words: &[String]) -> bool {
        if self.hidden_states.contains(&StateKind::of(row)) || self.hidden_grades.contains(&row.grade) {
            return false;
        }
        // Formatting the local date of each row takes time.
        if words.is_empty() {
            return true;
        }
        let text = format!("{} {} {}", row.title(), row.study, date(row)).to_lowercase();
        words.iter().all(|w| text.contains(w))
    }
}

/// A [`SessionState`] without its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StateKind {
    Complete,
    Recovered,
    Incomplete,
    Recording,
    Damaged,
}

impl StateKind {
    pub const ALL: [StateKind; 5] =
        [StateKind::Complete, StateKind::Recovered, StateKind::Incomplete, StateKind::Recording, StateKind::Damaged];

    pub fn of(row: &SessionRow) -> StateKind {
        match row.state {
            SessionState::Complete => StateKind::Complete,
            SessionState::Recovered(_) => StateKind::Recovered,
            SessionState::Incomplete(_) => StateKind::Incomplete,
            SessionState::Recording => StateKind::Recording,
            SessionState::Damaged(_) => StateKind::Damaged,
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            StateKind::Complete => "complete",
            StateKind::Recovered => "recovered",
            StateKind::Incomplete => "incomplete",
            StateKind::Recording => "recording",
            StateKind::Damaged => "damaged",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Participant,
    Session,
    Study,
    Date,
    Length,
    Quality,
    Size,
    State,
}

impl Column {
    pub const ALL: [Column; 8] = [
        Column::Participant,
        Column::Session,
        Column::Study,
        Column::Date,
        Column::Length,
        Column::Quality,
        Column::Size,
        Column::State,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Column::Participant => "Participant",
            Column::Session => "Session",
            Column::Study => "Study",
            Column::Date => "Date",
            Column::Length => "Length",
            Column::Quality => "Quality",
            Column::Size => "Size",
            Column::State => "State",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortOrder {
    pub by: Column,
    pub is_descending: bool,
}

impl Default for SortOrder {
    /// Newest first.
    fn default() -> Self {
        SortOrder { by: Column::Date, is_descending: true }
    }
}

impl Home {
    pub fn selected_row(&self) -> Option<&SessionRow> {
        let folder = self.selected.as_ref()?;
        self.library.as_ref()?.sessions.iter().find(|s| s.folder == *folder)
    }

    /// The selected sessions, in the order of the table.
    pub fn selected_rows(&self) -> Vec<&SessionRow> {
        self.listed().filter(|row| self.selection.contains(&row.folder)).collect()
    }

    /// Selects one session.
    pub fn select(&mut self, folder: Option<PathBuf>) {
        self.selection = folder.iter().cloned().collect();
        self.anchor.clone_from(&folder);
        self.selected = folder;
    }

    /// Adds a session to the selection, or removes it.
    pub fn toggle(&mut self, folder: PathBuf) {
        if self.selection.remove(&folder) {
            if self.selected.as_ref() == Some(&folder) {
                self.selected = self.selection.iter().next().cloned();
            }
        } else {
            self.selection.insert(folder.clone());
            self.selected = Some(folder.clone());
        }
        self.anchor = Some(folder);
    }

    /// Selects the rows from the anchor to this one.
    pub fn select_until(&mut self, folder: &Path) {
        let place = |wanted: &Path| self.listed().position(|row| row.folder == wanted);
        let Some(to) = place(folder) else { return };
        let from = self.anchor.as_deref().and_then(place).unwrap_or(to);
        let range = from.min(to)..=from.max(to);
        let rows = self.listed().enumerate().filter(|(k, _)| range.contains(k));
        self.selection = rows.map(|(_, row)| row.folder.clone()).collect();
        self.selected = Some(folder.to_owned());
    }

    pub fn select_all(&mut self) {
        let all: Vec<PathBuf> = self.listed().map(|row| row.folder.clone()).collect();
        if self.selected.is_none() {
            self.selected = all.first().cloned();
        }
        self.selection = all.into_iter().collect();
    }

    /// The row `by` rows below the last selected one.
    pub fn row_beside(&self, by: isize) -> Option<PathBuf> {
        let here = self.selected.as_ref().and_then(|f| self.listed().position(|row| row.folder == *f));
        let last = self.rows.len().checked_sub(1)?;
        let to = here.map_or(0, |k| k.saturating_add_signed(by).min(last));
        self.listed().nth(to).map(|row| row.folder.clone())
    }

    /// The chosen study, else the study of the selected session, else the only study.
    pub fn study_to_query(&self) -> Option<String> {
        let of_selected = || self.selected_row().map(|row| row.study.clone());
        let only = || {
            let mut studies = self.library.iter().flat_map(|l| &l.sessions).map(|s| &s.study);
            let first = studies.next()?;
            studies.all(|s| s == first).then(|| first.clone())
        };
        self.study.clone().or_else(of_selected).or_else(only).filter(|name| !name.is_empty())
    }

    /// The rows in the order of the table.
    pub fn listed(&self) -> impl ExactSizeIterator<Item = &SessionRow> {
        let sessions = self.library.as_ref().map_or(&[][..], |l| &l.sessions);
        self.rows.iter().map(|k| &sessions[*k])
    }

    /// Filters and sorts again, and removes hidden sessions from the selection. Called after a change of the library, the
    /// filter or the order.
    pub fn arrange(&mut self) {
        self.arrange_rows();
        let shown: BTreeSet<PathBuf> = self.listed().map(|row| row.folder.clone()).collect();
        self.selection.retain(|folder| shown.contains(folder));
        for place in [&mut self.selected, &mut self.anchor] {
            if place.as_ref().is_some_and(|folder| !shown.contains(folder)) {
                *place = None;
            }
        }
        if self.selected.is_none() {
            self.selected = self.selection.iter().next().cloned();
        }
    }

    fn arrange_rows(&mut self) {
        self.rows.clear();
        let Some(library) = &self.library else { return };
        let words: Vec<String> = self.filter.text.split_whitespace().map(str::to_lowercase).collect();
        let passes =
            |row: &SessionRow| self.study.as_ref().is_none_or(|s| *s == row.study) && self.filter.passes(row, &words);
        self.rows.extend((0..library.sessions.len()).filter(|k| passes(&library.sessions[*k])));
        let sessions = &library.sessions;
        self.rows.sort_by(|a, b| {
            let (a, b) = (&sessions[*a], &sessions[*b]);
            let by_column = match self.order.by {
                Column::Participant => {
                    let key = |r: &SessionRow| {
                        let id = r.participant.as_ref();
                        (id.and_then(ParticipantId::number), id.map(|p| p.to_string()))
                    };
                    key(a).cmp(&key(b))
                }
                Column::Session => a.session.cmp(&b.session),
                Column::Study => a.study.cmp(&b.study),
                Column::Date => a.started.cmp(&b.started),
                Column::Length => a.length.cmp(&b.length),
                Column::Quality => a.grade.cmp(&b.grade),
                Column::Size => a.size_bytes.cmp(&b.size_bytes),
                Column::State => state_label(a).cmp(state_label(b)),
            };
            let by_column = if self.order.is_descending { by_column.reverse() } else { by_column };
            by_column.then_with(|| b.started.cmp(&a.started)).then_with(|| a.folder.cmp(&b.folder))
        });
    }
}

/// The local date and time of a session.
pub fn date(row: &SessionRow) -> String {
    row.started.map_or_else(String::new, |at| at.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M").to_string())
}

pub fn state_label(row: &SessionRow) -> &'static str {
    StateKind::of(row).label()
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::SessionNumber;
    use std::time::Duration;

    fn row(participant: &str, session: u32, minutes: u64) -> SessionRow {
        SessionRow {
            folder: PathBuf::from(format!("{participant}/{session}")),
            participant: participant.parse().ok(),
            session: Some(SessionNumber(session)),
            study: if session == 1 { "demo".into() } else { "shop".into() },
            started: chrono::DateTime::from_timestamp(1_700_000_000 + minutes as i64, 0),
            length: Some(Duration::from_secs(minutes * 60)),
            size_bytes: minutes,
            grade: Some(Grade::B),
            is_pilot: false,
            state: SessionState::Complete,
        }
    }

    #[test]
    fn the_table_sorts_numbers_as_numbers_and_filters_by_every_word() {
        let sessions = vec![row("sub-10", 1, 3), row("sub-9", 1, 5), row("sub-9", 2, 4)];
        let mut home = Home { library: Some(Library { sessions, ..Library::default() }), ..Home::default() };
        home.order = SortOrder { by: Column::Participant, is_descending: false };
        home.arrange();
        assert_eq!(
            home.listed().map(|r| r.title()).collect::<Vec<_>>(),
            ["sub-9 ses-01", "sub-9 ses-02", "sub-10 ses-01"]
        );
        home.order = SortOrder { by: Column::Length, is_descending: true };
        home.filter.text = "SUB-9 demo".into();
        home.arrange();
        assert_eq!(home.listed().map(|r| r.title()).collect::<Vec<_>>(), ["sub-9 ses-01"]);
        home.filter.text.clear();
        home.study = Some("shop".into());
        home.arrange();
        assert_eq!(home.rows.len(), 1);
    }

    fn home(sessions: Vec<SessionRow>) -> Home {
        let mut home = Home { library: Some(Library { sessions, ..Library::default() }), ..Home::default() };
        home.order = SortOrder { by: Column::Participant, is_descending: false };
        home.arrange();
        home
    }

    fn selected(home: &Home) -> Vec<String> {
        home.selected_rows().iter().map(|row| row.title()).collect()
    }

    #[test]
    fn rows_are_selected_one_by_one_as_a_range_and_all_at_once() {
        let mut home = home((1..=5).map(|n| row(&format!("sub-0{n}"), 1, 3)).collect());
        home.select(Some("sub-02/1".into()));
        home.toggle("sub-05/1".into());
        assert_eq!(selected(&home), ["sub-02 ses-01", "sub-05 ses-01"]);
        home.toggle("sub-05/1".into());
        assert_eq!((selected(&home).len(), home.selected.clone().unwrap()), (1, PathBuf::from("sub-02/1")));
        home.select(Some("sub-02/1".into()));
        home.select_until(Path::new("sub-04/1"));
        assert_eq!(selected(&home), ["sub-02 ses-01", "sub-03 ses-01", "sub-04 ses-01"]);
        // The range turns round its beginning.
        home.select_until(Path::new("sub-01/1"));
        assert_eq!(selected(&home), ["sub-01 ses-01", "sub-02 ses-01"]);
        home.select_all();
        assert_eq!(selected(&home).len(), 5);
    }

    #[test]
    fn filters_of_state_and_grade_hide_rows_and_take_them_out_of_the_selection() {
        let mut sessions: Vec<SessionRow> = (1..=3).map(|n| row(&format!("sub-0{n}"), 1, 3)).collect();
        sessions[1].state = SessionState::Damaged("why".into());
        sessions[1].grade = None;
        sessions[2].grade = Some(Grade::F);
        let mut home = home(sessions);
        home.select_all();
        home.filter.hidden_states.insert(StateKind::Damaged);
        home.arrange();
        assert_eq!(selected(&home), ["sub-01 ses-01", "sub-03 ses-01"]);
        home.select(Some("sub-01/1".into()));
        home.filter.hidden_grades.insert(Some(Grade::B));
        home.arrange();
        assert_eq!((home.rows.len(), home.selected.clone(), selected(&home).len()), (1, None, 0));
        home.filter = Filter::default();
        home.arrange();
        assert_eq!((home.rows.len(), home.selected.clone()), (3, None));
        home.filter.hidden_grades.insert(None);
        home.arrange();
        assert_eq!(home.rows.len(), 2);
    }
}
