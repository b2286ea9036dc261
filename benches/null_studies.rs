//! The rate of false positives in simulated studies without an effect. A test at 5 % may claim an effect in 5 % of them.
//! Of 200 studies this would be 10 ± 3, which is too imprecise, so there are 1,000 studies: 50 ± 7. The test alone, on
//! thousands of studies of noise, gives the rate more precisely. A study claims an effect if `p_high` is at most 5 %.

#![allow(clippy::print_stdout, reason = "a bench prints its results")]
#![expect(clippy::unwrap_used, reason = "it uses helpers of tests")]

#[allow(dead_code)]
#[path = "../tests/it/simulated.rs"]
mod simulated;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use affectograph::analysis::{
    Correction, CutSignal, Epoch, EpochPlan, EventChoice, SessionEpochs, SignalId, Trace, against_zero, compare, epochs,
};
use affectograph::session::{ParticipantId, SessionNumber, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const STUDIES: u64 = 1000;
const PARTICIPANTS: u32 = 30;
const PERMUTATIONS: u64 = 1000;

/// The tests: the comparison of two conditions and the comparison with zero, for both measures, and the study as a whole.
/// The study has two tests, so each of them must reach half of the 5 %.
const TESTS: [&str; 5] = [
    "valence, a − b",
    "arousal, a − b",
    "valence of a against 0",
    "arousal of a against 0",
    "either measure at 2.5 %, a − b",
];

fn main() {
    noise_alone();
    let (next, start) = (AtomicU64::new(0), Instant::now());
    let work = || {
        let mine = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < STUDIES));
        mine.map(|seed| (seed, null_study(seed))).collect::<Vec<_>>()
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let studies: Vec<(u64, [f64; 5])> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=threads)
            .map(|k| std::thread::Builder::new().name(format!("null study {k}")).spawn_scoped(scope, work))
            .collect();
        threads.into_iter().flat_map(|t| t.expect("a thread").join().expect("no panic")).collect()
    });
    println!(
        "simulated studies without an effect, {PARTICIPANTS} participants × 40 events, {PERMUTATIONS} permutations ({:.0} s):",
        start.elapsed().as_secs_f64()
    );
    for (k, name) in TESTS.iter().enumerate() {
        let claims = |first: u64| {
            let claims = studies.iter().filter(|(seed, p)| *seed < first && p[k] <= 0.05).count();
            format!("{claims} of the first {first} claim an effect ({:.1} %)", 100.0 * claims as f64 / first as f64)
        };
        println!("  {name}: {}, {}", claims(200), claims(STUDIES));
    }
}

/// Each participant's mean is autocorrelated noise. Earlier steps of the analysis are skipped.
fn noise_alone() {
    const STUDIES: u64 = 4000;
    let plan = EpochPlan { zero: Correction::Raw, baseline_s: None, ..EpochPlan::default() };
    let points = plan.times_s().len();
    let mut random = StdRng::seed_from_u64(1);
    let mut course = || {
        let mut noise = 0.0f32;
        let raw = (0..points).map(|_| {
            noise = 0.9 * noise + random.random_range(-1.0f32..1.0);
            noise
        });
        Trace { raw: raw.collect(), zero: None, spread: None }
    };
    let claims = (0..STUDIES).filter(|seed| {
        let session = |n: u32| SessionEpochs {
            participant: ParticipantId::numbered(n),
            session: SessionNumber(1),
            signals: vec![CutSignal { id: SignalId::valence(), unit: Some("1".into()) }],
            matched: 1,
            epochs: vec![Epoch { onset: Timestamp::ZERO, event_seq: 0, traces: vec![course()] }],
            dropped: BTreeMap::new(),
        };
        let sessions: Vec<SessionEpochs> = (1..=PARTICIPANTS).map(session).collect();
        against_zero(&sessions, &plan, &SignalId::valence(), 500, *seed).expect("30 participants").p_high() <= 0.05
    });
    let claims = claims.count();
    println!(
        "the test alone, {STUDIES} studies of noise: {claims} claim an effect ({:.2} %)",
        100.0 * claims as f64 / STUDIES as f64
    );
}

fn null_study(seed: u64) -> [f64; 5] {
    let script = simulated::Script { events: 20, rate_hz: 30.0, effect: 0.0, seed: 1_000 + seed };
    let plan = EpochPlan::default();
    let kinds: [EventChoice; 2] =
        ["a", "b"].map(|k| format!("page/click target=button#{k}").parse().expect("a choice"));
    let mut cut: [Vec<SessionEpochs>; 2] = Default::default();
    for n in 1..=PARTICIPANTS {
        let timeline = simulated::timeline(&script, n);
        for (cut, kind) in cut.iter_mut().zip(&kinds) {
            let one = epochs(&timeline, &ParticipantId::numbered(n), SessionNumber(1), kind, &plan);
            cut.push(one.expect("a plan"));
        }
    }
    let [a, b] = cut;
    let differ = |m| compare(&a, &b, &plan, m, PERMUTATIONS, seed).expect("30 participants").p_high();
    let from_zero = |m| against_zero(&a, &plan, m, PERMUTATIONS, seed).expect("30 participants").p_high();
    let [valence, arousal] = &[SignalId::valence(), SignalId::arousal()];
    let differing = [differ(valence), differ(arousal)];
    let both = 2.0 * differing[0].min(differing[1]);
    [differing[0], differing[1], from_zero(valence), from_zero(arousal), both]
}
