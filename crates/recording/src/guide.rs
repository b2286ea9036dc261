//! The thread `guide`: leads through the parts of a session that the program times or shows, and stores when each began and
//! ended.

use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, after, bounded, never, select};
use serde_json::{Value, json};

use super::RigEvent;
use super::rig_event::EventSender;
use page::PageStage;
use session::{Clock, Phase, QuestionnaireTime, Study, Timestamp};
use store::StreamWriter;

/// One part of a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A phase with the fixation cross.
    Baseline(Phase),
    /// A phase that the program times. The participant sees a calm screen, or nothing.
    Timed(Phase),
    /// A questionnaire: its number among those of the page, and its name.
    Questionnaire(usize, String),
    /// The study's page, until the page or the operator ends it.
    Page,
}

/// The parts of a recording that the program leads through; none by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guided {
    pub parts: Vec<Part>,
    /// Shown below the cross.
    pub sentence: String,
}

impl Guided {
    pub fn of_study(study: &Study) -> Guided {
        let questionnaires = |when: QuestionnaireTime| {
            let all = study.questionnaires.iter().enumerate().filter(move |(_, q)| q.when == when);
            all.map(|(number, q)| Part::Questionnaire(number, q.name.clone()))
        };
        let mut parts: Vec<Part> = study.baseline_phases().cloned().map(Part::Baseline).collect();
        parts.extend(questionnaires(QuestionnaireTime::Before));
        parts.extend(study.page.as_ref().map(|_| Part::Page));
        parts.extend(study.timed_phases().cloned().map(Part::Timed));
        parts.extend(questionnaires(QuestionnaireTime::After));
        Guided { parts, sentence: study.baseline_sentence.clone() }
    }

    /// Without a window, only the phases that the participant need not see are left.
    pub fn without_window(self) -> Guided {
        Guided { parts: self.parts.into_iter().filter(|part| matches!(part, Part::Timed(_))).collect(), ..self }
    }

    /// Whether the guide has something to do. A page alone is shown without a guide.
    pub(super) fn is_needed(&self) -> bool {
        self.parts.iter().any(|part| *part != Part::Page)
    }

    pub(super) fn begins_with_cross(&self) -> bool {
        matches!(self.parts.first(), Some(Part::Baseline(_)))
    }

    pub(super) fn first_questionnaire(&self) -> Option<usize> {
        match self.parts.first() {
            Some(Part::Questionnaire(number, _)) => Some(*number),
            _ => None,
        }
    }
}

/// What the participant's window reports, from the router.
#[derive(Clone, Debug)]
pub(super) enum WindowEvent {
    CrossShown(Timestamp),
    /// The questionnaire with this number was answered.
    Answered(usize),
    /// The study's page is over.
    PageDone,
    Failed(String),
}

/// Dropping it ends the current part and the thread.
pub(super) struct Guide {
    stop: Option<Sender<()>>,
    next: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Guide {
    /// Ends the current part and goes on with the next one.
    pub(super) fn go_on(&self) {
        // A full channel means that the same request waits already.
        self.next.try_send(()).ok();
    }
}

/// Where the guide sends records and events.
pub(super) struct GuideOutput {
    pub clock: Clock,
    pub phases: StreamWriter,
    pub questionnaires: StreamWriter,
    pub events: EventSender,
    /// `None`: the participant has no window.
    pub stage: Option<PageStage>,
}

pub(super) fn start(guided: Guided, window: Receiver<WindowEvent>, output: GuideOutput) -> std::io::Result<Guide> {
    let (stop, stopped) = bounded(0);
    let (next, wanted) = bounded(1);
    let course = Course { output, window, stopped, wanted };
    let thread = std::thread::Builder::new().name("guide".into()).spawn(move || course.run(&guided))?;
    Ok(Guide { stop: Some(stop), next, thread: Some(thread) })
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

/// Why a part ended.
#[derive(PartialEq)]
enum End {
    /// Its time is over, or the participant finished it.
    Complete,
    ByOperator,
    Failed(String),
    /// The recording was stopped.
    Stopped,
}

struct Course {
    output: GuideOutput,
    window: Receiver<WindowEvent>,
    stopped: Receiver<()>,
    wanted: Receiver<()>,
}

// The results of the stream writers are ignored: the recorder counts each record that it could not take, reports it and
// stores a gap.
impl Course {
    fn run(self, guided: &Guided) {
        // The end of one phase is the beginning of the next.
        let mut begun = None;
        if guided.begins_with_cross() {
            match self.wait_for_cross() {
                Ok(at) => begun = Some(at),
                Err(End::Failed(why)) => {
                    // Without the cross there is no baseline. The session goes on at once.
                    for part in &guided.parts {
                        if let Part::Baseline(phase) = part {
                            self.skip(phase, &why);
                        }
                    }
                }
                Err(_) => return,
            }
        }
        for (k, part) in guided.parts.iter().enumerate() {
            let is_last = k + 1 == guided.parts.len();
            let end = match part {
                Part::Baseline(_) if begun.is_none() => continue,
                Part::Baseline(phase) => self.phase(phase, &mut begun),
                Part::Timed(phase) => {
                    self.show(PageStage::calm);
                    self.phase(phase, &mut begun)
                }
                Part::Questionnaire(number, name) => {
                    begun = None;
                    self.questionnaire(*number, name)
                }
                Part::Page => {
                    begun = None;
                    self.show(PageStage::begin);
                    self.output.events.send(RigEvent::PartStarted { name: "page".into(), is_last });
                    // The operator stops the recording at the page's end if nothing follows.
                    if is_last { return } else { self.wait(never(), |event| matches!(event, WindowEvent::PageDone)) }
                }
            };
            if end == End::Stopped {
                return;
            }
        }
        self.show(PageStage::calm);
        self.output.events.send(RigEvent::PartsOver);
    }

    fn show(&self, what: impl FnOnce(&PageStage)) {
        if let Some(stage) = &self.output.stage {
            what(stage);
        }
    }

    fn wait_for_cross(&self) -> Result<Timestamp, End> {
        loop {
            select! {
                recv(self.stopped) -> _ => return Err(End::Stopped),
                recv(self.window) -> event => match event {
                    Ok(WindowEvent::CrossShown(at)) => return Ok(at),
                    Ok(WindowEvent::Failed(why)) => return Err(End::Failed(why)),
                    Ok(WindowEvent::Answered(_) | WindowEvent::PageDone) => {}
                    Err(_) => return Err(End::Stopped),
                },
            }
        }
    }

    /// Waits until the time is over, the awaited event comes, the operator goes on, or the recording stops.
    fn wait(&self, over: Receiver<std::time::Instant>, is_end: impl Fn(&WindowEvent) -> bool) -> End {
        let mut window = self.window.clone();
        loop {
            select! {
                recv(self.stopped) -> _ => return End::Stopped,
                recv(self.wanted) -> _ => return End::ByOperator,
                recv(over) -> _ => return End::Complete,
                recv(window) -> event => match event {
                    Ok(event) if is_end(&event) => return match event {
                        WindowEvent::Failed(why) => End::Failed(why),
                        _ => End::Complete,
                    },
                    Ok(_) => {}
                    // The window has ended. A timed phase goes on.
                    Err(_) => window = never(),
                },
            }
        }
    }

    fn skip(&self, phase: &Phase, why: &str) {
        let mut data = data(phase);
        data["why"] = Value::from(why);
        self.output.phases.event(self.output.clock.now(), "skipped", data).ok();
    }

    fn phase(&self, phase: &Phase, begun: &mut Option<Timestamp>) -> End {
        let o = &self.output;
        let at = begun.unwrap_or_else(|| o.clock.now());
        let length = Duration::try_from_secs_f64(phase.seconds).unwrap_or(Duration::MAX);
        let until = at + length;
        o.phases.event(at, "start", data(phase)).ok();
        o.events.send(RigEvent::PhaseStarted { phase: phase.clone(), at, until });
        let left = Duration::from_nanos(until.since_ns(o.clock.now()).max(0) as u64);
        let end = self.wait(after(left), |_| false);
        let ended = o.clock.now();
        let mut data = data(phase);
        data["is_complete"] = Value::from(end == End::Complete);
        if end == End::ByOperator {
            data["ended_by"] = Value::from("operator");
        }
        o.phases.event(ended, "end", data).ok();
        o.events.send(RigEvent::PhaseEnded { name: phase.name.clone() });
        *begun = Some(ended);
        end
    }

    fn questionnaire(&self, number: usize, name: &str) -> End {
        let o = &self.output;
        self.show(|stage| stage.show_questionnaire(number));
        o.events.send(RigEvent::PartStarted { name: name.to_owned(), is_last: false });
        let end = self.wait(never(), |event| match event {
            WindowEvent::Answered(answered) => *answered == number,
            WindowEvent::Failed(_) => true,
            WindowEvent::CrossShown(_) | WindowEvent::PageDone => false,
        });
        let why = match &end {
            End::Complete | End::Stopped => None,
            End::ByOperator => Some("the operator went on"),
            End::Failed(why) => Some(why.as_str()),
        };
        if let Some(why) = why {
            let data = json!({ "questionnaire": name, "why": why });
            o.questionnaires.event(o.clock.now(), "skipped", data).ok();
        }
        end
    }
}

fn data(phase: &Phase) -> Value {
    json!({ "name": phase.name, "kind": phase.kind.as_str(), "seconds": phase.seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guided(text: &str) -> Guided {
        Guided::of_study(&Study::parse(&format!("name = \"a\"\ntitle = \"A\"\n{text}")).unwrap())
    }

    #[test]
    fn the_parts_of_a_session_are_in_order() {
        let questionnaire = |name: &str, when: &str| {
            format!("[[questionnaires]]\nname = \"{name}\"\nkind = \"manikins\"\nwhen = \"{when}\"\n")
        };
        let phases =
            "[[phases]]\nname = \"rest\"\nseconds = 5\nkind = \"baseline\"\n[[phases]]\nname = \"talk\"\nseconds = 9\n";
        let asked = questionnaire("late", "after") + &questionnaire("early", "before");
        let names = |guided: &Guided| -> Vec<String> {
            let name = |part: &Part| match part {
                Part::Baseline(p) | Part::Timed(p) => p.name.clone(),
                Part::Questionnaire(number, name) => format!("{number} {name}"),
                Part::Page => "page".into(),
            };
            guided.parts.iter().map(name).collect()
        };
        let with_page = guided(&format!("{phases}{asked}[page]\naddress = \"p\"\n"));
        assert_eq!(names(&with_page), ["rest", "1 early", "page", "0 late"]);
        assert!(with_page.begins_with_cross() && with_page.is_needed());
        let talk = guided(&format!("{phases}{asked}"));
        assert_eq!(names(&talk), ["rest", "1 early", "talk", "0 late"]);
        assert_eq!(names(&talk.without_window()), ["talk"]);
        let early = guided(&questionnaire("early", "before"));
        assert_eq!(early.first_questionnaire(), Some(0));
        assert!(!guided("[page]\naddress = \"p\"\n").is_needed(), "the page is shown at once");
    }
}
