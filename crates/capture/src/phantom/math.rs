//! The few formulas that geometry and skin share.

pub type Vec3 = [f32; 3];

pub fn dot(a: Vec3, b: Vec3) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

pub fn minus(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub fn normalised(a: Vec3) -> Vec3 {
    let scale = 1.0 / dot(a, a).max(1e-20).sqrt();
    [a[0] * scale, a[1] * scale, a[2] * scale]
}

pub fn mix(a: f32, b: f32, share: f32) -> f32 {
    a + (b - a) * share
}

pub fn mix3(a: Vec3, b: Vec3, share: f32) -> Vec3 {
    [mix(a[0], b[0], share), mix(a[1], b[1], share), mix(a[2], b[2], share)]
}

/// 0 at `from`, 1 at `until`, smooth between and flat beyond; `from` may be the greater.
pub fn smooth(from: f32, until: f32, x: f32) -> f32 {
    let t = ((x - from) / (until - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// 1 at 0, about 0.37 at ±`width`, 0 from ±2.45 `width` on: `(1 − (x / 2.45 w)²)³` to the power of two, which is
/// close to a Gaussian and needs no exponential.
pub fn bell(x: f32, width: f32) -> f32 {
    let t = x / width;
    let u = (1.0 - t * t * (1.0 / 6.0)).max(0.0);
    let cube = u * u * u;
    cube * cube
}
