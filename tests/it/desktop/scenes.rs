//! The window in each of its situations, filled with a session that could have been.

use std::path::PathBuf;
use std::time::Duration;

use affectograph::desktop::port::*;
use affectograph::desktop::{App, State};
use affectograph::session::*;
use eframe::egui;
use egui_kittest::{Harness, HarnessBuilder};

use super::fake::{Asked, Handle};
use super::synthetic::{self, Script};

pub struct Scene {
    pub window: Harness<'static, App>,
    pub desk: Handle,
}

impl Scene {
    /// Draws until the window is as the last answers make it.
    pub fn settle(&mut self) {
        self.window.run_steps(4);
        self.window.check_accessibility();
    }

    pub fn state(&self) -> &State {
        &self.window.state().state
    }

    pub fn say(&mut self, update: Update) {
        self.desk.say(update);
        self.settle();
    }
}

pub fn builder(width: f32, height: f32, is_dark: bool) -> HarnessBuilder<App> {
    let theme = if is_dark { egui::Theme::Dark } else { egui::Theme::Light };
    Harness::builder().with_size(egui::vec2(width, height)).with_theme(theme).with_max_steps(8)
}

pub fn empty(builder: HarnessBuilder<App>) -> Scene {
    let desk = Handle::default();
    let instrument = desk.instrument();
    let window = builder.build_eframe(move |creation| App::new(&creation.egui_ctx, instrument, None));
    let mut scene = Scene { window, desk };
    scene.settle();
    scene
}

pub fn home(builder: HarnessBuilder<App>) -> Scene {
    let mut scene = empty(builder);
    scene.say(Update::Library(synthetic::library()));
    scene.desk.asked();
    scene
}

pub fn study() -> Study {
    let text = r#"
        name = "checkout"
        title = "Checkout redesign"
        description = "Buy a pair of shoes, twice."
        planned_minutes = 15
        [page]
        address = "https://shop.example.org/shoes"
        [consent]
        required = true
        text = "I agree that my face and what I do on the page are recorded, stored under a pseudonym and read by a program that estimates feelings. I may stop at any time without a reason."
        [[markers]]
        key = "1"
        label = "task begins"
        [[markers]]
        key = "2"
        label = "looks away"
        [[markers]]
        key = "3"
        label = "laughs"
        [[markers]]
        key = "e"
        label = "task ends"
    "#;
    Study::parse(text).unwrap()
}

pub fn plan() -> SessionPlan {
    SessionPlan {
        study_file: PathBuf::from("/home/lab/affectograph/studies/checkout/study.toml"),
        participant: ParticipantId::numbered(15),
        session: SessionNumber(1),
    }
}

pub fn checks(failing: bool) -> Vec<Check> {
    let check =
        |name: &str, state: CheckState, sentence: &str| Check { name: name.into(), state, sentence: sentence.into() };
    vec![
        check("Camera running", CheckState::Ok, "640 × 480 at 29.97 fps, none dropped in 10 s."),
        check("One face", CheckState::Ok, "One face is followed."),
        check("Face big enough", CheckState::Ok, "Eyes 98 px apart; at least 48 px are needed."),
        if failing {
            check(
                "Face lit",
                CheckState::Warning,
                "Light from the right only. Turn on a lamp in front of the participant.",
            )
        } else {
            check("Face lit", CheckState::Ok, "Light 56 %.")
        },
        check("Networks", CheckState::Ok, "Face, landmarks and affect are loaded; 2.8 ms a frame."),
        if failing {
            check(
                "Page loaded",
                CheckState::Failed,
                "https://shop.example.org/shoes does not answer. Check the network, then load it again.",
            )
        } else {
            check("Page loaded", CheckState::Ok, "Shoes, in 0.4 s; clock known to ± 0.4 ms.")
        },
        check("Disk", CheckState::Ok, "55 GB free; 15 min need about 1.7 GB."),
    ]
}

pub fn cameras() -> Vec<CameraRow> {
    let mode =
        |width_px, height_px, rate_hz, format: &str| CameraMode { width_px, height_px, rate_hz, format: format.into() };
    vec![
        CameraRow {
            spec: "/dev/video0".into(),
            name: "HD Pro Webcam C920".into(),
            modes: vec![mode(640, 480, 30.0, "MJPEG"), mode(1280, 720, 30.0, "MJPEG"), mode(640, 480, 30.0, "YUYV")],
            problem: None,
        },
        CameraRow { spec: "phantom".into(), name: "Phantom (rendered)".into(), modes: Vec::new(), problem: None },
    ]
}

pub fn camera_state() -> CameraState {
    let control = |control, min, max, default, unit: &str, value| ControlState {
        control,
        min,
        max,
        step: 1,
        default,
        unit: unit.into(),
        value,
        has_automatic: true,
    };
    CameraState {
        spec: "/dev/video0".into(),
        name: "HD Pro Webcam C920".into(),
        mode: Some(cameras()[0].modes[0].clone()),
        controls: vec![
            control(CameraControl::Exposure, 3, 2047, 250, "× 0.1 ms", Some(166)),
            control(CameraControl::WhiteBalance, 2000, 6500, 4000, "K", None),
            control(CameraControl::Focus, 0, 250, 30, "", None),
        ],
        problem: None,
    }
}

pub fn page(is_embedded: bool) -> PageState {
    PageState {
        address: "https://shop.example.org/shoes".into(),
        place: if is_embedded {
            PagePlace::Embedded
        } else {
            PagePlace::ParticipantWindow { screen: "screen 2 (1920 × 1080)".into() }
        },
        status: PageStatus::Loaded { title: "Shoes".into() },
    }
}

pub fn preview(at_s: f64) -> Preview {
    let affect = synthetic::affect_values(at_s, &mut synthetic::Noise::new(5));
    Preview {
        at: Timestamp::from_secs_f64(at_s),
        picture: synthetic::picture(at_s),
        face: Some(synthetic::overlay(at_s)),
        faces: 1,
        affect: Some(affect),
    }
}

pub fn set_up(builder: HarnessBuilder<App>, failing: bool) -> Scene {
    use egui_kittest::kittest::Queryable;
    let mut scene = home(builder);
    scene.window.get_by_label("New session").click();
    scene.settle();
    scene.window.get_by_label("Set up").click();
    scene.settle();
    let asked = scene.desk.asked();
    assert!(matches!(&asked[..], [Asked::Rehearse(p)] if p.participant == plan().participant), "{asked:?}");
    scene.desk.say(Update::Rehearsing(Box::new(RehearsalInfo { plan: plan(), study: study() })));
    scene.desk.say(Update::Cameras(cameras()));
    scene.desk.say(Update::Camera(camera_state()));
    scene.desk.say(Update::Checks(checks(failing)));
    scene.desk.say(Update::Page(page(false)));
    scene.desk.say(Update::Preview(preview(38.0)));
    scene.settle();
    scene
}

/// Recording for `at_s` already.
pub fn live(builder: HarnessBuilder<App>, at_s: f64, is_embedded: bool) -> Scene {
    let mut scene = set_up(builder, false);
    scene.desk.say(Update::Page(page(is_embedded)));
    let folder = PathBuf::from("/home/lab/affectograph/sessions/sub-15/ses-01_20261123T101500Z_checkout");
    scene.desk.say(Update::Started(StartedInfo { folder, at: Timestamp::ZERO }));
    synthetic::streams(30.0).into_iter().for_each(|s| scene.desk.say(Update::Declared(s)));
    let mut script = Script::of(at_s);
    script.absent = vec![(at_s - 21.0, at_s - 18.4)];
    script.lost.clear();
    script.markers = vec![(at_s - 41.0, "task begins"), (at_s - 12.0, "looks away")];
    scene.desk.say(Update::Records(synthetic::records(&script, false).into()));
    scene.desk.say(Update::Preview(preview(at_s)));
    scene.desk.say(Update::Checks(checks(false).into_iter().take(4).collect()));
    scene.desk.say(Update::Health(HealthFigures {
        camera_hz: 30.0,
        asked_hz: 30.0,
        frames_stored: (at_s * 30.0) as u64,
        frames_scored: (at_s * 30.0) as u64 - 29,
        frames_skipped: 29,
        lost: 0,
        inference_ms: Some(2.8),
        queue_fill: 0.04,
        disk_left_bytes: 55_000_000_000,
        disk_left: Some(Duration::from_secs(31 * 3600)),
    }));
    scene.desk.set_now(at_s);
    scene.settle();
    scene
}

pub fn finished() -> FinishedSession {
    let script = Script::of(754.0);
    FinishedSession {
        session: synthetic::session_row(15, 1, "checkout", 0, 12.6),
        quality: synthetic::quality(&script),
    }
}

pub fn review(builder: HarnessBuilder<App>, script: &Script, with_landmarks: bool) -> Scene {
    use egui_kittest::kittest::Queryable;
    let mut scene = home(builder);
    scene.window.get_by_label("sub-14 ses-01, study demo, complete").click();
    scene.settle();
    scene.window.get_by_label("Open").click();
    scene.settle();
    let asked = scene.desk.asked();
    assert!(matches!(&asked[..], [Asked::Open(_)]), "{asked:?}");
    let row = synthetic::session_row(14, 1, "demo", 0, script.length_s / 60.0);
    scene.say(Update::Opened(Box::new(synthetic::opened(script, row, with_landmarks))));
    scene
}
