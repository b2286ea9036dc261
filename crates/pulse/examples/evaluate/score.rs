//! Counts and errors, with intervals by a bootstrap over recordings.

use pulse::{MAX_ERROR_BPM, WindowResult};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const RESAMPLES: usize = 2_000;

/// One window beside the truth.
#[derive(Clone, Copy)]
pub struct Judged {
    is_shown: bool,
    quality: f64,
    /// Infinite without a pulse and without usable frames.
    error_bpm: f64,
    pos_error_bpm: f64,
}

pub struct Group {
    pub name: &'static str,
    /// One list for each recording.
    pub recordings: Vec<Vec<Judged>>,
}

impl Judged {
    /// `true_bpm` is `None` without a pulse.
    pub fn new(window: &WindowResult, true_bpm: Option<f64>) -> Judged {
        let error = |bpm: f64| true_bpm.map_or(f64::INFINITY, |t| (bpm - t).abs());
        let outcome = window.outcome.ok();
        Judged {
            is_shown: window.shown().is_ok(),
            quality: outcome.map_or(0.0, |o| o.forced.quality),
            error_bpm: outcome.map_or(f64::INFINITY, |o| error(o.forced.rate_bpm)),
            pos_error_bpm: outcome.map_or(f64::INFINITY, |o| error(o.features.plain_pos_bpm)),
        }
    }

    fn is_right(&self) -> bool {
        self.error_bpm <= MAX_ERROR_BPM
    }
}

type Measure = (&'static str, fn(&[Judged]) -> f64);

const MEASURES: [Measure; 8] = [
    ("shown, % of windows", |w| 100.0 * share(w, |j| j.is_shown, |_| true)),
    ("right, % of shown", |w| 100.0 * share(w, Judged::is_right, |j| j.is_shown)),
    ("mean absolute error of shown, bpm", |w| mean_error(w, |j| j.is_shown.then_some(j.error_bpm))),
    ("shown, % of wrong windows", |w| 100.0 * share(w, |j| j.is_shown, |j| !j.is_right())),
    ("right if forced, %", |w| 100.0 * share(w, Judged::is_right, |_| true)),
    ("mean absolute error if forced, bpm", |w| mean_error(w, |j| Some(j.error_bpm))),
    ("plain POS right, %", |w| 100.0 * share(w, |j| j.pos_error_bpm <= MAX_ERROR_BPM, |_| true)),
    ("plain POS mean absolute error, bpm", |w| mean_error(w, |j| Some(j.pos_error_bpm))),
];

fn share(windows: &[Judged], is: impl Fn(&Judged) -> bool, of: impl Fn(&Judged) -> bool) -> f64 {
    let all = windows.iter().filter(|j| of(j)).count();
    windows.iter().filter(|j| of(j) && is(j)).count() as f64 / all as f64
}

fn mean_error(windows: &[Judged], error: impl Fn(&Judged) -> Option<f64>) -> f64 {
    let errors: Vec<f64> = windows.iter().filter_map(error).filter(|e| e.is_finite()).collect();
    errors.iter().sum::<f64>() / errors.len() as f64
}

pub fn print_recording(name: &str, windows: &[Judged]) {
    let figures = MEASURES.map(|(_, measure)| format!("{:.1}", measure(windows)));
    println!("{name}: {} windows; {}", windows.len(), figures.join(" | "));
}

pub fn print_groups(groups: &[Group]) {
    for group in groups {
        let all: Vec<Judged> = group.recordings.concat();
        println!("\n{}: {} windows of {} recordings", group.name, all.len(), group.recordings.len());
        for (name, measure) in MEASURES {
            let value = measure(&all);
            if value.is_nan() {
                println!("  {name}: –");
                continue;
            }
            match interval(&group.recordings, measure) {
                Some((low, high)) => println!("  {name}: {value:.1} ({low:.1} to {high:.1})"),
                None => println!("  {name}: {value:.1}"),
            }
        }
    }
}

/// 95 % of the resamples. `None` for one recording.
fn interval(recordings: &[Vec<Judged>], measure: fn(&[Judged]) -> f64) -> Option<(f64, f64)> {
    if recordings.len() < 2 {
        return None;
    }
    let mut rng = StdRng::seed_from_u64(7);
    let mut resample = || {
        let drawn: Vec<Judged> =
            (0..recordings.len()).flat_map(|_| recordings[rng.random_range(0..recordings.len())].clone()).collect();
        measure(&drawn)
    };
    let mut values: Vec<f64> = (0..RESAMPLES).map(|_| resample()).filter(|v| v.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get((share * values.len() as f64) as usize).copied();
    Some((at(0.025)?, at(0.975)?))
}

/// What would be right at other shares shown.
pub fn print_risk_and_coverage(group: &Group) {
    let mut all: Vec<Judged> = group.recordings.concat();
    all.sort_by(|a, b| b.quality.total_cmp(&a.quality));
    println!("\n{}: right among the windows of the highest quality", group.name);
    for percent in (10..=100).step_by(10) {
        let count = all.len() * percent / 100;
        let part = &all[..count];
        println!(
            "  {percent} % of windows: {:.1} % right, quality at least {:.3}",
            100.0 * share(part, Judged::is_right, |_| true),
            part.last().map_or(0.0, |j| j.quality)
        );
    }
}
