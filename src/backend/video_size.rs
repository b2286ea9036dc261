//! The size of the video that the camera's pictures give, measured on the pictures that are shown.

use std::time::{Duration, Instant};

use session::{Frame, Pixels};
use store::JpegEncoder;

/// Compressing a picture takes some milliseconds, so a part of the pictures is measured.
const BETWEEN_PICTURES: Duration = Duration::from_secs(1);
/// Weight of the newest picture.
const NEWEST: f64 = 0.25;

/// Motion JPEG with quality 90 and 640 × 480 px has about 66 kB per frame. Other sizes are proportional.
const BYTES_PER_PIXEL: f64 = 66_000.0 / (640.0 * 480.0);
/// Of a recording without video: 64 channels at 2,000 Hz, and the page. Most take less.
const BYTES_PER_SECOND_WITHOUT_VIDEO: f64 = 600_000.0;
/// What `session.sqlite` takes for a frame with a face.
const RECORD_BYTES_PER_FRAME: f64 = 1_200.0;

/// Mean size of a stored picture.
#[derive(Default)]
pub struct PictureSize {
    encoder: Option<JpegEncoder>,
    measured_at: Option<Instant>,
    mean_bytes: Option<f64>,
}

impl PictureSize {
    /// Takes a picture as the camera delivered it. Most pictures are ignored.
    pub fn take(&mut self, frame: &Frame) {
        if self.measured_at.is_some_and(|at| at.elapsed() < BETWEEN_PICTURES) {
            return;
        }
        self.measured_at = Some(Instant::now());
        // A picture that cannot be compressed is reported when it is stored.
        let Some(bytes) = self.stored_bytes(frame) else { return };
        self.mean_bytes = Some(self.mean_bytes.map_or(bytes, |mean| mean + NEWEST * (bytes - mean)));
    }

    /// `None` until a picture was measured.
    pub fn mean_bytes(&self) -> Option<f64> {
        self.mean_bytes
    }

    fn stored_bytes(&mut self, frame: &Frame) -> Option<f64> {
        if let Pixels::Jpeg(jpeg) = &frame.pixels {
            return Some(jpeg.len() as f64);
        }
        if self.encoder.is_none() {
            self.encoder = JpegEncoder::new().ok();
        }
        self.encoder.as_mut()?.encode(frame).ok().map(|jpeg| jpeg.len() as f64)
    }
}

/// What a recording needs on the disk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DiskUse {
    pub bytes_per_second: f64,
    /// The size of the pictures was measured and not estimated from their number of pixels.
    pub is_measured: bool,
    has_video: bool,
}

impl DiskUse {
    pub fn of(width_px: u32, height_px: u32, rate_hz: f64, picture_bytes: Option<f64>) -> DiskUse {
        let estimate = f64::from(width_px) * f64::from(height_px) * BYTES_PER_PIXEL;
        let frame_bytes = picture_bytes.unwrap_or(estimate) + RECORD_BYTES_PER_FRAME;
        DiskUse {
            bytes_per_second: frame_bytes * rate_hz.max(1.0),
            is_measured: picture_bytes.is_some(),
            has_video: true,
        }
    }

    /// At most.
    pub fn without_video() -> DiskUse {
        DiskUse { bytes_per_second: BYTES_PER_SECOND_WITHOUT_VIDEO, is_measured: false, has_video: false }
    }

    /// The longest recording that fits.
    pub fn lasts(&self, free_bytes: u64) -> Duration {
        Duration::try_from_secs_f64(free_bytes as f64 / self.bytes_per_second.max(1.0)).unwrap_or(Duration::MAX)
    }

    /// `A minute takes 115 MB`, with two digits, because the pictures vary.
    pub fn sentence(&self) -> String {
        let megabytes = self.bytes_per_second * 60.0 / 1e6;
        let digit = 10f64.powf(megabytes.max(1.0).log10().floor() - 1.0);
        let rounded = (megabytes / digit).round() * digit;
        let about = if self.is_measured { "" } else { "about " };
        if !self.has_video {
            return format!("A minute without video takes at most {about}{rounded:.0} MB");
        }
        format!("A minute of video takes {about}{rounded:.0} MB")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{FrameMeta, TimeSource, Timestamp};

    fn frame(pixels: Pixels) -> Frame {
        let meta = FrameMeta { number: 0, at: Timestamp::ZERO, time_source: TimeSource::Driver, device_sequence: None };
        Frame { meta, width_px: 64, height_px: 48, pixels }
    }

    #[test]
    fn a_picture_is_measured_as_it_would_be_stored() {
        let grey = frame(Pixels::Grey((0..64 * 48).map(|k| (k * 31) as u8).collect()));
        let stored = JpegEncoder::new().unwrap().encode(&grey).unwrap().len() as f64;
        let mut size = PictureSize::default();
        assert_eq!(size.mean_bytes(), None);
        size.take(&grey);
        assert_eq!(size.mean_bytes(), Some(stored));
        // The next picture comes too early.
        size.take(&frame(Pixels::Jpeg(vec![0; 9])));
        assert_eq!(size.mean_bytes(), Some(stored));
        size.measured_at = None;
        size.take(&frame(Pixels::Jpeg(vec![0; 1000])));
        assert_eq!(size.mean_bytes(), Some(stored + NEWEST * (1000.0 - stored)));
    }

    #[test]
    fn the_sentence_says_whether_the_size_was_measured() {
        let known = DiskUse::of(640, 480, 30.0, Some(28_800.0));
        assert_eq!(known.sentence(), "A minute of video takes 54 MB");
        assert_eq!(known.lasts(54_000_000).as_secs(), 60);
        assert_eq!(DiskUse::of(640, 480, 30.0, None).sentence(), "A minute of video takes about 120 MB");
        assert_eq!(DiskUse::of(64, 48, 0.0, Some(1.0)).sentence(), "A minute of video takes 0 MB");
    }
}
