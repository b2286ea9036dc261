//! The quality of a recording, in numbers for a methods section.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::busy::{Busy, busy, frames_unseen};
use super::ending::{End, Ending};
use super::frame_times::{FrameHole, FrameTimes, is_of_recording};
use super::page_clock::{ClockJumps, clock_jumps, clock_uncertainty_ms};
use super::pauses::Pauses;
use super::scored_frames::{ScoredFrames, longest_unscored, lost_in};
use session::{
    AFFECT, GapReason, HEALTH, HealthKind, LSL_CLOCK, PAGE_CLOCK, REPLAY, Timeline, Timestamp, VIDEO, VIDEO_FRAME,
    VideoLoss, capitalised, is_repeated_gap,
};

/// What a session was asked to record of the participant's face.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaceRecord {
    /// Every picture.
    #[default]
    Pictures,
    /// Scores that the browser computed. It stored no picture.
    Scores,
    /// Nothing: no camera was asked for.
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QualityReport {
    /// What was asked for. The grade depends on it.
    pub face_record: FaceRecord,
    /// From the first to the last frame or record of the recording. Added streams are not included.
    pub seconds: f64,
    pub nominal_rate_hz: f64,
    /// The number of frames from the camera's rate and the time between first and last frame. For a video file, its frames
    /// and its lost frames. For scores without pictures, the frames that the browser saw.
    pub frames_expected: u64,
    pub frames_stored: u64,
    /// Frames that the networks scored, with or without a face, live or later.
    pub frames_scored: u64,
    /// Frames that were scored neither live nor later.
    pub frames_skipped: u64,
    /// Frames that did not reach the video, from sequence numbers, error flags, the clock and the queues.
    pub frames_lost: u64,
    /// Longest time between two stored frames, in seconds; for scores without pictures, between two scored frames. For a video file, whose times may be uneven, only where frames
    /// were lost.
    pub largest_gap_s: f64,
    /// The last frame before it. `None` if there are not two frames.
    #[serde(rename = "largest_gap_at_ns")]
    pub largest_gap_at: Option<Timestamp>,
    /// From the last stored frame to the stop of the recording, in seconds, if that is longer than closing takes.
    pub silent_end_s: f64,
    /// Frames with a face over frames scored, 0 … 1; `None` if nothing was scored.
    pub face_share: Option<f64>,
    /// Worst uncertainty of the page's clock, in ms; `None` if no page clock was measured.
    pub clock_uncertainty_ms: Option<f64>,
    /// `None` if the page's clock never jumped.
    pub clock_jumps: Option<ClockJumps>,
    /// Unresponsive time of the page. `None` if no page was recorded, or by a version that did not report it.
    pub page_busy: Option<Busy>,
    /// Frames in the page that belong to other origins and are not recorded. `None` as above.
    pub frames_unseen: Option<u64>,
    /// How often the page's process, or that of its window, died.
    pub page_crashes: u64,
    /// The participant pressed the button to stop.
    pub is_withdrawn: bool,
    /// Events by `stream/kind`.
    pub events: BTreeMap<String, u64>,
    pub gaps: BTreeMap<GapReason, LossByReason>,
    /// Records that belong to no stream. If it is not zero, the file is damaged.
    pub records_refused: u64,
    /// Frames that were stored and are no longer in the video. `None` if all are there.
    pub video_loss: Option<VideoLoss>,
    pub end: End,
    pub grade: Grade,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LossByReason {
    /// A long absence of the face is stored in several consecutive gaps and is counted once.
    pub count: u64,
    pub seconds: f64,
    pub lost: u64,
}

/// The best grade of which all limits hold:
///
/// | grade | frames lost | longest time between frames | frames with a face | page unresponsive, in all | and at once |
/// | --- | --- | --- | --- | --- | --- |
/// | A | none | ≤ 0.2 s | ≥ 95 % | ≤ 2 % | ≤ 0.5 s |
/// | B | ≤ 0.1 % | ≤ 0.5 s | ≥ 90 % | ≤ 5 % | ≤ 1 s |
/// | C | ≤ 1 % | ≤ 2 s | ≥ 75 % | ≤ 10 % | ≤ 5 s |
/// | D | ≤ 5 % | ≤ 10 s | ≥ 50 % | ≤ 25 % | ≤ 20 s |
/// | F | more | longer | fewer, or none scored | more | longer |
///
/// Of a session without a camera only the columns about the page hold. Frames that are no longer in the video count as lost. If the disk, the program or the camera ended the recording, the
/// frames of the missing planned time count as lost, too. If the planned length is unknown, the grade is D at best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Grade {
    A,
    B,
    C,
    D,
    F,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Grade {
    /// The best grade of a session of which this share of the frames is lost, 0 … 1.
    pub fn of_loss(lost_share: f64) -> Grade {
        Grade::of(lost_share, 0.0, 1.0)
    }

    fn of(lost_share: f64, largest_gap_s: f64, face_share: f64) -> Grade {
        let limits = [
            (Grade::A, 0.0, 0.2, 0.95),
            (Grade::B, 0.001, 0.5, 0.90),
            (Grade::C, 0.01, 2.0, 0.75),
            (Grade::D, 0.05, 10.0, 0.50),
        ];
        let holds = |(_, lost, gap, face): &(Grade, f64, f64, f64)| {
            lost_share <= *lost && largest_gap_s <= *gap && face_share >= *face
        };
        limits.into_iter().find(holds).map_or(Grade::F, |(grade, ..)| grade)
    }

    /// The best grade with these unresponsive times of the page.
    fn of_page(busy: Option<Busy>) -> Grade {
        match busy.map_or(0, Busy::grades_lost) {
            0 => Grade::A,
            1 => Grade::B,
            2 => Grade::C,
            3 => Grade::D,
            _ => Grade::F,
        }
    }
}

impl QualityReport {
    /// Frames that are stored, or that the browser saw if it stored no picture.
    pub fn frames_received(&self) -> u64 {
        match self.face_record {
            FaceRecord::Pictures => self.frames_stored,
            FaceRecord::Scores => self.frames_expected.saturating_sub(self.frames_lost),
            FaceRecord::Nothing => 0,
        }
    }

    /// Why the grade is not A, the most important reason first. Empty for A.
    pub fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        findings.extend(self.video_loss.iter().map(|loss| format!("{}.", capitalised(&loss.to_string()))));
        findings.extend(self.end.finding());
        if self.is_withdrawn {
            findings.push("The participant stopped the recording.".to_owned());
        }
        if self.page_crashes > 0 {
            let times = if self.page_crashes == 1 { "once".to_owned() } else { format!("{} times", self.page_crashes) };
            findings.push(format!(
                "The page crashed {times}. Actions after a crash are missing until it was loaded again."
            ));
        }
        if self.frames_lost > 0 {
            let share = 100.0 * self.frames_lost as f64 / (self.frames_received() + self.frames_lost) as f64;
            let were = if self.frames_lost == 1 { "frame was" } else { "frames were" };
            findings.push(format!("{} {were} lost ({share:.2} %).", self.frames_lost));
        }
        if self.silent_end_s > 0.0 {
            findings.push(format!("No frame was stored in the last {:.2} s of the recording.", self.silent_end_s));
        }
        if self.largest_gap_s > 0.2 && self.largest_gap_s > self.silent_end_s {
            findings.push(format!("The longest time without a new frame was {:.2} s.", self.largest_gap_s));
        }
        match self.face_share {
            None if self.face_record == FaceRecord::Nothing => {}
            None => findings.push("No frame was scored.".to_owned()),
            Some(share) if share < 0.95 => {
                findings.push(format!("A face was found in {:.1} % of the scored frames.", 100.0 * share));
            }
            Some(_) => {}
        }
        findings.extend(self.clock_jumps.map(ClockJumps::finding));
        findings.extend(self.page_busy.and_then(Busy::finding));
        if let Some(unseen) = self.frames_unseen.filter(|n| *n > 0) {
            let (frames, were) = if unseen == 1 { ("frame", "was") } else { ("frames", "were") };
            findings.push(format!("{unseen} {frames} of the page {were} another site's and {were} not recorded."));
        }
        if self.records_refused > 0 {
            findings.push(format!("{} records fitted no stream: the file is damaged.", self.records_refused));
        }
        findings
    }
}

/// The frames of a session.
#[derive(Clone, Debug, Default)]
pub struct Footage<'a> {
    /// Capture times of all that were stored, ascending.
    pub times: &'a [Timestamp],
    pub nominal_rate_hz: f64,
    pub face_record: FaceRecord,
    /// Frames that are no longer in the video.
    pub loss: Option<VideoLoss>,
    /// The end of the recording, if it is known from another source than its records.
    pub ending: Option<Ending>,
}

fn losses_by_reason(timeline: &Timeline) -> BTreeMap<GapReason, LossByReason> {
    let mut losses = BTreeMap::<GapReason, LossByReason>::new();
    let mut absent_until = BTreeMap::new();
    let is_counted = |stream: &str, reason| is_of_recording(stream, reason) && !is_repeated_gap(stream, reason);
    for gap in timeline.gaps().iter().filter(|g| is_counted(g.stream.as_str(), g.what.reason)) {
        let sum = losses.entry(gap.what.reason).or_default();
        let is_absence = gap.what.reason == GapReason::NoFace;
        let is_continued = is_absence && absent_until.insert(&gap.stream, gap.what.until) == Some(gap.at);
        sum.count += u64::from(!is_continued);
        sum.seconds += gap.what.until.seconds_since(gap.at).max(0.0);
        sum.lost += gap.what.lost;
    }
    losses
}

/// Frames that did not reach the video or the networks. Without a camera there are none: a damaged record of the page is no
/// frame.
fn frames_lost(timeline: &Timeline, losses: &BTreeMap<GapReason, LossByReason>, face_record: FaceRecord) -> u64 {
    let reasons = [GapReason::CameraLost, GapReason::DroppedByDriver, GapReason::Corrupt, GapReason::TimeUnknown];
    match face_record {
        FaceRecord::Nothing => 0,
        FaceRecord::Scores => reasons.iter().map(|reason| lost_in(timeline, AFFECT, *reason)).sum(),
        FaceRecord::Pictures => {
            let by_camera: u64 = reasons.iter().filter_map(|reason| losses.get(reason)).map(|loss| loss.lost).sum();
            // The frames of a full disk are stored as those of a crash.
            let by_storing = [GapReason::QueueFull, GapReason::Crash].map(|reason| lost_in(timeline, VIDEO, reason));
            by_camera + by_storing.iter().sum::<u64>()
        }
    }
}

/// Events by `stream/kind`, without measurements of the clock and of the video and without the page's replay.
fn event_counts(timeline: &Timeline) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let is_counted = |stream: &str| ![PAGE_CLOCK, LSL_CLOCK, VIDEO_FRAME, REPLAY].contains(&stream);
    for event in timeline.events().iter().filter(|e| is_counted(e.stream.as_str())) {
        *counts.entry(format!("{}/{}", event.stream, event.what.kind)).or_insert(0) += 1;
    }
    counts
}

fn health_events(timeline: &Timeline, kind: HealthKind) -> u64 {
    timeline.events().iter().filter(|e| e.stream.as_str() == HEALTH && e.what.kind == kind.as_str()).count() as u64
}

/// Computes the quality of a session. All grades come from this function.
pub fn quality(timeline: &Timeline, footage: &Footage) -> QualityReport {
    let Footage { times: stored_times, nominal_rate_hz, face_record, ref loss, ending } = *footage;
    let end = End::of(timeline, ending);
    let gaps = losses_by_reason(timeline);
    let scored = ScoredFrames::of(timeline);
    let skipped_live = gaps.get(&GapReason::Skipped).map_or(0, |g| g.lost);
    let face_share = (scored.all > 0).then(|| scored.with_face as f64 / scored.all as f64);
    let frames_lost = frames_lost(timeline, &gaps, face_record);
    let gone = loss.as_ref().map_or(0, |l| l.frames);
    let pauses = Pauses::of(timeline, None);
    let frames = FrameTimes::of(timeline, stored_times, gone, &pauses);
    let (largest_gap, silent_end_s) = match face_record {
        FaceRecord::Pictures => (frames.largest_hole(timeline, gone), frames.silent_end_s),
        FaceRecord::Scores => (longest_unscored(timeline, &pauses), 0.0),
        FaceRecord::Nothing => (FrameHole::default(), 0.0),
    };
    let largest_gap_s = largest_gap.seconds;
    let frames_expected = match stored_times {
        _ if face_record == FaceRecord::Scores => scored.all + skipped_live + frames_lost,
        [] => 0,
        _ if frames.is_film => stored_times.len() as u64 + frames_lost,
        _ => (frames.video_s * nominal_rate_hz).round() as u64 + 1,
    };
    let frames_stored = stored_times.len() as u64 - gone;
    let never_recorded = (end.missing_s().unwrap_or(0.0) * nominal_rate_hz).round().max(0.0) as u64;
    let all_lost = frames_lost + gone + never_recorded;
    let came = if face_record == FaceRecord::Scores { scored.all + skipped_live } else { frames_stored };
    let of_face = match face_record {
        FaceRecord::Nothing => Grade::A,
        FaceRecord::Pictures | FaceRecord::Scores => {
            Grade::of(all_lost as f64 / (came + all_lost).max(1) as f64, largest_gap_s, face_share.unwrap_or(0.0))
        }
    };
    let page_crashes = health_events(timeline, HealthKind::PageProcessDied);
    // Actions are missing after a crash. Nobody knows how many.
    let of_crashes = if page_crashes > 0 { Grade::C } else { Grade::A };
    let best = if end.missing_s().is_none() { Grade::D } else { Grade::A };
    let seconds = timeline.span().map_or(0.0, |(first, last)| last.seconds_since(first)).max(frames.video_s);
    let expected_s = timeline.span().map_or(0.0, |(first, last)| pauses.expected_s(first, last)).max(frames.video_s);
    let page_busy = busy(timeline, expected_s);
    QualityReport {
        face_record,
        seconds,
        nominal_rate_hz,
        frames_expected,
        frames_stored,
        frames_scored: scored.all,
        frames_skipped: skipped_live.saturating_sub(scored.later),
        frames_lost,
        largest_gap_s,
        largest_gap_at: largest_gap.from,
        silent_end_s,
        face_share,
        clock_uncertainty_ms: clock_uncertainty_ms(timeline),
        clock_jumps: clock_jumps(timeline),
        page_busy,
        frames_unseen: frames_unseen(timeline),
        page_crashes,
        is_withdrawn: health_events(timeline, HealthKind::ParticipantWithdrew) > 0,
        events: event_counts(timeline),
        gaps,
        records_refused: timeline.refused(),
        video_loss: loss.clone(),
        end,
        grade: of_face.max(Grade::of_page(page_busy)).max(of_crashes).max(best),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{Body, Gap, Record, affect_stream, health_stream, page_stream, video_stream};
    use std::sync::Arc;

    fn record(stream: &str, seq: u64, ms: i64, body: Body) -> Record {
        Record { stream: Arc::new(stream.parse().unwrap()), seq, at: Timestamp::from_ns(ms * 1_000_000), body }
    }

    fn gap(reason: GapReason, until_ms: i64, lost: u64) -> Body {
        Body::Gap(Gap { until: Timestamp::from_ns(until_ms * 1_000_000), reason, lost, note: String::new() })
    }

    fn footage(times: &[Timestamp], nominal_rate_hz: f64) -> Footage<'_> {
        Footage { times, nominal_rate_hz, ..Footage::default() }
    }

    /// Ten seconds with a face in every frame.
    fn flawless() -> (Timeline, Vec<Timestamp>) {
        let mut timeline = Timeline::default();
        [affect_stream(10.0, "m"), health_stream()].into_iter().for_each(|s| timeline.declare(s));
        let times: Vec<_> = (0..100).map(|k| Timestamp::from_ns(k * 100_000_000)).collect();
        for (k, at) in times.iter().enumerate() {
            let sample = Body::Sample { frame: Some(k as u64), values: vec![0.0; 12].into() };
            timeline.ingest(&record(AFFECT, k as u64, at.as_ns() / 1_000_000, sample));
        }
        (timeline, times)
    }

    #[test]
    fn gaps_of_the_pulse_are_not_of_the_recording_but_lost_colours_are() {
        for stream in ["pulse", "pulse_2", "skin_later"] {
            assert!(!is_of_recording(stream, GapReason::Unreliable), "{stream}");
        }
        assert!(!is_of_recording("skin", GapReason::Corrupt), "found by `pulse` in the stored video");
        assert!(is_of_recording("skin", GapReason::QueueFull));
        for stream in ["skin_conductance", "pulse_oximeter"] {
            assert!(is_of_recording(stream, GapReason::Corrupt), "{stream}");
        }
    }

    #[test]
    fn a_crash_of_the_page_is_a_finding() {
        let (mut timeline, times) = flawless();
        assert_eq!(quality(&timeline, &footage(&times, 10.0)).findings(), [""; 0]);
        for (crashes, sentence) in [(1, "The page crashed once."), (2, "The page crashed 2 times.")] {
            let kind = HealthKind::PageProcessDied.as_str().to_owned();
            timeline.ingest(&record(HEALTH, crashes, 4_000, Body::Event { kind, data: serde_json::Map::new() }));
            let report = quality(&timeline, &footage(&times, 10.0));
            assert_eq!(report.page_crashes, crashes);
            assert!(report.findings()[0].starts_with(sentence), "{:?}", report.findings());
            assert_eq!(report.grade, Grade::C);
        }
    }

    #[test]
    fn pictures_that_are_gone_are_lost() {
        let (timeline, times) = flawless();
        let graded = |gone: u64, trouble| {
            let from = times[times.len() - gone.max(1) as usize];
            let loss =
                (gone > 0).then_some(VideoLoss { file: "video.mkv".to_owned(), trouble, frames: gone, of: 100, from });
            quality(&timeline, &Footage { loss, ..footage(&times, 10.0) })
        };
        use session::VideoTrouble::{Missing, Short};
        assert_eq!(graded(0, Short).grade, Grade::A);
        let short = graded(4, Short);
        assert_eq!((short.grade, short.frames_stored, short.frames_expected), (Grade::D, 96, 100));
        assert!((short.largest_gap_s - 0.4).abs() < 1e-9, "{}", short.largest_gap_s);
        assert!(short.findings()[0].starts_with("Video.mkv is too short: from 00:00:09.600"), "{:?}", short.findings());
        let missing = graded(100, Missing);
        assert_eq!((missing.grade, missing.frames_stored), (Grade::F, 0));
        assert!(missing.findings()[0].contains("is missing"), "{:?}", missing.findings());
    }

    #[test]
    fn what_ended_too_early_is_graded_by_what_was_planned() {
        let (flawless, times) = flawless();
        let graded = |planned_s: Option<f64>, ending| {
            let mut timeline = flawless.clone();
            let data = planned_s.map_or(serde_json::Value::Null, |s| serde_json::json!({ "planned_s": s }));
            timeline.ingest(&record(HEALTH, 0, 0, Body::event("recording_started", data)));
            let q = quality(&timeline, &Footage { ending, ..footage(&times, 10.0) });
            (q.grade, q.findings().first().cloned().unwrap_or_default())
        };
        assert_eq!(graded(Some(60.0), None).0, Grade::A, "somebody stopped it");
        assert_eq!(graded(Some(60.0), Some(Ending::DiskFull)).0, Grade::F);
        assert_eq!(graded(Some(10.0), Some(Ending::DiskFull)).0, Grade::C);
        let (grade, said) = graded(None, Some(Ending::DiskFull));
        assert_eq!(grade, Grade::D);
        assert!(said.contains("the disk was full") && said.contains("The missing length is unknown"), "{said}");
        assert_eq!(graded(None, Some(Ending::Crashed)).0, Grade::D);
    }

    #[test]
    fn a_camera_silent_at_the_end_has_left_a_gap() {
        let mut timeline = Timeline::default();
        timeline.declare(health_stream());
        let frames: Vec<_> = (0..100).map(|k| Timestamp::from_ns(k * 33_333_333)).collect();
        let mut stop = |seq: u64, ms: i64| {
            timeline.ingest(&record(HEALTH, seq, ms, Body::event("recording_stopped", serde_json::json!({}))));
            quality(&timeline, &footage(&frames, 30.0))
        };
        let closed = stop(0, 3_900);
        assert_eq!(closed.frames_expected, 100);
        assert!(closed.largest_gap_s < 0.04, "{}", closed.largest_gap_s);
        assert_eq!(closed.silent_end_s, 0.0);
        let silent = stop(1, 9_300);
        assert_eq!(silent.frames_expected, 280);
        assert!((silent.largest_gap_s - 6.0).abs() < 0.01, "{}", silent.largest_gap_s);
        assert_eq!(silent.largest_gap_at, frames.last().copied());
        let said = silent.findings();
        assert_eq!(said.iter().filter(|f| f.contains("6.00 s")).count(), 1, "{said:?}");
        assert!(said.iter().any(|f| f == "No frame was stored in the last 6.00 s of the recording."), "{said:?}");
    }

    /// 100 frames at 10 Hz, of which the 40th to 43rd never came; a face in the first 80 that did.
    #[test]
    fn counts_what_came_and_what_did_not() {
        let mut t = Timeline::default();
        [affect_stream(10.0, "m"), page_stream(), video_stream("c")].into_iter().for_each(|s| t.declare(s));
        let times: Vec<_> =
            (0..100).filter(|k| !(40..44).contains(k)).map(|k| Timestamp::from_ns(k * 100_000_000)).collect();
        for (k, at) in times.iter().take(80).enumerate() {
            let sample = Body::Sample { frame: Some(k as u64), values: vec![0.0; 12].into() };
            t.ingest(&record("affect", k as u64, at.as_ns() / 1_000_000, sample));
        }
        t.ingest(&record("affect", 80, 8400, gap(GapReason::NoFace, 9400, 10)));
        t.ingest(&record("affect", 81, 9400, gap(GapReason::NoFace, 9900, 6)));
        t.ingest(&record("video", 0, 4000, gap(GapReason::DroppedByDriver, 4400, 4)));
        t.ingest(&record("page", 0, 500, Body::event("click", serde_json::json!({"target": "#buy"}))));
        let q = quality(&t, &footage(&times, 10.0));
        assert_eq!((q.frames_expected, q.frames_stored, q.frames_lost), (100, 96, 4));
        assert_eq!(q.frames_scored, 96);
        assert!((q.face_share.unwrap() - 80.0 / 96.0).abs() < 1e-9);
        assert!((q.largest_gap_s - 0.5).abs() < 1e-9);
        assert!((q.seconds - 9.9).abs() < 1e-9);
        assert_eq!((q.gaps[&GapReason::NoFace].count, q.gaps[&GapReason::NoFace].lost), (1, 16));
        assert_eq!(q.events["page/click"], 1);
        assert_eq!(q.grade, Grade::D, "4 % lost");
        assert_eq!(q.clock_uncertainty_ms, None);
    }

    #[test]
    fn a_film_has_lost_what_it_says_and_not_what_a_steady_rate_would_have_brought() {
        let mut t = Timeline::default();
        [affect_stream(30.0, "m"), health_stream(), video_stream("c")].into_iter().for_each(|s| t.declare(s));
        // Slow, then fast, and a second in which nothing moved.
        let times: Vec<_> =
            [0, 90, 200, 290, 1400, 1433, 1466, 1500].map(|ms: i64| Timestamp::from_ns(ms * 1_000_000)).to_vec();
        t.ingest(&record(HEALTH, 0, 0, Body::event(HealthKind::Film.as_str(), serde_json::json!({}))));
        for (k, at) in times.iter().enumerate() {
            let sample = Body::Sample { frame: Some(k as u64), values: vec![0.0; 12].into() };
            t.ingest(&record("affect", k as u64, at.as_ns() / 1_000_000, sample));
        }
        let q = quality(&t, &footage(&times, 30.0));
        assert_eq!((q.frames_expected, q.frames_stored, q.frames_lost, q.grade), (8, 8, 0, Grade::A));
        assert_eq!((q.largest_gap_s, &q.findings()[..]), (0.0, &[][..]));
        t.ingest(&record("video", 0, 300, gap(GapReason::Corrupt, 1300, 3)));
        let q = quality(&t, &footage(&times, 30.0));
        assert_eq!((q.frames_expected, q.frames_lost), (11, 3));
        assert!((q.largest_gap_s - 1.11).abs() < 1e-9, "{}", q.largest_gap_s);
    }

    #[test]
    fn without_a_camera_the_page_is_graded() {
        let mut t = Timeline::default();
        t.declare(page_stream());
        t.ingest(&record("page", 0, 500, Body::event("click", serde_json::json!({"target": "#buy"}))));
        t.ingest(&record("page", 1, 900, gap(GapReason::Corrupt, 900, 1)));
        let graded = |face_record| quality(&t, &Footage { face_record, ..Footage::default() });
        let q = graded(FaceRecord::Nothing);
        assert_eq!((q.grade, q.frames_expected, q.frames_lost, q.findings()), (Grade::A, 0, 0, vec![]));
        let q = graded(FaceRecord::Pictures);
        assert_eq!((q.grade, q.findings().last().unwrap().as_str()), (Grade::F, "No frame was scored."));
        assert_eq!(graded(FaceRecord::Scores).grade, Grade::F);
    }

    /// 100 frames at 10 Hz: every second one skipped, no face in the last ten. Each gap in all three streams, as some clients
    /// send it.
    #[test]
    fn scores_without_pictures_are_graded_by_themselves() {
        let mut t = Timeline::default();
        [affect_stream(10.0, "m"), session::face_stream(10.0, "m"), session::landmarks_stream(10.0, "m")]
            .into_iter()
            .for_each(|s| t.declare(s));
        let add_gap = |t: &mut Timeline, seq, ms, reason, until_ms, lost| {
            for stream in [AFFECT, session::FACE, session::LANDMARKS] {
                t.ingest(&record(stream, seq, ms, gap(reason, until_ms, lost)));
            }
        };
        for k in 0..100u64 {
            let ms = k as i64 * 100;
            match k % 2 {
                0 if k < 90 => {
                    let sample = Body::Sample { frame: Some(k), values: vec![0.0; 12].into() };
                    t.ingest(&record(AFFECT, k, ms, sample));
                }
                0 => add_gap(&mut t, k, ms, GapReason::NoFace, ms, 1),
                _ => add_gap(&mut t, k, ms, GapReason::Skipped, ms, 1),
            }
        }
        let scores = Footage { face_record: FaceRecord::Scores, nominal_rate_hz: 10.0, ..Footage::default() };
        let q = quality(&t, &scores);
        assert_eq!((q.frames_expected, q.frames_scored, q.frames_skipped, q.frames_stored), (100, 50, 50, 0));
        assert_eq!((q.gaps[&GapReason::Skipped].lost, q.gaps[&GapReason::NoFace].lost), (50, 5));
        assert!((q.largest_gap_s - 0.2).abs() < 1e-9, "{}", q.largest_gap_s);
        assert_eq!(q.grade, Grade::B, "a face in 90 %");
        add_gap(&mut t, 200, 9_900, GapReason::CameraLost, 13_900, 40);
        let lossy = quality(&t, &scores);
        assert_eq!((lossy.frames_lost, lossy.frames_received()), (40, 100));
        assert_eq!(lossy.findings()[0], "40 frames were lost (28.57 %).");
    }

    /// 10 Hz, with a pause of 30 s in the middle.
    #[test]
    fn a_pause_is_not_expected() {
        let mut t = Timeline::default();
        [affect_stream(10.0, "m"), health_stream()].into_iter().for_each(|s| t.declare(s));
        let times: Vec<_> =
            (0..400).filter(|k| !(50..350).contains(k)).map(|k| Timestamp::from_ns(k * 100_000_000)).collect();
        for (k, at) in times.iter().enumerate() {
            let sample = Body::Sample { frame: Some(k as u64), values: vec![0.0; 12].into() };
            t.ingest(&record(AFFECT, k as u64, at.as_ns() / 1_000_000, sample));
        }
        let scores = Footage { face_record: FaceRecord::Scores, nominal_rate_hz: 10.0, ..Footage::default() };
        let unknown = quality(&t, &footage(&times, 10.0));
        assert_eq!((unknown.grade, unknown.frames_expected, unknown.end.pauses.seconds), (Grade::F, 400, 0.0));
        assert_eq!(quality(&t, &scores).grade, Grade::F);
        t.ingest(&record(HEALTH, 0, 4_950, Body::event("paused", serde_json::json!({}))));
        t.ingest(&record(HEALTH, 1, 34_950, Body::event("resumed", serde_json::json!({}))));
        let q = quality(&t, &footage(&times, 10.0));
        assert_eq!((q.grade, q.frames_expected, q.frames_stored), (Grade::A, 100, 100));
        assert!((q.end.pauses.seconds - 30.0).abs() < 1e-9, "{:?}", q.end.pauses);
        assert!((q.largest_gap_s - 0.1).abs() < 1e-9, "{}", q.largest_gap_s);
        assert_eq!(quality(&t, &scores).grade, Grade::A);
    }

    #[test]
    fn nothing_recorded_is_an_f_and_no_panic() {
        let q = quality(&Timeline::default(), &footage(&[], 30.0));
        assert_eq!((q.frames_expected, q.grade), (0, Grade::F));
    }
}
