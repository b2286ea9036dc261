//! What reads and writes stored sessions.

use std::path::PathBuf;

use chrono::FixedOffset;
use clap::{Args, ValueEnum};

use super::PlanOptions;
use analysis::EventChoice;
use analysis::import::{TextEncoding, TimeUnit, parse_encoding, parse_zone};

#[derive(Debug, Args)]
pub struct List {
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Show {
    /// Session folder, or a file in it
    pub session: PathBuf,
    /// Rated words that replace the English ones in the sentiment of deleted text: a word, a tab, −4 to 4 on each line
    #[arg(long, value_name = "FILE")]
    pub lexicon: Option<PathBuf>,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Export {
    /// Session folders, or files in them
    #[arg(required_unless_present = "study", value_name = "SESSION")]
    pub session: Vec<PathBuf>,
    /// All sessions of this study instead
    #[arg(long, value_name = "NAME", conflicts_with = "session")]
    pub study: Option<String>,
    /// New folder to write into
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    #[arg(long, value_enum, default_value_t)]
    pub format: ExportFormat,
    /// For a report: the events around which it averages, as `affectograph epochs` takes them
    #[arg(long, value_name = "CHOICE")]
    pub event: Option<EventChoice>,
    /// For a report: a second kind of events to compare with
    #[arg(long, value_name = "CHOICE", requires = "event")]
    pub against: Option<EventChoice>,
    #[command(flatten)]
    pub plan: PlanOptions,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Import {
    /// Table with a header (CSV or TSV, as BIDS names its columns, or as --time and --kind say) or XDF file; either may
    /// be packed with gzip
    pub events: PathBuf,
    /// Session folder, or a file in it
    #[arg(long, value_name = "SESSION")]
    pub session: PathBuf,
    /// The events' stream in the session becomes `import_<NAME>` [default: the file's name]
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    pub table: TableArguments,
    /// A marker that both recorded; may be given several times [default: every name that both have equally often]
    #[arg(long, value_name = "NAME", conflicts_with = "offset")]
    pub shared: Vec<String>,
    /// No fit: session time is the file's time plus this, in seconds; 0 where both have one clock
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pub offset: Option<f64>,
    /// Import although most events lie outside the recording
    #[arg(long)]
    pub force: bool,
    /// Who imports, noted in the session
    #[arg(long, default_value = "affectograph import")]
    pub author: String,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    pub json: bool,
}

/// How a table is to be read, where it does not say so itself.
#[derive(Debug, Args)]
pub struct TableArguments {
    /// Column with the time [default: onset, time_s, time, time_ms … whichever there is]
    #[arg(long, value_name = "COLUMN")]
    pub time: Option<String>,
    /// Column that says what happened [default: trial_type, kind, event … whichever there is]
    #[arg(long, value_name = "COLUMN")]
    pub kind: Option<String>,
    /// Unit of the times, and of durations whose column names none [default: what the header says, else s]
    #[arg(long, value_name = "s|ms|us|ns")]
    pub unit: Option<TimeUnit>,
    /// The times count samples or frames: so many a second
    #[arg(long, value_name = "HZ", conflicts_with = "unit", value_parser = rate)]
    pub rate: Option<f64>,
    /// Time zone of dates that name none: `Z`, `+02:00`
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true, value_parser = zone)]
    pub zone: Option<FixedOffset>,
    /// Encoding of the text, as browsers name it: `windows-1251`, `shift_jis` [default: UTF-8, UTF-16 or Windows-1252]
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    pub encoding: Option<TextEncoding>,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|r| r.is_finite() && *r > 0.0);
    rate.ok_or_else(|| format!("`{text}` is no rate: write for example 1000"))
}

fn zone(text: &str) -> Result<FixedOffset, String> {
    parse_zone(text).ok_or_else(|| format!("`{text}` is no time zone: write for example +02:00, -05:00 or Z for UTC"))
}

fn encoding(text: &str) -> Result<TextEncoding, String> {
    parse_encoding(text).ok_or_else(|| {
        format!("`{text}` is no encoding: write for example utf-8, windows-1252, windows-1251 or shift_jis")
    })
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// One table a stream for each session, with its figure as PNG and SVG
    #[default]
    Csv,
    /// Tables of the whole study: one row a value and one row a moment, with a code book
    Tidy,
    /// A BIDS dataset with HED tags, for neuroscience's tools
    Bids,
    /// XDF 1.0, one file a session, for Lab Streaming Layer's tools
    Xdf,
    /// Parquet, partitioned by study, participant and session: one table to DuckDB, Polars and Spark
    Parquet,
    /// A page to read and print, with its figures as files and a methods text to paste
    Report,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Session folder, or a file in it
    pub session: PathBuf,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    pub json: bool,
}
