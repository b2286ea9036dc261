//! Computes the average of each condition and measure, and the differences between conditions.

use serde::Serialize;

use super::Answer;
use analysis::{
    AnalysisError, Average, Comparison, Correction, EpochRow, Measure, against_zero, average, compare, epoch_table,
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
    /// In the order of [`Measure::ALL`].
    pub averages: Vec<Average>,
    /// Tests against zero. Empty for raw values, for which a test against the network's zero has no meaning, and for a single
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
        let mut notes = Vec::new();
        let mut conditions = Vec::new();
        for (k, choice) in answer.question.conditions.iter().enumerate() {
            let sessions = answer.condition(k);
            let averages = Measure::ALL.into_iter().map(|m| average(&sessions, plan, m)).collect::<Result<_, _>>()?;
            let mut tests = Vec::new();
            for measure in Measure::ALL.into_iter().filter(|_| plan.zero != Correction::Raw) {
                match against_zero(&sessions, plan, measure, permutations, seed) {
                    Ok(test) => tests.push(test),
                    Err(e) => notes.push(format!("{choice}, {measure}: {e}.")),
                }
            }
            conditions.push(ConditionFindings { name: choice.to_string(), averages, against_zero: tests });
        }
        let mut comparisons = Vec::new();
        if answer.question.conditions.len() == 2 {
            let (a, b) = (answer.condition(0), answer.condition(1));
            for measure in Measure::ALL {
                match compare(&a, &b, plan, measure, permutations, seed) {
                    Ok(comparison) => comparisons.push(comparison),
                    Err(e) => notes.push(format!("Comparison of the conditions, {measure}: {e}.")),
                }
            }
        }
        Ok(Findings { conditions, comparisons, settings, notes })
    }
}

impl Answer {
    /// One row per epoch and measure, of all conditions.
    pub fn epoch_rows(&self) -> Result<Vec<EpochRow>, AnalysisError> {
        let table = |(k, choice): (usize, &analysis::EventChoice)| {
            epoch_table(&self.condition(k), &self.question.plan, &choice.to_string())
        };
        let tables: Vec<_> = self.question.conditions.iter().enumerate().map(table).collect::<Result<_, _>>()?;
        Ok(tables.into_iter().flatten().collect())
    }
}
