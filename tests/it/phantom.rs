//! The phantom as a calibration source: every frame told apart after compression, the same picture for the same time,
//! and a pulse that can be read back.

use std::time::Duration;

use affectograph::capture::phantom::{Phantom, PhantomSettings, Renderer, read_frame_number, script};
use affectograph::capture::{Camera, CameraError, Captured, CapturedFrame};
use affectograph::session::{Clock, Pixels, TimeSource, Timestamp};

fn jpeg_round_trip(rgb: &[u8], width: usize, height: usize) -> Vec<u8> {
    let picture =
        turbojpeg::Image { pixels: rgb, width, pitch: width * 3, height, format: turbojpeg::PixelFormat::RGB };
    let jpeg = turbojpeg::compress(picture, 90, turbojpeg::Subsamp::Sub2x2).unwrap();
    turbojpeg::decompress(&jpeg, turbojpeg::PixelFormat::RGB).unwrap().pixels
}

#[test]
fn frame_numbers_survive_jpeg() {
    for (width, height) in [(640u32, 480u32), (320, 240), (1280, 720), (160, 120), (500, 375)] {
        let mut renderer = Renderer::new(width, height);
        let mut rgb = Vec::new();
        for (k, number) in
            [0u64, 1, 2, 255, 256, 4711, 65_535, 1 << 20, 0x0AAA_AAAA, (1 << 28) - 1].into_iter().enumerate()
        {
            renderer.render(Timestamp::from_secs_f64(k as f64 * 2.03), number, &mut rgb);
            assert_eq!(read_frame_number(&rgb, width, height), Some(number));
            let back = jpeg_round_trip(&rgb, width as usize, height as usize);
            assert_eq!(read_frame_number(&back, width, height), Some(number), "{width} × {height} px");
        }
    }
}

#[test]
fn the_same_time_gives_the_same_bytes_whatever_was_rendered_before() {
    let (mut fresh, mut used) = (Renderer::new(320, 240), Renderer::new(320, 240));
    let (mut a, mut b) = (Vec::new(), Vec::new());
    // The last of them with the face away and with it turned: nothing of an older frame may stay.
    for seconds in [0.0, 6.0, 10.0, 15.4, 18.8] {
        used.render(Timestamp::from_secs_f64(seconds), 1, &mut b);
    }
    for seconds in [18.8, 2.05, 16.6, 12.9, 19.4] {
        let at = Timestamp::from_secs_f64(seconds);
        fresh.render(at, 7, &mut a);
        used.render(at, 7, &mut b);
        assert!(a == b, "pictures at {seconds} s differ");
        let mut alone = Vec::new();
        Renderer::new(320, 240).render(at, 7, &mut alone);
        assert!(a == alone, "the picture at {seconds} s depends on the one before");
    }
    fresh.render(Timestamp::from_secs_f64(0.1), 7, &mut a);
    fresh.render(Timestamp::from_secs_f64(20.1), 7, &mut b);
    assert!(a != b, "the sensor's noise must not repeat with the script");
}

/// Over one period of compressed pictures, the script's own rate is the strongest of all rates a heart can have.
#[test]
fn the_pulse_can_be_read_from_the_skin() {
    let (width, height, rate_hz) = (160u32, 120u32, 10.0);
    let mut renderer = Renderer::new(width, height);
    let mut rgb = Vec::new();
    let mut times = Vec::new();
    let mut greens = Vec::new();
    for k in 0..200u64 {
        let at = Timestamp::from_secs_f64(k as f64 / rate_hz);
        // A still face: what a pulse reader would choose.
        if script::at(at).phase != script::Phase::Neutral {
            continue;
        }
        renderer.render(at, k, &mut rgb);
        // As it will be stored.
        let rgb = jpeg_round_trip(&rgb, width as usize, height as usize);
        // Skin by its colour, as a program would find it that knows no faces.
        let skin = rgb.chunks_exact(3).filter(|p| p[0] > 120 && i32::from(p[0]) - i32::from(p[2]) > 45);
        let (sum, count) = skin.fold((0.0, 0.0), |(sum, count), p| (sum + f64::from(p[1]), count + 1.0));
        times.push(at.as_secs_f64());
        greens.push(sum / count);
    }
    let mean = greens.iter().sum::<f64>() / greens.len() as f64;
    let power = |hz: f64| {
        let (mut re, mut im) = (0.0, 0.0);
        for (t, g) in times.iter().zip(&greens) {
            let turn = std::f64::consts::TAU * hz * t;
            re += (g - mean) * turn.cos();
            im += (g - mean) * turn.sin();
        }
        re * re + im * im
    };
    let best = (0..=100).map(|k| 0.7 + 0.02 * f64::from(k)).max_by(|a, b| power(*a).total_cmp(&power(*b))).unwrap();
    assert!((best - script::PULSE_HZ).abs() <= 0.04, "strongest at {best:.2} Hz");
    // Of the size that is published: about 0.9 levels of the wave's strongest part, a sine of 1 / 1.313.
    let amplitude = 2.0 * power(script::PULSE_HZ).sqrt() / times.len() as f64;
    let expected = mean * script::PULSE_SHARE[1] / 1.313;
    assert!((amplitude / expected - 1.0).abs() < 0.35, "{amplitude:.2} levels, not {expected:.2}");
}

#[test]
fn every_frame_comes_in_its_time_and_none_is_skipped() {
    let clock = Clock::start();
    let settings =
        PhantomSettings { width_px: 160, height_px: 120, rate_hz: 50.0, duration: Some(Duration::from_millis(600)) };
    let mut phantom = Phantom::open(&settings, &clock);
    assert_eq!(phantom.info().expected_frames, Some(30));
    let mut first = None;
    for number in 0..30u64 {
        if number == 10 {
            // A caller that sleeps through several frames gets them all the same.
            std::thread::sleep(Duration::from_millis(130));
        }
        let Captured::Frame(frame) = phantom.next(Duration::from_secs(1)).unwrap() else {
            panic!("frame {number} is missing");
        };
        let CapturedFrame { at, time_source, device_sequence, width_px, height_px, pixels } = frame;
        let Pixels::Rgb(rgb) = pixels else { panic!("{pixels:?}") };
        assert!(clock.now() >= at, "frame {number} came before its time");
        assert_eq!((time_source, device_sequence), (TimeSource::Rendered, Some(number)));
        assert_eq!(read_frame_number(&rgb, width_px, height_px), Some(number));
        let start = *first.get_or_insert(at);
        assert_eq!(at.since_ns(start), number as i64 * 20_000_000);
    }
    assert!(matches!(phantom.next(Duration::ZERO).unwrap(), Captured::End));
}

#[test]
fn a_caller_in_a_hurry_is_told_that_nothing_is_due_yet() {
    let clock = Clock::start();
    let settings = PhantomSettings { width_px: 64, height_px: 48, rate_hz: 1.0, duration: None };
    let mut phantom = Phantom::open(&settings, &clock);
    assert!(matches!(phantom.next(Duration::from_secs(1)), Ok(Captured::Frame(_))));
    let waited = Duration::from_millis(5);
    assert!(matches!(phantom.next(waited), Err(CameraError::Silent { waited: w }) if w == waited));
    assert!(matches!(
        phantom.next(Duration::from_secs(3)),
        Ok(Captured::Frame(CapturedFrame { device_sequence: Some(1), .. }))
    ));
}

#[test]
fn any_settings_give_a_picture() {
    let clock = Clock::start();
    for (width_px, height_px, rate_hz) in
        [(0, 0, f64::NAN), (17, 31, -1.0), (48, 1000, 1e9), (1920, 64, 60.0), (4096, 16, 60.0)]
    {
        let mut phantom = Phantom::open(&PhantomSettings { width_px, height_px, rate_hz, duration: None }, &clock);
        let mode = phantom.info().mode;
        let Ok(Captured::Frame(frame)) = phantom.next(Duration::from_secs(1)) else { panic!("no frame") };
        let Pixels::Rgb(rgb) = frame.pixels else { panic!("{:?}", frame.pixels) };
        assert_eq!(rgb.len(), (mode.width_px * mode.height_px * 3) as usize);
    }
}
