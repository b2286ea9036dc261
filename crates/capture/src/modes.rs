//! Selects a camera's mode. Cameras offer dozens of modes. The choices of the libraries do not fit the needs of a recording.

use super::{Mode, PixelFormat};
use session::CameraSettings;

/// The offered mode nearest to the settings: first the size, then the rate (a faster one rather than a slower), then the format.
pub fn choose(offered: &[Mode], wanted: &CameraSettings) -> Option<Mode> {
    offered.iter().copied().min_by(|a, b| cost(a, wanted).total_cmp(&cost(b, wanted)))
}

/// The offered mode that equals `mode`, except for rounding of its rate.
pub fn find(offered: &[Mode], mode: &Mode) -> Option<Mode> {
    offered.iter().copied().find(|m| {
        (m.width_px, m.height_px, m.format) == (mode.width_px, mode.height_px, mode.format)
            && (m.rate_hz - mode.rate_hz).abs() < 0.01 * mode.rate_hz.max(1.0)
    })
}

/// For lists: large before small, fast before slow.
pub fn sort(modes: &mut Vec<Mode>) {
    modes.sort_by(|a, b| {
        let area = |m: &Mode| u64::from(m.width_px) * u64::from(m.height_px);
        a.format.cmp(&b.format).then(area(b).cmp(&area(a))).then(b.rate_hz.total_cmp(&a.rate_hz))
    });
    modes.dedup();
}

fn cost(mode: &Mode, wanted: &CameraSettings) -> f64 {
    let ratio = |a: u32, b: u32| (f64::from(a.max(1)) / f64::from(b.max(1))).ln();
    let (w, h) = (ratio(mode.width_px, wanted.width_px), ratio(mode.height_px, wanted.height_px));
    // A smaller picture loses detail of the face. A larger one only takes more time.
    let size = w.abs() + h.abs() + if w < -1e-9 || h < -1e-9 { 1.0 } else { 0.0 };
    let rate = mode.rate_hz / wanted.rate_hz.max(0.1);
    let rate = if rate < 0.99 { 2.0 * (1.0 - rate) } else { 0.01 * (rate - 1.0).abs() };
    // At the same size and rate, JPEG is preferred: it is stored unchanged. Other formats must be compressed.
    let format = match mode.format {
        PixelFormat::Mjpeg => 0.0,
        PixelFormat::Yuyv => 1.0,
        PixelFormat::Nv12 | PixelFormat::I420 => 2.0,
        PixelFormat::Rgb => 3.0,
        PixelFormat::Grey => 4.0,
    };
    // A camera that is too slow at the requested size may have the rate in another format or at a similar size.
    size + rate + 1e-4 * format
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(width_px: u32, height_px: u32, rate_hz: f64, format: PixelFormat) -> Mode {
        Mode { width_px, height_px, rate_hz, format }
    }

    #[test]
    fn a_typical_webcam() {
        use PixelFormat::{Mjpeg, Yuyv};
        let offered = [
            mode(640, 480, 30.0, Yuyv),
            mode(1280, 720, 10.0, Yuyv),
            mode(1920, 1080, 5.0, Yuyv),
            mode(640, 480, 30.0, Mjpeg),
            mode(640, 480, 15.0, Mjpeg),
            mode(1280, 720, 30.0, Mjpeg),
            mode(1280, 720, 60.0, Mjpeg),
            mode(1920, 1080, 30.0, Mjpeg),
        ];
        let choose = |w, h, rate_hz| {
            choose(&offered, &CameraSettings { width_px: w, height_px: h, rate_hz, ..Default::default() }).unwrap()
        };
        assert_eq!(choose(640, 480, 30.0), mode(640, 480, 30.0, Mjpeg));
        assert_eq!(choose(1280, 720, 30.0), mode(1280, 720, 30.0, Mjpeg));
        assert_eq!(choose(1280, 720, 60.0), mode(1280, 720, 60.0, Mjpeg));
        assert_eq!(choose(640, 480, 15.0), mode(640, 480, 15.0, Mjpeg));
        assert_eq!(choose(800, 600, 30.0), mode(1280, 720, 30.0, Mjpeg));
        assert_eq!(super::choose(&offered[..3], &CameraSettings::default()), Some(mode(640, 480, 30.0, Yuyv)));
        assert_eq!(super::choose(&[], &CameraSettings::default()), None);
    }

    #[test]
    fn ntsc_rates_count_as_what_they_are_called() {
        let ntsc = mode(640, 480, 30000.0 / 1001.0, PixelFormat::Yuyv);
        assert_eq!(choose(&[mode(640, 480, 15.0, PixelFormat::Mjpeg), ntsc], &CameraSettings::default()), Some(ntsc));
        assert_eq!(find(&[ntsc], &mode(640, 480, 29.97, PixelFormat::Yuyv)), Some(ntsc));
    }
}
