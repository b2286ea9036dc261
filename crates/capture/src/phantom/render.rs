//! Renders the picture of a camera from the surface at each pixel: light, lens, sensor.

use super::geometry::Part;
use super::grain::{Grain, next_uniform};
use super::math::{Vec3, bell, dot, mix, normalised, smooth};
use super::raster::{Area, Hit, Raster, Rotation};
use super::script::{self, PhantomState};
use super::skin::{self, Look, Surface};
use super::strip;
use session::Timestamp;

/// Colours in the making: 16 steps to a stored grey level, so that the pulse is not rounded away.
const STEPS: f32 = 16.0;
/// Standard deviation of the sensor's noise, in stored grey levels.
const NOISE_LEVELS: f32 = 1.3;
const NOISE_LENGTH: usize = 1 << 16;

/// Towards the light, and the light's colour.
const KEY: (Vec3, Vec3) = ([-0.42, 0.5, 0.76], [0.86, 0.83, 0.78]);
const FILL: (Vec3, Vec3) = ([0.75, 0.05, 0.62], [0.20, 0.215, 0.24]);
const SKY: Vec3 = [0.33, 0.335, 0.345];
const GROUND: Vec3 = [0.15, 0.135, 0.125];
/// How far light creeps round into the shade of skin, by colour.
const SKIN_WRAP: Vec3 = [0.38, 0.22, 0.17];

/// Renders the phantom. The same time and number give the same bytes, whatever was rendered before.
pub struct Renderer {
    width: usize,
    height: usize,
    raster: Raster,
    grain: Grain,
    background: Vec<u16>,
    canvas: Vec<u16>,
    drawn: Option<Area>,
    /// In 1/256 of a grey level; twice as long as its period for the longest row.
    noise: Vec<i16>,
    lens_row: Vec<u16>,
    /// From linear light to `STEPS` times stored grey levels.
    tone: Vec<f32>,
    /// 1: the pulse of the script.
    pulse_strength: f64,
}

impl Renderer {
    pub fn new(width_px: u32, height_px: u32) -> Renderer {
        let (width, height) = (width_px as usize, height_px as usize);
        let background = background(width, height);
        let mut state = 0x9E37_79B9u32;
        let mut noise: Vec<i16> = (0..NOISE_LENGTH)
            .map(|_| {
                // The sum of four uniform numbers is near enough to a Gaussian of sd 1/√3.
                let sum: f32 = (0..4).map(|_| next_uniform(&mut state) - 0.5).sum();
                (sum * 3.0f32.sqrt() * NOISE_LEVELS * 256.0) as i16
            })
            .collect();
        noise.extend_from_within(..(width * 3).min(NOISE_LENGTH));
        while noise.len() < NOISE_LENGTH + width * 3 {
            noise.extend_from_within(..NOISE_LENGTH.min(NOISE_LENGTH + width * 3 - noise.len()));
        }
        Renderer {
            width,
            height,
            raster: Raster::new(width_px, height_px),
            grain: Grain::new(),
            canvas: background.clone(),
            background,
            drawn: None,
            noise,
            lens_row: vec![0; (width + 2) * 3],
            pulse_strength: 1.0,
            tone: (0..=TONE_LAST).map(|k| srgb(k as f32 / TONE_LAST as f32) * 255.0 * STEPS).collect(),
        }
    }

    /// With another pulse than the script's: 0 for none, 1 for [`script::PULSE_SHARE`].
    pub fn with_pulse_strength(self, strength: f64) -> Renderer {
        Renderer { pulse_strength: strength, ..self }
    }

    /// Fills `rgb` with the picture for `at`, 3 bytes a pixel, row by row.
    pub fn render(&mut self, at: Timestamp, number: u64, rgb: &mut Vec<u8>) {
        let (width, height) = (self.width, self.height);
        let state = script::at(at);
        self.restore_background();
        let (turn, area) = self.raster.draw(&state);
        if let Some(area) = area {
            self.shade(&state, &turn, area);
        }
        self.drawn = area;
        rgb.resize(width * height * 3, 0);
        self.expose(at, rgb);
        let (width_px, height_px) = (width as u32, height as u32);
        strip::draw_frame_number(rgb, width_px, height_px, number);
        if width >= 320 {
            strip::draw_label(rgb, width_px, height_px, at, number);
        }
    }

    fn restore_background(&mut self) {
        if let Some(a) = self.drawn.take() {
            for y in a.top..a.bottom {
                let span = (y * self.width + a.left) * 3..(y * self.width + a.right) * 3;
                self.canvas[span.clone()].copy_from_slice(&self.background[span]);
            }
        }
    }

    fn shade(&mut self, state: &PhantomState, turn: &Rotation, area: Area) {
        let look = Look::new(state, self.raster.pixel_cm());
        let pulse = script::PULSE_SHARE.map(|share| (share * state.pulse * self.pulse_strength) as f32);
        let lights = Lights::new();
        let edge = self.raster.pixel_cm();
        // The number's strip hides what is below; the row above it is softened by one more.
        let bottom =
            area.bottom.min((self.height + 1).saturating_sub(strip::strip_height_px(self.width as u32) as usize));
        for y in area.top..bottom {
            for x in area.left..area.right {
                let Some(hit) = self.raster.hit(x, y) else { continue };
                let (light, skin) = if hit.part == Part::Body && hit.above_line < -edge {
                    let colour = skin::cloth(hit.local, -hit.above_line, &self.grain);
                    (lights.on_matt(colour, &hit), 0.0)
                } else {
                    let surface = match hit.part {
                        Part::Head => look.head(&hit, &self.grain),
                        Part::Ear => skin::bare_skin(&hit, &self.grain),
                        Part::Body => skin::neck(&hit, smooth(edge, -edge, hit.above_line), &self.grain),
                    };
                    (lights.on(&surface, &hit, turn), surface.skin)
                };
                let pixel = &mut self.canvas[(y * self.width + x) * 3..][..3];
                for c in 0..3 {
                    // Toned by a table, then the pulse in fine steps.
                    let toned = self.tone[bounded(light[c] * TONE_LAST as f32, TONE_LAST as f32)];
                    pixel[c] = bounded(toned * (1.0 - skin * pulse[c]), 65535.0) as u16;
                }
            }
        }
    }

    /// The lens softens by one pixel, the sensor adds its noise, the picture is stored in 8 bits.
    fn expose(&mut self, at: Timestamp, rgb: &mut [u8]) {
        let stride = self.width * 3;
        let mut seed = seed_of(at);
        for (y, out) in rgb.chunks_exact_mut(stride).enumerate() {
            let row = |y: usize| &self.canvas[y * stride..(y + 1) * stride];
            let (above, here, below) = (row(y.saturating_sub(1)), row(y), row((y + 1).min(self.height - 1)));
            let softened = &mut self.lens_row;
            for (((s, a), h), b) in softened[3..].iter_mut().zip(above).zip(here).zip(below) {
                *s = a + 2 * h + b;
            }
            softened.copy_within(3..6, 0);
            softened.copy_within(stride..stride + 3, stride + 3);
            next_uniform(&mut seed);
            let offset = seed as usize % NOISE_LENGTH;
            let noise = &self.noise[offset..offset + stride];
            for ((((out, l), h), r), n) in
                out.iter_mut().zip(&softened[..]).zip(&softened[3..]).zip(&softened[6..]).zip(noise)
            {
                let sum = i32::from(*l) + 2 * i32::from(*h) + i32::from(*r) + i32::from(*n) + 128;
                *out = (sum >> 8).clamp(0, 255) as u8;
            }
        }
    }
}

const TONE_LAST: usize = 4095;

/// Rounds into 0 … `last`; `last` below 2²³. Adding 2²³ puts the whole number into the low bits, which is faster
/// than a conversion that handles all cases.
fn bounded(x: f32, last: f32) -> usize {
    const MAGIC: f32 = 8_388_608.0;
    ((x.clamp(0.0, last) + MAGIC).to_bits() & 0x007F_FFFF) as usize
}

/// The lights as shading wants them: what does not depend on the pixel is worked out once a frame.
struct Lights {
    key: Vec3,
    /// Halfway between the key light and the camera. The fill light is too broad to shine.
    half: Vec3,
    fill: Vec3,
    /// Keeps the light's sum where wrapping spreads it.
    wrap_scale: Vec3,
}

impl Lights {
    fn new() -> Lights {
        let key = normalised(KEY.0);
        Lights {
            key,
            half: normalised([key[0], key[1], key[2] + 1.0]),
            fill: normalised(FILL.0),
            wrap_scale: SKIN_WRAP.map(|w| 1.0 / (1.0 + w)),
        }
    }

    /// What reaches the camera from cloth, linear.
    fn on_matt(&self, colour: Vec3, hit: &Hit) -> Vec3 {
        let n = normalised(hit.normal);
        let up = 0.5 + 0.5 * n[1];
        let bright = mix(0.4, 1.0, hit.openness);
        let (key, fill) = (dot(n, self.key).max(0.0) * bright, dot(n, self.fill).max(0.0) * bright);
        let mut seen = [0.0; 3];
        for c in 0..3 {
            seen[c] = colour[c] * (mix(GROUND[c], SKY[c], up) * hit.openness + KEY.1[c] * key + FILL.1[c] * fill);
        }
        seen
    }

    /// What reaches the camera, linear.
    fn on(&self, s: &Surface, hit: &Hit, turn: &Rotation) -> Vec3 {
        let tilt = turn.apply([s.tilt[0], s.tilt[1], 0.0]);
        let n = normalised([hit.normal[0] + tilt[0], hit.normal[1] + tilt[1], hit.normal[2] + tilt[2]]);
        let up = 0.5 + 0.5 * n[1];
        let bright = mix(0.4, 1.0, s.openness);
        let (key, fill) = (dot(n, self.key), dot(n, self.fill));
        let mut shine = 0.0;
        let mut veil = s.glint;
        if s.gloss > 0.0 {
            // Two lobes: skin is oily and rough at once.
            let gleam = dot(n, self.half).max(0.0);
            let g4 = gleam * gleam * gleam * gleam;
            let g12 = g4 * g4 * g4;
            shine = (0.035 * g12 + 0.07 * g12 * g12) * s.gloss * bright;
            // Grazing surfaces mirror the surroundings.
            let rim = (1.0 - n[2]).clamp(0.0, 1.0);
            veil += 0.06 * rim * rim * rim * s.openness * s.gloss.min(1.0);
        }
        let mut seen = [veil; 3];
        for c in 0..3 {
            let wrap = SKIN_WRAP[c] * s.skin;
            let spread = bright * mix(1.0, self.wrap_scale[c], s.skin);
            let direct = KEY.1[c] * (key + wrap).max(0.0) + FILL.1[c] * (fill + wrap).max(0.0);
            let light = mix(GROUND[c], SKY[c], up) * s.openness + direct * spread;
            seen[c] += s.colour[c] * light + KEY.1[c] * shine;
        }
        seen
    }
}

/// A wall in soft light, brighter behind the head on the side away from the key light.
fn background(width: usize, height: usize) -> Vec<u16> {
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let (u, v) = ((x as f32 + 0.5) / width as f32 - 0.5, (y as f32 + 0.5) / height as f32 - 0.5);
            let glow = bell(u - 0.08, 0.62) * bell(v + 0.05, 0.75);
            let falloff = 1.0 - 0.25 * smooth(0.0, 0.5, v);
            let level = (0.40 + 0.30 * glow) * falloff;
            pixels.extend([0.90, 0.955, 1.0].map(|tint: f32| (level * tint * 255.0 * STEPS) as u16));
        }
    }
    pixels
}

fn srgb(linear: f32) -> f32 {
    if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

/// A different row of noise at every instant; never zero, which xorshift would keep.
fn seed_of(at: Timestamp) -> u32 {
    let mixed = (at.as_ns() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 32) as u32 | 1
}
