//! A report that needs no knowledge of this program: one HTML file with embedded figures, the same figures as files for a
//! paper, and a methods text.
//!
//! ```text
//! report.html  methods.txt  figures/*.svg *.png
//! ```

mod event_analysis;
mod figures;
mod html;
mod methods;
mod page;
mod tally;

use std::io::Write;
use std::path::Path;

use super::atomic_write::{make_folder, publish_folder, write_file};
use super::figure::SessionFigure;
use super::{ExportError, Selection};
use figures::{Figures, MAX_SESSION_FIGURES};
use tally::Tally;

pub use event_analysis::EventAnalysis;

/// Writes the report of one session or of a study into the new folder `to`.
pub fn write_report(
    selection: &Selection,
    analysis: Option<EventAnalysis<'_>>,
    to: &Path,
    mut progress: impl FnMut(&str),
) -> Result<(), ExportError> {
    publish_folder(to, |part| {
        let figures = Figures::new(part.join("figures"));
        make_folder(figures.folder())?;
        let mut tally = Tally::default();
        let mut courses = Vec::new();
        for selected in selection.sessions() {
            progress(&selected.label());
            let session = selected.load()?;
            tally.add(&session);
            if selection.sessions().len() <= MAX_SESSION_FIGURES {
                let title = session.title();
                match SessionFigure::new(&session.timeline, &title, None) {
                    Ok(figure) => courses.push((title.clone(), figures.draw(&figure, &selected.label())?)),
                    // A session without a face has no figure. The table of sessions shows this.
                    Err(ExportError::NothingToDraw) => {}
                    Err(e) => return Err(e),
                }
            }
        }
        let drawn = figures.draw_all(selection, &tally, analysis, courses)?;
        let methods = methods::text(selection, &tally, analysis);
        let page = page::page(selection, &tally, analysis, &drawn, &methods);
        write_file(&part.join("methods.txt"), |out| out.write_all(methods.join("\n\n").as_bytes()))?;
        write_file(&part.join("report.html"), |out| out.write_all(page.as_bytes()))
    })
}
