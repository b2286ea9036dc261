//! Exports of the session in review: tables and figures.

use crate::noted_export::noted;
use crate::places::Places;
use crate::session_json::session_json;
use desktop::port::{ExportFormat, SessionExport};
use export::{FigureFormat, session_title, write_csv, write_figure};
use study_query::StoredSession;

/// An error is a message for the user. Returns why the library could not note an export outside the session's folder.
pub fn write(places: &Places, stored: &StoredSession, order: &SessionExport) -> Result<Option<String>, String> {
    let format = match order.format {
        ExportFormat::Csv => "csv",
        ExportFormat::FigurePng | ExportFormat::FigureSvg => "figure",
    };
    let folder = [stored.file.folder().to_owned()];
    noted(places, format, &order.to, &folder, || write_files(stored, order)).map(|((), problem)| problem)
}

fn write_files(stored: &StoredSession, order: &SessionExport) -> Result<(), String> {
    match order.format {
        ExportFormat::Csv => {
            let frames = stored.file.frames().map_err(|e| e.to_string())?.metas();
            let json = session_json(stored).map_err(|e| e.to_string())?;
            write_csv(&stored.timeline, frames, &json, &order.to).map(drop).map_err(|e| e.to_string())
        }
        ExportFormat::FigurePng => figure(stored, order, FigureFormat::Png),
        ExportFormat::FigureSvg => figure(stored, order, FigureFormat::Svg),
    }
}

fn figure(stored: &StoredSession, order: &SessionExport, format: FigureFormat) -> Result<(), String> {
    let title = session_title(stored.file.header());
    write_figure(&stored.timeline, &title, Some(order.from..order.until), &order.to, format).map_err(|e| e.to_string())
}
