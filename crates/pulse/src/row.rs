//! One frame of the stream `skin`.

use session::{Timestamp, skin};

/// Mean colour of one patch of a frame. Colours are levels of the picture, 0 … 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patch {
    pub rgb: [f64; 3],
    pub pixels: f64,
    pub clipped_share: f64,
}

impl Patch {
    pub const MISSING: Patch = Patch { rgb: [f64::NAN; 3], pixels: 0.0, clipped_share: f64::NAN };
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SkinRow {
    pub at: Timestamp,
    /// Forehead, image-left cheek, image-right cheek.
    pub skin: [Patch; skin::REGIONS],
    pub background: Patch,
    /// Mean of the landmarks.
    pub face_px: [f64; 2],
    pub inter_ocular_px: f64,
    pub mouth_openness: f64,
}

impl SkinRow {
    /// `value(k)` is field `k` of the stream `skin`.
    pub fn new(at: Timestamp, value: impl Fn(usize) -> f32) -> SkinRow {
        let value = |k| f64::from(value(k));
        let patch = |k: usize| {
            let first = k * skin::PATCH_FIELDS;
            Patch {
                rgb: [skin::RED, skin::GREEN, skin::BLUE].map(|c| value(first + c)),
                pixels: value(first + skin::PIXELS),
                clipped_share: value(first + skin::CLIPPED),
            }
        };
        SkinRow {
            at,
            skin: std::array::from_fn(patch),
            background: patch(skin::BACKGROUND),
            face_px: [value(skin::FACE_X), value(skin::FACE_Y)],
            inter_ocular_px: value(skin::INTER_OCULAR),
            mouth_openness: value(skin::MOUTH_OPENNESS),
        }
    }
}
