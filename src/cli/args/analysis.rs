//! Arguments of the commands that score faces and average their signals.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use analysis::{Correction, EpochPlan, EventChoice, QualityLimits, SignalId};
use session::{EncodedVideo, ParticipantId, StreamName, VideoCodec};
use study_query::TestSettings;

const MOST_KEY_FRAME_S: f64 = 10.0;

#[derive(Debug, Args)]
pub struct Analyze {
    /// Video files that FFmpeg can read. Files that were analyzed before and have not changed are skipped, so the same
    /// command continues an interrupted analysis
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Participant of all files [default: from the start of each file name, `sub-07_talk.mp4` or `sub-07_ses-02_talk.mp4`]
    #[arg(long)]
    pub participant: Option<ParticipantId>,
    /// Study of the sessions [default: none, the sessions are listed as `films`]
    #[arg(long)]
    pub study: Option<String>,
    /// Affect network: a folder in models/ [default: the network of the study]
    #[arg(long)]
    pub model: Option<String>,
    /// Files that are analyzed at the same time [default: half the number of processors, because each file uses at least two]
    #[arg(long)]
    pub threads: Option<std::num::NonZeroUsize>,
    /// Do not put the film into the session. The session only refers to it by its path, size and SHA-256. Its pictures are
    /// gone when the film is moved, renamed or changed
    #[arg(long)]
    pub by_reference: bool,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions if it exists, else the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
    /// Print one JSON object per file instead of text
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Rescore {
    /// Session folder, or a file in it
    pub session: PathBuf,
    /// Score all frames with this affect network (a folder in models/) into streams with its name
    #[arg(long, conflicts_with = "skipped")]
    pub model: Option<String>,
    /// Score the frames that were not scored, with the network of the recording (the default without --model)
    #[arg(long)]
    pub skipped: bool,
    /// Threads that score [default: the number of processors]
    #[arg(long)]
    pub threads: Option<std::num::NonZeroUsize>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Pulse {
    /// Session folders, or files in them
    #[arg(required = true)]
    pub session: Vec<PathBuf>,
    /// Print one JSON object per session instead of text
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Compact {
    /// Session folders, or files in them
    #[arg(required = true)]
    pub session: Vec<PathBuf>,
    /// `h264`: small, with a loss that is measured and printed; `ffv1`: without loss, and larger than the original in most cases
    #[arg(long, default_value = "h264")]
    pub format: VideoCodec,
    /// Constant rate factor of H.264: a smaller number gives better pictures and a larger file
    #[arg(long, value_name = "N", default_value_t = EncodedVideo::USUAL_CRF,
          value_parser = clap::value_parser!(u8).range(0..=i64::from(EncodedVideo::LARGEST_CRF)))]
    pub crf: u8,
    /// Seconds between key frames of H.264. 0: every picture is a key frame, which makes the file several times larger
    #[arg(long, value_name = "SECONDS", default_value_t = EncodedVideo::USUAL_KEY_FRAME_S, value_parser = key_frames)]
    pub key_frames: f64,
    /// Keep video.mkv beside the new video
    #[arg(long)]
    pub keep_original: bool,
    /// Take the new video also if its pictures differ more than usual (a mean SSIM below 0.97, or one picture below 0.90)
    #[arg(long)]
    pub accept_quality: bool,
    /// Print one JSON object per session instead of text
    #[arg(long)]
    pub json: bool,
}

/// Seconds. A longer time would make a jump in the review slow.
fn key_frames(text: &str) -> Result<f64, String> {
    let seconds = text.parse::<f64>().ok().filter(|s| (0.0..=MOST_KEY_FRAME_S).contains(s));
    seconds.ok_or_else(|| format!("`{text}` is no time from 0 to {MOST_KEY_FRAME_S} s"))
}

#[derive(Debug, Args)]
pub struct Epochs {
    /// Session folders, or files in them
    #[arg(required_unless_present = "study", conflicts_with = "study")]
    pub session: Vec<PathBuf>,
    /// All sessions of the study with this name
    #[arg(long, value_name = "NAME")]
    pub study: Option<String>,
    /// Also the study's pilots: sessions that the operator recorded to try it
    #[arg(long, requires = "study")]
    pub with_pilots: bool,
    /// Events: `STREAM[/KIND] [target=SELECTOR] [value=TEXT] [matches=REGEX]`, for example
    /// `page/click target=button#buy`; put texts with spaces in double quotes
    #[arg(long, value_name = "CHOICE")]
    pub event: EventChoice,
    /// Events of a second condition to compare with
    #[arg(long, value_name = "CHOICE")]
    pub against: Option<EventChoice>,
    #[command(flatten)]
    pub plan: PlanOptions,
    /// New folder for the figure, the tables (averages, participants, epochs, clusters) and a JSON file with all results
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions if it exists, else the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// How epochs are cut and tested, for tables and reports.
#[derive(Debug, Args)]
pub struct PlanOptions {
    /// Start and end of the epoch, in seconds from the event
    #[arg(long, value_name = "FROM..UNTIL", default_value = "-1..4", allow_hyphen_values = true)]
    pub window: Seconds,
    /// Baseline of the epoch, in seconds from the event; `none`: the participant's guided baseline phase
    #[arg(long, value_name = "FROM..UNTIL", default_value = "-1..0", allow_hyphen_values = true)]
    pub baseline: OptionalSeconds,
    /// `raw`, `corrected` (the baseline's mean is subtracted) or `z_scored` (in standard deviations of the guided baseline phase)
    #[arg(long, default_value = "corrected")]
    pub values: Correction,
    /// Points per second of the common grid
    #[arg(long, value_name = "HZ", default_value_t = 30.0)]
    pub rate: f64,
    /// Longest time without a sample that is interpolated, in seconds; a longer one excludes the epoch. Streams slower than
    /// 5 Hz: 1.5 of their intervals, if that is longer
    #[arg(long, value_name = "SECONDS", default_value_t = 0.3)]
    pub bridge: f64,
    /// Keep events that occur within the epoch of the event before
    #[arg(long)]
    pub keep_overlapping: bool,
    /// Keep epochs with a small, turned or badly lit face. The limits apply only to signals that are read from the face
    #[arg(long)]
    pub no_limits: bool,
    /// Signal to cut and average: a field of a stream, for example `lsl_eda.EDA`. May be given several times; an event is
    /// kept if all of them can be cut. `affectograph show SESSION` lists streams and fields [default: affect.valence and
    /// affect.arousal]
    #[arg(long, value_name = "STREAM.FIELD", conflicts_with = "source")]
    pub signal: Vec<SignalId>,
    /// Stream with valence and arousal: short for --signal STREAM.valence --signal STREAM.arousal [default: affect]
    #[arg(long, value_name = "STREAM")]
    pub source: Option<StreamName>,
    /// Permutations of the cluster test
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub permutations: u64,
    /// Seed of the permutations' random numbers
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
            signals: self.signals(),
        }
    }

    fn signals(&self) -> Vec<SignalId> {
        match &self.source {
            Some(stream) => SignalId::of_affect(stream).to_vec(),
            None if self.signal.is_empty() => EpochPlan::default().signals,
            None => self.signal.clone(),
        }
    }

    pub fn test_settings(&self) -> TestSettings {
        TestSettings { permutations: self.permutations, seed: self.seed }
    }
}

#[derive(Debug, Args)]
pub struct Lag {
    /// Session folders, or files in them
    #[arg(required = true)]
    pub session: Vec<PathBuf>,
    /// Signal whose delay is computed, for example `lsl_eda.EDA`
    #[arg(long, value_name = "STREAM.FIELD")]
    pub signal: SignalId,
    /// Signal that it is compared with, for example `affect.arousal`
    #[arg(long, value_name = "STREAM.FIELD")]
    pub with: SignalId,
    /// Longest delay that is tried in both directions, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 8.0)]
    pub longest: f64,
    /// Points per second of the common grid
    #[arg(long, value_name = "HZ", default_value_t = 10.0)]
    pub rate: f64,
    /// Longest time without a sample that is interpolated, in seconds. Slow streams: 1.5 of their intervals, if that is longer
    #[arg(long, value_name = "SECONDS", default_value_t = 0.5)]
    pub bridge: f64,
    /// Print one JSON object per session instead of text
    #[arg(long)]
    pub json: bool,
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
        let wrong = || format!("`{s}` is not a time range: write for example -1..4, in seconds from the event");
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
pub struct Score {
    /// PNG or JPEG pictures
    #[arg(required = true)]
    pub pictures: Vec<PathBuf>,
    /// Each picture is a cropped face of at least 48 × 48 px
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_of_time_are_read_as_people_write_them() {
        assert_eq!("-1..4".parse(), Ok(Seconds(-1.0, 4.0)));
        assert_eq!("-0.5 .. 2.25".parse(), Ok(Seconds(-0.5, 2.25)));
        assert_eq!("none".parse(), Ok(OptionalSeconds(None)));
        for bad in ["", "4", "..", "a..b", "-1..inf", "1..2..3"] {
            assert!(bad.parse::<Seconds>().is_err(), "{bad}");
        }
    }
}
