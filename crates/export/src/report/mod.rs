//! A report that needs no knowledge of this program: one HTML file with embedded figures, the same figures as files for a
//! paper, and a methods text.
//!
//! ```text
//! report.html  methods.txt  figures/*.svg *.png
//! ```

mod html;
mod methods;
mod page;
mod tally;

use std::io::Write;
use std::path::Path;

use super::atomic_write::{make_folder, publish_folder, write_file};
use super::figure::{AverageFigure, Figure, FigureFormat, GroupFigure, PlaneFigure, SessionFigure, publish, svg};
use super::{ConditionCurves, ExportError, Selection};
use study_query::{Answer, Findings};
use tally::Tally;

/// A report with more sessions than this does not draw each session. The file would become too large.
const MOST_COURSES: usize = 12;

/// A question about events, and its findings.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub answer: &'a Answer,
    pub findings: &'a Findings,
}

/// Writes the report of one session or of a study into the new folder `to`.
pub fn write_report(
    selection: &Selection,
    asked: Option<Asked<'_>>,
    to: &Path,
    mut progress: impl FnMut(&str),
) -> Result<(), ExportError> {
    publish_folder(to, |part| {
        let figures = Figures { folder: part.join("figures") };
        make_folder(&figures.folder)?;
        let mut tally = Tally::default();
        let mut courses = Vec::new();
        for selected in selection.sessions() {
            progress(&selected.label());
            let session = selected.load()?;
            tally.add(&session);
            if selection.sessions().len() <= MOST_COURSES {
                let title = session.title();
                match SessionFigure::new(&session.timeline, &title, None) {
                    Ok(figure) => courses.push((title.clone(), figures.draw(&figure, &selected.label())?)),
                    // A session without a face has no figure. The table of sessions shows this.
                    Err(ExportError::NothingToDraw) => {}
                    Err(e) => return Err(e),
                }
            }
        }
        let drawn = draw(selection, &tally, asked, &figures, courses)?;
        let methods = methods::text(selection, &tally, asked);
        let page = page::page(selection, &tally, asked, &drawn, &methods);
        write_file(&part.join("methods.txt"), |out| out.write_all(methods.join("\n\n").as_bytes()))?;
        write_file(&part.join("report.html"), |out| out.write_all(page.as_bytes()))
    })
}

/// The figures as SVG, for embedding.
#[derive(Default)]
struct Drawn {
    /// One per session, with its title.
    courses: Vec<(String, String)>,
    plane: Option<String>,
    average: Option<String>,
    group: Option<String>,
}

struct Figures {
    folder: std::path::PathBuf,
}

impl Figures {
    /// Writes the figure as SVG and PNG, and returns the SVG.
    fn draw<F: Figure>(&self, figure: &F, name: &str) -> Result<String, ExportError> {
        publish(figure, &self.folder.join(format!("{name}.png")), FigureFormat::Png)?;
        let path = self.folder.join(format!("{name}.svg"));
        let text = svg(figure).map_err(|reason| ExportError::Draw { path: path.clone(), reason })?;
        write_file(&path, |out| out.write_all(text.as_bytes()))?;
        Ok(text)
    }
}

fn draw(
    selection: &Selection,
    tally: &Tally,
    asked: Option<Asked<'_>>,
    figures: &Figures,
    courses: Vec<(String, String)>,
) -> Result<Drawn, ExportError> {
    let mut drawn = Drawn { courses, ..Drawn::default() };
    let title = selection.title();
    // For one participant, the cross is sufficient.
    let means = if tally.means.len() > 1 { tally.participant_means() } else { Vec::new() };
    match PlaneFigure::new(&title, &tally.plane, &means) {
        Ok(figure) => drawn.plane = Some(figures.draw(&figure, "affect-plane")?),
        Err(ExportError::NothingToDraw) => {}
        Err(e) => return Err(e),
    }
    if let Some(Asked { findings, .. }) = asked {
        let conditions: Vec<_> =
            findings.conditions.iter().map(|c| ConditionCurves { name: &c.name, averages: &c.averages }).collect();
        let against_zero = findings.conditions.first().map_or(&[][..], |c| &c.against_zero);
        let tests = if conditions.len() > 1 { &findings.comparisons } else { against_zero };
        drawn.average = Some(figures.draw(&AverageFigure::new(&title, &conditions, tests)?, "average")?);
        if tally.means.len() > 1 {
            drawn.group = Some(figures.draw(&GroupFigure::new(&title, &conditions)?, "participants")?);
        }
    }
    Ok(drawn)
}
