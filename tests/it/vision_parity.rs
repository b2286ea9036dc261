//! PyTorch = ONNX = this program to 1e-4, pre-processing included, on pictures drawn by formula. The training writes
//! the fixtures when it exports a network; a fixture of another sum than the installed network's is an error.

use affectograph::vision::{AffectReader, LANDMARKS, Network, Picture};
use serde_json::Value;

use crate::vision_support::{network_folder, project_root, runtime};

const TOLERANCE: f64 = 1e-4;

fn fixture(network: &Network) -> Option<Value> {
    let name = &network.card().name;
    let path = project_root().join(format!("tests/fixtures/{name}_parity.json"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is not here", path.display());
        return None;
    };
    let fixture: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(fixture["sha256"], network.card().sha256.as_str(), "the fixture is of another version of `{name}`");
    Some(fixture)
}

fn size(fixture: &Value) -> (i64, i64) {
    (fixture["width_px"].as_i64().unwrap(), fixture["height_px"].as_i64().unwrap())
}

/// Draws a picture by its formula, and checks that it is the same as the training's.
fn draw(fixture: &Value, name: &str) -> Vec<u8> {
    let (width, height) = size(fixture);
    let value = |x: i64, y: i64| match name {
        "waves" => 2 * ((3 * x + 2 * y).rem_euclid(64) - 32).abs() + 3 * ((x + 4 * y).rem_euclid(82) - 41).abs(),
        "drawn_face" => {
            let is_left_eye = (x - 34).pow(2) + 2 * (y - 30).pow(2) < 20;
            let is_right_eye = (x - 62).pow(2) + 2 * (y - 34).pow(2) < 20;
            match () {
                () if is_left_eye || is_right_eye => 30,
                () if (x - 46).pow(2) + 6 * (y - 58).pow(2) < 160 => 60,
                () if 2 * (x - 48).pow(2) + (y - 42).pow(2) < 1500 => 190 - x,
                () => 70 + y,
            }
        }
        other => panic!("no formula for `{other}` here"),
    };
    let pixels: Vec<u8> =
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| value(x, y) as u8).collect();
    let sum: i64 = pixels.iter().map(|p| i64::from(*p)).sum();
    assert_eq!(sum, fixture["pictures"][name]["sum"].as_i64().unwrap(), "`{name}` is drawn in another way");
    pixels
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn assert_near(what: &str, found: impl IntoIterator<Item = f32>, expected: &[f64]) {
    let found: Vec<f32> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (k, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f64::from(*f) - e).abs() < TOLERANCE, "{what}[{k}]: {f}, PyTorch says {e}");
    }
}

/// The network's last input where the fixture sampled it, and all its outputs.
fn assert_same(network: &Network, case: &Value) {
    let indexes = case["preprocessed_index"].as_array().unwrap().iter().map(|i| i.as_u64().unwrap() as usize);
    assert_near("preprocessed", indexes.map(|i| network.input()[i]), &numbers(&case["preprocessed"]));
    for (name, expected) in case["outputs"].as_object().unwrap() {
        let index = network.output_index(name).unwrap();
        assert_near(name, network.output(index).iter().copied(), &numbers(expected));
    }
}

#[test]
fn affect() {
    let (Some(runtime), Some(folder)) = (runtime(), network_folder("affect")) else { return };
    let mut reader = AffectReader::load(&runtime, &folder).unwrap();
    let Some(fixture) = fixture(reader.network()) else { return };
    let (width, height) = size(&fixture);
    for case in fixture["cases"].as_array().unwrap() {
        let pixels = draw(&fixture, case["picture"].as_str().unwrap());
        let picture = Picture::grey(width as u32, height as u32, &pixels).unwrap();
        if case["eyes_px"].is_null() {
            reader.read_cropped(picture).unwrap();
        } else {
            let eyes = numbers(&case["eyes_px"]);
            let mut points = [[0.0; 2]; LANDMARKS];
            points[36..42].fill([eyes[0] as f32, eyes[1] as f32]);
            points[42..48].fill([eyes[2] as f32, eyes[3] as f32]);
            reader.read(picture, &points).unwrap().unwrap();
        }
        assert_same(reader.network(), case);
    }
}
