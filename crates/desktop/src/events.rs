//! The list of events. Only visible rows are drawn.

use eframe::egui;
use egui::{Align, Align2, FontId, Layout, Rect, RichText, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use session::Timestamp;

use super::command::{Command, ReviewCommand, StudyCommand};
use super::indexed_timeline::{IndexedTimeline, Lane};
use super::port::EventForm;
use super::state::Review;
use super::{event_text, figures, theme, widgets};

const ROW: f32 = 22.0;

/// With a playhead, the last event before it is marked, and a click seeks an event. Without one, the list follows the
/// newest event.
pub fn show(ui: &mut Ui, log: &IndexedTimeline, playhead: Option<Timestamp>, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let shown = log.shown();
    if shown.is_empty() {
        let rect = ui.available_rect_before_wrap();
        let sentence = if log.all() == 0 { "No events yet." } else { "No event matches the filter." };
        ui.painter().text(rect.center(), Align2::CENTER_CENTER, sentence, FontId::proportional(13.0), p.weak);
        return;
    }
    let current = playhead.and_then(|at| log.last_shown(at));
    let area = ScrollArea::vertical().auto_shrink(false).stick_to_bottom(playhead.is_none());
    ui.spacing_mut().item_spacing.y = 0.0;
    area.show_rows(ui, ROW, shown.len(), |ui, range| {
        scroll_to_current(ui, &range, current);
        for k in range {
            row(ui, log, k, current == Some(k), playhead.is_some(), commands);
        }
    });
}

/// Scrolls when the current event changes. Otherwise the operator's scroll position is kept.
fn scroll_to_current(ui: &Ui, range: &std::ops::Range<usize>, current: Option<usize>) {
    let id = ui.scope_id().with("current event");
    let before = ui.data(|d| d.get_temp::<Option<usize>>(id)).flatten();
    if before == current {
        return;
    }
    ui.data_mut(|d| d.insert_temp(id, current));
    if let Some(k) = current {
        let top = ui.max_rect().top() + (k as f32 - range.start as f32) * ROW;
        let rect = Rect::from_min_size(pos2(ui.max_rect().left(), top - ROW), vec2(10.0, 3.0 * ROW));
        ui.scroll_to_rect_animation(rect, None, egui::style::ScrollAnimation::none());
    }
}

fn row(
    ui: &mut Ui,
    log: &IndexedTimeline,
    k: usize,
    is_current: bool,
    is_clickable: bool,
    commands: &mut Vec<Command>,
) {
    let p = theme::palette(ui);
    let event = &log.timeline().events()[log.shown()[k] as usize];
    let sense = if is_clickable { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), sense);
    if is_current {
        ui.painter().rect_filled(rect, 4.0, p.selected);
    } else if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4.0, p.hover);
    }
    let lane = Lane::of(event.stream.as_str(), &event.what.kind);
    let time_text = event.at.to_string();
    // The hour is shown only if it is not 0.
    let (short_time, time_width) = match time_text.strip_prefix("00:") {
        Some(short) => (short, 66.0),
        None => (time_text.as_str(), 86.0),
    };
    let [sign, time, kind, details] =
        widgets::columns(rect.shrink2(vec2(6.0, 0.0)), 6.0, [12.0, time_width, 60.0, 0.0]);
    match lane {
        Lane::Marker => {
            ui.painter().add(widgets::diamond(sign.center(), 4.5, p.accent));
        }
        Lane::Warning => widgets::warning_sign(ui.painter(), sign.center(), 5.0),
        Lane::Page => {
            ui.painter().circle_filled(sign.center(), 2.0, p.weak);
        }
        Lane::Blink => {
            ui.painter().circle_filled(sign.center(), 2.0, theme::BLINK);
        }
    }
    widgets::line(ui, time, short_time, FontId::monospace(11.5), p.weak, Align2::LEFT_CENTER);
    let message = event_text::details(&event.what.data);
    // Without details, the kind may use the whole row.
    let kind = if message.is_empty() { kind.union(details) } else { kind };
    let words = event_text::kind(&event.what.kind);
    let is_kind_cut = widgets::line(ui, kind, &words, FontId::proportional(13.0), p.text, Align2::LEFT_CENTER);
    let color = if lane == Lane::Marker { p.strong } else { p.weak };
    let is_cut = widgets::line(ui, details, &message, FontId::proportional(13.0), color, Align2::LEFT_CENTER);
    response.widget_info(|| {
        let name = format!("{} {}", time_text, event_text::event(&event.what));
        WidgetInfo::selected(egui::Role::ListBoxOption, true, is_current, name)
    });
    let response =
        if is_cut || is_kind_cut { response.on_hover_text(event_text::event(&event.what)) } else { response };
    if response.clicked() {
        commands.push(Command::Review(ReviewCommand::Seek(event.at)));
    }
}

/// The filter of the list.
pub fn filter(ui: &mut Ui, log: &IndexedTimeline, commands: &mut Vec<Command>) {
    let filter = log.filter();
    let mut wanted = filter.clone();
    let mut boxes = |ui: &mut Ui, lanes: &[Lane]| {
        for lane in lanes {
            ui.checkbox(&mut wanted.lanes[*lane as usize], lane.label());
        }
    };
    let (blinks, others) = ([Lane::Blink], [Lane::Page, Lane::Marker, Lane::Warning]);
    // Four boxes have no room beside the number of events.
    let has_blinks = log.has(Lane::Blink);
    if has_blinks {
        ui.horizontal(|ui| boxes(ui, &others));
    }
    ui.horizontal(|ui| {
        boxes(ui, if has_blinks { &blinks[..] } else { &others[..] });
        let (shown, all) = (log.shown().len() as u64, log.all() as u64);
        let message = match (figures::count(shown), figures::count(all)) {
            (_, counted) if shown == all => counted,
            (shown, all) => format!("{shown} of {all}"),
        };
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| widgets::caption(ui, message));
    });
    let field = egui::TextEdit::singleline(&mut wanted.text).hint_text("Filter events").desired_width(f32::INFINITY);
    ui.add(field).accessible_name("Filter events");
    if wanted != *filter {
        commands.push(Command::Review(ReviewCommand::SetEventFilter(wanted)));
    }
}

/// Buttons that select the events like the one at the playhead for a study query.
pub fn similar_events(ui: &mut Ui, review: &Review, commands: &mut Vec<Command>) {
    let Some(event) = review.event_at_playhead() else {
        // The same height as with an event, so that the list below does not move.
        ui.horizontal(|ui| ui.add_enabled_ui(false, |ui| widgets::small_button(ui, "Similar events")));
        return;
    };
    let form = EventForm::like(event);
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let compare = widgets::small_button(ui, "compare").accessible_name("Compare with similar events");
            if compare.on_hover_text("Compare with the average around these events, as condition B (Shift A)").clicked()
            {
                commands.push(Command::Study(StudyCommand::SelectSimilarEvents { condition: 1 }));
            }
            let average = widgets::small_button(ui, "Similar events");
            if average.on_hover_text("Average affect around all events like this one in the study (A)").clicked() {
                commands.push(Command::Study(StudyCommand::SelectSimilarEvents { condition: 0 }));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(egui::Label::new(RichText::new(form.title()).size(13.0)).truncate());
            });
        });
    });
}
