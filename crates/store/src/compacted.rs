//! Replaces `video.mkv` of a closed session by a smaller film with the same frames.
//!
//! The session's pictures are where its rows say. The rows change in one transaction, so after a kill the session has the old
//! video or the new one. What a kill leaves over is removed by the next run.

use std::path::{Path, PathBuf};

use rusqlite::params;

use super::added_streams::Draft;
use super::film::{self, Film, sum_of};
use super::folders::force_to_disk;
use super::{FrameRow, StoreError, schema};
use session::{FilmPacket, VideoCodec};

/// The name of the new video in the session's folder.
pub fn compacted_file(folder: &Path, codec: VideoCodec) -> PathBuf {
    folder.join(format!("video_{codec}.mkv"))
}

/// The name while it is written.
pub fn unfinished_file(folder: &Path, codec: VideoCodec) -> PathBuf {
    folder.join(format!("video_{codec}.mkv.new"))
}

/// The video of a recorded session, in Motion JPEG.
pub fn recorded_video(folder: &Path) -> PathBuf {
    schema::video_file(folder)
}

/// Removes new videos that no session row refers to. The caller holds the session's lock.
pub fn remove_unfinished(folder: &Path) -> Result<(), StoreError> {
    let in_use = film_of(folder)?.map(|film| film.path(folder));
    for codec in VideoCodec::ALL {
        for path in [unfinished_file(folder, codec), compacted_file(folder, codec)] {
            if in_use.as_ref() != Some(&path) {
                remove_if_there(&path)?;
            }
        }
    }
    Ok(())
}

/// Removes `video.mkv` of a session whose pictures are in a film. Returns whether there was one. The caller holds the session's
/// lock.
pub fn remove_recorded_video(folder: &Path) -> Result<bool, StoreError> {
    let video = recorded_video(folder);
    match film_of(folder)? {
        Some(film) if film.path(folder) != video => remove_if_there(&video),
        _ => Ok(false),
    }
}

fn film_of(folder: &Path) -> Result<Option<Film>, StoreError> {
    film::get(&schema::open_read(folder)?).map_err(StoreError::sql("read the film of", folder))
}

fn remove_if_there(path: &Path) -> Result<bool, StoreError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(StoreError::io("remove", path)(e)),
    }
}

/// Gives a finished film its name and describes it. `decoding`, `head`: see [`Film`].
pub fn place_film(folder: &Path, codec: VideoCodec, (decoding, head): (String, Vec<u8>)) -> Result<Film, StoreError> {
    let (from, to) = (unfinished_file(folder, codec), compacted_file(folder, codec));
    let (bytes, sha256) = sum_of(&from).map_err(StoreError::io("read", &from))?;
    std::fs::rename(&from, &to).map_err(StoreError::io("rename", &from))?;
    force_to_disk(folder)?;
    let file = to.file_name().map(|name| name.to_string_lossy().into_owned());
    let origin = recorded_video(folder);
    Ok(Film { file, origin, bytes, sha256, decoding: Some(decoding), head })
}

impl Draft<'_> {
    /// The session's pictures are in `film` from the commit on. `frames`: all frames of the session, with their new places. The
    /// film must be on the disk.
    pub fn replace_video(
        &mut self,
        film: &Film,
        packets: &[FilmPacket],
        frames: &[FrameRow],
    ) -> Result<(), StoreError> {
        let (path, tx) = self.transaction();
        let replace = || -> rusqlite::Result<bool> {
            film::put(tx, film, packets)?;
            let mut place = tx
                .prepare("UPDATE frame SET offset = ?2, length = ?3, checksum = ?4 WHERE number = ?1 AND at_ns = ?5")?;
            for frame in frames {
                let (number, at) = (frame.meta.number as i64, frame.meta.at.as_ns());
                if place.execute(params![number, frame.offset as i64, frame.length as i64, frame.checksum, at])? != 1 {
                    return Ok(false);
                }
            }
            let all: i64 = tx.query_row("SELECT count(*) FROM frame", [], |row| row.get(0))?;
            Ok(usize::try_from(all).is_ok_and(|all| all == frames.len()))
        };
        match replace().map_err(StoreError::sql("write into", path))? {
            true => Ok(()),
            false => Err(StoreError::damaged(path, "its frames are not those of the new video")),
        }
    }
}
