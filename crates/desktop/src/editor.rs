//! The screen of the study editor: the form or the text on the left, the course and the file on the right.

use eframe::egui;
use egui::{Align, Frame, Layout, Margin, Panel, RichText, ScrollArea, Ui};

use session::{ConsentBy, PhaseKind, QuestionnaireTime, Study};

use super::command::{Command, EditorCommand};
use super::state::{AfterSave, EditorTab, State, StudyEditor};
use super::{editor_form, editor_lists, editor_texts, screen_layout, theme, widgets};

pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(editor) = &state.editor else { return };
    let p = theme::palette(ui);
    screen_layout::top_bar(ui, state, commands, |ui, commands| {
        ui.label(RichText::new(editor.title()).size(17.0).color(p.strong));
        ui.add_space(6.0);
        for (tab, name) in [(EditorTab::Form, "Form"), (EditorTab::Text, "Text")] {
            if ui.selectable_label(editor.tab == tab, name).clicked() {
                commands.push(Command::Editor(EditorCommand::ShowTab(tab)));
            }
        }
    });
    let bar = theme::bar(&p).inner_margin(Margin::symmetric(16, 12));
    Panel::bottom("editor bar").frame(bar).show(ui, |ui| save_bar(ui, editor, commands));
    screen_layout::between_bars(ui, |ui| body(ui, editor, state, commands));
}

fn body(ui: &mut Ui, editor: &StudyEditor, state: &State, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let side = Frame::new().fill(p.ground).inner_margin(Margin { left: 4, right: 16, top: 12, bottom: 12 });
    let width = (ui.available_width() * 0.36).clamp(280.0, 520.0);
    Panel::right("preview").frame(side).resizable(false).show_separator_line(false).exact_size(width).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            if let Some(study) = &editor.study {
                course(ui, study);
                ui.add_space(10.0);
            }
            file(ui, editor, commands);
        });
    });
    let middle = Frame::new().fill(p.ground).inner_margin(Margin { left: 16, right: 8, top: 12, bottom: 12 });
    egui::CentralPanel::default_margins().frame(middle).show(ui, |ui| match (editor.tab, &editor.study) {
        (EditorTab::Form, Some(study)) => {
            let mut edited = study.clone();
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                editor_form::show(ui, &mut edited, state, commands);
                editor_lists::show(ui, &mut edited, editor);
                editor_texts::show(ui, &mut edited);
            });
            if edited != *study {
                commands.push(Command::Editor(EditorCommand::SetStudy(Box::new(edited))));
            }
        }
        (EditorTab::Form, None) => {
            let message = "The text is not a study file, so there is no form. Correct the text first.";
            widgets::placeholder(ui, ui.available_rect_before_wrap(), message);
        }
        (EditorTab::Text, _) => text(ui, editor, commands),
    });
}

fn text(ui: &mut Ui, editor: &StudyEditor, commands: &mut Vec<Command>) {
    let mut text = editor.text.clone();
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let field = egui::TextEdit::multiline(&mut text)
            .code_editor()
            .desired_width(f32::INFINITY)
            .desired_rows(30)
            .margin(Margin::symmetric(12, 10));
        if ui.add(field).accessible_name("Text of study.toml").changed() {
            commands.push(Command::Editor(EditorCommand::SetText(text)));
        }
    });
}

fn save_bar(ui: &mut Ui, editor: &StudyEditor, commands: &mut Vec<Command>) {
    let command = |command: EditorCommand| Command::Editor(command);
    let is_narrow = ui.available_width() < screen_layout::WIDE;
    ui.horizontal(|ui| {
        if editor.is_leaving {
            ui.label("The changes are not saved.");
            if ui.button("Leave without saving").clicked() {
                commands.push(command(EditorCommand::LeaveUnsaved));
            }
            if ui.button("Keep editing").clicked() {
                commands.push(command(EditorCommand::KeepEditing));
            }
            if is_narrow {
                return;
            }
        } else if ui.button("Back to sessions").clicked() {
            commands.push(command(EditorCommand::Leave));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let is_free = editor.saving.is_none();
            let problem = editor.problems().next();
            let button = widgets::primary(ui, is_free && problem.is_none(), "Save and set up …");
            if button.on_hover_text("Save, then prepare a session of this study").clicked() {
                commands.push(command(EditorCommand::Save(AfterSave::SetUp)));
            }
            let save = ui.add_enabled(is_free && editor.is_changed(), egui::Button::new("Save"));
            if save.on_hover_text("Ctrl S").clicked() {
                commands.push(command(EditorCommand::Save(AfterSave::Stay)));
            }
            let (message, is_problem) = match (problem, editor.is_changed()) {
                (Some(problem), _) => (problem.clone(), true),
                (None, true) => ("No problem found. Not saved yet.".to_owned(), false),
                (None, false) => ("Saved.".to_owned(), false),
            };
            let p = theme::palette(ui);
            let shown = RichText::new(&message).color(if is_problem { p.strong } else { p.weak });
            ui.add(egui::Label::new(shown).truncate()).on_hover_text(&message);
            if is_problem {
                let (sign, _) = ui.allocate_exact_size(egui::vec2(16.0, 16.0), egui::Sense::hover());
                widgets::warning_sign(ui.painter(), sign.center(), 6.5);
            }
        });
    });
}

/// The parts of a session in their order.
fn course(ui: &mut Ui, study: &Study) {
    let p = theme::palette(ui);
    theme::card(&p).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        widgets::section(ui, "Course of a session");
        ui.add_space(4.0);
        for (k, (name, detail)) in parts(study).into_iter().enumerate() {
            ui.horizontal(|ui| {
                ui.label(RichText::new(format!("{}", k + 1)).monospace().color(p.accent));
                ui.label(RichText::new(name).color(p.strong));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| widgets::caption(ui, detail));
            });
        }
    });
}

fn parts(study: &Study) -> Vec<(String, String)> {
    let seconds = |s: f64| format!("{s:.0} s");
    let asked = |when: QuestionnaireTime| {
        study.questionnaires_at(when).map(|q| (q.name.clone(), editor_lists::kind_label(q.kind).to_owned()))
    };
    let mut parts = Vec::new();
    if study.consent.required {
        let by = match study.consent.by {
            ConsentBy::Operator => "confirmed by the operator",
            ConsentBy::Participant => "given on the participant's screen",
        };
        parts.push(("Consent".to_owned(), by.to_owned()));
    }
    parts.extend(study.baseline_phases().map(|p| (p.name.clone(), format!("cross, {}", seconds(p.seconds)))));
    parts.extend(asked(QuestionnaireTime::Before));
    match &study.page {
        Some(page) => {
            parts.push(("Page".to_owned(), page.address.clone()));
            let tasks = study.phases.iter().filter(|p| p.kind == PhaseKind::Task);
            parts.extend(tasks.map(|p| (format!("    {}", p.name), format!("about {}", seconds(p.seconds)))));
        }
        None => parts.extend(study.timed_phases().map(|p| (p.name.clone(), seconds(p.seconds)))),
    }
    parts.extend(asked(QuestionnaireTime::After));
    if parts.is_empty() || study.page.is_none() && study.timed_phases().next().is_none() {
        parts.push(("Recording".to_owned(), "until it is stopped".to_owned()));
    }
    parts
}

fn file(ui: &mut Ui, editor: &StudyEditor, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    theme::card(&p).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        widgets::section(ui, "study.toml");
        let path = editor.file.display().to_string();
        ui.add(egui::Label::new(RichText::new(&path).small().weak()).truncate()).on_hover_text(&path);
        for problem in editor.problems() {
            ui.add_space(4.0);
            ui.horizontal_top(|ui| {
                let (sign, _) = ui.allocate_exact_size(egui::vec2(16.0, 16.0), egui::Sense::hover());
                widgets::warning_sign(ui.painter(), sign.center(), 6.5);
                ui.add(egui::Label::new(RichText::new(problem).size(13.0)).wrap());
            });
        }
        if let Some(folder) = editor.file.parent()
            && widgets::small_button(ui, "Open folder").clicked()
        {
            commands.push(Command::Editor(EditorCommand::OpenFolder(folder.to_owned())));
        }
        if editor.tab == EditorTab::Form {
            ui.add_space(6.0);
            ui.add(egui::Label::new(RichText::new(&editor.text).monospace().size(11.5).color(p.weak)).wrap());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_course_says_who_gives_consent() {
        let of = |by: &str| {
            let text =
                format!("name = \"a\"\ntitle = \"A\"\n[consent]\nrequired = true\nby = \"{by}\"\ntext = \"Yes?\"\n");
            parts(&Study::parse(&text).unwrap()).remove(0).1
        };
        assert_eq!(of("operator"), "confirmed by the operator");
        assert_eq!(of("participant"), "given on the participant's screen");
    }
}
