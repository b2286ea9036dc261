//! The whole line of this room with the shipped networks on real recordings and pictures.

use affectograph::session::{EXPRESSIONS, Timestamp};
use affectograph::vision::{Reading, Scorer, Vision};

use crate::need::need_shared;
use crate::vision_support::{grey_frames, models};

/// Every frame of a recording looked at in order, with its time in seconds.
fn watch(file: &str) -> Option<Vec<(f64, Reading)>> {
    let (models, path) = (models()?, need_shared(&format!("media/{file}"))?);
    let (frames, rate_hz) = grey_frames(&path)?;
    let mut vision = Vision::new(models);
    let look = |(k, frame): (usize, affectograph::vision::OwnedPicture)| {
        let seconds = k as f64 / rate_hz;
        (seconds, vision.step(frame.as_picture().unwrap(), Timestamp::from_secs_f64(seconds)).unwrap())
    };
    Some(frames.into_iter().enumerate().map(look).collect())
}

fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let all: Vec<f32> = values.collect();
    all.iter().sum::<f32>() / all.len() as f32
}

#[test]
fn a_smile_is_followed_in_every_frame_and_valence_rises() {
    let Some(readings) = watch("single_face.mp4") else { return };
    assert_eq!(readings.len(), 72);
    let faces: Vec<_> = readings.iter().filter_map(|(_, r)| r.face.as_ref()).collect();
    assert_eq!(faces.len(), readings.len());
    assert!(readings.iter().all(|(_, r)| r.faces == 1));
    let detected = readings.iter().filter(|(_, r)| r.step_ms.detector_ms.is_some()).count();
    assert_eq!(detected, 3, "at 0, 1 and 2 s");
    let valence = |part: &[&affectograph::vision::FaceReading]| mean(part.iter().map(|f| f.affect.valence));
    let (before, after) = (valence(&faces[..10]), valence(&faces[62..]));
    println!("valence from {before:.2} to {after:.2}");
    assert!(after - before >= 0.3, "from {before} to {after}");
    let share =
        |part: &[&affectograph::vision::FaceReading], k: usize| mean(part.iter().map(|f| f.affect.expression[k]));
    assert_eq!((EXPRESSIONS[0], EXPRESSIONS[1]), ("neutral", "happiness"));
    assert!(share(&faces[62..], 1) > 0.5 && share(&faces[..10], 1) < 0.5);
    for face in faces {
        assert!(face.pose.yaw_deg.abs() < 30.0 && face.pose.roll_deg.abs() < 30.0, "{:?}", face.pose);
        assert!((face.affect.expression.iter().sum::<f32>() - 1.0).abs() < 1e-3);
        assert!(face.quality.inter_ocular_px > 20.0 && (0.05..0.95).contains(&face.quality.brightness));
    }
}

#[test]
fn where_nobody_is_no_face_is_seen() {
    let Some(readings) = watch("no_face.mp4") else { return };
    let seen: Vec<f64> = readings.iter().filter(|(_, r)| r.faces > 0 || r.face.is_some()).map(|(s, _)| *s).collect();
    assert!(seen.is_empty(), "at {seen:?} s");
}

/// The share of frames with a face in the first and in the last part of a recording.
fn presence(readings: &[(f64, Reading)], first_s: f64, last_s: f64) -> (f32, f32) {
    let end_s = readings.last().unwrap().0;
    let share = |keep: &dyn Fn(f64) -> bool| {
        mean(readings.iter().filter(|(s, _)| keep(*s)).map(|(_, r)| if r.face.is_some() { 1.0 } else { 0.0 }))
    };
    (share(&|s| s < first_s), share(&|s| s > end_s - last_s))
}

#[test]
fn a_face_vanishes() {
    let Some(readings) = watch("face_noface.mov") else { return };
    let (first, last) = presence(&readings, 1.0, 1.0);
    assert!(first > 0.9 && last < 0.1, "{first} {last}");
}

#[test]
fn a_face_appears() {
    let Some(readings) = watch("noface_face.mov") else { return };
    let (first, last) = presence(&readings, 1.0, 1.0);
    assert!(first < 0.1 && last > 0.9, "{first} {last}");
}

#[test]
fn every_face_of_a_picture_is_scored() {
    let (Some(models), Some(one)) = (models(), need_shared("media/single_face.jpg")) else { return };
    let Some(many) = need_shared("media/multi_face.jpg") else { return };
    let mut scorer = Scorer::new(models);
    let single = scorer.score(&one, false).unwrap();
    assert_eq!(single.faces.len(), 1);
    let line = serde_json::to_value(&single).unwrap();
    let face = &line["faces"][0];
    assert_eq!(face["shape"]["points"].as_array().unwrap().len(), 68);
    assert!(face["valence"].is_f64() && face["valence_sd"].is_f64() && face["box"]["left"].is_f64());
    assert!(face["expression"]["neutral"].is_f64());
    assert!(scorer.score(&many, false).unwrap().faces.len() > 1);
    // Already cropped: one face, the whole picture, no landmarks.
    let cropped = serde_json::to_value(scorer.score(&one, true).unwrap()).unwrap();
    assert!(cropped["faces"][0]["shape"].is_null() && cropped["faces"][0]["valence"].is_f64());
    let error = scorer.score(std::path::Path::new(file!()), false).unwrap_err().to_string();
    assert!(error.contains("cannot be read as a picture"), "{error}");
}
