//! How much a picture differs from another one: PSNR and SSIM of luma.

/// The smallest mean SSIM of luma that is accepted.
pub const SMALLEST_SSIM: f64 = 0.97;
/// The smallest SSIM of a single picture that is accepted.
pub const SMALLEST_SSIM_OF_A_PICTURE: f64 = 0.90;

/// Side of the blocks whose sums are shared by neighbouring windows.
const BLOCK: usize = 4;
/// Pixels of a window: 2 × 2 blocks.
const WINDOW_PIXELS: i64 = 64;
/// The constants of SSIM for 8 bits, scaled like the sums of a window: (0.01 · 255)² and (0.03 · 255)².
const C1: f64 = 0.01 * 0.01 * 255.0 * 255.0 * 64.0 * 64.0;
const C2: f64 = 0.03 * 0.03 * 255.0 * 255.0 * 64.0 * 63.0;
/// PSNR of pictures that are the same, in a file that has no infinity.
pub(super) const SAME_DB: f64 = 100.0;

/// The quality of one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Likeness {
    /// Peak signal-to-noise ratio in dB, at most [`SAME_DB`].
    pub psnr_db: f64,
    /// Structural similarity, mean of windows of 8 × 8 pixels at every fourth pixel. 1: the same.
    pub ssim: f64,
}

/// `a`, `b`: luma of two pictures of `width` pixels, without padding.
pub(super) fn likeness(a: &[u8], b: &[u8], width: usize) -> Likeness {
    let squares: u64 = a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
    let mean = squares as f64 / a.len().max(1) as f64;
    let psnr_db = if squares == 0 { SAME_DB } else { (10.0 * (255.0 * 255.0 / mean).log10()).min(SAME_DB) };
    Likeness { psnr_db, ssim: ssim(a, b, width) }
}

/// Sums over the pixels of a block: of both pictures, of the squares of both, and of the products.
#[derive(Clone, Copy, Default)]
struct Sums {
    a: i64,
    b: i64,
    squares: i64,
    products: i64,
}

fn ssim(a: &[u8], b: &[u8], width: usize) -> f64 {
    let height = a.len().checked_div(width).unwrap_or(0);
    let (across, down) = (width / BLOCK, height / BLOCK);
    if across < 2 || down < 2 {
        return if a == b { 1.0 } else { 0.0 };
    }
    let row = |y: usize| -> Vec<Sums> { (0..across).map(|x| sums(a, b, width, x * BLOCK, y * BLOCK)).collect() };
    let (mut above, mut total) = (row(0), 0.0);
    for y in 1..down {
        let below = row(y);
        total += above.windows(2).zip(below.windows(2)).map(|(above, below)| window(above, below)).sum::<f64>();
        above = below;
    }
    total / ((across - 1) * (down - 1)) as f64
}

fn sums(a: &[u8], b: &[u8], width: usize, left: usize, top: usize) -> Sums {
    let mut sums = Sums::default();
    for y in top..top + BLOCK {
        let from = y * width + left;
        for (a, b) in a[from..from + BLOCK].iter().zip(&b[from..from + BLOCK]) {
            let (a, b) = (i64::from(*a), i64::from(*b));
            sums.a += a;
            sums.b += b;
            sums.squares += a * a + b * b;
            sums.products += a * b;
        }
    }
    sums
}

fn window(above: &[Sums], below: &[Sums]) -> f64 {
    let of = |part: fn(&Sums) -> i64| above.iter().chain(below).map(part).sum::<i64>();
    let (a, b) = (of(|s| s.a), of(|s| s.b));
    let variances = of(|s| s.squares) * WINDOW_PIXELS - a * a - b * b;
    let covariance = of(|s| s.products) * WINDOW_PIXELS - a * b;
    (2.0 * (a * b) as f64 + C1) * (2.0 * covariance as f64 + C2)
        / (((a * a + b * b) as f64 + C1) * (variances as f64 + C2))
}

/// The quality of a whole video.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PictureQuality {
    pub pictures: u64,
    pub psnr_mean_db: f64,
    pub psnr_worst_db: f64,
    pub ssim_mean: f64,
    pub ssim_worst: f64,
    /// The frame with the smallest SSIM.
    pub worst_frame: u64,
}

/// Adds the pictures one by one.
#[derive(Default)]
pub(super) struct QualityOfVideo {
    pictures: u64,
    psnr_sum_db: f64,
    ssim_sum: f64,
    psnr_worst_db: Option<f64>,
    worst: Option<(f64, u64)>,
}

impl QualityOfVideo {
    pub(super) fn add(&mut self, frame: u64, Likeness { psnr_db, ssim }: Likeness) {
        self.pictures += 1;
        self.psnr_sum_db += psnr_db;
        self.ssim_sum += ssim;
        self.psnr_worst_db = Some(self.psnr_worst_db.map_or(psnr_db, |worst| worst.min(psnr_db)));
        if self.worst.is_none_or(|(worst, _)| ssim < worst) {
            self.worst = Some((ssim, frame));
        }
    }

    /// `None`: no picture.
    pub(super) fn quality(&self) -> Option<PictureQuality> {
        let (ssim_worst, worst_frame) = self.worst?;
        let count = self.pictures as f64;
        Some(PictureQuality {
            pictures: self.pictures,
            psnr_mean_db: self.psnr_sum_db / count,
            psnr_worst_db: self.psnr_worst_db?,
            ssim_mean: self.ssim_sum / count,
            ssim_worst,
            worst_frame,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize) -> Vec<u8> {
        (0..width * height).map(|k| ((k % width) * 3 + (k / width) * 2) as u8).collect()
    }

    #[test]
    fn the_same_picture_has_the_best_values() {
        let a = ramp(40, 24);
        assert_eq!(likeness(&a, &a, 40), Likeness { psnr_db: SAME_DB, ssim: 1.0 });
        let tiny = [1u8, 2, 3, 4];
        assert_eq!(likeness(&tiny, &tiny, 2).ssim, 1.0);
    }

    /// The definition of SSIM and PSNR, computed in another way.
    #[test]
    fn values_are_those_of_the_definition() {
        let (width, height) = (24, 16);
        let a = ramp(width, height);
        let b: Vec<u8> = a.iter().enumerate().map(|(k, v)| v.wrapping_add((k * 7 % 11) as u8) / 2 + 20).collect();
        let mut windows = Vec::new();
        for top in (0..=height - 8).step_by(4) {
            for left in (0..=width - 8).step_by(4) {
                let pixels: Vec<(f64, f64)> = (0..64)
                    .map(|k| (top + k / 8) * width + left + k % 8)
                    .map(|at| (f64::from(a[at]), f64::from(b[at])))
                    .collect();
                let mean = |f: &dyn Fn(&(f64, f64)) -> f64| pixels.iter().map(f).sum::<f64>() / 64.0;
                let (ma, mb) = (mean(&|p| p.0), mean(&|p| p.1));
                let unbiased = 64.0 / 63.0;
                let va = unbiased * mean(&|p| (p.0 - ma).powi(2));
                let vb = unbiased * mean(&|p| (p.1 - mb).powi(2));
                let cov = unbiased * mean(&|p| (p.0 - ma) * (p.1 - mb));
                let (c1, c2) = ((0.01f64 * 255.0).powi(2), (0.03f64 * 255.0).powi(2));
                windows.push((2.0 * ma * mb + c1) * (2.0 * cov + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2)));
            }
        }
        let expected = windows.iter().sum::<f64>() / windows.len() as f64;
        let found = likeness(&a, &b, width);
        assert!((found.ssim - expected).abs() < 1e-9, "{} {expected}", found.ssim);
        let mse = a.iter().zip(&b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>() / a.len() as f64;
        assert!((found.psnr_db - 10.0 * (65_025.0 / mse).log10()).abs() < 1e-9);
    }

    #[test]
    fn a_video_has_its_mean_and_its_worst_picture() {
        let mut video = QualityOfVideo::default();
        assert!(video.quality().is_none());
        for (frame, psnr_db, ssim) in [(0, 40.0, 0.99), (2, 30.0, 0.95), (5, 35.0, 0.97)] {
            video.add(frame, Likeness { psnr_db, ssim });
        }
        let q = video.quality().unwrap();
        assert_eq!((q.pictures, q.psnr_mean_db, q.psnr_worst_db), (3, 35.0, 30.0));
        assert!((q.ssim_mean - 0.97).abs() < 1e-12 && (q.ssim_worst, q.worst_frame) == (0.95, 2));
    }
}
