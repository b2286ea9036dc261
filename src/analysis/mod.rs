//! Pure functions over a [`Timeline`](crate::session::Timeline): no files, no threads, no window.

mod edits;
mod quality;
mod sentiment;

pub use edits::{DeletedPassage, deleted_passages};
pub use quality::{Grade, LossByReason, QualityReport, quality};
pub use sentiment::{Lexicon, LexiconError, Sentiment, sentiments};
