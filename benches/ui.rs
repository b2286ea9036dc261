//! One drawn frame of the review of a two-hour session, compared with a plot of all points.
//!
//! Layout and triangulation are measured, which is the processor's work for a frame. Nothing is uploaded.

#![expect(clippy::unwrap_used, reason = "it borrows helpers of tests")]

#[allow(dead_code)]
#[path = "../tests/it/desktop/fake.rs"]
mod fake;
#[allow(dead_code)]
#[path = "../tests/it/desktop/synthetic.rs"]
mod synthetic;

use std::hint::black_box;

use affectograph::desktop::App;
use affectograph::desktop::port::BackendEvent;
use affectograph::session::{AFFECT, Timeline, affect};
use criterion::{Criterion, criterion_group, criterion_main};
use eframe::egui;
use egui_plot::{Line, Plot, PlotPoints, Points};

const LENGTH_S: f64 = 7200.0;
const EVENTS: usize = 50_000;

fn input() -> egui::RawInput {
    let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1920.0, 1080.0));
    egui::RawInput { screen_rect: Some(screen), ..Default::default() }
}

fn frame(ctx: &egui::Context, draw: impl FnMut(&mut egui::Ui)) {
    let mut output = ctx.run_ui(input(), draw);
    // There is no graphics card, so nothing is uploaded.
    output.textures_delta.clear();
    black_box(ctx.tessellate(output.shapes, output.pixels_per_point));
}

fn script() -> synthetic::Script {
    synthetic::Script { page_events: EVENTS, ..synthetic::Script::of(LENGTH_S) }
}

fn review(c: &mut Criterion) {
    let ctx = egui::Context::default();
    let desk = fake::Handle::default();
    let mut app = App::new(&ctx, desk.instrument(), None);
    let row = synthetic::session_row(1, 1, "demo", 0, LENGTH_S / 60.0);
    app.open(&ctx, row.folder.clone());
    desk.say(BackendEvent::SessionOpened(Box::new(synthetic::opened(&script(), row, false))));
    let mut draw = |ui: &mut egui::Ui| {
        app.update(&ui.ctx().clone());
        app.draw(ui);
    };
    (0..3).for_each(|_| frame(&ctx, &mut draw));
    c.bench_function("review of 2 h, whole session in view", |b| b.iter(|| frame(&ctx, &mut draw)));
}

fn every_point(c: &mut Criterion) {
    let ctx = egui::Context::default();
    let row = synthetic::session_row(1, 1, "demo", 0, LENGTH_S / 60.0);
    let timeline = synthetic::opened(&script(), row, false).timeline;
    let mut draw = |ui: &mut egui::Ui| plain_plot(ui, &timeline);
    (0..3).for_each(|_| frame(&ctx, &mut draw));
    c.bench_function("plain plot of 2 h, every point", |b| b.iter(|| frame(&ctx, &mut draw)));
}

fn plain_plot(ui: &mut egui::Ui, timeline: &Timeline) {
    Plot::new("plain").show(ui, |plot| {
        if let Some(series) = timeline.series(AFFECT) {
            for (name, field) in [("valence", affect::VALENCE), ("arousal", affect::AROUSAL)] {
                let rows = series.times().iter().zip(series.column(field));
                let points: PlotPoints<'_> = rows.map(|(at, v)| [at.as_secs_f64(), f64::from(*v)]).collect();
                plot.line(Line::new(name, points));
            }
        }
        let events: PlotPoints<'_> = timeline.events().iter().map(|e| [e.at.as_secs_f64(), -1.2]).collect();
        plot.points(Points::new("events", events));
    });
}

criterion_group! {
    name = ui;
    config = Criterion::default().sample_size(20);
    targets = review, every_point
}
criterion_main!(ui);
