//! Asking a study, annotating and rating, by accessible names.

use affectograph::desktop::Screen;
use affectograph::desktop::port::*;
use affectograph::session::*;
use eframe::egui;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;

use super::fake::Asked;
use super::scenes::{self, Scene};
use super::synthetic::{self, Script};
use super::{click, field_type, plain, press, says};

#[test]
fn a_study_is_asked_by_a_form_that_says_how_many_match() {
    let mut scene = scenes::study_screen(plain());
    assert_eq!(scene.state().screen, Screen::Study);
    let asked = scene.handle.asked();
    assert!(asked.iter().any(|a| matches!(a, Asked::LookThrough(folders) if folders.len() == 11)), "{asked:?}");
    assert!(says(&scene, "Choose the events to average."), "what is missing is said");
    assert!(says(&scene, "11 sessions, 1 more cannot be opened"));
    scenes::choose(&mut scene, "Kind", "page  click   412");
    assert!(says(&scene, "154 events match, in 11 sessions"));
    scene.window.get_by_label("Target: values that occur").click();
    scene.settle();
    click(&mut scene, "button#buy   96");
    scenes::count(&mut scene, 0);
    assert!(says(&scene, "no event matches"));
    assert!(says(&scene, "No event matches condition A."));
    scene.window.get_by_label("Average").click();
    scene.settle();
    assert_eq!(scene.handle.asked(), [], "nothing to average");
}

#[test]
fn a_question_runs_with_progress_and_can_be_taken_back() {
    let mut scene = scenes::study_screen(plain());
    scenes::choose(&mut scene, "Kind", "page  click   412");
    press(&mut scene, Modifiers::COMMAND, Key::Enter);
    assert!(matches!(&scene.handle.asked()[..], [Asked::Ask(q)] if q.sessions.len() == 11 && q.events.len() == 1));
    scene.say(BackendEvent::StudyQueryProgress { done: 4, of: 11 });
    assert!(says(&scene, "4 of 11 sessions") || says(&scene, "Reading session 5 of 11"));
    click(&mut scene, "Cancel");
    assert_eq!(scene.handle.asked(), [Asked::Cancel]);
    scene.say(BackendEvent::StudyQueryCancelled);
    assert!(scene.window.query_by_label("Average").is_some());
    press(&mut scene, Modifiers::COMMAND, Key::Enter);
    let sentence = "The sessions hold no guided baseline phase: count from the seconds before the event.".to_owned();
    scene.say(BackendEvent::Failed { during: Activity::StudyQuery, sentence });
    assert!(says(&scene, "no guided baseline phase"));
}

#[test]
fn epochs_are_chosen_by_keyboard_and_shown_on_video() {
    let mut scene = scenes::averaged(plain());
    assert!(says(&scene, "132 epochs of 11 participants, 9 left out (face missing 6"));
    press(&mut scene, Modifiers::NONE, Key::ArrowDown);
    press(&mut scene, Modifiers::NONE, Key::ArrowDown);
    assert_eq!(scene.state().study.as_ref().unwrap().epoch, Some((0, 1)));
    press(&mut scene, Modifiers::NONE, Key::Enter);
    let epoch = scene.state().study.as_ref().unwrap().selected_epoch().unwrap().clone();
    assert_eq!(scene.handle.asked(), [Asked::Open(epoch.session)]);
    let row = synthetic::session_row(1, 1, "checkout", 0, 5.0);
    scene.say(BackendEvent::SessionOpened(Box::new(synthetic::opened(&Script::of(300.0), row, false))));
    let review = scene.state().review.as_ref().unwrap();
    assert_eq!(review.playhead.at, epoch.at);
    assert!((review.window.width_s() - 20.0).abs() < 1e-6);
    click(&mut scene, "Study");
    assert_eq!(scene.state().screen, Screen::Study);
    assert!(scene.state().study.as_ref().unwrap().result.is_some(), "the result is still there");
}

#[test]
fn a_click_on_an_epoch_opens_its_moment() {
    let mut scene = scenes::averaged(plain());
    let plot = scene.window.get_by_label_contains("Average valence around the event").rect();
    // Somewhere on the response's plateau an epoch passes.
    let mut opened = Vec::new();
    for k in 0..40 {
        let at = egui::pos2(plot.left() + plot.width() * 0.55, plot.top() + plot.height() * (0.1 + 0.02 * k as f32));
        scene.window.hover_at(at);
        scene.window.run_steps(2);
        scene.window.drag_at(at);
        scene.window.drop_at(at);
        scene.settle();
        opened = scene.handle.asked();
        if !opened.is_empty() {
            break;
        }
    }
    assert!(matches!(&opened[..], [Asked::Open(_)]), "{opened:?}");
}

#[test]
fn what_is_shown_is_exported() {
    let mut scene = scenes::averaged(plain());
    click(&mut scene, "Export");
    click(&mut scene, "Tables as CSV …");
    assert!(says(&scene, "Export averages"));
    scene.window.get_all_by_label("Export").last().unwrap().click();
    scene.settle();
    let asked = scene.handle.asked();
    let [Asked::ExportAnswer(order)] = &asked[..] else { panic!("{asked:?}") };
    assert!(order.to.ends_with("export/checkout/averages"));
    scene.say(BackendEvent::ExportFinished { to: order.to.clone() });
    assert!(says(&scene, "Exported to"));
}

#[test]
fn sessions_are_left_out_and_outdated_answers_say_so() {
    let mut scene = scenes::averaged(plain());
    click(&mut scene, "Include sub-01 ses-01");
    let asked = scene.handle.asked();
    assert!(
        matches!(&asked[..], [Asked::Count(forms, folders)] if forms.len() == 2 && folders.len() == 10),
        "{asked:?}"
    );
    assert!(scene.window.query_by_label("Average again").is_some());
    assert!(says(&scene, "The plot shows the previous query."));
}

#[test]
fn all_like_this_event_becomes_the_question() {
    let mut scene = scenes::review(plain(), &Script::of(60.0), false);
    press(&mut scene, Modifiers::NONE, Key::N);
    let event = scene.state().review.as_ref().unwrap().event_at_playhead().unwrap().clone();
    scene.handle.asked();
    press(&mut scene, Modifiers::NONE, Key::A);
    assert_eq!(scene.state().screen, Screen::Study);
    let studied = scene.state().study.as_ref().unwrap();
    assert_eq!(studied.form.events[0], EventForm::like(&event));
    assert_eq!(studied.name, "demo");
    let asked = scene.handle.asked();
    assert!(asked.contains(&Asked::CloseSession), "{asked:?}");
    assert!(asked.iter().any(|a| matches!(a, Asked::Count(forms, _) if forms.len() == 1)), "{asked:?}");
}

/// Answers what was asked to be added as the store would.
fn store(scene: &mut Scene, next_seq: &mut u64) -> Vec<NewRecords> {
    let asked = scene.handle.asked();
    store_all(scene, asked, next_seq)
}

fn store_all(scene: &mut Scene, asked: Vec<Asked>, next_seq: &mut u64) -> Vec<NewRecords> {
    let mut additions = Vec::new();
    for asked in asked {
        let Asked::Add(addition) = asked else { continue };
        let info = match addition.stream {
            AddedStream::Annotation => annotation_stream(),
            AddedStream::Rating { .. } => rating_stream(),
        };
        let stream = std::sync::Arc::new(info.name.clone());
        let records = addition
            .bodies
            .iter()
            .map(|(at, body)| {
                *next_seq += 1;
                Record { stream: stream.clone(), seq: *next_seq - 1, at: *at, body: body.clone() }
            })
            .collect();
        scene.say(BackendEvent::RecordsAdded(AddedRecords { stream: info, author: addition.author.clone(), records }));
        additions.push(addition);
    }
    additions
}

fn standing(scene: &Scene) -> Vec<(String, Option<f64>)> {
    let review = scene.state().review.as_ref().unwrap();
    let told = |a: &Annotation| (a.label.clone(), a.until.map(|until| until.as_secs_f64() - a.from.as_secs_f64()));
    review.annotations.current().iter().map(told).collect()
}

#[test]
fn annotations_are_made_taken_back_and_brought_back_by_keyboard() {
    let mut seq = 0;
    let mut scene = scenes::review(plain(), &Script::of(60.0), false);
    press(&mut scene, Modifiers::NONE, Key::Num1);
    assert!(says(&scene, "Write your name or initials"), "nobody's word is stored");
    assert!(store(&mut scene, &mut seq).is_empty());
    scene.window.get_by_role_and_label(egui::accesskit::Role::TextInput, "Coded by").focus();
    scene.settle();
    field_type(&mut scene, "ann");
    press(&mut scene, Modifiers::NONE, Key::Enter);
    scene.window.key_press(Key::Escape);
    scene.settle();

    press(&mut scene, Modifiers::NONE, Key::Num2);
    let added = store(&mut scene, &mut seq);
    assert_eq!((added[0].author.as_str(), added[0].stream), ("ann", AddedStream::Annotation));
    press(&mut scene, Modifiers::COMMAND, Key::Num1);
    assert!(store(&mut scene, &mut seq).is_empty(), "a range has two ends");
    press(&mut scene, Modifiers::SHIFT, Key::ArrowRight);
    press(&mut scene, Modifiers::COMMAND, Key::Num1);
    store(&mut scene, &mut seq);
    let all = standing(&scene);
    assert_eq!(all.iter().map(|a| a.0.as_str()).collect::<Vec<_>>(), ["frown", "smile"]);
    assert!((all[1].1.unwrap() - 1.0).abs() < 1e-6);
    press(&mut scene, Modifiers::COMMAND, Key::Z);
    store(&mut scene, &mut seq);
    assert_eq!(standing(&scene).len(), 1);
    press(&mut scene, Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    store(&mut scene, &mut seq);
    assert_eq!(standing(&scene), all);
    press(&mut scene, Modifiers::NONE, Key::Delete);
    store(&mut scene, &mut seq);
    assert_eq!(standing(&scene).len(), 1, "the selected one is taken back");
    let events = scene.state().review.as_ref().unwrap().log.timeline().events();
    assert_eq!(events.iter().filter(|e| e.stream.as_str() == ANNOTATION).count(), 5, "nothing was deleted");
}

#[test]
fn two_people_who_coded_are_compared() {
    let mut scene = scenes::review(plain(), &Script::of(60.0), false);
    let stream = std::sync::Arc::new(annotation_stream().name);
    let made = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let at = Timestamp::from_secs_f64;
    let range = |id, author: &str, from: f64, until: f64| Annotation {
        id,
        label: "smile".into(),
        from: at(from),
        until: Some(at(until)),
        author: author.into(),
        made_utc: made,
    };
    let records = [range(0, "ann", 10.0, 20.0), range(1, "bob", 11.0, 20.0)]
        .iter()
        .map(|a| Record { stream: stream.clone(), seq: a.id, at: a.from, body: a.body() })
        .collect();
    scene.say(BackendEvent::RecordsAdded(AddedRecords { stream: annotation_stream(), author: "ann".into(), records }));
    click(&mut scene, "Annotate");
    assert!(says(&scene, "ann and bob: κ = +0.9"));
    click(&mut scene, &format!("{} smile, 10.0 s, by ann", at(10.0)));
    assert_eq!(scene.state().review.as_ref().unwrap().playhead.at, at(10.0));
}

#[test]
fn a_rating_follows_the_session_and_is_stored_as_it_is_made() {
    let mut seq = 0;
    let mut scene = scenes::review(plain().with_step_dt(0.05), &Script::of(60.0), false);
    click(&mut scene, "Rate");
    scene.window.get_by_role_and_label(egui::accesskit::Role::TextInput, "Rated by").focus();
    scene.settle();
    field_type(&mut scene, "sub-14");
    scene.window.key_press(Key::Escape);
    scene.settle();
    scene.handle.asked();
    press(&mut scene, Modifiers::NONE, Key::R);
    assert!(scene.handle.asked().contains(&Asked::Gamepad(true)));
    assert!(scene.state().review.as_ref().unwrap().is_playing());
    (0..4).for_each(|_| press(&mut scene, Modifiers::NONE, Key::ArrowRight));
    press(&mut scene, Modifiers::NONE, Key::ArrowDown);
    let held = scene.state().review.as_ref().unwrap().ratings.running.as_ref().unwrap().position;
    assert!((held[0] - 0.2).abs() < 1e-6 && (held[1] + 0.05).abs() < 1e-6, "{held:?}");
    scene.say(BackendEvent::GamepadStick { x: -0.5, y: 0.25 });
    scene.window.run_steps(40);
    press(&mut scene, Modifiers::NONE, Key::Escape);
    let asked = scene.handle.asked();
    let mut rated: Vec<f32> = Vec::new();
    for addition in asked.iter().filter_map(|a| if let Asked::Add(a) = a { Some(a) } else { None }) {
        assert_eq!((addition.stream, addition.author.as_str()), (AddedStream::Rating { pass: 1 }, "sub-14"));
        rated.extend(
            addition.bodies.iter().map(|(_, b)| if let Body::Sample { values, .. } = b { values[0] } else { 9.0 }),
        );
    }
    assert!(rated.len() > 40, "{}", rated.len());
    assert!(rated.contains(&-0.5) && rated.iter().all(|v| v.abs() <= 1.0));
    assert!(asked.contains(&Asked::CompareRating(1)) && asked.contains(&Asked::Gamepad(false)), "{asked:?}");
    store_all(&mut scene, asked, &mut seq);
    let found = affectograph::analysis::Agreement {
        ccc: 0.61,
        correlation: 0.72,
        delay: Some(affectograph::analysis::Delay { lag_s: 1.4, ccc: 0.7, correlation: 0.81 }),
        pairs: 500,
    };
    let fields = [Ok(found), Err("The rating does not vary.".to_owned())];
    scene.say(BackendEvent::Agreement(Agreement { pass: 1, author: "sub-14".into(), fields }));
    assert!(says(&scene, "+0.61") && says(&scene, "+1.4 s") && says(&scene, "does not vary"));
}

/// A rating that overlaps with the network too shortly has no lag.
#[test]
fn a_lag_is_given_only_with_enough_overlap_and_the_rater_is_named() {
    let mut scene = scenes::review(plain(), &Script::of(754.0), false);
    scenes::rated(&mut scene);
    assert!(says(&scene, "Pass 1, rated by sub-14") && says(&scene, "+1.4 s") && !says(&scene, "No lag"));
    let short = affectograph::analysis::Agreement { ccc: 0.5, correlation: 0.6, delay: None, pairs: 60 };
    let fields = [Ok(short.clone()), Ok(short)];
    scene.say(BackendEvent::Agreement(Agreement { pass: 1, author: String::new(), fields }));
    assert!(says(&scene, "Pass 1, rater not named") && !says(&scene, "+1.4 s"));
    assert!(says(&scene, "No lag: rating and network overlap for less than"));
}

#[test]
fn values_are_counted_from_the_baseline_and_poor_quality_is_shaded() {
    let mut scene = scenes::review(plain(), &Script::of(60.0), false);
    click(&mut scene, "Values: raw");
    click(&mut scene, "z-scored");
    assert!(scene.window.query_by_label("Values: z-scored").is_some());
    press(&mut scene, Modifiers::NONE, Key::Q);
    assert!(scene.state().review.as_ref().unwrap().shades_poor);
}
