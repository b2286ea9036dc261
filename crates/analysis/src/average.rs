//! The mean course around an event: within each participant first, then over participants, with its uncertainty.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;

use super::numbers::{mean_sd, percentile, t_quantile};
use super::{
    AnalysisError, Correction, DropReason, EpochPlan, Measure, SessionEpochs, SignalId, Trace, describe_dropped,
};
use session::ParticipantId;

const BOOTSTRAP_DRAWS: usize = 2000;
/// Fixed, so that the same data give the same result. The methods text contains it.
const BOOTSTRAP_SEED: u64 = 1;

/// The population of the interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Participants: the interval is valid for other people like these.
    Participants,
    /// Epochs of a single participant: the interval is valid only for other such events of this person.
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
    #[serde(flatten)]
    pub measure: Measure,
    pub correction: Correction,
    pub times_s: Vec<f64>,
    pub mean: Vec<f64>,
    /// `None` for a single unit.
    pub interval: Option<Interval>,
    pub unit: Unit,
    /// The mean of each participant.
    pub per_participant: BTreeMap<ParticipantId, Vec<f64>>,
    pub participants: u64,
    pub epochs: u64,
    pub matched: u64,
    pub dropped: BTreeMap<DropReason, u64>,
}

/// `sessions` were cut by a plan with this signal, window, rate and baseline; `plan.zero` may differ from theirs.
pub fn average<S: Borrow<SessionEpochs>>(
    sessions: &[S],
    plan: &EpochPlan,
    signal: &SignalId,
) -> Result<Average, AnalysisError> {
    let units = Units::gather(sessions, plan, signal)?;
    let rows: Vec<&[f64]> = match units.unit {
        Unit::Participants => units.per_participant.values().map(Vec::as_slice).collect(),
        Unit::Epochs => units.epochs.iter().map(Vec::as_slice).collect(),
    };
    let (matched, dropped) = counts(sessions);
    Ok(Average {
        measure: units.measure,
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
    pub measure: Measure,
    pub unit: Unit,
    pub per_participant: BTreeMap<ParticipantId, Vec<f64>>,
    /// All epochs, in the order of sessions and time.
    pub epochs: Vec<Vec<f64>>,
}

impl Units {
    pub(super) fn gather<S: Borrow<SessionEpochs>>(
        sessions: &[S],
        plan: &EpochPlan,
        signal: &SignalId,
    ) -> Result<Units, AnalysisError> {
        plan.check()?;
        if sessions.is_empty() {
            return Err(AnalysisError::NoSession);
        }
        let mut of: BTreeMap<&ParticipantId, Vec<Vec<f64>>> = BTreeMap::new();
        for session in sessions.iter().map(Borrow::borrow) {
            let position = session.position(signal)?;
            for epoch in &session.epochs {
                let trace = epoch.traces.get(position).ok_or_else(|| AnalysisError::NotCut(signal.clone()))?;
                of.entry(&session.participant).or_default().push(course(session, trace, plan)?);
            }
        }
        if of.is_empty() {
            let (matched, dropped) = counts(sessions);
            return Err(AnalysisError::NothingKept { matched, dropped: describe_dropped(&dropped) });
        }
        let mean = |epochs: &Vec<Vec<f64>>| mean_of(&epochs.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let per_participant: BTreeMap<_, _> = of.iter().map(|(p, epochs)| ((*p).clone(), mean(epochs))).collect();
        let unit = if per_participant.len() > 1 { Unit::Participants } else { Unit::Epochs };
        let measure = measure(sessions, plan, signal)?;
        Ok(Units { measure, unit, per_participant, epochs: of.into_values().flatten().collect() })
    }
}

fn course(session: &SessionEpochs, trace: &Trace, plan: &EpochPlan) -> Result<Vec<f64>, AnalysisError> {
    let missing = || AnalysisError::NoBaseline(format!("{} {}", session.participant, session.session));
    let values = trace.values(plan.zero).ok_or_else(missing)?;
    let expected = plan.times_s().len();
    if values.len() == expected { Ok(values) } else { Err(AnalysisError::OtherPlan { found: values.len(), expected }) }
}

/// Name and unit of a signal. The sessions with epochs must agree on the unit.
fn measure<S: Borrow<SessionEpochs>>(
    sessions: &[S],
    plan: &EpochPlan,
    signal: &SignalId,
) -> Result<Measure, AnalysisError> {
    let with_epochs = sessions.iter().map(Borrow::borrow).filter(|session| !session.epochs.is_empty());
    let stated = with_epochs.flat_map(|session| &session.signals).filter(|cut| cut.id == *signal);
    let units: BTreeSet<&str> = stated.filter_map(|cut| cut.unit.as_deref()).collect();
    if units.len() > 1 {
        let units = units.into_iter().collect::<Vec<_>>().join(", ");
        return Err(AnalysisError::Units { signal: signal.clone(), units });
    }
    let unit = units.first().copied().unwrap_or_default().to_owned();
    Ok(Measure { name: plan.label(signal), signal: signal.clone(), unit })
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
    // Whole units are drawn, to keep the correlation in time.
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{CutSignal, Epoch, Trace, against_zero, compare, epoch_table};
    use session::{SessionNumber, Timestamp};

    pub fn plan() -> EpochPlan {
        EpochPlan {
            window_s: (0.0, 1.0),
            baseline_s: None,
            rate_hz: 4.0,
            zero: Correction::Raw,
            ..EpochPlan::default()
        }
    }

    /// One epoch a course; arousal is valence turned around.
    pub fn session(participant: u32, courses: &[[f32; 5]]) -> SessionEpochs {
        let trace = |raw: Vec<f32>| Trace { raw, zero: Some(0.0), spread: None };
        let epoch = |(k, course): (usize, &[f32; 5])| Epoch {
            onset: Timestamp::from_secs_f64(10.0 * k as f64),
            event_seq: k as u64,
            traces: vec![trace(course.to_vec()), trace(course.iter().map(|v| -v).collect())],
        };
        SessionEpochs {
            participant: ParticipantId::numbered(participant),
            session: SessionNumber(1),
            signals: signals(["1", "1"]),
            matched: courses.len() as u64 + 1,
            epochs: courses.iter().enumerate().map(epoch).collect(),
            dropped: BTreeMap::from([(DropReason::Overlap, 1)]),
        }
    }

    fn signals(units: [&str; 2]) -> Vec<CutSignal> {
        let ids = [SignalId::valence(), SignalId::arousal()];
        ids.into_iter().zip(units).map(|(id, unit)| CutSignal { id, unit: Some(unit.to_owned()) }).collect()
    }

    fn valence() -> SignalId {
        SignalId::valence()
    }

    #[test]
    fn every_participant_counts_once() {
        // Three epochs of one and one of the other.
        let sessions = [session(1, &[[1.0; 5]; 3]), session(2, &[[0.0, 0.0, 2.0, 0.0, 0.0]])];
        let a = average(&sessions, &plan(), &valence()).unwrap();
        assert_eq!(a.mean, [0.5, 0.5, 1.5, 0.5, 0.5]);
        assert_eq!((a.participants, a.epochs, a.matched, a.unit), (2, 4, 6, Unit::Participants));
        assert_eq!(a.dropped[&DropReason::Overlap], 2);
        let i = a.interval.unwrap();
        // Mean 0.5, SD 0.7071, n 2: half a width of 12.706 · 0.5
        assert!((i.high[0] - (0.5 + 12.706_204_736 * 0.5)).abs() < 1e-6);
        assert_eq!((i.boot_low[0], i.boot_high[0]), (0.0, 1.0));
    }

    #[test]
    fn one_participant_is_averaged_over_epochs_and_one_epoch_has_no_interval() {
        let a = average(&[session(1, &[[1.0; 5], [3.0; 5]])], &plan(), &SignalId::arousal()).unwrap();
        assert_eq!((a.unit, a.mean[0]), (Unit::Epochs, -2.0));
        assert!(a.interval.is_some());
        assert_eq!(average(&[session(1, &[[1.0; 5]])], &plan(), &valence()).unwrap().interval, None);
        let one = against_zero(&[session(1, &[[1.0; 5]])], &plan(), &valence(), 100, 1);
        assert_eq!(one, Err(AnalysisError::TooFew { epochs: 1 }));
    }

    #[test]
    fn nothing_to_average_is_a_sentence() {
        let none: [SessionEpochs; 0] = [];
        assert_eq!(average(&none, &plan(), &valence()), Err(AnalysisError::NoSession));
        let says = |e: AnalysisError| e.to_string();
        let empty = says(average(&[session(1, &[])], &plan(), &valence()).unwrap_err());
        assert!(empty.contains("no epoch is left of 1 matching event(s): overlaps the event before 1."), "{empty}");
        let z = EpochPlan { zero: Correction::ZScored, ..plan() };
        let z = says(average(&[session(1, &[[1.0; 5]])], &z, &valence()).unwrap_err());
        assert!(z.contains("sub-01 ses-01 has no guided baseline phase"), "{z}");
        let longer = EpochPlan { window_s: (0.0, 2.0), ..plan() };
        let longer = says(average(&[session(1, &[[1.0; 5]])], &longer, &valence()).unwrap_err());
        assert!(longer.contains("another plan"), "{longer}");
    }

    #[test]
    fn the_design_follows_from_who_has_what() {
        use crate::Design;
        let rising = [[0.0, 0.1, 0.2, 0.3, 0.4], [0.0, 0.1, 0.3, 0.3, 0.4]];
        let flat = [[0.0, 0.1, 0.0, 0.1, 0.0], [0.1, 0.0, 0.0, 0.0, 0.1]];
        let group = |numbers: std::ops::Range<u32>, courses: &[[f32; 5]]| -> Vec<SessionEpochs> {
            numbers
                .map(|n| session(n, &courses.iter().map(|c| c.map(|v| v + n as f32 * 0.01)).collect::<Vec<_>>()))
                .collect()
        };
        let test = |a: &[SessionEpochs], b: &[SessionEpochs]| compare(a, b, &plan(), &valence(), 500, 1);
        let paired = test(&group(1..9, &rising), &group(2..10, &flat)).unwrap();
        assert_eq!((paired.design, paired.n_a, paired.left_out.len()), (Design::Paired, 7, 2));
        let groups = test(&group(1..9, &rising), &group(11..20, &flat)).unwrap();
        assert_eq!((groups.design, groups.n_a, groups.n_b), (Design::Groups, 8, 9));
        let alone = test(&group(1..2, &rising), &group(1..2, &flat)).unwrap();
        assert_eq!((alone.design, alone.n_a, alone.n_b), (Design::EpochsOfOneParticipant, 2, 2));
        assert!(alone.notes[0].contains("is not valid for other people"));
        let shared = test(&group(1..3, &rising), &group(2..4, &flat)).unwrap_err();
        assert!(shared.to_string().contains("needs two"), "{shared}");
    }

    #[test]
    fn a_row_tells_peak_latency_and_area() {
        let rows = epoch_table(&[session(1, &[[0.0, 0.2, -0.6, 0.2, 0.0]])], &plan(), "go").unwrap();
        assert_eq!(rows.len(), 2);
        let r = &rows[0];
        assert_eq!((r.participant.as_str(), r.condition.as_str(), r.epoch), ("sub-01", "go", 1));
        assert!((r.peak + 0.6).abs() < 1e-6 && r.peak_latency_s == 0.5);
        assert!((r.area_s + 0.05).abs() < 1e-6, "{}", r.area_s);
        assert!((r.mean_raw + 0.04).abs() < 1e-6 && r.mean_z.is_none());
        assert_eq!((rows[1].measure.as_str(), rows[1].signal.as_str()), ("arousal", "affect.arousal"));
        assert_eq!((rows[0].scr_amplitude, rows[0].scr_latency_s), (None, None), "valence is no conductance");
    }

    #[test]
    fn a_conductance_has_its_response_in_the_table() {
        let plan = EpochPlan { window_s: (0.0, 4.0), rate_hz: 1.0, ..plan() };
        let eda = SessionEpochs { signals: signals(["uS", "1"]), ..session(1, &[[5.0, 5.0, 4.9, 5.2, 5.1]]) };
        let rows = epoch_table(&[eda], &plan, "go").unwrap();
        assert!((rows[0].scr_amplitude.unwrap() - 0.3).abs() < 1e-6 && rows[0].scr_latency_s == Some(2.0));
        assert_eq!((rows[0].measure_unit.as_str(), rows[1].scr_amplitude), ("uS", None));
    }

    #[test]
    fn sessions_with_different_units_are_not_averaged() {
        let micro = SessionEpochs { signals: signals(["uS", "1"]), ..session(1, &[[1.0; 5]]) };
        let nano = |courses: &[[f32; 5]]| SessionEpochs { signals: signals(["nS", "1"]), ..session(2, courses) };
        let refused = average(&[micro.clone(), nano(&[[1000.0; 5]])], &plan(), &valence()).unwrap_err().to_string();
        assert!(refused.contains("in different units (nS, uS)"), "{refused}");
        // A session without epochs states nothing.
        let kept = average(&[micro, nano(&[])], &plan(), &valence()).unwrap();
        assert_eq!((kept.measure.unit.as_str(), kept.measure.to_string().as_str()), ("uS", "valence"));
        let other: SignalId = "pulse.rate_bpm".parse().unwrap();
        assert_eq!(average(&[session(1, &[[1.0; 5]])], &plan(), &other), Err(AnalysisError::NotCut(other.clone())));
    }
}
