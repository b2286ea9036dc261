//! Compares the client library's vision chain with the program's on a clip. The client's own tests are in `client/test`.

use std::path::PathBuf;
use std::process::Command;

use affectograph::session::Timestamp;
use affectograph::session::affect::EXPRESSION_0;
use affectograph::vision::{OwnedPicture, Reading, Vision};

use super::need::{need, need_program, need_shared};
use super::vision_support::{grey_frames, models, project_root};

/// The largest allowed difference of valence, arousal, their uncertainty and the probabilities in any frame. The networks give
/// the same for the same crop. Crops are computed in fixed point here and in 64-bit floats there. A difference of one
/// ten-thousandth can round to the next of a network's 256 steps.
const AXES_TOLERANCE: f64 = 0.02;
const PROBABILITY_TOLERANCE: f64 = 0.05;
/// The limit for the largest of these differences, averaged over the frames.
const MEAN_TOLERANCE: f64 = 0.005;
/// The largest movement of a landmark on a still face.
const LANDMARK_TOLERANCE_PX: f64 = 0.3;
/// The limits for the facial actions and for closure and gaze of the eyes, in their units.
const ACTION_TOLERANCE: f64 = 0.05;
const EYES_TOLERANCE: f64 = 1.5;
/// The limit for each stored number about the face except the processing time, in its unit: box in px, score, angles in °,
/// openness of eyes and mouth, inter-ocular distance in px, brightness, sharpness (some hundreds), number of faces.
const FACE_TOLERANCE: [f64; 15] = [0.5, 0.5, 0.5, 0.5, 0.01, 0.3, 0.3, 0.3, 0.005, 0.005, 0.01, 0.3, 0.005, 6.0, 0.0];

/// The client's folder, or `None` with a printed reason if Node or its packages are missing.
fn client() -> Option<PathBuf> {
    let folder = project_root().join("client");
    need_program("node")?;
    let has_packages = folder.join("test/node_modules").is_dir();
    let why = format!("{} has no test/node_modules (npm ci --prefix test)", folder.display());
    need("the client library's packages", has_packages.then_some(folder).ok_or(why))
}

fn node(folder: &PathBuf, arguments: &[&str]) -> String {
    let output = Command::new("node").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "node {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn read_here(frames: &[OwnedPicture], rate_hz: f64) -> Option<Vec<Reading>> {
    let mut vision = Vision::new(models()?);
    let at = |k: usize| Timestamp::from_ns((k as f64 * 1e9 / rate_hz) as i64);
    Some(frames.iter().enumerate().map(|(k, f)| vision.step(f.as_picture().unwrap(), at(k)).unwrap()).collect())
}

fn numbers(value: &serde_json::Value, stream: &str) -> Vec<f64> {
    value[stream].as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

/// The largest difference between two rows of numbers. Infinite if only one of them has a value.
fn apart(ours: &[f32], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let distance = |a: f64, b: f64| if a.is_nan() && b.is_nan() { 0.0 } else { (a - b).abs() };
    let all = ours.iter().zip(theirs).map(|(a, b)| distance(f64::from(*a), *b));
    all.fold(0.0, |most, d| if d.is_nan() { f64::INFINITY } else { most.max(d) })
}

#[test]
fn a_browser_reads_a_face_as_the_program_does() {
    let (Some(folder), Some(clip)) = (client(), need_shared("media/single_face.mp4")) else { return };
    let Some((frames, rate_hz)) = grey_frames(&clip) else { return };
    let Some(ours) = read_here(&frames, rate_hz) else { return };
    let raw = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(raw.path(), frames.iter().flat_map(|f| f.pixels.iter().copied()).collect::<Vec<u8>>()).unwrap();
    let (width, height) = (frames[0].width_px.to_string(), frames[0].height_px.to_string());
    let path = raw.path().to_str().unwrap();
    let said = node(&folder, &["test/score.mjs", path, &width, &height, &rate_hz.to_string()]);
    let theirs: Vec<serde_json::Value> = said.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(theirs.len(), ours.len());
    let (mut faces, mut axes, mut probabilities, mut sum, mut points) = (0, 0.0f64, 0.0f64, 0.0, 0.0f64);
    let (mut actions, mut eyes) = (0.0f64, 0.0f64);
    let mut face = [0.0f64; FACE_TOLERANCE.len()];
    for (k, (here, there)) in ours.iter().zip(&theirs).enumerate() {
        let Some(values) = here.affect_values() else {
            assert!(there.is_null(), "frame {k} shows a face only to the browser");
            continue;
        };
        assert!(!there.is_null(), "frame {k} shows a face only to the program");
        faces += 1;
        let told = numbers(there, "affect");
        let (near, sure) = (
            apart(&values[..EXPRESSION_0], &told[..EXPRESSION_0]),
            apart(&values[EXPRESSION_0..], &told[EXPRESSION_0..]),
        );
        (axes, probabilities, sum) = (axes.max(near), probabilities.max(sure), sum + near.max(sure));
        points = points.max(apart(&here.landmark_values().unwrap(), &numbers(there, "landmarks")));
        let own = here.face.as_ref().unwrap();
        actions = actions.max(apart(&own.action_values().unwrap(), &numbers(there, "action")));
        eyes = eyes.max(apart(&own.eye_values().unwrap(), &numbers(there, "eyes")));
        let (here, there) = (here.face_values().unwrap(), numbers(there, "face"));
        for (k, most) in face.iter_mut().enumerate() {
            *most = most.max(apart(&here[k..=k], &there[k..=k]));
        }
    }
    let mean = sum / f64::from(faces);
    println!("{faces} faces in {} frames, apart at most: valence, arousal and spread {axes:.4},", ours.len());
    println!("probabilities {probabilities:.4}, both {mean:.4} on average; landmarks {points:.4} px; face {face:.4?}");
    println!("actions {actions:.4}, eyes {eyes:.3} (closure 0 … 1, gaze in degrees)");
    assert!(faces > 60);
    assert!(actions <= ACTION_TOLERANCE && eyes <= EYES_TOLERANCE);
    assert!(axes <= AXES_TOLERANCE && probabilities <= PROBABILITY_TOLERANCE && mean <= MEAN_TOLERANCE);
    assert!(points <= LANDMARK_TOLERANCE_PX, "{points} px");
    assert!(face.iter().zip(FACE_TOLERANCE).all(|(apart, allowed)| *apart <= allowed), "{face:?}");
}
