//! The analysis of events that a report describes.

use study_query::{Answer, Findings};

/// A question about events, and its findings.
#[derive(Clone, Copy)]
pub struct EventAnalysis<'a> {
    pub answer: &'a Answer,
    pub findings: &'a Findings,
}
