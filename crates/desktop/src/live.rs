//! The recording screen: page, camera picture, affect, events, health and alarms.

use eframe::egui;
use egui::{
    Align, Color32, Frame, Layout, Margin, Panel, Rect, RichText, ScrollArea, Sense, Stroke, StrokeKind, Ui, vec2,
};

use session::Seat;

use super::command::{Command, LiveCommand};
use super::explanations::{Explained, Term};
use super::plot_area::{self, PlotData};
use super::port::{Alarm, PagePlace, PageStatus, SessionPart};
use super::shown_lane::ShownLane;
use super::state::{ParticipantView, Recording, State};
use super::time_window::TimeWindow;
use super::{
    camera_view, events, expressions, figures, health_bar, keyboard_lamp, marker_bar, participant_view, plane, plots,
    screen_layout, shown_lane, theme, widgets,
};

/// The time span of the plots.
const FOLLOWED_S: f64 = 60.0;
/// The heights of header and footer are fixed, so that the page between them does not move when their contents change.
const HEADER: f32 = 50.0;
const FOOTER: f32 = 50.0;
/// The height of a second row, in a narrow window or with large text.
const ROW: f32 = 42.0;
/// In a narrower window, the figures of the health have a row of their own.
const WIDE_HEADER: f32 = 1180.0;
/// The space that the contents between the bars need.
const SMALLEST: egui::Vec2 = vec2(980.0, 480.0);
/// The longest title of a study in the header, in characters. Hovering shows the whole title.
const TITLE: usize = 26;
/// Height of the check lamps below the camera picture.
const LAMPS: f32 = 24.0;
/// Space between the upper part and the plots.
const GAP: f32 = 10.0;
/// Height of an alarm, and the space below the alarms.
const ALARM: f32 = 46.0;
const ALARMS_GAP: f32 = 8.0;

pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(recording) = &state.recording else { return };
    let p = theme::palette(ui);
    let frame = theme::bar(&p).inner_margin(Margin::symmetric(16, 6));
    let bar = Panel::top("live bar").frame(frame).exact_size(header_height(ui)).show(ui, |ui| {
        header(ui, recording, commands);
    });
    if !recording.alarms.is_empty() {
        let edge = Stroke::new(2.0, theme::LOSS);
        ui.painter().rect_stroke(bar.response.rect, 0.0, edge, StrokeKind::Inside);
    }
    let frame = theme::bar(&p).inner_margin(Margin::symmetric(16, 8));
    Panel::bottom("marker bar").frame(frame).exact_size(footer_height(ui)).show(ui, |ui| {
        marker_bar::show(ui, recording, state, commands);
    });
    let middle = Frame::new().fill(p.ground).inner_margin(Margin::symmetric(12, 10));
    let lanes = shown_lane::of(&recording.log, &state.preferences.lanes.live);
    egui::CentralPanel::default_margins().frame(middle).show(ui, |ui| {
        let upper = upper_height(ui.available_height().max(SMALLEST.y), recording, lanes.len());
        let needed = upper + GAP + alarms_height(recording) + plot_area::smallest_px(lanes.len());
        let smallest = vec2(SMALLEST.x, SMALLEST.y.max(needed));
        screen_layout::roomy(ui, smallest, |ui| body(ui, upper, recording, lanes, &state.participant, commands));
    });
}

/// The height of what is above the plots. The page keeps its size when alarms appear or signals are added: a page that moves
/// would disturb the participant.
fn upper_height(height: f32, recording: &Recording, lanes: usize) -> f32 {
    let share = if is_embedded(recording) { 0.53 } else { 0.41 - 0.02 * lanes as f32 };
    (height * share).max(180.0)
}

fn is_embedded(recording: &Recording) -> bool {
    recording.page.as_ref().is_some_and(|page| page.place == PagePlace::Embedded)
}

/// The height of the alarms above the plots, with the space below them.
fn alarms_height(recording: &Recording) -> f32 {
    match recording.alarms.len().min(2) {
        0 => 0.0,
        shown => ALARM * shown as f32 + ALARMS_GAP,
    }
}

fn header_height(ui: &Ui) -> f32 {
    HEADER + if ui.available_width() < WIDE_HEADER { ROW } else { 0.0 }
}

fn footer_height(ui: &Ui) -> f32 {
    FOOTER + if ui.available_width() < marker_bar::WIDE { ROW } else { 0.0 }
}

fn header(ui: &mut Ui, recording: &Recording, commands: &mut Vec<Command>) {
    // With very large text, what the operator acts on comes before the names.
    let is_acted_on_first = ui.available_width() < screen_layout::WIDE;
    if ui.available_width() < WIDE_HEADER - 32.0 {
        // Both rows can be scrolled, so that nothing is cut with large text.
        let row = |name: &str| ScrollArea::horizontal().id_salt(name).max_height(ROW);
        row("session").show(ui, |ui| ui.horizontal(|ui| session(ui, recording, is_acted_on_first, commands)));
        row("health").show(ui, |ui| ui.horizontal(|ui| health(ui, recording)));
        return;
    }
    ui.horizontal(|ui| {
        ui.set_min_height(36.0);
        session(ui, recording, false, commands);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                // Aligned right as a block, with the width that it had in the previous frame.
                let width =
                    ui.data(|d| d.get_temp::<f32>(ui.scope_id().with("health width"))).unwrap_or(ui.available_width());
                ui.add_space((ui.available_width() - width).max(0.0));
                let start = ui.cursor().left();
                health(ui, recording);
                let used = ui.min_rect().right() - start;
                ui.data_mut(|d| d.insert_temp(ui.scope_id().with("health width"), used));
            });
        });
    });
}

fn health(ui: &mut Ui, recording: &Recording) {
    health_bar::show(ui, &recording.health);
}

/// Time, session, phase and keyboard. `names_last`: the session comes last.
fn session(ui: &mut Ui, recording: &Recording, names_last: bool, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let (dot, _) = ui.allocate_exact_size(vec2(14.0, 14.0), Sense::hover());
    ui.painter().circle_filled(dot.center(), 5.5, p.accent);
    let clock = figures::clock(recording.elapsed_at());
    let clock_label = ui.label(RichText::new(&clock).font(theme::clock_font()).color(p.strong));
    clock_label.on_hover_text("Time since recording began");
    if !names_last {
        names(ui, recording);
    }
    match (part(ui, recording, commands), recording.are_parts_over) {
        (true, _) => {}
        (false, true) if !recording.phases.is_paused() => parts_over(ui, recording),
        (false, _) => phase_timer(ui, recording),
    }
    ui.add_space(12.0);
    keyboard_lamp::show(ui, recording);
    if names_last {
        names(ui, recording);
    }
}

/// Study, participant and session.
fn names(ui: &mut Ui, recording: &Recording) {
    let p = theme::palette(ui);
    ui.add_space(6.0);
    let study = &recording.study;
    let title: String = study.title.chars().take(TITLE).collect();
    let who = format!("{} {}", recording.plan.participant, recording.plan.session);
    let who = if recording.plan.seat == Seat::Pilot { format!("{who} pilot") } else { who };
    widgets::stat(ui, &title, &who, p.strong).on_hover_text(&study.title);
}

/// The part of the session that runs, with its remaining time, and a button that ends it. Returns `false` if none is shown.
fn part(ui: &mut Ui, recording: &Recording, commands: &mut Vec<Command>) -> bool {
    let guided = match recording.page.as_ref().map(|page| &page.status) {
        Some(PageStatus::Guided { phase, until }) => {
            Some(SessionPart { number: 0, name: phase.clone(), until: Some(*until), is_last: false })
        }
        _ => None,
    };
    // The last page ends with the recording, so there is nothing to show.
    let part = recording.part.clone().or(guided).filter(|part| !part.is_last);
    let Some(part) = part.filter(|_| !recording.phases.is_paused()) else { return false };
    ui.add_space(12.0);
    match part.until {
        Some(until) => countdown(ui, &part.name, until.since_ns(recording.now)),
        None => {
            let name: String = part.name.chars().take(TITLE).collect();
            widgets::stat(ui, "now", &name, theme::palette(ui).accent);
        }
    }
    if let Some(part) = &recording.part {
        let go_on = widgets::small_button(ui, "Go on");
        if go_on.on_hover_text("End this part and begin the next one").clicked() {
            commands.push(Command::Live(LiveCommand::GoOn(part.number)));
        }
    }
    true
}

fn parts_over(ui: &mut Ui, recording: &Recording) {
    ui.add_space(12.0);
    let color = theme::palette(ui).accent;
    widgets::stat(ui, "parts", "all over", color).on_hover_text(recording.parts_over_sentence());
}

/// The remaining time of a phase.
fn countdown(ui: &mut Ui, phase: &str, left_ns: i64) {
    let left_s = (left_ns.max(0) as f64 * 1e-9).ceil() as u64;
    let left = format!("{}:{:02} left", left_s / 60, left_s % 60);
    let phase: String = phase.chars().take(TITLE).collect();
    widgets::stat(ui, &phase, &left, theme::palette(ui).accent).explained(Term::Phase);
}

/// The task that runs by the plan, or the pause.
fn phase_timer(ui: &mut Ui, recording: &Recording) {
    let p = theme::palette(ui);
    let phases = &recording.study.phases;
    let (started, now) = (recording.started.at, recording.now);
    if let Some(since) = recording.phases.paused_since() {
        ui.add_space(12.0);
        let length = figures::minutes(now.since_ns(since) as f64 * 1e-9);
        widgets::stat(ui, "paused", &length, theme::CAUTION)
            .on_hover_text("The timers of the phases stand still. Camera and page are still recorded.");
    } else if let Some(times) = recording.phases.task(phases, started, now) {
        ui.add_space(12.0);
        let name: String = times.name.chars().take(TITLE).collect();
        let text = format!("{} · {} left", figures::minutes(times.elapsed_s), figures::minutes(times.left_s));
        let next = times.next.map_or_else(|| "It is the last phase.".to_owned(), |next| format!("Next: {next}."));
        let stat = widgets::stat(ui, &name, &text, p.accent);
        stat.on_hover_text(format!("Phase “{}”. {next}", times.name)).explained(Term::Phase);
    } else if recording.phases.is_over(phases, started, now) {
        ui.add_space(12.0);
        widgets::stat(ui, "phases", "all over", p.accent).on_hover_text("The planned time of all phases has passed.");
    }
}

fn body(
    ui: &mut Ui,
    upper_height: f32,
    recording: &Recording,
    lanes: Vec<ShownLane<'_>>,
    view: &ParticipantView,
    commands: &mut Vec<Command>,
) {
    let p = theme::palette(ui);
    let rect = ui.available_rect_before_wrap();
    let is_embedded = is_embedded(recording);
    let [upper, lower] = widgets::rows(rect, GAP, [upper_height, 0.0]);
    let side = (upper.width() * 0.26).clamp(220.0, 420.0);
    if is_embedded {
        let [page_rect, column] = widgets::columns(upper, 10.0, [0.0, side]);
        page(ui, page_rect, recording, commands);
        let [camera_rect, plane_rect] = widgets::rows(column, 8.0, [0.0, column.height() * 0.47]);
        camera(ui, camera_rect, recording);
        plane_card(ui, plane_rect, recording);
    } else {
        let shape =
            recording.preview.as_ref().map_or(4.0 / 3.0, |s| s.photo.width_px as f32 / s.photo.height_px as f32);
        let camera_width = ((upper.height() - LAMPS) * shape).min(upper.width() * 0.34);
        let square = upper.height().min(upper.width() * 0.24);
        let beside = (upper.width() * 0.19).clamp(180.0, 300.0);
        let [page_rect, camera_rect, plane_rect, bars_rect] =
            widgets::columns(upper, 10.0, [beside, camera_width, square, 0.0]);
        match recording.study.needs_window() {
            true => participant_window(ui, page_rect, recording, view, commands),
            false => no_page(ui, page_rect),
        }
        camera(ui, camera_rect, recording);
        plane_card(ui, plane_rect, recording);
        ui.painter().rect(bars_rect, 6.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
        expressions::show(ui, bars_rect.shrink2(vec2(12.0, 8.0)), recording.log.timeline(), recording.now);
    }
    ui.allocate_rect(rect, Sense::hover());

    let mut lower = lower;
    if !recording.alarms.is_empty() {
        let height = alarms_height(recording) - ALARMS_GAP;
        let [banner, rest] = widgets::rows(lower, ALARMS_GAP, [height, 0.0]);
        alarms(ui, banner, &recording.alarms, &p);
        lower = rest;
    }
    let bars = (lower.width() * 0.26).clamp(220.0, 420.0);
    let [left, right] = widgets::columns(lower, 12.0, [0.0, bars]);
    let until_s = recording.now.as_secs_f64();
    let window = TimeWindow { from_s: until_s - FOLLOWED_S, until_s };
    let plot_data = PlotData { log: &recording.log, window, playhead: None, review: None, lanes };
    widgets::within(ui, left, "plots", |ui| plots::show(ui, left, &plot_data, commands));
    let mut list = right;
    if is_embedded {
        let [bars, rest] = widgets::rows(right, 10.0, [(right.height() * 0.46).clamp(110.0, 190.0), 0.0]);
        expressions::show(ui, bars, recording.log.timeline(), recording.now);
        list = rest;
    }
    ui.painter().rect(list, 6.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    let list = list.shrink(4.0);
    widgets::within(ui, list, "event list", |ui| events::show(ui, &recording.log, None, commands));
}

/// Reserves the rectangle of the embedded page, which draws itself above this window.
fn page(ui: &mut Ui, rect: Rect, recording: &Recording, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    ui.painter().rect(rect, 0.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    let message = match recording.page.as_ref().map(|pg| &pg.status) {
        Some(PageStatus::Loading) => "The page is loading …",
        Some(PageStatus::Guided { .. }) => "The participant sees the fixation cross. The page follows.",
        Some(PageStatus::Failed(sentence)) => sentence.as_str(),
        Some(PageStatus::Loaded { .. }) | None => "The participant's page",
    };
    widgets::placeholder(ui, rect.shrink(12.0), message);
    // A page that is scrolled away must not cover the bars.
    let visible = rect.shrink(1.0).intersect(ui.clip_rect());
    if visible.is_positive() {
        commands.push(Command::Live(LiveCommand::SetPageBounds(visible)));
    }
}

fn no_page(ui: &mut Ui, rect: Rect) {
    let p = theme::palette(ui);
    ui.painter().rect(rect, 8.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    widgets::within(ui, rect.shrink(14.0), "no page", |ui| {
        widgets::section(ui, "No page");
        ui.add(egui::Label::new(RichText::new("This study has no page. Everything else is recorded.").weak()).wrap());
    });
}

fn participant_window(
    ui: &mut Ui,
    rect: Rect,
    recording: &Recording,
    view: &ParticipantView,
    commands: &mut Vec<Command>,
) {
    let p = theme::palette(ui);
    ui.painter().rect(rect, 8.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    let inner = rect.shrink(14.0);
    widgets::within(ui, inner, "participant window", |ui| {
        let Some(page) = &recording.page else {
            widgets::caption(ui, "The page is not open yet.");
            return;
        };
        let screen = match &page.place {
            PagePlace::ParticipantWindow { screen } => format!("on {screen}"),
            PagePlace::Embedded => "in this window".to_owned(),
        };
        widgets::section(ui, "Participant's page");
        ui.add(egui::Label::new(RichText::new(screen).weak()).wrap());
        ui.add_space(4.0);
        ScrollArea::vertical().show(ui, |ui| {
            let height = (inner.width() * 0.6).min(inner.height() * 0.42);
            participant_view::picture(ui, view, height, "Participant's screen");
            ui.add_space(4.0);
            let sentence = page.status.sentence();
            let status = egui::Label::new(RichText::new(&sentence).small());
            match page.status {
                // What went wrong is never cut.
                PageStatus::Failed(_) => ui.add(status.wrap()),
                _ => ui.add(status.truncate()).on_hover_text(format!("{sentence}\n{}", page.address)),
            };
            ui.add_space(4.0);
            participant_view::buttons(ui, view, commands);
        });
    });
}

fn camera(ui: &mut Ui, rect: Rect, recording: &Recording) {
    let [picture, lamps] = widgets::rows(rect, 4.0, [0.0, LAMPS - 4.0]);
    let shown = recording.preview.as_ref();
    let overlay = shown.and_then(|s| s.face.as_ref());
    let otherwise = if recording.study.camera.record { "Waiting for a picture …" } else { camera_view::NO_CAMERA };
    camera_view::show(ui, picture, shown.map(|s| &s.photo), overlay, "Camera", otherwise);
    if !recording.checks.is_empty() {
        widgets::within(ui, lamps, "lamps", |ui| camera_view::lamps(ui, &recording.checks));
    }
}

fn plane_card(ui: &mut Ui, rect: Rect, recording: &Recording) {
    let p = theme::palette(ui);
    ui.painter().rect(rect, 6.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    plane::show(ui, rect.shrink(6.0), recording.log.timeline(), recording.now);
}

fn alarms(ui: &mut Ui, rect: Rect, alarms: &[Alarm], p: &theme::Palette) {
    ui.painter().rect(rect, 6.0, theme::LOSS, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    widgets::within(ui, rect.shrink2(vec2(14.0, 5.0)), "alarms", |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for alarm in alarms.iter().take(2) {
            ui.add(egui::Label::new(RichText::new(&alarm.losing).color(Color32::WHITE)).truncate())
                .on_hover_text(&alarm.losing);
            let remedy = RichText::new(&alarm.remedy).size(12.5).color(Color32::from_rgb(0xFF, 0xE3, 0xE6));
            ui.add(egui::Label::new(remedy).truncate()).on_hover_text(&alarm.remedy);
        }
    });
}
