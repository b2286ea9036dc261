//! What both programs recorded: names that stand in both equally often are taken for the same events, in their order.

use std::collections::{BTreeMap, BTreeSet};

use super::ForeignEvent;
use crate::session::{HEALTH, PAGE_CLOCK, Timeline, Timestamp};

/// Where a session's event says its name.
const NAMES: [&str; 3] = ["label", "name", "value"];

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SharedMarkers {
    /// Time on the other clock and on the session's.
    pub pairs: Vec<(f64, Timestamp)>,
    pub names: Vec<String>,
    /// Names that both have, but not equally often: nobody can say which belongs to which.
    pub uneven: Vec<String>,
}

/// `wanted` alone, or every name where it is empty.
pub fn shared_markers(foreign: &[ForeignEvent], timeline: &Timeline, wanted: &[String]) -> SharedMarkers {
    let mut theirs = BTreeMap::<&str, Vec<f64>>::new();
    for event in foreign {
        theirs.entry(&event.kind).or_default().push(event.at_s);
    }
    let mut ours = BTreeMap::<&str, Vec<Timestamp>>::new();
    for event in timeline.events().iter().filter(|e| ![HEALTH, PAGE_CLOCK].contains(&e.stream.as_str())) {
        let names = NAMES.iter().filter_map(|name| event.what.data.get(*name)?.as_str());
        let names: BTreeSet<&str> = names.chain([event.what.kind.as_str()]).collect();
        names.into_iter().for_each(|name| ours.entry(name).or_default().push(event.at));
    }
    let mut shared = SharedMarkers::default();
    for (name, times) in theirs {
        let Some(own) = ours.get(name) else { continue };
        if !wanted.is_empty() && !wanted.iter().any(|w| w == name) {
            continue;
        }
        if times.len() == own.len() {
            shared.pairs.extend(times.iter().copied().zip(own.iter().copied()));
            shared.names.push(name.to_owned());
        } else {
            shared.uneven.push(name.to_owned());
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Body, Record, marker_stream};
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
        assert_eq!((found.names, found.uneven), (vec!["flash".to_owned(), "start".to_owned()], vec!["odd".to_owned()]));
        assert_eq!(found.pairs[1], (12.0, Timestamp::from_secs_f64(2.0)));
        assert_eq!(shared_markers(&foreign, &timeline, &["start".to_owned()]).pairs.len(), 1);
    }
}
