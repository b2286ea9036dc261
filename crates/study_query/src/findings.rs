//! What an answer says: the average of each condition and measure, and how the conditions differ.

use serde::Serialize;

use super::Answer;
use analysis::{
    AnalysisError, Average, Comparison, Correction, EpochRow, Measure, against_zero, average, compare, epoch_table,
};

/// How often the permutation test permutes, and with which random numbers: stated with every p.
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
    /// The choice as it was asked for.
    pub name: String,
    /// In the order of [`Measure::ALL`].
    pub averages: Vec<Average>,
    /// Against zero; empty for raw values, whose zero is the network's and no question, and where there is one epoch.
    pub against_zero: Vec<Comparison>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Findings {
    pub conditions: Vec<ConditionFindings>,
    /// The first condition minus the second; empty where one was asked for.
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
    /// One row an epoch and measure, of all conditions.
    pub fn epoch_rows(&self) -> Result<Vec<EpochRow>, AnalysisError> {
        let table = |(k, choice): (usize, &analysis::EventChoice)| {
            epoch_table(&self.condition(k), &self.question.plan, &choice.to_string())
        };
        let tables: Vec<_> = self.question.conditions.iter().enumerate().map(table).collect::<Result<_, _>>()?;
        Ok(tables.into_iter().flatten().collect())
    }
}
