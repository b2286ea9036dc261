//! Converts the types of other crates to the types that the window shows.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::study_files::templates;
use crate::places::Places;
use analysis::{
    Ending, QualityLimits, QualityReport, baseline_of, baseline_phases, deleted_events, poor_stretches, sample_quality,
};
use capture::{CameraInfo, CameraSpec, Control, ControlKind, DeviceInfo, Mode, RgbPicture, list_devices};
use desktop::port::{
    self, CameraControl, CameraMode, CameraRow, CameraState, ControlState, FaceOverlay, FinishedSession, LargestGap,
    OpenedSession, Picture, SessionRow, SessionState, StudyRow,
};
use session::{
    AFFECT, CameraSettings, CheckId, ConditionTable, ConsentBy, REPLAY, Timeline, Timestamp, VIDEO, deleted_stream,
};
use store::{self, Condition, Library, SessionEntry, StoreError};
use study_query::{StoredSession, listed_grade};
use vision::Reading;

pub fn picture(rgb: RgbPicture) -> Arc<Picture> {
    Arc::new(Picture { width_px: rgb.width_px, height_px: rgb.height_px, rgb: rgb.pixels })
}

pub fn face_overlay(reading: &Reading) -> Option<FaceOverlay> {
    let f = reading.face.as_ref()?;
    Some(FaceOverlay {
        left_px: f.rect.left,
        top_px: f.rect.top,
        width_px: f.rect.width,
        height_px: f.rect.height,
        landmarks_px: f.points.to_vec(),
        score: f.score,
        brightness: f.quality.brightness,
        inter_ocular_px: f.quality.inter_ocular_px,
    })
}

// --- Cameras ---------------------------------------------------------------------------------------------------

pub fn camera_mode(mode: &Mode) -> CameraMode {
    CameraMode {
        width_px: mode.width_px,
        height_px: mode.height_px,
        rate_hz: mode.rate_hz,
        format: mode.format.to_string(),
    }
}

/// The connected cameras, and the phantom.
pub fn cameras() -> Result<Vec<CameraRow>, String> {
    let devices = list_devices().map_err(|e| e.to_string())?;
    let row = |d: DeviceInfo| CameraRow {
        spec: d.id.to_string(),
        name: d.name,
        modes: d.modes.iter().map(camera_mode).collect(),
        problem: d.trouble,
    };
    let CameraSettings { width_px, height_px, rate_hz, .. } = CameraSettings::default();
    let phantom = CameraRow {
        spec: CameraSpec::Phantom.to_string(),
        name: "Phantom (rendered, to try the program without a camera)".to_owned(),
        modes: vec![CameraMode { width_px, height_px, rate_hz, format: "RGB".to_owned() }],
        problem: None,
    };
    Ok(devices.into_iter().map(row).chain([phantom]).collect())
}

/// The state of a camera that did not start.
pub fn failed_camera_state(spec: &CameraSpec, problem: Option<String>) -> CameraState {
    CameraState { spec: spec.to_string(), name: spec.to_string(), mode: None, controls: Vec::new(), problem }
}

pub fn camera_state(spec: &CameraSpec, info: &CameraInfo) -> CameraState {
    CameraState {
        spec: spec.to_string(),
        name: info.name.clone(),
        mode: Some(camera_mode(&info.mode)),
        controls: info.controls.iter().map(control_state).collect(),
        problem: (!info.notes.is_empty()).then(|| info.notes.join(" ")),
    }
}

fn control_state(c: &Control) -> ControlState {
    let (control, unit) = match c.kind {
        ControlKind::Exposure => (CameraControl::Exposure, if cfg!(target_os = "linux") { "× 0.1 ms" } else { "" }),
        ControlKind::WhiteBalance => (CameraControl::WhiteBalance, "K"),
        ControlKind::Focus => (CameraControl::Focus, ""),
    };
    ControlState {
        control,
        min: c.minimum,
        max: c.maximum,
        step: c.step,
        default: c.default,
        unit: unit.to_owned(),
        value: (c.is_automatic != Some(true)).then_some(c.value),
        has_automatic: c.is_automatic.is_some(),
    }
}

// --- The library -----------------------------------------------------------------------------------------------

pub fn library(places: &Places) -> Result<port::Library, StoreError> {
    let library = places.library()?;
    let (templates, template_problems) = templates(&library);
    let exports = library.exports()?.into_iter().map(|e| port::ExportRow {
        is_reachable: e.is_reachable(),
        to: e.to.into(),
        format: e.format,
        sessions: e.sessions.iter().map(|label| library.root().join(label)).collect(),
    });
    Ok(port::Library {
        exports: exports.collect(),
        root: library.root().to_owned(),
        studies_folder: library.own_studies(),
        templates,
        template_problems,
        studies: studies(&library)?,
        participants: library.participants()?,
        sessions: library.sessions()?.iter().map(session_row).collect(),
    })
}

fn studies(library: &Library) -> Result<Vec<StudyRow>, StoreError> {
    let row = |entry: store::StudyEntry| match entry.study {
        Ok(file) => {
            let conditions = library.condition_table(&file.study);
            StudyRow {
                name: entry.name,
                title: file.study.title.clone(),
                description: file.study.description.clone(),
                planned_minutes: file.study.planned_minutes,
                seat: file.study.participant.screen.fixed(),
                problem: conditions.as_ref().err().map(ToString::to_string),
                is_shipped: !library.is_own_study(&entry.path),
                conditions: conditions.unwrap_or_default(),
                file: entry.path,
            }
        }
        Err(e) => StudyRow {
            title: entry.name.clone(),
            name: entry.name,
            description: String::new(),
            planned_minutes: 0.0,
            seat: None,
            problem: Some(e.to_string()),
            is_shipped: !library.is_own_study(&entry.path),
            file: entry.path,
            conditions: ConditionTable::default(),
        },
    };
    Ok(library.studies()?.into_iter().map(row).collect())
}

pub fn session_row(s: &SessionEntry) -> SessionRow {
    SessionRow {
        folder: s.folder.clone(),
        participant: s.participant.clone(),
        session: s.session,
        study: s.study.clone().unwrap_or_default(),
        started: s.started,
        length: s.length,
        size_bytes: s.size_bytes,
        grade: listed_grade(s),
        is_pilot: s.pilot,
        state: match &s.condition {
            Condition::Opens(store::SessionState::Closed | store::SessionState::Recovered)
                if s.video_loss.is_some() =>
            {
                let loss = s.video_loss.as_ref().map(ToString::to_string).unwrap_or_default();
                SessionState::Incomplete(format!("{loss}."))
            }
            Condition::Opens(store::SessionState::Closed) => SessionState::Complete,
            Condition::Opens(store::SessionState::Recording) => SessionState::Recording,
            Condition::Opens(store::SessionState::Recovered) => SessionState::Recovered(ended_early(s).to_owned()),
            Condition::Opens(store::SessionState::Crashed) => {
                SessionState::Damaged("A crash left the session open. Start the program again to close it.".to_owned())
            }
            Condition::Damaged(why) => SessionState::Damaged(why.clone()),
        },
    }
}

/// Why a session was not closed by the operator, from its stored report.
fn ended_early(s: &SessionEntry) -> &'static str {
    let quality = s.summary.as_ref().and_then(|summary| summary.quality.as_ref());
    // A report of another version may lack it.
    match quality.and_then(|q| serde_json::from_value::<Ending>(q["end"]["how"].clone()).ok()) {
        Some(Ending::DiskFull) => "The disk was full and ended the recording. What was stored is saved.",
        Some(Ending::StoringFailed) => "Storing failed and ended the recording. What was stored is saved.",
        _ => "The program ended during the recording. The session was closed afterwards.",
    }
}

/// The title of a session, from its folder.
pub fn title(folder: &Path) -> String {
    session_row(&store::session_entry(folder)).title()
}

// --- A stored session ------------------------------------------------------------------------------------------

/// Opens a closed recording and stores its quality report.
pub fn finished(folder: &Path) -> Result<FinishedSession, String> {
    let loaded = StoredSession::open_and_store_quality(folder).map_err(|e| e.to_string())?;
    let session = session_row(&store::session_entry(folder));
    Ok(FinishedSession { quality: quality(&loaded, session.size_bytes), session })
}

pub fn opened(loaded: &StoredSession) -> Result<OpenedSession, StoreError> {
    let session = session_row(&store::session_entry(loaded.file.folder()));
    let frames = loaded.file.frames()?.metas().collect();
    Ok(OpenedSession {
        quality: quality(loaded, session.size_bytes),
        study_title: loaded.file.header().study.title.clone(),
        timeline: as_shown(&loaded.timeline),
        has_page: page_events(&loaded.timeline).next().is_some(),
        frames,
        facts: facts(loaded),
        // A study that cannot be read gives no labels. Labels that are in use are still offered.
        annotation_labels: loaded.file.header().study.excerpt().map(|s| s.annotation_labels).unwrap_or_default(),
        baseline: baseline_of(&loaded.timeline, AFFECT, &baseline_phases(&loaded.timeline)),
        poor: poor_stretches(&sample_quality(&loaded.timeline), &QualityLimits::default()),
        session,
    })
}

/// The recorded events of the page's replay, ordered by time.
pub fn page_events(timeline: &Timeline) -> impl Iterator<Item = (Timestamp, &Map<String, Value>)> {
    timeline.events().iter().filter(|e| e.stream.as_str() == REPLAY).map(|e| (e.at, &e.what.data))
}

/// The timeline with deleted text as events, and with later scores merged into the live ones.
fn as_shown(stored: &Timeline) -> Timeline {
    let mut timeline = stored.completed();
    let stream = deleted_stream();
    let events = deleted_events(stored, &stream);
    timeline.declare_added(stream);
    events.iter().for_each(|r| timeline.ingest(r));
    timeline
}

fn facts(loaded: &StoredSession) -> Vec<(String, String)> {
    let h = loaded.file.header();
    let mut facts = vec![
        ("Recorded".to_owned(), h.zero_utc.format("%Y-%m-%d %H:%M:%S UTC").to_string()),
        ("Software".to_owned(), format!("{} on {}", h.software_with_revision(), h.host)),
        ("Camera".to_owned(), h.camera.to_string()),
    ];
    for m in &h.models {
        let sum = if m.sha256.is_empty() { m.sum().to_owned() } else { format!("{}…", m.short_sum()) };
        facts.push(("Network".to_owned(), format!("{} {} ({sum}{})", m.name, m.version, m.remark())));
    }
    let consent = h.consent.as_ref().map_or("not recorded".to_owned(), |c| {
        let how = match (c.by, &c.name_typed) {
            (Some(ConsentBy::Participant), Some(typed)) => format!("given by the participant (“{typed}”)"),
            (Some(ConsentBy::Participant), None) => "given by the participant".to_owned(),
            (Some(ConsentBy::Operator) | None, _) => "confirmed".to_owned(),
        };
        format!(
            "{how} {} (text {}…)",
            c.given_at.format("%Y-%m-%d %H:%M:%S UTC"),
            c.text_sha256.get(..12).unwrap_or(&c.text_sha256)
        )
    });
    facts.push(("Consent".to_owned(), consent));
    if let Some(condition) = &h.condition {
        let by_hand = h.condition_assigned.as_ref().filter(|assigned| *assigned != condition);
        let how = by_hand.map(|a| format!(" (chosen by hand; assigned was {a})")).unwrap_or_default();
        facts.push(("Condition".to_owned(), format!("{condition}{how}")));
    }
    if h.pilot {
        facts.push(("Pilot".to_owned(), "recorded by the operator to try the study".to_owned()));
    }
    if !h.overridden_checks.is_empty() {
        facts.push(("Overridden checks".to_owned(), CheckId::texts(&h.overridden_checks)));
    }
    facts
}

fn quality(loaded: &StoredSession, size_bytes: u64) -> port::QualityReport {
    let q = &loaded.quality;
    let mut events_by_kind: Vec<_> = q.events.iter().map(|(kind, n)| (kind.clone(), *n)).collect();
    events_by_kind.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    port::QualityReport {
        grade: q.grade,
        findings: q.findings().into_iter().chain(q.end.pauses.sentence()).collect(),
        length: Duration::try_from_secs_f64(q.seconds).unwrap_or_default(),
        frames_expected: q.frames_expected,
        frames_stored: q.frames_stored,
        frames_scored: q.frames_scored,
        frames_skipped: q.frames_skipped,
        lost: lost(q),
        largest_gap: largest_gap(&loaded.timeline, q),
        face_share: q.face_share,
        page_clock_uncertainty_ms: q.clock_uncertainty_ms,
        page_busy: q.page_busy,
        events_by_kind,
        size_bytes,
    }
}

/// A time without a frame that is longer than this is shown, although no record says why.
const UNEXPLAINED_GAP_S: f64 = 0.2;

/// The longest gap record of the video, or a longer time without a frame that no such record explains.
fn largest_gap(timeline: &Timeline, q: &QualityReport) -> Option<LargestGap> {
    let gaps = || timeline.gaps().iter().filter(|g| g.stream.as_str() == VIDEO);
    let told = gaps().max_by_key(|g| g.what.until.since_ns(g.at)).map(|g| LargestGap {
        at: g.at,
        lasted: Duration::from_nanos(g.what.until.since_ns(g.at).max(0) as u64),
        stream: g.stream.to_string(),
        reason: g.what.reason.to_string(),
    });
    let Some(from) = q.largest_gap_at.filter(|_| q.largest_gap_s > UNEXPLAINED_GAP_S) else { return told };
    let until = from + Duration::try_from_secs_f64(q.largest_gap_s).unwrap_or_default();
    // A record begins after the last frame, and ends before the next one.
    let explained_s = gaps().map(|g| g.what.until.min(until).seconds_since(g.at.max(from)).max(0.0)).sum::<f64>();
    if explained_s * 2.0 >= q.largest_gap_s {
        return told;
    }
    let reason = if q.silent_end_s >= q.largest_gap_s { "no frame until the end" } else { "no frame" };
    let lasted = Duration::try_from_secs_f64(q.largest_gap_s).unwrap_or_default();
    Some(LargestGap { at: from, lasted, stream: VIDEO.to_owned(), reason: reason.to_owned() })
}

/// Frames and records.
fn lost(q: &QualityReport) -> u64 {
    q.gaps.iter().filter(|(reason, _)| reason.is_loss()).map(|(_, g)| g.lost).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use analysis::Footage;
    use session::{Body, Gap, GapReason, HEALTH, Record, health_stream, video_stream};

    fn record(stream: &str, at_ms: i64, body: Body) -> Record {
        let at = Timestamp::from_ns(at_ms * 1_000_000);
        Record { stream: Arc::new(stream.parse().unwrap()), seq: at_ms as u64, at, body }
    }

    /// Frames at 10 Hz without those from 2 to 4 s, of a recording that was stopped at `stopped_ms`.
    fn shown(gap: Option<GapReason>, stopped_ms: i64) -> Option<(f64, String)> {
        let mut timeline = Timeline::default();
        [health_stream(), video_stream("c")].into_iter().for_each(|stream| timeline.declare(stream));
        let times: Vec<_> =
            (0..100).filter(|k| !(21..40).contains(k)).map(|k| Timestamp::from_ns(k * 100_000_000)).collect();
        let until = Timestamp::from_ns(4_000_000_000);
        let gap =
            gap.map(|reason| record(VIDEO, 2_100, Body::Gap(Gap { until, reason, lost: 19, note: String::new() })));
        let stopped = record(HEALTH, stopped_ms, Body::event("recording_stopped", serde_json::json!({})));
        gap.iter().chain([&stopped]).for_each(|record| timeline.ingest(record));
        let footage = Footage { times: &times, nominal_rate_hz: 10.0, ..Footage::default() };
        let gap = largest_gap(&timeline, &analysis::quality(&timeline, &footage))?;
        Some((gap.lasted.as_secs_f64(), gap.reason))
    }

    #[test]
    fn a_time_without_frames_that_no_record_explains_is_the_largest_gap() {
        let at = |gap, stopped_ms| shown(gap, stopped_ms).unwrap();
        assert_eq!(at(Some(GapReason::CameraLost), 10_000), (1.9, "camera lost".to_owned()));
        assert_eq!(at(None, 10_000), (2.0, "no frame".to_owned()));
        let (lasted_s, reason) = at(Some(GapReason::CameraLost), 39_900);
        assert!((lasted_s - 30.0).abs() < 1e-6 && reason == "no frame until the end", "{lasted_s} {reason}");
    }
}
