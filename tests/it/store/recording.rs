//! Recording, reopening, verifying, recovering.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use affectograph::session::{Body, Gap, GapReason, Record, Study, Timestamp};
use affectograph::store::{
    Committed, Finding, FrameRun, NotStored, Recorder, SessionEnd, SessionFile, SessionState, StoreError, StreamWriter,
    recover, store_quality, verify,
};
use crossbeam_channel::{Receiver, unbounded};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{bytes_of, frame, header, jpeg_frame, ms, streams};
use affectograph::session::Pixels;

fn forwarded(committed: &Receiver<Committed>) -> Vec<Record> {
    let mut records = Vec::new();
    for c in committed.try_iter() {
        match c {
            Committed::Records(r) => records.extend(r.iter().cloned()),
            Committed::Failed(why) => panic!("{why}"),
        }
    }
    records
}

fn stored(session: &SessionFile) -> Vec<Record> {
    let mut records = Vec::new();
    session.each_record(|r| records.push(r)).unwrap();
    records
}

#[test]
fn a_session_comes_back_as_it_was_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("sub-01/ses-01");
    let (to, committed) = unbounded();
    let mut recorder = Recorder::create(&folder, header(), streams(), to).unwrap();
    let video = recorder.video(64, 48).unwrap().sender();
    let (affect, page) = (recorder.stream("affect").unwrap(), recorder.stream("page").unwrap());
    let mut jpegs = Vec::new();
    for k in 0..100 {
        let at = ms(-20 + k as i64 * 33);
        let frame = jpeg_frame(k, at);
        if let Pixels::Jpeg(bytes) = &frame.pixels {
            jpegs.push(bytes.clone());
        }
        video.send(frame).unwrap();
        affect.sample(at, Some(k), &[k as f32 * 0.1; 12]).unwrap();
    }
    page.event(
        ms(50),
        "click",
        json!({"target": "button#buy", "page_ms": 1_234.567_890_123_4, "deep": [1, {"a": null}]}),
    )
    .unwrap();
    page.event(ms(60), "scroll", Value::Null).unwrap();
    page.gap(ms(70), ms(90), GapReason::PageFlood, 12, "too fast").unwrap();
    assert_eq!(
        affect.sample(ms(0), None, &[0.0; 3]).unwrap_err().to_string(),
        "a record of `affect` was not stored: it has 3 values and the stream 12 fields"
    );
    assert!(matches!(page.sample(ms(0), None, &[]), Err(NotStored::DoesNotFit { .. })));
    assert!(matches!(recorder.stream("pulse"), Err(StoreError::NoStream(_))));

    // Open to readers while it is recorded.
    let start = Instant::now();
    while recorder.counters().records_committed < 103 || recorder.counters().frames_stored < 100 {
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", recorder.counters());
        std::thread::sleep(Duration::from_millis(5));
    }
    let live = SessionFile::open(&folder).unwrap();
    assert_eq!(live.state().unwrap(), SessionState::Recording);
    assert_eq!(live.summary(), None);
    assert_eq!(stored(&live).len(), 103);
    assert!(matches!(store_quality(&folder, &json!(1)), Err(StoreError::Recording(_))));
    assert_eq!(recover(&folder).unwrap(), None);
    drop(live);

    recorder.finish(SessionEnd { at: ms(4000), quality: None }).unwrap();
    assert!(matches!(affect.sample(ms(0), None, &[0.0; 12]), Err(NotStored::Ended(_))));
    let names: Vec<_> = bytes_of(&folder).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["session.sqlite", "video.mkv"], "nothing else is left behind");

    let session = SessionFile::open(&folder).unwrap();
    assert_eq!(session.state().unwrap(), SessionState::Closed);
    assert_eq!(session.header(), &header());
    assert_eq!(Study::parse(&session.header().study.toml).unwrap().name, "demo");
    assert_eq!(session.streams(), streams());
    let records = stored(&session);
    assert_eq!(records, forwarded(&committed), "what was shown is what is in the file");
    assert_eq!(session.timeline().unwrap().series("affect").unwrap().len(), 100);
    let summary = session.summary().unwrap();
    assert_eq!(
        (summary.end, summary.records, summary.events, summary.frames, summary.lost),
        (ms(4000), 103, 2, 100, 12)
    );

    let frames = session.frames().unwrap();
    assert_eq!(frames.len(), 100);
    for (k, jpeg) in jpegs.iter().enumerate() {
        assert_eq!(&session.picture(k as u64).unwrap(), jpeg);
        assert_eq!(frames.get(k as u64).unwrap().meta.at, ms(-20 + k as i64 * 33));
    }
    assert!(matches!(session.picture(100), Err(StoreError::NoFrame { number: 100, .. })));
    let found = verify(&folder).unwrap();
    assert!(found.is_intact, "{:?}", found.findings);
    assert_eq!((found.records, found.frames), (103, 100));
    assert!(matches!(&found.findings[..], [Finding::Lost { count: 12, .. }]));
    assert!(serde_json::to_string(&found).unwrap().contains("\"finding\":\"lost\""));

    store_quality(&folder, &json!({"grade": "A"})).unwrap();
    assert_eq!(SessionFile::open(&folder).unwrap().summary().unwrap().quality, Some(json!({"grade": "A"})));
    assert!(matches!(Recorder::create(&folder, header(), streams(), unbounded().0), Err(StoreError::Exists(_))));
}

#[test]
fn raw_frames_are_compressed_and_bad_ones_become_gaps() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::create(dir.path(), header(), streams(), unbounded().0).unwrap();
    let video = recorder.video(64, 48).unwrap().sender();
    video.send(frame(0, ms(0), Pixels::Yuyv([100, 128].repeat(64 * 48)))).unwrap();
    video.send(frame(1, ms(33), Pixels::Yuyv(vec![0; 17]))).unwrap();
    video.send(frame(2, ms(66), Pixels::Rgb(vec![9; 3 * 64 * 48]))).unwrap();
    video.send(frame(3, ms(99), Pixels::Grey(vec![9; 64 * 48]))).unwrap();
    recorder.finish(SessionEnd::default()).unwrap();
    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!(session.frames().unwrap().len(), 3);
    assert!(image::load_from_memory(&session.picture(0).unwrap()).is_ok());
    let timeline = session.timeline().unwrap();
    let [gap] = timeline.gaps() else { panic!("{:?}", timeline.gaps()) };
    assert_eq!((gap.stream.as_str(), gap.what.reason, gap.what.lost, gap.at), ("video", GapReason::Corrupt, 1, ms(33)));
    assert!(gap.what.note.contains("frame 1"), "{}", gap.what.note);
    assert!(verify(dir.path()).unwrap().is_intact);
}

#[test]
fn retries_are_stored_once_and_contradictions_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (to, committed) = unbounded();
    let recorder = Recorder::create(dir.path(), header(), streams(), to).unwrap();
    let page = recorder.stream("page").unwrap();
    let affect = recorder.stream("affect").unwrap();
    for _ in 0..3 {
        page.put(1, ms(5), Body::event("click", json!({"x": 1.5}))).unwrap();
        page.put(0, ms(4), Body::event("click", json!({}))).unwrap();
        affect.put(0, ms(4), Body::sample(None, &[f32::NAN; 12])).unwrap();
    }
    page.put(1, ms(5), Body::event("click", json!({"x": 2}))).unwrap();
    page.gap(ms(6), ms(7), GapReason::PageFlood, 1, "").unwrap();
    let gap = Gap { until: ms(9), reason: GapReason::PageFlood, lost: 1, note: String::new() };
    page.put(2, ms(8), Body::Gap(gap)).unwrap();
    recorder.finish(SessionEnd::default()).unwrap();
    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!(session.summary().unwrap().conflicts, 1);
    assert_eq!(session.summary().unwrap().records, 5);
    assert_eq!(forwarded(&committed).len(), 5);
    assert!(!verify(dir.path()).unwrap().findings.iter().any(Finding::is_damage));
}

#[test]
fn a_full_queue_is_an_error_now_and_a_gap_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder::create(dir.path(), header(), streams(), unbounded().0).unwrap();
    let marker = recorder.stream("marker").unwrap();
    let mut refused = 0;
    let text = "x".repeat(2000);
    let start = Instant::now();
    let mut k = 0;
    while refused < 100 {
        match marker.event(ms(k), "note", json!({ "text": text })) {
            Ok(()) => {}
            Err(NotStored::QueueFull(_)) => refused += 1,
            Err(other) => panic!("{other}"),
        }
        k += 1;
        assert!(start.elapsed() < Duration::from_secs(60), "the queue never fills");
    }
    assert_eq!(recorder.counters().records_lost, refused);
    recorder.finish(SessionEnd::default()).unwrap();
    let session = SessionFile::open(dir.path()).unwrap();
    let timeline = session.timeline().unwrap();
    let lost: u64 = timeline.gaps().iter().map(|g| g.what.lost).sum();
    assert_eq!(lost, refused);
    assert!(timeline.gaps().iter().all(|g| g.what.reason == GapReason::QueueFull && g.what.until >= g.at));
    assert_eq!(timeline.events().len() as u64 + lost, k as u64);
    assert_eq!(session.summary().unwrap().lost, refused);
    assert!(verify(dir.path()).unwrap().is_intact);
}

/// Left open as a crash leaves it, but without killing this process.
fn crashed_session(folder: &std::path::Path) -> StreamWriter {
    let mut recorder = Recorder::create(folder, header(), streams(), unbounded().0).unwrap();
    let video = recorder.video(64, 48).unwrap().sender();
    let page = recorder.stream("page").unwrap();
    for k in 0..20 {
        video.send(jpeg_frame(k, ms(k as i64 * 33))).unwrap();
        page.event(ms(k as i64 * 33), "click", json!({})).unwrap();
    }
    drop(recorder);
    page
}

#[test]
fn a_session_left_open_is_found_and_closed_once() {
    let dir = tempfile::tempdir().unwrap();
    crashed_session(dir.path());
    // Rows that the crash kept out of SQLite, and half a frame at the end of the video.
    let conn = rusqlite::Connection::open(dir.path().join("session.sqlite")).unwrap();
    conn.execute("DELETE FROM frame WHERE number >= 15", []).unwrap();
    drop(conn);
    let video = dir.path().join("video.mkv");
    let bytes = std::fs::read(&video).unwrap();
    let cut = SessionFile::open(dir.path()).unwrap().frames().unwrap().get(14).unwrap().offset as usize;
    let end_of_17 = bytes[cut..].windows(4).enumerate().filter(|(_, w)| w == b"\x1f\x43\xb6\x75").nth(3).unwrap().0;
    std::fs::write(&video, &bytes[..cut + end_of_17 + 100]).unwrap();

    let found = verify(dir.path()).unwrap();
    assert_eq!(found.state, Some(SessionState::Crashed));
    let not_in_database = Finding::FramesNotInDatabase { count: 3, first: 15, last: 17 };
    assert!(found.findings.contains(&not_in_database), "{:?}", found.findings);
    assert!(found.findings.contains(&Finding::VideoTorn { bytes: 100 }), "{:?}", found.findings);

    let done = recover(dir.path()).unwrap().unwrap();
    assert_eq!((done.frames_adopted, done.frames_missing, done.bytes_cut), (3, 0, 100));
    assert_eq!(done.end, ms(19 * 33));
    let once = bytes_of(dir.path());
    assert_eq!(recover(dir.path()).unwrap(), None);
    assert_eq!(bytes_of(dir.path()), once);

    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!(session.state().unwrap(), SessionState::Recovered);
    assert_eq!(session.frames().unwrap().len(), 18);
    assert!(session.picture(17).is_ok());
    let last = stored(&session).pop().unwrap();
    assert!(matches!(last.body, Body::Gap(Gap { reason: GapReason::Crash, .. })), "{last:?}");
    assert!(verify(dir.path()).unwrap().is_intact);
}

#[test]
fn frames_behind_the_end_of_the_video_are_taken_out_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    crashed_session(dir.path());
    let video = dir.path().join("video.mkv");
    let bytes = std::fs::read(&video).unwrap();
    let offset = SessionFile::open(dir.path()).unwrap().frames().unwrap().get(12).unwrap().offset;
    std::fs::write(&video, &bytes[..offset as usize + 10]).unwrap();
    let found = verify(dir.path()).unwrap();
    let run = FrameRun { count: 8, first: 12, last: 19, from: ms(12 * 33), until: ms(19 * 33) };
    assert!(found.findings.contains(&Finding::FramesCutOff(run)), "{:?}", found.findings);
    assert_eq!(found.frames_damaged, 8);
    let done = recover(dir.path()).unwrap().unwrap();
    assert_eq!((done.frames_missing, done.frames_adopted), (8, 0));
    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!((session.frames().unwrap().len(), session.summary().unwrap().lost), (12, 8));
    assert!(verify(dir.path()).unwrap().is_intact);
}

#[test]
fn without_its_video_a_crashed_session_keeps_all_it_has() {
    let dir = tempfile::tempdir().unwrap();
    crashed_session(dir.path());
    std::fs::write(dir.path().join("video.mkv"), b"not a video").unwrap();
    let done = recover(dir.path()).unwrap().unwrap();
    assert!(done.video_problem.unwrap().contains("no Matroska video"));
    assert_eq!(std::fs::read(dir.path().join("video.mkv")).unwrap(), b"not a video");
    let session = SessionFile::open(dir.path()).unwrap();
    assert_eq!(session.frames().unwrap().len(), 20);
    assert!(matches!(session.picture(3), Err(StoreError::NoFrame { .. })));
    assert!(!verify(dir.path()).unwrap().is_intact);
}

#[test]
fn verify_names_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    crashed_session(dir.path());
    recover(dir.path()).unwrap().unwrap();
    let conn = rusqlite::Connection::open(dir.path().join("session.sqlite")).unwrap();
    conn.execute_batch(
        "DELETE FROM record WHERE stream = 1 AND seq IN (3, 7, 8);
         UPDATE record SET data = 'no json' WHERE stream = 1 AND seq = 10;
         DELETE FROM frame WHERE number = 4;
         UPDATE frame SET offset = offset + 1 WHERE number = 5;",
    )
    .unwrap();
    drop(conn);
    let video = dir.path().join("video.mkv");
    let mut bytes = std::fs::read(&video).unwrap();
    let frame = *SessionFile::open(dir.path()).unwrap().frames().unwrap().get(9).unwrap();
    bytes[frame.offset as usize] = 0;
    std::fs::write(&video, &bytes).unwrap();
    let before = bytes_of(dir.path());

    let found = verify(dir.path()).unwrap();
    assert!(!found.is_intact);
    let said = found.findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("\n");
    for sentence in [
        "record 3 of `page` is missing",
        "records 7 to 8 of `page` are missing (2)",
        "record 10 of stream number 1 holds event data that is no JSON object",
        "1 frames of video.mkv, 4 to 4, are not in session.sqlite",
        "frame 5 (00:00:00.165) is not in video.mkv",
        "the picture of frame 9 (00:00:00.297) is damaged",
    ] {
        assert!(said.contains(sentence), "{sentence}\n---\n{said}");
    }
    assert!(matches!(SessionFile::open(dir.path()).unwrap().timeline(), Err(StoreError::Damaged { .. })));
    assert_eq!(bytes_of(dir.path()), before, "looking changes nothing");
}

fn body() -> impl Strategy<Value = (usize, Body)> {
    let value = any::<f32>().prop_filter("NaN is not equal to itself", |v| !v.is_nan());
    let json = prop_oneof![
        any::<f64>().prop_filter("JSON has no such number", |v| v.is_finite()).prop_map(|v| json!(v)),
        any::<i64>().prop_map(|v| json!(v)),
        "\\PC{0,20}".prop_map(|v| json!(v)),
        Just(json!([null, {"a": [true]}])),
    ];
    let reason = prop::sample::select(GapReason::ALL.to_vec());
    prop_oneof![
        (any::<Option<u64>>(), prop::collection::vec(value, 12))
            .prop_map(|(frame, values)| (0, Body::Sample { frame, values: values.into() })),
        ("\\PC{0,12}", prop::collection::btree_map("\\PC{0,8}", json, 0..4))
            .prop_map(|(kind, data)| (1, Body::Event { kind, data: data.into_iter().collect() })),
        (0usize..5, any::<i64>(), reason, any::<u64>(), "\\PC{0,12}").prop_map(
            |(stream, until, reason, lost, note)| {
                (stream, Body::Gap(Gap { until: Timestamp::from_ns(until), reason, lost, note }))
            }
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_records_come_back_equal(records in prop::collection::vec((any::<i64>(), body()), 0..60)) {
        let dir = tempfile::tempdir().unwrap();
        let (to, committed) = unbounded();
        let recorder = Recorder::create(dir.path(), header(), streams(), to).unwrap();
        let writers: Vec<_> = streams().iter().map(|s| recorder.stream(s.name.as_str()).unwrap()).collect();
        let mut seqs = BTreeMap::<usize, u64>::new();
        let mut expected = Vec::new();
        for (ns, (stream, body)) in &records {
            let (writer, at) = (&writers[*stream], Timestamp::from_ns(*ns));
            match body {
                Body::Sample { frame, values } => writer.sample(at, *frame, values).unwrap(),
                Body::Event { kind, data } => writer.event(at, kind, Value::Object(data.clone())).unwrap(),
                Body::Gap(g) => writer.gap(at, g.until, g.reason, g.lost, &g.note).unwrap(),
            }
            let seq = seqs.entry(*stream).or_default();
            expected.push(Record { stream: std::sync::Arc::new(writer.name().clone()), seq: *seq, at, body: body.clone() });
            *seq += 1;
        }
        recorder.finish(SessionEnd::default()).unwrap();
        let session = SessionFile::open(dir.path()).unwrap();
        prop_assert_eq!(&stored(&session), &expected);
        prop_assert_eq!(&forwarded(&committed), &expected);
        prop_assert_eq!(session.timeline().unwrap().refused(), 0);
    }
}
