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
    let worst = loaded
        .timeline
        .gaps()
        .iter()
        .filter(|g| g.stream.as_str() == VIDEO)
        .max_by_key(|g| g.what.until.since_ns(g.at));
    port::QualityReport {
        grade: q.grade,
        findings: q.findings().into_iter().chain(q.end.pauses.sentence()).collect(),
        length: Duration::try_from_secs_f64(q.seconds).unwrap_or_default(),
        frames_expected: q.frames_expected,
        frames_stored: q.frames_stored,
        frames_scored: q.frames_scored,
        frames_skipped: q.frames_skipped,
        lost: lost(q),
        largest_gap: worst.map(|g| LargestGap {
            at: g.at,
            lasted: Duration::from_nanos(g.what.until.since_ns(g.at).max(0) as u64),
            stream: g.stream.to_string(),
            reason: g.what.reason.to_string(),
        }),
        face_share: q.face_share,
        page_clock_uncertainty_ms: q.clock_uncertainty_ms,
        page_busy: q.page_busy,
        events_by_kind,
        size_bytes,
    }
}

/// Frames and records.
fn lost(q: &QualityReport) -> u64 {
    q.gaps.iter().filter(|(reason, _)| reason.is_loss()).map(|(_, g)| g.lost).sum()
}
