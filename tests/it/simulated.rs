//! Studies that never took place, with what is known about them: the same for tests and benches.
//!
//! Each participant has a level of their own that drifts, noise that remembers (as faces do), stretches without a camera
//! and blinks of the detection. After events of the kind `a`, and of no other, valence rises and falls again.

use std::f64::consts::{PI, TAU};
use std::sync::Arc;

use affectograph::session::{
    AFFECT, Body, FACE, Gap, GapReason, PAGE, Record, StreamInfo, StreamName, Timeline, Timestamp, affect,
    affect_stream, face, face_stream, page_stream,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

#[derive(Clone, Copy)]
pub struct Script {
    /// Of each of the two kinds.
    pub events: u32,
    pub rate_hz: f64,
    /// Peak of the rise of valence after an `a`, over participants.
    pub effect: f64,
    pub seed: u64,
}

/// When the response is greatest, in seconds after the event.
const PEAK_S: f64 = 1.2;

/// 0 before the event, 1 at the peak, nearly 0 again four seconds after it.
pub fn response(s: f64) -> f64 {
    let share = s / PEAK_S;
    if s <= 0.0 { 0.0 } else { (share * (1.0 - share).exp()).powi(3) }
}

pub fn streams(rate_hz: f64) -> Vec<StreamInfo> {
    vec![affect_stream(rate_hz, "simulated 1"), face_stream(rate_hz, "simulated 1"), page_stream()]
}

fn normal(random: &mut StdRng) -> f64 {
    let (u, v): (f64, f64) = (1.0 - random.random::<f64>(), random.random());
    (-2.0 * u.ln()).sqrt() * (TAU * v).cos()
}

/// A level that wanders: drift, a slow wave, and noise that remembers half a second.
struct Wandering {
    level: f64,
    drift_a_minute: f64,
    wave: (f64, f64, f64),
    noise: f64,
    memory: f64,
}

impl Wandering {
    fn new(random: &mut StdRng, rate_hz: f64) -> Self {
        Wandering {
            level: 0.15 * normal(random),
            drift_a_minute: 0.03 * normal(random),
            wave: (0.06 * normal(random), random.random_range(20.0..60.0), random.random_range(0.0..TAU)),
            noise: 0.0,
            memory: (-2.0 / rate_hz).exp(),
        }
    }

    fn at(&mut self, s: f64, random: &mut StdRng) -> f64 {
        self.noise = self.memory * self.noise + (1.0 - self.memory * self.memory).sqrt() * 0.08 * normal(random);
        let (height, period_s, phase) = self.wave;
        self.level + self.drift_a_minute * s / 60.0 + height * (2.0 * PI * s / period_s + phase).sin() + self.noise
    }
}

/// All records of one participant's session, by time.
pub fn records(script: &Script, participant: u32) -> Vec<Record> {
    let random = &mut StdRng::seed_from_u64(script.seed.wrapping_mul(10_007).wrapping_add(u64::from(participant)));
    let mut kinds: Vec<bool> = (0..2 * script.events).map(|k| k % 2 == 0).collect();
    for k in (1..kinds.len()).rev() {
        kinds.swap(k, random.random_range(0..=k));
    }
    let mut at_s = 5.0;
    let events: Vec<(f64, bool)> = kinds
        .into_iter()
        .map(|is_a| {
            at_s += random.random_range(6.0..8.0);
            (at_s, is_a)
        })
        .collect();
    let length_s = at_s + 8.0;
    let own_effect = script.effect * (1.0 + 0.3 * normal(random));
    let rise = |s: f64| -> f64 { events.iter().filter(|(_, is_a)| *is_a).map(|(at, _)| response(s - at)).sum() };
    let lost: Vec<(f64, f64)> = (0..3)
        .map(|_| {
            let from = random.random_range(0.0..length_s);
            (from, from + random.random_range(1.0..4.0))
        })
        .collect();

    let [affect_name, face_name, page_name] = [AFFECT, FACE, PAGE].map(|n| Arc::new(n.parse::<StreamName>().unwrap()));
    let (mut valence, mut arousal) = (Wandering::new(random, script.rate_hz), Wandering::new(random, script.rate_hz));
    let (mut all, mut affect_seq, mut blink_until) = (Vec::new(), 0, 0.0);
    for frame in 0..(length_s * script.rate_hz) as u64 {
        // As cameras do, within a millisecond.
        let s = frame as f64 / script.rate_hz + random.random_range(-0.001..0.001);
        let (v, a) = (valence.at(s, random) + own_effect * rise(s), arousal.at(s, random));
        if s > blink_until && random.random_bool(0.1 / script.rate_hz) {
            blink_until = s + random.random_range(0.05..0.6);
            let gap = Gap { until: time(blink_until), reason: GapReason::NoFace, lost: 1, note: String::new() };
            all.push(Record { stream: affect_name.clone(), seq: affect_seq, at: time(s), body: Body::Gap(gap) });
            affect_seq += 1;
        }
        if s <= blink_until || lost.iter().any(|(from, until)| (*from..*until).contains(&s)) {
            continue;
        }
        let mut values = [0.1f32; affect::FIELDS];
        (values[affect::VALENCE], values[affect::AROUSAL]) = (v as f32, a as f32);
        let mut look = [0f32; face::FIELDS];
        (look[face::INTER_OCULAR], look[face::BRIGHTNESS], look[face::SCORE]) = (80.0, 0.5, 0.99);
        let sample = |values: &[f32]| Body::Sample { frame: Some(frame), values: values.into() };
        all.push(Record { stream: affect_name.clone(), seq: affect_seq, at: time(s), body: sample(&values) });
        all.push(Record { stream: face_name.clone(), seq: frame, at: time(s), body: sample(&look) });
        affect_seq += 1;
    }
    for (k, (at, is_a)) in events.iter().enumerate() {
        let target = if *is_a { "button#a" } else { "button#b" };
        let body = Body::event("click", json!({"target": target, "page_ms": at * 1000.0}));
        all.push(Record { stream: page_name.clone(), seq: k as u64, at: time(*at), body });
    }
    all.sort_by_key(|r| r.at);
    all
}

fn time(s: f64) -> Timestamp {
    Timestamp::from_secs_f64(s)
}

pub fn timeline(script: &Script, participant: u32) -> Timeline {
    let mut timeline = Timeline::default();
    streams(script.rate_hz).into_iter().for_each(|s| timeline.declare(s));
    records(script, participant).iter().for_each(|r| timeline.ingest(r));
    timeline
}
