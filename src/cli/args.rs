//! What can be asked for on the command line.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::analysis::{Correction, EpochPlan, EventChoice, QualityLimits};
use crate::capture::CameraSpec;
use crate::session::{ParticipantId, SessionNumber, StreamName};
use crate::survey::TestSettings;

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
    /// Write sessions or a whole study for other programs: CSV, BIDS, XDF, Parquet, a report
    Export(Box<Export>),
    /// Lay another program's events onto a session's clock
    Import(Import),
    /// Make sessions from video files
    Analyze(Analyze),
    /// Score from the stored video what live work skipped, or everything with another network
    Rescore(Rescore),
    /// Average valence and arousal around events, over sessions or a whole study
    Epochs(Box<Epochs>),
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
    /// Receive sessions that browsers record, and show them to their owner
    Serve(Serve),
    /// Fetch closed sessions from a server into the local library
    Pull(Pull),
    /// The participant's page in a process of its own (started by the program itself)
    #[command(hide = true)]
    ParticipantWindow,
    /// A recorded page in a process of its own (started by the program itself)
    #[command(hide = true)]
    ReplayWindow,
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
    /// Table with a header (CSV or TSV, as BIDS names its columns, or as --time and --kind say) or XDF file
    pub events: PathBuf,
    /// Session folder, or a file in it
    #[arg(long, value_name = "SESSION")]
    pub session: PathBuf,
    /// The events' stream in the session becomes `import_<NAME>` [default: the file's name]
    #[arg(long)]
    pub name: Option<String>,
    /// Column with the time [default: onset, time_s, time, time_ms … whichever there is]
    #[arg(long, value_name = "COLUMN")]
    pub time: Option<String>,
    /// Column that says what happened [default: trial_type, kind, event … whichever there is]
    #[arg(long, value_name = "COLUMN")]
    pub kind: Option<String>,
    /// A marker that both recorded; may be given several times [default: every name that both have equally often]
    #[arg(long, value_name = "NAME", conflicts_with = "offset")]
    pub shared: Vec<String>,
    /// No fit: session time is the file's time plus this, in seconds; 0 where both have one clock
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    pub offset: Option<f64>,
    /// Who imports, noted in the session
    #[arg(long, default_value = "affectograph import")]
    pub author: String,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    pub json: bool,
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
pub struct Analyze {
    /// Video files that FFmpeg reads. A file that was analyzed before and has not changed is left out, so that an
    /// analysis that was ended goes on
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Whose the files are [default: as each name begins, `sub-07_talk.mp4` or `sub-07_ses-02_talk.mp4`]
    #[arg(long)]
    pub participant: Option<ParticipantId>,
    /// Study that the sessions belong to [default: none, they are listed as `films`]
    #[arg(long)]
    pub study: Option<String>,
    /// Affect network: a folder in models/ [default: the study's]
    #[arg(long)]
    pub model: Option<String>,
    /// Files at a time [default: half the processors, because each file keeps two busy]
    #[arg(long)]
    pub threads: Option<std::num::NonZeroUsize>,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
    /// Print one JSON object a file instead of a sentence
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Rescore {
    /// Session folder, or a file in it
    pub session: PathBuf,
    /// Score all frames with this affect network, a folder in models/, into streams that bear its name
    #[arg(long, conflicts_with = "skipped")]
    pub model: Option<String>,
    /// Score the frames that nobody has looked at, with the network of the recording (what happens without --model)
    #[arg(long)]
    pub skipped: bool,
    /// [default: one a processor]
    #[arg(long)]
    pub threads: Option<std::num::NonZeroUsize>,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Epochs {
    /// Session folders, or files in them
    #[arg(required_unless_present = "study", conflicts_with = "study")]
    pub session: Vec<PathBuf>,
    /// All sessions of the study with this name
    #[arg(long, value_name = "NAME")]
    pub study: Option<String>,
    /// Which events: `STREAM[/KIND] [target=SELECTOR] [value=TEXT] [matches=REGEX]`, for example
    /// `page/click target=button#buy`; texts with spaces in double quotes
    #[arg(long, value_name = "CHOICE")]
    pub event: EventChoice,
    /// A second kind of events to compare with
    #[arg(long, value_name = "CHOICE")]
    pub against: Option<EventChoice>,
    #[command(flatten)]
    pub plan: PlanOptions,
    /// New folder for the figure and the tables: averages, participants, epochs, clusters, and everything as JSON
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    pub json: bool,
}

/// How epochs are cut and tested, for tables and for reports.
#[derive(Debug, Args)]
pub struct PlanOptions {
    /// Seconds around the event
    #[arg(long, value_name = "FROM..UNTIL", default_value = "-1..4", allow_hyphen_values = true)]
    pub window: Seconds,
    /// Seconds around the event whose mean is the epoch's zero; `none`: the participant's guided baseline phase
    #[arg(long, value_name = "FROM..UNTIL", default_value = "-1..0", allow_hyphen_values = true)]
    pub baseline: OptionalSeconds,
    /// `raw`, `corrected` (minus the baseline) or `z_scored` (in standard deviations of the guided baseline phase)
    #[arg(long, default_value = "corrected")]
    pub values: Correction,
    /// Points a second of the common grid
    #[arg(long, value_name = "HZ", default_value_t = 30.0)]
    pub rate: f64,
    /// Longest time without a sample that is bridged, in seconds; a longer one drops the epoch
    #[arg(long, value_name = "SECONDS", default_value_t = 0.3)]
    pub bridge: f64,
    /// Keep events that come before the window of the one before has ended
    #[arg(long)]
    pub keep_overlapping: bool,
    /// Keep epochs however small, turned or badly lit the face is
    #[arg(long)]
    pub no_limits: bool,
    /// Stream with valence and arousal [default: affect]
    #[arg(long, value_name = "STREAM")]
    pub source: Option<StreamName>,
    /// Permutations of the cluster test
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub permutations: u64,
    /// Of the permutations' random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

impl PlanOptions {
    pub fn plan(&self) -> EpochPlan {
        EpochPlan {
            window_s: self.window.into(),
            baseline_s: self.baseline.0.map(Into::into),
            rate_hz: self.rate,
            longest_bridge_s: self.bridge,
            keep_overlapping: self.keep_overlapping,
            limits: if self.no_limits { QualityLimits::NONE } else { QualityLimits::default() },
            zero: self.values,
            source: self.source.clone(),
        }
    }

    pub fn test_settings(&self) -> TestSettings {
        TestSettings { permutations: self.permutations, seed: self.seed }
    }
}

/// `-1..4`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seconds(pub f64, pub f64);

impl From<Seconds> for (f64, f64) {
    fn from(Seconds(from, until): Seconds) -> (f64, f64) {
        (from, until)
    }
}

impl FromStr for Seconds {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let wrong = || format!("`{s}` is no stretch of time: write for example -1..4, in seconds from the event on");
        let (from, until) = s.split_once("..").ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite()).ok_or_else(wrong);
        Ok(Seconds(number(from)?, number(until)?))
    }
}

/// `-1..0` or `none`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptionalSeconds(pub Option<Seconds>);

impl FromStr for OptionalSeconds {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        if s == "none" { Ok(OptionalSeconds(None)) } else { s.parse().map(|s| OptionalSeconds(Some(s))) }
    }
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

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Serve {
    #[command(subcommand)]
    pub manage: Option<Manage>,
    #[command(flatten)]
    pub listen: Listen,
}

/// How to run.
#[derive(Debug, Args)]
pub struct Listen {
    /// Address and port to listen on
    #[arg(long, default_value = "127.0.0.1:8443", value_name = "ADDRESS")]
    pub address: std::net::SocketAddr,
    /// Certificate chain for TLS, PEM
    #[arg(long, value_name = "FILE", requires = "private_key")]
    pub certificate: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub private_key: Option<PathBuf>,
    /// Plain HTTP on an address that others can reach, because a proxy in front does TLS
    #[arg(long)]
    pub allow_plain_http: bool,
    /// Sessions whose video is looked at at the same time [default: two for each processor]
    #[arg(long, value_name = "N")]
    pub eyes: Option<usize>,
    /// Sessions of one write key that may be open
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub sessions_per_key: usize,
    /// Nothing is taken while less than this is free on the disk, in GB
    #[arg(long, value_name = "GB", default_value_t = 1.0)]
    pub min_free_gb: f64,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Manage {
    /// Set the owner's password, anew where there is one (read from standard input, one line)
    Init(InFolder),
    /// Make a write key for a study, to stand in web pages of the given origins
    Key(Key),
    /// List write keys
    Keys(InFolder),
    /// Make a write key useless
    RevokeKey(RevokeKey),
    /// Make an API token, for `affectograph pull` and other programs that read; it is shown once
    Token(Token),
    /// Make an API token useless
    RevokeToken(Token),
    /// Print the OpenAPI description
    Openapi,
}

#[derive(Debug, Args)]
pub struct InFolder {
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Key {
    /// Study: `demo`, or the name of one beside the sessions
    #[arg(long)]
    pub study: String,
    /// Origin of the pages that may use it, `https://example.org`; may be given more than once
    #[arg(long, required = true, value_name = "ORIGIN", value_parser = origin)]
    pub origin: Vec<String>,
    #[command(flatten)]
    pub folder: InFolder,
}

#[derive(Debug, Args)]
pub struct RevokeKey {
    pub key: String,
    #[command(flatten)]
    pub folder: InFolder,
}

#[derive(Debug, Args)]
pub struct Token {
    /// What it is for; one of the same name is replaced
    pub name: String,
    #[command(flatten)]
    pub folder: InFolder,
}

#[derive(Debug, Args)]
pub struct Pull {
    /// The server, `https://example.org`
    pub server: String,
    /// File with an API token (`affectograph serve token` makes one) [default: $AFFECTOGRAPH_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Of this study alone
    #[arg(long)]
    pub study: Option<String>,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    pub json: bool,
}

/// As browsers write origins: scheme, host and, where it is not the scheme's own, port.
fn origin(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is no origin: write for example https://example.org, without a path");
    let (scheme, host) = text.split_once("://").ok_or_else(wrong)?;
    let is_host = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-.:[]".contains(c));
    if !["http", "https"].contains(&scheme) || !is_host {
        return Err(wrong());
    }
    let own_port = if scheme == "https" { ":443" } else { ":80" };
    Ok(format!("{scheme}://{}", host.strip_suffix(own_port).unwrap_or(host).to_ascii_lowercase()))
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
    fn stretches_of_time_are_read_as_people_write_them() {
        assert_eq!("-1..4".parse(), Ok(Seconds(-1.0, 4.0)));
        assert_eq!("-0.5 .. 2.25".parse(), Ok(Seconds(-0.5, 2.25)));
        assert_eq!("none".parse(), Ok(OptionalSeconds(None)));
        for bad in ["", "4", "..", "a..b", "-1..inf", "1..2..3"] {
            assert!(bad.parse::<Seconds>().is_err(), "{bad}");
        }
    }

    #[test]
    fn origins_are_as_browsers_write_them() {
        assert_eq!(origin("https://Example.org:443"), Ok("https://example.org".to_owned()));
        assert_eq!(origin("http://localhost:5173"), Ok("http://localhost:5173".to_owned()));
        for bad in ["example.org", "https://", "https://a/b", "ftp://a", "https://a b"] {
            assert!(origin(bad).is_err(), "{bad}");
        }
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
