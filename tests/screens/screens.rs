//! Draws every screen to `target/screenshots/`, to be looked at. Skips where there is no graphics adapter.
//! `AFFECTOGRAPH_SCREENSHOTS=all` draws each in every size and theme.
//!
//! Ten of them are compared with `tests/snapshots/`. After a wanted change: `UPDATE_SNAPSHOTS=1 cargo nextest run
//! -p screens -E 'test(ten_screens)'`, then look at the pictures before committing them.

#![allow(clippy::print_stdout, reason = "a test prints why it is skipped")]
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

#[allow(dead_code)]
#[path = "../it/desktop/fake.rs"]
mod fake;
#[allow(dead_code)]
#[path = "../it/need.rs"]
mod need;
#[allow(dead_code)]
#[path = "../it/desktop/scenes.rs"]
mod scenes;
#[allow(dead_code)]
#[path = "../it/desktop/synthetic.rs"]
mod synthetic;

use std::path::{Path, PathBuf};

use desktop::port::*;
use eframe::egui;
use egui::{Key, Modifiers};
use egui_kittest::SnapshotOptions;
use session::Timestamp;

use need::need;
use scenes::Scene;
use synthetic::Script;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots")
}

fn save(scene: &mut Scene, name: &str, size: (u32, u32), is_dark: bool) {
    scene.settle();
    // A tooltip needs its pointer.
    if name != "number_explained" {
        scene.window.remove_cursor();
    }
    scene.settle();
    let theme = if is_dark { "dark" } else { "light" };
    let path = folder().join(format!("{name}_{}x{}_{theme}.png", size.0, size.1));
    std::fs::create_dir_all(folder()).unwrap();
    let picture = scene.window.render().expect("rendering");
    assert_eq!(picture.dimensions(), size);
    picture.save(&path).unwrap();
}

type Make = fn(egui_kittest::HarnessBuilder<desktop::App>) -> Scene;

fn reviewed(builder: egui_kittest::HarnessBuilder<desktop::App>) -> Scene {
    let mut scene = scenes::review(builder, &Script::of(754.0), true);
    seek(&mut scene, 271.0);
    scene
}

fn seek(scene: &mut Scene, at_s: f64) {
    scene.window.state_mut().state.review.as_mut().unwrap().seek(Timestamp::from_secs_f64(at_s));
    scene.settle();
    let frame_number = (at_s * 30.0) as u64;
    scene.say(BackendEvent::Picture { frame_number, picture: synthetic::picture(at_s) });
}

fn of_row(b: egui_kittest::HarnessBuilder<desktop::App>, item: Option<&str>) -> Scene {
    use egui_kittest::kittest::Queryable;
    let mut s = scenes::home(b);
    s.window.get_by_label("sub-14 ses-01, study demo, complete").click_secondary();
    s.settle();
    if let Some(item) = item {
        s.window.get_by_label(item).click();
        s.settle();
    }
    s
}

/// An export of two sessions, half done.
fn exporting(b: egui_kittest::HarnessBuilder<desktop::App>) -> Scene {
    use egui_kittest::kittest::Queryable;
    let mut s = scenes::home(b);
    s.window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    s.settle();
    s.window.key_press_modifiers(Modifiers::COMMAND, Key::E);
    s.settle();
    s.window.get_all_by_label("Export").last().unwrap().click();
    s.settle();
    s.say(BackendEvent::JobProgress(JobProgress {
        done: 0.47,
        name: "9 of 18: sub-09_ses-01_20261123T101500Z_checkout".into(),
    }));
    s
}

/// Studies and sessions with names in several scripts, and with emoji.
fn in_many_scripts(b: egui_kittest::HarnessBuilder<desktop::App>) -> Scene {
    let mut library = synthetic::library();
    let titles = [
        "Mood 😀 😢 😡 ❤ 👍 🎉",
        "Stimmung · Humeur · Настроение · Διάθεση",
        "心情 気分 기분 · מצב רוח · المزاج · मनोदशा",
    ];
    for (study, title) in library.studies.iter_mut().zip(titles) {
        study.title = title.into();
        study.description = format!("{title} 📷 ⚠ 🔊");
    }
    // A computer without a font for a script draws boxes.
    let mut s = scenes::empty(b.allow_missing_glyphs());
    s.say(BackendEvent::Library(library));
    s.handle.asked();
    // Fonts of the system are read in a thread.
    for _ in 0..40 {
        std::thread::sleep(std::time::Duration::from_millis(50));
        s.settle();
    }
    s
}

/// Set-up with an amplifier, markers of another program and LabRecorder's commands; the second source is missing.
fn with_sources(b: egui_kittest::HarnessBuilder<desktop::App>) -> Scene {
    use session::CheckId;
    let mut s = scenes::set_up(b, false);
    let mut checks = scenes::checks(false);
    for (id, state, sentence) in [
        (
            CheckId::Source,
            CheckState::Ok,
            "LiveAmp (EEG, 32 channels) sends 500.0 samples a second, its clock is known to ± 0.12 ms.",
        ),
        (
            CheckId::Source,
            CheckState::Failed,
            "`name='PsychoPy markers'` is not there. Start its program, and allow it in the firewall.",
        ),
        (
            CheckId::Source,
            CheckState::Warning,
            "Shimmer (EDA, 3 channels) sends 51.2 samples a second, its clock is known to ± 0.40 ms. The channel PPG does not change.",
        ),
        (CheckId::RemoteControl, CheckState::Ok, "Other programs may start and stop the recording: 127.0.0.1:22345."),
    ] {
        checks.push(Check { id, state, sentence: sentence.into() });
    }
    s.say(BackendEvent::Checks(checks));
    s
}

/// An import of three video files, whose dialog is open: ready to start.
fn importing(b: egui_kittest::HarnessBuilder<desktop::App>) -> Scene {
    use egui_kittest::kittest::Queryable;
    let mut s = scenes::home(b);
    s.window.get_by_label("Import …").click();
    s.settle();
    s.window.get_by_label("Import video files …").click();
    s.settle();
    if let Some(desktop::Dialog::ImportFilms(draft)) = &mut s.window.state_mut().state.dialog {
        draft.films = ["sub-07_talk.mp4", "sub-08_talk.mp4", "sub-09_a talk with a very long name, second take.mp4"]
            .map(|name| format!("/home/lab/films/{name}").into())
            .to_vec();
    }
    s.settle();
    s
}

const SCREENS: [(&str, Make); 56] = [
    ("row_menu", |b| of_row(b, None)),
    ("reassign", |b| of_row(b, Some("Reassign …"))),
    ("erase_participant", |b| of_row(b, Some("Erase participant sub-14 …"))),
    ("export_sessions", |b| of_row(b, Some("Export …"))),
    ("home_many", |b| {
        use egui_kittest::kittest::Queryable;
        let mut s = scenes::home(b);
        s.window.key_press_modifiers(Modifiers::COMMAND, Key::A);
        s.settle();
        s.window.get_by_label("State").click();
        s.settle();
        s
    }),
    ("import_films", |b| {
        use egui_kittest::kittest::Queryable;
        let mut s = scenes::home(b);
        s.window.get_by_label("Import …").click();
        s.settle();
        s.window.get_by_label("Import video files …").click();
        s.settle();
        s
    }),
    ("import_films_chosen", importing),
    ("home_scripts", in_many_scripts),
    ("home_filtered", |b| {
        use egui_kittest::kittest::Queryable;
        let mut s = scenes::home(b);
        for (menu, choice) in [("State", "damaged"), ("Grade", "grade A")] {
            s.window.get_by_label(menu).click();
            s.settle();
            s.window.get_by_role_and_label(egui::accesskit::Role::CheckBox, choice).click();
            s.settle();
            s.window.key_press(Key::Escape);
            s.settle();
        }
        s
    }),
    ("new_session_scripts", |b| {
        let s = in_many_scripts(b);
        s.window.key_press_modifiers(Modifiers::COMMAND, Key::N);
        s
    }),
    ("setup_sources", with_sources),
    ("number_explained", |b| {
        use egui_kittest::kittest::Queryable;
        let mut s = scenes::live(b, 761.2, false);
        let at = s.window.get_by_label("What valence means").rect().center();
        s.window.hover_at(at);
        s.window.run_steps(8);
        s
    }),
    ("import_running", |b| {
        let mut s = importing(b);
        s.window.key_press_modifiers(Modifiers::NONE, Key::Enter);
        s.settle();
        let name = "2 of 3: sub-08_talk.mp4, 3,214 of 9,120 frames".into();
        s.say(BackendEvent::JobProgress(JobProgress { done: 0.44, name }));
        s
    }),
    ("export_running", exporting),
    ("export_stopping", |b| {
        use egui_kittest::kittest::Queryable;
        let mut s = exporting(b);
        s.window.get_by_label("Stop").click();
        s.settle();
        s
    }),
    ("study_running", |b| {
        let mut s = scenes::study_screen(b);
        scenes::choose(&mut s, "Kind", "page  click   412");
        s.window.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
        s.settle();
        s.say(BackendEvent::StudyQueryProgress { done: 7, of: 12 });
        s
    }),
    ("live_over", |b| {
        let mut s = scenes::live(b, 761.2, false);
        s.say(BackendEvent::Part(None));
        s
    }),
    ("preferences", |b| {
        use egui_kittest::kittest::Queryable;
        let mut s = scenes::home(b);
        s.window.get_by_label("Preferences").click();
        s.settle();
        s
    }),
    ("discard", |b| {
        use egui_kittest::kittest::Queryable;
        let mut s = scenes::live(b, 761.2, false);
        s.window.get_by_label("Stop and save …").click();
        s.settle();
        s.window.get_by_label("Discard …").click();
        s.settle();
        s
    }),
    ("override", |b| {
        use egui_kittest::kittest::Queryable;
        let mut s = scenes::set_up(b, true);
        s.window.get_by_label("The participant has agreed to this").click();
        s.settle();
        s.window.get_by_label("Record anyway …").click();
        s.settle();
        s
    }),
    ("number_taken", |b| {
        use egui_kittest::kittest::Queryable;
        let mut s = scenes::home(b);
        s.window.key_press_modifiers(Modifiers::COMMAND, Key::N);
        s.settle();
        s.window.get_by_role_and_label(egui::accesskit::Role::TextInput, "Participant").focus();
        s.settle();
        s.window.key_press_modifiers(Modifiers::COMMAND, Key::A);
        s.settle();
        s.window.event(egui::Event::Text("sub-03".into()));
        s.settle();
        s.window.get_by_role_and_label(egui::accesskit::Role::TextInput, "Session").focus();
        s.settle();
        s.window.key_press_modifiers(Modifiers::COMMAND, Key::A);
        s.settle();
        s.window.event(egui::Event::Text("1".into()));
        s.settle();
        s
    }),
    ("live_guided_embedded", |b| scenes::guided(b, true)),
    ("live_guided_window", |b| scenes::guided(b, false)),
    ("home", |b| {
        let mut s = scenes::home(b);
        s.window.key_press_modifiers(Modifiers::NONE, Key::ArrowDown);
        s.settle();
        s
    }),
    ("home_empty", |b| {
        let mut s = scenes::empty(b);
        s.say(BackendEvent::Library(Library {
            root: "/home/lab/affectograph/sessions".into(),
            studies: synthetic::library().studies,
            ..Library::default()
        }));
        s
    }),
    ("new_session", |b| {
        let s = scenes::home(b);
        s.window.key_press_modifiers(Modifiers::COMMAND, Key::N);
        s
    }),
    ("new_study", |b| {
        let s = scenes::home(b);
        s.window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::N);
        s
    }),
    ("editor", scenes::editor),
    ("editor_wrong", |b| {
        use egui_kittest::kittest::Queryable;
        let mut s = scenes::editor(b);
        s.window.get_by_label("Text").click();
        s.settle();
        let problems = vec![
            "the page `…/page` does not exist: correct `page.address` in the study file, or put the page there"
                .to_owned(),
        ];
        let file = s.state().editor.as_ref().unwrap().file.clone();
        s.say(BackendEvent::StudyChecked { file, problems });
        s
    }),
    ("setup_failing", |b| scenes::set_up(b, true)),
    ("setup_ready", |b| {
        use egui_kittest::kittest::Queryable;
        let mut s = scenes::set_up(b, false);
        s.window.get_by_label("The participant has agreed to this").click();
        s.settle();
        s
    }),
    ("live_window", |b| scenes::live(b, 761.2, false)),
    ("live_embedded", |b| scenes::live(b, 761.2, true)),
    ("signals_live", |b| {
        let mut s = scenes::live_with_signals(b, 761.2, false);
        scenes::choose_signals(&mut s, &scenes::THREE_SIGNALS);
        s
    }),
    ("signals_live_embedded", |b| {
        let mut s = scenes::live_with_signals(b, 761.2, true);
        scenes::choose_signals(&mut s, &scenes::THREE_SIGNALS);
        s
    }),
    ("signals_review", |b| {
        let mut s = scenes::review_with_signals(b, &Script::of(754.0));
        scenes::choose_signals(&mut s, &scenes::THREE_SIGNALS);
        seek(&mut s, 271.0);
        (0..3).for_each(|_| {
            s.window.key_press_modifiers(Modifiers::NONE, Key::Plus);
            s.settle();
        });
        s
    }),
    ("signals_list", |b| {
        use egui_kittest::kittest::Queryable;
        let mut s = scenes::review_with_signals(b, &Script::of(754.0));
        scenes::choose_signals(&mut s, &scenes::THREE_SIGNALS);
        s.window.get_by_label("Signals").click();
        s
    }),
    ("live_alarm", |b| {
        let mut s = scenes::live(b, 761.2, true);
        s.say(BackendEvent::Alarm(Alarm {
            key: "camera".into(),
            losing: "No pictures for 4 s: the camera is silent.".into(),
            remedy: "Check its cable. Recording goes on, and the camera comes back by itself.".into(),
        }));
        s
    }),
    ("live_stop", |b| {
        let s = scenes::live(b, 761.2, false);
        s.window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::S);
        s
    }),
    ("live_note", |b| {
        let mut s = scenes::live(b, 761.2, false);
        s.window.key_press_modifiers(Modifiers::COMMAND, Key::N);
        s.settle();
        s.window.event(egui::Event::Text("leans back and sighs".into()));
        s
    }),
    ("erase", |b| {
        let mut s = scenes::home(b);
        s.window.key_press(Key::ArrowDown);
        s.settle();
        s.window.key_press(Key::Delete);
        s
    }),
    ("pull", |b| {
        use egui_kittest::kittest::Queryable;
        let mut s = scenes::home(b);
        s.window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::O);
        s.settle();
        use egui::accesskit::Role;
        for (role, label, text) in
            [(Role::TextInput, "Server", "https://lab.example.org"), (Role::PasswordInput, "API token", "aga_example")]
        {
            s.window.get_by_role_and_label(role, label).focus();
            s.settle();
            s.window.event(egui::Event::Text(text.into()));
            s.settle();
        }
        s.window.get_by_label("Download").click();
        s.settle();
        s.say(BackendEvent::DownloadProgress(DownloadProgress {
            number: 3,
            of: 12,
            name: "sub-03_ses-01_20261123T101500Z_checkout".into(),
        }));
        s
    }),
    ("export", |b| {
        let s = reviewed(b);
        s.window.key_press_modifiers(Modifiers::COMMAND, Key::E);
        s
    }),
    ("report", |b| {
        let mut s = scenes::live(b, 761.2, false);
        s.say(BackendEvent::RecordingFinished(Box::new(scenes::finished())));
        s
    }),
    ("review_whole", reviewed),
    ("review_zoomed", |b| {
        let mut s = reviewed(b);
        (0..7).for_each(|_| {
            s.window.key_press_modifiers(Modifiers::NONE, Key::Plus);
            s.settle();
        });
        s
    }),
    ("review_quality", |b| {
        use egui_kittest::kittest::Queryable;
        let s = reviewed(b);
        s.window.get_by_label("Quality").click();
        s
    }),
    ("study_form", |b| {
        let mut s = scenes::study_screen(b);
        scenes::choose(&mut s, "Kind", "page  click   412");
        s
    }),
    ("study_averages", scenes::averaged),
    ("study_epochs", |b| {
        let s = scenes::averaged(b);
        (0..4).for_each(|_| s.window.key_press(Key::ArrowDown));
        s
    }),
    ("study_figures", |b| {
        use egui_kittest::kittest::Queryable;
        let s = scenes::averaged(b);
        s.window.get_by_label("Figures").click();
        s
    }),
    ("study_one", |b| {
        let mut s = scenes::study_screen(b);
        scenes::choose(&mut s, "Kind", "page  click   412");
        s.window.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
        s.settle();
        let asked = s.handle.asked();
        let Some(fake::Asked::Ask(question)) = asked.first() else { panic!("{asked:?}") };
        s.say(BackendEvent::StudyQueryFinished(Box::new(synthetic::answer(question, 3))));
        s
    }),
    ("annotations", |b| {
        let mut s = reviewed(b);
        scenes::annotate(&mut s);
        s
    }),
    ("rating", |b| {
        let mut s = reviewed(b);
        scenes::rate(&mut s);
        s
    }),
    ("rated", |b| {
        let mut s = reviewed(b);
        scenes::rated(&mut s);
        s
    }),
    ("keys", |b| {
        let s = scenes::home(b);
        s.window.key_press_modifiers(Modifiers::NONE, Key::F1);
        s
    }),
];

#[test]
fn every_screen_is_drawn() {
    if need("a graphics adapter", adapter()).is_none() {
        return;
    }
    // `all`, or the beginnings of names: also in large, in small and in both themes.
    let wanted = std::env::var("AFFECTOGRAPH_SCREENSHOTS").unwrap_or_default();
    let is_wanted = |name: &str| wanted.split(',').any(|w| w == "all" || name.starts_with(w));
    for (k, (name, make)) in SCREENS.into_iter().enumerate().filter(|(_, (name, _))| is_wanted(name)) {
        let sizes = [
            ((1280, 800), true),
            ((1280, 800), false),
            ((1920, 1080), true),
            ((1920, 1080), false),
            ((1024, 700), true),
        ];
        let drawn = if wanted.is_empty() { &sizes[k % 2..k % 2 + 1] } else { &sizes[..] };
        for (size, is_dark) in drawn {
            let mut scene = make(scenes::builder(size.0 as f32, size.1 as f32, *is_dark).wgpu());
            save(&mut scene, name, *size, *is_dark);
        }
    }
}

/// Those that are compared with a committed picture: each kind of screen once.
const COMPARED: [&str; 10] = [
    "home",
    "new_session",
    "setup_ready",
    "live_embedded",
    "live_alarm",
    "report",
    "review_whole",
    "review_quality",
    "study_averages",
    "rating",
];

#[test]
fn ten_screens_look_as_they_did() {
    if need("a graphics adapter", adapter()).is_none() {
        return;
    }
    let options = SnapshotOptions::new().output_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../snapshots"));
    let mut changed = Vec::new();
    for (k, name) in COMPARED.into_iter().enumerate() {
        let (_, make) = SCREENS.into_iter().find(|(screen, _)| *screen == name).unwrap();
        let mut scene = make(scenes::builder(1280.0, 800.0, k % 2 == 0).wgpu());
        scene.settle();
        scene.window.remove_cursor();
        scene.settle();
        changed.extend(scene.window.try_snapshot_options(name, &options).err().map(|e| e.to_string()));
    }
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}

/// Whether this machine can draw without a display.
fn adapter() -> Result<(), String> {
    let drawn = std::panic::catch_unwind(|| {
        let mut harness = egui_kittest::Harness::builder().wgpu().build_ui(|ui| {
            ui.label("probe");
        });
        harness.render().map(|_| ())
    });
    match drawn {
        Ok(result) => result,
        Err(_) => Err("no graphics adapter to draw with (install mesa-vulkan-drivers)".to_owned()),
    }
}
