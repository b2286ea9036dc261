//! The thread `guide`: leads through the parts of a session that the program times or shows, and stores when each began and
//! ended.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, after, bounded, never, select};
use serde_json::{Value, json};

use super::RigEvent;
use super::rig_event::EventSender;
use page::{is_fixation, questionnaire_number};
use session::{Clock, PHASE, Phase, PhaseKind, QUESTIONNAIRE, QuestionnaireTime, Study, Timestamp};

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

    /// Whether the guide has something to do.
    pub(super) fn is_needed(&self) -> bool {
        !self.parts.is_empty()
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

/// What the router reports of the participant's screen.
#[derive(Clone, Debug)]
pub(super) enum ScreenEvent {
    /// The participant sees the cross.
    CrossShown(Timestamp),
    /// The questionnaire with this number was answered.
    Answered(usize),
    /// The study's page is over.
    PageDone,
    /// A page did not load. An empty `url`: the whole window failed.
    Failed { url: String, why: String },
    /// A process of the window died. It does not come back by itself.
    Died(Timestamp),
}

/// What the window is to show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shown {
    Page,
    Questionnaire(usize),
    Calm,
    /// The study's last sentence.
    Closing,
}

/// Requests that the guide has not read. It reads them within milliseconds.
const REQUESTS: usize = 64;

/// A request of the operator.
#[derive(Clone, Copy, Debug)]
enum Request {
    /// Ends the part with this number.
    GoOn(usize),
    Pause(Timestamp, bool),
}

/// Dropping it ends the current part and the thread.
pub(super) struct Guide {
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Guide {
    /// Ends the part with this number and goes on with the next one. Does nothing if the part is over.
    pub(super) fn go_on(&self, part: usize) {
        self.request(Request::GoOn(part));
    }

    /// Stops the time of the phases, or lets it run on.
    pub(super) fn pause(&self, at: Timestamp, is_paused: bool) {
        self.request(Request::Pause(at, is_paused));
    }

    fn request(&self, request: Request) {
        // If the channel is disconnected, all parts are over.
        if self.requests.as_ref().is_some_and(|to| to.try_send(request).is_err_and(|e| e.is_full())) {
            tracing::error!("the thread `guide` hangs: {request:?} was lost. Stop the recording and report this");
        }
    }
}

/// Stores an event: its stream, time, kind and data.
pub(super) type StoreEvent = Box<dyn Fn(&str, Timestamp, &str, Value) + Send>;

/// Where the guide sends records and events.
pub(super) struct GuideOutput {
    pub clock: Clock,
    pub store: StoreEvent,
    pub events: EventSender,
    /// Does nothing if the participant has no window.
    pub show: Box<dyn Fn(Shown) + Send>,
}

pub(super) fn start(guided: Guided, window: Receiver<ScreenEvent>, output: GuideOutput) -> std::io::Result<Guide> {
    let (to, requests) = bounded(REQUESTS);
    let course = Course { output, window, requests, is_paused: false };
    let thread = std::thread::Builder::new().name("guide".into()).spawn(move || course.run(&guided))?;
    Ok(Guide { requests: Some(to), thread: Some(thread) })
}

impl Drop for Guide {
    fn drop(&mut self) {
        self.requests = None;
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

impl End {
    /// Why what was planned was left out, if it was.
    fn why_skipped(&self) -> Option<&str> {
        match self {
            End::Complete | End::Stopped => None,
            End::ByOperator => Some("the operator went on"),
            End::Failed(why) => Some(why),
        }
    }
}

/// What happens while a part runs.
enum GuideEvent {
    End(End),
    /// A pause begins or ends.
    Pause(Timestamp),
    Window(ScreenEvent),
}

/// The time of a phase. It stands still in a pause, and while a baseline has no cross.
struct PhaseTime {
    began: Timestamp,
    until: Timestamp,
    stands_since: Option<Timestamp>,
    stood: Duration,
}

impl PhaseTime {
    fn new(began: Timestamp, length: Duration) -> PhaseTime {
        PhaseTime { began, until: began + length, stands_since: None, stood: Duration::ZERO }
    }

    /// Returns whether this changes something.
    fn stand_still(&mut self, at: Timestamp, stands: bool) -> bool {
        let is_changed = self.stands_since.is_some() != stands;
        if is_changed {
            let stood = self.stood_since(at);
            (self.until, self.stood) = (self.until + stood, self.stood + stood);
            // The request may be older than the phase.
            self.stands_since = stands.then_some(at.max(self.began));
        }
        is_changed
    }

    fn stood_since(&self, now: Timestamp) -> Duration {
        self.stands_since.map_or(Duration::ZERO, |since| Duration::from_nanos(now.since_ns(since).max(0) as u64))
    }

    /// `None`: it stands still.
    fn until(&self) -> Option<Timestamp> {
        Some(self.until).filter(|_| self.stands_since.is_none())
    }

    fn over(&self, now: Timestamp) -> Receiver<Instant> {
        let left = |until: Timestamp| Duration::from_nanos(until.since_ns(now).max(0) as u64);
        self.until().map_or_else(never, |until| after(left(until)))
    }
}

struct Course {
    output: GuideOutput,
    window: Receiver<ScreenEvent>,
    requests: Receiver<Request>,
    /// By the operator. A part that begins in a pause stands still at once.
    is_paused: bool,
}

impl Course {
    fn run(mut self, guided: &Guided) {
        // The end of one phase is the beginning of the next.
        let mut begun = None;
        if guided.begins_with_cross() {
            match self.wait_for_cross() {
                Ok(at) => begun = Some(at),
                Err(End::Stopped) => return,
                // Without the cross there is no baseline. The session goes on at once.
                Err(end) => self.skip_baseline(guided, end.why_skipped().unwrap_or_default()),
            }
        }
        for (number, part) in guided.parts.iter().enumerate() {
            let is_last = number + 1 == guided.parts.len();
            // The window began with the first part.
            let is_shown = number == 0;
            let end = match part {
                Part::Baseline(_) if begun.is_none() => continue,
                Part::Baseline(phase) => self.phase(number, phase, &mut begun),
                Part::Timed(phase) => {
                    self.show(is_shown, Shown::Calm);
                    self.phase(number, phase, &mut begun)
                }
                Part::Questionnaire(questionnaire, name) => {
                    begun = None;
                    self.show(is_shown, Shown::Questionnaire(*questionnaire));
                    self.questionnaire(number, *questionnaire, name)
                }
                Part::Page => {
                    begun = None;
                    self.show(is_shown, Shown::Page);
                    self.output.events.send(RigEvent::PartStarted { number, name: "page".into(), is_last });
                    self.page(number)
                }
            };
            if end == End::Stopped {
                return;
            }
        }
        self.show(false, Shown::Closing);
        self.output.events.send(RigEvent::PartsOver);
    }

    fn show(&self, is_shown: bool, what: Shown) {
        if !is_shown {
            (self.output.show)(what);
        }
    }

    /// Waits for the next happening that concerns this part.
    fn next(&mut self, part: usize, over: &Receiver<Instant>) -> GuideEvent {
        loop {
            select! {
                recv(over) -> _ => return GuideEvent::End(End::Complete),
                recv(self.requests) -> request => match request {
                    Ok(Request::GoOn(number)) if number == part => return GuideEvent::End(End::ByOperator),
                    // Pressed twice, or in the moment in which the part ended by itself.
                    Ok(Request::GoOn(_)) => {}
                    Ok(Request::Pause(at, is_paused)) => {
                        self.is_paused = is_paused;
                        return GuideEvent::Pause(at);
                    }
                    Err(_) => return GuideEvent::End(End::Stopped),
                },
                recv(self.window) -> event => match event {
                    Ok(event) => return GuideEvent::Window(event),
                    // The window has ended. A timed phase goes on.
                    Err(_) => self.window = never(),
                },
            }
        }
    }

    /// Waits until an event of the window ends the part, the operator goes on, or the recording stops.
    fn wait(&mut self, part: usize, end: impl Fn(ScreenEvent) -> Option<End>) -> End {
        loop {
            let ended = match self.next(part, &never()) {
                GuideEvent::End(end) => Some(end),
                GuideEvent::Window(event) => end(event),
                GuideEvent::Pause(_) => None,
            };
            if let Some(ended) = ended {
                return ended;
            }
        }
    }

    fn wait_for_cross(&mut self) -> Result<Timestamp, End> {
        let name = "waiting for the cross".to_owned();
        self.output.events.send(RigEvent::PartStarted { number: 0, name, is_last: false });
        let mut shown = None;
        let end = loop {
            match self.next(0, &never()) {
                GuideEvent::End(end) => break end,
                GuideEvent::Window(ScreenEvent::CrossShown(at)) => {
                    shown = Some(at);
                    break End::Complete;
                }
                GuideEvent::Window(ScreenEvent::Failed { url, why }) if url.is_empty() || is_fixation(&url) => {
                    break End::Failed(why);
                }
                GuideEvent::Window(_) | GuideEvent::Pause(_) => {}
            }
        };
        shown.ok_or(end)
    }

    fn skip_baseline(&self, guided: &Guided, why: &str) {
        for part in &guided.parts {
            if let Part::Baseline(phase) = part {
                let mut data = data(phase);
                data["why"] = Value::from(why);
                (self.output.store)(PHASE, self.output.clock.now(), "skipped", data);
            }
        }
    }

    fn phase(&mut self, number: usize, phase: &Phase, begun: &mut Option<Timestamp>) -> End {
        let at = begun.unwrap_or_else(|| self.output.clock.now());
        let mut time = PhaseTime::new(at, Duration::try_from_secs_f64(phase.seconds).unwrap_or(Duration::MAX));
        (self.output.store)(PHASE, at, "start", data(phase));
        self.output.events.send(RigEvent::PhaseStarted { number, phase: phase.clone(), at, until: time.until });
        let end = self.run_phase(number, phase, &mut time);
        let ended = self.output.clock.now();
        let mut data = data(phase);
        data["is_complete"] = Value::from(end == End::Complete);
        if end == End::ByOperator {
            data["ended_by"] = Value::from("operator");
        }
        time.stand_still(ended, false);
        if !time.stood.is_zero() {
            data["paused_s"] = Value::from(time.stood.as_secs_f64());
        }
        (self.output.store)(PHASE, ended, "end", data);
        self.output.events.send(RigEvent::PhaseEnded { name: phase.name.clone() });
        *begun = Some(ended);
        end
    }

    fn run_phase(&mut self, number: usize, phase: &Phase, time: &mut PhaseTime) -> End {
        let mut is_cross_gone = false;
        let mut at = time.began;
        loop {
            if time.stand_still(at, self.is_paused || is_cross_gone) {
                let (phase, until) = (phase.clone(), time.until());
                self.output.events.send(RigEvent::PhaseMoved { number, phase, until });
            }
            at = match self.next(number, &time.over(self.output.clock.now())) {
                GuideEvent::End(end) => return end,
                GuideEvent::Pause(at) => at,
                GuideEvent::Window(ScreenEvent::CrossShown(at)) => {
                    is_cross_gone = false;
                    at
                }
                GuideEvent::Window(ScreenEvent::Died(at)) => {
                    is_cross_gone = phase.kind == PhaseKind::Baseline;
                    at
                }
                GuideEvent::Window(_) => self.output.clock.now(),
            };
        }
    }

    fn page(&mut self, number: usize) -> End {
        self.wait(number, |event| matches!(event, ScreenEvent::PageDone).then_some(End::Complete))
    }

    fn questionnaire(&mut self, number: usize, questionnaire: usize, name: &str) -> End {
        self.output.events.send(RigEvent::PartStarted { number, name: name.to_owned(), is_last: false });
        let end = self.wait(number, |event| match event {
            ScreenEvent::Answered(answered) if answered == questionnaire => Some(End::Complete),
            // A late failure of the page before it is none of the questionnaire.
            ScreenEvent::Failed { url, why } if url.is_empty() || questionnaire_number(&url) == Some(questionnaire) => {
                Some(End::Failed(why))
            }
            _ => None,
        });
        if let Some(why) = end.why_skipped() {
            let data = json!({ "questionnaire": name, "why": why });
            (self.output.store)(QUESTIONNAIRE, self.output.clock.now(), "skipped", data);
        }
        end
    }
}

fn data(phase: &Phase) -> Value {
    json!({ "name": phase.name, "kind": phase.kind.as_str(), "seconds": phase.seconds })
}

#[cfg(test)]
mod tests {
    use super::super::rig_event::event_channel;
    use super::*;

    fn guided(text: &str) -> Guided {
        Guided::of_study(&Study::parse(&format!("name = \"a\"\ntitle = \"A\"\n{text}")).unwrap())
    }

    #[test]
    fn the_parts_of_a_session_are_in_order() {
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
        assert!(!Guided::default().is_needed(), "a rehearsal");
    }

    /// What the guide did.
    #[derive(Debug, PartialEq)]
    enum Did {
        Showed(Shown),
        /// Kind, name or questionnaire, and data.
        Stored(String, String, Value),
    }

    /// A guide with everything around it.
    struct Play {
        guide: Guide,
        window: Sender<ScreenEvent>,
        events: Receiver<RigEvent>,
        did: Receiver<Did>,
        clock: Clock,
    }

    impl Play {
        fn new(text: &str) -> Play {
            let clock = Clock::start();
            let (to_guide, window) = bounded(16);
            let (to, did) = bounded(64);
            let stored = to.clone();
            let (sender, events) = event_channel();
            let output = GuideOutput {
                clock,
                store: Box::new(move |_, _, kind, data| {
                    let name = data.get("name").or(data.get("questionnaire")).unwrap().as_str().unwrap().to_owned();
                    stored.send(Did::Stored(kind.to_owned(), name, data)).unwrap();
                }),
                events: sender,
                show: Box::new(move |what| to.send(Did::Showed(what)).unwrap()),
            };
            Play { guide: start(guided(text), window, output).unwrap(), window: to_guide, events, did, clock }
        }

        fn next(&self) -> RigEvent {
            self.events.recv_timeout(Duration::from_secs(20)).expect("an event of the guide")
        }

        /// The number of the next part, which must have this name.
        fn part(&self, name: &str) -> usize {
            match self.next() {
                RigEvent::PartStarted { number, name: part, .. } if part == name => number,
                RigEvent::PhaseStarted { number, phase, .. } if phase.name == name => number,
                other => panic!("{name} was to begin, and this happened: {other:?}"),
            }
        }

        fn say(&self, event: ScreenEvent) {
            self.window.send(event).unwrap();
        }

        fn failed(&self, url: &str) {
            self.say(ScreenEvent::Failed { url: url.to_owned(), why: "it failed".to_owned() });
        }

        fn showed(&self) -> Vec<Shown> {
            self.did.try_iter().filter_map(|did| if let Did::Showed(what) = did { Some(what) } else { None }).collect()
        }

        fn stored(&self, kind: &str) -> Vec<(String, Value)> {
            let of = |did| match did {
                Did::Stored(stored, name, data) if stored == kind => Some((name, data)),
                _ => None,
            };
            self.did.try_iter().filter_map(of).collect()
        }

        fn is_quiet(&self) -> bool {
            self.events.recv_timeout(Duration::from_millis(150)).is_err()
        }
    }

    const PAGE: &str = "[page]\naddress = \"p\"\n";

    fn questionnaire(name: &str, when: &str) -> String {
        format!("[[questionnaires]]\nname = \"{name}\"\nkind = \"manikins\"\nwhen = \"{when}\"\n")
    }

    fn phase(name: &str, kind: &str, seconds: f64) -> String {
        format!("[[phases]]\nname = \"{name}\"\nkind = \"{kind}\"\nseconds = {seconds}\n")
    }

    #[test]
    fn the_window_is_not_asked_for_the_part_with_which_it_began() {
        let play = Play::new(&format!("{PAGE}{}", questionnaire("late", "after")));
        play.part("page");
        assert_eq!(play.showed(), [], "the page is loaded already");
        play.say(ScreenEvent::PageDone);
        play.part("late");
        assert_eq!(play.showed(), [Shown::Questionnaire(0)]);
        play.say(ScreenEvent::Answered(0));
        assert!(matches!(play.next(), RigEvent::PartsOver));
        assert_eq!(play.showed(), [Shown::Closing]);

        let play = Play::new(&format!("{PAGE}{}", questionnaire("early", "before")));
        play.part("early");
        assert_eq!(play.showed(), []);
        play.say(ScreenEvent::Answered(0));
        play.part("page");
        assert_eq!(play.showed(), [Shown::Page]);
    }

    #[test]
    fn the_end_of_the_last_page_shows_the_closing_screen() {
        let play = Play::new(PAGE);
        let RigEvent::PartStarted { is_last: true, .. } = play.next() else { panic!("it is the last part") };
        assert!(play.is_quiet() && play.showed().is_empty(), "the page has the time that it needs");
        play.say(ScreenEvent::PageDone);
        assert!(matches!(play.next(), RigEvent::PartsOver));
        assert_eq!(play.showed(), [Shown::Closing]);
    }

    #[test]
    fn a_second_press_of_go_on_skips_nothing() {
        let asked = questionnaire("one", "after") + &questionnaire("two", "after");
        let play = Play::new(&format!("{PAGE}{asked}"));
        let page = play.part("page");
        play.guide.go_on(page);
        play.guide.go_on(page);
        let one = play.part("one");
        assert!(play.is_quiet(), "the questionnaire waits for its answers");
        play.say(ScreenEvent::Answered(0));
        play.part("two");
        play.guide.go_on(one);
        assert!(play.is_quiet());
        assert_eq!(play.stored("skipped"), []);
    }

    #[test]
    fn a_pause_stops_the_time_of_a_phase() {
        let play = Play::new(&phase("talk", "task", 2.0));
        play.part("talk");
        play.guide.pause(play.clock.now(), true);
        assert!(matches!(play.next(), RigEvent::PhaseMoved { number: 0, until: None, .. }));
        std::thread::sleep(Duration::from_millis(2300));
        assert!(play.is_quiet(), "the phase does not end in the pause");
        let resumed = play.clock.now();
        play.guide.pause(resumed, false);
        let RigEvent::PhaseMoved { until: Some(until), .. } = play.next() else { panic!("it goes on") };
        assert!((0..=2_000_000_000).contains(&until.since_ns(resumed)), "{until:?} after {resumed:?}");
        assert!(matches!(play.next(), RigEvent::PhaseEnded { .. }));
        let ended = play.stored("end");
        assert_eq!((&ended[0].0, &ended[0].1["is_complete"]), (&"talk".to_owned(), &true.into()));
        assert!(ended[0].1["paused_s"].as_f64().unwrap() >= 2.3, "{ended:?}");
    }

    #[test]
    fn a_phase_that_begins_in_a_pause_stands_still_at_once() {
        let play = Play::new(&(phase("talk", "task", 60.0) + &phase("rest", "task", 60.0)));
        let talk = play.part("talk");
        play.guide.pause(play.clock.now(), true);
        assert!(matches!(play.next(), RigEvent::PhaseMoved { number: 0, until: None, .. }));
        play.guide.go_on(talk);
        assert!(matches!(play.next(), RigEvent::PhaseEnded { .. }));
        play.part("rest");
        assert!(matches!(play.next(), RigEvent::PhaseMoved { number: 1, until: None, .. }));
    }

    #[test]
    fn a_baseline_without_its_cross_stands_still() {
        let play = Play::new(&(phase("rest", "baseline", 2.0) + PAGE));
        play.part("waiting for the cross");
        let shown = play.clock.now();
        play.say(ScreenEvent::CrossShown(shown));
        let RigEvent::PhaseStarted { at, .. } = play.next() else { panic!("no baseline") };
        assert_eq!(at, shown);
        play.say(ScreenEvent::Died(play.clock.now()));
        assert!(matches!(play.next(), RigEvent::PhaseMoved { until: None, .. }));
        std::thread::sleep(Duration::from_millis(2300));
        assert!(play.is_quiet(), "the page does not follow behind the waiting screen");
        assert_eq!(play.showed(), []);
        play.say(ScreenEvent::CrossShown(play.clock.now()));
        assert!(matches!(play.next(), RigEvent::PhaseMoved { until: Some(_), .. }));
        assert!(matches!(play.next(), RigEvent::PhaseEnded { .. }));
        play.part("page");
        assert_eq!(play.showed(), [Shown::Page]);
    }

    #[test]
    fn a_cross_that_does_not_come_can_be_passed() {
        let study = phase("rest", "baseline", 60.0) + PAGE + &questionnaire("late", "after");
        let play = Play::new(&study);
        let cross = play.part("waiting for the cross");
        play.failed("https://example.org/");
        play.guide.go_on(cross);
        play.part("page");
        let skipped = play.stored("skipped");
        assert_eq!((&skipped[0].0, &skipped[0].1["why"]), (&"rest".to_owned(), &"the operator went on".into()));
    }

    #[test]
    fn only_its_own_failure_skips_a_questionnaire() {
        let asked = questionnaire("one", "before") + &questionnaire("two", "before");
        let play = Play::new(&asked);
        play.part("one");
        play.failed("https://example.org/");
        play.failed("host://localhost/questionnaire/1");
        assert!(play.is_quiet());
        play.failed("host://localhost/questionnaire/0");
        play.part("two");
        // The whole window.
        play.failed("");
        assert!(matches!(play.next(), RigEvent::PartsOver));
        let skipped: Vec<_> = play.stored("skipped").into_iter().map(|(name, _)| name).collect();
        assert_eq!(skipped, ["one", "two"]);
    }

    #[test]
    fn the_end_of_the_recording_ends_a_phase() {
        let Play { guide, did, .. } = Play::new(&phase("talk", "task", 600.0));
        drop(guide);
        let end = did.try_iter().find(|did| matches!(did, Did::Stored(kind, ..) if kind == "end"));
        assert!(matches!(end, Some(Did::Stored(_, _, data)) if data["is_complete"] == false));
    }
}
