//! Turns batches of a browser into records of its session. It does no I/O, so tests can send it any input.
//!
//! An invalid record does not block the records after it: a gap gets its number, and the answer lists it as refused.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::documents::{ClockNote, Documents};
use super::problem::Problem;
use super::remote_plan::StoredReading;
use super::wire::{Batch, CameraMode, DocumentClock, Finish, MAX_BATCH_RECORDS, RefusedRecord, RemoteRecord, Span};
use session::page_message::Event;
use session::{
    ACTION, AFFECT, Body, EYES, FACE, Gap, GapReason, HEALTH, LANDMARKS, Numbers, PAGE, PAGE_CLOCK, REPLAY, StreamInfo,
    Timestamp, VIDEO_FRAME, capitalised,
};

/// The largest distance of a record's number from the first missing number.
const MAX_AHEAD: u64 = 100_000;
/// A record's time may be this far outside the session's time so far, because clock offsets are not exact.
const TIME_SLACK: Duration = Duration::from_secs(60);
const MAX_HEALTH_BYTES: usize = 4 * 1024;
const MAX_REPLAY_BYTES: usize = 2 << 20;
const MAX_PAGE_BYTES: usize = session::page_message::MAX_MESSAGE_BYTES;
/// Frames in one `frames` event.
const MAX_FRAME_TIMES: usize = 1_000;
const MAX_FRAMES_BYTES: usize = 64 * 1024;

/// What a stream accepts from a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StreamInput {
    Page,
    PageClock,
    Health,
    Replay,
    VideoFrames,
    Samples { fields: usize },
    Nothing,
}

#[derive(Debug)]
struct Stream {
    name: String,
    input: StreamInput,
    numbers: Numbers,
}

/// One record, ready for its stream's writer.
#[derive(Debug, PartialEq)]
pub struct NewRecord {
    pub stream: usize,
    /// `None` for a record that the server adds. The recorder numbers it.
    pub seq: Option<u64>,
    pub at: Timestamp,
    pub body: Body,
}

#[derive(Debug, Default, PartialEq)]
pub struct AcceptedBatch {
    pub records: Vec<NewRecord>,
    pub refused: Vec<RefusedRecord>,
}

#[derive(Debug)]
pub struct Intake {
    zero_utc_ms: f64,
    streams: Vec<Stream>,
    documents: Documents,
}

impl Intake {
    /// `streams` are in the order of the session file, with the numbers of their stored records.
    pub fn new(zero_utc_ms: f64, camera: CameraMode, streams: Vec<(StreamInfo, Numbers)>) -> Intake {
        let streams = streams.into_iter().map(|(info, numbers)| {
            let input = match info.name.as_str() {
                PAGE => StreamInput::Page,
                PAGE_CLOCK => StreamInput::PageClock,
                HEALTH => StreamInput::Health,
                REPLAY => StreamInput::Replay,
                VIDEO_FRAME if camera == CameraMode::Video => StreamInput::VideoFrames,
                AFFECT | FACE | LANDMARKS | ACTION | EYES if camera == CameraMode::Scores => {
                    StreamInput::Samples { fields: info.fields.len() }
                }
                _ => StreamInput::Nothing,
            };
            Stream { name: info.name.as_str().to_owned(), input, numbers }
        });
        Intake { zero_utc_ms, streams: streams.collect(), documents: Documents::new(zero_utc_ms) }
    }

    /// The readings of a session that goes on. Its documents may have records from before and after a jump of the clock.
    pub fn remember_clocks(&mut self, readings: &[StoredReading]) {
        for reading in readings {
            let clock = DocumentClock {
                at_ms: reading.at.as_secs_f64() * 1e3 - reading.offset_ms,
                offset_ms: reading.offset_ms + self.zero_utc_ms,
                uncertainty_ms: reading.uncertainty_ms,
            };
            self.documents.remember(reading.document, clock);
        }
    }

    /// Sets the numbers of stored records, after a failure to store, to those in the file.
    pub fn reset_numbers(&mut self, streams: Vec<(StreamInfo, Numbers)>) {
        for (ours, (_, numbers)) in self.streams.iter_mut().zip(streams) {
            ours.numbers = numbers;
        }
    }

    /// For each stream that a browser may write: all records below this number are stored.
    pub fn committed(&self) -> BTreeMap<String, u64> {
        let taking = self.streams.iter().filter(|s| s.input != StreamInput::Nothing);
        taking.map(|s| (s.name.clone(), s.numbers.next())).collect()
    }

    /// Accepts the whole batch or nothing. `now` is the session's time.
    pub fn accept(&mut self, batch: &Batch, now: Timestamp) -> Result<AcceptedBatch, Problem> {
        if batch.records.len() > MAX_BATCH_RECORDS {
            return Err(Problem::too_large(format!(
                "The batch has {} records. The limit is {MAX_BATCH_RECORDS}. Send it in parts.",
                batch.records.len()
            )));
        }
        let indices = self.check(batch)?;
        self.documents
            .add(&batch.documents)
            .map_err(|why| Problem::malformed(format!("{}. No record of the batch was stored.", capitalised(&why))))?;
        if let Some(r) = batch.records.iter().find(|r| !self.documents.is_known(r.document)) {
            return Err(Problem::conflict(
                "clock-unknown",
                format!(
                    "The clock of document {} was not measured. Measure it, or the clock of a later document, with \
                     /v1/clock and send the batch again with the measurement.",
                    r.document
                ),
            ));
        }
        // All readings of the batch first: its records may be from before and after a jump of the clock.
        for (record, stream) in batch.records.iter().zip(&indices) {
            if self.streams[*stream].input == StreamInput::PageClock
                && let (Some(kind), Some(data)) = (record.kind.as_deref(), record.data.as_deref())
                && let Ok(Measured { offset_ms, uncertainty_ms, .. }) = Measured::of(record.document, kind, data)
            {
                self.documents
                    .learn(record.document, DocumentClock { at_ms: record.page_ms, offset_ms, uncertainty_ms });
            }
        }
        self.documents.note_jumps();
        let mut accepted = AcceptedBatch::default();
        for (record, stream) in batch.records.iter().zip(indices) {
            if self.streams[stream].numbers.insert(record.seq) {
                self.take_one(record, stream, now, &mut accepted);
            }
        }
        let notes = self.documents.take_notes();
        if let Some(stream) = self.streams.iter().position(|s| s.input == StreamInput::PageClock) {
            accepted.records.extend(notes.into_iter().map(|note| note_record(stream, note)));
        }
        Ok(accepted)
    }

    /// Refuses batches that cannot be stored at all. Returns the index of each record's stream.
    fn check(&self, batch: &Batch) -> Result<Vec<usize>, Problem> {
        let mut ends: BTreeMap<usize, u64> = BTreeMap::new();
        let mut indices = Vec::with_capacity(batch.records.len());
        for r in &batch.records {
            let Some(stream) = self.streams.iter().position(|s| s.name == r.stream && s.input != StreamInput::Nothing)
            else {
                return Err(Problem::malformed(format!(
                    "A browser cannot write to a stream `{}` of this session. No record of the batch was stored.",
                    r.stream.escape_debug().to_string().chars().take(64).collect::<String>()
                )));
            };
            if !(0.0..1e12).contains(&r.page_ms) {
                return Err(Problem::malformed(format!(
                    "Record {} of `{}` has no valid `page_ms`. No record of the batch was stored.",
                    r.seq, r.stream
                )));
            }
            let end = ends.entry(stream).or_insert(self.streams[stream].numbers.next());
            *end = (*end).max(r.seq);
            indices.push(stream);
        }
        for (stream, end) in ends {
            let stream = &self.streams[stream];
            if end - stream.numbers.next() > MAX_AHEAD {
                return Err(Problem::conflict(
                    "out-of-order",
                    format!(
                        "Record {end} of `{}` arrived while record {} is missing. Send the missing records first.",
                        stream.name,
                        stream.numbers.next()
                    ),
                )
                .with_committed(self.committed()));
            }
        }
        Ok(indices)
    }

    fn take_one(&mut self, record: &RemoteRecord, stream: usize, now: Timestamp, accepted: &mut AcceptedBatch) {
        // `accept` has checked that the document's clock is known.
        let at = self.documents.place(record.document, record.page_ms).unwrap_or(now);
        let in_time = at >= Timestamp::ZERO - TIME_SLACK && at <= now + TIME_SLACK;
        let body = if in_time {
            self.body(record, stream)
        } else {
            Err(format!("its time {at} is outside the session, which is at {now}"))
        };
        let (at, body) = match body {
            Ok(body) => (at, body),
            Err(why) => {
                let at = if in_time { at } else { now };
                let note = format!("refused: {why}");
                accepted.refused.push(RefusedRecord { stream: record.stream.clone(), seq: record.seq, why });
                (at, Body::Gap(Gap { until: at, reason: GapReason::Corrupt, lost: 1, note }))
            }
        };
        accepted.records.push(NewRecord { stream, seq: Some(record.seq), at, body });
    }

    fn body(&mut self, r: &RemoteRecord, stream: usize) -> Result<Body, String> {
        match (self.streams[stream].input, &r.kind, &r.data, &r.values, &r.gap) {
            (_, None, None, None, Some(_)) => self.gap(r),
            (StreamInput::Samples { fields }, None, None, Some(values), None) => samples(r.frame, values, fields),
            (StreamInput::Samples { .. }, ..) => Err("a sample must have `values` and no other content".to_owned()),
            (input, Some(kind), data, None, None) if r.frame.is_none() => {
                let empty = || RawValue::from_string("{}".to_owned()).map_err(|e| e.to_string());
                let data = data.clone().map_or_else(empty, Ok)?;
                match input {
                    StreamInput::Page => page_event(r, kind, &data),
                    StreamInput::PageClock => self.page_clock(r, kind, &data),
                    StreamInput::Health => free_event(kind, &data, MAX_HEALTH_BYTES),
                    StreamInput::Replay if kind == "rrweb" => free_event(kind, &data, MAX_REPLAY_BYTES),
                    StreamInput::VideoFrames => self.video_frames(r, kind, &data),
                    _ => Err(format!("`{}` is not a kind of event of this stream", short(kind))),
                }
            }
            _ => Err("an event must have `kind` and `data` and no other content".to_owned()),
        }
    }

    fn gap(&mut self, r: &RemoteRecord) -> Result<Body, String> {
        let gap = r.gap.as_ref().ok_or("`gap` is missing")?;
        let reason = GapReason::from_stored(&gap.reason);
        let reason = reason.ok_or_else(|| format!("`{}` is not a reason of a gap", short(&gap.reason)))?;
        if !(gap.until_ms >= r.page_ms && gap.until_ms < 1e12) || gap.note.len() > 1_000 || gap.lost > 1 << 40 {
            return Err(
                "the gap ends before it begins, its `lost` is too large, or its `note` is longer than 1000 bytes"
                    .to_owned(),
            );
        }
        let until = self.documents.place(r.document, gap.until_ms).ok_or("its document is unknown")?;
        Ok(Body::Gap(Gap { until, reason, lost: gap.lost, note: gap.note.clone() }))
    }

    /// The file stores the offset to the session's clock, as in every session.
    fn page_clock(&self, r: &RemoteRecord, kind: &str, data: &RawValue) -> Result<Body, String> {
        let m = Measured::of(r.document, kind, data)?;
        let data = Map::from_iter([
            ("offset_ms".to_owned(), Value::from(m.offset_ms - self.zero_utc_ms)),
            ("uncertainty_ms".to_owned(), Value::from(m.uncertainty_ms)),
            ("document".to_owned(), Value::from(m.document)),
        ]);
        Ok(Body::Event { kind: kind.to_owned(), data })
    }

    /// The session's times are stored beside the browser's own times, because they are needed after a restart.
    fn video_frames(&mut self, r: &RemoteRecord, kind: &str, data: &RawValue) -> Result<Body, String> {
        #[derive(serde::Deserialize)]
        struct Frames {
            page_ms: Vec<f64>,
            media_s: Vec<f64>,
        }
        match kind {
            "started" => return free_event(kind, data, MAX_HEALTH_BYTES),
            "frames" => {}
            _ => return Err(format!("`{}` is not a kind of event of this stream", short(kind))),
        }
        let frames: Frames = serde_json::from_str(data.get()).map_err(|e| e.to_string())?;
        let is_sound = frames.page_ms.len() == frames.media_s.len()
            && frames.page_ms.len() <= MAX_FRAME_TIMES
            && frames.page_ms.iter().all(|ms| (0.0..1e12).contains(ms))
            && frames.media_s.iter().all(|s| s.is_finite());
        if !is_sound {
            return Err(
                "`page_ms` and `media_s` must have the same length, at most 1000 entries, and valid times".to_owned()
            );
        }
        // `place` would keep the order of the events, but frames are captured before their event.
        let at = frames.page_ms.iter().map(|ms| Some(Value::from(self.documents.at(r.document, *ms)?.as_ns())));
        let at: Option<Vec<Value>> = at.collect();
        let Body::Event { kind, mut data } = free_event(kind, data, MAX_FRAMES_BYTES)? else {
            return Err("it is not an event".to_owned());
        };
        data.insert("at_ns".to_owned(), Value::from(at.ok_or("its document is unknown")?));
        data.insert("document".to_owned(), Value::from(r.document));
        Ok(Body::Event { kind, data })
    }

    /// The numbers of the stored records of a stream.
    pub fn numbers(&self, stream: &str) -> Numbers {
        self.streams.iter().find(|s| s.name == stream).map(|s| s.numbers.clone()).unwrap_or_default()
    }

    /// The records that are missing of a session that the browser has finished. Empty where none is missing.
    pub fn missing(&self, finish: &Finish) -> Result<BTreeMap<String, Vec<Span>>, Problem> {
        let mut all = BTreeMap::new();
        for (name, until) in &finish.streams {
            let Some(stream) = self.streams.iter().find(|s| s.name == *name && s.input != StreamInput::Nothing) else {
                return Err(Problem::malformed(format!(
                    "This session has no stream `{}` that a browser can write. Remove it from `streams`.",
                    short(name)
                )));
            };
            if *until > stream.numbers.next().saturating_add(MAX_AHEAD) {
                return Err(Problem::conflict(
                    "incomplete",
                    format!(
                        "Only {} of {until} records of `{name}` have arrived. Send the others first.",
                        stream.numbers.next()
                    ),
                )
                .with_committed(self.committed()));
            }
            let missing = stream.numbers.missing(*until);
            if !missing.is_empty() {
                let spans = missing.into_iter().map(|r| Span { from: r.start, until: r.end });
                all.insert(name.clone(), spans.collect());
            }
        }
        Ok(all)
    }
}

/// The data of an event `measured` of the stream `page_clock`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Measured {
    offset_ms: f64,
    uncertainty_ms: f64,
    document: u32,
}

impl Measured {
    /// The reading of a record of this document.
    fn of(document: u32, kind: &str, data: &RawValue) -> Result<Measured, String> {
        if kind != "measured" {
            return Err(format!("`{}` is not a kind of event of this stream", short(kind)));
        }
        let m: Measured = serde_json::from_str(data.get()).map_err(|e| e.to_string())?;
        if m.document != document {
            return Err(format!("the reading is of document {}, and the record of document {document}", m.document));
        }
        if m.offset_ms.abs() < 1e14 && (0.0..1e7).contains(&m.uncertainty_ms) {
            Ok(m)
        } else {
            Err("the offset or the uncertainty of the clock is out of range".to_owned())
        }
    }
}

fn note_record(stream: usize, note: ClockNote) -> NewRecord {
    let (at, body) = match note {
        ClockNote::Assumed { at, document, offset_ms, uncertainty_ms } => {
            let data = json!({ "offset_ms": offset_ms, "uncertainty_ms": uncertainty_ms, "document": document });
            (at, Body::event("assumed", data))
        }
        ClockNote::Jumped { at, document, from_ms, until_ms, step_ms } => {
            let data = json!({ "document": document, "from_ms": from_ms, "until_ms": until_ms, "step_ms": step_ms });
            (at, Body::event("jumped", data))
        }
    };
    NewRecord { stream, seq: None, at, body }
}

fn samples(frame: Option<u64>, values: &[Option<f32>], fields: usize) -> Result<Body, String> {
    if values.len() != fields {
        return Err(format!("it has {} values, but the stream has {fields} fields", values.len()));
    }
    // A number that exceeds 32-bit floats is read as infinite.
    let values: Box<[f32]> = values.iter().map(|v| v.unwrap_or(f32::NAN)).collect();
    if values.iter().any(|v| v.is_infinite()) || frame.is_some_and(|f| f > i64::MAX as u64) {
        return Err("a value or `frame` is too large".to_owned());
    }
    Ok(Body::Sample { frame, values })
}

/// Uses the same parser as the messages of the participant's page.
fn page_event(r: &RemoteRecord, kind: &str, data: &RawValue) -> Result<Body, String> {
    if data.get().len() > MAX_PAGE_BYTES {
        return Err(format!("it is longer than {MAX_PAGE_BYTES} bytes"));
    }
    let event = Event::parse(kind, data).map_err(|e| e.to_string())?;
    let mut data = event.data();
    data.insert("page_ms".to_owned(), Value::from(r.page_ms));
    data.insert("document".to_owned(), Value::from(r.document));
    Ok(Body::Event { kind: event.kind().to_owned(), data })
}

fn free_event(kind: &str, data: &RawValue, max_bytes: usize) -> Result<Body, String> {
    if data.get().len() > max_bytes {
        return Err(format!("it is longer than {max_bytes} bytes"));
    }
    if kind.is_empty() || kind.len() > 32 || !kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
        return Err(format!("`{}` is not a valid kind of event", short(kind)));
    }
    let data: Map<String, Value> = serde_json::from_str(data.get()).map_err(|e| e.to_string())?;
    Ok(Body::Event { kind: kind.to_owned(), data })
}

fn short(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use session::{affect_stream, health_stream, page_clock_stream, page_stream, replay_stream};

    const ZERO: f64 = 1_763_901_234_567.0;
    const NOW: Timestamp = Timestamp::from_ns(30_000_000_000);

    fn intake() -> Intake {
        let streams =
            [page_stream(), page_clock_stream(), health_stream(), replay_stream(), affect_stream(30.0, "test")];
        Intake::new(ZERO, CameraMode::Scores, streams.map(|s| (s, Numbers::default())).to_vec())
    }

    fn batch(records: Value) -> Batch {
        serde_json::from_value(json!({
            "documents": [{"document": 1, "time_origin_utc_ms": ZERO + 1_000.0,
                           "clock": {"at_ms": 1.0, "offset_ms": ZERO + 1_000.0, "uncertainty_ms": 0.5}}],
            "records": records,
        }))
        .unwrap()
    }

    fn visible(seq: u64) -> Value {
        json!({"stream": "page", "seq": seq, "document": 1, "page_ms": 20.0 + seq as f64, "kind": "visibility",
               "data": {"state": "visible"}})
    }

    #[test]
    fn records_are_placed_on_the_sessions_clock_and_taken_once() {
        let mut intake = intake();
        let sample = json!({"stream": "affect", "seq": 0, "document": 1, "page_ms": 500.0, "frame": 7,
                            "values": [0.5, null, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]});
        let clock = json!({"stream": "page_clock", "seq": 0, "document": 1, "page_ms": 1.0, "kind": "measured",
                           "data": {"offset_ms": ZERO + 1_000.0, "uncertainty_ms": 0.5, "document": 1}});
        let both = batch(json!([visible(0), visible(1), sample, clock]));
        let taken = intake.accept(&both, NOW).unwrap();
        assert_eq!(taken.refused, []);
        assert_eq!(taken.records.len(), 4);
        let Body::Event { kind, data } = &taken.records[0].body else { panic!("no event") };
        assert_eq!((kind.as_str(), &data["page_ms"], &data["document"]), ("visibility", &json!(20.0), &json!(1)));
        assert_eq!(taken.records[0].at, Timestamp::from_ns(1_020_000_000));
        let Body::Sample { frame, values } = &taken.records[2].body else { panic!("no sample") };
        assert!(*frame == Some(7) && values[0] == 0.5 && values[1].is_nan());
        let Body::Event { data, .. } = &taken.records[3].body else { panic!("no event") };
        assert_eq!(data["offset_ms"], json!(1_000.0));
        assert_eq!(intake.committed()["page"], 2);
        assert_eq!(intake.accept(&both, NOW).unwrap(), AcceptedBatch::default());
    }

    #[test]
    fn a_reading_that_is_refused_moves_no_clock() {
        for (kind, document, why) in [("x", 1, "`x` is not a kind"), ("measured", 2, "the reading is of document 2")] {
            let reading = json!({"stream": "page_clock", "seq": 0, "document": 1, "page_ms": 10.0, "kind": kind,
                                 "data": {"offset_ms": ZERO + 9_000.0, "uncertainty_ms": 0.5, "document": document}});
            let taken = intake().accept(&batch(json!([reading, visible(0)])), NOW).unwrap();
            assert!(taken.refused.len() == 1 && taken.refused[0].why.contains(why), "{:?}", taken.refused);
            let page = taken.records.iter().find(|r| r.stream == 0).unwrap();
            assert_eq!(page.at, Timestamp::from_ns(1_020_000_000));
            assert_eq!(added(&taken), [""; 0]);
        }
    }

    /// The offset of a document's clock and the kinds of the records that the server added.
    fn added(taken: &AcceptedBatch) -> Vec<&str> {
        let own = taken.records.iter().filter(|r| r.seq.is_none());
        own.filter_map(|r| if let Body::Event { kind, .. } = &r.body { Some(kind.as_str()) } else { None }).collect()
    }

    #[test]
    fn an_assumption_is_recorded_only_where_it_is_used() {
        let mut intake = intake();
        let documents = |records: Value, second_clock: Value| -> Batch {
            serde_json::from_value(json!({
                "documents": [
                    {"document": 1, "time_origin_utc_ms": ZERO + 1_000.0,
                     "clock": {"at_ms": 1.0, "offset_ms": ZERO + 1_000.0, "uncertainty_ms": 0.5}},
                    {"document": 2, "time_origin_utc_ms": ZERO + 3_000.0, "clock": second_clock}],
                "records": records,
            }))
            .unwrap()
        };
        let of_second = |seq| {
            let mut record = visible(seq);
            record["document"] = json!(2);
            record
        };
        // A record of the first document, sent while the second one is not measured yet.
        let taken = intake.accept(&documents(json!([visible(0)]), json!(null)), NOW).unwrap();
        assert_eq!((taken.records.len(), added(&taken)), (1, vec![]));
        let clock = json!({"at_ms": 1.0, "offset_ms": ZERO + 3_010.0, "uncertainty_ms": 0.5});
        let taken = intake.accept(&documents(json!([of_second(1)]), clock), NOW).unwrap();
        assert_eq!((taken.records[0].at, added(&taken)), (Timestamp::from_ns(3_031_000_000), vec![]));
        let mut third = documents(json!([]), json!(null));
        third.documents[1].document = 3;
        third.records = documents(json!([of_second(2)]), json!(null)).records;
        third.records[0].document = 3;
        assert_eq!(added(&intake.accept(&third, NOW).unwrap()), ["assumed"]);
        assert_eq!(added(&intake.accept(&third, NOW).unwrap()), [""; 0], "sent again, nothing is placed");
    }

    #[test]
    fn records_of_before_and_after_a_sleep_in_one_batch_get_their_own_clock() {
        let mut intake = intake();
        let mut records = vec![visible(0), visible(4_000), visible(9_000)];
        for (seq, record) in records.iter_mut().enumerate() {
            record["seq"] = json!(seq);
        }
        for (seq, (page_ms, offset_ms)) in [(2_000.0, 1_000.5), (8_000.0, 21_000.0)].into_iter().enumerate() {
            let data = json!({"offset_ms": ZERO + offset_ms, "uncertainty_ms": 1.0, "document": 1});
            records.push(json!({"stream": "page_clock", "seq": seq, "document": 1, "page_ms": page_ms,
                                "kind": "measured", "data": data}));
        }
        let taken = intake.accept(&batch(Value::from(records)), NOW).unwrap();
        let at_ms = |k: usize| taken.records[k].at.as_ns() / 1_000_000;
        assert_eq!([at_ms(0), at_ms(1), at_ms(2)], [1_020, 5_020, 30_020]);
        assert_eq!(added(&taken), ["jumped"]);
        let Body::Event { data, .. } = &taken.records[5].body else { panic!("no event") };
        assert_eq!((&data["from_ms"], &data["until_ms"]), (&json!(1_998.0), &json!(8_000.0)));
    }

    #[test]
    fn a_bad_record_leaves_a_gap_and_blocks_nothing() {
        let mut intake = intake();
        let bad = [
            json!({"stream": "page", "seq": 0, "document": 1, "page_ms": 1, "kind": "click", "data": {}}),
            json!({"stream": "page", "seq": 1, "document": 1, "page_ms": 1, "kind": "nonsense", "data": {}}),
            json!({"stream": "page", "seq": 2, "document": 1, "page_ms": 1, "values": [1.0]}),
            json!({"stream": "affect", "seq": 0, "document": 1, "page_ms": 1, "values": [1.0]}),
            json!({"stream": "affect", "seq": 1, "document": 1, "page_ms": 1, "values": [1e300,0,0,0,0,0,0,0,0,0,0,0]}),
            json!({"stream": "health", "seq": 0, "document": 1, "page_ms": 1, "kind": "NO KIND", "data": {}}),
            json!({"stream": "page", "seq": 3, "document": 1, "page_ms": 1e9, "kind": "visibility", "data": {"state": "x"}}),
            json!({"stream": "page", "seq": 5, "document": 1, "page_ms": 1,
                   "gap": {"until_ms": 0, "reason": "page_flood"}}),
        ];
        let mut records = bad.to_vec();
        records.push(visible(4));
        let taken = intake.accept(&batch(Value::from(records)), NOW).unwrap();
        assert_eq!(taken.refused.len(), bad.len());
        assert_eq!(taken.records.len(), bad.len() + 1);
        assert_eq!(intake.committed()["page"], 6);
        assert_eq!(taken.records.iter().filter(|r| matches!(r.body, Body::Gap(_))).count(), bad.len());
    }

    #[test]
    fn what_makes_no_batch_stores_nothing() {
        let mut intake = intake();
        let mut unknown = batch(json!([visible(0), visible(200_000)]));
        assert_eq!(serde_json::to_value(intake.accept(&unknown, NOW).unwrap_err()).unwrap()["status"], 409);
        unknown.records[1].stream = "server".into();
        assert_eq!(serde_json::to_value(intake.accept(&unknown, NOW).unwrap_err()).unwrap()["status"], 422);
        unknown.records.pop();
        unknown.documents.clear();
        let unmeasured = intake.accept(&unknown, NOW).unwrap_err();
        assert!(unmeasured.detail().contains("document 1"), "{}", unmeasured.detail());
        assert_eq!(intake.committed()["page"], 0);
    }

    #[test]
    fn a_finish_says_what_is_missing() {
        let mut intake = intake();
        intake.accept(&batch(json!([visible(0), visible(3)])), NOW).unwrap();
        let finish = |n| Finish { streams: BTreeMap::from([("page".to_owned(), n)]), video_chunks: 0 };
        assert_eq!(intake.missing(&finish(1)).unwrap(), BTreeMap::new());
        assert_eq!(
            intake.missing(&finish(5)).unwrap()["page"],
            [Span { from: 1, until: 3 }, Span { from: 4, until: 5 }]
        );
        assert!(intake.missing(&finish(u64::MAX)).is_err());
    }

    proptest! {
        /// In whatever order and however often batches come, each record is taken exactly once.
        #[test]
        fn each_record_is_taken_once(order in prop::collection::vec(0u64..40, 0..120)) {
            let mut intake = intake();
            let mut seen = Vec::new();
            for seq in order.iter().copied().chain(0..40) {
                let taken = intake.accept(&batch(json!([visible(seq)])), NOW).unwrap();
                seen.extend(taken.records.into_iter().filter_map(|r| r.seq));
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..40).collect::<Vec<_>>());
            prop_assert_eq!(intake.committed()["page"], 40);
        }

        #[test]
        fn no_record_makes_it_panic(text in "\\PC{0,60}", n in any::<u64>(), ms in any::<f64>()) {
            let record = json!({"stream": "page", "seq": n, "document": 1, "page_ms": ms, "kind": text, "data": {"a": text}});
            if let Ok(batch) = serde_json::from_value::<Batch>(json!({"documents": [], "records": [record]})) {
                // Only a panic is a failure.
                intake().accept(&batch, NOW).ok();
            }
        }
    }
}
