//! Other programs start and stop a recording over TCP, with the commands of LabRecorder.
//!
//! A connection sends lines of text. Each line is a [`Command`]. The answer is `OK`, without the end of a line, as
//! LabRecorder answers, or `ERROR` with a sentence and the end of a line. [`Server`] receives commands, [`send`] sends one.
//! It has no password. It is meant for programs of the same computer.

mod addresses;
mod client;
mod command;
mod server;

pub use addresses::Addresses;
pub use client::{SendError, send};
pub use command::{BadCommand, Command, FileName};
pub use server::{Answer, Request, Server, ServerError};

/// The longest line in bytes.
const LONGEST_LINE: usize = 4096;
