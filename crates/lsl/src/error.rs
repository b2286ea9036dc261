//! The errors of this crate. Each message contains what failed, where, and what to do.

use std::path::PathBuf;

use thiserror::Error;

#[derive(Clone, Debug, PartialEq, Error)]
pub enum LslError {
    #[error(
        "liblsl, the library of Lab Streaming Layer, was not found in {}. Start affectograph with ./run, which installs it, \
         or set AFFECTOGRAPH_LIBLSL to the path of the library",
        list(searched)
    )]
    LibraryMissing { searched: Vec<PathBuf> },
    #[error(
        "AFFECTOGRAPH_LIBLSL is {}, but no liblsl is there. Correct the variable, or unset it so that affectograph searches \
         for the library",
        path.display()
    )]
    LibraryNotAtVariable { path: PathBuf },
    #[error(
        "{} could not be loaded as liblsl: {why}. Run ./run again to reinstall it, or set AFFECTOGRAPH_LIBLSL to an intact copy",
        path.display()
    )]
    LibraryUnusable { path: PathBuf, why: String },

    #[error("the stream `{query}` was not found on the network within {seconds} s. {hint}")]
    NotFound { query: String, seconds: u64, hint: String },
    #[error(
        "`{query}` fits several streams of the network: {found}. Say which one: add `name`, `type` or `source_id` to the source"
    )]
    Ambiguous { query: String, found: String },
    #[error(
        "the stream `{stream}` did not answer: {doing} took longer than {seconds} s. Check its program and the network"
    )]
    TimedOut { stream: String, doing: &'static str, seconds: u64 },
    #[error("the sender of the stream `{stream}` was lost")]
    Lost { stream: String },
    #[error("the stream `{stream}` has no number format that liblsl knows (number {format})")]
    UnknownFormat { stream: String, format: i32 },
    #[error("the stream `{stream}` states {channels} channels. A stream has 1 to {MAX_CHANNELS}")]
    Channels { stream: String, channels: i32 },
    #[error("the description of the stream `{stream}` is not XML: {why}")]
    Xml { stream: String, why: String },
    #[error("liblsl failed to {doing} `{stream}`: {why}")]
    Library { stream: String, doing: &'static str, why: String },
}

/// More channels than any instrument has. A damaged description cannot claim memory without limit.
pub(crate) const MAX_CHANNELS: i32 = 4096;

fn list(searched: &[PathBuf]) -> String {
    searched.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
