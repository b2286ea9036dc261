//! A session of each older file version, written by a program of that version. All later programs must open them. Do not
//! write a fixture again. Add one for each new version.

use std::path::{Path, PathBuf};

use affectograph::session::{Body, GapReason, Pixels, SessionNumber, annotation_stream, rating_stream};
use affectograph::store::{AddedStreams, Recorder, SessionEnd, SessionFile, SessionHeader, SessionState, verify};
use affectograph::stored_frames::FrameReader;
use crossbeam_channel::unbounded;
use serde_json::json;

use super::{bytes_of, header, jpeg_frame, ms, streams};

fn folder(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/session_v{version}"))
}

#[test]
#[ignore = "writes a fixture into a new folder: only for a new file version"]
fn write_the_fixture() {
    let folder = folder(2);
    let mut recorder = Recorder::create(&folder, header(), streams(), unbounded().0).unwrap();
    let video = recorder.video(64, 48).unwrap().sender();
    let (affect, page) = (recorder.stream("affect").unwrap(), recorder.stream("page").unwrap());
    for k in 0..10 {
        video.send(jpeg_frame(k, ms(100 + k as i64 * 33))).unwrap();
        let values = std::array::from_fn::<_, 12, _>(|field| field as f32 * 0.25 - k as f32 * 0.5);
        affect.sample(ms(100 + k as i64 * 33), Some(k), &values).unwrap();
    }
    page.event(ms(200), "click", json!({"target": "button#buy", "page_ms": 99.5})).unwrap();
    page.gap(ms(300), ms(350), GapReason::PageFlood, 7, "too fast").unwrap();
    recorder.finish(SessionEnd { at: ms(500), quality: Some(json!({"grade": "A"})) }).unwrap();
    let mut added = AddedStreams::open(&folder).unwrap();
    added.add_stream(&annotation_stream(), "anna").unwrap();
    added.append("annotation", vec![(ms(200), Body::event("point", json!({"id": "a", "label": "smile"})))]).unwrap();
    added.add_stream(&rating_stream(), "sub-01").unwrap();
    added.append("rating", vec![(ms(210), Body::Sample { frame: None, values: vec![0.25, -0.5].into() })]).unwrap();
    added.close().unwrap();
}

pub(super) fn copy(version: u32) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in bytes_of(&folder(version)) {
        std::fs::write(dir.path().join(name), bytes).unwrap();
    }
    dir
}

#[test]
fn the_first_version_still_opens() {
    let dir = copy(1);
    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!(session.state().unwrap(), SessionState::Closed);
    assert_eq!(session.header().session, SessionNumber(1));
    assert_eq!(session.header().study.title, "Demo");
    assert_eq!(session.header().camera.name, "phantom");
    assert_eq!(session.header().models[0].name, "affect");
    assert_eq!(session.header().zero_utc.to_rfc3339(), "2026-11-23T10:00:00.123456789+00:00");
    assert_eq!(session.summary().unwrap().quality, Some(json!({"grade": "A"})));
    let timeline = session.timeline().unwrap();
    let affect = timeline.series("affect").unwrap();
    assert_eq!((affect.len(), affect.times()[9], affect.frames()[9]), (10, ms(397), Some(9)));
    assert_eq!(affect.column(3)[9], 0.75 - 4.5);
    assert_eq!(timeline.events()[0].what.data["target"], "button#buy");
    assert_eq!(timeline.gaps()[0].what.lost, 7);
    let picture = image::load_from_memory(&session.picture(9).unwrap()).unwrap();
    assert_eq!((picture.width(), picture.height()), (64, 48));
    assert!(verify(dir.path()).unwrap().is_intact);
    drop(session);
    assert_eq!(bytes_of(dir.path()), bytes_of(&folder(1)), "opening changes nothing");
}

/// An addition upgrades a file and does not change its records.
#[test]
fn the_first_version_takes_additions() {
    let dir = copy(1);
    let records = |folder: &Path| {
        let mut records = Vec::new();
        SessionFile::open(folder).unwrap().each_record(|r| records.push(r)).unwrap();
        records
    };
    let raw = records(dir.path());
    let mut added = AddedStreams::open(dir.path()).unwrap();
    added.add_stream(&annotation_stream(), "anna").unwrap();
    added.append("annotation", vec![(ms(200), Body::event("point", json!({"id": 1, "label": "smile"})))]).unwrap();
    added.close().unwrap();
    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!(session.additions()[0].author, "anna");
    assert_eq!(session.summary().unwrap().quality, Some(json!({"grade": "A"})));
    let now = records(dir.path());
    assert_eq!(now[..raw.len()], raw);
    assert_eq!(now.len(), raw.len() + 1);
    assert!(verify(dir.path()).unwrap().is_intact);
    assert_eq!(bytes_of(dir.path())[1], bytes_of(&folder(1))[1], "the video is as it was");
}

/// A session in a read-only folder opens.
#[cfg(unix)]
#[test]
fn the_first_version_opens_where_nothing_can_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let dir = copy(1);
    let mode = |mode| std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    let opened = SessionFile::open(dir.path()).and_then(|session| session.timeline());
    mode(0o755);
    assert_eq!(opened.unwrap().series("affect").unwrap().len(), 10);
}

#[test]
fn the_second_version_still_opens() {
    let dir = copy(2);
    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!(session.state().unwrap(), SessionState::Closed);
    let added: Vec<_> = session.additions().iter().map(|a| (a.stream.as_str(), a.author.as_str())).collect();
    assert_eq!(added, [("annotation", "anna"), ("rating", "sub-01")]);
    let timeline = session.timeline().unwrap();
    assert_eq!(timeline.series("affect").unwrap().len(), 10);
    assert_eq!(timeline.series("rating").unwrap().column(1), [-0.5]);
    assert_eq!(timeline.events()[1].what.data["label"], "smile");
    assert!(verify(dir.path()).unwrap().is_intact);
    drop(session);
    assert_eq!(bytes_of(dir.path()), bytes_of(&folder(2)), "opening changes nothing");
}

#[test]
fn the_third_version_still_opens() {
    let dir = copy(3);
    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!(session.state().unwrap(), SessionState::Closed);
    assert_eq!(session.header().camera.width_px, 160);
    let (timeline, frames) = (session.timeline().unwrap(), session.frames().unwrap());
    assert_eq!((timeline.series("affect").unwrap().len(), frames.len()), (2, 3));
    let kinds: Vec<_> = timeline.events().iter().map(|e| e.what.kind.as_str()).collect();
    assert_eq!(kinds, ["recording_started", "recording_stopped"]);
    assert!(frames.rows().iter().all(|f| session.picture(f.meta.number).is_ok()));
    assert!(verify(dir.path()).unwrap().is_intact);
    drop(session);
    assert_eq!(bytes_of(dir.path()), bytes_of(&folder(3)), "opening changes nothing");
}

#[test]
fn the_fourth_version_still_opens() {
    let dir = copy(4);
    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!(session.state().unwrap(), SessionState::Closed);
    assert_eq!((session.header().software.as_str(), &session.header().revision), ("affectograph 0.1.0", &None));
    let (timeline, frames) = (session.timeline().unwrap(), session.frames().unwrap());
    assert_eq!((timeline.series("affect").unwrap().len(), frames.len()), (2, 2));
    assert!(frames.rows().iter().all(|f| session.picture(f.meta.number).is_ok()));
    assert!(verify(dir.path()).unwrap().is_intact);
    drop(session);
    assert_eq!(bytes_of(dir.path()), bytes_of(&folder(4)), "opening changes nothing");
}

/// Version 5 adds the column of the revision to the header, which has a checksum since version 4.
#[test]
fn an_upgrade_of_the_fourth_version_keeps_its_checksum() {
    let dir = copy(4);
    AddedStreams::open(dir.path()).unwrap().close().unwrap();
    assert!(verify(dir.path()).unwrap().is_intact);
    assert_eq!(SessionFile::open(dir.path()).unwrap().header().revision, None);
    let mut added = AddedStreams::open(dir.path()).unwrap();
    added.add_stream(&annotation_stream(), "anna").unwrap();
    added.close().unwrap();
    assert!(verify(dir.path()).unwrap().is_intact);
}

#[test]
fn the_revision_of_the_program_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let header = SessionHeader { revision: Some("15aad2a".to_owned()), ..header() };
    let recorder = Recorder::create(dir.path(), header, streams(), unbounded().0).unwrap();
    recorder.finish(SessionEnd { at: ms(500), quality: None }).unwrap();
    assert_eq!(SessionFile::open(dir.path()).unwrap().header().revision.as_deref(), Some("15aad2a"));
    assert!(verify(dir.path()).unwrap().is_intact);
}

#[test]
fn a_session_of_version_five_has_no_condition_and_is_intact() {
    let dir = copy(5);
    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!((&session.header().condition, &session.header().condition_assigned), (&None, &None));
    assert!(session.header().revision.is_some());
    assert!(verify(dir.path()).unwrap().is_intact);
    // An addition upgrades the file. The checksum of its header stays valid.
    let mut added = AddedStreams::open(dir.path()).unwrap();
    added.add_stream(&annotation_stream(), "anna").unwrap();
    added.close().unwrap();
    assert!(verify(dir.path()).unwrap().is_intact);
}

/// The fixture is that of version 5, with the columns of version 6 and a condition in them.
#[test]
fn a_session_of_version_six_is_no_pilot_and_is_intact() {
    let dir = copy(6);
    let session = SessionFile::open(dir.path()).unwrap();
    let header = session.header();
    assert_eq!((header.condition.as_deref(), header.condition_assigned.as_deref()), (Some("calm"), Some("loud")));
    assert!(!header.pilot);
    assert!(verify(dir.path()).unwrap().is_intact);
    let mut added = AddedStreams::open(dir.path()).unwrap();
    added.add_stream(&annotation_stream(), "anna").unwrap();
    added.close().unwrap();
    assert!(verify(dir.path()).unwrap().is_intact);
    assert_eq!(SessionFile::open(dir.path()).unwrap().header().condition.as_deref(), Some("calm"));
}

/// The fixture was made from a film by a program that stored the pictures of films as Motion JPEG.
#[test]
fn a_session_of_version_seven_has_no_film_and_shows_its_pictures() {
    let dir = copy(7);
    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!((session.film().unwrap(), session.film_packets().ok()), (None, None));
    let mut frames = FrameReader::open(&session).unwrap();
    for number in 0..3 {
        assert!(matches!(frames.frame(&session, number).unwrap().pixels, Pixels::Jpeg(_)));
    }
    assert!(verify(dir.path()).unwrap().is_intact);
    drop(session);
    assert_eq!(bytes_of(dir.path()), bytes_of(&folder(7)), "opening changes nothing");
    // An addition upgrades the file.
    let mut added = AddedStreams::open(dir.path()).unwrap();
    added.add_stream(&annotation_stream(), "anna").unwrap();
    added.close().unwrap();
    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!((session.film().unwrap(), session.film_packets().unwrap()), (None, Vec::new()));
    assert!(FrameReader::open(&session).unwrap().frame(&session, 2).is_ok() && verify(dir.path()).unwrap().is_intact);
}
