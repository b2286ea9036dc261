//! Every number explains itself: on hover, and in the help.

use eframe::egui;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;

use super::scenes::{self, Scene};
use super::synthetic::Script;
use super::{click, plain, press, says};

/// Rests the pointer on the last thing with this name. Its tooltip has this part of a sentence.
fn explains(scene: &mut Scene, name: &str, part: &str) {
    assert!(!says(scene, part), "“{part}” is on the screen without a pointer");
    let at = match scene.window.query_all_by_label_contains(name).last() {
        Some(node) => node.rect().center(),
        None => panic!("nothing is called “{name}”"),
    };
    scene.window.hover_at(at);
    scene.window.run_steps(8);
    assert!(says(scene, part), "the pointer rests on “{name}”, and “{part}” is not shown");
    scene.window.remove_cursor();
    scene.window.run_steps(8);
}

#[test]
fn numbers_of_a_recording_explain_themselves_on_hover() {
    let mut scene = scenes::live(plain(), 120.0, false);
    for (name, part) in [
        ("What valence means", "How pleasant the face looks"),
        ("What arousal means", "How excited the face looks"),
        ("What valence means", "The certainty of the network"),
        ("Affect plane", "Valence to the right and arousal up"),
        ("Expressions", "The network's certainty for each of eight expressions"),
        ("camera 30.0 fps", "Frames that the camera delivered"),
        ("stored 3,600", "Frames in the video file"),
        ("skipped 29", "Frames that were not scored live"),
        ("lost 0", "cannot be recovered"),
        ("inference 2.8 ms", "Time that the networks need"),
        ("queue 4 %", "How full the fullest queue"),
        ("disk left", "Free space on the disk"),
        ("keyboard you", "Who receives the keys"),
    ] {
        explains(&mut scene, name, part);
    }
}

#[test]
fn numbers_of_the_list_and_of_a_review_explain_themselves_on_hover() {
    let mut scene = scenes::home(plain());
    explains(&mut scene, "Sort by quality", "The quality of the recording, from A to F");
    let mut scene = scenes::review(plain(), &Script::of(60.0), false);
    explains(&mut scene, "What valence means", "How pleasant the face looks");
    explains(&mut scene, "Values: raw", "own mean in the guided baseline");
    click(&mut scene, "Quality");
    for (name, part) in [
        ("Quality: B", "B: up to 0.1 % of the frames lost"),
        ("Quality: B", "The quality of the recording, from A to F"),
        ("Frames expected", "The camera's rate times the time"),
        ("Largest gap", "The longest stretch without a stored frame"),
        ("no face in the picture", "The longest stretch without a stored frame"),
        ("Time with a face", "in which a face was found"),
        ("Page clock uncertainty", "The largest possible error"),
    ] {
        explains(&mut scene, name, part);
    }
}

#[test]
fn numbers_of_a_study_and_of_people_explain_themselves_on_hover() {
    let mut scene = scenes::averaged(plain());
    explains(&mut scene, "What the average of valence means", "Each participant counts once");
    click(&mut scene, "Figures");
    for (name, part) in [
        ("Epochs averaged", "that were averaged"),
        ("Left out", "Epochs that were not averaged"),
        ("Difference after the event", "The mean difference of A and B"),
        ("95 % interval", "would contain the true difference"),
        ("Cohen's d", "By convention 0.2 is small"),
        ("Clusters and p", "tested together"),
    ] {
        explains(&mut scene, name, part);
    }
    let mut scene = scenes::review(plain(), &Script::of(754.0), false);
    scenes::rated(&mut scene);
    for (name, part) in [
        ("CCC", "Concordance correlation coefficient"),
        ("+0.72", "Pearson's correlation"),
        ("+1.4 s", "The delay of the rating with the highest correlation"),
    ] {
        explains(&mut scene, name, part);
    }
    let mut scene = scenes::review(plain(), &Script::of(754.0), false);
    scenes::annotate(&mut scene);
    explains(&mut scene, "κ = ", "corrected for chance");
}

#[test]
fn the_help_explains_every_number() {
    let mut scene = scenes::home(plain());
    press(&mut scene, Modifiers::NONE, Key::F1);
    assert!(says(&scene, "What the numbers mean"));
    for part in [
        "How pleasant the face looks",
        "How excited the face looks",
        "plus and minus one standard deviation",
        "The quality of the recording, from A to F",
        "The longest stretch without a stored frame",
        "corrected for chance",
        "The delay of the rating",
        "Cluster",
    ] {
        assert!(says(&scene, part), "“{part}” is not in the help");
    }
}
