//! `affectograph selftest`: records the phantom and checks the whole pipeline, frame by frame.

use std::process::ExitCode;

use serde_json::json;

use super::args::Selftest;
use super::exit_code::INCOMPLETE;
use super::interrupt::cancel_at_signal;
use super::output::{print_err, print_out};
use super::run_rig::{Stops, run_rig};
use super::show::print_quality;
use crate::failure::Failure;
use crate::places::Places;
use crate::session_json::session_json;
use crate::version::revision;
use capture::phantom::read_frame_number;
use capture::{CameraSpec, Decoder, to_rgb};
use page::Placement;
use recording::{Participation, Rig, RigPlan};
use session::{AFFECT, PAGE, ParticipantId, Timestamp};
use store::{Library, SessionFile, StudyFile, verify};
use stored_frames::FrameReader;
use study_query::StoredSession;

/// Delays in milliseconds.
#[derive(Default)]
struct Delays(Vec<f64>);

impl Delays {
    fn add(&mut self, from: Timestamp, to: Timestamp) {
        self.0.push(to.since_ns(from) as f64 * 1e-6);
    }

    fn percentile(&mut self, p: usize) -> Option<f64> {
        self.0.sort_by(f64::total_cmp);
        self.0.get(self.0.len().saturating_sub(1) * p / 100).copied()
    }
}

pub fn run(a: &Selftest, places: &Places) -> Result<ExitCode, Failure> {
    let folder = std::env::temp_dir().join(format!("affectograph-selftest-{}", std::process::id()));
    let result = record_and_check(a, places, &folder);
    if let Err(e) = std::fs::remove_dir_all(&folder)
        && e.kind() != std::io::ErrorKind::NotFound
    {
        print_err!(
            "affectograph: could not remove the temporary folder {}: {e}. Remove it yourself.",
            folder.display()
        );
    }
    result
}

fn record_and_check(a: &Selftest, places: &Places, folder: &std::path::Path) -> Result<ExitCode, Failure> {
    let study = StudyFile::read(&places.studies.join("demo"))?;
    let has_display = std::env::var_os("DISPLAY").is_some_and(|d| !d.is_empty());
    let plan = RigPlan::of_study(&study, CameraSpec::Phantom, has_display.then_some(Placement::WINDOW))?;
    let library = Library::open(folder)?;
    let (tx, committed) = crossbeam_channel::bounded(4096);
    let who = Participation { revision: revision(), ..Participation::of(ParticipantId::numbered(0)) };
    let rig = Rig::record_study(&library, &study, &plan, who, tx)?;
    let folder = &rig.folder().unwrap_or(folder).to_owned();
    let (mut scores, mut page_events) = (Delays::default(), Delays::default());
    let cancel = cancel_at_signal()?;
    let stops = Stops { duration: Some(a.duration), interrupted: cancel.flag(), remote: None };
    run_rig(rig, &committed, stops, |now, record| match record.stream.as_str() {
        AFFECT if matches!(record.body, session::Body::Sample { .. }) => scores.add(record.at, now),
        PAGE => page_events.add(record.at, now),
        _ => {}
    })?;

    let stored = StoredSession::open_and_store_quality(folder)?;
    let verification = verify(folder)?;
    let misread = misread_frames(&stored.file)?;
    let jitter_ms = jitter_ms(&stored.file)?;
    let q = &stored.quality;
    let is_sound = verification.is_intact
        && misread == 0
        && q.frames_lost == 0
        && q.frames_stored > 0
        && q.frames_stored == q.frames_expected
        && q.face_share.is_some_and(|s| s > 0.5);
    if a.json {
        let mut object = session_json(&stored)?;
        object["is_sound"] = json!(is_sound);
        object["frames_misread"] = json!(misread);
        object["timestamp_jitter_ms"] = json!(jitter_ms);
        object["picture_to_committed_score_ms"] = json!({ "p50": scores.percentile(50), "p99": scores.percentile(99) });
        object["page_event_to_committed_record_ms"] =
            json!({ "p50": page_events.percentile(50), "p99": page_events.percentile(99), "n": page_events.0.len() });
        print_out!("{object}");
    } else {
        print_quality(q);
        print_out!("frames with another number in their picture than in their record: {misread}");
        print_out!("timestamp jitter {jitter_ms:.3} ms (standard deviation of the frame intervals)");
        let print_delays = |what: &str, d: &mut Delays| match (d.percentile(50), d.percentile(99)) {
            (Some(p50), Some(p99)) => {
                print_out!("{what}: median {p50:.1} ms, 99 % within {p99:.1} ms ({} of them)", d.0.len())
            }
            _ => print_out!("{what}: not measured{}", if has_display { "" } else { ", because there is no display" }),
        };
        print_delays("picture to committed score", &mut scores);
        print_delays("page event to committed record", &mut page_events);
        verification.findings.iter().for_each(|f| print_out!("- {f}"));
        print_out!("{}", if is_sound { "PASSED: no data was lost" } else { "FAILED: data is missing or wrong" });
    }
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}

/// Counts the stored pictures that do not show the number of their frame. The phantom draws it into each picture.
fn misread_frames(file: &SessionFile) -> Result<u64, Failure> {
    let mut decoder = Decoder::default();
    let mut frames = FrameReader::open(file)?;
    let mut misread = 0;
    for row in file.frames()?.rows() {
        let rgb = to_rgb(&frames.frame_of(file, row)?, &mut decoder)?;
        misread += u64::from(read_frame_number(&rgb.pixels, rgb.width_px, rgb.height_px) != Some(row.meta.number));
    }
    Ok(misread)
}

fn jitter_ms(file: &SessionFile) -> Result<f64, Failure> {
    let times = file.frames()?.times();
    let intervals: Vec<f64> = times.windows(2).map(|w| w[1].since_ns(w[0]) as f64 * 1e-6).collect();
    let n = intervals.len().max(1) as f64;
    let mean = intervals.iter().sum::<f64>() / n;
    Ok((intervals.iter().map(|i| (i - mean).powi(2)).sum::<f64>() / n).sqrt())
}
