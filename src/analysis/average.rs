//! The mean course around an event: within each participant first, then over participants, with its uncertainty.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;

use super::numbers::{mean_sd, percentile, t_quantile};
use super::{AnalysisError, Correction, DropReason, Epoch, EpochPlan, Measure, SessionEpochs, describe_dropped};
use crate::session::ParticipantId;

const BOOTSTRAP_DRAWS: usize = 2000;
/// Fixed, so that the same data give the same figure; stated with the methods.
const BOOTSTRAP_SEED: u64 = 1;

/// Over what the interval generalises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// To other people like these.
    Participants,
    /// One participant alone: to other such moments of that person, and to nobody else.
    Epochs,
}

/// 95 %, pointwise: by Student's t, and by the bootstrap (percentiles of 2,000 draws of whole units).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Interval {
    pub low: Vec<f64>,
    pub high: Vec<f64>,
    pub boot_low: Vec<f64>,
    pub boot_high: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Average {
    pub measure: Measure,
    pub correction: Correction,
    pub times_s: Vec<f64>,
    pub mean: Vec<f64>,
    /// `None` where there is one unit alone.
    pub interval: Option<Interval>,
    pub unit: Unit,
    /// Each participant's own mean.
    pub per_participant: BTreeMap<ParticipantId, Vec<f64>>,
    pub participants: u64,
    pub epochs: u64,
    pub matched: u64,
    pub dropped: BTreeMap<DropReason, u64>,
}

/// `sessions` were cut by a plan with this window, rate and baseline; `plan.zero` may be another than theirs.
pub fn average<S: Borrow<SessionEpochs>>(
    sessions: &[S],
    plan: &EpochPlan,
    measure: Measure,
) -> Result<Average, AnalysisError> {
    let units = Units::gather(sessions, plan, measure)?;
    let rows: Vec<&[f64]> = match units.unit {
        Unit::Participants => units.per_participant.values().map(Vec::as_slice).collect(),
        Unit::Epochs => units.epochs.iter().map(Vec::as_slice).collect(),
    };
    let (matched, dropped) = counts(sessions);
    Ok(Average {
        measure,
        correction: plan.zero,
        times_s: plan.times_s(),
        mean: mean_of(&rows),
        interval: interval(&rows),
        unit: units.unit,
        participants: units.per_participant.len() as u64,
        epochs: units.epochs.len() as u64,
        per_participant: units.per_participant,
        matched,
        dropped,
    })
}

/// Matching events, and those dropped by reason, of all sessions together.
pub fn counts<S: Borrow<SessionEpochs>>(sessions: &[S]) -> (u64, BTreeMap<DropReason, u64>) {
    let mut dropped = BTreeMap::new();
    let mut matched = 0;
    for session in sessions.iter().map(Borrow::borrow) {
        matched += session.matched;
        session.dropped.iter().for_each(|(reason, n)| *dropped.entry(*reason).or_insert(0) += n);
    }
    (matched, dropped)
}

/// The corrected courses, ready to be counted with.
pub(super) struct Units {
    pub unit: Unit,
    pub per_participant: BTreeMap<ParticipantId, Vec<f64>>,
    /// All epochs, in the order of sessions and time.
    pub epochs: Vec<Vec<f64>>,
}

impl Units {
    pub(super) fn gather<S: Borrow<SessionEpochs>>(
        sessions: &[S],
        plan: &EpochPlan,
        measure: Measure,
    ) -> Result<Units, AnalysisError> {
        plan.check()?;
        if sessions.is_empty() {
            return Err(AnalysisError::NoSession);
        }
        let mut of: BTreeMap<&ParticipantId, Vec<Vec<f64>>> = BTreeMap::new();
        for session in sessions.iter().map(Borrow::borrow) {
            for epoch in &session.epochs {
                of.entry(&session.participant).or_default().push(course(session, epoch, plan, measure)?);
            }
        }
        if of.is_empty() {
            let (matched, dropped) = counts(sessions);
            return Err(AnalysisError::NothingKept { matched, dropped: describe_dropped(&dropped) });
        }
        let mean = |epochs: &Vec<Vec<f64>>| mean_of(&epochs.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let per_participant: BTreeMap<_, _> = of.iter().map(|(p, epochs)| ((*p).clone(), mean(epochs))).collect();
        let unit = if per_participant.len() > 1 { Unit::Participants } else { Unit::Epochs };
        Ok(Units { unit, per_participant, epochs: of.into_values().flatten().collect() })
    }
}

fn course(
    session: &SessionEpochs,
    epoch: &Epoch,
    plan: &EpochPlan,
    measure: Measure,
) -> Result<Vec<f64>, AnalysisError> {
    let missing = || AnalysisError::NoBaseline(format!("{} {}", session.participant, session.session));
    let values = epoch.trace(measure).values(plan.zero).ok_or_else(missing)?;
    let expected = plan.times_s().len();
    if values.len() == expected { Ok(values) } else { Err(AnalysisError::OtherPlan { found: values.len(), expected }) }
}

/// Point by point; `rows` are of one length.
pub(super) fn mean_of(rows: &[&[f64]]) -> Vec<f64> {
    let points = rows.first().map_or(0, |row| row.len());
    let mut mean = vec![0.0; points];
    for row in rows {
        mean.iter_mut().zip(*row).for_each(|(sum, v)| *sum += v);
    }
    mean.iter_mut().for_each(|sum| *sum /= rows.len() as f64);
    mean
}

fn interval(rows: &[&[f64]]) -> Option<Interval> {
    let n = rows.len();
    let t = t_quantile(0.975, n as f64 - 1.0)?;
    let points = rows.first()?.len();
    let (mut low, mut high) = (Vec::with_capacity(points), Vec::with_capacity(points));
    for point in 0..points {
        let (mean, sd) = mean_sd(&rows.iter().map(|row| row[point]).collect::<Vec<_>>())?;
        let half = t * sd? / (n as f64).sqrt();
        low.push(mean - half);
        high.push(mean + half);
    }
    // Whole units are drawn, so that what belongs together in time stays together.
    let mut random = StdRng::seed_from_u64(BOOTSTRAP_SEED);
    let mut draws = vec![Vec::with_capacity(BOOTSTRAP_DRAWS); points];
    for _ in 0..BOOTSTRAP_DRAWS {
        let drawn: Vec<&[f64]> = (0..n).map(|_| rows[random.random_range(0..n)]).collect();
        mean_of(&drawn).into_iter().zip(&mut draws).for_each(|(mean, draws)| draws.push(mean));
    }
    draws.iter_mut().for_each(|d| d.sort_by(f64::total_cmp));
    let at = |share: f64| draws.iter().map(|d| percentile(d, share)).collect();
    Some(Interval { low, high, boot_low: at(0.025), boot_high: at(0.975) })
}
