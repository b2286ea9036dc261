//! Modal dialogs.

use eframe::egui;
use egui::{ComboBox, Grid, Id, Key, Layout, Margin, Modal, RichText, ScrollArea, Ui};

use super::command::{Command, HomeCommand, ReviewCommand, SetUpCommand, StudyCommand};
use super::port::{CheckState, DownloadProgress, ExportFormat, Library, SessionRow, StudyExportFormat};
use super::state::{Dialog, DownloadDraft, ExportDraft, PlanDraft, Recording, Rehearsal, State, StudyExportDraft};
use super::{figures, keys, theme, widgets};
use session::{CheckId, Seat};

pub fn show(ctx: &egui::Context, state: &State, commands: &mut Vec<Command>) {
    let Some(dialog) = &state.dialog else { return };
    // An embedded page draws itself above everything. The dialog is placed below it, and scrolls if it is too high.
    let below_page = state.embedded_page.map(|page| ctx.content_rect().bottom() - page.bottom() - 8.0);
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(match below_page {
        Some(_) => Margin::symmetric(24, 12),
        None => Margin::same(24),
    });
    let id = Id::unique("dialog");
    let area = match below_page {
        Some(_) => Modal::default_area(id).anchor(egui::Align2::CENTER_BOTTOM, egui::vec2(0.0, -4.0)),
        None => Modal::default_area(id),
    };
    let modal = Modal::new(id).frame(frame).area(area).show(ctx, |ui| {
        let width: f32 = if *dialog == Dialog::Shortcuts { 1080.0 } else { 440.0 };
        ui.set_width(width.min(ctx.content_rect().width() - 60.0));
        match below_page {
            Some(height) => {
                let height = (height - 32.0).max(80.0);
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
    match dialog {
        Dialog::NewSession(draft) => new_session(ui, draft, state.home.library.as_ref(), commands),
        Dialog::Open { path } => open(ui, path, state, commands),
        Dialog::Download(draft) => download(ui, draft, state.download.as_ref(), commands),
        Dialog::Erase { session, typed } => erase(ui, session, typed, commands),
        Dialog::Override { checks } => override_checks(ui, checks, state.rehearsal.as_ref(), commands),
        Dialog::Export(draft) => export(ui, draft, state, commands),
        Dialog::ExportStudy(draft) => export_study(ui, draft, state, commands),
        Dialog::Shortcuts => shortcuts(ui, commands),
        Dialog::ReloadPage => reload_page(ui, commands),
        Dialog::CloseWindow => close_window(ui, state.recording.as_ref(), commands),
        Dialog::Failure { title, sentence } => failure(ui, title, sentence, commands),
    }
}

fn title(ui: &mut Ui, text: &str) {
    let p = theme::palette(ui);
    ui.label(RichText::new(text).size(19.0).color(p.strong));
    ui.add_space(8.0);
}

/// The last row of a dialog. The first button is at the right.
fn buttons(ui: &mut Ui, draw: impl FnOnce(&mut Ui)) {
    ui.add_space(14.0);
    ui.with_layout(Layout::right_to_left(egui::Align::Center), draw);
}

fn cancel(ui: &mut Ui, text: &str, commands: &mut Vec<Command>) -> egui::Response {
    let response = ui.button(text);
    if response.clicked() {
        commands.push(Command::CloseDialog);
    }
    response
}

fn field(ui: &mut Ui, name: &str, text: &mut String, hint: &str) -> egui::Response {
    let label = widgets::caption(ui, name);
    let edit =
        egui::TextEdit::singleline(text).hint_text(hint).desired_width(f32::INFINITY).margin(Margin::symmetric(10, 6));
    ui.add(edit).labelled_by(label.id)
}

fn is_entered(ui: &Ui) -> bool {
    ui.input(|i| i.key_pressed(Key::Enter))
}

fn new_session(ui: &mut Ui, draft: &PlanDraft, library: Option<&Library>, commands: &mut Vec<Command>) {
    title(ui, "New session");
    let mut edited = draft.clone();
    let studies = library.map_or(&[][..], |l| &l.studies);
    let label = widgets::caption(ui, "Study");
    let chosen = studies.iter().find(|s| Some(&s.file) == draft.study_file.as_ref());
    let text = chosen.map_or("Choose a study", |s| s.title.as_str());
    let combo = ComboBox::from_id_salt("study").selected_text(text).width(ui.available_width()).truncate();
    let combo = combo.show_ui(ui, |ui| {
        for study in studies {
            let is_usable = study.problem.is_none();
            let choice = egui::Button::selectable(Some(&study.file) == draft.study_file.as_ref(), study.title.as_str());
            let choice = ui.add_enabled(is_usable, choice);
            let choice = match &study.problem {
                Some(problem) => choice.on_disabled_hover_text(problem),
                None => choice,
            };
            if choice.clicked() {
                edited.study_file = Some(study.file.clone());
            }
        }
    });
    combo.response.labelled_by(label.id);
    if let Some(study) = chosen {
        let message = format!("Planned duration: {} min. {}", study.planned_minutes, study.description);
        ui.add(egui::Label::new(RichText::new(message.trim()).small().weak()).wrap());
    }
    ui.add_space(6.0);
    seat(ui, &mut edited.seat, chosen.is_some_and(|s| s.seat.is_some()));
    ui.add_space(6.0);
    ui.columns(2, |columns| {
        field(&mut columns[0], "Participant", &mut edited.participant, "sub-01");
        field(&mut columns[1], "Session", &mut edited.session, "ses-01");
    });
    let plan = edited.plan();
    let message = match &plan {
        Err(sentence) => sentence.clone(),
        Ok(plan) => {
            let known = library
                .map_or(0, |l| l.sessions.iter().filter(|s| s.participant.as_ref() == Some(&plan.participant)).count());
            match known {
                0 => "A new participant.".to_owned(),
                n => format!("This participant has {}.", figures::sessions(n)),
            }
        }
    };
    ui.add_space(2.0);
    ui.add(egui::Label::new(RichText::new(message).small().weak()).wrap());
    if edited != *draft {
        commands.push(Command::Home(HomeCommand::EditPlan(edited)));
    }
    buttons(ui, |ui| {
        let go = widgets::primary(ui, plan.is_ok(), "Set up");
        if go.clicked() || (plan.is_ok() && is_entered(ui) && !egui::Popup::is_any_open(ui.ctx())) {
            commands.push(Command::Home(HomeCommand::BeginRehearsal));
        }
        cancel(ui, "Cancel", commands);
    });
}

/// Who sits at the participant's screen. A study may have fixed it.
fn seat(ui: &mut Ui, seat: &mut Seat, is_fixed: bool) {
    widgets::caption(ui, "Who sits at this screen?");
    ui.add_enabled_ui(!is_fixed, |ui| {
        ui.horizontal(|ui| {
            ui.radio_value(seat, Seat::Participant, "Participant");
            ui.radio_value(seat, Seat::Pilot, "Pilot (you try the study)");
        });
    });
    let what = match seat {
        Seat::Participant => "The page fills the participant's screen. Measurements and alarms are not shown there.",
        Seat::Pilot => "The page is beside the plots. The session is marked as a pilot and left out of averages.",
    };
    let by_study = if is_fixed { " The study file fixes this." } else { "" };
    ui.add(egui::Label::new(RichText::new(format!("{what}{by_study}")).small().weak()).wrap());
}

fn open(ui: &mut Ui, path: &str, state: &State, commands: &mut Vec<Command>) {
    title(ui, "Open session");
    let mut edited = path.to_owned();
    let response = field(ui, "Folder of the session", &mut edited, "/path/to/sessions/sub-01/ses-01_…");
    if response.changed() {
        commands.push(Command::Home(HomeCommand::EditOpenPath(edited.clone())));
    }
    if edited.is_empty() && ui.memory(|m| m.focused()).is_none() {
        response.request_focus();
    }
    ui.add_space(4.0);
    if ui.add_enabled(!state.is_file_dialog_open, egui::Button::new("Choose …")).clicked() {
        commands.push(Command::Home(HomeCommand::BrowseSession));
    }
    buttons(ui, |ui| {
        let is_ready = !edited.trim().is_empty();
        if widgets::primary(ui, is_ready, "Open").clicked() || (is_ready && is_entered(ui)) {
            commands.push(Command::OpenSession(edited.trim().into()));
        }
        cancel(ui, "Cancel", commands);
    });
}

fn download(ui: &mut Ui, draft: &DownloadDraft, progress: Option<&DownloadProgress>, commands: &mut Vec<Command>) {
    title(ui, "Download from server");
    let message = "Downloads all finished sessions that this library does not contain. The server keeps its copies.";
    ui.add(egui::Label::new(RichText::new(message).weak()).wrap());
    ui.add_space(6.0);
    let mut edited = draft.clone();
    ui.add_enabled_ui(progress.is_none(), |ui| {
        let server = field(ui, "Server", &mut edited.server, "https://example.org");
        let label = widgets::caption(ui, "API token");
        let token = egui::TextEdit::singleline(&mut edited.token)
            .password(true)
            .hint_text("aga_…, created by `affectograph serve token`")
            .desired_width(f32::INFINITY)
            .margin(Margin::symmetric(10, 6));
        let token = ui.add(token).labelled_by(label.id);
        field(ui, "Study (empty for all studies)", &mut edited.study, "");
        if *draft == DownloadDraft::default() && ui.memory(|m| m.focused()).is_none() {
            server.request_focus();
        } else if draft.token.is_empty() && ui.memory(|m| m.focused()).is_none() {
            token.request_focus();
        }
    });
    if let Some(problem) = &draft.problem {
        warning(ui, problem);
    }
    if let Some(progress) = progress {
        ui.add_space(6.0);
        let share =
            if progress.of == 0 { 0.0 } else { (progress.number.saturating_sub(1)) as f32 / progress.of as f32 };
        ui.add(egui::ProgressBar::new(share).desired_width(ui.available_width()));
        let message = match progress.of {
            0 => "Connecting to the server …".to_owned(),
            of => format!("{} of {of}: {}", progress.number, progress.name),
        };
        widgets::caption(ui, message);
    }
    let is_ready = edited.request().is_some() && progress.is_none();
    if edited != *draft {
        commands.push(Command::Home(HomeCommand::EditDownload(DownloadDraft { problem: None, ..edited })));
    }
    buttons(ui, |ui| {
        if widgets::primary(ui, is_ready, "Download").clicked() || (is_ready && is_entered(ui)) {
            commands.push(Command::Home(HomeCommand::Download));
        }
        if progress.is_some() {
            if ui.button("Stop").on_hover_text("Downloaded sessions are kept.").clicked() {
                commands.push(Command::Home(HomeCommand::CancelDownload));
            }
        } else {
            cancel(ui, "Cancel", commands);
        }
    });
}

fn erase(ui: &mut Ui, session: &SessionRow, typed: &str, commands: &mut Vec<Command>) {
    title(ui, "Erase this session?");
    let size = figures::bytes(session.size_bytes);
    let length = session.length.map_or_else(String::new, |l| format!(", {} long", figures::length(l)));
    let message =
        format!("Video, readings and events of {} ({size}{length}) will be deleted permanently.", session.title());
    ui.add(egui::Label::new(message).wrap());
    ui.add(egui::Label::new(RichText::new(session.folder.display().to_string()).small().weak()).wrap());
    ui.add_space(6.0);
    let mut edited = typed.to_owned();
    let response = field(ui, &format!("Type {} to confirm", session.title()), &mut edited, &session.title());
    if response.changed() {
        commands.push(Command::Home(HomeCommand::EditEraseConfirmation(edited.clone())));
    }
    buttons(ui, |ui| {
        if widgets::primary(ui, edited == session.title(), "Erase").clicked() {
            commands.push(Command::Home(HomeCommand::Erase));
        }
        cancel(ui, "Cancel", commands);
    });
}

fn override_checks(ui: &mut Ui, ids: &[CheckId], rehearsal: Option<&Rehearsal>, commands: &mut Vec<Command>) {
    title(ui, "Record although checks fail?");
    let checks = |id: &CheckId| rehearsal.and_then(|r| r.checks.iter().find(|c| c.id == *id));
    // Checks that have passed in the meantime are not listed.
    let still = |id: &&CheckId| checks(id).is_none_or(|c| matches!(c.state, CheckState::Failed | CheckState::Waiting));
    if !ids.iter().any(|id| still(&id)) {
        ui.add(egui::Label::new("All checks have passed in the meantime.").wrap());
    }
    for id in ids.iter().filter(still) {
        let check = checks(id);
        ui.horizontal_top(|ui| {
            if let Some(check) = check {
                widgets::lamp(ui, check.state, &id.to_string());
            }
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 1.0;
                ui.label(id.to_string());
                if let Some(check) = check {
                    ui.add(egui::Label::new(RichText::new(&check.sentence).small().weak()).wrap());
                }
            });
        });
        ui.add_space(4.0);
    }
    ui.add_space(4.0);
    widgets::caption(ui, "This decision is stored with the session.");
    buttons(ui, |ui| {
        if widgets::primary(ui, true, "Record anyway").clicked() {
            commands.push(Command::SetUp(SetUpCommand::RecordAnyway));
        }
        cancel(ui, "Go back", commands);
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
        ui.radio_value(&mut edited.format, format, text);
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
    ui.add_space(4.0);
    if ui.add_enabled(!state.is_file_dialog_open, egui::Button::new("Choose …")).clicked() {
        commands.push(Command::Review(ReviewCommand::BrowseExport));
    }
    let is_ready = !edited.to.trim().is_empty();
    if edited != *draft {
        commands.push(Command::Review(ReviewCommand::EditExport(edited)));
    }
    buttons(ui, |ui| {
        if widgets::primary(ui, is_ready, "Export").clicked() {
            commands.push(Command::Review(ReviewCommand::Export));
        }
        cancel(ui, "Cancel", commands);
    });
}

/// A warning with its sign.
fn warning(ui: &mut Ui, message: &str) {
    ui.add_space(2.0);
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(egui::vec2(16.0, 16.0), egui::Sense::hover());
        widgets::warning_sign(ui.painter(), rect.center(), 6.5);
        ui.add(egui::Label::new(RichText::new(message).small().weak()).wrap());
    });
}

fn export_study(ui: &mut Ui, draft: &StudyExportDraft, state: &State, commands: &mut Vec<Command>) {
    title(ui, "Export averages");
    let mut edited = draft.clone();
    for format in StudyExportFormat::ALL {
        ui.radio_value(&mut edited.format, format, format.description());
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
    ui.add_space(4.0);
    if ui.add_enabled(!state.is_file_dialog_open, egui::Button::new("Choose …")).clicked() {
        commands.push(Command::Study(StudyCommand::BrowseExport));
    }
    let is_ready = !edited.to.trim().is_empty() && (!is_folder || !edited.exists);
    if edited != *draft {
        commands.push(Command::Study(StudyCommand::EditExport(edited)));
    }
    buttons(ui, |ui| {
        if widgets::primary(ui, is_ready, "Export").clicked() {
            commands.push(Command::Study(StudyCommand::Export));
        }
        cancel(ui, "Cancel", commands);
    });
}

fn shortcuts(ui: &mut Ui, commands: &mut Vec<Command>) {
    title(ui, "Keyboard");
    let height = (ui.ctx().content_rect().height() - 220.0).max(120.0).min(ui.available_height().max(120.0));
    ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        let (left, rest) = keys::GROUPS.split_at(2);
        let (middle, right) = rest.split_at(3);
        ui.columns(3, |columns| {
            for (column, groups) in columns.iter_mut().zip([left, middle, right]) {
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
    });
    buttons(ui, |ui| {
        cancel(ui, "Close", commands);
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
        let keep = cancel(ui, "Leave the page as it is", commands);
        if ui.memory(|m| m.focused()).is_none() {
            keep.request_focus();
        }
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
        let keep = cancel(ui, "Keep recording", commands);
        if ui.memory(|m| m.focused()).is_none() {
            keep.request_focus();
        }
    });
}

fn failure(ui: &mut Ui, heading: &str, sentence: &str, commands: &mut Vec<Command>) {
    title(ui, heading);
    ui.add(egui::Label::new(sentence).wrap().selectable(true));
    buttons(ui, |ui| {
        let close = cancel(ui, "Close", commands);
        if ui.memory(|m| m.focused()).is_none() {
            close.request_focus();
        }
    });
}
