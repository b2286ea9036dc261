//! Scores all faces of a picture file, for `affectograph score`. Networks and alignment are those of a recording. Results
//! that are checked here are therefore valid for recordings.

use std::io::Cursor;
use std::path::Path;
use std::time::Instant;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader};
use serde::Serialize;
use serde_json::{Map, Value};

use super::VisionError;
use super::actions::FaceActions;
use super::affect::Affect;
use super::geometry::{Point, Rect, eye_openness, mouth_openness};
use super::landmarks::{Pose, Shape};
use super::picture::{Colour, OwnedPicture, Picture};
use super::reading::StepTimes;
use super::timing::{ms_since, timed};
use super::tracker::Models;
use capture::JpegCheck;
use session::{EXPRESSIONS, EYES_FIELDS, FACE_ACTIONS, path_text};

/// One line of `affectograph score`. Numbers that the networks do not compute are null.
#[derive(Clone, Debug, Serialize)]
pub struct PictureScore {
    /// Bytes of a file name that are not text are written as `\xE9`.
    pub picture: String,
    /// The file is incomplete or damaged. It was not scored.
    pub damaged: bool,
    /// The damage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
    /// After the rotation that its EXIF data requests. `None` if a damaged picture does not contain the size.
    pub width_px: Option<u32>,
    pub height_px: Option<u32>,
    /// The affect network with its version.
    pub model: String,
    /// The highest score first.
    pub faces: Vec<FaceScore>,
    pub ms: PictureTimes,
}

#[derive(Clone, Debug, Serialize)]
pub struct FaceScore {
    /// The detector's box; for a cropped picture, the whole picture.
    #[serde(rename = "box")]
    pub rect: Rect,
    /// The detector's probability; null for a cropped picture.
    pub score: Option<f32>,
    /// The result of the landmark network. Null for a cropped picture, on which it does not run.
    pub shape: Option<ShapeScore>,
    pub valence: Option<f32>,
    pub arousal: Option<f32>,
    pub valence_sd: Option<f32>,
    pub arousal_sd: Option<f32>,
    /// Probabilities by name, of the expressions that the network has.
    pub expression: Map<String, Value>,
    /// Fields of the stream `action`, by name. Null for a cropped picture, and if no network of facial actions is installed.
    pub action: Option<Map<String, Value>>,
    /// Fields of the stream `eyes`, by name. Null as `action`.
    pub eyes: Option<Map<String, Value>>,
    pub ms: FaceTimes,
}

#[derive(Clone, Debug, Serialize)]
pub struct ShapeScore {
    /// Probability that this is a face.
    pub face: f32,
    /// iBUG 300-W order, picture px.
    pub points: Vec<Point>,
    pub pose: Pose,
    pub eye_openness: [f32; 2],
    pub mouth_openness: f32,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct PictureTimes {
    pub decode: f32,
    pub detector: Option<f32>,
    /// Everything, including the faces.
    pub total: f32,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct FaceTimes {
    pub landmarks: Option<f32>,
    pub affect: Option<f32>,
    pub actions: Option<f32>,
}

#[derive(Debug)]
pub struct Scorer {
    models: Models,
}

impl Scorer {
    pub fn new(models: Models) -> Scorer {
        Scorer { models }
    }

    /// Scores all faces of a picture file that the landmark network confirms. With `is_cropped`, the picture is one aligned
    /// face, as in FER+, and is stretched over the affect network's input.
    pub fn score(&mut self, path: &Path, is_cropped: bool) -> Result<PictureScore, VisionError> {
        let started = Instant::now();
        let owned = match read(path)? {
            Read::Whole(owned) => owned,
            Read::Damaged { size_px, why } => return Ok(self.damaged(path, size_px, why, started)),
        };
        let decode = ms_since(started);
        let picture = owned.as_picture()?;
        let mut detector = None;
        let faces = if is_cropped {
            vec![self.cropped(picture)?]
        } else {
            let detections = timed(&mut detector, || self.models.detector.detect(picture))?.to_vec();
            let mut faces = Vec::new();
            for detection in detections {
                let mut ms = FaceTimes::default();
                let Some(shape) = timed(&mut ms.landmarks, || self.models.landmarks.find(picture, &detection))? else {
                    continue;
                };
                let mut step_ms = StepTimes::default();
                let values = self.models.face.read(picture, &shape.points, &mut step_ms)?;
                (ms.affect, ms.actions) = (step_ms.affect_ms, step_ms.actions_ms);
                if let Some((affect, actions)) = values {
                    let score = face_score(detection.rect, Some(detection.score), Some(&shape), affect, ms);
                    faces.push(score.with_actions(actions.as_ref()));
                }
            }
            faces
        };
        Ok(PictureScore {
            picture: path_text(path),
            damaged: false,
            damage: None,
            width_px: Some(owned.width_px),
            height_px: Some(owned.height_px),
            model: self.model(),
            faces,
            ms: PictureTimes { decode, detector, total: ms_since(started) },
        })
    }

    fn damaged(&self, path: &Path, size_px: Option<(u32, u32)>, why: String, started: Instant) -> PictureScore {
        let decode = ms_since(started);
        PictureScore {
            picture: path_text(path),
            damaged: true,
            damage: Some(why),
            width_px: size_px.map(|s| s.0),
            height_px: size_px.map(|s| s.1),
            model: self.model(),
            faces: Vec::new(),
            ms: PictureTimes { decode, detector: None, total: decode },
        }
    }

    fn model(&self) -> String {
        let card = self.models.face.affect.network().card();
        format!("{} {}", card.name, card.version)
    }

    fn cropped(&mut self, picture: Picture) -> Result<FaceScore, VisionError> {
        let mut ms = FaceTimes::default();
        let affect = timed(&mut ms.affect, || self.models.face.affect.read_cropped(picture))?;
        let (width, height) = (picture.width_px() as f32, picture.height_px() as f32);
        Ok(face_score(Rect { left: 0.0, top: 0.0, width, height }, None, None, affect, ms))
    }
}

fn face_score(rect: Rect, score: Option<f32>, shape: Option<&Shape>, affect: Affect, ms: FaceTimes) -> FaceScore {
    let known = |v: f32| Some(v).filter(|v| v.is_finite());
    let probabilities = EXPRESSIONS.iter().zip(affect.expression).filter(|(_, p)| p.is_finite());
    FaceScore {
        rect,
        score,
        shape: shape.map(|s| ShapeScore {
            face: s.face_probability,
            points: s.points.to_vec(),
            pose: s.pose,
            eye_openness: eye_openness(&s.points),
            mouth_openness: mouth_openness(&s.points),
        }),
        valence: known(affect.valence),
        arousal: known(affect.arousal),
        valence_sd: known(affect.valence_sd),
        arousal_sd: known(affect.arousal_sd),
        expression: probabilities.map(|(name, p)| ((*name).to_owned(), Value::from(p))).collect(),
        action: None,
        eyes: None,
        ms,
    }
}

impl FaceScore {
    fn with_actions(self, actions: Option<&FaceActions>) -> FaceScore {
        let action = actions.map(|a| known_by_name(FACE_ACTIONS.map(|action| action.name), a.actions));
        let eyes = actions.map(|a| known_by_name(EYES_FIELDS, a.eye_values()));
        FaceScore { action, eyes, ..self }
    }
}

/// Numbers that the network does not compute are left out.
fn known_by_name<const N: usize>(names: [&str; N], values: [f32; N]) -> Map<String, Value> {
    let known = names.into_iter().zip(values).filter(|(_, value)| value.is_finite());
    known.map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

enum Read {
    Whole(OwnedPicture),
    Damaged { size_px: Option<(u32, u32)>, why: String },
}

/// Reads PNG or JPEG, rotated as its EXIF data requests. Colours are kept. The networks' pre-processing converts them to
/// grey, as in training. A file that begins as a picture and cannot be read to its end is damaged. Any other file is an
/// error.
fn read(path: &Path) -> Result<Read, VisionError> {
    let unreadable = |why: String| VisionError::PictureUnreadable { path: path.to_owned(), why };
    let bytes = std::fs::read(path).map_err(|e| unreadable(e.to_string()))?;
    if bytes.is_empty() {
        return Err(unreadable("the file is empty".to_owned()));
    }
    let reader = ImageReader::new(Cursor::new(&bytes)).with_guessed_format().map_err(|e| unreadable(e.to_string()))?;
    let Some(format) = reader.format() else {
        return Err(unreadable("it is neither JPEG nor PNG".to_owned()));
    };
    let mut decoder = match reader.into_decoder() {
        Ok(decoder) => decoder,
        Err(e @ ImageError::Unsupported(_)) => return Err(unreadable(e.to_string())),
        Err(e) => return Ok(Read::Damaged { size_px: None, why: e.to_string() }),
    };
    // A file without a valid orientation is upright.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let size_px = Some(decoder.dimensions());
    // The decoder replaces missing parts with grey and reports no error.
    if format == ImageFormat::Jpeg
        && let Err(why) = JpegCheck::default().whole_len(&bytes, None)
    {
        return Ok(Read::Damaged { size_px, why: format!("the JPEG {why}") });
    }
    let mut decoded = match DynamicImage::from_decoder(decoder) {
        Ok(decoded) => decoded,
        Err(e @ (ImageError::Unsupported(_) | ImageError::Limits(_))) => return Err(unreadable(e.to_string())),
        Err(e) => return Ok(Read::Damaged { size_px, why: e.to_string() }),
    };
    decoded.apply_orientation(orientation);
    let rgb = decoded.into_rgb8();
    let (width_px, height_px) = rgb.dimensions();
    Ok(Read::Whole(OwnedPicture { width_px, height_px, colour: Colour::Rgb, pixels: rgb.into_raw() }))
}
