//! Properties that must hold for any body that a browser sends. `src/fuzz_bodies.rs` runs them.

use serde_json::value::RawValue;

use super::intake::Intake;
use super::wire::{Batch, CameraMode, Finish, MAX_BATCH_RECORDS, MAX_INFLATED_BYTES, NewSession};
use session::page_message::Event;
use session::{
    Body, Numbers, PAGE, StreamKind, Timestamp, affect_stream, health_stream, page_clock_stream, page_stream,
    replay_stream, server_stream, video_frame_stream,
};

const ZERO_UTC_MS: f64 = 1_763_901_234_567.0;
const NOW: Timestamp = Timestamp::from_ns(30_000_000_000);

/// A body is refused, or each of its records is in its stream once, at a time of the session, in the stream's format.
pub fn intake(bytes: &[u8]) {
    if bytes.len() > MAX_INFLATED_BYTES {
        return;
    }
    // Only a panic is a failure here and in `missing`.
    serde_json::from_slice::<NewSession>(bytes).ok();
    let finish = serde_json::from_slice::<Finish>(bytes);
    let Ok(batch) = serde_json::from_slice::<Batch>(bytes) else {
        if let Ok(finish) = finish {
            start(CameraMode::Scores).missing(&finish).ok();
        }
        return;
    };
    for camera in [CameraMode::Scores, CameraMode::Video, CameraMode::Off] {
        let mut intake = start(camera);
        let before = intake.committed();
        let accepted = match intake.accept(&batch, NOW) {
            Ok(accepted) => accepted,
            Err(_) => {
                assert_eq!(intake.committed(), before, "a refused batch was counted");
                continue;
            }
        };
        assert!(batch.records.len() <= MAX_BATCH_RECORDS);
        assert!(accepted.refused.len() <= batch.records.len());
        let streams = streams();
        let mut numbers: Vec<(usize, u64)> = Vec::new();
        for record in &accepted.records {
            let stream = &streams[record.stream];
            numbers.extend(record.seq.map(|seq| (record.stream, seq)));
            assert!(record.at >= Timestamp::ZERO - SLACK && record.at <= NOW + SLACK || record.seq.is_none());
            match &record.body {
                Body::Sample { values, .. } => {
                    assert!(stream.kind == StreamKind::Samples && values.len() == stream.fields.len());
                    assert!(values.iter().all(|v| !v.is_infinite()));
                }
                Body::Event { kind, data } => {
                    assert!(stream.kind == StreamKind::Events && !kind.is_empty());
                    if stream.name.as_str() == PAGE {
                        // Without the fields that the intake adds, the page's parser accepts it.
                        let mut data = data.clone();
                        data.remove("page_ms");
                        data.remove("document");
                        let raw = serde_json::to_string(&data).ok().and_then(|text| RawValue::from_string(text).ok());
                        let again = raw.map(|raw| Event::parse(kind, &raw));
                        assert!(matches!(&again, Some(Ok(e)) if e.data() == data), "{kind} {data:?}: {again:?}");
                    }
                }
                Body::Gap(gap) => assert!(gap.until >= record.at, "a gap ends before it begins"),
            }
        }
        let all = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), all, "a record number was given twice");
        let committed = intake.committed();
        // Sending the batch again changes nothing.
        match intake.accept(&batch, NOW) {
            Ok(again) => assert!(again.refused.is_empty() && again.records.iter().all(|r| r.seq.is_none())),
            Err(e) => panic!("accepted, and refused when it is sent again: {}", e.detail()),
        }
        assert_eq!(intake.committed(), committed);
    }
}

const SLACK: std::time::Duration = std::time::Duration::from_secs(61);

fn streams() -> Vec<session::StreamInfo> {
    vec![
        page_stream(),
        page_clock_stream(),
        health_stream(),
        replay_stream(),
        affect_stream(30.0, "fuzz"),
        video_frame_stream(),
        server_stream(),
    ]
}

fn start(camera: CameraMode) -> Intake {
    Intake::new(ZERO_UTC_MS, camera, streams().into_iter().map(|s| (s, Numbers::default())).collect())
}
