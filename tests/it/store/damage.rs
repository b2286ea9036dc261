//! Bytes that a disk has changed since they were stored: each damaged frame is named, and nothing is called whole that
//! is not.

use std::collections::BTreeSet;
use std::path::Path;

use affectograph::session::{GapReason, Record, VideoTrouble};
use affectograph::store::{
    AddedStreams, Finding, FrameRow, FrameRun, Library, Recorder, SessionEnd, SessionFile, StoreError, Verification,
    recover, verify,
};
use affectograph::study_query::{listed_grade, session_quality};
use crossbeam_channel::unbounded;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

use super::{bytes_of, fixture, header, jpeg_frame, ms, streams};

const FRAMES: u64 = 40;
const SEED: u64 = 20_261_128;

fn record(folder: &Path, is_closed: bool) {
    let mut recorder = Recorder::create(folder, header(), streams(), unbounded().0).unwrap();
    let video = recorder.video(64, 48).unwrap().sender();
    let (affect, page) = (recorder.stream("affect").unwrap(), recorder.stream("page").unwrap());
    for k in 0..FRAMES {
        let at = ms(k as i64 * 33);
        video.send(jpeg_frame(k, at)).unwrap();
        affect.sample(at, Some(k), &[k as f32 * 0.1; 12]).unwrap();
        page.event(at, "click", json!({"target": "button#buy", "x": k})).unwrap();
    }
    page.gap(ms(400), ms(500), GapReason::PageFlood, 3, "too fast").unwrap();
    if is_closed {
        recorder.finish(SessionEnd { at: ms(1400), quality: Some(json!({"grade": "A"})) }).unwrap();
    }
}

fn rows(folder: &Path) -> Vec<FrameRow> {
    SessionFile::open(folder).unwrap().frames().unwrap().rows().to_vec()
}

fn said(found: &Verification) -> String {
    found.findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n")
}

/// Numbers of the frames that findings of this kind name.
fn named(found: &Verification, of: impl Fn(&Finding) -> Option<&FrameRun>) -> BTreeSet<u64> {
    found.findings.iter().filter_map(of).flat_map(|run| run.first..=run.last).collect()
}

fn pictures(finding: &Finding) -> Option<&FrameRun> {
    if let Finding::PicturesDamaged(run) = finding { Some(run) } else { None }
}

/// Overwrites up to `most` bytes somewhere, each with another one. Returns where.
fn overwrite(bytes: &mut [u8], random: &mut StdRng, most: usize) -> std::ops::Range<usize> {
    let from = random.random_range(0..bytes.len());
    let until = (from + random.random_range(1..=most)).min(bytes.len());
    bytes[from..until].iter_mut().for_each(|b| *b ^= random.random_range(1..=255u8));
    from..until
}

#[test]
fn every_picture_that_was_overwritten_is_named_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), true);
    let path = dir.path().join("video.mkv");
    let (whole, rows) = (std::fs::read(&path).unwrap(), rows(dir.path()));
    assert!(verify(dir.path()).unwrap().is_intact, "{}", said(&verify(dir.path()).unwrap()));
    let mut random = StdRng::seed_from_u64(SEED);
    for round in 0..300 {
        let mut bytes = whole.clone();
        let most = [1, 4, 200, 3000][round % 4];
        let hit = overwrite(&mut bytes, &mut random, most);
        std::fs::write(&path, &bytes).unwrap();
        let found = verify(dir.path()).unwrap();
        let is_hit = |r: &&FrameRow| (r.offset as usize) < hit.end && hit.start < (r.offset + r.length) as usize;
        let damaged: BTreeSet<u64> = rows.iter().filter(is_hit).map(|r| r.meta.number).collect();
        assert!(!found.is_intact, "round {round}, bytes {hit:?} are overwritten");
        assert_eq!(named(&found, pictures), damaged, "round {round}, bytes {hit:?}: {}", said(&found));
        assert_eq!(found.frames_damaged, damaged.len() as u64);
        for row in &rows {
            let picture = SessionFile::open(dir.path()).unwrap().picture(row.meta.number);
            assert_eq!(matches!(picture, Err(StoreError::DamagedFrame { .. })), damaged.contains(&row.meta.number));
        }
    }
}

#[test]
fn damaged_frames_are_named_with_their_times() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), true);
    let path = dir.path().join("video.mkv");
    let (mut bytes, rows) = (std::fs::read(&path).unwrap(), rows(dir.path()));
    for k in [4, 11, 12, 13] {
        let middle = (rows[k].offset + rows[k].length / 2) as usize;
        bytes[middle..middle + 200].fill(0x55);
    }
    // What lies before the picture of frame 20: its cluster's name.
    let head = (rows[19].offset + rows[19].length) as usize;
    bytes[head] = 0;
    std::fs::write(&path, bytes).unwrap();
    let found = verify(dir.path()).unwrap();
    for sentence in [
        "the picture of frame 4 (00:00:00.132) is damaged",
        "the pictures of frames 11 to 13 (00:00:00.363 to 00:00:00.429, 3 frames) are damaged",
        "the cluster head of frame 20 (00:00:00.660) in video.mkv is damaged",
    ] {
        assert!(said(&found).contains(sentence), "{sentence}\n---\n{}", said(&found));
    }
    assert_eq!((found.findings.iter().filter(|f| f.is_damage()).count(), found.frames_damaged), (3, 4));
}

/// All that readers get to see of a session; `None` where they are refused.
fn seen(folder: &Path) -> Option<(String, Vec<Record>, Vec<FrameRow>)> {
    let session = SessionFile::open(folder).ok()?;
    let mut records = Vec::new();
    session.each_record(|r| records.push(r)).ok()?;
    let about =
        format!("{:?} {:?} {:?} {:?}", session.header(), session.streams(), session.summary(), session.additions());
    Some((about, records, session.frames().ok()?.rows().to_vec()))
}

/// SQLite itself sees nothing wrong in most of these files.
#[test]
fn no_session_file_that_says_something_else_is_called_intact() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), true);
    let path = dir.path().join("session.sqlite");
    let (whole, truth) = (std::fs::read(&path).unwrap(), seen(dir.path()));
    let mut random = StdRng::seed_from_u64(SEED);
    let (mut changed, mut refused) = (0, 0);
    for round in 0..300 {
        let mut bytes = whole.clone();
        let most = [1, 4, 200][round % 3];
        let hit = overwrite(&mut bytes, &mut random, most);
        std::fs::write(&path, &bytes).unwrap();
        let Ok(found) = verify(dir.path()) else {
            refused += 1;
            continue;
        };
        if seen(dir.path()) != truth {
            changed += 1;
            assert!(!found.is_intact, "round {round}, bytes {hit:?}: {}", said(&found));
        }
    }
    assert!(changed > 30, "{changed} of 300 say something else, {refused} are refused");
}

/// One byte of one value: the record is named.
#[test]
fn a_changed_record_is_named() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), true);
    let change = |sql: &str| {
        let conn = rusqlite::Connection::open(dir.path().join("session.sqlite")).unwrap();
        conn.execute_batch(sql).unwrap();
    };
    change("UPDATE record SET data = zeroblob(48) WHERE stream = 0 AND seq = 7");
    change("UPDATE record SET at_ns = at_ns + 1 WHERE stream = 1 AND seq = 9");
    change("UPDATE frame SET at_ns = at_ns + 1 WHERE number = 5");
    let found = verify(dir.path()).unwrap();
    for sentence in [
        "record 7 of `affect` (00:00:00.231) differs from its checksum",
        "record 9 of `page` (00:00:00.297) differs from its checksum",
        "session.sqlite and video.mkv have different data about frame 5 (00:00:00.165)",
    ] {
        assert!(said(&found).contains(sentence), "{sentence}\n---\n{}", said(&found));
    }
    change("UPDATE session SET study_title = 'Another'");
    assert!(verify(dir.path()).unwrap().findings.contains(&Finding::HeaderDamaged));
    change("UPDATE record SET checksum = NULL WHERE stream = 1");
    assert!(said(&verify(dir.path()).unwrap()).contains("41 records have lost their checksum"));
}

#[test]
fn a_video_that_is_gone_is_said_everywhere_and_graded() {
    let library = tempfile::tempdir().unwrap();
    let library = Library::open(library.path()).unwrap();
    let folder = library.create_session(&"sub-01".parse().unwrap(), "1".parse().unwrap(), "demo", header().zero_utc);
    let folder = folder.unwrap();
    record(&folder, true);
    let path = folder.join("video.mkv");
    let (whole, rows) = (std::fs::read(&path).unwrap(), rows(&folder));
    let cut = rows[30].offset as usize + 7;
    let grade_of = || {
        let session = SessionFile::open(&folder).unwrap();
        let quality = session_quality(&session, &session.timeline().unwrap()).unwrap();
        (quality, library.sessions().unwrap().remove(0))
    };
    let (quality, entry) = grade_of();
    assert_eq!((quality.video_loss, entry.video_loss.clone()), (None, None));
    assert_eq!(listed_grade(&entry).unwrap().to_string(), "A");
    let cases: [(&str, Option<&[u8]>, VideoTrouble, u64); 4] = [
        ("is missing", None, VideoTrouble::Missing, 40),
        ("is empty", Some(&[]), VideoTrouble::Empty, 40),
        ("is no Matroska video", Some(b"not a video, but long enough"), VideoTrouble::Foreign, 40),
        ("is too short: from 00:00:00.990", Some(&whole[..cut]), VideoTrouble::Short, 10),
    ];
    for (sentence, bytes, trouble, frames) in cases {
        std::fs::remove_file(&path).ok();
        if let Some(bytes) = bytes {
            std::fs::write(&path, bytes).unwrap();
        }
        let found = verify(&folder).unwrap();
        assert!(!found.is_intact);
        let (quality, entry) = grade_of();
        let loss = quality.video_loss.clone().unwrap();
        assert_eq!((loss.trouble, loss.frames, loss.of), (trouble, frames, 40), "{sentence}");
        assert!(quality.findings()[0].contains(sentence), "{:?}", quality.findings());
        assert_eq!(quality.grade.to_string(), "F");
        assert_eq!(entry.video_loss, Some(loss));
        assert_eq!(listed_grade(&entry).unwrap().to_string(), "F");
    }
    std::fs::write(&path, &whole[..cut]).unwrap();
    let found = verify(&folder).unwrap();
    let gone = "video.mkv ends before frames 30 to 39 (00:00:00.990 to 00:00:01.287, 10 frames)";
    assert!(said(&found).contains(gone), "{}", said(&found));
    assert_eq!(found.frames_damaged, 10);
}

/// Damage before the crash must not cost what lies behind it.
#[test]
fn recovery_passes_over_a_damaged_place() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), false);
    let path = dir.path().join("video.mkv");
    let (mut bytes, rows) = (std::fs::read(&path).unwrap(), rows(dir.path()));
    let head = (rows[9].offset + rows[9].length) as usize;
    bytes[head..head + 20].fill(0xee);
    std::fs::write(&path, &bytes).unwrap();
    // Rows that the crash kept out of SQLite.
    let conn = rusqlite::Connection::open(dir.path().join("session.sqlite")).unwrap();
    conn.execute("DELETE FROM frame WHERE number >= 35", []).unwrap();
    drop(conn);
    let done = recover(dir.path()).unwrap().unwrap();
    assert_eq!((done.frames_adopted, done.frames_missing, done.bytes_cut), (5, 0, 0));
    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!(session.frames().unwrap().len(), 40);
    // The checksum of an adopted frame was taken when it was stored, and lies beside its picture.
    for (row, was) in session.frames().unwrap().rows().iter().zip(&rows) {
        assert!(row.checksum.is_some());
        assert_eq!(row, was);
        session.picture(row.meta.number).unwrap();
    }
    let found = verify(dir.path()).unwrap();
    let damaged: Vec<_> = found.findings.iter().filter(|f| f.is_damage()).map(Finding::to_string).collect();
    assert_eq!(damaged.len(), 1, "{damaged:?}");
    assert!(damaged[0].contains("the cluster head of frame 10 "), "{damaged:?}");
}

/// A file from before there were checksums: nobody can tell, and that is what is said.
#[test]
fn old_sessions_are_whole_as_far_as_can_be_told() {
    for version in [1, 2, 3] {
        let dir = fixture::copy(version);
        let check = |is_upgraded: bool| {
            let found = verify(dir.path()).unwrap();
            assert!(found.is_intact, "version {version}: {}", said(&found));
            let frames = SessionFile::open(dir.path()).unwrap().frames().unwrap().len() as u64;
            assert!(found.findings.contains(&Finding::PicturesUnchecked { frames }), "{}", said(&found));
            assert!(said(&found).contains("damage cannot be detected"));
            assert!(found.findings.iter().any(|f| matches!(f, Finding::RecordsUnchecked { .. })), "{is_upgraded}");
        };
        check(false);
        // Bringing it up to date invents no checksum.
        let mut added = AddedStreams::open(dir.path()).unwrap();
        added.add_stream(&affectograph::session::imported_stream("biopac"), "anna").unwrap();
        let body = affectograph::session::Body::event("trigger", json!({"value": 1}));
        added.append("import_biopac", vec![(ms(200), body)]).unwrap();
        added.close().unwrap();
        check(true);
        let rows = rows(dir.path());
        assert!(rows.iter().all(|r| r.checksum.is_none()));
        let path = dir.path().join("video.mkv");
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = (rows[1].offset + rows[1].length / 2) as usize;
        bytes[middle..middle + 200].iter_mut().for_each(|b| *b ^= 0xff);
        std::fs::write(&path, bytes).unwrap();
        let found = verify(dir.path()).unwrap();
        let sentence = format!("the picture of frame {} ", rows[1].meta.number);
        assert!(!found.is_intact && said(&found).contains(&sentence), "{}", said(&found));
    }
}

#[test]
fn a_session_file_that_does_not_open_is_described_and_its_video_checked() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), true);
    let path = dir.path().join("session.sqlite");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100..4096].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let before = bytes_of(dir.path());
    let found = verify(dir.path()).unwrap();
    assert!(!found.is_intact);
    assert_eq!((found.state, found.frames), (None, FRAMES));
    assert!(said(&found).contains("session.sqlite is damaged"), "{}", said(&found));
    assert_eq!(bytes_of(dir.path()), before, "looking changes nothing");
}
