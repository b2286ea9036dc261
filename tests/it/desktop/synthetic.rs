//! A session that never happened, as it could have: for tests, pictures of the screens and benches of the window.

use std::collections::BTreeMap;
use std::f64::consts::PI;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use analysis::{
    Average, Baseline, Cluster, Comparison, Correction, Design, DropReason, Effect, Flaw, Interval, Measure,
    PoorStretch, Unit, Zero,
};
use desktop::port::*;
use serde_json::{Value, json};
use session::*;

/// Repeatable and good enough for noise.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Self {
        Noise(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// −1 … 1
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

pub struct Script {
    pub length_s: f64,
    pub rate_hz: f64,
    pub page_events: usize,
    /// Seconds without a face.
    pub absent: Vec<(f64, f64)>,
    /// Seconds without a camera.
    pub lost: Vec<(f64, f64)>,
    pub markers: Vec<(f64, &'static str)>,
}

impl Script {
    pub fn of(length_s: f64) -> Self {
        Script {
            length_s,
            rate_hz: 30.0,
            page_events: (length_s * 0.9) as usize,
            absent: vec![(length_s * 0.22, length_s * 0.22 + 3.4), (length_s * 0.71, length_s * 0.71 + 7.0)],
            lost: vec![(length_s * 0.52, length_s * 0.52 + 2.2)],
            markers: vec![
                (length_s * 0.08, "start of task"),
                (length_s * 0.36, "looked away"),
                (length_s * 0.62, "laughs"),
                (length_s * 0.93, "end of task"),
            ],
        }
    }

    fn is_read(&self, at_s: f64) -> bool {
        !self.absent.iter().chain(&self.lost).any(|(a, b)| (*a..*b).contains(&at_s))
    }
}

pub fn streams(rate_hz: f64) -> Vec<StreamInfo> {
    vec![
        affect_stream(rate_hz, "synthetic"),
        face_stream(rate_hz, "synthetic"),
        landmarks_stream(rate_hz, "synthetic"),
        page_stream(),
        marker_stream(),
        health_stream(),
        page_clock_stream(),
        annotation_stream(),
        rating_stream(),
    ]
}

/// Valence and arousal as a person's: slow drift, a smile now and then, a little noise.
fn feelings(at_s: f64, noise: &mut Noise) -> (f64, f64) {
    let smile = |middle: f64, width: f64| (-((at_s % 97.0 - middle) / width).powi(2)).exp();
    let valence = 0.08 + 0.10 * (at_s / 23.0).sin() + 0.06 * (at_s / 7.3).sin() + 0.62 * smile(38.0, 3.0)
        - 0.42 * smile(74.0, 5.0)
        + 0.022 * noise.next();
    let arousal = -0.25
        + 0.14 * (at_s / 31.0).cos()
        + 0.05 * (at_s / 5.1).sin()
        + 0.55 * smile(40.0, 4.2)
        + 0.38 * smile(75.0, 4.0)
        + 0.03 * noise.next();
    (valence, arousal)
}

pub fn affect_values(at_s: f64, noise: &mut Noise) -> [f32; affect::FIELDS] {
    let (valence, arousal) = feelings(at_s, noise);
    let mut v = [0f32; affect::FIELDS];
    v[affect::VALENCE] = valence as f32;
    v[affect::AROUSAL] = arousal as f32;
    v[affect::VALENCE_SD] = (0.07 + 0.02 * (at_s / 3.0).sin().abs()) as f32;
    v[affect::AROUSAL_SD] = (0.12 + 0.03 * (at_s / 4.0).cos().abs()) as f32;
    let weights = [
        1.6 - arousal,
        (3.2 * valence).exp(),
        (1.5 * arousal).exp() * 0.5,
        (-2.5 * valence).exp() * 0.3,
        (2.0 * (arousal - valence)).exp() * 0.12,
        0.10,
        0.08,
        0.15,
    ];
    let sum: f64 = weights.iter().map(|w| w.max(0.02)).sum();
    for (k, w) in weights.iter().enumerate() {
        v[affect::EXPRESSION_0 + k] = (w.max(0.02) / sum) as f32;
    }
    v
}

/// Where the head is in the picture, in pixels.
fn head(at_s: f64) -> (f64, f64, f64) {
    (322.0 + 26.0 * (at_s / 4.0).sin(), 236.0 + 10.0 * (at_s / 3.1).cos(), 108.0 + 5.0 * (at_s / 9.0).sin())
}

pub fn overlay(at_s: f64) -> FaceOverlay {
    let (x, y, r) = head(at_s);
    FaceOverlay {
        left_px: (x - r) as f32,
        top_px: (y - 1.12 * r) as f32,
        width_px: (2.0 * r) as f32,
        height_px: (2.45 * r) as f32,
        landmarks_px: landmarks(at_s),
        score: 0.97,
        brightness: 0.56,
        inter_ocular_px: (0.92 * r) as f32,
    }
}

/// 68 points in iBUG 300-W order on the head that [`picture`] draws.
fn landmarks(at_s: f64) -> Vec<[f32; 2]> {
    let (x, y, r) = head(at_s);
    let smile = feelings(at_s, &mut Noise::new(1)).0.max(0.0);
    let at = |u: f64, v: f64| [(x + u * r) as f32, (y + v * r) as f32];
    let mut out = Vec::with_capacity(68);
    for k in 0..17 {
        let a = PI * f64::from(k) / 16.0;
        out.push(at(-0.92 * a.cos(), -0.05 + 1.24 * a.sin()));
    }
    for side in [-1.0, 1.0] {
        for k in 0..5 {
            let t = f64::from(if side < 0.0 { k } else { 4 - k }) / 4.0;
            out.push(at(side * (0.72 - 0.50 * t), -0.50 - 0.13 * (PI * (0.15 + 0.7 * t)).sin()));
        }
    }
    (0..4).for_each(|k| out.push(at(0.0, -0.25 + 0.16 * f64::from(k))));
    (0..5).for_each(|k| {
        out.push(at(-0.18 + 0.09 * f64::from(k), 0.33 + 0.04 * (1.0 - (f64::from(k) - 2.0).abs() / 2.0)))
    });
    for side in [-1.0, 1.0] {
        for k in 0..6 {
            let a = PI - 2.0 * PI * f64::from(k) / 6.0;
            out.push(at(side * 0.40 + 0.16 * a.cos(), -0.22 - 0.07 * a.sin()));
        }
    }
    for (count, wide, high) in [(12, 0.36, 0.11), (8, 0.28, 0.04)] {
        for k in 0..count {
            let a = PI - 2.0 * PI * f64::from(k) / f64::from(count);
            let u = wide * (1.0 + 0.25 * smile) * a.cos();
            out.push(at(u, 0.66 - high * a.sin() - 0.22 * smile * (u * 1.6).abs()));
        }
    }
    out
}

/// A person in a room, roughly. Made once for each moment.
pub fn picture(at_s: f64) -> Arc<Picture> {
    static MADE: Mutex<BTreeMap<u64, Arc<Picture>>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap();
    made.entry(at_s.to_bits()).or_insert_with(|| Arc::new(drawn(at_s))).clone()
}

fn drawn(at_s: f64) -> Picture {
    const W: u32 = 640;
    const H: u32 = 480;
    let (x, y, r) = head(at_s);
    let (points, mut grain) = (landmarks(at_s), Noise::new(7));
    let eyes = [(-0.40, -0.22), (0.40, -0.22)];
    let mouth: Vec<[f32; 2]> = points[60..68].to_vec();
    let mut rgb = Vec::with_capacity((W * H * 3) as usize);
    for py in 0..H {
        for px in 0..W {
            let (u, v) = ((f64::from(px) - x) / r, (f64::from(py) - y) / r);
            let (bx, by) = (f64::from(px) / f64::from(W), f64::from(py) / f64::from(H));
            let wall = 0.36 + 0.22 * bx - 0.12 * by;
            let mut c = [wall * 0.95, wall * 0.98, wall * 1.04];
            if (u / 2.3).powi(2) + ((v - 3.0) / 1.75).powi(2) < 1.0 {
                c = [0.16 + 0.03 * u, 0.21 + 0.03 * u, 0.30 + 0.03 * u];
            }
            if u.abs() < 0.42 && (0.9..1.9).contains(&v) {
                c = [0.62, 0.47, 0.40];
            }
            let hair = (u / 1.08).powi(2) + ((v + 0.18) / 1.22).powi(2) < 1.0;
            if hair && v < 0.35 {
                c = [0.17, 0.12, 0.10];
            }
            let face = (u / 0.93).powi(2) + ((v - 0.06) / 1.16).powi(2);
            if face < 1.0 && v > -0.86 + 0.25 * u * u {
                let light = (1.0 - 0.28 * face + 0.16 * u - 0.04 * v).clamp(0.3, 1.2);
                c = [0.82 * light, 0.64 * light, 0.54 * light];
            }
            for (eu, ev) in eyes {
                let (du, dv) = (u - eu, v - ev);
                if (du / 0.17).powi(2) + (dv / 0.075).powi(2) < 1.0 {
                    c = if du * du + dv * dv < 0.0055 { [0.16, 0.13, 0.12] } else { [0.88, 0.86, 0.84] };
                }
                if (du / 0.24).powi(2) + ((dv + 0.30) / 0.045).powi(2) < 1.0 {
                    c = [0.22, 0.15, 0.12];
                }
            }
            if (u / 0.40).powi(2) + ((v - 0.64) / 0.12).powi(2) < 1.0 {
                let line = mouth
                    .iter()
                    .any(|m| (f64::from(m[0]) - f64::from(px)).hypot(f64::from(m[1]) - f64::from(py)) < 0.05 * r);
                c = if line { [0.42, 0.20, 0.20] } else { [0.70, 0.42, 0.40] };
            }
            let grain = 0.012 * grain.next();
            rgb.extend(c.map(|v| (((v + grain).clamp(0.0, 1.0)) * 255.0) as u8));
        }
    }
    Picture { width_px: W, height_px: H, rgb }
}

fn record(stream: &Arc<StreamName>, seq: &mut u64, at_s: f64, body: Body) -> Record {
    let record = Record { stream: stream.clone(), seq: *seq, at: Timestamp::from_secs_f64(at_s), body };
    *seq += 1;
    record
}

fn page_event(k: usize, noise: &mut Noise) -> (&'static str, Value) {
    let targets = ["button#next", "img.picture", "input#answer", "div.card", "a#help", "input#slider"];
    let target = targets[(noise.next().abs() * 6.0) as usize % 6];
    match k % 9 {
        0 | 4 => ("click", json!({"target": target, "x": (noise.next().abs() * 900.0) as i64, "page_ms": k as f64})),
        1 | 2 | 6 => ("key", json!({"target": "input#answer", "page_ms": k as f64})),
        3 => ("input", json!({"target": "input#answer", "deleted": 2, "page_ms": k as f64})),
        5 => ("scroll", json!({"y": (noise.next().abs() * 2400.0) as i64, "page_ms": k as f64})),
        7 => ("pointer", json!({"target": target, "page_ms": k as f64})),
        _ => ("focus", json!({"target": "input#answer", "page_ms": k as f64})),
    }
}

/// All records with `from_s <= time < until_s`, in order. Sequence numbers are right only where `from_s` is 0.
pub fn records(script: &Script, with_landmarks: bool) -> Vec<Record> {
    let name = |s: &str| Arc::new(s.parse::<StreamName>().unwrap());
    let (affect, face, points) = (name(AFFECT), name(FACE), name(LANDMARKS));
    let (page, marker, health) = (name(PAGE), name(MARKER), name(HEALTH));
    let mut seqs = [0u64; 6];
    let mut out = Vec::new();
    let mut noise = Noise::new(11);
    for frame in 0..(script.length_s * script.rate_hz) as u64 {
        let at_s = frame as f64 / script.rate_hz;
        if !script.is_read(at_s) {
            continue;
        }
        let values = affect_values(at_s, &mut noise);
        let body = Body::Sample { frame: Some(frame), values: values.into() };
        out.push(record(&affect, &mut seqs[0], at_s, body));
        let o = overlay(at_s);
        let mut f = [0f32; face::FIELDS];
        f[face::BOX_LEFT] = o.left_px;
        f[face::BOX_TOP] = o.top_px;
        f[face::BOX_WIDTH] = o.width_px;
        f[face::BOX_HEIGHT] = o.height_px;
        f[face::SCORE] = o.score;
        f[face::BRIGHTNESS] = o.brightness;
        f[face::INTER_OCULAR] = o.inter_ocular_px;
        f[face::FACES] = 1.0;
        out.push(record(&face, &mut seqs[1], at_s, Body::Sample { frame: Some(frame), values: f.into() }));
        if with_landmarks {
            let values: Vec<f32> = o.landmarks_px.into_iter().flatten().collect();
            out.push(record(&points, &mut seqs[2], at_s, Body::Sample { frame: Some(frame), values: values.into() }));
        }
    }
    for (stretches, reason) in [(&script.absent, GapReason::NoFace), (&script.lost, GapReason::CameraLost)] {
        for (from_s, until_s) in stretches {
            let gap = Gap { until: Timestamp::from_secs_f64(*until_s), reason, lost: 0, note: String::new() };
            out.push(record(&affect, &mut seqs[0], *from_s, Body::Gap(gap)));
        }
    }
    for (from_s, until_s) in &script.lost {
        let lost = Body::event("camera_lost", json!({"message": "the camera is silent"}));
        out.push(record(&health, &mut seqs[5], *from_s, lost));
        let found = Body::event("camera_reconnected", json!({}));
        out.push(record(&health, &mut seqs[5], *until_s, found));
    }
    for k in 0..script.page_events {
        let at_s = script.length_s * (k as f64 + 0.5 + 0.45 * noise.next()) / script.page_events as f64;
        let (kind, data) = page_event(k, &mut noise);
        out.push(record(&page, &mut seqs[3], at_s, Body::event(kind, data)));
    }
    for (at_s, label) in &script.markers {
        out.push(record(&marker, &mut seqs[4], *at_s, Body::event("marker", json!({"label": label}))));
    }
    out.sort_by_key(|r| r.at);
    out
}

/// Streams of other instruments, the pulse, facial actions, eyes and blinks.
pub fn signal_streams(rate_hz: f64) -> Vec<StreamInfo> {
    let lsl = |name: &str, fields, rate_hz| {
        lsl_stream(name.parse().unwrap(), format!("`{name}` of Lab Streaming Layer"), fields, rate_hz, "liblsl".into())
    };
    let eda = vec![Field::new("EDA", "µS", "skin conductance"), Field::new("TEMP", "°C", "temperature of the skin")];
    vec![
        pulse_stream("synthetic"),
        action_stream(rate_hz, "synthetic"),
        eyes_stream(rate_hz, "synthetic"),
        blink_stream("synthetic"),
        lsl("lsl_eda", eda, Some(32.0)),
        lsl("lsl_slider", vec![Field::new("comfort", "1", "position of the slider")], None),
    ]
}

/// Records of [`signal_streams`], in order. The pulse has a stretch without a reliable rate, and the instrument one in which
/// it was not on the network.
pub fn signal_records(script: &Script) -> Vec<Record> {
    let mut out = Vec::new();
    let (unreliable, source_lost) = ((0.4 * script.length_s, 0.44 * script.length_s), (0.8, 0.83));
    let source_lost = (source_lost.0 * script.length_s, source_lost.1 * script.length_s);
    let gap = |until_s: f64, reason| {
        Body::Gap(Gap { until: Timestamp::from_secs_f64(until_s), reason, lost: 0, note: String::new() })
    };
    let mut add =
        |name: &str, rate_hz: f64, values: &mut dyn FnMut(f64) -> Option<Vec<f32>>, gaps: &[(f64, f64, GapReason)]| {
            let stream = Arc::new(name.parse::<StreamName>().unwrap());
            let mut seq = 0;
            for k in 0..(script.length_s * rate_hz) as u64 {
                let at_s = k as f64 / rate_hz;
                if let Some(values) = values(at_s).filter(|_| !gaps.iter().any(|(a, b, _)| (*a..*b).contains(&at_s))) {
                    out.push(record(&stream, &mut seq, at_s, Body::sample(None, &values)));
                }
            }
            for (from_s, until_s, reason) in gaps {
                out.push(record(&stream, &mut seq, *from_s, gap(*until_s, *reason)));
            }
        };
    let mut noise = Noise::new(5);
    let mut pulse = |at_s: f64| Some(vec![(71.0 + 6.0 * (at_s / 19.0).sin() + noise.next()) as f32, 2.1, 0.92]);
    add("pulse", 1.0, &mut pulse, &[(unreliable.0, unreliable.1, GapReason::Unreliable)]);
    let mut noise = Noise::new(6);
    let mut eda = |at_s: f64| {
        let response = (-(at_s % 23.0) / 6.0).exp() * (1.0 - (-(at_s % 23.0) / 0.9).exp());
        Some(vec![(4.1 + 1.3 * response + 0.03 * noise.next()) as f32, (33.2 + 0.2 * (at_s / 60.0).sin()) as f32])
    };
    add("lsl_eda", 32.0, &mut eda, &[(source_lost.0, source_lost.1, GapReason::SourceLost)]);
    let mut slider = |at_s: f64| Some(vec![(3.0 + 2.0 * (at_s / 17.0).sin()).round() as f32]);
    add("lsl_slider", 0.3, &mut slider, &[]);
    let absent: Vec<_> = script.absent.iter().map(|(a, b)| (*a, *b, GapReason::NoFace)).collect();
    let mut noise = Noise::new(8);
    let mut action = |at_s: f64| {
        let (valence, _) = feelings(at_s, &mut noise);
        let of = |k: usize| if k == 8 { valence.max(0.0) } else { 0.05 + 0.04 * (at_s / (3.0 + k as f64)).sin() };
        Some((0..FACE_ACTIONS.len()).map(|k| of(k) as f32).collect())
    };
    add("action", script.rate_hz, &mut action, &absent);
    let mut eye = |at_s: f64| {
        let closure = (-((at_s % BLINK_EVERY_S - 1.0) / 0.07).powi(2)).exp() as f32;
        let yaw = if closure > 0.6 { f32::NAN } else { (9.0 * (at_s / 3.7).sin()) as f32 };
        let mut values = vec![yaw; eyes::FIELDS];
        values[eyes::CLOSURE_LEFT] = closure;
        values[eyes::CLOSURE_RIGHT] = closure;
        Some(values)
    };
    add("eyes", script.rate_hz, &mut eye, &absent);
    let blink = Arc::new(BLINK.parse::<StreamName>().unwrap());
    let mut seq = 0;
    for k in 0..(script.length_s / BLINK_EVERY_S) as u64 {
        let at_s = k as f64 * BLINK_EVERY_S + 0.94;
        let (kind, lasted_ms) = if k % 9 == 4 { (EYES_CLOSED_KIND, 1600) } else { (BLINK_KIND, 120) };
        let body = Body::event(kind, json!({"duration_ms": lasted_ms, "completeness": 0.9}));
        out.push(record(&blink, &mut seq, at_s, body));
    }
    out.sort_by_key(|r| r.at);
    out
}

const BLINK_EVERY_S: f64 = 3.6;

pub fn quality(script: &Script) -> QualityReport {
    let frames = (script.length_s * script.rate_hz) as u64;
    QualityReport {
        grade: Grade::B,
        findings: vec!["The camera was silent for 2.2 s at 06:31 and came back by itself.".into()],
        length: Duration::from_secs_f64(script.length_s),
        frames_expected: frames,
        frames_stored: frames - 66,
        frames_scored: frames - 95,
        frames_skipped: 29,
        lost: 66,
        largest_gap: script.absent.last().map(|(a, b)| LargestGap {
            at: Timestamp::from_secs_f64(*a),
            lasted: Duration::from_secs_f64(b - a),
            stream: "affect".into(),
            reason: "no face in the picture".into(),
        }),
        face_share: Some(0.974),
        page_clock_uncertainty_ms: Some(0.4),
        page_busy: None,
        events_by_kind: [
            ("key", 208),
            ("click", 139),
            ("input", 69),
            ("pointer", 69),
            ("scroll", 69),
            ("focus", 69),
            ("marker", 4),
        ]
        .map(|(k, n)| (k.to_owned(), n))
        .to_vec(),
        size_bytes: 1_480_000_000,
    }
}

pub fn session_row(participant: u32, session: u32, study: &str, days_ago: i64, minutes: f64) -> SessionRow {
    let participant_id = ParticipantId::numbered(participant);
    let number = SessionNumber(session);
    let started =
        chrono::DateTime::from_timestamp(1_794_000_000 - days_ago * 86_400 + i64::from(participant) * 2940, 0);
    SessionRow {
        folder: PathBuf::from(format!(
            "/home/lab/affectograph/sessions/{participant_id}/{number}_20261106T091200Z_{study}"
        )),
        participant: Some(participant_id),
        session: Some(number),
        study: study.to_owned(),
        started,
        length: Some(Duration::from_secs_f64(minutes * 60.0)),
        size_bytes: (minutes * 116e6) as u64,
        grade: Some(Grade::B),
        is_pilot: false,
        state: SessionState::Complete,
    }
}

pub fn study_row(name: &str, title: &str, description: &str) -> StudyRow {
    StudyRow {
        name: name.into(),
        title: title.into(),
        description: description.into(),
        file: PathBuf::from(format!("/home/lab/affectograph/studies/{name}/study.toml")),
        planned_minutes: 15.0,
        seat: None,
        problem: None,
        is_shipped: name == "demo",
        conditions: Default::default(),
    }
}

pub fn library() -> Library {
    let mut sessions = Vec::new();
    let mut noise = Noise::new(3);
    for participant in 1..=14 {
        for session in 1..=if participant % 3 == 0 { 2 } else { 1 } {
            let study = if participant > 9 { "demo" } else { "checkout" };
            let minutes = 12.0 + 6.0 * noise.next();
            let mut row = session_row(participant, session, study, i64::from(14 - participant), minutes);
            row.grade =
                Some([Grade::A, Grade::B, Grade::C, Grade::D, Grade::F][(noise.next().abs() * 5.0) as usize % 5]);
            sessions.push(row);
        }
    }
    sessions[4].state = SessionState::Recovered(
        "The program ended abruptly while it recorded. 11:02 min were found and closed; the last 0.1 s may be missing."
            .into(),
    );
    sessions[8].state = SessionState::Damaged("session.sqlite is no affectograph session: its first bytes are not a database's. Restore it from a backup; the video beside it plays on its own.".into());
    sessions[8].grade = None;
    sessions[8].length = None;
    let mut broken = study_row("emotions2", "emotions2", "");
    broken.problem = Some("study.toml, line 4, column 1: unknown field `adress`, expected `address`".into());
    Library {
        root: PathBuf::from("/home/lab/affectograph/sessions"),
        studies_folder: PathBuf::from("/home/lab/affectograph/sessions/studies"),
        templates: templates(),
        template_problems: Vec::new(),
        studies: vec![
            study_row("demo", "Demo: three pictures", "A short, pleasant task to try everything."),
            study_row("checkout", "Checkout redesign", "Buy a pair of shoes, twice."),
            broken,
        ],
        participants: (1..=14).map(ParticipantId::numbered).collect(),
        exports: vec![ExportRow {
            to: PathBuf::from("/home/lab/affectograph/sessions/export/checkout_bids"),
            format: "bids".into(),
            is_reachable: true,
            sessions: sessions.iter().take(3).map(|s: &SessionRow| s.folder.clone()).collect(),
        }],
        sessions,
    }
}

pub fn templates() -> Vec<TemplateRow> {
    let row = |name: &str, title: &str, description: &str, media| TemplateRow {
        folder: PathBuf::from(format!("/usr/share/affectograph/studies/templates/{name}")),
        title: title.into(),
        description: description.into(),
        media,
    };
    vec![
        row(
            "pictures",
            "Picture rating",
            "Pictures from a folder, in random order, with drawn figures.",
            Some("pictures"),
        ),
        row("video", "Video watching", "Videos from a folder, one after the other.", Some("videos")),
        row("interview", "Free interview", "No page: timed phases and markers for the operator.", None),
    ]
}

/// `folder` names it.
pub fn opened(script: &Script, row: SessionRow, with_landmarks: bool) -> OpenedSession {
    let mut timeline = Timeline::default();
    streams(script.rate_hz).into_iter().for_each(|s| timeline.declare(s));
    records(script, with_landmarks).iter().for_each(|r| timeline.ingest(r));
    let frames = (0..(script.length_s * script.rate_hz) as u64)
        .map(|number| {
            let at = Timestamp::from_secs_f64(number as f64 / script.rate_hz);
            FrameMeta { number, at, time_source: TimeSource::Driver, device_sequence: None }
        })
        .filter(|f| !script.lost.iter().any(|(a, b)| (*a..*b).contains(&f.at.as_secs_f64())))
        .collect();
    OpenedSession {
        session: row,
        study_title: "Checkout redesign".into(),
        timeline,
        has_page: false,
        frames,
        quality: quality(script),
        facts: vec![
            ("Camera".into(), "HD Pro Webcam C920, 640 × 480, 30 fps, MJPEG, v4l".into()),
            ("Networks".into(), "face 1.0, landmarks 1.0, affect 1.0".into()),
            ("Consent".into(), "confirmed before the recording".into()),
            ("Software".into(), "affectograph 0.1.0".into()),
        ],
        annotation_labels: vec!["smile".into(), "frown".into(), "looks away".into()],
        baseline: Some(Baseline {
            valence: Zero { zero: 0.12, spread: Some(0.08), samples: 900 },
            arousal: Zero { zero: -0.2, spread: Some(0.1), samples: 900 },
            seconds: 30.0,
        }),
        poor: vec![PoorStretch {
            from: Timestamp::from_secs_f64(script.length_s * 0.3),
            until: Timestamp::from_secs_f64(script.length_s * 0.33),
            flaw: Flaw::Turned,
        }],
    }
}

// --- A study that was asked --------------------------------------------------------------------------------------

/// What two kinds of events might do to a face: the first makes it smile, the second does nothing.
fn course(condition: usize, signal: &SignalId, at_s: f64) -> f64 {
    let rise = |start: f64| 1.0 / (1.0 + (-(at_s - start) * 5.0).exp());
    let bump = rise(0.6) - 0.7 * rise(2.6);
    match (condition, signal.is_valence()) {
        (0, true) => 0.34 * bump,
        (0, false) => 0.12 * bump,
        (_, true) => -0.03 * bump,
        (_, false) => 0.08 * bump,
    }
}

pub fn catalogue() -> EventCatalogue {
    let kind = |stream: &str, kind: &str, count, targets: &[(&str, u64)], values: &[(&str, u64)]| {
        let own = |list: &[(&str, u64)]| list.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
        EventKind { stream: stream.into(), kind: kind.into(), count, targets: own(targets), values: own(values) }
    };
    EventCatalogue {
        conditions: Vec::new(),
        signals: Vec::new(),
        kinds: vec![
            kind("page", "click", 412, &[("button#next", 180), ("button#buy", 96), ("a#help", 14)], &[]),
            kind("page", "input", 233, &[("input#answer", 233)], &[]),
            kind("marker", "marker", 61, &[], &[("laughs", 34), ("looks away", 27)]),
        ],
        unread: Vec::new(),
    }
}

pub fn answer(question: &StudyQuery, epochs_each: usize) -> StudyQueryResult {
    let times_s = question.plan.times_s();
    let mut noise = Noise::new(11);
    let participants = question.sessions.len().max(1);
    let conditions: Vec<ConditionResult> = (0..question.events.len())
        .map(|condition| {
            let mut epochs = Vec::new();
            for (k, session) in question.sessions.iter().enumerate() {
                let own = 0.06 * noise.next();
                for n in 0..epochs_each {
                    let slow: [f64; 2] = [noise.next(), noise.next()];
                    let curves = question.plan.signals.iter().zip(slow).map(|(signal, slow)| {
                        let wave = |t: f64| 0.1 * (t * 1.7 + slow * 9.0).sin() * slow + own;
                        let curve =
                            times_s.iter().map(|t| course(condition, signal, *t) * (1.0 + 0.6 * slow) + wave(*t));
                        curve.map(|v| (v + 0.02 * noise.next()) as f32).collect()
                    });
                    let curves = curves.collect();
                    epochs.push(SingleEpoch {
                        session: session.clone(),
                        title: format!("sub-{:02} ses-01", k + 1),
                        at: Timestamp::from_secs_f64(20.0 + 31.0 * n as f64),
                        curves,
                    });
                }
            }
            let averages = question
                .plan
                .signals
                .iter()
                .map(|signal| average(question, condition, signal, &times_s, participants, epochs.len()));
            ConditionResult { averages: averages.collect(), epochs: epochs.into() }
        })
        .collect();
    let compared = question.plan.signals.iter().filter(|_| conditions.len() == 2);
    let comparisons = compared.map(|signal| comparison(signal, &times_s)).collect();
    StudyQueryResult {
        query: question.clone(),
        times_s,
        conditions,
        comparisons,
        notes: Vec::new(),
        unread: Vec::new(),
    }
}

fn average(
    question: &StudyQuery,
    condition: usize,
    signal: &SignalId,
    times_s: &[f64],
    participants: usize,
    epochs: usize,
) -> Average {
    let mean: Vec<f64> = times_s.iter().map(|t| course(condition, signal, *t)).collect();
    let by = |d: f64| mean.iter().map(|v| v + d).collect::<Vec<f64>>();
    let interval = Interval { low: by(-0.05), high: by(0.05), boot_low: by(-0.045), boot_high: by(0.045) };
    Average {
        measure: measure(signal),
        correction: question.plan.zero,
        times_s: times_s.to_vec(),
        interval: Some(interval),
        unit: if participants > 1 { Unit::Participants } else { Unit::Epochs },
        per_participant: BTreeMap::new(),
        participants: participants as u64,
        epochs: epochs as u64,
        matched: epochs as u64 + 9,
        dropped: BTreeMap::from([(DropReason::FaceMissing, 6), (DropReason::Overlap, 2), (DropReason::FaceTurned, 1)]),
        mean,
    }
}

fn measure(signal: &SignalId) -> Measure {
    Measure { name: signal.field.clone(), signal: signal.clone(), unit: "1".into() }
}

fn comparison(signal: &SignalId, times_s: &[f64]) -> Comparison {
    let is_valence = signal.is_valence();
    let cluster = |from_s, until_s, p| Cluster { from_s, until_s, mass: 412.0, p, p_high: p, difference: 0.3 };
    Comparison {
        measure: measure(signal),
        correction: Correction::Corrected,
        design: Design::Paired,
        times_s: times_s.to_vec(),
        t: vec![0.0; times_s.len()],
        threshold_t: 2.2,
        clusters: if is_valence { vec![cluster(0.43, 3.1, 0.0006)] } else { vec![cluster(1.0, 1.2, 0.41)] },
        effect: Effect {
            difference: if is_valence { 0.21 } else { 0.02 },
            low: -0.02,
            high: 0.3,
            cohens_d: Some(if is_valence { 1.1 } else { 0.1 }),
        },
        permutations: 5000,
        is_exact: false,
        n_a: 12,
        n_b: 12,
        left_out: Vec::new(),
        notes: Vec::new(),
    }
}
