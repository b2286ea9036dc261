//! The lists of a study: phases, markers, questionnaires and conditions.

use eframe::egui;
use egui::{ComboBox, Margin, TextEdit, Ui};

use session::{Marker, Phase, PhaseKind, Questionnaire, QuestionnaireKind, QuestionnaireTime, Study, StudyCondition};

use super::editor_parts::{card, number, text};
use super::state::StudyEditor;
use super::widgets;

pub fn show(ui: &mut Ui, study: &mut Study, editor: &StudyEditor) {
    card(ui, "Phases", |ui| phases(ui, study));
    card(ui, "Marker keys of the operator", |ui| markers(ui, study));
    card(ui, "Questionnaires", |ui| questionnaires(ui, study, editor));
    card(ui, "Conditions", |ui| conditions(ui, study));
}

/// What a person wants with one row.
enum Change {
    Remove(usize),
    Up(usize),
}

fn apply<T>(list: &mut Vec<T>, change: Option<Change>) {
    match change {
        Some(Change::Remove(k)) if k < list.len() => drop(list.remove(k)),
        Some(Change::Up(k)) if (1..list.len()).contains(&k) => list.swap(k - 1, k),
        _ => {}
    }
}

fn row_buttons(ui: &mut Ui, what: &str, k: usize, change: &mut Option<Change>) {
    let up = ui.add_enabled(k > 0, egui::Button::new("Up").small());
    if up.accessible_name(format!("Move {what} {} up", k + 1)).clicked() {
        *change = Some(Change::Up(k));
    }
    let remove = widgets::small_button(ui, "Remove");
    if remove.accessible_name(format!("Remove {what} {}", k + 1)).clicked() {
        *change = Some(Change::Remove(k));
    }
}

fn cell(ui: &mut Ui, name: String, value: &mut String, width: f32, hint: &str) {
    let edit = TextEdit::singleline(value).hint_text(hint).desired_width(width).margin(Margin::symmetric(8, 4));
    ui.add(edit).accessible_name(name);
}

fn phases(ui: &mut Ui, study: &mut Study) {
    let mut change = None;
    for (k, phase) in study.phases.iter_mut().enumerate() {
        ui.horizontal(|ui| {
            cell(ui, format!("Phase {}", k + 1), &mut phase.name, 180.0, "name");
            let seconds = number(&mut phase.seconds, 0.0..=86_400.0).suffix(" s").max_decimals(1);
            ui.add(seconds).accessible_name(format!("Seconds of phase {}", k + 1));
            let mut is_baseline = phase.kind == PhaseKind::Baseline;
            if ui.checkbox(&mut is_baseline, "baseline with a cross").changed() {
                phase.kind = if is_baseline { PhaseKind::Baseline } else { PhaseKind::Task };
            }
            row_buttons(ui, "phase", k, &mut change);
        });
    }
    apply(&mut study.phases, change);
    ui.horizontal(|ui| {
        if widgets::small_button(ui, "Add baseline").clicked() {
            let at = study.phases.iter().filter(|p| p.kind == PhaseKind::Baseline).count();
            study.phases.insert(at, Phase { name: "baseline".into(), seconds: 60.0, kind: PhaseKind::Baseline });
        }
        if widgets::small_button(ui, "Add phase").clicked() {
            let name = format!("phase {}", study.phases.len() + 1);
            study.phases.push(Phase { name, seconds: 60.0, kind: PhaseKind::Task });
        }
    });
    if study.baseline_phases().next().is_some() {
        text(ui, "Sentence below the cross", &mut study.baseline_sentence, "");
    }
    let hint = match study.page {
        Some(_) => "The page times its own tasks. Their lengths inform the operator.",
        None => "The program times each phase and stores its beginning and end.",
    };
    widgets::caption(ui, hint);
}

fn markers(ui: &mut Ui, study: &mut Study) {
    let mut change = None;
    for (k, marker) in study.markers.iter_mut().enumerate() {
        ui.horizontal(|ui| {
            let mut key = marker.key.to_string();
            let edit = TextEdit::singleline(&mut key).desired_width(26.0).margin(Margin::symmetric(8, 4));
            if ui.add(edit).accessible_name(format!("Key of marker {}", k + 1)).changed() {
                // The key that was typed last.
                let typed = key.chars().filter(|c| *c != marker.key).chain(key.chars()).next();
                marker.key = typed.unwrap_or(marker.key);
            }
            cell(ui, format!("Marker {}", k + 1), &mut marker.label, 260.0, "label");
            row_buttons(ui, "marker", k, &mut change);
        });
    }
    apply(&mut study.markers, change);
    if widgets::small_button(ui, "Add marker").clicked() {
        let is_free = |key: &char| study.markers.iter().all(|m| !m.key.eq_ignore_ascii_case(key));
        let key = ('1'..='9').chain('a'..='z').find(is_free).unwrap_or('1');
        study.markers.push(Marker { key, label: String::new() });
    }
}

pub fn kind_label(kind: QuestionnaireKind) -> &'static str {
    match kind {
        QuestionnaireKind::Manikins => "figures: valence, arousal, dominance",
        QuestionnaireKind::AffectGrid => "affect grid",
        QuestionnaireKind::Items => "items from a table",
    }
}

fn questionnaires(ui: &mut Ui, study: &mut Study, editor: &StudyEditor) {
    let mut change = None;
    for (k, q) in study.questionnaires.iter_mut().enumerate() {
        ui.horizontal(|ui| {
            cell(ui, format!("Questionnaire {}", k + 1), &mut q.name, 140.0, "name");
            let kind_before = q.kind;
            let combo = ComboBox::from_id_salt(("kind", k)).selected_text(kind_label(q.kind)).width(220.0);
            let combo = combo.show_ui(ui, |ui| {
                for kind in QuestionnaireKind::ALL {
                    ui.selectable_value(&mut q.kind, kind, kind_label(kind));
                }
            });
            combo.response.accessible_name(format!("Kind of questionnaire {}", k + 1));
            if q.kind != kind_before {
                q.items = if q.kind == QuestionnaireKind::Items { editor.last_items(&q.name) } else { String::new() };
            }
            let mut is_before = q.when == QuestionnaireTime::Before;
            if ui.checkbox(&mut is_before, "before").on_hover_text("Before the page; otherwise after it").changed() {
                q.when = if is_before { QuestionnaireTime::Before } else { QuestionnaireTime::After };
            }
            row_buttons(ui, "questionnaire", k, &mut change);
        });
        // A table that the kind does not use is shown, too: it is a mistake in the file.
        if q.kind == QuestionnaireKind::Items || !q.items.is_empty() {
            text(ui, "Table of items, beside the study file", &mut q.items, "items.csv");
        }
        text(ui, "Instruction (empty: a neutral one)", &mut q.text, "How do you feel right now?");
        ui.add_space(6.0);
    }
    apply(&mut study.questionnaires, change);
    if widgets::small_button(ui, "Add questionnaire").clicked() {
        let name = free_name("questionnaire", study.questionnaires.iter().map(|q| &q.name));
        let (kind, when) = (QuestionnaireKind::Manikins, QuestionnaireTime::After);
        study.questionnaires.push(Questionnaire { name, kind, when, text: String::new(), items: String::new() });
    }
}

fn conditions(ui: &mut Ui, study: &mut Study) {
    let mut change = None;
    for (k, condition) in study.conditions.iter_mut().enumerate() {
        ui.horizontal(|ui| {
            cell(ui, format!("Condition {}", k + 1), &mut condition.name, 140.0, "name");
            cell(ui, format!("Description of condition {}", k + 1), &mut condition.description, 260.0, "description");
            row_buttons(ui, "condition", k, &mut change);
        });
    }
    apply(&mut study.conditions, change);
    if widgets::small_button(ui, "Add condition").clicked() {
        if study.conditions.is_empty() && study.assignment.seed == 0 {
            study.assignment.seed = random_seed();
        }
        let name = free_name("condition", study.conditions.iter().map(|c| &c.name));
        study.conditions.push(StudyCondition { name, description: String::new() });
    }
    if study.conditions.is_empty() {
        widgets::caption(ui, "With conditions, each participant gets one: balanced, random, and shown in New session.");
        return;
    }
    ui.horizontal(|ui| {
        let label = widgets::caption(ui, "Seed of the random order");
        ui.add(number(&mut study.assignment.seed, 0..=i64::MAX as u64)).labelled_by(label.id);
        let label = widgets::caption(ui, "Each condition in a block");
        let mut repeats = study.assignment.repeats();
        if ui.add(number(&mut repeats, 1..=100).suffix(" ×")).labelled_by(label.id).changed() {
            study.assignment.block_repeats = Some(repeats);
        }
    });
    widgets::caption(
        ui,
        "The page gets the condition as `affectograph.condition`. The operator can choose another one.",
    );
}

/// The word with the first number that no other name has.
fn free_name<'a>(word: &str, taken: impl Iterator<Item = &'a String> + Clone) -> String {
    let is_free = |name: &String| taken.clone().all(|other| other != name);
    (1u32..).map(|k| format!("{word}{k}")).find(is_free).unwrap_or_default()
}

/// Different for each study; six digits, so that people can read it.
fn random_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos()) % 900_000 + 100_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_is_free_although_an_earlier_one_was_removed() {
        let names = ["condition2".to_owned(), "condition1 old".to_owned()];
        assert_eq!(free_name("condition", names.iter()), "condition1");
        let names = ["condition1".to_owned(), "condition2".to_owned()];
        assert_eq!(free_name("condition", names.iter()), "condition3");
    }
}
