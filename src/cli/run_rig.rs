//! Runs a recording without a window until it is over, for `record` and `selftest`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::Failure;
use super::progress::Progress;
use super::show::Loaded;
use recording::{Counters, Rig, RigEvent};
use session::{Record, Timestamp};
use store::{Committed, store_quality};

/// Set by Ctrl-C or SIGTERM. A second one ends the process, which loses at most the last moments.
pub fn interrupted() -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    ctrlc::set_handler(move || {
        if set.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    })?;
    Ok(flag)
}

/// Records until the time is over, the camera's file has ended, or somebody interrupts; then closes the session.
/// `seen` gets every record when it has been committed, and when that was.
pub fn run_rig(
    rig: Rig,
    committed: &Receiver<Committed>,
    duration: Option<Duration>,
    interrupted: &AtomicBool,
    mut seen: impl FnMut(Timestamp, &Record),
) -> Result<Counters, Failure> {
    let clock = rig.clock();
    let deadline = duration.map(|d| Instant::now() + d);
    let mut take = |c: Committed| match c {
        Committed::Records(records) => records.iter().for_each(|r| seen(clock.now(), r)),
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
        for news in rig.events().try_iter() {
            is_over |= tell(&news);
            match news {
                RigEvent::PhaseStarted { phase, at, until } => {
                    guided = Some((Progress::start(), phase.name, at, until))
                }
                RigEvent::PhaseEnded { .. } => guided = None,
                _ => {}
            }
        }
        if let Some((bar, name, at, until)) = &mut guided {
            let done = clock.now().since_ns(*at) as f64 / until.since_ns(*at).max(1) as f64;
            bar.show(done, &format!("phase `{name}`: the participant looks at the cross"));
        }
        if is_over || interrupted.load(Ordering::SeqCst) || deadline.is_some_and(|d| Instant::now() >= d) {
            break;
        }
    }
    let counters = rig.stop()?;
    committed.try_iter().for_each(take);
    Ok(counters)
}

/// Reopens the closed session, which is the proof that it can be, and stores its quality report.
pub fn reopen(folder: &Path) -> Result<Loaded, Failure> {
    let loaded = Loaded::open(folder)?;
    store_quality(folder, &serde_json::to_value(&loaded.quality)?)?;
    Ok(loaded)
}

/// Says what a person at a terminal should know; `true` where the camera will send nothing more.
fn tell(news: &RigEvent) -> bool {
    match news {
        RigEvent::CameraLost { at, why } => eprintln!("{at} camera lost: {why}; looking for it"),
        RigEvent::CameraBack { at, info } => eprintln!("{at} camera back: {}", info.name),
        RigEvent::FramesMissing { at, lost, reason } => eprintln!("{at} {lost} frames missing: {reason}"),
        RigEvent::PageFailed(why) | RigEvent::VisionFailed(why) => eprintln!("{why}"),
        RigEvent::PageRefused { count, reason } => eprintln!("{count} messages of the page refused: {reason}"),
        RigEvent::CameraFailed { at, why } => {
            eprintln!("{at} camera failed: {why}");
            return true;
        }
        RigEvent::CameraEnded { .. } => return true,
        RigEvent::PhaseStarted { phase, at, .. } => {
            eprintln!("{at} phase `{}` begins: the participant looks at the cross for {} s", phase.name, phase.seconds)
        }
        RigEvent::PhaseEnded { name } => eprintln!("phase `{name}` is over"),
        RigEvent::CameraOpened(info) => info.notes.iter().for_each(|note| eprintln!("{note}")),
        RigEvent::Unread { count } => eprintln!("{count} earlier news were not read in time"),
        RigEvent::PageLoaded { .. } | RigEvent::PageClosed => {}
    }
    false
}
