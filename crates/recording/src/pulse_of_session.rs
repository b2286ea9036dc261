//! Adds the stream `pulse` to a stored session, and the colours of the skin that it needs. Recorded streams are not changed.
//! All additions are one transaction.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::pulse_error::PulseError;
use super::skin_of_video::missing_skin;
use pulse::{Calibration, STEP_S, SkinRow, WINDOW_S, WindowResult, rates};
use session::{
    Body, Gap, GapReason, Record, Rows, SKIN, StreamInfo, Timeline, Timestamp, numbered, program, pulse_stream,
};
use store::{AddedStreams, SessionFile};

#[derive(Clone, Debug)]
pub struct PulseAddition {
    pub folder: PathBuf,
    /// Stored with the added streams.
    pub author: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PulseAdded {
    /// `pulse`, or `pulse_2` … for a later run.
    pub stream: String,
    pub windows: u64,
    pub shown: u64,
    /// Windows without a rate, by the sentence of the reason.
    pub silent: BTreeMap<&'static str, u64>,
    /// Median of the rates that are given.
    pub median_bpm: Option<f64>,
    /// Frames whose colours were read from the stored video.
    pub frames_read: u64,
    pub frames_failed: u64,
    /// The video was compressed again before its colours were read.
    pub is_compacted: bool,
}

impl PulseAddition {
    /// `progress` gets the word `pictures` or `windows`, the number that was read, and the number of all.
    pub fn run(
        &self,
        cancelled: &AtomicBool,
        progress: impl FnMut(&'static str, u64, u64),
    ) -> Result<PulseAdded, PulseError> {
        let calibration = Calibration::stored().map_err(|e| PulseError::Calibration(e.to_string()))?;
        // The lock is held from the start, so that the session does not change meanwhile.
        let mut added = AddedStreams::open(&self.folder)?;
        let done = self.add(&mut added, &calibration, cancelled, progress);
        added.close()?;
        done
    }

    fn add(
        &self,
        added: &mut AddedStreams,
        calibration: &Calibration,
        cancelled: &AtomicBool,
        mut progress: impl FnMut(&'static str, u64, u64),
    ) -> Result<PulseAdded, PulseError> {
        let streams = added.streams().to_vec();
        let file = SessionFile::open(&self.folder)?;
        let mut timeline = file.timeline()?;
        let read = missing_skin(&file, &timeline, cancelled, |done, all| progress("pictures", done, all))?;
        let mut draft = added.draft()?;
        let mut result = PulseAdded::default();
        if let Some(read) = read {
            result.frames_read = read.bodies.len() as u64 - read.failed;
            result.frames_failed = read.failed;
            result.is_compacted = read.is_compacted;
            draft.add_stream(&read.info, &self.author)?;
            timeline.declare_added(read.info.clone());
            let records: Vec<Record> = draft.append(read.info.name.as_str(), read.bodies)?;
            records.iter().for_each(|record| timeline.ingest(record));
        }
        let rows = skin_rows(&timeline)?;
        let info = next_stream(&streams, rows.len(), calibration)?;
        let windows = rates(&rows, calibration);
        let all = windows.size_hint().0 as u64;
        let mut results: Vec<WindowResult> = Vec::new();
        for window in windows {
            if cancelled.load(Ordering::Relaxed) {
                return Err(PulseError::Cancelled);
            }
            results.push(window);
            progress("windows", results.len() as u64, all);
        }
        draft.add_stream(&info, &self.author)?;
        draft.append(info.name.as_str(), bodies(&results, &rows))?;
        draft.commit()?;
        result.stream = info.name.to_string();
        result.count(&results);
        Ok(result)
    }
}

impl PulseAdded {
    fn count(&mut self, results: &[WindowResult]) {
        let mut rates_bpm = Vec::new();
        for result in results {
            match result.shown() {
                Ok(rate) => rates_bpm.push(rate.rate_bpm),
                Err(silence) => *self.silent.entry(silence.sentence()).or_default() += 1,
            }
        }
        rates_bpm.sort_by(f64::total_cmp);
        self.windows = results.len() as u64;
        self.shown = rates_bpm.len() as u64;
        self.median_bpm = rates_bpm.get(rates_bpm.len() / 2).copied();
    }
}

/// `pulse`, or the next free name of `pulse_2` … The description has the number of frames, so a stream from the same colours
/// is recognised. An added stream is never replaced.
fn next_stream(streams: &[StreamInfo], frames: usize, calibration: &Calibration) -> Result<StreamInfo, PulseError> {
    let software = format!("{}; POS, CHROM, PBV; {}; {frames} frames", program(), calibration.source);
    let first = pulse_stream(&software);
    let (mut info, mut number) = (first.clone(), 1);
    while let Some(there) = streams.iter().find(|s| s.name == info.name) {
        if there.software == software {
            return Err(PulseError::AlreadyThere(info.name));
        }
        number += 1;
        info = numbered(first.clone(), number);
    }
    Ok(info)
}

fn skin_rows(timeline: &Timeline) -> Result<Vec<SkinRow>, PulseError> {
    let rows = Rows::of(timeline, SKIN).filter(|rows| !rows.is_empty()).ok_or(PulseError::NoColours)?;
    Ok((0..rows.len()).map(|k| SkinRow::new(rows.time(k), |field| rows.value(k, field))).collect())
}

/// A sample in the middle of each window with a rate. Neighbouring windows that are silent for the same reason are one gap.
fn bodies(results: &[WindowResult], rows: &[SkinRow]) -> Vec<(Timestamp, Body)> {
    let half_step = Duration::from_secs_f64(STEP_S / 2.0);
    let mut bodies: Vec<(Timestamp, Body)> = Vec::new();
    for result in results {
        let middle = Timestamp::from_secs_f64(result.middle_s());
        let silence = match result.shown() {
            Ok(rate) => {
                let values = [rate.rate_bpm, rate.rate_sd_bpm, rate.quality].map(|v| v as f32);
                bodies.push((middle, Body::sample(None, &values)));
                continue;
            }
            Err(silence) => silence.sentence(),
        };
        let (from, until) = (middle - half_step, middle + half_step);
        match bodies.last_mut() {
            Some((_, Body::Gap(gap))) if gap.note == silence => {
                gap.until = until;
                gap.lost += 1;
            }
            _ => bodies.push((from, unreliable(until, 1, silence))),
        }
    }
    if let (true, Some(first), Some(last)) = (results.is_empty(), rows.first(), rows.last()) {
        bodies.push((first.at, unreliable(last.at, 0, &format!("shorter than a window of {WINDOW_S:.0} s"))));
    }
    bodies
}

fn unreliable(until: Timestamp, lost: u64, note: &str) -> Body {
    Body::Gap(Gap { until, reason: GapReason::Unreliable, lost, note: note.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_header::header;
    use pulse::simulation::Scene;
    use pulse::{Patch, Silence};
    use session::{PULSE, landmarks_stream, skin, skin_stream};
    use std::path::Path;
    use store::{Recorder, SessionEnd};

    fn values(row: &SkinRow) -> [f32; skin::FIELDS] {
        let mut values = [0.0f32; skin::FIELDS];
        for (patch, to) in row.skin.iter().chain([&row.background]).zip(values.chunks_mut(skin::PATCH_FIELDS)) {
            patch.rgb.iter().zip(&mut *to).for_each(|(level, to)| *to = *level as f32);
            to[skin::PIXELS] = patch.pixels as f32;
        }
        values[skin::FACE_X] = row.face_px[0] as f32;
        values[skin::FACE_Y] = row.face_px[1] as f32;
        values[skin::INTER_OCULAR] = row.inter_ocular_px as f32;
        values[skin::MOUTH_OPENNESS] = row.mouth_openness as f32;
        values
    }

    /// A stored session without video, with the colours of a simulated scene.
    fn session(folder: &Path, streams: Vec<StreamInfo>, rows: &[SkinRow]) {
        let (committed, _) = crossbeam_channel::bounded(0);
        let recorder = Recorder::create(folder, header(""), streams, committed).unwrap();
        for row in rows {
            recorder.stream(SKIN).unwrap().append(row.at, Body::sample(None, &values(row))).unwrap();
        }
        let at = rows.last().map_or(Timestamp::ZERO, |r| r.at);
        recorder.finish(SessionEnd { at, quality: None }).unwrap();
    }

    fn add(folder: &Path) -> Result<PulseAdded, PulseError> {
        let addition = PulseAddition { folder: folder.to_owned(), author: "test".into() };
        addition.run(&AtomicBool::new(false), |_, _, _| ())
    }

    #[test]
    fn the_rate_is_added_once_and_nothing_recorded_changes() {
        let tmp = tempfile::tempdir().unwrap();
        let folder = tmp.path().join("session");
        let scene = Scene { seconds: 25.05, ..Scene::easy(64.0) };
        session(&folder, vec![landmarks_stream(30.0, "m"), skin_stream(30.0, "m")], &scene.rows(8).0);
        let before = SessionFile::open(&folder).unwrap().timeline().unwrap();
        let added = add(&folder).unwrap();
        assert_eq!((added.windows, added.shown, added.frames_read), (16, 16, 0), "{added:?}");
        assert!((added.median_bpm.unwrap() - 64.0).abs() < 1.0);
        let after = SessionFile::open(&folder).unwrap().timeline().unwrap();
        let (old, new) = (before.series(SKIN).unwrap(), after.series(SKIN).unwrap());
        assert_eq!((old.times(), old.column(1)), (new.times(), new.column(1)));
        let rates = after.series(PULSE).unwrap();
        assert_eq!(rates.len(), 16);
        assert!((rates.times()[0].as_secs_f64() - WINDOW_S / 2.0).abs() < 0.05);
        assert!(rates.column(session::pulse::RATE_BPM).iter().all(|bpm| (bpm - 64.0).abs() < 2.0));
        assert!(matches!(add(&folder), Err(PulseError::AlreadyThere(name)) if name.as_str() == PULSE));
    }

    #[test]
    fn more_colours_give_a_second_stream_beside_the_first() {
        let tmp = tempfile::tempdir().unwrap();
        let folder = tmp.path().join("session");
        let scene = Scene { seconds: 21.05, ..Scene::easy(64.0) };
        let rows = scene.rows(8).0;
        session(&folder, vec![landmarks_stream(30.0, "m"), skin_stream(30.0, "m")], &rows[..rows.len() / 2]);
        assert_eq!(add(&folder).unwrap().stream, PULSE);
        // The frames that were scored later.
        let mut added = AddedStreams::open(&folder).unwrap();
        let info = session::later(skin_stream(30.0, "m"));
        added.add_stream(&info, "test").unwrap();
        let later = rows[rows.len() / 2..].iter().map(|row| (row.at, Body::sample(None, &values(row)))).collect();
        added.append(info.name.as_str(), later).unwrap();
        added.close().unwrap();
        let second = add(&folder).unwrap();
        assert_eq!((second.stream.as_str(), second.windows), ("pulse_2", 12));
        let timeline = SessionFile::open(&folder).unwrap().timeline().unwrap();
        assert_eq!([PULSE, "pulse_2"].map(|name| timeline.series(name).unwrap().len()), [1, 12]);
        assert!(matches!(add(&folder), Err(PulseError::AlreadyThere(name)) if name.as_str() == "pulse_2"));
    }

    #[test]
    fn a_cancelled_computation_adds_nothing() {
        let tmp = tempfile::tempdir().unwrap();
        let folder = tmp.path().join("session");
        let scene = Scene { seconds: 15.05, ..Scene::easy(64.0) };
        session(&folder, vec![landmarks_stream(30.0, "m"), skin_stream(30.0, "m")], &scene.rows(8).0);
        let cancelled = AtomicBool::new(false);
        let addition = PulseAddition { folder: folder.clone(), author: "test".into() };
        let ended = addition.run(&cancelled, |what, done, all| {
            assert_eq!((what, all), ("windows", 6));
            cancelled.store(done == 2, Ordering::Relaxed);
        });
        assert!(matches!(ended, Err(PulseError::Cancelled)), "{ended:?}");
        assert!(SessionFile::open(&folder).unwrap().additions().is_empty());
    }

    #[test]
    fn without_a_pulse_the_session_gets_gaps_with_reasons() {
        let tmp = tempfile::tempdir().unwrap();
        let folder = tmp.path().join("session");
        let scene = Scene { seconds: 20.05, pulse_share: 0.0, ..Scene::easy(64.0) };
        session(&folder, vec![landmarks_stream(30.0, "m"), skin_stream(30.0, "m")], &scene.rows(9).0);
        let added = add(&folder).unwrap();
        assert_eq!((added.shown, added.windows), (0, 11), "{added:?}");
        let timeline = SessionFile::open(&folder).unwrap().timeline().unwrap();
        let gaps: Vec<_> = timeline.gaps().iter().filter(|g| g.stream.as_str() == PULSE).collect();
        assert_eq!(gaps.iter().map(|g| g.what.lost).sum::<u64>(), 11);
        assert!(gaps.iter().all(|g| g.what.reason == GapReason::Unreliable && !g.what.note.is_empty()));
    }

    #[test]
    fn a_session_without_skin_is_refused_with_the_reason() {
        let tmp = tempfile::tempdir().unwrap();
        let (faceless, colourless) = (tmp.path().join("a"), tmp.path().join("b"));
        session(&faceless, vec![skin_stream(30.0, "m")], &[]);
        session(&colourless, vec![landmarks_stream(30.0, "m")], &[]);
        assert!(matches!(add(&faceless), Err(PulseError::NoLandmarks)));
        assert!(matches!(add(&colourless), Err(PulseError::NoColours)));
        // Nothing was added.
        assert!(SessionFile::open(&colourless).unwrap().additions().is_empty());
    }

    fn silent(second: u32, silence: Silence) -> WindowResult {
        WindowResult { from_s: f64::from(second), outcome: Err(silence) }
    }

    #[test]
    fn silent_windows_of_one_reason_are_one_gap() {
        let results = [
            silent(0, Silence::Dark),
            silent(1, Silence::Dark),
            silent(2, Silence::Motion),
            silent(3, Silence::Motion),
        ];
        let bodies = bodies(&results, &[]);
        let gaps: Vec<_> = bodies
            .iter()
            .map(|(at, body)| match body {
                Body::Gap(gap) => (at.as_secs_f64(), gap.until.as_secs_f64(), gap.lost, gap.reason),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(gaps, [(4.5, 6.5, 2, GapReason::Unreliable), (6.5, 8.5, 2, GapReason::Unreliable)]);
    }

    #[test]
    fn a_recording_shorter_than_a_window_says_so() {
        let row = |t: f64| SkinRow {
            at: Timestamp::from_secs_f64(t),
            skin: [Patch::MISSING; 3],
            background: Patch::MISSING,
            face_px: [0.0; 2],
            inter_ocular_px: 90.0,
            mouth_openness: 0.0,
        };
        let bodies = bodies(&[], &[row(1.0), row(4.0)]);
        assert!(matches!(&bodies[..], [(_, Body::Gap(gap))] if gap.note.contains("shorter than a window of 10 s")));
    }
}
