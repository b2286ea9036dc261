//! The dialogs of the table of sessions: a new session, and what changes, exports and imports sessions.

use std::collections::HashSet;
use std::path::Path;

use eframe::egui;
use egui::{ComboBox, Margin, RichText, ScrollArea, Ui};

use session::ParticipantId;

use super::command::{Command, HomeCommand, JobCommand};
use super::dialog_parts::{buttons, cancel, choice, field, main_button, title, warning};
use super::job_state::{ImportDraft, ReassignDraft, SessionsExportDraft, taken};
use super::port::{DatasetFormat, DownloadProgress, ExportRow, Library, SessionRow};
use super::state::{DownloadDraft, PlanDraft, State};
use super::{condition_choice, enter_key, figures, seat_choice, widgets};

pub fn new_session(ui: &mut Ui, draft: &PlanDraft, library: Option<&Library>, commands: &mut Vec<Command>) {
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
    seat_choice::show(ui, &mut edited.seat, chosen.is_some_and(|s| s.seat.is_some()));
    ui.add_space(6.0);
    ui.columns(2, |columns| {
        field(&mut columns[0], "Participant", &mut edited.participant, "sub-01");
        field(&mut columns[1], "Session", &mut edited.session, "ses-01");
    });
    let plan = edited.plan();
    let used = plan.as_ref().ok().zip(library).filter(|(plan, l)| l.is_taken(&plan.participant, plan.session));
    ui.add_space(2.0);
    match (&plan, used) {
        (Ok(plan), Some((_, library))) => {
            warning(ui, &taken(library, &plan.participant, plan.session));
            let next = library.next_session(&plan.participant);
            if widgets::small_button(ui, &format!("Use {next}")).clicked() {
                edited.session = next.to_string();
            }
        }
        (Ok(plan), None) => {
            let of_participant = |s: &&SessionRow| s.participant.as_ref() == Some(&plan.participant);
            let known = library.map_or(0, |l| l.sessions.iter().filter(of_participant).count());
            widgets::caption(
                ui,
                match known {
                    0 => "A new participant.".to_owned(),
                    n => format!("This participant has {}.", figures::sessions(n)),
                },
            );
        }
        (Err(sentence), _) => {
            ui.add(egui::Label::new(RichText::new(sentence).small().weak()).wrap());
        }
    }
    if let (Some(study), Ok(plan)) = (chosen, &plan) {
        condition_choice::show(ui, &mut edited, study, plan);
    }
    let is_ready = plan.is_ok() && used.is_none();
    if edited != *draft {
        commands.push(Command::Home(HomeCommand::EditPlan(edited)));
    }
    buttons(ui, |ui| {
        if main_button(ui, is_ready, "Set up") {
            commands.push(Command::Home(HomeCommand::BeginRehearsal));
        }
        cancel(ui, "Cancel", commands);
    });
}

pub fn open(ui: &mut Ui, path: &str, state: &State, commands: &mut Vec<Command>) {
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
        if main_button(ui, is_ready, "Open") {
            commands.push(Command::OpenSession(edited.trim().into()));
        }
        cancel(ui, "Cancel", commands);
    });
}

pub fn download(ui: &mut Ui, draft: &DownloadDraft, progress: Option<&DownloadProgress>, commands: &mut Vec<Command>) {
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
        enter_key::pass_on(&token);
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
        if main_button(ui, is_ready, "Download") {
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

/// The text that confirms an erasure.
pub fn confirmation(sessions: &[SessionRow]) -> String {
    match sessions {
        [only] => only.title(),
        several => format!("erase {}", figures::sessions(several.len())),
    }
}

pub fn erase(
    ui: &mut Ui,
    sessions: &[SessionRow],
    typed: &str,
    library: Option<&Library>,
    commands: &mut Vec<Command>,
) {
    let size = figures::bytes(sessions.iter().map(|s| s.size_bytes).sum());
    let message = match sessions {
        [session] => {
            title(ui, "Erase this session?");
            let length = session.length.map_or_else(String::new, |l| format!(", {} long", figures::length(l)));
            format!("Video, readings and events of {} ({size}{length}) will be deleted permanently.", session.title())
        }
        several => {
            title(ui, &format!("Erase {}?", figures::sessions(several.len())));
            format!("Video, readings and events of these sessions ({size}) will be deleted permanently.")
        }
    };
    ui.add(egui::Label::new(message).wrap());
    listed(ui, "sessions", sessions.iter().map(|s| format!("{}  {}", s.title(), s.folder.display())));
    let folders: HashSet<&Path> = sessions.iter().map(|s| s.folder.as_path()).collect();
    let has = |export: &&ExportRow| export.sessions.iter().any(|s| folders.contains(s.as_path()));
    what_stays(ui, library.iter().flat_map(|l| &l.exports).filter(has).collect());
    widgets::caption(ui, "The participant stays in participants.tsv, so that the pseudonym is not used again.");
    confirm(ui, &confirmation(sessions), typed, commands);
}

pub fn erase_participant(
    ui: &mut Ui,
    participant: &ParticipantId,
    typed: &str,
    library: Option<&Library>,
    commands: &mut Vec<Command>,
) {
    title(ui, &format!("Erase participant {participant}?"));
    let of_participant = |s: &&SessionRow| s.participant.as_ref() == Some(participant);
    let sessions: Vec<&SessionRow> = library.iter().flat_map(|l| &l.sessions).filter(of_participant).collect();
    let size = figures::bytes(sessions.iter().map(|s| s.size_bytes).sum());
    let message = format!(
        "{} ({size}), the participant's folder and the row in participants.tsv will be deleted permanently.",
        figures::sessions(sessions.len())
    );
    ui.add(egui::Label::new(message).wrap());
    listed(ui, "sessions", sessions.iter().map(|s| format!("{}  {}", s.title(), s.study)));
    what_stays(ui, library.iter().flat_map(|l| l.exports_of(participant)).collect());
    confirm(ui, participant.as_str(), typed, commands);
}

/// At most some lines of fixed height, so that the buttons stay on the screen.
fn listed(ui: &mut Ui, id: &str, lines: impl Iterator<Item = String>) {
    ui.add_space(4.0);
    ScrollArea::vertical().id_salt(id).max_height(110.0).auto_shrink([false, true]).show(ui, |ui| {
        for line in lines {
            ui.add(egui::Label::new(RichText::new(line).small().weak()).truncate());
        }
    });
    ui.add_space(4.0);
}

/// The exports that the library knows of. An erasure does not remove them.
fn what_stays(ui: &mut Ui, exports: Vec<&ExportRow>) {
    if exports.is_empty() {
        widgets::caption(ui, "The library knows of no export of this data. Copies and backups stay.");
        return;
    }
    warning(ui, "These exports contain the data and stay. Remove them yourself:");
    let line = |e: &&ExportRow| {
        let reachable = if e.is_reachable { "" } else { ", not found now: it may be on another disk" };
        format!("{} ({}{reachable})", e.to.display(), e.format)
    };
    listed(ui, "exports", exports.iter().map(line));
}

fn confirm(ui: &mut Ui, name: &str, typed: &str, commands: &mut Vec<Command>) {
    ui.add_space(6.0);
    let mut edited = typed.to_owned();
    let response = field(ui, &format!("Type {name} to confirm"), &mut edited, name);
    if response.changed() {
        commands.push(Command::Home(HomeCommand::EditEraseConfirmation(edited.clone())));
    }
    buttons(ui, |ui| {
        if widgets::primary(ui, edited == name, "Erase").clicked() {
            commands.push(Command::Home(HomeCommand::Erase));
        }
        cancel(ui, "Cancel", commands);
    });
}

pub fn reassign(ui: &mut Ui, draft: &ReassignDraft, library: Option<&Library>, commands: &mut Vec<Command>) {
    title(ui, &format!("Reassign {}", draft.row.title()));
    let message = "Changes the session file, its folder and participants.tsv. The session's own log keeps the old and \
                   the new name. Reassign it again to go back.";
    ui.add(egui::Label::new(RichText::new(message).weak()).wrap());
    ui.add_space(6.0);
    let mut edited = draft.clone();
    ui.columns(2, |columns| {
        field(&mut columns[0], "Participant", &mut edited.participant, "sub-01");
        field(&mut columns[1], "Session", &mut edited.session, "ses-01");
    });
    let request = edited.request(library);
    ui.add_space(2.0);
    match &request {
        Err(sentence) => {
            ui.add(egui::Label::new(RichText::new(sentence).small().weak()).wrap());
        }
        Ok(to) => {
            widgets::caption(ui, format!("{} becomes {} {}.", draft.row.title(), to.participant, to.session));
        }
    }
    let exports = library.iter().flat_map(|l| &l.exports).filter(|e| e.sessions.contains(&draft.row.folder)).count();
    if exports > 0 || draft.has_export {
        warning(ui, "Exports that were made before keep the old name. Export again.");
    }
    if edited != *draft {
        commands.push(Command::Home(HomeCommand::EditReassign(edited)));
    }
    buttons(ui, |ui| {
        if main_button(ui, request.is_ok(), "Reassign") {
            commands.push(Command::Home(HomeCommand::Reassign));
        }
        cancel(ui, "Cancel", commands);
    });
}

pub fn export_sessions(ui: &mut Ui, draft: &SessionsExportDraft, state: &State, commands: &mut Vec<Command>) {
    title(ui, &format!("Export {}", figures::sessions(draft.sessions.len())));
    ui.add(egui::Label::new(RichText::new(&draft.names).small().weak()).truncate()).on_hover_text(&draft.names);
    ui.add_space(4.0);
    let mut edited = draft.clone();
    for format in DatasetFormat::ALL {
        choice(ui, &mut edited.format, format, format.description());
    }
    ui.add_space(6.0);
    field(ui, "To a new folder", &mut edited.to, "");
    if draft.exists {
        warning(ui, "This path exists. Choose a new folder.");
    }
    if let Some(problem) = &draft.problem {
        warning(ui, problem);
    }
    ui.add_space(4.0);
    if ui.add_enabled(!state.is_file_dialog_open, egui::Button::new("Choose …")).clicked() {
        commands.push(Command::Job(JobCommand::BrowseExport));
    }
    let is_ready = edited.is_ready() && state.job.is_none();
    if edited != *draft {
        commands.push(Command::Job(JobCommand::EditExport(SessionsExportDraft { problem: None, ..edited })));
    }
    buttons(ui, |ui| {
        if main_button(ui, is_ready, "Export") {
            commands.push(Command::Job(JobCommand::Export));
        }
        cancel(ui, "Cancel", commands);
        if state.job.is_some() {
            widgets::caption(ui, "Another job runs.");
        }
    });
}

pub fn import_films(ui: &mut Ui, draft: &ImportDraft, state: &State, commands: &mut Vec<Command>) {
    title(ui, "Import video files");
    let message = "Each file becomes a session: its frames are scored and stored. The participant is typed here, or \
                   begins the file's name: sub-07_talk.mp4.";
    ui.add(egui::Label::new(RichText::new(message).weak()).wrap());
    ui.add_space(6.0);
    let mut edited = draft.clone();
    ui.horizontal(|ui| {
        if ui.add_enabled(!state.is_file_dialog_open, egui::Button::new("Choose files …")).clicked() {
            commands.push(Command::Job(JobCommand::BrowseFilms));
        }
        widgets::caption(
            ui,
            if draft.films.len() == 1 { "1 file".to_owned() } else { format!("{} files", draft.films.len()) },
        );
    });
    listed(ui, "films", draft.films.iter().map(|film| film.display().to_string()));
    let studies = state.home.library.as_ref().map_or(&[][..], |l| &l.studies);
    let label = widgets::caption(ui, "Study");
    let chosen = studies.iter().find(|s| s.name == draft.study).map_or("No study", |s| s.title.as_str());
    let combo = ComboBox::from_id_salt("import study").selected_text(chosen).width(ui.available_width()).truncate();
    let combo = combo.show_ui(ui, |ui| {
        ui.selectable_value(&mut edited.study, String::new(), "No study");
        for study in studies.iter().filter(|s| s.problem.is_none()) {
            ui.selectable_value(&mut edited.study, study.name.clone(), &study.title);
        }
    });
    combo.response.labelled_by(label.id);
    ui.add_space(4.0);
    field(ui, "Participant (empty: from the names of the files)", &mut edited.participant, "sub-01");
    let request = edited.request();
    if let Err(sentence) = &request {
        ui.add(egui::Label::new(RichText::new(sentence).small().weak()).wrap());
    }
    if let Some(problem) = &draft.problem {
        warning(ui, problem);
    }
    let is_ready = request.is_ok() && state.job.is_none();
    if edited != *draft {
        commands.push(Command::Job(JobCommand::EditImport(ImportDraft { problem: None, ..edited })));
    }
    buttons(ui, |ui| {
        if main_button(ui, is_ready, "Import") {
            commands.push(Command::Job(JobCommand::Import));
        }
        cancel(ui, "Cancel", commands);
        if state.job.is_some() {
            widgets::caption(ui, "Another job runs.");
        }
    });
}
