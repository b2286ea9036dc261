//! Totals over all sessions of a report, computed while each one is in memory.

use std::collections::{BTreeMap, BTreeSet};

use crate::{ExportedSession, PlaneCounts};
use analysis::{FaceRecord, Grade, LossByReason, QualityReport};
use session::{GapReason, ParticipantId};
use store::{ModelDescription, SessionHeader};

#[derive(Default)]
pub(super) struct Tally {
    pub rows: Vec<(SessionHeader, QualityReport)>,
    pub plane: PlaneCounts,
    /// One per participant.
    pub means: BTreeMap<ParticipantId, PlaneCounts>,
    pub events: BTreeMap<String, u64>,
    pub gaps: BTreeMap<GapReason, LossByReason>,
    pub grades: BTreeMap<Grade, u64>,
    /// Of the sessions that stored pictures.
    pub cameras: BTreeSet<String>,
    /// Number of sessions by what they were asked to record of the face.
    pub face_records: BTreeMap<FaceRecord, u64>,
    pub recorders: BTreeSet<String>,
    /// Streams and the software that made them.
    pub streams: BTreeMap<String, BTreeSet<String>>,
    models: Vec<ModelDescription>,
}

impl Tally {
    pub(super) fn add(&mut self, session: &ExportedSession) {
        let (h, q) = (&session.header, &session.quality);
        let plane = PlaneCounts::of(&session.timeline);
        self.plane.merge(&plane);
        self.means.entry(h.participant.clone()).or_default().merge(&plane);
        q.events.iter().for_each(|(kind, n)| *self.events.entry(kind.clone()).or_insert(0) += n);
        for (reason, gap) in &q.gaps {
            let sum = self.gaps.entry(*reason).or_default();
            sum.count += gap.count;
            sum.seconds += gap.seconds;
            sum.lost += gap.lost;
        }
        *self.grades.entry(q.grade).or_insert(0) += 1;
        let c = &h.camera;
        *self.face_records.entry(q.face_record).or_insert(0) += 1;
        if q.face_record == FaceRecord::Pictures {
            self.cameras.insert(format!("{}, {} × {} px, {:.2} frames/s", c.name, c.width_px, c.height_px, c.rate_hz));
        }
        self.recorders.insert(h.software.clone());
        for stream in session.timeline.streams() {
            self.streams.entry(stream.name.to_string()).or_default().insert(stream.software.clone());
        }
        for model in &h.models {
            if !self.models.contains(model) {
                self.models.push(model.clone());
            }
        }
        self.rows.push((h.clone(), q.clone()));
    }

    pub(super) fn models(&self) -> &[ModelDescription] {
        &self.models
    }

    pub(super) fn participants(&self) -> usize {
        self.means.len()
    }

    pub(super) fn participant_means(&self) -> Vec<(f64, f64)> {
        self.means.values().filter_map(PlaneCounts::mean).collect()
    }

    pub(super) fn sum(&self, of: impl Fn(&QualityReport) -> u64) -> u64 {
        self.rows.iter().map(|(_, q)| of(q)).sum()
    }

    /// Number of sessions that were asked for this.
    pub(super) fn asked_for(&self, face_record: FaceRecord) -> u64 {
        self.face_records.get(&face_record).copied().unwrap_or(0)
    }

    pub(super) fn seconds(&self) -> f64 {
        self.rows.iter().map(|(_, q)| q.seconds).sum()
    }

    /// Frames with a face over frames scored, of all sessions together.
    pub(super) fn face_share(&self) -> Option<f64> {
        let with_face: f64 = self.rows.iter().filter_map(|(_, q)| Some(q.face_share? * q.frames_scored as f64)).sum();
        let scored = self.sum(|q| q.frames_scored);
        (scored > 0).then(|| with_face / scored as f64)
    }

    /// `None` if no session contains it.
    pub(super) fn page_longest_busy_s(&self) -> Option<f64> {
        self.rows.iter().filter_map(|(_, q)| q.page_busy.map(|b| b.longest_s)).reduce(f64::max)
    }

    pub(super) fn clock_uncertainty_ms(&self) -> Option<f64> {
        self.rows.iter().filter_map(|(_, q)| q.clock_uncertainty_ms).reduce(f64::max)
    }
}
