//! From nothing to a study of one's own in the real program: ten pictures from a folder become a running picture rating.
//! Then the session is reviewed and exported.

use std::path::Path;
use std::time::Instant;

use affectograph::session::Study;
use affectograph::store::{Condition, SessionFile, SessionState, verify};

use super::app::App;
use super::program::run;
use super::screen::Display;
use super::vision_support::models;

/// The places of the buttons on a screen of 1280 × 800 points. The window is maximized, with a title bar of 20 points.
const NEW_STUDY: (i32, i32) = (174, 93);
const SAVE_AND_SET_UP: (i32, i32) = (1196, 770);
const CONSENT: (i32, i32) = (40, 708);
const OPEN_IN_REVIEW: (i32, i32) = (1068, 770);

/// Counts what a person does.
struct Person<'a> {
    app: &'a App,
    clicks: u32,
    keys: u32,
}

impl Person<'_> {
    fn click(&mut self, (x, y): (i32, i32)) {
        self.app.click(x, y);
        self.clicks += 1;
    }

    fn press(&mut self, key: &str) {
        self.app.keys(key);
        self.keys += 1;
    }

    /// A text counts as one, because it is copied or typed without a search.
    fn write(&mut self, text: &str) {
        self.app.screen.xdotool(&format!("type --delay 20 {text}"));
        self.app.pause(500);
        self.keys += 1;
    }
}

fn ten_pictures(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for k in 1..=10u8 {
        let picture = image::RgbImage::from_pixel(640, 480, image::Rgb([20 * k, 100, 250 - 20 * k]));
        picture.save(folder.join(format!("{k}.png"))).unwrap();
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "the steps of one person, in their order")]
fn ten_pictures_become_a_running_study() {
    if models().is_none() {
        return;
    }
    let Some(screen) = Display::open() else { return };
    let sessions = tempfile::tempdir().unwrap();
    let pictures = sessions.path().join("mine");
    ten_pictures(&pictures);
    let app = App::start(screen, sessions);
    app.pause(2500);
    app.screen.screenshot("own_study_0_home.png");

    let begun = Instant::now();
    let mut person = Person { app: &app, clicks: 0, keys: 0 };
    person.click(NEW_STUDY);
    app.screen.screenshot("own_study_1_new.png");
    person.write("Ten_pictures");
    person.press("Tab");
    person.press("Tab");
    person.write(pictures.to_str().unwrap());
    app.screen.screenshot("own_study_2_filled.png");
    person.press("Return");
    let folder = app.sessions.path().join("studies/Tenpictures");
    app.wait("the study", || folder.join("study.toml").is_file().then_some(()));
    app.pause(1000);
    app.screen.screenshot("own_study_3_editor.png");
    person.click(SAVE_AND_SET_UP);
    app.screen.screenshot("own_study_4_new_session.png");

    // The test rests, and looks at each picture, for a shorter time. This is no step of a person.
    let file = folder.join("study.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("seconds = 30"), "{text}");
    std::fs::write(&file, text.replace("seconds = 30", "seconds = 5")).unwrap();
    let task = folder.join("page/task.js");
    let script = std::fs::read_to_string(&task).unwrap();
    std::fs::write(
        &task,
        script.replace("PICTURE_MS = 6000", "PICTURE_MS = 600").replace("CROSS_MS = 1500", "CROSS_MS = 300"),
    )
    .unwrap();

    person.press("Return");
    app.pause(3500);
    app.screen.screenshot("own_study_5_set_up.png");
    person.click(CONSENT);
    app.screen.screenshot("own_study_5_consent.png");
    let recorded = app.wait("a recording", || app.record_now());
    person.keys += 1;
    println!(
        "from the empty window to a running session: {} clicks, {} key presses and texts, {:.0} s",
        person.clicks,
        person.keys,
        begun.elapsed().as_secs_f64()
    );
    assert!(person.clicks + person.keys <= 12, "{} clicks and {} keys", person.clicks, person.keys);

    let study = Study::parse(&std::fs::read_to_string(folder.join("study.toml")).unwrap()).unwrap();
    assert_eq!((study.name.as_str(), study.title.as_str()), ("Tenpictures", "Ten_pictures"));
    let list = std::fs::read_to_string(folder.join("page/media.js")).unwrap();
    assert!(list.contains("\"9.png\",\n  \"10.png\""), "{list}");

    app.wait("the cross", || (app.count(&recorded, "phase", "start") > 0).then_some(()));
    app.pause(1000);
    app.screen.screenshot("own_study_6_cross.png");
    app.wait("the end of the baseline", || (app.count(&recorded, "phase", "end") > 0).then_some(()));
    app.pause(3000);
    app.screen.screenshot("own_study_7_page.png");

    // The participant: Start, then a first rating by keyboard.
    app.keys("Tab");
    app.keys("space");
    app.wait("the first picture", || (app.count(&recorded, "page", "mark") >= 3).then_some(()));
    app.pause(1500);
    app.screen.screenshot("own_study_8_rating.png");
    app.keys("Tab space Tab space Tab space Tab space");
    app.wait("the second picture", || (app.count(&recorded, "page", "mark") >= 8).then_some(()));

    app.keys("ctrl+shift+F12");
    app.pause(1500);
    app.keys("ctrl+shift+s");
    app.keys("Tab");
    app.keys("space");
    app.wait("the closed session", || app.session().filter(|s| s.condition == Condition::Opens(SessionState::Closed)));
    app.pause(2500);
    app.screen.screenshot("own_study_9_report.png");
    app.click(OPEN_IN_REVIEW.0, OPEN_IN_REVIEW.1);
    app.pause(2500);
    app.screen.screenshot("own_study_10_review.png");

    let timeline = SessionFile::open(&recorded).unwrap().timeline().unwrap();
    let rated = |e: &&affectograph::session::EventRow<affectograph::session::EventData>| {
        e.what.data.get("name").is_some_and(|n| n == "picture_rated")
    };
    let first = timeline.events().iter().find(rated).expect("the first picture is rated");
    for scale in ["valence", "arousal", "dominance"] {
        assert!(first.what.data["data"][scale].as_u64().is_some_and(|v| (1..=9).contains(&v)), "{:?}", first.what.data);
    }
    assert!(verify(&recorded).unwrap().is_intact);
    let sessions = app.sessions.path();
    let bids = sessions.join("bids");
    let to = bids.display().to_string();
    let done = run(&["export", "--study", "Tenpictures", "--format", "bids", "--to", &to], sessions);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let events = bids.join("sub-01/ses-01/beh/sub-01_ses-01_task-Tenpictures_events.tsv");
    assert!(std::fs::read_to_string(events).unwrap().contains("picture_rated"));

    // The participant withdraws. Only the export is left, and it is named.
    let erased = run(&["erase", "--participant", "sub-01", "--yes"], sessions);
    let said = String::from_utf8_lossy(&erased.stdout).into_owned() + &String::from_utf8_lossy(&erased.stderr);
    assert!(erased.status.success() && said.contains("bids"), "{said}");
    assert!(!sessions.join("sub-01").exists());
    let list = std::fs::read_to_string(sessions.join("participants.tsv")).unwrap();
    assert!(!list.contains("sub-01"), "{list}");
}
