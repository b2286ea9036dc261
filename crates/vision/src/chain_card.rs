//! The tables of `model.toml` with the constants of the vision chain. The cards in `models/` are the only place of these
//! values. The client and the training read them from there, too.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How the detections of one frame are used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionCard {
    /// Of two boxes with a larger intersection over union, only the one with the higher score is kept.
    pub max_overlap: f32,
    /// The landmark network checks at most this number of detections in one frame. It bounds the time for a crowd.
    pub max_candidates: usize,
}

/// How one face is followed from frame to frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackingCard {
    /// The detector runs at this interval while a face is followed, to count the other faces.
    pub recount_interval_ms: u32,
    /// A followed face is given up after this number of consecutive detector runs that do not confirm it. A face that
    /// only the landmark network accepts is thus not recorded for long.
    pub max_unconfirmed: u32,
    /// A face that comes back within this time and near its last position is the same face.
    pub remembered_ms: u32,
    /// Near: closer than this number of longest sides of the box.
    pub near_sides: f32,
    /// A detection is the followed face if more than this share of the face's box lies inside the detection, …
    pub same_face_share_inside: f32,
    /// … or if the intersection over union is larger than this.
    pub same_face_overlap: f32,
    /// The area of a detection in a corner of the picture counts less by this share.
    pub corner_penalty: f32,
}

impl TrackingCard {
    pub fn recount_interval(&self) -> Duration {
        Duration::from_millis(self.recount_interval_ms.into())
    }

    pub fn remembered(&self) -> Duration {
        Duration::from_millis(self.remembered_ms.into())
    }
}

/// Side of the square crop around a face. The landmark network was trained with these crops.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CropCard {
    /// In longest sides of the detector's box.
    pub detection_sides: f32,
    /// In longest sides of the box around the previous 68 points.
    pub tracking_sides: f32,
}

/// When a crop is accepted as a face.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaceCard {
    /// Probability of a face that is followed.
    pub min_probability: f32,
    /// Probability of a new face. It is higher than that of a followed face, which may be turned or covered. The
    /// detector's card lists what this finds and what it lets pass.
    pub min_new_probability: f32,
    /// Longest side of the box around the 68 points.
    pub min_side_px: f32,
    /// Mean distance between the five points of both networks, in longest sides of the detector's box. A smaller value
    /// refuses turned faces. The detector's card describes the choice.
    pub max_disagreement_sides: f32,
}
