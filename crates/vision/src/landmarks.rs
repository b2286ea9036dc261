//! 68 points, the head's pose, and whether the crop shows a face at all.

use serde::Serialize;

use super::detector::Detection;
use super::geometry::{Crop, LANDMARKS, Point, Rect, angle_deg, distance, eye_centres, wrap_deg};
use super::model::{ModelKind, Network};
use super::picture::Picture;
use super::resample::Resampler;
use super::{Runtime, VisionError};

/// Of a crop around 68 points, in the longest side of their box: what the network was trained on.
const TRACKING_SIDES: f32 = 1.45;
/// The figure in the card that says below which probability a crop shows no face any more; 0.5 where the card has none.
const THRESHOLD_FIGURE: &str = "face_threshold";
/// How far apart the five points of both networks may be on average, in longest sides of the detector's box. Less would
/// refuse turned faces; the detector's card says how it was chosen, and `training/detector_confirm.py` measures with it.
const MAX_DISAGREEMENT: f32 = 0.2;
/// How sure the network must be of a face that was not there before; one that is followed may be less certain, turned or
/// covered. The detector's card says what this finds and what it lets pass; `training/detector_confirm.py` has it, too.
const MIN_NEW_FACE_PROBABILITY: f32 = 0.99;
/// A face whose brows and chin are closer than this says nothing.
const MIN_FACE_PX: f32 = 12.0;

/// Right-handed camera frame: x right in the picture, y down, z away from the camera. R = Rz(roll)·Ry(−yaw)·Rx(pitch).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pose {
    /// Positive: the face turned towards image-right.
    pub yaw_deg: f32,
    /// Positive: the nose down.
    pub pitch_deg: f32,
    /// Positive: the head turned clockwise in the picture.
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

    /// Whether a detection means this face: two networks, trained on their own, put eyes, nose tip and corners of the
    /// mouth in the same places. On what only looks like a face to one of them they do not.
    pub fn agrees_with(&self, detection: &Detection) -> bool {
        let [left, right] = eye_centres(&self.points);
        let own = [left, right, self.points[30], self.points[48], self.points[54]];
        let apart: f32 = own.iter().zip(&detection.points).map(|(a, b)| distance(*a, *b)).sum();
        apart / 5.0 <= MAX_DISAGREEMENT * detection.rect.longest_side()
    }

    /// Where to look for the same face in the next picture.
    pub fn next_crop(&self) -> Crop {
        let rect = self.rect();
        let [left, right] = eye_centres(&self.points);
        Crop { centre: rect.centre(), side_px: TRACKING_SIDES * rect.longest_side(), roll_deg: angle_deg(left, right) }
    }
}

#[derive(Debug)]
pub struct Landmarks {
    network: Network,
    face_threshold: f32,
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
        let face_threshold = network.card().number(THRESHOLD_FIGURE).unwrap_or(0.5);
        if !(face_threshold > 0.0 && face_threshold < 1.0) {
            let expected = format!("`{THRESHOLD_FIGURE}` between 0 and 1");
            return Err(network.card().misfit("its figures", expected, face_threshold.to_string()));
        }
        Ok(Landmarks {
            face_threshold: face_threshold as f32,
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

    /// Below this probability there is no face in the crop.
    pub fn face_threshold(&self) -> f32 {
        self.face_threshold
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
                // Turning the picture about the viewing axis adds to roll and changes nothing else.
                roll_deg: wrap_deg(pose[2] + crop.roll_deg),
            },
            face_probability: self.network.output(self.face)[0],
        })
    }

    /// Whether this is a face at a place and of a size that can be followed. NaN never is.
    pub fn accepts(&self, shape: &Shape, picture: Picture) -> bool {
        let rect = shape.rect();
        let (width, height) = (picture.width_px() as f32, picture.height_px() as f32);
        let whole = Rect { left: 0.0, top: 0.0, width, height };
        shape.face_probability >= self.face_threshold
            && shape.points.as_flattened().iter().all(|v| v.is_finite())
            && (MIN_FACE_PX..=2.0 * width.max(height)).contains(&rect.longest_side())
            && whole.contains(rect.centre())
    }

    /// The face that a detection means, or `None`. Looks twice, the second time through the crop that tracking would
    /// take, so that a face's first sample is read in the same way as all that follow.
    pub fn find(&mut self, picture: Picture, detection: &Detection) -> Result<Option<Shape>, VisionError> {
        let rough = self.locate(picture, &detection.crop())?;
        if !self.accepts(&rough, picture) {
            return Ok(None);
        }
        let fine = self.locate(picture, &rough.next_crop())?;
        let is_face = self.accepts(&fine, picture)
            && fine.face_probability >= MIN_NEW_FACE_PROBABILITY
            && fine.agrees_with(detection);
        Ok(is_face.then_some(fine))
    }

    /// The crop that [`Landmarks::locate`] last looked at, as grey levels 0 … 255, row by row, and its side in px.
    pub fn last_crop_grey(&mut self, grey: &mut Vec<f32>) -> usize {
        let (format, input) = self.network.input_mut();
        let (mean, std) = (format.mean[0], format.std[0]);
        grey.clear();
        grey.extend(input.iter().map(|v| v * std + mean));
        format.width_px
    }
}
