//! Continuous ratings: the screen of a running rating, and the agreement of ratings and network.

use eframe::egui;
use egui::{
    Align, Align2, Grid, Layout, Rect, RichText, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use super::command::{Command, RateCommand};
use super::explanations::{Explained, Term};
use super::port::{Agreement, rating_stream_name};
use super::rating_state::{Rating, RatingInput};
use super::state::{Review, State};
use super::{annotations, camera_view, figures, theme, widgets};

pub fn show(ui: &mut Ui, state: &State, review: &Review, commands: &mut Vec<Command>) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let mut push = |command| commands.push(Command::Annotate(command));
        annotations::author(ui, &state.author, "Rated by", &mut push);
        ui.add_space(6.0);
        let message = "Watch the session and rate continuously how it felt: pleasant to the right, excited up. Move \
                       the point with the mouse, the arrow keys or a gamepad's stick.";
        ui.add(egui::Label::new(RichText::new(message).size(13.0).weak()).wrap());
        ui.add_space(8.0);
        let from = if review.playhead.at >= review.end() { review.start() } else { review.playhead.at };
        let text = format!("Rate from {}", figures::clock(from));
        if widgets::primary(ui, !state.author.trim().is_empty(), &text).on_hover_text("R").clicked() {
            commands.push(Command::Rate(RateCommand::Begin));
        }
        if state.author.trim().is_empty() {
            widgets::caption(ui, "Write the rater's name first.");
        }
        ui.add_space(12.0);
        for pass in passes(review) {
            let name = rating_stream_name(pass);
            match review.ratings.agreements.iter().find(|a| a.pass == pass) {
                Some(agreement) => agreement_table(ui, agreement),
                None => {
                    ui.horizontal(|ui| {
                        widgets::section(ui, &format!("Pass {pass}"));
                        let compare = widgets::small_button(ui, "Compare with the network");
                        if compare.accessible_name(format!("Compare {name} with the network")).clicked() {
                            commands.push(Command::Rate(RateCommand::Compare(pass)));
                        }
                    });
                }
            }
            ui.add_space(8.0);
        }
    });
}

/// The stored passes.
pub fn passes(review: &Review) -> impl Iterator<Item = u32> {
    let timeline = review.log.timeline();
    (1..).take_while(|pass| timeline.series(&rating_stream_name(*pass)).is_some_and(|s| !s.is_empty()))
}

/// The screen of a running rating: video and plane. The network's values are hidden, because they would influence the
/// rater.
pub fn stage(ui: &mut Ui, review: &Review, rating: &Rating, commands: &mut Vec<Command>) {
    let rect = ui.available_rect_before_wrap();
    ui.allocate_rect(rect, Sense::hover());
    let [upper, strip] = widgets::rows(rect, 12.0, [0.0, 8.0]);
    let [video, hand] = widgets::columns(upper, 16.0, [upper.width() * 0.54, 0.0]);
    let photo = review.photo.as_ref().map(|(_, photo)| photo);
    camera_view::show(ui, video, photo, None, "Video", "No picture at this time.");
    plane(ui, hand, rating, commands);
    let p = theme::palette(ui);
    ui.painter().rect_filled(strip, 4.0, p.hover);
    let share = (review.playhead.at.as_secs_f64() - review.span.from_s) / review.span.width_s();
    let done = Rect::from_min_size(strip.min, vec2(strip.width() * share as f32, strip.height()));
    ui.painter().rect_filled(done, 4.0, p.accent);
}

fn plane(ui: &mut Ui, rect: Rect, rating: &Rating, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let response = ui.allocate_rect(rect, Sense::click_and_drag());
    let square = widgets::fit(rect, 1.0, 1.0);
    let painter = ui.painter();
    painter.rect(square, 8.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    painter.hline(square.x_range(), square.center().y, Stroke::new(1.0, p.grid));
    painter.vline(square.center().x, square.y_range(), Stroke::new(1.0, p.grid));
    let font = egui::FontId::proportional(13.0);
    for (at, align, text) in [
        (square.left_center() + vec2(10.0, -11.0), Align2::LEFT_CENTER, "unpleasant"),
        (square.right_center() + vec2(-10.0, -11.0), Align2::RIGHT_CENTER, "pleasant"),
        (square.center_top() + vec2(0.0, 8.0), Align2::CENTER_TOP, "excited"),
        (square.center_bottom() + vec2(0.0, -8.0), Align2::CENTER_BOTTOM, "calm"),
    ] {
        painter.text(at, align, text, font.clone(), p.weak);
    }
    let reach = square.width() / 2.0;
    let held = pos2(square.center().x + rating.position[0] * reach, square.center().y - rating.position[1] * reach);
    painter.circle(held, 11.0, p.accent, Stroke::new(2.0, p.card));
    let [valence, arousal] = rating.position.map(figures::signed);
    response.widget_info(|| {
        WidgetInfo::labeled(egui::Role::Image, true, format!("Rating: valence {valence}, arousal {arousal}"))
    });
    // A pointer at rest has no effect, so that it does not override the arrow keys.
    let moved = ui.input(|i| i.pointer.delta() != egui::Vec2::ZERO).then(|| response.hover_pos()).flatten();
    if let Some(at) = moved.or_else(|| response.interact_pointer_pos()) {
        let held = [(at.x - square.center().x) / reach, (square.center().y - at.y) / reach];
        commands.push(Command::Rate(RateCommand::SetPosition(held, RatingInput::Mouse)));
    }
}

/// The bar below the rating screen.
pub fn transport(ui: &mut Ui, review: &Review, rating: &Rating, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    ui.label(RichText::new(review.playhead.at.to_string()).monospace().size(15.0).color(p.strong));
    let [valence, arousal] = rating.position.map(figures::signed);
    ui.add_space(8.0);
    ui.label(RichText::new(format!("valence {valence}   arousal {arousal}")).monospace().color(p.text));
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if widgets::primary(ui, true, "End rating").on_hover_text("Esc").clicked() {
            commands.push(Command::Rate(RateCommand::End));
        }
        let gamepad = match &review.ratings.gamepad {
            Some(name) => format!("gamepad {name}"),
            None => "no gamepad".to_owned(),
        };
        let message = format!(
            "Pass {} by {}, input: {}, {gamepad}. Space pauses. Ratings are stored at once.",
            rating.pass,
            rating.author,
            rating.input.label()
        );
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.add(egui::Label::new(RichText::new(message).small().weak()).truncate());
        });
    });
}

fn agreement_table(ui: &mut Ui, agreement: &Agreement) {
    let who = if agreement.author.is_empty() {
        ", rater not named".to_owned()
    } else {
        format!(", rated by {}", agreement.author)
    };
    widgets::section(ui, &format!("Pass {}{who}", agreement.pass));
    Grid::new(("agreement", agreement.pass)).num_columns(3).min_row_height(19.0).spacing([18.0, 3.0]).show(ui, |ui| {
        ui.label("");
        widgets::caption(ui, "valence");
        widgets::caption(ui, "arousal");
        ui.end_row();
        let figure = |take: fn(&analysis::Agreement) -> String| {
            agreement.fields.each_ref().map(|f| f.as_ref().map_or_else(|_| "–".to_owned(), take))
        };
        let delayed = |take: fn(&analysis::Delay) -> String| {
            agreement.fields.each_ref().map(|f| {
                let delay = f.as_ref().ok().and_then(|a| a.delay.as_ref());
                delay.map_or_else(|| "–".to_owned(), take)
            })
        };
        for (name, term, values) in [
            ("CCC", Term::Ccc, figure(|a| figures::signed(a.ccc as f32))),
            ("r", Term::Correlation, figure(|a| figures::signed(a.correlation as f32))),
            ("lag", Term::Lag, delayed(|d| format!("{:+.1} s", d.lag_s).replace('-', "−"))),
            ("r at lag", Term::Lag, delayed(|d| figures::signed(d.correlation as f32))),
        ] {
            ui.label(RichText::new(name).size(13.0).weak()).explained(term);
            for value in values {
                ui.label(RichText::new(value).monospace()).explained(term);
            }
            ui.end_row();
        }
    });
    if agreement.fields.iter().flatten().any(|a| a.delay.is_none()) {
        let message = format!(
            "No lag: rating and network overlap for less than {:.0} s at some compared delays. Rate a longer part.",
            analysis::SHORTEST_OVERLAP_S
        );
        ui.add(egui::Label::new(RichText::new(message).small().weak()).wrap());
    }
    if let Some(Err(why)) = agreement.fields.iter().find(|f| f.is_err()) {
        ui.add(egui::Label::new(RichText::new(why).small()).wrap());
    }
}
