//! Stores what an inlet receives. Runs on the inlet's thread and never waits.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::RigEvent;
use super::hand_over::{EarlyMarker, HandOver, MarkerTexts, early_time};
use super::rig_event::{EventSender, SourceNews};
use lsl::{InletEvent, InletSink, NewSegment, Samples, SegmentReason, StreamIdentity};
use session::{Body, Clock, GapReason, HEALTH, HealthKind, LSL_CLOCK, StreamName, Timestamp, hex, lsl_clock};
use store::{Recorder, StoreError, StreamWriter};

/// A text of at most this length becomes the kind of its event.
const LONGEST_KIND: usize = 64;
/// The kind of an event whose text is longer, empty or no text.
const SAMPLE: &str = "sample";
/// The same sentence about a clock is told at most this often. A sender that alternates between two clocks begins a segment
/// with each sample. All segments are stored.
const TELL_CLOCK_EVERY: Duration = Duration::from_secs(10);

pub(super) struct InputSink {
    name: String,
    data: StreamWriter,
    clock: StreamWriter,
    health: StreamWriter,
    news: EventSender,
    /// Samples that the recorder took.
    stored: u64,
    missing_since: Option<(Timestamp, GapReason, String)>,
    /// What was lately told of the clock.
    clock_told: Vec<(&'static str, Instant)>,
    /// Numbers that two 32-bit floats do not hold exactly.
    rounded: u64,
    last_at: Timestamp,
    floats: Vec<f32>,
    markers: Option<MarkerTexts>,
    hand_over: Option<HandOver>,
    /// For the times of what was handed over.
    session_clock: Clock,
    first_base_ns: Option<i64>,
}

// The results of the stream writers are ignored: the recorder counts each record that it could not take, reports it and
// stores a gap.
impl InputSink {
    pub(super) fn of(
        recorder: &Recorder,
        name: &StreamName,
        session_clock: Clock,
        news: EventSender,
    ) -> Result<InputSink, StoreError> {
        Ok(InputSink {
            name: name.to_string(),
            data: recorder.stream(name.as_str())?,
            clock: recorder.stream(LSL_CLOCK)?,
            health: recorder.stream(HEALTH)?,
            news,
            stored: 0,
            missing_since: None,
            clock_told: Vec::new(),
            rounded: 0,
            last_at: Timestamp::ZERO,
            floats: Vec::new(),
            markers: None,
            hand_over: None,
            session_clock,
            first_base_ns: None,
        })
    }

    /// `markers` are commands. `hand_over` brings what came before the recording.
    pub(super) fn with_markers(mut self, markers: Option<MarkerTexts>, hand_over: Option<HandOver>) -> InputSink {
        (self.markers, self.hand_over) = (markers, hand_over);
        self
    }

    pub(super) fn into_sink(mut self) -> InletSink {
        Box::new(move |event| self.take(event))
    }

    fn take(&mut self, event: InletEvent<'_>) {
        self.store_early();
        match event {
            InletEvent::Connected { at, identity, xml } => self.connected(at, identity, xml),
            InletEvent::Segment { at, segment } => self.segment(at, segment),
            InletEvent::Measured { at, offset } => {
                let data = json!({
                    "stream": self.name,
                    "remote_ns": offset.remote_ns,
                    "offset_ns": offset.offset_ns,
                    "uncertainty_ns": offset.uncertainty_ns,
                });
                self.clock.event(at, lsl_clock::MEASURED, data).ok();
            }
            InletEvent::Samples { samples, rows, at } => {
                if let (Some(first), Some(last)) = (at.first(), at.last()) {
                    self.end_gap(*first);
                    self.last_at = *last;
                }
                rows.zip(at).for_each(|(row, at)| self.sample(*at, samples, row));
            }
            InletEvent::Silent { since } => {
                self.missing_since.get_or_insert((since, GapReason::SourceSilent, String::new()));
                self.report(since, HealthKind::SourceSilent, SourceNews::Silent);
            }
            InletEvent::Lost { at, since, why } => {
                let since = self.missing_since.take().map_or(since, |(silent, ..)| since.min(silent));
                self.missing_since = Some((since, GapReason::SourceLost, why.clone()));
                self.report(at, HealthKind::SourceLost, SourceNews::Lost(why));
            }
            InletEvent::NotBack { at, why } => self.report(at, HealthKind::SourceLost, SourceNews::Lost(why)),
            InletEvent::Ended { at } => self.store_gap(at),
        }
    }

    /// Markers that came to the set-up from the one on that started the recording.
    fn store_early(&mut self) {
        let early = self.hand_over.as_mut().map(HandOver::take_early).unwrap_or_default();
        for EarlyMarker { stamp_s, texts, arrived_ns } in early {
            let arrived = self.session_clock.from_monotonic_ns(arrived_ns);
            let at = early_time(lsl::seconds_to_ns(stamp_s), self.first_base_ns, arrived);
            self.stored += u64::from(self.data.append(at, event_of(&texts, stamp_s)).is_ok());
            // The one that started the recording is carried out.
            self.command(&texts, stamp_s, false);
        }
    }

    fn command(&self, texts: &[Vec<u8>], stamp_s: f64, may_start: bool) {
        let command = self.markers.as_ref().and_then(|markers| markers.command(texts, stamp_s));
        if let Some(command) = command.filter(|command| may_start || !command.is_start) {
            self.news.send(RigEvent::MarkerCommand(command));
        }
    }

    fn connected(&mut self, at: Timestamp, identity: &StreamIdentity, xml: &str) {
        self.hand_over.iter().for_each(HandOver::is_connected);
        // The first sample of a stream with a rate ends the gap exactly. Other streams may have nothing to send.
        if identity.rate_hz.is_none() {
            self.end_gap(at);
        }
        let data = json!({
            "stream": self.name,
            "name": identity.name,
            "type": identity.content_type,
            "source_id": identity.source_id,
            "uid": identity.uid,
            "host": identity.host,
            "lsl_session": identity.lsl_session,
            "channels": identity.channels,
            "format": identity.format.as_str(),
            "rate_hz": identity.rate_hz,
            "created_at_s": identity.created_at_s,
            "xml": xml,
        });
        self.clock.event(at, lsl_clock::DESCRIPTION, data).ok();
    }

    fn segment(&mut self, at: Timestamp, segment: NewSegment) {
        let data = json!({
            "stream": self.name,
            "first_sample": self.stored,
            "base_ns": segment.base_ns,
            "is_senders_clock": segment.is_senders_clock,
            "reason": segment.reason.as_str(),
        });
        self.clock.event(at, lsl_clock::SEGMENT, data).ok();
        self.first_base_ns.get_or_insert(segment.base_ns);
        let why = match (segment.reason, segment.is_senders_clock) {
            (SegmentReason::Start | SegmentReason::SenderBack, _) => return,
            (SegmentReason::ClockChanged, _) => "the sender's clock was changed. Times are measured anew from here on",
            (SegmentReason::StampsChanged, true) => "the stamps are of the sender's clock again",
            (SegmentReason::StampsChanged, false) => {
                "the stamps are not of the sender's clock (they may be UTC, or the device's own). The first sample got the time \
                 of its arrival, and later ones follow it: the delay of the network is unknown"
            }
        };
        self.clock_told.retain(|(_, told)| told.elapsed() < TELL_CLOCK_EVERY);
        if self.clock_told.iter().all(|(told, _)| *told != why) {
            self.clock_told.push((why, Instant::now()));
            self.report(at, HealthKind::SourceClock, SourceNews::Clock(why.to_owned()));
        }
    }

    fn sample(&mut self, at: Timestamp, samples: &Samples, row: usize) {
        let texts = samples.texts(row);
        if let Some(hand_over) = &mut self.hand_over
            && !hand_over.is_new(samples.stamps_s[row], texts)
        {
            return;
        }
        self.command(texts, samples.stamps_s[row], true);
        let body = if texts.is_empty() {
            self.floats.clear();
            self.rounded += samples.put_floats(row, &mut self.floats);
            Body::sample(None, &self.floats)
        } else {
            event_of(texts, samples.stamps_s[row])
        };
        self.stored += u64::from(self.data.append(at, body).is_ok());
    }

    /// The source sends again.
    fn end_gap(&mut self, until: Timestamp) {
        if self.missing_since.is_some() {
            self.store_gap(until);
            self.report(until, HealthKind::SourceBack, SourceNews::Back);
        }
    }

    fn store_gap(&mut self, until: Timestamp) {
        if let Some((since, reason, note)) = self.missing_since.take() {
            self.data.gap(since, until.max(since), reason, 0, &note).ok();
        }
    }

    fn report(&self, at: Timestamp, kind: HealthKind, news: SourceNews) {
        let mut data = json!({ "stream": self.name });
        if let SourceNews::Lost(why) | SourceNews::Clock(why) = &news {
            data["why"] = Value::from(why.as_str());
        }
        self.health.event(at, kind.as_str(), data).ok();
        self.news.send(RigEvent::Source { at, name: self.name.clone(), news });
    }
}

impl Drop for InputSink {
    fn drop(&mut self) {
        if self.rounded > 0 {
            let data = json!({ "stream": self.name, "values": self.rounded });
            self.clock.event(self.last_at, "rounded", data).ok();
        }
    }
}

/// The event of one sample of texts. Its kind is the first text. `stamp_s` is the sender's stamp.
fn event_of(texts: &[Vec<u8>], stamp_s: f64) -> Body {
    let as_value = |bytes: &Vec<u8>| Value::from(String::from_utf8_lossy(bytes));
    let mut data = Map::new();
    data.insert("stamp_s".into(), Value::from(stamp_s));
    match texts {
        [only] => data.insert("text".into(), as_value(only)),
        several => data.insert("texts".into(), several.iter().map(as_value).collect()),
    };
    if texts.iter().any(|text| std::str::from_utf8(text).is_err()) {
        data.insert("bytes_hex".into(), texts.iter().map(|text| hex(text)).collect());
    }
    let first = std::str::from_utf8(&texts[0]).unwrap_or_default().trim();
    let is_kind = !first.is_empty() && first.len() <= LONGEST_KIND && !first.contains(char::is_control);
    Body::Event { kind: if is_kind { first.to_owned() } else { SAMPLE.to_owned() }, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_of_a_text_is_lost() {
        let body = |texts: &[&[u8]]| match event_of(&texts.iter().map(|t| t.to_vec()).collect::<Vec<_>>(), 1.25) {
            Body::Event { kind, data } => (kind, Value::Object(data)),
            other => panic!("{other:?}"),
        };
        assert_eq!(body(&[b"stim/a"]), ("stim/a".into(), json!({"stamp_s": 1.25, "text": "stim/a"})));
        assert_eq!(body(&[b"a\0b"]), ("sample".into(), json!({"stamp_s": 1.25, "text": "a\u{0}b"})));
        assert_eq!(body(&[b"", b"x"]), ("sample".into(), json!({"stamp_s": 1.25, "texts": ["", "x"]})));
        let (kind, data) = body(&[&[0xff, 0x00]]);
        assert_eq!((kind.as_str(), &data["bytes_hex"]), ("sample", &json!(["ff00"])));
        assert_eq!(body(&["ü".repeat(40).as_bytes()]).0, "sample");
    }
}
