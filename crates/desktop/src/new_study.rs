//! The dialog for a new study: a template, a title and a name.

use eframe::egui;
use egui::{Margin, RichText, ScrollArea, Ui};

use super::command::{Command, EditorCommand};
use super::dialog_parts::{buttons, cancel, field, main_button, title, warning};
use super::port::{Library, TemplateRow};
use super::state::{NewStudyDraft, State};
use super::{enter_key, theme, widgets};

pub fn show(ui: &mut Ui, draft: &NewStudyDraft, state: &State, commands: &mut Vec<Command>) {
    title(ui, "New study");
    let Some(library) = &state.home.library else { return };
    let mut edited = draft.clone();
    widgets::caption(ui, "Template");
    // Title, name and buttons are below. In a small window, or with larger text, a part of them is seen, too.
    let height = (ui.ctx().content_rect().height() * 0.43).min(300.0);
    ScrollArea::vertical()
        .max_height(height)
        .auto_shrink([false, true])
        .show(ui, |ui| templates(ui, &mut edited, library));
    library.template_problems.iter().for_each(|problem| warning(ui, problem));
    ui.add_space(6.0);
    let response = field(ui, "Title", &mut edited.title, "Ten pictures");
    if draft.title.is_empty() && ui.memory(|m| m.focused()).is_none() {
        response.request_focus();
    }
    if field(ui, "Name (letters and digits, for folders)", &mut edited.name, "tenpictures").changed() {
        edited.is_own_name = true;
    }
    if let Some(media) = edited.chosen(&library.templates).and_then(|template| template.media) {
        let name = format!("Folder with your {media} (empty: examples)");
        field(ui, &name, &mut edited.media, "/path/to/folder");
        ui.add_space(2.0);
        if ui.add_enabled(!state.is_file_dialog_open, egui::Button::new("Choose folder …")).clicked() {
            commands.push(Command::Editor(EditorCommand::BrowseMedia));
        }
    }
    let request = edited.request();
    ui.add_space(4.0);
    match (&draft.problem, &request) {
        (Some(problem), _) => warning(ui, problem),
        (None, Err(sentence)) => {
            ui.add(egui::Label::new(RichText::new(sentence).small().weak()).wrap());
        }
        (None, Ok(request)) => {
            let folder = library.studies_folder.join(&request.name).display().to_string();
            let text = RichText::new(format!("It will be in {folder}")).small().weak();
            ui.add(egui::Label::new(text).truncate()).on_hover_text(&folder);
        }
    }
    let is_ready = request.is_ok() && !draft.is_creating;
    if edited != *draft {
        commands.push(Command::Editor(EditorCommand::EditNewStudy(NewStudyDraft { problem: None, ..edited })));
    }
    buttons(ui, |ui| {
        if main_button(ui, is_ready, "Create") {
            commands.push(Command::Editor(EditorCommand::Create));
        }
        cancel(ui, "Cancel", commands);
        if draft.is_creating {
            ui.spinner();
        }
    });
}

fn templates(ui: &mut Ui, draft: &mut NewStudyDraft, library: &Library) {
    ui.spacing_mut().item_spacing.y = 3.0;
    for TemplateRow { folder, title, description, .. } in &library.templates {
        if choice(ui, draft.template.as_ref() == Some(folder), title, description) {
            draft.template = Some(folder.clone());
        }
    }
    for study in library.studies.iter().filter(|s| s.problem.is_none()) {
        let title = format!("Copy of “{}”", study.title);
        if choice(ui, draft.template.as_ref() == Some(&study.file), &title, &study.description) {
            draft.template = Some(study.file.clone());
        }
    }
}

fn choice(ui: &mut Ui, is_chosen: bool, title: &str, description: &str) -> bool {
    let p = theme::palette(ui);
    let frame = egui::Frame::new().fill(if is_chosen { p.selected } else { p.card }).corner_radius(6.0);
    let frame = frame.inner_margin(Margin::symmetric(10, 5));
    frame
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            let response = ui.radio(is_chosen, title);
            enter_key::pass_on(&response);
            if !description.is_empty() {
                let text = RichText::new(description).small().weak();
                ui.add(egui::Label::new(text).wrap());
            }
            response.clicked()
        })
        .inner
}
