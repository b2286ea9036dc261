//! Properties that must hold for any content of `video.mkv`. See `src/fuzz_bodies.rs`.

use std::fs::File;
use std::sync::OnceLock;

use super::frame_index::checksum_of;
use super::mkv::{FrameStamp, MkvWriter};
use super::mkv_scan::scan;
use super::{Recorder, SessionFile, SessionHeader, SessionState, StoreError, StoredStudy, recover, schema, verify};
use crate::scratch::{Scratch, write};
use session::{
    FrameMeta, ParticipantId, SessionNumber, Study, TimeSource, Timestamp, health_stream, marker_stream, page_stream,
    video_stream,
};

/// A video with `frames` frames and without its end, as after a kill.
pub fn seed_video(frames: u64) -> Vec<u8> {
    let scratch = Scratch::new();
    let path = scratch.path().join("video.mkv");
    let mut writer = MkvWriter::create(&path, 16, 16).unwrap_or_else(|e| panic!("{e}"));
    for number in 0..frames {
        let at = Timestamp::from_ns(number as i64 * 33_333_333 - 5);
        let jpeg = [&[0xff, 0xd8][..], &[number as u8; 9], &[0xff, 0xd9]].concat();
        let checksum = Some(checksum_of(&jpeg));
        let device_sequence = number.is_multiple_of(2).then_some(number);
        let meta = FrameMeta { number, at, time_source: TimeSource::Driver, device_sequence };
        let stamp = FrameStamp { meta, checksum };
        writer.append(stamp, &jpeg).unwrap_or_else(|e| panic!("{e}"));
    }
    drop(writer);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{e}"))
}

/// A file is either refused, or every frame that is found lies inside it, and writing its end changes no frame.
pub fn video(bytes: &[u8]) {
    let scratch = Scratch::new();
    let path = scratch.path().join("video.mkv");
    write(&path, bytes);
    let found = match scan(&path) {
        Ok(found) => found,
        Err(StoreError::ForeignVideo { .. }) => return,
        Err(e) => panic!("{e}"),
    };
    assert!(found.layout.clusters <= found.whole_bytes && found.whole_bytes <= found.file_bytes);
    assert_eq!(found.file_bytes, bytes.len() as u64);
    let mut end = found.layout.clusters;
    for frame in &found.frames {
        assert!(frame.offset > end && frame.offset + frame.length <= found.whole_bytes, "{frame:?}");
        end = frame.offset + frame.length;
    }
    let mut file = File::options().read(true).write(true).open(&path).unwrap_or_else(|e| panic!("{e}"));
    found.ending.write(&mut file, &found.layout, found.whole_bytes).unwrap_or_else(|e| panic!("{e}"));
    let mended = scan(&path).unwrap_or_else(|e| panic!("after its end was written: {e}"));
    assert_eq!((&mended.frames, mended.torn_bytes()), (&found.frames, 0));
    let once = std::fs::read(&path).unwrap_or_else(|e| panic!("{e}"));
    for frame in &found.frames {
        let place = frame.offset as usize..(frame.offset + frame.length) as usize;
        assert_eq!(once[place.clone()], bytes[place], "the picture of {frame:?}");
    }
    mended.ending.write(&mut file, &mended.layout, mended.whole_bytes).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(once, std::fs::read(&path).unwrap_or_else(|e| panic!("{e}")), "done once more");
}

/// A crashed session is closed once, for any content of its video, and its listed frames lie inside the video.
pub fn recovery(bytes: &[u8]) {
    let scratch = Scratch::new();
    let folder = scratch.path();
    write(&schema::session_file(folder), crashed_session());
    write(&schema::video_file(folder), bytes);
    let recovery = recover(folder).unwrap_or_else(|e| panic!("{e}"));
    let recovery = recovery.unwrap_or_else(|| panic!("a crashed session is not mended"));
    assert!(recover(folder).unwrap_or_else(|e| panic!("{e}")).is_none(), "mended twice");
    let file = SessionFile::open(folder).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(file.state().unwrap_or_else(|e| panic!("{e}")), SessionState::Recovered);
    let frames = file.frames().unwrap_or_else(|e| panic!("{e}"));
    assert!(frames.rows().len() as u64 <= recovery.frames_adopted);
    let there = std::fs::metadata(schema::video_file(folder)).map_or(0, |m| m.len());
    for frame in frames.rows() {
        assert!(frame.offset.saturating_add(frame.length) <= there, "{frame:?} in {there} bytes");
        // Damaged pictures are refused. Reading must not panic.
        file.picture(frame.meta.number).ok();
    }
    file.timeline().unwrap_or_else(|e| panic!("{e}"));
    verify(folder).unwrap_or_else(|e| panic!("{e}"));
}

/// The session file of a program that died while it recorded.
fn crashed_session() -> &'static [u8] {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    MADE.get_or_init(|| {
        let study = "name = \"demo\"\ntitle = \"Demo\"\n[page]\naddress = \"page\"\n";
        let scratch = Scratch::new();
        let header = SessionHeader::plain(
            ParticipantId::numbered(1),
            SessionNumber(1),
            StoredStudy {
                name: "demo".into(),
                title: Study::parse(study).map(|s| s.title).unwrap_or_default(),
                toml: study.into(),
            },
            chrono::DateTime::from_timestamp_nanos(1_763_901_234_567_000_000),
        );
        let folder = scratch.path().join("session");
        let (committed, _) = crossbeam_channel::bounded(0);
        let streams = vec![page_stream(), marker_stream(), health_stream(), video_stream("c")];
        let recorder = Recorder::create(&folder, header, streams, committed).unwrap_or_else(|e| panic!("{e}"));
        // Dropped without `finish`: the session stays open, as after a kill.
        drop(recorder);
        let open = schema::open_write(&folder).unwrap_or_else(|e| panic!("{e}"));
        super::header_rows::settle(&open).unwrap_or_else(|e| panic!("{e}"));
        drop(open);
        std::fs::read(schema::session_file(&folder)).unwrap_or_else(|e| panic!("{e}"))
    })
}
