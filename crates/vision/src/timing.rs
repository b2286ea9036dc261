//! Durations of the parts of a step.

use std::time::Instant;

pub(super) fn timed<T>(ms: &mut Option<f32>, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    *ms = Some(ms_since(started));
    result
}

pub(super) fn ms_since(started: Instant) -> f32 {
    started.elapsed().as_secs_f32() * 1e3
}
