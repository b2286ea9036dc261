//! 68 points, the head's pose, and the probability that a crop shows a face.

use serde::Serialize;

use super::chain_card::{CropCard, FaceCard};
use super::chain_check::landmark_tables;
use super::detector::Detection;
use super::geometry::{Crop, LANDMARKS, Point, Rect, angle_deg, distance, eye_centres, wrap_deg};
use super::model::{ModelKind, Network};
use super::picture::Picture;
use super::resample::Resampler;
use super::{Runtime, VisionError};

/// Right-handed camera frame: x right in the picture, y down, z away from the camera. R = Rz(roll)·Ry(−yaw)·Rx(pitch).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pose {
    /// Positive: the face is turned towards image-right.
    pub yaw_deg: f32,
    /// Positive: the nose points down.
    pub pitch_deg: f32,
    /// Positive: the head is rotated clockwise in the picture.
    pub roll_deg: f32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// iBUG 300-W order, picture px.
    pub points: [Point; LANDMARKS],
    pub pose: Pose,
    /// 0 … 1.
    pub face_probability: f32,
}

impl Shape {
    /// The smallest rectangle around the 68 points: brows to chin.
    pub fn rect(&self) -> Rect {
        Rect::around(&self.points)
    }

    /// The mean distance of eye centres, nose tip and corners of the mouth from the detection's five points.
    fn distance_px(&self, detection: &Detection) -> f32 {
        let [left, right] = eye_centres(&self.points);
        let own = [left, right, self.points[30], self.points[48], self.points[54]];
        let sum_px: f32 = own.iter().zip(&detection.points).map(|(a, b)| distance(*a, *b)).sum();
        sum_px / 5.0
    }
}

#[derive(Debug)]
pub struct Landmarks {
    network: Network,
    crop: CropCard,
    face_limits: FaceCard,
    points: usize,
    pose: usize,
    face: usize,
    resampler: Resampler,
}

impl Landmarks {
    pub fn load(runtime: &Runtime, folder: &std::path::Path) -> Result<Landmarks, VisionError> {
        let network = Network::load(runtime, folder, ModelKind::Landmarks)?;
        network.require_grey()?;
        let (width, height) = (network.format().width_px, network.format().height_px);
        if width != height {
            return Err(network.card().misfit("`input.shape`", "a square", format!("{width}×{height} px")));
        }
        let (crop, face_limits) = landmark_tables(network.card())?;
        Ok(Landmarks {
            crop,
            face_limits,
            points: network.require_output("points", &[Some(1), Some(2 * LANDMARKS as i64)])?,
            pose: network.require_output("pose", &[Some(1), Some(3)])?,
            face: network.require_output("face", &[Some(1), Some(1)])?,
            network,
            resampler: Resampler::default(),
        })
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The square crop around a detection, level with the eyes.
    pub fn crop_of(&self, detection: &Detection) -> Crop {
        Crop {
            centre: detection.rect.centre(),
            side_px: self.crop.detection_sides * detection.rect.longest_side(),
            roll_deg: angle_deg(detection.points[0], detection.points[1]),
        }
    }

    /// The crop in which the same face is expected in the next picture.
    pub fn next_crop(&self, shape: &Shape) -> Crop {
        let rect = shape.rect();
        let [left, right] = eye_centres(&shape.points);
        let side_px = self.crop.tracking_sides * rect.longest_side();
        Crop { centre: rect.centre(), side_px, roll_deg: angle_deg(left, right) }
    }

    /// Whether a detection is this face. Both networks were trained independently. On a face they find eyes, nose tip
    /// and corners of the mouth in the same places. On anything else that resembles a face they do not.
    pub fn agree(&self, shape: &Shape, detection: &Detection) -> bool {
        let max_px = self.face_limits.max_disagreement_sides * detection.rect.longest_side();
        shape.distance_px(detection) <= max_px
    }

    pub fn locate(&mut self, picture: Picture, crop: &Crop) -> Result<Shape, VisionError> {
        let (format, input) = self.network.input_mut();
        let size = format.width_px;
        self.resampler.fill(picture, &crop.to_picture(size), format, [size, size], input);
        self.network.run()?;
        let (points, pose) = (self.network.output(self.points), self.network.output(self.pose));
        Ok(Shape {
            points: std::array::from_fn(|k| crop.point_from_fraction([points[2 * k], points[2 * k + 1]])),
            pose: Pose {
                yaw_deg: pose[0],
                pitch_deg: pose[1],
                // A rotation of the picture about the viewing axis changes only the roll.
                roll_deg: wrap_deg(pose[2] + crop.roll_deg),
            },
            face_probability: self.network.output(self.face)[0],
        })
    }

    /// Whether this is a face that can be followed: its probability, position and size. `false` for NaN.
    pub fn accepts(&self, shape: &Shape, picture: Picture) -> bool {
        let rect = shape.rect();
        let (width, height) = (picture.width_px() as f32, picture.height_px() as f32);
        let whole = Rect { left: 0.0, top: 0.0, width, height };
        shape.face_probability >= self.face_limits.min_probability
            && shape.points.as_flattened().iter().all(|v| v.is_finite())
            && (self.face_limits.min_side_px..=2.0 * width.max(height)).contains(&rect.longest_side())
            && whole.contains(rect.centre())
    }

    /// The face of a detection, or `None`. The network runs twice, the second time on the crop that tracking would use.
    /// The first sample of a face is thus computed in the same way as all later ones.
    pub fn find(&mut self, picture: Picture, detection: &Detection) -> Result<Option<Shape>, VisionError> {
        let rough = self.locate(picture, &self.crop_of(detection))?;
        if !self.accepts(&rough, picture) {
            return Ok(None);
        }
        let fine = self.locate(picture, &self.next_crop(&rough))?;
        let is_face = self.accepts(&fine, picture)
            && fine.face_probability >= self.face_limits.min_new_probability
            && self.agree(&fine, detection);
        Ok(is_face.then_some(fine))
    }

    /// Writes the last crop of [`Landmarks::locate`] as grey levels 0 … 255, row by row. Returns its side in px.
    pub fn last_crop_grey(&mut self, grey: &mut Vec<f32>) -> usize {
        let (format, input) = self.network.input_mut();
        let (mean, std) = (format.mean[0], format.std[0]);
        grey.clear();
        grey.extend(input.iter().map(|v| v * std + mean));
        format.width_px
    }
}
