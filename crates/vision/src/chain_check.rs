//! The constants of the vision chain in a card are checked before a recording: useless values would find no face.

use super::VisionError;
use super::chain_card::{CropCard, DetectionCard, FaceCard, TrackingCard};
use super::model::ModelCard;

/// The permitted values of a constant.
#[derive(Clone, Copy)]
enum Allowed {
    /// Shares and probabilities.
    Share,
    /// Probabilities that neither accept nor refuse everything.
    Between0And1,
    /// Lengths and counts.
    Positive,
}

impl Allowed {
    fn contains(self, value: f32) -> bool {
        match self {
            Allowed::Share => (0.0..=1.0).contains(&value),
            Allowed::Between0And1 => value > 0.0 && value < 1.0,
            Allowed::Positive => value > 0.0 && value.is_finite(),
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Allowed::Share => "a number from 0 to 1",
            Allowed::Between0And1 => "a number above 0 and below 1",
            Allowed::Positive => "a number above 0",
        }
    }
}

/// Refuses values with which no face would ever be found.
fn check(card: &ModelCard, values: &[(&str, f32, Allowed)]) -> Result<(), VisionError> {
    match values.iter().find(|(_, value, allowed)| !allowed.contains(*value)) {
        Some((name, value, allowed)) => Err(card.misfit(format!("`{name}`"), allowed.expected(), value.to_string())),
        None => Ok(()),
    }
}

/// The tables that a detector's card must have.
pub fn detector_tables(card: &ModelCard) -> Result<(DetectionCard, TrackingCard), VisionError> {
    let (Some(detection), Some(tracking)) = (card.detection, card.tracking) else {
        return Err(card.misfit("model.toml", "the tables `[detection]` and `[tracking]`", "no such table"));
    };
    check(
        card,
        &[
            ("detection.max_overlap", detection.max_overlap, Allowed::Share),
            ("detection.max_candidates", detection.max_candidates as f32, Allowed::Positive),
            ("tracking.max_unconfirmed", tracking.max_unconfirmed as f32, Allowed::Positive),
            ("tracking.near_sides", tracking.near_sides, Allowed::Positive),
            ("tracking.same_face_share_inside", tracking.same_face_share_inside, Allowed::Share),
            ("tracking.same_face_overlap", tracking.same_face_overlap, Allowed::Share),
            ("tracking.corner_penalty", tracking.corner_penalty, Allowed::Share),
        ],
    )?;
    Ok((detection, tracking))
}

/// The tables that a landmark network's card must have.
pub fn landmark_tables(card: &ModelCard) -> Result<(CropCard, FaceCard), VisionError> {
    let (Some(crop), Some(face)) = (card.crop, card.face) else {
        return Err(card.misfit("model.toml", "the tables `[crop]` and `[face]`", "no such table"));
    };
    check(
        card,
        &[
            ("crop.detection_sides", crop.detection_sides, Allowed::Positive),
            ("crop.tracking_sides", crop.tracking_sides, Allowed::Positive),
            ("face.min_probability", face.min_probability, Allowed::Between0And1),
            ("face.min_new_probability", face.min_new_probability, Allowed::Share),
            ("face.min_side_px", face.min_side_px, Allowed::Positive),
            ("face.max_disagreement_sides", face.max_disagreement_sides, Allowed::Positive),
        ],
    )?;
    Ok((crop, face))
}
