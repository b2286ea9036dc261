//! Reads back `video.mkv`, whole or torn: every frame, and where the last whole one ends.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::StoreError;
use super::ebml::{SIZE_BYTES, id, read_head};
use super::frame_index::FrameRow;
use super::mkv::{Ending, FrameStamp, Layout, STAMP_BYTES};

/// Cluster head, time, stamp, block head: all of a cluster but its picture.
const CLUSTER_HEAD_BYTES: usize = (4 + SIZE_BYTES) + (1 + 1 + 8) + (1 + 1 + STAMP_BYTES) + (1 + SIZE_BYTES) + 4;

#[derive(Debug)]
pub(super) struct Scan {
    pub layout: Layout,
    pub frames: Vec<FrameRow>,
    pub ending: Ending,
    /// End of the last whole cluster.
    pub whole_bytes: u64,
    pub file_bytes: u64,
    /// Whether a seek table, and nothing else, follows the last cluster.
    pub is_finished: bool,
}

impl Scan {
    /// Bytes behind the last whole frame that belong to no frame.
    pub(super) fn torn_bytes(&self) -> u64 {
        if self.is_finished { 0 } else { self.file_bytes - self.whole_bytes }
    }
}

/// Looks at every cluster's head and at no picture, so a session of two hours takes a second.
pub(super) fn scan(path: &Path) -> Result<Scan, StoreError> {
    let mut file = File::open(path).map_err(StoreError::io("open", path))?;
    let failed = |e| StoreError::io("read", path)(e);
    let foreign = |problem| StoreError::ForeignVideo { path: path.to_owned(), problem };
    let file_bytes = file.metadata().map_err(failed)?.len();
    let layout = read_layout(&mut file).map_err(failed)?.map_err(foreign)?;

    let mut scan = Scan {
        layout,
        frames: Vec::new(),
        ending: Ending::default(),
        whole_bytes: layout.clusters,
        file_bytes,
        is_finished: false,
    };
    let mut buffer = [0; CLUSTER_HEAD_BYTES];
    loop {
        let at = scan.whole_bytes;
        let n = read_at(&mut file, at, &mut buffer).map_err(failed)?;
        match read_cluster(&buffer[..n], at) {
            Some((frame, bytes)) if at.saturating_add(bytes) <= file_bytes => {
                scan.ending.add(frame.at, at);
                scan.frames.push(frame);
                scan.whole_bytes += bytes;
            }
            _ => {
                let cues = read_head(&buffer[..n]).filter(|h| h.id == id::CUES);
                scan.is_finished = cues.is_some_and(|h| {
                    h.content_bytes.is_some_and(|c| at.saturating_add(h.head_bytes as u64 + c) == file_bytes)
                });
                return Ok(scan);
            }
        }
    }
}

/// A frame and the length of its cluster; `None` where `bytes` is not the head of one of our clusters.
fn read_cluster(bytes: &[u8], at: u64) -> Option<(FrameRow, u64)> {
    let cluster = read_head(bytes).filter(|h| h.id == id::CLUSTER)?;
    let content = cluster.content_bytes?;
    let mut pos = cluster.head_bytes;
    let mut stamp = None;
    loop {
        let head = read_head(bytes.get(pos..)?)?;
        let length = head.content_bytes?;
        pos += head.head_bytes;
        match head.id {
            id::SIMPLE_BLOCK => {
                let stamp: FrameStamp = stamp?;
                let cluster_bytes = cluster.head_bytes as u64 + content;
                let length = length.checked_sub(4)?;
                let offset = at + pos as u64 + 4;
                let frame = FrameRow {
                    number: stamp.number,
                    at: stamp.at,
                    offset,
                    length,
                    time_source: stamp.time_source,
                    device_sequence: stamp.device_sequence,
                };
                return (pos as u64 + 4 + length == cluster_bytes).then_some((frame, cluster_bytes));
            }
            id::VOID => stamp = FrameStamp::from_bytes(bytes.get(pos..pos + usize::try_from(length).ok()?)?),
            id::TIMESTAMP => {}
            _ => return None,
        }
        pos += usize::try_from(length).ok()?;
    }
}

/// Finds the places to patch. The inner error says why this is not the head of one of our files.
fn read_layout(file: &mut File) -> io::Result<Result<Layout, &'static str>> {
    let mut bytes = vec![0; 4096];
    let n = read_at(file, 0, &mut bytes)?;
    Ok(parse_layout(&bytes[..n]))
}

fn parse_layout(bytes: &[u8]) -> Result<Layout, &'static str> {
    const TORN: &str = "its head is cut off";
    let child = |at: u64| {
        let head = read_head(bytes.get(at as usize..).ok_or(TORN)?).ok_or(TORN)?;
        let end = head.content_bytes.map(|c| at.saturating_add(head.head_bytes as u64 + c));
        Ok::<_, &'static str>((head, at + head.head_bytes as u64, end))
    };
    let (ebml, _, end) = child(0)?;
    if ebml.id != id::EBML {
        return Err("it does not begin as one");
    }
    let (segment, content, _) = child(end.ok_or(TORN)?)?;
    if segment.id != id::SEGMENT || segment.head_bytes != 4 + SIZE_BYTES {
        return Err("its segment is of another make");
    }
    let mut layout = Layout { segment: content, contents: content, info: 0, duration: 0, tracks: 0, clusters: 0 };
    let mut at = content;
    while layout.tracks == 0 {
        let (head, inside, end) = child(at)?;
        let end = end.ok_or("its head has no end")?;
        match head.id {
            id::INFO => {
                layout.info = at;
                let mut inner = inside;
                while inner < end {
                    let (field, value, next) = child(inner)?;
                    if field.id == id::DURATION && field.content_bytes == Some(8) {
                        layout.duration = value;
                    }
                    inner = next.ok_or(TORN)?;
                }
            }
            id::TRACKS => layout.tracks = at,
            id::SEEK_HEAD | id::VOID => {}
            _ => return Err("its head holds what affectograph does not write"),
        }
        at = end;
    }
    if layout.duration == 0 {
        return Err("its head has no place for the duration");
    }
    if at > bytes.len() as u64 {
        return Err(TORN);
    }
    layout.clusters = at;
    Ok(layout)
}

/// As many bytes as there are from `at`.
pub(super) fn read_at(file: &mut File, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
    file.seek(SeekFrom::Start(at))?;
    let mut n = 0;
    while n < buffer.len() {
        match file.read(&mut buffer[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::TimeSource;
    use crate::session::Timestamp;
    use crate::store::mkv::MkvWriter;
    use proptest::prelude::*;

    fn stamp(number: u64, ns: i64) -> FrameStamp {
        FrameStamp {
            number,
            at: Timestamp::from_ns(ns),
            time_source: TimeSource::ALL[number as usize % 4],
            device_sequence: (!number.is_multiple_of(3)).then_some(number * 7),
        }
    }

    fn write(path: &Path, frames: &[(FrameStamp, Vec<u8>)]) -> (MkvWriter, Vec<FrameRow>) {
        let mut writer = MkvWriter::create(path, 16, 16).unwrap();
        let rows = frames
            .iter()
            .map(|(s, jpeg)| FrameRow {
                number: s.number,
                at: s.at,
                offset: writer.append(*s, jpeg).unwrap(),
                length: jpeg.len() as u64,
                time_source: s.time_source,
                device_sequence: s.device_sequence,
            })
            .collect();
        (writer, rows)
    }

    fn frames() -> impl Strategy<Value = Vec<(FrameStamp, Vec<u8>)>> {
        let one = (any::<i64>(), prop::collection::vec(any::<u8>(), 0..200));
        prop::collection::vec(one, 0..12).prop_map(|frames| {
            frames.into_iter().enumerate().map(|(k, (ns, bytes))| (stamp(k as u64, ns), bytes)).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_was_written_is_found_open_and_finished(frames in frames()) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("video.mkv");
            let (writer, rows) = write(&path, &frames);
            let open = scan(&path).unwrap();
            prop_assert_eq!((&open.frames, open.torn_bytes(), open.is_finished), (&rows, 0, false));
            writer.finish().unwrap();
            let done = scan(&path).unwrap();
            prop_assert_eq!((&done.frames, done.torn_bytes(), done.is_finished), (&rows, 0, !rows.is_empty()));
            prop_assert_eq!(done.ending, open.ending);
            let bytes = std::fs::read(&path).unwrap();
            for (row, (_, jpeg)) in rows.iter().zip(&frames) {
                prop_assert_eq!(&bytes[row.offset as usize..][..row.length as usize], &jpeg[..]);
            }
        }

        #[test]
        fn a_file_cut_anywhere_gives_its_whole_frames(frames in frames(), is_finished: bool, cut in any::<prop::sample::Index>()) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("video.mkv");
            let (writer, rows) = write(&path, &frames);
            let clusters = scan(&path).unwrap().layout.clusters;
            if is_finished {
                writer.finish().unwrap();
            }
            let bytes = std::fs::read(&path).unwrap();
            let cut = cut.index(bytes.len() + 1);
            std::fs::write(&path, &bytes[..cut]).unwrap();
            match scan(&path) {
                Ok(found) => {
                    let whole: Vec<_> = rows.iter().filter(|r| r.offset + r.length <= cut as u64).copied().collect();
                    prop_assert_eq!(&found.frames, &whole);
                    prop_assert!(found.whole_bytes <= cut as u64);
                    // Cutting the tail and writing the end again gives a finished file.
                    let mut file = File::options().read(true).write(true).open(&path).unwrap();
                    found.ending.write(&mut file, &found.layout, found.whole_bytes).unwrap();
                    let mended = scan(&path).unwrap();
                    prop_assert_eq!((&mended.frames, mended.torn_bytes()), (&whole, 0));
                    let once = std::fs::read(&path).unwrap();
                    mended.ending.write(&mut file, &mended.layout, mended.whole_bytes).unwrap();
                    prop_assert_eq!(once, std::fs::read(&path).unwrap());
                }
                Err(e) => prop_assert!((cut as u64) < clusters && e.to_string().contains("no Matroska"), "{cut}: {e}"),
            }
        }

        #[test]
        fn no_bytes_make_the_scan_panic(tail in prop::collection::vec(any::<u8>(), 0..300), at in 0usize..400) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("video.mkv");
            drop(write(&path, &[(stamp(0, 5), vec![1, 2, 3])]));
            let mut bytes = std::fs::read(&path).unwrap();
            let at = at.min(bytes.len());
            let end = (at + tail.len()).min(bytes.len());
            bytes.splice(at..end, tail);
            std::fs::write(&path, &bytes).unwrap();
            if let Ok(found) = scan(&path) {
                prop_assert!(found.whole_bytes <= found.file_bytes);
            }
        }
    }
}
