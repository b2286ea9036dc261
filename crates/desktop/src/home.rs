//! The home screen: the table of sessions, the studies, and the buttons for new and opened sessions.

use std::ops::Range;

use eframe::egui;
use egui::{
    Align, Align2, FontId, Frame, Key, Layout, Margin, Panel, Rect, RichText, ScrollArea, Sense, Shape, Stroke, Ui,
    WidgetInfo, pos2, vec2,
};

use super::command::{Command, EditorCommand, HomeCommand, JobCommand, StudyCommand};
use super::explanations::{Explained, Term};
use super::port::{Grade, Library, SessionRow, SessionState, StudyRow};
use super::state::{self, Column, Filter, Home, State, StateKind};
use super::theme::Palette;
use super::{figures, screen_layout, session_menu, theme, widgets};

const ROW: f32 = 32.0;
const GRADES: [Option<Grade>; 6] =
    [Some(Grade::A), Some(Grade::B), Some(Grade::C), Some(Grade::D), Some(Grade::F), None];

pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    screen_layout::top_bar(ui, state, commands, |ui, _| {
        ui.label(RichText::new("affectograph").size(20.0).color(p.strong));
    });
    let home = &state.home;
    let Some(library) = &home.library else {
        screen_layout::central(ui, |ui| screen_layout::waiting(ui, "Reading the sessions …"));
        return;
    };
    // Where the list is scrolled, the bar below it stays in place.
    let is_scrolled = screen_layout::is_scrolled(ui);
    if is_scrolled {
        selection_bar(ui, state, commands);
    }
    screen_layout::between_bars(ui, |ui| body(ui, state, library, !is_scrolled, commands));
    drop_hint(ui);
}

fn selection_bar(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let rows = state.home.selected_rows();
    if !rows.is_empty() {
        let frame = theme::bar(&theme::palette(ui)).inner_margin(Margin::symmetric(16, 10));
        Panel::bottom("selected session").frame(frame).show(ui, |ui| selected(ui, &rows, state, commands));
    }
}

fn body(ui: &mut Ui, state: &State, library: &Library, has_bar: bool, commands: &mut Vec<Command>) {
    let (p, home) = (theme::palette(ui), &state.home);
    let side = Frame::new().fill(p.bar).inner_margin(Margin::symmetric(6, 12));
    Panel::left("studies")
        .frame(side)
        .resizable(false)
        .exact_size(236.0)
        .show(ui, |ui| studies(ui, home, library, commands));
    if has_bar {
        selection_bar(ui, state, commands);
    }
    screen_layout::central(ui, |ui| {
        if library.sessions.is_empty() {
            empty_library(ui, library, commands);
        } else {
            tools(ui, home, commands);
            ui.add_space(8.0);
            table(ui, state, commands);
        }
    });
}

fn studies(ui: &mut Ui, home: &Home, library: &Library, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    ui.with_layout(Layout::bottom_up(Align::Min), |ui| {
        let root = library.root.display().to_string();
        Frame::new().inner_margin(Margin::symmetric(10, 0)).show(ui, |ui| {
            ui.add(egui::Label::new(RichText::new(&root).small().weak()).truncate()).on_hover_text(&root);
            widgets::caption(ui, "Recordings are stored in");
            ui.add_space(4.0);
            let folder = library.studies_folder.display().to_string();
            let open = widgets::small_button(ui, "Open folder").on_hover_text(&folder);
            if open.accessible_name("Open the folder of studies").clicked() {
                commands.push(Command::Editor(EditorCommand::OpenFolder(library.studies_folder.clone())));
            }
            ui.add(egui::Label::new(RichText::new(&folder).small().weak()).truncate()).on_hover_text(&folder);
            widgets::caption(ui, "Your studies are in");
        });
        ui.add_space(4.0);
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            Frame::new().inner_margin(Margin::symmetric(10, 0)).show(ui, |ui| {
                ui.horizontal(|ui| {
                    widgets::section(ui, "Studies");
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let new = widgets::small_button(ui, "New study …");
                        if new.on_hover_text("From a template, without a text editor (Ctrl Shift N)").clicked() {
                            commands.push(Command::Editor(EditorCommand::ShowNewStudyDialog(None)));
                        }
                    });
                });
            });
            ui.add_space(4.0);
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                if study(ui, "All studies", library.sessions.len(), home.study.is_none(), None) {
                    commands.push(Command::Home(HomeCommand::SetStudy(None)));
                }
                for row in &library.studies {
                    let count = library.sessions.iter().filter(|s| s.study == row.name).count();
                    let is_chosen = home.study.as_ref() == Some(&row.name);
                    if study(ui, &row.title, count, is_chosen, Some(row)) {
                        commands.push(Command::Home(HomeCommand::SetStudy((!is_chosen).then(|| row.name.clone()))));
                    }
                    if is_chosen {
                        edit_button(ui, row, commands);
                    }
                    if let Some(problem) = &row.problem {
                        Frame::new().inner_margin(Margin { left: 10, right: 4, top: 0, bottom: 6 }).show(ui, |ui| {
                            ui.label(RichText::new(problem).small().color(p.weak));
                        });
                    }
                }
            });
        });
    });
}

/// Below the chosen study. A study that came with the program is copied first.
fn edit_button(ui: &mut Ui, row: &StudyRow, commands: &mut Vec<Command>) {
    Frame::new().inner_margin(Margin { left: 10, right: 4, top: 2, bottom: 6 }).show(ui, |ui| {
        let text = if row.is_shipped { "Copy and edit …" } else { "Edit study" };
        if widgets::small_button(ui, text).accessible_name(format!("{text}: {}", row.title)).clicked() {
            commands.push(Command::Editor(EditorCommand::Edit(row.file.clone())));
        }
    });
}

fn study(ui: &mut Ui, title: &str, sessions: usize, is_chosen: bool, row: Option<&StudyRow>) -> bool {
    let p = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::click());
    background(ui, rect, is_chosen, &response, &p);
    let [name, count] = widgets::columns(rect.shrink2(vec2(10.0, 0.0)), 6.0, [0.0, 34.0]);
    let font = FontId::proportional(14.0);
    let color = if is_chosen { p.strong } else { p.text };
    widgets::line(ui, name, title, font.clone(), color, Align2::LEFT_CENTER);
    if row.is_some_and(|r| r.problem.is_some()) {
        widgets::warning_sign(ui.painter(), count.right_center() - vec2(7.0, 0.0), 6.5);
    } else {
        widgets::line(ui, count, &sessions.to_string(), FontId::proportional(12.5), p.weak, Align2::RIGHT_CENTER);
    }
    response.widget_info(|| {
        let name = format!("Study {title}, {}", figures::sessions(sessions));
        WidgetInfo::selected(egui::Role::RadioButton, true, is_chosen, name)
    });
    let message =
        row.map(|r| if r.description.is_empty() { r.name.clone() } else { format!("{}: {}", r.name, r.description) });
    match message {
        Some(text) => response.on_hover_text(text).clicked(),
        None => response.clicked(),
    }
}

fn background(ui: &Ui, rect: Rect, is_chosen: bool, response: &egui::Response, p: &Palette) {
    if is_chosen {
        ui.painter().rect_filled(rect, 6.0, p.selected);
    } else if response.hovered() {
        ui.painter().rect_filled(rect, 6.0, p.hover);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, 6.0, Stroke::new(1.5, p.accent), egui::StrokeKind::Inside);
    }
}

/// In a narrower area, the buttons have a row of their own.
const WIDE_TOOLS: f32 = 940.0;
/// As above, while states or grades are hidden: their menus have longer names, and there is a button that shows all.
const WIDE_TOOLS_FILTERED: f32 = 1200.0;

fn tools(ui: &mut Ui, home: &Home, commands: &mut Vec<Command>) {
    let Filter { hidden_states, hidden_grades, .. } = &home.filter;
    let has_hidden = !(hidden_states.is_empty() && hidden_grades.is_empty());
    let is_wide = ui.available_width() >= if has_hidden { WIDE_TOOLS_FILTERED } else { WIDE_TOOLS };
    ui.horizontal(|ui| {
        filter(ui, home, commands);
        if is_wide {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                session_buttons(ui, commands);
                study_button(ui, home, commands);
            });
        }
    });
    if !is_wide {
        ui.horizontal_wrapped(|ui| {
            session_buttons(ui, commands);
            study_button(ui, home, commands);
        });
    }
}

fn filter(ui: &mut Ui, home: &Home, commands: &mut Vec<Command>) {
    let mut filter = home.filter.text.clone();
    let field = egui::TextEdit::singleline(&mut filter)
        .hint_text("Filter by participant, study or date")
        .desired_width(220.0)
        .margin(Margin::symmetric(10, 6));
    if ui.add(field).accessible_name("Filter sessions").changed() {
        commands.push(Command::Home(HomeCommand::SetFilter(filter)));
    }
    filter_menus(ui, home, commands);
    let all = home.library.as_ref().map_or(0, |l| l.sessions.len());
    let message = if home.rows.len() == all { figures::sessions(all) } else { format!("{} of {all}", home.rows.len()) };
    widgets::caption(ui, message);
}

/// Which states and grades are shown. A menu stays open while boxes are clicked.
fn filter_menus(ui: &mut Ui, home: &Home, commands: &mut Vec<Command>) {
    let filter = &home.filter;
    let name = |text: &str, hidden: usize| if hidden == 0 { text.to_owned() } else { format!("{text}: some hidden") };
    let config =
        || egui::containers::menu::MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    let button = egui::containers::menu::MenuButton::new(name("State", filter.hidden_states.len())).config(config());
    button.ui(ui, |ui| {
        for kind in StateKind::ALL {
            let mut is_shown = !filter.hidden_states.contains(&kind);
            if ui.checkbox(&mut is_shown, kind.label()).changed() {
                commands.push(Command::Home(HomeCommand::ShowState(kind, is_shown)));
            }
        }
    });
    let button = egui::containers::menu::MenuButton::new(name("Grade", filter.hidden_grades.len())).config(config());
    button.ui(ui, |ui| {
        for grade in GRADES {
            let mut is_shown = !filter.hidden_grades.contains(&grade);
            let label = grade.map_or_else(|| "none".to_owned(), |g| format!("grade {g}"));
            if ui.checkbox(&mut is_shown, label).changed() {
                commands.push(Command::Home(HomeCommand::ShowGrade(grade, is_shown)));
            }
        }
    });
    if *filter != Filter::default() && widgets::small_button(ui, "Show all").clicked() {
        commands.push(Command::Home(HomeCommand::ClearFilters));
    }
}

/// Opens the study screen of the chosen study, or of the selected session's study.
fn study_button(ui: &mut Ui, home: &Home, commands: &mut Vec<Command>) {
    let study = home.study_to_query();
    let button = ui.add_enabled(study.is_some(), egui::Button::new("Study averages …"));
    let button = button.on_hover_text("Average affect around events, over all sessions of the study (Ctrl M)");
    if button.on_disabled_hover_text("Choose a study on the left, or select one of its sessions.").clicked() {
        commands.extend(study.map(|name| Command::Study(StudyCommand::Open(name))));
    }
}

fn session_buttons(ui: &mut Ui, commands: &mut Vec<Command>) {
    if widgets::primary(ui, true, "New session").on_hover_text("Ctrl N").clicked() {
        commands.push(Command::Home(HomeCommand::ShowNewSessionDialog));
    }
    if ui
        .button("Open session …")
        .on_hover_text("Open a session from another folder, or drop its folder here (Ctrl O)")
        .clicked()
    {
        commands.push(Command::Home(HomeCommand::ShowOpenDialog));
    }
    ui.menu_button("Import …", |ui| {
        if download_button(ui, commands) {
            ui.close();
        }
        if ui.button("Import video files …").on_hover_text("Make sessions from video files").clicked() {
            commands.push(Command::Job(JobCommand::ShowImport));
            ui.close();
        }
    });
}

/// Returns whether it was pressed.
fn download_button(ui: &mut Ui, commands: &mut Vec<Command>) -> bool {
    let hint = "Download sessions that browsers sent to your server (Ctrl Shift O)";
    let is_pressed = ui.button("Download from server …").on_hover_text(hint).clicked();
    if is_pressed {
        commands.push(Command::Home(HomeCommand::ShowDownloadDialog));
    }
    is_pressed
}

fn table(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let home = &state.home;
    let p = theme::palette(ui);
    let frame = theme::card(&p).inner_margin(Margin::ZERO);
    frame.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        head(ui, home, commands);
        if home.rows.is_empty() {
            let rect = ui.available_rect_before_wrap();
            ui.allocate_rect(rect, Sense::hover());
            let font = FontId::proportional(14.0);
            ui.painter().text(rect.center(), Align2::CENTER_CENTER, "No session matches the filter.", font, p.weak);
            return;
        }
        ScrollArea::vertical().auto_shrink(false).show_rows(ui, ROW, home.rows.len(), |ui, range| {
            scroll_to_selection(ui, home, &range);
            for session in home.listed().skip(range.start).take(range.len()) {
                session_row(ui, state, session, commands);
            }
        });
    });
}

/// Scrolls to a session that was selected by keyboard.
fn scroll_to_selection(ui: &Ui, home: &Home, range: &Range<usize>) {
    let id = ui.scope_id().with("selection");
    let before = ui.data(|d| d.get_temp::<Option<std::path::PathBuf>>(id)).flatten();
    if before == home.selected {
        return;
    }
    ui.data_mut(|d| d.insert_temp(id, home.selected.clone()));
    let row = home.listed().position(|s| Some(&s.folder) == home.selected.as_ref());
    if let Some(row) = row {
        let top = ui.max_rect().top() + (row as f32 - range.start as f32) * ROW;
        let rect = Rect::from_min_size(pos2(ui.max_rect().left(), top), vec2(10.0, ROW));
        ui.scroll_to_rect_animation(rect, None, egui::style::ScrollAnimation::none());
    }
}

fn cells(rect: Rect) -> [Rect; 8] {
    let inner = rect.shrink2(vec2(14.0, 0.0));
    let shares = [0.12, 0.10, 0.14, 0.19, 0.09, 0.13, 0.10, 0.13];
    let mut x = inner.left();
    shares.map(|share| {
        let width = inner.width() * share;
        let cell = Rect::from_min_max(pos2(x, inner.top()), pos2(x + width - 10.0, inner.bottom()));
        x += width;
        cell
    })
}

fn alignment(column: Column) -> Align2 {
    match column {
        Column::Length | Column::Size => Align2::RIGHT_CENTER,
        _ => Align2::LEFT_CENTER,
    }
}

/// Columns of numbers are aligned right, with space before the next column.
fn inset(column: Column, cell: Rect) -> Rect {
    match column {
        Column::Length | Column::Size => Rect::from_min_max(cell.min, cell.max - vec2(16.0, 0.0)),
        _ => cell,
    }
}

fn head(ui: &mut Ui, home: &Home, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 32.0), Sense::hover());
    for (cell, column) in cells(rect).into_iter().zip(Column::ALL) {
        let response = ui.interact(cell, ui.scope_id().with(column.label()), Sense::click());
        let is_order = home.order.by == column;
        let color = if is_order || response.hovered() || response.has_focus() { p.strong } else { p.weak };
        let cell = inset(column, cell);
        let align = alignment(column);
        let font = FontId::proportional(12.5);
        let text = ui.painter().text(align.pos_in_rect(&cell), align, column.label(), font, color);
        if is_order {
            let at = pos2(text.right() + 9.0, text.center().y);
            let up = if home.order.is_descending { 1.0 } else { -1.0 };
            let corners = [vec2(-3.5, -2.0 * up), vec2(3.5, -2.0 * up), vec2(0.0, 2.5 * up)].map(|v| at + v);
            ui.painter().add(Shape::convex_polygon(corners.to_vec(), color, Stroke::NONE));
        }
        if response.has_focus() {
            ui.painter().rect_stroke(
                cell.shrink2(vec2(-4.0, 4.0)),
                4.0,
                Stroke::new(1.5, p.accent),
                egui::StrokeKind::Inside,
            );
        }
        response.widget_info(|| {
            WidgetInfo::labeled(egui::Role::ColumnHeader, true, format!("Sort by {}", column.label().to_lowercase()))
        });
        if response.clicked() {
            commands.push(Command::Home(HomeCommand::SortBy(column)));
        }
        if column == Column::Quality {
            response.explained(Term::Grade);
        }
    }
    ui.painter().hline(rect.x_range(), rect.bottom(), Stroke::new(1.0, p.hairline));
}

fn session_row(ui: &mut Ui, state: &State, session: &SessionRow, commands: &mut Vec<Command>) {
    let home = &state.home;
    let p = theme::palette(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), ROW));
    // The id does not depend on what else is drawn: a menu of the row stays open when the bar below the table appears.
    let response = ui.interact(rect, egui::Id::unique(("session", &session.folder)), Sense::click());
    let is_selected = home.selection.contains(&session.folder);
    background(ui, rect.shrink2(vec2(4.0, 1.0)), is_selected, &response, &p);
    let is_damaged = matches!(session.state, SessionState::Damaged(_));
    let text = if is_damaged { p.weak } else { p.text };
    for (cell, column) in cells(rect).into_iter().zip(Column::ALL) {
        let cell = inset(column, cell);
        let (value, color) = match column {
            Column::Participant => match &session.participant {
                Some(participant) => (participant.to_string(), if is_damaged { p.weak } else { p.strong }),
                None => (session.title(), p.weak),
            },
            Column::Session => (session.session.map_or_else(String::new, |n| n.to_string()), text),
            Column::Study => (session.study.clone(), text),
            Column::Date => (state::date(session), text),
            Column::Length => (session.length.map_or_else(|| "–".to_owned(), figures::length), text),
            Column::Size => (figures::bytes(session.size_bytes), text),
            Column::Quality => {
                match session.grade {
                    Some(grade) => {
                        widgets::paint_grade(ui.painter(), cell.left_center(), grade, &p);
                        let id = response.id.with("grade");
                        let hint = ui.interact(cell, id, Sense::hover()).on_hover_text(widgets::grade_rule(grade));
                        hint.explained(Term::Grade);
                    }
                    None => {
                        ui.painter().text(
                            cell.left_center(),
                            Align2::LEFT_CENTER,
                            "–",
                            FontId::proportional(14.0),
                            p.weak,
                        );
                    }
                }
                continue;
            }
            Column::State => {
                let mut cell = cell;
                if matches!(
                    session.state,
                    SessionState::Damaged(_) | SessionState::Recovered(_) | SessionState::Incomplete(_)
                ) {
                    widgets::warning_sign(ui.painter(), cell.left_center() + vec2(6.0, 0.0), 6.0);
                    cell.min.x += 18.0;
                } else if session.state == SessionState::Recording {
                    ui.painter().circle_filled(cell.left_center() + vec2(5.0, 0.0), 4.0, p.accent);
                    cell.min.x += 18.0;
                }
                widgets::line(
                    ui,
                    cell,
                    state::state_label(session),
                    FontId::proportional(13.0),
                    p.weak,
                    Align2::LEFT_CENTER,
                );
                continue;
            }
        };
        let is_figure = matches!(column, Column::Length | Column::Size | Column::Date);
        let font = if is_figure { FontId::proportional(13.5) } else { FontId::proportional(14.0) };
        widgets::line(ui, cell, &value, font, color, alignment(column));
    }
    response.widget_info(|| {
        let name = format!("{}, study {}, {}", session.title(), session.study, state::state_label(session));
        WidgetInfo::selected(egui::Role::ListBoxOption, true, is_selected, name)
    });
    presses(ui, session, &response, is_selected, commands);
    response.context_menu(|ui| {
        let rows = if is_selected { home.selected_rows() } else { vec![session] };
        session_menu::menu(ui, &rows, state, commands);
    });
}

fn presses(ui: &Ui, session: &SessionRow, response: &egui::Response, is_selected: bool, commands: &mut Vec<Command>) {
    let is_entered = response.has_focus() && ui.input(|i| i.key_pressed(Key::Enter));
    if response.double_clicked() || is_entered {
        commands.push(Command::OpenSession(session.folder.clone()));
    } else if response.clicked() {
        let modifiers = ui.input(|i| i.modifiers);
        let folder = session.folder.clone();
        commands.push(Command::Home(match (modifiers.shift, modifiers.command) {
            (true, _) => HomeCommand::SelectUntil(folder),
            (false, true) => HomeCommand::ToggleSelected(folder),
            (false, false) => HomeCommand::Select(folder),
        }));
    } else if response.secondary_clicked() && !is_selected {
        commands.push(Command::Home(HomeCommand::Select(session.folder.clone())));
    }
}

fn selected(ui: &mut Ui, rows: &[&SessionRow], state: &State, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            session_menu::buttons(ui, rows, state, commands);
            if state.opening.is_some() {
                ui.spinner();
                widgets::caption(ui, "Opening …");
            }
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                let (title, message) = match rows {
                    [row] => (row.title(), row_message(row)),
                    several => {
                        let bytes = figures::bytes(several.iter().map(|row| row.size_bytes).sum());
                        (format!("{} selected", figures::sessions(several.len())), bytes)
                    }
                };
                ui.label(RichText::new(title).color(p.strong));
                ui.add(egui::Label::new(RichText::new(&message).small().weak()).truncate()).on_hover_text(&message);
            });
        });
    });
}

fn row_message(row: &SessionRow) -> String {
    match &row.state {
        SessionState::Damaged(sentence) | SessionState::Recovered(sentence) | SessionState::Incomplete(sentence) => {
            sentence.clone()
        }
        SessionState::Recording => "This session is being recorded.".to_owned(),
        SessionState::Complete => row.folder.display().to_string(),
    }
}

/// The text of an empty library: how to begin.
fn empty_library(ui: &mut Ui, library: &Library, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.22).max(20.0));
        ui.label(RichText::new("No sessions yet").size(24.0).color(p.strong));
        ui.add_space(10.0);
        ui.scope(|ui| {
            ui.set_max_width(ui.available_width().min(460.0));
            let steps = [
                "Press New session and choose a study, or New study for one of your own. The demo study needs only a camera.",
                "Sit in front of the camera. Wait until all checks are green.",
                "Press Record. Stop after the task. Then open the session in review.",
            ];
            for (k, step) in steps.iter().enumerate() {
                ui.horizontal(|ui| {
                    let (rect, _) = ui.allocate_exact_size(vec2(26.0, 26.0), Sense::hover());
                    ui.painter().circle_stroke(rect.center(), 11.0, Stroke::new(1.2, p.accent));
                    let font = FontId::proportional(13.0);
                    ui.painter().text(rect.center(), Align2::CENTER_CENTER, (k + 1).to_string(), font, p.accent);
                    ui.add(egui::Label::new(*step).wrap());
                });
                ui.add_space(4.0);
            }
            ui.add_space(14.0);
            ui.horizontal(|ui| {
                ui.add_space(34.0);
                if widgets::primary(ui, !library.studies.is_empty(), "New session").clicked() {
                    commands.push(Command::Home(HomeCommand::ShowNewSessionDialog));
                }
                if ui.button("Open session …").clicked() {
                    commands.push(Command::Home(HomeCommand::ShowOpenDialog));
                }
                download_button(ui, commands);
            });
            if library.studies.is_empty() {
                ui.add_space(8.0);
                widgets::caption(
                    ui,
                    format!("There is no study in {}. Press New study.", library.studies_folder.display()),
                );
            }
        });
    });
}

/// A hint while a file is dragged over the window.
fn drop_hint(ui: &Ui) {
    if ui.input(|i| i.raw.hovered_files.is_empty()) {
        return;
    }
    let p = theme::palette(ui);
    let rect = ui.ctx().content_rect().shrink(10.0);
    let layer = egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("dropping"));
    let painter = ui.ctx().layer_painter(layer);
    painter.rect(rect, 12.0, p.ground.gamma_multiply(0.85), Stroke::new(2.0, p.accent), egui::StrokeKind::Inside);
    let font = FontId::proportional(20.0);
    painter.text(rect.center(), Align2::CENTER_CENTER, "Drop a session to open it", font, p.strong);
}
