//! Deterministic noise for skin, hair, cloth and sensor. It is the same on every machine and in every run.

use super::math::mix;

/// Smooth noise in −1 … 1, from a table made once.
pub struct Grain {
    table: Box<[f32; Grain::SIDE * Grain::SIDE]>,
}

impl Grain {
    const SIDE: usize = 64;

    pub fn new() -> Grain {
        let mut state = 0x2545_F491u32;
        Grain { table: Box::new(std::array::from_fn(|_| next_uniform(&mut state) * 2.0 - 1.0)) }
    }

    pub fn at(&self, x: f32, y: f32) -> f32 {
        const MASK: u32 = Grain::SIDE as u32 - 1;
        let ((column, tx), (row, ty)) = (split(x), split(y));
        let (left, right) = ((column & MASK) as usize, (column.wrapping_add(1) & MASK) as usize);
        let above = (row & MASK) as usize * Self::SIDE;
        let below = (row.wrapping_add(1) & MASK) as usize * Self::SIDE;
        let t = &*self.table;
        mix(mix(t[above + left], t[above + right], tx), mix(t[below + left], t[below + right], tx), ty)
    }

    /// Noise that is not smooth, for structures of the size of a pixel.
    pub fn rough(&self, x: f32, y: f32) -> f32 {
        const MASK: u32 = Grain::SIDE as u32 - 1;
        self.table[(split(y).0 & MASK) as usize * Self::SIDE + (split(x).0 & MASK) as usize]
    }
}

/// The whole number below `x`, modulo a power of two above 2²⁰, and what is left, 0 … 1.
///
/// Adding 1.5 · 2²³ puts the rounded number into the low bits: faster than rounding and converting.
fn split(x: f32) -> (u32, f32) {
    const MAGIC: f32 = 12_582_912.0;
    let rounded = (x - 0.5) + MAGIC;
    (rounded.to_bits(), x - (rounded - MAGIC))
}

/// A xorshift step, 0 … 1.
pub fn next_uniform(state: &mut u32) -> f32 {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    (*state >> 8) as f32 / (1u32 << 24) as f32
}
