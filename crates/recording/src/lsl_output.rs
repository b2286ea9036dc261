//! Offers affect, events and frames of a recording over Lab Streaming Layer.
//!
//! What is offered is what the recorder has stored. It arrives some tens of milliseconds later and has the time of its capture.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, bounded};
use serde_json::Value;

use super::SourceError;
use lsl::{Channel, ClockLink, LslError, Outlet, OutletFormat, OutletPlan, Row};
use session::{AFFECT, Body, Clock, FrameMeta, MARKER, PAGE, PHASE, QUESTIONNAIRE, Record, StreamInfo, VIDEO, program};
use store::{Recorder, Stored};

/// The streams whose events are offered.
const EVENTS: [&str; 4] = [PAGE, MARKER, PHASE, QUESTIONNAIRE];
/// Commits, 40 per second: more than a minute.
const QUEUE: usize = 4_096;

pub(super) struct LslOutput {
    thread: JoinHandle<()>,
    missed: Arc<AtomicU64>,
}

/// What is offered. Nothing is sent before [`Outlets::start`].
pub(super) struct Outlets {
    link: ClockLink,
    /// Without a camera there is none.
    affect: Option<Outlet>,
    events: Outlet,
    frames: Option<Outlet>,
    failures: u64,
}

impl LslOutput {
    /// After the recorder has ended.
    pub(super) fn finish(self) {
        if self.thread.join().is_err() {
            tracing::error!("the thread `lsl out` failed");
        }
        let missed = self.missed.load(Ordering::Relaxed);
        if missed > 0 {
            tracing::warn!("{missed} records and frames were stored and not offered over Lab Streaming Layer");
        }
    }
}

fn channel(label: &str, unit: &str, content_type: &str) -> Channel {
    Channel { label: label.to_owned(), unit: unit.to_owned(), content_type: content_type.to_owned() }
}

impl Outlets {
    pub(super) fn open(clock: Clock, streams: &[StreamInfo]) -> Result<Outlets, LslError> {
        // A face may be absent and frames may be lost, so no stream has a fixed rate.
        let open = |name: &str, content_type: &str, format, channels: Vec<Channel>| {
            let name = format!("affectograph_{name}");
            let source_id = name.clone();
            let about = vec![("software", program())];
            let content_type = content_type.to_owned();
            Outlet::open(OutletPlan { name, content_type, source_id, format, rate_hz: None, channels, about })
        };
        let affect = streams.iter().find(|s| s.name.as_str() == AFFECT);
        let fields = |info: &StreamInfo| info.fields.iter().map(|f| channel(&f.name, &f.unit, "Affect")).collect();
        let has_camera = streams.iter().any(|s| s.name.as_str() == VIDEO);
        let of_frames =
            || open("frames", "VideoFrames", OutletFormat::Int32, vec![channel("frame", "1", "VideoFrame")]);
        Ok(Outlets {
            link: ClockLink::measure(clock)?,
            affect: affect.map(|info| open("affect", "Affect", OutletFormat::Float32, fields(info))).transpose()?,
            events: open(
                "events",
                "Markers",
                OutletFormat::String,
                vec![channel("label", "", "Marker"), channel("json", "", "Marker")],
            )?,
            frames: has_camera.then(of_frames).transpose()?,
            failures: 0,
        })
    }

    /// Offers what `recorder` stores from now on, until it ends.
    pub(super) fn start(self, recorder: &Recorder) -> Result<LslOutput, SourceError> {
        let (to, stored) = bounded(QUEUE);
        let missed = Arc::new(AtomicU64::new(0));
        recorder.copy_to(to, missed.clone());
        let thread = std::thread::Builder::new().name("lsl out".into()).spawn(move || self.run(&stored))?;
        Ok(LslOutput { thread, missed })
    }

    fn run(mut self, stored: &Receiver<Stored>) {
        for Stored { records, frames } in stored {
            frames.iter().for_each(|meta| self.frame(meta));
            records.iter().for_each(|record| self.record(record));
        }
        if self.failures > 0 {
            tracing::warn!("{} samples could not be sent over Lab Streaming Layer", self.failures);
        }
    }

    fn frame(&mut self, meta: &FrameMeta) {
        let number = i32::try_from(meta.number).unwrap_or(i32::MAX);
        let Some(frames) = &mut self.frames else { return };
        let sent = frames.push(self.link.local_s(meta.at), &Row::Integers(&[number]));
        self.count(sent);
    }

    fn record(&mut self, record: &Record) {
        let stream = record.stream.as_str();
        let at_s = self.link.local_s(record.at);
        let sent = match &record.body {
            Body::Sample { values, .. } if stream == AFFECT => match &mut self.affect {
                Some(affect) => affect.push(at_s, &Row::Floats(values)),
                None => return,
            },
            Body::Event { kind, data } if EVENTS.contains(&stream) => {
                let json = Value::Object(data.clone()).to_string();
                let label = label(stream, kind, data);
                self.events.push(at_s, &Row::Texts(&[label.as_bytes(), json.as_bytes()]))
            }
            _ => return,
        };
        self.count(sent);
    }

    fn count(&mut self, sent: Result<(), LslError>) {
        if let Err(e) = sent {
            if self.failures == 0 {
                tracing::warn!("{e}");
            }
            self.failures += 1;
        }
    }
}

/// `page/click`, `marker/marker/smile`
fn label(stream: &str, kind: &str, data: &serde_json::Map<String, Value>) -> String {
    let name = ["label", "name"].into_iter().find_map(|key| data.get(key).and_then(Value::as_str));
    match name {
        Some(name) => format!("{stream}/{kind}/{name}"),
        None => format!("{stream}/{kind}"),
    }
}
