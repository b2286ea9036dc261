//! Compresses what a camera delivers raw. High quality, because pulse will be read from it later.

use thiserror::Error;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp, YuvPlanesImage, compressed_buf_len};

use crate::capture::{Frame, Pixels};

const QUALITY: i32 = 90;

#[derive(Debug, Error)]
pub enum CompressError {
    #[error("it has {found} bytes where {width_px}×{height_px} pixels of {format} need {expected}")]
    WrongSize { format: &'static str, width_px: u32, height_px: u32, found: usize, expected: usize },
    #[error("it has an odd width of {0} pixels, which YUYV cannot have")]
    OddWidth(u32),
    #[error("the JPEG compressor refused it: {0}")]
    Compressor(#[from] turbojpeg::Error),
}

/// Keeps its buffers between frames.
pub struct JpegEncoder {
    compressor: Compressor,
    /// As long as a JPEG can get.
    output: Vec<u8>,
    planes: Planes,
}

#[derive(Default)]
struct Planes {
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

impl JpegEncoder {
    pub fn new() -> Result<Self, CompressError> {
        let mut compressor = Compressor::new()?;
        compressor.set_quality(QUALITY)?;
        Ok(JpegEncoder { compressor, output: Vec::new(), planes: Planes::default() })
    }

    /// A JPEG is returned as it is. Colour is kept at 4:2:2, the sampling that YUYV has.
    pub fn encode<'a>(&'a mut self, frame: &'a Frame) -> Result<&'a [u8], CompressError> {
        let (width, height) = (frame.width_px as usize, frame.height_px as usize);
        let length = match &frame.pixels {
            Pixels::Jpeg(bytes) => return Ok(bytes),
            Pixels::Yuyv(bytes) => {
                check(frame, "YUYV", bytes, 2)?;
                if width % 2 == 1 {
                    return Err(CompressError::OddWidth(frame.width_px));
                }
                self.planes.fill(bytes);
                self.make_room(width, height, Subsamp::Sub2x1)?;
                let Planes { y, u, v } = &self.planes;
                let image = YuvPlanesImage {
                    y_plane: &y[..],
                    u_plane: &u[..],
                    v_plane: &v[..],
                    width,
                    height,
                    y_stride: width,
                    u_stride: width / 2,
                    v_stride: width / 2,
                    subsamp: Subsamp::Sub2x1,
                };
                self.compressor.compress_yuv_planes_to_slice(&image, &mut self.output)?
            }
            Pixels::Grey(bytes) => {
                check(frame, "grey", bytes, 1)?;
                self.make_room(width, height, Subsamp::Gray)?;
                let image = Image { pixels: &bytes[..], width, pitch: width, height, format: PixelFormat::GRAY };
                self.compressor.set_subsamp(Subsamp::Gray)?;
                self.compressor.compress_to_slice(image, &mut self.output)?
            }
            Pixels::Rgb(bytes) => {
                check(frame, "RGB", bytes, 3)?;
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

fn check(frame: &Frame, format: &'static str, bytes: &[u8], bytes_a_pixel: usize) -> Result<(), CompressError> {
    let expected = frame.width_px as usize * frame.height_px as usize * bytes_a_pixel;
    if bytes.len() == expected && expected > 0 {
        return Ok(());
    }
    let (width_px, height_px) = (frame.width_px, frame.height_px);
    Err(CompressError::WrongSize { format, width_px, height_px, found: bytes.len(), expected })
}

impl Planes {
    /// Cameras deliver YUYV in video range (16 … 235, 16 … 240; BT.601), JPEG has the full one.
    fn fill(&mut self, yuyv: &[u8]) {
        for plane in [&mut self.y, &mut self.u, &mut self.v] {
            plane.clear();
        }
        for [y0, u, y1, v] in yuyv.as_chunks::<4>().0 {
            self.y.extend([LUMA[usize::from(*y0)], LUMA[usize::from(*y1)]]);
            self.u.push(CHROMA[usize::from(*u)]);
            self.v.push(CHROMA[usize::from(*v)]);
        }
    }
}

static LUMA: [u8; 256] = full_range(16, 219);
static CHROMA: [u8; 256] = full_range(128, 224);

/// Values `span` apart become 255 apart, around `zero`, which becomes 0 for luma and stays 128 for chroma.
const fn full_range(zero: i32, span: i32) -> [u8; 256] {
    let keep = if zero == 128 { 128 } else { 0 };
    let mut table = [0; 256];
    let mut k = 0;
    while k < 256 {
        let scaled = (k as i32 - zero) * 510 + span * (if (k as i32) < zero { -1 } else { 1 });
        let value = keep + scaled / (2 * span);
        table[k] = if value < 0 {
            0
        } else if value > 255 {
            255
        } else {
            value as u8
        };
        k += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::TimeSource;
    use crate::session::Timestamp;

    fn frame(width_px: u32, height_px: u32, pixels: Pixels) -> Frame {
        Frame {
            number: 0,
            at: Timestamp::ZERO,
            time_source: TimeSource::Driver,
            device_sequence: None,
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
        let grey = decoded(&mut encoder, &frame(15, 9, Pixels::Grey(vec![77; 15 * 9]))).get_pixel(3, 3).0;
        assert!(grey.iter().all(|v| v.abs_diff(77) <= 1), "{grey:?}");
        let white = decoded(&mut encoder, &frame(2, 1, Pixels::Yuyv(vec![235, 128, 16, 128])));
        assert!(white.get_pixel(0, 0).0[0] > 250 && white.get_pixel(1, 0).0[0] < 5, "{white:?}");
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
        for pixels in [Pixels::Yuyv(vec![0; 31]), Pixels::Rgb(vec![0; 16]), Pixels::Grey(vec![])] {
            assert!(matches!(encoder.encode(&frame(4, 4, pixels)), Err(CompressError::WrongSize { .. })));
        }
        assert!(matches!(encoder.encode(&frame(0, 4, Pixels::Grey(vec![]))), Err(CompressError::WrongSize { .. })));
        assert!(matches!(encoder.encode(&frame(3, 2, Pixels::Yuyv(vec![0; 12]))), Err(CompressError::OddWidth(3))));
    }
}
