//! Why the video of a session was not compressed again.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::picture_quality::{PictureQuality, SMALLEST_SSIM, SMALLEST_SSIM_OF_A_PICTURE};
use capture::{CameraError, DecodeError, FilmNotIndexed};
use store::StoreError;

#[derive(Debug, Error)]
pub enum CompactError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ffmpeg(#[from] CameraError),
    #[error(transparent)]
    Jpeg(#[from] DecodeError),
    #[error("the session has no video")]
    NoVideo,
    #[error("the session keeps the film that it was made from: there is no Motion JPEG to compress")]
    KeepsFilm,
    #[error(
        "the session is damaged ({0}): its video was not changed. `affectograph verify` lists the damage; restore the session from a \
         backup first"
    )]
    Damaged(String),
    #[error(
        "the pictures of the session have different samplings of colour, or one that FFV1 cannot keep here: choose h264"
    )]
    Sampling,
    #[error("pictures of {width_px} × {height_px} pixels cannot be compressed: both numbers must be even")]
    OddSize { width_px: u32, height_px: u32 },
    #[error("could not {doing} {path}: {source}")]
    Io { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error("FFmpeg could not compress the video: {0}. The session was not changed")]
    Encoder(String),
    #[error("FFmpeg ended before it got all pictures. The session was not changed")]
    EncoderEnded,
    #[error("FFmpeg cannot read the new video: {0}. The session was not changed")]
    Unreadable(#[from] FilmNotIndexed),
    #[error("the new video is not the old one: {0}. The session was not changed")]
    Differs(String),
    #[error("the new picture of frame {number} cannot be decoded: {why}. The session was not changed")]
    Picture { number: u64, why: String },
    #[error("{}", quality(.0))]
    Quality(PictureQuality),
    #[error("a thread failed. The session was not changed")]
    ThreadDied,
    #[error("cancelled: the session was not changed")]
    Cancelled,
}

impl CompactError {
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> CompactError {
        let path = path.to_owned();
        move |source| CompactError::Io { doing, path, source }
    }
}

fn quality(q: &PictureQuality) -> String {
    format!(
        "the new pictures differ too much from the old ones: SSIM {:.4} in the mean (at least {SMALLEST_SSIM}), {:.4} in frame {} (at \
         least {SMALLEST_SSIM_OF_A_PICTURE}). The session was not changed. Choose a smaller --crf, or take them with --accept-quality",
        q.ssim_mean, q.ssim_worst, q.worst_frame
    )
}
