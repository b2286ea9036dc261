//! Detect, track, lose, find again, count, skip: with networks that are formulas and take a bright square for a face,
//! so that every step of the way is known beforehand.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use affectograph::session::{EXPRESSIONS, Frame, FrameMeta, Latest, Pixels, TimeSource, Timestamp, face};
use affectograph::vision::{Colour, Models, OwnedPicture, Picture, Scored, Vision, VisionError, VisionWorker};

use crate::vision_onnx::{CHAIN_TABLES, constant, head, install, model, node};
use crate::vision_support::runtime;

const WIDTH: usize = 320;
const HEIGHT: usize = 240;
const SQUARE: usize = 56;

/// How bright the mean of a window must be, 0 … 255, to be a face for sure.
const BRIGHT: f32 = 150.0;

fn grey_input(name: &str, height: usize, width: usize) -> String {
    format!("[input]\nname = \"{name}\"\nshape = [1, 1, {height}, {width}]\ncolour = \"grey\"\nmean = [0]\nstd = [1]\n")
}

/// Score = sigmoid(mean of the 56 px window around the cell − 150), boxes 56 px wide, points where eyes would be.
fn write_detector(folder: &Path) {
    let window = [SQUARE as i64; 2];
    let pads = [(SQUARE as i64 - 8) / 2; 4];
    let nodes = vec![
        node(
            "AveragePool",
            &["picture"],
            "mean",
            &[
                ("kernel_shape", &window, true),
                ("strides", &[8, 8], true),
                ("pads", &pads, true),
                ("count_include_pad", &[1], false),
            ],
        ),
        node("Sub", &["mean", "bright"], "over", &[]),
        node("Mul", &["over", "slope"], "logit", &[]),
        node("Sigmoid", &["logit"], "score", &[]),
        node("Identity", &["boxes"], "box", &[]),
        node("Identity", &["places"], "points", &[]),
    ];
    let cells = 30 * 40;
    let half = SQUARE as f32 / 2.0;
    let places = [-10.0, -8.0, 10.0, -8.0, 0.0, 0.0, -8.0, 10.0, 8.0, 10.0].map(|v| vec![v; cells]).concat();
    let constants = vec![
        constant("bright", &[1], &[BRIGHT]),
        constant("slope", &[1], &[0.1]),
        constant("boxes", &[1, 4, 30, 40], &vec![half; 4 * cells]),
        constant("places", &[1, 10, 30, 40], &places),
    ];
    let outputs: [(&str, &[i64]); 3] =
        [("score", &[1, 1, 30, 40]), ("box", &[1, 4, 30, 40]), ("points", &[1, 10, 30, 40])];
    let onnx = model(nodes, constants, &[("picture", &[1, 1, 240, 320])], &outputs);
    let mut card = head("detector") + &grey_input("picture", 240, 320) + CHAIN_TABLES;
    for (name, shape) in outputs {
        card += &format!("[[output]]\nname = \"{name}\"\nshape = {shape:?}\n");
    }
    install(folder, &onnx, &(card + "[[figure]]\nname = \"score_threshold\"\nvalue = 0.5\ncommand = \"c\"\n"));
}

/// Points fixed in the crop, such that the next crop is as large as this one; a face where the crop's mean is bright.
fn write_landmarks(folder: &Path) {
    let nodes = vec![
        node("GlobalAveragePool", &["face_in"], "pooled", &[]),
        node("Flatten", &["pooled"], "mean", &[]),
        node("Sub", &["mean", "bright"], "over", &[]),
        node("Sigmoid", &["over"], "face", &[]),
        node("Identity", &["places"], "points", &[]),
        node("Identity", &["angles"], "pose", &[]),
    ];
    let mut points = [[0.5f32, 0.5]; 68];
    let half = 0.5 / 1.45;
    (points[0], points[16], points[8]) = ([0.5 - half, 0.5 - half], [0.5 + half, 0.5 - half], [0.5, 0.5 + half]);
    points[36..42].fill([0.4, 0.4]);
    points[42..48].fill([0.6, 0.4]);
    (points[48], points[54]) = ([0.4, 0.62], [0.6, 0.62]);
    let constants = vec![
        constant("bright", &[1], &[80.0]),
        constant("places", &[1, 136], points.as_flattened()),
        constant("angles", &[1, 3], &[10.0, -5.0, 2.0]),
    ];
    let outputs: [(&str, &[i64]); 3] = [("points", &[1, 136]), ("pose", &[1, 3]), ("face", &[1, 1])];
    let onnx = model(nodes, constants, &[("face_in", &[1, 1, 112, 112])], &outputs);
    let mut card = head("landmarks") + &grey_input("face_in", 112, 112) + CHAIN_TABLES;
    for (name, shape) in outputs {
        card += &format!("[[output]]\nname = \"{name}\"\nshape = {shape:?}\n");
    }
    install(folder, &onnx, &card);
}

/// Uniform probabilities.
fn write_affect(folder: &Path) {
    let nodes = vec![
        node("GlobalAveragePool", &["face"], "pooled", &[]),
        node("Flatten", &["pooled"], "mean", &[]),
        node("Gemm", &["mean", "zeros"], "scores", &[]),
        node("Softmax", &["scores"], "expression", &[("axis", &[1], false)]),
    ];
    let constants = vec![constant("zeros", &[1, 8], &[0.0; 8])];
    let onnx = model(nodes, constants, &[("face", &[1, 1, 48, 48])], &[("expression", &[1, 8])]);
    let card = head("affect")
        + &grey_input("face", 48, 48)
        + "left_eye = [0.3, 0.4]\nright_eye = [0.7, 0.4]\n[[output]]\nname = \"expression\"\nshape = [1, 8]\n"
        + &format!("labels = {EXPRESSIONS:?}\n");
    install(folder, &onnx, &card);
}

fn vision() -> Option<Vision> {
    runtime()?;
    let folder = tempfile::tempdir().unwrap();
    write_detector(&folder.path().join("detector"));
    write_landmarks(&folder.path().join("landmarks"));
    write_affect(&folder.path().join("affect"));
    Some(Vision::new(Models::load(folder.path(), "affect").unwrap()))
}

/// Dark, with bright squares at these left upper corners.
fn picture(squares: &[(usize, usize)]) -> Vec<u8> {
    picture_with(squares, 230)
}

fn picture_with(squares: &[(usize, usize)], grey: u8) -> Vec<u8> {
    let is_bright = |x: usize, y: usize| {
        squares.iter().any(|(left, top)| (*left..left + SQUARE).contains(&x) && (*top..top + SQUARE).contains(&y))
    };
    (0..WIDTH * HEIGHT).map(|i| if is_bright(i % WIDTH, i / WIDTH) { grey } else { 20 }).collect()
}

fn step(vision: &mut Vision, squares: &[(usize, usize)], ms: i64) -> affectograph::vision::Reading {
    let pixels = picture(squares);
    let picture = Picture::grey(WIDTH as u32, HEIGHT as u32, &pixels).unwrap();
    vision.step(picture, Timestamp::from_ns(ms * 1_000_000)).unwrap()
}

const MIDDLE: (usize, usize) = (128, 88);
const CORNER: (usize, usize) = (8, 8);

#[test]
fn a_face_is_detected_once_then_tracked_and_others_are_counted_every_second() {
    let Some(mut vision) = vision() else { return };
    let first = step(&mut vision, &[MIDDLE, CORNER], 0);
    assert!(first.step_ms.detector_ms.is_some() && first.step_ms.affect_ms.is_some());
    assert_eq!(first.faces, 2);
    let face = first.face.clone().unwrap();
    // The central one; brows to chin are 1.3/1.45 of the detector's box.
    let [x, y] = face.rect.centre();
    assert!((x - 156.0).abs() < 1.0 && (y - 116.0).abs() < 1.0, "{:?}", face.rect);
    assert!((face.rect.width - 1.3 / 1.45 * SQUARE as f32).abs() < 0.5);
    assert_eq!((face.pose.yaw_deg, face.pose.pitch_deg, face.pose.roll_deg), (10.0, -5.0, 2.0));
    assert!(face.affect.expression.iter().all(|p| (p - 0.125).abs() < 1e-6));
    let values = first.face_values().unwrap();
    assert_eq!((values[face::FACES], values[face::YAW]), (2.0, 10.0));
    assert!(first.affect_values().unwrap()[..4].iter().all(|v| v.is_nan()));
    // Tracked without the detector until a second is over; the other one left meanwhile, which is noticed then.
    for ms in [33, 500, 999] {
        let reading = step(&mut vision, &[MIDDLE], ms);
        assert_eq!((reading.step_ms.detector_ms, reading.faces), (None, 2), "{ms}");
        assert_eq!(reading.face.unwrap().rect, face.rect);
    }
    let recount = step(&mut vision, &[MIDDLE], 1000);
    assert!(recount.step_ms.detector_ms.is_some());
    assert_eq!(recount.faces, 1);
}

#[test]
fn a_lost_face_is_looked_for_in_the_same_frame_and_found_where_it_was() {
    let Some(mut vision) = vision() else { return };
    // Alone, so it is the participant's although it is in the corner.
    assert!(step(&mut vision, &[CORNER], 0).face.is_some());
    let gone = step(&mut vision, &[], 33);
    assert!(gone.step_ms.detector_ms.is_some());
    assert_eq!((gone.faces, gone.face), (0, None));
    let back = step(&mut vision, &[MIDDLE, CORNER], 66).face.unwrap();
    assert!(back.rect.centre()[0] < 60.0, "the same face is followed: {:?}", back.rect);
    // It jumps: lost and found again within one frame.
    let jumped = step(&mut vision, &[(240, 152)], 99);
    assert!(jumped.step_ms.detector_ms.is_some());
    assert!(jumped.face.unwrap().rect.centre()[0] > 230.0);
    // After a reset nobody is remembered: the most central one.
    vision.reset();
    assert!((step(&mut vision, &[MIDDLE, CORNER], 132).face.unwrap().rect.centre()[0] - 156.0).abs() < 3.0);
    // Neither is he long after.
    step(&mut vision, &[CORNER], 165);
    step(&mut vision, &[], 200);
    let later = step(&mut vision, &[MIDDLE, CORNER], 20_000).face.unwrap();
    assert!((later.rect.centre()[0] - 156.0).abs() < 3.0);
}

#[test]
fn what_the_detector_never_confirms_is_given_up() {
    let Some(mut vision) = vision() else { return };
    assert!(step(&mut vision, &[MIDDLE], 0).face.is_some());
    // Bright enough for the landmark network, too dim for the detector.
    let dim = picture_with(&[MIDDLE], 140);
    let mut seen = Vec::new();
    for ms in (100..2500).step_by(100) {
        let picture = Picture::grey(WIDTH as u32, HEIGHT as u32, &dim).unwrap();
        let reading = vision.step(picture, Timestamp::from_ns(ms * 1_000_000)).unwrap();
        seen.push((ms, reading.face.is_some()));
    }
    assert!(seen.iter().all(|(ms, is_there)| *is_there == (*ms < 2000)), "{seen:?}");
    // One detection that misses it is forgiven.
    assert!(step(&mut vision, &[MIDDLE], 3000).face.is_some());
    let picture = Picture::grey(WIDTH as u32, HEIGHT as u32, &dim).unwrap();
    assert!(vision.step(picture, Timestamp::from_ns(4_000_000_000)).unwrap().face.is_some());
    assert!(step(&mut vision, &[MIDDLE], 5000).face.is_some());
    let picture = Picture::grey(WIDTH as u32, HEIGHT as u32, &dim).unwrap();
    assert!(vision.step(picture, Timestamp::from_ns(6_000_000_000)).unwrap().face.is_some());
}

fn frame(number: u64, squares: &[(usize, usize)]) -> Arc<Frame> {
    Arc::new(Frame {
        meta: FrameMeta {
            number,
            at: Timestamp::from_ns(number as i64 * 33_000_000),
            time_source: TimeSource::Rendered,
            device_sequence: None,
        },
        width_px: WIDTH as u32,
        height_px: HEIGHT as u32,
        pixels: Pixels::Grey(picture(squares)),
    })
}

fn decode(frame: &Frame, colour: Colour) -> Result<OwnedPicture, String> {
    assert_eq!(colour, Colour::Grey);
    match &frame.pixels {
        Pixels::Grey(pixels) if frame.meta.number != 5 => {
            Ok(OwnedPicture { width_px: frame.width_px, height_px: frame.height_px, colour, pixels: pixels.clone() })
        }
        _ => Err("it is torn".to_owned()),
    }
}

#[test]
fn the_worker_says_what_it_skipped_and_what_it_could_not_read() {
    let Some(vision) = vision() else { return };
    let slot = Latest::default();
    let (sender, scored) = channel::<Scored>();
    let worker = VisionWorker::start(vision, slot.clone(), decode, move |s| sender.send(s).unwrap()).unwrap();
    let mut seen = Vec::new();
    for number in [2, 3, 5, 9] {
        slot.put(frame(number, &[MIDDLE]));
        seen.push(scored.recv_timeout(Duration::from_secs(20)).unwrap());
    }
    assert_eq!(seen.iter().map(|s| s.skipped_before).collect::<Vec<_>>(), [2, 0, 1, 3]);
    assert_eq!(seen.iter().map(|s| s.frame.meta.number).collect::<Vec<_>>(), [2, 3, 5, 9]);
    assert_eq!(seen[2].reading.as_ref().unwrap_err(), &VisionError::Decode { frame: 5, why: "it is torn".to_owned() });
    assert!(seen[3].reading.as_ref().unwrap().face.is_some());
    // What is in the slot when it is closed is still looked at.
    slot.put(frame(10, &[MIDDLE]));
    let (vision, counters) = worker.stop().unwrap();
    assert_eq!(scored.recv().unwrap().frame.meta.number, 10);
    assert_eq!((counters.scored, counters.skipped, counters.failed), (4, 6, 1));
    assert_eq!(vision.colour(), Colour::Grey);
    // A worker that is dropped ends its thread too.
    let slot = Latest::default();
    let worker = VisionWorker::start(vision, slot.clone(), decode, |_| ()).unwrap();
    slot.put(frame(0, &[]));
    drop(worker);
}
