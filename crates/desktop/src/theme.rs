//! Colours, fonts and spacing.
//!
//! The colours of data are those of Okabe and Ito. They are the same in both themes, in figures and on web pages. The
//! accent colour marks main buttons, focus and selection. Red means only that data is being lost.

use eframe::egui;
use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, Style, TextStyle, Theme, Visuals, vec2};

pub const VALENCE: Color32 = Color32::from_rgb(0x00, 0x72, 0xB2);
pub const AROUSAL: Color32 = Color32::from_rgb(0xD5, 0x5E, 0x00);
/// Bluish green: the pulse, and the lamp of a check that passed.
pub const PULSE: Color32 = Color32::from_rgb(0x00, 0x9E, 0x73);
/// Orange: a warning.
pub const CAUTION: Color32 = Color32::from_rgb(0xE6, 0x9F, 0x00);
/// Sky blue: blinks.
pub const BLINK: Color32 = Color32::from_rgb(0x56, 0xB4, 0xE9);
/// The two conditions of a study: bluish green and reddish purple. Blue and vermilion are valence and arousal.
pub const CONDITIONS: [Color32; 2] = [Color32::from_rgb(0x00, 0x9E, 0x73), Color32::from_rgb(0xCC, 0x79, 0xA7)];
/// Red: data is being lost.
pub const LOSS: Color32 = Color32::from_rgb(0xC8, 0x10, 0x2E);

/// The colours that differ between the dark and the light theme.
#[derive(Clone, Copy)]
pub struct Palette {
    pub accent: Color32,
    pub on_accent: Color32,
    pub text: Color32,
    pub strong: Color32,
    pub weak: Color32,
    /// The background.
    pub ground: Color32,
    /// Bars at the edges of the window.
    pub bar: Color32,
    /// Cards and plots.
    pub card: Color32,
    pub hairline: Color32,
    pub grid: Color32,
    pub hover: Color32,
    pub selected: Color32,
    /// Stretches without a face.
    pub gap: Color32,
    /// Stretches with losses.
    pub gap_loss: Color32,
    /// A number of losses, on `bar`.
    pub loss_text: Color32,
}

const DARK: Palette = Palette {
    accent: Color32::from_rgb(0xA8, 0x9C, 0xF5),
    on_accent: Color32::from_rgb(0x16, 0x13, 0x2B),
    text: Color32::from_rgb(0xC9, 0xCD, 0xD4),
    strong: Color32::from_rgb(0xF1, 0xF3, 0xF6),
    weak: Color32::from_rgb(0x8D, 0x94, 0xA0),
    ground: Color32::from_rgb(0x14, 0x16, 0x1A),
    bar: Color32::from_rgb(0x1A, 0x1D, 0x22),
    card: Color32::from_rgb(0x1E, 0x21, 0x27),
    hairline: Color32::from_rgb(0x2E, 0x32, 0x3A),
    grid: Color32::from_rgb(0x33, 0x38, 0x41),
    hover: Color32::from_rgb(0x27, 0x2B, 0x33),
    selected: Color32::from_rgb(0x35, 0x31, 0x52),
    gap: Color32::from_rgba_premultiplied(0x1C, 0x1E, 0x22, 0x28),
    gap_loss: Color32::from_rgba_premultiplied(0x46, 0x08, 0x12, 0x58),
    loss_text: Color32::from_rgb(0xFF, 0x6B, 0x7D),
};

const LIGHT: Palette = Palette {
    accent: Color32::from_rgb(0x56, 0x46, 0xB8),
    on_accent: Color32::WHITE,
    text: Color32::from_rgb(0x2F, 0x35, 0x3D),
    strong: Color32::from_rgb(0x10, 0x14, 0x19),
    weak: Color32::from_rgb(0x66, 0x6E, 0x79),
    ground: Color32::from_rgb(0xF3, 0xF4, 0xF6),
    bar: Color32::from_rgb(0xFB, 0xFB, 0xFC),
    card: Color32::WHITE,
    hairline: Color32::from_rgb(0xDD, 0xE0, 0xE5),
    grid: Color32::from_rgb(0xDF, 0xE2, 0xE7),
    hover: Color32::from_rgb(0xEB, 0xED, 0xF1),
    selected: Color32::from_rgb(0xE4, 0xE0, 0xF8),
    gap: Color32::from_rgba_premultiplied(0x16, 0x18, 0x1C, 0x2A),
    gap_loss: Color32::from_rgba_premultiplied(0x3E, 0x05, 0x0E, 0x50),
    loss_text: Color32::from_rgb(0xB8, 0x0C, 0x28),
};

/// The palette of the theme in use.
pub fn palette(ui: &egui::Ui) -> Palette {
    if ui.visuals().dark_mode { DARK } else { LIGHT }
}

/// Large figures: the clock of a running recording.
pub fn clock_font() -> FontId {
    FontId::new(22.0, FontFamily::Monospace)
}

/// Small text above figures and along axes.
pub fn caption_font() -> FontId {
    FontId::new(11.0, FontFamily::Proportional)
}

/// Sets the styles of both themes.
pub fn install(ctx: &egui::Context) {
    ctx.set_style_of(Theme::Dark, style(&DARK, Visuals::dark()));
    ctx.set_style_of(Theme::Light, style(&LIGHT, Visuals::light()));
}

fn style(p: &Palette, mut v: Visuals) -> Style {
    v.override_text_color = None;
    v.weak_text_color = Some(p.weak);
    v.panel_fill = p.ground;
    v.window_fill = p.card;
    v.window_stroke = Stroke::new(1.0, p.hairline);
    v.window_corner_radius = CornerRadius::same(10);
    v.menu_corner_radius = CornerRadius::same(8);
    v.window_shadow = Shadow { offset: [0, 8], blur: 32, spread: 0, color: Color32::from_black_alpha(70) };
    v.popup_shadow = Shadow { offset: [0, 4], blur: 16, spread: 0, color: Color32::from_black_alpha(50) };
    v.extreme_bg_color = p.ground;
    v.text_edit_bg_color = Some(p.ground);
    v.faint_bg_color = p.hover;
    v.code_bg_color = p.hover;
    v.hyperlink_color = p.accent;
    v.warn_fg_color = CAUTION;
    v.error_fg_color = p.loss_text;
    v.selection.bg_fill = p.selected;
    v.selection.stroke = Stroke::new(1.0, p.strong);
    v.text_cursor.stroke = Stroke::new(1.5, p.accent);
    v.slider_trailing_fill = true;

    let w = &mut v.widgets;
    let radius = CornerRadius::same(6);
    for visuals in [&mut w.noninteractive, &mut w.inactive, &mut w.hovered, &mut w.active, &mut w.open] {
        visuals.corner_radius = radius;
        visuals.expansion = 0.0;
    }
    w.noninteractive.bg_fill = p.card;
    w.noninteractive.weak_bg_fill = p.card;
    w.noninteractive.bg_stroke = Stroke::new(1.0, p.hairline);
    w.noninteractive.fg_stroke = Stroke::new(1.0, p.text);
    w.inactive.bg_fill = p.hover;
    w.inactive.weak_bg_fill = p.hover;
    w.inactive.bg_stroke = Stroke::new(1.0, p.hairline);
    w.inactive.fg_stroke = Stroke::new(1.0, p.text);
    w.hovered.bg_fill = p.hairline;
    w.hovered.weak_bg_fill = p.hairline;
    w.hovered.bg_stroke = Stroke::new(1.0, p.weak);
    w.hovered.fg_stroke = Stroke::new(1.0, p.strong);
    // Also the style of the control with the keyboard focus.
    w.active.bg_fill = p.selected;
    w.active.weak_bg_fill = p.selected;
    w.active.bg_stroke = Stroke::new(1.5, p.accent);
    w.active.fg_stroke = Stroke::new(1.0, p.strong);
    w.open.bg_fill = p.hover;
    w.open.weak_bg_fill = p.hover;
    w.open.bg_stroke = Stroke::new(1.0, p.accent);
    w.open.fg_stroke = Stroke::new(1.0, p.strong);

    let mut style = Style { visuals: v, ..Style::default() };
    style.text_styles = [
        (TextStyle::Small, FontId::new(11.5, FontFamily::Proportional)),
        (TextStyle::Body, FontId::new(14.0, FontFamily::Proportional)),
        (TextStyle::Button, FontId::new(14.0, FontFamily::Proportional)),
        (TextStyle::Heading, FontId::new(20.0, FontFamily::Proportional)),
        (TextStyle::Monospace, FontId::new(13.0, FontFamily::Monospace)),
    ]
    .into();
    style.spacing.item_spacing = vec2(8.0, 6.0);
    style.spacing.button_padding = vec2(12.0, 5.0);
    style.spacing.interact_size.y = 28.0;
    style.spacing.window_margin = Margin::same(20);
    style.spacing.menu_margin = Margin::same(6);
    style.spacing.combo_width = 120.0;
    style.spacing.icon_width = 16.0;
    style.interaction.selectable_labels = false;
    style.animation_time = 0.1;
    style
}

/// The frame of a card.
pub fn card(p: &Palette) -> egui::Frame {
    egui::Frame::new()
        .fill(p.card)
        .stroke(Stroke::new(1.0, p.hairline))
        .corner_radius(8)
        .inner_margin(Margin::symmetric(14, 12))
}

/// The frame of a bar at an edge of the window.
pub fn bar(p: &Palette) -> egui::Frame {
    egui::Frame::new().fill(p.bar).inner_margin(Margin::symmetric(16, 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast of two opaque colours by WCAG.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |c: Color32| {
            let [r, g, b, _] = egui::Rgba::from(c).to_array();
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn words_are_readable_and_curves_are_visible_in_both_themes() {
        for p in [DARK, LIGHT] {
            for ground in [p.ground, p.bar, p.card] {
                for text in [p.text, p.strong, p.weak, p.accent, p.loss_text] {
                    assert!(contrast(text, ground) >= 4.5, "{text:?} on {ground:?}: {}", contrast(text, ground));
                }
                for curve in [VALENCE, AROUSAL, PULSE] {
                    assert!(contrast(curve, ground) >= 3.0, "{curve:?} on {ground:?}: {}", contrast(curve, ground));
                }
            }
            assert!(contrast(p.on_accent, p.accent) >= 4.5);
            assert!(contrast(p.strong, p.selected) >= 4.5);
        }
        assert!(contrast(Color32::WHITE, LOSS) >= 4.5);
    }
}
