//! Runs a recording without a window until it ends, for `record` and `selftest`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::progress::Progress;
use crate::failure::Failure;
use recording::{Counters, News, Rig};
use session::{Record, Timestamp};
use store::Committed;

/// Records until the duration has passed, the camera's file has ended, or the user interrupts. Then closes the session.
/// `on_record` receives each committed record and the time of its arrival.
pub fn run_rig(
    rig: Rig,
    committed: &Receiver<Committed>,
    duration: Option<Duration>,
    interrupted: &AtomicBool,
    mut on_record: impl FnMut(Timestamp, &Record),
) -> Result<Counters, Failure> {
    let clock = rig.clock();
    let deadline = duration.map(|d| Instant::now() + d);
    let mut take = |c: Committed| match c {
        Committed::Records(records) => records.iter().for_each(|r| on_record(clock.now(), r)),
        Committed::Failed(why) => eprintln!("affectograph: {why}"),
    };
    let mut guided = None;
    loop {
        match committed.recv_timeout(Duration::from_millis(50)) {
            Ok(c) => take(c),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        let mut is_over = false;
        for news in rig.news().try_iter() {
            is_over |= print_event(&news);
            match news {
                News::PhaseStarted { phase, at, until } => guided = Some((Progress::start(), phase.name, at, until)),
                News::PhaseEnded { .. } => guided = None,
                _ => {}
            }
        }
        if let Some((bar, name, at, until)) = &mut guided {
            let done = clock.now().since_ns(*at) as f64 / until.since_ns(*at).max(1) as f64;
            bar.show(done, &format!("phase `{name}`: the fixation cross is shown"));
        }
        if is_over || interrupted.load(Ordering::SeqCst) || deadline.is_some_and(|d| Instant::now() >= d) {
            break;
        }
    }
    let counters = rig.stop()?;
    committed.try_iter().for_each(take);
    Ok(counters)
}

/// Prints an event. Returns `true` if the camera has ended.
fn print_event(news: &News) -> bool {
    match news {
        News::CameraLost { at, why } => eprintln!("{at} camera lost: {why}; trying to open it again"),
        News::CameraBack { at, info } => eprintln!("{at} camera opened again: {}", info.name),
        News::FramesMissing { at, lost, reason } => eprintln!("{at} {lost} frames missing: {reason}"),
        News::PageTrouble(why) | News::VisionTrouble(why) => eprintln!("{why}"),
        News::PageRefused { count, reason } => eprintln!("{count} messages of the page were refused: {reason}"),
        News::CameraFailed { at, why } => {
            eprintln!("{at} camera failed: {why}");
            return true;
        }
        News::CameraEnded { .. } => return true,
        News::PhaseStarted { phase, at, .. } => {
            eprintln!("{at} phase `{}` starts: the fixation cross is shown for {} s", phase.name, phase.seconds)
        }
        News::PhaseEnded { name } => eprintln!("phase `{name}` has ended"),
        News::CameraOpened(info) => info.notes.iter().for_each(|note| eprintln!("{note}")),
        News::Unread { count } => eprintln!("{count} earlier events were not printed, because they came too fast"),
        News::PageLoaded { .. } | News::PageClosed => {}
    }
    false
}
