//! The thread `event_count_worker`: looks through the events of a study's sessions, so that a form can offer them and say how
//! many it means. It reads events and never samples.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use super::command_queue::{CommandQueue, QueuedCommand};
use super::rows;
use super::to_window::ToWindow;
use analysis::EventChoice;
use desktop::port::{BackendEvent, EventCatalogue, EventCounts, EventForm, EventKind};
use session::{EventData, EventRow, MARKER, PAGE_CLOCK, Record, StreamKind, Timeline, deleted_stream};
use store::{SessionFile, StoreError};
use study_query::read_events;

/// The largest number of targets and values that are offered per kind.
const OFFERED: usize = 60;
/// The largest number of distinct targets that are counted per kind. A page with generated names does not fill the memory.
const DISTINCT: usize = 5000;

pub enum EventCountCommand {
    List(Vec<PathBuf>),
    Count(Vec<EventForm>, Vec<PathBuf>),
}

/// Commands are numbered; a command that is not the newest of its kind is not worth finishing.
#[derive(Clone, Default)]
pub struct Newest {
    look: Arc<AtomicU64>,
    count: Arc<AtomicU64>,
}

impl Newest {
    pub fn number(&self, command: &EventCountCommand) -> u64 {
        self.of(command).fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The window closes: all commands are abandoned.
    pub fn abandon(&self) {
        self.look.fetch_add(1, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    fn of(&self, command: &EventCountCommand) -> &AtomicU64 {
        match command {
            EventCountCommand::List(_) => &self.look,
            EventCountCommand::Count(..) => &self.count,
        }
    }
}

impl QueuedCommand for (u64, EventCountCommand) {
    fn replaces(&self, older: &Self) -> bool {
        std::mem::discriminant(&self.1) == std::mem::discriminant(&older.1)
    }
}

pub fn start(
    commands: CommandQueue<(u64, EventCountCommand)>,
    newest: Newest,
    window: ToWindow,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("event_count_worker".into()).spawn(move || {
        for (number, command) in commands.each() {
            let is_wanted = || newest.of(&command).load(Ordering::Relaxed) == number;
            let update = match &command {
                EventCountCommand::List(folders) => catalogue(folders, &is_wanted).map(BackendEvent::EventCatalogue),
                EventCountCommand::Count(forms, folders) => {
                    matches(forms, folders, &is_wanted).map(BackendEvent::EventCounts)
                }
            };
            if let Some(update) = update {
                window.send(update);
            }
        }
    })
}

#[derive(Default)]
struct Kind {
    count: u64,
    targets: HashMap<String, u64>,
    values: HashMap<String, u64>,
}

/// `None`: a newer command has replaced this one.
fn catalogue(folders: &[PathBuf], is_wanted: &dyn Fn() -> bool) -> Option<EventCatalogue> {
    let mut kinds: HashMap<(String, String), Kind> = HashMap::new();
    let mut unread = Vec::new();
    for folder in folders {
        if !is_wanted() {
            return None;
        }
        if let Err(e) = list_events(folder, &mut kinds) {
            unread.push((rows::title(folder), e.to_string()));
        }
    }
    let mut kinds: Vec<EventKind> = kinds
        .into_iter()
        .map(|((stream, kind), found)| EventKind {
            stream,
            kind,
            count: found.count,
            targets: most_frequent(found.targets),
            values: most_frequent(found.values),
        })
        .collect();
    kinds.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.stream, &a.kind).cmp(&(&b.stream, &b.kind))));
    Some(EventCatalogue { kinds, unread })
}

fn list_events(folder: &Path, kinds: &mut HashMap<(String, String), Kind>) -> Result<(), StoreError> {
    let file = SessionFile::open(folder)?;
    // Measurements of the clock are not actions.
    let streams = file.streams().iter().filter(|s| s.kind == StreamKind::Events && s.name.as_str() != PAGE_CLOCK);
    let mut found = |row: &EventRow<EventData>| {
        let choice = EventChoice::like(row);
        let kind = kinds.entry((choice.stream.to_string(), row.what.kind.clone())).or_default();
        kind.count += 1;
        for (counted, name) in [(&mut kind.targets, choice.target), (&mut kind.values, choice.value)] {
            if let Some(name) = name.filter(|name| counted.len() < DISTINCT || counted.contains_key(name)) {
                *counted.entry(name).or_insert(0) += 1;
            }
        }
    };
    for stream in streams {
        if stream.name.as_str() == MARKER {
            // A timeline leaves out the markers that were taken back.
            let mut markers = Timeline::default();
            markers.declare(stream.clone());
            file.each_event(MARKER, None, |record| markers.ingest(&record))?;
            markers.events().iter().for_each(&mut found);
            continue;
        }
        file.each_event(stream.name.as_str(), None, |record| event(record).iter().for_each(&mut found))?;
    }
    let mut deleted = Timeline::default();
    read_events(&file, &EventChoice::stream(deleted_stream().name), &mut deleted)?;
    deleted.events().iter().for_each(found);
    Ok(())
}

fn event(record: Record) -> Option<EventRow<EventData>> {
    let Record { stream, seq, at, body } = record;
    match body {
        session::Body::Event { kind, data } => Some(EventRow { stream, seq, at, what: EventData { kind, data } }),
        _ => None,
    }
}

fn most_frequent(counted: HashMap<String, u64>) -> Vec<(String, u64)> {
    let mut counted: Vec<(String, u64)> = counted.into_iter().collect();
    counted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counted.truncate(OFFERED);
    counted
}

/// `None`: a newer command has replaced this one.
fn matches(forms: &[EventForm], folders: &[PathBuf], is_wanted: &dyn Fn() -> bool) -> Option<Vec<EventCounts>> {
    let mut all = Vec::new();
    for form in forms {
        let mut found = form.choice().map(|choice| (choice, Vec::new()));
        if form.is_empty() {
            found = Err(String::new());
        }
        if let Ok((choice, counts)) = &mut found {
            for folder in folders {
                if !is_wanted() {
                    return None;
                }
                // The catalogue and the query result name the sessions that cannot be read.
                if let Ok(n) = count(folder, choice) {
                    counts.push((folder.clone(), n));
                }
            }
        }
        all.push(EventCounts { events: form.clone(), found: found.map(|(_, counts)| counts) });
    }
    Some(all)
}

fn count(folder: &Path, choice: &EventChoice) -> Result<u64, String> {
    let file = SessionFile::open(folder).map_err(|e| e.to_string())?;
    let mut timeline = Timeline::default();
    file.declare_streams(&mut timeline);
    read_events(&file, choice, &mut timeline).map_err(|e| e.to_string())?;
    choice.count(&timeline).map(|n| n as u64).map_err(|e| e.to_string())
}
