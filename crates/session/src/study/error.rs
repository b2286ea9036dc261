//! Errors in a study file.

use thiserror::Error;

/// An error in a study file, with its line and column.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct StudyError {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

/// An error at a byte of the text.
pub(super) fn at(text: &str, offset: usize, message: String) -> StudyError {
    let before = &text[..offset.min(text.len())];
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    StudyError {
        line: before.matches('\n').count() + 1,
        column: text[line_start..offset.min(text.len())].chars().count() + 1,
        message,
    }
}
