//! The timers of the phases: which phase runs by the plan, how much of it has passed, and which follows. A pause stops
//! them. The page times its tasks itself, so the plan informs and decides nothing.

use session::{Body, HEALTH, HealthKind, PHASE, Phase, PhaseKind, Record, Timestamp};

/// What the timers need to know about the recording. Updated when records arrive.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhaseClock {
    /// Whether a guided phase has begun, and the end of the last one.
    baseline_began: bool,
    baseline_ended: Option<Timestamp>,
    /// The tasks that the program has timed itself, which it does without a page.
    tasks_begun: usize,
    tasks_ended: usize,
    paused_since: Option<Timestamp>,
    /// Of all pauses after the baseline that have ended.
    paused_ns: i64,
}

/// The present phase.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseTimes<'a> {
    pub name: &'a str,
    pub elapsed_s: f64,
    pub left_s: f64,
    pub next: Option<&'a str>,
}

impl PhaseClock {
    pub fn read(&mut self, records: &[Record]) {
        for record in records {
            let Body::Event { kind, data } = &record.body else { continue };
            let is_task = data.get("kind").and_then(|k| k.as_str()) == Some(PhaseKind::Task.as_str());
            match (record.stream.as_str(), kind.as_str()) {
                (PHASE, "start") if is_task => self.tasks_begun += 1,
                (PHASE, "end" | "skipped") if is_task => self.tasks_ended += 1,
                (PHASE, "start") => self.baseline_began = true,
                // The pauses before belong to the baseline, which stood still in them.
                (PHASE, "end" | "skipped") => (self.baseline_ended, self.paused_ns) = (Some(record.at), 0),
                (HEALTH, kind) => match HealthKind::from_stored(kind) {
                    Some(HealthKind::Paused) => self.paused_since = self.paused_since.or(Some(record.at)),
                    Some(HealthKind::Resumed) => {
                        self.paused_ns = self.paused_ns(record.at);
                        self.paused_since = None;
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }

    pub fn is_paused(&self) -> bool {
        self.paused_since.is_some()
    }

    pub fn paused_since(&self) -> Option<Timestamp> {
        self.paused_since
    }

    /// The time that pauses have taken since the end of the baseline.
    fn paused_ns(&self, now: Timestamp) -> i64 {
        let since = self.paused_since.map(|since| self.baseline_ended.map_or(since, |ended| since.max(ended)));
        self.paused_ns + since.map_or(0, |since| now.since_ns(since).max(0))
    }

    /// The task that runs by the plan. `None`: the study has no task, or the baseline runs, or all tasks are over, or the
    /// program times them, which has a countdown of its own.
    pub fn task<'a>(&self, phases: &'a [Phase], started: Timestamp, now: Timestamp) -> Option<PhaseTimes<'a>> {
        if self.tasks_begun > 0 {
            return None;
        }
        let has_baseline = phases.iter().any(|p| p.kind == PhaseKind::Baseline);
        let begin = match self.baseline_ended {
            Some(at) => at,
            None if has_baseline && self.baseline_began => return None,
            None => started,
        };
        let mut elapsed_s = ((now.since_ns(begin) - self.paused_ns(now)) as f64 * 1e-9).max(0.0);
        let mut tasks = phases.iter().filter(|p| p.kind == PhaseKind::Task).peekable();
        while let Some(phase) = tasks.next() {
            if elapsed_s < phase.seconds {
                let next = tasks.peek().map(|p| p.name.as_str());
                return Some(PhaseTimes { name: &phase.name, elapsed_s, left_s: phase.seconds - elapsed_s, next });
            }
            elapsed_s -= phase.seconds;
        }
        None
    }

    /// Whether the planned tasks are over.
    pub fn is_over(&self, phases: &[Phase], started: Timestamp, now: Timestamp) -> bool {
        let tasks = || phases.iter().filter(|p| p.kind == PhaseKind::Task);
        if self.tasks_begun > 0 {
            return self.tasks_ended >= tasks().count();
        }
        let is_in_baseline = self.baseline_began && self.baseline_ended.is_none();
        tasks().next().is_some() && !is_in_baseline && self.task(phases, started, now).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::sync::Arc;

    fn at(s: f64) -> Timestamp {
        Timestamp::from_secs_f64(s)
    }

    fn phases() -> Vec<Phase> {
        let phase = |name: &str, seconds, kind| Phase { name: name.into(), seconds, kind };
        vec![
            phase("rest", 10.0, PhaseKind::Baseline),
            phase("read", 60.0, PhaseKind::Task),
            phase("write", 30.0, PhaseKind::Task),
        ]
    }

    fn read(clock: &mut PhaseClock, stream: &str, kind: &str, s: f64) {
        let stream = Arc::new(stream.parse().unwrap());
        clock.read(&[Record { stream, seq: 0, at: at(s), body: Body::event(kind, Value::Null) }]);
    }

    #[test]
    fn the_tasks_begin_after_the_baseline_and_follow_each_other() {
        let (mut clock, phases) = (PhaseClock::default(), phases());
        read(&mut clock, "phase", "start", 1.0);
        assert_eq!(clock.task(&phases, at(0.0), at(5.0)), None, "the baseline has its own countdown");
        read(&mut clock, "phase", "end", 11.0);
        let task = clock.task(&phases, at(0.0), at(31.0)).unwrap();
        assert_eq!((task.name, task.elapsed_s, task.left_s, task.next), ("read", 20.0, 40.0, Some("write")));
        let task = clock.task(&phases, at(0.0), at(81.0)).unwrap();
        assert_eq!((task.name, task.elapsed_s, task.next), ("write", 10.0, None));
        assert!(clock.is_over(&phases, at(0.0), at(101.5)) && !clock.is_over(&phases, at(0.0), at(100.0)));
    }

    #[test]
    fn tasks_that_the_program_times_do_not_begin_again_when_they_are_over() {
        let (mut clock, phases) = (PhaseClock::default(), phases());
        let timed = |clock: &mut PhaseClock, event: &str, kind: &str, s: f64| {
            let stream = Arc::new("phase".parse().unwrap());
            let body = Body::event(event, serde_json::json!({ "kind": kind }));
            clock.read(&[Record { stream, seq: 0, at: at(s), body }]);
        };
        timed(&mut clock, "start", "baseline", 1.0);
        timed(&mut clock, "end", "baseline", 11.0);
        assert_eq!(clock.task(&phases, at(0.0), at(12.0)).unwrap().name, "read");
        for (begin_s, end_s) in [(11.0, 71.0), (71.0, 80.0)] {
            assert!(!clock.is_over(&phases, at(0.0), at(begin_s)));
            timed(&mut clock, "start", "task", begin_s);
            assert_eq!(clock.task(&phases, at(0.0), at(begin_s + 1.0)), None, "it has a countdown of its own");
            timed(&mut clock, "end", "task", end_s);
        }
        assert_eq!(clock.task(&phases, at(0.0), at(80.5)), None);
        assert!(clock.is_over(&phases, at(0.0), at(80.5)), "the operator went on before the planned time");
    }

    #[test]
    fn a_pause_of_the_baseline_takes_no_time_from_the_tasks() {
        let (mut clock, phases) = (PhaseClock::default(), phases());
        read(&mut clock, "phase", "start", 1.0);
        read(&mut clock, "health", "paused", 5.0);
        read(&mut clock, "health", "resumed", 15.0);
        // The operator goes on in the second pause.
        read(&mut clock, "health", "paused", 18.0);
        read(&mut clock, "phase", "end", 20.0);
        let elapsed_s = |clock: &PhaseClock, s| clock.task(&phases, at(0.0), at(s)).unwrap().elapsed_s.round();
        assert_eq!(elapsed_s(&clock, 24.0), 0.0);
        read(&mut clock, "health", "resumed", 25.0);
        assert_eq!(elapsed_s(&clock, 32.0), 7.0);
    }

    #[test]
    fn the_planned_time_stands_still_in_a_pause() {
        let (mut clock, phases) = (PhaseClock::default(), phases());
        read(&mut clock, "phase", "end", 11.0);
        read(&mut clock, "health", "paused", 31.0);
        assert!(clock.is_paused());
        for s in [31.0, 40.0, 500.0] {
            assert_eq!(clock.task(&phases, at(0.0), at(s)).unwrap().elapsed_s, 20.0);
        }
        read(&mut clock, "health", "resumed", 131.0);
        assert_eq!(clock.task(&phases, at(0.0), at(141.0)).unwrap().elapsed_s.round(), 30.0);
        assert!(!clock.is_paused());
    }
}
