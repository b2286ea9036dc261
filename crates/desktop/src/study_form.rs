//! The form of a study query: events, time window and baseline.

use eframe::egui;
use egui::{ComboBox, DragValue, Margin, RichText, ScrollArea, Sense, Ui, WidgetInfo, vec2};

use analysis::QualityLimits;

use super::command::{Command, StudyCommand};
use super::port::{Correction, EpochPlan, EventCatalogue, EventCounts, EventForm, SignalId};
use super::state::{StudyForm, StudyState};
use super::{figures, theme, widgets};

const NAMES: [&str; 2] = ["A", "B"];

pub fn show(ui: &mut Ui, study: &StudyState, commands: &mut Vec<Command>) {
    let mut form = study.form.clone();
    egui::Panel::bottom("ask").frame(egui::Frame::new()).show_separator_line(false).show(ui, |ui| {
        ui.add_space(8.0);
        run_button(ui, study, commands);
    });
    egui::CentralPanel::default_margins().frame(egui::Frame::new()).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            // Leaves space for the scroll bar.
            ui.set_max_width(ui.available_width() - 4.0);
            events(ui, study, &mut form, 0);
            ui.add_space(6.0);
            if form.is_comparing {
                events(ui, study, &mut form, 1);
            } else if widgets::small_button(ui, "Compare with other events").clicked() {
                form.is_comparing = true;
            }
            ui.add_space(12.0);
            signal(ui, study.catalogue.as_ref(), &mut form.plan);
            window_and_limits(ui, &mut form);
        });
    });
    if form != study.form {
        commands.push(Command::Study(StudyCommand::SetForm(Box::new(form))));
    }
}

fn events(ui: &mut Ui, study: &StudyState, form: &mut StudyForm, k: usize) {
    let is_comparing = form.is_comparing;
    ui.horizontal(|ui| {
        let title = if is_comparing { format!("Events {}", NAMES[k]) } else { "Events".to_owned() };
        if is_comparing {
            let (chip, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
            ui.painter().rect_filled(chip, 3.0, theme::CONDITIONS[k]);
        }
        widgets::section(ui, &title);
        if k == 1 {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if widgets::small_button(ui, "Remove").accessible_name("Remove events B").clicked() {
                    form.is_comparing = false;
                }
            });
        }
    });
    let name = |part: &str| if is_comparing { format!("{part} of events {}", NAMES[k]) } else { part.to_owned() };
    let events = &mut form.events[k];
    kind(ui, study.catalogue.as_ref(), events, k, &name("Kind"));
    if events.is_empty() {
        return;
    }
    let known = study.catalogue.as_ref();
    let row = known.and_then(|c| c.kinds.iter().find(|r| r.stream == events.stream && r.kind == events.kind));
    let (targets, values) = row.map_or((&[][..], &[][..]), |row| (&row.targets, &row.values));
    field_with_menu(ui, "target", &name("Target"), &mut events.target, "any target", targets);
    field_with_menu(ui, "value", &name("Value"), &mut events.value, "any value, label or key", values);
    field(ui, "pattern", &name("Pattern"), &mut events.pattern, "any text: a regular expression");
    if let Some(conditions) = known.map(|c| &c.conditions).filter(|all| !all.is_empty()) {
        field_with_menu(
            ui,
            "group",
            &name("Condition"),
            &mut events.condition,
            "sessions of any condition",
            conditions,
        );
    }
    match_count(ui, study.event_counts[k].as_ref());
}

fn kind(ui: &mut Ui, catalogue: Option<&EventCatalogue>, events: &mut EventForm, k: usize, name: &str) {
    let text = match (events.is_empty(), events.kind.is_empty()) {
        (true, _) => "Choose a kind of event".to_owned(),
        (false, true) => format!("all of {}", events.stream),
        (false, false) => format!("{}  {}", events.stream, events.kind),
    };
    let combo = ComboBox::from_id_salt(("kind", k)).selected_text(text).width(ui.available_width() - 4.0).truncate();
    let combo = combo.show_ui(ui, |ui| {
        let Some(catalogue) = catalogue else {
            widgets::caption(ui, "Reading the sessions …");
            return;
        };
        if catalogue.kinds.is_empty() {
            widgets::caption(ui, "These sessions contain no events.");
        }
        for row in &catalogue.kinds {
            let is_chosen = row.stream == events.stream && row.kind == events.kind;
            let text = format!("{}  {}   {}", row.stream, row.kind, figures::count(row.count));
            if ui.selectable_label(is_chosen, text).clicked() && !is_chosen {
                *events = EventForm { stream: row.stream.clone(), kind: row.kind.clone(), ..EventForm::default() };
            }
        }
    });
    combo.response.accessible_name(name);
}

/// A field, with a menu of the values that occur.
fn field_with_menu(ui: &mut Ui, label: &str, name: &str, text: &mut String, hint: &str, known: &[(String, u64)]) {
    ui.horizontal(|ui| {
        caption(ui, label);
        let width = ui.available_width() - if known.is_empty() { 0.0 } else { 38.0 };
        edit(ui, text, hint, width, name);
        if known.is_empty() {
            return;
        }
        let menu = ui.menu_button("…", |ui| {
            ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
                for (value, count) in known {
                    let row = format!("{value}   {}", figures::count(*count));
                    if ui.selectable_label(value == text, row).clicked() {
                        text.clone_from(value);
                        ui.close();
                    }
                }
            });
        });
        menu.response.accessible_name(format!("{name}: values that occur")).on_hover_text("Values in this study");
    });
}

fn field(ui: &mut Ui, label: &str, name: &str, text: &mut String, hint: &str) {
    ui.horizontal(|ui| {
        caption(ui, label);
        let width = ui.available_width();
        edit(ui, text, hint, width, name);
    });
}

/// The caption before a field. All captions have the same width.
fn caption(ui: &mut Ui, label: &str) {
    let p = theme::palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(52.0, 24.0), Sense::hover());
    widgets::line(ui, rect, label, theme::caption_font(), p.weak, egui::Align2::LEFT_CENTER);
}

fn edit(ui: &mut Ui, text: &mut String, hint: &str, width: f32, name: &str) {
    let field = egui::TextEdit::singleline(text)
        .hint_text(hint)
        .desired_width(width - 20.0)
        .font(egui::FontId::proportional(13.0))
        .margin(Margin::symmetric(8, 4));
    ui.add(field).accessible_name(name);
}

fn match_count(ui: &mut Ui, matches: Option<&EventCounts>) {
    let p = theme::palette(ui);
    ui.horizontal(|ui| {
        caption(ui, "");
        match matches {
            None => {
                ui.add(egui::Spinner::new().size(12.0));
                widgets::caption(ui, "counting …");
            }
            Some(EventCounts { found: Err(sentence), .. }) => {
                let (sign, _) = ui.allocate_exact_size(vec2(14.0, 14.0), Sense::hover());
                widgets::warning_sign(ui.painter(), sign.center(), 6.0);
                ui.add(egui::Label::new(RichText::new(sentence).small()).wrap());
            }
            Some(matches) => {
                let n = matches.total();
                let sessions = matches.found.iter().flatten().filter(|(_, n)| *n > 0).count();
                let message = match n {
                    0 => "no event matches".to_owned(),
                    1 => "1 event matches".to_owned(),
                    n => format!("{} events match, in {}", figures::count(n), figures::sessions(sessions)),
                };
                let color = if n == 0 { theme::CAUTION } else { p.text };
                ui.label(RichText::new(message).small().color(color));
            }
        }
    });
}

/// The choice of what is averaged: valence and arousal, or another signal. It is offered if the sessions have others.
fn signal(ui: &mut Ui, catalogue: Option<&EventCatalogue>, plan: &mut EpochPlan) {
    let usual = EpochPlan::default().signals;
    let Some(catalogue) = catalogue.filter(|c| c.signals.iter().any(|signal| !usual.contains(signal))) else { return };
    let name_of = |signals: &[SignalId]| match signals {
        [only] => only.to_string(),
        _ => "valence and arousal".to_owned(),
    };
    widgets::section(ui, "Signal");
    let combo = ComboBox::from_id_salt("signal").selected_text(name_of(&plan.signals));
    let combo = combo.width(ui.available_width() - 4.0).truncate().show_ui(ui, |ui| {
        let others = catalogue.signals.iter().map(|signal| vec![signal.clone()]);
        for signals in std::iter::once(usual).chain(others) {
            let name = name_of(&signals);
            ui.selectable_value(&mut plan.signals, signals, name);
        }
    });
    combo.response.accessible_name("Signal");
    ui.add_space(12.0);
}

fn window_and_limits(ui: &mut Ui, form: &mut StudyForm) {
    widgets::section(ui, "Around each event");
    seconds(ui, "window", "Window", &mut form.plan.window_s);
    ui.horizontal(|ui| {
        caption(ui, "values");
        ui.spacing_mut().button_padding.x = 7.0;
        ui.spacing_mut().item_spacing.x = 4.0;
        for correction in Correction::ALL {
            let choice = ui.selectable_label(form.plan.zero == correction, correction_label(correction));
            let name = format!("Values {}", correction_label(correction));
            if choice.accessible_name(name).on_hover_text(correction_hint(correction)).clicked() {
                form.plan.zero = correction;
            }
        }
    });
    if form.plan.zero != Correction::Raw {
        let mut is_before = form.plan.baseline_s.is_some();
        ui.horizontal(|ui| {
            caption(ui, "baseline");
            ui.spacing_mut().button_padding.x = 7.0;
            ui.spacing_mut().item_spacing.x = 4.0;
            ui.selectable_value(&mut is_before, true, "before event")
                .on_hover_text("The baseline is the mean of some seconds before each event.");
            ui.selectable_value(&mut is_before, false, "baseline phase")
                .on_hover_text("The baseline is the participant's guided baseline phase.");
        });
        match (is_before, form.plan.baseline_s) {
            (true, None) => form.plan.baseline_s = Some((-1.0, 0.0)),
            (false, Some(_)) => form.plan.baseline_s = None,
            _ => {}
        }
        if let Some(baseline_s) = &mut form.plan.baseline_s {
            seconds(ui, "from", "Baseline", baseline_s);
        }
    }
    ui.add_space(10.0);
    widgets::section(ui, "Left out");
    let mut has_limits = form.plan.limits != QualityLimits::NONE;
    ui.checkbox(&mut has_limits, "Small face, bad pose or light")
        .on_hover_text("With the limits of the checks in the set-up.");
    if has_limits != (form.plan.limits != QualityLimits::NONE) {
        form.plan.limits = if has_limits { QualityLimits::default() } else { QualityLimits::NONE };
    }
    let mut drops_overlapping = !form.plan.keep_overlapping;
    ui.checkbox(&mut drops_overlapping, "Overlapping events")
        .on_hover_text("Events that begin before the window of the previous event has ended.");
    form.plan.keep_overlapping = !drops_overlapping;
    ui.horizontal(|ui| {
        ui.label(RichText::new("Missing for more than").size(13.0));
        let drag = DragValue::new(&mut form.plan.longest_bridge_s).range(0.0..=5.0).speed(0.01).suffix(" s");
        ui.add(drag).accessible_name("Longest bridged gap");
    });
}

/// Two numbers: from and until.
fn seconds(ui: &mut Ui, label: &str, name: &str, range_s: &mut (f64, f64)) {
    ui.horizontal(|ui| {
        caption(ui, label);
        // Shows the minus sign U+2212. Accepts a hyphen, too.
        let drag = |value| {
            DragValue::new(value)
                .range(-60.0..=60.0)
                .speed(0.05)
                .suffix(" s")
                .custom_formatter(|value, _| format!("{value:.2}").replace('-', "−"))
                .custom_parser(|text| text.replace('−', "-").trim().parse().ok())
        };
        ui.add(drag(&mut range_s.0)).accessible_name(format!("{name} from"));
        widgets::caption(ui, "to");
        ui.add(drag(&mut range_s.1)).accessible_name(format!("{name} until"));
    });
}

pub fn correction_label(correction: Correction) -> &'static str {
    match correction {
        Correction::Raw => "raw",
        Correction::Corrected => "corrected",
        Correction::ZScored => "z-scored",
    }
}

fn correction_hint(correction: Correction) -> &'static str {
    match correction {
        Correction::Raw => "Values as the network computed them.",
        Correction::Corrected => "Difference from the baseline that is chosen below.",
        Correction::ZScored => "Difference from the baseline, in standard deviations of the baseline phase.",
    }
}

fn run_button(ui: &mut Ui, study: &StudyState, commands: &mut Vec<Command>) {
    if study.progress.is_some() {
        progress(ui, study, commands);
        return;
    }
    let query = study.query();
    let text = if study.is_outdated() { "Average again" } else { "Average" };
    let width = ui.available_width();
    ui.vertical_centered_justified(|ui| {
        ui.set_max_width(width);
        let is_ready = query.is_ok();
        let button = widgets::primary(ui, is_ready, text);
        button.widget_info(|| WidgetInfo::labeled(egui::Role::Button, is_ready, text));
        if button.on_hover_text("Ctrl Enter").clicked() {
            commands.push(Command::Study(StudyCommand::RunQuery));
        }
    });
    match query {
        Err(sentence) => {
            ui.add(egui::Label::new(RichText::new(sentence).small().weak()).wrap());
        }
        Ok(_) if study.is_outdated() => {
            widgets::caption(ui, "The plot shows the previous query.");
        }
        Ok(_) => {}
    }
}

/// The progress of the running query, with a button that cancels it.
fn progress(ui: &mut Ui, study: &StudyState, commands: &mut Vec<Command>) {
    let Some(progress) = &study.progress else { return };
    let share = if progress.of == 0 { 0.0 } else { progress.done as f32 / progress.of as f32 };
    let message = if progress.is_cancelled {
        "Stopping …".to_owned()
    } else {
        format!("{} of {} sessions", progress.done, progress.of)
    };
    let width = ui.available_width();
    ui.add(egui::ProgressBar::new(share).desired_width(width).text(message).fill(theme::palette(ui).selected));
    ui.add_space(2.0);
    let cancel = egui::Button::new("Cancel").min_size(vec2(width, 0.0));
    // In the middle of its button, as in the button that it replaces.
    ui.vertical_centered_justified(|ui| {
        if ui.add_enabled(!progress.is_cancelled, cancel).on_hover_text("Esc").clicked() {
            commands.push(Command::Study(StudyCommand::CancelQuery));
        }
    });
}
