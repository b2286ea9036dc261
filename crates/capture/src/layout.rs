//! The layout of a camera's buffer, and copying without padding.

use super::PixelFormat;
use super::jpeg::jpeg_len;
use super::yuv_colour::{YuvColour, to_jpeg_colour};
use session::Pixels;

/// The layout of a picture in a buffer.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub format: PixelFormat,
    pub width_px: u32,
    pub height_px: u32,
    /// Bytes from one row to the next, including padding. 0 if unknown.
    pub stride: usize,
}

impl Layout {
    /// Copies a picture without padding. The error is why it is not complete.
    pub fn pixels(&self, bytes: &[u8]) -> Result<Pixels, String> {
        let (w, h) = (self.width_px as usize, self.height_px as usize);
        match self.format {
            PixelFormat::Mjpeg => match jpeg_len(bytes) {
                Some(len) => Ok(Pixels::Jpeg(bytes[..len].to_vec())),
                None => Err(format!("a JPEG of {} bytes has no end", bytes.len())),
            },
            PixelFormat::Yuyv => self.rows(bytes, 2 * w, h).map(Pixels::Yuyv),
            PixelFormat::Rgb => self.rows(bytes, 3 * w, h).map(Pixels::Rgb),
            PixelFormat::Grey => self.rows(bytes, w, h).map(Pixels::Grey),
            PixelFormat::Nv12 if w % 2 == 1 || h % 2 == 1 => Err(format!("NV12 cannot have {w} × {h} pixels")),
            PixelFormat::Nv12 => {
                let mut planes = planes_of_nv12(self.rows(bytes, w, h + h / 2)?, w, h);
                to_jpeg_colour(&mut planes, w, h, YuvColour::WEBCAM);
                Ok(Pixels::I420(planes))
            }
            PixelFormat::I420 => Err("cameras do not deliver I420".to_owned()),
        }
    }

    fn rows(&self, bytes: &[u8], row: usize, count: usize) -> Result<Vec<u8>, String> {
        let stride = self.stride.max(row);
        let needed = stride * count.saturating_sub(1) + row;
        if bytes.len() < needed {
            return Err(format!("only {} of {needed} bytes arrived", bytes.len()));
        }
        if stride == row {
            return Ok(bytes[..row * count].to_vec());
        }
        Ok(bytes.chunks(stride).take(count).flat_map(|r| &r[..row]).copied().collect())
    }
}

/// NV12 has one plane of `U V U V …` after luma. Width and height are even ([`Layout::pixels`] refuses others).
fn planes_of_nv12(mut nv12: Vec<u8>, w: usize, h: usize) -> Vec<u8> {
    let pairs = nv12[w * h..].as_chunks::<2>().0;
    let planes: Vec<u8> = pairs.iter().map(|[u, _]| *u).chain(pairs.iter().map(|[_, v]| *v)).collect();
    nv12[w * h..].copy_from_slice(&planes);
    nv12
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(format: PixelFormat, stride: usize) -> Layout {
        Layout { format, width_px: 4, height_px: 2, stride }
    }

    #[test]
    fn padding_is_cut_and_short_buffers_are_refused() {
        let padded: Vec<u8> = (0..32).collect();
        let Ok(Pixels::Yuyv(rows)) = layout(PixelFormat::Yuyv, 12).pixels(&padded) else { panic!() };
        assert_eq!(rows, [0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15, 16, 17, 18, 19]);
        let why = layout(PixelFormat::Yuyv, 8).pixels(&padded[..9]).unwrap_err();
        assert_eq!(why, "only 9 of 16 bytes arrived");
        assert!(layout(PixelFormat::Mjpeg, 0).pixels(&[0xff, 0xd8, 0xff]).is_err());
    }

    #[test]
    fn nv12_keeps_its_colours() {
        let nv12 = [1, 2, 3, 4, 5, 6, 7, 8, 100, 200, 101, 201];
        let mut planes = planes_of_nv12(nv12.to_vec(), 4, 2);
        assert_eq!(planes, [1, 2, 3, 4, 5, 6, 7, 8, 100, 101, 200, 201]);
        let Ok(Pixels::I420(picture)) = layout(PixelFormat::Nv12, 4).pixels(&nv12) else { panic!() };
        to_jpeg_colour(&mut planes, 4, 2, YuvColour::WEBCAM);
        assert_eq!(picture, planes);
        let odd = Layout { width_px: 3, ..layout(PixelFormat::Nv12, 3) };
        assert_eq!(odd.pixels(&nv12).unwrap_err(), "NV12 cannot have 3 × 2 pixels");
    }
}
