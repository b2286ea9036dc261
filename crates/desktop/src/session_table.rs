//! The table of sessions: its rows, their order and the selection.

use std::path::PathBuf;

use session::ParticipantId;

use super::port::{Library, SessionRow, SessionState};

#[derive(Default)]
pub struct Home {
    /// `None` until the library has been read.
    pub library: Option<Library>,
    pub filter: String,
    /// If set, only the sessions of this study are shown.
    pub study: Option<String>,
    pub order: SortOrder,
    /// The folder of the selected session.
    pub selected: Option<PathBuf>,
    /// Indices of `library.sessions`, filtered and sorted.
    pub rows: Vec<usize>,
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

    /// Filters and sorts again. Called after a change of the library, the filter or the order.
    pub fn arrange(&mut self) {
        self.rows.clear();
        let Some(library) = &self.library else { return };
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let passes = |row: &SessionRow| {
            let text = format!("{} {} {}", row.title(), row.study, date(row)).to_lowercase();
            self.study.as_ref().is_none_or(|s| *s == row.study) && words.iter().all(|w| text.contains(w))
        };
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
    match row.state {
        SessionState::Complete => "complete",
        SessionState::Recovered(_) => "recovered",
        SessionState::Incomplete(_) => "incomplete",
        SessionState::Recording => "recording",
        SessionState::Damaged(_) => "damaged",
    }
}

#[cfg(test)]
mod tests {
    use super::super::port::Grade;
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
        home.filter = "SUB-9 demo".into();
        home.arrange();
        assert_eq!(home.listed().map(|r| r.title()).collect::<Vec<_>>(), ["sub-9 ses-01"]);
        home.filter.clear();
        home.study = Some("shop".into());
        home.arrange();
        assert_eq!(home.rows.len(), 1);
    }
}
