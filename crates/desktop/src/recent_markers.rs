//! The markers that the operator can still take back: those of the last seconds, from the window, the pad, the page and
//! the phone.

use session::{Body, MARKER, MARKER_KIND, Record, TAKEN_BACK, Timestamp, UNDO_LIMIT, marker_taken_back};

#[derive(Clone, Debug, PartialEq)]
pub struct RecentMarker {
    pub at: Timestamp,
    pub label: String,
}

impl RecentMarker {
    /// `None`: it is too late to take the marker back.
    pub fn left_s(&self, now: Timestamp) -> Option<f64> {
        let left_s = UNDO_LIMIT.as_secs_f64() - now.since_ns(self.at) as f64 * 1e-9;
        (left_s > 0.0).then_some(left_s)
    }
}

/// By time, oldest first. Two sources may report the same marker: the press, and the stored record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecentMarkers {
    markers: Vec<RecentMarker>,
    taken_back: Vec<Timestamp>,
}

/// More than anyone sets within the limit.
const KEPT: usize = 64;

impl RecentMarkers {
    pub fn set(&mut self, at: Timestamp, label: &str) {
        if self.taken_back.contains(&at) || self.markers.iter().any(|m| m.at == at) {
            return;
        }
        self.markers.push(RecentMarker { at, label: label.to_owned() });
        self.markers.sort_by_key(|m| m.at);
        if self.markers.len() > KEPT {
            self.markers.remove(0);
        }
    }

    pub fn take_back(&mut self, at: Timestamp) {
        self.markers.retain(|m| m.at != at);
        if !self.taken_back.contains(&at) {
            self.taken_back.push(at);
        }
        if self.taken_back.len() > KEPT {
            self.taken_back.remove(0);
        }
    }

    pub fn read(&mut self, records: &[Record]) {
        for record in records.iter().filter(|r| r.stream.as_str() == MARKER) {
            let Body::Event { kind, data } = &record.body else { continue };
            match kind.as_str() {
                MARKER_KIND => self.set(record.at, data.get("label").and_then(|l| l.as_str()).unwrap_or_default()),
                TAKEN_BACK => marker_taken_back(data).into_iter().for_each(|at| self.take_back(at)),
                _ => {}
            }
        }
    }

    /// The newest marker that can still be taken back.
    pub fn newest(&self, now: Timestamp) -> Option<&RecentMarker> {
        self.markers.last().filter(|m| m.left_s(now).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::Arc;

    fn at(s: f64) -> Timestamp {
        Timestamp::from_secs_f64(s)
    }

    #[test]
    fn the_newest_marker_can_be_taken_back_for_five_seconds() {
        let mut recent = RecentMarkers::default();
        recent.set(at(10.0), "a");
        recent.set(at(12.0), "b");
        let newest = |r: &RecentMarkers, s: f64| r.newest(at(s)).map(|m| m.label.clone());
        assert_eq!(newest(&recent, 12.1).as_deref(), Some("b"));
        recent.take_back(at(12.0));
        assert_eq!(newest(&recent, 12.2).as_deref(), Some("a"));
        assert_eq!(newest(&recent, 15.1), None);
    }

    #[test]
    fn a_stored_record_does_not_bring_back_what_was_taken_back_before() {
        let record = |seq, s, body| Record { stream: Arc::new("marker".parse().unwrap()), seq, at: at(s), body };
        let mut recent = RecentMarkers::default();
        recent.set(at(1.0), "a");
        recent.take_back(at(1.0));
        recent.read(&[
            record(0, 1.0, Body::event("marker", json!({"label": "a"}))),
            record(1, 1.5, Body::event("marker", json!({"label": "of the phone"}))),
            record(2, 1.6, Body::event("note", json!({"label": "note"}))),
        ]);
        assert_eq!(recent.newest(at(2.0)).map(|m| m.label.as_str()), Some("of the phone"));
        recent.read(&[record(3, 1.9, session::taken_back(at(1.5)))]);
        assert_eq!(recent.newest(at(2.0)), None);
    }
}
