//! What the networks read of a frame while it is recorded: the picture that the video contains.
//!
//! A raw picture is compressed for the video. If the networks read it before, scoring the stored video again would give
//! other values. So they read it after the same compressor. The values of a recording can then be computed again.

use capture::Decoder;
use session::{Frame, Pixels};
use store::{CompressError, JpegEncoder};
use vision::{Colour, OwnedPicture, decode_picture};

/// Reuses its buffers for all frames.
pub(super) struct StoredView {
    /// `None`: nothing is stored.
    encoder: Option<JpegEncoder>,
    decoder: Decoder,
}

impl StoredView {
    pub(super) fn new(is_stored: bool) -> Result<StoredView, CompressError> {
        Ok(StoredView { encoder: is_stored.then(JpegEncoder::new).transpose()?, decoder: Decoder::default() })
    }

    /// An error is a sentence. The video thread gets the same error for a frame that cannot be compressed.
    pub(super) fn picture(&mut self, frame: &Frame, colour: Colour) -> Result<OwnedPicture, String> {
        match (&mut self.encoder, &frame.pixels) {
            (None, _) | (_, Pixels::Jpeg(_)) => decode_picture(frame, colour, &mut self.decoder),
            (Some(encoder), _) => {
                let jpeg = encoder.encode(frame).map_err(|e| e.to_string())?.to_vec();
                decode_picture(&frame.with_pixels(Pixels::Jpeg(jpeg)), colour, &mut self.decoder)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{FrameMeta, TimeSource, Timestamp, planes_len};

    const WIDTH_PX: u32 = 42;
    const HEIGHT_PX: u32 = 26;

    fn frame(pixels: Pixels) -> Frame {
        let meta = FrameMeta { number: 3, at: Timestamp::ZERO, time_source: TimeSource::Driver, device_sequence: None };
        Frame { meta, width_px: WIDTH_PX, height_px: HEIGHT_PX, pixels }
    }

    /// Bytes that a compressor cannot keep.
    fn noise(len: usize) -> Vec<u8> {
        (0..len as u32).map(|k| k.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
    }

    #[test]
    fn raw_pictures_are_read_as_they_are_stored() {
        let pixels = (WIDTH_PX * HEIGHT_PX) as usize;
        let raw = [
            Pixels::Yuyv(noise(2 * pixels)),
            Pixels::I420(noise(planes_len(WIDTH_PX as usize, HEIGHT_PX as usize))),
            Pixels::Rgb(noise(3 * pixels)),
            Pixels::Grey(noise(pixels)),
        ];
        for frame in raw.map(frame) {
            let jpeg = Pixels::Jpeg(JpegEncoder::new().unwrap().encode(&frame).unwrap().to_vec());
            for colour in [Colour::Grey, Colour::Rgb] {
                let read = |is_stored, frame: &Frame| {
                    StoredView::new(is_stored).unwrap().picture(frame, colour).unwrap().pixels
                };
                let stored = read(true, &frame);
                assert_eq!(stored, read(false, &frame.with_pixels(jpeg.clone())), "{frame:?} {colour:?}");
                // A rehearsal stores nothing and reads the raw picture.
                assert_ne!(stored, read(false, &frame), "{frame:?} {colour:?}");
            }
        }
    }

    #[test]
    fn a_cameras_own_jpeg_is_not_compressed_again() {
        let mut encoder = JpegEncoder::new().unwrap();
        let jpeg = encoder.encode(&frame(Pixels::Grey(noise((WIDTH_PX * HEIGHT_PX) as usize)))).unwrap().to_vec();
        let own = frame(Pixels::Jpeg(jpeg));
        let read = |is_stored| StoredView::new(is_stored).unwrap().picture(&own, Colour::Grey).unwrap().pixels;
        assert_eq!(read(true), read(false));
    }

    #[test]
    fn a_picture_that_cannot_be_stored_is_not_scored() {
        let wrong = frame(Pixels::Yuyv(vec![0; 7]));
        let why = StoredView::new(true).unwrap().picture(&wrong, Colour::Grey).unwrap_err();
        assert!(why.contains("7 bytes"), "{why}");
    }
}
