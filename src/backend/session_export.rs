//! Exports of the session in review: tables and figures.

use crate::session_json::session_json;
use desktop::port::{ExportFormat, SessionExport};
use export::{FigureFormat, write_csv, write_figure};
use session::FrameMeta;
use store::{SessionFile, StoreError};
use study_query::StoredSession;

/// An error is a message for the user.
pub fn write(stored: &StoredSession, order: &SessionExport) -> Result<(), String> {
    match order.format {
        ExportFormat::Csv => {
            let rows = frame_rows(&stored.file).map_err(|e| e.to_string())?;
            let json = session_json(stored).map_err(|e| e.to_string())?;
            write_csv(&stored.timeline, rows, &json, &order.to).map(drop).map_err(|e| e.to_string())
        }
        ExportFormat::FigurePng => figure(stored, order, FigureFormat::Png),
        ExportFormat::FigureSvg => figure(stored, order, FigureFormat::Svg),
    }
}

fn figure(stored: &StoredSession, order: &SessionExport, format: FigureFormat) -> Result<(), String> {
    let title = figure_title(&stored.file);
    write_figure(&stored.timeline, &title, Some(order.from..order.until), &order.to, format).map_err(|e| e.to_string())
}

fn frame_rows(file: &SessionFile) -> Result<impl Iterator<Item = FrameMeta>, StoreError> {
    Ok(file.frames()?.rows().iter().map(|row| row.meta))
}

fn figure_title(file: &SessionFile) -> String {
    let h = file.header();
    format!("{} {}, {}, {}", h.participant, h.session, h.study.title, h.zero_utc.format("%Y-%m-%d %H:%M UTC"))
}
