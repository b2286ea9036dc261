//! The rows of one window on a regular grid, from their true times.

use super::row::{Patch, SkinRow};
use super::silence::Silence;
use session::skin;

pub const WINDOW_S: f64 = 10.0;
/// Twice the highest rate with its second harmonic (14 Hz), and about the rate of most cameras.
pub(crate) const GRID_HZ: f64 = 30.0;
pub(crate) const GRID_LEN: usize = (WINDOW_S * GRID_HZ) as usize;

/// Rows further apart are a hole.
const HOLE_S: f64 = 0.25;
/// A longer hole hides a beat at most rates.
const LONGEST_HOLE_S: f64 = 0.6;
const MAX_MISSING_SHARE: f64 = 0.1;
/// Rates that the calibration covers. Its scenes at 15 Hz are shorter than a window and were left out.
const FRAME_RATES_HZ: std::ops::RangeInclusive<f64> = 19.0..=65.0;
/// Fewer pixels are no region.
const MIN_PIXELS: f64 = 40.0;
/// The levels of a JPEG are too coarse for the pulse of a face that is darker.
const DARKEST_LEVEL: f64 = 25.0;
const MAX_CLIPPED_SHARE: f64 = 0.1;

/// One window on the grid. Each channel has [`GRID_LEN`] values.
pub(crate) struct Window {
    /// Levels of red, green and blue, of each region that is visible in the whole window.
    pub regions: Vec<[Vec<f64>; 3]>,
    /// Position in two directions and size in distances between the eyes; the mouth's openness.
    pub motion: Vec<Vec<f64>>,
    /// The mean level of the background; `None` if it is not visible.
    pub background: Option<Vec<f64>>,
    /// The share of pairs of frames with exactly the same colour: a strongly compressed film repeats blocks.
    pub repeated_share: f64,
}

impl Window {
    /// `rows` are those of the window that begins at `from_s`, in order of time.
    pub fn new(rows: &[SkinRow], from_s: f64) -> Result<Window, Silence> {
        let rows: Vec<&SkinRow> = rows.iter().filter(|r| r.skin.iter().any(is_visible)).collect();
        let times: Vec<f64> = rows.iter().map(|r| r.at.as_secs_f64() - from_s).collect();
        check_times(&times)?;
        let regions: Vec<usize> = (0..skin::REGIONS).filter(|k| is_whole(rows.iter().map(|r| &r.skin[*k]))).collect();
        if regions.is_empty() {
            return Err(Silence::NoSkin);
        }
        check_light(&rows, &regions)?;
        let on_grid = |value: &dyn Fn(&SkinRow) -> f64| {
            let values: Vec<f64> = rows.iter().map(|r| value(r)).collect();
            on_grid(&times, &values)
        };
        let colours =
            regions.iter().map(|k| std::array::from_fn(|c| on_grid(&|r: &SkinRow| r.skin[*k].rgb[c]))).collect();
        let mean_side = mean(rows.iter().map(|r| r.inter_ocular_px));
        let motion = vec![
            on_grid(&|r: &SkinRow| r.face_px[0] / mean_side),
            on_grid(&|r: &SkinRow| r.face_px[1] / mean_side),
            on_grid(&|r: &SkinRow| r.inter_ocular_px / mean_side),
            on_grid(&|r: &SkinRow| r.mouth_openness),
        ];
        let has_background = is_whole(rows.iter().map(|r| &r.background));
        let background = has_background.then(|| on_grid(&|r: &SkinRow| r.background.rgb.iter().sum::<f64>() / 3.0));
        let first = regions[0];
        let repeated = rows.windows(2).filter(|w| w[0].skin[first].rgb == w[1].skin[first].rgb).count();
        let repeated_share = repeated as f64 / (rows.len() - 1) as f64;
        Ok(Window { regions: colours, motion, background, repeated_share })
    }
}

fn is_visible(patch: &Patch) -> bool {
    patch.pixels >= MIN_PIXELS && patch.rgb.iter().all(|c| c.is_finite())
}

fn is_whole<'a>(mut patches: impl Iterator<Item = &'a Patch>) -> bool {
    patches.all(is_visible)
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

fn check_times(times: &[f64]) -> Result<(), Silence> {
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return Err(Silence::NoSkin) };
    let mut steps: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    let edges = [*first, WINDOW_S - *last];
    let holes: Vec<f64> = steps.iter().copied().chain(edges).filter(|s| *s > HOLE_S).collect();
    let is_torn = holes.iter().any(|s| *s > LONGEST_HOLE_S) || holes.iter().sum::<f64>() > MAX_MISSING_SHARE * WINDOW_S;
    if steps.is_empty() || is_torn {
        return Err(Silence::NoSkin);
    }
    steps.sort_by(f64::total_cmp);
    if FRAME_RATES_HZ.contains(&(1.0 / steps[steps.len() / 2])) { Ok(()) } else { Err(Silence::FrameRate) }
}

fn check_light(rows: &[&SkinRow], regions: &[usize]) -> Result<(), Silence> {
    for k in regions {
        if mean(rows.iter().map(|r| r.skin[*k].rgb[1])) < DARKEST_LEVEL {
            return Err(Silence::Dark);
        }
        if mean(rows.iter().map(|r| r.skin[*k].clipped_share)) > MAX_CLIPPED_SHARE {
            return Err(Silence::Light);
        }
    }
    Ok(())
}

/// The mean of the rows around each point of the grid if there are several, otherwise interpolated between two rows. `times`
/// begin near 0 and end near [`WINDOW_S`].
fn on_grid(times: &[f64], values: &[f64]) -> Vec<f64> {
    let half_step = 0.5 / GRID_HZ;
    let at = |k: usize| {
        let t = (k as f64 + 0.5) / GRID_HZ;
        let start = times.partition_point(|x| *x < t - half_step);
        let end = times.partition_point(|x| *x < t + half_step);
        if end - start >= 2 {
            return mean(values[start..end].iter().copied());
        }
        let next = times.partition_point(|x| *x < t).clamp(1, times.len() - 1);
        let (t0, t1) = (times[next - 1], times[next]);
        // Before the first row and after the last one, its value stays.
        let share = ((t - t0) / (t1 - t0)).clamp(0.0, 1.0);
        values[next - 1] + (values[next] - values[next - 1]) * share
    };
    (0..GRID_LEN).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::Timestamp;

    fn rows(times: impl IntoIterator<Item = f64>) -> Vec<SkinRow> {
        let row = |t: f64| SkinRow {
            at: Timestamp::from_secs_f64(t),
            skin: [Patch { rgb: [100.0 + t, 80.0, 60.0], pixels: 500.0, clipped_share: 0.0 }; 3],
            background: Patch::MISSING,
            face_px: [320.0, 240.0],
            inter_ocular_px: 90.0,
            mouth_openness: 0.1,
        };
        times.into_iter().map(row).collect()
    }

    fn error(rows: &[SkinRow]) -> Option<Silence> {
        Window::new(rows, 0.0).err()
    }

    #[test]
    fn a_ramp_keeps_its_times_at_every_frame_rate_and_with_jitter() {
        for rate_hz in [20.0, 24.0, 30.0, 60.0] {
            let count = (WINDOW_S * rate_hz) as usize;
            let times = (0..count).map(|k| (k as f64 + 0.3 * (k as f64 * 1.7).sin()) / rate_hz);
            let window = Window::new(&rows(times), 0.0).unwrap();
            assert_eq!(window.regions.len(), 3);
            for (k, red) in window.regions[0][0].iter().enumerate().skip(3).take(GRID_LEN - 6) {
                let t = (k as f64 + 0.5) / GRID_HZ;
                assert!((red - 100.0 - t).abs() < 0.02, "{rate_hz} Hz: {red} at {t} s");
            }
        }
    }

    #[test]
    fn a_window_that_cannot_be_used_says_why() {
        let regular = |count: usize, rate_hz: f64| (0..count).map(move |k| k as f64 / rate_hz);
        assert_eq!(error(&[]), Some(Silence::NoSkin));
        assert_eq!(error(&rows(regular(300, 30.0))), None);
        assert_eq!(error(&rows(regular(100, 10.0))), Some(Silence::FrameRate));
        // A hole in the middle, and a face that comes late.
        assert_eq!(error(&rows(regular(300, 30.0).filter(|t| !(4.0..4.7).contains(t)))), Some(Silence::NoSkin));
        assert_eq!(error(&rows(regular(300, 30.0).filter(|t| *t > 0.7))), Some(Silence::NoSkin));
        assert_eq!(error(&rows(regular(300, 30.0).filter(|t| !(4.0..4.4).contains(t)))), None);
        let changed = |change: &dyn Fn(&mut Patch)| {
            let mut rows = rows(regular(300, 30.0));
            rows.iter_mut().for_each(|r| r.skin.iter_mut().for_each(change));
            error(&rows)
        };
        assert_eq!(changed(&|p| p.rgb[1] = 20.0), Some(Silence::Dark));
        assert_eq!(changed(&|p| p.clipped_share = 0.2), Some(Silence::Light));
        assert_eq!(changed(&|p| p.pixels = 3.0), Some(Silence::NoSkin));
        assert_eq!(changed(&|p| p.rgb[2] = f64::NAN), Some(Silence::NoSkin));
    }

    #[test]
    fn a_region_that_disappears_is_left_out() {
        let mut rows = rows((0..300).map(|k| f64::from(k) / 30.0));
        rows[77].skin[1] = Patch::MISSING;
        assert_eq!(Window::new(&rows, 0.0).unwrap().regions.len(), 2);
    }
}
