//! Facial actions, eyes and blinks of a real film, and blinks of the phantom. What the film shows was seen in its pictures.

use affectograph::capture::phantom::{Renderer, script};
use affectograph::session::{
    ACTION, BLINK, BLINK_KIND, Body, EYES, FACE_ACTIONS, FrameMeta, TimeSource, Timestamp, eyes,
};
use affectograph::store::SessionFile;
use affectograph::vision::{Picture, RecordBuilder, Vision};

use crate::batch::{analyze, film, folder_of};
use crate::vision_support::models;

/// Pictures 25 to 29 of `single_face.mp4`, 30 Hz, show the one blink: half closed in 25, closed from 26 to 28, half open in 29.
const BLINK_PICTURES: (f64, f64) = (25.0, 29.0);

#[test]
fn a_film_shows_a_smile_and_one_blink() {
    let Some(film) = film("single_face.mp4") else { return };
    let tmp = tempfile::tempdir().unwrap();
    let session = SessionFile::open(&folder_of(&analyze(&film, tmp.path()))).unwrap();

    let blinks = session.records_from(BLINK, 0).unwrap();
    let [blink] = &blinks[..] else { panic!("{blinks:?}") };
    let Body::Event { kind, data } = &blink.body else { panic!("{blink:?}") };
    let (onset, duration_s) = (blink.at.as_secs_f64() * 30.0, data["duration_ms"].as_f64().unwrap() * 1e-3);
    let end = onset + duration_s * 30.0;
    assert_eq!(kind, BLINK_KIND);
    assert!(
        (onset - BLINK_PICTURES.0).abs() < 1.0 && (end - BLINK_PICTURES.1).abs() < 1.0,
        "pictures {onset} to {end}"
    );
    assert!(data["completeness"].as_f64().unwrap() > 0.7, "{data:?}");

    let timeline = session.timeline().unwrap();
    let action = timeline.series(ACTION).unwrap();
    let smile = action.column(FACE_ACTIONS.iter().position(|action| action.name == "au12").unwrap());
    let mean = |values: &[f32]| values.iter().sum::<f32>() / values.len() as f32;
    assert_eq!(smile.len(), 72);
    let (neutral, smiling) = (mean(&smile[..10]), mean(&smile[50..60]));
    assert!(neutral < 0.15 && smiling > 0.5, "lip corner puller {neutral}, then {smiling}");

    // A closed eye has no gaze; an open one has.
    let (closure, gaze) = (timeline.series(EYES).unwrap(), eyes::GAZE_YAW_LEFT);
    for (closure, gaze) in closure.column(eyes::CLOSURE_LEFT).iter().zip(closure.column(gaze)) {
        assert_eq!(gaze.is_nan(), *closure >= 0.6, "closure {closure}, gaze {gaze}");
    }
}

/// The phantom's lids follow a known script.
#[test]
fn the_phantoms_blinks_are_found_where_its_script_has_them() {
    let Some(mut vision) = models().map(Vision::new) else { return };
    let (mut renderer, mut rgb, mut records) = (Renderer::new(640, 480), Vec::new(), RecordBuilder::default());
    let mut found = Vec::new();
    for number in 0..375 {
        let at = Timestamp::from_secs_f64(number as f64 / 30.0);
        renderer.render(at, number, &mut rgb);
        let reading = vision.step(Picture::rgb(640, 480, &rgb).unwrap(), at).unwrap();
        let meta = FrameMeta { number, at, time_source: TimeSource::Rendered, device_sequence: None };
        found.extend(records.add(&meta, &reading, 0).blink.map(|(onset, _)| onset.as_secs_f64()));
    }
    // Half closed between the beginning and the closed lids, 0.09 s later.
    let truth: Vec<f64> = script::BLINKS_S.iter().map(|begin| begin + 0.045).filter(|s| *s < 12.0).collect();
    assert_eq!(found.len(), truth.len(), "{found:?}");
    for (found, truth) in found.iter().zip(truth) {
        assert!((found - truth).abs() < 1.0 / 30.0, "found at {found} s, in the script at {truth} s");
    }
}
