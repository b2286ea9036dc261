//! What is added to a session after its recording, and that nothing else changes by it.

use std::time::Duration;

use affectograph::session::{
    Body, Gap, GapReason, affect_stream, annotation_stream, imported_stream, later, rating_stream, rescored,
};
use affectograph::store::{
    AddedStreams, AdditionLock, Recorder, SessionEnd, SessionFile, SessionState, StoreError, recover, verify,
};
use crossbeam_channel::unbounded;
use serde_json::json;

use super::{bytes_of, header, jpeg_frame, ms, streams};

/// A closed session with ten frames and scores of the first five.
fn recorded() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::create(dir.path(), header(), streams(), unbounded().0).unwrap();
    let video = recorder.video(64, 48).unwrap().sender();
    let affect = recorder.stream("affect").unwrap();
    for k in 0..10 {
        video.send(jpeg_frame(k, ms(k as i64 * 33))).unwrap();
        if k < 5 {
            affect.sample(ms(k as i64 * 33), Some(k), &[0.5; 12]).unwrap();
        }
    }
    recorder.finish(SessionEnd { at: ms(500), quality: None }).unwrap();
    dir
}

fn raw_records(session: &SessionFile) -> Vec<affectograph::session::Record> {
    let mut records = Vec::new();
    let is_raw = |name: &affectograph::session::StreamName| session.additions().iter().all(|a| a.stream != *name);
    session
        .each_record(|r| {
            if is_raw(&r.stream) {
                records.push(r)
            }
        })
        .unwrap();
    records
}

fn point(id: u64) -> Body {
    Body::event("point", json!({"id": id, "label": "smile"}))
}

#[test]
fn what_is_added_stands_beside_the_raw_streams() {
    let dir = recorded();
    let before = raw_records(&SessionFile::open(dir.path()).unwrap());
    let mut added = AddedStreams::open(dir.path()).unwrap();
    added.add_stream(&annotation_stream(), "anna").unwrap();
    let stored = added.append("annotation", vec![(ms(100), point(0)), (ms(50), point(1))]).unwrap();
    assert_eq!(stored.iter().map(|r| (r.seq, r.at)).collect::<Vec<_>>(), [(0, ms(100)), (1, ms(50))]);
    // Twice is once, also by somebody else.
    added.add_stream(&annotation_stream(), "berta").unwrap();
    assert_eq!(added.append("annotation", vec![(ms(70), point(2))]).unwrap()[0].seq, 2);
    added.add_stream(&rating_stream(), "anna").unwrap();
    added.append("rating", vec![(ms(5), Body::Sample { frame: None, values: vec![0.25, -0.5].into() })]).unwrap();
    // Whoever looks meanwhile sees what is committed.
    assert_eq!(SessionFile::open(dir.path()).unwrap().timeline().unwrap().series("rating").unwrap().len(), 1);
    added.close().unwrap();

    let names: Vec<_> = bytes_of(dir.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["session.sqlite", "video.mkv"], "nothing else is left behind");
    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!(session.state().unwrap(), SessionState::Closed);
    assert_eq!(raw_records(&session), before);
    let added: Vec<_> = session.additions().iter().map(|a| (a.stream.as_str(), a.author.as_str())).collect();
    assert_eq!(added, [("annotation", "anna"), ("rating", "anna")]);
    let timeline = session.timeline().unwrap();
    assert_eq!(timeline.refused(), 0);
    assert_eq!(timeline.events().iter().map(|e| e.at).collect::<Vec<_>>(), [ms(50), ms(70), ms(100)]);
    assert_eq!(timeline.series("rating").unwrap().column(1), [-0.5]);
    assert!(verify(dir.path()).unwrap().is_intact);

    // Opened again, it goes on where it ended.
    let mut added = AddedStreams::open(dir.path()).unwrap();
    let removed = Body::event("removed", json!({"id": 1}));
    assert_eq!(added.append("annotation", vec![(ms(50), removed)]).unwrap()[0].seq, 3);
    added.close().unwrap();
}

#[test]
fn raw_streams_and_misfits_are_refused_and_nothing_is_left_of_them() {
    let dir = recorded();
    let before = bytes_of(dir.path());
    let mut added = AddedStreams::open(dir.path()).unwrap();
    let gap = Gap { until: ms(9), reason: GapReason::NoFace, lost: 1, note: String::new() };
    let raw = added.append("affect", vec![(ms(1), Body::Gap(gap))]).unwrap_err();
    assert!(matches!(&raw, StoreError::Raw(_)), "{raw}");
    assert!(matches!(added.append("rating", Vec::new()), Err(StoreError::NoStream(_))));
    // The name is a raw stream's, or another network's result.
    assert!(matches!(added.add_stream(&affect_stream(30.0, "m"), "a"), Err(StoreError::StreamTaken { .. })));
    added.add_stream(&rescored(affect_stream(30.0, "net 1"), "net"), "a").unwrap();
    let other = added.add_stream(&rescored(affect_stream(30.0, "net 2"), "net"), "a").unwrap_err();
    assert!(other.to_string().contains("already has a stream `affect_net`, made by net 1"), "{other}");
    // One of them does not fit, so none is stored.
    let values = |n: usize| Body::Sample { frame: None, values: vec![0.0; n].into() };
    let misfit = added.append("affect_net", vec![(ms(1), values(12)), (ms(2), values(3))]).unwrap_err();
    assert!(matches!(misfit, StoreError::DoesNotFit { at, .. } if at == ms(2)));
    let mut draft = added.draft().unwrap();
    draft.add_stream(&imported_stream("biopac"), "a").unwrap();
    draft.append("import_biopac", vec![(ms(1), point(0))]).unwrap();
    drop(draft);
    assert!(matches!(added.append("import_biopac", Vec::new()), Err(StoreError::NoStream(_))));
    added.close().unwrap();
    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!(session.additions().len(), 1);
    assert_eq!(raw_records(&session).len(), 5);
    assert_eq!(bytes_of(dir.path())[1], before[1], "the video is not touched");
}

#[test]
fn a_session_that_is_open_takes_no_additions() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(dir.path(), header(), streams(), unbounded().0).unwrap();
    assert!(matches!(AddedStreams::open(dir.path()), Err(StoreError::Recording(_))));
    drop(recorder); // as after a crash
    assert!(matches!(AddedStreams::open(dir.path()), Err(StoreError::LeftOpen(_))));
    recover(dir.path()).unwrap().unwrap();
    let added = AddedStreams::open(dir.path()).unwrap();
    // One at a time.
    assert!(matches!(AddedStreams::open(dir.path()), Err(StoreError::BeingAddedTo(_))));
    std::thread::scope(|scope| {
        let waiting = scope
            .spawn(|| AdditionLock::take(dir.path(), Duration::from_secs(60)).and_then(AdditionLock::added_streams));
        added.close().unwrap();
        waiting.join().unwrap().unwrap().close().unwrap();
    });
}

/// A killed addition is no addition, and the session opens as if nobody had begun one.
#[test]
fn an_addition_that_dies_leaves_the_session_as_it_was() {
    let dir = recorded();
    let before = raw_records(&SessionFile::open(dir.path()).unwrap());
    let mut added = AddedStreams::open(dir.path()).unwrap();
    let mut draft = added.draft().unwrap();
    draft.add_stream(&later(affect_stream(30.0, "m")), "a").unwrap();
    let scores = (0..20_000).map(|k| (ms(k), Body::Sample { frame: None, values: vec![0.1; 12].into() })).collect();
    draft.append("affect_later", scores).unwrap();
    // What is on the disk at this moment is what a kill would leave.
    let killed = tempfile::tempdir().unwrap();
    for (name, bytes) in bytes_of(dir.path()) {
        std::fs::write(killed.path().join(name), bytes).unwrap();
    }
    draft.commit().unwrap();
    added.close().unwrap();

    let session = SessionFile::open(killed.path()).unwrap();
    assert_eq!(session.additions(), []);
    assert_eq!(raw_records(&session), before);
    assert!(verify(killed.path()).unwrap().is_intact);
    drop(session);
    AddedStreams::open(killed.path()).unwrap().close().unwrap();
    let finished = SessionFile::open(dir.path()).unwrap();
    assert_eq!(finished.timeline().unwrap().series("affect_later").unwrap().len(), 20_000);
}
