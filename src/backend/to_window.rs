//! The queue of events to the window. A window that is not drawn (hidden, minimised, blocked by its system) may read
//! nothing for hours. The queue must not grow meanwhile.
//!
//! - **Pictures, figures and states**: a newer one replaces the older one.
//! - **Records** have a bound. Records above it are refused. [`Tail`] reads them from the session file when the window has
//!   taken the waiting ones.
//! - **Notices**: each text once, and at most [`NOTICES_WAITING`].
//! - **Results of the operator's commands** are all kept. Nobody gives commands in a window that is not drawn, and the
//!   waiting commands have a bound ([`CommandQueue`](super::command_queue::CommandQueue)).
//!
//! [`Tail`]: super::tail::Tail

use std::mem::discriminant;
use std::sync::Arc;

use serde_json::Value;

use super::command_queue::BUSY;
use desktop::port::{Activity, BackendEvent, Wake};
use session::{Body, Latest, Record};

/// More than a minute of all records, so that a slow window does not fall behind.
pub(super) const RECORDS_WAITING: usize = 16_384;
/// Records of the page's replay may be large.
pub(super) const RECORD_BYTES_WAITING: usize = 8 << 20;
/// The window shows the newest three.
const NOTICES_WAITING: usize = 16;

/// The sending end, for all threads of the backend.
#[derive(Clone)]
pub(super) struct ToWindow {
    waiting: Latest<Waiting>,
    wake: Wake,
}

impl ToWindow {
    pub(super) fn new(wake: Wake) -> Self {
        ToWindow { waiting: Latest::default(), wake }
    }

    /// Never waits. Records go through [`ToWindow::records`].
    pub(super) fn send(&self, update: BackendEvent) {
        self.waiting.change(|waiting| waiting.get_or_insert_default().put(update));
        self.wake.wake();
    }

    pub(super) fn failed(&self, during: Activity, sentence: impl Into<String>) {
        self.send(BackendEvent::Failed { during, sentence: sentence.into() });
    }

    /// Reports a command that a queue has refused.
    pub(super) fn report_refused(&self, is_accepted: bool) {
        if !is_accepted {
            self.send(BackendEvent::Notice(BUSY.to_owned()));
        }
    }

    /// `false`: there is no room, and the records were not sent.
    pub(super) fn records(&self, records: &Arc<[Record]>) -> bool {
        let has_room = self.waiting.change(|waiting| waiting.get_or_insert_default().put_records(records));
        self.wake.wake();
        has_room
    }

    /// The number of records that the window has not taken yet.
    pub(super) fn records_waiting(&self) -> usize {
        self.waiting.change(|waiting| waiting.as_ref().map_or(0, |w| w.records))
    }

    /// All waiting events in their order. Never blocks.
    pub(super) fn take(&self) -> Vec<BackendEvent> {
        self.waiting.try_take().map(|waiting| waiting.updates).unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) fn bytes_waiting(&self) -> usize {
        self.waiting.change(|waiting| waiting.as_ref().map_or(0, |w| w.updates.iter().map(bytes).sum()))
    }
}

#[derive(Default)]
struct Waiting {
    updates: Vec<BackendEvent>,
    records: usize,
    record_bytes: usize,
}

impl Waiting {
    fn put(&mut self, update: BackendEvent) {
        match &update {
            // The previous session is no longer shown.
            BackendEvent::RecordingStarted(_)
            | BackendEvent::RecordingFinished(_)
            | BackendEvent::RecordingDiscarded => {
                self.updates.retain(|u| !is_of_recording(u));
                (self.records, self.record_bytes) = (0, 0);
            }
            BackendEvent::Notice(sentence) => {
                self.updates.retain(|u| !matches!(u, BackendEvent::Notice(known) if known == sentence));
                let notices = || self.updates.iter().enumerate().filter(|(_, u)| matches!(u, BackendEvent::Notice(_)));
                if notices().count() >= NOTICES_WAITING
                    && let Some((oldest, _)) = notices().next()
                {
                    self.updates.remove(oldest);
                }
            }
            _ => {}
        }
        if let Some(subject) = Subject::of(&update) {
            // Added at the end, because events between the two may be needed to understand it.
            self.updates.retain(|u| Subject::of(u).as_ref() != Some(&subject));
        }
        self.updates.push(update);
    }

    fn put_records(&mut self, records: &Arc<[Record]>) -> bool {
        let bytes: usize = records.iter().map(record_bytes).sum();
        if self.records + records.len() > RECORDS_WAITING || self.record_bytes + bytes > RECORD_BYTES_WAITING {
            return false;
        }
        self.records += records.len();
        self.record_bytes += bytes;
        self.updates.push(BackendEvent::Records(records.clone()));
        true
    }
}

/// The subject of an event. Of the waiting events with the same subject only the newest is kept.
#[derive(PartialEq)]
enum Subject<'a> {
    /// The newest of its kind.
    Kind(std::mem::Discriminant<BackendEvent>),
    Alarm(&'a str),
    Stream(&'a str),
    Failure(Activity),
    Rating(u32),
}

impl Subject<'_> {
    /// `None`: it happened, and something else that happens does not undo it.
    fn of(update: &BackendEvent) -> Option<Subject<'_>> {
        Some(match update {
            BackendEvent::Alarm(alarm) => Subject::Alarm(&alarm.key),
            BackendEvent::AlarmCleared { key } => Subject::Alarm(key),
            BackendEvent::StreamDeclared(stream) => Subject::Stream(stream.name.as_str()),
            // The first one ends the recording on the screen, and the next ones add to it.
            BackendEvent::Failed { during: Activity::Record, .. } => return None,
            // The window shows only the last message of each activity.
            BackendEvent::Failed { during, .. } => Subject::Failure(*during),
            BackendEvent::Agreement(agreement) => Subject::Rating(agreement.pass),
            BackendEvent::Library(_)
            | BackendEvent::DownloadProgress(_)
            | BackendEvent::JobProgress(_)
            | BackendEvent::FigureDrawn(_)
            | BackendEvent::RecordingDiscarded
            | BackendEvent::Terminate
            | BackendEvent::RehearsalOpened(_)
            | BackendEvent::Cameras(_)
            | BackendEvent::Camera(_)
            | BackendEvent::Checks(_)
            | BackendEvent::Page(_)
            | BackendEvent::Preview(_)
            | BackendEvent::ParticipantFront(_)
            | BackendEvent::ParticipantPicture(_)
            | BackendEvent::RemoteStart
            | BackendEvent::RecordingStarted(_)
            | BackendEvent::Health(_)
            | BackendEvent::Part(_)
            | BackendEvent::StudyChecked { .. }
            | BackendEvent::PageKeyboard(_)
            | BackendEvent::PhonePad(_)
            | BackendEvent::KeyboardReturned
            | BackendEvent::RecordingStopping
            | BackendEvent::RecordingFinished(_)
            | BackendEvent::SessionOpened(_)
            | BackendEvent::Picture { .. }
            | BackendEvent::PageReplayClosed
            | BackendEvent::ExportProgress { .. }
            | BackendEvent::GamepadStick { .. }
            | BackendEvent::Gamepad(_)
            | BackendEvent::EventCatalogue(_)
            | BackendEvent::EventCounts(_)
            | BackendEvent::StudyQueryProgress { .. }
            | BackendEvent::StudyQueryFinished(_)
            | BackendEvent::StudyQueryCancelled => Subject::Kind(discriminant(update)),
            // Records are bounded by number and bytes, notices by number.
            BackendEvent::Records(_) | BackendEvent::Notice(_) => return None,
            // Results of commands, and what a person did.
            BackendEvent::ConsentGiven(_)
            | BackendEvent::SessionsDownloaded(_)
            | BackendEvent::JobFinished(_)
            | BackendEvent::Reassigned { .. }
            | BackendEvent::NoteStored { .. }
            | BackendEvent::StudyOpened(_)
            | BackendEvent::StudySaved(_)
            | BackendEvent::ExportFinished { .. }
            | BackendEvent::RecordsAdded(_) => return None,
        })
    }
}

fn is_of_recording(update: &BackendEvent) -> bool {
    matches!(
        update,
        BackendEvent::StreamDeclared(_)
            | BackendEvent::Records(_)
            | BackendEvent::Health(_)
            | BackendEvent::Part(_)
            | BackendEvent::Alarm(_)
            | BackendEvent::AlarmCleared { .. }
            | BackendEvent::RecordingStopping
    )
}

/// The approximate size of a record in memory.
pub(super) fn record_bytes(record: &Record) -> usize {
    let body = match &record.body {
        Body::Sample { values, .. } => size_of_val(&**values),
        Body::Event { kind, data } => {
            kind.len() + data.iter().map(|(name, v)| name.len() + value_bytes(v)).sum::<usize>()
        }
        Body::Gap(gap) => gap.note.len(),
    };
    size_of::<Record>() + body
}

fn value_bytes(value: &Value) -> usize {
    // An entry of a map needs some tens of bytes in addition to its contents.
    size_of::<Value>()
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(value_bytes).sum(),
            Value::Object(map) => map.iter().map(|(name, v)| 32 + name.len() + value_bytes(v)).sum(),
        }
}

#[cfg(test)]
fn bytes(update: &BackendEvent) -> usize {
    size_of::<BackendEvent>()
        + match update {
            BackendEvent::Records(records) => records.iter().map(record_bytes).sum(),
            BackendEvent::Preview(preview) => preview.picture.rgb.len(),
            BackendEvent::Picture { picture, .. } | BackendEvent::ParticipantPicture(picture) => picture.rgb.len(),
            BackendEvent::Notice(sentence) | BackendEvent::Failed { sentence, .. } => sentence.len(),
            _ => 0,
        }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use desktop::port::{Alarm, HealthFigures, Picture, Preview};
    use session::{Gap, GapReason, Timestamp};

    fn to_window() -> ToWindow {
        ToWindow::new(Wake::new(|| {}))
    }

    fn preview(at: i64) -> BackendEvent {
        let picture = Arc::new(Picture { width_px: 640, height_px: 480, rgb: vec![0; 640 * 480 * 3] });
        BackendEvent::Preview(Preview { at: Timestamp::from_ns(at), picture, face: None, faces: 0, affect: None })
    }

    fn event(seq: u64, text: &str) -> Record {
        let body = Body::event("click", serde_json::json!({ "text": text }));
        Record { stream: Arc::new("page".parse().unwrap()), seq, at: Timestamp::from_ns(seq as i64), body }
    }

    #[test]
    fn ten_hours_of_pictures_take_the_room_of_one() {
        let to = to_window();
        for k in 0..10 * 3600 * 15 {
            if k % 5_000 == 0 {
                to.send(preview(k)); // a picture costs time to make, a figure does not
                to.send(BackendEvent::Notice(format!("A picture could not be shown: number {k}")));
            }
            to.send(BackendEvent::Health(HealthFigures { frames_stored: k as u64, ..HealthFigures::default() }));
            to.send(BackendEvent::Failed { during: Activity::Picture, sentence: k.to_string() });
        }
        assert!(to.bytes_waiting() < 1_000_000, "{}", to.bytes_waiting());
        let events = to.take();
        assert!(events.len() <= 3 + NOTICES_WAITING, "{}", events.len());
        assert!(events.iter().any(|u| matches!(u, BackendEvent::Health(h) if h.frames_stored == 539_999)));
        assert!(events.iter().any(|u| matches!(u, BackendEvent::Preview(p) if p.at.as_ns() == 535_000)));
        assert!(to.take().is_empty());
    }

    #[test]
    fn records_have_a_bound_in_number_and_in_bytes() {
        let to = to_window();
        let small: Arc<[Record]> = (0..1000).map(|k| event(k, "")).collect();
        let taken = (0..100).take_while(|_| to.records(&small)).count();
        assert_eq!((taken, to.records_waiting()), (16, 16_000));
        assert!(to.bytes_waiting() < 2 * RECORD_BYTES_WAITING);
        assert_eq!(to.take().len(), 16);
        assert!(to.records(&small));
        let large: Arc<[Record]> = [event(0, &"x".repeat(3 << 20))].into();
        let taken = (0..100).take_while(|_| to.records(&large)).count();
        assert_eq!(taken, 2);
    }

    #[test]
    fn a_new_session_begins_without_the_last_ones_words() {
        let to = to_window();
        assert!(to.records(&[event(0, "old")].into()));
        to.send(BackendEvent::Alarm(Alarm { key: "camera".into(), losing: "old".into(), remedy: String::new() }));
        to.send(BackendEvent::RecordingStopping);
        let at = Timestamp::ZERO;
        to.send(BackendEvent::RecordingStarted(desktop::port::StartedInfo { folder: "new".into(), at }));
        assert!(to.records(&[event(0, "new")].into()));
        let events = to.take();
        assert!(
            matches!(&events[..], [BackendEvent::RecordingStarted(_), BackendEvent::Records(_)]),
            "{}",
            events.len()
        );
    }

    #[derive(Clone, Debug)]
    enum Step {
        Health(u64),
        Alarm(u8, bool),
        Notice(u8),
        Records(u16),
        Take,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            any::<u64>().prop_map(Step::Health),
            (0..4u8, any::<bool>()).prop_map(|(key, is_raised)| Step::Alarm(key, is_raised)),
            any::<u8>().prop_map(Step::Notice),
            (0..3000u16).prop_map(Step::Records),
            Just(Step::Take),
        ]
    }

    /// The state of a window after its events.
    #[derive(Debug, Default, PartialEq)]
    struct Known {
        health: Option<u64>,
        alarms: std::collections::BTreeSet<String>,
        records: Vec<u64>,
    }

    impl Known {
        fn learn(&mut self, update: &BackendEvent) {
            match update {
                BackendEvent::Health(h) => self.health = Some(h.frames_stored),
                BackendEvent::Alarm(a) => drop(self.alarms.insert(a.key.clone())),
                BackendEvent::AlarmCleared { key } => drop(self.alarms.remove(key)),
                BackendEvent::Records(records) => self.records.extend(records.iter().map(|r| r.seq)),
                _ => {}
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        /// A window that sleeps and wakes has in the end the same state as one that never slept, for all events that found
        /// room. The waiting events are bounded all the time. Records come in order.
        #[test]
        fn a_window_that_slept_knows_what_one_that_did_not_knows(all in prop::collection::vec(step(), 0..200)) {
            let to = to_window();
            let (mut awake, mut slept, mut seq) = (Known::default(), Known::default(), 0);
            let stream = event(0, "").stream;
            let record = |seq: u64| {
                let (at, note) = (Timestamp::from_ns(seq as i64), String::new());
                let gap = Gap { until: at, reason: GapReason::NoFace, lost: 1, note };
                Record { stream: stream.clone(), seq, at, body: Body::Gap(gap) }
            };
            for step in all {
                let update = match step {
                    Step::Health(n) => BackendEvent::Health(HealthFigures { frames_stored: n, ..HealthFigures::default() }),
                    Step::Alarm(key, true) => {
                        BackendEvent::Alarm(Alarm { key: key.to_string(), losing: String::new(), remedy: String::new() })
                    }
                    Step::Alarm(key, false) => BackendEvent::AlarmCleared { key: key.to_string() },
                    Step::Notice(n) => BackendEvent::Notice(n.to_string()),
                    Step::Records(n) => {
                        let records: Arc<[Record]> = (0..u64::from(n)).map(|k| record(seq + k)).collect();
                        if to.records(&records) {
                            awake.learn(&BackendEvent::Records(records));
                            seq += u64::from(n);
                        }
                        continue;
                    }
                    Step::Take => {
                        to.take().iter().for_each(|u| slept.learn(u));
                        continue;
                    }
                };
                awake.learn(&update);
                to.send(update);
                prop_assert!(to.records_waiting() <= RECORDS_WAITING);
                prop_assert!(to.bytes_waiting() < 2 * RECORD_BYTES_WAITING);
            }
            to.take().iter().for_each(|u| slept.learn(u));
            prop_assert_eq!(awake, slept);
        }
    }
}
