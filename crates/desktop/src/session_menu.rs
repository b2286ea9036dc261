//! What can be done with the selected sessions: the buttons below the table and the menu of a row.

use std::path::PathBuf;

use eframe::egui;
use egui::{Button, Ui};

use super::command::{Command, HomeCommand, JobCommand};
use super::port::{SessionRow, SessionState};
use super::state::State;
use super::widgets;

/// The menu of a row, or of all selected rows.
pub fn menu(ui: &mut Ui, rows: &[&SessionRow], state: &State, commands: &mut Vec<Command>) {
    ui.set_min_width(190.0);
    let folders = || rows.iter().map(|row| row.folder.clone()).collect::<Vec<PathBuf>>();
    let mut item = |ui: &mut Ui, text: String, is_enabled: bool, command: Command| {
        if ui.add_enabled(is_enabled, Button::new(text)).clicked() {
            commands.push(command);
            ui.close();
        }
    };
    if let [row] = rows {
        let is_openable = can_be_read(row) && state.opening.is_none();
        item(ui, "Open".to_owned(), is_openable, Command::OpenSession(row.folder.clone()));
        item(ui, "Open folder".to_owned(), true, Command::Home(HomeCommand::OpenFolder(row.folder.clone())));
        item(
            ui,
            "Copy figure".to_owned(),
            can_be_read(row),
            Command::Home(HomeCommand::CopyFigure(row.folder.clone())),
        );
    }
    let is_readable = rows.iter().any(|row| can_be_read(row));
    item(ui, "Export …".to_owned(), is_readable, Command::Job(JobCommand::ShowExport(folders())));
    if let [row] = rows {
        let reassign = Command::Home(HomeCommand::ShowReassignDialog(row.folder.clone()));
        item(ui, "Reassign …".to_owned(), can_be_read(row), reassign);
    }
    ui.separator();
    let is_erasable = rows.iter().all(|row| row.state != SessionState::Recording);
    item(ui, "Erase …".to_owned(), is_erasable, Command::Home(HomeCommand::ShowEraseDialog(folders())));
    if let [row] = rows
        && let Some(participant) = &row.participant
    {
        let erase = Command::Home(HomeCommand::ShowEraseParticipantDialog(participant.clone()));
        item(ui, format!("Erase participant {participant} …"), true, erase);
    }
}

/// The buttons of the bar below the table, from right to left.
pub fn buttons(ui: &mut Ui, rows: &[&SessionRow], state: &State, commands: &mut Vec<Command>) {
    if let [row] = rows {
        let is_ready = can_be_read(row) && state.opening.is_none();
        if widgets::primary(ui, is_ready, "Open").on_hover_text("Enter, or a double click").clicked() {
            commands.push(Command::OpenSession(row.folder.clone()));
        }
    }
    let more = ui.menu_button("More …", |ui| menu(ui, rows, state, commands));
    more.response.on_hover_text("Also with a right click on the row");
}

pub fn can_be_read(row: &SessionRow) -> bool {
    !matches!(row.state, SessionState::Damaged(_) | SessionState::Recording)
}
