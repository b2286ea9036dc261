//! The sources of a rehearsal: found and received, so that the set-up shows whether each is there. Nothing is stored.

use std::collections::BTreeSet;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::hand_over::{EarlyMarker, KeptInlet, MarkerKeeper, SetUpSources};
use super::lsl_inputs::{FIND_WITHIN, Ready, connect, described};
use super::marker_command::MarkerCommand;
use super::rig_event::{EventSender, RigEvent, event_channel};
use super::source_health::{Finding, SourceHealth, SourceLevel};
use super::watched_port::WatchedPort;
use lsl::{ClockLink, InletEvent, InletSink, InletThread, LslError, Network};
use session::{Clock, Latest, SourceKind, SourceSettings, StreamName, capitalised};

/// One look at the network. Ending the watch waits for it.
const LOOK: Duration = Duration::from_millis(500);
/// How often findings are published.
const PUBLISH_EVERY: Duration = Duration::from_millis(500);

/// What the set-up shows of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    pub source: SourceSettings,
    pub level: SourceLevel,
    /// Names the source.
    pub sentence: String,
}

/// Watches sources on threads of their own. Dropping it waits for them: a process must not end while liblsl works. This takes up to
/// half a second while a source is looked for, and longer if a sender answers slowly.
pub(super) struct SourceWatch {
    states: Latest<Vec<SourceState>>,
    /// Dropped, it ends the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<Vec<Watched>>>,
}

impl Drop for SourceWatch {
    fn drop(&mut self) {
        drop(self.end());
    }
}

impl SourceWatch {
    /// `None`: there is nothing to watch. Without sources, liblsl is not loaded.
    pub(super) fn start(
        sources: &[SourceSettings],
        clock: Clock,
        news: EventSender,
    ) -> std::io::Result<Option<SourceWatch>> {
        if sources.is_empty() {
            return Ok(None);
        }
        let (stop, stopped) = bounded(0);
        let states = Latest::default();
        let watched = sources.iter().map(|source| Watched::of(source.clone())).collect();
        let worker = Worker { watched, states: states.clone(), clock, stopped, news, since: Instant::now() };
        worker.publish();
        let thread = std::thread::Builder::new().name("source_watch".into()).spawn(move || worker.run())?;
        Ok(Some(SourceWatch { states, stop: Some(stop), thread: Some(thread) }))
    }

    fn end(&mut self) -> Vec<Watched> {
        self.stop = None;
        self.thread.take().map_or_else(Vec::new, |thread| {
            thread.join().unwrap_or_else(|_| {
                tracing::error!("the thread that watches the sources failed");
                Vec::new()
            })
        })
    }

    /// Ends the watch, but for the inlets whose markers are commands.
    pub(super) fn keep_markers(mut self) -> SetUpSources {
        let watched = self.end().into_iter().map(|mut watched| {
            watched.take_news();
            watched
        });
        let received = watched.filter_map(|watched| watched.received);
        let kept = received.filter_map(|received| {
            let Received { uid, thread, kept, .. } = received;
            kept.map(|kept| KeptInlet { uid, kept, thread })
        });
        SetUpSources(kept.collect())
    }

    /// All sources in the order of the study, if something may have changed since the last call.
    pub(super) fn new_states(&self) -> Option<Vec<SourceState>> {
        self.states.try_take()
    }
}

/// Waits for a marker that starts a recording, without a camera and without a window.
pub struct MarkerWatch {
    watch: SourceWatch,
    events: Receiver<RigEvent>,
}

impl MarkerWatch {
    /// `None`: no source of the study starts a recording.
    pub fn start(sources: &[SourceSettings]) -> std::io::Result<Option<MarkerWatch>> {
        let starting: Vec<SourceSettings> =
            sources.iter().filter(|source| !source.start_marker.is_empty()).cloned().collect();
        let (news, events) = event_channel();
        let watch = SourceWatch::start(&starting, Clock::start(), news)?;
        Ok(watch.map(|watch| MarkerWatch { watch, events }))
    }

    /// Since the last call.
    pub fn new_commands(&self) -> impl Iterator<Item = MarkerCommand> {
        self.events.try_iter().filter_map(|event| match event {
            RigEvent::MarkerCommand(command) => Some(command),
            _ => None,
        })
    }

    /// What is found and what is not, if something may have changed since the last call.
    pub fn new_states(&self) -> Option<Vec<SourceState>> {
        self.watch.new_states()
    }

    /// Ends it, but for the markers that come until the recording receives them.
    pub fn keep_markers(self) -> SetUpSources {
        self.watch.keep_markers()
    }
}

struct Watched {
    source: SourceSettings,
    finding: Finding,
    /// A stream of Lab Streaming Layer that was found.
    received: Option<Received>,
    /// A serial port. It is looked for by itself.
    port: Option<WatchedPort>,
}

struct Received {
    uid: String,
    /// A sender that was started again has another one.
    new_uid: Latest<String>,
    findings: Latest<Finding>,
    thread: InletThread,
    /// The markers since the last one that starts the recording. `None`: no marker of the source does.
    kept: Option<Receiver<EarlyMarker>>,
}

impl Watched {
    fn of(source: SourceSettings) -> Watched {
        let finding = (SourceLevel::Waiting, format!("`{source}` is looked for on the network."));
        Watched { source, finding, received: None, port: None }
    }

    fn is_looked_for(&self) -> bool {
        self.source.kind == SourceKind::Lsl && self.received.is_none()
    }

    fn open_port(&mut self, clock: Clock) {
        let Some(settings) = self.source.serial_port() else { return };
        match WatchedPort::open(settings, clock) {
            Ok(port) => self.port = Some(port),
            Err(e) => self.finding = (SourceLevel::Failed, format!("`{}` cannot be watched: {e}.", self.source)),
        }
    }

    fn take_news(&mut self) {
        if let Some(received) = &mut self.received
            && let Some(uid) = received.new_uid.try_take()
        {
            received.uid = uid;
        }
        let of_stream = self.received.as_ref().and_then(|received| received.findings.try_take());
        let of_port = self.port.as_ref().and_then(WatchedPort::new_finding);
        if let Some(finding) = of_stream.or(of_port) {
            self.finding = finding;
        }
    }

    fn state(&self) -> SourceState {
        let (level, sentence) = self.finding.clone();
        SourceState { source: self.source.clone(), level, sentence }
    }
}

struct Worker {
    watched: Vec<Watched>,
    states: Latest<Vec<SourceState>>,
    clock: Clock,
    stopped: Receiver<()>,
    news: EventSender,
    since: Instant,
}

impl Worker {
    fn run(mut self) -> Vec<Watched> {
        let clock = self.clock;
        self.watched.iter_mut().for_each(|watched| watched.open_port(clock));
        // Without a stream to look for, liblsl is not loaded.
        let mut network = None;
        if self.watched.iter().any(Watched::is_looked_for) {
            match Network::get() {
                Ok(found) => network = Some(found),
                Err(e) => self.fail_all(&e),
            }
        }
        loop {
            let is_looking = network.is_some() && self.watched.iter().any(Watched::is_looked_for);
            if let Some(network) = network.filter(|_| is_looking) {
                self.look(network);
            }
            self.watched.iter_mut().for_each(Watched::take_news);
            self.publish();
            let pause = if is_looking { Duration::ZERO } else { PUBLISH_EVERY };
            if !matches!(self.stopped.recv_timeout(pause), Err(RecvTimeoutError::Timeout)) {
                return self.watched;
            }
        }
    }

    fn publish(&self) {
        self.states.put(self.watched.iter().map(Watched::state).collect());
    }

    fn fail_all(&mut self, e: &LslError) {
        for watched in self.watched.iter_mut().filter(|watched| watched.is_looked_for()) {
            watched.finding = (SourceLevel::Failed, format!("`{}` cannot be received: {e}.", watched.source));
        }
        self.publish();
    }

    /// Looks for those that are not received yet. Takes [`LOOK`], and longer if a sender answers slowly.
    fn look(&mut self, network: Network) {
        let streams = match network.streams(LOOK) {
            Ok((streams, refused)) => {
                refused.iter().for_each(|e| tracing::warn!("{e}"));
                streams
            }
            Err(e) => return self.fail_all(&e),
        };
        let is_stopped = || !matches!(self.stopped.try_recv(), Err(crossbeam_channel::TryRecvError::Empty));
        let mut taken: BTreeSet<String> =
            self.watched.iter().filter_map(|w| w.received.as_ref()).map(|received| received.uid.clone()).collect();
        for watched in self.watched.iter_mut().filter(|watched| watched.is_looked_for()) {
            if is_stopped() {
                return;
            }
            let received = connect(&streams, &watched.source, &mut taken, |_: &StreamName| false);
            let keeper = MarkerKeeper::of(&watched.source, self.news.clone()).unzip();
            match received.map_err(|e| e.to_string()).and_then(|ready| receive(ready, self.clock, keeper)) {
                Ok(received) => watched.received = Some(received),
                // It may need some seconds to answer on the network.
                Err(_) if self.since.elapsed() < FIND_WITHIN => {}
                Err(why) => watched.finding = (SourceLevel::Failed, format!("{}.", capitalised(&why))),
            }
        }
    }
}

fn receive(
    ready: Ready,
    clock: Clock,
    (keeper, kept): (Option<MarkerKeeper>, Option<Receiver<EarlyMarker>>),
) -> Result<Received, String> {
    let Ready { inlet, first, .. } = ready;
    let identity = inlet.identity();
    let labels = match identity.format.floats_per_value() {
        0 => Vec::new(),
        _ => inlet.description().channels.iter().map(|channel| channel.label.clone()).collect(),
    };
    let health = SourceHealth::new(described(identity), identity.rate_hz, labels);
    let (uid, new_uid, findings) = (identity.uid.clone(), Latest::default(), Latest::default());
    // Nothing is received before the thread has opened the inlet.
    findings.put((SourceLevel::Waiting, format!("{} is being connected.", described(identity))));
    let link = ClockLink::measure(clock).map_err(|e| e.to_string())?;
    let sink = published(health, findings.clone(), new_uid.clone(), keeper);
    let thread = InletThread::start(inlet, first, link, sink).map_err(|e| e.to_string())?;
    Ok(Received { uid, new_uid, findings, thread, kept })
}

/// Publishes the finding at once if it changes, else twice a second.
fn published(
    mut health: SourceHealth,
    findings: Latest<Finding>,
    new_uid: Latest<String>,
    mut keeper: Option<MarkerKeeper>,
) -> InletSink {
    let mut last = Instant::now();
    Box::new(move |event| {
        keeper.iter_mut().for_each(|keeper| keeper.take(&event));
        if let InletEvent::Connected { identity, .. } = &event {
            new_uid.put(identity.uid.clone());
        }
        let has_changed = health.take(event);
        if has_changed || last.elapsed() >= PUBLISH_EVERY {
            last = Instant::now();
            findings.put(health.finding());
        }
    })
}
