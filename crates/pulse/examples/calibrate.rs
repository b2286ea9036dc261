//! Simulates recordings, fits the calibration to them, prints what it is worth on further ones, and writes
//! `crates/pulse/src/calibration.toml`.
//!
//! `cargo run --release -p pulse --example calibrate -- WINDOWS [FILE]`

#![allow(clippy::print_stdout, reason = "a developer reads its output")]

use std::process::ExitCode;

use pulse::calibration::{Calibration, Example, upper_share};
use pulse::simulation::{Codec, SKIN_TONES, Scene};
use pulse::{MAX_ERROR_BPM, rates};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Seeds of the three sets: to fit, to count, to report.
const SEEDS: [u64; 3] = [1, 2, 3];

struct Simulated {
    scene: Scene,
    example: Example,
}

/// `windows` scenes on all processors. Windows whose frames cannot be used are left out.
fn simulate(windows: usize, seed: u64, change: impl Fn(&mut Scene) + Sync) -> Vec<Simulated> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let nothing = Calibration {
        source: String::new(),
        means: [0.0; pulse::FEATURES],
        sds: [1.0; pulse::FEATURES],
        weights: vec![],
        ranges: vec![],
    };
    let one = |k: usize| {
        let mut rng = StdRng::seed_from_u64(seed << 32 | k as u64);
        let mut scene = Scene::random(&mut rng);
        change(&mut scene);
        let (rows, true_bpm) = scene.rows(seed << 40 | k as u64);
        let features = rates(&rows, &nothing).next()?.outcome.ok()?.features;
        Some(Simulated { scene, example: Example { features, true_bpm } })
    };
    std::thread::scope(|scope| {
        let part = |n: usize| (n..windows).step_by(threads).filter_map(one).collect::<Vec<_>>();
        let handles: Vec<_> = (0..threads).map(|n| scope.spawn(move || part(n))).collect();
        handles.into_iter().flat_map(|h| h.join().expect("a thread of the simulation panicked")).collect()
    })
}

struct Counts {
    windows: usize,
    right_if_forced: usize,
    shown: usize,
    wrong_shown: usize,
}

fn count<'a>(calibration: &Calibration, set: impl Iterator<Item = &'a Simulated>) -> Counts {
    let mut counts = Counts { windows: 0, right_if_forced: 0, shown: 0, wrong_shown: 0 };
    for Simulated { example, .. } in set {
        let is_right = example.error_bpm() <= MAX_ERROR_BPM;
        let is_shown = calibration.may_show(&calibration.rate(&example.features));
        counts.windows += 1;
        counts.right_if_forced += usize::from(is_right);
        counts.shown += usize::from(is_shown);
        counts.wrong_shown += usize::from(is_shown && !is_right);
    }
    counts
}

fn line(name: &str, c: &Counts) {
    let percent = |a: usize, of: usize| if of == 0 { 0.0 } else { 100.0 * a as f64 / of as f64 };
    let limit = if c.shown == 0 { 1.0 } else { upper_share(c.wrong_shown, c.shown) };
    println!(
        "| {name} | {} | {:.1} % | {:.1} % | {:.2} % (at most {:.2} %) |",
        c.windows,
        percent(c.right_if_forced, c.windows),
        percent(c.shown, c.windows),
        percent(c.wrong_shown, c.shown),
        100.0 * limit
    );
}

fn report(calibration: &Calibration, set: &[Simulated], windows: usize) {
    println!("| simulated windows | number | right if forced | shown | wrong of those shown |");
    println!("| --- | --- | --- | --- | --- |");
    let all = |name: &str, keep: &dyn Fn(&Scene) -> bool| {
        line(name, &count(calibration, set.iter().filter(|s| keep(&s.scene))))
    };
    all("all", &|_| true);
    all("with a pulse", &|s| s.pulse_share > 0.0);
    all("pulse of 0.2 % or more", &|s| s.pulse_share >= 0.002);
    all("without a pulse", &|s| s.pulse_share == 0.0);
    for name in ["Still", "Talking", "Nodding", "Turning"] {
        all(name, &|s| format!("{:?}", s.motion).starts_with(name));
    }
    for name in ["Steady", "Flicker", "Screen", "AutoExposure"] {
        all(name, &|s| format!("{:?}", s.light).starts_with(name));
    }
    for name in ["None", "Intra", "Inter"] {
        all(name, &|s| format!("{:?}", s.codec).starts_with(name));
    }
    // The same scenes for each tone. Noise and errors of the codec are scaled with the level, so that the signal-to-noise ratio is
    // equal.
    for (k, tone) in SKIN_TONES.iter().enumerate() {
        let tone_set = simulate(windows, 9, |scene| {
            let scale = tone[1] / scene.tone[1];
            scene.tone = *tone;
            scene.noise_levels *= scale;
            match &mut scene.codec {
                Codec::None => {}
                Codec::Intra { levels } => *levels *= scale,
                Codec::Inter { dead_levels, .. } => *dead_levels *= scale,
            }
            scene.pulse_share = scene.pulse_share.max(0.002);
        });
        line(&format!("skin type {}, equal signal-to-noise ratio", k + 1), &count(calibration, tone_set.iter()));
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(windows) = arguments.first().and_then(|w| w.parse::<usize>().ok()) else {
        println!("usage: calibrate WINDOWS [FILE]");
        return ExitCode::FAILURE;
    };
    let [to_fit, to_count, to_report] = SEEDS.map(|seed| simulate(windows, seed, |_| ()));
    let examples = |set: &[Simulated]| set.iter().map(|s| s.example).collect::<Vec<_>>();
    let source = format!("calibrate {windows}: simulated windows alone");
    let Some(calibration) = Calibration::fit(&examples(&to_fit), &examples(&to_count), source) else {
        println!("too few windows");
        return ExitCode::FAILURE;
    };
    report(&calibration, &to_report, windows / 8);
    println!("weights {:.2?}", calibration.weights);
    if let Some(file) = arguments.get(1) {
        let text = toml::to_string(&calibration).expect("a calibration is a table of numbers");
        if let Err(e) = std::fs::write(file, text) {
            println!("{file}: {e}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
