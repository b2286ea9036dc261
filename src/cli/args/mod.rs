//! What can be asked for on the command line: the commands here, what each takes in a file a group.

mod analysis;
mod recording;
mod server;
mod sessions;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use analysis::*;
pub use recording::*;
pub use server::*;
pub use sessions::*;

const ENVIRONMENT: &str = "Environment:
  AFFECTOGRAPH_SESSIONS  folder of the recordings
  AFFECTOGRAPH_MODELS    folder of the networks
  AFFECTOGRAPH_LOG       levels of diagnostics, and a file for them: debug; warn,server=debug; debug,file=PATH";

/// Records a participant's face, the affect read from it and every action on a web page, on one clock.
///
/// Without a command the window opens. For research with the participant's consent. What a face shows is not what a
/// person feels: the figures are agreement with how people judge expressions in pictures.
#[derive(Debug, Parser)]
#[command(name = "affectograph", disable_version_flag = true, max_term_width = 100, after_help = ENVIRONMENT)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions]
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
