//! The values of a recording can be computed again from what it has stored.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use affectograph::capture::Pace;
use affectograph::recording::{Guided, Rescoring, Rig, RigEvent, RigPlan, SessionPlan};
use affectograph::session::{CameraSettings, FACE, Study, Timestamp, affect, face};
use affectograph::store::{SessionFile, StoredStudy};
use affectograph::vision::{Picture, VISION_STREAMS, Vision, models_folder};
use turbojpeg::{Compressor, Decompressor, Image, PixelFormat, Subsamp};

use crate::need::{need_program, need_shared};
use crate::vision_support::{grey_frames, models, project_root};

fn film(name: &str) -> Option<PathBuf> {
    models()?;
    need_program("ffmpeg")?;
    need_shared(&format!("media/{name}"))
}

/// Records a film with the rig of a live recording. The film waits for the networks, so no frame is skipped.
fn record(film: &Path, folder: PathBuf) {
    let toml = std::fs::read_to_string(project_root().join("assets/studies/demo/study.toml")).unwrap();
    let study = Study::parse(&toml).unwrap();
    let plan = RigPlan {
        camera: Some(film.display().to_string().parse().unwrap()),
        camera_settings: CameraSettings::default(),
        pace: Pace::AsFastAsScored,
        models: models_folder().unwrap(),
        affect_model: study.affect_model.clone(),
        page: None,
        markers: Vec::new(),
        sources: Vec::new(),
        lsl_out: false,
        window: None,
    };
    let session = SessionPlan {
        folder,
        participant: "sub-01".parse().unwrap(),
        session: "ses-01".parse().unwrap(),
        study: StoredStudy::new(&study, &toml),
        revision: None,
        guided: Guided::default(),
        condition: None,
        consent: None,
        pilot: false,
        overridden_checks: Vec::new(),
        planned: None,
    };
    let rig = Rig::record(&plan, session, crossbeam_channel::bounded(0).0).unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        match rig.events().recv_deadline(deadline).unwrap() {
            RigEvent::CameraEnded { .. } => break,
            RigEvent::VisionFailed(why) => panic!("{why}"),
            _ => {}
        }
    }
    rig.stop().unwrap();
}

#[test]
fn live_values_are_computed_again_from_the_video_of_raw_pictures() {
    let Some(film) = film("single_face.mp4") else { return };
    let tmp = tempfile::tempdir().unwrap();
    let folder = tmp.path().join("session");
    record(&film, folder.clone());
    let rescoring = Rescoring {
        folder: folder.clone(),
        model: Some("affect".to_owned()),
        models: models_folder().unwrap(),
        threads: 1,
        author: "test".to_owned(),
    };
    let told = rescoring.run(&AtomicBool::new(false), |_, _| {}).unwrap();
    assert_eq!((told.frames, told.with_face, told.failed), (72, 72, 0));
    let timeline = SessionFile::open(&folder).unwrap().timeline().unwrap();
    for name in VISION_STREAMS {
        let live = timeline.series(name).unwrap();
        let again = timeline.series(&format!("{name}_affect")).unwrap();
        assert_eq!((live.len(), live.times()), (72, again.times()), "{name}");
        // The time that the networks took is another one each time.
        let fields = (0..live.info.fields.len()).filter(|field| name != FACE || *field != face::INFERENCE_MS);
        for field in fields {
            // Bits, because a closed eye's gaze is not a number.
            let bits = |column: &[f32]| column.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            let name = format!("{name}.{}", live.info.fields[field].name);
            assert_eq!(bits(live.column(field)), bits(again.column(field)), "{name}");
        }
    }
}

fn jpeg_and_back(grey: &[u8], width: usize, height: usize, quality: i32) -> Vec<u8> {
    let mut compressor = Compressor::new().unwrap();
    compressor.set_quality(quality).unwrap();
    compressor.set_subsamp(Subsamp::Gray).unwrap();
    let image = Image { pixels: grey, width, pitch: width, height, format: PixelFormat::GRAY };
    let jpeg = compressor.compress_to_vec(image).unwrap();
    let mut back = vec![0; grey.len()];
    let image = Image { pixels: &mut back[..], width, pitch: width, height, format: PixelFormat::GRAY };
    Decompressor::new().unwrap().decompress(&jpeg, image).unwrap();
    back
}

/// Valence and arousal of each picture. `step`: of how many frames one is scored.
fn score(vision: &mut Vision, pictures: &[Vec<u8>], (width_px, height_px): (u32, u32), step: usize) -> Vec<[f32; 2]> {
    vision.reset();
    let read = |(k, pixels): (usize, &Vec<u8>)| {
        let picture = Picture::grey(width_px, height_px, pixels).unwrap();
        let reading = vision.step(picture, Timestamp::from_secs_f64(k as f64 / 30.0)).unwrap();
        let values = reading.affect_values().unwrap();
        [values[affect::VALENCE], values[affect::AROUSAL]]
    };
    pictures.iter().enumerate().step_by(step).map(read).collect()
}

/// Prints and returns the mean and the largest difference of valence and arousal.
fn difference(what: &str, a: &[[f32; 2]], b: &[[f32; 2]]) -> (f32, f32) {
    let all: Vec<f32> = a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| (a - b).abs()).collect();
    let (mean, most) = (all.iter().sum::<f32>() / all.len() as f32, all.iter().copied().fold(0.0, f32::max));
    println!("{what}: {mean:.4} on average, {most:.4} at most");
    (mean, most)
}

/// The network computes in 8 bits, so a change of any size moves its values by whole steps. Live and rescored values can
/// only be equal if the pictures are. Prints the figures of docs/robustness.md.
#[test]
fn compression_of_any_quality_moves_values_by_steps_of_the_network() {
    let Some(film) = film("single_face.mp4") else { return };
    let Some(mut vision) = models().map(Vision::new) else { return };
    let Some((frames, _)) = grey_frames(&film) else { return };
    let size = (frames[0].width_px, frames[0].height_px);
    let raw: Vec<Vec<u8>> = frames.into_iter().map(|frame| frame.pixels).collect();
    let values = score(&mut vision, &raw, size, 1);
    assert_eq!(values, score(&mut vision, &raw, size, 1), "the same pictures have the same values");
    for quality in [75, 90, 100] {
        let compress = |grey: &Vec<u8>| jpeg_and_back(grey, size.0 as usize, size.1 as usize, quality);
        let compressed: Vec<_> = raw.iter().map(compress).collect();
        let what = format!("JPEG of quality {quality} beside the raw picture");
        let (mean, most) = difference(&what, &values, &score(&mut vision, &compressed, size, 1));
        assert!(0.0 < mean && most < 0.05, "{what}");
    }
    // The tracker begins at the last scored frame, so a skipped frame has an influence, too.
    for step in [2, 3] {
        let what = format!("one of {step} frames scored, beside all of them");
        let all: Vec<_> = values.iter().copied().step_by(step).collect();
        let (_, most) = difference(&what, &all, &score(&mut vision, &raw, size, step));
        assert!(most < 0.05, "{what}");
    }
}
