//! The list of the signals of a session, from which the operator chooses the lanes.

use eframe::egui;
use egui::{CollapsingHeader, RichText, ScrollArea, Ui};

use analysis::SignalId;
use session::{Field, Rows, StreamInfo};

use super::command::{Command, SignalsCommand};
use super::dialog_parts::{buttons, close, field, tick, title};
use super::indexed_timeline::IndexedTimeline;
use super::lane_choice::{LaneList, MOST_LANES};
use super::state::State;
use super::{lane_scale, widgets};

/// Height of the list.
const LIST_PX: f32 = 330.0;
/// Height of a field in the list.
const ROW_PX: f32 = 22.0;
/// A stream with more fields is closed until it is opened or searched.
const MANY_FIELDS: usize = 40;

pub fn show(ui: &mut Ui, search: &str, state: &State, commands: &mut Vec<Command>) {
    title(ui, "Signals");
    let Some((log, chosen)) = state.signals() else {
        widgets::caption(ui, "The session has ended.");
        buttons(ui, |ui| close(ui, commands));
        return;
    };
    let mut text = search.to_owned();
    let typed = field(ui, "Search", &mut text, "pulse, yaw, EDA …");
    if typed.changed() {
        commands.push(Command::Signals(SignalsCommand::Search(text)));
    }
    widgets::caption(ui, format!("{} of {MOST_LANES} chosen. They are shown below valence and arousal.", chosen.len()));
    ui.add_space(4.0);
    let area = ScrollArea::vertical().id_salt("signals").max_height(LIST_PX).min_scrolled_height(LIST_PX);
    area.auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().interact_size.y = ROW_PX;
        ui.spacing_mut().item_spacing.y = 1.0;
        list(ui, search.trim(), log, chosen, commands);
    });
    absent(ui, log, chosen, commands);
    buttons(ui, |ui| close(ui, commands));
}

/// The streams with the fields that fit the search.
fn list(ui: &mut Ui, search: &str, log: &IndexedTimeline, chosen: &LaneList, commands: &mut Vec<Command>) {
    let search = search.to_lowercase();
    let mut is_empty = true;
    for info in Rows::streams(log.timeline()) {
        let is_stream_found = info.name.as_str().contains(&search);
        let fits = |field: &&Field| is_stream_found || is_found(field, &search);
        let fields: Vec<&Field> = info.fields.iter().filter(fits).collect();
        if fields.is_empty() {
            continue;
        }
        is_empty = false;
        let header = CollapsingHeader::new(RichText::new(info.name.as_str()).size(14.0))
            .id_salt(("signals of", info.name.as_str()))
            .default_open(info.fields.len() <= MANY_FIELDS)
            .open((!search.is_empty()).then_some(true));
        let header = header.show(ui, |ui| fields.iter().for_each(|field| row(ui, info, field, chosen, commands)));
        header.header_response.on_hover_text(&info.description);
    }
    if is_empty {
        widgets::caption(ui, if search.is_empty() { "This session has no signals yet." } else { "No signal fits." });
    }
}

fn is_found(field: &Field, search: &str) -> bool {
    field.name.to_lowercase().contains(search) || field.description.to_lowercase().contains(search)
}

fn row(ui: &mut Ui, info: &StreamInfo, field: &Field, chosen: &LaneList, commands: &mut Vec<Command>) {
    let signal = SignalId { stream: info.name.clone(), field: field.name.clone() };
    let mut is_chosen = chosen.has(&signal);
    let unit = lane_scale::unit_text(&field.unit);
    let text = if unit.is_empty() { field.name.clone() } else { format!("{}   {unit}", field.name) };
    ui.horizontal(|ui| {
        let response = tick(ui, &mut is_chosen, &text).accessible_name(signal.title());
        if response.on_hover_text(&field.description).changed() {
            commands.push(Command::Signals(match is_chosen {
                true => SignalsCommand::Add(signal),
                false => SignalsCommand::Remove(signal),
            }));
        }
        let description = RichText::new(&field.description).small().weak();
        ui.add(egui::Label::new(description).truncate()).on_hover_text(&field.description);
    });
}

/// The chosen signals that this session lacks.
fn absent(ui: &mut Ui, log: &IndexedTimeline, chosen: &LaneList, commands: &mut Vec<Command>) {
    for lane in chosen.iter() {
        let signal = &lane.signal;
        let series = log.timeline().series(signal.stream.as_str());
        if series.is_some_and(|series| series.info.field_index(&signal.field).is_some()) {
            continue;
        }
        ui.horizontal(|ui| {
            let remove = widgets::small_button(ui, "×").accessible_name(format!("Remove {}", signal.title()));
            if remove.on_hover_text("Remove from the chosen signals").clicked() {
                commands.push(Command::Signals(SignalsCommand::Remove(signal.clone())));
            }
            let sentence = format!("{} is not in this session.", signal.title());
            ui.add(egui::Label::new(RichText::new(sentence).small().weak()).truncate());
        });
    }
}
