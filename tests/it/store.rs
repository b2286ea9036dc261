//! The store through its public door: what goes in comes out, whatever happens in between.

mod added_streams;
mod damage;
mod disk_full;
mod fixture;
mod kill;
mod library;
mod manage;
mod recording;
mod video;

use std::path::Path;
use std::sync::Arc;

use affectograph::session::{
    Frame, FrameMeta, ParticipantId, Pixels, SessionNumber, SharedFrame, StreamInfo, Study, TimeSource, Timestamp,
    affect_stream, health_stream, marker_stream, page_stream, video_stream,
};
use affectograph::store::{CameraDescription, Consent, JpegEncoder, ModelDescription, SessionHeader, StoredStudy};

const STUDY: &str = "name = \"demo\"\ntitle = \"Demo\"\n[page]\naddress = \"page\"\n";

fn header() -> SessionHeader {
    let zero_utc = "2026-11-23T10:00:00.123456789Z".parse().unwrap();
    SessionHeader {
        camera: CameraDescription { name: "phantom".into(), width_px: 64, height_px: 48, ..Default::default() },
        models: vec![ModelDescription {
            name: "affect".into(),
            version: "1".into(),
            sha256: "00".into(),
            ..Default::default()
        }],
        consent: Some(Consent { given_at: zero_utc, text_sha256: "11".into(), by: None, name_typed: None }),
        overridden_checks: vec!["too dark".into()],
        ..SessionHeader::plain(
            ParticipantId::numbered(1),
            SessionNumber(1),
            StoredStudy::new(&Study::parse(STUDY).unwrap(), STUDY),
            zero_utc,
        )
    }
}

fn streams() -> Vec<StreamInfo> {
    vec![affect_stream(30.0, "m"), page_stream(), marker_stream(), health_stream(), video_stream("c")]
}

fn ms(ms: i64) -> Timestamp {
    Timestamp::from_ns(ms * 1_000_000)
}

/// A real, small JPEG in which frames differ.
fn jpeg_frame(number: u64, at: Timestamp) -> SharedFrame {
    let pixels = (0..64 * 48).flat_map(|k| [number * 5 + k % 64 * 3, k / 64 * 5, 99].map(|v| v as u8)).collect();
    let rgb = frame(number, at, Pixels::Rgb(pixels));
    let jpeg = JpegEncoder::new().unwrap().encode(&rgb).unwrap().to_vec();
    frame(number, at, Pixels::Jpeg(jpeg))
}

fn frame(number: u64, at: Timestamp, pixels: Pixels) -> SharedFrame {
    let device_sequence = number.is_multiple_of(2).then_some(number + 100);
    Arc::new(Frame {
        meta: FrameMeta { number, at, time_source: TimeSource::Rendered, device_sequence },
        width_px: 64,
        height_px: 48,
        pixels,
    })
}

fn bytes_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}
