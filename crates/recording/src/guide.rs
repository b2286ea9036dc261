//! The thread `guide`: runs the phases before the study's page and stores when each began and ended.

use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, after, bounded, select};
use serde_json::{Value, json};

use super::RigEvent;
use super::rig_event::EventSender;
use page::PageBeginner;
use session::{Clock, Phase, Study, Timestamp};
use store::StreamWriter;

/// The guided phases of a recording; none by default.
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

/// Events of the fixation cross, from the router.
#[derive(Clone, Debug)]
pub(super) enum CrossEvent {
    Shown(Timestamp),
    Failed(String),
}

/// Dropping it ends the current phase and the thread.
pub(super) struct Guide {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Where the guide sends records and events.
pub(super) struct GuideOutput {
    pub clock: Clock,
    pub stream: StreamWriter,
    pub events: EventSender,
}

pub(super) fn start(
    phases: Vec<Phase>,
    page: PageBeginner,
    cross: Receiver<CrossEvent>,
    output: GuideOutput,
) -> std::io::Result<Guide> {
    let (stop, stopped) = bounded(0);
    let thread = std::thread::Builder::new().name("guide".into()).spawn(move || {
        if output.guide(&phases, &cross, &stopped) {
            page.begin();
        }
    })?;
    Ok(Guide { stop: Some(stop), thread: Some(thread) })
}

impl Drop for Guide {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // The panic handler has reported a panic of the thread.
            thread.join().ok();
        }
    }
}

// The results of the stream writer are ignored: the recorder counts each record that it could not take, reports it and
// stores a gap.
impl GuideOutput {
    /// Returns whether the page may begin; `false` if the recording was stopped before.
    fn guide(&self, phases: &[Phase], cross: &Receiver<CrossEvent>, stopped: &Receiver<()>) -> bool {
        let mut begun = select! {
            recv(stopped) -> _ => return false,
            recv(cross) -> output => match output {
                Ok(CrossEvent::Shown(at)) => at,
                Ok(CrossEvent::Failed(why)) => {
                    // Without the cross there is no baseline. The page begins at once.
                    for phase in phases {
                        let mut data = data(phase);
                        data["why"] = Value::from(why.as_str());
                        self.stream.event(self.clock.now(), "skipped", data).ok();
                    }
                    return true;
                }
                Err(_) => return false,
            },
        };
        for phase in phases {
            let length = Duration::try_from_secs_f64(phase.seconds).unwrap_or(Duration::MAX);
            let until = begun + length;
            self.stream.event(begun, "start", data(phase)).ok();
            self.events.send(RigEvent::PhaseStarted { phase: phase.clone(), at: begun, until });
            let left = Duration::from_nanos(until.since_ns(self.clock.now()).max(0) as u64);
            let is_complete = select! {
                recv(stopped) -> _ => false,
                recv(after(left)) -> _ => true,
            };
            let ended = self.clock.now();
            let mut data = data(phase);
            data["is_complete"] = Value::from(is_complete);
            self.stream.event(ended, "end", data).ok();
            self.events.send(RigEvent::PhaseEnded { name: phase.name.clone() });
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
