//! Arguments of the commands that record or check the hardware.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use capture::CameraSpec;
use remote_control::Addresses;
use session::{ParticipantId, SessionNumber, SourceSettings};

/// The port of LabRecorder's remote control, for programs of this computer.
pub(super) const LABRECORDER: &str = "127.0.0.1:22345";

#[derive(Debug, Args)]
pub struct Record {
    /// Study: `demo`, the name of a study in the folder of the recordings, or the path of a study.toml
    #[arg(long, default_value = "demo")]
    pub study: String,
    /// Participant's pseudonym, `sub-01`
    #[arg(long)]
    pub participant: ParticipantId,
    /// Session number [default: the participant's next]
    #[arg(long)]
    pub session: Option<SessionNumber>,
    /// Condition of the participant [default: the study's random order decides]
    #[arg(long)]
    pub condition: Option<String>,
    /// `phantom`, a number, a device such as /dev/video0, or a video file (the session ends with the file)
    #[arg(long, default_value = "0")]
    pub camera: CameraSpec,
    /// Length of the recording: `30s`, `5min`, `500ms` [default: until the video file ends or Ctrl-C]
    #[arg(long, value_parser = duration)]
    pub duration: Option<Duration>,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions if it exists, else the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
    /// Open the study's page in its own window and record it (needs a display)
    #[arg(long)]
    pub page: bool,
    /// Also record this stream of Lab Streaming Layer: its name, or `name=…,type=…,source_id=…` (repeatable)
    #[arg(long = "lsl", value_name = "QUERY")]
    pub sources: Vec<SourceSettings>,
    /// Offer affect, events and frames to other programs over Lab Streaming Layer
    #[arg(long)]
    pub lsl_out: bool,
    /// Wait for `start` of another program, and record until its `stop`: LabRecorder's commands over TCP, on this computer
    /// unless another address is given
    #[arg(long, value_name = "ADDRESS:PORT", num_args = 0..=1, default_missing_value = LABRECORDER)]
    pub remote_control: Option<Addresses>,
    /// Mark the session as a pilot: it is left out of averages
    #[arg(long)]
    pub pilot: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Selftest {
    /// Length of the recording: `20s`
    #[arg(long, value_parser = duration, default_value = "20s")]
    pub duration: Duration,
    /// Print one JSON object instead of text
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
pub struct Remote {
    /// `start`, `stop`, `update`, `select all`, or `filename {participant:sub-01} {session:1}`
    #[arg(required = true, value_name = "COMMAND")]
    pub words: Vec<String>,
    /// Address or name, and port, of the program to control
    #[arg(long, default_value = LABRECORDER)]
    pub to: Addresses,
}

#[derive(Debug, Args)]
pub struct Lsl {
    /// How long to look
    #[arg(long, value_parser = duration, default_value = "2s")]
    pub duration: Duration,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Triggers {
    #[command(subcommand)]
    pub action: Option<TriggersAction>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum TriggersAction {
    /// Send bytes that must come back, and print how long they take
    Test(TriggersTest),
}

#[derive(Debug, Args)]
pub struct TriggersTest {
    /// Path of the port, whose pins 2 and 3 are connected, or whose device answers with what it gets
    #[arg(required_unless_present = "without_device", conflicts_with = "without_device")]
    pub port: Option<String>,
    /// As the device states it
    #[arg(long, default_value_t = 115_200, value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    pub baud_rate: u32,
    /// Number of bytes
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub count: u32,
    /// Measure a pseudo terminal instead: what this computer itself takes
    #[arg(long)]
    pub without_device: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// `30s`, `5min`, `2h`, `500ms`, or plain seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration: write for example 30s, 5min, 2h or 500ms");
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
