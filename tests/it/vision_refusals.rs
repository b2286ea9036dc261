//! Networks and runtimes that do not fit are refused with a sentence, and a lab's own affect networks are read by
//! name. The networks here are formulas written by the tests, so every answer can be computed by hand.

use std::path::Path;
use std::process::Command;

use affectograph::session::EXPRESSIONS;
use affectograph::vision::{
    AffectReader, Detector, Landmarks, Network, Picture, RUNTIME_VARIABLE, Runtime, VisionError, installed_models,
};

use crate::need::need;
use crate::vision_onnx::{CHAIN_TABLES, constant, head, install, model, node};
use crate::vision_support::runtime;

/// Mean of each input channel → `expression` = softmax(mean · weights + bias), and if asked for
/// `valence_arousal` = tanh(first mean · (0.5, −0.5)).
fn affect_onnx(channels: i64, side: i64, labels: i64, has_valence: bool, is_softmax: bool) -> Vec<u8> {
    let mut nodes = vec![
        node("GlobalAveragePool", &["face"], "pooled", &[]),
        node("Flatten", &["pooled"], "mean", &[]),
        node("Gemm", &["mean", "weights", "bias"], "scores", &[]),
    ];
    nodes.push(match is_softmax {
        true => node("Softmax", &["scores"], "expression", &[("axis", &[1], false)]),
        false => node("Identity", &["scores"], "expression", &[]),
    });
    // Label k leans on channel k mod channels, each label a little more than the one before.
    let weights: Vec<f32> = (0..channels * labels)
        .map(|i| if i % labels % channels == i / labels { 1.0 + (i % labels) as f32 } else { 0.0 })
        .collect();
    let bias: Vec<f32> = (0..labels).map(|k| 0.1 * k as f32).collect();
    let mut constants = vec![constant("weights", &[channels, labels], &weights), constant("bias", &[labels], &bias)];
    let expression_shape = [1, labels];
    let mut outputs: Vec<(&str, &[i64])> = vec![("expression", &expression_shape)];
    if has_valence {
        nodes.push(node("Gemm", &["mean", "slopes", "zeros"], "line", &[]));
        nodes.push(node("Tanh", &["line"], "valence_arousal", &[]));
        let mut slopes = vec![0.0; 2 * channels as usize];
        slopes[..2].copy_from_slice(&[0.5, -0.5]);
        constants.push(constant("slopes", &[channels, 2], &slopes));
        constants.push(constant("zeros", &[2], &[0.0, 0.0]));
        outputs.push(("valence_arousal", &[1, 2]));
    }
    model(nodes, constants, &[("face", &[1, channels, side, side])], &outputs)
}

const SEVEN: [&str; 7] = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"];

fn seven_card() -> String {
    head("affect")
        + "[input]\nname = \"face\"\nshape = [1, 1, 64, 64]\ncolour = \"grey\"\nmean = [127.5]\nstd = [127.5]\n\
           left_eye = [0.3, 0.4]\nright_eye = [0.7, 0.4]\n[[output]]\nname = \"expression\"\nshape = [1, 7]\n"
        + &format!("labels = {SEVEN:?}\n")
}

fn colour_card() -> String {
    head("affect")
        + "[input]\nname = \"face\"\nshape = [1, 3, 224, 224]\ncolour = \"rgb\"\nmean = [100, 110, 120]\nstd = [50, 60, 70]\n\
           left_eye = [0.3, 0.4]\nright_eye = [0.7, 0.4]\n\
           [[output]]\nname = \"expression\"\nshape = [1, 8]\n"
        + &format!("labels = {EXPRESSIONS:?}\n[[output]]\nname = \"valence_arousal\"\nshape = [1, 2]\n")
}

fn softmax(scores: &[f32]) -> Vec<f32> {
    let sum: f32 = scores.iter().map(|s| s.exp()).sum();
    scores.iter().map(|s| s.exp() / sum).collect()
}

#[test]
fn a_labs_seven_class_network_is_read_by_name() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), &affect_onnx(1, 64, 7, false, true), &seven_card());
    let mut reader = AffectReader::load(&runtime, folder.path()).unwrap();
    let pixels = [200u8; 40 * 40];
    let affect = reader.read_cropped(Picture::grey(40, 40, &pixels).unwrap()).unwrap();
    let mean = (200.0 - 127.5) / 127.5;
    let expected = softmax(&(0..7).map(|k| mean * (1.0 + k as f32) + 0.1 * k as f32).collect::<Vec<_>>());
    for (label, p) in SEVEN.iter().zip(expected) {
        let place = EXPRESSIONS.iter().position(|e| e == label).unwrap();
        assert!((affect.expression[place] - p).abs() < 1e-5, "{label}");
    }
    // What it does not tell is not known, and not 0.
    assert!(affect.expression[7].is_nan() && EXPRESSIONS[7] == "contempt");
    assert!([affect.valence, affect.arousal, affect.valence_sd, affect.arousal_sd].iter().all(|v| v.is_nan()));
}

#[test]
fn a_colour_network_gets_its_channels_in_order_and_refuses_grey() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), &affect_onnx(3, 224, 8, true, true), &colour_card());
    let mut reader = AffectReader::load(&runtime, folder.path()).unwrap();
    let pixels = [150u8, 140, 50].repeat(300 * 200);
    let affect = reader.read_cropped(Picture::rgb(300, 200, &pixels).unwrap()).unwrap();
    let mean = [1.0f32, 0.5, -1.0];
    let expected = softmax(&(0..8).map(|k| mean[k % 3] * (1.0 + k as f32) + 0.1 * k as f32).collect::<Vec<_>>());
    for (found, p) in affect.expression.iter().zip(expected) {
        assert!((found - p).abs() < 1e-5);
    }
    assert!((affect.valence - 0.5f32.tanh()).abs() < 1e-5 && (affect.arousal + 0.5f32.tanh()).abs() < 1e-5);
    assert!(affect.valence_sd.is_nan());
    let grey = [0u8; 100];
    let error = reader.read_cropped(Picture::grey(10, 10, &grey).unwrap()).unwrap_err();
    assert_eq!(error, VisionError::NeedsColour { model: "affect".to_owned() });
}

fn two_inputs() -> Vec<u8> {
    let nodes = vec![node("Identity", &["value"], "expression", &[])];
    let shape: &[i64] = &[1, 1, 64, 64];
    model(
        nodes,
        vec![constant("value", &[1, 7], &[0.1; 7])],
        &[("face", shape), ("hair", shape)],
        &[("expression", &[1, 7])],
    )
}

fn refusal(runtime: &Runtime, onnx: &[u8], card: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    install(folder.path(), onnx, card);
    AffectReader::load(runtime, folder.path()).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn what_does_not_fit_is_refused_with_what_was_expected_and_found() {
    let Some(runtime) = runtime() else { return };
    let good = affect_onnx(1, 64, 7, false, true);
    let card = seven_card();
    let cases = [
        (good.clone(), card.replace("[1, 1, 64, 64]", "[1, 1, 48, 48]"), "expected float32 [1, 1, 48, 48]"),
        (two_inputs(), card.clone(), "expected only `face`, found face, hair"),
        (good.clone(), card.replace("shape = [1, 7]", "shape = [1, 8]"), "expected float32 [1, 8]"),
        (
            good.clone(),
            card.replace("\"fear\", ", ""),
            "expected one label per entry of the second axis of [1, 7], found 6",
        ),
        (good.clone(), card.replace("\"fear\"", "\"afraid\""), "found `afraid`"),
        (good.clone(), card.replace("\"fear\"", "\"anger\""), "`anger` twice"),
        (good.clone(), card.replace("left_eye = [0.3, 0.4]\n", ""), "expected the positions of the eyes"),
        (good.clone(), card.replace("expression", "emotion"), "`emotion`, as in model.toml"),
        (
            good.clone(),
            card.replace("kind = \"affect\"", "kind = \"landmarks\""),
            "kind `landmarks`, expected `affect`",
        ),
        (affect_onnx(1, 64, 7, false, false), card.clone(), "expected probabilities with the sum 1"),
        (b"not a network".to_vec(), card.clone(), "could not be loaded or run"),
    ];
    for (onnx, card, words) in cases {
        let error = refusal(&runtime, &onnx, &card);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_changed_or_missing_file_is_refused() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lab");
    install(&path, &affect_onnx(1, 64, 7, false, true), &seven_card());
    let mut bytes = std::fs::read(path.join("model.onnx")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(path.join("model.onnx"), &bytes).unwrap();
    let load = || AffectReader::load(&runtime, &path).map(|_| ()).unwrap_err().to_string();
    let changed = load();
    assert!(changed.contains("model.onnx does not have the checksum in its model.toml: expected sha256"), "{changed}");
    let listed = &installed_models(folder.path()).unwrap()[0];
    assert_eq!((listed.folder.as_str(), listed.problem.as_ref()), ("lab", Some(&changed)));
    std::fs::remove_file(path.join("model.onnx")).unwrap();
    assert!(load().contains("model.onnx cannot be read"), "{}", load());
    std::fs::write(path.join("model.toml"), seven_card().replace("license", "licence")).unwrap();
    assert!(load().contains("model.toml, line 6, column 1: unknown field `licence`"), "{}", load());
    std::fs::remove_file(path.join("model.toml")).unwrap();
    assert!(load().contains("model.toml cannot be read"), "{}", load());
}

#[test]
fn detector_and_landmarks_of_another_shape_are_refused() {
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().unwrap();
    let try_with = |kind: &str, outputs: &[(&str, &[i64])], tables: &str, more: &str| {
        let values = |shape: &[i64]| constant_of(shape);
        let nodes = outputs.iter().map(|(n, _)| node("Identity", &[&format!("{n}_value")], n, &[])).collect();
        let constants = outputs.iter().map(|(n, s)| constant(&format!("{n}_value"), s, &values(s))).collect();
        let onnx = model(nodes, constants, &[("in", &[1, 1, 64, 64])], outputs);
        let mut card =
            head(kind) + "[input]\nname = \"in\"\nshape = [1, 1, 64, 64]\ncolour = \"grey\"\nmean = [0]\nstd = [1]\n";
        for (name, shape) in outputs {
            card += &format!("[[output]]\nname = \"{name}\"\nshape = {shape:?}\n");
        }
        install(folder.path(), &onnx, &(card + tables + more));
        match kind {
            "detector" => Detector::load(&runtime, folder.path()).map(|_| ()),
            _ => Landmarks::load(&runtime, folder.path()).map(|_| ()),
        }
        .map_err(|e| e.to_string())
    };
    let try_as = |kind: &str, outputs: &[(&str, &[i64])], more: &str| try_with(kind, outputs, CHAIN_TABLES, more);
    let threshold = "[[figure]]\nname = \"score_threshold\"\nvalue = 0.5\ncommand = \"c\"\n";
    let grid = |rows: i64| -> [Vec<i64>; 3] { [1, 4, 10].map(|n| vec![1, n, rows, 8]) };
    let as_detector = |rows: i64, more: &str| {
        let [score, boxes, points] = grid(rows);
        try_as("detector", &[("score", &score), ("box", &boxes), ("points", &points)], more)
    };
    assert_eq!(as_detector(8, threshold), Ok(()));
    assert!(as_detector(8, "").unwrap_err().contains("`score_threshold` between 0 and 1"));
    assert!(as_detector(4, threshold).unwrap_err().contains("square cells"));
    let error = try_as("detector", &[("score", &[1, 1, 8, 8]), ("box", &[1, 4, 8, 8])], threshold).unwrap_err();
    assert!(error.contains("expected an output `points` of shape [1, 10, 8, 8], found none"), "{error}");
    assert_eq!(try_as("landmarks", &[("points", &[1, 136]), ("pose", &[1, 3]), ("face", &[1, 1])], ""), Ok(()));
    let error = try_as("landmarks", &[("points", &[1, 10]), ("pose", &[1, 3]), ("face", &[1, 1])], "").unwrap_err();
    assert!(error.contains("output `points` – expected [1, 136], found [1, 10]"), "{error}");

    // The constants of the vision chain are in the cards. Without them, or with useless ones, no face would be found.
    let [score, boxes, points] = grid(8);
    let detector: [(&str, &[i64]); 3] = [("score", &score), ("box", &boxes), ("points", &points)];
    let landmarks: [(&str, &[i64]); 3] = [("points", &[1, 136]), ("pose", &[1, 3]), ("face", &[1, 1])];
    let error = try_with("detector", &detector, "", threshold).unwrap_err();
    assert!(error.contains("the tables `[detection]` and `[tracking]`"), "{error}");
    let error = try_with("landmarks", &landmarks, "", "").unwrap_err();
    assert!(error.contains("the tables `[crop]` and `[face]`"), "{error}");
    for (kind, outputs, name, value) in [
        ("detector", &detector, "max_overlap", "-0.1"),
        ("detector", &detector, "max_candidates", "0"),
        ("detector", &detector, "near_sides", "nan"),
        ("landmarks", &landmarks, "min_probability", "1.5"),
        ("landmarks", &landmarks, "min_new_probability", "2.0"),
        ("landmarks", &landmarks, "tracking_sides", "inf"),
    ] {
        let tables: Vec<String> = CHAIN_TABLES
            .lines()
            .map(
                |line| {
                    if line.starts_with(&format!("{name} ")) { format!("{name} = {value}") } else { line.to_owned() }
                },
            )
            .collect();
        let tables = tables.join("\n") + "\n";
        assert_ne!(tables, CHAIN_TABLES, "{name} is not in the tables");
        let error = try_with(kind, outputs, &tables, if kind == "detector" { threshold } else { "" }).unwrap_err();
        assert!(error.contains(&format!(".{name}`")), "{error}");
    }
}

fn constant_of(shape: &[i64]) -> Vec<f32> {
    vec![0.5; shape.iter().product::<i64>() as usize]
}

/// Run by the tests below in a process of its own: the runtime is loaded once per process.
#[test]
#[ignore = "a part of the tests about missing runtimes"]
fn say_what_the_runtime_is() {
    match Runtime::get() {
        Ok(runtime) => println!("loaded {}", runtime.path().display()),
        Err(e) => println!("refused: {e}"),
    }
}

fn runtime_in_own_process(variable: &Path) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "vision_refusals::say_what_the_runtime_is", "--ignored", "--nocapture"])
        .env(RUNTIME_VARIABLE, variable)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_missing_or_wrong_runtime_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = runtime_in_own_process(&folder.path().join("absent.so"));
    assert!(nowhere.contains("refused: AFFECTOGRAPH_ONNXRUNTIME is"), "{nowhere}");
    let file = folder.path().join("libonnxruntime.so");
    std::fs::write(&file, "no library").unwrap();
    // A folder is as good as the file in it.
    for said in [folder.path(), &file] {
        let wrong = runtime_in_own_process(said);
        assert!(wrong.contains("libonnxruntime.so could not be loaded as ONNX Runtime"), "{wrong}");
        assert!(wrong.contains("Run ./run again"), "{wrong}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_runtime_that_is_too_old_or_another_library_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let build = |name: &str, source: &str| {
        let (code, library) = (folder.path().join(format!("{name}.c")), folder.path().join(format!("{name}.so")));
        std::fs::write(&code, source).unwrap();
        let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&code).status();
        assert!(need("the C compiler `cc`", built)?.success(), "{name}.c does not compile");
        Some(library)
    };
    let old = "static const char *version(void) { return \"1.10.0\"; }\n\
               static void *api(unsigned v) { return (void *)0; }\n\
               struct base { void *(*api)(unsigned); const char *(*version)(void); } it = { api, version };\n\
               struct base *OrtGetApiBase(void) { return &it; }\n";
    let Some(library) = build("old", old) else { return };
    let said = runtime_in_own_process(&library);
    assert!(said.contains("is version 1.10.0. affectograph needs 1.24 or newer"), "{said}");
    let other = build("other", "int nothing;\n").unwrap();
    let said = runtime_in_own_process(&other);
    assert!(said.contains("it is another library"), "{said}");
}

#[test]
fn the_runtime_stays_one() {
    let Some(first) = runtime() else { return };
    let again = std::thread::spawn(|| Runtime::get().unwrap().path().to_owned()).join().unwrap();
    assert_eq!(first.path(), again);
    assert!(Network::load(&first, Path::new("/nowhere"), affectograph::vision::ModelKind::Affect).is_err());
}
