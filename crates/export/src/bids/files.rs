//! The names of the files of a session, and files in JSON.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::ExportError;
use crate::atomic_write::write_file;

/// Appends `suffix` and its extension to the file name of `stem`.
pub(super) fn with_suffix(stem: &Path, suffix: &str) -> PathBuf {
    let mut name = stem.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    stem.with_file_name(name)
}

pub(super) fn write_json(path: &Path, value: &Value) -> Result<(), ExportError> {
    write_file(path, |out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        out.write_all(b"\n")
    })
}
