//! Pure functions over a [`Timeline`](crate::session::Timeline): no files, no threads, no window.

mod quality;

pub use quality::{Grade, LossByReason, QualityReport, quality};
