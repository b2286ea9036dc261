//! Finds events that both programs recorded: names that occur equally often in both are the same events, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::ForeignEvent;
use session::{HEALTH, IMPORTED, LSL_CLOCK, PAGE_CLOCK, Timeline, Timestamp};

/// The fields with the name of a session's event.
const NAMES: [&str; 3] = ["label", "name", "value"];

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SharedMarkers {
    /// Time on the other clock and on the session's.
    pub pairs: Vec<(f64, Timestamp)>,
    pub names: Vec<String>,
    /// Names that both have, but not equally often. They cannot be matched.
    pub uneven: Vec<Uneven>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uneven {
    pub name: String,
    pub in_file: usize,
    pub in_session: usize,
}

impl fmt::Display for Uneven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Uneven { name, in_file, in_session } = self;
        write!(f, "`{name}` occurs {in_file} time(s) in the file and {in_session} time(s) in the session")
    }
}

/// Matches the names in `wanted`, or all names if it is empty. A wanted name that is missing in one of the two is uneven.
pub fn shared_markers(foreign: &[ForeignEvent], timeline: &Timeline, wanted: &[String]) -> SharedMarkers {
    let mut theirs = BTreeMap::<&str, Vec<f64>>::new();
    for event in foreign {
        theirs.entry(&event.kind).or_default().push(event.at_s);
    }
    let mut ours = BTreeMap::<&str, Vec<Timestamp>>::new();
    // Events that were imported before are not independent.
    let is_own = |stream: &str| ![HEALTH, PAGE_CLOCK, LSL_CLOCK].contains(&stream) && !stream.starts_with(IMPORTED);
    for event in timeline.events().iter().filter(|e| is_own(e.stream.as_str())) {
        let names = NAMES.iter().filter_map(|name| event.what.data.get(*name)?.as_str());
        let names: BTreeSet<&str> = names.chain([event.what.kind.as_str()]).collect();
        names.into_iter().for_each(|name| ours.entry(name).or_default().push(event.at));
    }
    let both = || theirs.keys().copied().filter(|name| ours.contains_key(name));
    let names: BTreeSet<&str> =
        if wanted.is_empty() { both().collect() } else { wanted.iter().map(String::as_str).collect() };
    let mut shared = SharedMarkers::default();
    for name in names {
        let times = theirs.get(name).map_or(&[][..], Vec::as_slice);
        let own = ours.get(name).map_or(&[][..], Vec::as_slice);
        if times.len() == own.len() && !own.is_empty() {
            shared.pairs.extend(times.iter().copied().zip(own.iter().copied()));
            shared.names.push(name.to_owned());
        } else {
            shared.uneven.push(Uneven { name: name.to_owned(), in_file: times.len(), in_session: own.len() });
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{Body, Record, marker_stream};
    use std::sync::Arc;

    #[test]
    fn equal_names_in_equal_number_are_the_same_events() {
        let mut timeline = Timeline::default();
        timeline.declare(marker_stream());
        for (seq, label) in ["start", "flash", "flash", "odd"].into_iter().enumerate() {
            let body = Body::event("marker", serde_json::json!({ "label": label }));
            let at = Timestamp::from_secs_f64(seq as f64);
            timeline.ingest(&Record { stream: Arc::new("marker".parse().unwrap()), seq: seq as u64, at, body });
        }
        let event = |at_s: f64, kind: &str| ForeignEvent {
            at_s,
            duration_s: None,
            kind: kind.into(),
            data: serde_json::Map::new(),
        };
        let foreign =
            [event(10.0, "start"), event(11.0, "flash"), event(12.0, "flash"), event(13.0, "odd"), event(14.0, "odd")];
        let found = shared_markers(&foreign, &timeline, &[]);
        let uneven = |name: &str, in_file, in_session| Uneven { name: name.to_owned(), in_file, in_session };
        assert_eq!(
            (found.names, found.uneven),
            (vec!["flash".to_owned(), "start".to_owned()], vec![uneven("odd", 2, 1)])
        );
        assert_eq!(found.pairs[1], (12.0, Timestamp::from_secs_f64(2.0)));
        assert_eq!(shared_markers(&foreign, &timeline, &["start".to_owned()]).pairs.len(), 1);
        let asked = shared_markers(&foreign, &timeline, &["start".to_owned(), "nowhere".to_owned()]);
        assert_eq!((asked.pairs.len(), asked.uneven), (1, vec![uneven("nowhere", 0, 0)]));
    }
}
