//! The stored frames: metadata, and position in the video file.

use session::{FrameMeta, Timestamp};

/// One stored frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRow {
    pub meta: FrameMeta,
    /// Position of the JPEG in the video file, or of the packet in the film, in bytes from its start.
    pub offset: u64,
    /// Bytes of the JPEG or packet.
    pub length: u64,
    /// Checksum of the JPEG when it was stored, or of the picture that was decoded from the film. `None` if the recording
    /// program wrote no checksums, or if the film's decoder may round differently in another version.
    pub checksum: Option<u32>,
}

impl FrameRow {
    /// Position of the first byte after the picture.
    pub(super) fn end(&self) -> u64 {
        self.offset.saturating_add(self.length)
    }

    /// Whether `jpeg` has the stored checksum. Without a checksum: whether it begins and ends like a JPEG.
    pub(super) fn is_same_picture(&self, jpeg: &[u8]) -> bool {
        match self.checksum {
            Some(checksum) => checksum_of(jpeg) == checksum,
            None => is_jpeg(jpeg),
        }
    }
}

/// CRC-32 as in PNG, zip and Python's `zlib.crc32`.
pub fn checksum_of(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// Whether the bytes begin and end like a JPEG.
fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xd8]) && bytes.ends_with(&[0xff, 0xd9])
}

/// All frames of a session, by number and by time.
#[derive(Clone, Debug, Default)]
pub struct FrameIndex {
    by_number: Vec<FrameRow>,
    /// Capture time and position in `by_number`, by time. A driver's clock may step back; numbers never do.
    by_time: Vec<(Timestamp, usize)>,
}

impl FrameIndex {
    pub(super) fn new(mut by_number: Vec<FrameRow>) -> Self {
        by_number.sort_by_key(|f| f.meta.number);
        let mut by_time: Vec<_> = by_number.iter().enumerate().map(|(row, f)| (f.meta.at, row)).collect();
        by_time.sort();
        FrameIndex { by_number, by_time }
    }

    pub fn len(&self) -> usize {
        self.by_number.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    /// Ordered by number.
    pub fn rows(&self) -> &[FrameRow] {
        &self.by_number
    }

    pub fn get(&self, number: u64) -> Option<&FrameRow> {
        self.by_number.binary_search_by_key(&number, |f| f.meta.number).ok().map(|row| &self.by_number[row])
    }

    /// Metadata of the frames, by number.
    pub fn metas(&self) -> impl Iterator<Item = FrameMeta> {
        self.rows().iter().map(|row| row.meta)
    }

    /// Capture times, ascending.
    pub fn times(&self) -> Vec<Timestamp> {
        self.by_time.iter().map(|(at, _)| *at).collect()
    }

    /// The last frame captured at or before `at`.
    pub fn at_or_before(&self, at: Timestamp) -> Option<&FrameRow> {
        let after = self.by_time.partition_point(|(t, _)| *t <= at);
        after.checked_sub(1).map(|k| &self.by_number[self.by_time[k].1])
    }

    /// The first frame captured after `at`, for stepping.
    pub fn after(&self, at: Timestamp) -> Option<&FrameRow> {
        let after = self.by_time.partition_point(|(t, _)| *t <= at);
        self.by_time.get(after).map(|(_, row)| &self.by_number[*row])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::TimeSource;

    fn frame(number: u64, ns: i64) -> FrameRow {
        FrameRow {
            meta: FrameMeta {
                number,
                at: Timestamp::from_ns(ns),
                time_source: TimeSource::Driver,
                device_sequence: None,
            },
            offset: 0,
            length: 1,
            checksum: None,
        }
    }

    #[test]
    fn found_by_number_and_by_time_even_where_time_steps_back() {
        let index = FrameIndex::new(vec![frame(0, 100), frame(3, 200), frame(4, 150)]);
        assert_eq!(index.get(3).map(|f| f.meta.at.as_ns()), Some(200));
        assert_eq!(index.get(2), None);
        assert!(index.times().is_sorted());
        let number = |f: Option<&FrameRow>| f.map(|f| f.meta.number);
        assert_eq!(number(index.at_or_before(Timestamp::from_ns(99))), None);
        assert_eq!(number(index.at_or_before(Timestamp::from_ns(160))), Some(4));
        assert_eq!(number(index.after(Timestamp::from_ns(150))), Some(3));
        assert_eq!(number(index.after(Timestamp::from_ns(200))), None);
    }
}
