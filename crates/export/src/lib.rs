//! Exports tables, figures, datasets and reports. Everything is written to a temporary name and then renamed. A full disk
//! thus leaves no partial files.
//!
//! All files for other programs are written here. `session` and `analysis` define the meaning of the values.

mod atomic_write;
mod bids;
mod cells;
mod csv_file;
mod csv_tables;
mod dataset_format;
mod deleted;
mod epoch_tables;
mod error;
mod figure;
mod markup;
#[cfg(feature = "parquet")]
mod parquet;
mod report;
mod resample;
mod selection;
mod tidy;
mod xdf;

pub use bids::write_bids;
pub use csv_tables::{write_csv, write_csv_sessions};
pub use dataset_format::{DatasetFormat, write_dataset};
pub use epoch_tables::write_epochs;
pub use error::ExportError;
pub use figure::{
    ConditionCurves, FigureFormat, FigurePixels, PlaneCounts, draw_figure, write_average_figure, write_figure,
    write_group_figure, write_plane_figure,
};
#[cfg(feature = "parquet")]
pub use parquet::write_parquet;
pub use report::{EventAnalysis, write_report};
pub use selection::{ExportedSession, Selected, Selection, session_title};
pub use tidy::write_tidy;
pub use xdf::write_xdf;
