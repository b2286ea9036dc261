//! One step per frame: detect, then track. The detector runs on the whole picture only if the participant's face was lost,
//! and at an interval to count the others. In between, the landmark network finds the face at its last position.
//!
//! Each frame's own values are stored. Nothing is smoothed: an analyst can smooth raw values, but cannot undo smoothing.

use std::path::Path;
use std::time::Instant;

use super::chain_card::TrackingCard;
use super::detector::{Detection, Detector};
use super::face_networks::FaceNetworks;
use super::geometry::{Crop, Rect, distance};
use super::landmarks::{Landmarks, Shape};
use super::model::ModelCard;
use super::picture::{Colour, Picture};
use super::quality::{Quality, quality};
use super::reading::{FaceReading, Reading, StepTimes};
use super::timing::{ms_since, timed};
use super::{Runtime, VisionError};
use session::Timestamp;

/// The networks, loaded and checked.
#[derive(Debug)]
pub struct Models {
    pub detector: Detector,
    pub landmarks: Landmarks,
    pub face: FaceNetworks,
}

impl Models {
    /// `folder` has one folder per network. `affect` is the folder that the study selects.
    pub fn load(folder: &Path, affect: &str) -> Result<Models, VisionError> {
        let runtime = Runtime::get()?;
        Ok(Models {
            detector: Detector::load(&runtime, &folder.join("detector"))?,
            landmarks: Landmarks::load(&runtime, &folder.join("landmarks"))?,
            face: FaceNetworks::load(&runtime, folder, affect)?,
        })
    }

    /// The cards of all networks, for a session's header. The last one is the card of the affect network.
    pub fn cards(&self) -> Vec<&ModelCard> {
        let tracking = [self.detector.network().card(), self.landmarks.network().card()];
        tracking.into_iter().chain(self.face.actions_card()).chain([self.face.affect.network().card()]).collect()
    }
}

/// The vision chain. Its input is the frames of one recording, in order.
#[derive(Debug)]
pub struct Vision {
    models: Models,
    /// The crop in which the participant's face is expected in the next picture.
    next_crop: Option<Crop>,
    last_seen: Option<(Rect, Timestamp)>,
    detected_at: Option<Timestamp>,
    other_faces: u32,
    unconfirmed: u32,
    /// The participant's crop in this picture, `side_px`² grey levels.
    crop_grey: Vec<f32>,
    side_px: usize,
}

/// The faces of one frame, before the networks read them.
#[derive(Debug)]
pub struct Tracked {
    face: Option<(Shape, Quality)>,
    other_faces: u32,
    step_ms: StepTimes,
}

impl Tracked {
    /// Reads the face in the same picture. The result depends on no other frame, so frames can be read in any order.
    pub fn read(self, networks: &mut FaceNetworks, picture: Picture) -> Result<Reading, VisionError> {
        let started = Instant::now();
        let Tracked { face, other_faces, mut step_ms } = self;
        let mut reading = None;
        if let Some((shape, quality)) = face {
            let values = networks.read(picture, &shape.points, &mut step_ms)?;
            reading = values.map(|(affect, actions)| FaceReading::new(shape, quality, affect, actions));
        }
        let faces = other_faces + u32::from(reading.is_some());
        step_ms.total_ms += ms_since(started);
        Ok(Reading { faces, face: reading, step_ms })
    }
}

impl Vision {
    pub fn new(models: Models) -> Vision {
        Vision {
            models,
            next_crop: None,
            last_seen: None,
            detected_at: None,
            other_faces: 0,
            unconfirmed: 0,
            crop_grey: Vec::new(),
            side_px: 0,
        }
    }

    pub fn models(&self) -> &Models {
        &self.models
    }

    /// How frames must be decoded. Grey takes less time and is sufficient for our own networks.
    pub fn colour(&self) -> Colour {
        self.models.face.colour()
    }

    /// Resets the tracking for another recording.
    pub fn reset(&mut self) {
        self.next_crop = None;
        self.last_seen = None;
        self.detected_at = None;
        self.other_faces = 0;
        self.unconfirmed = 0;
    }

    /// Reads one frame, captured at the time `at`.
    pub fn step(&mut self, picture: Picture, at: Timestamp) -> Result<Reading, VisionError> {
        self.track(picture, at)?.read(&mut self.models.face, picture)
    }

    /// The part of [`Vision::step`] that depends on earlier frames: everything except the networks that read the face.
    pub fn track(&mut self, picture: Picture, at: Timestamp) -> Result<Tracked, VisionError> {
        let started = Instant::now();
        let mut times = StepTimes::default();
        let found = self.follow(picture, &mut times)?;
        let found = match found {
            Some(shape) if !self.is_count_due(at) => Some(shape),
            found => self.detect(picture, at, found, &mut times)?,
        };
        self.next_crop = found.as_ref().map(|shape| self.models.landmarks.next_crop(shape));
        let face = found.map(|shape| {
            self.last_seen = Some((shape.rect(), at));
            let quality = quality(&self.crop_grey, self.side_px, &shape.points);
            (shape, quality)
        });
        times.total_ms = ms_since(started);
        Ok(Tracked { face, other_faces: self.other_faces, step_ms: times })
    }

    /// The followed face, if it is still there.
    fn follow(&mut self, picture: Picture, times: &mut StepTimes) -> Result<Option<Shape>, VisionError> {
        let Some(crop) = self.next_crop else { return Ok(None) };
        let shape = timed(&mut times.landmarks_ms, || self.models.landmarks.locate(picture, &crop))?;
        if !self.models.landmarks.accepts(&shape, picture) {
            return Ok(None);
        }
        self.side_px = self.models.landmarks.last_crop_grey(&mut self.crop_grey);
        Ok(Some(shape))
    }

    fn is_count_due(&self, at: Timestamp) -> bool {
        // A time before the last one belongs to another video. The faces are counted again.
        let interval = self.models.detector.tracking().recount_interval();
        self.detected_at.is_none_or(|last| !(0..interval.as_nanos() as i64).contains(&at.since_ns(last)))
    }

    /// Runs the detector on the whole picture, finds the participant's face if none is `followed`, and counts the others.
    fn detect(
        &mut self,
        picture: Picture,
        at: Timestamp,
        followed: Option<Shape>,
        times: &mut StepTimes,
    ) -> Result<Option<Shape>, VisionError> {
        let Models { detector, landmarks, .. } = &mut self.models;
        let (tracking, max_candidates) = (*detector.tracking(), detector.detection().max_candidates);
        let detections = timed(&mut times.detector_ms, || detector.detect(picture))?;
        self.detected_at = Some(at);
        let is_confirmed = followed.as_ref().is_none_or(|shape| detections.iter().any(|d| landmarks.agree(shape, d)));
        self.unconfirmed = if is_confirmed { 0 } else { self.unconfirmed + 1 };
        let mut found = followed.filter(|_| self.unconfirmed < tracking.max_unconfirmed);
        let remembered =
            self.last_seen.filter(|(_, when)| at.since_ns(*when) <= tracking.remembered().as_nanos() as i64);
        self.other_faces = 0;
        let started = Instant::now();
        let ordered = candidates(detections, picture, remembered.map(|(rect, _)| rect), &tracking);
        for candidate in ordered.into_iter().take(max_candidates) {
            if found.as_ref().is_some_and(|own| is_same(&own.rect(), &candidate.rect, &tracking)) {
                continue;
            }
            let Some(face) = landmarks.find(picture, &candidate)? else { continue };
            if found.is_some() {
                self.other_faces += 1;
                continue;
            }
            self.side_px = landmarks.last_crop_grey(&mut self.crop_grey);
            self.unconfirmed = 0;
            found = Some(face);
        }
        *times.landmarks_ms.get_or_insert(0.0) += ms_since(started);
        Ok(found)
    }
}

/// Whether a box of the detector contains this face of the landmark network, whose boxes are smaller.
fn is_same(face: &Rect, detected: &Rect, tracking: &TrackingCard) -> bool {
    face.share_inside(detected) > tracking.same_face_share_inside || face.overlap(detected) > tracking.same_face_overlap
}

/// The order in which the participant is searched: first a face near the last position, then the largest and most central.
fn candidates(
    detections: &[Detection],
    picture: Picture,
    remembered: Option<Rect>,
    tracking: &TrackingCard,
) -> Vec<Detection> {
    let middle = [picture.width_px() as f32 / 2.0, picture.height_px() as f32 / 2.0];
    let rank = |d: &Detection| {
        let near = remembered.filter(|r| {
            let reach = tracking.near_sides * r.longest_side().max(d.rect.longest_side());
            distance(r.centre(), d.rect.centre()) < reach
        });
        let off_centre = distance(d.rect.centre(), middle) / middle[0].hypot(middle[1]);
        let prominence = d.rect.area() * (1.0 - tracking.corner_penalty * off_centre.min(1.0));
        (near.is_some(), prominence)
    };
    let mut ordered: Vec<(bool, f32, Detection)> = detections
        .iter()
        .map(|d| {
            let (is_near, prominence) = rank(d);
            (is_near, prominence, *d)
        })
        .collect();
    ordered.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
    ordered.into_iter().map(|(_, _, d)| d).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACKING: TrackingCard = TrackingCard {
        recount_interval_ms: 1000,
        max_unconfirmed: 2,
        remembered_ms: 3000,
        near_sides: 1.5,
        same_face_share_inside: 0.5,
        same_face_overlap: 0.3,
        corner_penalty: 0.5,
    };

    fn face_at(left: f32, top: f32, side: f32) -> Detection {
        Detection { rect: Rect { left, top, width: side, height: side }, score: 0.9, points: [[0.0; 2]; 5] }
    }

    #[test]
    fn the_participant_is_the_largest_and_most_central_and_then_the_same() {
        let pixels = vec![0; 640 * 480];
        let picture = Picture::grey(640, 480, &pixels).unwrap();
        let (central, passer_by) = (face_at(250.0, 160.0, 150.0), face_at(0.0, 0.0, 170.0));
        let first = |remembered| candidates(&[passer_by, central], picture, remembered, &TRACKING)[0];
        assert_eq!(first(None), central);
        assert_eq!(first(Some(Rect { left: 10.0, top: 20.0, width: 100.0, height: 110.0 })), passer_by);
        // The last position is elsewhere. The order is as without one.
        assert_eq!(first(Some(Rect { left: 560.0, top: 430.0, width: 40.0, height: 40.0 })), central);
    }

    #[test]
    fn the_detector_and_the_landmarks_agree_on_one_face() {
        let brows_to_chin = Rect { left: 270.0, top: 200.0, width: 110.0, height: 100.0 };
        assert!(is_same(&brows_to_chin, &face_at(250.0, 160.0, 150.0).rect, &TRACKING));
        assert!(!is_same(&brows_to_chin, &face_at(420.0, 160.0, 150.0).rect, &TRACKING));
    }
}
