//! Compresses raw frames to JPEG. The quality is high, so that pulse can be read from the video later.

use thiserror::Error;
use turbojpeg::{Compressor, Decompressor, Image, PixelFormat, Subsamp, YuvPlanesImage, compressed_buf_len};

use session::luma::{full_chroma, full_luma};
use session::{Frame, Pixels, Planes, chroma_size, half_planes_len, planes_len};

const QUALITY: i32 = 90;

#[derive(Debug, Error)]
pub enum CompressError {
    #[error("it has {found} bytes, but {width_px}×{height_px} pixels of {format} need {expected}")]
    WrongSize { format: &'static str, width_px: u32, height_px: u32, found: usize, expected: usize },
    #[error("it has {width_px}×{height_px} pixels, and {format} needs even numbers")]
    OddSize { format: &'static str, width_px: u32, height_px: u32 },
    #[error("the JPEG compressor failed: {0}")]
    Compressor(#[from] turbojpeg::Error),
}

/// Reuses its buffers for all frames.
pub struct JpegEncoder {
    compressor: Compressor,
    /// Has the size of the largest possible JPEG.
    output: Vec<u8>,
    yuyv: YuyvPlanes,
}

impl JpegEncoder {
    pub fn new() -> Result<Self, CompressError> {
        let mut compressor = Compressor::new()?;
        compressor.set_quality(QUALITY)?;
        Ok(JpegEncoder { compressor, output: Vec::new(), yuyv: YuyvPlanes::default() })
    }

    /// Returns a JPEG unchanged. Colour keeps the sampling of its source: 4:2:0, or 4:2:2 for YUYV and RGB.
    pub fn encode<'a>(&'a mut self, frame: &'a Frame) -> Result<&'a [u8], CompressError> {
        let (width, height) = (frame.width_px as usize, frame.height_px as usize);
        let length = match &frame.pixels {
            Pixels::Jpeg(bytes) => return Ok(bytes),
            Pixels::Yuyv(bytes) => {
                check(frame, "YUYV", bytes.len(), width * height * 2)?;
                check_even(frame, "YUYV", width)?;
                self.make_room(width, height, Subsamp::Sub2x1)?;
                let image = planes_image(self.yuyv.fill(bytes), width, height, Subsamp::Sub2x1);
                self.compressor.compress_yuv_planes_to_slice(&image, &mut self.output)?
            }
            Pixels::I420(bytes) => {
                let planes = Planes::of(bytes, width, height)
                    .ok_or_else(|| wrong_size(frame, "I420", bytes.len(), planes_len(width, height)))?;
                check_even(frame, "I420", width | height)?;
                self.make_room(width, height, Subsamp::Sub2x2)?;
                let image = planes_image(planes, width, height, Subsamp::Sub2x2);
                self.compressor.compress_yuv_planes_to_slice(&image, &mut self.output)?
            }
            Pixels::I422(bytes) => {
                let planes = Planes::of_half(bytes, width, height)
                    .ok_or_else(|| wrong_size(frame, "I422", bytes.len(), half_planes_len(width, height)))?;
                check_even(frame, "I422", width)?;
                self.make_room(width, height, Subsamp::Sub2x1)?;
                let image = planes_image(planes, width, height, Subsamp::Sub2x1);
                self.compressor.compress_yuv_planes_to_slice(&image, &mut self.output)?
            }
            Pixels::Grey(bytes) => {
                check(frame, "grey", bytes.len(), width * height)?;
                self.make_room(width, height, Subsamp::Gray)?;
                let image = Image { pixels: &bytes[..], width, pitch: width, height, format: PixelFormat::GRAY };
                self.compressor.set_subsamp(Subsamp::Gray)?;
                self.compressor.compress_to_slice(image, &mut self.output)?
            }
            Pixels::Rgb(bytes) => {
                check(frame, "RGB", bytes.len(), width * height * 3)?;
                self.make_room(width, height, Subsamp::Sub2x1)?;
                let image = Image { pixels: &bytes[..], width, pitch: 3 * width, height, format: PixelFormat::RGB };
                self.compressor.set_subsamp(Subsamp::Sub2x1)?;
                self.compressor.compress_to_slice(image, &mut self.output)?
            }
        };
        Ok(&self.output[..length])
    }

    fn make_room(&mut self, width: usize, height: usize, subsamp: Subsamp) -> Result<(), CompressError> {
        let most = compressed_buf_len(width, height, subsamp)?;
        if self.output.len() < most {
            self.output.resize(most, 0);
        }
        Ok(())
    }
}

/// Width and height of a JPEG; `None` if it is not a JPEG.
pub(super) fn jpeg_size(jpeg: &[u8]) -> Option<(u32, u32)> {
    let header = Decompressor::new().ok()?.read_header(jpeg).ok()?;
    Some((u32::try_from(header.width).ok()?, u32::try_from(header.height).ok()?))
}

/// Whether the whole JPEG can be decoded without an error.
pub(super) fn decodes(jpeg: &[u8]) -> bool {
    let decode = || -> Result<(), turbojpeg::Error> {
        let mut decompressor = Decompressor::new()?;
        let header = decompressor.read_header(jpeg)?;
        let (width, height, format) = (header.width, header.height, PixelFormat::GRAY);
        let mut pixels = vec![0; width * height];
        decompressor.decompress(jpeg, Image { pixels: &mut pixels[..], width, pitch: width, height, format })
    };
    decode().is_ok()
}

/// `sizes` is odd if one of the sizes that must be even is odd.
fn check_even(frame: &Frame, format: &'static str, sizes: usize) -> Result<(), CompressError> {
    if sizes.is_multiple_of(2) {
        return Ok(());
    }
    Err(CompressError::OddSize { format, width_px: frame.width_px, height_px: frame.height_px })
}

fn check(frame: &Frame, format: &'static str, found: usize, expected: usize) -> Result<(), CompressError> {
    if found == expected && expected > 0 {
        return Ok(());
    }
    Err(wrong_size(frame, format, found, expected))
}

fn wrong_size(frame: &Frame, format: &'static str, found: usize, expected: usize) -> CompressError {
    let (width_px, height_px) = (frame.width_px, frame.height_px);
    CompressError::WrongSize { format, width_px, height_px, found, expected }
}

fn planes_image(planes: Planes<'_>, width: usize, height: usize, subsamp: Subsamp) -> YuvPlanesImage<&[u8]> {
    let Planes { y: y_plane, u: u_plane, v: v_plane, .. } = planes;
    // Both samplings halve the width of chroma.
    let (chroma_width, _) = chroma_size(width, height);
    let (y_stride, u_stride, v_stride) = (width, chroma_width, chroma_width);
    YuvPlanesImage { y_plane, u_plane, v_plane, width, height, y_stride, u_stride, v_stride, subsamp }
}

/// The planes of a YUYV picture, 4:2:2. Reused for all frames.
#[derive(Default)]
struct YuyvPlanes {
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl YuyvPlanes {
    /// Cameras deliver YUYV in video range (16 … 235, 16 … 240; BT.601). JPEG has full range.
    fn fill(&mut self, yuyv: &[u8]) -> Planes<'_> {
        let pairs = yuyv.as_chunks::<4>().0;
        self.y.resize(2 * pairs.len(), 0);
        self.u.resize(pairs.len(), 0);
        self.v.resize(pairs.len(), 0);
        let luma = self.y.as_chunks_mut::<2>().0.iter_mut();
        let chroma = self.u.iter_mut().zip(&mut self.v);
        for (([y0, u, y1, v], to), (to_u, to_v)) in pairs.iter().zip(luma).zip(chroma) {
            *to = [full_luma(*y0), full_luma(*y1)];
            *to_u = full_chroma(*u);
            *to_v = full_chroma(*v);
        }
        Planes { y: &self.y, u: &self.u, v: &self.v, rows_of_chroma: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use capture::{Decoder, YuvColour, YuvMatrix, YuvRange, to_grey, to_jpeg_colour, to_rgb};
    use session::{FrameMeta, TimeSource, Timestamp};

    const VIDEO_709: YuvColour = YuvColour { range: YuvRange::Video, matrix: YuvMatrix::Bt709 };

    fn planes(colour: YuvColour, width: usize, height: usize, mut bytes: Vec<u8>) -> Pixels {
        to_jpeg_colour(&mut bytes, width, height, colour);
        Pixels::I420(bytes)
    }

    fn frame(width_px: u32, height_px: u32, pixels: Pixels) -> Frame {
        Frame {
            meta: FrameMeta { number: 0, at: Timestamp::ZERO, time_source: TimeSource::Driver, device_sequence: None },
            width_px,
            height_px,
            pixels,
        }
    }

    fn decoded(encoder: &mut JpegEncoder, frame: &Frame) -> image::RgbImage {
        let jpeg = encoder.encode(frame).unwrap();
        assert!(jpeg.starts_with(&[0xff, 0xd8]) && jpeg.ends_with(&[0xff, 0xd9]));
        image::load_from_memory_with_format(jpeg, image::ImageFormat::Jpeg).unwrap().to_rgb8()
    }

    #[test]
    fn colours_survive_each_format() {
        let mut encoder = JpegEncoder::new().unwrap();
        // Pure red, in BT.601 video range: Y 81, U 90, V 240.
        let yuyv = [81, 90, 81, 240].repeat(16 * 16 / 2);
        let red = decoded(&mut encoder, &frame(16, 16, Pixels::Yuyv(yuyv))).get_pixel(8, 8).0;
        assert!(red[0] > 245 && red[1] < 10 && red[2] < 10, "{red:?}");
        let blue = decoded(&mut encoder, &frame(15, 9, Pixels::Rgb([0, 0, 255].repeat(15 * 9)))).get_pixel(8, 8).0;
        assert!(blue[2] > 245 && blue[0] < 10, "{blue:?}");
        // Pure red of BT.709, in video range.
        let red = [vec![63; 16 * 10], vec![102; 8 * 5], vec![240; 8 * 5]].concat();
        let red = decoded(&mut encoder, &frame(16, 10, planes(VIDEO_709, 16, 10, red)));
        let red = red.get_pixel(14, 8).0;
        assert!(red[0] > 245 && red[1] < 10 && red[2] < 10, "{red:?}");
        let grey = decoded(&mut encoder, &frame(15, 9, Pixels::Grey(vec![77; 15 * 9]))).get_pixel(3, 3).0;
        assert!(grey.iter().all(|v| v.abs_diff(77) <= 1), "{grey:?}");
        let white = decoded(&mut encoder, &frame(2, 1, Pixels::Yuyv(vec![235, 128, 16, 128])));
        assert!(white.get_pixel(0, 0).0[0] > 250 && white.get_pixel(1, 0).0[0] < 5, "{white:?}");
    }

    /// The networks get the same luma live and from the stored picture, except for JPEG compression. A flat picture has no
    /// compression loss, so every level must be the same.
    #[test]
    fn the_luma_seen_live_is_the_luma_stored() {
        let (mut encoder, mut decoder) = (JpegEncoder::new().unwrap(), Decoder::default());
        for level in 0..=255u8 {
            for colour in [VIDEO_709, YuvColour::WEBCAM, YuvColour::JPEG] {
                let bytes = [[level; 32 * 16].as_slice(), &[128; 2 * 16 * 8]].concat();
                let live = frame(32, 16, planes(colour, 32, 16, bytes));
                let stored = frame(32, 16, Pixels::Jpeg(encoder.encode(&live).unwrap().to_vec()));
                let grey = [&live, &stored].map(|f| to_grey(f, &mut decoder).unwrap().pixels);
                assert!(grey[0].iter().zip(&grey[1]).all(|(a, b)| a.abs_diff(*b) <= 1), "{level} {colour:?}");
                let rgb = [&live, &stored].map(|f| to_rgb(f, &mut decoder).unwrap().pixels);
                assert!(rgb[0].iter().zip(&rgb[1]).all(|(a, b)| a.abs_diff(*b) <= 1), "{level} {colour:?}");
            }
            let live = frame(32, 16, Pixels::Yuyv([level, 128].repeat(32 * 16)));
            let stored = frame(32, 16, Pixels::Jpeg(encoder.encode(&live).unwrap().to_vec()));
            let grey = [&live, &stored].map(|f| to_grey(f, &mut decoder).unwrap().pixels);
            assert_eq!(encoder.yuyv.y, grey[0], "{level}: the compressor gets what the networks got");
            assert!(grey[0].iter().zip(&grey[1]).all(|(a, b)| a.abs_diff(*b) <= 1), "{level}");
            let rgb = [&live, &stored].map(|f| to_rgb(f, &mut decoder).unwrap().pixels);
            assert!(rgb[0].iter().zip(&rgb[1]).all(|(a, b)| a.abs_diff(*b) <= 1), "{level}");
        }
    }

    #[test]
    fn a_jpeg_is_stored_as_it_came() {
        let bytes = vec![0xff, 0xd8, 1, 2, 3, 0xff, 0xd9];
        let frame = frame(640, 480, Pixels::Jpeg(bytes.clone()));
        assert_eq!(JpegEncoder::new().unwrap().encode(&frame).unwrap(), bytes);
    }

    #[test]
    fn a_picture_of_the_wrong_size_is_refused() {
        let mut encoder = JpegEncoder::new().unwrap();
        for pixels in
            [Pixels::Yuyv(vec![0; 31]), Pixels::I420(vec![0; 23]), Pixels::Rgb(vec![0; 16]), Pixels::Grey(vec![])]
        {
            assert!(matches!(encoder.encode(&frame(4, 4, pixels)), Err(CompressError::WrongSize { .. })));
        }
        assert!(matches!(encoder.encode(&frame(0, 4, Pixels::Grey(vec![]))), Err(CompressError::WrongSize { .. })));
        for odd in [frame(3, 2, Pixels::Yuyv(vec![0; 12])), frame(4, 3, Pixels::I420(vec![0; planes_len(4, 3)]))] {
            assert!(matches!(encoder.encode(&odd), Err(CompressError::OddSize { .. })), "{odd:?}");
        }
    }
}
