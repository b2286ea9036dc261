//! Records and frames as rows, in both directions.

use std::path::Path;
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Row, params};

use super::{FrameRow, RECORDER_SEQ_0, StoreError};
use crate::capture::TimeSource;
use crate::session::{Body, Gap, GapReason, Numbers, Record, StreamInfo, StreamName, Timestamp};

/// What [`record_of`] reads, in its order.
pub(super) const COLUMNS: &str = "type, seq, at_ns, frame, kind, data, until_ns, lost";

const SAMPLE: i64 = 0;
const EVENT: i64 = 1;
const GAP: i64 = 2;

/// What became of a record on its way into the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    New,
    /// The same record was there already.
    Repeated,
    /// Another record has this stream and number; it stays.
    Conflict,
}

/// Inserts rows within the caller's transaction. SQLite's integers are signed: counts keep their 64 bits in them.
pub(super) struct Inserter<'c> {
    record: CachedStatement<'c>,
    frame: CachedStatement<'c>,
    stored: CachedStatement<'c>,
    blob: Vec<u8>,
}

impl<'c> Inserter<'c> {
    pub(super) fn new(conn: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Inserter {
            record: conn.prepare_cached(
                "INSERT OR IGNORE INTO record (stream, seq, at_ns, type, frame, kind, data, until_ns, lost)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?,
            frame: conn.prepare_cached(
                "INSERT OR IGNORE INTO frame (number, at_ns, offset, length, time_source, device_sequence)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?,
            stored: conn.prepare_cached(&format!("SELECT {COLUMNS} FROM record WHERE stream = ?1 AND seq = ?2"))?,
            blob: Vec::new(),
        })
    }

    pub(super) fn record(&mut self, stream: usize, record: &Record) -> rusqlite::Result<Put> {
        let (stream, seq, at) = (stream as i64, record.seq as i64, record.at.as_ns());
        let changed = match &record.body {
            Body::Sample { frame, values } => {
                self.blob.clear();
                self.blob.extend(values.iter().flat_map(|v| v.to_le_bytes()));
                let frame = frame.map(|f| f as i64);
                self.record.execute(params![
                    stream,
                    seq,
                    at,
                    SAMPLE,
                    frame,
                    None::<&str>,
                    self.blob,
                    None::<i64>,
                    None::<i64>
                ])?
            }
            Body::Event { kind, data } => {
                let data =
                    serde_json::to_string(data).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
                self.record.execute(params![
                    stream,
                    seq,
                    at,
                    EVENT,
                    None::<i64>,
                    kind,
                    data,
                    None::<i64>,
                    None::<i64>
                ])?
            }
            Body::Gap(gap) => {
                let (reason, until, lost) = (gap.reason.as_str(), gap.until.as_ns(), gap.lost as i64);
                self.record.execute(params![stream, seq, at, GAP, None::<i64>, reason, gap.note, until, lost])?
            }
        };
        if changed == 1 {
            return Ok(Put::New);
        }
        let name = record.stream.clone();
        let stored = self.stored.query_row([stream, seq], |row| Ok(record_of(row, &name)))?;
        Ok(if stored.is_ok_and(|s| same(&s, record)) { Put::Repeated } else { Put::Conflict })
    }

    pub(super) fn frame(&mut self, frame: &FrameRow) -> rusqlite::Result<bool> {
        let device_sequence = frame.device_sequence.map(|s| s as i64);
        let changed = self.frame.execute(params![
            frame.number as i64,
            frame.at.as_ns(),
            frame.offset as i64,
            frame.length as i64,
            frame.time_source.as_str(),
            device_sequence,
        ])?;
        Ok(changed == 1)
    }
}

/// Equal bit by bit: a NaN is the same as itself.
fn same(a: &Record, b: &Record) -> bool {
    match (&a.body, &b.body) {
        (Body::Sample { frame: fa, values: va }, Body::Sample { frame: fb, values: vb }) => {
            let bits = |v: &[f32]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            a.at == b.at && fa == fb && bits(va) == bits(vb)
        }
        _ => a == b,
    }
}

pub(super) fn record_of(row: &Row, stream: &Arc<StreamName>) -> Result<Record, String> {
    let problem = |e: rusqlite::Error| e.to_string();
    let body = match row.get(0).map_err(problem)? {
        SAMPLE => {
            let ValueRef::Blob(bytes) = row.get_ref(5).map_err(problem)? else {
                return Err("a sample without values".into());
            };
            let (words, rest) = bytes.as_chunks::<4>();
            if !rest.is_empty() {
                return Err(format!("a sample of {} bytes", bytes.len()));
            }
            let frame: Option<i64> = row.get(3).map_err(problem)?;
            Body::Sample {
                frame: frame.map(|f| f as u64),
                values: words.iter().map(|w| f32::from_le_bytes(*w)).collect(),
            }
        }
        EVENT => {
            let data = row.get_ref(5).and_then(|d| Ok(d.as_str()?)).map_err(problem)?;
            let data = serde_json::from_str(data).map_err(|e| format!("event data that is no JSON object: {e}"))?;
            Body::Event { kind: row.get(4).map_err(problem)?, data }
        }
        GAP => {
            let word: String = row.get(4).map_err(problem)?;
            let lost: i64 = row.get(7).map_err(problem)?;
            Body::Gap(Gap {
                until: Timestamp::from_ns(row.get(6).map_err(problem)?),
                reason: GapReason::from_stored(&word).ok_or_else(|| format!("the unknown gap reason `{word}`"))?,
                lost: lost as u64,
                note: row.get(5).map_err(problem)?,
            })
        }
        other => return Err(format!("the unknown type {other}")),
    };
    let seq: i64 = row.get(1).map_err(problem)?;
    Ok(Record { stream: stream.clone(), seq: seq as u64, at: Timestamp::from_ns(row.get(2).map_err(problem)?), body })
}

/// Calls `take` with every record in the order of storing, or with what is wrong with it.
pub(super) fn each_record(
    conn: &Connection,
    path: &Path,
    streams: &[StreamInfo],
    mut take: impl FnMut(Result<Record, String>),
) -> Result<(), StoreError> {
    let names: Vec<Arc<StreamName>> = streams.iter().map(|s| Arc::new(s.name.clone())).collect();
    let mut read = || -> rusqlite::Result<()> {
        let mut rows = conn.prepare(&format!("SELECT {COLUMNS}, stream FROM record ORDER BY id"))?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let stream: i64 = row.get(8)?;
            let described = || -> Result<String, rusqlite::Error> {
                Ok(format!("record {} of stream number {stream}", row.get::<_, i64>(1)?))
            };
            let record = match usize::try_from(stream).ok().and_then(|s| names.get(s)) {
                Some(name) => record_of(row, name),
                None => Err("a stream that the file does not describe".to_owned()),
            };
            match record {
                Ok(record) => take(Ok(record)),
                Err(problem) => take(Err(format!("{} holds {problem}", described()?))),
            }
        }
        Ok(())
    };
    read().map_err(StoreError::sql("read the records of", path))
}

/// Records of one stream, by number.
pub(super) fn records_from(
    conn: &Connection,
    path: &Path,
    streams: &[StreamInfo],
    stream: usize,
    from: u64,
) -> Result<Vec<Record>, StoreError> {
    let name = Arc::new(streams[stream].name.clone());
    let read = || -> rusqlite::Result<Vec<Result<Record, String>>> {
        let sql = format!("SELECT {COLUMNS} FROM record WHERE stream = ?1 AND seq >= ?2 ORDER BY seq");
        let mut rows = conn.prepare_cached(&sql)?;
        rows.query_map([stream as i64, from as i64], |row| Ok(record_of(row, &name)))?.collect()
    };
    let records = read().map_err(StoreError::sql("read the records of", path))?;
    records.into_iter().collect::<Result<_, _>>().map_err(|problem| StoreError::damaged(path, problem))
}

pub(super) fn get_frames(conn: &Connection, path: &Path) -> Result<Vec<FrameRow>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Result<FrameRow, String>>> {
        let mut rows = conn
            .prepare("SELECT number, at_ns, offset, length, time_source, device_sequence FROM frame ORDER BY number")?;
        rows.query_map([], |row| {
            let word = row.get_ref(4)?.as_str()?;
            let Some(time_source) = TimeSource::from_stored(word) else {
                return Ok(Err(format!("frame {} has the unknown time source `{word}`", row.get::<_, i64>(0)?)));
            };
            Ok(Ok(FrameRow {
                number: row.get::<_, i64>(0)? as u64,
                at: Timestamp::from_ns(row.get(1)?),
                offset: row.get::<_, i64>(2)? as u64,
                length: row.get::<_, i64>(3)? as u64,
                time_source,
                device_sequence: row.get::<_, Option<i64>>(5)?.map(|s| s as u64),
            }))
        })?
        .collect()
    };
    let rows = read().map_err(StoreError::sql("read the frames of", path))?;
    rows.into_iter().collect::<Result<_, _>>().map_err(|problem| StoreError::damaged(path, problem))
}

/// The next free number of a stream, counting from its greatest.
pub(super) fn next_seq(conn: &Connection, stream: usize) -> rusqlite::Result<u64> {
    let max: Option<i64> =
        conn.query_row("SELECT max(seq) FROM record WHERE stream = ?1", [stream as i64], |r| r.get(0))?;
    Ok(max.map_or(0, |n| (n as u64).wrapping_add(1)))
}

/// The numbers that a source gave, of each stream.
pub(super) fn source_numbers(conn: &Connection, streams: usize) -> rusqlite::Result<Vec<Numbers>> {
    let mut given = conn.prepare("SELECT seq FROM record WHERE stream = ?1 AND seq >= 0 AND seq < ?2 ORDER BY seq")?;
    (0..streams as i64)
        .map(|stream| {
            let mut numbers = Numbers::default();
            let mut rows = given.query([stream, RECORDER_SEQ_0 as i64])?;
            while let Some(row) = rows.next()? {
                numbers.insert(row.get::<_, i64>(0)? as u64);
            }
            Ok(numbers)
        })
        .collect()
}

/// Latest time of anything stored.
pub(super) fn last_time(conn: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let ns: Option<i64> = conn.query_row(
        "SELECT max(ns) FROM (SELECT max(at_ns) AS ns FROM record UNION ALL SELECT max(until_ns) FROM record
                              UNION ALL SELECT max(at_ns) FROM frame)",
        [],
        |row| row.get(0),
    )?;
    Ok(ns.map(Timestamp::from_ns))
}
