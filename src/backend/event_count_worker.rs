//! The thread `event_count_worker`: looks through the events of a study's sessions, so that a form can offer them and say how
//! many it means. It reads events and never samples.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use super::command_queue::{CommandQueue, QueuedCommand};
use super::rows;
use super::to_window::ToWindow;
use analysis::EventChoice;
use desktop::port::{BackendEvent, EventCatalogue, EventCounts, EventForm, EventKind};
use session::Timeline;
use store::SessionFile;
use study_query::{Catalogue, CountedKind, Found, read_events};

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

/// `None`: a newer command has replaced this one.
fn catalogue(folders: &[PathBuf], is_wanted: &dyn Fn() -> bool) -> Option<EventCatalogue> {
    let mut events = Catalogue::default();
    for folder in folders {
        if !is_wanted() {
            return None;
        }
        events.add(folder);
    }
    let Found { kinds, conditions, signals, unread } = events.finish();
    let shown =
        |CountedKind { stream, kind, count, targets, values }| EventKind { stream, kind, count, targets, values };
    Some(EventCatalogue {
        kinds: kinds.into_iter().map(shown).collect(),
        conditions,
        signals,
        unread: unread.into_iter().map(|(folder, why)| (rows::title(&folder), why)).collect(),
    })
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
    if !choice.takes_condition(file.header().condition.as_deref()) {
        return Ok(0);
    }
    let mut timeline = Timeline::default();
    file.declare_streams(&mut timeline);
    read_events(&file, choice, &mut timeline).map_err(|e| e.to_string())?;
    choice.count(&timeline).map(|n| n as u64).map_err(|e| e.to_string())
}
