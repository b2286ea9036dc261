//! Counts the events of sessions and lists their signals, so that a form can offer them. It reads events and never samples.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::read_events;
use analysis::{EventChoice, SignalId};
use session::{
    Body, EventData, EventRow, LATER, LSL_CLOCK, MARKER, PAGE_CLOCK, Record, StreamInfo, StreamKind, Timeline,
    deleted_stream,
};
use store::{SessionFile, StoreError};

/// The largest number of targets and values that are offered per kind.
const OFFERED: usize = 60;
/// The largest number of distinct targets that are counted per kind. A page with generated names does not fill the memory.
const DISTINCT: usize = 5000;
/// Signals of a stream with more fields than this are not offered.
const MOST_FIELDS: usize = 64;
/// The largest number of distinct kinds, for the same reason.
const KINDS: usize = 1000;

/// One kind of events of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedKind {
    pub stream: String,
    pub kind: String,
    pub count: u64,
    /// The most frequent targets, and how often they occur.
    pub targets: Vec<(String, u64)>,
    /// The most frequent values of events without a target.
    pub values: Vec<(String, u64)>,
}

/// What some sessions have to choose from.
#[derive(Debug, Default)]
pub struct Found {
    /// The most frequent first.
    pub kinds: Vec<CountedKind>,
    /// The conditions of the sessions, with numbers of sessions.
    pub conditions: Vec<(String, u64)>,
    /// The fields of all sample streams, by name.
    pub signals: Vec<SignalId>,
    /// Sessions that could not be read, with the reason.
    pub unread: Vec<(PathBuf, String)>,
}

/// The events of some sessions.
#[derive(Debug, Default)]
pub struct Catalogue {
    kinds: HashMap<(String, String), Counts>,
    conditions: HashMap<String, u64>,
    signals: BTreeSet<SignalId>,
    unread: Vec<(PathBuf, String)>,
}

#[derive(Debug, Default)]
struct Counts {
    count: u64,
    targets: HashMap<String, u64>,
    values: HashMap<String, u64>,
}

impl Catalogue {
    /// Adds the events of one session. A session that cannot be read is listed with the reason.
    pub fn add(&mut self, folder: &Path) {
        if let Err(e) = self.count(folder) {
            self.unread.push((folder.to_owned(), e.to_string()));
        }
    }

    fn count(&mut self, folder: &Path) -> Result<(), StoreError> {
        let file = SessionFile::open(folder)?;
        // Measurements of the clock are not actions.
        let streams = file
            .streams()
            .iter()
            .filter(|s| s.kind == StreamKind::Events && ![PAGE_CLOCK, LSL_CLOCK].contains(&s.name.as_str()));
        for stream in streams {
            if stream.name.as_str() == MARKER {
                // A timeline leaves out the markers that were taken back.
                let mut markers = Timeline::default();
                markers.declare(stream.clone());
                file.each_event(MARKER, None, |record| markers.ingest(&record))?;
                markers.events().iter().for_each(|row| self.take(row));
                continue;
            }
            file.each_event(stream.name.as_str(), None, |record| event(record).iter().for_each(|row| self.take(row)))?;
        }
        let mut deleted = Timeline::default();
        read_events(&file, &EventChoice::stream(deleted_stream().name), &mut deleted)?;
        deleted.events().iter().for_each(|row| self.take(row));
        self.signals.extend(file.streams().iter().filter(|s| is_offered(s)).flat_map(signals_of));
        if let Some(condition) = &file.header().condition {
            *self.conditions.entry(condition.clone()).or_insert(0) += 1;
        }
        Ok(())
    }

    fn take(&mut self, row: &EventRow<EventData>) {
        let choice = EventChoice::like(row);
        let name = (choice.stream.to_string(), row.what.kind.clone());
        if self.kinds.len() >= KINDS && !self.kinds.contains_key(&name) {
            return;
        }
        let kind = self.kinds.entry(name).or_default();
        kind.count += 1;
        for (counted, name) in [(&mut kind.targets, choice.target), (&mut kind.values, choice.value)] {
            if let Some(name) = name.filter(|name| counted.len() < DISTINCT || counted.contains_key(name)) {
                *counted.entry(name).or_insert(0) += 1;
            }
        }
    }

    pub fn finish(self) -> Found {
        let counted = self.kinds.into_iter().map(|((stream, kind), found)| CountedKind {
            stream,
            kind,
            count: found.count,
            targets: most_frequent(found.targets),
            values: most_frequent(found.values),
        });
        let mut kinds: Vec<CountedKind> = counted.collect();
        kinds.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.stream, &a.kind).cmp(&(&b.stream, &b.kind))));
        Found {
            kinds,
            conditions: most_frequent(self.conditions),
            signals: self.signals.into_iter().collect(),
            unread: self.unread,
        }
    }
}

/// Later samples complete the stream that they belong to. The landmarks are too many for a list.
fn is_offered(stream: &StreamInfo) -> bool {
    stream.kind == StreamKind::Samples && stream.fields.len() <= MOST_FIELDS && !stream.name.as_str().ends_with(LATER)
}

fn signals_of(stream: &StreamInfo) -> impl Iterator<Item = SignalId> {
    stream.fields.iter().map(|field| SignalId { stream: stream.name.clone(), field: field.name.clone() })
}

fn event(record: Record) -> Option<EventRow<EventData>> {
    let Record { stream, seq, at, body } = record;
    match body {
        Body::Event { kind, data } => Some(EventRow { stream, seq, at, what: EventData { kind, data } }),
        _ => None,
    }
}

fn most_frequent(counted: HashMap<String, u64>) -> Vec<(String, u64)> {
    let mut counted: Vec<(String, u64)> = counted.into_iter().collect();
    counted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counted.truncate(OFFERED);
    counted
}
