//! Sends the committed records of the recording in progress to the window. A slow window does not delay the recording:
//! records that do not fit into the queue are read from the session file later.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::to_window::{RECORD_BYTES_WAITING, RECORDS_WAITING, ToWindow, record_bytes};
use session::Record;
use store::{Follower, StoreError};

/// The number of records that are read at once. This takes some milliseconds, and is less than the queue's bound.
const READ_RECORDS: usize = RECORDS_WAITING / 4;
/// The time before a failed read is repeated.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

pub(super) struct Tail {
    /// The session's folder. `None` in a rehearsal.
    folder: Option<PathBuf>,
    behind: Option<Behind>,
    /// The known number of records that the recorder did not forward.
    not_forwarded: u64,
}

/// The file contains records that the window has not received.
struct Behind {
    /// Stream and number of the first of them. `None`: all records of the session.
    first: Option<(String, u64)>,
    follower: Option<Follower>,
    failed: Option<Instant>,
}

impl Tail {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Tail { folder, behind: None, not_forwarded: 0 }
    }

    /// Takes records that were committed.
    pub(super) fn committed(&mut self, records: &Arc<[Record]>, window: &ToWindow) {
        // While the window is behind, new records are read from the file.
        if self.behind.is_none()
            && let Some(first) = records.first()
            && !window.records(records)
        {
            self.fall_behind(Some((first.stream.to_string(), first.seq)));
        }
    }

    /// Takes the number of records that the recorder could not forward.
    pub(super) fn not_forwarded(&mut self, records: u64) {
        if records > self.not_forwarded {
            self.not_forwarded = records;
            self.fall_behind(None);
        }
    }

    fn fall_behind(&mut self, first: Option<(String, u64)>) {
        self.behind = Some(Behind { first, follower: None, failed: None });
    }

    /// Called once per poll, after the forwarded records were taken. Reads the missing records in pieces, when the window
    /// has taken the waiting ones. An error is a message for the user. The read is repeated later.
    pub(super) fn catch_up(&mut self, window: &ToWindow) -> Result<(), String> {
        let (Some(behind), Some(folder)) = (&mut self.behind, &self.folder) else { return Ok(()) };
        let is_early = behind.failed.is_some_and(|at| at.elapsed() < POLL_INTERVAL);
        if is_early || window.records_waiting() > 0 {
            return Ok(());
        }
        let follower = match &mut behind.follower {
            Some(follower) => Ok(follower),
            None => {
                let first = behind.first.as_ref().map(|(stream, seq)| (stream.as_str(), *seq));
                match Follower::open(folder, first) {
                    Ok(follower) => Ok(behind.follower.insert(follower)),
                    Err(e) => Err(e),
                }
            }
        };
        let read = follower.and_then(|f| f.read(READ_RECORDS, RECORD_BYTES_WAITING / 2, record_bytes));
        match read {
            Ok((records, is_all)) => {
                // A record that is larger than the queue's bound is not shown live. The review shows it.
                window.records(&records.into());
                if is_all {
                    // The recorder may forward records that were read here. The window ignores duplicates by their numbers.
                    self.behind = None;
                }
                Ok(())
            }
            Err(e) => {
                behind.follower = None;
                behind.failed = Some(Instant::now());
                Err(sentence(&e))
            }
        }
    }
}

fn sentence(e: &StoreError) -> String {
    format!(
        "Records from the time when the window was not drawn could not be read: {e}. The plots lack them. The session contains all of them."
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crossbeam_channel::{Receiver, bounded};
    use serde_json::json;

    use super::*;
    use desktop::port::{BackendEvent, HealthFigures, Wake};
    use session::{AFFECT, PAGE, ParticipantId, SessionNumber, Study, Timeline, Timestamp, affect_stream, page_stream};
    use store::{Committed, Recorder, SessionEnd, SessionFile, SessionHeader, StoredStudy, StreamWriter};

    const STUDY: &str = "name = \"demo\"\ntitle = \"Demo\"\n[page]\naddress = \"page\"\n";
    const FIELDS: usize = 12;

    fn recorder(folder: &Path) -> (Recorder, Receiver<Committed>) {
        let header = SessionHeader::plain(
            ParticipantId::numbered(1),
            SessionNumber(1),
            StoredStudy::new(&Study::parse(STUDY).unwrap(), STUDY),
            "2026-11-23T10:00:00Z".parse().unwrap(),
        );
        let (to, committed) = bounded(4096);
        (Recorder::create(folder, header, vec![affect_stream(30.0, "test"), page_stream()], to).unwrap(), committed)
    }

    /// A window, with the received records in a timeline of its own.
    struct Window {
        to: ToWindow,
        timeline: Timeline,
        frames_stored: u64,
        sentences: Vec<String>,
    }

    impl Window {
        fn new() -> Window {
            let mut timeline = Timeline::default();
            [affect_stream(30.0, "test"), page_stream()].into_iter().for_each(|s| timeline.declare(s));
            Window { to: ToWindow::new(Wake::new(|| {})), timeline, frames_stored: 0, sentences: Vec::new() }
        }

        fn draw(&mut self) {
            for update in self.to.take() {
                match update {
                    BackendEvent::Records(records) => records.iter().for_each(|r| self.timeline.ingest(r)),
                    BackendEvent::Health(h) => self.frames_stored = h.frames_stored,
                    BackendEvent::Notice(sentence) => self.sentences.push(sentence),
                    _ => {}
                }
            }
        }

        fn counts(&self) -> (usize, usize) {
            (self.timeline.series(AFFECT).map_or(0, |s| s.len()), self.timeline.events().len())
        }
    }

    /// The simulated source and the recording controller's poll.
    struct Line {
        recorder: Recorder,
        committed: Receiver<Committed>,
        affect: StreamWriter,
        page: StreamWriter,
        tail: Tail,
        frame: u64,
    }

    impl Line {
        fn start(folder: &Path) -> Line {
            let (recorder, committed) = recorder(folder);
            let (affect, page) = (recorder.stream(AFFECT).unwrap(), recorder.stream(PAGE).unwrap());
            Line { affect, page, recorder, committed, tail: Tail::new(Some(folder.to_owned())), frame: 0 }
        }

        /// So many frames of 30 Hz, with an event in each tenth.
        fn record(&mut self, frames: u64, window: &mut Window) {
            for _ in 0..frames {
                // Half an hour comes in seconds here: the recorder's own queue must not be what loses something.
                while self.frame.is_multiple_of(500) && self.recorder.counters().record_queue_fill > 0.5 {
                    std::thread::sleep(Duration::from_millis(5));
                }
                let at = Timestamp::from_ns(self.frame as i64 * 33_333_333);
                let values = [self.frame as f32; FIELDS];
                self.affect.sample(at, Some(self.frame), &values).unwrap();
                if self.frame.is_multiple_of(10) {
                    let data = json!({ "target": "button#next", "frame": self.frame });
                    self.page.event(at, "click", data).unwrap();
                }
                self.frame += 1;
                if self.frame.is_multiple_of(1000) {
                    self.poll_rig(window);
                }
            }
        }

        fn poll_rig(&mut self, window: &mut Window) {
            for committed in self.committed.try_iter() {
                match committed {
                    Committed::Records(records) => self.tail.committed(&records, &window.to),
                    Committed::Failed(why) => panic!("{why}"),
                }
            }
            if let Err(sentence) = self.tail.catch_up(&window.to) {
                window.to.send(BackendEvent::Notice(sentence));
            }
            window
                .to
                .send(BackendEvent::Health(HealthFigures { frames_stored: self.frame, ..HealthFigures::default() }));
            assert!(window.to.records_waiting() <= RECORDS_WAITING);
            let bytes = window.to.bytes_waiting();
            assert!(bytes <= RECORD_BYTES_WAITING + (1 << 20), "{bytes} bytes wait");
        }

        /// Until all that was recorded is on the screen.
        fn until_shown(&mut self, window: &mut Window) {
            let all = (self.frame as usize, self.frame.div_ceil(10) as usize);
            let deadline = Instant::now() + Duration::from_secs(60);
            while window.counts() != all {
                self.poll_rig(window);
                window.draw();
                assert!(Instant::now() < deadline, "{:?} of {all:?}, {:?}", window.counts(), window.sentences);
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    #[test]
    fn a_window_that_stood_still_for_half_an_hour_shows_all_when_it_wakes() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("session");
        let (mut line, mut window) = (Line::start(&folder), Window::new());
        line.record(3_000, &mut window);
        line.until_shown(&mut window);
        // It stands still, for half an hour of the session.
        line.record(54_000, &mut window);
        line.poll_rig(&mut window);
        assert!(line.tail.behind.is_some());
        assert_eq!(window.counts().0, 3_000);
        // It wakes while the recording goes on.
        line.record(2_000, &mut window);
        line.until_shown(&mut window);
        line.record(1_000, &mut window);
        line.until_shown(&mut window);
        assert!(line.tail.behind.is_none());
        assert_eq!((window.frames_stored, window.sentences.len(), window.timeline.refused()), (60_000, 0, 0));

        let Line { recorder, affect, page, .. } = line;
        drop((affect, page));
        recorder.finish(SessionEnd { at: Timestamp::from_secs_f64(2000.0), quality: None }).unwrap();
        let stored = SessionFile::open(&folder).unwrap().timeline().unwrap();
        let (shown, file) = (window.timeline.series(AFFECT).unwrap(), stored.series(AFFECT).unwrap());
        assert_eq!((file.len(), stored.events().len(), stored.gaps().len()), (60_000, 6_000, 0));
        assert_eq!((shown.times(), shown.column(0), shown.seqs()), (file.times(), file.column(0), file.seqs()));
        assert_eq!(window.timeline.events(), stored.events());
    }

    #[test]
    fn what_the_recorder_could_not_hand_on_is_read_from_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("session");
        let (mut line, mut window) = (Line::start(&folder), Window::new());
        line.record(500, &mut window);
        let (reply, stored) = bounded(1);
        line.recorder.when_stored(move |result| reply.send(result.is_ok()).unwrap());
        assert!(stored.recv().unwrap());
        // Nobody took them in time.
        while line.committed.recv_timeout(Duration::from_millis(200)).is_ok() {}
        line.tail.not_forwarded(550);
        line.until_shown(&mut window);
        line.tail.not_forwarded(550);
        assert!(line.tail.behind.is_none());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_said_and_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let window = Window::new();
        let mut tail = Tail::new(Some(dir.path().join("nowhere")));
        tail.not_forwarded(1);
        let why = tail.catch_up(&window.to).unwrap_err();
        assert!(why.contains("nowhere") && why.ends_with("The session contains all of them."), "{why}");
        assert_eq!(tail.catch_up(&window.to), Ok(())); // not thirty times a second
        assert!(tail.behind.is_some());
    }
}
