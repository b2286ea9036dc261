//! Closes a session that a crash left open. It can be interrupted and repeated without damage.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use rusqlite::Connection;
use serde::Serialize;
use serde_json::json;

use super::header_rows::{self, Closed};
use super::mkv_scan::{Scan, read_at, scan};
use super::record_rows::{self, Inserter};
use super::{FrameRow, SessionLock, StorageFailure, StoreError, reserve, schema};
use session::{Body, Gap, GapReason, HEALTH, HealthKind, Timestamp, VIDEO};

/// Result of closing a crashed session.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Recovery {
    /// Frames of the video that were added to the session file.
    pub frames_adopted: u64,
    /// Frames of the session file after the end of the video. They were removed and are counted as lost.
    pub frames_missing: u64,
    /// Bytes of an unfinished frame that were cut off the video.
    pub bytes_cut: u64,
    /// Why the video was not changed.
    pub video_problem: Option<String>,
    /// Time of the last stored data.
    pub end: Timestamp,
}

/// `None` if the session is closed or is being recorded.
pub fn recover(folder: &Path) -> Result<Option<Recovery>, StoreError> {
    let path = schema::session_file(folder);
    // First checks with a read-only connection.
    let conn = schema::open_read(folder)?;
    let (_, closed, _) = header_rows::get_header(&conn, &path)?;
    drop(conn);
    if closed != Closed::Not {
        return Ok(None);
    }
    let Some(lock) = SessionLock::take(folder)? else { return Ok(None) };
    reserve::release(folder);
    let mut conn = schema::open_write(folder)?;
    let (_, closed, _) = header_rows::get_header(&conn, &path)?;
    let failure = SessionLock::storage_failure(folder);
    let done = if closed == Closed::Not { Some(mend(folder, &mut conn, failure.as_ref())?) } else { None };
    header_rows::settle(&conn).map_err(StoreError::sql("close", &path))?;
    conn.close().map_err(|(_, e)| StoreError::sql("close", &path)(e))?;
    lock.remove()?;
    Ok(done)
}

fn mend(folder: &Path, conn: &mut Connection, failure: Option<&StorageFailure>) -> Result<Recovery, StoreError> {
    let path = schema::session_file(folder);
    let streams = header_rows::get_streams(conn, &path)?;
    let rows = record_rows::get_frames(conn, &path)?;
    let mut done = Recovery::default();
    let mut in_video = Vec::new();
    let mut video_end = u64::MAX; // a missing or foreign video says nothing about the frames
    match finish_video(folder, &rows) {
        Ok(Some((video, end))) => {
            done.bytes_cut = if video.is_finished { 0 } else { video.file_bytes - end };
            video_end = end;
            in_video = video.frames;
        }
        Ok(None) => {}
        Err(problem @ StoreError::ForeignVideo { .. }) => done.video_problem = Some(problem.to_string()),
        Err(other) => return Err(other),
    }
    let known: HashSet<_> = rows.iter().map(|f| f.meta.number).collect();
    let missing: Vec<_> = rows.iter().filter(|f| f.end() > video_end).collect();
    let adopted: Vec<_> = in_video.iter().filter(|f| !known.contains(&f.meta.number)).collect();
    done.frames_missing = missing.len() as u64;
    done.frames_adopted = adopted.len() as u64;

    let stream_of = |name| streams.iter().map(|s| &s.name).enumerate().find(|(_, s)| s.as_str() == name);
    let mut write = || -> rusqlite::Result<Timestamp> {
        let tx = conn.transaction()?;
        {
            let mut inserter = Inserter::new(&tx)?;
            for frame in &missing {
                tx.execute("DELETE FROM frame WHERE number = ?1", [frame.meta.number as i64])?;
            }
            for frame in &adopted {
                inserter.frame(frame)?;
            }
            let end = record_rows::last_time(&tx)?.unwrap_or_default();
            if let (Some(health), Some(failure)) = (stream_of(HEALTH), failure) {
                let data = json!({ "is_disk_full": failure.is_disk_full, "why": failure.why });
                let body = Body::event(HealthKind::StoringFailed.as_str(), data);
                record_rows::append(&tx, &mut inserter, health, end, body)?;
            }
            let frames_lost = failure.map_or(0, |f| f.frames_lost);
            if let Some(video) = stream_of(VIDEO).filter(|_| frames_lost > 0) {
                let note = "nothing could be stored any more".to_owned();
                let body = Body::Gap(Gap { until: end, reason: GapReason::Crash, lost: frames_lost, note });
                record_rows::append(&tx, &mut inserter, video, end, body)?;
            }
            let first = streams.first().map(|s| (0, &s.name));
            if let Some(marked) = stream_of(HEALTH).or(stream_of(VIDEO)).or(first) {
                let body = Body::Gap(crash_gap(end, &missing, failure));
                record_rows::append(&tx, &mut inserter, marked, end, body)?;
            }
            header_rows::close(&tx, Closed::AfterCrash, end, 0)?;
            drop(inserter);
            tx.commit()?;
            Ok(end)
        }
    };
    done.end = write().map_err(StoreError::sql("recover", &path))?;
    Ok(done)
}

/// The exact time of the crash is unknown, so the gap begins and ends at the last stored data.
fn crash_gap(end: Timestamp, missing: &[&FrameRow], failure: Option<&StorageFailure>) -> Gap {
    let frames_missing = missing.len() as u64;
    let records_lost = failure.map_or(0, |f| f.records_lost);
    let mut note = match failure {
        Some(failure) if failure.is_disk_full => "the disk was full and nothing could be stored any more".to_owned(),
        Some(_) => "nothing could be stored any more".to_owned(),
        None => "the program ended without closing the session".to_owned(),
    };
    if frames_missing > 0 {
        note += &format!("; {frames_missing} frames of the session file are not in the video");
    }
    if records_lost > 0 {
        note += &format!("; {records_lost} records were not stored");
    }
    Gap { until: end, reason: GapReason::Crash, lost: frames_missing + records_lost, note }
}

/// Cuts off an unfinished frame and writes the seek table. Returns the end of the last whole frame. `None` if there is no
/// video.
fn finish_video(folder: &Path, rows: &[FrameRow]) -> Result<Option<(Scan, u64)>, StoreError> {
    let path = schema::video_file(folder);
    if !path.exists() {
        return Ok(None);
    }
    let found = scan(&path)?;
    if found.is_finished {
        let end = found.file_bytes;
        return Ok(Some((found, end)));
    }
    let mut file = File::options().read(true).write(true).open(&path).map_err(StoreError::io("open", &path))?;
    let known = known_end(&mut file, &found, rows).map_err(StoreError::io("read", &path))?;
    let end = known.max(found.whole_bytes);
    let write = found.ending.write(&mut file, &found.layout, end);
    write.and_then(|()| file.sync_all()).map_err(StoreError::io("finish", &path))?;
    Ok(Some((found, end)))
}

/// End of the last frame with a damaged head but an undamaged picture. Such a frame is not cut off.
fn known_end(file: &mut File, found: &Scan, rows: &[FrameRow]) -> std::io::Result<u64> {
    let mut end = 0;
    let is_behind = |row: &&FrameRow| row.offset >= found.whole_bytes && row.end() <= found.file_bytes;
    for row in rows.iter().filter(|row| row.checksum.is_some()).filter(is_behind) {
        let mut jpeg = vec![0; row.length as usize];
        read_at(file, row.offset, &mut jpeg)?;
        if row.is_same_picture(&jpeg) {
            end = row.end().max(end);
        }
    }
    Ok(end)
}
