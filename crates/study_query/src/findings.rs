//! Computes the average of each condition and signal, and the differences between conditions.

use serde::Serialize;

use super::Answer;
use analysis::{
    AnalysisError, Average, Comparison, Correction, EpochRow, SignalId, against_zero, average, compare, epoch_table,
};

/// Number of permutations and seed of the permutation test. Both are reported with every p.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TestSettings {
    pub permutations: u64,
    pub seed: u64,
}

impl Default for TestSettings {
    fn default() -> Self {
        TestSettings { permutations: 5000, seed: 1 }
    }
}

/// One kind of events.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConditionFindings {
    /// The event choice as text.
    pub name: String,
    /// In the order of the plan's signals.
    pub averages: Vec<Average>,
    /// Tests against zero. Empty for raw values, whose zero has no meaning for a test, and for a single
    /// epoch.
    pub against_zero: Vec<Comparison>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Findings {
    pub conditions: Vec<ConditionFindings>,
    /// The first condition minus the second. Empty for a single condition.
    pub comparisons: Vec<Comparison>,
    pub settings: TestSettings,
    /// What could not be computed, and why.
    pub notes: Vec<String>,
}

impl Findings {
    pub fn of(answer: &Answer, settings: TestSettings) -> Result<Findings, AnalysisError> {
        answer.check()?;
        let plan = &answer.question.plan;
        let TestSettings { permutations, seed } = settings;
        let mut notes: Vec<String> =
            plan.signals.iter().filter_map(|signal| sessions_without(answer, signal)).collect();
        let mut conditions = Vec::new();
        for (k, choice) in answer.question.conditions.iter().enumerate() {
            let sessions = answer.condition(k);
            let averages = plan.signals.iter().map(|s| average(&sessions, plan, s)).collect::<Result<_, _>>()?;
            let mut tests = Vec::new();
            for signal in plan.signals.iter().filter(|_| plan.zero != Correction::Raw) {
                match against_zero(&sessions, plan, signal, permutations, seed) {
                    Ok(test) => tests.push(test),
                    Err(e) => notes.push(format!("{choice}, {}: {e}.", plan.label(signal))),
                }
            }
            conditions.push(ConditionFindings { name: choice.to_string(), averages, against_zero: tests });
        }
        let mut comparisons = Vec::new();
        if answer.question.conditions.len() == 2 {
            let (a, b) = (answer.condition(0), answer.condition(1));
            for signal in &plan.signals {
                match compare(&a, &b, plan, signal, permutations, seed) {
                    Ok(comparison) => comparisons.push(comparison),
                    Err(e) => notes.push(format!("Comparison of the conditions, {}: {e}.", plan.label(signal))),
                }
            }
        }
        Ok(Findings { conditions, comparisons, settings, notes })
    }
}

/// Which sessions lack a signal. `None`: no session does.
fn sessions_without(answer: &Answer, signal: &SignalId) -> Option<String> {
    let names: Vec<String> =
        answer.sessions_without(signal).map(|cut| format!("{} {}", cut.participant, cut.session)).collect();
    let dropped = "All of their events are dropped";
    (!names.is_empty()).then(|| format!("The signal {signal} is missing in: {}. {dropped}.", names.join(", ")))
}

impl Answer {
    /// One row per epoch and signal, of all conditions.
    pub fn epoch_rows(&self) -> Result<Vec<EpochRow>, AnalysisError> {
        let table = |(k, choice): (usize, &analysis::EventChoice)| {
            epoch_table(&self.condition(k), &self.question.plan, &choice.to_string())
        };
        let tables: Vec<_> = self.question.conditions.iter().enumerate().map(table).collect::<Result<_, _>>()?;
        Ok(tables.into_iter().flatten().collect())
    }
}
