//! Reads and writes records and frames as database rows.

use std::path::Path;
use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params_from_iter};

use super::checksum::{Checksum, checksum_of_values};
use super::{FrameRow, RECORDER_SEQ_0, StoreError, schema};
use session::{Body, FrameMeta, Gap, GapReason, Numbers, Record, StreamInfo, StreamName, TimeSource, Timestamp};

/// The columns that [`record_of`] reads, in order.
pub(super) const COLUMNS: &str = "type, seq, at_ns, frame, kind, data, until_ns, lost";

/// The columns of a record's checksum, in order.
const RECORD_COLUMNS: &str = "stream, seq, at_ns, type, frame, kind, data, until_ns, lost";

const SAMPLE: i64 = 0;
const EVENT: i64 = 1;
const GAP: i64 = 2;

/// Result of inserting a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    New,
    /// The same record was already stored.
    Repeated,
    /// Another record has this stream and number. It is kept.
    Conflict,
}

/// Inserts rows within the caller's transaction. SQLite's integers are signed; unsigned counts keep their 64 bits.
pub(super) struct Inserter<'c> {
    record: CachedStatement<'c>,
    frame: CachedStatement<'c>,
    stored: CachedStatement<'c>,
    /// False for files of older versions, which have no column for checksums.
    has_checksums: bool,
    blob: Vec<u8>,
}

impl<'c> Inserter<'c> {
    pub(super) fn new(conn: &'c Connection) -> rusqlite::Result<Self> {
        let has_checksums = schema::version(conn)? >= schema::VERSION_WITH_CHECKSUMS;
        let insert = |table: &str, columns: &str| {
            let (column, n) = if has_checksums { (", checksum", 1) } else { ("", 0) };
            let values = vec!["?"; columns.split(',').count() + n].join(", ");
            conn.prepare_cached(&format!("INSERT OR IGNORE INTO {table} ({columns}{column}) VALUES ({values})"))
        };
        Ok(Inserter {
            record: insert("record", RECORD_COLUMNS)?,
            frame: insert("frame", "number, at_ns, offset, length, time_source, device_sequence")?,
            stored: conn.prepare_cached(&format!("SELECT {COLUMNS} FROM record WHERE stream = ?1 AND seq = ?2"))?,
            has_checksums,
            blob: Vec::new(),
        })
    }

    pub(super) fn record(&mut self, stream: usize, record: &Record) -> rusqlite::Result<Put> {
        let (int, null) = (ValueRef::Integer, ValueRef::Null);
        let (stream, seq, at) = (stream as i64, record.seq as i64, record.at.as_ns());
        let json;
        let [what, frame, kind, data, until, lost] = match &record.body {
            Body::Sample { frame, values } => {
                self.blob.clear();
                self.blob.extend(values.iter().flat_map(|v| v.to_le_bytes()));
                [int(SAMPLE), frame.map_or(null, |f| int(f as i64)), null, ValueRef::Blob(&self.blob), null, null]
            }
            Body::Event { kind, data } => {
                json = serde_json::to_string(data).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
                [int(EVENT), null, text(kind), text(&json), null, null]
            }
            Body::Gap(gap) => {
                let (until, lost) = (int(gap.until.as_ns()), int(gap.lost as i64));
                [int(GAP), null, text(gap.reason.as_str()), text(&gap.note), until, lost]
            }
        };
        let row = [int(stream), int(seq), int(at), what, frame, kind, data, until, lost];
        let checksum = self.has_checksums.then(|| int(i64::from(checksum_of_values(row))));
        let values = row.into_iter().chain(checksum).map(ToSqlOutput::Borrowed);
        if self.record.execute(params_from_iter(values))? == 1 {
            return Ok(Put::New);
        }
        let name = record.stream.clone();
        let stored = self.stored.query_row([stream, seq], |row| Ok(record_of(row, &name)))?;
        Ok(if stored.is_ok_and(|s| same(&s, record)) { Put::Repeated } else { Put::Conflict })
    }

    pub(super) fn frame(&mut self, frame: &FrameRow) -> rusqlite::Result<bool> {
        let int = ValueRef::Integer;
        let row = [
            int(frame.meta.number as i64),
            int(frame.meta.at.as_ns()),
            int(frame.offset as i64),
            int(frame.length as i64),
            ValueRef::Text(frame.meta.time_source.as_str().as_bytes()),
            frame.meta.device_sequence.map_or(ValueRef::Null, |s| int(s as i64)),
        ];
        let checksum = frame.checksum.map_or(ValueRef::Null, |c| int(i64::from(c)));
        let values = row.into_iter().chain(self.has_checksums.then_some(checksum)).map(ToSqlOutput::Borrowed);
        Ok(self.frame.execute(params_from_iter(values))? == 1)
    }
}

/// Compares every record with its checksum. Calls `damaged` with stream, number and time of each record that differs.
/// Returns the number of records without a checksum.
pub(super) fn each_damaged_record(conn: &Connection, mut damaged: impl FnMut(i64, i64, i64)) -> rusqlite::Result<u64> {
    if schema::version(conn)? < schema::VERSION_WITH_CHECKSUMS {
        return conn.query_row("SELECT count(*) FROM record", [], |row| row.get::<_, i64>(0)).map(|n| n as u64);
    }
    let columns = RECORD_COLUMNS.split(',').count();
    let mut unchecked = 0;
    let mut rows = conn.prepare(&format!("SELECT {RECORD_COLUMNS}, checksum FROM record ORDER BY id"))?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let mut checksum = Checksum::default();
        for column in 0..columns {
            checksum.add(row.get_ref(column)?);
        }
        let now = i64::from(checksum.finish());
        let plain = |column| row.get_ref(column).ok().and_then(|v| v.as_i64().ok()).unwrap_or(-1);
        match row.get_ref(columns)? {
            ValueRef::Null => unchecked += 1,
            ValueRef::Integer(stored) if stored == now => {}
            _ => damaged(plain(0), plain(1), plain(2)),
        }
    }
    Ok(unchecked)
}

fn text(text: &str) -> ValueRef<'_> {
    ValueRef::Text(text.as_bytes())
}

/// Compares bit by bit, so that NaN equals NaN.
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

/// Calls `take` with every record in the order of storing, or with the problem of an unreadable record.
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

/// Records of one stream from a number on, by number.
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

/// What [`frame_of`] reads.
fn frame_columns(conn: &Connection) -> rusqlite::Result<String> {
    let checksum = if schema::version(conn)? < schema::VERSION_WITH_CHECKSUMS { "NULL" } else { "checksum" };
    Ok(format!("number, at_ns, offset, length, time_source, device_sequence, {checksum}"))
}

pub(super) fn get_frames(conn: &Connection, path: &Path) -> Result<Vec<FrameRow>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Result<FrameRow, String>>> {
        let mut rows = conn.prepare(&format!("SELECT {} FROM frame ORDER BY number", frame_columns(conn)?))?;
        rows.query_map([], frame_of)?.collect()
    };
    let rows = read().map_err(StoreError::sql("read the frames of", path))?;
    rows.into_iter().collect::<Result<_, _>>().map_err(|problem| StoreError::damaged(path, problem))
}

/// The last frame captured at or before `at`. Reads all rows, because they have no index by time, and keeps one in memory.
pub(super) fn frame_before(conn: &Connection, path: &Path, at: Timestamp) -> Result<Option<FrameRow>, StoreError> {
    let read = || -> rusqlite::Result<Option<Result<FrameRow, String>>> {
        let columns = frame_columns(conn)?;
        let found = format!("SELECT {columns} FROM frame WHERE at_ns <= ?1 ORDER BY at_ns DESC, number DESC LIMIT 1");
        conn.query_row(&found, [at.as_ns()], frame_of).optional()
    };
    let row = read().map_err(StoreError::sql("read the frames of", path))?;
    row.transpose().map_err(|problem| StoreError::damaged(path, problem))
}

pub(super) fn has_frames(conn: &Connection, path: &Path) -> Result<bool, StoreError> {
    let found = conn.query_row("SELECT EXISTS (SELECT 1 FROM frame)", [], |r| r.get(0));
    found.map_err(StoreError::sql("read the frames of", path))
}

fn frame_of(row: &Row) -> rusqlite::Result<Result<FrameRow, String>> {
    let word = row.get_ref(4)?.as_str()?;
    let Some(time_source) = TimeSource::from_stored(word) else {
        return Ok(Err(format!("frame {} has the unknown time source `{word}`", row.get::<_, i64>(0)?)));
    };
    Ok(Ok(FrameRow {
        meta: FrameMeta {
            number: row.get::<_, i64>(0)? as u64,
            at: Timestamp::from_ns(row.get(1)?),
            time_source,
            device_sequence: row.get::<_, Option<i64>>(5)?.map(|s| s as u64),
        },
        offset: row.get::<_, i64>(2)? as u64,
        length: row.get::<_, i64>(3)? as u64,
        // An invalid value becomes 0, which hardly any picture has.
        checksum: row.get::<_, Option<i64>>(6)?.map(|c| u32::try_from(c).unwrap_or_default()),
    }))
}

/// The frames that end after byte `bytes`: their number, the number of all frames, and the time of the first. Frames are
/// stored in the order of their numbers, so checking the last frame is usually enough.
///
/// `is_film`: the last frame may be before another one in the file.
pub(super) fn frames_behind(
    conn: &Connection,
    bytes: u64,
    is_film: bool,
) -> rusqlite::Result<Option<(u64, u64, Timestamp)>> {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    let last = if is_film {
        "SELECT max(offset + length) FROM frame HAVING count(*) > 0"
    } else {
        "SELECT offset + length FROM frame ORDER BY number DESC LIMIT 1"
    };
    let end = conn.query_row(last, [], |r| r.get(0));
    if end.optional()?.is_none_or(|end: f64| end <= bytes as f64) {
        return Ok(None);
    }
    let sql = "SELECT count(*), min(at_ns), (SELECT count(*) FROM frame) FROM frame WHERE offset + length > ?1";
    let found: (i64, Option<i64>, i64) = conn.query_row(sql, [bytes], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
    let (frames, from, of) = found;
    Ok(from.map(|ns| (frames as u64, of as u64, Timestamp::from_ns(ns))))
}

/// The number after the greatest number of a stream.
pub(super) fn next_seq(conn: &Connection, stream: usize) -> rusqlite::Result<u64> {
    let max: Option<i64> =
        conn.query_row("SELECT max(seq) FROM record WHERE stream = ?1", [stream as i64], |r| r.get(0))?;
    Ok(max.map_or(0, |n| (n as u64).wrapping_add(1)))
}

/// Stores a record after the last one of its stream.
pub(super) fn append(
    conn: &Connection,
    inserter: &mut Inserter,
    (stream, name): (usize, &StreamName),
    at: Timestamp,
    body: Body,
) -> rusqlite::Result<()> {
    let record = Record { stream: Arc::new(name.clone()), seq: next_seq(conn, stream)?, at, body };
    inserter.record(stream, &record).map(drop)
}

/// The numbers that sources assigned, for each stream.
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

/// The latest time in the file.
pub(super) fn last_time(conn: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let ns: Option<i64> = conn.query_row(
        "SELECT max(ns) FROM (SELECT max(at_ns) AS ns FROM record UNION ALL SELECT max(until_ns) FROM record
                              UNION ALL SELECT max(at_ns) FROM frame)",
        [],
        |row| row.get(0),
    )?;
    Ok(ns.map(Timestamp::from_ns))
}
