//! The errors of this crate. Each message contains what failed, where, and what to do.

use std::path::PathBuf;

use thiserror::Error;

#[derive(Clone, Debug, PartialEq, Error)]
pub enum LslError {
    #[error(
        "liblsl, the library of Lab Streaming Layer, was not found in {}. Install affectograph again, or set \
         AFFECTOGRAPH_LIBLSL to the path of the library. In a checkout, ./run installs it",
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
        "{} could not be loaded as liblsl: {why}. Install affectograph again, or set AFFECTOGRAPH_LIBLSL to an intact copy. In a \
         checkout, delete build/liblsl and start ./run",
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
    #[error(
        "`{query}` fits the stream `{stream}`, which is already recorded for another source. Remove one of the two sources, or \
         add `name`, `type` or `source_id`"
    )]
    Taken { query: String, stream: String },
    #[error(
        "the stream `{stream}` is back in another form and is not recorded: {why}. Restore the form, or start a new session"
    )]
    OtherForm { stream: String, why: String },
    #[error("{count} streams of the network may be the lost `{stream}`, and none is recorded. Stop all but one")]
    SeveralBack { stream: String, count: usize },
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
