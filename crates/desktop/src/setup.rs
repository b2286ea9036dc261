//! The set-up screen before a recording: checks, camera, page and consent.

use eframe::egui;
use egui::{Align, ComboBox, Frame, Layout, Margin, Panel, RichText, ScrollArea, Ui, vec2};

use session::{CheckId, ConsentBy, PagePlacement, Seat};

use super::command::{Command, SetUpCommand};
use super::port::{CameraControl, CameraMode, CheckState, ControlState, PagePlace, ParticipantCommand};
use super::state::{ParticipantView, Readiness, Rehearsal, State};
use super::{camera_view, expressions, participant_view, plane, screen_layout, theme, widgets};

/// The width of the button that starts the recording, in points.
const RECORD: f32 = 150.0;

pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let Some(rehearsal) = &state.rehearsal else { return };
    screen_layout::top_bar(ui, state, commands, |ui, _| {
        let title = rehearsal.study.as_ref().map_or("Set-up", |s| s.title.as_str());
        ui.label(RichText::new(title).size(17.0).color(p.strong));
        ui.add_space(6.0);
        ui.label(RichText::new(format!("{}  {}", rehearsal.plan.participant, rehearsal.plan.session)).weak());
        if let Some(condition) = &rehearsal.plan.condition {
            ui.add_space(6.0);
            ui.label(RichText::new(format!("condition {condition}")).weak());
        }
        if rehearsal.plan.seat == Seat::Pilot {
            ui.label(RichText::new("Pilot").color(p.accent)).on_hover_text("Left out of averages");
        }
    });
    let bar = theme::bar(&p).inner_margin(Margin::symmetric(16, 12));
    Panel::bottom("record bar").frame(bar).show(ui, |ui| record_bar(ui, rehearsal, commands));
    screen_layout::between_bars(ui, |ui| body(ui, rehearsal, state, commands));
}

fn body(ui: &mut Ui, rehearsal: &Rehearsal, state: &State, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let side = Frame::new().fill(p.ground).inner_margin(Margin { left: 16, right: 4, top: 12, bottom: 12 });
    Panel::left("checks").frame(side).resizable(false).show_separator_line(false).exact_size(330.0).show(ui, |ui| {
        // Consent has its own place: the texts of the checks change their height while a person reaches for the box.
        Panel::bottom("consent").frame(Frame::new()).resizable(false).show_separator_line(false).show(ui, |ui| {
            consent(ui, rehearsal, commands);
        });
        egui::CentralPanel::default_margins().frame(Frame::new()).show(ui, |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| checks(ui, rehearsal));
        });
    });
    let side = Frame::new().fill(p.ground).inner_margin(Margin { left: 4, right: 16, top: 12, bottom: 12 });
    Panel::right("choices").frame(side).resizable(false).show_separator_line(false).exact_size(290.0).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            if records_camera(rehearsal) {
                camera(ui, rehearsal, commands);
                ui.add_space(10.0);
            }
            page(ui, rehearsal, &state.participant, commands);
        });
    });
    let middle = Frame::new().fill(p.ground).inner_margin(Margin::symmetric(8, 12));
    egui::CentralPanel::default_margins().frame(middle).show(ui, |ui| preview(ui, rehearsal));
}

fn record_bar(ui: &mut Ui, rehearsal: &Rehearsal, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        if ui.add_enabled(!rehearsal.is_starting, egui::Button::new("Back to sessions")).clicked() {
            commands.push(Command::GoHome);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let readiness = rehearsal.readiness();
            let (label, is_enabled, message) = match &readiness {
                Readiness::NotYet(why) => ("Record", false, (*why).to_owned()),
                Readiness::Ready => ("Record", true, "Everything is ready.".to_owned()),
                Readiness::Failing(checks) => {
                    let message = format!("Not passed: {}.", CheckId::texts(checks));
                    ("Record anyway …", true, message)
                }
            };
            // One size for all texts, so that the button does not move while a person reaches for it.
            let is_primary = readiness == Readiness::Ready || !is_enabled;
            let button = widgets::sized(ui, RECORD, is_enabled, is_primary, label);
            if button.on_hover_text("Ctrl R").clicked() {
                commands.push(Command::SetUp(SetUpCommand::Record));
            }
            ui.add(egui::Label::new(RichText::new(&message).weak()).truncate()).on_hover_text(&message);
        });
    });
}

fn checks(ui: &mut Ui, rehearsal: &Rehearsal) {
    let p = theme::palette(ui);
    theme::card(&p).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        widgets::section(ui, "Checks");
        ui.add_space(6.0);
        if rehearsal.checks.is_empty() {
            ui.horizontal(|ui| {
                ui.spinner();
                widgets::caption(ui, "Opening camera, networks and page …");
            });
        }
        for check in &rehearsal.checks {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 10.0;
                widgets::lamp(ui, check.state, &check.id.to_string());
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 1.0;
                    let is_bad = matches!(check.state, CheckState::Failed | CheckState::Warning);
                    let color = if is_bad { p.strong } else { p.text };
                    ui.label(RichText::new(check.id.to_string()).color(color));
                    let sentence = RichText::new(&check.sentence).small();
                    let sentence = if is_bad { sentence.color(p.text) } else { sentence.weak() };
                    ui.add(egui::Label::new(sentence).wrap());
                });
            });
            ui.add_space(3.0);
        }
    });
}

fn consent(ui: &mut Ui, rehearsal: &Rehearsal, commands: &mut Vec<Command>) {
    let Some(study) = &rehearsal.study else { return };
    let consent = &study.consent;
    if !consent.required && consent.text.trim().is_empty() {
        return;
    }
    let p = theme::palette(ui);
    theme::card(&p).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        widgets::section(ui, "Consent");
        ui.add_space(2.0);
        ui.add(egui::Label::new(RichText::new(consent.text.trim()).size(13.0)).wrap());
        ui.add_space(6.0);
        if study.consent_by(rehearsal.plan.seat) == ConsentBy::Participant {
            consent_by_participant(ui, rehearsal, commands);
            return;
        }
        let mut has_consent = rehearsal.has_consent;
        if ui.checkbox(&mut has_consent, "The participant has agreed to this").changed() {
            commands.push(Command::SetUp(SetUpCommand::ConfirmConsent(has_consent)));
        }
    });
}

/// The participant agrees on their own screen.
fn consent_by_participant(ui: &mut Ui, rehearsal: &Rehearsal, commands: &mut Vec<Command>) {
    match &rehearsal.given_consent {
        Some(given) => {
            let typed = given.typed.as_ref().map_or_else(String::new, |typed| format!(", “{typed}”"));
            let at = given.at.with_timezone(&chrono::Local).format("%H:%M:%S");
            ui.label(format!("The participant agreed at {at}{typed}."));
        }
        None => {
            widgets::caption(ui, "The participant agrees on their own screen.");
            ui.horizontal(|ui| {
                if ui.button("Show to participant").clicked() {
                    commands.push(Command::Participant(ParticipantCommand::AskConsent));
                }
                if widgets::small_button(ui, "Hide").on_hover_text("Shows the waiting screen again").clicked() {
                    commands.push(Command::Participant(ParticipantCommand::Wait));
                }
            });
        }
    }
}

fn records_camera(rehearsal: &Rehearsal) -> bool {
    rehearsal.study.as_ref().is_none_or(|study| study.camera.record)
}

fn preview(ui: &mut Ui, rehearsal: &Rehearsal) {
    let p = theme::palette(ui);
    let rect = ui.available_rect_before_wrap();
    if !records_camera(rehearsal) {
        camera_view::show(ui, rect, None, None, "Camera", camera_view::NO_CAMERA);
        return;
    }
    let [top, bottom] = widgets::rows(rect, 10.0, [0.0, (rect.height() * 0.30).clamp(150.0, 240.0)]);
    let shown = rehearsal.preview.as_ref();
    let problem = rehearsal.camera.as_ref().and_then(|c| c.problem.as_deref());
    let otherwise = problem.unwrap_or("Waiting for the first picture …");
    let overlay = shown.and_then(|s| s.face.as_ref());
    let [picture, line] = widgets::rows(top, 2.0, [0.0, 18.0]);
    camera_view::show(ui, picture, shown.map(|s| &s.photo), overlay, "Camera preview", otherwise);
    if let Some(shown) = shown {
        let message = match shown.faces {
            0 | 1 => camera_view::figures(overlay),
            n => format!("{n} faces; {}", camera_view::figures(overlay)),
        };
        let font = theme::caption_font();
        widgets::line(ui, line, &message, font, p.weak, egui::Align2::CENTER_CENTER);
    }
    let affect = shown.and_then(|s| s.affect.as_ref());
    ui.painter().rect(bottom, 8.0, p.card, egui::Stroke::new(1.0, p.hairline), egui::StrokeKind::Inside);
    let inner = bottom.shrink2(vec2(14.0, 10.0));
    let [left, right] = widgets::columns(inner, 20.0, [inner.height() + 30.0, 0.0]);
    plane::show_one(ui, left, affect);
    expressions::show_one(ui, right, affect);
}

fn camera(ui: &mut Ui, rehearsal: &Rehearsal, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    theme::card(&p).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        widgets::section(ui, "Camera");
        ui.add_space(4.0);
        choose_camera(ui, rehearsal, commands);
        ui.horizontal(|ui| {
            if widgets::small_button(ui, "Search again").on_hover_text("Search for cameras again").clicked() {
                commands.push(Command::SetUp(SetUpCommand::RefreshCameras));
            }
            if widgets::small_button(ui, "Video file …").on_hover_text("Use a video file as the camera").clicked() {
                commands.push(Command::SetUp(SetUpCommand::BrowseVideo));
            }
        });
        let Some(camera) = &rehearsal.camera else { return };
        for control in &camera.controls {
            ui.add_space(6.0);
            one_control(ui, control, commands);
        }
    });
}

fn choose_camera(ui: &mut Ui, rehearsal: &Rehearsal, commands: &mut Vec<Command>) {
    let width = ui.available_width();
    let chosen = rehearsal.camera.as_ref();
    let label = widgets::caption(ui, "Device");
    let empty = Vec::new();
    let cameras = rehearsal.cameras.as_ref().unwrap_or(&empty);
    let name = match (chosen, &rehearsal.cameras) {
        (Some(camera), _) => camera.name.clone(),
        (None, None) => "Searching …".to_owned(),
        (None, Some(_)) => "None".to_owned(),
    };
    let combo = ComboBox::from_id_salt("camera").selected_text(name).width(width).truncate();
    let combo = combo.show_ui(ui, |ui| {
        for row in cameras {
            let is_chosen = chosen.is_some_and(|c| c.spec == row.spec);
            let text = match &row.problem {
                Some(problem) => format!("{} ({problem})", row.name),
                None => row.name.clone(),
            };
            if ui.selectable_label(is_chosen, text).on_hover_text(&row.spec).clicked() && !is_chosen {
                commands.push(Command::SetUp(SetUpCommand::ChooseCamera { spec: row.spec.clone(), mode: None }));
            }
        }
    });
    combo.response.labelled_by(label.id);
    let Some(camera) = chosen else { return };
    let modes = cameras.iter().find(|c| c.spec == camera.spec).map_or(&[][..], |c| &c.modes);
    let label = widgets::caption(ui, "Picture");
    let text = camera.mode.as_ref().map_or_else(|| "–".to_owned(), mode_text);
    let combo = ComboBox::from_id_salt("mode").selected_text(text).width(width).truncate().height(320.0);
    let combo = combo.show_ui(ui, |ui| {
        for mode in modes {
            let is_chosen = camera.mode.as_ref() == Some(mode);
            if ui.selectable_label(is_chosen, mode_text(mode)).clicked() && !is_chosen {
                commands.push(Command::SetUp(SetUpCommand::ChooseCamera {
                    spec: camera.spec.clone(),
                    mode: Some(mode.clone()),
                }));
            }
        }
    });
    combo.response.labelled_by(label.id);
}

fn mode_text(mode: &CameraMode) -> String {
    let rate =
        if mode.rate_hz.fract() < 0.05 { format!("{:.0}", mode.rate_hz) } else { format!("{:.1}", mode.rate_hz) };
    format!("{} × {}, {rate} fps, {}", mode.width_px, mode.height_px, mode.format)
}

fn one_control(ui: &mut Ui, control: &ControlState, commands: &mut Vec<Command>) {
    let name = match control.control {
        CameraControl::Exposure => "Exposure",
        CameraControl::WhiteBalance => "White balance",
        CameraControl::Focus => "Focus",
    };
    let label = ui.horizontal(|ui| {
        let label = ui.label(name);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let mut is_automatic = control.value.is_none();
            let toggle = ui.add_enabled(control.has_automatic, egui::Checkbox::new(&mut is_automatic, "automatic"));
            let toggle = toggle.accessible_name(format!("{name} automatic"));
            if toggle.changed() {
                let value = (!is_automatic).then_some(control.default);
                commands.push(Command::SetUp(SetUpCommand::SetControl { control: control.control, value }));
            }
        });
        label
    });
    if let Some(mut value) = control.value {
        let step = control.step.max(1) as f64;
        ui.spacing_mut().slider_width = (ui.available_width() - 128.0).max(60.0);
        let slider = egui::Slider::new(&mut value, control.min..=control.max)
            .step_by(step)
            .suffix(if control.unit.is_empty() { String::new() } else { format!(" {}", control.unit) });
        if ui.add(slider).labelled_by(label.inner.id).changed() {
            commands.push(Command::SetUp(SetUpCommand::SetControl { control: control.control, value: Some(value) }));
        }
    }
}

fn page(ui: &mut Ui, rehearsal: &Rehearsal, view: &ParticipantView, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    if rehearsal.study.as_ref().is_some_and(|study| !study.needs_window()) {
        theme::card(&p).show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            widgets::section(ui, "Page");
            let is_asked = rehearsal.study.as_ref().is_some_and(|study| study.needs_window_for(rehearsal.plan.seat));
            let screen = if is_asked { "'s screen shows only the consent." } else { " needs no screen." };
            widgets::caption(ui, format!("This study has no page. The participant{screen}"));
        });
        return;
    }
    theme::card(&p).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        widgets::section(ui, "Page");
        ui.add_space(4.0);
        let Some(page) = &rehearsal.page else {
            widgets::caption(ui, "Opening …");
            return;
        };
        ui.add(egui::Label::new(RichText::new(&page.address).size(13.0)).truncate()).on_hover_text(&page.address);
        ui.add(egui::Label::new(RichText::new(page.status.sentence()).small().weak()).wrap());
        ui.add_space(4.0);
        if !matches!(page.place, PagePlace::Embedded) {
            participant_view::picture(ui, view, 150.0, "Preview of the page");
            let waiting = "The participant sees the waiting screen until you press Record.";
            ui.add(egui::Label::new(RichText::new(waiting).small().weak()).wrap());
            ui.add_space(4.0);
        }
        if rehearsal.plan.seat == Seat::Participant {
            if let PagePlace::ParticipantWindow { screen } = &page.place {
                widgets::caption(ui, format!("It is on {screen}."));
            }
            participant_view::buttons(ui, view, commands);
            return;
        }
        widgets::caption(ui, "Shown to the participant");
        let is_embedded = page.place == PagePlace::Embedded;
        if ui.radio(is_embedded, "in this window").clicked() && !is_embedded {
            commands.push(Command::SetUp(SetUpCommand::PlacePage(PagePlacement::Embedded)));
        }
        let own = match &page.place {
            PagePlace::ParticipantWindow { screen } => format!("in its own window, {screen}"),
            PagePlace::Embedded => "in its own window".to_owned(),
        };
        if ui.radio(!is_embedded, own).clicked() && is_embedded {
            commands.push(Command::SetUp(SetUpCommand::PlacePage(PagePlacement::ParticipantWindow)));
        }
        ui.add_space(6.0);
        participant_view::buttons(ui, view, commands);
    });
}
