//! Checksums of rows. They detect values that a disk has changed.
//!
//! CRC-32 over the values in order. Each value is one byte for its type and then its bytes. Integers and floats have
//! 64 bits, little-endian. Text and blobs have their length before them, as a 64-bit integer.

use crc32fast::Hasher;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};

use super::schema;

/// Checksum of a sequence of values.
#[derive(Default)]
pub(super) struct Checksum(Hasher);

impl Checksum {
    pub(super) fn add(&mut self, value: ValueRef<'_>) {
        let mut tagged = |tag: u8, bytes: &[u8]| {
            self.0.update(&[tag]);
            self.0.update(bytes);
        };
        match value {
            ValueRef::Null => tagged(0, &[]),
            ValueRef::Integer(n) => tagged(1, &n.to_le_bytes()),
            ValueRef::Real(x) => tagged(2, &x.to_le_bytes()),
            ValueRef::Text(text) => {
                tagged(3, &(text.len() as i64).to_le_bytes());
                self.0.update(text);
            }
            ValueRef::Blob(bytes) => {
                tagged(4, &(bytes.len() as i64).to_le_bytes());
                self.0.update(bytes);
            }
        }
    }

    pub(super) fn finish(self) -> u32 {
        self.0.finalize()
    }
}

pub(super) fn checksum_of_values<'a>(values: impl IntoIterator<Item = ValueRef<'a>>) -> u32 {
    let mut checksum = Checksum::default();
    values.into_iter().for_each(|v| checksum.add(v));
    checksum.finish()
}

/// Checksum of the session's header, streams and fields.
pub(super) fn of_header(conn: &Connection) -> rusqlite::Result<u32> {
    let mut checksum = Checksum::default();
    for sql in [
        "SELECT * FROM session ORDER BY id",
        "SELECT * FROM stream ORDER BY id",
        "SELECT * FROM field ORDER BY stream, position",
    ] {
        let mut rows = conn.prepare(sql)?;
        let is_summed =
            |(k, name): (usize, &str)| (name != HEADER_CHECKSUM).then(|| (k, COLUMNS_SINCE_CHECKSUMS.contains(&name)));
        let columns: Vec<(usize, bool)> = rows.column_names().enumerate().filter_map(is_summed).collect();
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            for &(column, is_later) in &columns {
                let value = row.get_ref(column)?;
                if !(is_later && value == ValueRef::Null) {
                    checksum.add(value);
                }
            }
        }
    }
    Ok(checksum.finish())
}

const HEADER_CHECKSUM: &str = "header_checksum";

/// Columns that were added after file version 4. Where they are NULL, they are not part of the checksum, so an upgrade
/// does not change the checksum of an older session.
const COLUMNS_SINCE_CHECKSUMS: [&str; 4] = ["revision", "condition", "condition_assigned", "pilot"];

/// Stores the header checksum of a new session.
pub(super) fn seal(conn: &Connection) -> rusqlite::Result<()> {
    let checksum = of_header(conn)?;
    conn.execute("UPDATE session SET header_checksum = ?1", [checksum])?;
    Ok(())
}

/// Updates the header checksum after a change of the header. A session without a header checksum gets none, because its
/// data may have changed since it was stored.
pub(super) fn reseal(conn: &Connection) -> rusqlite::Result<()> {
    if stored(conn)?.is_some() { seal(conn) } else { Ok(()) }
}

/// `None` if the recording program wrote no checksums.
pub(super) fn stored(conn: &Connection) -> rusqlite::Result<Option<u32>> {
    if schema::version(conn)? < schema::VERSION_WITH_CHECKSUMS {
        return Ok(None);
    }
    let stored: Option<Option<u32>> =
        conn.query_row("SELECT header_checksum FROM session", [], |row| row.get(0)).optional()?;
    Ok(stored.flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_cannot_trade_bytes_or_types() {
        let text = |t: &'static str| ValueRef::Text(t.as_bytes());
        let rows: [&[ValueRef]; 7] = [
            &[text("ab"), text("c")],
            &[text("a"), text("bc")],
            &[ValueRef::Blob(b"ab"), text("c")],
            &[ValueRef::Null, ValueRef::Integer(0)],
            &[ValueRef::Integer(0), ValueRef::Null],
            &[ValueRef::Integer(1), ValueRef::Null],
            &[ValueRef::Real(0.0), ValueRef::Null],
        ];
        let sums: std::collections::HashSet<u32> =
            rows.iter().map(|row| checksum_of_values(row.iter().copied())).collect();
        assert_eq!(sums.len(), rows.len());
    }
}
