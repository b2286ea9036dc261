//! What a window says about its most probable rate, and how far this can be trusted.

use super::grid::Window;
use super::projections::{Colour, changes, chrom, joint, mean_of, pos, relative, remove};
use super::spectrum::Spectrum;

/// Number of [`Features::values`].
pub const FEATURES: usize = 10;

/// Half the width of the main lobe of a window of 10 s: 0.2 Hz.
const LOBE_BPM: f64 = 9.0;
/// Two rates further apart than this are different peaks.
const APART_BPM: f64 = 15.0;
/// Projections agree if their rates are within this.
const AGREEMENT_BPM: f64 = 5.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Features {
    pub rate_bpm: f64,
    /// What the calibration reads, in a fixed order.
    pub values: [f64; FEATURES],
    /// The share of projections and regions with the same rate, 0 … 1.
    pub agreement: f64,
    /// Root mean square of the changes in the band of the pulse: of the landmarks in distances between the eyes, of the
    /// background in shares of its level.
    pub motion: f64,
    pub background_change: f64,
    /// The share of the skin's changes that landmarks and background explain.
    pub explained_share: f64,
    pub repeated_share: f64,
    /// The rate of POS on the mean of the regions alone, without any of the above.
    pub plain_pos_bpm: f64,
}

impl Features {
    pub(crate) fn of(window: &Window) -> Features {
        let mut colours: Vec<Colour> =
            window.regions.iter().map(|r| r.each_ref().map(|levels| relative(levels))).collect();
        let plain_pos_bpm = Spectrum::of(&pos(&mean_of(&colours))).best();
        let motion: Vec<Vec<f64>> = window.motion.iter().map(|m| changes(m)).collect();
        let background = window.background.as_ref().map(|b| relative(b));
        let nuisances: Vec<Vec<f64>> = motion.iter().cloned().chain(background.clone()).collect();
        let channels = colours.iter_mut().flatten();
        let explained: Vec<f64> = channels.map(|channel| remove(channel, &nuisances)).collect();
        let explained_share = explained.iter().sum::<f64>() / explained.len() as f64;

        let waves = Waves::of(&colours);
        let spectrum = waves.spectrum();
        let rate_bpm = spectrum.best();
        let other_bpm = spectrum.best_apart_from(Some(rate_bpm), APART_BPM);
        let score = |bpm: f64| spectrum.score(bpm.round() as usize);
        let near = spectrum.share_near(rate_bpm, LOBE_BPM) + spectrum.share_near(2.0 * rate_bpm, LOBE_BPM);
        let halves = waves.halves().map(|half| half.best());
        let nuisance = Spectrum::mean(&nuisances.iter().map(|n| (Spectrum::of(n), 1.0)).collect::<Vec<_>>());
        let agreement = waves.agreement(rate_bpm);
        let joint_bpm = waves.joint.best();
        let motion = rms(motion[..3].iter().flatten());
        let background_change = background.map_or(0.0, |b| rms(&b));
        Features {
            rate_bpm,
            values: [
                (near / (1.0 - near).max(1e-6)).max(1e-6).ln(),
                (score(rate_bpm) / score(other_bpm as f64).max(1e-9)).ln().min(6.0),
                agreement,
                far(halves[0], rate_bpm),
                far(halves[1], rate_bpm),
                far(joint_bpm, rate_bpm),
                (nuisance.share_near(rate_bpm, LOBE_BPM) + 0.02).ln(),
                explained_share,
                (motion + 1e-3).ln(),
                ((rate_bpm - 90.0) / 60.0).powi(2),
            ],
            agreement,
            motion,
            background_change,
            explained_share,
            repeated_share: window.repeated_share,
            plain_pos_bpm,
        }
    }
}

/// 0 for the same rate, 1 for a different one.
fn far(a_bpm: f64, b_bpm: f64) -> f64 {
    ((a_bpm - b_bpm).abs() / APART_BPM).min(1.0)
}

fn rms<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    let (sum, count) = values.into_iter().fold((0.0, 0.0), |(sum, count), v| (sum + v * v, count + 1.0));
    (sum / f64::max(count, 1.0)).sqrt()
}

/// The spectra of all projections.
struct Waves {
    /// POS, CHROM, green and PBV of each region.
    of_regions: Vec<[Spectrum; 4]>,
    /// The same of the regions' mean.
    of_mean: [Spectrum; 4],
    joint: Spectrum,
    joint_wave: Vec<f64>,
    pos_wave: Vec<f64>,
}

impl Waves {
    fn of(colours: &[Colour]) -> Waves {
        let spectra = |colour: &Colour| {
            [pos(colour), chrom(colour), colour[1].clone(), joint(std::slice::from_ref(colour))]
                .map(|w| Spectrum::of(&w))
        };
        let mean = mean_of(colours);
        let joint_wave = joint(colours);
        Waves {
            of_regions: colours.iter().map(spectra).collect(),
            of_mean: spectra(&mean),
            joint: Spectrum::of(&joint_wave),
            pos_wave: pos(&mean),
            joint_wave,
        }
    }

    /// Green is left out, because it does not reject changes of the light.
    fn spectrum(&self) -> Spectrum {
        let chosen = |[pos, chrom, _, pbv]: &'_ [Spectrum; 4]| [pos.clone(), chrom.clone(), pbv.clone()];
        let regions = self.of_regions.iter().flat_map(chosen).map(|s| (s, 1.0));
        let mean = chosen(&self.of_mean).into_iter().map(|s| (s, 2.0));
        let all: Vec<_> = regions.chain(mean).chain([(self.joint.clone(), 4.0)]).collect();
        Spectrum::mean(&all)
    }

    fn agreement(&self, rate_bpm: f64) -> f64 {
        let all: Vec<&Spectrum> = self.of_regions.iter().flatten().chain(&self.of_mean).chain([&self.joint]).collect();
        let agreeing = all.iter().filter(|s| (s.best() - rate_bpm).abs() <= AGREEMENT_BPM).count();
        agreeing as f64 / all.len() as f64
    }

    /// The spectra of the first and of the last 6 s.
    fn halves(&self) -> [Spectrum; 2] {
        let len = self.joint_wave.len();
        [0..len * 6 / 10, len * 4 / 10..len].map(|part| {
            let half = |wave: &[f64]| {
                let mut half = vec![0.0; len];
                // In the middle, where Hann's window is flattest.
                let start = (len - part.len()) / 2;
                half[start..start + part.len()].copy_from_slice(&wave[part.clone()]);
                Spectrum::of(&half)
            };
            Spectrum::mean(&[(half(&self.joint_wave), 1.0), (half(&self.pos_wave), 1.0)])
        })
    }
}
