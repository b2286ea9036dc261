//! Decodes a camera's bytes to grey or RGB. Buffers are reused. Nothing is scaled.

use thiserror::Error;
use turbojpeg::{Decompressor, Image, PixelFormat};

use session::luma::{full_chroma, full_luma, luma_of_rgb, rgb_of_full};
use session::{Frame, Pixels, Planes, chroma_size, half_planes_len, planes_len};

/// 3 bytes per pixel, rows without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RgbPicture {
    pub width_px: u32,
    pub height_px: u32,
    pub pixels: Vec<u8>,
}

/// 1 byte per pixel, rows without padding. 0 is black and 255 is white in all formats of cameras.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GreyPicture {
    pub width_px: u32,
    pub height_px: u32,
    pub pixels: Vec<u8>,
}

#[derive(Debug, Error)]
pub enum DecodeError {
    #[error("frame {number} has a damaged JPEG: {why}")]
    Jpeg { number: u64, why: String },
    #[error("frame {number} has a JPEG of {found} pixels, expected {expected}")]
    OtherSize { number: u64, found: String, expected: String },
    #[error("frame {number} has {found} bytes, but its {width_px} × {height_px} pixels need {needed}")]
    WrongLength { number: u64, width_px: u32, height_px: u32, found: usize, needed: usize },
}

/// Buffers that are reused from frame to frame.
#[derive(Default)]
pub struct Decoder {
    pub(super) jpeg: Option<Decompressor>,
    spare: Vec<Vec<u8>>,
}

impl Decoder {
    /// Returns a picture's buffer, so that the next picture can reuse it.
    pub fn reuse(&mut self, pixels: Vec<u8>) {
        if self.spare.len() < 2 {
            self.spare.push(pixels);
        }
    }

    fn buffer(&mut self, len: usize) -> Vec<u8> {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.resize(len, 0);
        buffer
    }

    fn jpeg(&mut self, frame: &Frame, bytes: &[u8], format: PixelFormat) -> Result<Vec<u8>, DecodeError> {
        let damaged = |e: turbojpeg::Error| DecodeError::Jpeg { number: frame.meta.number, why: e.to_string() };
        let (width, height) = (frame.width_px as usize, frame.height_px as usize);
        let mut decompressor = match self.jpeg.take() {
            Some(d) => d,
            None => Decompressor::new().map_err(damaged)?,
        };
        let header = decompressor.read_header(bytes).map_err(damaged)?;
        if (header.width, header.height) != (width, height) {
            return Err(DecodeError::OtherSize {
                number: frame.meta.number,
                found: format!("{} × {}", header.width, header.height),
                expected: format!("{width} × {height}"),
            });
        }
        let pitch = width * format.size();
        let mut pixels = self.buffer(pitch * height);
        let output = Image { pixels: pixels.as_mut_slice(), width, pitch, height, format };
        decompressor.decompress(bytes, output).map_err(damaged)?;
        self.jpeg = Some(decompressor);
        Ok(pixels)
    }
}

pub fn to_rgb(frame: &Frame, decoder: &mut Decoder) -> Result<RgbPicture, DecodeError> {
    let pixels = match &frame.pixels {
        Pixels::Jpeg(bytes) => decoder.jpeg(frame, bytes, PixelFormat::RGB)?,
        Pixels::Yuyv(bytes) => {
            let mut rgb = decoder.buffer(3 * pixel_count(frame, bytes, 2)?);
            yuyv_to_rgb(bytes, &mut rgb);
            rgb
        }
        Pixels::I420(bytes) => {
            let planes = planes(frame, bytes)?;
            let mut rgb = decoder.buffer(3 * planes.y.len());
            planes_to_rgb(planes, frame.width_px as usize, &mut rgb);
            rgb
        }
        Pixels::I422(bytes) => {
            let planes = half_planes(frame, bytes)?;
            let mut rgb = decoder.buffer(3 * planes.y.len());
            planes_to_rgb(planes, frame.width_px as usize, &mut rgb);
            rgb
        }
        Pixels::Rgb(bytes) => {
            let mut rgb = decoder.buffer(3 * pixel_count(frame, bytes, 3)?);
            rgb.copy_from_slice(bytes);
            rgb
        }
        Pixels::Grey(bytes) => {
            let mut rgb = decoder.buffer(3 * pixel_count(frame, bytes, 1)?);
            rgb.as_chunks_mut::<3>().0.iter_mut().zip(bytes).for_each(|(to, y)| *to = [*y; 3]);
            rgb
        }
    };
    Ok(RgbPicture { width_px: frame.width_px, height_px: frame.height_px, pixels })
}

/// The luma plane. In a JPEG, only this plane is decoded. In YUYV, it is extracted and scaled to the full range.
pub fn to_grey(frame: &Frame, decoder: &mut Decoder) -> Result<GreyPicture, DecodeError> {
    let pixels = match &frame.pixels {
        Pixels::Jpeg(bytes) => decoder.jpeg(frame, bytes, PixelFormat::GRAY)?,
        Pixels::Yuyv(bytes) => {
            let mut grey = decoder.buffer(pixel_count(frame, bytes, 2)?);
            yuyv_to_grey(bytes, &mut grey);
            grey
        }
        Pixels::I420(bytes) => {
            let luma = planes(frame, bytes)?.y;
            let mut grey = decoder.buffer(luma.len());
            grey.copy_from_slice(luma);
            grey
        }
        Pixels::I422(bytes) => {
            let luma = half_planes(frame, bytes)?.y;
            let mut grey = decoder.buffer(luma.len());
            grey.copy_from_slice(luma);
            grey
        }
        Pixels::Rgb(bytes) => {
            let mut grey = decoder.buffer(pixel_count(frame, bytes, 3)?);
            bytes.as_chunks::<3>().0.iter().zip(&mut grey).for_each(|(rgb, to)| *to = luma_of_rgb(*rgb));
            grey
        }
        Pixels::Grey(bytes) => {
            let mut grey = decoder.buffer(pixel_count(frame, bytes, 1)?);
            grey.copy_from_slice(bytes);
            grey
        }
    };
    Ok(GreyPicture { width_px: frame.width_px, height_px: frame.height_px, pixels })
}

fn pixel_count(frame: &Frame, bytes: &[u8], bytes_a_pixel: usize) -> Result<usize, DecodeError> {
    let count = frame.width_px as usize * frame.height_px as usize;
    let needed = count * bytes_a_pixel;
    if bytes.len() == needed { Ok(count) } else { Err(wrong_length(frame, bytes, needed)) }
}

fn planes<'a>(frame: &Frame, bytes: &'a [u8]) -> Result<Planes<'a>, DecodeError> {
    let (width, height) = (frame.width_px as usize, frame.height_px as usize);
    Planes::of(bytes, width, height).ok_or_else(|| wrong_length(frame, bytes, planes_len(width, height)))
}

fn half_planes<'a>(frame: &Frame, bytes: &'a [u8]) -> Result<Planes<'a>, DecodeError> {
    let (width, height) = (frame.width_px as usize, frame.height_px as usize);
    Planes::of_half(bytes, width, height).ok_or_else(|| wrong_length(frame, bytes, half_planes_len(width, height)))
}

fn wrong_length(frame: &Frame, bytes: &[u8], needed: usize) -> DecodeError {
    let (number, width_px, height_px) = (frame.meta.number, frame.width_px, frame.height_px);
    DecodeError::WrongLength { number, width_px, height_px, found: bytes.len(), needed }
}

/// Each chroma sample is used for the pixels that it covers.
fn planes_to_rgb(planes: Planes<'_>, width: usize, rgb: &mut [u8]) {
    let (chroma_width, _) = chroma_size(width, 1);
    for (row, (luma, to)) in planes.y.chunks_exact(width).zip(rgb.chunks_exact_mut(3 * width)).enumerate() {
        let chroma = row / planes.rows_of_chroma * chroma_width..;
        let chroma = planes.u[chroma.clone()].iter().zip(&planes.v[chroma]);
        for ((luma, to), (cb, cr)) in luma.chunks(2).zip(to.chunks_mut(6)).zip(chroma) {
            for (y, to) in luma.iter().zip(to.as_chunks_mut::<3>().0) {
                *to = rgb_of_full(*y, *cb, *cr);
            }
        }
    }
}

fn yuyv_to_grey(yuyv: &[u8], grey: &mut [u8]) {
    yuyv.as_chunks::<2>().0.iter().zip(grey).for_each(|([y, _], to)| *to = full_luma(*y));
}

/// The same result as decoding its JPEG.
fn yuyv_to_rgb(yuyv: &[u8], rgb: &mut [u8]) {
    for (&[y0, u, y1, v], to) in yuyv.as_chunks::<4>().0.iter().zip(rgb.as_chunks_mut::<6>().0) {
        let (cb, cr) = (full_chroma(u), full_chroma(v));
        let ([r0, g0, b0], [r1, g1, b1]) = (rgb_of_full(full_luma(y0), cb, cr), rgb_of_full(full_luma(y1), cb, cr));
        *to = [r0, g0, b0, r1, g1, b1];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{FrameMeta, TimeSource, Timestamp};

    fn frame(width_px: u32, height_px: u32, pixels: Pixels) -> Frame {
        let at = Timestamp::ZERO;
        let meta = FrameMeta { number: 7, at, time_source: TimeSource::Arrival, device_sequence: None };
        Frame { meta, width_px, height_px, pixels }
    }

    /// A smooth picture: a grey ramp to the right, red increasing downwards.
    fn ramp(width: usize, height: usize) -> Vec<u8> {
        (0..width * height).flat_map(|i| [(40 + (i / width) * 2) as u8, (i % width * 2 + 30) as u8, 90]).collect()
    }

    fn difference(a: &[u8], b: &[u8]) -> f64 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
    }

    #[test]
    fn a_picture_reads_the_same_in_every_format() {
        let (w, h) = (96, 64);
        let rgb = ramp(w, h);
        let image = Image { pixels: rgb.as_slice(), width: w, pitch: 3 * w, height: h, format: PixelFormat::RGB };
        let jpeg = turbojpeg::compress(image, 95, turbojpeg::Subsamp::None).unwrap().to_vec();
        let yuyv: Vec<u8> = rgb
            .as_chunks::<6>()
            .0
            .iter()
            .flat_map(|p| {
                let luma =
                    |r: u8, g: u8, b: u8| 16.0 + 0.257 * f64::from(r) + 0.504 * f64::from(g) + 0.098 * f64::from(b);
                let (r, g, b) = (f64::from(p[0]), f64::from(p[1]), f64::from(p[2]));
                let (u, v) = (128.0 - 0.148 * r - 0.291 * g + 0.439 * b, 128.0 + 0.439 * r - 0.368 * g - 0.071 * b);
                [luma(p[0], p[1], p[2]), u, luma(p[3], p[4], p[5]), v].map(|x| x.round() as u8)
            })
            .collect();
        let mut decoder = Decoder::default();
        let frames = [Pixels::Rgb(rgb.clone()), Pixels::Jpeg(jpeg), Pixels::Yuyv(yuyv)].map(|p| frame(96, 64, p));
        let grey = frames.each_ref().map(|f| to_grey(f, &mut decoder).unwrap().pixels);
        let back = frames.each_ref().map(|f| to_rgb(f, &mut decoder).unwrap().pixels);
        for k in 1..3 {
            assert!(difference(&grey[0], &grey[k]) < 1.2, "grey {k}: {}", difference(&grey[0], &grey[k]));
            assert!(difference(&back[0], &back[k]) < 2.5, "rgb {k}: {}", difference(&back[0], &back[k]));
        }
    }

    #[test]
    fn black_and_white_are_0_and_255() {
        let yuyv = frame(2, 1, Pixels::Yuyv(vec![16, 128, 235, 128]));
        let mut decoder = Decoder::default();
        assert_eq!(to_grey(&yuyv, &mut decoder).unwrap().pixels, [0, 255]);
        assert_eq!(to_rgb(&yuyv, &mut decoder).unwrap().pixels, [0, 0, 0, 255, 255, 255]);
    }

    #[test]
    fn buffers_come_back() {
        let mut decoder = Decoder::default();
        let frame = frame(4, 4, Pixels::Grey(vec![9; 16]));
        let first = to_grey(&frame, &mut decoder).unwrap();
        let address = first.pixels.as_ptr();
        decoder.reuse(first.pixels);
        assert_eq!(to_grey(&frame, &mut decoder).unwrap().pixels.as_ptr(), address);
    }

    #[test]
    fn damaged_frames_say_what_is_wrong() {
        let mut decoder = Decoder::default();
        let message = |pixels, decoder: &mut Decoder| to_grey(&frame(8, 8, pixels), decoder).unwrap_err().to_string();
        assert_eq!(
            message(Pixels::Yuyv(vec![0; 100]), &mut decoder),
            "frame 7 has 100 bytes, but its 8 × 8 pixels need 128"
        );
        assert!(message(Pixels::Jpeg(vec![1, 2, 3]), &mut decoder).contains("damaged JPEG"));
        let image = Image { pixels: [0u8; 48].as_slice(), width: 4, pitch: 12, height: 4, format: PixelFormat::RGB };
        let small = turbojpeg::compress(image, 90, turbojpeg::Subsamp::None).unwrap().to_vec();
        assert!(message(Pixels::Jpeg(small), &mut decoder).contains("4 × 4 pixels, expected 8 × 8"));
    }
}
