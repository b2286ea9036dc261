//! A disk without room: the recorder says so, and what was stored stays readable.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use affectograph::analysis::{Ending, Grade};
use affectograph::session::StreamKind;
use affectograph::store::{Committed, Recorder, SessionEnd, SessionFile, SessionState, StoreError, recover, verify};
use affectograph::study_query::session_quality;
use crossbeam_channel::unbounded;
use serde_json::json;

use super::{header, jpeg_frame, ms, streams};
use crate::need::SmallDisk;

/// Records until something fails, and returns the sentences.
fn fill(folder: &Path, with_video: bool, with_records: bool) -> (Recorder, Vec<String>, u64) {
    let (to, committed) = unbounded();
    let mut recorder = Recorder::create(folder, header(), streams(), to).unwrap();
    assert_eq!(streams()[1].kind, StreamKind::Events);
    let page = recorder.stream("page").unwrap();
    let video = with_video.then(|| recorder.video(64, 48).unwrap().sender());
    let (mut failures, mut shown) = (Vec::new(), 0);
    let start = Instant::now();
    for k in 0.. {
        if let Some(video) = &video {
            video.send(jpeg_frame(k, ms(k as i64 * 33))).unwrap();
        }
        if with_records {
            // A full queue is not what is tested here.
            page.event(ms(k as i64), "note", json!({"text": "x".repeat(500)})).ok();
        }
        for c in committed.try_iter() {
            match c {
                Committed::Records(r) => shown += r.len() as u64,
                Committed::Failed(why) => failures.push(why),
            }
        }
        if !failures.is_empty() {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "the disk never fills: {:?}", recorder.counters());
        std::thread::sleep(Duration::from_micros(300));
    }
    (recorder, failures, shown)
}

#[test]
fn records_on_a_full_disk() {
    let Some(disk) = SmallDisk::mount(2048) else { return };
    let (recorder, failures, shown) = fill(&disk.path().join("session"), false, true);
    assert!(failures[0].contains("session.sqlite") && failures[0].contains("full"), "{failures:?}");
    // Poisoned: it goes on refusing, and counting.
    let page = recorder.stream("page").unwrap();
    let lost = recorder.counters().records_lost;
    page.event(ms(0), "click", json!({})).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let counters = recorder.counters();
    assert!(counters.records_lost > lost, "{counters:?}");
    assert_eq!(counters.failure.as_ref(), failures.first());
    let ended = recorder.finish(SessionEnd::default()).unwrap_err();
    assert!(matches!(ended, StoreError::Poisoned(_)), "{ended}");

    let session = SessionFile::open(&disk.path().join("session")).unwrap();
    assert_eq!(session.state().unwrap(), SessionState::Crashed);
    assert!(session.timeline().unwrap().events().len() as u64 >= shown, "everything shown is readable");
    assert!(verify(&disk.path().join("session")).unwrap().records >= shown);
    drop(session);
    // With room again the session is closed like after a crash.
    let remount = Command::new("mount").args(["-o", "remount,size=8m"]).arg(disk.path()).status().unwrap();
    assert!(remount.success());
    // What ended it is known before and after it is closed, and is no better grade than a D.
    let judged = || {
        let session = SessionFile::open(&disk.path().join("session")).unwrap();
        let quality = session_quality(&session, &session.timeline().unwrap()).unwrap();
        assert!(quality.findings()[0].contains("because the disk was full"), "{:?}", quality.findings());
        assert!(quality.grade >= Grade::D);
        quality.end.how
    };
    assert_eq!(judged(), Ending::DiskFull);
    recover(&disk.path().join("session")).unwrap().unwrap();
    assert_eq!(judged(), Ending::DiskFull);
    let session = SessionFile::open(&disk.path().join("session")).unwrap();
    let timeline = session.timeline().unwrap();
    assert!(timeline.gaps().iter().any(|g| g.what.note.contains("the disk was full")));
    assert!(verify(&disk.path().join("session")).unwrap().is_intact);
}

#[test]
fn video_on_a_full_disk() {
    let Some(disk) = SmallDisk::mount(1024) else { return };
    let (recorder, failures, _) = fill(&disk.path().join("session"), true, false);
    assert!(failures[0].contains("video.mkv") || failures[0].contains("session.sqlite"), "{failures:?}");
    assert!(failures[0].contains("full") || failures[0].contains("No space left"), "{failures:?}");
    let counters = recorder.counters();
    let ended = recorder.finish(SessionEnd::default()).unwrap_err();
    assert!(matches!(ended, StoreError::Poisoned(_)), "{ended}, after {failures:?}");
    let session = SessionFile::open(&disk.path().join("session")).unwrap();
    let frames = session.frames().unwrap();
    assert!(!frames.is_empty() && frames.len() as u64 <= counters.frames_stored);
    session.picture(frames.rows()[frames.len() - 1].meta.number).unwrap();
    let torn = |f: &affectograph::store::Finding| matches!(f, affectograph::store::Finding::VideoTorn { .. });
    assert!(!verify(&disk.path().join("session")).unwrap().findings.iter().any(torn), "the torn frame was cut off");
    assert!(session.storage_failure().unwrap().is_disk_full);
    let quality = session_quality(&session, &session.timeline().unwrap()).unwrap();
    assert_eq!(quality.end.how, Ending::DiskFull);
}

#[test]
fn no_room_for_the_end_of_the_video() {
    let Some(disk) = SmallDisk::mount(4096) else { return };
    let folder = disk.path().join("session");
    let mut recorder = Recorder::create(&folder, header(), streams(), unbounded().0).unwrap();
    let video = recorder.video(64, 48).unwrap().sender();
    // One a second, so that each has its place in the seek table, which then needs more than the rest of a block.
    for k in 0..600 {
        video.send(jpeg_frame(k, ms(k as i64 * 1000))).unwrap();
    }
    drop(video);
    let start = Instant::now();
    while SessionFile::open(&folder).unwrap().frames().unwrap().len() < 600 {
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", recorder.counters());
        std::thread::sleep(Duration::from_millis(20));
    }
    // Another program takes the rest of the disk, and what the recording had reserved.
    std::fs::remove_file(folder.join("recording.reserve")).unwrap();
    let mut rest = std::fs::File::create(disk.path().join("rest")).unwrap();
    while std::io::Write::write_all(&mut rest, &[0; 512]).is_ok() {}
    drop(rest);

    let ended = recorder.finish(SessionEnd::default()).unwrap_err().to_string();
    assert!(ended.contains("close") && ended.contains("video.mkv") && ended.contains("No space left"), "{ended}");
    let session = SessionFile::open(&folder).unwrap();
    assert_eq!(session.state().unwrap(), SessionState::Crashed);
    session.picture(599).unwrap();
    let torn = |f: &affectograph::store::Finding| matches!(f, affectograph::store::Finding::VideoTorn { .. });
    assert!(!verify(&folder).unwrap().findings.iter().any(torn), "the torn seek table was cut off");
    drop(session);
    // With room again the session is closed, and its video is whole.
    std::fs::remove_file(disk.path().join("rest")).unwrap();
    recover(&folder).unwrap().unwrap();
    assert!(verify(&folder).unwrap().is_intact);
}

#[test]
fn a_session_is_closed_on_the_full_disk_with_what_was_reserved() {
    let Some(disk) = SmallDisk::mount(16 * 1024) else { return };
    let folder = disk.path().join("session");
    let (to, committed) = unbounded();
    let mut recorder = Recorder::create(&folder, header(), streams(), to).unwrap();
    let video = recorder.video(64, 48).unwrap().sender();
    let page = recorder.stream("page").unwrap();
    // Another program takes most of the disk.
    std::fs::write(disk.path().join("rest"), vec![0; 12 << 20]).unwrap();
    let start = Instant::now();
    for k in 0.. {
        video.send(jpeg_frame(k, ms(k as i64 * 33))).unwrap();
        page.event(ms(k as i64), "note", json!({"text": "x".repeat(2000)})).ok();
        committed.try_iter().for_each(drop);
        if recorder.counters().ended_by.is_some() {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "the disk never fills: {:?}", recorder.counters());
        std::thread::sleep(Duration::from_micros(500));
    }
    assert!(recorder.counters().ended_by.unwrap().is_disk_full);
    // These come too late, and are counted.
    for k in 0..50 {
        page.event(ms(100_000 + k), "click", json!({})).ok();
    }
    std::thread::sleep(Duration::from_millis(300));
    let lost = recorder.counters();
    drop(video);
    let ended = recorder.finish(SessionEnd::default()).unwrap_err();
    assert!(matches!(ended, StoreError::Poisoned(_)), "{ended}");
    recover(&folder).unwrap().unwrap();
    let session = SessionFile::open(&folder).unwrap();
    assert_eq!(session.state().unwrap(), SessionState::Recovered);
    let quality = session_quality(&session, &session.timeline().unwrap()).unwrap();
    assert_eq!(quality.end.how, Ending::DiskFull);
    let counted = session.summary().unwrap().lost;
    assert!(counted >= lost.records_lost && counted >= 50, "{counted}, of {lost:?}");
    assert_eq!(quality.frames_lost, lost.frames_lost, "{lost:?}");
    let verified = verify(&folder).unwrap();
    assert!(verified.is_intact, "{:?}", verified.findings);
    assert!(!folder.join("recording.reserve").exists());
}

#[test]
fn no_room_even_to_begin() {
    let Some(disk) = SmallDisk::mount(16) else { return };
    let Err(refused) = Recorder::create(&disk.path().join("session"), header(), streams(), unbounded().0) else {
        panic!("recorded onto a full disk");
    };
    assert!(refused.to_string().contains("full"), "{refused}");
}
