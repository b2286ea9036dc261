//! One row per epoch and signal, tidy, for R, SPSS and Python.

use std::borrow::Borrow;

use serde::Serialize;

use super::skin_response::{is_microsiemens, skin_response};
use super::{AnalysisError, Correction, CutSignal, Epoch, EpochPlan, SessionEpochs};

/// Peak, latency and area are of the values as the plan corrects them, from the event to the window's end; the means
/// of the same stretch stand side by side in all three corrections.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EpochRow {
    pub participant: String,
    pub session: String,
    pub condition: String,
    /// Counts the condition's kept epochs of the session from 1.
    pub epoch: u64,
    pub onset_s: f64,
    pub event_seq: u64,
    pub measure: String,
    pub correction: Correction,
    /// The value farthest from zero, with its sign.
    pub peak: f64,
    pub peak_latency_s: f64,
    /// Trapezoids, signed.
    pub area_s: f64,
    pub mean_raw: f64,
    pub mean_corrected: Option<f64>,
    pub mean_z: Option<f64>,
    /// What is subtracted, and by what z-scores are divided.
    pub zero: Option<f64>,
    pub spread: Option<f64>,
    /// `STREAM.FIELD`
    pub signal: String,
    /// Of the stored values, and of the corrected ones.
    pub measure_unit: String,
    /// The response of a skin conductance in microsiemens; see [`skin_response`]. `None` for other units, and without a
    /// response.
    pub scr_amplitude: Option<f64>,
    pub scr_latency_s: Option<f64>,
}

/// By session, epoch and signal.
pub fn epoch_table<S: Borrow<SessionEpochs>>(
    sessions: &[S],
    plan: &EpochPlan,
    condition: &str,
) -> Result<Vec<EpochRow>, AnalysisError> {
    plan.check()?;
    let mut rows = Vec::new();
    for session in sessions.iter().map(Borrow::borrow) {
        for (k, epoch) in session.epochs.iter().enumerate() {
            for position in 0..session.signals.len() {
                rows.push(row(session, k as u64 + 1, epoch, plan, condition, position)?);
            }
        }
    }
    Ok(rows)
}

fn row(
    session: &SessionEpochs,
    number: u64,
    epoch: &Epoch,
    plan: &EpochPlan,
    condition: &str,
    position: usize,
) -> Result<EpochRow, AnalysisError> {
    let CutSignal { id, unit } = &session.signals[position];
    let trace = epoch.traces.get(position).ok_or_else(|| AnalysisError::NotCut(id.clone()))?;
    let unit = unit.as_deref().unwrap_or_default();
    let (response, times_s) = (plan.response(), plan.times_s());
    let mean = |values: Vec<f64>| values[response.clone()].iter().sum::<f64>() / response.len() as f64;
    let raw = trace.raw.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
    if raw.len() != times_s.len() {
        return Err(AnalysisError::OtherPlan { found: raw.len(), expected: times_s.len() });
    }
    let missing = || AnalysisError::NoBaseline(format!("{} {}", session.participant, session.session));
    let values = trace.values(plan.zero).ok_or_else(missing)?;
    let peak = response.clone().max_by(|a, b| values[*a].abs().total_cmp(&values[*b].abs())).unwrap_or(response.start);
    let response_of_skin = is_microsiemens(unit).then(|| skin_response(&times_s, &raw)).flatten();
    let area_s = values[response.clone()].windows(2).map(|w| (w[0] + w[1]) / 2.0).sum::<f64>() / plan.rate_hz;
    Ok(EpochRow {
        participant: session.participant.to_string(),
        session: session.session.to_string(),
        condition: condition.to_owned(),
        epoch: number,
        onset_s: epoch.onset.as_secs_f64(),
        event_seq: epoch.event_seq,
        measure: plan.label(id),
        correction: plan.zero,
        peak: values[peak],
        peak_latency_s: times_s[peak],
        area_s,
        mean_raw: mean(raw),
        mean_corrected: trace.values(Correction::Corrected).map(mean),
        mean_z: trace.values(Correction::ZScored).map(mean),
        zero: trace.zero,
        spread: trace.spread,
        signal: id.to_string(),
        measure_unit: unit.to_owned(),
        scr_amplitude: response_of_skin.map(|r| r.amplitude),
        scr_latency_s: response_of_skin.map(|r| r.latency_s),
    })
}
