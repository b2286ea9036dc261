//! The planes of a JPEG as it stores them, and their reduction to 4:2:0.

use turbojpeg::{Decompressor, Subsamp, YuvImage, yuv_pixels_len};

use super::{DecodeError, Decoder};
use session::{Frame, Pixels, chroma_size, planes_len};

/// The resolution of the planes of chroma.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// 4:2:0: half of the width and half of the height.
    Quarter,
    /// 4:2:2: half of the width.
    Half,
    /// 4:4:4.
    Full,
    /// No chroma.
    Grey,
}

impl Sampling {
    /// FFmpeg's name of such a picture with 8 bits.
    pub fn ffmpeg_name(self) -> &'static str {
        match self {
            Sampling::Quarter => "yuv420p",
            Sampling::Half => "yuv422p",
            Sampling::Full => "yuv444p",
            Sampling::Grey => "gray",
        }
    }

    fn of_jpeg(subsamp: Subsamp) -> Option<Sampling> {
        match subsamp {
            Subsamp::Sub2x2 => Some(Sampling::Quarter),
            Subsamp::Sub2x1 => Some(Sampling::Half),
            Subsamp::None => Some(Sampling::Full),
            Subsamp::Gray => Some(Sampling::Grey),
            _ => None,
        }
    }
}

/// The plane of luma, then those of chroma, without padding, in the colour of a JPEG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampledPlanes {
    pub sampling: Sampling,
    pub bytes: Vec<u8>,
    size: (usize, usize),
}

/// The planes of a JPEG, decoded and not converted. The size must be even.
pub fn planes_of_jpeg(frame: &Frame, decoder: &mut Decoder) -> Result<SampledPlanes, DecodeError> {
    let number = frame.meta.number;
    let damaged = |e: turbojpeg::Error| DecodeError::Jpeg { number, why: e.to_string() };
    let Pixels::Jpeg(bytes) = &frame.pixels else {
        return Err(DecodeError::Jpeg { number, why: "it is no JPEG".to_owned() });
    };
    let (width, height) = (frame.width_px as usize, frame.height_px as usize);
    let decompressor = match &mut decoder.jpeg {
        Some(decompressor) => decompressor,
        none => none.insert(Decompressor::new().map_err(damaged)?),
    };
    let header = decompressor.read_header(bytes).map_err(damaged)?;
    if (header.width, header.height) != (width, height) {
        let found = format!("{} × {}", header.width, header.height);
        return Err(DecodeError::OtherSize { number, found, expected: format!("{width} × {height}") });
    }
    if (width | height) % 2 != 0 {
        let why = format!("its size of {width} × {height} pixels is odd, and planes need an even one");
        return Err(DecodeError::Jpeg { number, why });
    }
    let sampling = Sampling::of_jpeg(header.subsamp);
    let unknown = || DecodeError::Jpeg { number, why: format!("its chroma has the sampling {:?}", header.subsamp) };
    let sampling = sampling.ok_or_else(unknown)?;
    let mut pixels = vec![0; yuv_pixels_len(width, 1, height, header.subsamp).map_err(damaged)?];
    let output = YuvImage { pixels: pixels.as_mut_slice(), width, align: 1, height, subsamp: header.subsamp };
    decompressor.decompress_to_yuv(bytes, output).map_err(damaged)?;
    Ok(SampledPlanes { sampling, bytes: pixels, size: (width, height) })
}

impl SampledPlanes {
    /// Luma is kept. Chroma becomes the mean of the samples that one sample of 4:2:0 covers; grey gets chroma without colour.
    pub fn into_quarter(self) -> SampledPlanes {
        let (width, height) = self.size;
        let (across, down) = match self.sampling {
            Sampling::Quarter => return self,
            Sampling::Half => (1, 2),
            Sampling::Full => (2, 2),
            Sampling::Grey => {
                let mut bytes = self.bytes;
                bytes.resize(planes_len(width, height), 128);
                return SampledPlanes { sampling: Sampling::Quarter, bytes, size: self.size };
            }
        };
        let (chroma_width, _) = chroma_size(width, height);
        let from_width = chroma_width * across;
        let (luma, chroma) = self.bytes.split_at(width * height);
        let mut bytes = Vec::with_capacity(planes_len(width, height));
        bytes.extend_from_slice(luma);
        for rows in chroma.chunks_exact(from_width * down) {
            bytes.extend((0..chroma_width).map(|x| {
                let samples = rows.chunks_exact(from_width).flat_map(|row| &row[x * across..(x + 1) * across]);
                let count = across * down;
                ((samples.map(|sample| usize::from(*sample)).sum::<usize>() + count / 2) / count) as u8
            }));
        }
        SampledPlanes { sampling: Sampling::Quarter, bytes, size: self.size }
    }

    pub fn luma(&self) -> &[u8] {
        &self.bytes[..self.size.0 * self.size.1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::to_grey;
    use session::{FrameMeta, TimeSource, Timestamp};
    use turbojpeg::{Image, PixelFormat};

    fn frame(width: usize, height: usize, subsamp: Subsamp) -> Frame {
        let pixels: Vec<u8> = (0..width * height).flat_map(|k| [(k * 7) as u8, (k / width * 9) as u8, 200]).collect();
        let image = Image { pixels: &pixels[..], width, pitch: 3 * width, height, format: PixelFormat::RGB };
        let jpeg = turbojpeg::compress(image, 90, subsamp).unwrap().to_vec();
        let meta = FrameMeta { number: 3, at: Timestamp::ZERO, time_source: TimeSource::Driver, device_sequence: None };
        Frame { meta, width_px: width as u32, height_px: height as u32, pixels: Pixels::Jpeg(jpeg) }
    }

    #[test]
    fn luma_is_what_the_networks_get_in_each_sampling() {
        let samplings = [
            (Subsamp::Sub2x2, Sampling::Quarter),
            (Subsamp::Sub2x1, Sampling::Half),
            (Subsamp::None, Sampling::Full),
            (Subsamp::Gray, Sampling::Grey),
        ];
        for (subsamp, sampling) in samplings {
            let frame = frame(24, 18, subsamp);
            let planes = planes_of_jpeg(&frame, &mut Decoder::default()).unwrap();
            assert_eq!(planes.sampling, sampling);
            let grey = to_grey(&frame, &mut Decoder::default()).unwrap().pixels;
            assert_eq!(planes.luma(), grey, "{sampling:?}");
            let quarter = planes.into_quarter();
            assert_eq!((quarter.luma(), quarter.bytes.len()), (&grey[..], planes_len(24, 18)), "{sampling:?}");
        }
    }

    #[test]
    fn chroma_is_averaged() {
        let planes =
            |sampling, chroma: &[u8]| SampledPlanes { sampling, bytes: [&[9; 8], chroma].concat(), size: (4, 2) };
        let half = planes(Sampling::Half, &[10, 20, 11, 40, 1, 2, 3, 4]).into_quarter();
        assert_eq!(half.bytes[8..], [11, 30, 2, 3]);
        let full = planes(Sampling::Full, &[1, 3, 0, 0, 5, 7, 0, 2, 8, 8, 8, 8, 8, 8, 8, 8]).into_quarter();
        assert_eq!(full.bytes[8..], [4, 1, 8, 8]);
        assert_eq!(planes(Sampling::Grey, &[]).into_quarter().bytes[8..], [128; 4]);
    }

    #[test]
    fn what_has_no_planes_is_refused_with_a_sentence() {
        let odd = planes_of_jpeg(&frame(23, 18, Subsamp::Sub2x1), &mut Decoder::default()).unwrap_err().to_string();
        assert!(odd.contains("23 × 18 pixels is odd"), "{odd}");
        let upright = planes_of_jpeg(&frame(24, 18, Subsamp::Sub1x2), &mut Decoder::default()).unwrap_err().to_string();
        assert!(upright.contains("sampling"), "{upright}");
    }
}
