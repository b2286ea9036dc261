//! The thread of one inlet: receives a stream until it is stopped, also if the sender is lost and comes back.

use std::ops::Range;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::arrival::{Arrival, NewSegment, SegmentReason};
use super::clock_link::{ClockLink, seconds_to_ns};
use super::{Channel, ClockMeasurement, Inlet, LslError, Network, Samples, StreamIdentity};
use session::{LslOffset, Timestamp};

/// What happens to a stream, in the order in which it is to be stored.
pub enum InletEvent<'a> {
    /// The sender is connected, and its clock has been measured. Samples that it sends from now on are received.
    Connected {
        at: Timestamp,
        identity: &'a StreamIdentity,
        xml: &'a str,
    },
    Segment {
        at: Timestamp,
        segment: NewSegment,
    },
    Measured {
        at: Timestamp,
        offset: LslOffset,
    },
    /// The rows of `samples`, and the stored time of each.
    Samples {
        samples: &'a Samples,
        rows: Range<usize>,
        at: &'a [Timestamp],
    },
    /// The sender is connected and sends nothing, although it promised a rate. Samples end it.
    Silent {
        since: Timestamp,
    },
    /// The sender is gone. `since`: when it was last heard.
    Lost {
        at: Timestamp,
        since: Timestamp,
        why: String,
    },
    /// The sender is on the network again and cannot be received. It is tried again.
    NotBack {
        at: Timestamp,
        why: String,
    },
    /// The thread ends. A gap that is open ends here, too.
    Ended {
        at: Timestamp,
    },
}

/// Runs on the inlet's thread and must not wait.
pub type InletSink = Box<dyn FnMut(InletEvent<'_>) + Send>;

/// Batches of samples are taken this often.
const TAKE_EVERY: Duration = Duration::from_millis(10);
/// liblsl measures the clock every 2 s. The next measurement after this time is stored.
const MEASURE_EVERY: Duration = Duration::from_millis(2_500);
/// A sender that answers none of four measurements and sends nothing is lost.
const LOST_AFTER: Duration = Duration::from_secs(8);
/// A stream with a rate is silent after this time, or after ten of its samples.
const SILENT_AFTER: Duration = Duration::from_secs(2);
const SILENT_SAMPLES: f64 = 10.0;
/// A sender that is lost is looked for this long at a time.
const LOOK: Duration = Duration::from_secs(1);
/// For each step of connecting.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Receives one stream. [`InletThread::stop`] takes what has arrived and ends the thread.
pub struct InletThread {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl InletThread {
    /// `inlet` is connected and not open. `first` is the measurement of its clock that came before all samples.
    pub fn start(
        inlet: Inlet,
        first: ClockMeasurement,
        link: ClockLink,
        sink: InletSink,
    ) -> std::io::Result<InletThread> {
        let (stop, stopped) = bounded(0);
        let name: String = format!("lsl {}", inlet.identity().name).chars().take(15).filter(|c| *c != '\0').collect();
        let worker = Worker { link, sink, stopped };
        let thread = std::thread::Builder::new().name(name).spawn(move || worker.run(inlet, first))?;
        Ok(InletThread { stop: Some(stop), thread: Some(thread) })
    }

    /// The thread ends soon. [`InletThread::stop`] waits for it.
    pub fn ask_to_stop(&mut self) {
        self.stop = None;
    }

    pub fn stop(mut self) {
        self.join();
    }

    fn join(&mut self) {
        self.ask_to_stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of an inlet of Lab Streaming Layer failed");
        }
    }
}

impl Drop for InletThread {
    fn drop(&mut self) {
        self.join();
    }
}

struct Worker {
    link: ClockLink,
    sink: InletSink,
    stopped: Receiver<()>,
}

/// Why receiving ended.
enum End {
    Stopped,
    Lost { since: Timestamp, why: String },
}

/// What is known of a connected sender.
struct Connection {
    arrival: Arrival,
    last_measured: (LslOffset, Instant),
    last_answer: Instant,
    last_sample: Instant,
    /// Session time of the last sample or answer.
    heard: Timestamp,
    is_silent: bool,
    at: Vec<Timestamp>,
}

impl Worker {
    fn run(mut self, inlet: Inlet, first: ClockMeasurement) {
        // The stream of the session has the labels and units of the first connection.
        let (identity, channels) = (inlet.identity().clone(), inlet.description().channels.clone());
        let mut next = Some((inlet, first));
        let mut reason = SegmentReason::Start;
        while let Some((mut inlet, first)) = next.take() {
            let end = match self.begin(&mut inlet, first, reason) {
                Ok(connection) => self.receive(&mut inlet, connection),
                Err(e) => End::Lost { since: self.link.now(), why: e.to_string() },
            };
            // Destroying the inlet also ends liblsl's own search for the sender.
            drop(inlet);
            let End::Lost { since, why } = end else { break };
            let at = self.link.now();
            (self.sink)(InletEvent::Lost { at, since, why });
            next = self.look_for(&identity, &channels);
            reason = SegmentReason::SenderBack;
        }
        (self.sink)(InletEvent::Ended { at: self.link.now() });
    }

    fn begin(
        &mut self,
        inlet: &mut Inlet,
        first: ClockMeasurement,
        reason: SegmentReason,
    ) -> Result<Connection, LslError> {
        // Before the connection, so that no sample is earlier.
        let at = self.link.now();
        inlet.open(ANSWER_WITHIN)?;
        // Started again since it was found: its description and the measurement of its clock are of the old run.
        if inlet.was_reset() {
            return Err(LslError::Lost { stream: inlet.identity().name.clone() });
        }
        let now = Instant::now();
        let offset = self.offset(first);
        let arrival = Arrival::connected(offset, at, reason);
        (self.sink)(InletEvent::Connected { at, identity: inlet.identity(), xml: &inlet.description().xml });
        (self.sink)(InletEvent::Segment { at, segment: arrival.segment() });
        (self.sink)(InletEvent::Measured { at, offset });
        Ok(Connection {
            arrival,
            last_measured: (offset, now),
            last_answer: now,
            last_sample: now,
            heard: at,
            is_silent: false,
            at: Vec::new(),
        })
    }

    fn receive(&mut self, inlet: &mut Inlet, mut c: Connection) -> End {
        loop {
            let is_stopped = match self.stopped.recv_timeout(TAKE_EVERY) {
                Err(RecvTimeoutError::Timeout) => false,
                Ok(()) | Err(RecvTimeoutError::Disconnected) => true,
            };
            // Asked first: whatever has arrived by then is of the old connection.
            let was_reset = inlet.was_reset();
            let taken = self.take(inlet, &mut c);
            if is_stopped {
                return End::Stopped;
            }
            let lost = match taken.and_then(|()| self.measure(inlet, &mut c)) {
                Err(e) => Some(e.to_string()),
                Ok(()) if was_reset => Some("its program was started again".to_owned()),
                Ok(()) if c.last_answer.elapsed() > LOST_AFTER && c.last_sample.elapsed() > LOST_AFTER => {
                    Some(format!("it has not answered for {} s", LOST_AFTER.as_secs()))
                }
                Ok(()) => None,
            };
            if let Some(why) = lost {
                return End::Lost { since: c.heard, why };
            }
            self.watch_silence(inlet.identity(), &mut c);
        }
    }

    /// Takes all samples that have arrived.
    fn take(&mut self, inlet: &mut Inlet, c: &mut Connection) -> Result<(), LslError> {
        loop {
            let samples = inlet.pull()?;
            if samples.is_empty() {
                return Ok(());
            }
            let now = self.link.now();
            c.at.clear();
            let mut from = 0;
            for (row, stamp_s) in samples.stamps_s.iter().enumerate() {
                let (at, segment) = c.arrival.at(seconds_to_ns(*stamp_s), now);
                if let Some(segment) = segment {
                    (self.sink)(InletEvent::Samples { samples: &samples, rows: from..row, at: &c.at[from..] });
                    (self.sink)(InletEvent::Segment { at, segment });
                    from = row;
                }
                c.at.push(at);
            }
            (self.sink)(InletEvent::Samples { samples: &samples, rows: from..samples.len(), at: &c.at[from..] });
            (c.last_sample, c.is_silent) = (Instant::now(), false);
            c.heard = c.at.last().copied().unwrap_or(now);
        }
    }

    /// Stores the newest measurement of the sender's clock if it is time for one.
    fn measure(&mut self, inlet: &mut Inlet, c: &mut Connection) -> Result<(), LslError> {
        let (last, stored) = c.last_measured;
        let measurement = match inlet.measure_clock(Duration::ZERO) {
            // Between two connections there is none.
            Err(LslError::TimedOut { .. }) => return Ok(()),
            other => other?,
        };
        let offset = self.offset(measurement);
        if offset.remote_ns == last.remote_ns {
            return Ok(());
        }
        c.last_answer = Instant::now();
        if stored.elapsed() < MEASURE_EVERY {
            return Ok(());
        }
        let at = self.link.now();
        if c.last_sample.elapsed() > MEASURE_EVERY && inlet.identity().rate_hz.is_none() {
            c.heard = at;
        }
        c.last_measured = (offset, c.last_answer);
        if let Some(segment) = c.arrival.measured(offset) {
            (self.sink)(InletEvent::Segment { at, segment });
        }
        (self.sink)(InletEvent::Measured { at, offset });
        Ok(())
    }

    fn watch_silence(&mut self, identity: &StreamIdentity, c: &mut Connection) {
        let Some(rate_hz) = identity.rate_hz else { return };
        let patience = SILENT_AFTER.max(Duration::try_from_secs_f64(SILENT_SAMPLES / rate_hz).unwrap_or(Duration::MAX));
        if !c.is_silent && c.last_sample.elapsed() > patience {
            c.is_silent = true;
            (self.sink)(InletEvent::Silent { since: c.heard });
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.try_recv().is_err_and(|e| e.is_disconnected())
    }

    /// The same sender's stream, connected. `None`: the thread was stopped.
    fn look_for(&mut self, lost: &StreamIdentity, channels: &[Channel]) -> Option<(Inlet, ClockMeasurement)> {
        let mut last_problem = None;
        loop {
            if self.is_stopped() {
                return None;
            }
            match self.connect_again(lost, channels) {
                Ok(Some(connected)) => return Some(connected),
                Ok(None) => {}
                // Said once, not every second.
                Err(e) if last_problem.as_ref() == Some(&e) => {}
                Err(e) => {
                    (self.sink)(InletEvent::NotBack { at: self.link.now(), why: e.to_string() });
                    last_problem = Some(e);
                }
            }
        }
    }

    fn offset(&self, m: ClockMeasurement) -> LslOffset {
        LslOffset {
            remote_ns: seconds_to_ns(m.remote_s),
            offset_ns: seconds_to_ns(m.offset_s).saturating_add(self.link.session_minus_local_ns()),
            uncertainty_ns: seconds_to_ns(m.uncertainty_s.abs()).saturating_add(self.link.uncertainty_ns()),
        }
    }

    /// `None`: it is not there, which takes the time of one look, or the thread was stopped.
    fn connect_again(
        &self,
        lost: &StreamIdentity,
        channels: &[Channel],
    ) -> Result<Option<(Inlet, ClockMeasurement)>, LslError> {
        let (streams, _) = Network::get()?.streams(LOOK)?;
        let found: Vec<_> = streams.iter().filter(|s| lost.is_successor(&s.identity)).collect();
        let stream = lost.name.clone();
        let only = match found[..] {
            [] => return Ok(None),
            [only] => only,
            _ => return Err(LslError::SeveralBack { stream, count: found.len() }),
        };
        if let Some(why) = lost.difference_of(&only.identity) {
            return Err(LslError::OtherForm { stream, why });
        }
        if self.is_stopped() {
            return Ok(None);
        }
        let mut inlet = Inlet::connect(only, ANSWER_WITHIN)?;
        if inlet.description().channels != channels {
            let why = "its channels have other labels, units or types".to_owned();
            return Err(LslError::OtherForm { stream, why });
        }
        if self.is_stopped() {
            return Ok(None);
        }
        let first = inlet.measure_clock(ANSWER_WITHIN)?;
        Ok((!self.is_stopped()).then_some((inlet, first)))
    }
}
