//! Questionnaires before and after a page, answered with real clicks: the session has each answer with its times.

use std::path::Path;
use std::time::{Duration, Instant};

use affectograph::capture::CameraSpec;
use affectograph::page::{PageAddress, Placement, questionnaire_page};
use affectograph::recording::{Participation, Rig, RigEvent, RigPlan};
use affectograph::session::{PAGE, ParticipantId, QUESTIONNAIRE, QuestionnaireText, Study};
use affectograph::store::{Library, SessionFile, StudyFile};
use crossbeam_channel::unbounded;
use serde_json::Value;

use super::page::Page;
use super::screen::Display;
use super::vision_support::models;

const PAGE_HTML: &str = "<!doctype html><title>task</title><body style='margin:0'><button id=go style='width:1000px;height:700px'>go</button>\
    <script>affectograph.mark('condition', { given: affectograph.condition });\
    affectograph.mark('finished', { questionnaire: 'before' });\
    go.addEventListener('click', () => affectograph.mark('done'));</script>";

const STUDY: &str = "name = \"mood\"\ntitle = \"Mood\"\n[page]\naddress = \"task.html\"\n\
    [camera]\nwidth_px = 320\nheight_px = 240\nrate_hz = 10.0\n\
    [[questionnaires]]\nname = \"before\"\nkind = \"items\"\nitems = \"items.csv\"\nwhen = \"before\"\n\
    [[questionnaires]]\nname = \"after\"\nkind = \"manikins\"\n\
    [[questionnaires]]\nname = \"grid\"\nkind = \"affect_grid\"\n\
    [[conditions]]\nname = \"calm\"\n";

fn wait(rig: &Rig, what: &str, is_it: impl Fn(&RigEvent) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match rig.events().recv_deadline(deadline) {
            Ok(event) if is_it(&event) => return,
            Ok(_) => {}
            Err(_) => panic!("{what} did not arrive"),
        }
    }
}

fn is_part(name: &'static str) -> impl Fn(&RigEvent) -> bool {
    move |event| matches!(event, RigEvent::PartStarted { name: part, .. } if part == name)
}

fn study(folder: &Path, text: &str) -> StudyFile {
    std::fs::write(folder.join("study.toml"), text).unwrap();
    std::fs::write(folder.join("task.html"), PAGE_HTML).unwrap();
    let items = "item,text,scale,left,right\ncalm,How calm are you?,likert,not,very\npain,How strong?,vas,none,worst\n";
    std::fs::write(folder.join("items.csv"), items).unwrap();
    StudyFile::read(folder).unwrap()
}

fn record(display: &Display, folder: &Path, text: &str) -> Rig {
    let study = study(folder, text);
    let placement = Placement::ParticipantWindow {
        monitor: None,
        full_screen: true,
        program: Some(env!("CARGO_BIN_EXE_affectograph").into()),
        display: Some(display.name.clone()),
    };
    let plan = RigPlan::of_study(&study, CameraSpec::Phantom, Some(placement)).unwrap();
    let library = Library::open(&folder.join("sessions")).unwrap();
    // The records are not read.
    let (committed, _) = unbounded();
    let who = Participation::of(ParticipantId::numbered(1));
    Rig::record_study(&library, &study, &plan, who, committed).unwrap()
}

#[test]
fn a_page_is_loaded_once_and_a_second_press_of_go_on_skips_nothing() {
    let Some(display) = Display::open() else { return };
    if models().is_none() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let text = "name = \"mood\"\ntitle = \"Mood\"\n[page]\naddress = \"task.html\"\n\
        [[questionnaires]]\nname = \"after\"\nkind = \"manikins\"\n";
    let rig = record(&display, tmp.path(), text);
    wait(&rig, "the page", |e| matches!(e, RigEvent::PageLoaded { address } if address.contains("task.html")));
    std::thread::sleep(Duration::from_secs(3));
    rig.go_on(0);
    rig.go_on(0);
    wait(&rig, "the questionnaire", is_part("after"));
    std::thread::sleep(Duration::from_secs(2));
    let folder = rig.folder().unwrap().to_owned();
    rig.stop().unwrap();
    let timeline = SessionFile::open(&folder).unwrap().timeline().unwrap();
    let kinds = |stream: &str, kind: &str| {
        timeline.events().iter().filter(|e| e.stream.as_str() == stream && e.what.kind == kind).count()
    };
    assert_eq!(kinds(PAGE, "document"), 2, "the page and the questionnaire");
    assert_eq!((kinds(QUESTIONNAIRE, "started"), kinds(QUESTIONNAIRE, "skipped")), (1, 0));
}

#[test]
#[expect(clippy::too_many_lines, reason = "the steps of one participant, in their order")]
fn answers_are_stored_with_their_times() {
    let Some(display) = Display::open() else { return };
    if models().is_none() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let rig = record(&display, tmp.path(), STUDY);
    let pause = |ms| std::thread::sleep(Duration::from_millis(ms));

    wait(&rig, "the first questionnaire", is_part("before"));
    wait(&rig, "its page", |e| matches!(e, RigEvent::WindowReady));
    pause(1500);
    // Tab to the group, Space for the first point, arrows to the third. An arrow moves the line from its middle. Then the
    // button.
    display.click(500, 20);
    display.xdotool("key Tab space Right Right Tab Right Right");
    pause(500);
    display.screenshot("questionnaire_items.png");
    display.xdotool("key Tab space");

    wait(&rig, "the page", |e| matches!(e, RigEvent::PageLoaded { address } if address.contains("task.html")));
    pause(1500);
    display.click(500, 350);

    wait(&rig, "the figures", is_part("after"));
    pause(2500);
    display.screenshot("questionnaire_manikins.png");
    // The mouse's back button does not lead to the task.
    display.xdotool("mousemove 500 400 click 8");
    pause(1000);
    display.xdotool("key Tab space Tab space Right Tab");
    pause(300);
    // One row is missing, so the button refuses.
    display.xdotool("key Tab space");
    pause(700);
    display.screenshot("questionnaire_missing.png");
    display.xdotool("key space");
    pause(300);
    display.xdotool("key Tab space");

    wait(&rig, "the grid", is_part("grid"));
    pause(2500);
    display.xdotool("key Tab space");
    pause(300);
    display.screenshot("questionnaire_grid.png");
    // The button comes after all squares.
    display.xdotool(&format!("key --delay 20{} space", " Tab".repeat(81)));
    wait(&rig, "the end", |e| matches!(e, RigEvent::PartsOver));
    let folder = rig.folder().unwrap().to_owned();
    rig.stop().unwrap();

    let file = SessionFile::open(&folder).unwrap();
    assert_eq!(
        (file.header().condition.as_deref(), file.header().condition_assigned.as_deref()),
        (Some("calm"), Some("calm"))
    );
    let timeline = file.timeline().unwrap();
    let of = |stream: &str, kind: &str| -> Vec<Value> {
        let all = timeline.events().iter().filter(|e| e.stream.as_str() == stream && e.what.kind == kind);
        all.map(|e| Value::Object(e.what.data.clone())).collect()
    };
    let marks = of(PAGE, "mark");
    assert!(marks.iter().any(|m| m["name"] == "condition" && m["data"]["given"] == "calm"), "{marks:?}");
    assert!(marks.iter().any(|m| m["name"] == "finished"), "the page's own mark stays a mark of the page");
    let answers = of(QUESTIONNAIRE, "answer");
    let last =
        |item: &str| answers.iter().rev().find(|a| a["item"] == item).unwrap_or_else(|| panic!("{item}: {answers:?}"));
    assert_eq!((&last("calm")["answer"], &last("calm")["questionnaire"]), (&3.into(), &"before".into()));
    assert_eq!(last("calm")["changes"], 2, "the two earlier choices are stored, too");
    assert_eq!(last("pain")["answer"], 52, "two steps from the middle of 0 to 100: {answers:?}");
    let square = serde_json::json!({ "pleasantness": 1, "activation": 9 });
    assert_eq!((&last("affect_grid")["answer"], &last("affect_grid")["questionnaire"]), (&square, &"grid".into()));
    for item in ["calm", "pain", "valence", "arousal", "dominance", "affect_grid"] {
        let (onset, response) = (last(item)["onset_ms"].as_f64().unwrap(), last(item)["response_ms"].as_f64().unwrap());
        assert!(onset > 0.0 && response > 0.0, "{item}: {onset} {response}");
        let answered = last(item)["page_ms"].as_f64().unwrap();
        assert!((answered - onset - response).abs() < 50.0, "{item}: answered at {answered}");
    }
    // The grid was answered, although the operator went on before its button was pressed.
    let grid = &last("affect_grid")["answer"];
    for side in ["pleasantness", "activation"] {
        assert!(grid[side].as_u64().is_some_and(|answer| (1..=9).contains(&answer)), "{side}: {grid}");
    }
    let shown = of(QUESTIONNAIRE, "item_shown");
    assert!(
        ["calm", "pain", "valence", "arousal", "dominance", "affect_grid"]
            .iter()
            .all(|i| shown.iter().any(|s| s["item"] == *i))
    );
    let finished = of(QUESTIONNAIRE, "finished");
    assert_eq!(
        finished.iter().map(|f| f["questionnaire"].as_str().unwrap()).collect::<Vec<_>>(),
        ["before", "after", "grid"]
    );
    assert!(of(QUESTIONNAIRE, "skipped").is_empty());
    // Nothing is loaded twice, and nobody goes back.
    let documents = of(PAGE, "document");
    for page in ["questionnaire/0", "task.html", "questionnaire/1", "questionnaire/2"] {
        let loads = documents.iter().filter(|d| d["url"].as_str().is_some_and(|url| url.ends_with(page))).count();
        assert_eq!(loads, 1, "{page}: {documents:?}");
    }
    assert_eq!(finished[0]["answers"]["calm"], 3);
    // The clicks of the participant are where actions on a page always are.
    assert!(timeline.events().iter().any(|e| e.stream.as_str() == PAGE && e.what.kind == "keydown"));
}

const GERMAN: &str = "name = \"mood\"\ntitle = \"Mood\"\n\
    [[questionnaires]]\nname = \"after\"\nkind = \"manikins\"\ntext = \"Wie fühlen Sie sich?\"\n\
    [questionnaire_texts]\nlanguage = \"de\"\ncontinue_button = \"Weiter\"\none_missing = \"Eine Antwort fehlt.\"\n\
    several_missing = \"{number} Antworten fehlen.\"\nvalence_row = \"unangenehm bis angenehm\"\n\
    arousal_row = \"ruhig bis erregt\"\ndominance_row = \"ausgeliefert bis überlegen\"\n";

/// Written from right to left.
const HEBREW: &str = "name = \"mood\"\ntitle = \"Mood\"\n\
    [[questionnaires]]\nname = \"grid\"\nkind = \"affect_grid\"\ntext = \"איך אתם מרגישים?\"\n\
    [questionnaire_texts]\nlanguage = \"he\"\ncontinue_button = \"המשך\"\none_missing = \"תשובה אחת חסרה.\"\n\
    several_missing = \"חסרות {number} תשובות.\"\ngrid_top = \"עירני מאוד\"\ngrid_bottom = \"ישנוני\"\n\
    grid_left = \"לא נעים\"\ngrid_right = \"נעים\"\ngrid_square = \"נעימות {pleasantness}, עוררות {activation}\"\n";

/// Presses the button without an answer and marks what the page says then.
const REPORT: &str = "<script>document.getElementById('go-on').click();\
    const said = [...document.querySelectorAll('legend, span, p:not(#end), #go-on, #grid button:first-child')];\
    affectograph.mark('said', { language: document.documentElement.lang,\
      texts: said.map((e) => e.ariaLabel || e.textContent), left_px: said.map((e) => e.getBoundingClientRect().left),\
      middle_px: innerWidth / 2,\
      directions: said.map((e) => e.closest('#grid') ? null : getComputedStyle(e).direction) });</script></html>";

#[test]
fn a_questionnaire_in_another_language_shows_no_english_word() {
    let Some(display) = Display::open() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let german = ["Wie fühlen Sie sich?", "unangenehm bis angenehm", "ruhig bis erregt", "ausgeliefert bis überlegen"];
    let hebrew = ["איך אתם מרגישים?", "עירני מאוד", "ישנוני", "לא נעים", "נעים", "נעימות 1, עוררות 9"];
    for (text, own, button, missing, direction) in [
        (GERMAN, &german[..], "Weiter", "3 Antworten fehlen.", "ltr"),
        (HEBREW, &hebrew[..], "המשך", "תשובה אחת חסרה.", "rtl"),
    ] {
        let study = Study::parse(text).unwrap();
        let page = questionnaire_page(&study.questionnaires[0], &[], &study.questionnaire_texts);
        assert!(page.contains("</html>"));
        std::fs::write(tmp.path().join("page.html"), page.replace("</html>", REPORT)).unwrap();
        let mut page = Page::shown(&display, PageAddress::parse("page.html", tmp.path()).unwrap(), &[]);
        let said = page.wait_mark("said");
        std::thread::sleep(Duration::from_millis(500));
        display.screenshot(&format!("questionnaire_{direction}.png"));
        let texts: Vec<&str> = said["texts"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
        for expected in own.iter().chain([&button, &missing]) {
            let at = texts.iter().position(|t| t == expected).unwrap_or_else(|| panic!("{expected}: {texts:?}"));
            // The name of a square is read aloud and not shown.
            let shown = &said["directions"][at];
            assert!(shown.is_null() || shown == direction, "{expected} is written {shown}");
        }
        // The button is where a line of its language begins.
        let place = |text: &str| said["left_px"][texts.iter().position(|t| *t == text).unwrap()].as_f64().unwrap();
        let is_on_the_right = place(button) > said["middle_px"].as_f64().unwrap();
        assert_eq!(is_on_the_right, direction == "rtl", "{said}");
        assert_eq!(said["language"], study.questionnaire_texts.get(QuestionnaireText::Language));
        let english: Vec<&str> = QuestionnaireText::ALL.iter().map(|t| t.english()).collect();
        assert!(texts.iter().all(|t| !english.contains(t)), "{texts:?}");
        // The left end of a scale is on the left, also where people write from right to left.
        if direction == "rtl" {
            assert!(place("לא נעים") < place("נעים"), "{said}");
        }
        page.close();
    }
}
