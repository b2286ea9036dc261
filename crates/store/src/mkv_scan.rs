//! Reads `video.mkv`, whole or torn: all frames, and the end of the last whole frame.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::StoreError;
use super::ebml::{SIZE_BYTES, id, read_head};
use super::frame_index::FrameRow;
use super::mkv::{CLUSTER_HEAD_BYTES, CONTENTS_ROOM_BYTES, Ending, FrameStamp, Layout};

/// Bytes that are read at once to skip a damaged place.
const WINDOW_BYTES: usize = 64 * 1024;
/// In the flags of a block.
const KEY_FLAG: u8 = 0x80;

#[derive(Debug)]
pub(super) struct Scan {
    pub layout: Layout,
    pub frames: Vec<FrameRow>,
    /// Whether decoding can begin at the frame, for each one.
    pub keys: Vec<bool>,
    pub ending: Ending,
    /// Ranges of bytes between whole clusters that are not clusters.
    pub damaged: Vec<(u64, u64)>,
    /// End of the last whole cluster.
    pub whole_bytes: u64,
    pub file_bytes: u64,
    /// Whether a seek table, and nothing else, follows the last cluster.
    pub is_finished: bool,
}

impl Scan {
    /// Bytes after the last whole frame that belong to no frame.
    pub(super) fn torn_bytes(&self) -> u64 {
        if self.is_finished { 0 } else { self.file_bytes - self.whole_bytes }
    }
}

/// Reads every cluster's head and no picture, so a session of two hours takes one second. Damaged places are skipped: the
/// clusters after them are found.
pub(super) fn scan(path: &Path) -> Result<Scan, StoreError> {
    let mut file = File::open(path).map_err(StoreError::io("open", path))?;
    let failed = |e| StoreError::io("read", path)(e);
    let foreign = |problem| StoreError::ForeignVideo { path: path.to_owned(), problem };
    let file_bytes = file.metadata().map_err(failed)?.len();
    let layout = read_layout(&mut file).map_err(failed)?.map_err(foreign)?;

    let mut scan = Scan {
        layout,
        frames: Vec::new(),
        keys: Vec::new(),
        ending: Ending::default(),
        damaged: Vec::new(),
        whole_bytes: layout.clusters,
        file_bytes,
        is_finished: false,
    };
    let mut buffer = [0; CLUSTER_HEAD_BYTES];
    let mut at = layout.clusters;
    loop {
        let n = read_at(&mut file, at, &mut buffer).map_err(failed)?;
        match read_cluster(&buffer[..n], at) {
            Some((frame, bytes, is_key)) if at.saturating_add(bytes) <= file_bytes => {
                if at > scan.whole_bytes {
                    scan.damaged.push((scan.whole_bytes, at));
                }
                scan.ending.add(frame.meta.at, at, is_key);
                scan.keys.push(is_key);
                scan.frames.push(frame);
                at += bytes;
                scan.whole_bytes = at;
            }
            _ => {
                let cues = read_head(&buffer[..n]).filter(|h| h.id == id::CUES);
                scan.is_finished = cues.is_some_and(|h| {
                    h.content_bytes.is_some_and(|c| at.saturating_add(h.head_bytes as u64 + c) == file_bytes)
                });
                match next_cluster(&mut file, at + 1, file_bytes).map_err(failed)? {
                    Some(next) if !scan.is_finished => at = next,
                    _ => return Ok(scan),
                }
            }
        }
    }
}

/// Position of the next whole cluster. Reads each byte about once, for any content.
fn next_cluster(file: &mut File, from: u64, file_bytes: u64) -> io::Result<Option<u64>> {
    let name = id::CLUSTER.to_be_bytes();
    let mut window = vec![0; WINDOW_BYTES];
    let mut at = from;
    loop {
        let n = read_at(file, at, &mut window)?;
        let is_end = n < window.len();
        // A cluster that begins in the last bytes of a window is found in the next window.
        let last = if is_end { n } else { n - CLUSTER_HEAD_BYTES };
        for k in 0..last {
            let place = at + k as u64;
            if window[k..n].starts_with(&name)
                && let Some((_, bytes, _)) = read_cluster(&window[k..n.min(k + CLUSTER_HEAD_BYTES)], place)
                && place.saturating_add(bytes) <= file_bytes
            {
                return Ok(Some(place));
            }
        }
        if is_end {
            return Ok(None);
        }
        at += last as u64;
    }
}

/// A frame, the length of its cluster, and whether decoding can begin here. `None` if `bytes` is not the head of a cluster that
/// this program wrote.
fn read_cluster(bytes: &[u8], at: u64) -> Option<(FrameRow, u64, bool)> {
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
                let frame = FrameRow { meta: stamp.meta, offset, length, checksum: stamp.checksum };
                let is_key = bytes.get(pos + 3)? & KEY_FLAG != 0;
                return (pos as u64 + 4 + length == cluster_bytes).then_some((frame, cluster_bytes, is_key));
            }
            id::VOID => stamp = FrameStamp::from_bytes(bytes.get(pos..pos + usize::try_from(length).ok()?)?),
            id::TIMESTAMP => {}
            _ => return None,
        }
        pos += usize::try_from(length).ok()?;
    }
}

/// Finds the fields to patch. The inner error is the reason why this program did not write the file.
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
        return Err("it does not begin with an EBML head");
    }
    let (segment, content, _) = child(end.ok_or(TORN)?)?;
    if segment.id != id::SEGMENT || segment.head_bytes != 4 + SIZE_BYTES {
        return Err("another program wrote its segment");
    }
    let mut layout = Layout { segment: content, contents: content, info: 0, duration: 0, tracks: 0, clusters: 0 };
    let mut at = content;
    while layout.tracks == 0 {
        let (head, inside, end) = child(at)?;
        let end = end.ok_or("its head has no end")?;
        if matches!(head.id, id::INFO | id::TRACKS) && at < content + CONTENTS_ROOM_BYTES {
            return Err("its head has no room for a table of contents");
        }
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
                if inner > end {
                    return Err("its head ends in the middle of a field");
                }
            }
            id::TRACKS => layout.tracks = at,
            id::SEEK_HEAD | id::VOID => {}
            _ => return Err("its head has an element that affectograph does not write"),
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

/// The head of a file and its data.
pub(super) struct StoredHead {
    pub bytes: Vec<u8>,
    pub app: String,
    pub width_px: u32,
    pub height_px: u32,
}

/// Unreadable fields are empty or zero.
pub(super) fn stored_head(file: &mut File, layout: &Layout) -> io::Result<StoredHead> {
    let mut bytes = vec![0; layout.clusters as usize]; // within the first 4096 bytes, or there would be no layout
    let n = read_at(file, 0, &mut bytes)?;
    bytes.truncate(n);
    let inside =
        |path: &[u32], at: u64| path.iter().try_fold(bytes.get(at as usize..)?, |within, id| element(within, *id));
    let pixels = |id: u32| -> u32 {
        let value = inside(&[id::TRACKS, id::TRACK_ENTRY, id::VIDEO, id], layout.tracks).unwrap_or_default();
        value.iter().try_fold(0u32, |n, b| n.checked_mul(256)?.checked_add(u32::from(*b))).unwrap_or(0)
    };
    let app = inside(&[id::INFO, id::MUXING_APP], layout.info).unwrap_or_default();
    let app = String::from_utf8_lossy(app).into_owned();
    let (width_px, height_px) = (pixels(id::PIXEL_WIDTH), pixels(id::PIXEL_HEIGHT));
    Ok(StoredHead { app, width_px, height_px, bytes })
}

/// The content of the element `Tracks` in the head of any muxer's file.
pub(super) fn tracks_of(head: &[u8]) -> Option<&[u8]> {
    let ebml = read_head(head).filter(|ebml| ebml.id == id::EBML)?;
    let at = ebml.head_bytes.checked_add(usize::try_from(ebml.content_bytes?).ok()?)?;
    let segment = read_head(head.get(at..)?).filter(|segment| segment.id == id::SEGMENT)?;
    element(head.get(at + segment.head_bytes..)?, id::TRACKS)
}

/// The content of the first element with this id.
fn element(bytes: &[u8], wanted: u32) -> Option<&[u8]> {
    let mut at = 0;
    loop {
        let head = read_head(bytes.get(at..)?)?;
        let from = at + head.head_bytes;
        let until = from.checked_add(usize::try_from(head.content_bytes?).ok()?)?;
        let content = bytes.get(from..until)?;
        if head.id == wanted {
            return Some(content);
        }
        at = until;
    }
}

/// Whether a file begins like Matroska.
pub(super) fn is_matroska(start: &[u8]) -> bool {
    start == id::EBML.to_be_bytes()
}

/// Reads up to the size of `buffer`, from `at`. Returns the number of bytes.
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
    use crate::mkv::MkvWriter;
    use proptest::prelude::*;
    use session::{FrameMeta, TimeSource, Timestamp};

    fn stamp(number: u64, ns: i64) -> FrameStamp {
        let meta = FrameMeta {
            number,
            at: Timestamp::from_ns(ns),
            time_source: TimeSource::ALL[number as usize % 4],
            device_sequence: (!number.is_multiple_of(3)).then_some(number * 7),
        };
        FrameStamp { meta, checksum: (!number.is_multiple_of(5)).then_some(number as u32 * 77) }
    }

    fn write(path: &Path, frames: &[(FrameStamp, Vec<u8>)]) -> (MkvWriter, Vec<FrameRow>) {
        let mut writer = MkvWriter::create(path, 16, 16).unwrap();
        let rows = frames
            .iter()
            .map(|(s, jpeg)| FrameRow {
                meta: s.meta,
                offset: writer.append(*s, jpeg).unwrap(),
                length: jpeg.len() as u64,
                checksum: s.checksum,
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

    /// Recovery writes the table of contents and the duration at positions in the head. The head must have space there.
    #[test]
    fn a_head_in_which_the_end_would_write_over_something_is_of_another_make() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("video.mkv");
        write(&path, &[(stamp(0, 5), vec![0xff, 0xd8, 0xff, 0xd9])]);
        let layout = scan(&path).unwrap().layout;
        let whole = std::fs::read(&path).unwrap();
        let room = layout.contents as usize..layout.info as usize;
        for kept in [0, 9, 100] {
            // There is no space, or less space of the same kind.
            let mut small = Vec::new();
            if kept >= 9 {
                small.push(id::VOID as u8);
                small.extend((1u64 << 56 | (kept - 9)).to_be_bytes());
                small.resize(kept as usize, 0);
            }
            std::fs::write(&path, [&whole[..room.start], &small, &whole[room.end..]].concat()).unwrap();
            let why = scan(&path).unwrap_err().to_string();
            assert!(why.contains("no room"), "{kept}: {why}");
        }
        // The length of the head's Info element ends within its last field, the duration.
        let mut short = whole.clone();
        let length = layout.info as usize + 4 + SIZE_BYTES - 1;
        short[length] -= 3;
        std::fs::write(&path, &short).unwrap();
        let why = scan(&path).unwrap_err().to_string();
        assert!(why.contains("middle of a field"), "{why}");
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

        /// Frames after a damaged place are found.
        #[test]
        fn only_frames_at_a_damaged_place_are_missed(
            pictures in prop::collection::vec(prop::collection::vec(any::<u8>(), 40..200), 1..12),
            at in any::<prop::sample::Index>(),
            damage in 1usize..40,
        ) {
            let frames: Vec<_> = (0..).zip(pictures).map(|(k, bytes)| (stamp(k, k as i64 * 33), bytes)).collect();
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("video.mkv");
            let (writer, rows) = write(&path, &frames);
            writer.finish().unwrap();
            let mut bytes = std::fs::read(&path).unwrap();
            let (begin, end) = (rows[0].offset as usize, rows[rows.len() - 1].end() as usize);
            let from = begin + at.index(end - begin);
            let until = (from + damage).min(end);
            bytes[from..until].iter_mut().for_each(|b| *b = !*b);
            std::fs::write(&path, bytes).unwrap();
            let found = scan(&path).unwrap();
            for (k, row) in rows.iter().enumerate() {
                let cluster = if k == 0 { scan(&path).unwrap().layout.clusters } else { rows[k - 1].end() };
                let is_hit = (cluster as usize) < until && from < row.end() as usize;
                prop_assert!(is_hit || found.frames.contains(row), "frame {}", row.meta.number);
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
