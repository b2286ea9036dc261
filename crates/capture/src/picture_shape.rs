//! The displayed size of a video: rotated upright, with square pixels. A distorted face would get other scores.

/// Width to height, both above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    pub width: u32,
    pub height: u32,
}

impl Ratio {
    /// Parses a pixel's `64:45`. `0:1` and `N/A` mean unknown.
    pub fn of_pixel(text: &str) -> Option<Ratio> {
        let (width, height) = text.trim().split_once(':')?;
        let ratio = Ratio { width: width.parse().ok()?, height: height.parse().ok()? };
        (ratio.width > 0 && ratio.height > 0).then_some(ratio)
    }

    fn value(self) -> f64 {
        f64::from(self.width) / f64::from(self.height)
    }
}

/// The stored pictures of a track.
#[derive(Clone, Copy, Debug)]
pub struct PictureShape {
    pub width_px: u32,
    pub height_px: u32,
    /// `None` if the file does not contain it. Pixels are then taken as square.
    pub pixel: Option<Ratio>,
    pub rotation_deg: f64,
}

/// No camera and no format has a larger ratio of a pixel's sides. A file with a larger ratio is damaged.
const LONGEST_PIXEL: f64 = 8.0;
const LARGEST_PX: f64 = 16_384.0;

impl PictureShape {
    /// A plausible ratio other than 1.
    fn stretch(&self) -> Option<Ratio> {
        let pixel = self.pixel.filter(|p| p.width != p.height)?;
        (1.0 / LONGEST_PIXEL..=LONGEST_PIXEL).contains(&pixel.value()).then_some(pixel)
    }

    /// The shorter side of a pixel is enlarged, so that no detail is lost.
    pub fn shown_px(&self) -> (u32, u32) {
        let (width, height) = (f64::from(self.width_px), f64::from(self.height_px));
        let pixel = self.stretch().map_or(1.0, Ratio::value);
        let (mut width, mut height) = if pixel > 1.0 { (width * pixel, height) } else { (width, height / pixel) };
        let too_large = (width.max(height) / LARGEST_PX).max(1.0);
        (width, height) = (width / too_large, height / too_large);
        let whole = |px: f64| px.round().max(1.0) as u32;
        let is_on_its_side = (self.rotation_deg / 90.0).round() as i64 % 2 != 0;
        if is_on_its_side { (whole(height), whole(width)) } else { (whole(width), whole(height)) }
    }

    pub fn has_square_pixels(&self) -> bool {
        self.stretch().is_none()
    }

    /// The stored pictures can be displayed unchanged.
    pub fn is_as_stored(&self) -> bool {
        self.stretch().is_none() && self.rotation_deg.round() as i64 % 360 == 0
    }

    /// A message for the user.
    pub fn note(&self) -> Option<String> {
        let Ratio { width, height } = self.pixel.filter(|p| p.width != p.height)?;
        let (w, h) = self.shown_px();
        Some(match self.stretch() {
            Some(_) => format!("its pixels are not square ({width}:{height}): it is displayed with {w} × {h} pixels"),
            None => {
                format!("its declared pixel ratio {width}:{height} is not plausible: its pixels are taken as square")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shape(width_px: u32, height_px: u32, pixel: &str, rotation_deg: f64) -> PictureShape {
        PictureShape { width_px, height_px, pixel: Ratio::of_pixel(pixel), rotation_deg }
    }

    #[test]
    fn a_pixels_shorter_side_grows() {
        assert_eq!(shape(720, 576, "64:45", 0.0).shown_px(), (1024, 576));
        assert_eq!(shape(1440, 1080, "4:3", 90.0).shown_px(), (1080, 1920));
        assert_eq!(shape(720, 480, "8:9", 0.0).shown_px(), (720, 540));
        for unknown in ["0:1", "1:1", "N/A", "", "-4:3", "1:0", "7:7", "1:1000", "1000:1"] {
            assert_eq!(shape(720, 576, unknown, -90.0).shown_px(), (576, 720), "{unknown}");
        }
        assert!(shape(720, 576, "1:1000", 0.0).note().unwrap().contains("not plausible"));
        assert_eq!(shape(720, 576, "0:1", 0.0).note(), None);
        assert!(shape(8, 8, "1:1", 360.0).is_as_stored() && !shape(8, 8, "2:1", 0.0).is_as_stored());
    }

    proptest! {
        #[test]
        fn every_shape_is_shown_in_proportion(
            w in 16u32..16384, h in 16u32..16384, a in 1u32..2000, b in 1u32..2000, turned in any::<bool>(),
        ) {
            let pixel = f64::from(a) / f64::from(b);
            let shape = PictureShape {
                width_px: w, height_px: h, pixel: Some(Ratio { width: a, height: b }),
                rotation_deg: if turned { 270.0 } else { 0.0 },
            };
            let (x, y) = shape.shown_px();
            prop_assert!((1..=16384).contains(&x) && (1..=16384).contains(&y));
            let (x, y) = if turned { (y, x) } else { (x, y) };
            let wanted = f64::from(w) / f64::from(h) * if (0.125..=8.0).contains(&pixel) { pixel } else { 1.0 };
            let (low, high) = ((f64::from(x) - 0.51) / (f64::from(y) + 0.51), (f64::from(x) + 0.51) / (f64::from(y) - 0.51));
            prop_assert!(low <= wanted && wanted <= high, "{x} × {y} for {wanted}");
        }
    }
}
