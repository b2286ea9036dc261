//! How often 200 simulated studies without any effect claim one: a test at 5 % may do so in 5 % of them.

#[allow(dead_code)]
#[path = "../tests/it/simulated.rs"]
mod simulated;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use affectograph::analysis::{EpochPlan, EventChoice, Measure, SessionEpochs, against_zero, compare, epochs};
use affectograph::session::{ParticipantId, SessionNumber};

const STUDIES: u64 = 200;
const PARTICIPANTS: u32 = 30;
const PERMUTATIONS: u64 = 1000;

/// What claimed an effect: the comparison of two conditions and the one against zero, for both measures.
const TESTS: [&str; 4] = ["valence, a − b", "arousal, a − b", "valence of a against 0", "arousal of a against 0"];

fn main() {
    let (next, start) = (AtomicU64::new(0), Instant::now());
    let claims: [AtomicU64; 4] = Default::default();
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= STUDIES {
                break;
            }
            for (claim, p) in claims.iter().zip(null_study(seed)) {
                claim.fetch_add(u64::from(p <= 0.05), Ordering::Relaxed);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for k in 1..=threads {
            let thread = std::thread::Builder::new().name(format!("null study {k}")).spawn_scoped(scope, work);
            drop(thread.expect("a thread")); // joined by the scope
        }
    });
    println!(
        "{STUDIES} simulated studies without an effect, {PARTICIPANTS} participants × 40 events, {PERMUTATIONS} permutations ({:.0} s):",
        start.elapsed().as_secs_f64()
    );
    for (name, claims) in TESTS.iter().zip(&claims) {
        let claims = claims.load(Ordering::Relaxed);
        println!("  {name}: {claims} claim an effect at 5 % ({:.1} %)", 100.0 * claims as f64 / STUDIES as f64);
    }
}

fn null_study(seed: u64) -> [f64; 4] {
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
    let differ = |m| compare(&a, &b, &plan, m, PERMUTATIONS, seed).expect("30 participants").p();
    let from_zero = |m| against_zero(&a, &plan, m, PERMUTATIONS, seed).expect("30 participants").p();
    let [valence, arousal] = Measure::ALL;
    [differ(valence), differ(arousal), from_zero(valence), from_zero(arousal)]
}
