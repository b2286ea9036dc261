use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{Body, Record};

const S: i64 = 1_000_000_000;

fn offset(remote_ns: i64, offset_ns: i64, uncertainty_ns: i64) -> LslOffset {
    LslOffset { remote_ns, offset_ns, uncertainty_ns }
}

proptest! {
    /// A clock with any shift and any drift of a quartz, measured every 5 s with errors within the stated uncertainty.
    #[test]
    fn session_times_are_true_within_the_uncertainty_of_the_measurements(
        shift_ns in -10i64.pow(18)..10i64.pow(18),
        drift_ppm in -200f64..200.0,
        errors in prop::collection::vec((10_000i64..5_000_000, -1f64..1.0), 2..80),
        shares in prop::collection::vec(0f64..1.0, 1..20),
    ) {
        let true_offset = |remote: i64| shift_ns + (remote as f64 * drift_ppm * 1e-6).round() as i64;
        let offsets: Vec<LslOffset> = errors.iter().enumerate().map(|(k, (uncertainty, share))| {
            let remote = k as i64 * 5 * S;
            offset(remote, true_offset(remote) + (*uncertainty as f64 * share) as i64, *uncertainty)
        }).collect();
        let end = (offsets.len() as i64 - 1) * 5 * S;
        let worst = offsets.iter().map(|o| o.uncertainty_ns).max().unwrap();
        let segment = LslSegment::new(0, 7, true, offsets);
        for share in shares {
            let stamp = (end as f64 * share) as i64;
            let wrong = segment.time_of(stamp).as_ns() - (stamp + true_offset(stamp));
            prop_assert!(wrong.abs() <= worst + 2, "{wrong} ns, and the measurements promise {worst}");
        }
    }

    /// Whatever was measured, and in whichever order the measurements are read.
    #[test]
    fn the_order_of_samples_stays(
        measured in prop::collection::vec((0i64..4000 * S, -10 * S..10 * S, 0i64..S), 0..40),
        stamps in prop::collection::vec(-100 * S..5000 * S, 2..60),
        is_senders in any::<bool>(),
        turned in any::<bool>(),
    ) {
        let mut offsets: Vec<LslOffset> = measured.iter().map(|(r, o, u)| offset(*r, *o, *u)).collect();
        let straight = LslSegment::new(0, 3, is_senders, offsets.clone());
        if turned {
            offsets.sort_by_key(|o| o.remote_ns);
        }
        let segment = LslSegment::new(0, 3, is_senders, offsets);
        let mut stamps = stamps;
        stamps.sort_unstable();
        let times: Vec<Timestamp> = stamps.iter().map(|s| segment.time_of(*s)).collect();
        prop_assert!(times.is_sorted());
        if measured.iter().map(|m| m.0).collect::<std::collections::BTreeSet<_>>().len() == measured.len() {
            prop_assert_eq!(&segment, &straight);
        }
    }

    #[test]
    fn the_stamp_comes_back_from_the_stored_time(stamp in -10i64.pow(18)..10i64.pow(18), base in -10i64.pow(18)..10i64.pow(18)) {
        let segment = LslSegment::new(0, base, true, Vec::new());
        prop_assert_eq!(segment.stamp_ns(Timestamp::from_ns(stamp + base)), stamp);
        prop_assert_eq!(segment.time_of(stamp).as_ns(), stamp + base, "without a measurement the base holds");
    }

    #[test]
    fn no_drift_of_a_quartz_is_a_jump_and_every_change_of_a_second_is(
        drift_ppm in -200f64..200.0, seconds in 1i64..3600, noise in 0i64..2_000_000, jump in 1i64..100_000, back in any::<bool>(),
    ) {
        let before = offset(0, 0, 2_000_000);
        let drifted = (seconds as f64 * 1e3 * drift_ppm) as i64 + noise;
        prop_assert!(!before.has_jumped(&offset(seconds * S, drifted, 2_000_000)));
        let jumped = drifted + if back { -jump } else { jump } * 3 * S;
        prop_assert!(before.has_jumped(&offset(seconds * S, jumped, 2_000_000)));
    }
}

#[test]
fn numbers_of_a_damaged_file_overflow_nothing() {
    let steep = vec![offset(i64::MIN, i64::MAX, 0), offset(0, 0, 1), offset(i64::MAX, i64::MIN, 0)];
    let flat = vec![offset(i64::MIN, -5, 0), offset(i64::MAX, i64::MAX / 1000, 0)];
    for offsets in [steep, flat] {
        let segment = LslSegment::new(0, i64::MIN, true, offsets);
        let times = [i64::MIN, -1, 0, 1, i64::MAX].map(|stamp| segment.time_of(stamp));
        assert!(times.is_sorted(), "{times:?}");
    }
}

#[test]
fn a_late_measurement_is_passed_over() {
    let late = |k: i64| if k % 3 == 0 { (80_000_000, 90_000_000) } else { (0, 100_000) };
    let offsets = (1..60).map(|k| offset(k * 5 * S, late(k).0, late(k).1)).collect();
    let segment = LslSegment::new(0, 0, true, offsets);
    let wrong: Vec<i64> = (5..295).map(|s| segment.time_of(s * S).as_ns() - s * S).filter(|ns| *ns != 0).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn names_are_short_and_no_two_are_the_same() {
    let mut taken: Vec<StreamName> = Vec::new();
    for name in ["EDA (µS)", "eda [µs]", "clock", "", "", "A very long name of a very large amplifier"] {
        let name = lsl_stream_name(name, |n| taken.contains(n));
        taken.push(name);
    }
    let names: Vec<&str> = taken.iter().map(StreamName::as_str).collect();
    let long = "lsl_a_very_long_name_of_a_very_l";
    assert_eq!(names, ["lsl_eda___s_", "lsl_eda___s__2", "lsl_clock_2", "lsl_", "lsl__2", long]);
}

fn timeline() -> Timeline {
    let mut timeline = Timeline::default();
    let fields = vec![Field::new("a", "V", "")];
    timeline.declare(lsl_clock_stream());
    for (name, fields) in [("lsl_amp", fields), ("lsl_marks", Vec::new())] {
        timeline.declare(lsl_stream(name.parse().unwrap(), "d".into(), fields, None, "s".into()));
    }
    let mut seqs = BTreeMap::<&str, u64>::new();
    let mut put = |stream: &'static str, ns: i64, body: Body| {
        let seq = seqs.entry(stream).or_default();
        let at = Timestamp::from_ns(ns);
        timeline.ingest(&Record { stream: Arc::new(stream.parse().unwrap()), seq: *seq, at, body });
        *seq += 1;
    };
    let segment = |stream: &str, first: u64, base: i64| {
        Body::event(
            "segment",
            json!({"stream": stream, "first_sample": first, "base_ns": base, "is_senders_clock": true}),
        )
    };
    let measured = |stream: &str, remote: i64, offset: i64| {
        Body::event(
            "measured",
            json!({"stream": stream, "remote_ns": remote, "offset_ns": offset, "uncertainty_ns": 10}),
        )
    };
    for stream in ["lsl_amp", "lsl_marks"] {
        put(LSL_CLOCK, 0, segment(stream, 0, 100));
        put(LSL_CLOCK, 0, measured(stream, 0, 100));
        put(LSL_CLOCK, 2, measured(stream, 40 * S, 100 + 40_000));
    }
    // Stamps 0, 20 s and 40 s, and a gap, which is no sample.
    for (k, stamp) in [0, 20 * S, 40 * S].into_iter().enumerate() {
        put("lsl_amp", stamp + 100, Body::sample(None, &[k as f32]));
        put("lsl_marks", stamp + 100, Body::event("sample", json!({"text": k})));
    }
    let gap =
        crate::Gap { until: Timestamp::from_ns(41 * S), reason: crate::GapReason::Crash, lost: 0, note: String::new() };
    put("lsl_amp", 40 * S, Body::Gap(gap));
    // The sender comes back with a clock that is 1000 s behind. Its first stamp is 41 s − 1000 s.
    put(LSL_CLOCK, 41 * S, segment("lsl_amp", 3, 1000 * S));
    put(LSL_CLOCK, 41 * S, measured("lsl_amp", -960 * S, 1000 * S + 7));
    put("lsl_amp", 41 * S, Body::sample(None, &[3.0]));
    timeline
}

#[test]
fn times_are_computed_for_each_segment_with_its_own_measurements() {
    let stored = timeline();
    let times = LslTimes::of(&stored);
    assert_eq!(times.segments("lsl_amp").len(), 2);
    assert_eq!(times.segment("lsl_amp", 3).map(|s| s.base_ns), Some(1000 * S));
    let timeline = stored.clone().with_lsl_times();
    let series = timeline.series("lsl_amp").unwrap();
    let ns: Vec<i64> = series.times().iter().map(|t| t.as_ns()).collect();
    assert_eq!(ns, [100, 20 * S + 100 + 20_000, 40 * S + 100 + 40_000, 41 * S + 7]);
    assert_eq!(series.column(0), [0.0, 1.0, 2.0, 3.0]);
    let marks: Vec<i64> =
        timeline.events().iter().filter(|e| e.stream.as_str() == "lsl_marks").map(|e| e.at.as_ns()).collect();
    assert_eq!(marks, ns[..3]);
    assert!(timeline.events().is_sorted_by_key(|e| e.at));
    // Nothing else moves.
    assert_eq!(timeline.gaps(), stored.gaps());
}
