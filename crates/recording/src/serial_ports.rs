//! Serial ports of a recording: bytes that come become events, and marks go out as bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::SourceError;
use super::rig_event::{EventSender, RigEvent, SourceNews};
use serial::{
    InputEvent, InputSink, NotSent, OutputEvent, OutputSink, Port, PortError, PortThreads, Trigger, TriggerSender,
};
use session::{
    Clock, GapReason, HEALTH, HealthKind, SerialPortSettings, SourceSettings, StreamInfo, Timestamp, serial as kind,
    serial_stream,
};
use store::{Recorder, StoreError, StreamWriter};

/// Opened, as far as they are there, and not yet used.
pub(super) struct SerialPorts(Vec<Prepared>);

struct Prepared {
    settings: SerialPortSettings,
    opened: Result<Port, PortError>,
}

/// Dropping it sends what waits, takes what has come, and closes the ports.
#[derive(Default)]
pub(super) struct RunningPorts {
    _threads: Vec<PortThreads>,
    triggers: Triggers,
}

impl RunningPorts {
    pub(super) fn triggers(&self) -> &Triggers {
        &self.triggers
    }
}

impl SerialPorts {
    /// A required port that cannot be opened is the error, unless `may_miss`. The others are looked for while recording.
    pub(super) fn open(sources: &[SourceSettings], may_miss: bool) -> Result<SerialPorts, SourceError> {
        let mut ports = Vec::new();
        for source in sources {
            let Some(settings) = source.serial_port() else { continue };
            let opened = Port::open(&settings.path, settings.baud_rate);
            if let (Err(e), true) = (&opened, source.required && !may_miss) {
                return Err(e.clone().into());
            }
            ports.push(Prepared { settings, opened });
        }
        Ok(SerialPorts(ports))
    }

    /// The streams that the session gets.
    pub(super) fn streams(&self) -> impl Iterator<Item = StreamInfo> {
        let of =
            |settings: &SerialPortSettings| serial_stream(settings.stream.clone(), &settings.path, settings.baud_rate);
        self.0.iter().map(move |port| of(&port.settings))
    }

    /// Receives and sends from now on.
    pub(super) fn start(
        self,
        recorder: &Recorder,
        clock: Clock,
        news: &EventSender,
    ) -> Result<RunningPorts, SourceError> {
        let (mut threads, mut outs) = (Vec::new(), Vec::new());
        for Prepared { settings, opened } in self.0 {
            let mut input = PortInput::of(recorder, &settings, news.clone())?;
            let output = PortOutput { told: PortNews::of(recorder, &settings, news.clone())?, is_refusing: false };
            let stream = recorder.stream(settings.stream.as_str())?;
            let at = clock.now();
            match &opened {
                Ok(_) => input.news.tell(at, SourceNews::Found(described(&settings))),
                Err(e) => input.is_missing(at, e),
            }
            let address = (settings.path.as_str(), settings.baud_rate);
            let sinks = (input.into_sink(), output.into_sink());
            let port = PortThreads::start(address, opened.ok(), settings.pulse, clock, sinks)?;
            outs.push(PortOut { bytes: settings.bytes, sender: port.sender(), stream });
            threads.push(port);
        }
        Ok(RunningPorts { _threads: threads, triggers: Triggers(outs.into()) })
    }
}

/// `Serial port /dev/ttyUSB0 at 115200 baud`
pub(super) fn described(settings: &SerialPortSettings) -> String {
    format!("Serial port {} at {} baud", settings.path, settings.baud_rate)
}

/// Sends marks and markers as bytes, to each port whose table has their label.
#[derive(Clone, Default)]
pub(super) struct Triggers(Arc<[PortOut]>);

struct PortOut {
    bytes: BTreeMap<String, u8>,
    sender: TriggerSender,
    stream: StreamWriter,
}

impl Triggers {
    /// Never waits. `of` is the stream of the event that happened at `event_at`.
    pub(super) fn send(&self, of: &'static str, label: &str, event_at: Timestamp) {
        for out in self.0.iter() {
            let Some(byte) = out.bytes.get(label) else { continue };
            let trigger = Trigger { byte: *byte, label: label.to_owned(), of, event_at };
            if let Err(refused) = out.sender.send(trigger) {
                store_sent(&out.stream, &refused, (event_at, 0), Some("too many bytes wait for the port".to_owned()));
            }
        }
    }
}

// The results of the stream writers are ignored: the recorder counts each record that it could not take, reports it and
// stores a gap.
fn store_sent(stream: &StreamWriter, trigger: &Trigger, (at, took_ns): (Timestamp, i64), error: Option<String>) {
    let mut data = written(trigger.byte, took_ns, error);
    data["label"] = Value::from(trigger.label.as_str());
    data["of"] = Value::from(trigger.of);
    data["event_ns"] = Value::from(trigger.event_at.as_ns());
    stream.event(at, kind::SENT, data).ok();
}

fn written(byte: u8, took_ns: i64, error: Option<String>) -> Value {
    let mut data = json!({ "value": byte, "is_written": error.is_none(), "uncertainty_ns": took_ns });
    if let Some(why) = error {
        data["why"] = Value::from(why);
    }
    data
}

/// What the operator and the stream `health` are told of one port.
struct PortNews {
    name: String,
    stream: StreamWriter,
    health: StreamWriter,
    news: EventSender,
}

impl PortNews {
    fn of(recorder: &Recorder, settings: &SerialPortSettings, news: EventSender) -> Result<PortNews, StoreError> {
        let name = settings.stream.to_string();
        Ok(PortNews { stream: recorder.stream(&name)?, health: recorder.stream(HEALTH)?, name, news })
    }

    fn tell(&self, at: Timestamp, news: SourceNews) {
        self.news.send(RigEvent::Source { at, name: self.name.clone(), news });
    }

    fn store_health(&self, at: Timestamp, kind: HealthKind, why: Option<&str>) {
        let mut data = json!({ "stream": self.name });
        if let Some(why) = why {
            data["why"] = Value::from(why);
        }
        self.health.event(at, kind.as_str(), data).ok();
    }
}

/// Stores what comes. Runs on the port's thread and never waits.
struct PortInput {
    news: PortNews,
    missing_since: Option<(Timestamp, String)>,
}

impl PortInput {
    fn of(recorder: &Recorder, settings: &SerialPortSettings, news: EventSender) -> Result<PortInput, StoreError> {
        Ok(PortInput { news: PortNews::of(recorder, settings, news)?, missing_since: None })
    }

    fn into_sink(mut self) -> InputSink {
        Box::new(move |event| self.take(event))
    }

    /// At the start.
    fn is_missing(&mut self, at: Timestamp, e: &PortError) {
        let why = e.to_string();
        self.news.store_health(at, HealthKind::SourceMissing, Some(&why));
        self.news.tell(at, SourceNews::Awaited(why.clone()));
        self.missing_since = Some((at, why));
    }

    fn take(&mut self, event: InputEvent<'_>) {
        match event {
            InputEvent::Received { bytes, at, uncertainty_ns } => {
                for byte in bytes {
                    let data = json!({ "value": byte, "uncertainty_ns": uncertainty_ns });
                    self.news.stream.event(at, kind::RECEIVED, data).ok();
                }
            }
            InputEvent::Lost { at, why } => {
                self.news.store_health(at, HealthKind::SourceLost, Some(&why));
                self.news.tell(at, SourceNews::Unplugged(why.clone()));
                self.missing_since = Some((at, why));
            }
            // A port that is gone is not there.
            InputEvent::NotThere { error: PortError::NotThere { .. }, .. } => {}
            InputEvent::NotThere { at, error } => {
                let why = error.to_string();
                // The first reason was told at the start.
                if self.missing_since.as_ref().is_none_or(|(_, told)| *told != why) {
                    self.news.store_health(at, HealthKind::SourceLost, Some(&why));
                    self.news.tell(at, SourceNews::Awaited(why));
                }
            }
            InputEvent::Back { at } => {
                self.store_gap(at);
                self.news.store_health(at, HealthKind::SourceBack, None);
                self.news.tell(at, SourceNews::Back);
            }
            InputEvent::Ended { at } => self.store_gap(at),
        }
    }

    fn store_gap(&mut self, until: Timestamp) {
        if let Some((since, why)) = self.missing_since.take() {
            self.news.stream.gap(since, until.max(since), GapReason::SourceLost, 0, &why).ok();
        }
    }
}

/// Stores what was sent. Runs on the port's thread and never waits.
struct PortOutput {
    told: PortNews,
    /// The last byte was not sent, although the port is there.
    is_refusing: bool,
}

impl PortOutput {
    fn into_sink(mut self) -> OutputSink {
        Box::new(move |event| self.take(event))
    }

    fn take(&mut self, event: OutputEvent) {
        match event {
            OutputEvent::Sent { trigger, at, took_ns, error } => {
                self.note(at, error.as_ref());
                store_sent(&self.told.stream, &trigger, (at, took_ns), error.map(|e| e.to_string()));
            }
            OutputEvent::Reset { at, took_ns, error } => {
                self.note(at, error.as_ref());
                self.told.stream.event(at, kind::RESET, written(0, took_ns, error.map(|e| e.to_string()))).ok();
            }
        }
    }

    /// Tells the first byte that was not sent, and the first one that was sent again. That the port is gone was told.
    fn note(&mut self, at: Timestamp, error: Option<&NotSent>) {
        match error {
            Some(NotSent::Gone) => self.is_refusing = false,
            Some(why) if !self.is_refusing => {
                self.is_refusing = true;
                self.told.store_health(at, HealthKind::TriggerNotSent, Some(&why.to_string()));
                self.told.tell(at, SourceNews::NotSent(why.to_string()));
            }
            None if self.is_refusing => {
                self.is_refusing = false;
                self.told.tell(at, SourceNews::Back);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::time::{Duration, Instant};

    use crossbeam_channel::{Receiver, bounded};
    use serde_json::Map;

    use super::*;
    use crate::RigPlan;
    use crate::rig_event::event_channel;
    use crate::router::{self, RouterStreams};
    use crate::test_header::header;
    use capture::Pace;
    use page::{PageEvent, PageRecord};
    use serial::PseudoPort;
    use session::{CameraSettings, MARKER, PAGE, SourceKind};
    use store::{SessionEnd, SessionFile};

    const PATIENCE: Duration = Duration::from_secs(20);

    struct Scene {
        _folder: tempfile::TempDir,
        recorder: Recorder,
        running: RunningPorts,
        news: EventSender,
        events: Receiver<RigEvent>,
        clock: Clock,
    }

    /// A recording of one port, which sends `done` as 200.
    fn scene(port: &PseudoPort) -> Scene {
        let source = SourceSettings {
            kind: SourceKind::Serial,
            name: "box".to_owned(),
            port: port.path().to_owned(),
            baud_rate: Some(9_600),
            send: BTreeMap::from([("done".to_owned(), 200)]),
            ..SourceSettings::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let ports = SerialPorts::open(&[source], false).unwrap();
        let own = [session::health_stream(), session::page_stream(), session::page_clock_stream()];
        let others = [session::questionnaire_stream(), session::marker_stream()];
        let streams = own.into_iter().chain(others).chain(ports.streams()).collect();
        // Nobody reads the committed records.
        let (committed, _) = bounded(0);
        let recorder = Recorder::create(&folder.path().join("session"), header(""), streams, committed).unwrap();
        let (clock, (news, events)) = (Clock::start(), event_channel());
        let running = ports.start(&recorder, clock, &news).unwrap();
        Scene { _folder: folder, recorder, running, news, events, clock }
    }

    fn plan() -> RigPlan {
        RigPlan {
            camera: None,
            camera_settings: CameraSettings::default(),
            pace: Pace::RealTime,
            models: std::path::PathBuf::new(),
            affect_model: String::new(),
            page: None,
            markers: Vec::new(),
            sources: Vec::new(),
            lsl_out: false,
            window: None,
        }
    }

    fn of_page(document: u64, kind: &str, text: (&str, &str)) -> PageEvent {
        let mut data = Map::new();
        data.insert("document".to_owned(), document.into());
        data.insert(text.0.to_owned(), text.1.into());
        PageEvent::Record(PageRecord { at: Timestamp::from_ns(7), page_seq: document, kind: kind.to_owned(), data })
    }

    #[test]
    fn marks_of_the_page_go_out_and_answers_to_a_questionnaire_do_not() {
        let mut port = PseudoPort::open().unwrap();
        let Scene { recorder, running, news, _folder: folder, clock, .. } = scene(&port);
        let streams = RouterStreams::of(&recorder, &plan(), running.triggers().clone()).unwrap();
        let (camera, page) = (bounded(1).1, bounded(16));
        let router = router::start(Some(streams), camera, Some(page.1), None, news).unwrap();
        for event in [
            of_page(1, "document", ("url", "study://localhost/index.html")),
            of_page(1, "mark", ("name", "done")),
            of_page(1, "mark", ("name", "other")),
            of_page(2, "document", ("url", "host://localhost/questionnaire/0")),
            of_page(2, "mark", ("name", "done")),
        ] {
            page.0.send(event).unwrap();
        }
        drop(page.0);
        router.join().unwrap();
        drop(running);
        assert_eq!(port.device().read_within(PATIENCE), [200]);
        recorder.finish(SessionEnd { at: clock.now(), quality: None }).unwrap();
        let timeline = SessionFile::open(&folder.path().join("session")).unwrap().timeline().unwrap();
        let sent: Vec<_> = timeline.events().iter().filter(|e| e.what.kind == kind::SENT).collect();
        assert_eq!(sent.len(), 1);
        let data = &sent[0].what.data;
        assert_eq!((&data["of"], &data["label"], &data["event_ns"]), (&json!(PAGE), &json!("done"), &json!(7)));
    }

    #[test]
    fn a_device_that_takes_no_bytes_is_told_once_and_stored_for_each_byte() {
        let mut port = PseudoPort::open().unwrap();
        let Scene { recorder, running, events, _folder: folder, clock, news } = scene(&port);
        let until = Instant::now() + PATIENCE;
        let told = |wanted: &dyn Fn(&SourceNews) -> bool| loop {
            assert!(Instant::now() < until, "it was never told");
            running.triggers().send(MARKER, "done", clock.now());
            std::thread::sleep(Duration::from_micros(200));
            let is_it = |event: RigEvent| matches!(&event, RigEvent::Source { news, .. } if wanted(news));
            if events.try_iter().any(is_it) {
                break;
            }
        };
        told(&|news| matches!(news, SourceNews::NotSent(why) if why == "the device takes no bytes"));
        while !port.device().read_within(Duration::from_millis(50)).is_empty() {}
        told(&|news| matches!(news, SourceNews::Back));
        drop((running, news));
        recorder.finish(SessionEnd { at: clock.now(), quality: None }).unwrap();
        let timeline = SessionFile::open(&folder.path().join("session")).unwrap().timeline().unwrap();
        let why = |e: &&session::EventRow<session::EventData>| e.what.data.get("why").cloned();
        let stored = timeline.events().iter().filter(|e| e.what.kind == kind::SENT);
        assert!(stored.filter_map(|e| why(&e)).any(|why| why == json!("the device takes no bytes")));
        let health = timeline.events().iter().filter(|e| e.what.kind == HealthKind::TriggerNotSent.as_str());
        assert_eq!(health.count(), 1);
    }
}
