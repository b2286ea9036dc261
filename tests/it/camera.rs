//! The real capture code on a virtual camera: both backends must pass all of it.

use std::time::{Duration, Instant};

use affectograph::capture::{
    Backend, Camera, CameraError, CameraSpec, Capture, CaptureEvent, Captured, ControlKind, DeviceId, Mode, Pace,
    Sinks, list_devices, open,
};
use affectograph::session::{CameraSettings, Clock, GapReason, Latest, Pixels, SharedFrame, TimeSource};
use crossbeam_channel::bounded;

use crate::camera_rig::{MJPEG, PICTURES, Rig, YUYV, device, number_in, on_the_virtual_camera};

fn open_device(backend: Backend, mode: Mode, settings: &CameraSettings) -> Box<dyn Camera> {
    open(&device(backend, mode), settings, &Clock::start()).unwrap()
}

fn missing(reason: GapReason) -> impl Fn(&CaptureEvent) -> Option<CaptureEvent> {
    move |e| matches!(e, CaptureEvent::Missing { reason: r, .. } if *r == reason).then(|| e.clone())
}

fn assert_consecutive(frames: &[SharedFrame]) {
    for pair in frames.windows(2) {
        assert_eq!(pair[1].meta.number, pair[0].meta.number + 1);
        assert!(pair[1].meta.at > pair[0].meta.at, "time goes forward");
        assert_eq!(
            number_in(&pair[1]),
            (number_in(&pair[0]) + 1) % PICTURES,
            "the picture behind {}",
            pair[0].meta.number
        );
    }
}

#[test]
fn cameras_are_listed_with_all_their_modes_and_without_their_metadata_nodes() {
    on_the_virtual_camera("cameras_are_listed_with_all_their_modes_and_without_their_metadata_nodes", &[], |_| {
        let devices: Vec<_> = list_devices().unwrap().into_iter().filter(|d| d.name == "Virtual Camera").collect();
        let [camera] = devices.as_slice() else { panic!("{devices:?}") };
        assert_eq!((camera.id, camera.bus.as_deref(), &camera.trouble), (DeviceId(0), Some("usb-vcam-1"), &None));
        let modes: Vec<String> = camera.modes.iter().map(ToString::to_string).collect();
        assert_eq!(
            modes,
            [
                "640 × 480 px, 30 fps, MJPEG",
                "640 × 480 px, 15 fps, MJPEG",
                "320 × 240 px, 30 fps, YUYV",
                "320 × 240 px, 29.97 fps, YUYV",
            ]
        );
        let exposure = camera.controls.iter().find(|c| c.kind == ControlKind::Exposure).unwrap();
        assert_eq!((exposure.minimum, exposure.maximum, exposure.is_automatic), (3, 2047, Some(true)));
    });
}

#[test]
fn ranges_of_sizes_and_rates_are_listed_as_what_people_use() {
    let knobs = [("VCAM_STEPWISE", "1")];
    on_the_virtual_camera("ranges_of_sizes_and_rates_are_listed_as_what_people_use", &knobs, |_| {
        let devices = list_devices().unwrap();
        let camera = devices.iter().find(|d| d.name == "Virtual Camera").unwrap();
        let modes: Vec<String> = camera.modes.iter().map(ToString::to_string).collect();
        for expected in ["1280 × 720 px, 30 fps, MJPEG", "640 × 480 px, 25 fps, YUYV", "320 × 240 px, 60 fps, YUYV"]
        {
            assert!(modes.iter().any(|m| m == expected), "{expected} in {modes:?}");
        }
        assert!(camera.modes.iter().all(|m| m.width_px <= 1280 && m.rate_hz <= 60.0));
    });
}

#[test]
fn every_format_arrives_as_it_was_sent() {
    on_the_virtual_camera("every_format_arrives_as_it_was_sent", &[("VCAM_LOCKSTEP", "1")], |backend| {
        for mode in [MJPEG, YUYV, Mode { rate_hz: 15.0, ..MJPEG }] {
            let rig = Rig::start(device(backend, mode), 512, Pace::RealTime);
            assert_eq!(rig.capture.info().mode, mode);
            let frames = rig.frames(150);
            // Behind these, this camera outruns the store's queue: that is no driver's fault.
            let counters = rig.capture.stop();
            assert_eq!((counters.corrupt, counters.camera_lost), (0, 0));
            assert_consecutive(&frames);
            assert_eq!(number_in(&frames[0]), 0);
            for frame in &frames {
                assert_eq!((frame.width_px, frame.height_px), (mode.width_px, mode.height_px));
                match &frame.pixels {
                    Pixels::Jpeg(bytes) => assert!(bytes.ends_with(&[0xff, 0xd9]) && bytes.len() < 300_000),
                    pixels => assert!(matches!(pixels, Pixels::Yuyv(_)), "{pixels:?}"),
                }
            }
            // Without numbers a pause of ours looks like a drop, because this camera waits for us.
            if backend == Backend::V4l {
                assert_eq!(counters.dropped_by_driver, 0);
                assert!(frames.iter().enumerate().all(|(k, f)| f.meta.device_sequence == Some(k as u64)));
            }
        }
    });
}

#[test]
fn a_mode_is_chosen_by_the_settings_and_an_unknown_one_refused() {
    on_the_virtual_camera("a_mode_is_chosen_by_the_settings_and_an_unknown_one_refused", &[], |backend| {
        let spec = CameraSpec::Device { id: DeviceId(0), backend, mode: None };
        let wanted =
            |width_px, height_px, rate_hz| CameraSettings { width_px, height_px, rate_hz, ..Default::default() };
        let mode = |s: &CameraSettings| open(&spec, s, &Clock::start()).unwrap().info().mode;
        assert_eq!(mode(&wanted(640, 480, 30.0)), MJPEG);
        assert_eq!(mode(&wanted(320, 240, 30.0)), YUYV);
        assert_eq!(mode(&wanted(640, 480, 15.0)).rate_hz, 15.0);
        let odd = Mode { width_px: 641, ..MJPEG };
        let Err(e) = open(&device(backend, odd), &CameraSettings::default(), &Clock::start()) else { panic!() };
        assert!(matches!(&e, CameraError::NoSuchMode { mode, .. } if *mode == odd), "{e}");
    });
}

#[test]
fn ninety_frames_at_30_fps_arrive_and_none_is_lost() {
    on_the_virtual_camera("ninety_frames_at_30_fps_arrive_and_none_is_lost", &[], |backend| {
        let rig = Rig::start(device(backend, MJPEG), 512, Pace::RealTime);
        let frames = rig.frames(90);
        assert_consecutive(&frames);
        let first = &frames[0];
        assert!(frames.iter().all(|f| f.meta.time_source == TimeSource::Driver));
        for frame in &frames {
            let expected_ns = (frame.meta.number - first.meta.number) as i64 * 1_000_000_000 / 30;
            let error_ns = (frame.meta.at.since_ns(first.meta.at) - expected_ns).abs();
            assert!(error_ns < 2_000_000, "frame {} is {error_ns} ns off", frame.meta.number);
        }
        assert!(rig.clock.now() > frames[89].meta.at);
        let counters = rig.capture.counters();
        assert!((29.0..31.0).contains(&counters.fps), "{counters:?}");
        assert_eq!(rig.capture.stop().lost(), 0);
    });
}

#[test]
fn dropped_frames_are_counted_with_their_times() {
    let knobs = [("VCAM_DROP", "10")];
    on_the_virtual_camera("dropped_frames_are_counted_with_their_times", &knobs, |backend| {
        let rig = Rig::start(device(backend, MJPEG), 512, Pace::RealTime);
        let frames = rig.frames(60);
        let gap = |from: &SharedFrame, until: &SharedFrame| number_in(until) != (number_in(from) + 1) % PICTURES;
        let holes: Vec<_> = frames.windows(2).filter(|p| gap(&p[0], &p[1])).collect();
        assert!(holes.len() >= 6, "{}", holes.len());
        for hole in &holes {
            let CaptureEvent::Missing { from, until, lost, note, .. } = rig.event(missing(GapReason::DroppedByDriver))
            else {
                panic!()
            };
            assert_eq!((from, until, lost), (hole[0].meta.at, hole[1].meta.at, 1));
            assert_eq!(note.contains("inferred"), backend == Backend::Nokhwa, "{note}");
        }
        let counters = rig.capture.stop();
        assert!(counters.dropped_by_driver >= holes.len() as u64 && counters.corrupt == 0, "{counters:?}");
    });
}

#[test]
fn half_frames_are_counted_and_not_stored() {
    let knobs = [("VCAM_HALF", "7"), ("VCAM_LOCKSTEP", "1")];
    on_the_virtual_camera("half_frames_are_counted_and_not_stored", &knobs, |backend| {
        // nokhwa shows neither the driver's mark nor how many bytes were written: half a raw picture cannot be told.
        let modes = if backend == Backend::V4l { vec![MJPEG, YUYV] } else { vec![MJPEG] };
        for mode in modes {
            // The first buffers hold no older picture yet, so half of the first ones are plainly without an end.
            let rig = Rig::start(device(backend, mode), 512, Pace::RealTime);
            let frames = rig.frames(150);
            let CaptureEvent::Missing { lost, .. } = rig.event(missing(GapReason::Corrupt)) else { panic!() };
            assert!(lost >= 1);
            let counters = rig.capture.stop();
            assert!(counters.corrupt >= 149 / 6, "{counters:?}");
            let mut expected = (0..).filter(|s| s % 7 != 6);
            for (k, frame) in frames.iter().enumerate() {
                assert_eq!(frame.meta.number, k as u64);
                assert_eq!(number_in(frame), expected.next().unwrap() % PICTURES, "frame {k}");
            }
        }
    });
}

#[test]
fn a_stall_is_noticed_and_survived() {
    let knobs = [("VCAM_STALL", "20")];
    on_the_virtual_camera("a_stall_is_noticed_and_survived", &knobs, |backend| {
        let rig = Rig::start(device(backend, MJPEG), 512, Pace::RealTime);
        let before = rig.frames(20);
        let (lost_at, why) = rig.event(|e| match e {
            CaptureEvent::Lost { at, why } => Some((*at, why.clone())),
            _ => None,
        });
        assert_eq!(why, "the camera sends no frames");
        let silence_ns = lost_at.since_ns(before[19].meta.at);
        assert!((900_000_000..3_000_000_000).contains(&silence_ns), "noticed after {silence_ns} ns");
        rig.event(|e| matches!(e, CaptureEvent::Reconnected { .. }).then_some(()));
        let after = rig.frames(10);
        assert_eq!(after[0].meta.number, 20, "numbering goes on");
        assert_consecutive(&after);
        let CaptureEvent::Missing { from, until, lost, .. } = rig.event(missing(GapReason::CameraLost)) else {
            panic!()
        };
        assert_eq!((from, until), (before[19].meta.at, after[0].meta.at));
        let expected = (until.since_ns(from) as f64 * 30e-9).round() as u64 - 1;
        assert_eq!(lost, expected);
        let counters = rig.capture.stop();
        assert_eq!((counters.losses, counters.camera_lost), (1, expected));
    });
}

#[test]
fn stopping_in_a_stall_takes_no_time() {
    let knobs = [("VCAM_STALL", "5"), ("VCAM_STALL_ALWAYS", "1")];
    on_the_virtual_camera("stopping_in_a_stall_takes_no_time", &knobs, |backend| {
        for wait_ms in [0, 400, 2000] {
            let rig = Rig::start(device(backend, MJPEG), 512, Pace::RealTime);
            rig.frames(5);
            std::thread::sleep(Duration::from_millis(wait_ms));
            let began = Instant::now();
            rig.capture.stop();
            assert!(began.elapsed() < Duration::from_millis(700), "{wait_ms}: {:?}", began.elapsed());
        }
    });
}

#[test]
fn an_unplugged_camera_is_found_again_under_its_new_number() {
    let knobs = [("VCAM_UNPLUG", "20"), ("VCAM_REPLUG_MS", "1200"), ("VCAM_REPLUG_NODE", "6")];
    on_the_virtual_camera("an_unplugged_camera_is_found_again_under_its_new_number", &knobs, |backend| {
        let rig = Rig::start(device(backend, MJPEG), 512, Pace::RealTime);
        let before = rig.frames(20);
        let (lost_at, why) = rig.event(|e| match e {
            CaptureEvent::Lost { at, why } => Some((*at, why.clone())),
            _ => None,
        });
        assert_eq!(why, "camera /dev/video0 was disconnected");
        assert!(lost_at.since_ns(before[19].meta.at) < 500_000_000, "at once");
        let info = rig.event(|e| match e {
            CaptureEvent::Reconnected { info, .. } => Some(info.clone()),
            _ => None,
        });
        assert_eq!((info.address.as_str(), info.mode), ("/dev/video6", MJPEG));
        let after = rig.frames(10);
        assert_eq!(after[0].meta.number, 20);
        let CaptureEvent::Missing { from, until, lost, .. } = rig.event(missing(GapReason::CameraLost)) else {
            panic!()
        };
        assert_eq!((from, until), (before[19].meta.at, after[0].meta.at));
        assert!(lost > 30, "{lost}");
        assert_eq!(rig.capture.stop().losses, 1);
    });
}

#[test]
fn a_camera_that_stays_away_leaves_a_gap_up_to_the_end() {
    on_the_virtual_camera("a_camera_that_stays_away_leaves_a_gap_up_to_the_end", &[("VCAM_UNPLUG", "10")], |backend| {
        let rig = Rig::start(device(backend, MJPEG), 512, Pace::RealTime);
        let before = rig.frames(10);
        rig.event(|e| matches!(e, CaptureEvent::Lost { .. }).then_some(()));
        std::thread::sleep(Duration::from_millis(700));
        let Rig { capture, events, clock, .. } = rig;
        let stopped_at = clock.now();
        let counters = capture.stop();
        let gap = events.try_iter().find_map(|e| missing(GapReason::CameraLost)(&e));
        let Some(CaptureEvent::Missing { from, until, lost, .. }) = gap else { panic!("{gap:?}") };
        assert_eq!(from, before[9].meta.at);
        assert!(until >= stopped_at && lost == counters.camera_lost && lost >= 20, "{lost}");
    });
}

#[test]
fn a_busy_camera_is_listed_and_its_sentence_says_so() {
    on_the_virtual_camera("a_busy_camera_is_listed_and_its_sentence_says_so", &[("VCAM_BUSY", "1")], |backend| {
        assert!(list_devices().unwrap().iter().any(|d| d.name == "Virtual Camera"));
        for mode in [MJPEG, YUYV] {
            let Err(e) = open(&device(backend, mode), &CameraSettings::default(), &Clock::start()) else { panic!() };
            let sentence = "camera /dev/video0 is in use by another program: close it there and try again";
            assert_eq!(e.to_string(), sentence);
        }
    });
}

#[test]
fn a_camera_that_is_not_there_has_a_sentence() {
    on_the_virtual_camera("a_camera_that_is_not_there_has_a_sentence", &[], |backend| {
        let spec = CameraSpec::Device { id: DeviceId(61), backend, mode: None };
        let Err(e) = open(&spec, &CameraSettings::default(), &Clock::start()) else { panic!() };
        assert!(e.to_string().starts_with("there is no camera /dev/video61"), "{e}");
    });
}

#[test]
fn exposure_and_white_balance_are_fixed_and_let_go() {
    on_the_virtual_camera("exposure_and_white_balance_are_fixed_and_let_go", &[("VCAM_LOCKSTEP", "1")], |backend| {
        let fixed =
            CameraSettings { exposure: Some(312), white_balance_k: Some(5200), focus: Some(1), ..Default::default() };
        let mut camera = open_device(backend, MJPEG, &fixed);
        let state = |c: &dyn Camera| c.info().controls.iter().map(|c| (c.value, c.is_automatic)).collect::<Vec<_>>();
        assert_eq!(state(camera.as_ref()), [(312, Some(false)), (5200, Some(false))]);
        assert_eq!(camera.info().notes, ["focus cannot be fixed: this camera has no such control"]);
        camera.next(Duration::from_secs(5)).unwrap();
        // Changing them while running; nokhwa's thread needs a picture's time to notice, so keep taking pictures.
        let changed = CameraSettings { exposure: Some(77), white_balance_k: None, ..Default::default() };
        let taking = std::thread::spawn(move || {
            camera.adjust(&changed);
            camera.next(Duration::from_secs(5)).unwrap();
            camera
        });
        let camera = taking.join().unwrap();
        let mut values = state(camera.as_ref());
        if values[0].0 != 77 {
            panic!("{values:?} {:?}", camera.info().notes);
        }
        assert_eq!(values.remove(0), (77, Some(false)));
        assert_eq!(values[0].1, Some(true));
    });
}

#[test]
fn a_driver_without_a_known_clock_gives_the_time_of_arrival() {
    let knobs = [("VCAM_CLOCKLESS", "1")];
    on_the_virtual_camera("a_driver_without_a_known_clock_gives_the_time_of_arrival", &knobs, |backend| {
        let mut camera = open_device(backend, YUYV, &CameraSettings::default());
        let Captured::Frame(frame) = camera.next(Duration::from_secs(5)).unwrap() else { panic!() };
        // nokhwa does not tell the clock; it can only judge whether the time is believable.
        let expected = if backend == Backend::V4l { TimeSource::Arrival } else { TimeSource::Driver };
        assert_eq!(frame.time_source, expected);
    });
}

#[test]
fn a_full_store_queue_is_counted_and_reported() {
    on_the_virtual_camera("a_full_store_queue_is_counted_and_reported", &[], |backend| {
        let rig = Rig::start(device(backend, MJPEG), 5, Pace::RealTime);
        while rig.capture.counters().queue_full < 5 {
            std::thread::sleep(Duration::from_millis(20));
        }
        let CaptureEvent::Missing { lost, note, .. } = rig.event(missing(GapReason::QueueFull)) else { panic!() };
        assert_eq!((lost, note.as_str()), (1, "the video writer was too slow"));
        let Rig { capture, store, .. } = rig;
        let counters = capture.stop();
        assert_eq!(counters.stored, 5);
        assert_eq!(counters.frames, counters.stored + counters.queue_full);
        let numbers: Vec<u64> = store.try_iter().map(|f| f.meta.number).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
        assert_eq!(counters.vision_skipped, counters.frames - 1, "nobody looked");
    });
}

#[test]
fn a_capture_that_nobody_listens_to_any_more_still_stops() {
    on_the_virtual_camera("a_capture_that_nobody_listens_to_any_more_still_stops", &[], |backend| {
        let (events, receiver) = bounded(1);
        drop(receiver);
        let sinks =
            Sinks { store: None, vision: Latest::default(), preview: Latest::default(), events, pace: Pace::RealTime };
        let settings = CameraSettings::default();
        let capture = Capture::start(device(backend, MJPEG), settings, Clock::start(), sinks).unwrap();
        while capture.counters().frames < 5 {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(capture.is_running());
        let counters = capture.stop();
        assert_eq!((counters.stored, counters.lost()), (0, 0));
    });
}
