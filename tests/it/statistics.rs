//! The same numbers from others' code: epoch averages and permutation tests by MNE-Python, intervals and correlation by
//! SciPy, kappa by scikit-learn.

use affectograph::analysis::{
    Average, Comparison, EpochPlan, EventChoice, QualityLimits, SessionEpochs, SignalId, average, ccc, cohen_kappa,
    compare, correlation, epochs,
};
use affectograph::session::{
    Body, ParticipantId, Record, SessionNumber, Timeline, Timestamp, affect_stream, marker_stream,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use std::sync::Arc;

use super::python::{ask, python};

const RATE_HZ: f64 = 25.0;
const STEP_NS: i64 = 40_000_000;
const PARTICIPANTS: u32 = 14;
/// All 2⁷ patterns of signs of this many participants are tried, so that p must agree to the last digit.
const EXACT: usize = 8;

/// Valence and arousal at 25 Hz, and the frames at which `a` and `b` happened.
struct Simulated {
    valence: Vec<f32>,
    arousal: Vec<f32>,
    onsets: [Vec<usize>; 2],
}

fn simulate(random: &mut StdRng) -> Simulated {
    let mut onsets = [Vec::new(), Vec::new()];
    let mut at = 50;
    for k in 0..20 {
        onsets[k % 2].push(at);
        at += random.random_range(130..180);
    }
    let mut course = |effect: f32| -> Vec<f32> {
        let mut noise = 0.0;
        let mut values: Vec<f32> = (0..at + 50)
            .map(|_| {
                noise = 0.9 * noise + 0.05 * random.random_range(-1.0f32..1.0);
                noise
            })
            .collect();
        for onset in &onsets[0] {
            (0..60).for_each(|k| values[onset + 10 + k] += effect * (k as f32 / 60.0 * 3.0).sin());
        }
        values
    };
    let (valence, arousal) = (course(0.05), course(0.0));
    Simulated { valence, arousal, onsets }
}

fn timeline(simulated: &Simulated) -> Timeline {
    let mut timeline = Timeline::default();
    [affect_stream(RATE_HZ, "simulated"), marker_stream()].into_iter().for_each(|s| timeline.declare(s));
    let mut put = |stream: &str, seq: usize, frame: usize, body: Body| {
        let stream = Arc::new(stream.parse().unwrap());
        timeline.ingest(&Record { stream, seq: seq as u64, at: Timestamp::from_ns(frame as i64 * STEP_NS), body });
    };
    for (frame, (v, a)) in simulated.valence.iter().zip(&simulated.arousal).enumerate() {
        let mut values = [0f32; 12];
        (values[0], values[1]) = (*v, *a);
        put("affect", frame, frame, Body::Sample { frame: Some(frame as u64), values: values[..].into() });
    }
    let named = ["a", "b"].into_iter().zip(&simulated.onsets);
    let events = named.flat_map(|(name, at)| at.iter().map(move |frame| (name, *frame)));
    for (seq, (name, frame)) in events.enumerate() {
        put("marker", seq, frame, Body::event("marker", json!({"label": name})));
    }
    timeline
}

fn plan() -> EpochPlan {
    EpochPlan {
        window_s: (-1.0, 3.0),
        baseline_s: Some((-1.0, 0.0)),
        rate_hz: RATE_HZ,
        limits: QualityLimits::NONE,
        ..EpochPlan::default()
    }
}

fn cut(timelines: &[Timeline], label: &str) -> Vec<SessionEpochs> {
    let choice: EventChoice = format!("marker value={label}").parse().unwrap();
    let one = |(k, timeline): (usize, &Timeline)| {
        epochs(timeline, &ParticipantId::numbered(k as u32 + 1), SessionNumber(1), &choice, &plan()).unwrap()
    };
    timelines.iter().enumerate().map(one).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[track_caller]
fn assert_close(ours: &[f64], theirs: &Value, tolerance: f64) {
    let theirs = numbers(theirs);
    assert_eq!(ours.len(), theirs.len());
    let worst = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(worst <= tolerance, "differ by {worst}");
}

#[track_caller]
fn assert_same_average(ours: &Average, theirs: &Value) {
    // Stored values are 32-bit floats, counted with in 64 bits by both.
    assert_close(&ours.mean, &theirs["mean"], 1e-9);
    let per_participant = theirs["participants"].as_array().unwrap();
    ours.per_participant.values().zip(per_participant).for_each(|(a, b)| assert_close(a, b, 1e-9));
    let interval = ours.interval.as_ref().unwrap();
    assert_close(&interval.low, &theirs["low"], 1e-9);
    assert_close(&interval.high, &theirs["high"], 1e-9);
    // Both drew at random: equal within a tenth of the interval's width.
    let width = interval.high.iter().zip(&interval.low).map(|(a, b)| a - b).fold(0.0, f64::max);
    assert_close(&interval.boot_low, &theirs["boot_low"], 0.1 * width);
    assert_close(&interval.boot_high, &theirs["boot_high"], 0.1 * width);
}

/// Times of clusters, their mass, and p within `p_tolerance`.
#[track_caller]
fn assert_same_test(ours: &Comparison, theirs: &Value, p_tolerance: f64) {
    assert_close(&ours.t, &theirs["t"], 1e-7);
    let clusters = theirs["clusters"].as_array().unwrap();
    assert_eq!(ours.clusters.len(), clusters.len());
    for (a, b) in ours.clusters.iter().zip(clusters) {
        let point = |s: f64| ((s + 1.0) * RATE_HZ).round();
        assert_eq!((point(a.from_s), point(a.until_s)), (b["from"].as_f64().unwrap(), b["until"].as_f64().unwrap()));
        assert!((a.mass - b["mass"].as_f64().unwrap()).abs() < 1e-6, "{a:?} {b}");
        assert!((a.p - b["p"].as_f64().unwrap()).abs() <= p_tolerance, "{a:?} {b}");
    }
}

#[test]
fn averages_tests_and_agreement_equal_those_of_mne_scipy_and_scikit_learn() {
    let Some(python) = python(&["mne", "scipy", "sklearn"]) else { return };
    let random = &mut StdRng::seed_from_u64(7);
    let participants: Vec<Simulated> = (0..PARTICIPANTS).map(|_| simulate(random)).collect();
    let pairs: Vec<[f64; 2]> = (0..500)
        .map(|k| {
            let x = (f64::from(k) * 0.05).sin();
            [x, 0.6 * x + 0.1 + 0.3 * random.random_range(-1.0..1.0)]
        })
        .collect();
    let codes: [Vec<u8>; 2] = {
        let first: Vec<u8> = (0..200).map(|_| random.random_range(0..4)).collect();
        let second = first.iter().map(|c| if random.random_bool(0.7) { *c } else { random.random_range(0..4) });
        let second = second.collect();
        [first, second]
    };
    let described = participants
        .iter()
        .map(|p| json!({"valence": p.valence, "arousal": p.arousal, "onsets": {"a": p.onsets[0], "b": p.onsets[1]}}));
    let theirs = ask(
        &python,
        "statistics.py",
        &json!({
            "rate_hz": RATE_HZ, "window_s": plan().window_s, "baseline_s": plan().baseline_s, "exact": EXACT,
            "participants": described.collect::<Vec<_>>(), "pairs": pairs, "codes": codes,
        }),
    );
    println!("beside {}", theirs["versions"]);

    let timelines: Vec<Timeline> = participants.iter().map(timeline).collect();
    let (a, b) = (cut(&timelines, "a"), cut(&timelines, "b"));
    assert_close(&plan().times_s(), &theirs["times"], 1e-9);
    for (ours, kept) in [(&a, &theirs["kept"]["a"]), (&b, &theirs["kept"]["b"])] {
        assert_close(&ours.iter().map(|s| s.epochs.len() as f64).collect::<Vec<_>>(), kept, 0.0);
    }
    for signal in &[SignalId::valence(), SignalId::arousal()] {
        let theirs = &theirs[signal.field.as_str()];
        assert_same_average(&average(&a, &plan(), signal).unwrap(), theirs);

        let exact = compare(&a[..EXACT], &b[..EXACT], &plan(), signal, 1 << EXACT, 1).unwrap();
        assert!(exact.is_exact);
        assert_same_test(&exact, &theirs["exact"], 1e-12);
        // p of 4,000 draws each has a standard error of at most 0.008.
        let drawn = compare(&a, &b, &plan(), signal, 4000, 1).unwrap();
        assert_same_test(&drawn, &theirs["drawn"], 0.035);
        let half = PARTICIPANTS as usize / 2;
        let groups = compare(&a[..half], &b[half..], &plan(), signal, 4000, 1).unwrap();
        assert_same_test(&groups, &theirs["groups"], 0.035);

        let effect = &theirs["effect"];
        assert!((drawn.effect.difference - effect["difference"].as_f64().unwrap()).abs() < 1e-9);
        assert!((drawn.effect.cohens_d.unwrap() - effect["d"].as_f64().unwrap()).abs() < 1e-7);
        assert_close(&[drawn.effect.low, drawn.effect.high], &effect["interval"], 1e-9);
    }

    let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().map(|[x, y]| (*x, *y)).unzip();
    let close = |ours: f64, name: &str| assert!((ours - theirs[name].as_f64().unwrap()).abs() < 1e-12, "{name} {ours}");
    close(ccc(&x, &y).unwrap(), "ccc");
    close(correlation(&x, &y).unwrap(), "correlation");
    close(cohen_kappa(&codes[0], &codes[1]).unwrap().unwrap(), "kappa");
}
