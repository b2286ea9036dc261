//! `affectograph export`

use std::process::ExitCode;

use super::args::Export;
use super::{Failure, Loaded};
use crate::export::{ExportError, FigureFormat, FrameRow, write_csv, write_figure};
use crate::store::SessionFile;

pub fn run(a: &Export) -> Result<ExitCode, Failure> {
    let loaded = Loaded::open(&a.session)?;
    for path in write_csv(&loaded.timeline, frame_rows(&loaded.file)?, &loaded.json()?, &a.to)? {
        println!("{}", path.display());
    }
    let title = figure_title(&loaded.file);
    for (name, format) in [("session.png", FigureFormat::Png), ("session.svg", FigureFormat::Svg)] {
        let path = a.to.join(name);
        match write_figure(&loaded.timeline, &title, None, &path, format) {
            Ok(()) => println!("{}", path.display()),
            // A session without a face has tables and no figure.
            Err(e @ ExportError::NothingToDraw) => eprintln!("affectograph: no figure: {e}"),
            Err(e) => return Err(e.into()),
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub fn frame_rows(file: &SessionFile) -> Result<impl Iterator<Item = FrameRow>, Failure> {
    Ok(file.frames()?.rows().iter().map(|f| FrameRow {
        number: f.number,
        at: f.at,
        time_source: f.time_source.as_str(),
        device_sequence: f.device_sequence,
    }))
}

pub fn figure_title(file: &SessionFile) -> String {
    let h = file.header();
    format!("{} {}, {}, {}", h.participant, h.session, h.study.title, h.zero_utc.format("%Y-%m-%d %H:%M UTC"))
}
