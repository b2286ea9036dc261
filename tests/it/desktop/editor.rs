//! The study editor: a new study from a template, form and text, checks, saving and the session that follows.

use affectograph::desktop::port::*;
use affectograph::desktop::{Dialog, Screen};
use affectograph::session::{
    ConditionTable, ConsentBy, OnCrash, ParticipantId, QuestionnaireText, Study, StudyCondition,
};
use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;

use super::fake::Asked;
use super::scenes::{self, Scene};
use super::{click, field_type, plain, press, says, synthetic};

const TEXT: &str =
    "# Our own.\nname = \"tenpictures\"\ntitle = \"Ten pictures\"\n\n[page]\naddress = \"page\"   # beside\n";

fn document() -> StudyDocument {
    StudyDocument { file: "/home/lab/affectograph/sessions/studies/tenpictures/study.toml".into(), text: TEXT.into() }
}

fn edited() -> Scene {
    let mut scene = scenes::home(plain());
    scene.say(BackendEvent::StudyOpened(document()));
    assert_eq!(scene.state().screen, Screen::Editor);
    scene
}

fn focus(scene: &mut Scene, name: &str) {
    scene.window.get_by_role_and_label(Role::TextInput, name).focus();
    scene.settle();
}

/// Replaces the content of a field.
fn type_into(scene: &mut Scene, name: &str, text: &str) {
    focus(scene, name);
    press(scene, Modifiers::COMMAND, Key::A);
    field_type(scene, text);
}

/// Presses a button as a screen reader does, so that it need not be in sight.
fn press_by_name(scene: &mut Scene, name: &str) {
    scene.window.get_by_label(name).click_accesskit();
    scene.settle();
}

/// What the window has sent to be saved, after Ctrl S.
fn saved(scene: &mut Scene) -> StudySave {
    scene.handle.asked();
    press(scene, Modifiers::COMMAND, Key::S);
    match &scene.handle.asked()[..] {
        [Asked::SaveStudy(save)] => save.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_template_a_title_and_a_folder_make_a_study() {
    let mut scene = scenes::home(plain());
    click(&mut scene, "New study …");
    assert!(says(&scene, "Give the study a title."));
    focus(&mut scene, "Title");
    field_type(&mut scene, "Ten pictures!");
    let Some(Dialog::NewStudy(draft)) = &scene.state().dialog else { panic!("the dialog") };
    assert_eq!(draft.name, "Tenpictures", "the name follows the title");
    focus(&mut scene, "Folder with your pictures (empty: examples)");
    field_type(&mut scene, "/home/lab/pictures");
    click(&mut scene, "Create");
    let asked = scene.handle.asked();
    let [Asked::CreateStudy(new)] = &asked[..] else { panic!("{asked:?}") };
    assert!(new.template.ends_with("templates/pictures"));
    assert_eq!((new.name.as_str(), new.title.as_str()), ("Tenpictures", "Ten pictures!"));
    assert_eq!(new.media.as_deref(), Some(std::path::Path::new("/home/lab/pictures")));

    // A failure keeps what was typed.
    let sentence = "/home/lab/pictures contains no pictures (jpg): choose another folder.".to_owned();
    scene.say(BackendEvent::Failed { during: Activity::EditStudy, sentence });
    assert!(says(&scene, "contains no pictures") && says(&scene, "New study"));
    scene.say(BackendEvent::StudyOpened(document()));
    assert!(scene.state().dialog.is_none() && scene.state().screen == Screen::Editor);
}

#[test]
fn the_folder_of_the_studies_is_named_and_opened() {
    let mut scene = scenes::home(plain());
    let folder = synthetic::library().studies_folder;
    assert!(says(&scene, &folder.display().to_string()));
    click(&mut scene, "Open the folder of studies");
    assert_eq!(scene.handle.asked(), [Asked::Folder(folder)]);
}

#[test]
fn form_and_text_stay_together_and_comments_stay() {
    let mut scene = edited();
    focus(&mut scene, "Title");
    field_type(&mut scene, " of cats");
    let save = saved(&mut scene);
    assert_eq!(save.was, TEXT);
    assert!(save.text.starts_with("# Our own.\n") && save.text.contains("# beside"), "{}", save.text);
    let study = Study::parse(&save.text).unwrap();
    assert!(study.title.contains("of cats"), "{}", study.title);
    scene.say(BackendEvent::StudySaved(StudyDocument { file: save.file, text: save.text }));
    assert!(says(&scene, "Saved."));
    click(&mut scene, "Text");
    assert!(scene.window.query_by_label("Text of study.toml").is_some());
}

#[test]
fn parts_are_added_and_the_course_shows_them() {
    let mut scene = edited();
    press_by_name(&mut scene, "No page: a film on another screen, a conversation, another program");
    press_by_name(&mut scene, "Add baseline");
    press_by_name(&mut scene, "Add phase");
    press_by_name(&mut scene, "Add marker");
    press_by_name(&mut scene, "Add questionnaire");
    press_by_name(&mut scene, "Add condition");
    press_by_name(&mut scene, "Add condition");
    let study = scene.state().editor.as_ref().unwrap().study.clone().unwrap();
    assert!(study.page.is_none() && study.phases.len() == 2 && study.conditions.len() == 2);
    assert!(study.assignment.seed > 0, "the order is random from the beginning");
    assert!(says(&scene, "Course of a session") && says(&scene, "figures: valence, arousal, dominance"));
    press_by_name(&mut scene, "Remove phase 1");
    assert_eq!(scene.state().editor.as_ref().unwrap().study.as_ref().unwrap().phases.len(), 1);
    press_by_name(&mut scene, "Remove condition 1");
    press_by_name(&mut scene, "Add condition");
    let study = Study::parse(&saved(&mut scene).text).unwrap();
    assert_eq!((study.markers.len(), study.conditions.len()), (1, 2), "the new condition has a name of its own");
}

#[test]
fn a_page_that_was_switched_off_comes_back_although_the_text_was_edited_meanwhile() {
    let mut scene = edited();
    press_by_name(&mut scene, "No page: a film on another screen, a conversation, another program");
    let without = scene.state().editor.as_ref().unwrap().text.clone();
    assert!(!without.contains("[page]"), "{without}");
    press_by_name(&mut scene, "Text");
    scene.window.get_by_label("Text of study.toml").focus();
    scene.settle();
    press(&mut scene, Modifiers::CTRL | Modifiers::COMMAND, Key::Home);
    field_type(&mut scene, "# For the pilot.\n");
    press_by_name(&mut scene, "Form");
    press_by_name(&mut scene, "A page: a folder, an HTML file or a URL");
    assert_eq!(saved(&mut scene).text, format!("# For the pilot.\n{TEXT}"));
}

#[test]
fn the_words_of_a_questionnaire_are_translated_in_the_form() {
    let mut scene = edited();
    press_by_name(&mut scene, "Add questionnaire");
    type_into(&mut scene, "Language, as in HTML (en, de, zh-Hant)", "de");
    assert!(says(&scene, "the questionnaire `questionnaire1` has no `text`"));
    type_into(&mut scene, "Instruction (empty: a neutral one)", "Wie geht es Ihnen?");
    for (name, word) in [
        ("Button that ends a questionnaire", "Weiter"),
        ("If one answer is missing", "Eine Antwort fehlt."),
        ("If several answers are missing", "{number} Antworten fehlen."),
        ("Row of figures: valence", "unangenehm bis angenehm"),
        ("Row of figures: arousal", "ruhig bis erregt"),
    ] {
        type_into(&mut scene, name, word);
    }
    assert!(says(&scene, "`questionnaire_texts.dominance_row` is missing"));
    type_into(&mut scene, "Row of figures: dominance", "ausgeliefert bis überlegen");
    assert!(says(&scene, "No problem found."));
    assert!(scene.window.query_by_label("Affect grid: above").is_none(), "this study has no grid");
    let StudySave { file, text, .. } = saved(&mut scene);
    scene.say(BackendEvent::StudySaved(StudyDocument { file, text: text.clone() }));
    assert!(text.contains("[questionnaire_texts]\n") && text.contains("# beside"), "{text}");
    assert_eq!(Study::parse(&text).unwrap().questionnaire_texts.get(QuestionnaireText::ContinueButton), "Weiter");
    // An empty field is the English word again.
    focus(&mut scene, "Row of figures: dominance");
    press(&mut scene, Modifiers::COMMAND, Key::A);
    press(&mut scene, Modifiers::NONE, Key::Delete);
    assert!(!saved(&mut scene).text.contains("dominance_row"));
}

#[test]
fn what_the_participant_reads_is_written_in_the_form() {
    let mut scene = edited();
    press_by_name(&mut scene, "The participant agrees on their own screen");
    assert!(says(&scene, "the participant cannot agree to an empty text"));
    press_by_name(&mut scene, "A button with which the participant can stop");
    press_by_name(&mut scene, "A page that crashed waits for the operator (otherwise it is loaded again at once)");
    for (name, text) in [
        ("Participant's button", "Ich stimme zu"),
        ("Label of a field for initials (empty: no field)", "Initialen"),
        ("Before the recording", "Bitte warten."),
        ("Its question", "Aufhören?"),
    ] {
        type_into(&mut scene, name, text);
    }
    let text = saved(&mut scene).text;
    let study = Study::unchecked(&text).unwrap();
    let (consent, participant) = (&study.consent, &study.participant);
    assert_eq!((consent.by, consent.button.as_str()), (ConsentBy::Participant, "Ich stimme zu"));
    assert_eq!((consent.initials.as_str(), participant.waiting.as_str()), ("Initialen", "Bitte warten."));
    assert_eq!((participant.withdraw, participant.withdraw_question.as_str()), (true, "Aufhören?"));
    assert_eq!(study.page.map(|page| page.on_crash), Some(OnCrash::Wait));
}

#[test]
fn a_mistake_is_reported_with_the_messages_of_the_file() {
    let mut scene = edited();
    assert_eq!(scene.handle.asked().last(), Some(&Asked::CheckStudy(document())), "also before the first change");
    focus(&mut scene, "Address");
    press(&mut scene, Modifiers::COMMAND, Key::A);
    press(&mut scene, Modifiers::NONE, Key::Delete);
    assert!(says(&scene, "line 6, column 1: `page.address` is empty"));
    scene.handle.asked();
    click(&mut scene, "Save and set up …");
    assert_eq!(scene.handle.asked(), [], "a study with a mistake is not set up");
    focus(&mut scene, "Address");
    field_type(&mut scene, "task");
    let asked = scene.handle.asked();
    let Some(Asked::CheckStudy(document)) = asked.last() else { panic!("{asked:?}") };
    let file = document.file.clone();
    let problems = vec!["the page `…/task` does not exist: correct `page.address` in the study file".to_owned()];
    scene.say(BackendEvent::StudyChecked { file: file.clone(), problems });
    assert!(says(&scene, "does not exist"));
    scene.say(BackendEvent::StudyChecked { file, problems: Vec::new() });
    assert!(says(&scene, "No problem found."));
}

#[test]
fn the_form_changes_no_value_that_nobody_touches() {
    let mut scene = scenes::home(plain());
    let text = "name = \"a\"\ntitle = \"A\"\nplanned_minutes = 0.2\n\n[camera]\nrate_hz = 300.0\n\n[[phases]]\nname = \"night\"\n\
                seconds = 100000.0\n\n[[questionnaires]]\nname = \"q\"\nkind = \"manikins\"\nitems = \"items.csv\"\n";
    scene.say(BackendEvent::StudyOpened(StudyDocument { text: text.into(), ..document() }));
    scene.settle();
    assert_eq!(scene.state().editor.as_ref().unwrap().text, text);
    assert!(says(&scene, "1 to 240 Hz"), "the mistake is reported and not repaired");
}

#[test]
fn a_text_that_is_no_study_is_corrected_as_text() {
    let mut scene = scenes::home(plain());
    let broken = StudyDocument { text: TEXT.replace("name =", "name"), ..document() };
    scene.say(BackendEvent::StudyOpened(broken));
    assert!(says(&scene, "line 2"));
    assert!(scene.window.query_by_label("Text of study.toml").is_some());
    click(&mut scene, "Form");
    assert!(says(&scene, "Correct the text first."));
}

#[test]
fn changes_are_not_lost_by_leaving() {
    let mut scene = edited();
    focus(&mut scene, "Title");
    field_type(&mut scene, "x");
    click(&mut scene, "Back to sessions");
    assert!(says(&scene, "The changes are not saved."));
    click(&mut scene, "Keep editing");
    click(&mut scene, "Back to sessions");
    click(&mut scene, "Leave without saving");
    assert_eq!(scene.state().screen, Screen::Home);
}

#[test]
fn a_saved_study_is_set_up_at_once() {
    let mut scene = edited();
    scene.handle.asked();
    click(&mut scene, "Save and set up …");
    let asked = scene.handle.asked();
    let [Asked::SaveStudy(save)] = &asked[..] else { panic!("{asked:?}") };
    let mut library = synthetic::library();
    let mut row = synthetic::study_row("tenpictures", "Ten pictures", "");
    row.file.clone_from(&save.file);
    let condition = |name: &str| StudyCondition { name: name.into(), description: String::new() };
    row.conditions = ConditionTable {
        conditions: vec![condition("calm"), condition("excited")],
        assignment: Default::default(),
        taken: vec![(ParticipantId::numbered(3), "excited".into())],
    };
    let proposed = row.conditions.proposed(&ParticipantId::numbered(15)).unwrap().to_owned();
    library.studies.push(row);
    scene.say(BackendEvent::Library(library));
    scene.say(BackendEvent::StudySaved(StudyDocument { file: save.file.clone(), text: save.text.clone() }));
    assert!(says(&scene, "Proposed by the study's random order."));
    click(&mut scene, "Set up");
    let asked = scene.handle.asked();
    let [Asked::Rehearse(plan)] = &asked[..] else { panic!("{asked:?}") };
    // Nobody has chosen it by hand: the recording draws it.
    let conditions = (plan.condition.clone(), plan.proposed.clone());
    assert_eq!((plan.study_file.clone(), conditions), (save.file.clone(), (None, Some(proposed))));
}

#[test]
fn a_condition_is_chosen_by_hand() {
    let mut scene = scenes::home(plain());
    let mut library = synthetic::library();
    let condition = |name: &str| StudyCondition { name: name.into(), description: String::new() };
    for row in &mut library.studies {
        row.conditions.conditions = vec![condition("calm"), condition("excited")];
    }
    let proposed = library.studies[0].conditions.proposed(&ParticipantId::numbered(15)).unwrap().to_owned();
    let other = if proposed == "calm" { "excited" } else { "calm" };
    scene.say(BackendEvent::Library(library));
    press(&mut scene, Modifiers::COMMAND, Key::N);
    click(&mut scene, "Condition");
    click(&mut scene, other);
    assert!(says(&scene, &format!("The random order proposes {proposed}. Both are stored.")));
    scene.handle.asked();
    click(&mut scene, "Set up");
    let asked = scene.handle.asked();
    assert!(matches!(&asked[..], [Asked::Rehearse(plan)] if plan.condition.as_deref() == Some(other)), "{asked:?}");
}

#[test]
fn a_shipped_study_is_copied_before_it_is_edited() {
    let mut scene = scenes::home(plain());
    click(&mut scene, "Study Demo: three pictures, 6 sessions");
    click(&mut scene, "Copy and edit …: Demo: three pictures");
    let Some(Dialog::NewStudy(draft)) = &scene.state().dialog else { panic!("the dialog") };
    assert!(draft.template.as_ref().unwrap().ends_with("demo/study.toml"));
    click(&mut scene, "Cancel");
    click(&mut scene, "Study Checkout redesign, 12 sessions");
    scene.handle.asked();
    click(&mut scene, "Edit study: Checkout redesign");
    assert!(matches!(&scene.handle.asked()[..], [Asked::ReadStudy(file)] if file.ends_with("checkout/study.toml")));
    click(&mut scene, "Open the folder of studies");
    assert!(matches!(&scene.handle.asked()[..], [Asked::Folder(folder)] if folder.ends_with("sessions/studies")));
}

#[test]
fn the_operator_sees_the_part_and_goes_on() {
    let mut scene = scenes::live(plain(), 30.0, false);
    let until = affectograph::session::Timestamp::from_secs_f64(95.0);
    let (number, name, until) = (3, "warm-up".into(), Some(until));
    scene.say(BackendEvent::Part(Some(SessionPart { number, name, until, is_last: false })));
    assert!(says(&scene, "warm-up 1:05 left"));
    scene.handle.asked();
    click(&mut scene, "Go on");
    assert!(scene.handle.asked().contains(&Asked::GoOn(3)));
    scene.say(BackendEvent::Part(None));
    assert!(scene.window.query_by_label("Go on").is_none());
}
