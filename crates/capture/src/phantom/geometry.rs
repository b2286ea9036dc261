//! The phantom's body as a mesh: horizontal sections of a head, a neck and shoulders, with features pushed out of
//! them by formulas. Built once; expressions are displacements that a frame only has to weigh and add.
//!
//! Head coordinates in cm: the origin lies between the eyes' height and the axis of the ears, x to image-right,
//! y up, z towards the camera. The eyes are at y = 0, the mouth at y = −7.2, the chin ends at y = −11.4.

use super::math::{Vec3, bell, smooth};

/// What a triangle is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Head,
    Ear,
    Body,
}

/// The expressions that move the mesh, as positions in [`Vertex::moves`].
pub mod shape {
    pub const SMILE: usize = 0;
    pub const JAW: usize = 1;
    pub const FROWN: usize = 2;
    pub const BROW_RAISE: usize = 3;
    pub const BROW_LOWER: usize = 4;
    pub const COUNT: usize = 5;
}

#[derive(Clone, Copy, Debug)]
pub struct Vertex {
    pub rest: Vec3,
    pub moves: [Vec3; shape::COUNT],
    /// 1: turns with the head, 0: stays with the shoulders.
    pub head_share: f32,
    /// Height above the hairline in cm, negative on bare skin. On the body: above the collar.
    pub above_line: f32,
    /// Share of the surroundings' light that reaches the place.
    pub openness: f32,
    /// By how much skin's colour is multiplied here: blood near the surface, shade round the eyes.
    pub tint: Vec3,
    pub gloss: f32,
}

pub struct Mesh {
    pub vertices: Vec<Vertex>,
    /// Anticlockwise as seen from outside.
    pub triangles: Vec<([u16; 3], Part)>,
}

/// One horizontal section: half-ellipses to the front and to the back of its widest place.
#[derive(Clone, Copy)]
struct Section {
    y: f32,
    half_width: f32,
    front_z: f32,
    middle_z: f32,
    back_z: f32,
}

const fn section(y: f32, half_width: f32, front_z: f32, middle_z: f32, back_z: f32) -> Section {
    Section { y, half_width, front_z, middle_z, back_z }
}

const HEAD: [Section; 17] = [
    section(-12.2, 0.0, 1.5, 1.5, 1.5),
    section(-12.0, 2.6, 5.4, 1.6, -1.5),
    section(-11.5, 3.6, 7.8, 1.9, -3.5),
    section(-10.7, 4.1, 8.5, 1.8, -4.6),
    section(-9.2, 4.95, 8.55, 1.4, -5.6),
    section(-7.4, 5.75, 8.95, 1.0, -6.5),
    section(-5.6, 6.3, 9.15, 0.7, -7.3),
    section(-3.6, 6.8, 9.15, 0.5, -8.2),
    section(-1.6, 7.15, 9.15, 0.3, -8.9),
    section(0.4, 7.3, 9.3, 0.0, -9.3),
    section(2.4, 7.35, 9.5, -0.2, -9.5),
    section(4.6, 7.3, 9.25, -0.4, -9.5),
    section(6.8, 6.9, 8.2, -0.6, -9.2),
    section(8.8, 5.9, 6.3, -0.8, -8.2),
    section(10.4, 4.2, 3.8, -1.0, -6.3),
    section(11.3, 2.2, 1.2, -1.2, -3.8),
    section(11.6, 0.0, -1.3, -1.3, -1.3),
];

const BODY: [Section; 11] = [
    section(-7.5, 4.7, 3.2, -1.2, -6.0),
    section(-10.5, 4.75, 3.6, -1.2, -6.2),
    section(-13.0, 4.9, 3.9, -1.3, -6.6),
    section(-14.9, 5.6, 4.2, -1.5, -7.2),
    section(-16.2, 7.7, 4.6, -1.8, -7.8),
    section(-17.1, 11.3, 5.0, -2.0, -8.2),
    section(-18.2, 15.3, 5.6, -2.0, -8.6),
    section(-20.0, 18.6, 6.4, -2.0, -9.0),
    section(-23.0, 20.4, 7.6, -2.0, -9.4),
    section(-27.0, 21.2, 8.6, -2.0, -9.6),
    section(-33.0, 21.5, 9.0, -2.0, -9.6),
];

const HEAD_COLUMNS: usize = 80;
const BODY_COLUMNS: usize = 48;
/// Rows between two sections.
const HEAD_ROWS_PER_SECTION: usize = 4;
const BODY_ROWS_PER_SECTION: usize = 3;

impl Mesh {
    pub fn build() -> Mesh {
        let mut mesh = Mesh { vertices: Vec::new(), triangles: Vec::new() };
        mesh.add_rings(&HEAD, HEAD_ROWS_PER_SECTION, HEAD_COLUMNS, 0.5, Part::Head, head_vertex);
        mesh.add_rings(&BODY, BODY_ROWS_PER_SECTION, BODY_COLUMNS, 0.8, Part::Body, body_vertex);
        mesh.add_ear(-1.0);
        mesh.add_ear(1.0);
        mesh
    }

    /// Rings of vertices, one above the other. `front_density` below 1 puts more columns to the front.
    fn add_rings(
        &mut self,
        sections: &[Section],
        rows_per_section: usize,
        columns: usize,
        front_density: f32,
        part: Part,
        finish: fn(Vec3) -> Vertex,
    ) {
        let first = self.vertices.len();
        let rows = (sections.len() - 1) * rows_per_section + 1;
        let upwards = sections[0].y < sections[1].y;
        for row in 0..rows {
            let s = interpolate(sections, row as f32 / rows_per_section as f32);
            for column in 0..columns {
                let u = 2.0 * column as f32 / columns as f32 - 1.0;
                let turn = std::f32::consts::PI * (front_density * u + (1.0 - front_density) * u * u * u);
                let (sin, cos) = turn.sin_cos();
                let reach = if cos > 0.0 { s.front_z - s.middle_z } else { s.middle_z - s.back_z };
                self.vertices.push(finish([s.half_width * sin, s.y, s.middle_z + reach * cos]));
            }
        }
        for row in 0..rows - 1 {
            for column in 0..columns {
                let next = (column + 1) % columns;
                let [a, b] = [column, next].map(|c| (first + row * columns + c) as u16);
                let [c, d] = [column, next].map(|c| (first + (row + 1) * columns + c) as u16);
                let quad = if upwards { [[a, b, d], [a, d, c]] } else { [[a, d, b], [a, c, d]] };
                self.triangles.extend(quad.map(|t| (t, part)));
            }
        }
    }

    /// A flat shell beside the head; `side` is −1 at image-left.
    fn add_ear(&mut self, side: f32) {
        const RINGS: usize = 7;
        const COLUMNS: usize = 20;
        let first = self.vertices.len();
        for ring in 0..=RINGS {
            let (out, across) = (std::f32::consts::FRAC_PI_2 * ring as f32 / RINGS as f32).sin_cos();
            for column in 0..COLUMNS {
                let (sin, cos) = (std::f32::consts::TAU * column as f32 / COLUMNS as f32).sin_cos();
                // Wider above than at the lobe.
                let width = 1.75 * (1.0 + 0.28 * sin) * out;
                let (w, h) = (cos * width, sin * 3.1 * out);
                let thickness = 0.55 * across - 0.25 * bell(out - 0.55, 0.3);
                // Turned so that its front edge lies at the head and its back edge stands off.
                let rest = [
                    side * (6.75 + 0.62 * (1.2 - w) * 0.5 + thickness),
                    -1.6 + h + 0.12 * w,
                    -0.9 + 0.86 * w - 0.1 * h,
                ];
                self.vertices.push(Vertex {
                    rest,
                    moves: [[0.0; 3]; shape::COUNT],
                    head_share: 1.0,
                    above_line: -1.0,
                    openness: 0.5 + 0.4 * smooth(0.45, 0.95, out),
                    tint: [1.0, 0.82, 0.82],
                    gloss: 0.35,
                });
            }
        }
        for ring in 0..RINGS {
            for column in 0..COLUMNS {
                let next = (column + 1) % COLUMNS;
                let [a, b] = [column, next].map(|c| (first + ring * COLUMNS + c) as u16);
                let [c, d] = [column, next].map(|c| (first + (ring + 1) * COLUMNS + c) as u16);
                let quad = if side > 0.0 { [[a, b, d], [a, d, c]] } else { [[a, d, b], [a, c, d]] };
                self.triangles.extend(quad.map(|t| (t, Part::Ear)));
            }
        }
    }
}

/// A smooth curve through the sections (Catmull-Rom), `at` in sections.
fn interpolate(sections: &[Section], at: f32) -> Section {
    let last = sections.len() - 1;
    let k = (at.floor() as usize).min(last - 1);
    let t = at - k as f32;
    let pick = |f: fn(&Section) -> f32| {
        let [a, b, c, d] = [k.saturating_sub(1), k, k + 1, (k + 2).min(last)].map(|i| f(&sections[i]));
        b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
    };
    Section {
        y: pick(|s| s.y),
        half_width: pick(|s| s.half_width).max(0.0),
        front_z: pick(|s| s.front_z),
        middle_z: pick(|s| s.middle_z),
        back_z: pick(|s| s.back_z),
    }
}

fn head_vertex(bare: Vec3) -> Vertex {
    let [x, y, z] = bare;
    let above_line = y - hairline_y(x, z);
    let front = smooth(0.5, 4.5, z);
    let mut rest = [x, y, z + front * relief(x.abs(), y)];
    // Temples are hollow, cheek bones stand out, the jaw has a corner.
    rest[0] += x.signum() * 0.25 * bell(y + 1.8, 1.8) * bell(z - 4.0, 2.5);
    rest[0] -= x.signum() * 0.3 * bell(y - 2.5, 1.6) * bell(z - 5.0, 2.0);
    rest[0] += x.signum() * 0.25 * bell(y + 8.3, 1.5) * bell(z - 1.5, 2.5);
    // Hair has a body of its own.
    let hair = smooth(-0.1, 1.6, above_line) * (0.45 + 0.55 * smooth(2.0, 10.0, y));
    let length = (x * x + (y - 2.0).powi(2) + z * z).sqrt().max(1e-3);
    for (axis, centre) in [0.0, 2.0, 0.0].into_iter().enumerate() {
        rest[axis] += hair * (bare[axis] - centre) / length;
    }
    Vertex {
        rest,
        moves: moves(x, y, front),
        head_share: 1.0,
        above_line,
        openness: openness(x.abs(), y, z, above_line),
        tint: tint(x.abs(), y, z),
        gloss: 0.55 + 0.35 * bell(x, 1.4),
    }
}

/// Cheeks, nose and chin are redder, the skin round the eyes is darker.
fn tint(x: f32, y: f32, z: f32) -> Vec3 {
    let at = |cx: f32, cy: f32, sx: f32, sy: f32| smooth(0.0, 4.0, z) * bell(x - cx, sx) * bell(y - cy, sy);
    let red = 0.85 * at(4.3, -3.4, 1.9, 1.9) + 0.6 * at(0.0, -4.3, 1.1, 0.9) + 0.3 * at(0.0, -10.3, 1.3, 0.9);
    let dusk = at(3.0, -0.3, 1.7, 1.2);
    [
        (1.0 + 0.02 * red) * (1.0 - 0.13 * dusk),
        (1.0 - 0.17 * red) * (1.0 - 0.17 * dusk),
        (1.0 - 0.14 * red) * (1.0 - 0.11 * dusk),
    ]
}

/// How far the features stand out towards the camera, in cm, at height `y` and `x` from the middle.
fn relief(x: f32, y: f32) -> f32 {
    let at = |cx: f32, cy: f32, sx: f32, sy: f32| bell(x - cx, sx) * bell(y - cy, sy);
    let mut z = 0.0;
    z += 0.34 * at(2.6, 2.0, 2.0, 0.75) + 0.12 * at(0.0, 1.9, 1.2, 0.7);
    z -= 0.8 * at(2.9, 0.2, 1.35, 1.05) + 0.35 * at(1.5, 0.3, 0.5, 0.8);
    z += 0.5 * at(3.15, -0.05, 0.95, 0.75);
    z += 0.42 * at(4.5, -2.3, 1.7, 1.3);
    z += nose(x, y);
    // The teeth's arch, then lips, the fold below them, the chin.
    z += 0.55 * at(0.0, -7.2, 2.3, 1.5);
    z += 0.2 * at(0.0, -6.75, 1.7, 0.35) - 0.16 * at(0.0, -7.22, 2.2, 0.2) + 0.3 * at(0.0, -7.8, 1.4, 0.42);
    z -= 0.3 * at(0.0, -8.95, 1.6, 0.45);
    z += 0.6 * at(0.0, -10.2, 1.5, 0.9);
    z -= 0.16 * at(2.5, -5.6, 0.5, 1.1);
    z
}

fn nose(x: f32, y: f32) -> f32 {
    // The bridge rises from the root to the tip and falls off steeply below it.
    let along = smooth(1.6, -4.5, y);
    let height = (0.25 + 1.75 * along) * smooth(2.2, 0.6, y) * smooth(-5.35, -4.55, y);
    let half_width = 0.62 + 0.38 * along;
    let bridge = height * bell(x, half_width);
    let tip = 0.55 * bell(x, 0.75) * bell(y + 4.25, 0.62);
    let wings = 0.85 * bell(x - 1.2, 0.45) * bell(y + 4.55, 0.52);
    let column = 0.35 * bell(x, 0.35) * bell(y + 5.1, 0.35);
    bridge + tip + wings + column
}

fn moves(x: f32, y: f32, front: f32) -> [Vec3; shape::COUNT] {
    let side = x.signum();
    let ax = x.abs();
    let at = |cx: f32, cy: f32, sx: f32, sy: f32| front * bell(ax - cx, sx) * bell(y - cy, sy);
    let corner = at(2.9, -7.1, 1.0, 1.0);
    let cheek = at(3.9, -3.9, 1.5, 1.4);
    let mut all = [[0.0; 3]; shape::COUNT];
    all[shape::SMILE] = [
        side * (0.7 * corner + 0.3 * cheek + 0.12 * at(1.2, -4.5, 0.5, 0.6)),
        0.65 * corner + 0.5 * cheek,
        -0.3 * corner + 0.55 * cheek - 0.22 * at(2.5, -5.7, 0.45, 1.0),
    ];
    let jaw = front * smooth(-6.9, -8.3, y) * smooth(6.5, 4.0, ax);
    all[shape::JAW] = [-0.08 * x * jaw, -1.9 * jaw, -0.5 * jaw];
    all[shape::FROWN] = [0.0, -0.5 * corner, 0.12 * at(0.0, -9.9, 1.2, 0.7)];
    let brow = front * smooth(0.2, 2.0, y) * smooth(6.5, 3.0, y);
    all[shape::BROW_RAISE] = [0.0, 0.55 * brow, 0.0];
    all[shape::BROW_LOWER] = [
        -side * 0.15 * at(1.6, 2.0, 0.9, 0.9),
        -0.35 * brow * bell(ax, 3.5),
        0.22 * at(1.0, 1.9, 0.6, 0.6) - 0.1 * at(0.0, 2.0, 0.25, 0.7),
    ];
    all
}

/// Light that folds and overhangs keep away.
fn openness(x: f32, y: f32, z: f32, above_line: f32) -> f32 {
    let at = |cx: f32, cy: f32, sx: f32, sy: f32| bell(x - cx, sx) * bell(y - cy, sy);
    let mut open = 1.0;
    if z > 0.0 {
        open -= 0.34 * at(2.6, 0.9, 1.3, 0.55) + 0.28 * at(1.4, 0.3, 0.5, 0.9);
        open -= 0.5 * at(0.0, -5.35, 1.2, 0.3) + 0.32 * at(2.0, -4.7, 0.3, 0.6);
        open -= 0.22 * at(0.0, -8.85, 1.4, 0.35);
    }
    open -= 0.5 * smooth(-10.8, -12.0, y);
    open -= 0.25 * bell(above_line + 0.2, 0.5);
    open.max(0.15)
}

/// The height at which hair begins, by the direction seen from above: 0° is the forehead's middle.
fn hairline_y(x: f32, z: f32) -> f32 {
    const LINE: [(f32, f32); 11] = [
        (0.0, 6.5),
        (20.0, 6.75),
        (38.0, 6.2),
        (50.0, 5.0),
        (60.0, 2.6),
        (68.0, 1.2),
        (76.0, -1.6),
        (86.0, -2.4),
        (100.0, -1.0),
        (112.0, -5.0),
        (180.0, -8.0),
    ];
    let degrees = x.abs().atan2(z).to_degrees();
    let k = LINE.partition_point(|p| p.0 <= degrees).clamp(1, LINE.len() - 1);
    let ((from, low), (until, high)) = (LINE[k - 1], LINE[k]);
    low + (high - low) * smooth(from, until, degrees)
}

fn body_vertex(rest: Vec3) -> Vertex {
    let [x, y, z] = rest;
    // A round collar, lower in front.
    let collar = -15.3 - 1.1 * smooth(-4.0, 4.5, z);
    let under_chin = smooth(-16.5, -11.5, y);
    let fold = 0.12 * (0.35 * x + 0.2 * y).sin() * smooth(-17.5, -20.0, y);
    Vertex {
        rest: [x, y + 0.25 * (0.5 * x).sin() * smooth(-18.0, -22.0, y) * 0.3, z + fold],
        moves: [[0.0; 3]; shape::COUNT],
        head_share: smooth(-14.5, -9.5, y) * 0.8,
        above_line: y - collar,
        tint: [0.93; 3],
        gloss: 0.35,
        openness: 0.95 - 0.62 * under_chin - 0.15 * bell(y - collar, 0.6),
    }
}
