//! Reads parts of a session: the events of some kinds, or the samples of some stretches of time.
//!
//! Files since version 3 have an index for this. Older files are read completely, with the same result.

use std::ops::Range;
use std::sync::Arc;

use rusqlite::{Params, params};

use super::record_rows::{COLUMNS, record_of};
use super::{SessionFile, StoreError, schema};
use session::{Record, StreamName, Timestamp};

impl SessionFile {
    /// The events of one stream, or only those of `kinds`. No events if the session has no such stream.
    pub fn each_event(
        &self,
        stream: &str,
        kinds: Option<&[&str]>,
        mut take: impl FnMut(Record),
    ) -> Result<(), StoreError> {
        let Some((id, name)) = self.stream_number(stream) else { return Ok(()) };
        match kinds {
            None => self.each_of(&name, "stream = ?1 AND type = 1", params![id], &mut take),
            Some(kinds) => kinds.iter().try_for_each(|kind| {
                self.each_of(&name, "stream = ?1 AND type = 1 AND kind = ?2", params![id, kind], &mut take)
            }),
        }
    }

    pub fn each_gap(&self, stream: &str, mut take: impl FnMut(Record)) -> Result<(), StoreError> {
        let Some((id, name)) = self.stream_number(stream) else { return Ok(()) };
        self.each_of(&name, "stream = ?1 AND type = 2", params![id], &mut take)
    }

    /// By time: the stream's first sample, the samples in `stretches`, and its last sample. `stretches` are in order and do
    /// not overlap.
    pub fn each_sample(
        &self,
        stream: &str,
        stretches: &[Range<Timestamp>],
        mut take: impl FnMut(Record),
    ) -> Result<(), StoreError> {
        let Some((id, name)) = self.stream_number(stream) else { return Ok(()) };
        let path = schema::session_file(self.folder());
        let version = schema::version(self.connection()).map_err(StoreError::sql("read", &path))?;
        if version < schema::VERSION_WITH_TIME_INDEX {
            return self.each_sample_by_scan(id, &name, stretches, take);
        }
        const SAMPLES: &str = "stream = ?1 AND type = 0 AND kind IS NULL";
        let end = |order| format!("{SAMPLES} ORDER BY at_ns {order} LIMIT 1");
        self.each_of(&name, &end("ASC"), params![id], &mut take)?;
        let between = format!("{SAMPLES} AND at_ns >= ?2 AND at_ns < ?3 ORDER BY at_ns");
        for Range { start, end } in stretches {
            self.each_of(&name, &between, params![id, start.as_ns(), end.as_ns()], &mut take)?;
        }
        self.each_of(&name, &end("DESC"), params![id], &mut take)
    }

    fn each_sample_by_scan(
        &self,
        id: i64,
        name: &Arc<StreamName>,
        stretches: &[Range<Timestamp>],
        take: impl FnMut(Record),
    ) -> Result<(), StoreError> {
        let (mut found, mut first, mut last) = (Vec::<Record>::new(), None::<Record>, None::<Record>);
        self.each_of(name, "stream = ?1 AND type = 0", params![id], &mut |record: Record| {
            let after = stretches.partition_point(|s| s.start <= record.at);
            let is_inside = after.checked_sub(1).is_some_and(|k| record.at < stretches[k].end);
            if first.as_ref().is_none_or(|f| record.at < f.at) {
                first = Some(record.clone());
            }
            if last.as_ref().is_none_or(|l| record.at >= l.at) {
                last = Some(record.clone());
            }
            if is_inside {
                found.push(record);
            }
        })?;
        found.sort_by_key(|r| r.at);
        first.into_iter().chain(found).chain(last).for_each(take);
        Ok(())
    }

    fn stream_number(&self, stream: &str) -> Option<(i64, Arc<StreamName>)> {
        let number = self.streams().iter().position(|s| s.name.as_str() == stream)?;
        Some((number as i64, Arc::new(self.streams()[number].name.clone())))
    }

    fn each_of(
        &self,
        stream: &Arc<StreamName>,
        wanted: &str,
        values: impl Params,
        take: &mut dyn FnMut(Record),
    ) -> Result<(), StoreError> {
        let path = schema::session_file(self.folder());
        let mut damage = None;
        let read = || -> rusqlite::Result<()> {
            let mut rows = self.connection().prepare_cached(&format!("SELECT {COLUMNS} FROM record WHERE {wanted}"))?;
            let mut rows = rows.query(values)?;
            while let Some(row) = rows.next()? {
                match record_of(row, stream) {
                    Ok(record) => take(record),
                    Err(problem) => drop(damage.get_or_insert(problem)),
                }
            }
            Ok(())
        };
        read().map_err(StoreError::sql("read the records of", &path))?;
        damage.map_or(Ok(()), |problem| Err(StoreError::damaged(&path, format!("{stream}: {problem}"))))
    }
}
