//! Diagnostics are `tracing` events. They go to standard error or to a file. `AFFECTOGRAPH_LOG` sets levels and file.
//! Data loss is never reported by a log message alone: it is counted, shown and stored.

use std::env::VarError;
use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

use crate::failure::Failure;

const VARIABLE: &str = "AFFECTOGRAPH_LOG";
/// ONNX Runtime warns about each operator that it runs on another device than requested.
const DEFAULT: &str = "warn,ort=error";

/// Starts the diagnostics of this process. Call once, before any thread starts.
///
/// # Errors
/// `AFFECTOGRAPH_LOG` cannot be read as levels, or its file cannot be opened.
pub fn start() -> Result<(), Failure> {
    let setting = match std::env::var(VARIABLE) {
        Ok(setting) => setting,
        Err(VarError::NotPresent) => String::new(),
        Err(VarError::NotUnicode(_)) => {
            return Err(format!("{VARIABLE} is not valid UTF-8: use a path in UTF-8").into());
        }
    };
    let LogSetting { levels, file } = LogSetting::parse(&setting)?;
    let registry = tracing_subscriber::registry().with(levels);
    // A line that cannot be written is dropped. With `true`, `eprintln!` would report it and end the thread if standard error
    // is closed.
    let layer = || fmt::layer().log_internal_errors(false);
    match file {
        None => registry.with(layer().with_writer(stderr).with_ansi(stderr().is_terminal())).init(),
        Some(path) => registry.with(layer().with_writer(Arc::new(open(&path)?)).with_ansi(false)).init(),
    }
    Ok(())
}

#[derive(Debug, PartialEq)]
struct LogSetting {
    levels: Targets,
    file: Option<PathBuf>,
}

impl LogSetting {
    /// `debug`, `warn,server=debug`, or either with `,file=PATH`.
    fn parse(setting: &str) -> Result<Self, String> {
        let mut levels = Vec::new();
        let mut file = None;
        for part in setting.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.strip_prefix("file=") {
                Some(path) => file = Some(PathBuf::from(path)),
                None => levels.push(part),
            }
        }
        let text = if levels.is_empty() { DEFAULT.to_owned() } else { levels.join(",") };
        let levels = text.parse().map_err(|e| {
            format!("{VARIABLE}={setting}: {e}. Examples: debug; warn,server=debug; debug,file=/tmp/affectograph.log")
        })?;
        Ok(Self { levels, file })
    }
}

fn open(path: &Path) -> Result<File, String> {
    OpenOptions::new().create(true).append(true).open(path).map_err(|e| {
        format!("{VARIABLE}: the log file {} cannot be opened: {e}. Choose another file=PATH.", path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_file_are_separate_parts() {
        let setting = LogSetting::parse("warn, server=debug, file=/tmp/a.log").unwrap();
        assert_eq!(setting.levels, "warn,server=debug".parse().unwrap());
        assert_eq!(setting.file, Some(PathBuf::from("/tmp/a.log")));
    }

    #[test]
    fn without_levels_the_default_holds() {
        assert_eq!(LogSetting::parse("").unwrap(), LogSetting { levels: DEFAULT.parse().unwrap(), file: None });
        assert_eq!(LogSetting::parse("file=a").unwrap().levels, DEFAULT.parse().unwrap());
    }

    #[test]
    fn a_level_that_does_not_exist_is_refused_with_examples() {
        let error = LogSetting::parse("server=loud").unwrap_err();
        assert!(error.starts_with("AFFECTOGRAPH_LOG=server=loud: "), "{error}");
        assert!(error.contains("warn,server=debug"), "{error}");
    }
}
