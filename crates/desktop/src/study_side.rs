//! The side panel of the study screen: sessions with grades, single epochs, and figures.

use eframe::egui;
use egui::{
    Align, Align2, FontId, Grid, Key, Layout, Rect, RichText, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use analysis::{Comparison, Design};

use super::command::{Command, StudyCommand};
use super::explanations::{Explained, Term};
use super::port::{SessionRow, StudyQueryResult};
use super::state::{StudySide, StudyState};
use super::{figures, theme, widgets};

const ROW: f32 = 26.0;

pub fn show(ui: &mut Ui, study: &StudyState, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        for (side, text) in
            [(StudySide::Sessions, "Sessions"), (StudySide::Epochs, "Epochs"), (StudySide::Figures, "Figures")]
        {
            if ui.selectable_label(study.side == side, text).clicked() {
                commands.push(Command::Study(StudyCommand::ShowSide(side)));
            }
        }
    });
    ui.add_space(4.0);
    match (study.side, &study.result) {
        (StudySide::Sessions, _) => sessions(ui, study, commands),
        (_, None) => {
            widgets::caption(ui, "No averages yet.");
        }
        (StudySide::Epochs, Some(result)) => epochs(ui, study, result, commands),
        (StudySide::Figures, Some(result)) => {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| numbers(ui, result));
        }
    }
}

fn sessions(ui: &mut Ui, study: &StudyState, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        let mut all = study.excluded.is_empty();
        if ui.checkbox(&mut all, "All").accessible_name("Include all sessions").changed() {
            commands.push(Command::Study(StudyCommand::IncludeAll(all)));
        }
        if study.pilots() > 0 {
            let mut with_pilots = study.with_pilots;
            if ui
                .checkbox(&mut with_pilots, "Pilots")
                .on_hover_text("Sessions that the operator recorded to try the study")
                .changed()
            {
                commands.push(Command::Study(StudyCommand::IncludePilots(with_pilots)));
            }
        }
        let message = format!("{} of {}", study.included().len(), study.sessions.len());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            widgets::caption(ui, "events");
            ui.add_space(8.0);
            widgets::caption(ui, message);
        });
    });
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, ROW, study.sessions.len(), |ui, range| {
        for row in &study.sessions[range] {
            session(ui, study, row, commands);
        }
    });
}

fn session(ui: &mut Ui, study: &StudyState, row: &SessionRow, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width() - 4.0, ROW), Sense::click());
    focusable(ui, rect, false, &response, &p);
    let [tick, name, grade, count] = widgets::columns(rect.shrink2(vec2(4.0, 0.0)), 8.0, [22.0, 0.0, 24.0, 74.0]);
    let mut is_included = study.is_included(row);
    let is_open = study.with_pilots || !row.is_pilot;
    widgets::within(ui, tick, &format!("tick {}", row.folder.display()), |ui| {
        if ui
            .add_enabled(is_open, egui::Checkbox::new(&mut is_included, ""))
            .accessible_name(format!("Include {}", row.title()))
            .changed()
        {
            commands.push(Command::Study(StudyCommand::Include { session: row.folder.clone(), is_included }));
        }
    });
    let color = if is_included { p.text } else { p.weak };
    widgets::line(ui, name, &titled(row), FontId::proportional(13.5), color, Align2::LEFT_CENTER);
    if let Some(letter) = row.grade {
        widgets::paint_grade(ui.painter(), grade.left_center(), letter, &p);
    }
    let counts: Vec<String> = study
        .event_counts
        .iter()
        .flatten()
        .filter_map(|m| m.found.as_ref().ok()?.iter().find(|(folder, _)| *folder == row.folder))
        .map(|(_, n)| figures::count(*n))
        .collect();
    if is_included {
        widgets::line(ui, count, &counts.join(" / "), FontId::proportional(12.5), p.weak, Align2::RIGHT_CENTER);
    }
    response.widget_info(|| {
        let grade = row.grade.map_or_else(|| "no grade".to_owned(), |g| format!("quality {g}"));
        let events = match counts.is_empty() {
            true => "events are not counted yet".to_owned(),
            false => format!("{} events", counts.join(" and ")),
        };
        let name = format!("{}, {grade}, {events}", row.title());
        WidgetInfo::labeled(egui::Role::Button, true, name)
    });
    let is_entered = is_entered(ui, &response);
    if response.double_clicked() || is_entered {
        commands.push(Command::OpenSession(row.folder.clone()));
    }
    response.on_hover_text("A double click or Enter opens the session.");
}

fn titled(row: &SessionRow) -> String {
    if row.is_pilot { format!("{}  pilot", row.title()) } else { row.title() }
}

/// Whether Enter was pressed while the control had the keyboard focus.
fn is_entered(ui: &Ui, response: &egui::Response) -> bool {
    response.has_focus() && ui.input(|i| i.key_pressed(Key::Enter))
}

fn focusable(ui: &Ui, rect: Rect, is_chosen: bool, response: &egui::Response, p: &theme::Palette) {
    if is_chosen {
        ui.painter().rect_filled(rect, 4.0, p.selected);
    } else if response.hovered() {
        ui.painter().rect_filled(rect, 4.0, p.hover);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(rect, 4.0, Stroke::new(1.5, p.accent), egui::StrokeKind::Inside);
    }
}

fn epochs(ui: &mut Ui, study: &StudyState, result: &StudyQueryResult, commands: &mut Vec<Command>) {
    widgets::caption(ui, "Up and Down select an epoch. Enter shows it on video.");
    ui.add_space(2.0);
    let rows: Vec<(usize, usize)> = result
        .conditions
        .iter()
        .enumerate()
        .flat_map(|(condition, c)| (0..c.epochs.len()).map(move |position| (condition, position)))
        .collect();
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, ROW, rows.len(), |ui, range| {
        scroll_to_selection(ui, study, &rows, range.start);
        for (condition, position) in &rows[range] {
            epoch(ui, study, result, *condition, *position, commands);
        }
    });
}

/// Scrolls to an epoch that was selected by keyboard or in the plot.
fn scroll_to_selection(ui: &Ui, study: &StudyState, rows: &[(usize, usize)], first: usize) {
    let id = ui.scope_id().with("chosen epoch");
    let before = ui.data(|d| d.get_temp::<Option<(usize, usize)>>(id)).flatten();
    if before == study.epoch {
        return;
    }
    ui.data_mut(|d| d.insert_temp(id, study.epoch));
    if let Some(k) = rows.iter().position(|row| Some(*row) == study.epoch) {
        let top = ui.max_rect().top() + (k as f32 - first as f32) * ROW;
        let rect = Rect::from_min_size(pos2(ui.max_rect().left(), top - ROW), vec2(10.0, 3.0 * ROW));
        ui.scroll_to_rect_animation(rect, None, egui::style::ScrollAnimation::none());
    }
}

fn epoch(
    ui: &mut Ui,
    study: &StudyState,
    result: &StudyQueryResult,
    condition: usize,
    position: usize,
    commands: &mut Vec<Command>,
) {
    let p = theme::palette(ui);
    let Some(epoch) = result.conditions.get(condition).and_then(|c| c.epochs.get(position)) else { return };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width() - 4.0, ROW), Sense::click());
    let is_chosen = study.epoch == Some((condition, position));
    focusable(ui, rect, is_chosen, &response, &p);
    let [chip, name, at, peaks] = widgets::columns(rect.shrink2(vec2(6.0, 0.0)), 6.0, [10.0, 0.0, 40.0, 86.0]);
    if result.conditions.len() > 1 {
        let color = theme::CONDITIONS[condition.min(1)];
        ui.painter().rect_filled(Rect::from_center_size(chip.center(), vec2(9.0, 9.0)), 2.0, color);
    }
    widgets::line(ui, name, &epoch.title, FontId::proportional(13.0), p.text, Align2::LEFT_CENTER);
    // The hour is shown only if it is not 0.
    let clock = figures::clock(epoch.at);
    let clock = clock.strip_prefix("00:").unwrap_or(&clock);
    widgets::line(ui, at, clock, FontId::monospace(11.0), p.weak, Align2::LEFT_CENTER);
    let means = epoch.curves.iter().map(|curve| mean_after(&result.times_s, curve));
    let means: Vec<String> = means.map(|m| m.map_or_else(|| "–".to_owned(), figures::signed)).collect();
    let plan = &result.query.plan;
    let names: Vec<String> = plan.signals.iter().map(|signal| plan.label(signal)).collect();
    let text = means.join(" ");
    widgets::line(ui, peaks, &text, FontId::monospace(11.0), p.weak, Align2::RIGHT_CENTER);
    response.widget_info(|| {
        let values: String = names.iter().zip(&means).map(|(name, mean)| format!(", {name} {mean}")).collect();
        let name = format!("Epoch {} at {}{values}", epoch.title, epoch.at);
        WidgetInfo::selected(egui::Role::ListBoxOption, true, is_chosen, name)
    });
    if response.clicked() || (response.has_focus() && ui.input(|i| i.key_pressed(Key::Enter))) {
        commands.push(Command::Study(StudyCommand::SelectEpoch(condition, position)));
    }
    if response.double_clicked() {
        commands.push(Command::Study(StudyCommand::OpenEpoch));
    }
    let hint = format!("Mean {} after the event. A double click shows it on video.", names.join(" and "));
    response.on_hover_text(hint);
}

fn mean_after(times_s: &[f64], curve: &[f32]) -> Option<f32> {
    let (sum, n) = times_s
        .iter()
        .zip(curve)
        .filter(|(at_s, v)| **at_s >= 0.0 && v.is_finite())
        .fold((0.0f32, 0u32), |(sum, n), (_, v)| (sum + v, n + 1));
    (n > 0).then(|| sum / n as f32)
}

fn numbers(ui: &mut Ui, result: &StudyQueryResult) {
    for (k, (condition, events)) in result.conditions.iter().zip(&result.query.events).enumerate() {
        let letter = if result.conditions.len() > 1 { ["A: ", "B: "][k.min(1)] } else { "" };
        widgets::section(ui, &format!("{letter}{}", events.title()));
        let left_out = condition.left_out();
        let rows = [
            ("Participants", figures::count(condition.participants())),
            ("Epochs averaged", figures::count(condition.epochs.len() as u64)),
            ("Left out", figures::count(left_out.iter().map(|(_, n)| n).sum())),
        ];
        table(ui, &format!("condition {k}"), rows);
        if !left_out.is_empty() {
            let reasons = left_out.iter().map(|(why, n)| (why.to_string(), figures::count(*n)));
            ui.indent(("left out", k), |ui| table(ui, &format!("reasons {k}"), reasons));
        }
        ui.add_space(10.0);
    }
    for comparison in &result.comparisons {
        comparison_table(ui, comparison);
        ui.add_space(8.0);
    }
    if !result.comparisons.is_empty() {
        let rule = "Cluster-based permutation test (Maris and Oostenveld 2007).";
        ui.add(egui::Label::new(RichText::new(rule).small().weak()).wrap());
    }
    let unread = result.unread.iter().map(|(title, why)| format!("{title} could not be read: {why}"));
    for note in result.notes.iter().cloned().chain(unread) {
        ui.add_space(6.0);
        ui.add(egui::Label::new(RichText::new(note).small()).wrap());
    }
}

fn comparison_table(ui: &mut Ui, comparison: &Comparison) {
    let name = format!("A versus B: {}", comparison.measure);
    widgets::section(ui, &name);
    let effect = &comparison.effect;
    let signed = |v: f64| figures::signed(v as f32);
    let d = match comparison.design {
        Design::Paired => "Cohen's d_z",
        _ => "Cohen's d",
    };
    let rows = [
        ("Difference after the event", signed(effect.difference)),
        ("95 % interval", format!("{} to {}", signed(effect.low), signed(effect.high))),
        (d, effect.cohens_d.map_or_else(|| "–".to_owned(), signed)),
    ];
    table(ui, &name, rows);
    if comparison.clusters.is_empty() {
        widgets::caption(ui, "No clusters.");
    } else {
        let clusters = comparison
            .clusters
            .iter()
            .map(|c| (format!("{:.2} to {:.2} s", c.from_s, c.until_s).replace('-', "−"), figures::p_value(c.p)));
        widgets::caption(ui, "Clusters and p").explained(Term::Clusters);
        ui.indent(("clusters", &name), |ui| table(ui, &format!("clusters {name}"), clusters));
    }
    for note in &comparison.notes {
        ui.add(egui::Label::new(RichText::new(note).small().weak()).wrap());
    }
}

/// The explanation of a row, by its name.
fn term_of(name: &str) -> Option<Term> {
    Some(match name {
        "Epochs averaged" => Term::Epochs,
        "Left out" => Term::LeftOut,
        "Difference after the event" => Term::Difference,
        "95 % interval" => Term::Interval,
        "Cohen's d" | "Cohen's d_z" => Term::CohensD,
        _ => return None,
    })
}

fn table<N: Into<String>>(ui: &mut Ui, id: &str, rows: impl IntoIterator<Item = (N, String)>) {
    Grid::new(id).num_columns(2).min_row_height(19.0).spacing([18.0, 3.0]).show(ui, |ui| {
        for (name, value) in rows {
            let name: String = name.into();
            let label = ui.label(RichText::new(&name).size(13.0).weak());
            let value = ui.label(RichText::new(value).size(13.0));
            if let Some(term) = term_of(&name) {
                label.explained(term);
                value.explained(term);
            }
            ui.end_row();
        }
    });
}
