//! The result of one frame, and its conversion to the values of the session's streams.

use serde::Serialize;

use super::actions::FaceActions;
use super::affect::Affect;
use super::geometry::{LANDMARKS, Point, Rect, eye_openness, mouth_openness};
use super::landmarks::{Pose, Shape};
use super::quality::Quality;
use session::{FACE_ACTIONS, affect, eyes, face};

#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Number of faces in the picture, including the participant's. The others are those of the last run of the detector,
    /// at most `recount_interval_ms` ago.
    pub faces: u32,
    /// The participant's face.
    pub face: Option<FaceReading>,
    pub step_ms: StepTimes,
}

/// The networks' results for one face. Nothing is smoothed, clipped or taken from earlier frames.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceReading {
    /// The smallest rectangle around the 68 points: brows to chin.
    pub rect: Rect,
    /// The landmark network's probability that this is a face.
    pub score: f32,
    /// iBUG 300-W order, picture px.
    pub points: [Point; LANDMARKS],
    pub pose: Pose,
    /// Image-left, image-right.
    pub eye_openness: [f32; 2],
    pub mouth_openness: f32,
    pub quality: Quality,
    pub affect: Affect,
    /// `None` if no network of facial actions is installed.
    pub actions: Option<FaceActions>,
}

/// The duration of each part of a step. `None`: the part did not run for this frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct StepTimes {
    pub detector_ms: Option<f32>,
    pub landmarks_ms: Option<f32>,
    pub affect_ms: Option<f32>,
    pub actions_ms: Option<f32>,
    /// The whole step, without decoding the frame.
    pub total_ms: f32,
}

impl FaceReading {
    pub fn new(shape: Shape, quality: Quality, affect: Affect, actions: Option<FaceActions>) -> FaceReading {
        FaceReading {
            rect: shape.rect(),
            score: shape.face_probability,
            eye_openness: eye_openness(&shape.points),
            mouth_openness: mouth_openness(&shape.points),
            points: shape.points,
            pose: shape.pose,
            quality,
            affect,
            actions,
        }
    }

    /// A sample of the `affect` stream.
    pub fn affect_values(&self) -> [f32; affect::FIELDS] {
        let mut values = [f32::NAN; affect::FIELDS];
        values[affect::VALENCE] = self.affect.valence;
        values[affect::AROUSAL] = self.affect.arousal;
        values[affect::VALENCE_SD] = self.affect.valence_sd;
        values[affect::AROUSAL_SD] = self.affect.arousal_sd;
        values[affect::EXPRESSION_0..].copy_from_slice(&self.affect.expression);
        values
    }

    /// A sample of the `action` stream.
    pub fn action_values(&self) -> Option<[f32; FACE_ACTIONS.len()]> {
        self.actions.as_ref().map(|actions| actions.actions)
    }

    /// A sample of the `eyes` stream.
    pub fn eye_values(&self) -> Option<[f32; eyes::FIELDS]> {
        self.actions.as_ref().map(FaceActions::eye_values)
    }

    /// A sample of the `landmarks` stream.
    pub fn landmark_values(&self) -> [f32; 2 * LANDMARKS] {
        std::array::from_fn(|k| self.points[k / 2][k % 2])
    }
}

impl Reading {
    /// A sample of the `face` stream. `None` if there is no face.
    pub fn face_values(&self) -> Option<[f32; face::FIELDS]> {
        let f = self.face.as_ref()?;
        let mut values = [f32::NAN; face::FIELDS];
        values[face::BOX_LEFT] = f.rect.left;
        values[face::BOX_TOP] = f.rect.top;
        values[face::BOX_WIDTH] = f.rect.width;
        values[face::BOX_HEIGHT] = f.rect.height;
        values[face::SCORE] = f.score;
        values[face::YAW] = f.pose.yaw_deg;
        values[face::PITCH] = f.pose.pitch_deg;
        values[face::ROLL] = f.pose.roll_deg;
        values[face::EYE_OPENNESS_LEFT] = f.eye_openness[0];
        values[face::EYE_OPENNESS_RIGHT] = f.eye_openness[1];
        values[face::MOUTH_OPENNESS] = f.mouth_openness;
        values[face::INTER_OCULAR] = f.quality.inter_ocular_px;
        values[face::BRIGHTNESS] = f.quality.brightness;
        values[face::SHARPNESS] = f.quality.sharpness;
        values[face::FACES] = self.faces as f32;
        values[face::INFERENCE_MS] = self.step_ms.total_ms;
        Some(values)
    }

    /// A sample of the `affect` stream. `None` if there is no face.
    pub fn affect_values(&self) -> Option<[f32; affect::FIELDS]> {
        self.face.as_ref().map(FaceReading::affect_values)
    }

    /// A sample of the `landmarks` stream. `None` if there is no face.
    pub fn landmark_values(&self) -> Option<[f32; 2 * LANDMARKS]> {
        self.face.as_ref().map(FaceReading::landmark_values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_streams_is_filled() {
        let shape = Shape {
            points: std::array::from_fn(|k| [k as f32, 2.0 * k as f32 + (k % 7) as f32]),
            pose: Pose { yaw_deg: 1.0, pitch_deg: 2.0, roll_deg: 3.0 },
            face_probability: 0.9,
        };
        let quality = Quality { brightness: 0.5, sharpness: 100.0, inter_ocular_px: 60.0 };
        let affect = Affect {
            valence: 0.1,
            arousal: 0.2,
            valence_sd: 0.3,
            arousal_sd: 0.4,
            expression: std::array::from_fn(|k| k as f32 / 28.0),
        };
        let face = FaceReading::new(shape, quality, affect, None);
        let step_ms = StepTimes { total_ms: 2.5, ..StepTimes::default() };
        let reading = Reading { faces: 2, face: Some(face), step_ms };
        assert!(reading.face_values().unwrap().iter().all(|v| v.is_finite()));
        assert_eq!(reading.affect_values().unwrap()[..5], [0.1, 0.2, 0.3, 0.4, 0.0]);
        assert_eq!(reading.landmark_values().unwrap()[134..], [67.0, 138.0]);
        let nobody = Reading { face: None, ..reading };
        assert_eq!((nobody.face_values(), nobody.affect_values(), nobody.landmark_values()), (None, None, None));
    }
}
