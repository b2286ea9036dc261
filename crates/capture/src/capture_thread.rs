//! The thread that owns the camera. It numbers frames, passes them on, and reports what is missing and why.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, TrySendError, bounded, select};

use super::counters::{CaptureCounters, Counting};
use super::drops::DropWatch;
use super::events::{CaptureEvent, EventSender};
use super::{Camera, CameraError, CameraInfo, CameraSpec, Captured, devices, open};
use session::{CameraSettings, Clock, GapReason, Latest, SharedFrame, Timestamp};

/// The receivers of frames. The capture thread waits for a receiver only if the source is a file.
pub struct Sinks {
    /// Receives every frame. If it is full, the loss is counted and reported. A file waits instead.
    pub store: Option<Sender<SharedFrame>>,
    /// Keeps the newest frame.
    pub vision: Latest<SharedFrame>,
    /// Keeps the newest frame.
    pub preview: Latest<SharedFrame>,
    pub events: Sender<CaptureEvent>,
    pub pace: Pace,
}

/// The speed at which a file is played. It has no effect on live cameras.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// At the times of the frames.
    #[default]
    RealTime,
    /// Each frame as soon as the vision thread took the previous one. No frame is skipped.
    AsFastAsScored,
}

/// A running camera. Dropping it stops the camera.
pub struct Capture {
    commands: Option<Sender<CameraSettings>>,
    thread: Option<JoinHandle<()>>,
    counting: Arc<Counting>,
    info: CameraInfo,
    clock: Clock,
}

/// The longest wait for a frame in one step. A stop takes effect within this time.
const POLL: Duration = Duration::from_millis(50);
/// If a camera was opened longer ago than this, its buffers contain old frames.
const LONG_OPEN_NS: i64 = 100_000_000;
/// The longest wait for the first frame. Cameras need time to start.
const FIRST_PICTURE: Duration = Duration::from_secs(4);
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(500);

impl Capture {
    /// Opens the camera and starts the thread. Errors of opening are returned here.
    pub fn start(
        spec: CameraSpec,
        settings: CameraSettings,
        clock: Clock,
        sinks: Sinks,
    ) -> Result<Capture, CameraError> {
        let camera = open(&spec, &settings, &clock)?;
        Capture::with_camera(camera, spec, settings, clock, sinks)
    }

    /// Starts with a camera that is already open. The caller can thus read its description before the first frame.
    /// The camera is opened again with `spec` and `settings` after it was lost.
    pub fn with_camera(
        camera: Box<dyn Camera>,
        spec: CameraSpec,
        settings: CameraSettings,
        clock: Clock,
        sinks: Sinks,
    ) -> Result<Capture, CameraError> {
        let info = camera.info().clone();
        let counting = Arc::new(Counting::default());
        let (commands, received) = bounded(64);
        let events = EventSender::new(sinks.events.clone());
        let worker = Worker {
            spec,
            settings,
            clock,
            sinks,
            events,
            commands: received,
            counting: counting.clone(),
            next_number: 0,
        };
        let thread = thread::Builder::new()
            .name("camera".into())
            .spawn(move || worker.run(camera))
            .map_err(CameraError::Thread)?;
        Ok(Capture { commands: Some(commands), thread: Some(thread), counting, info, clock })
    }

    /// The camera as opened at the start. Later changes are reported as events.
    pub fn info(&self) -> &CameraInfo {
        &self.info
    }

    /// Fixes exposure, white balance and focus while running. The result is reported as [`CaptureEvent::Adjusted`].
    pub fn adjust(&self, settings: CameraSettings) {
        if let Some(commands) = &self.commands {
            // Sending fails if the thread has ended. The thread reports its end by `Ended` or `Failed`.
            commands.send(settings).ok();
        }
    }

    pub fn counters(&self) -> CaptureCounters {
        self.counting.read(self.clock.now())
    }

    /// Whether frames may still arrive. `false` after the end of a file or a failure.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|t| !t.is_finished())
    }

    /// Stops at once, even while the camera does not respond. Returns the final counts. The slots stay open.
    pub fn stop(mut self) -> CaptureCounters {
        self.join();
        self.counters()
    }

    fn join(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // The thread catches panics and reports them as `Failed`.
            drop(thread.join());
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.join();
    }
}

struct Worker {
    spec: CameraSpec,
    settings: CameraSettings,
    clock: Clock,
    sinks: Sinks,
    events: EventSender,
    /// The thread stops when this is disconnected.
    commands: Receiver<CameraSettings>,
    counting: Arc<Counting>,
    next_number: u64,
}

/// Why an opening of the camera ended.
enum RunEnd {
    Stopped,
    Ended,
    Lost(String),
    Failed(String),
}

/// The command to stop.
struct Stop;

/// One opening of the camera.
struct Run {
    camera: Box<dyn Camera>,
    drops: DropWatch,
    interval: Duration,
    opened: Instant,
    last_sign: Option<Instant>,
    began_at: Timestamp,
    is_draining: bool,
}

impl Run {
    fn new(camera: Box<dyn Camera>, began_at: Timestamp) -> Self {
        let interval = camera.info().mode.interval();
        let drops = DropWatch::new(interval);
        Run { camera, drops, interval, opened: Instant::now(), last_sign: None, began_at, is_draining: false }
    }

    /// Whether a frame was captured before this run. If the camera was opened some time ago, the driver's buffers contain
    /// old frames, and the frames that it dropped after them are not part of the recording.
    fn is_from_before(&mut self, at: Timestamp) -> bool {
        if self.last_sign.is_none() {
            self.is_draining = self.began_at.since_ns(at) > LONG_OPEN_NS;
        }
        self.is_draining &= at < self.began_at;
        self.is_draining
    }

    /// Whether a live camera has been silent for too long.
    fn is_stalled(&self) -> bool {
        self.camera.info().is_live
            && match self.last_sign {
                Some(last) => last.elapsed() > Duration::from_secs(1).max(10 * self.interval),
                None => self.opened.elapsed() > FIRST_PICTURE.max(10 * self.interval),
            }
    }
}

impl Worker {
    fn run(mut self, camera: Box<dyn Camera>) {
        // A panic of a driver's library must not end a recording silently.
        let done = catch_unwind(AssertUnwindSafe(|| self.work(camera)));
        if done.is_err() {
            let why = "the thread of the camera panicked. This is a fault in the program. Please report it";
            self.events.send(CaptureEvent::Failed { at: self.clock.now(), why: why.to_owned() });
        }
        self.events.finish();
    }

    fn work(&mut self, camera: Box<dyn Camera>) {
        let info = camera.info().clone();
        self.events.send(CaptureEvent::Opened(info.clone()));
        let mut run = Run::new(camera, self.clock.now());
        // Nothing is missing up to this time.
        let mut whole_until = self.clock.now();
        let mut is_away = false;
        loop {
            let over = self.play(&mut run, &mut whole_until, &mut is_away);
            let at = self.clock.now();
            drop(run);
            match over {
                RunEnd::Ended => return self.events.send(CaptureEvent::Ended { at }),
                RunEnd::Failed(why) => return self.events.send(CaptureEvent::Failed { at, why }),
                RunEnd::Stopped if is_away => return self.report_away(whole_until, at, &info),
                RunEnd::Stopped => return,
                RunEnd::Lost(why) => {
                    is_away = true;
                    self.counting.lost_camera();
                    self.events.send(CaptureEvent::Lost { at, why });
                }
            }
            let Some(camera) = self.reopen(&info) else {
                return self.report_away(whole_until, self.clock.now(), &info);
            };
            self.events.send(CaptureEvent::Reconnected { at: self.clock.now(), info: camera.info().clone() });
            run = Run::new(camera, self.clock.now());
        }
    }

    /// Passes on the frames of one opening of the camera.
    fn play(&mut self, run: &mut Run, whole_until: &mut Timestamp, is_away: &mut bool) -> RunEnd {
        let info = run.camera.info().clone();
        loop {
            match self.newest_command() {
                Ok(Some(settings)) => {
                    run.camera.adjust(&settings);
                    self.settings = settings;
                    self.events.send(CaptureEvent::Adjusted(run.camera.info().clone()));
                }
                Ok(None) => {}
                Err(Stop) => return RunEnd::Stopped,
            }
            self.events.flush();
            let (at, device_sequence, outcome) = match run.camera.next(POLL) {
                Ok(Captured::End) => return RunEnd::Ended,
                Ok(Captured::Corrupt { at, device_sequence, why }) => (at, device_sequence, Err(why)),
                Ok(Captured::Missing { from, until, frames, why }) => {
                    self.missing(from, until, frames, GapReason::Corrupt, why);
                    continue;
                }
                Ok(Captured::Frame(frame)) => (frame.at, frame.device_sequence, Ok(frame.numbered(self.next_number))),
                Err(CameraError::Silent { .. }) if run.is_stalled() => {
                    return RunEnd::Lost("the camera sends no frames".to_owned());
                }
                Err(CameraError::Silent { .. }) => continue,
                Err(e) if matches!(self.spec, CameraSpec::Device { .. }) => return RunEnd::Lost(e.to_string()),
                Err(e) => return RunEnd::Failed(e.to_string()),
            };
            let is_device = matches!(self.spec, CameraSpec::Device { .. });
            let is_from_before = is_device && run.is_from_before(at);
            run.last_sign = Some(Instant::now());
            if is_from_before {
                continue;
            }
            if info.is_live {
                let missed = run.drops.seen(at, device_sequence);
                if *is_away {
                    *is_away = false;
                    self.report_away(*whole_until, at, &info);
                } else if let Some(m) = missed {
                    self.missing(m.from, m.until, m.lost, GapReason::DroppedByDriver, m.note);
                }
            }
            *whole_until = at;
            match outcome {
                Err(why) => self.missing(at, at + run.interval, 1, GapReason::Corrupt, why),
                Ok(frame) => {
                    self.next_number += 1;
                    if !self.pass_on(Arc::new(frame), info.is_live) {
                        return RunEnd::Stopped;
                    }
                }
            }
        }
    }

    /// `false` if the thread was stopped while waiting.
    fn pass_on(&mut self, frame: SharedFrame, is_live: bool) -> bool {
        let is_paced = !is_live && self.sinks.pace == Pace::RealTime;
        if is_paced && !self.wait_until(frame.meta.at) {
            return false;
        }
        self.counting.frame(self.clock.now());
        let is_stored = if is_live { self.offer_to_store(&frame) } else { self.wait_for_store(&frame) };
        let Some(is_stored) = is_stored else { return false };
        if is_stored {
            self.counting.stored();
        }
        if self.sinks.preview.put(frame.clone()).is_some() {
            self.counting.preview_skipped();
        }
        if is_live || self.sinks.pace == Pace::RealTime {
            if self.sinks.vision.put(frame).is_some() {
                self.counting.vision_skipped();
            }
            return true;
        }
        let mut frame = frame;
        while let Err(back) = self.sinks.vision.put_when_taken(frame, POLL) {
            if self.is_stopped() {
                return false;
            }
            frame = back;
        }
        true
    }

    /// Whether the frame is stored. Never `None`.
    fn offer_to_store(&mut self, frame: &SharedFrame) -> Option<bool> {
        let Some(store) = &self.sinks.store else { return Some(false) };
        let note = match store.try_send(frame.clone()) {
            Ok(()) => return Some(true),
            Err(TrySendError::Full(_)) => "the video writer was too slow",
            Err(TrySendError::Disconnected(_)) => "the video writer has ended",
        };
        self.missing(frame.meta.at, frame.meta.at, 1, GapReason::QueueFull, note.to_owned());
        Some(false)
    }

    /// Whether the frame is stored. `None` if the thread was stopped first.
    fn wait_for_store(&mut self, frame: &SharedFrame) -> Option<bool> {
        let Some(store) = self.sinks.store.clone() else { return Some(false) };
        loop {
            let sent = select! {
                send(store, frame.clone()) -> sent => sent.is_ok(),
                recv(self.commands) -> command => {
                    // A file has no settings.
                    command.ok()?;
                    continue;
                }
            };
            if !sent {
                let note = "the video writer has ended".to_owned();
                self.missing(frame.meta.at, frame.meta.at, 1, GapReason::QueueFull, note);
            }
            return Some(sent);
        }
    }

    /// `false` if the thread was stopped first.
    fn wait_until(&mut self, at: Timestamp) -> bool {
        loop {
            let ns = at.since_ns(self.clock.now());
            let Ok(left) = u64::try_from(ns) else { return true };
            if left == 0 {
                return true;
            }
            match self.commands.recv_timeout(Duration::from_nanos(left)) {
                Err(RecvTimeoutError::Disconnected) => return false,
                // A file has no settings.
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Returns only the newest settings. A slider sends more of them than a camera can apply.
    fn newest_command(&self) -> Result<Option<CameraSettings>, Stop> {
        let mut newest = None;
        loop {
            match self.commands.try_recv() {
                Ok(settings) => newest = Some(settings),
                Err(TryRecvError::Empty) => return Ok(newest),
                Err(TryRecvError::Disconnected) => return Err(Stop),
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.commands.try_recv() == Err(TryRecvError::Disconnected)
    }

    /// Tries to open the camera until it is back. `None` if the thread was stopped first.
    fn reopen(&mut self, before: &CameraInfo) -> Option<Box<dyn Camera>> {
        let mut reported = String::new();
        loop {
            match self.try_open(before) {
                Ok(camera) => return Some(camera),
                Err(CameraError::NotFound { .. }) => {}
                // The camera is connected but cannot be opened. Each reason is reported once.
                Err(e) if e.to_string() != reported => {
                    reported = e.to_string();
                    self.events.send(CaptureEvent::Lost { at: self.clock.now(), why: reported.clone() });
                }
                Err(_) => {}
            }
            self.events.flush();
            match self.commands.recv_timeout(BETWEEN_ATTEMPTS) {
                Ok(settings) => self.settings = settings,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Opens the same camera in the same mode, possibly at another port. The size of a recording cannot change.
    fn try_open(&self, before: &CameraInfo) -> Result<Box<dyn Camera>, CameraError> {
        let not_found = || CameraError::NotFound { address: before.address.clone() };
        let CameraSpec::Device { backend, .. } = &self.spec else { return Err(not_found()) };
        let id = devices::find_again(&before.name, before.bus.as_deref())?.ok_or_else(not_found)?;
        let spec = CameraSpec::Device { id, backend: *backend, mode: Some(before.mode) };
        open(&spec, &self.settings, &self.clock)
    }

    fn report_away(&mut self, from: Timestamp, until: Timestamp, info: &CameraInfo) {
        let interval_ns = info.mode.interval().as_nanos() as f64;
        let lost = (until.since_ns(from) as f64 / interval_ns).round() as u64;
        let note = format!("{} was disconnected; the number of lost frames is computed from its rate", info.name);
        self.missing(from, until, lost.saturating_sub(1), GapReason::CameraLost, note);
    }

    fn missing(&mut self, from: Timestamp, until: Timestamp, lost: u64, reason: GapReason, note: String) {
        self.counting.dropped(reason, lost);
        self.events.send(CaptureEvent::Missing { from, until, lost, reason, note });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Backend, CameraKind, CapturedFrame, DeviceId, Mode, PixelFormat};
    use session::{Pixels, TimeSource};
    use std::collections::VecDeque;

    /// Gives what it was given, then is silent.
    struct Scripted {
        info: CameraInfo,
        script: VecDeque<Captured>,
    }

    impl Camera for Scripted {
        fn info(&self) -> &CameraInfo {
            &self.info
        }
        fn next(&mut self, waited: Duration) -> Result<Captured, CameraError> {
            self.script.pop_front().ok_or(CameraError::Silent { waited })
        }
    }

    fn frame(at: Timestamp, sequence: u64) -> Captured {
        Captured::Frame(CapturedFrame {
            at,
            time_source: TimeSource::Driver,
            device_sequence: Some(sequence),
            width_px: 1,
            height_px: 1,
            pixels: Pixels::Grey(vec![0]),
        })
    }

    /// Runs a script until its `End` and returns the stored frames' sequence numbers, the events and the counts.
    fn run(script: impl FnOnce(Timestamp) -> Vec<Captured>) -> (Vec<u64>, Vec<CaptureEvent>, CaptureCounters) {
        let clock = Clock::start();
        let mode = Mode { width_px: 1, height_px: 1, rate_hz: 30.0, format: PixelFormat::Grey };
        let info = CameraInfo {
            name: "scripted".into(),
            kind: CameraKind::V4l,
            address: "/dev/video0".into(),
            bus: None,
            mode,
            is_live: true,
            expected_frames: None,
            controls: Vec::new(),
            notes: Vec::new(),
        };
        let (store_in, store) = bounded(100);
        let (events_in, events) = bounded(100);
        let (keep_open, commands) = bounded(1);
        let counting = Arc::new(Counting::default());
        let worker = Worker {
            spec: CameraSpec::Device { id: DeviceId(0), backend: Backend::default(), mode: None },
            settings: CameraSettings::default(),
            clock,
            events: EventSender::new(events_in.clone()),
            sinks: Sinks {
                store: Some(store_in),
                vision: Latest::default(),
                preview: Latest::default(),
                events: events_in,
                pace: Pace::RealTime,
            },
            commands,
            counting: counting.clone(),
            next_number: 0,
        };
        let script = script(clock.now()).into_iter().chain([Captured::End]).collect();
        worker.run(Box::new(Scripted { info, script }));
        drop(keep_open);
        let stored: Vec<_> = store.try_iter().collect();
        assert!(stored.iter().enumerate().all(|(k, f)| f.meta.number == k as u64));
        let sequences = stored.iter().filter_map(|f| f.meta.device_sequence).collect();
        (sequences, events.try_iter().collect(), counting.read(clock.now()))
    }

    const STEP: Duration = Duration::from_nanos(33_333_333);

    #[test]
    fn pictures_from_before_the_start_and_drops_behind_them_do_not_count() {
        // Opened two seconds ago: eight buffers are full, then some fifty frames found none.
        let (stored, events, counters) = run(|now| {
            let opened_at = now - Duration::from_secs(2);
            let old = (0..8).map(|k| frame(opened_at + STEP * k, u64::from(k)));
            let new = (61..65).map(|k| frame(opened_at + STEP * k, u64::from(k)));
            old.chain(new).collect()
        });
        assert_eq!(stored, [61, 62, 63, 64]);
        assert_eq!(counters.lost(), 0, "{events:?}");
    }

    #[test]
    fn damaged_and_dropped_frames_are_told_apart_and_counted_once() {
        let (stored, events, counters) = run(|now| {
            let at = |k: u32| now + STEP * k;
            let corrupt = Captured::Corrupt { at: at(2), device_sequence: Some(2), why: "half".into() };
            vec![frame(at(0), 0), frame(at(1), 1), corrupt, frame(at(3), 3), frame(at(7), 7)]
        });
        assert_eq!(stored, [0, 1, 3, 7]);
        assert_eq!((counters.corrupt, counters.dropped_by_driver, counters.frames), (1, 3, 4));
        let missing: Vec<_> = events
            .iter()
            .filter_map(|e| match e {
                CaptureEvent::Missing { lost, reason, .. } => Some((*reason, *lost)),
                _ => None,
            })
            .collect();
        assert_eq!(missing, [(GapReason::Corrupt, 1), (GapReason::DroppedByDriver, 3)]);
        assert!(matches!(events.last(), Some(CaptureEvent::Ended { .. })));
    }
}
