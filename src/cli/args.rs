//! What can be asked for on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::capture::CameraSpec;
use crate::session::{ParticipantId, SessionNumber};

/// Records a participant's face, the affect read from it and every action on a web page, on one clock.
///
/// Without a command the window opens. For research with the participant's consent. What a face shows is not what a
/// person feels: the figures are agreement with how people judge expressions in pictures.
#[derive(Debug, Parser)]
#[command(name = "affectograph", version, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Record a session without a window
    Record(Record),
    /// List the recorded sessions
    List(List),
    /// Show what a session holds and how good it is
    Show(Show),
    /// Write sessions or a whole study for other programs: CSV, BIDS, XDF, Parquet
    Export(Export),
    /// Check that a session is whole, and say exactly what is missing
    Verify(Verify),
    /// Record the phantom for some seconds and judge the whole line
    Selftest(Selftest),
    /// List cameras with their modes
    Cameras(Cameras),
    /// Read faces from pictures: one JSON line a picture
    Score(Score),
    /// List the installed networks with their cards' figures
    Models(Models),
    /// The participant's page in a process of its own (started by the program itself)
    #[command(hide = true)]
    ParticipantWindow,
}

#[derive(Debug, Args)]
pub struct Record {
    /// Study: `demo`, the name of one beside the sessions, or a study.toml
    #[arg(long, default_value = "demo")]
    pub study: String,
    /// Participant's pseudonym, `sub-01`
    #[arg(long)]
    pub participant: ParticipantId,
    /// Session number [default: the participant's next]
    #[arg(long)]
    pub session: Option<SessionNumber>,
    /// `phantom`, a number, a device such as /dev/video0, or a video file (which ends the session by itself)
    #[arg(long, default_value = "0")]
    pub camera: CameraSpec,
    /// End after this time: `30s`, `5min`, `500ms` [default: until the file ends or Ctrl-C]
    #[arg(long, value_parser = duration)]
    pub duration: Option<Duration>,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
    /// Open the study's page in a window of its own and record it (needs a display)
    #[arg(long)]
    pub page: bool,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    pub json: bool,
}

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
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
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
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Session folder, or a file in it
    pub session: PathBuf,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Selftest {
    /// How long to record: `20s`
    #[arg(long, value_parser = duration, default_value = "20s")]
    pub duration: Duration,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Cameras {
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Score {
    /// PNG or JPEG pictures
    #[arg(required = true)]
    pub pictures: Vec<PathBuf>,
    /// Each picture is a cropped face already, 48 × 48 px or more
    #[arg(long)]
    pub cropped: bool,
    /// Affect network: a folder in models/
    #[arg(long, default_value = "affect")]
    pub model: String,
}

#[derive(Debug, Args)]
pub struct Models {
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

/// `30s`, `5min`, `2h`, `500ms`, or plain seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration: write for example 30s, 5min, 2h or 500ms");
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds_per_unit = match unit.trim() {
        "" | "s" => 1.0,
        "ms" => 1e-3,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let seconds: f64 = number.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds * seconds_per_unit).ok().filter(|d| !d.is_zero()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1.5min"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        for bad in ["", "s", "-3s", "3 weeks", "0s", "1e400h", "."] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
