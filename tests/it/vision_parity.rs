//! PyTorch = ONNX = this program to 1e-4, pre-processing included, on pictures drawn by formula. The training writes
//! the fixtures when it exports a network; a fixture of another sum than the installed network's is an error.

use affectograph::vision::{
    ActionsReader, AffectReader, Colour, Crop, Detector, LANDMARKS, Landmarks, Network, OwnedPicture,
};
use serde_json::Value;

use crate::need::need;
use crate::vision_support::{network_folder, project_root, runtime};

const TOLERANCE: f64 = 1e-4;

fn fixture(network: &Network) -> Option<Value> {
    let name = &network.card().name;
    let path = project_root().join(format!("tests/fixtures/{name}_parity.json"));
    let text = need(&path.display().to_string(), std::fs::read_to_string(&path))?;
    let fixture: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(fixture["sha256"], network.card().sha256.as_str(), "the fixture is of another version of `{name}`");
    Some(fixture)
}

/// A drawn picture: its size in px and its grey levels. Whole-number formulas, the same bit for bit as the training's.
fn draw(width: i64, height: i64, value: impl Fn(i64, i64) -> i64) -> OwnedPicture {
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let pixels = places.map(|(x, y)| u8::try_from(value(x, y)).unwrap()).collect();
    OwnedPicture { width_px: width as u32, height_px: height as u32, colour: Colour::Grey, pixels }
}

fn waves(x: i64, y: i64) -> i64 {
    2 * ((3 * x + 2 * y) % 64 - 32).abs() + 3 * ((x + 4 * y) % 82 - 41).abs()
}

/// The pictures of the affect network's fixture.
fn draw_small(fixture: &Value, name: &str) -> OwnedPicture {
    let [width, height] = ["width_px", "height_px"].map(|k| fixture[k].as_i64().unwrap());
    let drawn = match name {
        "waves" => draw(width, height, waves),
        "drawn_face" => draw(width, height, |x, y| {
            let is_left_eye = (x - 34).pow(2) + 2 * (y - 30).pow(2) < 20;
            let is_right_eye = (x - 62).pow(2) + 2 * (y - 34).pow(2) < 20;
            match () {
                () if is_left_eye || is_right_eye => 30,
                () if (x - 46).pow(2) + 6 * (y - 58).pow(2) < 160 => 60,
                () if 2 * (x - 48).pow(2) + (y - 42).pow(2) < 1500 => 190 - x,
                () => 70 + y,
            }
        }),
        other => panic!("no formula for `{other}` here"),
    };
    let sum: i64 = drawn.pixels.iter().map(|p| i64::from(*p)).sum();
    assert_eq!(sum, fixture["pictures"][name]["sum"].as_i64().unwrap(), "`{name}` is drawn in another way");
    drawn
}

/// The pictures of the detector's and the landmark network's fixtures.
fn draw_large(fixture: &Value, name: &str) -> OwnedPicture {
    let [width, height] = ["width", "height"].map(|k| fixture["pictures"][name][k].as_i64().unwrap());
    match name {
        "waves" => draw(width, height, waves),
        "drawn_face" => draw(width, height, |x, y| {
            let is_eye = |at: i64| (x - at).pow(2) + 2 * (y - 170).pow(2) < 300;
            match () {
                () if is_eye(180) || is_eye(270) => 30,
                () if (x - 225).pow(2) + 6 * (y - 265).pow(2) < 2500 => 60,
                () if 8 * (x - 225).pow(2) + (y - 215).pow(2) < 600 => 90,
                () if 2 * (x - 225).pow(2) + (y - 200).pow(2) < 26000 => 200 - x / 8,
                () => 70 + y / 8,
            }
        }),
        other => panic!("no formula for `{other}` here"),
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// To 1e-4 of the values' range, at least of 1: boxes and angles are counted in tens.
fn assert_near(what: &str, found: impl IntoIterator<Item = f32>, expected: &[f64]) {
    let found: Vec<f32> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    let range = expected.iter().fold(1.0f64, |range, e| range.max(e.abs()));
    for (k, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(*f) - e).abs() < TOLERANCE * range, "{what}[{k}]: {f}, PyTorch says {e}");
    }
}

fn pick(values: &[f32], indexes: &Value) -> Vec<f32> {
    indexes.as_array().unwrap().iter().map(|i| values[i.as_u64().unwrap() as usize]).collect()
}

/// The network's last input where the fixture sampled it, and its outputs, whole or sampled.
fn assert_same(network: &Network, case: &Value) {
    assert_near("preprocessed", pick(network.input(), &case["preprocessed_index"]), &numbers(&case["preprocessed"]));
    for (name, expected) in case["outputs"].as_object().unwrap() {
        let found = network.output(network.output_index(name).unwrap());
        match expected.get("index") {
            Some(indexes) => assert_near(name, pick(found, indexes), &numbers(&expected["value"])),
            None => assert_near(name, found.iter().copied(), &numbers(expected)),
        }
    }
}

/// Landmarks with the eyes at their places in the fixture.
fn eye_points(case: &Value) -> [[f32; 2]; LANDMARKS] {
    let eyes = numbers(&case["eyes_px"]);
    let mut points = [[0.0; 2]; LANDMARKS];
    points[36..42].fill([eyes[0] as f32, eyes[1] as f32]);
    points[42..48].fill([eyes[2] as f32, eyes[3] as f32]);
    points
}

#[test]
fn actions() {
    let (Some(runtime), Some(folder)) = (runtime(), network_folder("actions")) else { return };
    let mut reader = ActionsReader::load(&runtime, &folder).unwrap();
    let Some(fixture) = fixture(reader.network()) else { return };
    for case in fixture["cases"].as_array().unwrap() {
        let drawn = draw_small(&fixture, case["picture"].as_str().unwrap());
        reader.read(drawn.as_picture().unwrap(), &eye_points(case)).unwrap().unwrap();
        assert_same(reader.network(), case);
    }
}

#[test]
fn affect() {
    let (Some(runtime), Some(folder)) = (runtime(), network_folder("affect")) else { return };
    let mut reader = AffectReader::load(&runtime, &folder).unwrap();
    let Some(fixture) = fixture(reader.network()) else { return };
    for case in fixture["cases"].as_array().unwrap() {
        let drawn = draw_small(&fixture, case["picture"].as_str().unwrap());
        let picture = drawn.as_picture().unwrap();
        if case["eyes_px"].is_null() {
            reader.read_cropped(picture).unwrap();
        } else {
            reader.read(picture, &eye_points(case)).unwrap().unwrap();
        }
        assert_same(reader.network(), case);
    }
}

#[test]
fn detector() {
    let (Some(runtime), Some(folder)) = (runtime(), network_folder("detector")) else { return };
    let mut detector = Detector::load(&runtime, &folder).unwrap();
    let Some(fixture) = fixture(detector.network()) else { return };
    for case in fixture["cases"].as_array().unwrap() {
        let drawn = draw_large(&fixture, case["picture"].as_str().unwrap());
        detector.detect(drawn.as_picture().unwrap()).unwrap();
        assert_same(detector.network(), case);
    }
}

#[test]
fn landmarks() {
    let (Some(runtime), Some(folder)) = (runtime(), network_folder("landmarks")) else { return };
    let mut landmarks = Landmarks::load(&runtime, &folder).unwrap();
    let Some(fixture) = fixture(landmarks.network()) else { return };
    for case in fixture["cases"].as_array().unwrap() {
        let drawn = draw_large(&fixture, case["picture"].as_str().unwrap());
        let [x, y, side_px, roll_deg] =
            ["centre_x_px", "centre_y_px", "side_px", "turn_degrees"].map(|k| case[k].as_f64().unwrap() as f32);
        let crop = Crop { centre: [x, y], side_px, roll_deg };
        let shape = landmarks.locate(drawn.as_picture().unwrap(), &crop).unwrap();
        assert_same(landmarks.network(), case);
        // What comes out in crop fractions is laid back into the picture by the same transform.
        let fraction = numbers(&case["outputs"]["points"])[..2].to_vec();
        let row = |k: usize| numbers(&case["to_source"][k]);
        for axis in 0..2 {
            let t = row(axis);
            let expected = (t[0] * fraction[0] + t[1] * fraction[1]) * 112.0 + t[2];
            assert!((f64::from(shape.points[0][axis]) - expected).abs() < 0.02, "{:?}", shape.points[0]);
        }
    }
}
