//! Arguments of the commands that read or change stored sessions.

use std::path::PathBuf;

use chrono::FixedOffset;
use clap::{Args, ValueEnum};

use super::PlanOptions;
use analysis::EventChoice;
use analysis::import::{TextEncoding, TimeUnit, parse_encoding, parse_zone};
use session::{ParticipantId, SessionNumber};

#[derive(Debug, Args)]
pub struct List {
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions if it exists, else the user's data folder]
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
    /// Lexicon for the sentiment of deleted text, instead of the English one: on each line a word, a tab, and −4 to 4
    #[arg(long, value_name = "FILE")]
    pub lexicon: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Export {
    /// Session folders, or files in them
    #[arg(required_unless_present = "study", value_name = "SESSION")]
    pub session: Vec<PathBuf>,
    /// All sessions of this study
    #[arg(long, value_name = "NAME", conflicts_with = "session")]
    pub study: Option<String>,
    /// Also the study's pilots: sessions that the operator recorded to try it
    #[arg(long, requires = "study")]
    pub with_pilots: bool,
    /// New folder for the files
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    #[arg(long, value_enum, default_value_t)]
    pub format: ExportFormat,
    /// For a report: events to average around, in the form of `affectograph epochs --event`
    #[arg(long, value_name = "CHOICE")]
    pub event: Option<EventChoice>,
    /// For a report: events of a second condition to compare with
    #[arg(long, value_name = "CHOICE", requires = "event")]
    pub against: Option<EventChoice>,
    /// Include the markers that the operator has taken back
    #[arg(long)]
    pub taken_back: bool,
    #[command(flatten)]
    pub plan: PlanOptions,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions if it exists, else the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Import {
    /// Table with a header (CSV or TSV, with the columns of BIDS or of --time and --kind) or XDF file; both may be
    /// compressed with gzip
    pub events: PathBuf,
    /// Session folder, or a file in it
    #[arg(long, value_name = "SESSION")]
    pub session: PathBuf,
    /// Name of the new stream: `import_<NAME>` [default: the name of the file]
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    pub table: TableArguments,
    /// A marker that the file and the session share; can be given more than once [default: each name that both have equally often]
    #[arg(long, value_name = "NAME", conflicts_with = "offset")]
    pub shared: Vec<String>,
    /// Session time minus the file's time, in seconds, instead of a fit; 0 if both have the same clock
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pub offset: Option<f64>,
    /// Import the events even if most of them are outside the recording
    #[arg(long)]
    pub force: bool,
    /// Author of the import, stored in the session
    #[arg(long, default_value = "affectograph import")]
    pub author: String,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// How a table is read if its header does not show it.
#[derive(Debug, Args)]
pub struct TableArguments {
    /// Column with the time [default: onset, time_s, time, time_ms … whichever exists]
    #[arg(long, value_name = "COLUMN")]
    pub time: Option<String>,
    /// Column with the date, if the column with the time has only the time of day
    #[arg(long, value_name = "COLUMN", conflicts_with_all = ["unit", "rate"])]
    pub date: Option<String>,
    /// Column with the kind of event [default: trial_type, kind, event … whichever exists]
    #[arg(long, value_name = "COLUMN")]
    pub kind: Option<String>,
    /// Unit of the times, and of durations without a unit in their header [default: the unit in the header, else s]
    #[arg(long, value_name = "s|ms|us|ns")]
    pub unit: Option<TimeUnit>,
    /// The times are sample or frame numbers with this rate
    #[arg(long, value_name = "HZ", conflicts_with = "unit", value_parser = rate)]
    pub rate: Option<f64>,
    /// Time zone of dates without one: `Z`, `+02:00`
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true, value_parser = zone)]
    pub zone: Option<FixedOffset>,
    /// Encoding of the text, with its web name: `windows-1251`, `shift_jis` [default: UTF-8, UTF-16 or Windows-1252]
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    pub encoding: Option<TextEncoding>,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok().filter(|r| r.is_finite() && *r > 0.0);
    rate.ok_or_else(|| format!("`{text}` is not a rate: write for example 1000"))
}

fn zone(text: &str) -> Result<FixedOffset, String> {
    parse_zone(text)
        .ok_or_else(|| format!("`{text}` is not a time zone: write for example +02:00, -05:00 or Z for UTC"))
}

fn encoding(text: &str) -> Result<TextEncoding, String> {
    parse_encoding(text).ok_or_else(|| {
        format!("`{text}` is not a known encoding: write for example utf-8, windows-1252, windows-1251 or shift_jis")
    })
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// One table per stream of each session, and a figure as PNG and SVG
    #[default]
    Csv,
    /// Tables of the whole study with one row per value or per time, and a code book
    Tidy,
    /// A BIDS dataset with HED tags, for neuroscience tools
    Bids,
    /// XDF 1.0, one file per session, for tools of Lab Streaming Layer
    Xdf,
    #[cfg(feature = "parquet")]
    /// Parquet, partitioned by study, participant and session: one table for DuckDB, Polars and Spark
    Parquet,
    /// A printable page, with figures as files and a text for a methods section
    Report,
}

#[derive(Debug, Args)]
pub struct Reassign {
    /// Session folder, or a file in it
    pub session: PathBuf,
    /// The right participant: `sub-02`
    #[arg(long)]
    pub participant: ParticipantId,
    /// The right session number [default: the participant's next]
    #[arg(long, value_name = "NUMBER")]
    pub number: Option<SessionNumber>,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions if it exists, else the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Erase {
    /// Session folders, or files in them
    #[arg(required_unless_present = "participant", value_name = "SESSION")]
    pub session: Vec<PathBuf>,
    /// All sessions of this participant, the folder, and the row in participants.tsv
    #[arg(long, conflicts_with = "session")]
    pub participant: Option<ParticipantId>,
    /// Do not ask for a confirmation
    #[arg(long)]
    pub yes: bool,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions if it exists, else the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Session folder, or a file in it
    pub session: PathBuf,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}
