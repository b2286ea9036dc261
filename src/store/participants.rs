//! `participants.tsv`, as BIDS names its columns. People add columns of their own; only rows are added here.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use chrono::NaiveDate;

use super::StoreError;
use crate::session::ParticipantId;

pub(super) const PARTICIPANTS_FILE: &str = "participants.tsv";
const ID_COLUMN: &str = "participant_id";
const ADDED_COLUMN: &str = "added";
/// What BIDS writes where a value is not known.
const UNKNOWN: &str = "n/a";

/// In the order of the file; none where there is no file.
pub(super) fn read(path: &Path) -> Result<Vec<ParticipantId>, StoreError> {
    let Some(text) = text(path)? else { return Ok(Vec::new()) };
    let id_column = id_column(path, &text)?;
    let rows = text.lines().enumerate().skip(1).filter(|(_, row)| !row.trim().is_empty());
    rows.map(|(n, row)| cell(row, id_column).parse().map_err(|message| wrong(path, n + 1, message))).collect()
}

/// Adds a row unless there is one. Everything else in the file stays byte by byte.
pub(super) fn add(path: &Path, participant: &ParticipantId, on: NaiveDate) -> Result<(), StoreError> {
    let mut text = text(path)?.unwrap_or_else(|| format!("{ID_COLUMN}\t{ADDED_COLUMN}\n"));
    let id_column = id_column(path, &text)?;
    if text.lines().skip(1).any(|row| cell(row, id_column) == participant.as_str()) {
        return Ok(());
    }
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    if !text.ends_with('\n') {
        text.push_str(end);
    }
    let date = on.to_string();
    let columns = text.lines().next().unwrap_or_default().trim_end_matches('\r').split('\t').map(str::trim);
    let row: Vec<&str> = columns
        .map(|column| match column.trim_start_matches(BYTE_ORDER_MARK) {
            ID_COLUMN => participant.as_str(),
            ADDED_COLUMN => &date,
            _ => UNKNOWN,
        })
        .collect();
    let row = row.join("\t");
    text.push_str(&row);
    text.push_str(end);
    replace(path, text.as_bytes()).map_err(StoreError::io("write", path))
}

/// Takes the participant's row out; everything else stays byte by byte.
pub(super) fn remove(path: &Path, participant: &ParticipantId) -> Result<(), StoreError> {
    let Some(text) = text(path)? else { return Ok(()) };
    let id_column = id_column(path, &text)?;
    let rows = text.split_inclusive('\n').enumerate();
    let kept: String =
        rows.filter(|(n, row)| *n == 0 || cell(row, id_column) != participant.as_str()).map(|(_, row)| row).collect();
    if kept == text { Ok(()) } else { replace(path, kept.as_bytes()).map_err(StoreError::io("write", path)) }
}

const BYTE_ORDER_MARK: char = '\u{feff}';

fn text(path: &Path) -> Result<Option<String>, StoreError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(StoreError::io("read", path)(e)),
    }
}

fn id_column(path: &Path, text: &str) -> Result<usize, StoreError> {
    let head = text.lines().next().unwrap_or_default().trim_start_matches(BYTE_ORDER_MARK);
    head.split('\t').position(|column| column.trim() == ID_COLUMN).ok_or_else(|| {
        wrong(path, 1, format!("no column `{ID_COLUMN}`: the first line must name the columns, with tabs between them"))
    })
}

fn cell(row: &str, column: usize) -> &str {
    row.split('\t').nth(column).unwrap_or_default().trim()
}

fn wrong(path: &Path, line: usize, message: String) -> StoreError {
    StoreError::Participants { path: path.to_owned(), line, message }
}

/// The old file or the new one, whenever the power goes.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let draft = path.with_extension("tsv.new");
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();

    fn id(n: u32) -> ParticipantId {
        ParticipantId::numbered(n)
    }

    #[test]
    fn rows_are_added_once_and_other_columns_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(PARTICIPANTS_FILE);
        assert_eq!(read(&path).unwrap(), []);
        add(&path, &id(1), DAY).unwrap();
        add(&path, &id(1), DAY).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "participant_id\tadded\nsub-01\t2026-11-23\n");

        let own = "age\tparticipant_id\thand\r\n33\tsub-04\tleft";
        std::fs::write(&path, own).unwrap();
        add(&path, &id(4), DAY).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), own);
        add(&path, &id(5), DAY).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{own}\r\nn/a\tsub-05\tn/a\r\n"));
        assert_eq!(read(&path).unwrap(), [id(4), id(5)]);
        remove(&path, &id(5)).unwrap();
        remove(&path, &id(7)).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{own}\r\n"));
        std::fs::write(&path, "\u{feff}participant_id\nsub-09\n").unwrap();
        add(&path, &id(10), DAY).unwrap();
        assert_eq!(read(&path).unwrap(), [id(9), id(10)]);
    }

    #[test]
    fn mistakes_are_named_by_line_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(PARTICIPANTS_FILE);
        std::fs::write(&path, "participant_id\nsub-01\n\nAnna\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("participants.tsv, line 4: `Anna`"));
        std::fs::write(&path, "name;age\n").unwrap();
        assert!(add(&path, &id(1), DAY).unwrap_err().to_string().contains("line 1: no column"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "name;age\n");
    }
}
