//! The layout of a camera's buffer, and copying without padding.

use super::PixelFormat;
use super::jpeg::jpeg_len;
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
            PixelFormat::Nv12 => {
                let both = self.rows(bytes, w, h + h / 2)?;
                Ok(Pixels::Yuyv(nv12_to_yuyv(&both, w, h)))
            }
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

/// Each chroma row of 4:2:0 is used for two rows of 4:2:2.
fn nv12_to_yuyv(nv12: &[u8], w: usize, h: usize) -> Vec<u8> {
    let (luma, chroma) = nv12.split_at(w * h);
    let mut yuyv = Vec::with_capacity(2 * w * h);
    for (y, row) in luma.chunks_exact(w).enumerate() {
        let uv = &chroma[(y / 2).min((h / 2).saturating_sub(1)) * w..];
        for (x, pair) in row.as_chunks::<2>().0.iter().enumerate() {
            yuyv.extend_from_slice(&[pair[0], uv[2 * x], pair[1], uv[2 * x + 1]]);
        }
    }
    yuyv
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
        let Ok(Pixels::Yuyv(yuyv)) = layout(PixelFormat::Nv12, 4).pixels(&nv12) else { panic!() };
        assert_eq!(yuyv, [1, 100, 2, 200, 3, 101, 4, 201, 5, 100, 6, 200, 7, 101, 8, 201]);
    }
}
