//! The window in each of its situations, filled with a session that could have been.

use std::path::PathBuf;
use std::time::Duration;

use desktop::port::*;
use desktop::{App, State};
use eframe::egui;
use egui_kittest::{Harness, HarnessBuilder};
use session::*;

use super::fake::{Asked, Handle};
use super::synthetic::{self, Script};

pub struct Scene {
    pub window: Harness<'static, App>,
    pub handle: Handle,
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

    pub fn say(&mut self, update: BackendEvent) {
        self.handle.say(update);
        self.settle();
    }
}

pub fn builder(width: f32, height: f32, is_dark: bool) -> HarnessBuilder<App> {
    let theme = if is_dark { egui::Theme::Dark } else { egui::Theme::Light };
    Harness::builder().with_size(egui::vec2(width, height)).with_theme(theme).with_max_steps(8)
}

pub fn empty(builder: HarnessBuilder<App>) -> Scene {
    let handle = Handle::default();
    let instrument = handle.instrument();
    let window = builder.build_eframe(move |creation| App::new(&creation.egui_ctx, instrument, None));
    let mut scene = Scene { window, handle };
    scene.settle();
    scene
}

pub fn home(builder: HarnessBuilder<App>) -> Scene {
    let mut scene = empty(builder);
    scene.say(BackendEvent::Library(synthetic::library()));
    scene.handle.asked();
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

/// The editor with a study of every kind of part.
pub fn editor(builder: HarnessBuilder<App>) -> Scene {
    let text = r#"# Ten pictures, see the protocol.
name = "tenpictures"
title = "Ten pictures"
description = "Rest, look at ten pictures, and rate each one."
planned_minutes = 15.0
annotation_labels = ["smile", "frown"]

[page]
address = "page"          # beside this file

[consent]
required = true
text = "A camera records a video of your face. You may stop at any time."

[[markers]]
key = "1"
label = "looked away"

[[phases]]
name = "baseline"
seconds = 30.0
kind = "baseline"

[[questionnaires]]
name = "mood"
kind = "affect_grid"
when = "before"

[[questionnaires]]
name = "after"
kind = "manikins"

[[conditions]]
name = "calm"
description = "slow pictures"

[[conditions]]
name = "excited"

[assignment]
seed = 482913
"#;
    let mut scene = home(builder);
    let file = PathBuf::from("/home/lab/affectograph/sessions/studies/tenpictures/study.toml");
    scene.say(BackendEvent::StudyOpened(StudyDocument { file, text: text.into() }));
    scene.handle.asked();
    scene
}

pub fn plan() -> SessionPlan {
    SessionPlan {
        study_file: PathBuf::from("/home/lab/affectograph/studies/checkout/study.toml"),
        participant: ParticipantId::numbered(15),
        session: SessionNumber(1),
        condition: None,
        proposed: None,
        seat: Seat::Participant,
    }
}

pub fn checks(failing: bool) -> Vec<Check> {
    let check =
        |name: &str, state: CheckState, sentence: &str| Check { id: name.into(), state, sentence: sentence.into() };
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
    let asked = scene.handle.asked();
    assert!(matches!(&asked[..], [Asked::Rehearse(p)] if p.participant == plan().participant), "{asked:?}");
    scene.handle.say(BackendEvent::RehearsalOpened(Box::new(RehearsalInfo { plan: plan(), study: study() })));
    scene.handle.say(BackendEvent::Cameras(cameras()));
    scene.handle.say(BackendEvent::Camera(camera_state()));
    scene.handle.say(BackendEvent::Checks(checks(failing)));
    scene.handle.say(BackendEvent::Page(page(false)));
    scene.handle.say(BackendEvent::Preview(preview(38.0)));
    scene.settle();
    scene
}

/// Recording for `at_s` already.
pub fn live(builder: HarnessBuilder<App>, at_s: f64, is_embedded: bool) -> Scene {
    let mut scene = set_up(builder, false);
    let folder = PathBuf::from("/home/lab/affectograph/sessions/sub-15/ses-01_20261123T101500Z_checkout");
    scene.handle.say(BackendEvent::RecordingStarted(StartedInfo { folder, at: Timestamp::ZERO }));
    scene.handle.say(BackendEvent::Page(page(is_embedded)));
    synthetic::streams(30.0).into_iter().for_each(|s| scene.handle.say(BackendEvent::StreamDeclared(s)));
    let mut script = Script::of(at_s);
    script.absent = vec![(at_s - 21.0, at_s - 18.4)];
    script.lost.clear();
    script.markers = vec![(at_s - 41.0, "task begins"), (at_s - 12.0, "looks away")];
    scene.handle.say(BackendEvent::Records(synthetic::records(&script, false).into()));
    scene.handle.say(BackendEvent::Preview(preview(at_s)));
    scene.handle.say(BackendEvent::Checks(checks(false).into_iter().take(4).collect()));
    scene.handle.say(BackendEvent::Health(HealthFigures {
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
    scene.handle.set_now(at_s);
    scene.settle();
    scene
}

/// Recording, with the signals of [`synthetic::signal_streams`].
pub fn live_with_signals(builder: HarnessBuilder<App>, at_s: f64, is_embedded: bool) -> Scene {
    let mut scene = live(builder, at_s, is_embedded);
    synthetic::signal_streams(30.0).into_iter().for_each(|s| scene.handle.say(BackendEvent::StreamDeclared(s)));
    let mut script = Script::of(at_s);
    script.absent = vec![(at_s - 21.0, at_s - 18.4)];
    scene.say(BackendEvent::Records(synthetic::signal_records(&script).into()));
    scene
}

/// Adds signals by the list of the session.
pub fn choose_signals(scene: &mut Scene, titles: &[&str]) {
    use egui_kittest::kittest::Queryable;
    scene.window.get_by_label("Signals").click();
    scene.settle();
    for title in titles {
        scene.window.get_by_role_and_label(egui::accesskit::Role::CheckBox, title).click_accesskit();
        scene.settle();
    }
    scene.window.key_press(egui::Key::Escape);
    scene.settle();
}

pub const THREE_SIGNALS: [&str; 3] = ["pulse · rate_bpm", "lsl_eda · EDA", "action · au12"];

/// Recording, while the participant still looks at the cross.
pub fn guided(builder: HarnessBuilder<App>, is_embedded: bool) -> Scene {
    let mut scene = live(builder, 60.0, is_embedded);
    let status = PageStatus::Guided { phase: "rest".into(), until: Timestamp::from_secs_f64(101.5) };
    scene.say(BackendEvent::Page(PageState { status, ..page(is_embedded) }));
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
    review_of(builder, synthetic::opened(script, reviewed_row(script), with_landmarks))
}

fn reviewed_row(script: &Script) -> SessionRow {
    synthetic::session_row(14, 1, "demo", 0, script.length_s / 60.0)
}

fn review_of(builder: HarnessBuilder<App>, opened: OpenedSession) -> Scene {
    use egui_kittest::kittest::Queryable;
    let mut scene = home(builder);
    scene.window.get_by_label("sub-14 ses-01, study demo, complete").click();
    scene.settle();
    scene.window.get_by_label("Open").click();
    scene.settle();
    let asked = scene.handle.asked();
    assert!(matches!(&asked[..], [Asked::Open(_)]), "{asked:?}");
    scene.say(BackendEvent::SessionOpened(Box::new(opened)));
    scene
}

/// In review, with the signals of [`synthetic::signal_streams`].
pub fn review_with_signals(builder: HarnessBuilder<App>, script: &Script) -> Scene {
    let mut opened = synthetic::opened(script, reviewed_row(script), true);
    synthetic::signal_streams(script.rate_hz).into_iter().for_each(|s| opened.timeline.declare(s));
    synthetic::signal_records(script).iter().for_each(|r| opened.timeline.ingest(r));
    review_of(builder, opened)
}

/// A study's screen, its sessions looked through and clicks chosen.
pub fn study_screen(builder: HarnessBuilder<App>) -> Scene {
    use egui_kittest::kittest::Queryable;
    let mut scene = home(builder);
    scene.window.get_by_label("sub-09 ses-01, study checkout, complete").click();
    scene.settle();
    scene.window.get_by_label("Study averages …").click();
    scene.settle();
    scene.say(BackendEvent::EventCatalogue(synthetic::catalogue()));
    scene
}

/// Chooses a kind of event by its menu and answers how many there are.
pub fn choose(scene: &mut Scene, name: &str, row: &str) {
    use egui_kittest::kittest::Queryable;
    scene.window.get_by_label(name).click();
    scene.settle();
    scene.window.get_by_label(row).click();
    scene.settle();
    count(scene, 14);
}

/// Says that each session holds `n` of what the forms mean.
pub fn count(scene: &mut Scene, n: u64) {
    let asked = scene.handle.asked();
    let counted = asked.iter().rev().find_map(|a| match a {
        Asked::Count(forms, sessions) => Some((forms, sessions)),
        _ => None,
    });
    let Some((forms, sessions)) = counted else { panic!("nothing to count: {asked:?}") };
    let found: Vec<_> = sessions.iter().map(|s| (s.clone(), n)).collect();
    let matches = forms.iter().map(|form| EventCounts { events: form.clone(), found: Ok(found.clone()) }).collect();
    scene.say(BackendEvent::EventCounts(matches));
}

/// A study with two conditions, averaged.
pub fn averaged(builder: HarnessBuilder<App>) -> Scene {
    use egui_kittest::kittest::Queryable;
    let mut scene = study_screen(builder);
    choose(&mut scene, "Kind", "page  click   412");
    scene.window.get_by_label("Compare with other events").click();
    scene.settle();
    choose(&mut scene, "Kind of events B", "page  input   233");
    scene.window.get_by_label("Average").click();
    scene.settle();
    let asked = scene.handle.asked();
    let [Asked::Ask(question)] = &asked[..] else { panic!("{asked:?}") };
    scene.say(BackendEvent::StudyQueryFinished(Box::new(synthetic::answer(question, 12))));
    scene
}

fn write_author(scene: &mut Scene, field: &str) {
    use egui_kittest::kittest::Queryable;
    scene.window.get_by_role_and_label(egui::accesskit::Role::TextInput, field).focus();
    scene.settle();
    scene.window.event(egui::Event::Text("ann".into()));
    scene.settle();
    scene.window.key_press(egui::Key::Escape);
    scene.settle();
}

/// Two people's annotations, and one being made.
pub fn annotate(scene: &mut Scene) {
    use egui_kittest::kittest::Queryable;
    scene.window.get_by_label("Annotate").click();
    scene.settle();
    write_author(scene, "Coded by");
    let stream = std::sync::Arc::new(annotation_stream().name);
    let made_utc = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let all = [
        ("ann", "smile", 226.0, Some(243.0)),
        ("bob", "smile", 229.0, Some(241.0)),
        ("ann", "looks away", 262.0, None),
        ("ann", "frown", 360.0, Some(378.0)),
        ("bob", "frown", 362.0, Some(375.0)),
        ("ann", "smile", 520.0, Some(536.0)),
    ];
    let at = Timestamp::from_secs_f64;
    let annotations = all.iter().enumerate().map(|(k, (author, label, from, until))| Annotation {
        id: k as u64,
        label: (*label).to_owned(),
        from: at(*from),
        until: until.map(at),
        author: (*author).to_owned(),
        made_utc,
    });
    let records =
        annotations.map(|a| Record { stream: stream.clone(), seq: a.id, at: a.from, body: a.body() }).collect();
    scene.say(BackendEvent::RecordsAdded(AddedRecords { stream: annotation_stream(), author: "ann".into(), records }));
    scene.window.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::Num1);
    scene.settle();
    scene.window.key_press_modifiers(egui::Modifiers::SHIFT, egui::Key::ArrowRight);
    scene.window.key_press(egui::Key::Q);
    scene.settle();
}

/// In the middle of a pass.
pub fn rate(scene: &mut Scene) {
    use egui_kittest::kittest::Queryable;
    scene.window.get_by_label("Rate").click();
    scene.settle();
    write_author(scene, "Rated by");
    scene.window.key_press(egui::Key::R);
    scene.settle();
    scene.say(BackendEvent::Gamepad(Some("Xbox Wireless Controller".into())));
    scene.say(BackendEvent::GamepadStick { x: 0.42, y: -0.2 });
}

/// A pass that was compared with the network.
pub fn rated(scene: &mut Scene) {
    use egui_kittest::kittest::Queryable;
    scene.window.get_by_label("Rate").click();
    scene.settle();
    let stream = std::sync::Arc::new(rating_stream().name);
    let records = (0..15_000u64).map(|k| {
        let at_s = k as f64 * 0.05;
        let values = synthetic::affect_values((at_s - 1.4).max(0.0), &mut synthetic::Noise::new(2));
        let values = [values[0] * 0.8 + 0.05, values[1] * 0.7 + 0.1];
        let body = Body::Sample { frame: None, values: values.into() };
        Record { stream: stream.clone(), seq: k, at: Timestamp::from_secs_f64(at_s), body }
    });
    scene.say(BackendEvent::RecordsAdded(AddedRecords {
        stream: rating_stream(),
        author: "sub-14".into(),
        records: records.collect(),
    }));
    let agreement = |ccc, correlation| {
        Ok(analysis::Agreement {
            ccc,
            correlation,
            delay: Some(analysis::Delay { lag_s: 1.4, ccc: ccc + 0.1, correlation: correlation + 0.09 }),
            pairs: 7000,
        })
    };
    let fields = [agreement(0.61, 0.72), agreement(0.38, 0.55)];
    scene.say(BackendEvent::Agreement(Agreement { pass: 1, author: "sub-14".into(), fields }));
}
