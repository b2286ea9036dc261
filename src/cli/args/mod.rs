//! The arguments of the command line. The commands are listed here. Their arguments are in one file per group.

mod analysis;
mod recording;
#[cfg(feature = "server")]
mod server;
mod sessions;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use analysis::*;
pub use recording::*;
#[cfg(feature = "server")]
pub use server::*;
pub use sessions::*;

const ENVIRONMENT: &str = "Environment:
  AFFECTOGRAPH_SESSIONS     folder of the recordings
  AFFECTOGRAPH_MODELS       folder of the networks
  AFFECTOGRAPH_ONNXRUNTIME  path of the ONNX Runtime library
  AFFECTOGRAPH_LIBLSL       path of liblsl (Lab Streaming Layer)
  AFFECTOGRAPH_TOKEN        API token for `pull`
  AFFECTOGRAPH_LOG          levels and file of diagnostics: debug; warn,server=debug; debug,file=PATH";

/// Records a participant's face, the affect read from it and every action on a web page, on one clock.
///
/// Without a command, the window opens. For research with the participant's consent. An expression is not a feeling: the
/// figures measure the agreement with people's judgements of expressions in pictures.
#[derive(Debug, Parser)]
#[command(name = "affectograph", disable_version_flag = true, max_term_width = 100, after_help = ENVIRONMENT)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions if it exists, else the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
    /// Print the version and the git revision
    #[arg(short = 'V', long)]
    pub version: bool,
    /// With --version: print it as JSON
    #[arg(long, requires = "version")]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Record a session without a window
    Record(Record),
    /// List the recorded sessions
    List(List),
    /// Show the contents of a session and its quality
    Show(Show),
    /// Export sessions or a whole study: CSV, BIDS, XDF, Parquet, a report
    Export(Box<Export>),
    /// Import events of another program onto a session's clock
    Import(Import),
    /// Make sessions from video files
    Analyze(Analyze),
    /// Score stored frames that were skipped live, or all frames with another network
    Rescore(Rescore),
    /// Heart rate from the colours of the skin, for stored sessions
    Pulse(Pulse),
    /// Compress the video of finished sessions again, to save space on the disk
    Compact(Compact),
    /// Average valence and arousal, or other signals, around events of sessions or of a whole study
    Epochs(Box<Epochs>),
    /// Correlation of two signals of a session, and the delay between them
    Lag(Lag),
    /// Check a session for missing and damaged data
    Verify(Verify),
    /// Give a session another participant or another number
    Reassign(Reassign),
    /// Erase sessions, or a participant with all data
    Erase(Erase),
    /// Record the phantom for some seconds and check the whole pipeline
    Selftest(Selftest),
    /// List the cameras and their modes
    Cameras(Cameras),
    /// List the streams of Lab Streaming Layer on the network
    Lsl(Lsl),
    /// List the serial ports, or measure how late triggers are at one
    Triggers(Triggers),
    /// Start or stop a recording of another process of the program: LabRecorder's commands over TCP
    Remote(Remote),
    /// Score faces in pictures: one JSON line per picture
    Score(Score),
    /// List the installed networks and the figures of their cards
    Models(Models),
    #[cfg(feature = "server")]
    /// Receive sessions from browsers and serve the owner's dashboard
    Serve(Serve),
    #[cfg(feature = "server")]
    /// Copy closed sessions from a server into the local library
    Pull(Pull),
    #[cfg(feature = "desktop")]
    /// The process of the participant window (started by the program itself)
    #[command(hide = true)]
    ParticipantWindow,
    #[cfg(feature = "desktop")]
    /// The process of the replay window (started by the program itself)
    #[command(hide = true)]
    ReplayWindow,
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
    fn the_remote_control_has_the_address_of_a_study() {
        let address = session::RemoteControlSettings::default().address();
        assert_eq!(recording::LABRECORDER.parse(), Ok(address));
    }
}
