//! The recorder, the reopening of a session of two hours, and pictures, each compared with the simplest alternative.

#![allow(clippy::print_stdout, reason = "a bench prints its results")]
#![allow(clippy::disallowed_methods)] // a bench may collect what comes without a bound

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use affectograph::session::{
    Body, Clock, Frame, FrameMeta, ParticipantId, Pixels, Record, SessionNumber, SharedFrame, StreamInfo, Study,
    TimeSource, Timeline, Timestamp, affect_stream, page_stream,
};
use affectograph::store::{JpegEncoder, NotStored, Recorder, SessionEnd, SessionFile, SessionHeader, StoredStudy};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use crossbeam_channel::unbounded;
use rusqlite::{Connection, params};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const AFFECT_SAMPLES: u64 = 216_000;
const EVENTS: u64 = 50_000;
const STUDY: &str = "name = \"demo\"\ntitle = \"Demo\"\n[page]\naddress = \"page\"\n";

fn header() -> SessionHeader {
    SessionHeader::plain(
        ParticipantId::numbered(1),
        SessionNumber(1),
        StoredStudy::new(&Study::parse(STUDY).expect("STUDY is a study"), STUDY),
        Clock::start().zero_utc(),
    )
}

fn streams() -> Vec<StreamInfo> {
    vec![affect_stream(30.0, "bench"), page_stream()]
}

fn values(k: u64) -> [f32; 12] {
    std::array::from_fn(|field| ((k + field as u64) as f32 * 0.01).sin())
}

fn click(k: u64) -> Value {
    json!({"page_ms": k as f64 * 144.0 + 0.3, "target": "button#buy", "x": k % 640, "y": k % 480, "button": 0})
}

/// Events are between the samples, as in a real session.
fn each(mut sample: impl FnMut(u64, Timestamp), mut event: impl FnMut(u64, Timestamp)) {
    let mut events = 0;
    for k in 0..AFFECT_SAMPLES {
        let at = Timestamp::from_ns(k as i64 * 33_333_333);
        sample(k, at);
        if events * AFFECT_SAMPLES < k * EVENTS {
            event(events, at);
            events += 1;
        }
    }
}

fn until_taken(mut send: impl FnMut() -> Result<(), NotStored>) {
    while let Err(refused) = send() {
        assert!(matches!(refused, NotStored::QueueFull(_)), "{refused}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Stores `n` affect samples. Returns the time until the last one was committed.
fn record(folder: &Path, n: u64) -> Duration {
    let recorder = Recorder::create(folder, header(), streams(), unbounded().0).expect("a new folder");
    let affect = recorder.stream("affect").expect("declared above");
    let start = Instant::now();
    for k in 0..n {
        let values = values(k);
        // With numbers, so that a sample that a full queue refuses is sent again and not counted as lost.
        until_taken(|| affect.put(k, Timestamp::from_ns(k as i64), Body::sample(Some(k), &values)));
    }
    while recorder.counters().records_committed < n {
        std::thread::sleep(Duration::from_micros(200));
    }
    let took = start.elapsed();
    recorder.finish(SessionEnd::default()).expect("room on the disk");
    took
}

/// The simplest alternative: one table with one column per field, one transaction, no queue, no thread, no uniqueness.
fn plain_insert(folder: &Path, n: u64) -> Duration {
    let mut conn = Connection::open(folder.join("plain.sqlite")).expect("a new file");
    conn.execute_batch("PRAGMA journal_mode = wal; PRAGMA synchronous = normal").expect("pragmas");
    let columns: Vec<_> = (0..12).map(|k| format!("f{k} REAL")).collect();
    conn.execute_batch(&format!("CREATE TABLE affect (at_ns INTEGER, frame INTEGER, {})", columns.join(", ")))
        .expect("a table");
    let start = Instant::now();
    let tx = conn.transaction().expect("a transaction");
    {
        let mut insert =
            tx.prepare("INSERT INTO affect VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)").expect("a statement");
        for k in 0..n as i64 {
            let v = values(k as u64);
            insert
                .execute(params![k, k, v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11]])
                .expect("a row");
        }
    }
    tx.commit().expect("room on the disk");
    start.elapsed()
}

fn recording(c: &mut Criterion) {
    const N: u64 = 100_000;
    let mut group = c.benchmark_group("store 100,000 affect samples");
    group.sample_size(10).throughput(Throughput::Elements(N));
    let timed = |run: fn(&Path, u64) -> Duration| {
        move |b: &mut criterion::Bencher| {
            b.iter_custom(|times| {
                (0..times)
                    .map(|_| {
                        let dir = tempfile::tempdir().expect("a folder");
                        run(dir.path(), N)
                    })
                    .sum()
            });
        }
    };
    group.bench_function("recorder", timed(record));
    group.bench_function("plain loop in one transaction", timed(plain_insert));
    group.finish();
}

fn two_hours(folder: &Path) {
    let recorder = Recorder::create(folder, header(), streams(), unbounded().0).expect("a new folder");
    let (affect, page) = (recorder.stream("affect").expect("declared"), recorder.stream("page").expect("declared"));
    each(
        |k, at| until_taken(|| affect.put(k, at, Body::sample(Some(k), &values(k)))),
        |k, at| until_taken(|| page.put(k, at, Body::event("click", click(k)))),
    );
    recorder.finish(SessionEnd::default()).expect("room on the disk");
}

/// A first approach: one row per value, and one JSON line per record.
fn plain_files(folder: &Path) {
    let mut conn = Connection::open(folder.join("plain.sqlite")).expect("a new file");
    conn.execute_batch(
        "CREATE TABLE value (at_ns INTEGER, field INTEGER, value REAL); CREATE TABLE event (at_ns, data)",
    )
    .expect("tables");
    let tx = conn.transaction().expect("a transaction");
    let mut lines = String::new();
    {
        let mut value = tx.prepare("INSERT INTO value VALUES (?, ?, ?)").expect("a statement");
        let mut event = tx.prepare("INSERT INTO event VALUES (?, ?)").expect("a statement");
        let lines = std::cell::RefCell::new(&mut lines);
        each(
            |k, at| {
                for (field, v) in values(k).iter().enumerate() {
                    value.execute(params![at.as_ns(), field as i64, v]).expect("a row");
                }
                lines.borrow_mut().push_str(&format!("{}\n", json!({"at": at.as_ns(), "values": values(k)})));
            },
            |k, at| {
                event.execute(params![at.as_ns(), click(k).to_string()]).expect("a row");
                lines.borrow_mut().push_str(&format!("{}\n", json!({"at": at.as_ns(), "data": click(k)})));
            },
        );
    }
    tx.commit().expect("room on the disk");
    std::fs::write(folder.join("plain.jsonl"), lines).expect("room on the disk");
}

/// Time, field and value of all values, and time and data of all events.
type Rows = (Vec<(i64, i64, f64)>, Vec<(i64, Value)>);

fn read_rows(folder: &Path) -> Rows {
    let conn = Connection::open(folder.join("plain.sqlite")).expect("written above");
    let mut values = conn.prepare("SELECT at_ns, field, value FROM value ORDER BY rowid").expect("a statement");
    let values = values.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).expect("rows");
    let values = values.collect::<Result<_, _>>().expect("rows");
    let mut events = conn.prepare("SELECT at_ns, data FROM event ORDER BY rowid").expect("a statement");
    let events = events.query_map([], |r| Ok((r.get(0)?, r.get::<_, String>(1)?))).expect("rows");
    let events = events.map(|r| r.map(|(at, data)| (at, serde_json::from_str(&data).expect("JSON"))));
    (values, events.collect::<Result<_, _>>().expect("rows"))
}

fn read_lines(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("plain.jsonl")).expect("written above");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn reopening(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    two_hours(dir.path());
    plain_files(dir.path());
    let open = || SessionFile::open(dir.path()).expect("written above");
    let (values, events) = read_rows(dir.path());
    assert_eq!((values.len() as u64, events.len() as u64), (12 * AFFECT_SAMPLES, EVENTS));
    assert_eq!(read_lines(dir.path()).len() as u64, AFFECT_SAMPLES + EVENTS);
    let mut group = c.benchmark_group("reopen two hours: 216,000 affect samples, 50,000 events");
    group.sample_size(10);
    group.bench_function("session to timeline", |b| b.iter(|| open().timeline().expect("readable")));
    group.bench_function("of that: reading the records", |b| {
        b.iter(|| open().each_record(|record| drop(black_box(record))).expect("readable"));
    });
    group.bench_function("of that: ingesting them", |b| {
        let mut records: Vec<Record> = Vec::new();
        open().each_record(|r| records.push(r)).expect("readable");
        b.iter(|| {
            let mut timeline = Timeline::default();
            streams().into_iter().for_each(|s| timeline.declare(s));
            records.iter().for_each(|r| timeline.ingest(r));
            timeline
        });
    });
    group.bench_function("plain SQL, one row a value, no timeline", |b| b.iter(|| read_rows(dir.path())));
    group.bench_function("plain JSON lines, no timeline", |b| b.iter(|| read_lines(dir.path())));
    group.finish();
}

fn picture(pixels: Pixels) -> Frame {
    Frame {
        meta: FrameMeta { number: 0, at: Timestamp::ZERO, time_source: TimeSource::Driver, device_sequence: None },
        width_px: 640,
        height_px: 480,
        pixels,
    }
}

/// Structure at all scales, so that the JPEGs are as large as a camera's.
fn texture(k: u32) -> u8 {
    let (x, y) = (k % 640, k / 640);
    (96 + (x / 5 + y / 3) % 64 + (x * 7919 + y * 104_729) / 37 % 24) as u8
}

fn video(c: &mut Criterion) {
    let grey: Vec<u8> = (0..640 * 480).map(texture).collect();
    let yuyv = picture(Pixels::Yuyv(grey.iter().flat_map(|y| [*y, 128]).collect()));
    let rgb = picture(Pixels::Rgb(grey.iter().flat_map(|y| [*y; 3]).collect()));
    let mut encoder = JpegEncoder::new().expect("a compressor");
    let jpeg = encoder.encode(&yuyv).expect("a picture").to_vec();
    println!("a 640×480 JPEG of this bench has {} bytes", jpeg.len());

    let mut group = c.benchmark_group("a 640×480 frame");
    group.bench_function("compress YUYV", |b| b.iter(|| encoder.encode(&yuyv).expect("a picture").len()));
    group.bench_function("compress RGB", |b| b.iter(|| encoder.encode(&rgb).expect("a picture").len()));

    group.bench_function("checksum of a picture, CRC-32", |b| b.iter(|| crc32fast::hash(black_box(&jpeg))));
    group.bench_function("checksum of a picture, SHA-256", |b| b.iter(|| Sha256::digest(black_box(&jpeg))));

    let dir = tempfile::tempdir().expect("a folder");
    let mut recorder = Recorder::create(dir.path(), header(), streams(), unbounded().0).expect("a new folder");
    let sender = recorder.video(640, 480).expect("a new file").sender();
    let mut number = 0;
    group.bench_function("store as it came, until it is in the file", |b| {
        b.iter_batched(
            || {
                number += 1;
                let mut frame = picture(Pixels::Jpeg(jpeg.clone()));
                frame.meta.number = number - 1;
                frame.meta.at = Timestamp::from_ns(number as i64 * 33_333_333);
                Arc::new(frame)
            },
            |frame: SharedFrame| {
                let next = frame.meta.number + 1;
                sender.send(frame).expect("the video thread is running");
                while recorder.counters().frames_stored < next {
                    std::thread::yield_now();
                }
            },
            BatchSize::SmallInput,
        );
    });
    recorder.finish(SessionEnd::default()).expect("room on the disk");
    let session = SessionFile::open(dir.path()).expect("written above");
    let frames = session.frames().expect("readable").len() as u64;
    let mut k = 0;
    group.bench_function("picture by number, anywhere in the file", |b| {
        b.iter(|| {
            k = (k + 7919) % frames;
            session.picture(k).expect("stored above")
        });
    });
    group.finish();
}

criterion_group!(benches, recording, reopening, video);
criterion_main!(benches);
