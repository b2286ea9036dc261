//! The SQLite schema of the session file: identification, version, migration and opening.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::StoreError;
use super::file_start::{FileStart, HEADER_BYTES, file_start};

pub(super) const SESSION_FILE: &str = "session.sqlite";
pub(super) const VIDEO_FILE: &str = "video.mkv";

/// `affg`, stored in SQLite's field for the application id.
const APPLICATION_ID: u32 = u32::from_be_bytes(*b"affg");

/// Migration `n` (from 0) converts file version `n` to `n + 1`. Never edited after a release.
const MIGRATIONS: &[&str] = &[
    include_str!("sql/001_session.sql"),
    include_str!("sql/002_added_streams.sql"),
    include_str!("sql/003_records_by_time.sql"),
    include_str!("sql/004_checksums.sql"),
    include_str!("sql/005_revision.sql"),
    include_str!("sql/006_condition.sql"),
    include_str!("sql/007_pilot.sql"),
    include_str!("sql/008_film.sql"),
];
/// The first file version in which streams can be added after the recording.
pub(super) const VERSION_WITH_ADDITIONS: u32 = 2;
/// The first file version with an index of record times.
pub(super) const VERSION_WITH_TIME_INDEX: u32 = 3;
/// The first file version whose pictures may be in a film.
pub(super) const VERSION_WITH_FILMS: u32 = 8;
/// The first file version with checksums.
pub(super) const VERSION_WITH_CHECKSUMS: u32 = 4;

/// Longest wait for another connection (checkpoint, reader), which usually takes milliseconds.
const BUSY: Duration = Duration::from_secs(5);

pub(super) fn session_file(folder: &Path) -> PathBuf {
    folder.join(SESSION_FILE)
}

pub(super) fn video_file(folder: &Path) -> PathBuf {
    folder.join(VIDEO_FILE)
}

/// Creates the file under a temporary name and renames it after `fill` has written the header. If the process is killed,
/// the session file is complete or absent.
pub(super) fn create(
    folder: &Path,
    fill: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<Connection, StoreError> {
    let path = session_file(folder);
    let draft = folder.join("session.sqlite.new");
    let failed = |e| StoreError::sql("create", &path)(e);
    let mut conn = Connection::open(&draft).map_err(failed)?;
    let made: rusqlite::Result<()> = (|| {
        migrate(&mut conn, MIGRATIONS)?;
        let tx = conn.transaction()?;
        fill(&tx)?;
        tx.commit()?;
        conn.pragma_update(None, "journal_mode", "wal")
    })();
    made.map_err(failed)?;
    conn.close().map_err(|(_, e)| failed(e))?;
    std::fs::rename(&draft, &path).map_err(StoreError::io("create", &path))?;
    let conn = open_write(folder)?;
    // The first commit into a new log forces the log's head to the disk. This commit does it before the recording starts.
    conn.execute("UPDATE session SET state = 'open'", []).map_err(failed)?;
    Ok(conn)
}

/// A commit reaches the kernel at once, so it survives a kill. The checkpoint thread forces commits to the disk, because a
/// commit that waits for a busy disk could exceed the promised 200 ms.
pub(super) fn open_write(folder: &Path) -> Result<Connection, StoreError> {
    let path = session_file(folder);
    let conn = open_checked(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let prepare = || -> rusqlite::Result<()> {
        conn.pragma_update(None, "synchronous", "normal")?;
        conn.pragma_update(None, "wal_autocheckpoint", 0)?;
        conn.pragma_update(None, "foreign_keys", false) // stream ids come from our own table
    };
    prepare().map_err(StoreError::sql("open", &path))?;
    Ok(conn)
}

/// Opens for reading. Files of every version are read without migration, because the media may be read-only.
pub(super) fn open_read(folder: &Path) -> Result<Connection, StoreError> {
    open_checked(&session_file(folder), OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// A connection to a file whose first bytes are those of a whole session file.
fn open_checked(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    if !path.try_exists().map_err(StoreError::io("look at", path))? {
        return Err(StoreError::NoSession(path.parent().unwrap_or(path).to_owned()));
    }
    let conn = Connection::open_with_flags(path, flags).map_err(StoreError::sql("open", path))?;
    check_header(&conn, path)?;
    conn.busy_timeout(BUSY).map_err(StoreError::sql("open", path))?;
    Ok(conn)
}

/// Opens a closed session for additions. A file of an older version is migrated first, in one transaction. The
/// caller must hold the session's lock.
pub(super) fn open_annex(folder: &Path) -> Result<Connection, StoreError> {
    let path = session_file(folder);
    let mut conn = open_write(folder)?;
    let prepare = |conn: &mut Connection| -> rusqlite::Result<()> {
        // With a write-ahead log, a kill leaves nothing to roll back, and readers never wait.
        conn.pragma_update(None, "journal_mode", "wal")?;
        migrate(conn, MIGRATIONS)
    };
    prepare(&mut conn).map_err(StoreError::sql("migrate", &path))?;
    Ok(conn)
}

pub(super) fn version(conn: &Connection) -> rusqlite::Result<u32> {
    conn.pragma_query_value(None, "user_version", |r| r.get(0))
}

pub(super) fn migrate(conn: &mut Connection, migrations: &[&str]) -> rusqlite::Result<()> {
    let version = version(conn)?;
    for (n, sql) in migrations.iter().enumerate().skip(version as usize) {
        let tx = conn.transaction()?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", n as u32 + 1)?;
        tx.commit()?;
    }
    Ok(())
}

/// Whether the file has exactly the tables, views and indices of its version.
pub(super) fn is_as_made(conn: &Connection) -> rusqlite::Result<bool> {
    let objects = |conn: &Connection| -> rusqlite::Result<Vec<(String, String, Option<String>)>> {
        let mut rows = conn.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")?;
        rows.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?.collect()
    };
    let version = version(conn)? as usize;
    let mut new = Connection::open_in_memory()?;
    migrate(&mut new, &MIGRATIONS[..version.min(MIGRATIONS.len())])?;
    Ok(objects(conn)? == objects(&new)?)
}

/// Checks the first 100 bytes before SQLite reads them, because SQLite may write into a file that it reads.
fn check_header(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let FileStart { bytes: header, file_bytes: found } = file_start(conn, path)?;
    if header.len() < HEADER_BYTES {
        return Err(if MAGIC.starts_with(&header[..header.len().min(MAGIC.len())]) {
            StoreError::Truncated { path: path.to_owned(), found, expected: HEADER_BYTES as u64 }
        } else {
            StoreError::Foreign(path.to_owned())
        });
    }
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if !header.starts_with(MAGIC) || word(68) != APPLICATION_ID {
        return Err(StoreError::Foreign(path.to_owned()));
    }
    let version = word(60);
    if version > MIGRATIONS.len() as u32 {
        return Err(StoreError::Newer { path: path.to_owned(), found: version, known: MIGRATIONS.len() as u32 });
    }
    let page_bytes = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        n => u64::from(n),
    };
    let expected = page_bytes * u64::from(word(28));
    // If there is a write-ahead log, the missing pages may be in it.
    let log = path.with_extension("sqlite-wal");
    let has_log = std::fs::metadata(&log).is_ok_and(|m| m.len() > 0);
    if found < expected && !has_log {
        return Err(StoreError::Truncated { path: path.to_owned(), found, expected });
    }
    Ok(())
}

const MAGIC: &[u8] = b"SQLite format 3\0";

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        create(dir.path(), |_| Ok(())).unwrap();
        dir
    }

    #[test]
    fn migrations_run_once_and_in_order() {
        let mut conn = Connection::open_in_memory().unwrap();
        let steps = ["CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y", "INSERT INTO a VALUES (1, 2)"];
        migrate(&mut conn, &steps[..1]).unwrap();
        migrate(&mut conn, &steps).unwrap();
        migrate(&mut conn, &steps).unwrap();
        assert_eq!(conn.query_row("SELECT count(*), sum(y) FROM a", [], |r| Ok((r.get(0)?, r.get(1)?))), Ok((1, 2)));
        assert!(migrate(&mut conn, &[steps[0], steps[1], steps[2], "no sql"]).is_err());
        assert_eq!(conn.pragma_query_value(None, "user_version", |r| r.get(0)), Ok(3));
    }

    #[test]
    fn strangers_are_refused_with_a_sentence_and_left_alone() {
        let dir = made();
        let path = session_file(dir.path());
        let good = std::fs::read(&path).unwrap();
        let mut newer = good.clone();
        newer[60..64].copy_from_slice(&99u32.to_be_bytes());
        let mut foreign = good.clone();
        foreign[68..72].fill(0);
        let cases: [(&[u8], &str); 6] = [
            (&good[..good.len() - 1], "cut off"),
            (&good[..50], "cut off"),
            (&[], "cut off"),
            (&newer, "newer affectograph (file version 99"),
            (&foreign, "no session file"),
            (b"a diary", "no session file"),
        ];
        for (bytes, sentence) in cases {
            std::fs::write(&path, bytes).unwrap();
            for error in [open_read(dir.path()).unwrap_err(), open_write(dir.path()).unwrap_err()] {
                assert!(error.to_string().contains(sentence), "{error}");
            }
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(open_read(dir.path()), Err(StoreError::NoSession(_))));
        assert!(!path.exists());
    }

    /// The number of locks that processes have on a file.
    #[cfg(target_os = "linux")]
    fn locks_on(path: &Path) -> usize {
        use std::os::unix::fs::MetadataExt;
        let place = format!(":{}", std::fs::metadata(path).unwrap().ino());
        let is_of_file = |line: &&str| line.split_whitespace().any(|word| word.ends_with(&place));
        std::fs::read_to_string("/proc/locks").unwrap().lines().filter(is_of_file).count()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn reading_a_session_leaves_its_recorders_locks() {
        let dir = made();
        let recorder = open_write(dir.path()).unwrap();
        recorder.execute("UPDATE session SET state = 'open'", []).unwrap();
        let path = session_file(dir.path());
        let before = locks_on(&path);
        assert!(before > 0, "a recorder has a lock, so that nobody removes its write-ahead log");
        for _ in 0..2 {
            let reader = open_read(dir.path()).unwrap();
            reader.query_row("SELECT count(*) FROM record", [], |_| Ok(())).unwrap();
            drop(reader);
            assert_eq!(locks_on(&path), before);
        }
    }

    #[test]
    fn the_values_view_decodes_every_kind_of_float() {
        let dir = made();
        let conn = open_write(dir.path()).unwrap();
        let values = [0.0, -0.0, 1.0, -1.5, 0.1, f32::MAX, f32::MIN_POSITIVE, 1e-45, -3.3e-40, 1e30, 6.1e-20, f32::NAN];
        conn.execute_batch("INSERT INTO stream VALUES (1, 'affect', 'samples', '', 30, '', NULL, NULL)").unwrap();
        let blob: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        for position in 0..values.len() as i64 {
            conn.execute("INSERT INTO field VALUES (1, ?1, 'f' || ?1, '1', '')", [position]).unwrap();
        }
        conn.execute("INSERT INTO record (stream, seq, at_ns, type, data) VALUES (1, 0, 5, 0, ?1)", [blob]).unwrap();
        let mut read = conn.prepare("SELECT field, value FROM value WHERE stream = 'affect'").unwrap();
        let rows: Vec<(String, Option<f64>)> =
            read.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.len(), values.len());
        for (field, value) in rows {
            let expected = values[field[1..].parse::<usize>().unwrap()];
            assert_eq!(value, expected.is_finite().then_some(f64::from(expected)), "{field}");
        }
    }
}
