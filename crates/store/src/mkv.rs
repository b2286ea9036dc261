//! Writes `video.mkv`. Each frame is one complete cluster and one write, so a killed program leaves whole frames.
//!
//! Each cluster also has a [`FrameStamp`] in a Void element, which players skip: time in nanoseconds, frame number, driver's
//! count and checksum of the picture. The video alone can therefore restore frames that a crash kept out of SQLite.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use super::FrameRow;
use super::ebml::{Ebml, SIZE_BYTES, UNKNOWN_SIZE, id, size_field};
use session::{FrameMeta, TimeSource, Timestamp, program};

/// One tick of the file's clock. Its zero is the session clock's zero. Earlier frames play at 0.
pub(super) const TICK_NS: i64 = 1000;
/// Time between entries of the seek table.
const CUE_NS: i64 = 1_000_000_000;
/// Space for the table of contents, which is written at the end.
const CONTENTS_BYTES: usize = 192;
const STAMP_MARK: &[u8; 4] = b"affg";
const STAMP_BYTES: usize = STAMP_BYTES_WITHOUT_CHECKSUM + 4;
/// The stamp of programs without checksums (file versions 1 to 3).
const STAMP_BYTES_WITHOUT_CHECKSUM: usize = 4 + 8 + 8 + 1 + 1 + 8;
/// Largest size of a cluster without its picture: cluster head, time, stamp, block head.
pub(super) const CLUSTER_HEAD_BYTES: usize =
    (4 + SIZE_BYTES) + (1 + 1 + 8) + (1 + 1 + STAMP_BYTES) + (1 + SIZE_BYTES) + BLOCK_HEAD.len();
/// Track 1, at the cluster's time, a key frame.
const BLOCK_HEAD: [u8; 4] = [0x81, 0, 0, 0x80];
/// The same for a picture that depends on earlier ones.
const BLOCK_HEAD_OF_DEPENDENT: [u8; 4] = [0x81, 0, 0, 0];

/// The data of a frame in the video file, without its picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameStamp {
    pub meta: FrameMeta,
    /// Checksum of the picture. `None` in files of program versions that wrote no checksums.
    pub checksum: Option<u32>,
}

impl FrameStamp {
    pub(super) fn of(row: &FrameRow) -> FrameStamp {
        FrameStamp { meta: row.meta, checksum: row.checksum }
    }

    fn bytes(&self) -> usize {
        if self.checksum.is_some() { STAMP_BYTES } else { STAMP_BYTES_WITHOUT_CHECKSUM }
    }

    fn put(&self, to: &mut Vec<u8>) {
        let FrameMeta { number, at, time_source, device_sequence } = self.meta;
        let source = TimeSource::ALL.iter().position(|s| *s == time_source).unwrap_or_default() as u8;
        to.extend(STAMP_MARK);
        to.extend(number.to_be_bytes());
        to.extend(at.as_ns().to_be_bytes());
        to.extend([source, u8::from(device_sequence.is_some())]);
        to.extend(device_sequence.unwrap_or(0).to_be_bytes());
        to.extend(self.checksum.into_iter().flat_map(u32::to_be_bytes));
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<FrameStamp> {
        let (known, rest) = bytes.split_at_checked(STAMP_BYTES_WITHOUT_CHECKSUM)?;
        let word = |at: usize| -> [u8; 8] { std::array::from_fn(|k| known[at + k]) };
        let checksum = match rest {
            [] => None,
            rest => Some(u32::from_be_bytes(rest.try_into().ok()?)),
        };
        if !known.starts_with(STAMP_MARK) {
            return None;
        }
        let meta = FrameMeta {
            number: u64::from_be_bytes(word(4)),
            at: Timestamp::from_ns(i64::from_be_bytes(word(12))),
            time_source: *TimeSource::ALL.get(usize::from(known[20]))?,
            device_sequence: (known[21] == 1).then_some(u64::from_be_bytes(word(22))),
        };
        Some(FrameStamp { meta, checksum })
    }
}

/// Writes the part of a frame's cluster before its picture.
pub(super) fn put_cluster_head(to: &mut Vec<u8>, stamp: FrameStamp, jpeg_bytes: u64) {
    put_head_of(to, stamp, jpeg_bytes, BLOCK_HEAD);
}

fn put_head_of(to: &mut Vec<u8>, stamp: FrameStamp, jpeg_bytes: u64, block_head: [u8; 4]) {
    // Heads of known size are compact. The head of the picture needs the long form.
    let block_bytes = BLOCK_HEAD.len() as u64 + jpeg_bytes;
    let content = (1 + 1 + 8) + (1 + 1 + stamp.bytes() as u64) + (1 + SIZE_BYTES as u64) + block_bytes;
    to.head(id::CLUSTER, content);
    to.id(id::TIMESTAMP);
    to.push(0x88);
    to.extend((stamp.meta.at.as_ns().max(0) / TICK_NS).to_be_bytes());
    to.id(id::VOID);
    to.push(0x80 | stamp.bytes() as u8);
    stamp.put(to);
    to.head(id::SIMPLE_BLOCK, block_bytes);
    to.extend(block_head);
}

/// Positions of the fields that are patched at the end, in bytes from the start of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// First byte of the segment's content. Positions inside the file are relative to it.
    pub segment: u64,
    pub contents: u64,
    pub info: u64,
    /// The value of the duration.
    pub duration: u64,
    pub tracks: u64,
    /// The first cluster.
    pub clusters: u64,
}

impl Layout {
    /// Whether two file heads are equal except for the patched fields.
    pub(super) fn is_same_head(&self, a: &[u8], b: &[u8]) -> bool {
        let size = self.segment - SIZE_BYTES as u64..self.segment;
        let patched = [size, self.contents..self.info, self.duration..self.duration + 8];
        let is_fixed = |at: usize| !patched.iter().any(|place| place.contains(&(at as u64)));
        a.len() == b.len() && a.iter().zip(b).enumerate().all(|(at, (a, b))| a == b || !is_fixed(at))
    }
}

/// The data for the end of the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ending {
    /// Time and position of about one cluster per second.
    cues: Vec<(i64, u64)>,
    frames: u64,
    first_ns: i64,
    last_ns: i64,
}

impl Ending {
    pub(super) fn add(&mut self, at: Timestamp, cluster: u64, is_key: bool) {
        let ns = at.as_ns().max(0);
        if is_key && self.cues.last().is_none_or(|(t, _)| ns >= t.saturating_add(CUE_NS)) {
            self.cues.push((ns, cluster));
        }
        if self.frames == 0 {
            self.first_ns = ns;
        }
        self.last_ns = self.last_ns.max(ns);
        self.frames += 1;
    }

    /// From the clock's zero to the end of the last frame, which has the mean length of all frames.
    fn duration_ticks(&self) -> f64 {
        let mean = match self.frames {
            0 | 1 => 0.0,
            n => (self.last_ns - self.first_ns) as f64 / (n - 1) as f64,
        };
        (self.last_ns as f64 + mean) / TICK_NS as f64
    }

    /// Writes the seek table behind the last cluster, which ends at `end`, and patches the head of the file.
    /// Doing it again changes nothing. If the seek table finds no room on the disk, the file ends at `end` and its head
    /// is unchanged.
    pub(super) fn write(&self, file: &mut File, layout: &Layout, end: u64) -> io::Result<()> {
        file.set_len(end)?;
        let [(_, seek_table), head @ ..] = self.patches(layout, end);
        write_at(file, end, &seek_table).map_err(|failed| cut_off(file, end, failed))?;
        head.into_iter().try_for_each(|(at, bytes)| write_at(file, at, &bytes))
    }

    /// The patched parts of a finished file, each with its position.
    pub(super) fn patches(&self, layout: &Layout, end: u64) -> [(u64, Vec<u8>); 4] {
        let mut tail = Vec::new();
        if !self.cues.is_empty() {
            tail.master(id::CUES, |cues| {
                for (ns, cluster) in &self.cues {
                    cues.master(id::CUE_POINT, |point| {
                        point.uint(id::CUE_TIME, (ns / TICK_NS) as u64);
                        point.master(id::CUE_TRACK_POSITIONS, |place| {
                            place.uint(id::CUE_TRACK, 1);
                            place.uint(id::CUE_CLUSTER_POSITION, cluster - layout.segment);
                        });
                    });
                }
            });
        }
        let mut contents = Vec::new();
        contents.master(id::SEEK_HEAD, |head| {
            let mut entry = |id: u32, at: u64| {
                head.master(id::SEEK, |seek| {
                    seek.binary(id::SEEK_ID, &id.to_be_bytes());
                    seek.uint(id::SEEK_POSITION, at - layout.segment);
                });
            };
            entry(id::INFO, layout.info);
            entry(id::TRACKS, layout.tracks);
            if !self.cues.is_empty() {
                entry(id::CUES, end);
            }
        });
        let room = contents_room(CONTENTS_BYTES).len();
        contents.extend(contents_room(room - contents.len() - VOID_HEAD_BYTES));
        let content = end + tail.len() as u64 - layout.segment;
        [
            (end, tail),
            (layout.contents, contents),
            (layout.duration, self.duration_ticks().to_be_bytes().to_vec()),
            (layout.segment - SIZE_BYTES as u64, size_field(content).to_vec()),
        ]
    }
}

const VOID_HEAD_BYTES: usize = 1 + SIZE_BYTES;
/// Space in the head that the table of contents overwrites. A head with less space would lose the data after it.
pub(super) const CONTENTS_ROOM_BYTES: u64 = (VOID_HEAD_BYTES + CONTENTS_BYTES) as u64;

/// A Void element with `bytes` of content.
fn contents_room(bytes: usize) -> Vec<u8> {
    let mut room = Vec::new();
    room.binary(id::VOID, &vec![0; bytes]);
    room
}

fn write_at(file: &mut File, at: u64, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

/// Removes what a failed write left behind `end`, and returns the failure. A disk that takes no more bytes still gives some
/// back; if even that fails, `recover` cuts the tail.
fn cut_off(file: &mut File, end: u64, failed: io::Error) -> io::Error {
    match file.set_len(end).and_then(|()| file.seek(SeekFrom::Start(end))) {
        Ok(_) => failed,
        Err(also) => io::Error::new(failed.kind(), format!("{failed}; cutting the torn tail off: {also}")),
    }
}

pub(super) struct MkvWriter {
    file: File,
    layout: Layout,
    ending: Ending,
    /// End of the last whole cluster.
    end: u64,
    scratch: Vec<u8>,
}

impl MkvWriter {
    /// The file must not exist yet.
    pub(super) fn create(path: &Path, width_px: u32, height_px: u32) -> io::Result<MkvWriter> {
        Self::create_with(path, head(width_px, height_px, &program()))
    }

    /// For the track of another muxer: the content of its element `Tracks`.
    pub(super) fn create_for_track(path: &Path, tracks: &[u8]) -> io::Result<MkvWriter> {
        Self::create_with(path, head_with_tracks(tracks, &program()))
    }

    fn create_with(path: &Path, (head, layout): (Vec<u8>, Layout)) -> io::Result<MkvWriter> {
        let mut file = File::create_new(path)?;
        file.write_all(&head)?;
        Ok(MkvWriter { file, layout, ending: Ending::default(), end: head.len() as u64, scratch: Vec::new() })
    }

    /// Returns the position of the picture. After an error the file ends with the last whole frame.
    pub(super) fn append(&mut self, stamp: FrameStamp, jpeg: &[u8]) -> io::Result<u64> {
        self.append_packet(stamp, jpeg, true)
    }

    /// The same for a picture that may depend on earlier ones.
    pub(super) fn append_packet(&mut self, stamp: FrameStamp, packet: &[u8], is_key: bool) -> io::Result<u64> {
        let b = &mut self.scratch;
        b.clear();
        put_head_of(b, stamp, packet.len() as u64, if is_key { BLOCK_HEAD } else { BLOCK_HEAD_OF_DEPENDENT });
        let offset = self.end + b.len() as u64;
        b.extend_from_slice(packet);
        self.file.write_all(b).map_err(|failed| cut_off(&mut self.file, self.end, failed))?;
        self.ending.add(stamp.meta.at, self.end, is_key);
        self.end += b.len() as u64;
        Ok(offset)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.end
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.ending.write(&mut self.file, &self.layout, self.end)?;
        self.file.sync_all()
    }
}

/// The head of a file of Motion JPEG that is not finished.
pub(super) fn head(width_px: u32, height_px: u32, app: &str) -> (Vec<u8>, Layout) {
    let mut tracks = Vec::new();
    tracks.master(id::TRACK_ENTRY, |b| {
        b.uint(id::TRACK_NUMBER, 1);
        b.uint(id::TRACK_UID, 1);
        b.uint(id::TRACK_TYPE, 1);
        b.uint(id::FLAG_LACING, 0);
        b.text(id::LANGUAGE, "und");
        b.text(id::CODEC_ID, "V_MJPEG");
        b.master(id::VIDEO, |b| {
            b.uint(id::FLAG_INTERLACED, 2);
            b.uint(id::PIXEL_WIDTH, u64::from(width_px));
            b.uint(id::PIXEL_HEIGHT, u64::from(height_px));
        });
    });
    head_with_tracks(&tracks, app)
}

/// `tracks`: the content of the element.
fn head_with_tracks(tracks: &[u8], app: &str) -> (Vec<u8>, Layout) {
    let mut b = Vec::new();
    b.master(id::EBML, |b| {
        b.uint(id::EBML_VERSION, 1);
        b.uint(id::EBML_READ_VERSION, 1);
        b.uint(id::EBML_MAX_ID_LENGTH, 4);
        b.uint(id::EBML_MAX_SIZE_LENGTH, 8);
        b.text(id::DOC_TYPE, "matroska");
        b.uint(id::DOC_TYPE_VERSION, 4);
        b.uint(id::DOC_TYPE_READ_VERSION, 2);
    });
    b.id(id::SEGMENT);
    b.extend(UNKNOWN_SIZE);
    let segment = b.len() as u64;
    let contents = b.len() as u64;
    b.extend(contents_room(CONTENTS_BYTES));
    let info = b.len() as u64;
    b.master(id::INFO, |b| {
        b.uint(id::TIMESTAMP_SCALE, TICK_NS as u64);
        b.text(id::MUXING_APP, app);
        b.text(id::WRITING_APP, app);
        b.float(id::DURATION, 0.0);
    });
    let duration = b.len() as u64 - 8;
    let at_tracks = b.len() as u64;
    b.binary(id::TRACKS, tracks);
    let clusters = b.len() as u64;
    (b, Layout { segment, contents, info, duration, tracks: at_tracks, clusters })
}
