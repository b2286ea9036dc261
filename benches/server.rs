//! 200 participants send, for one minute, the data of browsers that score. The comparison is a minimal axum handler that
//! only writes the rows, to one database with one transaction per batch. Prints the p99 of the acknowledgement and the
//! processor time.
//!
//! `cargo bench --bench server [-- --participants 200 --seconds 60]`

#![allow(clippy::print_stdout, reason = "a bench prints its results")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use affectograph::server::{Quotas, ServerConfig, SessionLimits, secrets, serve};
use affectograph::store::{Ledger, TokenScope, WriteKey};
use serde_json::{Value, json};

const BATCH_EVERY: Duration = Duration::from_millis(500);
/// Half a second at 30 Hz, and ten movements and clicks.
const SAMPLES: u64 = 15;
const EVENTS: u64 = 10;
const ROLE: &str = "AFFECTOGRAPH_BENCH_ROLE";
const FOLDER: &str = "AFFECTOGRAPH_BENCH_FOLDER";
const STUDY: &str = "name = \"demo\"\ntitle = \"Demo\"\n[page]\naddress = \"https://lab.example\"\n";

fn main() {
    match std::env::var(ROLE).as_deref() {
        Ok("ours") => return ours(),
        Ok("plain") => return plain(),
        _ => {}
    }
    let argument = |name: &str, usual: u64| {
        let mut all = std::env::args().skip_while(|a| a != name).skip(1);
        all.next().map_or(usual, |v| v.parse().expect("a number"))
    };
    let (participants, seconds) = (argument("--participants", 200), argument("--seconds", 60));
    println!("{participants} participants for {seconds} s, {SAMPLES} × 3 samples and {EVENTS} events every 0.5 s each");
    let mut cpu_s = Vec::new();
    for role in ["ours", "plain"] {
        let measured = measure(role, participants, Duration::from_secs(seconds));
        println!(
            "{role:5}  {} batches, {} refused, {} records/s, p50 {:.1} ms, p99 {:.1} ms, {:.1} % of one core",
            measured.latencies.len(),
            measured.errors,
            measured.latencies.len() as u64 * (3 * SAMPLES + EVENTS) / seconds,
            measured.percentile(0.50),
            measured.percentile(0.99),
            100.0 * measured.cpu_s / seconds as f64,
        );
        cpu_s.push(measured.cpu_s);
    }
    println!("ratio of processor time, ours to plain: {:.2}", cpu_s[0] / cpu_s[1]);
    video();
}

/// The number of live browsers with video that one core can process: a clip of half a minute, 640 × 480 at 30 frames per
/// second, is decoded, stored and scored. FFmpeg's time is included.
fn video() {
    const SECONDS: f64 = 30.0;
    let clip = std::env::var("AFFECTOGRAPH_SHARED").unwrap_or_else(|_| "../shared".into()) + "/media/single_face.mp4";
    let dir = tempfile::tempdir().expect("a folder");
    let webm = dir.path().join("clip.webm");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-stream_loop", "-1", "-i", &clip, "-t", &SECONDS.to_string(), "-an"])
        .args(["-vf", "scale=640:480,fps=30", "-c:v", "libvpx", "-deadline", "realtime", "-b:v", "2M"])
        .arg(&webm)
        .status();
    if !made.is_ok_and(|m| m.success()) {
        println!("video: skipped, there is no FFmpeg or no {clip}");
        return;
    }
    prepare(dir.path());
    let (mut child, address) = start("ours", dir.path());
    let (id, token, zero_utc_ms) = begin(address, "video");
    let media_s: Vec<f64> = (0..(SECONDS * 30.0) as u64).map(|k| k as f64 / 30.0).collect();
    let page_ms: Vec<f64> = media_s.iter().map(|s| 100.0 + s * 1e3).collect();
    let frames = json!({"first": 0, "page_ms": page_ms, "media_s": media_s});
    let clock = json!({"at_ms": 1.0, "offset_ms": zero_utc_ms, "uncertainty_ms": 0.5});
    let records = json!([
        {"stream": "video_frame", "seq": 0, "document": 1, "page_ms": 99.0, "kind": "started", "data": {"chunk": 0}},
        {"stream": "video_frame", "seq": 1, "document": 1, "page_ms": 99.0, "kind": "frames", "data": frames}]);
    let told =
        json!({"documents": [{"document": 1, "time_origin_utc_ms": zero_utc_ms, "clock": clock}], "records": records});
    let before = cpu_s(&child);
    let mut socket = TcpStream::connect(address).expect("it listens");
    let path = |rest: &str| format!("/v1/sessions/{id}/{rest}");
    assert_eq!(send(&mut socket, "POST", &path("records"), &token, told.to_string().as_bytes()).0, 200);
    let bytes = std::fs::read(&webm).expect("the clip");
    let chunks: Vec<_> = bytes.chunks(1 << 20).collect();
    for (n, chunk) in chunks.iter().enumerate() {
        assert_eq!(send(&mut socket, "PUT", &path(&format!("video/{n}")), &token, chunk).0, 200);
    }
    let finish = json!({"streams": {"video_frame": 2}, "video_chunks": chunks.len()}).to_string();
    assert_eq!(send(&mut socket, "POST", &path("finish"), &token, finish.as_bytes()).0, 200);
    let begun = Instant::now();
    let is_closed = || {
        let folders = affectograph::store::Library::open(dir.path()).and_then(|l| l.folders()).expect("a library");
        folders.iter().all(|f| f.join("video.webm").exists() && !f.join("recording.lock").exists())
    };
    while !is_closed() {
        assert!(begun.elapsed() < Duration::from_secs(300), "the video is never done");
        std::thread::sleep(Duration::from_millis(100));
    }
    let cpu_s = cpu_s(&child) - before;
    println!(
        "video: {SECONDS} s of 640 × 480 at 30 Hz cost {cpu_s:.1} s of one core: {:.1} live sessions per core",
        SECONDS / cpu_s
    );
    drop(child.stdin.take());
    child.wait().expect("it ends");
}

fn start(role: &str, folder: &Path) -> (Child, SocketAddr) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .env(ROLE, role)
        .env(FOLDER, folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("its output")).read_line(&mut line).expect("its address");
    (child, line.trim().parse().expect("an address"))
}

/// The server runs in its own process, so that its time can be measured separately from the participants'.
fn ours() {
    let folder = std::env::var(FOLDER).expect("started by the bench");
    let config = ServerConfig {
        address: "127.0.0.1:0".parse().expect("an address"),
        tls: None,
        allow_plain_http: false,
        sessions: folder.into(),
        studies: "assets/studies".into(),
        models: "models".into(),
        vision_threads: 1,
        sessions_per_key: 10_000,
        max_sessions: 10_000,
        trusted_proxies: Vec::new(),
        limits: SessionLimits { per_address: 10_000, starts_per_address_per_min: 10_000, ..SessionLimits::default() },
        // The clip is sent faster than a camera records it.
        quotas: Quotas { video_bits_per_s: 1e9, ..Quotas::default() },
        min_free_bytes: 0,
        revision: None,
    };
    let running = serve(config).expect("it serves");
    println!("{}", running.address);
    until_told();
    running.stop().expect("it ends");
}

fn until_told() {
    std::io::stdin().read_to_end(&mut Vec::new()).expect("standard input");
}

/// The minimum that stores the same rows with the same safety: parse, insert, commit to the disk, answer.
fn plain() {
    use axum::extract::{Path, State};
    use axum::routing::post;
    use axum::{Json, Router};
    type Rows = mpsc::SyncSender<(String, Value, tokio::sync::oneshot::Sender<u64>)>;

    let folder = std::env::var(FOLDER).expect("started by the bench");
    let (to, rows) = mpsc::sync_channel::<(String, Value, tokio::sync::oneshot::Sender<u64>)>(1024);
    let writer = std::thread::spawn(move || {
        let mut conn = rusqlite::Connection::open(std::path::Path::new(&folder).join("plain.sqlite")).expect("a file");
        conn.execute_batch("PRAGMA journal_mode = wal; PRAGMA synchronous = full; CREATE TABLE record (session, stream, seq, at_ms, data)")
            .expect("a table");
        while let Ok((session, batch, done)) = rows.recv() {
            let tx = conn.transaction().expect("a transaction");
            let records = batch["records"].as_array().expect("records");
            {
                let mut insert = tx.prepare_cached("INSERT INTO record VALUES (?1, ?2, ?3, ?4, ?5)").expect("SQL");
                for r in records {
                    let data = if r["values"].is_array() { &r["values"] } else { &r["data"] };
                    let row =
                        (&session, r["stream"].as_str(), r["seq"].as_i64(), r["page_ms"].as_f64(), data.to_string());
                    insert.execute(row).expect("a row");
                }
            }
            tx.commit().expect("a commit");
            done.send(records.len() as u64).ok(); // fails only if the request was dropped
        }
    });
    async fn take(State(to): State<Rows>, Path(id): Path<String>, Json(batch): Json<Value>) -> Json<Value> {
        let (done, stored) = tokio::sync::oneshot::channel();
        tokio::task::block_in_place(|| to.send((id, batch, done))).expect("the writer is running");
        Json(json!({"stored": stored.await.expect("stored")}))
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        let app = Router::new().route("/v1/sessions/{id}/records", post(take)).with_state(to);
        axum::serve(listener, app).await.expect("it serves");
    });
    until_told();
    runtime.shutdown_timeout(Duration::from_secs(2));
    drop(writer);
}

struct Measured {
    latencies: Vec<Duration>,
    errors: u64,
    cpu_s: f64,
}

impl Measured {
    fn percentile(&self, share: f64) -> f64 {
        let k = ((self.latencies.len() as f64 * share) as usize).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(k).map_or(f64::NAN, |l| l.as_secs_f64() * 1e3)
    }
}

fn measure(role: &str, participants: u64, length: Duration) -> Measured {
    let dir = tempfile::tempdir().expect("a folder");
    prepare(dir.path());
    let (mut child, address) = start(role, dir.path());
    let sessions: Vec<_> = (0..participants)
        .map(|k| if role == "ours" { begin(address, "scores") } else { (k.to_string(), String::new(), 0.0) })
        .collect();
    let before = cpu_s(&child);
    let start = Instant::now();
    let threads: Vec<_> = sessions
        .into_iter()
        .enumerate()
        .map(|(k, session)| {
            std::thread::spawn(move || participate(address, &session, k as u64, participants, start, length))
        })
        .collect();
    let mut measured = Measured { latencies: Vec::new(), errors: 0, cpu_s: 0.0 };
    for thread in threads {
        let (latencies, errors) = thread.join().expect("a participant");
        measured.latencies.extend(latencies);
        measured.errors += errors;
    }
    measured.cpu_s = cpu_s(&child) - before;
    measured.latencies.sort();
    drop(child.stdin.take());
    child.wait().expect("it ends");
    measured
}

fn prepare(folder: &Path) {
    let study = folder.join("studies/demo");
    std::fs::create_dir_all(&study).expect("a folder");
    std::fs::write(study.join("study.toml"), STUDY).expect("a study");
    let key = WriteKey {
        key: "agk_bench".into(),
        study: "demo".into(),
        origins: vec!["https://lab.example".into()],
        is_revoked: false,
    };
    let ledger = Ledger::open(folder).expect("a ledger");
    ledger.add_key(&key, chrono::Utc::now()).expect("a key");
    let token = secrets::sha256("aga_bench");
    ledger.add_api_token("bench", &token, TokenScope::Read, chrono::Utc::now()).expect("a token");
}

/// Identifier, token, and the time of the clock's zero.
fn begin(address: SocketAddr, camera: &str) -> (String, String, f64) {
    let body = json!({"study": "demo", "camera": camera, "client": {"version": "bench"}}).to_string();
    let mut socket = TcpStream::connect(address).expect("it listens");
    let (status, answer) = send(&mut socket, "POST", "/v1/sessions", "agk_bench", body.as_bytes());
    assert_eq!(status, 201, "{}", String::from_utf8_lossy(&answer));
    let begun: Value = serde_json::from_slice(&answer).expect("JSON");
    let text = |name: &str| begun[name].as_str().expect("a text").to_owned();
    (text("session"), text("token"), begun["zero_utc_ms"].as_f64().expect("a time"))
}

fn participate(
    address: SocketAddr,
    (id, token, zero_utc_ms): &(String, String, f64),
    number: u64,
    participants: u64,
    start: Instant,
    length: Duration,
) -> (Vec<Duration>, u64) {
    let mut socket = TcpStream::connect(address).expect("it listens");
    let path = format!("/v1/sessions/{id}/records");
    let (mut latencies, mut errors) = (Vec::new(), 0);
    for k in 0.. {
        // Spread over the half second, like real participants.
        let due = start + BATCH_EVERY.mul_f64(k as f64 + number as f64 / participants as f64);
        if due >= start + length {
            break;
        }
        let body = batch(k, *zero_utc_ms);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let asked = Instant::now();
        let (status, _) = send(&mut socket, "POST", &path, token, body.as_bytes());
        latencies.push(asked.elapsed());
        errors += u64::from(status != 200);
    }
    (latencies, errors)
}

fn batch(k: u64, zero_utc_ms: f64) -> String {
    let at = |step: u64, of: u64| 500.0 * (k as f64 + step as f64 / of as f64);
    let values = |n: usize, seq: u64| -> Vec<f64> {
        (0..n).map(|f| ((seq + f as u64) as f64 * 0.1).sin() * 100.0).map(|v| (v * 1e3).round() * 1e-3).collect()
    };
    let mut records = Vec::new();
    for step in 0..SAMPLES {
        let seq = k * SAMPLES + step;
        for (stream, fields) in [("affect", 12), ("face", 16), ("landmarks", 136)] {
            records.push(json!({"stream": stream, "seq": seq, "document": 1, "page_ms": at(step, SAMPLES), "frame": seq, "values": values(fields, seq)}));
        }
    }
    for step in 0..EVENTS {
        let data = json!({"target": "main > div.task", "x_px": 10 * step, "y_px": 20, "buttons": 0});
        records.push(json!({"stream": "page", "seq": k * EVENTS + step, "document": 1, "page_ms": at(step, EVENTS), "kind": "pointermove", "data": data}));
    }
    let clock = json!({"at_ms": 1.0, "offset_ms": zero_utc_ms, "uncertainty_ms": 0.5});
    json!({"documents": [{"document": 1, "time_origin_utc_ms": zero_utc_ms, "clock": clock}], "records": records})
        .to_string()
}

/// A minimal HTTP client, so that the participants use little processor time.
fn send(socket: &mut TcpStream, method: &str, path: &str, token: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nHost: bench\r\nOrigin: https://lab.example\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    socket.write_all(&request).expect("it reads");
    let mut reader = BufReader::new(socket);
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("it answers");
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(rest) = line.strip_prefix("http/1.1 ") {
            status = rest[..3].parse().expect("a status");
        } else if let Some(n) = line.strip_prefix("content-length: ") {
            length = n.parse().expect("a length");
        } else if line.is_empty() {
            break;
        }
    }
    let mut answer = vec![0; length];
    reader.read_exact(&mut answer).expect("all of the answer");
    (status, answer)
}

/// The processor time of the process, its threads and its ended child processes.
fn cpu_s(child: &Child) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("Linux");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    let ticks = |k: usize| fields[k].parse::<f64>().expect("ticks");
    (11..15).map(ticks).sum::<f64>() / 100.0
}
