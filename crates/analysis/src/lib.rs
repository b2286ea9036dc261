//! Pure functions over a [`Timeline`](session::Timeline): no files, no threads, no window.
//!
//! Steps of an analysis: [`EventChoice`] selects events, [`epochs`] cuts a session's epochs around them by an
//! [`EpochPlan`], and [`average`], [`compare`] and [`epoch_table`] take the epochs of all sessions.

mod agreement;
mod average;
mod baseline;
mod busy;
mod clock_runs;
mod clusters;
mod compare;
mod drift;
mod edits;
mod ending;
mod epochs;
mod error;
mod events;
mod frame_times;
pub mod import;
mod numbers;
mod page_clock;
mod pauses;
mod plan;
mod quality;
mod robust_line;
mod sample_quality;
mod scored_frames;
mod sentiment;
mod session_signal;
mod signal;
mod signal_id;
mod skin_response;
mod spreadsheet;
mod table;
mod trace;

pub use agreement::{Agreement, Delay, SHORTEST_OVERLAP_S, agreement, ccc, cohen_kappa, correlation, lag};
pub use average::{Average, Interval, Unit, average, counts};
pub use baseline::{Baseline, Zero, baseline_of, baseline_phases};
pub use busy::Busy;
pub use clock_runs::{ClockRuns, MOST_DELAY_S, MOST_DRIFT, MOST_WILD, clock_runs};
pub use compare::{Cluster, Comparison, Design, Effect, against_zero, compare};
pub use drift::{DriftFit, LeftOut, fit_drift};
pub use edits::{DeletedPassage, deleted_passages};
pub use ending::{End, Ending, PLANNED};
pub use epochs::{CutSignal, DropReason, Epoch, SessionEpochs, describe_dropped, epochs};
pub use error::AnalysisError;
pub use events::{EventChoice, Onset};
pub use numbers::half_interval_95;
pub use page_clock::ClockJumps;
pub use plan::{Correction, EpochPlan};
pub use quality::{FaceRecord, Footage, Grade, LossByReason, QualityReport, quality};
pub use robust_line::{Line, robust_line};
pub use sample_quality::{Flaw, PoorStretch, QualityLimits, SampleQuality, poor_stretches, sample_quality};
pub use sentiment::{Lexicon, LexiconError, Sentiment, TakenBack, deleted_events, sentiments, taken_back};
pub use signal::{Signal, signal};
pub use signal_id::{Measure, SignalId, list_signals};
pub use skin_response::{SkinResponse, skin_response};
pub use spreadsheet::{escaped_cell, unescaped_cell};
pub use table::{EpochRow, epoch_table};
pub use trace::Trace;
