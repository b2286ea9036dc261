//! The real program on a real X server, used like by an experimenter and a participant: set up, record, click and type in
//! the page, set a marker, stop, reopen.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use affectograph::session::ConsentBy;
use affectograph::store::{Condition, Library, SessionEntry, SessionFile, SessionState, verify};
use sha2::{Digest, Sha256};

use super::participant_screen::{ScreenRecording, check_colours, check_order, is_of_page, is_of_screens};
use super::screen::Display;

const PATIENCE: Duration = Duration::from_secs(60);

pub struct App {
    process: Child,
    pub screen: Display,
    pub sessions: tempfile::TempDir,
}

impl App {
    /// With [`demo_study`].
    fn open() -> Option<App> {
        let screen = Display::open()?;
        Some(App::open_with(screen, |study| {
            // The operator tries the study: the page is beside the plots.
            let pilot = [("screen".to_owned(), "pilot".into())];
            study.insert("participant".into(), toml::Table::from_iter(pilot).into());
        }))
    }

    fn open_with(screen: Display, change: impl FnOnce(&mut toml::Table)) -> App {
        App::start(screen, demo_study(change))
    }

    /// The program with this folder of recordings.
    pub fn start(screen: Display, sessions: tempfile::TempDir) -> App {
        let process = Command::new(env!("CARGO_BIN_EXE_affectograph"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("DISPLAY", &screen.name)
            .env("AFFECTOGRAPH_SESSIONS", sessions.path())
            .env("XDG_CONFIG_HOME", sessions.path().join("config"))
            .env_remove("WAYLAND_DISPLAY")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let app = App { process, screen, sessions };
        app.screen.xdotool("search --sync --onlyvisible --name ^affectograph$");
        app
    }

    pub fn keys(&self, keys: &str) {
        self.screen.xdotool(&format!("key {keys}"));
        self.pause(700);
    }

    pub fn click(&self, x: i32, y: i32) {
        self.screen.xdotool(&format!("mousemove {x} {y} sleep 0.1 click 1"));
        self.pause(700);
    }

    pub fn pause(&self, ms: u64) {
        std::thread::sleep(Duration::from_millis(ms));
    }

    pub fn session(&self) -> Option<SessionEntry> {
        Library::open(self.sessions.path()).unwrap().sessions().unwrap().into_iter().next()
    }

    pub fn wait<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            if Instant::now() > deadline {
                self.screen.screenshot("app_failed.png");
                panic!("{what} did not come");
            }
            self.pause(300);
        }
    }

    pub fn count(&self, folder: &Path, stream: &str, kind: &str) -> usize {
        let timeline = SessionFile::open(folder).unwrap().timeline().unwrap();
        timeline.events().iter().filter(|e| e.stream.as_str() == stream && e.what.kind == kind).count()
    }

    /// Presses *Record*, and *Record anyway* if the question comes. The folder of the session, if it has begun.
    pub fn record_now(&self) -> Option<PathBuf> {
        self.keys("ctrl+r");
        self.pause(1500);
        if self.session().is_none() {
            self.screen.screenshot("app_2_record_anyway.png");
            self.keys("Tab");
            self.keys("space");
            self.pause(2500);
        }
        let session = self.session();
        if session.is_none() {
            self.keys("Escape");
        }
        session.map(|session| session.folder)
    }

    /// Records although checks fail: a slow machine does not reach the camera's rate.
    fn record_anyway(&self) -> PathBuf {
        self.keys("ctrl+n");
        self.keys("Return");
        self.pause(4000);
        self.wait("a recording", || self.record_now())
    }

    fn record(&self) -> PathBuf {
        self.keys("ctrl+n");
        self.screen.screenshot("app_1_new_session.png");
        self.keys("Return");
        self.pause(4000);
        self.screen.screenshot("app_2_set_up.png");
        let session = self.wait("a recording", || {
            self.keys("ctrl+r");
            self.pause(1500);
            let session = self.session();
            if session.is_none() {
                // A check has not passed yet, and the dialog asks whether to record anyway. The test waits.
                self.keys("Escape");
            }
            session
        });
        session.folder
    }
}

/// A folder of recordings with the shipped demo study, with a small picture and a low rate, for busy machines, and with
/// consent on paper. A study in the folder of the recordings replaces the shipped one with the same name.
pub fn demo_study(change: impl FnOnce(&mut toml::Table)) -> tempfile::TempDir {
    let sessions = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = root.join("assets/studies/demo");
    let mut study: toml::Table = std::fs::read_to_string(shipped.join("study.toml")).unwrap().parse().unwrap();
    study["page"]["address"] = toml::Value::from(shipped.join("page").display().to_string());
    study.insert("consent".into(), toml::Table::new().into());
    let camera = [("width_px", 320.into()), ("height_px", 240.into()), ("rate_hz", 10.0.into())];
    study.insert("camera".into(), toml::Table::from_iter(camera.map(|(k, v)| (k.to_owned(), v))).into());
    change(&mut study);
    let own = sessions.path().join("studies/demo");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("study.toml"), study.to_string()).unwrap();
    sessions
}

impl Drop for App {
    fn drop(&mut self) {
        // Both fail only if the process has ended already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Log-off sends SIGHUP, shutdown sends SIGTERM.
#[test]
fn a_log_off_stops_and_saves_the_recording() {
    if crate::vision_support::models().is_none() {
        return;
    }
    for signal in ["HUP", "TERM"] {
        let Some(mut app) = App::open() else { return };
        app.pause(2500);
        let folder = app.record_anyway();
        app.pause(3000);
        crate::program::signal(&app.process, signal);
        let deadline = Instant::now() + PATIENCE;
        while app.process.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "the window did not close after {signal}");
            app.pause(200);
        }
        let session = app.session().unwrap();
        assert_eq!(session.condition, Condition::Opens(SessionState::Closed), "{signal}");
        assert!(verify(&folder).unwrap().is_intact, "{signal}");
    }
}

#[test]
fn a_session_from_set_up_to_review() {
    if crate::vision_support::models().is_none() {
        return;
    }
    let Some(app) = App::open() else { return };
    app.pause(2500);
    app.screen.screenshot("app_0_home.png");
    let folder = app.record();
    app.wait("the page's first document", || (app.count(&folder, "page", "load") > 0).then_some(()));
    app.pause(1500);

    // The participant: a click into the page, Tab to its button, and Space.
    app.click(300, 300);
    app.keys("Tab");
    app.keys("space");
    app.wait("the mark that the task began", || {
        (app.count(&folder, "page", "mark") > 0).then_some(()).or_else(|| {
            app.keys("Tab");
            app.keys("space");
            None
        })
    });
    app.screen.screenshot("app_3_live.png");

    // The operator: a press outside the page takes the keyboard back, then a hot key.
    app.click(1105, 470);
    app.keys("1");
    app.wait("the marker", || (app.count(&folder, "marker", "marker") == 1).then_some(()));
    app.pause(2000);
    app.screen.screenshot("app_4_marker.png");

    // The participant again: after the fifth mark the questions are shown and the slider has the page's focus. F6 gives
    // the keyboard to the page.
    app.wait("the first questions", || (app.count(&folder, "page", "mark") >= 5).then_some(()));
    app.keys("F6");
    app.keys("Right Tab space Tab Tab Tab");
    app.screen.xdotool("type --delay 60 calm sea");
    app.keys("BackSpace BackSpace BackSpace");
    app.pause(1500);
    app.screen.screenshot("app_4_typed.png");
    let edits = app.count(&folder, "page", "input");
    assert!(edits >= 9, "{edits} edits: the slider and eight letters at least");

    app.click(1105, 470);
    app.keys("ctrl+shift+s");
    app.pause(800);
    app.screen.screenshot("app_5_stop.png");
    // The safe answer has the focus first. The other one is next to it.
    app.keys("Tab");
    app.keys("space");
    app.wait("the closed session", || app.session().filter(|s| s.condition == Condition::Opens(SessionState::Closed)));
    app.pause(2500);
    app.screen.screenshot("app_6_report.png");

    let file = SessionFile::open(&folder).unwrap();
    assert!(file.header().pilot, "the session is marked as a pilot");
    let timeline = file.timeline().unwrap();
    assert!(file.frames().unwrap().len() > 20);
    assert!(timeline.series("affect").unwrap().len() > 10, "the networks find the phantom's face");
    for kind in ["click", "keydown"] {
        assert!(app.count(&folder, "page", kind) > 0, "no {kind} in the page");
    }
    assert!(app.count(&folder, "page_clock", "measured") > 0);
    assert!(verify(&folder).unwrap().is_intact);

    // Review: the stored session is drawn with the colour of valence.
    app.click(1079, 773); // Open in review
    app.pause(2500);
    app.keys("space");
    app.pause(1500);
    let picture = image::open(app.screen.screenshot("app_7_review.png")).unwrap().to_rgb8();
    let is_valence = |p: &image::Rgb<u8>| p.0[0] < 40 && p.0[1].abs_diff(114) < 30 && p.0[2].abs_diff(178) < 40;
    let drawn = picture.pixels().filter(|p| is_valence(p)).count();
    assert!(drawn > 200, "{drawn} pixels of valence's blue in review");
}

/// A page of one colour for a participant, after a short rest.
fn calm_study(study: &mut toml::Table) {
    study_with_page(study, "calm.html");
}

fn study_with_page(study: &mut toml::Table, file: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages").join(file);
    study["page"]["address"] = toml::Value::from(page.display().to_string());
    let texts = [("screen", "participant"), ("waiting", "Bitte warten."), ("closing", "Danke.")];
    let texts = texts.map(|(key, text)| (key.to_owned(), text.into()));
    study.insert("participant".into(), toml::Table::from_iter(texts).into());
    let rest = [("name", "rest".into()), ("seconds", toml::Value::Float(2.0)), ("kind", "baseline".into())];
    let rest = toml::Table::from_iter(rest.map(|(key, value)| (key.to_owned(), value)));
    study.insert("phases".into(), toml::Value::Array(vec![rest.into()]));
}

/// `calm_study`, with the consent on the participant's screen.
fn calm_study_with_consent(study: &mut toml::Table) {
    calm_study(study);
    let consent = toml::toml! {
        required = true
        by = "participant"
        text = "Eine Kamera nimmt Ihr Gesicht auf."
        button = "Ich stimme zu"
    };
    study.insert("consent".into(), consent.into());
}

/// The participant sits at the only monitor. A screen recording runs from Record until the operator comes back, after the page
/// has ended itself.
#[test]
fn on_one_monitor_a_participant_sees_only_the_study() {
    if crate::vision_support::models().is_none() {
        return;
    }
    let short = |study: &mut toml::Table| {
        calm_study(study);
        study_with_page(study, "calm_short.html");
    };
    let Some(app) = Display::open().map(|screen| App::open_with(screen, short)) else { return };
    app.pause(2500);
    app.keys("ctrl+n");
    app.screen.screenshot("seat_1_new_session.png");
    app.keys("Return");
    app.pause(7000);
    app.wait("a picture of the page for the operator", || {
        let view = image::open(app.screen.screenshot("seat_2_set_up.png")).unwrap().to_rgb8();
        (view.pixels().filter(|p| is_of_page(p.0)).count() > 2000).then_some(())
    });
    let Some(recording) = ScreenRecording::start(&app.screen, "seat.rgb") else { return };
    let folder = app.wait("a recording", || {
        app.keys("ctrl+r");
        app.pause(1500);
        app.session().map(|session| session.folder).or_else(|| {
            app.keys("Escape");
            None
        })
    });
    app.screen.screenshot("seat_3_recording.png");
    app.wait("the page on the screen", || (app.count(&folder, "page", "shown") >= 2).then_some(()));
    app.pause(1500);
    app.screen.screenshot("seat_4_page.png");
    app.wait("the closing screen", || {
        let now = image::open(app.screen.screenshot("seat_4_over.png")).unwrap().to_rgb8();
        is_of_screens(now.get_pixel(640, 200).0).then_some(())
    });
    app.pause(2000);
    let frames = recording.stop();
    let is_participants = |frame: &Vec<[u8; 3]>| frame.iter().all(|p| is_of_screens(*p) || is_of_page(*p));
    let first = frames.iter().position(is_participants).expect("the page's window");
    let (grey, page) = check_colours(&frames[first..]);
    println!("{} frames from the first of the participant's: {grey} grey, {page} of the page", frames.len() - first);
    assert!(grey > 60 && page > 30, "{grey} grey, {page} of the page");
    check_order(&frames[first..]);
    assert_ne!(app.session().unwrap().condition, Condition::Opens(SessionState::Closed), "the recording goes on");

    app.keys("ctrl+shift+F12");
    app.pause(2500);
    app.screen.screenshot("seat_5_operator.png");
    app.keys("ctrl+shift+s");
    app.pause(800);
    app.keys("Tab");
    app.keys("space");
    app.wait("the closed session", || app.session().filter(|s| s.condition == Condition::Opens(SessionState::Closed)));
    app.pause(2000);
    app.screen.screenshot("seat_6_report.png");
    app.keys("ctrl+shift+F12");
    app.pause(1500);
    app.screen.screenshot("seat_7_closing.png");
    assert!(!SessionFile::open(&folder).unwrap().header().pilot);
    assert!(verify(&folder).unwrap().is_intact);
}

/// After the consent, the operator's view would show the participant's own face until the operator comes.
#[test]
fn on_one_monitor_the_waiting_screen_stays_after_the_consent() {
    const SHOW_TO_PARTICIPANT: (i32, i32) = (104, 708);
    const I_AGREE: (i32, i32) = (330, 170);
    if crate::vision_support::models().is_none() {
        return;
    }
    let Some(app) = Display::open().map(|screen| App::open_with(screen, calm_study_with_consent)) else { return };
    app.pause(2500);
    app.keys("ctrl+n");
    app.keys("Return");
    app.pause(6000);
    app.click(SHOW_TO_PARTICIPANT.0, SHOW_TO_PARTICIPANT.1);
    app.pause(2500);
    app.screen.screenshot("consent_1_shown.png");
    let Some(recording) = ScreenRecording::start(&app.screen, "consent.rgb") else { return };
    app.click(I_AGREE.0, I_AGREE.1);
    app.pause(4000);
    app.screen.screenshot("consent_2_agreed.png");
    let frames = recording.stop();
    let (grey, page) = check_colours(&frames);
    assert_eq!((grey, page), (frames.len(), 0), "nothing but the consent and the waiting screen");

    app.keys("ctrl+shift+F12");
    app.pause(1500);
    let folder = app.wait("a recording", || app.record_now());
    app.wait("the page on the screen", || (app.count(&folder, "page", "shown") >= 2).then_some(()));
    let file = SessionFile::open(&folder).unwrap();
    let consent = file.header().consent.clone().expect("the consent");
    assert_eq!(consent.by, Some(ConsentBy::Participant));
    let hash = affectograph::session::hex(&Sha256::digest("Eine Kamera nimmt Ihr Gesicht auf."));
    assert_eq!(consent.text_sha256, hash);
    assert!(consent.given_at < file.header().zero_utc, "{} is before the recording", consent.given_at);
}

#[test]
fn a_participant_who_stops_ends_the_recording() {
    /// The participant's button, at the lower right of the page.
    const STOP: (i32, i32) = (1240, 769);
    /// The answers, in the middle of the screen.
    const NO: (i32, i32) = (582, 445);
    const YES: (i32, i32) = (715, 445);
    if crate::vision_support::models().is_none() {
        return;
    }
    let study = |study: &mut toml::Table| {
        calm_study(study);
        let participant = study["participant"].as_table_mut().unwrap();
        participant.insert("withdraw".into(), true.into());
        let texts = [("withdraw_button", "Aufhören"), ("withdraw_stop", "Ja"), ("withdraw_continue", "Nein")];
        participant.extend(texts.map(|(key, text)| (key.to_owned(), text.into())));
    };
    let Some(app) = Display::open().map(|screen| App::open_with(screen, study)) else { return };
    app.pause(2500);
    app.keys("ctrl+n");
    app.keys("Return");
    app.pause(7000);
    let folder = app.wait("a recording", || app.record_now());
    let shown = |times: usize| {
        app.wait("the page on the screen", || (app.count(&folder, "page", "shown") >= times).then_some(()));
        app.pause(1500);
    };
    // The cross and the page.
    shown(2);
    app.screen.screenshot("withdraw_1_page.png");
    app.click(STOP.0, STOP.1);
    app.pause(2500);
    app.screen.screenshot("withdraw_2_question.png");
    app.click(NO.0, NO.1);
    shown(3);
    app.click(STOP.0, STOP.1);
    app.pause(2500);
    app.click(YES.0, YES.1);
    app.wait("the closed session", || app.session().filter(|s| s.condition == Condition::Opens(SessionState::Closed)));
    app.pause(2000);
    app.screen.screenshot("withdraw_3_closing.png");
    assert_eq!(app.count(&folder, "health", "participant_withdrew"), 1);
    assert!(verify(&folder).unwrap().is_intact);
}

#[test]
fn on_two_monitors_the_participant_sees_waiting_consent_cross_page_and_end() {
    const OPERATOR_TITLE_BAR: (i32, i32) = (640, 10);
    const SHOW_TO_PARTICIPANT: (i32, i32) = (104, 867);
    const I_AGREE: (i32, i32) = (1430, 170);
    if crate::vision_support::models().is_none() {
        return;
    }
    let Some(screen) = Display::with_two_monitors() else { return };
    let app = App::open_with(screen, |study| {
        calm_study_with_consent(study);
        // It ends itself.
        study_with_page(study, "calm_short.html");
    });
    let second = format!("{}+1280,0", app.screen.name);
    let Some(recording) = ScreenRecording::start_of(&second, "1024x768", "two_monitors.rgb") else { return };
    app.pause(2500);
    app.keys("ctrl+n");
    app.keys("Return");
    app.pause(6000);
    app.screen.screenshot("two_1_set_up.png");
    app.click(SHOW_TO_PARTICIPANT.0, SHOW_TO_PARTICIPANT.1);
    app.pause(1500);
    app.screen.screenshot("two_2_consent.png");
    app.click(I_AGREE.0, I_AGREE.1);
    app.pause(1000);
    app.click(OPERATOR_TITLE_BAR.0, OPERATOR_TITLE_BAR.1);
    let folder = app.wait("a recording", || app.record_now());
    app.wait("the end of the rest", || (app.count(&folder, "phase", "end") > 0).then_some(()));
    app.wait("the page on the screen", || (app.count(&folder, "page", "shown") >= 2).then_some(()));
    app.pause(1500);
    app.screen.screenshot("two_3_page.png");
    // The closing screen follows the page at once. The recording goes on until the operator stops it.
    app.wait("the closing screen", || {
        let now = image::open(app.screen.screenshot("two_4_over.png")).unwrap().to_rgb8();
        is_of_screens(now.get_pixel(1280 + 512, 200).0).then_some(())
    });
    assert_ne!(app.session().unwrap().condition, Condition::Opens(SessionState::Closed));
    app.click(OPERATOR_TITLE_BAR.0, OPERATOR_TITLE_BAR.1);
    app.keys("ctrl+shift+s");
    app.pause(800);
    app.keys("Tab");
    app.keys("space");
    app.wait("the closed session", || app.session().filter(|s| s.condition == Condition::Opens(SessionState::Closed)));
    app.pause(2000);
    app.screen.screenshot("two_5_closing.png");

    let frames = recording.stop();
    let is_participants = |frame: &Vec<[u8; 3]>| frame.iter().all(|p| is_of_screens(*p) || is_of_page(*p));
    let first = frames.iter().position(is_participants).expect("the participant's window");
    let (grey, page) = check_colours(&frames[first..]);
    println!("{} frames from the first of the participant's: {grey} grey, {page} of the page", frames.len() - first);
    assert!(grey > 120 && page > 60, "{grey} grey, {page} of the page");
    check_order(&frames[first..]);
    let desktop = |frame: &Vec<[u8; 3]>| frame.iter().all(|p| *p == [0; 3]);
    assert!(frames[..first].iter().all(desktop), "before the window, the second monitor is an empty desktop");
    let consent = SessionFile::open(&folder).unwrap().header().consent.clone().expect("the consent");
    assert_eq!(consent.by, Some(ConsentBy::Participant));
    assert!(verify(&folder).unwrap().is_intact);
}
