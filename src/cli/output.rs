//! Lines on standard output and standard error.
//!
//! `println!` and `eprintln!` panic if nobody reads any more (`affectograph show SESSION | head -2`) and on a full disk. A
//! command that only reads ends when its reader has gone. A command that stores or changes something goes on without output.

use std::fmt::Arguments;
use std::io::{Error, ErrorKind, Write, stderr, stdout};
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static ENDS_WITHOUT_READER: AtomicBool = AtomicBool::new(false);
/// Why standard output takes no further line.
static FAILURE: OnceLock<Error> = OnceLock::new();

/// Prints a line on standard output.
macro_rules! print_out {
    () => { $crate::cli::output::write_out(format_args!("\n")) };
    ($($line:tt)+) => { $crate::cli::output::write_out(format_args!("{}\n", format_args!($($line)+))) };
}

/// Prints a line on standard error.
macro_rules! print_err {
    ($($line:tt)+) => { $crate::cli::output::write_err(format_args!("{}\n", format_args!($($line)+))) };
}

pub(super) use {print_err, print_out};

/// The process ends with success when nobody reads its output any more.
pub(super) fn end_without_reader() {
    ENDS_WITHOUT_READER.store(true, Ordering::Relaxed);
}

pub(super) fn write_out(text: Arguments) {
    if FAILURE.get().is_some() {
        return;
    }
    let Err(error) = stdout().write_fmt(text) else { return };
    if error.kind() == ErrorKind::BrokenPipe && ENDS_WITHOUT_READER.load(Ordering::Relaxed) {
        std::process::exit(0);
    }
    // Fails only if another thread has just set it.
    FAILURE.set(error).ok();
}

/// Prints a line that cannot be printed a second time.
pub(super) fn write_secret(secret: &str) -> Result<(), Error> {
    let mut out = stdout().lock();
    writeln!(out, "{secret}")?;
    out.flush()
}

pub(super) fn write_err(text: Arguments) {
    // There is no other place to report it. The data and the exit code do not depend on it.
    stderr().write_fmt(text).ok();
}

/// The exit code of a command that has run. Output that could not be written is a failure, unless its reader has gone.
pub(super) fn checked(code: ExitCode) -> ExitCode {
    match FAILURE.get() {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => {
            print_err!("affectograph: standard output could not be written: {error}");
            if code == ExitCode::SUCCESS { ExitCode::FAILURE } else { code }
        }
        _ => code,
    }
}
