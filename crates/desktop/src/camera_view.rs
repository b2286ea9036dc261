//! The camera picture with the face's box and 68 landmarks.

use eframe::egui;
use egui::{Color32, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo, vec2};

use session::{FACE, LANDMARKS, Timeline, face};

use super::photo::Photo;
use super::port::{Check, FaceOverlay};
use super::{theme, widgets};

/// In the place of the picture.
pub const NO_CAMERA: &str = "This study records no camera.";

/// Draws into `rect`. Without a picture, shows the text `otherwise`.
pub fn show(
    ui: &mut Ui,
    rect: Rect,
    photo: Option<&Photo>,
    overlay: Option<&FaceOverlay>,
    name: &str,
    otherwise: &str,
) {
    let response = ui.allocate_rect(rect, Sense::hover());
    let p = theme::palette(ui);
    let Some(photo) = photo else {
        widgets::placeholder(ui, rect, otherwise);
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, format!("{name}: {otherwise}")));
        return;
    };
    ui.painter().rect(rect, 6.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    let picture = widgets::fit(rect, photo.width_px as f32, photo.height_px as f32);
    egui::Image::new(&photo.texture).corner_radius(6).paint_at(ui, picture);
    if let Some(overlay) = overlay {
        paint_overlay(ui, picture, photo, overlay);
    }
    let seen = if overlay.is_some() { "one face is tracked" } else { "no face" };
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, format!("{name}: {seen}")));
}

fn paint_overlay(ui: &Ui, picture: Rect, photo: &Photo, overlay: &FaceOverlay) {
    let scale = picture.width() / photo.width_px as f32;
    let place = |x: f32, y: f32| -> Pos2 { picture.min + vec2(x, y) * scale };
    let painter = ui.painter().with_clip_rect(picture);
    let corner = place(overlay.left_px, overlay.top_px);
    let frame = Rect::from_min_size(corner, vec2(overlay.width_px, overlay.height_px) * scale);
    painter.rect_stroke(frame, 4.0, Stroke::new(3.0, Color32::from_black_alpha(90)), StrokeKind::Middle);
    painter.rect_stroke(frame, 4.0, Stroke::new(1.5, Color32::from_white_alpha(220)), StrokeKind::Middle);
    let radius = (scale * overlay.width_px / 110.0).clamp(0.9, 2.2);
    for [x, y] in &overlay.landmarks_px {
        painter.circle_filled(place(*x, *y), radius + 0.7, Color32::from_black_alpha(110));
        painter.circle_filled(place(*x, *y), radius, Color32::from_rgb(0xEA, 0xFF, 0xF8));
    }
}

/// The stored face of one frame.
pub fn stored_overlay(timeline: &Timeline, frame: u64) -> Option<FaceOverlay> {
    let faces = timeline.series(FACE)?;
    let row = row_of_frame(faces.frames(), frame)?;
    let value = |field: usize| faces.column(field)[row];
    let landmarks_px = timeline
        .series(LANDMARKS)
        .and_then(|points| {
            let row = row_of_frame(points.frames(), frame)?;
            let of = |field: usize| points.column(field)[row];
            Some((0..points.info.fields.len() / 2).map(|k| [of(2 * k), of(2 * k + 1)]).collect())
        })
        .unwrap_or_default();
    Some(FaceOverlay {
        left_px: value(face::BOX_LEFT),
        top_px: value(face::BOX_TOP),
        width_px: value(face::BOX_WIDTH),
        height_px: value(face::BOX_HEIGHT),
        landmarks_px,
        score: value(face::SCORE),
        brightness: value(face::BRIGHTNESS),
        inter_ocular_px: value(face::INTER_OCULAR),
    })
}

/// Frame numbers increase with time, so the column is sorted. Rows without a frame come first.
fn row_of_frame(frames: &[Option<u64>], frame: u64) -> Option<usize> {
    let row = frames.partition_point(|f| *f < Some(frame));
    (frames.get(row) == Some(&Some(frame))).then_some(row)
}

/// A row of lamps, with the name of the first check that is not ok.
pub fn lamps(ui: &mut Ui, checks: &[Check]) {
    use super::port::CheckState;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        for check in checks {
            widgets::lamp(ui, check.state, &check.id.to_string())
                .on_hover_text(format!("{}: {}", check.id, check.sentence));
        }
        if let Some(first) = checks.iter().find(|c| c.state != CheckState::Ok) {
            ui.add_space(5.0);
            ui.add(egui::Label::new(egui::RichText::new(first.id.to_string()).small()).truncate());
        }
    });
}

/// The line of figures below a picture.
pub fn figures(overlay: Option<&FaceOverlay>) -> String {
    match overlay {
        Some(o) => format!(
            "eye distance {:.0} px, brightness {:.0} %, face score {:.0} %",
            o.inter_ocular_px,
            o.brightness * 100.0,
            o.score * 100.0
        ),
        None => "no face in this picture".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::pos2;

    #[test]
    fn a_frame_is_found_among_frames_that_were_not_scored() {
        let frames = [None, Some(2), Some(5), Some(6)];
        assert_eq!(row_of_frame(&frames, 5), Some(2));
        assert_eq!(row_of_frame(&frames, 4), None);
        assert_eq!(row_of_frame(&frames, 7), None);
        assert_eq!(row_of_frame(&[], 0), None);
    }

    #[test]
    fn a_letterboxed_picture_keeps_its_shape() {
        let inside = widgets::fit(Rect::from_min_max(pos2(0.0, 0.0), pos2(300.0, 100.0)), 640.0, 480.0);
        assert!((inside.height() - 100.0).abs() < 1e-3 && (inside.width() - 133.333).abs() < 1e-2);
    }
}
