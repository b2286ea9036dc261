//! Epochs of valence and arousal around chosen events, on a common grid. Unsuitable epochs are dropped and counted.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::plan::ns;
use super::{
    AnalysisError, Baseline, Correction, EpochPlan, EventChoice, Flaw, Measure, Onset, SampleQuality, Signal, Zero,
    baseline_of, baseline_phases, sample_quality, signal,
};
use session::{AFFECT, EventRow, FACE, Gap, GapReason, ParticipantId, Rows, SessionNumber, Timeline, Timestamp};

/// Why an epoch is dropped. Each one is counted for its first reason in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    Overlap,
    OutsideRecording,
    FaceMissing,
    DataMissing,
    FaceTooSmall,
    FaceTurned,
    Light,
    Blurred,
    Uncertain,
    NoBaseline,
}

impl DropReason {
    pub const ALL: [DropReason; 10] = [
        DropReason::Overlap,
        DropReason::OutsideRecording,
        DropReason::FaceMissing,
        DropReason::DataMissing,
        DropReason::FaceTooSmall,
        DropReason::FaceTurned,
        DropReason::Light,
        DropReason::Blurred,
        DropReason::Uncertain,
        DropReason::NoBaseline,
    ];
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            DropReason::Overlap => "overlaps the event before",
            DropReason::OutsideRecording => "reaches outside the recording",
            DropReason::FaceMissing => "face missing",
            DropReason::DataMissing => "samples missing",
            DropReason::FaceTooSmall => "face too small",
            DropReason::FaceTurned => "face turned away",
            DropReason::Light => "face too dark or too bright",
            DropReason::Blurred => "face blurred",
            DropReason::Uncertain => "network uncertain",
            DropReason::NoBaseline => "no guided baseline phase",
        })
    }
}

impl From<Flaw> for DropReason {
    fn from(flaw: Flaw) -> DropReason {
        match flaw {
            Flaw::Small => DropReason::FaceTooSmall,
            Flaw::Turned => DropReason::FaceTurned,
            Flaw::Light => DropReason::Light,
            Flaw::Blurred => DropReason::Blurred,
            Flaw::Uncertain => DropReason::Uncertain,
        }
    }
}

/// Counts by reason as text: `face missing 3, overlaps the event before 1`.
pub fn describe_dropped(dropped: &BTreeMap<DropReason, u64>) -> String {
    let parts: Vec<_> = dropped.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
    if parts.is_empty() { "nothing dropped".to_owned() } else { parts.join(", ") }
}

/// One measure of one epoch: the stored values, resampled, and the baseline to subtract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trace {
    pub raw: Vec<f32>,
    /// Mean over the plan's baseline window; without one, the participant's baseline mean.
    pub zero: Option<f64>,
    /// Of the participant's guided baseline phase.
    pub spread: Option<f64>,
}

impl Trace {
    /// `None` if the correction needs a baseline that the session does not have.
    pub fn values(&self, correction: Correction) -> Option<Vec<f64>> {
        let (zero, scale) = match correction {
            Correction::Raw => (0.0, 1.0),
            Correction::Corrected => (self.zero?, 1.0),
            Correction::ZScored => (self.zero?, self.spread?),
        };
        Some(self.raw.iter().map(|v| (f64::from(*v) - zero) / scale).collect())
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Epoch {
    pub onset: Timestamp,
    /// Of the event in its stream.
    pub event_seq: u64,
    pub valence: Trace,
    pub arousal: Trace,
}

impl Epoch {
    pub fn trace(&self, measure: Measure) -> &Trace {
        match measure {
            Measure::Valence => &self.valence,
            Measure::Arousal => &self.arousal,
        }
    }
}

/// The epochs of one session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionEpochs {
    pub participant: ParticipantId,
    pub session: SessionNumber,
    /// Events that the choice matched: kept and dropped.
    pub matched: u64,
    pub epochs: Vec<Epoch>,
    pub dropped: BTreeMap<DropReason, u64>,
    /// From the guided baseline phase. `None` if the session has none.
    pub baseline: Option<Baseline>,
}

/// Cuts the epochs of the chosen events of one session. `timeline` may contain the whole session, or only
/// [`EpochPlan::reach_s`] around the events, the baseline phases, and each stream's first and last sample.
pub fn epochs(
    timeline: &Timeline,
    participant: &ParticipantId,
    session: SessionNumber,
    choice: &EventChoice,
    plan: &EpochPlan,
) -> Result<SessionEpochs, AnalysisError> {
    plan.check()?;
    let onsets = choice.choose(timeline)?;
    let cutter = Cutter::new(timeline, plan);
    let (mut kept, mut dropped) = (Vec::new(), BTreeMap::new());
    let mut busy_until: Option<Timestamp> = None;
    for onset in &onsets {
        let (from, until) = cutter.reach(onset);
        let overlaps = !plan.keep_overlapping && busy_until.is_some_and(|busy| from < busy);
        // Overlaps are determined before any value is read.
        let cut = if overlaps { Err(DropReason::Overlap) } else { cutter.cut(onset, from, until) };
        if !overlaps {
            busy_until = Some(until);
        }
        match cut {
            Ok(epoch) => kept.push(epoch),
            Err(reason) => *dropped.entry(reason).or_insert(0) += 1,
        }
    }
    Ok(SessionEpochs {
        participant: participant.clone(),
        session,
        matched: onsets.len() as u64,
        epochs: kept,
        dropped,
        baseline: cutter.baseline,
    })
}

struct Cutter<'a> {
    timeline: &'a Timeline,
    plan: &'a EpochPlan,
    signals: [Signal; 2],
    looks: Vec<SampleQuality>,
    baseline: Option<Baseline>,
    /// First and last time of the stream's records.
    recorded: Option<(Timestamp, Timestamp)>,
    window_ns: Vec<i64>,
    before_ns: Option<Vec<i64>>,
}

impl<'a> Cutter<'a> {
    fn new(timeline: &'a Timeline, plan: &'a EpochPlan) -> Self {
        let signals = Measure::ALL.map(|m| signal(timeline, plan.source(), m.as_str()).unwrap_or_default());
        let rows = Rows::of(timeline, plan.source()).filter(|rows| !rows.is_empty());
        let samples = rows.into_iter().flat_map(|rows| [rows.time(0), rows.time(rows.len() - 1)]);
        let gaps =
            timeline.gaps().iter().filter(|g| g.stream.as_str() == plan.source()).flat_map(|g| [g.at, g.what.until]);
        let covered: Vec<Timestamp> = samples.chain(gaps).collect();
        Cutter {
            timeline,
            plan,
            signals,
            looks: sample_quality(timeline),
            baseline: baseline_of(timeline, plan.source(), &baseline_phases(timeline)),
            recorded: covered.iter().min().copied().zip(covered.iter().max().copied()),
            window_ns: plan.grid_ns(plan.window_s),
            before_ns: plan.baseline_s.map(|window| plan.grid_ns(window)),
        }
    }

    fn reach(&self, onset: &Onset) -> (Timestamp, Timestamp) {
        let (from, until) = self.plan.reach_s();
        let at = |s: f64| Timestamp::from_ns(onset.at.as_ns().saturating_add(ns(s)));
        (at(from), at(until))
    }

    fn cut(&self, onset: &Onset, from: Timestamp, until: Timestamp) -> Result<Epoch, DropReason> {
        if self.recorded.is_none_or(|(first, last)| from < first || until > last) {
            return Err(DropReason::OutsideRecording);
        }
        let [valence, arousal] = Measure::ALL.map(|measure| self.trace(onset, measure));
        let (valence, arousal) = (valence?, arousal?);
        self.look_at_quality(from, until)?;
        let epoch = Epoch { onset: onset.at, event_seq: onset.seq, valence, arousal };
        let can = |measure| epoch.trace(measure).values(self.plan.zero).is_some();
        if Measure::ALL.into_iter().all(can) { Ok(epoch) } else { Err(DropReason::NoBaseline) }
    }

    fn trace(&self, onset: &Onset, measure: Measure) -> Result<Trace, DropReason> {
        let signal = &self.signals[measure as usize];
        let on_grid = |offsets: &[i64]| {
            let values = signal.on_grid(offsets, onset.at.as_ns(), self.plan.step_ns(), self.plan.bridge_ns());
            match values.iter().position(|v| !v.is_finite()) {
                None => Ok(values),
                Some(hole) => Err(self.why_missing(onset.at.as_ns().saturating_add(offsets[hole]))),
            }
        };
        let raw = on_grid(&self.window_ns)?;
        let guided: Option<Zero> = self.baseline.as_ref().map(|b| b.of(measure));
        let zero = match &self.before_ns {
            Some(offsets) => {
                let before = on_grid(offsets)?;
                Some(before.iter().map(|v| f64::from(*v)).sum::<f64>() / before.len() as f64)
            }
            None => guided.map(|g| g.zero),
        };
        Ok(Trace { raw, zero, spread: guided.and_then(|g| g.spread) })
    }

    /// The gaps show whether there was no face, or whether the frames were not scored.
    fn why_missing(&self, at_ns: i64) -> DropReason {
        let reach = self.plan.bridge_ns();
        let is_there = |g: &EventRow<Gap>| {
            g.at.as_ns() <= at_ns.saturating_add(reach) && g.what.until.as_ns() >= at_ns.saturating_sub(reach)
        };
        let of_face = |g: &EventRow<Gap>| [AFFECT, FACE].contains(&g.stream.as_str());
        let says_no_face = |g: &EventRow<Gap>| g.what.reason == GapReason::NoFace && of_face(g) && is_there(g);
        if self.timeline.gaps().iter().any(says_no_face) { DropReason::FaceMissing } else { DropReason::DataMissing }
    }

    fn look_at_quality(&self, from: Timestamp, until: Timestamp) -> Result<(), DropReason> {
        let start = self.looks.partition_point(|l| l.at < from);
        let looks = &self.looks[start..self.looks.partition_point(|l| l.at <= until).max(start)];
        let mut flaws: BTreeMap<Flaw, usize> = BTreeMap::new();
        looks.iter().filter_map(|l| self.plan.limits.flaw(l)).for_each(|f| *flaws.entry(f).or_insert(0) += 1);
        let failing: usize = flaws.values().sum();
        if failing as f32 <= self.plan.limits.most_failing * looks.len() as f32 {
            return Ok(());
        }
        flaws.into_iter().max_by_key(|(_, n)| *n).map_or(Ok(()), |(flaw, _)| Err(flaw.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::QualityLimits;
    use serde_json::json;
    use session::{Body, Record, affect_stream, face, face_stream, marker_stream, phase_stream};
    use std::sync::Arc;

    const STEP_NS: i64 = 40_000_000;

    /// 60 s at 25 Hz: valence is time over 100, arousal 0.5; a marker where the test says.
    struct Scene {
        timeline: Timeline,
        seq: u64,
    }

    impl Scene {
        fn new(holes_s: &[(f64, f64)], turned_s: &[(f64, f64)]) -> Scene {
            let mut scene = Scene { timeline: Timeline::default(), seq: 0 };
            [affect_stream(25.0, "m"), face_stream(25.0, "m"), marker_stream(), phase_stream()]
                .into_iter()
                .for_each(|s| scene.timeline.declare(s));
            let inside = |s: f64, all: &[(f64, f64)]| all.iter().any(|(a, b)| (*a..*b).contains(&s));
            for k in (0..1500).filter(|k| !inside(f64::from(*k) * 0.04, holes_s)) {
                let s = f64::from(k) * 0.04;
                let mut look = [0f32; face::FIELDS];
                (look[face::INTER_OCULAR], look[face::BRIGHTNESS]) = (80.0, 0.5);
                look[face::YAW] = if inside(s, turned_s) { 70.0 } else { 3.0 };
                let mut values = [0.1f32; 12];
                (values[0], values[1]) = ((s / 100.0) as f32, 0.5);
                scene.sample("affect", k, &values);
                scene.sample("face", k, &look);
            }
            scene
        }

        fn put(&mut self, stream: &str, at_ns: i64, body: Body) {
            let stream = Arc::new(stream.parse().unwrap());
            self.timeline.ingest(&Record { stream, seq: self.seq, at: Timestamp::from_ns(at_ns), body });
            self.seq += 1;
        }

        fn sample(&mut self, stream: &str, k: i32, values: &[f32]) {
            let body = Body::Sample { frame: Some(k as u64), values: values.into() };
            self.put(stream, i64::from(k) * STEP_NS, body);
        }

        fn markers(mut self, at_s: &[f64]) -> Scene {
            at_s.iter().for_each(|s| self.put("marker", ns(*s), Body::event("marker", json!({"label": "go"}))));
            self
        }

        fn cut(&self, plan: &EpochPlan) -> SessionEpochs {
            let choice = EventChoice::stream("marker".parse().unwrap());
            epochs(&self.timeline, &ParticipantId::numbered(1), SessionNumber(1), &choice, plan).unwrap()
        }
    }

    fn plan() -> EpochPlan {
        EpochPlan { rate_hz: 25.0, ..EpochPlan::default() }
    }

    #[test]
    fn an_epoch_holds_the_values_around_its_event_from_its_own_zero() {
        let cut = Scene::new(&[], &[]).markers(&[10.0, 20.02]).cut(&plan());
        assert_eq!((cut.matched, cut.epochs.len(), cut.dropped.len()), (2, 2, 0));
        for (epoch, onset) in cut.epochs.iter().zip([10.0, 20.02]) {
            assert_eq!(epoch.valence.raw.len(), 126);
            assert!((f64::from(epoch.valence.raw[25]) - onset / 100.0).abs() < 1e-6);
            assert!((epoch.valence.zero.unwrap() - (onset - 0.5) / 100.0).abs() < 1e-6);
            let corrected = epoch.valence.values(Correction::Corrected).unwrap();
            assert!((corrected[125] - 0.045).abs() < 1e-6, "{}", corrected[125]);
            assert_eq!(epoch.valence.values(Correction::ZScored), None);
        }
    }

    #[test]
    fn every_dropped_epoch_has_its_reason() {
        // A hole of 0.2 s is bridged; longer ones are distinguished by their gaps.
        let holes = [(12.0, 12.2), (21.0, 22.0), (31.0, 32.0)];
        let mut scene =
            Scene::new(&holes, &[(39.0, 43.5), (50.0, 50.5)]).markers(&[0.5, 10.0, 12.0, 20.0, 30.0, 40.0, 49.0, 57.0]);
        let gap =
            Gap { until: Timestamp::from_secs_f64(22.0), reason: GapReason::NoFace, lost: 25, note: String::new() };
        scene.put("affect", ns(21.0), Body::Gap(gap));
        let cut = scene.cut(&plan());
        let onsets: Vec<f64> = cut.epochs.iter().map(|e| e.onset.as_secs_f64()).collect();
        assert_eq!(onsets, [10.0, 49.0]);
        let expected = [
            (DropReason::Overlap, 1),
            (DropReason::OutsideRecording, 2),
            (DropReason::FaceMissing, 1),
            (DropReason::DataMissing, 1),
            (DropReason::FaceTurned, 1),
        ];
        assert_eq!(cut.dropped, BTreeMap::from(expected));
        assert_eq!(cut.matched, cut.epochs.len() as u64 + cut.dropped.values().sum::<u64>());

        let all = EpochPlan { keep_overlapping: true, limits: QualityLimits::NONE, ..plan() };
        assert_eq!(scene.cut(&all).epochs.len(), 4);
        let guided = EpochPlan { baseline_s: None, ..plan() };
        assert_eq!(scene.cut(&guided).dropped[&DropReason::NoBaseline], 2);
        assert!(describe_dropped(&cut.dropped).starts_with("overlaps the event before 1, "));
    }

    #[test]
    fn the_guided_baseline_gives_zero_and_spread() {
        let mut scene = Scene::new(&[], &[]).markers(&[30.0]);
        for (s, what) in [(5.0, "start"), (15.0, "end")] {
            scene.put("phase", ns(s), Body::event(what, json!({"name": "cross", "kind": "baseline"})));
        }
        let guided = EpochPlan { baseline_s: None, zero: Correction::ZScored, ..plan() };
        let cut = scene.cut(&guided);
        // Arousal never varies in this session, so it has no spread to be counted in.
        assert_eq!(cut.dropped[&DropReason::NoBaseline], 1);
        let cut = scene.cut(&EpochPlan { zero: Correction::Corrected, ..guided });
        let trace = &cut.epochs[0].valence;
        assert!((trace.zero.unwrap() - 0.0998).abs() < 1e-6);
        let z = trace.values(Correction::ZScored).unwrap();
        assert!((z[25] - (0.30 - 0.0998) / trace.spread.unwrap()).abs() < 1e-4);
        assert!((trace.spread.unwrap() - 0.0289).abs() < 1e-3);
    }

    #[test]
    fn values_that_are_no_numbers_are_missing() {
        let mut scene = Scene::new(&[(11.0, 12.0)], &[]).markers(&[10.0]);
        (275..300).for_each(|k| scene.sample("affect", k, &[f32::NAN; 12]));
        assert_eq!(scene.cut(&plan()).dropped, BTreeMap::from([(DropReason::DataMissing, 1)]));
    }

    #[test]
    fn nothing_recorded_is_no_panic() {
        let choice = EventChoice::stream("marker".parse().unwrap());
        let empty = Timeline::default();
        let cut = epochs(&empty, &ParticipantId::numbered(1), SessionNumber(1), &choice, &plan()).unwrap();
        assert_eq!((cut.matched, cut.epochs.len()), (0, 0));
        let mut scene = Scene { timeline: Timeline::default(), seq: 0 };
        scene.timeline.declare(marker_stream());
        let cut = scene.markers(&[1.0]).cut(&plan());
        assert_eq!(cut.dropped, BTreeMap::from([(DropReason::OutsideRecording, 1)]));
    }
}
