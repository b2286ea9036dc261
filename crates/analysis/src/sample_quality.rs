//! The quality of each sample of the face. Plots show it, and epochs can be left out because of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::AnalysisError;
use session::{
    AFFECT, BRIGHTEST_FACE, DARKEST_FACE, FACE, Rows, SMALLEST_INTER_OCULAR_PX, Timeline, Timestamp, affect, face,
};

/// One look at the face.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SampleQuality {
    pub at: Timestamp,
    pub inter_ocular_px: f32,
    pub yaw_deg: f32,
    pub pitch_deg: f32,
    pub roll_deg: f32,
    pub brightness: f32,
    pub sharpness: f32,
    /// The network's own standard deviation; NaN where the frame has no affect.
    pub valence_sd: f32,
    pub arousal_sd: f32,
    /// Since the look before; NaN for the first.
    pub interval_s: f32,
}

/// What is wrong with a look at the face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    Small,
    Turned,
    Light,
    Blurred,
    Uncertain,
}

impl Flaw {
    pub const ALL: [Flaw; 5] = [Flaw::Small, Flaw::Turned, Flaw::Light, Flaw::Blurred, Flaw::Uncertain];
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Flaw::Small => "face too small",
            Flaw::Turned => "face turned away",
            Flaw::Light => "face too dark or too bright",
            Flaw::Blurred => "face blurred",
            Flaw::Uncertain => "network uncertain",
        })
    }
}

/// What a look at the face must hold to count. The first four are those of the set-up's checks and of the poses that
/// the networks were trained on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QualityLimits {
    pub min_inter_ocular_px: f32,
    pub max_yaw_deg: f32,
    pub max_pitch_deg: f32,
    /// Darkest and brightest mean grey level of the face, 0 … 1.
    pub brightness: (f32, f32),
    /// Variance of the Laplacian; `None`: any, because its scale depends on the camera.
    pub min_sharpness: Option<f32>,
    /// Of valence and of arousal; `None`: any.
    pub max_sd: Option<f32>,
    /// Of an epoch's looks, how many may fail, 0 … 1.
    pub most_failing: f32,
}

impl Default for QualityLimits {
    fn default() -> Self {
        QualityLimits {
            min_inter_ocular_px: SMALLEST_INTER_OCULAR_PX,
            max_yaw_deg: 40.0,
            max_pitch_deg: 30.0,
            brightness: (DARKEST_FACE, BRIGHTEST_FACE),
            min_sharpness: None,
            max_sd: None,
            most_failing: 0.25,
        }
    }
}

impl QualityLimits {
    /// Everything counts.
    pub const NONE: QualityLimits = QualityLimits {
        min_inter_ocular_px: 0.0,
        max_yaw_deg: 180.0,
        max_pitch_deg: 180.0,
        brightness: (0.0, 1.0),
        min_sharpness: None,
        max_sd: None,
        most_failing: 1.0,
    };

    pub(super) fn check(&self) -> Result<(), AnalysisError> {
        let wrong = |what: String| Err(AnalysisError::Plan(what));
        if !(0.0..=1.0).contains(&self.most_failing) {
            return wrong(format!("the share of failing samples must be 0 to 1, and it is {}", self.most_failing));
        }
        let (dark, bright) = self.brightness;
        if dark.is_nan() || bright.is_nan() || dark >= bright {
            return wrong(format!("the brightness must have a lower and an upper limit, and it is {dark} to {bright}"));
        }
        let others = [
            Some(self.min_inter_ocular_px),
            Some(self.max_yaw_deg),
            Some(self.max_pitch_deg),
            self.min_sharpness,
            self.max_sd,
        ];
        if others.iter().flatten().any(|limit| limit.is_nan() || *limit < 0.0) {
            return wrong("no limit may be negative or no number".to_owned());
        }
        Ok(())
    }

    /// The first thing wrong; a value that is no number passes, because nothing is known against it.
    pub fn flaw(&self, look: &SampleQuality) -> Option<Flaw> {
        let (dark, bright) = self.brightness;
        let is_above = |value: f32, limit: Option<f32>| limit.is_some_and(|limit| value > limit);
        Flaw::ALL.into_iter().find(|flaw| match flaw {
            Flaw::Small => look.inter_ocular_px < self.min_inter_ocular_px,
            Flaw::Turned => look.yaw_deg.abs() > self.max_yaw_deg || look.pitch_deg.abs() > self.max_pitch_deg,
            Flaw::Light => look.brightness < dark || look.brightness > bright,
            Flaw::Blurred => self.min_sharpness.is_some_and(|limit| look.sharpness < limit),
            Flaw::Uncertain => is_above(look.valence_sd, self.max_sd) || is_above(look.arousal_sd, self.max_sd),
        })
    }
}

/// Every look at the participant's face, by time; what was scored after the recording is among them.
pub fn sample_quality(timeline: &Timeline) -> Vec<SampleQuality> {
    // A stream of the same name with other fields is not ours to read.
    let ours = |stream, fields| Rows::of(timeline, stream).filter(|rows| rows.info().fields.len() == fields);
    let Some(faces) = ours(FACE, face::FIELDS) else { return Vec::new() };
    let affects = ours(AFFECT, affect::FIELDS);
    let mut read = 0;
    let mut before: Option<Timestamp> = None;
    let look = |k: usize| {
        let at = faces.time(k);
        let sds = affects.as_ref().and_then(|affects| {
            read += (read..affects.len()).take_while(|k| affects.time(*k) < at).count();
            let is_same = read < affects.len() && affects.time(read) == at;
            is_same.then(|| [affect::VALENCE_SD, affect::AROUSAL_SD].map(|field| affects.value(read, field)))
        });
        let [valence_sd, arousal_sd] = sds.unwrap_or([f32::NAN; 2]);
        let value = |field: usize| faces.value(k, field);
        let interval_s = before.replace(at).map_or(f32::NAN, |before| at.since_ns(before) as f32 * 1e-9);
        SampleQuality {
            at,
            inter_ocular_px: value(face::INTER_OCULAR),
            yaw_deg: value(face::YAW),
            pitch_deg: value(face::PITCH),
            roll_deg: value(face::ROLL),
            brightness: value(face::BRIGHTNESS),
            sharpness: value(face::SHARPNESS),
            valence_sd,
            arousal_sd,
            interval_s,
        }
    };
    (0..faces.len()).map(look).collect()
}

/// A time range that is shaded in plots.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PoorStretch {
    pub from: Timestamp,
    pub until: Timestamp,
    pub flaw: Flaw,
}

/// Neighbouring looks with the same flaw are one stretch; it lasts until the next look that has it not.
pub fn poor_stretches(looks: &[SampleQuality], limits: &QualityLimits) -> Vec<PoorStretch> {
    let mut stretches: Vec<PoorStretch> = Vec::new();
    let mut open: Option<PoorStretch> = None;
    for look in looks {
        let flaw = limits.flaw(look);
        if let Some(stretch) = &mut open {
            stretch.until = look.at;
            if flaw != Some(stretch.flaw) {
                stretches.extend(open.take());
            }
        }
        if open.is_none() {
            open = flaw.map(|flaw| PoorStretch { from: look.at, until: look.at, flaw });
        }
    }
    stretches.extend(open);
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{Body, Record, affect_stream, face_stream};
    use std::sync::Arc;

    fn timeline() -> Timeline {
        let mut t = Timeline::default();
        [affect_stream(10.0, "m"), face_stream(10.0, "m")].into_iter().for_each(|s| t.declare(s));
        for k in 0..10u64 {
            let mut look = [0f32; face::FIELDS];
            (look[face::INTER_OCULAR], look[face::BRIGHTNESS]) = (80.0, 0.5);
            if (3..6).contains(&k) {
                look[face::YAW] = -60.0;
            }
            if k == 6 {
                look[face::BRIGHTNESS] = 0.05;
            }
            let at = Timestamp::from_ns(k as i64 * 100_000_000);
            let mut put = |stream: &str, values: &[f32]| {
                let body = Body::Sample { frame: Some(k), values: values.into() };
                t.ingest(&Record { stream: Arc::new(stream.parse().unwrap()), seq: k, at, body });
            };
            put("face", &look);
            if k != 8 {
                put("affect", &[0.25; affect::FIELDS]);
            }
        }
        t
    }

    #[test]
    fn every_look_has_its_numbers_and_stretches_say_why() {
        let looks = sample_quality(&timeline());
        assert_eq!(looks.len(), 10);
        assert!((looks[1].interval_s - 0.1).abs() < 1e-6 && looks[0].interval_s.is_nan());
        assert_eq!(looks[7].valence_sd, 0.25);
        assert!(looks[8].valence_sd.is_nan(), "that frame was not scored");
        let limits = QualityLimits::default();
        let stretches = poor_stretches(&looks, &limits);
        let found: Vec<_> =
            stretches.iter().map(|s| (s.from.as_ns() / 1_000_000, s.until.as_ns() / 1_000_000, s.flaw)).collect();
        assert_eq!(found, [(300, 600, Flaw::Turned), (600, 700, Flaw::Light)]);
        assert_eq!(poor_stretches(&looks, &QualityLimits::NONE), []);
        let strict = QualityLimits { max_sd: Some(0.2), ..QualityLimits::NONE };
        assert_eq!(looks.iter().filter(|l| strict.flaw(l) == Some(Flaw::Uncertain)).count(), 9);
        assert_eq!(sample_quality(&Timeline::default()), []);
    }
}
