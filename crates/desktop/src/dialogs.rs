//! Modal dialogs.

use eframe::egui;
use egui::{Grid, Id, Margin, Modal, Order, Popup, RichText, ScrollArea, Ui};

use super::command::{Command, LiveCommand, PreferencesCommand, ReviewCommand, SetUpCommand, StudyCommand};
use super::dialog_parts::{buttons, cancel, choice, close, field, keep, main_button, title, warning};
use super::port::{Check, ExportFormat, StudyExportFormat};
use super::preferences::Preferences;
use super::state::{Dialog, ExportDraft, Readiness, Recording, Rehearsal, State, StudyExportDraft};
use super::{
    enter_key, explanations, home_dialogs, keys, new_study, preferences_dialog, signals_dialog, theme, widgets,
};

/// Height of the list of failing checks. It is fixed, so that the buttons below do not move.
const CHECKS: f32 = 250.0;

/// Every dialog fits into a window of this height. In a lower one, or with large text, it is scrolled.
const TALL: f32 = 660.0;
/// The help has three columns if there is this space.
const THREE_COLUMNS: f32 = 900.0;

pub fn show(ctx: &egui::Context, state: &State, commands: &mut Vec<Command>) {
    let Some(dialog) = &state.dialog else { return };
    // An embedded page draws itself above everything. The dialog is placed below it, and scrolls if it is too high.
    let below_page = state.embedded_page.map(|page| ctx.content_rect().bottom() - page.bottom() - 8.0);
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(match below_page {
        Some(_) => Margin::symmetric(24, 12),
        None => Margin::same(24),
    });
    // Menus are in the foreground. A dialog in the foreground would cover the menus of its own controls after a press in
    // the dialog, because egui moves the pressed area to the top.
    // Each kind of dialog has a size of its own.
    let id = Id::unique(("dialog", std::mem::discriminant(dialog)));
    let area = Modal::default_area(id).order(Order::Middle);
    let area = match below_page {
        Some(_) => area.anchor(egui::Align2::CENTER_BOTTOM, egui::vec2(0.0, -4.0)),
        None => area,
    };
    if !ctx.memory(|m| m.areas().visible_last_frame(&area.layer())) {
        // A menu of the screen behind would stay above the dialog.
        Popup::close_all(ctx);
    }
    enter_key::take(ctx);
    let modal = Modal::new(id).area(area).frame(frame).show(ctx, |ui| {
        let width: f32 = match dialog {
            Dialog::Shortcuts => 1080.0,
            Dialog::NewStudy(_) => 620.0,
            _ => 440.0,
        };
        ui.set_width(width.min(ctx.content_rect().width() - 60.0));
        let height = below_page.map(|height| (height - 32.0).max(80.0)).or_else(|| {
            let height = ctx.content_rect().height();
            (height < TALL).then_some(height - 64.0)
        });
        match height {
            Some(height) => {
                ScrollArea::vertical().max_height(height).show(ui, |ui| content(ui, dialog, state, commands));
            }
            None => content(ui, dialog, state, commands),
        }
    });
    if modal.should_close() {
        commands.push(Command::CloseDialog);
    }
}

fn content(ui: &mut Ui, dialog: &Dialog, state: &State, commands: &mut Vec<Command>) {
    let library = state.home.library.as_ref();
    match dialog {
        Dialog::NewSession(draft) => home_dialogs::new_session(ui, draft, library, commands),
        Dialog::NewStudy(draft) => new_study::show(ui, draft, state, commands),
        Dialog::Open { path } => home_dialogs::open(ui, path, state, commands),
        Dialog::Download(draft) => home_dialogs::download(ui, draft, state.download.as_ref(), commands),
        Dialog::Erase { sessions, typed } => home_dialogs::erase(ui, sessions, typed, library, commands),
        Dialog::EraseParticipant { participant, typed } => {
            home_dialogs::erase_participant(ui, participant, typed, library, commands)
        }
        Dialog::Reassign(draft) => home_dialogs::reassign(ui, draft, library, commands),
        Dialog::ExportSessions(draft) => home_dialogs::export_sessions(ui, draft, state, commands),
        Dialog::ImportFilms(draft) => home_dialogs::import_films(ui, draft, state, commands),
        Dialog::Override => override_checks(ui, state.rehearsal.as_ref(), commands),
        Dialog::Discard => discard(ui, state.recording.as_ref(), commands),
        Dialog::Export(draft) => export(ui, draft, state, commands),
        Dialog::ExportStudy(draft) => export_study(ui, draft, state, commands),
        Dialog::Shortcuts => shortcuts(ui, commands),
        Dialog::ReloadPage => reload_page(ui, commands),
        Dialog::Preferences(draft) => preferences(ui, draft, state, commands),
        Dialog::Signals { search } => signals_dialog::show(ui, search, state, commands),
        Dialog::VideoPath(path) => video_path(ui, path, commands),
        Dialog::CloseWindow => close_window(ui, state.recording.as_ref(), commands),
        Dialog::Failure { title, sentence } => failure(ui, title, sentence, commands),
    }
}

/// Lists what fails at this moment. A check that passes or fails while the dialog is open changes the list.
fn override_checks(ui: &mut Ui, rehearsal: Option<&Rehearsal>, commands: &mut Vec<Command>) {
    title(ui, "Record although checks fail?");
    let readiness = rehearsal.map_or(Readiness::NotYet("The set-up has ended."), Rehearsal::readiness);
    let failing: Vec<&Check> = match (&readiness, rehearsal) {
        (Readiness::Failing(_), Some(r)) => r.failing().collect(),
        _ => Vec::new(),
    };
    let area = ScrollArea::vertical().id_salt("failing").min_scrolled_height(CHECKS).max_height(CHECKS);
    area.auto_shrink(false).show(ui, |ui| {
        match &readiness {
            Readiness::Ready => drop(ui.add(egui::Label::new("All checks have passed in the meantime.").wrap())),
            Readiness::NotYet(why) => drop(ui.add(egui::Label::new(*why).wrap())),
            Readiness::Failing(_) => {}
        }
        failing.iter().for_each(|check| failing_check(ui, check));
    });
    ui.add_space(4.0);
    widgets::caption(ui, "This decision is stored with the session.");
    buttons(ui, |ui| {
        let can_record = !matches!(readiness, Readiness::NotYet(_));
        if main_button(ui, can_record, "Record anyway") {
            let shown = failing.iter().map(|c| c.id.clone()).collect();
            commands.push(Command::SetUp(SetUpCommand::RecordAnyway(shown)));
        }
        cancel(ui, "Go back", commands);
    });
}

fn failing_check(ui: &mut Ui, check: &Check) {
    ui.horizontal_top(|ui| {
        widgets::lamp(ui, check.state, &check.id.to_string());
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            ui.label(check.id.to_string());
            ui.add(egui::Label::new(RichText::new(&check.sentence).small().weak()).wrap());
        });
    });
    ui.add_space(4.0);
}

fn discard(ui: &mut Ui, recording: Option<&Recording>, commands: &mut Vec<Command>) {
    title(ui, "Stop and discard this recording?");
    let who = recording.map_or_else(String::new, |r| format!("{} {}", r.plan.participant, r.plan.session));
    let message = format!(
        "The recording of {who} stops. Its video, readings and events are removed. This cannot be undone. \
         Recording continues until you confirm."
    );
    ui.add(egui::Label::new(message).wrap());
    widgets::caption(ui, "Earlier sessions of the participant stay. Erase participant … in the list removes them.");
    buttons(ui, |ui| {
        if ui.button("Stop and discard").clicked() {
            commands.push(Command::Live(LiveCommand::Discard));
        }
        keep(ui, "Keep recording", commands);
    });
}

fn export(ui: &mut Ui, draft: &ExportDraft, state: &State, commands: &mut Vec<Command>) {
    title(ui, "Export");
    let mut edited = draft.clone();
    for (format, text) in [
        (ExportFormat::Csv, "Records as CSV, one file for each stream"),
        (ExportFormat::FigurePng, "Figure of the visible plots, PNG"),
        (ExportFormat::FigureSvg, "Figure of the visible plots, SVG"),
    ] {
        choice(ui, &mut edited.format, format, text);
    }
    ui.add_space(6.0);
    let name = if edited.format == ExportFormat::Csv { "To folder" } else { "To file" };
    field(ui, name, &mut edited.to, "");
    if draft.exists {
        warning(
            ui,
            match draft.format {
                ExportFormat::Csv => "This folder exists. The export fails if it is not empty.",
                _ => "This file exists. It will be replaced.",
            },
        );
    }
    draft.problem.iter().for_each(|problem| warning(ui, problem));
    ui.add_space(4.0);
    if ui.add_enabled(!state.is_file_dialog_open, egui::Button::new("Choose …")).clicked() {
        commands.push(Command::Review(ReviewCommand::BrowseExport));
    }
    let is_ready = !edited.to.trim().is_empty();
    if edited != *draft {
        commands.push(Command::Review(ReviewCommand::EditExport(ExportDraft { problem: None, ..edited })));
    }
    buttons(ui, |ui| {
        if main_button(ui, is_ready, "Export") {
            commands.push(Command::Review(ReviewCommand::Export));
        }
        cancel(ui, "Cancel", commands);
    });
}

fn export_study(ui: &mut Ui, draft: &StudyExportDraft, state: &State, commands: &mut Vec<Command>) {
    title(ui, "Export averages");
    let mut edited = draft.clone();
    for format in StudyExportFormat::ALL {
        choice(ui, &mut edited.format, format, format.description());
    }
    ui.add_space(6.0);
    let is_folder = edited.format == StudyExportFormat::Tables;
    field(ui, if is_folder { "To a new folder" } else { "To file" }, &mut edited.to, "");
    if draft.exists {
        warning(
            ui,
            if is_folder { "This path exists. Choose a new folder." } else { "This file exists. It will be replaced." },
        );
    }
    draft.problem.iter().for_each(|problem| warning(ui, problem));
    ui.add_space(4.0);
    if ui.add_enabled(!state.is_file_dialog_open, egui::Button::new("Choose …")).clicked() {
        commands.push(Command::Study(StudyCommand::BrowseExport));
    }
    let is_ready = !edited.to.trim().is_empty() && (!is_folder || !edited.exists);
    if edited != *draft {
        commands.push(Command::Study(StudyCommand::EditExport(StudyExportDraft { problem: None, ..edited })));
    }
    buttons(ui, |ui| {
        if main_button(ui, is_ready, "Export") {
            commands.push(Command::Study(StudyCommand::Export));
        }
        cancel(ui, "Cancel", commands);
    });
}

fn shortcuts(ui: &mut Ui, commands: &mut Vec<Command>) {
    title(ui, "Help: keyboard, and below it what the numbers mean");
    let height = (ui.ctx().content_rect().height() - 220.0).max(120.0).min(ui.available_height().max(120.0));
    ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        let all: &[keys::Group] = &keys::GROUPS;
        let (left, rest) = all.split_at(2);
        let (middle, right) = rest.split_at(4);
        let is_wide = ui.available_width() >= THREE_COLUMNS;
        let parts = if is_wide { vec![left, middle, right] } else { vec![all] };
        ui.columns(parts.len(), |columns| {
            for (column, groups) in columns.iter_mut().zip(parts) {
                for group in groups {
                    widgets::section(column, group.title);
                    Grid::new(group.title).num_columns(2).min_row_height(19.0).spacing([14.0, 4.0]).show(
                        column,
                        |ui| {
                            for (key, what) in group.keys {
                                ui.label(RichText::new(*key).small().monospace());
                                ui.add(egui::Label::new(RichText::new(*what).size(13.0)).wrap());
                                ui.end_row();
                            }
                        },
                    );
                    column.add_space(10.0);
                }
            }
        });
        ui.separator();
        title(ui, "What the numbers mean");
        numbers(ui);
    });
    buttons(ui, |ui| {
        close(ui, commands);
        if ui.button("Open the manual").clicked() {
            commands.push(Command::OpenManual);
        }
    });
}

/// All explanations of numbers.
fn numbers(ui: &mut Ui) {
    let p = theme::palette(ui);
    for (title, terms) in explanations::GROUPS {
        widgets::section(ui, title);
        for term in terms {
            ui.add_space(2.0);
            ui.label(RichText::new(term.name()).color(p.strong).size(13.5));
            ui.add(egui::Label::new(RichText::new(term.text()).size(13.0)).wrap());
        }
        ui.add_space(10.0);
    }
}

fn preferences(ui: &mut Ui, draft: &Preferences, state: &State, commands: &mut Vec<Command>) {
    title(ui, "Preferences");
    preferences_dialog::show(ui, draft, state, commands);
    buttons(ui, |ui| {
        if main_button(ui, draft.recordings_folder().is_ok(), "Save") {
            commands.push(Command::Preferences(PreferencesCommand::Save));
        }
        cancel(ui, "Cancel", commands);
    });
}

fn video_path(ui: &mut Ui, path: &str, commands: &mut Vec<Command>) {
    title(ui, "Use a video file as the camera");
    let mut edited = path.to_owned();
    let response = field(ui, "Path of the video file", &mut edited, "/path/to/video.mp4");
    if response.changed() {
        commands.push(Command::SetUp(SetUpCommand::EditVideoPath(edited.clone())));
    }
    if edited.is_empty() && ui.memory(|m| m.focused()).is_none() {
        response.request_focus();
    }
    buttons(ui, |ui| {
        let is_ready = !edited.trim().is_empty();
        if main_button(ui, is_ready, "Use") {
            commands.push(Command::SetUp(SetUpCommand::UseVideo(edited.trim().into())));
        }
        cancel(ui, "Cancel", commands);
    });
}

fn reload_page(ui: &mut Ui, commands: &mut Vec<Command>) {
    title(ui, "Load the page again?");
    ui.add(
        egui::Label::new("The task starts anew. What the participant has done so far stays in the recording.").wrap(),
    );
    buttons(ui, |ui| {
        if ui.button("Load again").clicked() {
            commands.push(Command::SetUp(SetUpCommand::ReloadPageNow));
        }
        keep(ui, "Leave the page as it is", commands);
    });
}

fn close_window(ui: &mut Ui, recording: Option<&Recording>, commands: &mut Vec<Command>) {
    title(ui, "A recording is running");
    let who = recording.map_or_else(String::new, |r| format!(" of {} {}", r.plan.participant, r.plan.session));
    ui.add(egui::Label::new(format!("Closing the window stops the recording{who} and saves it.")).wrap());
    buttons(ui, |ui| {
        if ui.button("Stop, save and close").clicked() {
            commands.push(Command::CloseWindow);
        }
        keep(ui, "Keep recording", commands);
    });
}

fn failure(ui: &mut Ui, heading: &str, sentence: &str, commands: &mut Vec<Command>) {
    title(ui, heading);
    ui.add(egui::Label::new(sentence).wrap().selectable(true));
    buttons(ui, |ui| {
        keep(ui, "Close", commands);
    });
}
