//! The browser's video as received: one file for each chunk, and one file for each recording when it is complete.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::container::Container;
use session::Numbers;

const FOLDER: &str = "browser_video";

/// The folder of the chunks.
pub fn folder(session: &Path) -> PathBuf {
    session.join(FOLDER)
}

pub fn path(session: &Path, chunk: u64) -> PathBuf {
    folder(session).join(format!("{chunk:08}.webm"))
}

/// The chunk is on the disk when this returns. Storing the same chunk again changes nothing.
pub fn store(session: &Path, chunk: u64, bytes: &[u8]) -> io::Result<()> {
    let (folder, path) = (folder(session), path(session, chunk));
    fs::create_dir_all(&folder)?;
    if path.exists() {
        return Ok(());
    }
    let draft = path.with_extension("new");
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, &path)?;
    File::open(&folder)?.sync_all()
}

/// The numbers of the stored chunks.
pub fn stored(session: &Path) -> io::Result<Numbers> {
    let mut numbers = Numbers::default();
    for entry in entries(session)? {
        let name = entry?.file_name();
        if let Some(n) = name.to_str().and_then(|n| n.strip_suffix(".webm")).and_then(|n| n.parse().ok()) {
            numbers.insert(n);
        }
    }
    Ok(numbers)
}

/// The size of the stored chunks.
pub fn stored_bytes(session: &Path) -> io::Result<u64> {
    entries(session)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}

fn entries(session: &Path) -> io::Result<impl Iterator<Item = io::Result<fs::DirEntry>>> {
    match fs::read_dir(folder(session)) {
        Ok(entries) => Ok(Some(entries).into_iter().flatten()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None.into_iter().flatten()),
        Err(e) => Err(e),
    }
}

/// Joins the chunks of each recording into `video.webm`, `video-2.webm` …, or `video.mp4` …, and deletes them.
/// `starts` are the numbers of the first chunk of each recording.
pub fn join(session: &Path, starts: &[u64], chunks: u64) -> io::Result<()> {
    for (k, start) in starts.iter().enumerate() {
        let end = starts.get(k + 1).copied().unwrap_or(chunks);
        let first = path(session, *start);
        if !first.exists() {
            continue; // it was joined before
        }
        let name = if k == 0 { "video".to_owned() } else { format!("video-{}", k + 1) };
        let whole = |kind: Container| session.join(format!("{name}.{}", kind.extension()));
        if [Container::WebM, Container::Mp4].into_iter().any(|kind| whole(kind).exists()) {
            continue;
        }
        let draft = session.join(format!("{name}.new"));
        let mut out = File::create(&draft)?;
        for chunk in *start..end {
            io::copy(&mut File::open(path(session, chunk))?, &mut out)?;
        }
        out.sync_all()?;
        // Read from the whole file, because its first chunk may have one byte.
        let kind = Container::of(&draft)?;
        fs::rename(&draft, whole(kind))?;
    }
    match fs::remove_dir_all(folder(session)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_come_in_any_order_and_are_joined_by_recording() {
        let dir = tempfile::tempdir().unwrap();
        for n in [2, 0, 1, 3, 1] {
            store(dir.path(), n, &[n as u8; 3]).unwrap();
        }
        store(dir.path(), 1, b"other").unwrap();
        assert_eq!((stored(dir.path()).unwrap().next(), stored_bytes(dir.path()).unwrap()), (4, 12));
        join(dir.path(), &[0, 3], 4).unwrap();
        assert_eq!(fs::read(dir.path().join("video.webm")).unwrap(), [0, 0, 0, 1, 1, 1, 2, 2, 2]);
        assert_eq!(fs::read(dir.path().join("video-2.webm")).unwrap(), [3, 3, 3]);
        assert!(!folder(dir.path()).exists());
        assert_eq!(stored(dir.path()).unwrap(), Numbers::default());
    }
}
