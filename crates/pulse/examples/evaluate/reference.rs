//! True heart rates: from the beats of a finger's pulse wave, from one mean of a clip, or none.

use std::error::Error;
use std::path::Path;

use pulse::WINDOW_S;

pub enum Reference {
    /// Times of the beats.
    Beats(Vec<f64>),
    Constant(f64),
    /// There is no pulse: every rate is wrong.
    None,
}

impl Reference {
    pub fn beats(truth: &Path) -> Result<Reference, Box<dyn Error>> {
        let rows = columns(truth)?;
        let (times, wave): (Vec<f64>, Vec<f64>) = rows.iter().map(|row| (row[0], row[1])).unzip();
        Ok(Reference::Beats(beats(&times, &wave)))
    }

    pub fn mean_of_clip(truth: &Path) -> Result<Reference, Box<dyn Error>> {
        let rows = columns(truth)?;
        Ok(Reference::Constant(rows.first().ok_or("no rate")?[1]))
    }

    /// Outer `None`: unknown in this window. Inner `None`: there is no pulse.
    pub fn rate_bpm(&self, from_s: f64) -> Option<Option<f64>> {
        match self {
            Reference::Constant(bpm) => Some(Some(*bpm)),
            Reference::None => Some(None),
            Reference::Beats(beats) => {
                let inside: Vec<f64> =
                    beats.iter().copied().filter(|t| (from_s..from_s + WINDOW_S).contains(t)).collect();
                let steps: Vec<f64> = inside.windows(2).map(|w| w[1] - w[0]).collect();
                let (first, last) = (inside.first()?, inside.last()?);
                // A beat that was missed or invented makes an interval of twice or half the median.
                let mut sorted = steps.clone();
                sorted.sort_by(f64::total_cmp);
                let median = *sorted.get(sorted.len() / 2)?;
                let is_regular = steps.iter().all(|s| (0.6..1.5).contains(&(s / median)));
                (is_regular && last - first > 0.7 * WINDOW_S).then(|| Some(60.0 * steps.len() as f64 / (last - first)))
            }
        }
    }
}

/// Maxima of the wave that are the highest within 0.25 s, and above the mean of the second around.
fn beats(times: &[f64], wave: &[f64]) -> Vec<f64> {
    let near = |k: usize, reach_s: f64| {
        let start = times.partition_point(|t| *t < times[k] - reach_s);
        let end = times.partition_point(|t| *t <= times[k] + reach_s);
        &wave[start..end]
    };
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let smooth: Vec<f64> = (0..wave.len()).map(|k| mean(&wave[k.saturating_sub(1)..(k + 2).min(wave.len())])).collect();
    let highest = |k: usize| {
        let start = times.partition_point(|t| *t < times[k] - 0.25);
        let end = times.partition_point(|t| *t <= times[k] + 0.25);
        (start..end).all(|j| smooth[j] < smooth[k] || j == k || (j > k && smooth[j] == smooth[k]))
    };
    (1..wave.len().saturating_sub(1))
        .filter(|k| highest(*k) && smooth[*k] > mean(near(*k, 0.6)))
        .map(|k| {
            // The maximum of a parabola through three points.
            let bend = smooth[k - 1] - 2.0 * smooth[k] + smooth[k + 1];
            let shift = if bend < 0.0 { 0.5 * (smooth[k - 1] - smooth[k + 1]) / bend } else { 0.0 };
            times[k] + shift.clamp(-0.5, 0.5) * (times[k + 1] - times[k - 1]) / 2.0
        })
        .collect()
}

/// The numbers of a table with one line of names.
pub fn columns(path: &Path) -> Result<Vec<Vec<f64>>, Box<dyn Error>> {
    let text = std::fs::read_to_string(path)?;
    let numbers = |line: &str| line.split(',').map(|cell| cell.trim().parse()).collect::<Result<Vec<f64>, _>>();
    Ok(text.lines().skip(1).map(numbers).collect::<Result<_, _>>()?)
}
