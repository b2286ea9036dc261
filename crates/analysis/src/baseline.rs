//! A participant's baseline mean and standard deviation, from the guided neutral phase of the session.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Signal, signal};
use session::{PHASE, Timeline, Timestamp};

/// The kind of phase from which the zero is computed.
const BASELINE: &str = "baseline";

/// Mean and standard deviation over the samples of the phase.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Zero {
    pub zero: f64,
    /// With n − 1; `None` for fewer than two samples, or if they do not vary.
    pub spread: Option<f64>,
    pub samples: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    pub valence: Zero,
    pub arousal: Zero,
    /// Of the phases together.
    pub seconds: f64,
}

/// Start and end of the session's guided baseline phases. A phase without an end is left out, because its duration is
/// unknown.
pub fn baseline_phases(timeline: &Timeline) -> Vec<Range<Timestamp>> {
    let mut open: BTreeMap<String, Timestamp> = BTreeMap::new();
    let mut phases = Vec::new();
    for event in timeline.events().iter().filter(|e| e.stream.as_str() == PHASE) {
        let text = |name: &str| event.what.data.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("kind") != BASELINE {
            continue;
        }
        match event.what.kind.as_str() {
            "start" => drop(open.insert(text("name").to_owned(), event.at)),
            "end" => phases.extend(open.remove(text("name")).map(|from| from..event.at)),
            _ => {}
        }
    }
    phases
}

/// Mean and standard deviation of a signal over `phases`. `None` if they contain no sample.
pub(super) fn zero_of(signal: &Signal, phases: &[Range<Timestamp>]) -> Option<Zero> {
    let inside = |at: i64| phases.iter().any(|p| p.contains(&Timestamp::from_ns(at)));
    let values: Vec<f64> =
        signal.at_ns.iter().zip(&signal.values).filter(|(at, _)| inside(**at)).map(|(_, v)| f64::from(*v)).collect();
    let (zero, spread) = super::numbers::mean_sd(&values)?;
    Some(Zero { zero, spread: spread.filter(|s| *s > 0.0), samples: values.len() as u64 })
}

/// Valence and arousal of the stream `source` over `phases`. `None` if they contain no sample.
pub fn baseline_of(timeline: &Timeline, source: &str, phases: &[Range<Timestamp>]) -> Option<Baseline> {
    let zero = |field: &str| zero_of(&signal(timeline, source, field)?, phases);
    Some(Baseline {
        valence: zero("valence")?,
        arousal: zero("arousal")?,
        seconds: phases.iter().map(|p| p.end.since_ns(p.start) as f64 * 1e-9).sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use session::{Body, Record, affect_stream, phase_stream};
    use std::sync::Arc;

    #[test]
    fn the_zero_is_taken_from_the_phase_and_nothing_else() {
        let mut t = Timeline::default();
        t.declare(affect_stream(1.0, "m"));
        t.declare(phase_stream());
        let mut put = |stream: &str, seq: u64, s: f64, body: Body| {
            let stream = Arc::new(stream.parse().unwrap());
            t.ingest(&Record { stream, seq, at: Timestamp::from_secs_f64(s), body });
        };
        for k in 0..20u64 {
            let mut values = [0f32; 12];
            values[0] = if (5..10).contains(&k) { [0.1, 0.2, 0.3, f32::NAN, 0.4][k as usize - 5] } else { 9.0 };
            put("affect", k, k as f64, Body::Sample { frame: Some(k), values: values[..].into() });
        }
        let phases = [
            (1.0, "start", "practice", "task"),
            (5.0, "start", "cross", "baseline"),
            (10.0, "end", "cross", "baseline"),
            (12.0, "start", "again", "baseline"),
        ];
        for (seq, (s, what, name, kind)) in phases.into_iter().enumerate() {
            put(PHASE, seq as u64, s, Body::event(what, json!({"name": name, "kind": kind})));
        }
        let phases = baseline_phases(&t);
        assert_eq!(phases, [Timestamp::from_secs_f64(5.0)..Timestamp::from_secs_f64(10.0)]);
        let baseline = baseline_of(&t, "affect", &phases).unwrap();
        assert!((baseline.valence.zero - 0.25).abs() < 1e-7 && baseline.valence.samples == 4);
        assert!((baseline.valence.spread.unwrap() - (0.05f64 / 3.0).sqrt()).abs() < 1e-7);
        assert_eq!((baseline.arousal.zero, baseline.arousal.spread), (0.0, None), "it does not vary");
        assert_eq!(baseline.seconds, 5.0);
        assert_eq!(baseline_of(&t, "affect", &[]), None);
    }
}
