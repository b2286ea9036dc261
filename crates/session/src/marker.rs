//! Markers of the operator: the digit that sets a marker together with Ctrl, and how a marker is taken back.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Body, Marker, Timestamp};

/// The kind of a marker in the stream [`MARKER`](super::MARKER).
pub const MARKER_KIND: &str = "marker";
/// The kind of the event that takes a marker back. The field with the same name is the marker's time in nanoseconds.
pub const TAKEN_BACK: &str = "taken_back";
/// A marker can be taken back for this long.
pub const UNDO_LIMIT: Duration = Duration::from_secs(5);

/// Whether the marker at `at` can still be taken back, within `limit`. A time in the future is no marker's time.
pub fn can_be_taken_back(at: Timestamp, now: Timestamp, limit: Duration) -> bool {
    u128::try_from(now.since_ns(at)).is_ok_and(|age_ns| age_ns <= limit.as_nanos())
}

/// The event that takes the marker at `at` back.
pub fn taken_back(at: Timestamp) -> Body {
    Body::event(TAKEN_BACK, json!({ TAKEN_BACK: at.as_ns() }))
}

/// The time of the marker that an event takes back. `None`: the event does not name one.
pub fn marker_taken_back(data: &Map<String, Value>) -> Option<Timestamp> {
    data.get(TAKEN_BACK)?.as_i64().map(Timestamp::from_ns)
}

/// The marker that Ctrl sets with a digit: the one whose key is that digit. The digits that are no marker's key set the
/// markers with a letter, in their order.
pub fn marker_of_digit(markers: &[Marker], digit: u8) -> Option<&Marker> {
    markers.iter().find(|m| digit_of_marker(markers, m) == Some(digit))
}

/// The digit of 1 to 9 that sets this marker together with Ctrl. `None`: all digits are taken.
pub fn digit_of_marker(markers: &[Marker], marker: &Marker) -> Option<u8> {
    let own = |m: &Marker| m.key.to_digit(10).and_then(|d| u8::try_from(d).ok()).filter(|d| (1..=9).contains(d));
    if let Some(digit) = own(marker) {
        return Some(digit);
    }
    let place = markers.iter().filter(|m| own(m).is_none()).position(|m| m.key == marker.key)?;
    (1..=9).filter(|digit| !markers.iter().any(|m| own(m) == Some(*digit))).nth(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markers(keys: &str) -> Vec<Marker> {
        keys.chars().map(|key| Marker { key, label: format!("label {key}") }).collect()
    }

    #[test]
    fn each_of_nine_markers_has_a_digit_of_its_own() {
        let of = |keys: &str| -> Vec<Option<u8>> {
            let markers = markers(keys);
            markers.iter().map(|m| digit_of_marker(&markers, m)).collect()
        };
        assert_eq!(of("12e"), [Some(1), Some(2), Some(3)]);
        assert_eq!(of("e21"), [Some(3), Some(2), Some(1)]);
        assert_eq!(of("ab1"), [Some(2), Some(3), Some(1)]);
        assert_eq!(of("0"), [Some(1)], "Ctrl 0 is the text size");
        assert_eq!(of("abcdefghij")[8..], [Some(9), None]);
        let both = markers("ab1");
        assert_eq!(marker_of_digit(&both, 2).map(|m| m.key), Some('a'));
        assert_eq!(marker_of_digit(&both, 4), None);
    }

    #[test]
    fn a_marker_is_taken_back_only_within_the_limit_and_never_before_it_was_set() {
        let at = Timestamp::from_secs_f64(10.0);
        let can = |now_s: f64| can_be_taken_back(at, Timestamp::from_secs_f64(now_s), UNDO_LIMIT);
        assert!(can(10.0) && can(15.0));
        assert!(!can(15.1) && !can(9.9), "too late, and in the future");
    }

    #[test]
    fn an_event_names_the_marker_that_it_takes_back() {
        let at = Timestamp::from_ns(1_234_567_890_123);
        let Body::Event { kind, data } = taken_back(at) else { panic!("no event") };
        assert_eq!((kind.as_str(), marker_taken_back(&data)), (TAKEN_BACK, Some(at)));
        assert_eq!(marker_taken_back(&Map::new()), None);
    }
}
