//! Exports, judged by the programs that others read them with.

mod bids;
mod full_disk;
mod groups;
mod import;
mod import_tables;
mod parquet;
mod report;
mod tables;
mod xdf;
mod xdf_import;

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::program::run as affectograph;
use affectograph::session::{
    GapReason, Timestamp, affect_stream, face_stream, health_stream, marker_stream, page_clock_stream, page_stream,
    rating_stream, video_stream,
};
use affectograph::store::{
    CameraDescription, Library, ModelDescription, Recorder, SessionEnd, SessionHeader, StoredStudy,
};
use serde_json::json;

const STUDY: &str =
    "name = \"demo\"\ntitle = \"Four pictures\"\ndescription = \"Look and choose\"\n[page]\naddress = \"page\"\n";

fn ms(ms: f64) -> Timestamp {
    Timestamp::from_secs_f64(ms * 1e-3)
}

/// A study of two participants, three sessions in all, in a library below `root`. Returns the sessions' folders.
fn record_study(root: &Path) -> Vec<PathBuf> {
    let library = Library::open(root).unwrap();
    [(1, 1), (1, 2), (2, 1)].map(|(participant, number)| record_session(&library, participant, number)).to_vec()
}

fn record_session(library: &Library, participant: u32, number: u32) -> PathBuf {
    record_session_as(library, participant, number, |_| {})
}

/// 20 s at about 30 Hz with jitter, a hole from 8 to 10 s, clicks each second, and what else a session holds.
pub fn record_session_as(
    library: &Library,
    participant: u32,
    number: u32,
    change: impl FnOnce(&mut SessionHeader),
) -> PathBuf {
    let study = affectograph::session::Study::parse(STUDY).unwrap();
    let participant = affectograph::session::ParticipantId::numbered(participant);
    let number = affectograph::session::SessionNumber(number);
    let zero_utc = "2026-11-23T10:00:00.123456789Z".parse().unwrap();
    let folder = library.create_session(&participant, number, "demo", zero_utc).unwrap();
    let mut header = SessionHeader {
        camera: CameraDescription {
            name: "phantom".into(),
            width_px: 64,
            height_px: 48,
            rate_hz: 30.0,
            ..Default::default()
        },
        models: vec![ModelDescription {
            name: "affect".into(),
            version: "2".into(),
            sha256: "0a1b2c3d4e5f".repeat(5),
            ..Default::default()
        }],
        ..SessionHeader::plain(participant, number, StoredStudy::new(&study, STUDY), zero_utc)
    };
    change(&mut header);
    let mut streams = vec![
        affect_stream(30.0, "affect 2"),
        face_stream(30.0, "face 1"),
        page_stream(),
        marker_stream(),
        health_stream(),
        page_clock_stream(),
        video_stream("phantom"),
    ];
    // Sessions of one study need not have the same streams.
    let is_rated = number.0 == 2;
    if is_rated {
        streams.push(rating_stream());
    }
    let recorder = Recorder::create(&folder, header, streams, crossbeam_channel::unbounded().0).unwrap();
    let (affect, face) = (recorder.stream("affect").unwrap(), recorder.stream("face").unwrap());
    for k in (0..600u64).filter(|k| !(240..300).contains(k)) {
        let at = ms(50.0 + k as f64 * 1000.0 / 30.0 + (k as f64 * 1.7).sin() * 4.0);
        let mut values: [f32; 12] = std::array::from_fn(|field| ((k + field as u64) as f32 * 0.05).sin() * 0.7);
        if k == 17 {
            values[1] = f32::NAN;
        }
        affect.sample(at, Some(k), &values).unwrap();
        let wave = (k as f32 * 0.03).sin();
        // Box, score, pose, openness, size, light: a face that is seen well.
        let seen =
            [100.0, 80.5, 120.0, 120.0, 0.98, 5.0 * wave, 3.0, -1.0, 0.3, 0.31, 0.1, 64.0 + wave, 0.5, 90.0, 1.0, 2.5];
        face.sample(at, Some(k), &seen).unwrap();
    }
    affect.gap(ms(8050.0), ms(10_050.0), GapReason::NoFace, 60, "").unwrap();
    if is_rated {
        let rating = recorder.stream("rating").unwrap();
        (0..50).for_each(|k| rating.sample(ms(f64::from(k) * 100.0), None, &[0.5, k as f32 * 0.01]).unwrap());
    }
    let page = recorder.stream("page").unwrap();
    for k in 0..20 {
        let at = ms(f64::from(k) * 1000.0 + 500.0);
        let data = json!({"target": "button#buy", "x_px": 10.5, "y_px": 2.0, "button": 0, "buttons": 0, "device": "mouse", "page_ms": k * 1000});
        page.event(at, "click", data).unwrap();
    }
    page.event(ms(700.0), "keydown", json!({"target": "input", "key": "\t\"<ä>\n", "page_ms": 1})).unwrap();
    page.event(ms(701.0), "something_new", json!({})).unwrap();
    let marker = recorder.stream("marker").unwrap();
    marker.event(ms(-20.0), "note", json!({"label": "before\tthe \"start\""})).unwrap();
    marker.event(ms(5000.0), "marker", json!({"label": "looked away", "key": "1"})).unwrap();
    let clock = recorder.stream("page_clock").unwrap();
    clock.event(ms(100.0), "measured", json!({"offset_ms": 1.25, "uncertainty_ms": 0.5, "document": 1})).unwrap();
    recorder.finish(SessionEnd { at: ms(20_100.0), quality: None }).unwrap();
    folder
}

fn export(what: &[&str], format: &str, to: &Path, sessions: &Path) -> Output {
    affectograph(&[&["export"], what, &["--format", format, "--to", to.to_str().unwrap()]].concat(), sessions)
}

fn succeeded(output: Output) -> Output {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}
