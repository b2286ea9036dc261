//! Compares two conditions, or one condition with zero: the time ranges of differences, and their size.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use serde::Serialize;

use super::average::{Unit, Units};
use super::clusters::{Tested, one_sample, two_sample};
use super::numbers::{mean_sd, t_quantile};
use super::{AnalysisError, Correction, EpochPlan, Measure, SessionEpochs, SignalId};
use session::ParticipantId;

/// The kind of comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Design {
    /// One condition against zero, over participants.
    AgainstZero,
    /// Each participant's two means.
    Paired,
    /// Two groups of participants, none in both.
    Groups,
    /// The epochs of one participant. The result is not valid for other people.
    EpochsAgainstZero,
    EpochsOfOneParticipant,
}

/// The level of every test here.
const SIGNIFICANT_P: f64 = 0.05;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cluster {
    pub from_s: f64,
    pub until_s: f64,
    /// Sum of t.
    pub mass: f64,
    pub p: f64,
    /// The upper limit of p with 95 % confidence. With drawn permutations, p is an estimate and depends on the seed. If all
    /// permutations were computed, this equals p.
    pub p_high: f64,
    /// Mean difference within the cluster. It overestimates the effect, because clusters are selected for large differences.
    /// Report [`Comparison::effect`].
    pub difference: f64,
}

impl Cluster {
    /// Whether the cluster is reported as a difference, in all texts, figures and views: another seed would not change it.
    pub fn is_significant(&self) -> bool {
        self.p_high <= SIGNIFICANT_P
    }
}

/// The effect on the mean from the event to the end of the window. This range is fixed in advance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effect {
    pub difference: f64,
    /// 95 % by Student's t.
    pub low: f64,
    pub high: f64,
    /// Cohen's d_z (difference over the standard deviation of the differences) within participants, Cohen's d (over
    /// the pooled standard deviation) between groups; `None` where nothing varies.
    pub cohens_d: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    #[serde(flatten)]
    pub measure: Measure,
    pub correction: Correction,
    pub design: Design,
    pub times_s: Vec<f64>,
    /// Of the difference, or of the mean.
    pub t: Vec<f64>,
    pub threshold_t: f64,
    pub clusters: Vec<Cluster>,
    pub effect: Effect,
    /// With the data as they were among them.
    pub permutations: u64,
    /// All permutations were tried.
    pub is_exact: bool,
    /// Participants, or epochs of the one participant.
    pub n_a: u64,
    pub n_b: u64,
    /// Those that have one of the two conditions only.
    pub left_out: Vec<ParticipantId>,
    /// Notes for the reader.
    pub notes: Vec<String>,
}

impl Comparison {
    /// Smallest p of any cluster; 1 where there is none.
    pub fn p(&self) -> f64 {
        self.clusters.iter().map(|c| c.p).fold(1.0, f64::min)
    }

    /// Smallest [`Cluster::p_high`]; 1 where there is no cluster.
    pub fn p_high(&self) -> f64 {
        self.clusters.iter().map(|c| c.p_high).fold(1.0, f64::min)
    }
}

/// Condition `a` minus condition `b`. Within participants where they have both; between groups where no participant
/// has; between the epochs of a participant who is alone.
pub fn compare<S: Borrow<SessionEpochs>>(
    a: &[S],
    b: &[S],
    plan: &EpochPlan,
    signal: &SignalId,
    permutations: u64,
    seed: u64,
) -> Result<Comparison, AnalysisError> {
    let (a, b) = (Units::gather(a, plan, signal)?, Units::gather(b, plan, signal)?);
    let measure = a.measure.clone();
    if measure.unit != b.measure.unit {
        let units = format!("{}, {}", measure.unit, b.measure.unit);
        return Err(AnalysisError::Units { signal: signal.clone(), units });
    }
    let in_both: BTreeSet<ParticipantId> =
        a.per_participant.keys().filter(|p| b.per_participant.contains_key(p)).cloned().collect();
    let everybody: BTreeSet<ParticipantId> =
        a.per_participant.keys().chain(b.per_participant.keys()).cloned().collect();
    let rows = |units: Units| units.per_participant.into_values().collect();
    let (sides, left_out) = match in_both.len() {
        1 if everybody.len() == 1 => (Sides::Two(Design::EpochsOfOneParticipant, a.epochs, b.epochs), Vec::new()),
        0 => (Sides::Two(Design::Groups, rows(a), rows(b)), Vec::new()),
        1 => return Err(AnalysisError::TooFewPairs { participants: 1 }),
        _ => {
            let difference = |p: &ParticipantId| {
                a.per_participant[p].iter().zip(&b.per_participant[p]).map(|(a, b)| a - b).collect::<Vec<f64>>()
            };
            let rows = in_both.iter().map(difference).collect();
            (Sides::One(Design::Paired, rows), everybody.difference(&in_both).cloned().collect())
        }
    };
    sides.test(plan, measure, permutations, seed, left_out)
}

/// One condition against zero: whether anything follows the event at all. Meant for corrected values.
pub fn against_zero<S: Borrow<SessionEpochs>>(
    sessions: &[S],
    plan: &EpochPlan,
    signal: &SignalId,
    permutations: u64,
    seed: u64,
) -> Result<Comparison, AnalysisError> {
    let units = Units::gather(sessions, plan, signal)?;
    let measure = units.measure.clone();
    let sides = match units.unit {
        Unit::Participants => Sides::One(Design::AgainstZero, units.per_participant.into_values().collect()),
        Unit::Epochs => Sides::One(Design::EpochsAgainstZero, units.epochs),
    };
    sides.test(plan, measure, permutations, seed, Vec::new())
}

/// What is permuted: signs of one set of rows, or rows between two.
enum Sides {
    One(Design, Vec<Vec<f64>>),
    Two(Design, Vec<Vec<f64>>, Vec<Vec<f64>>),
}

impl Sides {
    fn test(
        self,
        plan: &EpochPlan,
        measure: Measure,
        permutations: u64,
        seed: u64,
        left_out: Vec<ParticipantId>,
    ) -> Result<Comparison, AnalysisError> {
        let permutations = permutations.max(1);
        let tested = match &self {
            Sides::One(_, rows) => one_sample(rows, permutations, seed),
            Sides::Two(_, a, b) => two_sample(a, b, permutations, seed),
        };
        let (design, n_a, n_b, difference) = match &self {
            Sides::One(design, rows) => (*design, rows.len(), rows.len(), mean_row(rows)),
            Sides::Two(design, a, b) => {
                (*design, a.len(), b.len(), mean_row(a).iter().zip(mean_row(b)).map(|(a, b)| a - b).collect())
            }
        };
        let too_few = || AnalysisError::TooFew { epochs: n_a.min(n_b) as u64 };
        let tested = tested.ok_or_else(too_few)?;
        let effect = self.effect(plan).ok_or_else(too_few)?;
        let times_s = plan.times_s();
        let cluster = |m: &super::clusters::Mass| Cluster {
            from_s: times_s[m.points.start],
            until_s: times_s[m.points.end - 1],
            mass: m.mass,
            p: m.p,
            p_high: m.p_high,
            difference: difference[m.points.clone()].iter().sum::<f64>() / m.points.len() as f64,
        };
        let clusters = tested.clusters.iter().map(cluster).collect();
        let notes = notes(design, &tested, left_out.len());
        let Tested { t, threshold_t, permutations, is_exact, .. } = tested;
        Ok(Comparison {
            measure,
            correction: plan.zero,
            design,
            t,
            threshold_t,
            clusters,
            effect,
            permutations,
            is_exact,
            n_a: n_a as u64,
            n_b: n_b as u64,
            left_out,
            notes,
            times_s,
        })
    }

    fn effect(&self, plan: &EpochPlan) -> Option<Effect> {
        let response = plan.response();
        let mean = |row: &Vec<f64>| row[response.clone()].iter().sum::<f64>() / response.len() as f64;
        let means = |rows: &[Vec<f64>]| rows.iter().map(mean).collect::<Vec<f64>>();
        let (difference, sd, error, freedom) = match self {
            Sides::One(_, rows) => {
                let (mean, sd) = mean_sd(&means(rows))?;
                let n = rows.len() as f64;
                (mean, sd?, sd? / n.sqrt(), n - 1.0)
            }
            Sides::Two(_, a, b) => {
                let ((mean_a, sd_a), (mean_b, sd_b)) = (mean_sd(&means(a))?, mean_sd(&means(b))?);
                let (na, nb) = (a.len() as f64, b.len() as f64);
                let freedom = na + nb - 2.0;
                let pooled = (((na - 1.0) * sd_a?.powi(2) + (nb - 1.0) * sd_b?.powi(2)) / freedom).sqrt();
                (mean_a - mean_b, pooled, pooled * (1.0 / na + 1.0 / nb).sqrt(), freedom)
            }
        };
        let half = t_quantile(0.975, freedom)? * error;
        let cohens_d = (sd > 0.0).then(|| difference / sd);
        Some(Effect { difference, low: difference - half, high: difference + half, cohens_d })
    }
}

fn mean_row(rows: &[Vec<f64>]) -> Vec<f64> {
    super::average::mean_of(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn notes(design: Design, tested: &Tested, left_out: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if matches!(design, Design::EpochsOfOneParticipant | Design::EpochsAgainstZero) {
        notes.push(
            "One participant: the test is over this person's epochs and is not valid for other people.".to_owned(),
        );
    }
    if left_out > 0 {
        notes.push(format!("{left_out} participant(s) have only one condition and are left out."));
    }
    if tested.permutations < 20 {
        notes.push(format!(
            "There are only {} different permutations, so p cannot be below {:.2}: a test at 5 % needs more participants.",
            tested.permutations,
            1.0 / tested.permutations as f64
        ));
    }
    notes
}
