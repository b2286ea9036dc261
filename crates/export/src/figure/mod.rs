//! Figures for papers. Each one has one description and is drawn as PNG at 300 dots per inch or as SVG.
//!
//! Colours are the Okabe–Ito set, which colour-blind people can distinguish, as in all views. Axes have units.

mod average;
mod group;
mod plane;
mod session;

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::register_font;

use super::ExportError;
use super::atomic_write::publish_file;
use analysis::Measure;

pub use average::{ConditionCurves, write_average_figure};
pub use group::write_group_figure;
pub use plane::{PlaneCounts, write_plane_figure};
pub use session::{draw_figure, write_figure};

pub(super) use average::AverageFigure;
pub(super) use group::GroupFigure;
pub(super) use plane::PlaneFigure;
pub(super) use session::SessionFigure;

pub(super) const VALENCE: RGBColor = RGBColor(0, 114, 178);
pub(super) const AROUSAL: RGBColor = RGBColor(213, 94, 0);
/// Two conditions: green and reddish purple as in the window, different from the colours of valence and arousal.
pub(super) const CONDITIONS: [RGBColor; 2] = [RGBColor(0, 158, 115), RGBColor(204, 121, 167)];
/// Other signals than valence and arousal.
const SIGNALS: [RGBColor; 4] =
    [RGBColor(0, 158, 115), RGBColor(204, 121, 167), RGBColor(86, 180, 233), RGBColor(230, 159, 0)];

/// The colour of a signal, if there is one condition. `position` is its position in the figure.
pub(super) fn signal_colour(measure: &Measure, position: usize) -> RGBColor {
    match &measure.signal {
        signal if signal.is_valence() => VALENCE,
        signal if signal.is_arousal() => AROUSAL,
        _ => SIGNALS[position % SIGNALS.len()],
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureFormat {
    Png,
    Svg,
}

const DOTS_PER_INCH: f64 = 300.0;
const MM_PER_INCH: f64 = 25.4;
/// Dots of an SVG's own unit, in which line widths and font sizes below are given.
const DOTS_PER_UNIT: f64 = 2.2;

/// Lengths in units of 0.186 mm, independent of the output format.
#[derive(Clone, Copy)]
pub(super) struct Scale(f64);

impl Scale {
    pub(super) fn px(self, units: f64) -> i32 {
        (units * self.0).round() as i32
    }

    pub(super) fn width(self, units: f64) -> u32 {
        self.px(units).max(1) as u32
    }
}

/// The label of a tick, with the minus sign U+2212 and without a minus before zero.
pub(super) fn tick(value: &f64) -> String {
    let text = format!("{:.3}", value.abs());
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if *value < 0.0 && text != "0" { format!("−{text}") } else { text.to_owned() }
}

/// A figure that can be drawn.
pub(super) trait Figure {
    /// Width and height on paper.
    fn size_mm(&self) -> (f64, f64);

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>, scale: Scale) -> Drawn
    where
        DB::ErrorType: 'static;
}

/// plotters has one error type per backend. All are converted to their messages.
pub(super) type Drawn = Result<(), Box<dyn std::error::Error>>;

fn size_px<F: Figure>(figure: &F, scale: f64) -> (u32, u32) {
    let px = |mm: f64| (mm / MM_PER_INCH * DOTS_PER_INCH / DOTS_PER_UNIT * scale).round() as u32;
    let (width_mm, height_mm) = figure.size_mm();
    (px(width_mm), px(height_mm))
}

/// `size_mm` is written into the file, so that its size on paper is that of the PNG.
pub(super) fn svg<F: Figure>(figure: &F) -> Result<String, String> {
    install_font();
    let (width, height) = size_px(figure, 1.0);
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, (width, height)).into_drawing_area();
    figure.draw(&area, Scale(1.0)).and_then(|()| Ok(area.present()?)).map_err(|e| e.to_string())?;
    drop(area);
    let in_units = format!("width=\"{width}\" height=\"{height}\"");
    let (width_mm, height_mm) = figure.size_mm();
    Ok(text.replacen(&in_units, &format!("width=\"{width_mm}mm\" height=\"{height_mm}mm\""), 1))
}

/// The pixels of a figure: 8-bit RGB, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct FigurePixels {
    pub width_px: u32,
    pub height_px: u32,
    pub rgb: Vec<u8>,
}

pub(super) fn pixels<F: Figure>(figure: &F) -> Result<FigurePixels, String> {
    install_font();
    let (width_px, height_px) = size_px(figure, DOTS_PER_UNIT);
    let mut rgb = vec![255; (width_px * height_px * 3) as usize];
    let area = BitMapBackend::with_buffer(&mut rgb, (width_px, height_px)).into_drawing_area();
    figure.draw(&area, Scale(DOTS_PER_UNIT)).and_then(|()| Ok(area.present()?)).map_err(|e| e.to_string())?;
    drop(area);
    Ok(FigurePixels { width_px, height_px, rgb })
}

fn png<F: Figure>(figure: &F) -> Result<Vec<u8>, String> {
    let FigurePixels { width_px, height_px, rgb } = pixels(figure)?;
    let mut bytes = Vec::new();
    encode(&mut bytes, &rgb, width_px, height_px).map_err(|e| e.to_string())?;
    Ok(bytes)
}

/// The resolution is stored in the file, which determines its size on paper.
fn encode(to: &mut Vec<u8>, rgb: &[u8], width: u32, height: u32) -> Result<(), png::EncodingError> {
    let mut encoder = png::Encoder::new(to, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let per_metre = (DOTS_PER_INCH / MM_PER_INCH * 1000.0).round() as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit: png::Unit::Meter }));
    encoder.write_header()?.write_image_data(rgb)
}

/// Writes the figure. An existing file is replaced only when the drawing is complete.
pub(super) fn publish<F: Figure>(figure: &F, path: &Path, format: FigureFormat) -> Result<(), ExportError> {
    let drawn = match format {
        FigureFormat::Png => png(figure),
        FigureFormat::Svg => svg(figure).map(String::into_bytes),
    };
    let bytes = drawn.map_err(|reason| ExportError::Draw { path: path.to_owned(), reason })?;
    publish_file(path, |out: &mut BufWriter<_>| -> io::Result<()> { out.write_all(&bytes) })
}

/// Registers a font. plotters contains none, and the figure must not depend on the fonts of the computer.
fn install_font() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for style in [FontStyle::Normal, FontStyle::Bold] {
            // This fails only for bytes that are not a font. `UBUNTU_LIGHT` is a font.
            register_font("sans-serif", style, epaint_default_fonts::UBUNTU_LIGHT).ok();
        }
    });
}
