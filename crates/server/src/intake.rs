//! Turns what a browser sends into records of its session: pure state, no I/O, so that it can be tested with anything.
//!
//! A record that says nothing sensible never blocks those behind it: a gap takes its number, and the browser is told.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::documents::Documents;
use super::problem::Problem;
use super::wire::{Batch, CameraMode, Finish, MAX_BATCH_RECORDS, RefusedRecord, RemoteRecord, Span};
use session::page_message::Event;
use session::{
    AFFECT, Body, FACE, Gap, GapReason, HEALTH, LANDMARKS, Numbers, PAGE, PAGE_CLOCK, REPLAY, StreamInfo, Timestamp,
    VIDEO_FRAME,
};
use store::RECORDER_SEQ_0;

/// How far ahead of what is missing a record may be.
const MAX_AHEAD: u64 = 100_000;
/// A record may lie this far outside the session's time so far: clocks are never known exactly.
const TIME_SLACK: Duration = Duration::from_secs(60);
const MAX_HEALTH_BYTES: usize = 4 * 1024;
const MAX_REPLAY_BYTES: usize = 2 << 20;
const MAX_PAGE_BYTES: usize = session::page_message::MAX_MESSAGE_BYTES;
/// Frames in one `frames` event.
const MAX_FRAME_TIMES: usize = 1_000;
const MAX_FRAMES_BYTES: usize = 64 * 1024;

/// What a stream takes from a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
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
    takes: Takes,
    numbers: Numbers,
}

/// One record, ready for its stream's writer.
#[derive(Debug, PartialEq)]
pub struct NewRecord {
    pub stream: usize,
    pub seq: u64,
    pub at: Timestamp,
    pub body: Body,
}

#[derive(Debug, Default, PartialEq)]
pub struct Taken {
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
    /// `streams` in the order of the session file, with the numbers that are there.
    pub fn new(zero_utc_ms: f64, camera: CameraMode, streams: Vec<(StreamInfo, Numbers)>) -> Intake {
        let streams = streams.into_iter().map(|(info, numbers)| {
            let takes = match info.name.as_str() {
                PAGE => Takes::Page,
                PAGE_CLOCK => Takes::PageClock,
                HEALTH => Takes::Health,
                REPLAY => Takes::Replay,
                VIDEO_FRAME if camera == CameraMode::Video => Takes::VideoFrames,
                AFFECT | FACE | LANDMARKS if camera == CameraMode::Scores => {
                    Takes::Samples { fields: info.fields.len() }
                }
                _ => Takes::Nothing,
            };
            Stream { name: info.name.as_str().to_owned(), takes, numbers }
        });
        Intake { zero_utc_ms, streams: streams.collect(), documents: Documents::new(zero_utc_ms) }
    }

    /// After every failure to store, the numbers must be read from the file again.
    pub fn forget_unstored(&mut self, streams: Vec<(StreamInfo, Numbers)>) {
        for (ours, (_, numbers)) in self.streams.iter_mut().zip(streams) {
            ours.numbers = numbers;
        }
    }

    /// Of each stream that a browser may write: all below is there.
    pub fn committed(&self) -> BTreeMap<String, u64> {
        let taking = self.streams.iter().filter(|s| s.takes != Takes::Nothing);
        taking.map(|s| (s.name.clone(), s.numbers.next())).collect()
    }

    /// Everything of the batch, or a problem and nothing. `now` is the session's time.
    pub fn take(&mut self, batch: &Batch, now: Timestamp) -> Result<Taken, Problem> {
        if batch.records.len() > MAX_BATCH_RECORDS {
            return Err(Problem::too_large(format!(
                "The batch holds {} records, at most {MAX_BATCH_RECORDS} may come together. Send it in parts.",
                batch.records.len()
            )));
        }
        let indices = self.check(batch)?;
        let measured = self
            .documents
            .learn(&batch.documents)
            .map_err(|why| Problem::malformed(format!("{}. Nothing of the batch was stored.", capitalised(&why))))?;
        if let Some(r) = batch.records.iter().find(|r| !self.documents.is_measured(r.document)) {
            return Err(Problem::conflict(
                "clock-unknown",
                format!(
                    "The clock of document {} is not known. Measure it or that of a later document against /v1/clock \
                     and send the batch again with it.",
                    r.document
                ),
            ));
        }
        let mut taken = Taken::default();
        for m in
            measured.iter().filter(|m| !batch.documents.iter().any(|d| d.document == m.document && d.clock.is_some()))
        {
            // Never measured by its browser: what is assumed instead is stored all the same.
            let data = Map::from_iter([
                ("offset_ms".to_owned(), Value::from(m.offset_ms)),
                ("uncertainty_ms".to_owned(), Value::from(m.uncertainty_ms)),
                ("document".to_owned(), Value::from(m.document)),
            ]);
            if let Some(stream) = self.streams.iter().position(|s| s.takes == Takes::PageClock) {
                let body = Body::Event { kind: "assumed".to_owned(), data };
                taken.records.push(NewRecord { stream, seq: RECORDER_SEQ_0 + u64::from(m.document), at: m.at, body });
            }
        }
        for (record, stream) in batch.records.iter().zip(indices) {
            if self.streams[stream].numbers.insert(record.seq) {
                self.take_one(record, stream, now, &mut taken);
            }
        }
        Ok(taken)
    }

    /// What makes the whole batch unacceptable. Returns each record's stream.
    fn check(&self, batch: &Batch) -> Result<Vec<usize>, Problem> {
        let mut ends: BTreeMap<usize, u64> = BTreeMap::new();
        let mut indices = Vec::with_capacity(batch.records.len());
        for r in &batch.records {
            let Some(stream) = self.streams.iter().position(|s| s.name == r.stream && s.takes != Takes::Nothing) else {
                return Err(Problem::malformed(format!(
                    "A browser cannot write into a stream `{}` of this session. Nothing of the batch was stored.",
                    r.stream.escape_debug().to_string().chars().take(64).collect::<String>()
                )));
            };
            if !(0.0..1e12).contains(&r.page_ms) {
                return Err(Problem::malformed(format!(
                    "Record {} of `{}` has no time. Nothing of the batch was stored.",
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
                        "Record {end} of `{}` came while {} is still missing. Send what is missing first.",
                        stream.name,
                        stream.numbers.next()
                    ),
                )
                .with_committed(self.committed()));
            }
        }
        Ok(indices)
    }

    fn take_one(&mut self, record: &RemoteRecord, stream: usize, now: Timestamp, taken: &mut Taken) {
        // `check` has seen that the document is known.
        let at = self.documents.place(record.document, record.page_ms).unwrap_or(now);
        let in_time = at >= Timestamp::ZERO - TIME_SLACK && at <= now + TIME_SLACK;
        let body =
            if in_time { self.body(record, stream) } else { Err(format!("its time is {at} and the session's {now}")) };
        let (at, body) = match body {
            Ok(body) => (at, body),
            Err(why) => {
                let at = if in_time { at } else { now };
                let note = format!("refused: {why}");
                taken.refused.push(RefusedRecord { stream: record.stream.clone(), seq: record.seq, why });
                (at, Body::Gap(Gap { until: at, reason: GapReason::Corrupt, lost: 1, note }))
            }
        };
        taken.records.push(NewRecord { stream, seq: record.seq, at, body });
    }

    fn body(&mut self, r: &RemoteRecord, stream: usize) -> Result<Body, String> {
        match (self.streams[stream].takes, &r.kind, &r.data, &r.values, &r.gap) {
            (_, None, None, None, Some(_)) => self.gap(r),
            (Takes::Samples { fields }, None, None, Some(values), None) => samples(r.frame, values, fields),
            (Takes::Samples { .. }, ..) => Err("a sample has `values` and nothing else".to_owned()),
            (takes, Some(kind), data, None, None) if r.frame.is_none() => {
                let empty = || RawValue::from_string("{}".to_owned()).map_err(|e| e.to_string());
                let data = data.clone().map_or_else(empty, Ok)?;
                match takes {
                    Takes::Page => page_event(r, kind, &data),
                    Takes::PageClock => self.page_clock(kind, &data),
                    Takes::Health => free_event(kind, &data, MAX_HEALTH_BYTES),
                    Takes::Replay if kind == "rrweb" => free_event(kind, &data, MAX_REPLAY_BYTES),
                    Takes::VideoFrames => self.video_frames(r, kind, &data),
                    _ => Err(format!("`{}` is no kind of event here", short(kind))),
                }
            }
            _ => Err("an event has `kind` and `data` and nothing else".to_owned()),
        }
    }

    fn gap(&mut self, r: &RemoteRecord) -> Result<Body, String> {
        let gap = r.gap.as_ref().ok_or("no gap")?;
        let reason = GapReason::from_stored(&gap.reason);
        let reason = reason.ok_or_else(|| format!("`{}` is no reason for a gap", short(&gap.reason)))?;
        if !(gap.until_ms >= r.page_ms && gap.until_ms < 1e12) || gap.note.len() > 1_000 || gap.lost > 1 << 40 {
            return Err("the gap ends before it begins, has lost more than there can be, or says too much".to_owned());
        }
        let until = self.documents.place(r.document, gap.until_ms).ok_or("its document is not known")?;
        Ok(Body::Gap(Gap { until, reason, lost: gap.lost, note: gap.note.clone() }))
    }

    /// The file holds the offset to the session's clock, as every session does.
    fn page_clock(&self, kind: &str, data: &RawValue) -> Result<Body, String> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Measured {
            offset_ms: f64,
            uncertainty_ms: f64,
            document: u32,
        }
        if kind != "measured" {
            return Err(format!("`{}` is no kind of event here", short(kind)));
        }
        let m: Measured = serde_json::from_str(data.get()).map_err(|e| e.to_string())?;
        if !(m.offset_ms.abs() < 1e14 && (0.0..1e7).contains(&m.uncertainty_ms)) {
            return Err("a clock was measured wrongly".to_owned());
        }
        let data = Map::from_iter([
            ("offset_ms".to_owned(), Value::from(m.offset_ms - self.zero_utc_ms)),
            ("uncertainty_ms".to_owned(), Value::from(m.uncertainty_ms)),
            ("document".to_owned(), Value::from(m.document)),
        ]);
        Ok(Body::Event { kind: kind.to_owned(), data })
    }

    /// Beside the browser's own times stands when that was in the session: it is needed again after a restart.
    fn video_frames(&self, r: &RemoteRecord, kind: &str, data: &RawValue) -> Result<Body, String> {
        #[derive(serde::Deserialize)]
        struct Frames {
            page_ms: Vec<f64>,
            media_s: Vec<f64>,
        }
        match kind {
            "started" => return free_event(kind, data, MAX_HEALTH_BYTES),
            "frames" => {}
            _ => return Err(format!("`{}` is no kind of event here", short(kind))),
        }
        let frames: Frames = serde_json::from_str(data.get()).map_err(|e| e.to_string())?;
        let is_sound = frames.page_ms.len() == frames.media_s.len()
            && frames.page_ms.len() <= MAX_FRAME_TIMES
            && frames.page_ms.iter().all(|ms| (0.0..1e12).contains(ms))
            && frames.media_s.iter().all(|s| s.is_finite());
        if !is_sound {
            return Err("times of frames are no times, too many, or not one for each frame".to_owned());
        }
        // Not through `place`: frames are captured before the events that tell of them.
        let at = frames.page_ms.iter().map(|ms| Some(Value::from(self.documents.at(r.document, *ms)?.as_ns())));
        let at: Option<Vec<Value>> = at.collect();
        let Body::Event { kind, mut data } = free_event(kind, data, MAX_FRAMES_BYTES)? else {
            return Err("no event".to_owned());
        };
        data.insert("at_ns".to_owned(), Value::from(at.ok_or("its document is not known")?));
        data.insert("document".to_owned(), Value::from(r.document));
        Ok(Body::Event { kind, data })
    }

    /// The numbers that are there of a stream.
    pub fn numbers(&self, stream: &str) -> Numbers {
        self.streams.iter().find(|s| s.name == stream).map(|s| s.numbers.clone()).unwrap_or_default()
    }

    /// What is missing of what a browser says it has sent; `None` where nothing is.
    pub fn missing(&self, finish: &Finish) -> Result<BTreeMap<String, Vec<Span>>, Problem> {
        let mut all = BTreeMap::new();
        for (name, until) in &finish.streams {
            let Some(stream) = self.streams.iter().find(|s| s.name == *name && s.takes != Takes::Nothing) else {
                return Err(Problem::malformed(format!(
                    "This session has no stream `{}` that a browser writes.",
                    short(name)
                )));
            };
            if *until > stream.numbers.next().saturating_add(MAX_AHEAD) {
                return Err(Problem::conflict(
                    "incomplete",
                    format!(
                        "Of `{name}` only {} of {until} records are here. Send the rest first.",
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

fn samples(frame: Option<u64>, values: &[Option<f32>], fields: usize) -> Result<Body, String> {
    if values.len() != fields {
        return Err(format!("it has {} values and the stream {fields} fields", values.len()));
    }
    // A number beyond 32 bits reads as infinite.
    let values: Box<[f32]> = values.iter().map(|v| v.unwrap_or(f32::NAN)).collect();
    if values.iter().any(|v| v.is_infinite()) || frame.is_some_and(|f| f > i64::MAX as u64) {
        return Err("one of its numbers is too large".to_owned());
    }
    Ok(Body::Sample { frame, values })
}

/// Through the ONE parser of what a page may say.
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
        return Err(format!("`{}` is no kind of event", short(kind)));
    }
    let data: Map<String, Value> = serde_json::from_str(data.get()).map_err(|e| e.to_string())?;
    Ok(Body::Event { kind: kind.to_owned(), data })
}

fn short(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

fn capitalised(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
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
        let taken = intake.take(&both, NOW).unwrap();
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
        assert_eq!(intake.take(&both, NOW).unwrap(), Taken::default());
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
        let taken = intake.take(&batch(Value::from(records)), NOW).unwrap();
        assert_eq!(taken.refused.len(), bad.len());
        assert_eq!(taken.records.len(), bad.len() + 1);
        assert_eq!(intake.committed()["page"], 6);
        assert_eq!(taken.records.iter().filter(|r| matches!(r.body, Body::Gap(_))).count(), bad.len());
    }

    #[test]
    fn what_makes_no_batch_stores_nothing() {
        let mut intake = intake();
        let mut unknown = batch(json!([visible(0), visible(200_000)]));
        assert_eq!(serde_json::to_value(intake.take(&unknown, NOW).unwrap_err()).unwrap()["status"], 409);
        unknown.records[1].stream = "server".into();
        assert_eq!(serde_json::to_value(intake.take(&unknown, NOW).unwrap_err()).unwrap()["status"], 422);
        unknown.records.pop();
        unknown.documents.clear();
        let unmeasured = intake.take(&unknown, NOW).unwrap_err();
        assert!(unmeasured.detail().contains("document 1"), "{}", unmeasured.detail());
        assert_eq!(intake.committed()["page"], 0);
    }

    #[test]
    fn a_finish_says_what_is_missing() {
        let mut intake = intake();
        intake.take(&batch(json!([visible(0), visible(3)])), NOW).unwrap();
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
                let taken = intake.take(&batch(json!([visible(seq)])), NOW).unwrap();
                seen.extend(taken.records.into_iter().map(|r| r.seq));
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..40).collect::<Vec<_>>());
            prop_assert_eq!(intake.committed()["page"], 40);
        }

        #[test]
        fn no_record_makes_it_panic(text in "\\PC{0,60}", n in any::<u64>(), ms in any::<f64>()) {
            let record = json!({"stream": "page", "seq": n, "document": 1, "page_ms": ms, "kind": text, "data": {"a": text}});
            if let Ok(batch) = serde_json::from_value::<Batch>(json!({"documents": [], "records": [record]})) {
                let _ = intake().take(&batch, NOW);
            }
        }
    }
}
