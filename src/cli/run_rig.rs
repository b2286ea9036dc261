//! Runs a recording without a window until it ends, for `record` and `selftest`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::enter_key::EnterKey;
use super::output::print_err;
use super::progress::Progress;
use super::remote_record::RemoteControl;
use crate::failure::Failure;
use crate::remote_commands::{check, marker_request, note, store};
use recording::{Counters, MarkerCommand, Rig, RigError, RigEvent};
use session::{Record, Timestamp};
use store::Committed;

/// What ends a recording, beside the end of the camera's file.
#[derive(Clone, Copy)]
pub struct Stops<'a> {
    pub duration: Option<Duration>,
    pub interrupted: &'a AtomicBool,
    pub remote: Option<&'a RemoteControl>,
}

/// Records until it is stopped. Then closes the session. Enter ends the part of the session that runs.
/// `on_record` receives each committed record and the time of its arrival.
pub fn run_rig(
    rig: Rig,
    committed: &Receiver<Committed>,
    stops: Stops,
    mut on_record: impl FnMut(Timestamp, &Record),
) -> Result<Counters, Failure> {
    let clock = rig.clock();
    let deadline = stops.duration.map(|d| Instant::now() + d);
    let mut take = |c: Committed| match c {
        Committed::Records(records) => records.iter().for_each(|r| on_record(clock.now(), r)),
        Committed::Failed(why) => print_err!("affectograph: {why}"),
    };
    let mut guided = None;
    let mut parts = Parts::default();
    let stop = loop {
        match committed.recv_timeout(Duration::from_millis(50)) {
            Ok(c) => take(c),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break None,
        }
        let mut is_over = false;
        for event in rig.events().try_iter() {
            is_over |= print_event(&event);
            if let RigEvent::MarkerCommand(marker) = &event {
                is_over |= is_stopped_by(marker, &rig);
            }
            parts.follow(&event);
            match event {
                RigEvent::PhaseStarted { phase, at, until, .. } => {
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
        if let Some(part) = parts.part_to_end() {
            rig.go_on(part);
        }
        is_over |= rig.has_storing_ended();
        let stop = stops.remote.and_then(|remote| remote.poll(&rig));
        if stop.is_some()
            || is_over
            || stops.interrupted.load(Ordering::SeqCst)
            || deadline.is_some_and(|d| Instant::now() >= d)
        {
            break stop;
        }
    };
    let folder = rig.folder().map(std::path::Path::to_owned);
    let counters = match (rig.stop(), folder) {
        (Ok(counters), _) => counters,
        // What was stored is closed, and the caller reports it.
        (Err(RigError::Store(e)), Some(folder)) => {
            print_err!("affectograph: {e}");
            store::recover(&folder)?;
            Counters::default()
        }
        (Err(e), _) => return Err(e.into()),
    };
    if let Some(request) = stop {
        request.answer(Ok(()));
    }
    committed.try_iter().for_each(take);
    Ok(counters)
}

/// Stores the command of a marker. Returns whether it stops the recording.
fn is_stopped_by(marker: &MarkerCommand, rig: &Rig) -> bool {
    let request = marker_request(marker);
    store(rig, &note(&request, &check(&request.command, true)));
    if !marker.is_start {
        print_err!("The marker `{}` of {} stops the recording.", marker.text, marker.source);
    }
    !marker.is_start
}

/// The part of the session that runs, and the key that ends it.
#[derive(Default)]
struct Parts {
    /// `None`: no part runs, or only the end of the recording ends it.
    running: Option<usize>,
    /// From the first part on. A session without parts does not read from the terminal.
    enter: Option<EnterKey>,
}

impl Parts {
    fn follow(&mut self, event: &RigEvent) {
        match event {
            RigEvent::PhaseStarted { number, .. } => self.begin(*number),
            RigEvent::PartStarted { number, name, is_last } => {
                if *is_last {
                    self.running = None;
                } else {
                    self.begin(*number);
                }
                let has_enter = self.enter.as_ref().is_some_and(EnterKey::is_there);
                print_err!("{}", begins(name, *is_last, has_enter));
            }
            RigEvent::PartsOver => self.running = None,
            _ => {}
        }
    }

    fn begin(&mut self, part: usize) {
        self.running = Some(part);
        // A press before belongs to no part.
        self.enter.get_or_insert_with(EnterKey::listen).was_pressed();
    }

    fn part_to_end(&self) -> Option<usize> {
        self.running.filter(|_| self.enter.as_ref().is_some_and(EnterKey::was_pressed))
    }
}

/// The line for a part that begins.
fn begins(name: &str, is_last: bool, has_enter: bool) -> String {
    let ends = match name {
        _ if is_last => " and is the last part. Ctrl-C stops the recording.",
        "page" => " and runs until the page marks `done`.",
        _ => ".",
    };
    let enter = if has_enter && !is_last { " Enter goes on." } else { "" };
    format!("`{name}` begins{ends}{enter}")
}

/// Prints an event. Returns `true` if the camera has ended.
fn print_event(event: &RigEvent) -> bool {
    match event {
        RigEvent::CameraLost { at, why } => print_err!("{at} camera lost: {why}; trying to open it again"),
        RigEvent::CameraBack { at, info } => print_err!("{at} camera opened again: {}", info.name),
        RigEvent::FramesMissing { at, lost, reason } => print_err!("{at} {lost} frames missing: {reason}"),
        RigEvent::PageFailed(why) | RigEvent::PageDied { why, .. } | RigEvent::VisionFailed(why) => print_err!("{why}"),
        RigEvent::PageRefused { count, reason } => print_err!("{count} messages of the page were refused: {reason}"),
        RigEvent::Source { at, name, news } => print_err!("{at} source `{name}` {news}"),
        RigEvent::CameraFailed { at, why } => {
            print_err!("{at} camera failed: {why}");
            return true;
        }
        RigEvent::CameraEnded { .. } => return true,
        RigEvent::PhaseStarted { phase, at, .. } => {
            print_err!("{at} phase `{}` starts, {} s", phase.name, phase.seconds)
        }
        RigEvent::PhaseEnded { name } => print_err!("phase `{name}` has ended"),
        RigEvent::CameraOpened(info) => info.notes.iter().for_each(|note| print_err!("{note}")),
        RigEvent::Unread { count } => {
            print_err!("{count} earlier events were not printed, because the program was blocked")
        }
        RigEvent::PartsOver => print_err!("All parts of the session are over. Ctrl-C stops the recording."),
        RigEvent::PartStarted { .. }
        | RigEvent::PhaseMoved { .. }
        | RigEvent::PageLoaded { .. }
        | RigEvent::PageKeyboard(_)
        | RigEvent::KeyboardReturned
        | RigEvent::PageClosed
        | RigEvent::MarkerCommand(_)
        | RigEvent::WindowReady => {}
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_says_how_it_ends() {
        assert_eq!(begins("page", false, true), "`page` begins and runs until the page marks `done`. Enter goes on.");
        assert_eq!(begins("page", true, true), "`page` begins and is the last part. Ctrl-C stops the recording.");
        assert_eq!(begins("mood", false, false), "`mood` begins.");
    }

    #[test]
    fn only_a_part_that_the_operator_can_end_is_ended() {
        let mut parts = Parts { running: None, enter: Some(EnterKey::silent()) };
        let started = |number, is_last| RigEvent::PartStarted { number, name: "page".into(), is_last };
        parts.follow(&started(2, false));
        assert_eq!(parts.running, Some(2));
        parts.follow(&started(3, true));
        assert_eq!(parts.running, None, "the last part ends with the recording");
        parts.follow(&started(2, false));
        parts.follow(&RigEvent::PartsOver);
        assert_eq!((parts.running, parts.part_to_end()), (None, None));
    }
}
