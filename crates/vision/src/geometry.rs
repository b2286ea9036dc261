//! Positions in a picture, and transforms between coordinate systems. No pixels.
//!
//! Coordinates are px, x to the right, y down; the centre of the first pixel is (0.5, 0.5). Angles are degrees,
//! positive clockwise as seen in the picture.

use serde::Serialize;

pub type Point = [f32; 2];

/// Number of facial landmarks, iBUG 300-W order.
pub const LANDMARKS: usize = 68;
/// The contour of the image-left eye, from its outer corner over the upper lid.
const EYE_LEFT: std::ops::Range<usize> = 36..42;
/// The contour of the image-right eye, from its inner corner over the upper lid.
const EYE_RIGHT: std::ops::Range<usize> = 42..48;

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rect {
    pub left: f32,
    pub top: f32,
    pub width: f32,
    pub height: f32,
}

impl Rect {
    pub fn from_edges(left: f32, top: f32, right: f32, bottom: f32) -> Rect {
        Rect { left, top, width: right - left, height: bottom - top }
    }

    /// The smallest rectangle that contains all points.
    pub fn around(points: &[Point]) -> Rect {
        let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for p in points {
            for axis in 0..2 {
                low[axis] = low[axis].min(p[axis]);
                high[axis] = high[axis].max(p[axis]);
            }
        }
        Rect::from_edges(low[0], low[1], high[0], high[1])
    }

    pub fn centre(&self) -> Point {
        [self.left + self.width / 2.0, self.top + self.height / 2.0]
    }

    pub fn area(&self) -> f32 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    pub fn longest_side(&self) -> f32 {
        self.width.max(self.height)
    }

    pub fn contains(&self, p: Point) -> bool {
        (self.left..=self.left + self.width).contains(&p[0]) && (self.top..=self.top + self.height).contains(&p[1])
    }

    fn shared_area(&self, other: &Rect) -> f32 {
        let width = (self.left + self.width).min(other.left + other.width) - self.left.max(other.left);
        let height = (self.top + self.height).min(other.top + other.height) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }

    /// Intersection over union, 0 … 1.
    pub fn overlap(&self, other: &Rect) -> f32 {
        let shared = self.shared_area(other);
        shared / (self.area() + other.area() - shared).max(1e-9)
    }

    /// The share of this rectangle that is inside the other.
    pub fn share_inside(&self, other: &Rect) -> f32 {
        self.shared_area(other) / self.area().max(1e-9)
    }
}

/// Maps points of one coordinate system to another: `x' = xx·x + xy·y + x0`, `y' = yx·x + yy·y + y0`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    pub xx: f64,
    pub xy: f64,
    pub x0: f64,
    pub yx: f64,
    pub yy: f64,
    pub y0: f64,
}

impl Affine {
    pub fn apply(&self, x: f64, y: f64) -> [f64; 2] {
        [self.xx * x + self.xy * y + self.x0, self.yx * x + self.yy * y + self.y0]
    }

    /// Stretches a whole picture over the output, for cropped faces.
    pub fn whole_picture(source_px: [u32; 2], output_px: [usize; 2]) -> Affine {
        Affine {
            xx: f64::from(source_px[0]) / output_px[0] as f64,
            xy: 0.0,
            x0: 0.0,
            yx: 0.0,
            yy: f64::from(source_px[1]) / output_px[1] as f64,
            y0: 0.0,
        }
    }

    /// From the output's pixels to the picture: the similarity that puts the two eyes at the given fractions of the
    /// output. `None` if both eyes are in one place.
    ///
    /// In complex numbers, a similarity is z → a·z + b. Two pairs of points determine a and b.
    pub fn from_eyes(eyes: [Point; 2], places: [[f64; 2]; 2], output_px: [usize; 2]) -> Option<Affine> {
        let at = |place: [f64; 2]| [place[0] * output_px[0] as f64, place[1] * output_px[1] as f64];
        let (place_left, place_right) = (at(places[0]), at(places[1]));
        let [left, right] = eyes.map(|p| [f64::from(p[0]), f64::from(p[1])]);
        let (dx, dy) = (place_right[0] - place_left[0], place_right[1] - place_left[1]);
        let (sx, sy) = (right[0] - left[0], right[1] - left[1]);
        let length2 = dx * dx + dy * dy;
        let (re, im) = ((sx * dx + sy * dy) / length2, (sy * dx - sx * dy) / length2);
        if !(re.is_finite() && im.is_finite()) || re.hypot(im) < 1e-6 {
            return None;
        }
        Some(Affine {
            xx: re,
            xy: -im,
            x0: left[0] - (re * place_left[0] - im * place_left[1]),
            yx: im,
            yy: re,
            y0: left[1] - (im * place_left[0] + re * place_left[1]),
        })
    }
}

/// A square part of the picture, rotated about its centre.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Crop {
    pub centre: Point,
    pub side_px: f32,
    pub roll_deg: f32,
}

impl Crop {
    /// From pixels of an output of `output_px`² to the picture.
    pub fn to_picture(&self, output_px: usize) -> Affine {
        let scale = f64::from(self.side_px) / output_px as f64;
        let (sin, cos) = f64::from(self.roll_deg).to_radians().sin_cos();
        let half = f64::from(self.side_px) / 2.0;
        let [cx, cy] = self.centre.map(f64::from);
        Affine {
            xx: scale * cos,
            xy: -scale * sin,
            x0: cx - half * cos + half * sin,
            yx: scale * sin,
            yy: scale * cos,
            y0: cy - half * sin - half * cos,
        }
    }

    /// A position in fractions of the crop, in picture px.
    pub fn point_from_fraction(&self, fraction: Point) -> Point {
        let (sin, cos) = self.roll_deg.to_radians().sin_cos();
        let (dx, dy) = ((fraction[0] - 0.5) * self.side_px, (fraction[1] - 0.5) * self.side_px);
        [self.centre[0] + dx * cos - dy * sin, self.centre[1] + dx * sin + dy * cos]
    }
}

pub fn distance(a: Point, b: Point) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// The angle of the line from `a` to `b`.
pub fn angle_deg(a: Point, b: Point) -> f32 {
    (b[1] - a[1]).atan2(b[0] - a[0]).to_degrees()
}

/// The same angle within −180 … 180.
pub fn wrap_deg(angle: f32) -> f32 {
    (angle + 180.0).rem_euclid(360.0) - 180.0
}

/// Centres of the image-left and the image-right eye: the mean of each contour's six points.
pub fn eye_centres(points: &[Point; LANDMARKS]) -> [Point; 2] {
    [EYE_LEFT, EYE_RIGHT].map(|eye| {
        let [sum_x, sum_y] = points[eye].iter().fold([0.0f32; 2], |sum, p| [sum[0] + p[0], sum[1] + p[1]]);
        [sum_x / 6.0, sum_y / 6.0]
    })
}

/// Lid distance over eye width of the image-left and the image-right eye.
///
/// The eye aspect ratio of Soukupová & Čech, "Real-Time Eye Blink Detection using Facial Landmarks", CVWW 2016:
/// (|p2−p6| + |p3−p5|) / (2·|p1−p4|) over the six points of a contour. It is measured in the picture. A head
/// that is turned to the side therefore has a smaller eye width and a larger ratio.
pub fn eye_openness(points: &[Point; LANDMARKS]) -> [f32; 2] {
    [EYE_LEFT, EYE_RIGHT].map(|eye| {
        let p = &points[eye];
        (distance(p[1], p[5]) + distance(p[2], p[4])) / (2.0 * distance(p[0], p[3])).max(1e-6)
    })
}

/// Inner lip distance over mouth width: the same ratio for the mouth. It is the mean of the three pairs of inner lip
/// points (61–67, 62–66, 63–65) over the distance of the mouth's outer corners (48–54).
pub fn mouth_openness(points: &[Point; LANDMARKS]) -> f32 {
    let lips = [(61, 67), (62, 66), (63, 65)].map(|(a, b)| distance(points[a], points[b]));
    lips.iter().sum::<f32>() / 3.0 / distance(points[48], points[54]).max(1e-6)
}

/// Distance of the outer eye corners (36–45).
pub fn inter_ocular_px(points: &[Point; LANDMARKS]) -> f32 {
    distance(points[36], points[45])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn openness_of_a_drawn_face() {
        let mut points = [[0.0; 2]; LANDMARKS];
        // An eye 30 px wide and 9 px open, one closed, a mouth 50 px wide and 20 px open.
        let eye = [[0.0, 0.0], [10.0, -4.5], [20.0, -4.5], [30.0, 0.0], [20.0, 4.5], [10.0, 4.5]];
        points[EYE_LEFT].copy_from_slice(&eye);
        points[EYE_RIGHT].copy_from_slice(&eye.map(|[x, _]| [x + 60.0, 0.0]));
        (points[48], points[54]) = ([0.0, 60.0], [50.0, 60.0]);
        for (k, x) in [(61, 15.0), (62, 25.0), (63, 35.0)] {
            (points[k], points[128 - k]) = ([x, 50.0], [x, 70.0]);
        }
        assert_eq!(eye_openness(&points), [0.3, 0.0]);
        assert_eq!(mouth_openness(&points), 0.4);
        assert_eq!(inter_ocular_px(&points), 90.0);
        assert_eq!(eye_centres(&points), [[15.0, 0.0], [75.0, 0.0]]);
    }

    #[test]
    fn eyes_in_one_place_have_no_transform() {
        assert_eq!(Affine::from_eyes([[5.0, 5.0]; 2], [[0.3, 0.4], [0.7, 0.4]], [48, 48]), None);
        assert_eq!(Affine::from_eyes([[f32::NAN, 5.0]; 2], [[0.3, 0.4], [0.7, 0.4]], [48, 48]), None);
    }

    proptest! {
        #[test]
        fn eyes_come_to_their_places(
            lx in 0f32..640.0, ly in 0f32..480.0, dx in 5f32..200.0, dy in -100f32..100.0, size in 32usize..256,
        ) {
            let eyes = [[lx, ly], [lx + dx, ly + dy]];
            let places = [[0.3, 0.4], [0.7, 0.4]];
            let t = Affine::from_eyes(eyes, places, [size, size]).unwrap();
            for (eye, place) in eyes.iter().zip(places) {
                let [x, y] = t.apply(place[0] * size as f64, place[1] * size as f64);
                prop_assert!((x - f64::from(eye[0])).abs() < 1e-3 && (y - f64::from(eye[1])).abs() < 1e-3);
            }
            // A similarity: no stretching, no mirroring.
            prop_assert!((t.xx - t.yy).abs() < 1e-9 && (t.xy + t.yx).abs() < 1e-9);
        }

        #[test]
        fn a_crop_maps_fractions_and_pixels_alike(
            cx in -50f32..700.0, cy in -50f32..500.0, side in 20f32..600.0, roll in -180f32..180.0,
            fx in 0f32..1.0, fy in 0f32..1.0,
        ) {
            let crop = Crop { centre: [cx, cy], side_px: side, roll_deg: roll };
            let by_fraction = crop.point_from_fraction([fx, fy]);
            let by_pixel = crop.to_picture(112).apply(f64::from(fx) * 112.0, f64::from(fy) * 112.0);
            prop_assert!((by_pixel[0] - f64::from(by_fraction[0])).abs() < 1e-2);
            prop_assert!((by_pixel[1] - f64::from(by_fraction[1])).abs() < 1e-2);
        }

        #[test]
        fn overlap_is_a_symmetric_share(
            a in (0f32..100.0, 0f32..100.0, 1f32..50.0, 1f32..50.0), b in (0f32..100.0, 0f32..100.0, 1f32..50.0, 1f32..50.0),
        ) {
            let rect = |r: (f32, f32, f32, f32)| Rect { left: r.0, top: r.1, width: r.2, height: r.3 };
            let (a, b) = (rect(a), rect(b));
            prop_assert!((0.0..=1.0 + 1e-4).contains(&a.overlap(&b)));
            prop_assert_eq!(a.overlap(&b), b.overlap(&a));
            prop_assert!((a.overlap(&a) - 1.0).abs() < 1e-4);
        }

        #[test]
        fn angles_wrap(angle in -1000f32..1000.0) {
            let wrapped = wrap_deg(angle);
            prop_assert!((-180.0..=180.0).contains(&wrapped));
            prop_assert!(((angle - wrapped) / 360.0 - ((angle - wrapped) / 360.0).round()).abs() < 1e-4);
        }
    }
}
