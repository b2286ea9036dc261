//! Runs a recording without a window until it ends, for `record` and `selftest`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::progress::Progress;
use crate::failure::Failure;
use recording::{Counters, Rig, RigError, RigEvent};
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
        for event in rig.events().try_iter() {
            is_over |= print_event(&event);
            match event {
                RigEvent::PhaseStarted { phase, at, until } => {
                    guided = Some((Progress::start(), phase.name, at, until))
                }
                RigEvent::PhaseEnded { .. } => guided = None,
                _ => {}
            }
        }
        if let Some((bar, name, at, until)) = &mut guided {
            let done = clock.now().since_ns(*at) as f64 / until.since_ns(*at).max(1) as f64;
            bar.show(done, &format!("phase `{name}`"));
        }
        is_over |= rig.has_storing_ended();
        if is_over || interrupted.load(Ordering::SeqCst) || deadline.is_some_and(|d| Instant::now() >= d) {
            break;
        }
    }
    let folder = rig.folder().map(std::path::Path::to_owned);
    let counters = match (rig.stop(), folder) {
        (Ok(counters), _) => counters,
        // What was stored is closed, and the caller reports it.
        (Err(RigError::Store(e)), Some(folder)) => {
            eprintln!("affectograph: {e}");
            store::recover(&folder)?;
            Counters::default()
        }
        (Err(e), _) => return Err(e.into()),
    };
    committed.try_iter().for_each(take);
    Ok(counters)
}

/// Prints an event. Returns `true` if the camera has ended.
fn print_event(event: &RigEvent) -> bool {
    match event {
        RigEvent::CameraLost { at, why } => eprintln!("{at} camera lost: {why}; trying to open it again"),
        RigEvent::CameraBack { at, info } => eprintln!("{at} camera opened again: {}", info.name),
        RigEvent::FramesMissing { at, lost, reason } => eprintln!("{at} {lost} frames missing: {reason}"),
        RigEvent::PageFailed(why) | RigEvent::VisionFailed(why) => eprintln!("{why}"),
        RigEvent::PageRefused { count, reason } => eprintln!("{count} messages of the page were refused: {reason}"),
        RigEvent::CameraFailed { at, why } => {
            eprintln!("{at} camera failed: {why}");
            return true;
        }
        RigEvent::CameraEnded { .. } => return true,
        RigEvent::PhaseStarted { phase, at, .. } => {
            eprintln!("{at} phase `{}` starts, {} s", phase.name, phase.seconds)
        }
        RigEvent::PhaseEnded { name } => eprintln!("phase `{name}` has ended"),
        RigEvent::CameraOpened(info) => info.notes.iter().for_each(|note| eprintln!("{note}")),
        RigEvent::Unread { count } => {
            eprintln!("{count} earlier events were not printed, because the program was blocked")
        }
        RigEvent::PartStarted { name, .. } => eprintln!("`{name}` begins"),
        RigEvent::PageLoaded { .. }
        | RigEvent::PageKeyboard(_)
        | RigEvent::KeyboardReturned
        | RigEvent::PageClosed
        | RigEvent::WindowReady
        | RigEvent::PartsOver => {}
    }
    false
}
