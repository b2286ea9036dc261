//! Markers of a source that start and stop the recording, and those that come while it is being started.
//!
//! The set-up receives a source through an inlet of its own. The recording opens another one, and an inlet gets only what is sent
//! after it was opened. So the set-up keeps the markers from the one that starts the recording on, and its inlet ends only after the
//! recording's is open. Markers that came through both are stored once.

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::marker_command::MarkerCommand;
use super::rig_event::{EventSender, RigEvent};
use lsl::{InletEvent, InletThread};
use session::{SourceSettings, Timestamp, monotonic_ns};

/// Markers that are kept while the recording is being started.
const KEPT: usize = 1_000;
/// What was sent before the recording's inlet was open is on its way this long at most.
const ON_ITS_WAY: Duration = Duration::from_millis(250);
/// How long the recording's inlet may take to open.
const OPEN_WITHIN: Duration = Duration::from_secs(6);

/// The texts of one source that are commands.
#[derive(Clone)]
pub(super) struct MarkerTexts {
    source: String,
    start: String,
    stop: String,
}

impl MarkerTexts {
    /// `None`: the source has none.
    pub(super) fn of(source: &SourceSettings) -> Option<MarkerTexts> {
        let (start, stop) = (source.start_marker.clone(), source.stop_marker.clone());
        let is_any = !start.is_empty() || !stop.is_empty();
        is_any.then(|| MarkerTexts { source: source.to_string(), start, stop })
    }

    pub(super) fn command(&self, texts: &[Vec<u8>], stamp_s: f64) -> Option<MarkerCommand> {
        let text = std::str::from_utf8(texts.first()?).ok()?.trim();
        let is = |wanted: &str| !wanted.is_empty() && wanted == text;
        let is_start = is(&self.start);
        let (source, text_owned) = (self.source.clone(), text.to_owned());
        (is_start || is(&self.stop)).then_some(MarkerCommand { is_start, source, text: text_owned, stamp_s })
    }
}

/// One sample of texts that came to the set-up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EarlyMarker {
    pub stamp_s: f64,
    pub texts: Vec<Vec<u8>>,
    /// By the system's monotonic clock.
    pub arrived_ns: i64,
}

/// Looks for commands in what the set-up receives, and keeps the markers from the last start on.
pub(super) struct MarkerKeeper {
    texts: MarkerTexts,
    to: Sender<EarlyMarker>,
    kept: Receiver<EarlyMarker>,
    is_keeping: bool,
    news: EventSender,
}

impl MarkerKeeper {
    /// The keeper, and what it keeps.
    pub(super) fn of(source: &SourceSettings, news: EventSender) -> Option<(MarkerKeeper, Receiver<EarlyMarker>)> {
        let texts = MarkerTexts::of(source)?;
        let (to, kept) = bounded(KEPT);
        Some((MarkerKeeper { texts, to, kept: kept.clone(), is_keeping: false, news }, kept))
    }

    pub(super) fn take(&mut self, event: &InletEvent<'_>) {
        let InletEvent::Samples { samples, rows, .. } = event else { return };
        for row in rows.clone() {
            let (texts, stamp_s) = (samples.texts(row), samples.stamps_s[row]);
            if let Some(command) = self.texts.command(texts, stamp_s) {
                if command.is_start {
                    // A start before was refused.
                    self.kept.try_iter().for_each(drop);
                    self.is_keeping = true;
                }
                self.news.send(RigEvent::MarkerCommand(command));
            }
            if !self.is_keeping {
                continue;
            }
            let marker = EarlyMarker { stamp_s, texts: texts.to_vec(), arrived_ns: monotonic_ns() };
            if self.to.try_send(marker).is_err() {
                self.is_keeping = false;
                tracing::warn!(
                    "more than {KEPT} markers of `{}` came before the recording: the others are not kept",
                    self.texts.source
                );
            }
        }
    }
}

/// Inlets of a set-up that go on until the recording's are open.
pub struct SetUpSources(pub(super) Vec<KeptInlet>);

pub(super) struct KeptInlet {
    pub uid: String,
    pub kept: Receiver<EarlyMarker>,
    pub thread: InletThread,
}

/// The recording's side of one inlet.
pub(super) struct HandOver {
    connected: Sender<()>,
    early: Receiver<Vec<EarlyMarker>>,
    has_early: bool,
    /// Until the early markers are there: those that were stored. Then: those early ones that may come once more.
    seen: Vec<(f64, Vec<Vec<u8>>)>,
}

/// The set-up's side.
struct Pending {
    inlet: KeptInlet,
    connected: Receiver<()>,
    early: Sender<Vec<EarlyMarker>>,
}

/// The inlets whose markers are still to be handed over.
#[derive(Default)]
pub(super) struct HandOvers {
    kept: Vec<KeptInlet>,
    pending: Vec<Pending>,
}

impl HandOvers {
    pub(super) fn of(sources: Option<SetUpSources>) -> HandOvers {
        HandOvers { kept: sources.map(|sources| sources.0).unwrap_or_default(), pending: Vec::new() }
    }

    /// For the recording's inlet of this stream.
    pub(super) fn begin(&mut self, uid: &str) -> Option<HandOver> {
        let place = self.kept.iter().position(|inlet| inlet.uid == uid)?;
        let inlet = self.kept.swap_remove(place);
        let (connected_tx, connected) = bounded(1);
        let (early_tx, early) = bounded(1);
        self.pending.push(Pending { inlet, connected, early: early_tx });
        Some(HandOver { connected: connected_tx, early, has_early: false, seen: Vec::new() })
    }

    /// Waits until the recording's inlets are open, ends those of the set-up, and hands over what they kept.
    pub(super) fn finish(self) {
        for Pending { inlet, connected, early } in self.pending {
            if connected.recv_timeout(OPEN_WITHIN).is_ok() {
                std::thread::sleep(ON_ITS_WAY);
            }
            inlet.thread.stop();
            // The other thread ends only after this one.
            early.try_send(inlet.kept.try_iter().collect()).ok();
        }
    }
}

impl HandOver {
    pub(super) fn is_connected(&self) {
        self.connected.try_send(()).ok();
    }

    /// Once: the markers that the recording's inlet did not get so far.
    pub(super) fn take_early(&mut self) -> Vec<EarlyMarker> {
        if self.has_early {
            return Vec::new();
        }
        let Ok(mut early) = self.early.try_recv() else { return Vec::new() };
        self.has_early = true;
        let mut stored = std::mem::take(&mut self.seen);
        early.retain(|marker| !remove(&mut stored, marker.stamp_s, &marker.texts));
        self.seen = early.iter().map(|marker| (marker.stamp_s, marker.texts.clone())).collect();
        early
    }

    /// Whether a sample of the recording's inlet was not stored before.
    pub(super) fn is_new(&mut self, stamp_s: f64, texts: &[Vec<u8>]) -> bool {
        if self.has_early {
            return !remove(&mut self.seen, stamp_s, texts);
        }
        if self.seen.len() < KEPT {
            self.seen.push((stamp_s, texts.to_vec()));
        }
        true
    }
}

fn remove(seen: &mut Vec<(f64, Vec<Vec<u8>>)>, stamp_s: f64, texts: &[Vec<u8>]) -> bool {
    let place = seen.iter().position(|(stamp, known)| *stamp == stamp_s && known == texts);
    place.map(|place| seen.swap_remove(place)).is_some()
}

/// Stamps differ from the arrival by less than this, if they are of the sender's clock.
const FOREIGN_NS: i64 = 30_000_000_000;

/// The stored time of an early marker: its stamp plus the base of the segment, as for all samples; or its arrival, if the stamp is
/// of another clock.
pub(super) fn early_time(stamp_ns: i64, base_ns: Option<i64>, arrived: Timestamp) -> Timestamp {
    let of_stamp = base_ns.map(|base_ns| Timestamp::from_ns(stamp_ns.saturating_add(base_ns)));
    of_stamp.filter(|at| at.since_ns(arrived).abs() < FOREIGN_NS).unwrap_or(arrived)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker(stamp_s: f64, text: &str) -> EarlyMarker {
        EarlyMarker { stamp_s, texts: vec![text.as_bytes().to_vec()], arrived_ns: 0 }
    }

    fn hand_over() -> (HandOver, Sender<Vec<EarlyMarker>>) {
        let (connected, _) = bounded(1);
        let (to, early) = bounded(1);
        (HandOver { connected, early, has_early: false, seen: Vec::new() }, to)
    }

    #[test]
    fn each_marker_is_stored_once_whichever_inlet_brings_it_first() {
        let (mut hand_over, to) = hand_over();
        assert!(hand_over.take_early().is_empty());
        assert!(
            hand_over.is_new(3.0, &[b"c".to_vec()]),
            "it came to the recording's inlet before the others were handed over"
        );
        // The set-up's inlet got it, too. `d` is still on its way to the recording's.
        to.send(vec![marker(1.0, "go"), marker(2.0, "b"), marker(3.0, "c"), marker(4.0, "d")]).unwrap();
        assert_eq!(hand_over.take_early(), [marker(1.0, "go"), marker(2.0, "b"), marker(4.0, "d")]);
        assert!(!hand_over.is_new(4.0, &[b"d".to_vec()]), "it was handed over");
        assert!(hand_over.is_new(4.0, &[b"d".to_vec()]), "the sender sent it twice");
        assert!(hand_over.is_new(5.0, &[b"e".to_vec()]));
        assert!(hand_over.take_early().is_empty());
    }

    #[test]
    fn a_text_is_a_command_only_if_it_is_the_whole_first_text() {
        let source = SourceSettings { start_marker: "go".into(), ..SourceSettings::default() };
        let texts = MarkerTexts::of(&source).unwrap();
        let is_start = |text: &str| texts.command(&[text.as_bytes().to_vec()], 1.0).map(|c| c.is_start);
        assert_eq!(
            (is_start("go"), is_start(" go\n"), is_start("go on"), is_start("")),
            (Some(true), Some(true), None, None)
        );
        assert!(MarkerTexts::of(&SourceSettings::default()).is_none());
    }

    #[test]
    fn an_early_marker_has_the_time_of_its_stamp_unless_that_is_another_clock() {
        let arrived = Timestamp::from_secs_f64(-0.5);
        let second = 1_000_000_000;
        assert_eq!(early_time(10 * second, Some(-11 * second), arrived), Timestamp::from_secs_f64(-1.0));
        assert_eq!(early_time(1_700_000_000 * second, Some(-11 * second), arrived), arrived);
        assert_eq!(early_time(10 * second, None, arrived), arrived);
    }
}
