//! Reads a growing session in pieces, in the order of storing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::record_rows::{COLUMNS, record_of};
use super::{StoreError, header_rows, schema};
use session::{Record, StreamName};

/// The position of a reader in a growing session.
pub struct Follower {
    path: PathBuf,
    conn: Connection,
    /// Indexed by their numbers in the file.
    streams: Vec<Arc<StreamName>>,
    /// The last record that was read.
    last_id: i64,
}

impl Follower {
    /// Begins with the record `first`, given by its stream and number. `None`: begins with the first record of the session.
    pub fn open(folder: &Path, first: Option<(&str, u64)>) -> Result<Follower, StoreError> {
        let path = schema::session_file(folder);
        let conn = schema::open_read(folder)?;
        let streams = header_rows::get_streams(&conn, &path)?;
        let streams: Vec<_> = streams.into_iter().map(|s| Arc::new(s.name)).collect();
        let mut last_id = 0;
        if let Some((stream, seq)) = first {
            let known = streams.iter().position(|name| name.as_str() == stream);
            let number = known.ok_or_else(|| StoreError::NoStream(stream.to_owned()))?;
            let find = "SELECT id FROM record WHERE stream = ?1 AND seq = ?2";
            let found = conn.query_row(find, [number as i64, seq as i64], |row| row.get::<_, i64>(0)).optional();
            let found = found.map_err(StoreError::sql("read the records of", &path))?;
            // If the record does not exist, begin with the first one: too many records are better than too few.
            last_id = found.map_or(0, |id| id - 1);
        }
        Ok(Follower { path, conn, streams, last_id })
    }

    /// The next records: at most `at_most`, and together at most `max_bytes` as computed by `bytes`, but at least one. The
    /// flag is `true` if there are no further records at the moment.
    pub fn read(
        &mut self,
        at_most: usize,
        max_bytes: usize,
        bytes: impl Fn(&Record) -> usize,
    ) -> Result<(Vec<Record>, bool), StoreError> {
        let (mut records, mut weight, mut last_id) = (Vec::new(), 0, self.last_id);
        let mut read = || -> rusqlite::Result<Result<bool, String>> {
            let sql = format!("SELECT {COLUMNS}, stream, id FROM record WHERE id > ?1 ORDER BY id");
            let mut rows = self.conn.prepare_cached(&sql)?;
            let mut rows = rows.query([last_id])?;
            while let Some(row) = rows.next()? {
                let stream: i64 = row.get(8)?;
                let Some(name) = usize::try_from(stream).ok().and_then(|k| self.streams.get(k)) else {
                    return Ok(Err(format!("a record of stream number {stream}, which it does not describe")));
                };
                let record = match record_of(row, name) {
                    Ok(record) => record,
                    Err(problem) => return Ok(Err(problem)),
                };
                let more = bytes(&record);
                if records.len() == at_most || (!records.is_empty() && weight + more > max_bytes) {
                    return Ok(Ok(false));
                }
                weight += more;
                last_id = row.get(9)?;
                records.push(record);
            }
            Ok(Ok(true))
        };
        let read = read().map_err(StoreError::sql("read the records of", &self.path))?;
        let is_all = read.map_err(|problem| StoreError::damaged(&self.path, problem))?;
        self.last_id = last_id;
        Ok((records, is_all))
    }
}
