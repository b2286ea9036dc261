//! The form of a study: title, consent, page, camera and labels.

use eframe::egui;
use egui::{ComboBox, DragValue, Margin, TextEdit, Ui};

use session::{PagePlacement, PageSettings, Study};

use super::command::{Command, EditorCommand};
use super::editor_parts::{card, lines, number, text};
use super::state::{State, StudyEditor};
use super::{editor_texts, widgets};

pub fn show(ui: &mut Ui, study: &mut Study, state: &State, commands: &mut Vec<Command>) {
    card(ui, "Study", |ui| about(ui, study));
    card(ui, "Consent", |ui| consent(ui, study));
    card(ui, "Page", |ui| page(ui, study, state, commands));
    card(ui, "Camera", |ui| camera(ui, study, state));
    card(ui, "Labels for the annotation of a session", |ui| labels(ui, study));
}

fn about(ui: &mut Ui, study: &mut Study) {
    ui.columns(2, |columns| {
        text(&mut columns[0], "Title", &mut study.title, "");
        text(&mut columns[1], "Name (letters and digits; fixed once there are sessions)", &mut study.name, "");
    });
    lines(ui, "Description", &mut study.description, 2, "For the lists and for exports.");
    ui.horizontal(|ui| {
        let label = widgets::caption(ui, "Planned minutes, for the check of free disk space");
        let drag = number(&mut study.planned_minutes, 0.5..=1440.0).speed(0.5).max_decimals(1);
        ui.add(drag).labelled_by(label.id);
    });
}

fn consent(ui: &mut Ui, study: &mut Study) {
    ui.checkbox(&mut study.consent.required, "A recording needs the participant's consent");
    lines(
        ui,
        "Text that the participant agrees to",
        &mut study.consent.text,
        4,
        "What is recorded, where it stays, how to stop.",
    );
    editor_texts::consent_on_screen(ui, study);
}

fn page(ui: &mut Ui, study: &mut Study, state: &State, commands: &mut Vec<Command>) {
    let mut has_page = study.page.is_some();
    ui.horizontal(|ui| {
        ui.radio_value(&mut has_page, true, "A page: a folder, an HTML file or a URL");
        ui.radio_value(&mut has_page, false, "No page: a film on another screen, a conversation, another program");
    });
    match (has_page, study.page.is_some()) {
        (true, false) => {
            let new = || PageSettings { address: "page".to_owned(), ..PageSettings::default() };
            let last = state.editor.as_ref().and_then(StudyEditor::last_page);
            study.page = Some(last.cloned().unwrap_or_else(new));
        }
        (false, true) => study.page = None,
        _ => {}
    }
    let Some(page) = &mut study.page else {
        widgets::caption(
            ui,
            "The program times the phases. The participant's window shows only the cross and questionnaires.",
        );
        return;
    };
    text(ui, "Address", &mut page.address, "page, task.html or https://example.org/task");
    ui.horizontal(|ui| {
        if ui.add_enabled(!state.is_file_dialog_open, egui::Button::new("Choose file …")).clicked() {
            commands.push(Command::Editor(EditorCommand::BrowsePage));
        }
        let label = widgets::caption(ui, "Shown");
        let combo = ComboBox::from_id_salt("placement").selected_text(placement_label(page.placement)).width(300.0);
        let combo = combo.show_ui(ui, |ui| {
            for placement in [PagePlacement::Auto, PagePlacement::Embedded, PagePlacement::ParticipantWindow] {
                ui.selectable_value(&mut page.placement, placement, placement_label(placement));
            }
        });
        combo.response.labelled_by(label.id);
    });
    list(ui, "Masked fields (CSS selectors, one a line): their content is never recorded", &mut page.mask, "#password");
    list(
        ui,
        "Fields kept (CSS selectors): in a browser at home, their text is recorded",
        &mut page.content,
        "textarea",
    );
    list(ui, "Other sites that the page may open", &mut page.allow, "https://example.org");
}

fn placement_label(placement: PagePlacement) -> &'static str {
    match placement {
        PagePlacement::Auto => "on the second monitor, if there is one",
        PagePlacement::Embedded => "in the operator's window",
        PagePlacement::ParticipantWindow => "in a window of its own",
    }
}

/// A list as text, one entry a line.
fn list(ui: &mut Ui, name: &str, entries: &mut Vec<String>, hint: &str) {
    let mut text = entries.join("\n");
    lines(ui, name, &mut text, 1, hint);
    // An empty line at the end is kept while a person writes the next entry.
    let mut written: Vec<String> = text.split('\n').map(str::to_owned).collect();
    if written.iter().all(String::is_empty) && written.len() == 1 {
        written.clear();
    }
    if written != *entries {
        *entries = written;
    }
}

fn camera(ui: &mut Ui, study: &mut Study, state: &State) {
    let camera = &mut study.camera;
    let last = state.editor.as_ref().map(StudyEditor::last_camera).cloned().unwrap_or_default();
    ui.horizontal(|ui| {
        let label = widgets::caption(ui, "Picture");
        ui.add(number(&mut camera.width_px, 16..=8192).suffix(" px")).labelled_by(label.id);
        ui.label("×");
        ui.add(number(&mut camera.height_px, 16..=8192).suffix(" px")).accessible_name("Height");
        let label = widgets::caption(ui, "Rate");
        ui.add(number(&mut camera.rate_hz, 1.0..=240.0).suffix(" Hz")).labelled_by(label.id);
    });
    for (name, value, first) in [
        ("Exposure", &mut camera.exposure, last.exposure.unwrap_or(100)),
        ("White balance", &mut camera.white_balance_k, last.white_balance_k.unwrap_or(4500)),
        ("Focus", &mut camera.focus, last.focus.unwrap_or(0)),
    ] {
        ui.horizontal(|ui| {
            let mut is_automatic = value.is_none();
            if ui.checkbox(&mut is_automatic, format!("{name} automatic")).changed() {
                *value = (!is_automatic).then_some(first);
            }
            if let Some(value) = value {
                ui.add(DragValue::new(value)).accessible_name(name);
            }
        });
    }
}

fn labels(ui: &mut Ui, study: &mut Study) {
    let mut text = study.annotation_labels.join(", ");
    let label = widgets::caption(ui, "Separated by commas");
    let edit = TextEdit::singleline(&mut text).hint_text("smile, frown, talk").desired_width(f32::INFINITY);
    if ui.add(edit.margin(Margin::symmetric(8, 4))).labelled_by(label.id).changed() {
        let written: Vec<String> = text.split(',').map(|part| part.trim_start().to_owned()).collect();
        study.annotation_labels = if text.trim().is_empty() { Vec::new() } else { written };
    }
}
