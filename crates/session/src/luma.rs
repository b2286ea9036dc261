//! Conversion to one brightness scale: 0 is black and 255 is white, as in a JPEG. Live frames, stored frames and video
//! files all use it, so the networks get the same input from each source.

/// Cameras send luma from 16 to 235 (BT.601). Computes `255 / 219 · (y − 16)`, rounded, with 16 fractional bits. The
/// compiler can vectorize this.
pub fn full_luma(y: u8) -> u8 {
    (((i32::from(y) - 16) * 76_309 + 32_768) >> 16).clamp(0, 255) as u8
}

/// Cameras send chroma from 16 to 240. Computes `255 / 224 · (c − 128) + 128`, rounded.
pub fn full_chroma(c: u8) -> u8 {
    (128 + (((i32::from(c) - 128) * 74_606 + 32_768) >> 16)).clamp(0, 255) as u8
}

/// The luma that a JPEG stores for this colour, bit-exact.
pub fn luma_of_rgb([r, g, b]: [u8; 3]) -> u8 {
    ((19_595 * u32::from(r) + 38_470 * u32::from(g) + 7_471 * u32::from(b) + 32_768) >> 16) as u8
}

/// Converts full-range YCbCr of a JPEG (JFIF) to RGB, with 16 fractional bits.
pub fn rgb_of_full(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y) << 16, i32::from(cb) - 128, i32::from(cr) - 128);
    let level = |v: i32| ((y + v + 32_768) >> 16).clamp(0, 255) as u8;
    [level(91_881 * cr), level(-22_554 * cb - 46_802 * cr), level(116_130 * cb)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn video_range_becomes_full_range_to_the_nearest_level() {
        for k in 0..=255u8 {
            let luma = (f64::from(k) - 16.0) * 255.0 / 219.0;
            assert!((f64::from(full_luma(k)) - luma.clamp(0.0, 255.0)).abs() <= 0.501, "{k}");
            let chroma = 128.0 + (f64::from(k) - 128.0) * 255.0 / 224.0;
            assert!((f64::from(full_chroma(k)) - chroma.clamp(0.0, 255.0)).abs() <= 0.501, "{k}");
        }
    }

    #[test]
    fn grey_keeps_its_level_through_every_conversion() {
        for k in 0..=255u8 {
            assert_eq!(rgb_of_full(k, 128, 128), [k; 3]);
            assert_eq!(luma_of_rgb([k; 3]), k);
        }
    }

    /// The formulas of JFIF 1.02, rounded.
    #[test]
    fn colours_are_converted_as_in_jfif() {
        let levels = || (0..=255u8).step_by(15);
        for (a, b, c) in levels().flat_map(|a| levels().flat_map(move |b| levels().map(move |c| (a, b, c)))) {
            let luma = 0.299 * f64::from(a) + 0.587 * f64::from(b) + 0.114 * f64::from(c);
            assert!((f64::from(luma_of_rgb([a, b, c])) - luma).abs() <= 0.51, "{a} {b} {c}");
            let (y, cb, cr) = (f64::from(a), f64::from(b) - 128.0, f64::from(c) - 128.0);
            let rgb = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb];
            for (found, expected) in rgb_of_full(a, b, c).into_iter().zip(rgb) {
                assert!((f64::from(found) - expected.clamp(0.0, 255.0)).abs() <= 0.51, "{a} {b} {c}: {found}");
            }
        }
    }
}
