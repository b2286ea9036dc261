//! The annotations of the session in review, with undo and redo.

use chrono::{DateTime, Utc};

use analysis::cohen_kappa;
use session::{Annotation, Body, Timeline, Timestamp, annotations, coding};

/// A step that can be undone. Undo and redo append records. No record is deleted.
#[derive(Clone, Debug, PartialEq)]
enum Edit {
    Added(Annotation),
    Removed(Annotation),
}

#[derive(Default)]
pub struct Annotations {
    /// The stored annotations that were not removed, by time.
    current: Vec<Annotation>,
    next_id: u64,
    /// The labels to choose from: those of the study, then others in use.
    pub labels: Vec<String>,
    /// The label that is being typed.
    pub new_label: String,
    /// Label and start of a range that has no end yet.
    pub open_range: Option<(String, Timestamp)>,
    /// Number of the selected annotation.
    pub selected: Option<u64>,
    /// Agreement of each two authors.
    pub kappas: Vec<Kappa>,
    done: Vec<Edit>,
    undone: Vec<Edit>,
}

/// Cohen's kappa of two authors' codings in time steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Kappa {
    pub authors: [String; 2],
    /// `None` if kappa is not defined because chance explains the whole agreement. The error is the reason why the
    /// codings cannot be compared.
    pub kappa: Result<Option<f64>, String>,
}

/// The time step of the comparison.
const STEP_S: f64 = 0.1;

/// Bodies of records to store.
pub type NewBodies = Vec<(Timestamp, Body)>;

impl Annotations {
    pub fn new(study_labels: Vec<String>, timeline: &Timeline) -> Self {
        let mut annotated = Annotations { labels: study_labels, ..Annotations::default() };
        annotated.read(timeline);
        annotated
    }

    /// Reads the annotations again after new records.
    pub fn read(&mut self, timeline: &Timeline) {
        let (standing, next_id) = annotations(timeline);
        self.next_id = self.next_id.max(next_id);
        for annotation in &standing {
            if !self.labels.contains(&annotation.label) {
                self.labels.push(annotation.label.clone());
            }
        }
        self.current = standing;
        self.kappas = timeline.span().map_or_else(Vec::new, |span| self.compare(span));
        if self.selected.is_some_and(|id| !self.current.iter().any(|a| a.id == id)) {
            self.selected = None;
        }
    }

    pub fn current(&self) -> &[Annotation] {
        &self.current
    }

    /// All authors, sorted alphabetically.
    pub fn authors(&self) -> Vec<&str> {
        let mut authors: Vec<&str> = self.current.iter().map(|a| a.author.as_str()).collect();
        authors.sort_unstable();
        authors.dedup();
        authors
    }

    fn compare(&self, span: (Timestamp, Timestamp)) -> Vec<Kappa> {
        let authors = self.authors();
        let codings: Vec<_> = authors.iter().map(|who| coding(&self.current, who, span, STEP_S)).collect();
        let pairs = (0..authors.len()).flat_map(|a| (a + 1..authors.len()).map(move |b| (a, b)));
        pairs
            .map(|(a, b)| Kappa {
                authors: [a, b].map(|k| authors[k].to_owned()),
                kappa: cohen_kappa(&codings[a], &codings[b]).map_err(|e| e.to_string()),
            })
            .collect()
    }

    /// Adds the typed label to the labels.
    pub fn add_label(&mut self) {
        let label = self.new_label.trim().to_owned();
        if !label.is_empty() && !self.labels.contains(&label) {
            self.labels.push(label);
        }
        self.new_label.clear();
    }

    pub fn point(&mut self, label: &str, at: Timestamp, author: &str, now: DateTime<Utc>) -> NewBodies {
        self.make(label, at, None, author, now)
    }

    /// The first call begins a range, the second call ends it. A call with another label begins a new range.
    pub fn range(&mut self, label: &str, at: Timestamp, author: &str, now: DateTime<Utc>) -> NewBodies {
        match self.open_range.take() {
            Some((open, from)) if open == label && from != at => {
                self.make(label, from.min(at), Some(from.max(at)), author, now)
            }
            Some((open, _)) if open == label => Vec::new(),
            _ => {
                self.open_range = Some((label.to_owned(), at));
                Vec::new()
            }
        }
    }

    pub fn remove_selected(&mut self, author: &str, now: DateTime<Utc>) -> NewBodies {
        let Some(gone) = self.current.iter().find(|a| Some(a.id) == self.selected).cloned() else { return Vec::new() };
        let stored = vec![(gone.from, gone.removal(author, now))];
        self.done.push(Edit::Removed(gone));
        self.undone.clear();
        self.selected = None;
        stored
    }

    pub fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    pub fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }

    pub fn undo(&mut self, author: &str, now: DateTime<Utc>) -> NewBodies {
        let Some(edit) = self.done.pop() else { return Vec::new() };
        let (stored, edit) = match edit {
            Edit::Added(annotation) => (Self::removal(&annotation, author, now), Edit::Added(annotation)),
            Edit::Removed(annotation) => {
                let again = self.again(annotation);
                (vec![(again.from, again.body())], Edit::Removed(again))
            }
        };
        self.undone.push(edit);
        stored
    }

    pub fn redo(&mut self, author: &str, now: DateTime<Utc>) -> NewBodies {
        let Some(edit) = self.undone.pop() else { return Vec::new() };
        let (stored, edit) = match edit {
            Edit::Added(annotation) => {
                let again = self.again(annotation);
                (vec![(again.from, again.body())], Edit::Added(again))
            }
            Edit::Removed(annotation) => (Self::removal(&annotation, author, now), Edit::Removed(annotation)),
        };
        self.done.push(edit);
        stored
    }

    fn removal(annotation: &Annotation, author: &str, now: DateTime<Utc>) -> NewBodies {
        vec![(annotation.from, annotation.removal(author, now))]
    }

    /// Copies an annotation under a new number, and changes the number in the other steps.
    fn again(&mut self, annotation: Annotation) -> Annotation {
        let (old, new) = (annotation.id, self.next_id);
        self.next_id += 1;
        for edit in self.done.iter_mut().chain(&mut self.undone) {
            let (Edit::Added(other) | Edit::Removed(other)) = edit;
            if other.id == old {
                other.id = new;
            }
        }
        self.selected = Some(new);
        Annotation { id: new, ..annotation }
    }

    fn make(
        &mut self,
        label: &str,
        from: Timestamp,
        until: Option<Timestamp>,
        author: &str,
        now: DateTime<Utc>,
    ) -> NewBodies {
        let annotation = Annotation {
            id: self.next_id,
            label: label.to_owned(),
            from,
            until,
            author: author.to_owned(),
            made_utc: now,
        };
        self.next_id += 1;
        self.selected = Some(annotation.id);
        let stored = vec![(from, annotation.body())];
        self.done.push(Edit::Added(annotation));
        self.undone.clear();
        stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{ANNOTATION, Record, annotation_stream};
    use std::sync::Arc;

    struct Fixture {
        timeline: Timeline,
        annotations: Annotations,
        seq: u64,
    }

    impl Fixture {
        fn new() -> Fixture {
            let mut timeline = Timeline::default();
            timeline.declare(annotation_stream());
            Fixture { annotations: Annotations::new(vec!["smile".into()], &timeline), timeline, seq: 0 }
        }

        fn store(&mut self, stored: NewBodies) {
            for (at, body) in stored {
                let stream = Arc::new(ANNOTATION.parse().unwrap());
                self.timeline.ingest(&Record { stream, seq: self.seq, at, body });
                self.seq += 1;
            }
            self.annotations.read(&self.timeline);
        }

        fn labels(&self) -> Vec<&str> {
            self.annotations.current().iter().map(|a| a.label.as_str()).collect()
        }
    }

    #[test]
    fn every_step_goes_back_and_forth_and_nothing_is_deleted() {
        let (mut d, now) = (Fixture::new(), Utc::now());
        let at = |s: f64| Timestamp::from_secs_f64(s);
        let stored = d.annotations.point("smile", at(1.0), "ann", now);
        d.store(stored);
        assert_eq!(d.annotations.range("frown", at(3.0), "ann", now), []);
        let stored = d.annotations.range("frown", at(2.0), "ann", now);
        d.store(stored);
        assert_eq!(d.labels(), ["smile", "frown"]);
        assert_eq!(d.annotations.current()[1].until, Some(at(3.0)));
        let stored = d.annotations.undo("ann", now);
        d.store(stored);
        assert_eq!(d.labels(), ["smile"]);
        d.annotations.selected = Some(0);
        let stored = d.annotations.remove_selected("bob", now);
        d.store(stored);
        assert!(d.labels().is_empty() && !d.annotations.can_redo());
        for _ in 0..2 {
            let stored = d.annotations.undo("bob", now);
            d.store(stored);
        }
        assert!(d.labels().is_empty(), "both presses are undone");
        for expected in [vec!["smile"], vec![]] {
            let stored = d.annotations.redo("bob", now);
            d.store(stored);
            assert_eq!(d.labels(), expected);
        }
        assert_eq!(d.timeline.events().len(), 8);
        assert_eq!(d.annotations.labels, ["smile", "frown"]);
    }

    #[test]
    fn a_range_may_be_abandoned_for_another_and_needs_a_length() {
        let (mut d, now) = (Fixture::new(), Utc::now());
        let at = Timestamp::from_secs_f64;
        assert_eq!(d.annotations.range("a", at(1.0), "ann", now), []);
        assert_eq!(d.annotations.range("b", at(2.0), "ann", now), []);
        assert_eq!(d.annotations.open_range, Some(("b".into(), at(2.0))));
        assert_eq!(d.annotations.range("b", at(2.0), "ann", now), [], "no length");
        assert_eq!(d.annotations.open_range, None);
    }
}
