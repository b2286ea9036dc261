//! The frame's number in its picture: a strip of black and white blocks along the lower edge for programs, and a
//! line of small letters above it for people.
//!
//! The strip is 40 equal blocks wide, from edge to edge: white, black, 28 bits of the number (highest first, white
//! is 1), 8 bits of a checksum, black, white. Both guards give a reader the levels of white and black. It
//! survives JPEG, grey levels and scaling of the whole picture.

use session::Timestamp;

const BLOCKS: usize = 40;
const NUMBER_BITS: usize = 28;
const CHECK_BITS: usize = 8;
const WHITE: u8 = 235;
const BLACK: u8 = 16;

/// How many rows at the lower edge the strip takes: a block is square, and at least 4 px high.
pub fn strip_height_px(width_px: u32) -> u32 {
    (width_px / BLOCKS as u32).max(4)
}

/// Draws `number` (modulo 2²⁸, 103 days at 30 Hz) into an RGB picture.
pub fn draw_frame_number(rgb: &mut [u8], width_px: u32, height_px: u32, number: u64) {
    let width = width_px as usize;
    let rows = (strip_height_px(width_px) as usize).min(height_px as usize);
    let from = (height_px as usize - rows) * width * 3;
    let Some((first, others)) = rgb.get_mut(from..).and_then(|strip| strip.split_at_mut_checked(width * 3)) else {
        return;
    };
    let blocks = blocks_of(number);
    for (x, pixel) in first.chunks_exact_mut(3).enumerate() {
        pixel.fill(if blocks[x * BLOCKS / width] { WHITE } else { BLACK });
    }
    for row in others.chunks_exact_mut(width * 3) {
        row.copy_from_slice(first);
    }
}

/// The number in a picture with 3 bytes a pixel (RGB) or 1 (grey), as its length tells. `None` where there is no
/// strip, or its checksum does not fit.
pub fn read_frame_number(pixels: &[u8], width_px: u32, height_px: u32) -> Option<u64> {
    let (width, height) = (width_px as usize, height_px as usize);
    let channels = match pixels.len() {
        n if n == width * height => 1,
        n if n == width * height * 3 => 3,
        _ => return None,
    };
    let rows = strip_height_px(width_px) as usize;
    if width < BLOCKS || height < rows {
        return None;
    }
    // The inner half of each block, away from its neighbours' ringing.
    let level = |block: usize| {
        let (from, until) = ((block * width).div_ceil(BLOCKS), ((block + 1) * width).div_ceil(BLOCKS));
        let inset = (until - from) / 4;
        let columns = from + inset..until - inset;
        let lines = height - rows + rows / 4..height - rows / 4;
        let mut sum = 0u64;
        for y in lines.clone() {
            let row = &pixels[(y * width + columns.start) * channels..(y * width + columns.end) * channels];
            sum += row.iter().map(|v| u64::from(*v)).sum::<u64>();
        }
        sum as f64 / (lines.len() * columns.len() * channels) as f64
    };
    let white = 0.5 * (level(0) + level(BLOCKS - 1));
    let black = 0.5 * (level(1) + level(BLOCKS - 2));
    if white - black < 100.0 {
        return None;
    }
    let middle = 0.5 * (white + black);
    let bits = |from: usize, count: usize| {
        (from..from + count).fold(0u64, |value, block| value << 1 | u64::from(level(block) > middle))
    };
    let number = bits(2, NUMBER_BITS);
    (bits(2 + NUMBER_BITS, CHECK_BITS) == u64::from(checksum(number))).then_some(number)
}

fn blocks_of(number: u64) -> [bool; BLOCKS] {
    let number = number & ((1 << NUMBER_BITS) - 1);
    let mut blocks = [false; BLOCKS];
    blocks[0] = true;
    blocks[BLOCKS - 1] = true;
    let word = number << CHECK_BITS | u64::from(checksum(number));
    for (k, block) in blocks[2..BLOCKS - 2].iter_mut().enumerate() {
        *block = word >> (NUMBER_BITS + CHECK_BITS - 1 - k) & 1 == 1;
    }
    blocks
}

/// CRC-8 (polynomial 0x07) of the number's four bytes, begun with 0xFF so that black is not a number.
fn checksum(number: u64) -> u8 {
    (number as u32)
        .to_be_bytes()
        .into_iter()
        .fold(0xFF, |crc, byte| (0..8).fold(crc ^ byte, |c, _| if c & 0x80 == 0 { c << 1 } else { c << 1 ^ 0x07 }))
}

/// `00:00:12.433 #373` in small letters at the left end, just above the strip.
pub fn draw_label(rgb: &mut [u8], width_px: u32, height_px: u32, at: Timestamp, number: u64) {
    let label = format!("PHANTOM {at} #{number}");
    let dot = (width_px as usize / 480).max(1);
    let (width, height) = (width_px as usize, height_px as usize);
    let Some(top) = height.checked_sub(strip_height_px(width_px) as usize + 10 * dot) else { return };
    for (k, letter) in label.chars().enumerate() {
        let rows = glyph(letter);
        for (row, bits) in rows.iter().enumerate() {
            for column in (0..5).filter(|c| bits >> (4 - c) & 1 == 1) {
                for (dx, dy) in (0..dot).flat_map(|dy| (0..dot).map(move |dx| (dx, dy))) {
                    let (x, y) = (4 * dot + (k * 6 + column) * dot + dx, top + row * dot + dy);
                    if x < width && y < height {
                        rgb[(y * width + x) * 3..][..3].fill(WHITE);
                    }
                }
            }
        }
    }
}

/// Five by seven dots, a byte a row, the leftmost dot in bit 4.
fn glyph(letter: char) -> [u8; 7] {
    match letter {
        '0' => [0x0E, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0E],
        '1' => [0x04, 0x0C, 0x04, 0x04, 0x04, 0x04, 0x0E],
        '2' => [0x0E, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1F],
        '3' => [0x0E, 0x11, 0x01, 0x06, 0x01, 0x11, 0x0E],
        '4' => [0x02, 0x06, 0x0A, 0x12, 0x1F, 0x02, 0x02],
        '5' => [0x1F, 0x10, 0x1E, 0x01, 0x01, 0x11, 0x0E],
        '6' => [0x06, 0x08, 0x10, 0x1E, 0x11, 0x11, 0x0E],
        '7' => [0x1F, 0x01, 0x02, 0x04, 0x04, 0x08, 0x08],
        '8' => [0x0E, 0x11, 0x11, 0x0E, 0x11, 0x11, 0x0E],
        '9' => [0x0E, 0x11, 0x11, 0x0F, 0x01, 0x02, 0x0C],
        ':' => [0x00, 0x04, 0x04, 0x00, 0x04, 0x04, 0x00],
        '.' => [0x00, 0x00, 0x00, 0x00, 0x00, 0x0C, 0x0C],
        '-' => [0x00, 0x00, 0x00, 0x0E, 0x00, 0x00, 0x00],
        '#' => [0x0A, 0x0A, 0x1F, 0x0A, 0x1F, 0x0A, 0x0A],
        'A' => [0x0E, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11],
        'H' => [0x11, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11],
        'M' => [0x11, 0x1B, 0x15, 0x15, 0x11, 0x11, 0x11],
        'N' => [0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11],
        'O' => [0x0E, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0E],
        'P' => [0x1E, 0x11, 0x11, 0x1E, 0x10, 0x10, 0x10],
        'T' => [0x1F, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04],
        _ => [0; 7],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_reads_back_at_any_size(number in 0u64..1 << 28, width in 40u32..700, grey in any::<bool>()) {
            let height = 60;
            let mut rgb = vec![90; (width * height * 3) as usize];
            draw_frame_number(&mut rgb, width, height, number);
            let pixels = if grey { rgb.chunks_exact(3).map(|p| p[1]).collect() } else { rgb };
            prop_assert_eq!(read_frame_number(&pixels, width, height), Some(number));
        }

        #[test]
        fn noise_is_no_number_but_by_rare_chance(pixels in prop::collection::vec(any::<u8>(), 160 * 8)) {
            prop_assert_eq!(read_frame_number(&pixels, 160, 8), None);
        }
    }

    #[test]
    fn what_is_no_strip_is_no_number() {
        assert_eq!(read_frame_number(&vec![0; 640 * 480 * 3], 640, 480), None);
        assert_eq!(read_frame_number(&vec![255; 640 * 480], 640, 480), None);
        assert_eq!(read_frame_number(&[1, 2, 3], 640, 480), None);
        assert_eq!(read_frame_number(&[], 0, 0), None);
        // One block repainted: the checksum notices.
        let (width, height) = (640, 480);
        let mut rgb = vec![90; width * height * 3];
        draw_frame_number(&mut rgb, width as u32, height as u32, 77);
        for row in rgb.chunks_exact_mut(width * 3) {
            row[5 * 16 * 3..6 * 16 * 3].iter_mut().for_each(|v| *v = 255 - *v);
        }
        assert_eq!(read_frame_number(&rgb, width as u32, height as u32), None);
    }

    #[test]
    fn every_letter_of_the_label_has_a_glyph() {
        let label = format!("PHANTOM{}#0123456789", Timestamp::from_ns(-1));
        assert!(label.chars().all(|c| glyph(c) != [0; 7]));
    }
}
