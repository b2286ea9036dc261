//! The values of one signal around one event.

use serde::Serialize;

use super::Correction;

/// One signal of one epoch: the stored values, resampled, and the baseline to subtract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trace {
    pub raw: Vec<f32>,
    /// Mean over the plan's baseline window; without one, the participant's baseline mean.
    pub zero: Option<f64>,
    /// Of the participant's guided baseline phase.
    pub spread: Option<f64>,
}

impl Trace {
    /// `None` if the correction needs a baseline that the session does not have.
    pub fn values(&self, correction: Correction) -> Option<Vec<f64>> {
        let (zero, scale) = match correction {
            Correction::Raw => (0.0, 1.0),
            Correction::Corrected => (self.zero?, 1.0),
            Correction::ZScored => (self.zero?, self.spread?),
        };
        Some(self.raw.iter().map(|v| (f64::from(*v) - zero) / scale).collect())
    }
}
