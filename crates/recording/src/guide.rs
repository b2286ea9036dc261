//! The thread `guide`: leads the participant through the phases that come before the study's page, and says on the
//! session's clock when each began and ended.

use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, after, bounded, select};
use serde_json::{Value, json};

use super::News;
use super::news::NewsSender;
use page::PageBeginner;
use session::{Clock, Phase, Study, Timestamp};
use store::StreamWriter;

/// What a participant is guided through; nothing by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guided {
    pub phases: Vec<Phase>,
    /// Shown below the cross.
    pub sentence: String,
}

impl Guided {
    pub fn of_study(study: &Study) -> Guided {
        Guided { phases: study.baseline_phases().cloned().collect(), sentence: study.baseline_sentence.clone() }
    }
}

/// What the router tells of the cross.
#[derive(Clone, Debug)]
pub(super) enum Cross {
    Shown(Timestamp),
    Failed(String),
}

/// Dropping it ends the phase in progress, and the thread.
pub(super) struct Guide {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Where the phases' records and news go.
pub(super) struct Told {
    pub clock: Clock,
    pub stream: StreamWriter,
    pub news: NewsSender,
}

pub(super) fn start(
    phases: Vec<Phase>,
    page: PageBeginner,
    cross: Receiver<Cross>,
    told: Told,
) -> std::io::Result<Guide> {
    let (stop, stopped) = bounded(0);
    let thread = std::thread::Builder::new().name("guide".into()).spawn(move || {
        if told.guide(&phases, &cross, &stopped) {
            page.begin();
        }
    })?;
    Ok(Guide { stop: Some(stop), thread: Some(thread) })
}

impl Drop for Guide {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _its_panic_was_printed = thread.join();
        }
    }
}

// The results of the stream writer are left alone on purpose: the store counts what it could not take, shows it and
// stores it as a gap. Nobody listens to news any more only when the rig is being stopped.
impl Told {
    /// Whether the page may begin; `false` where the recording was stopped before.
    fn guide(&self, phases: &[Phase], cross: &Receiver<Cross>, stopped: &Receiver<()>) -> bool {
        let mut begun = select! {
            recv(stopped) -> _ => return false,
            recv(cross) -> told => match told {
                Ok(Cross::Shown(at)) => at,
                Ok(Cross::Failed(why)) => {
                    // Without the cross there is no baseline, and the participant must not wait for it.
                    for phase in phases {
                        let mut data = data(phase);
                        data["why"] = Value::from(why.as_str());
                        let _ = self.stream.event(self.clock.now(), "skipped", data);
                    }
                    return true;
                }
                Err(_) => return false,
            },
        };
        for phase in phases {
            let length = Duration::try_from_secs_f64(phase.seconds).unwrap_or(Duration::MAX);
            let until = begun + length;
            let _ = self.stream.event(begun, "start", data(phase));
            self.news.tell(News::PhaseStarted { phase: phase.clone(), at: begun, until });
            let left = Duration::from_nanos(until.since_ns(self.clock.now()).max(0) as u64);
            let is_complete = select! {
                recv(stopped) -> _ => false,
                recv(after(left)) -> _ => true,
            };
            let ended = self.clock.now();
            let mut data = data(phase);
            data["is_complete"] = Value::from(is_complete);
            let _ = self.stream.event(ended, "end", data);
            self.news.tell(News::PhaseEnded { name: phase.name.clone() });
            if !is_complete {
                return false;
            }
            begun = ended;
        }
        true
    }
}

fn data(phase: &Phase) -> Value {
    json!({ "name": phase.name, "kind": phase.kind.as_str(), "seconds": phase.seconds })
}
