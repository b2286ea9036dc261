//! `kill -9` at random moments. This program runs itself again as the victim, which says what it hands over and when;
//! what it said must be in the session, but for the last moments.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use affectograph::session::{Clock, GapReason};
use affectograph::store::{Finding, Recorder, SessionFile, SessionState, recover, verify};
use crossbeam_channel::unbounded;
use serde_json::json;

use super::{header, jpeg_frame, ms, streams};

const KILLS: u64 = 48;
const RECORDS_LOST_NS: i64 = 200_000_000;
const VIDEO_LOST_NS: i64 = 1_000_000_000;
/// A thread that does nothing but wake up this often shows for how long the machine let no thread run: the promise
/// cannot hold for time in which nobody gets a processor.
const BEAT_NS: i64 = 25_000_000;
const FOLDER: &str = "AFFECTOGRAPH_TEST_VICTIM";

/// Records 30 frames and 240 records a second until it is killed.
#[test]
#[ignore = "started by the test that kills it"]
fn victim() {
    let folder = std::env::var(FOLDER).expect("started by the test that kills it");
    let (to, committed) = unbounded();
    let mut recorder = Recorder::create(Path::new(&folder), header(), streams(), to).unwrap();
    let video = recorder.video(64, 48).unwrap().sender();
    let (affect, page) = (recorder.stream("affect").unwrap(), recorder.stream("page").unwrap());
    let clock = Clock::start();
    let mut out = std::io::stdout();
    writeln!(out, "begun").unwrap();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_nanos(BEAT_NS as u64));
            writeln!(std::io::stdout(), "beat 0 {}", clock.now().as_ns()).unwrap();
        }
    });
    for k in 0.. {
        if k % 8 == 0 {
            let frame = jpeg_frame(k / 8, clock.now());
            let at = frame.meta.at;
            video.send(frame).unwrap();
            writeln!(out, "frame {} {}", k / 8, at.as_ns()).unwrap();
        }
        let at = clock.now();
        if k % 2 == 0 {
            affect.sample(at, Some(k / 8), &[k as f32; 12]).unwrap();
        } else {
            page.event(at, "click", json!({ "k": k })).unwrap();
        }
        writeln!(out, "record {k} {}", at.as_ns()).unwrap();
        committed.try_iter().for_each(drop);
        std::thread::sleep(Duration::from_micros(4_000));
    }
}

/// What the victim said: number and time of everything handed over.
#[derive(Default)]
struct Said {
    frames: Vec<(u64, i64)>,
    records: Vec<(u64, i64)>,
    beats: Vec<(u64, i64)>,
}

impl Said {
    /// The longest that a thread waited for its turn in the last second, beyond what it asked for.
    fn starved_ns(&self) -> i64 {
        let end = self.records.last().map_or(0, |r| r.1);
        let begin = self.records.first().map_or(0, |r| r.1).max(end - 1_000_000_000);
        let beats = self.beats.iter().map(|b| b.1).filter(|ns| *ns > begin);
        let times: Vec<_> = std::iter::once(begin).chain(beats).chain([end]).collect();
        times.windows(2).map(|w| w[1] - w[0] - BEAT_NS).max().unwrap_or(0).max(0)
    }
}

/// `delay` counts from the start of the program, or from the moment it begins to record.
fn kill_after(folder: &Path, delay: Duration, once_begun: bool) -> Said {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["store::kill::victim", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (begun, is_begun) = unbounded();
    let reader = std::thread::spawn(move || {
        let mut said = Said::default();
        for line in output.lines().map_while(Result::ok) {
            let words: Vec<_> = line.split(' ').collect();
            let number = |k: usize| words[k].parse::<i64>().unwrap();
            match words[..] {
                ["begun"] => begun.send(()).unwrap(),
                ["frame", _, _] => said.frames.push((number(1) as u64, number(2))),
                ["beat", _, _] => said.beats.push((0, number(2))),
                ["record", _, _] => said.records.push((number(1) as u64, number(2))),
                _ => {}
            }
        }
        said
    });
    if once_begun {
        is_begun.recv_timeout(Duration::from_secs(30)).expect("the victim begins to record");
    }
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[test]
fn killed_at_any_moment_a_session_loses_almost_nothing() {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    println!("seed {seed}");
    let (mut worst_records, mut worst_video, mut begun) = (0, 0, 0);
    for kill in 0..KILLS {
        // Splitmix. A quarter of the moments lies where the files are being made.
        let mut z = seed.wrapping_add(kill.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let once_begun = kill % 4 != 0;
        let delay = Duration::from_micros(if once_begun { z % 900_000 } else { z % 80_000 });
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("session");
        let said = kill_after(&folder, delay, once_begun);
        if !folder.join("session.sqlite").exists() {
            assert!(said.records.is_empty() && said.frames.is_empty(), "recorded into nothing");
            continue;
        }
        begun += 1;
        let (records, video) = inspect(&folder, &said);
        worst_records = worst_records.max(records);
        worst_video = worst_video.max(video);
    }
    println!(
        "{begun} of {KILLS} sessions begun; lost at most {worst_records} ns of records, {worst_video} ns of video"
    );
    assert!(begun >= 30, "only {begun} sessions had begun when they were killed");
}

/// Returns what was lost in ns, less the time in which no thread could run.
fn inspect(folder: &Path, said: &Said) -> (i64, i64) {
    let found = verify(folder).unwrap();
    assert_eq!(found.state, Some(SessionState::Crashed));
    for finding in &found.findings {
        let is_expected = matches!(
            finding,
            Finding::NotClosed
                | Finding::FramesNotInDatabase { .. }
                | Finding::VideoTorn { .. }
                | Finding::VideoNotFinished
                | Finding::VideoUnreadable { .. }
        );
        assert!(is_expected, "{finding}");
    }
    let adopted = found.findings.iter().find_map(|f| match f {
        Finding::FramesNotInDatabase { count, .. } => Some(*count),
        _ => None,
    });
    let done = recover(folder).unwrap().expect("a crashed session has something to recover");
    assert_eq!(done.frames_adopted, adopted.unwrap_or(0));
    assert_eq!(recover(folder).unwrap(), None);

    let session = SessionFile::open(folder).unwrap();
    assert_eq!(session.state().unwrap(), SessionState::Recovered);
    let timeline = session.timeline().unwrap();
    assert_eq!(timeline.gaps().last().map(|g| g.what.reason), Some(GapReason::Crash));
    let stored = timeline.series("affect").unwrap().len() + timeline.events().len();
    let last_said = said.records.last().map_or(0, |r| r.1);
    let lost_from = said.records.get(stored).map_or(last_said, |r| r.1);
    let lost_records = last_said - lost_from;
    let starved = said.starved_ns();
    assert!(lost_records <= RECORDS_LOST_NS + starved, "lost {lost_records} ns of records, starved for {starved} ns");
    for (event, k) in timeline.events().iter().zip((1u64..).step_by(2)) {
        assert_eq!(event.what.data["k"], k, "records are stored in order and without holes");
    }

    let frames = session.frames().unwrap();
    let last_said = said.frames.last().map_or(0, |f| f.1);
    let lost_from = said.frames.get(frames.len()).map_or(last_said, |f| f.1);
    let lost_video = last_said - lost_from;
    assert!(lost_video <= VIDEO_LOST_NS + starved, "lost {lost_video} ns of video, starved for {starved} ns");
    for (frame, (number, ns)) in frames.rows().iter().zip(&said.frames) {
        assert_eq!((frame.meta.number, frame.meta.at.as_ns()), (*number, *ns));
        session.picture(*number).unwrap();
    }
    if done.video_problem.is_none() {
        let found = verify(folder).unwrap();
        assert!(found.is_intact, "{:?}", found.findings);
    }
    assert!(done.end >= ms(0));
    (lost_records - starved, lost_video - starved)
}
