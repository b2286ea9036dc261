//! The figures of a report.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::event_analysis::EventAnalysis;
use super::tally::Tally;
use crate::atomic_write::write_file;
use crate::figure::{AverageFigure, Figure, FigureFormat, GroupFigure, PlaneFigure, publish, svg};
use crate::{ConditionCurves, ExportError, Selection};

/// A report with more sessions than this does not draw each session. The file would become too large.
pub(super) const MAX_SESSION_FIGURES: usize = 12;

/// The figures as SVG, for embedding.
#[derive(Default)]
pub(super) struct DrawnFigures {
    /// One per session, with its title.
    pub courses: Vec<(String, String)>,
    pub plane: Option<String>,
    pub average: Option<String>,
    pub group: Option<String>,
}

/// Draws figures into a folder.
pub(super) struct Figures {
    folder: PathBuf,
}

impl Figures {
    pub fn new(folder: PathBuf) -> Self {
        Figures { folder }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes the figure as SVG and PNG, and returns the SVG.
    pub fn draw<F: Figure>(&self, figure: &F, name: &str) -> Result<String, ExportError> {
        publish(figure, &self.folder.join(format!("{name}.png")), FigureFormat::Png)?;
        let path = self.folder.join(format!("{name}.svg"));
        let text = svg(figure).map_err(|reason| ExportError::Draw { path: path.clone(), reason })?;
        write_file(&path, |out| out.write_all(text.as_bytes()))?;
        Ok(text)
    }

    /// Draws the figures of all sessions together. `courses` are the figures of single sessions.
    pub fn draw_all(
        &self,
        selection: &Selection,
        tally: &Tally,
        analysis: Option<EventAnalysis<'_>>,
        courses: Vec<(String, String)>,
    ) -> Result<DrawnFigures, ExportError> {
        let mut drawn = DrawnFigures { courses, ..DrawnFigures::default() };
        let title = selection.title();
        // For one participant, the cross is sufficient.
        let means = if tally.means.len() > 1 { tally.participant_means() } else { Vec::new() };
        match PlaneFigure::new(&title, &tally.plane, &means) {
            Ok(figure) => drawn.plane = Some(self.draw(&figure, "affect-plane")?),
            Err(ExportError::NothingToDraw) => {}
            Err(e) => return Err(e),
        }
        if let Some(EventAnalysis { findings, .. }) = analysis {
            let conditions: Vec<_> =
                findings.conditions.iter().map(|c| ConditionCurves { name: &c.name, averages: &c.averages }).collect();
            let against_zero = findings.conditions.first().map_or(&[][..], |c| &c.against_zero);
            let tests = if conditions.len() > 1 { &findings.comparisons } else { against_zero };
            drawn.average = Some(self.draw(&AverageFigure::new(&title, &conditions, tests)?, "average")?);
            if tally.means.len() > 1 {
                drawn.group = Some(self.draw(&GroupFigure::new(&title, &conditions)?, "participants")?);
            }
        }
        Ok(drawn)
    }
}
