//! Inlets and outlets on the loopback of this machine, with pylsl as the other program.

#![allow(clippy::print_stdout, reason = "a test prints why it is skipped")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

#[path = "../../../tests/it/need.rs"]
#[allow(dead_code, reason = "shared with the tests of the whole program")]
mod need;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lsl::{
    Channel, ClockLink, ClockMeasurement, FoundStream, Inlet, InletEvent, InletThread, Network, NewSegment, Outlet,
    OutletFormat, OutletPlan, Row, SegmentReason, Values, find_stream,
};
use need::need;
use session::{Clock, LslOffset, LslSegment, Timestamp};

const S: Duration = Duration::from_secs(1);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Streams of this machine only. One file for all tests, because liblsl reads it once per process.
fn config() -> PathBuf {
    let path = std::env::temp_dir().join("affectograph-lsl-loopback.cfg");
    std::fs::write(&path, "[multicast]\nResolveScope = machine\n[lab]\nKnownPeers = {127.0.0.1}\n[log]\nlevel = -2\n")
        .unwrap();
    path
}

fn network() -> Option<Network> {
    // SAFETY: each test calls this first, before it starts a thread. Tests run in processes of their own.
    unsafe { std::env::set_var("LSLAPICFG", config()) };
    need("liblsl", Network::get())
}

/// A Python with pylsl.
fn python() -> Option<PathBuf> {
    let from_env = std::env::var_os("AFFECTOGRAPH_TEST_PYTHON").map(PathBuf::from);
    let python = from_env.unwrap_or_else(|| root().join("build/test-venv/bin/python"));
    let tried = Command::new(&python).args(["-c", "import pylsl"]).output();
    let found = match tried {
        Ok(tried) if tried.status.success() => Ok(python),
        Ok(tried) => Err(String::from_utf8_lossy(&tried.stderr).into_owned()),
        Err(e) => Err(format!("{} does not run: {e}", python.display())),
    };
    need("Python with pylsl", found)
}

struct Sender {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Sender {
    /// `before`: a program that starts the sender, such as `unshare`. Waits until its streams are on the network.
    fn start(python: &Path, before: &[&str], plan: &str) -> Sender {
        let mut words: Vec<std::ffi::OsString> = before.iter().map(Into::into).collect();
        words.push(python.into());
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .arg(root().join("tests/python/lsl_sender.py"))
            .arg(plan)
            .env("LSLAPICFG", config())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut sender = Sender { child, lines };
        assert_eq!(sender.line(), "ready");
        sender
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// What it sent.
    fn sent(&mut self) -> serde_json::Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"))
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn found(network: Network, name: &str) -> FoundStream {
    let deadline = Instant::now() + 20 * S;
    loop {
        let (streams, refused) = network.streams(S).unwrap();
        assert_eq!(refused, []);
        if let Some(stream) = streams.into_iter().find(|s| s.identity.name == name) {
            return stream;
        }
        assert!(Instant::now() < deadline, "{name} is not on the network");
    }
}

fn connected(network: Network, name: &str) -> (Inlet, ClockMeasurement) {
    let mut inlet = Inlet::connect(&found(network, name), 10 * S).unwrap();
    let first = inlet.measure_clock(10 * S).unwrap();
    (inlet, first)
}

/// What an inlet's thread told, in its order.
#[derive(Clone, Debug)]
enum Told {
    Connected(String),
    Segment(NewSegment, usize),
    Measured(LslOffset),
    Silent,
    Lost(String),
    NotBack(String),
}

#[derive(Default)]
struct Heard {
    told: Vec<Told>,
    at: Vec<Timestamp>,
    stamps_s: Vec<f64>,
    numbers: Vec<f64>,
    texts: Vec<Vec<u8>>,
    floats: Vec<f32>,
    rounded: u64,
}

impl Heard {
    fn take(&mut self, event: InletEvent<'_>) {
        match event {
            InletEvent::Connected { identity, .. } => self.told.push(Told::Connected(identity.uid.clone())),
            InletEvent::Segment { segment, .. } => self.told.push(Told::Segment(segment, self.at.len())),
            InletEvent::Measured { offset, .. } => self.told.push(Told::Measured(offset)),
            InletEvent::Silent { .. } => self.told.push(Told::Silent),
            InletEvent::Lost { why, .. } => self.told.push(Told::Lost(why)),
            InletEvent::NotBack { why, .. } => self.told.push(Told::NotBack(why)),
            InletEvent::Ended { .. } => {}
            InletEvent::Samples { samples, rows, at } => {
                for (row, at) in rows.zip(at) {
                    self.at.push(*at);
                    self.stamps_s.push(samples.stamps_s[row]);
                    let range = row * samples.channels..(row + 1) * samples.channels;
                    match &samples.values {
                        Values::Numbers(all) => self.numbers.extend(&all[range]),
                        Values::Integers(all) => self.numbers.extend(all[range].iter().map(|n| *n as f64)),
                        Values::Texts(_) => self.texts.extend(samples.texts(row).iter().cloned()),
                    }
                    self.rounded += samples.put_floats(row, &mut self.floats);
                }
            }
        }
    }

    /// The session's segments, as a session would read them.
    fn segments(&self) -> Vec<LslSegment> {
        let mut open: Vec<(u64, NewSegment, Vec<LslOffset>)> = Vec::new();
        for told in &self.told {
            match told {
                Told::Segment(segment, first) => open.push((*first as u64, *segment, Vec::new())),
                Told::Measured(offset) => open.last_mut().unwrap().2.push(*offset),
                _ => {}
            }
        }
        open.into_iter().map(|(first, s, all)| LslSegment::new(first, s.base_ns, s.is_senders_clock, all)).collect()
    }

    fn is_back(&self) -> bool {
        matches!(&self.told[..], told if told.iter().filter(|t| matches!(t, Told::Connected(_))).count() == 2)
    }
}

fn listen(inlet: Inlet, first: ClockMeasurement, link: ClockLink) -> (InletThread, Arc<Mutex<Heard>>) {
    let heard = Arc::new(Mutex::new(Heard::default()));
    let to = heard.clone();
    let thread = InletThread::start(inlet, first, link, Box::new(move |event| to.lock().unwrap().take(event))).unwrap();
    (thread, heard)
}

fn wait(heard: &Arc<Mutex<Heard>>, what: &str, is_true: impl Fn(&Heard) -> bool) {
    let deadline = Instant::now() + 60 * S;
    while !is_true(&heard.lock().unwrap()) {
        assert!(Instant::now() < deadline, "{what}: {:?}", heard.lock().unwrap().told);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn samples_of_every_format_arrive_as_they_were_sent() {
    let (Some(network), Some(python)) = (network(), python()) else { return };
    let mut sender = Sender::start(&python, &[], r#"{"mode": "formats"}"#);
    let link = ClockLink::measure(Clock::start()).unwrap();
    let names = ["T_float32", "T_double64", "T_string", "T_int32", "T_int16", "T_int8", "T_int64"];
    let listening = names.map(|name| {
        let (inlet, first) = connected(network, name);
        let channels = &inlet.description().channels;
        let expected =
            |k: usize| Channel { label: format!("C{k}"), unit: "microvolts".into(), content_type: "Test".into() };
        assert_eq!(channels[..], [expected(1), expected(2)]);
        assert!(inlet.description().xml.contains("<source_id>test-"));
        listen(inlet, first, link)
    });
    let sent = sender.sent();
    for (name, (thread, heard)) in names.iter().zip(listening) {
        wait(&heard, name, |h| h.at.len() == 50);
        thread.stop();
        let heard = heard.lock().unwrap();
        assert!(matches!(heard.told[..3], [Told::Connected(_), Told::Segment(_, 0), Told::Measured(_)]), "{name}");
        let rows = sent[name]["rows"].as_array().unwrap();
        let stamps: Vec<f64> = sent[name]["stamps"].as_array().unwrap().iter().map(|s| s.as_f64().unwrap()).collect();
        assert_eq!(heard.stamps_s, stamps, "{name}: the stamps are those that were sent");
        let values = rows.iter().flat_map(|row| row.as_array().unwrap());
        if *name == "T_string" {
            let texts: Vec<Vec<u8>> = values.map(|v| v.as_str().unwrap().as_bytes().to_vec()).collect();
            assert_eq!(heard.texts, texts);
            continue;
        }
        let values: Vec<f64> = values.map(|v| v.as_f64().unwrap()).collect();
        let floats_per_value = heard.floats.len() / values.len();
        for (k, value) in values.iter().enumerate() {
            let value = if *name == "T_float32" { f64::from(*value as f32) } else { *value };
            assert_eq!(heard.numbers[k], value, "{name}");
            let stored: f64 =
                heard.floats[k * floats_per_value..(k + 1) * floats_per_value].iter().map(|f| f64::from(*f)).sum();
            assert!((stored - value).abs() <= value.abs() * 1e-14, "{name}: {stored} for {value}");
        }
        // Tenths have no exact value in 48 bits. Integers up to 2^47 and 32-bit floats have.
        assert_eq!(heard.rounded > 0, *name == "T_double64", "{name}");
    }
}

#[test]
fn texts_with_nul_and_other_bytes_and_exact_times_pass_from_our_outlet_to_our_inlet() {
    let Some(network) = network() else { return };
    let channel = |label: &str| Channel { label: label.into(), unit: String::new(), content_type: "Marker".into() };
    let plan = OutletPlan {
        name: "own texts".into(),
        content_type: "Markers".into(),
        source_id: "own".into(),
        format: OutletFormat::String,
        rate_hz: None,
        channels: vec![channel("a"), channel("b")],
        about: vec![("software", "a <program> & more".into())],
    };
    let mut outlet = Outlet::open(plan).unwrap();
    let clock = Clock::start();
    let link = ClockLink::measure(clock).unwrap();
    if cfg!(target_os = "linux") {
        assert!(link.is_exact(), "liblsl's clock is CLOCK_MONOTONIC");
    }
    let (inlet, first) = connected(network, "own texts");
    assert!(inlet.description().xml.contains("a &lt;program&gt; &amp; more"));
    let (thread, heard) = listen(inlet, first, link);
    wait(&heard, "the connection", |h| h.told.len() >= 3);
    let texts: [[&[u8]; 2]; 3] = [[b"a\0b", b""], [b"\xff\xfe", "ü".as_bytes()], [b"\0", b"plain"]];
    let times: Vec<Timestamp> = texts
        .iter()
        .map(|row| {
            let at = clock.now();
            outlet.push(link.local_s(at), &Row::Texts(row)).unwrap();
            at
        })
        .collect();
    assert!(outlet.push(1.0, &Row::Texts(&[b"one"])).is_err() && outlet.push(1.0, &Row::Floats(&[1.0, 2.0])).is_err());
    wait(&heard, "the texts", |h| h.at.len() == 3);
    thread.stop();
    let heard = heard.lock().unwrap();
    assert_eq!(heard.texts, texts.concat());
    let segment = &heard.segments()[0];
    for (at, stored) in times.iter().zip(&heard.at) {
        let stamp_ns = segment.stamp_ns(*stored);
        assert!((stamp_ns - (link.local_s(*at) * 1e9).round() as i64).abs() <= 1_000);
        let wrong_ns = segment.time_of(stamp_ns).since_ns(*at).abs();
        assert!(wrong_ns <= segment.offsets()[0].uncertainty_ns + 1_000, "{wrong_ns} ns");
    }
}

#[test]
fn nothing_of_64_channels_at_2000_hz_is_lost() {
    let (Some(network), Some(python)) = (network(), python()) else { return };
    let plan = r#"{"mode": "steady", "name": "fast", "channels": 64, "rate_hz": 2000.0, "seconds": 4}"#;
    let mut sender = Sender::start(&python, &[], plan);
    let (inlet, first) = connected(network, "fast");
    let (thread, heard) = listen(inlet, first, ClockLink::measure(Clock::start()).unwrap());
    let sent = sender.sent();
    let count = sent["count"].as_u64().unwrap() as usize;
    wait(&heard, "all samples", |h| h.at.len() >= count);
    thread.stop();
    let heard = heard.lock().unwrap();
    assert_eq!((heard.at.len(), count), (8000, 8000));
    let first = sent["first"].as_f64().unwrap();
    for (k, (row, stamp)) in heard.numbers.chunks(64).zip(&heard.stamps_s).enumerate() {
        assert_eq!((row[0], row[63]), (k as f64, k as f64 + 63.0 * 0.25));
        assert!((stamp - (first + k as f64 / 2000.0)).abs() < 1e-9);
    }
}

/// A second machine, whose clock shows another time.
#[test]
fn times_of_a_sender_on_a_shifted_clock_are_right() {
    let (Some(network), Some(python)) = (network(), python()) else { return };
    let unshare = ["unshare", "-T", "--monotonic", "100000"];
    let tried = Command::new("unshare").args(["-T", "--monotonic", "1", "true"]).output();
    let may = tried
        .map_err(|e| e.to_string())
        .and_then(|o| if o.status.success() { Ok(()) } else { Err("not allowed".to_owned()) });
    let Some(()) = need("a time namespace (unshare -T)", may) else { return };
    let plan = r#"{"mode": "steady", "name": "shifted", "channels": 1, "rate_hz": 100.0, "seconds": 8}"#;
    let mut sender = Sender::start(&python, &unshare, plan);
    let clock = Clock::start();
    let (inlet, first) = connected(network, "shifted");
    assert!((first.offset_s + 100_000.0).abs() < 0.01, "{first:?}");
    let (thread, heard) = listen(inlet, first, ClockLink::measure(clock).unwrap());
    let sent = sender.sent();
    wait(&heard, "all samples", |h| h.at.len() == 800);
    thread.stop();
    let heard = heard.lock().unwrap();
    let segments = heard.segments();
    assert!(
        segments.len() == 1 && segments[0].is_senders_clock && segments[0].offsets().len() >= 2,
        "{:?}",
        heard.told
    );
    // The truth: the sender's clock is exactly 100,000 s ahead of this machine's.
    let zero_ns = -clock.from_monotonic_ns(0).as_ns();
    let first_ns = (sent["first"].as_f64().unwrap() * 1e9) as i64 - 100_000 * 1_000_000_000 - zero_ns;
    for (k, at) in heard.at.iter().enumerate() {
        let truth_ns = first_ns + k as i64 * 10_000_000;
        let wrong_ns = segments[0].time_of(segments[0].stamp_ns(*at)).as_ns() - truth_ns;
        assert!(wrong_ns.abs() < 1_000_000, "sample {k} is {wrong_ns} ns off");
    }
}

#[test]
fn a_killed_sender_is_lost_and_back_in_a_segment_of_its_own() {
    let (Some(network), Some(python)) = (network(), python()) else { return };
    let plan = r#"{"mode": "steady", "name": "killed", "channels": 2, "rate_hz": 100.0, "seconds": 600}"#;
    let mut sender = Sender::start(&python, &[], plan);
    let (inlet, first) = connected(network, "killed");
    let old = inlet.identity().clone();
    let (thread, heard) = listen(inlet, first, ClockLink::measure(Clock::start()).unwrap());
    wait(&heard, "samples", |h| h.at.len() > 100);
    sender.child.kill().unwrap();
    wait(&heard, "the silence", |h| h.told.iter().any(|t| matches!(t, Told::Silent)));
    let is_lost = |t: &Told| matches!(t, Told::Lost(why) if why.contains("has not answered"));
    wait(&heard, "the loss", |h| h.told.iter().any(is_lost));
    let before = heard.lock().unwrap().at.len();
    let _again = Sender::start(&python, &[], plan);
    wait(&heard, "the return", Heard::is_back);
    wait(&heard, "new samples", |h| h.at.len() > before + 100);
    thread.stop();
    let heard = heard.lock().unwrap();
    assert!(!heard.told.iter().any(|t| matches!(t, Told::NotBack(_))), "{:?}", heard.told);
    let uids: Vec<&String> =
        heard.told.iter().filter_map(|t| if let Told::Connected(uid) = t { Some(uid) } else { None }).collect();
    assert!(*uids[0] == old.uid && uids[1] != uids[0]);
    let Some(Told::Segment(segment, first)) = heard.told.iter().rfind(|t| matches!(t, Told::Segment(..))) else {
        panic!()
    };
    assert_eq!((segment.reason, *first), (SegmentReason::SenderBack, before));
    // No sample of the old sender is missing before its end, and the new one begins with its first.
    let count: Vec<f64> = heard.numbers.chunks(2).map(|row| row[0]).collect();
    let straight = |part: &[f64]| part.windows(2).all(|w| w[1] == w[0] + 1.0);
    assert!(count[0] == 0.0 && straight(&count[..before]) && count[before] == 0.0 && straight(&count[before..]));
}

#[test]
fn a_sender_that_is_back_with_other_units_is_not_recorded() {
    let (Some(network), Some(python)) = (network(), python()) else { return };
    let plan = |unit: &str| {
        format!(
            r#"{{"mode": "steady", "name": "units", "channels": 2, "rate_hz": 100.0, "seconds": 600, "unit": "{unit}"}}"#
        )
    };
    let mut sender = Sender::start(&python, &[], &plan("microvolts"));
    let (inlet, first) = connected(network, "units");
    let (thread, heard) = listen(inlet, first, ClockLink::measure(Clock::start()).unwrap());
    wait(&heard, "samples", |h| h.at.len() > 100);
    sender.child.kill().unwrap();
    wait(&heard, "the silence", |h| h.told.iter().any(|t| matches!(t, Told::Silent)));
    let before = heard.lock().unwrap().at.len();
    let _again = Sender::start(&python, &[], &plan("millivolts"));
    let is_refused =
        |t: &Told| matches!(t, Told::NotBack(why) if why.contains("is not recorded: its channels have other"));
    wait(&heard, "the refusal", |h| h.told.iter().any(is_refused));
    thread.stop();
    let heard = heard.lock().unwrap();
    assert!(heard.at.len() == before && !heard.is_back(), "{:?}", heard.told);
}

#[test]
fn stamps_in_utc_are_told_and_get_the_time_of_their_arrival() {
    let (Some(network), Some(python)) = (network(), python()) else { return };
    let plan = r#"{"mode": "steady", "name": "utc", "channels": 1, "rate_hz": 100.0, "seconds": 2, "utc": true}"#;
    let mut sender = Sender::start(&python, &[], plan);
    let (inlet, first) = connected(network, "utc");
    let clock = Clock::start();
    let (thread, heard) = listen(inlet, first, ClockLink::measure(clock).unwrap());
    sender.sent();
    wait(&heard, "all samples", |h| h.at.len() == 200);
    thread.stop();
    let heard = heard.lock().unwrap();
    let segments: Vec<(NewSegment, usize)> = heard
        .told
        .iter()
        .filter_map(|t| if let Told::Segment(s, first) = t { Some((*s, *first)) } else { None })
        .collect();
    assert_eq!(segments.len(), 2, "{segments:?}");
    assert!(!segments[1].0.is_senders_clock && segments[1].1 == 0);
    assert!(heard.at.iter().all(|at| (0..60_000_000_000).contains(&at.as_ns())), "{:?}", heard.at[0]);
    assert!((heard.at[199].since_ns(heard.at[0]) - 1_990_000_000).abs() < 1_000_000);
}

#[test]
fn a_query_finds_one_stream_and_refuses_two() {
    let (Some(network), Some(python)) = (network(), python()) else { return };
    let plan = |id: &str| {
        format!(
            r#"{{"mode": "steady", "name": "twin", "source_id": "{id}", "channels": 1, "rate_hz": 10.0, "seconds": 1}}"#
        )
    };
    let _first = Sender::start(&python, &[], &plan("one"));
    let _second = Sender::start(&python, &[], &plan("two"));
    let deadline = Instant::now() + 20 * S;
    let streams = loop {
        let (streams, _) = network.streams(S).unwrap();
        if streams.iter().filter(|s| s.identity.name == "twin").count() == 2 {
            break streams;
        }
        assert!(Instant::now() < deadline);
    };
    let identities = || streams.iter().map(|s| &s.identity);
    let refused = find_stream(identities(), &"twin".parse().unwrap()).unwrap_err().to_string();
    assert!(refused.contains("source_id=one") && refused.contains("source_id=two"), "{refused}");
    let one = find_stream(identities(), &"name=twin,source_id=two".parse().unwrap()).unwrap().unwrap();
    assert_eq!(one.source_id, "two");
}
