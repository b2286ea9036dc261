//! Finds the end of a JPEG. Cameras deliver whole buffers. The bytes after the picture are old and must not be stored.

use turbojpeg::{Colorspace, Decompressor, Image, PixelFormat};

/// The length of the complete JPEG at the start of `bytes`, including the end marker. `None` if it is incomplete.
///
/// It follows the markers instead of searching for the last `FF D9`. Old bytes after the picture and thumbnails inside it
/// have end markers, too.
pub fn jpeg_len(bytes: &[u8]) -> Option<usize> {
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return None;
    }
    let mut at = 2;
    let mut is_inside_scan = false;
    loop {
        // The next marker: any FF that is neither stuffing (00), fill (FF) nor a restart (D0–D7).
        let found = bytes.get(at..)?.iter().position(|b| *b == 0xff)?;
        if found > 0 && !is_inside_scan {
            return None;
        }
        at += found;
        let marker = *bytes.get(at + 1)?;
        match marker {
            0x00 if is_inside_scan => at += 2,
            0xff => at += 1,
            0xd0..=0xd7 if is_inside_scan => at += 2,
            0xd9 => return Some(at + 2),
            // A second start marker inside a picture. The following data is another picture's.
            0x00 | 0x01 | 0xd0..=0xd8 => return None,
            _ => {
                let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
                if length < 2 {
                    return None;
                }
                at += 2 + length;
                is_inside_scan = marker == 0xda;
            }
        }
    }
}

/// Checks whether JPEGs are complete. Its buffers are reused.
#[derive(Default)]
pub struct JpegCheck {
    decompressor: Option<Decompressor>,
    pixels: Vec<u8>,
}

impl JpegCheck {
    /// The length of the JPEG at the start of `bytes`, or its fault as the rest of a sentence that begins with "the JPEG".
    /// The end marker is not sufficient. The JPEG is therefore decoded, and any warning of the decoder is a fault.
    pub fn whole_len(&mut self, bytes: &[u8], size_px: Option<(usize, usize)>) -> Result<usize, String> {
        let Some(len) = jpeg_len(bytes) else { return Err("has no end".to_owned()) };
        let damaged = |e: turbojpeg::Error| format!("is damaged: {e}");
        let mut decompressor = match self.decompressor.take() {
            Some(d) => d,
            None => Decompressor::new().map_err(damaged)?,
        };
        let header = decompressor.read_header(&bytes[..len]).map_err(damaged)?;
        let (width, height) = (header.width, header.height);
        if let Some((w, h)) = size_px.filter(|size| *size != (width, height)) {
            return Err(format!("has {width} × {height} pixels, expected {w} × {h}"));
        }
        // Decoding luma is sufficient: all data is read. Only the conversion to colours is omitted.
        let format = match header.colorspace {
            Colorspace::CMYK | Colorspace::YCCK => PixelFormat::CMYK,
            _ => PixelFormat::GRAY,
        };
        let pitch = width * format.size();
        self.pixels.resize(pitch * height, 0);
        let output = Image { pixels: self.pixels.as_mut_slice(), width, pitch, height, format };
        decompressor.decompress(&bytes[..len], output).map_err(damaged)?;
        self.decompressor = Some(decompressor);
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn picture(seed: u8) -> Vec<u8> {
        let pixels: Vec<u8> =
            (0..64 * 48 * 3).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 13) as u8 ^ seed).collect();
        let image = turbojpeg::Image {
            pixels: pixels.as_slice(),
            width: 64,
            pitch: 64 * 3,
            height: 48,
            format: turbojpeg::PixelFormat::RGB,
        };
        turbojpeg::compress(image, 80, turbojpeg::Subsamp::Sub2x1).unwrap().to_vec()
    }

    #[test]
    fn stale_bytes_behind_the_picture_do_not_count() {
        let whole = picture(1);
        assert_eq!(jpeg_len(&whole), Some(whole.len()));
        let mut buffer = whole.clone();
        buffer.extend_from_slice(&picture(2)[20..]);
        buffer.resize(20_000, 0);
        assert_eq!(jpeg_len(&buffer), Some(whole.len()));
    }

    #[test]
    fn a_new_picture_inside_a_half_one_is_no_end() {
        let mut half = picture(1);
        half.truncate(half.len() / 2);
        half.extend(picture(2));
        assert_eq!(jpeg_len(&half), None);
    }

    #[test]
    fn an_end_marker_inside_a_thumbnail_is_skipped() {
        let whole = picture(3);
        let mut with_app = vec![0xff, 0xd8, 0xff, 0xe1, 0, 6, 0xff, 0xd9, 0xff, 0xd9];
        with_app.extend_from_slice(&whole[2..]);
        assert_eq!(jpeg_len(&with_app), Some(with_app.len()));
    }

    #[test]
    fn a_picture_with_an_end_and_half_of_its_contents_is_damaged() {
        let whole = picture(4);
        let mut check = JpegCheck::default();
        assert_eq!(check.whole_len(&whole, Some((64, 48))), Ok(whole.len()));
        assert_eq!(check.whole_len(&whole, Some((64, 50))).unwrap_err(), "has 64 × 48 pixels, expected 64 × 50");
        let half = [&whole[..whole.len() / 2], &[0xff, 0xd9]].concat();
        assert!(check.whole_len(&half, None).unwrap_err().starts_with("is damaged: "));
        assert_eq!(check.whole_len(&whole[..whole.len() - 2], None).unwrap_err(), "has no end");
        assert_eq!(check.whole_len(&whole, None), Ok(whole.len()), "a bad one does not spoil the next");
    }

    proptest! {
        #[test]
        fn no_cut_picture_passes(seed in any::<u8>(), share in 0.0f64..1.0) {
            let whole = picture(seed);
            let cut = (whole.len() as f64 * share) as usize;
            prop_assert_eq!(jpeg_len(&whole[..cut]), None);
        }

        #[test]
        fn junk_never_panics(junk in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut bytes = vec![0xff, 0xd8];
            bytes.extend(junk);
            if let Some(len) = jpeg_len(&bytes) {
                prop_assert!(bytes[..len].ends_with(&[0xff, 0xd9]));
            }
        }
    }
}
