//! Finds the nearest triangle at each pixel: pose of the mesh, projection, depth. It contains no colours.

use super::geometry::{Mesh, Part, shape};
use super::math::{Vec3, cross, dot, minus, normalised};
use super::script::PhantomState;

/// From the lens to the head's origin.
const DISTANCE_CM: f32 = 68.0;
/// Picture height divided by the height of the visible scene, times the distance.
const FOCAL_HEIGHTS: f32 = 1.62;
/// Height at the middle of the picture, slightly below the eyes.
const CENTRE_Y_CM: f32 = -3.2;
/// The pivot of neck and head.
const PIVOT: Vec3 = [0.0, -6.5, -1.5];
const NOTHING: u32 = u32::MAX;

/// A posed vertex.
#[derive(Clone, Copy)]
pub struct Posed {
    /// With its expression, in head axes.
    pub local: Vec3,
    /// Before the camera: x to image-right, y up, z towards it.
    pub view: Vec3,
    /// Length one, in the camera's axes.
    pub normal: Vec3,
    screen: [f32; 3],
}

/// Rows and columns that contain something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    pub left: usize,
    pub right: usize,
    pub top: usize,
    pub bottom: usize,
}

pub struct Raster {
    mesh: Mesh,
    width: usize,
    height: usize,
    posed: Vec<Posed>,
    /// Of each pixel: nearness (0 = nothing), triangle, and the shares of its first two corners.
    nearness: Vec<f32>,
    triangle: Vec<u32>,
    shares: Vec<[f32; 2]>,
    area: Option<Area>,
}

/// The surface at a pixel.
pub struct Hit {
    pub part: Part,
    pub local: Vec3,
    /// Of about length one.
    pub normal: Vec3,
    pub above_line: f32,
    pub openness: f32,
    pub tint: Vec3,
    pub gloss: f32,
}

/// The weight of the shape `JAW` for this state of the mouth.
fn jaw_weight(state: &PhantomState) -> f32 {
    state.mouth_open as f32 + 0.3 * state.smile as f32
}

impl Raster {
    pub fn new(width_px: u32, height_px: u32) -> Raster {
        let mesh = Mesh::build();
        let (width, height) = (width_px as usize, height_px as usize);
        let nothing = Posed { local: [0.0; 3], view: [0.0; 3], normal: [0.0; 3], screen: [0.0; 3] };
        Raster {
            posed: vec![nothing; mesh.vertices.len()],
            mesh,
            width,
            height,
            nearness: vec![0.0; width * height],
            triangle: vec![NOTHING; width * height],
            shares: vec![[0.0; 2]; width * height],
            area: None,
        }
    }

    /// The size of a pixel at the face.
    pub fn pixel_cm(&self) -> f32 {
        (DISTANCE_CM - 8.0) / (FOCAL_HEIGHTS * self.height as f32)
    }

    /// Poses the mesh and finds the visible triangles. Returns the head's rotation and the area that was drawn.
    pub fn draw(&mut self, state: &PhantomState) -> (Rotation, Option<Area>) {
        self.clear();
        let turn = Rotation::of(state);
        self.pose(state, &turn);
        self.find_normals();
        for k in 0..self.mesh.triangles.len() {
            self.fill(k);
        }
        (turn, self.area)
    }

    pub fn hit(&self, x: usize, y: usize) -> Option<Hit> {
        let pixel = y * self.width + x;
        let (corners, part) = self.mesh.triangles.get(self.triangle[pixel] as usize)?;
        let [p, q] = self.shares[pixel];
        let r = 1.0 - p - q;
        let [i, j, k] = [corners[0] as usize, corners[1] as usize, corners[2] as usize];
        let (a, b, c) = (&self.posed[i], &self.posed[j], &self.posed[k]);
        let (u, v, w) = (&self.mesh.vertices[i], &self.mesh.vertices[j], &self.mesh.vertices[k]);
        Some(Hit {
            part: *part,
            local: [
                p * a.local[0] + q * b.local[0] + r * c.local[0],
                p * a.local[1] + q * b.local[1] + r * c.local[1],
                p * a.local[2] + q * b.local[2] + r * c.local[2],
            ],
            normal: [
                p * a.normal[0] + q * b.normal[0] + r * c.normal[0],
                p * a.normal[1] + q * b.normal[1] + r * c.normal[1],
                p * a.normal[2] + q * b.normal[2] + r * c.normal[2],
            ],
            above_line: p * u.above_line + q * v.above_line + r * w.above_line,
            openness: p * u.openness + q * v.openness + r * w.openness,
            tint: [
                p * u.tint[0] + q * v.tint[0] + r * w.tint[0],
                p * u.tint[1] + q * v.tint[1] + r * w.tint[1],
                p * u.tint[2] + q * v.tint[2] + r * w.tint[2],
            ],
            gloss: p * u.gloss + q * v.gloss + r * w.gloss,
        })
    }

    fn clear(&mut self) {
        if let Some(a) = self.area.take() {
            for y in a.top..a.bottom {
                let row = y * self.width;
                self.nearness[row + a.left..row + a.right].fill(0.0);
                self.triangle[row + a.left..row + a.right].fill(NOTHING);
            }
        }
    }

    fn pose(&mut self, state: &PhantomState, turn: &Rotation) {
        let mut weights = [0.0f32; shape::COUNT];
        weights[shape::SMILE] = state.smile as f32;
        weights[shape::JAW] = jaw_weight(state);
        weights[shape::FROWN] = state.mouth_frown as f32;
        weights[shape::BROW_RAISE] = state.brow_raise as f32;
        weights[shape::BROW_LOWER] = state.brow_lower as f32;
        let focal = FOCAL_HEIGHTS * self.height as f32;
        let middle =
            [self.width as f32 * (0.5 + state.shift_x as f32), self.height as f32 * (0.5 + state.shift_y as f32)];
        for (posed, vertex) in self.posed.iter_mut().zip(&self.mesh.vertices) {
            let mut local = vertex.rest;
            for (weight, by) in weights.iter().zip(&vertex.moves) {
                if *weight != 0.0 {
                    for axis in 0..3 {
                        local[axis] += weight * by[axis];
                    }
                }
            }
            let turned = turn.apply(minus(local, PIVOT));
            let share = vertex.head_share;
            let view = [0, 1, 2].map(|i| local[i] + share * (turned[i] + PIVOT[i] - local[i]));
            let near = 1.0 / (DISTANCE_CM - view[2]);
            let screen = [middle[0] + focal * view[0] * near, middle[1] - focal * (view[1] - CENTRE_Y_CM) * near, near];
            *posed = Posed { local, view, normal: [0.0; 3], screen };
        }
    }

    /// Each vertex's normal is the mean over its triangles, weighted by their area.
    fn find_normals(&mut self) {
        for (corners, _) in &self.mesh.triangles {
            let [a, b, c] = corners.map(|k| self.posed[k as usize].view);
            let normal = cross(minus(b, a), minus(c, a));
            for corner in corners {
                let sum = &mut self.posed[*corner as usize].normal;
                for axis in 0..3 {
                    sum[axis] += normal[axis];
                }
            }
        }
        for posed in &mut self.posed {
            posed.normal = normalised(posed.normal);
        }
    }

    fn fill(&mut self, number: usize) {
        let (corners, _) = self.mesh.triangles[number];
        let [a, b, c] = corners.map(|k| self.posed[k as usize].screen);
        // The screen's y axis points down. Triangles that face the camera are clockwise.
        let doubled_area = (c[0] - a[0]) * (b[1] - a[1]) - (b[0] - a[0]) * (c[1] - a[1]);
        if doubled_area <= 1e-6 {
            return;
        }
        let span = |axis: usize, size: usize| {
            let low = a[axis].min(b[axis]).min(c[axis]);
            let high = a[axis].max(b[axis]).max(c[axis]);
            // Pixel centres lie at halves.
            let from = (low - 0.5).ceil().max(0.0) as usize;
            let until = ((high - 0.5).floor() + 1.0).max(0.0) as usize;
            from..until.min(size)
        };
        let (columns, rows) = (span(0, self.width), span(1, self.height));
        if columns.is_empty() || rows.is_empty() {
            return;
        }
        let scale = 1.0 / doubled_area;
        let share =
            |p: [f32; 3], q: [f32; 3], x: f32, y: f32| ((q[0] - x) * (p[1] - y) - (p[0] - x) * (q[1] - y)) * scale;
        let step = [(c[1] - b[1]) * scale, (a[1] - c[1]) * scale];
        for y in rows.clone() {
            let start = [columns.start as f32 + 0.5, y as f32 + 0.5];
            let mut p = share(b, c, start[0], start[1]);
            let mut q = share(c, a, start[0], start[1]);
            let mut is_inside = false;
            for x in columns.clone() {
                let rest = 1.0 - p - q;
                if p >= 0.0 && q >= 0.0 && rest >= 0.0 {
                    is_inside = true;
                    let near = p * a[2] + q * b[2] + rest * c[2];
                    let pixel = y * self.width + x;
                    if near > self.nearness[pixel] {
                        self.nearness[pixel] = near;
                        self.triangle[pixel] = number as u32;
                        self.shares[pixel] = [p, q];
                    }
                } else if is_inside {
                    break;
                }
                p += step[0];
                q += step[1];
            }
        }
        let grown = Area { left: columns.start, right: columns.end, top: rows.start, bottom: rows.end };
        self.area = Some(self.area.map_or(grown, |o| Area {
            left: o.left.min(grown.left),
            right: o.right.max(grown.right),
            top: o.top.min(grown.top),
            bottom: o.bottom.max(grown.bottom),
        }));
    }
}

/// The head's turn, as the rows of its matrix.
pub struct Rotation([Vec3; 3]);

impl Rotation {
    fn of(state: &PhantomState) -> Rotation {
        let [yaw, pitch, roll] = [state.yaw_deg, state.pitch_deg, state.roll_deg].map(|d| (d as f32).to_radians());
        let axes = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]].map(|axis: Vec3| {
            let [x, y, z] = axis;
            let (s, c) = pitch.sin_cos();
            let [x, y, z] = [x, y * c - z * s, y * s + z * c];
            let (s, c) = yaw.sin_cos();
            let [x, y, z] = [x * c + z * s, y, z * c - x * s];
            let (s, c) = roll.sin_cos();
            [x * c + y * s, y * c - x * s, z]
        });
        Rotation([0, 1, 2].map(|row| [axes[0][row], axes[1][row], axes[2][row]]))
    }

    pub fn apply(&self, p: Vec3) -> Vec3 {
        [dot(self.0[0], p), dot(self.0[1], p), dot(self.0[2], p)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phantom::script::{self, Presence};
    use session::Timestamp;

    fn rest() -> PhantomState {
        PhantomState { yaw_deg: 0.0, pitch_deg: 0.0, roll_deg: 0.0, ..script::at(Timestamp::ZERO) }
    }

    #[test]
    fn angles_have_the_signs_of_the_face_stream() {
        let (nose, crown) = ([0.0, 0.0, 10.0], [0.0, 10.0, 0.0]);
        assert_eq!(Rotation::of(&rest()).apply(nose), nose);
        assert!(Rotation::of(&PhantomState { yaw_deg: 20.0, ..rest() }).apply(nose)[0] > 3.0, "to image-right");
        assert!(Rotation::of(&PhantomState { pitch_deg: 20.0, ..rest() }).apply(nose)[1] < -3.0, "down");
        assert!(Rotation::of(&PhantomState { roll_deg: 20.0, ..rest() }).apply(crown)[0] > 3.0, "clockwise");
    }

    #[test]
    fn the_drawn_area_follows_the_script() {
        let mut raster = Raster::new(320, 240);
        for k in 0..200 {
            let state = script::at(Timestamp::from_secs_f64(f64::from(k) * 0.1));
            let (_, area) = raster.draw(&state);
            match state.presence {
                Presence::Away => assert_eq!(area, None),
                Presence::Whole => {
                    let part = |x: usize, y: usize| raster.hit(x, y).map(|hit| hit.part);
                    let middle = (320.0 * (0.5 + state.shift_x)) as usize;
                    assert_eq!(part(middle, 110), Some(Part::Head));
                    assert_eq!(part(middle, 235), Some(Part::Body));
                    assert_eq!(part(2, 2), None);
                }
                Presence::Partial => {}
            }
        }
    }

    /// Every corner's normal points out of the body, so nothing is lit from within.
    #[test]
    fn normals_point_outwards() {
        let mut raster = Raster::new(64, 48);
        raster.draw(&rest());
        for (vertex, posed) in raster.mesh.vertices.iter().zip(&raster.posed) {
            let [x, y, z] = vertex.rest;
            if y > -9.0 && vertex.head_share == 1.0 && x * x + z * z > 16.0 && y < 8.0 && x.abs() < 6.5 {
                assert!(dot(posed.normal, [x, 0.0, z]) > 0.0, "at {:?}", vertex.rest);
            }
        }
    }
}
