//! Computes face and affect from a frame: detector → tracker → alignment → landmarks → affect and facial actions, and the worker thread that
//! runs them. Only this crate uses ort.

mod actions;
mod affect;
mod aligned_face;
mod blinks;
mod chain_card;
mod chain_check;
mod decode;
mod detector;
mod error;
mod face_networks;
mod frame_records;
mod geometry;
mod installed;
mod landmarks;
mod model;
mod picture;
mod quality;
mod reading;
mod resample;
mod runtime;
mod score;
mod skin;
mod tracker;
mod worker;

pub use actions::{ActionsReader, FaceActions, Gaze};
pub use affect::{Affect, AffectReader};
pub use chain_card::{CropCard, DetectionCard, FaceCard, TrackingCard};
pub use decode::decode_picture;
pub use detector::{Detection, Detector};
pub use error::VisionError;
pub use face_networks::FaceNetworks;
pub use frame_records::{FrameRecords, RecordBuilder, VISION_EVENTS, VISION_STREAMS};
pub use geometry::{Affine, Crop, LANDMARKS, Point, Rect, eye_centres, eye_openness, mouth_openness};
pub use installed::{InstalledModel, MODELS_VARIABLE, installed_models, models_folder};
pub use landmarks::{Landmarks, Pose, Shape};
pub use model::{CARD_FILE, Figure, FigureValue, ModelCard, ModelKind, Network};
pub use picture::{Colour, OwnedPicture, Picture};
pub use quality::Quality;
pub use reading::{FaceReading, Reading, StepTimes};
pub use resample::{Channels, InputFormat, Resampler};
pub use runtime::{RUNTIME_VARIABLE, Runtime};
pub use score::{FaceScore, PictureScore, Scorer};
pub use skin::SkinReader;
pub use tracker::{Models, Tracked, Vision};
pub use worker::{Scored, VisionCounters, VisionWorker};
