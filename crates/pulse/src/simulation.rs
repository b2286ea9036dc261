//! Colours of skin with a known pulse, as a camera and a compressor would give them. The calibration and the tests use them.
//!
//! Sizes are from the literature, from the measured direction of the pulse and from how codecs work. None was adjusted to a
//! recording of a person. The pulse wave is a sum of three harmonics; no recorded wave is used.

use std::f64::consts::TAU;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::projections::PULSE_DIRECTION;
use super::row::{Patch, SkinRow};
use session::{Timestamp, skin};

/// Mean levels of red, green and blue of skin of the Fitzpatrick types I to VI in good light.
pub const SKIN_TONES: [[f64; 3]; 6] = [
    [228.0, 188.0, 168.0],
    [214.0, 166.0, 140.0],
    [194.0, 142.0, 112.0],
    [164.0, 114.0, 84.0],
    [126.0, 86.0, 64.0],
    [92.0, 62.0, 48.0],
];

/// What happens in a simulated recording. Shares are of the mean level.
#[derive(Clone, Debug)]
pub struct Scene {
    pub tone: [f64; 3],
    /// Mean rate and its slow changes.
    pub mean_bpm: f64,
    pub wander_bpm: f64,
    /// Amplitude of green; 0: no pulse.
    pub pulse_share: f64,
    pub direction: [f64; 3],
    pub frame_hz: f64,
    pub jitter_s: f64,
    pub lost_share: f64,
    /// Standard deviation of a region's mean colour from frame to frame, in levels.
    pub noise_levels: f64,
    pub motion: Motion,
    pub light: Light,
    pub codec: Codec,
    pub seconds: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Motion {
    Still,
    /// Aperiodic, with the mouth.
    Talking {
        side_share: f64,
    },
    /// Periodic, as on a treadmill.
    Nodding {
        side_share: f64,
        hz: f64,
    },
    Turning {
        side_share: f64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Light {
    Steady,
    /// Of the room: it reaches the background too.
    Flicker {
        share: f64,
        hz: f64,
    },
    /// Of the screen: coloured, aperiodic, and only on the face.
    Screen {
        share: f64,
    },
    /// The camera changes its exposure in steps.
    AutoExposure {
        share: f64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Codec {
    None,
    /// New errors in each frame, in levels.
    Intra {
        levels: f64,
    },
    /// A block changes only if it is wrong by more than `dead_levels`, and in each key frame.
    Inter {
        dead_levels: f64,
        blocks: usize,
        key_frames: usize,
    },
}

impl Scene {
    /// A scene of the calibration, with a pulse of 0.05 to 0.9 % or without one.
    pub fn random(rng: &mut StdRng) -> Scene {
        let exposure = rng.random_range(0.5..1.1);
        let tone = SKIN_TONES[rng.random_range(0..6)]
            .map(|level| (level * exposure * rng.random_range(0.93..1.07)).min(245.0));
        let mean_bpm = if rng.random_bool(0.7) { rng.random_range(50.0..110.0) } else { rng.random_range(42.0..200.0) };
        let has_pulse = rng.random_bool(0.7);
        Scene {
            tone,
            mean_bpm,
            wander_bpm: rng.random_range(0.0..0.06) * mean_bpm,
            pulse_share: if has_pulse { between(rng, 0.0005, 0.009) } else { 0.0 },
            direction: PULSE_DIRECTION.map(|p| p + rng.random_range(-0.06..0.06)),
            frame_hz: [15.0, 20.0, 24.0, 25.0, 30.0, 30.0, 30.0, 50.0, 60.0][rng.random_range(0..9)],
            jitter_s: rng.random_range(0.0..0.006),
            lost_share: if rng.random_bool(0.3) { rng.random_range(0.0..0.03) } else { 0.0 },
            noise_levels: between(rng, 0.01, 0.3),
            motion: random_motion(rng),
            light: random_light(rng),
            codec: random_codec(rng),
            seconds: 10.05,
        }
    }

    /// A still person in good light, for tests.
    pub fn easy(mean_bpm: f64) -> Scene {
        Scene {
            tone: SKIN_TONES[1],
            mean_bpm,
            wander_bpm: 0.0,
            pulse_share: 0.006,
            direction: PULSE_DIRECTION,
            frame_hz: 30.0,
            jitter_s: 0.003,
            lost_share: 0.0,
            noise_levels: 0.05,
            motion: Motion::Still,
            light: Light::Steady,
            codec: Codec::None,
            seconds: 10.05,
        }
    }

    /// The rows, and the mean rate of the whole scene; `None` without a pulse.
    pub fn rows(&self, seed: u64) -> (Vec<SkinRow>, Option<f64>) {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut play = Play::new(self, &mut rng);
        let count = (self.seconds * self.frame_hz) as usize;
        let mut rows = Vec::with_capacity(count);
        for k in 0..count {
            let t = k as f64 / self.frame_hz;
            let row = play.row(k, t, &mut rng);
            if !rng.random_bool(self.lost_share) {
                rows.push(row);
            }
        }
        rows.sort_by_key(|r| r.at);
        let beats = play.heart.beats(self.seconds) - play.heart.beats(0.0);
        (rows, (self.pulse_share > 0.0).then_some(beats * 60.0 / self.seconds))
    }
}

/// Log-uniform.
fn between(rng: &mut StdRng, low: f64, high: f64) -> f64 {
    rng.random_range(low.ln()..high.ln()).exp()
}

fn random_motion(rng: &mut StdRng) -> Motion {
    match rng.random_range(0..10) {
        0..4 => Motion::Still,
        4..6 => Motion::Talking { side_share: between(rng, 0.003, 0.08) },
        6..8 => Motion::Nodding { side_share: between(rng, 0.003, 0.08), hz: rng.random_range(0.3..3.0) },
        _ => Motion::Turning { side_share: between(rng, 0.02, 0.3) },
    }
}

fn random_light(rng: &mut StdRng) -> Light {
    match rng.random_range(0..8) {
        0..4 => Light::Steady,
        4 => Light::Flicker { share: between(rng, 0.0005, 0.03), hz: rng.random_range(0.2..4.0) },
        5..7 => Light::Screen { share: between(rng, 0.0005, 0.05) },
        _ => Light::AutoExposure { share: between(rng, 0.002, 0.05) },
    }
}

fn random_codec(rng: &mut StdRng) -> Codec {
    match rng.random_range(0..6) {
        0 => Codec::None,
        1..3 => Codec::Intra { levels: between(rng, 0.01, 0.3) },
        _ => Codec::Inter {
            dead_levels: between(rng, 0.05, 2.5),
            blocks: rng.random_range(4..40),
            key_frames: [12, 30, 60, 250][rng.random_range(0..4)],
        },
    }
}

/// Times of the beats, with breathing and slow changes.
struct Heart {
    mean_hz: f64,
    wander_hz: f64,
    slow_hz: f64,
    slow_phase: f64,
    /// A change of the rate over the whole scene.
    drift_hz_per_s: f64,
    harmonics: [(f64, f64); 2],
}

impl Heart {
    fn new(scene: &Scene, rng: &mut StdRng) -> Heart {
        let wander_hz = scene.wander_bpm / 60.0;
        Heart {
            mean_hz: scene.mean_bpm / 60.0,
            wander_hz,
            slow_hz: rng.random_range(0.1..0.35),
            slow_phase: rng.random_range(0.0..TAU),
            drift_hz_per_s: wander_hz * rng.random_range(-0.1..0.1),
            harmonics: [
                (rng.random_range(0.15..0.6), rng.random_range(-1.0..0.5)),
                (rng.random_range(0.03..0.25), rng.random_range(-1.5..1.5)),
            ],
        }
    }

    /// Beats since some time before the scene.
    fn beats(&self, t: f64) -> f64 {
        let slow = TAU * self.slow_hz;
        self.mean_hz * t - self.wander_hz / slow * (slow * t + self.slow_phase).cos()
            + 0.5 * self.drift_hz_per_s * t * t
    }

    fn wave(&self, t: f64) -> f64 {
        let turn = TAU * self.beats(t);
        let [(second, second_phase), (third, third_phase)] = self.harmonics;
        turn.sin() + second * (2.0 * turn + second_phase).sin() + third * (3.0 * turn + third_phase).sin()
    }
}

/// Noise that follows its own past for about `1 / hz`, with a standard deviation of 1.
#[derive(Clone, Default)]
struct Wander(f64);

impl Wander {
    fn next(&mut self, step_s: f64, hz: f64, rng: &mut StdRng) -> f64 {
        let keep = (-TAU * hz * step_s).exp();
        self.0 = keep * self.0 + (1.0 - keep * keep).sqrt() * normal(rng);
        self.0
    }
}

/// Box and Muller's method.
fn normal(rng: &mut StdRng) -> f64 {
    let radius = (-2.0 * rng.random_range(1e-12..1.0f64).ln()).sqrt();
    radius * (TAU * rng.random::<f64>()).cos()
}

/// How one region answers to what happens.
struct Region {
    tone: [f64; 3],
    pulse: f64,
    delay_s: f64,
    /// Change of each colour for a movement of one distance between the eyes, per axis.
    motion: [[f64; 3]; 2],
    light: [f64; 3],
    own: [Wander; 3],
    own_share: f64,
    blocks: Vec<[f64; 3]>,
    block_offsets: Vec<f64>,
}

impl Region {
    fn new(scene: &Scene, rng: &mut StdRng) -> Region {
        let shade = rng.random_range(0.8..1.1);
        let blocks = if let Codec::Inter { blocks, .. } = scene.codec { blocks } else { 0 };
        // A shadow changes all colours alike, a highlight makes them more alike.
        let axis = |rng: &mut StdRng| {
            let all = rng.random_range(-1.0..1.0);
            [0; 3].map(|_| all * rng.random_range(0.8..1.2) + rng.random_range(-0.1..0.1))
        };
        Region {
            tone: scene.tone.map(|level| (level * shade).min(250.0)),
            pulse: rng.random_range(0.6..1.3),
            delay_s: rng.random_range(0.0..0.03),
            motion: [axis(rng), axis(rng)],
            light: [0; 3].map(|_| rng.random_range(0.7..1.3)),
            own: Default::default(),
            own_share: between(rng, 0.0001, 0.002),
            blocks: vec![[f64::NAN; 3]; blocks],
            block_offsets: (0..blocks).map(|_| rng.random_range(-20.0..20.0)).collect(),
        }
    }

    /// What remains of a colour after compression.
    fn compressed(&mut self, codec: Codec, frame: usize, colour: [f64; 3], rng: &mut StdRng) -> [f64; 3] {
        match codec {
            Codec::None => colour,
            Codec::Intra { levels } => colour.map(|c| c + levels * normal(rng)),
            Codec::Inter { dead_levels, key_frames, .. } => {
                let is_key = frame.is_multiple_of(key_frames);
                // Chroma is coarser than luma. The errors of red and blue are therefore larger.
                let coarse = [1.6, 1.0, 2.0].map(|c| c * dead_levels);
                for (block, offset) in self.blocks.iter_mut().zip(&self.block_offsets) {
                    for c in 0..3 {
                        let wanted = colour[c] + offset;
                        // The first frame has no colour yet: NaN.
                        let is_wrong = block[c].is_nan() || (block[c] - wanted).abs() > coarse[c];
                        if is_key || is_wrong {
                            block[c] =
                                (wanted / coarse[c] / 0.5 + rng.random_range(-0.2..0.2)).round() * coarse[c] * 0.5;
                        }
                    }
                }
                let count = self.blocks.len() as f64;
                let mean_offset = self.block_offsets.iter().sum::<f64>() / count;
                std::array::from_fn(|c| self.blocks.iter().map(|b| b[c]).sum::<f64>() / count - mean_offset)
            }
        }
    }
}

/// A scene while it is played, frame by frame.
struct Play<'a> {
    scene: &'a Scene,
    heart: Heart,
    regions: Vec<Region>,
    background: Region,
    walk: [Wander; 2],
    mouth: Wander,
    screen: [Wander; 3],
    exposure: f64,
    nod_phase: f64,
    landmark_noise: f64,
}

impl<'a> Play<'a> {
    fn new(scene: &'a Scene, rng: &mut StdRng) -> Play<'a> {
        Play {
            scene,
            heart: Heart::new(scene, rng),
            regions: (0..skin::REGIONS).map(|_| Region::new(scene, rng)).collect(),
            background: Region::new(scene, rng),
            walk: [Wander(normal(rng)), Wander(normal(rng))],
            mouth: Wander(normal(rng)),
            screen: Default::default(),
            exposure: 1.0,
            nod_phase: rng.random_range(0.0..TAU),
            landmark_noise: between(rng, 0.0005, 0.008),
        }
    }

    fn row(&mut self, frame: usize, t: f64, rng: &mut StdRng) -> SkinRow {
        const SIDE_PX: f64 = 90.0;
        let scene = self.scene;
        let (side, mouth) = self.movement(t, rng);
        let (face_light, room_light) = self.light(t, rng);
        let patch = |region: &mut Region, light: [f64; 3], moves: f64, heart: Option<&Heart>, rng: &mut StdRng| {
            let pulse = heart
                .map_or(0.0, |h| scene.pulse_share / scene.direction[1] * region.pulse * h.wave(t - region.delay_s));
            let colour: [f64; 3] = std::array::from_fn(|c| {
                let own = region.own[c].next(1.0 / scene.frame_hz, 0.3, rng) * region.own_share;
                let moved = moves * (region.motion[0][c] * side[0] + region.motion[1][c] * side[1]);
                let share = 1.0 - pulse * scene.direction[c] + own + moved + region.light[c] * light[c];
                region.tone[c] * share * self.exposure + scene.noise_levels * normal(rng)
            });
            let rgb = region.compressed(scene.codec, frame, colour, rng).map(|c| c.clamp(0.0, 255.0));
            Patch { rgb, pixels: 2000.0, clipped_share: 0.0 }
        };
        let heart = &self.heart;
        let skin = std::array::from_fn(|k| patch(&mut self.regions[k], face_light, 1.0, Some(heart), rng));
        let background = patch(&mut self.background, room_light, 0.0, None, rng);
        let mut seen = |true_value: f64| true_value + self.landmark_noise * normal(rng);
        SkinRow {
            skin,
            background,
            face_px: [0, 1].map(|axis| 320.0 + SIDE_PX * seen(side[axis])),
            inter_ocular_px: SIDE_PX * (1.0 + seen(0.0)),
            mouth_openness: 0.1 + mouth.abs() + seen(0.0).abs(),
            at: Timestamp::from_secs_f64((t + scene.jitter_s * normal(rng)).max(0.0)),
        }
    }

    /// Where the face is, in distances between the eyes, and how far the mouth is open.
    fn movement(&mut self, t: f64, rng: &mut StdRng) -> ([f64; 2], f64) {
        let step_s = 1.0 / self.scene.frame_hz;
        let mut walk = |hz: f64, rng: &mut StdRng| [0, 1].map(|k| self.walk[k].next(step_s, hz, rng));
        match self.scene.motion {
            Motion::Still => (walk(0.2, rng).map(|w| 0.001 * w), 0.0),
            Motion::Talking { side_share } => {
                let side = walk(1.0, rng).map(|w| side_share * w);
                (side, 0.2 * self.mouth.next(step_s, 2.0, rng))
            }
            Motion::Nodding { side_share, hz } => {
                let turn = TAU * hz * t + self.nod_phase;
                let nod = turn.sin() + 0.3 * (2.0 * turn + 1.0).sin();
                let other = walk(0.3, rng);
                ([side_share * (0.3 * nod + 0.1 * other[0]), side_share * (nod + 0.1 * other[1])], 0.0)
            }
            Motion::Turning { side_share } => (walk(0.15, rng).map(|w| side_share * w), 0.0),
        }
    }

    /// Changes of the light on the face and in the room, as shares.
    fn light(&mut self, t: f64, rng: &mut StdRng) -> ([f64; 3], [f64; 3]) {
        match self.scene.light {
            Light::Steady => ([0.0; 3], [0.0; 3]),
            Light::Flicker { share, hz } => {
                let change = [share * (TAU * hz * t).sin(); 3];
                (change, change)
            }
            Light::Screen { share } => {
                let step_s = 1.0 / self.scene.frame_hz;
                let all = self.screen[0].next(step_s, 0.5, rng);
                let tint = self.screen[1].next(step_s, 0.5, rng);
                ([share * (all - 0.4 * tint), share * all, share * (all + 0.4 * tint)], [0.0; 3])
            }
            Light::AutoExposure { share } => {
                if rng.random_bool(0.7 / self.scene.frame_hz) {
                    self.exposure = 1.0 + share * normal(rng);
                }
                ([0.0; 3], [0.0; 3])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scene_can_be_repeated_and_has_the_pulse_it_names() {
        let scene = Scene::easy(72.0);
        let (rows, bpm) = scene.rows(5);
        assert_eq!(rows, scene.rows(5).0);
        assert_ne!(rows, scene.rows(6).0);
        assert!((bpm.unwrap() - 72.0).abs() < 1e-9);
        assert_eq!(Scene { pulse_share: 0.0, ..scene }.rows(5).1, None);
    }

    #[test]
    fn the_pulse_has_its_size_in_green() {
        let scene = Scene { noise_levels: 0.0, ..Scene::easy(60.0) };
        let (rows, _) = scene.rows(1);
        let green: Vec<f64> = rows.iter().map(|r| r.skin[0].rgb[1]).collect();
        let mean = green.iter().sum::<f64>() / green.len() as f64;
        let (low, high) = green.iter().fold((f64::MAX, f64::MIN), |(l, h), g| (l.min(*g), h.max(*g)));
        let swing = (high - low) / mean / 2.0;
        assert!((0.003..0.015).contains(&swing), "{swing}");
    }
}
