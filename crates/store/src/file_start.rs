//! Reads the start of a database file without changing it.
//!
//! The file is read through SQLite's own file object. If a program opens and closes the file by itself, POSIX drops all locks that
//! the process has on the file, also those of a recorder in another thread. Another program may then remove the write-ahead
//! log that the recorder still uses.

use std::ffi::c_void;
use std::path::Path;
use std::ptr::null_mut;

use rusqlite::{Connection, ffi};

use super::StoreError;

pub(super) const HEADER_BYTES: usize = 100;

pub(super) struct FileStart {
    /// The first bytes, at most [`HEADER_BYTES`].
    pub bytes: Vec<u8>,
    pub file_bytes: u64,
}

/// `conn` has only been opened. SQLite reads nothing by itself then, so it writes nothing and creates no file beside it.
pub(super) fn file_start(conn: &Connection, path: &Path) -> Result<FileStart, StoreError> {
    let (code, start) = read(conn);
    start.ok_or_else(|| {
        let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        StoreError::sql("read", path)(failure)
    })
}

/// SQLite's error code, and the bytes if there is no error.
fn read(conn: &Connection) -> (i32, Option<FileStart>) {
    let mut file: *mut ffi::sqlite3_file = null_mut();
    let to: *mut c_void = (&raw mut file).cast();
    // SAFETY: the connection is open, and this request writes one pointer to `to`.
    let code =
        unsafe { ffi::sqlite3_file_control(conn.handle(), c"main".as_ptr(), ffi::SQLITE_FCNTL_FILE_POINTER, to) };
    if code != ffi::SQLITE_OK {
        return (code, None);
    }
    // SAFETY: the file object belongs to the connection, which outlives it. A file that is not open has no methods.
    let Some(methods) = (unsafe { file.as_ref().and_then(|file| file.pMethods.as_ref()) }) else {
        return (ffi::SQLITE_CANTOPEN, None);
    };
    let (Some(size), Some(read)) = (methods.xFileSize, methods.xRead) else { return (ffi::SQLITE_MISUSE, None) };
    let mut file_bytes = 0;
    // SAFETY: `file` is open and `file_bytes` is a place for one number.
    let code = unsafe { size(file, &mut file_bytes) };
    if code != ffi::SQLITE_OK {
        return (code, None);
    }
    let file_bytes = u64::try_from(file_bytes).unwrap_or(0);
    let mut bytes = vec![0u8; HEADER_BYTES.min(file_bytes as usize)];
    // SAFETY: `bytes` has room for its own length, which is at most 100.
    let code = unsafe { read(file, bytes.as_mut_ptr().cast(), bytes.len() as i32, 0) };
    if code != ffi::SQLITE_OK {
        return (code, None);
    }
    (code, Some(FileStart { bytes, file_bytes }))
}
