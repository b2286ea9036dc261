//! Epochs of the plan's signals around chosen events, on a common grid. Unsuitable epochs are dropped and counted.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::plan::ns;
use super::session_signal::{Grid, SessionSignal};
use super::{
    AnalysisError, EpochPlan, EventChoice, Flaw, Onset, SampleQuality, SignalId, Trace, baseline_phases, sample_quality,
};
use session::{AFFECT, EventRow, FACE, Gap, GapReason, ParticipantId, SessionNumber, Timeline, Timestamp};

/// Why an epoch is dropped. Each one is counted for its first reason in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    Overlap,
    StreamMissing,
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
    pub const ALL: [DropReason; 11] = [
        DropReason::Overlap,
        DropReason::StreamMissing,
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
            DropReason::StreamMissing => "stream or field missing",
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

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Epoch {
    pub onset: Timestamp,
    /// Of the event in its stream.
    pub event_seq: u64,
    /// In the order of [`SessionEpochs::signals`].
    pub traces: Vec<Trace>,
}

/// A signal of a session's epochs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CutSignal {
    pub id: SignalId,
    /// As the session's stream states it. `None`: the session has no such stream or field.
    pub unit: Option<String>,
}

/// The epochs of one session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionEpochs {
    pub participant: ParticipantId,
    pub session: SessionNumber,
    /// In the order of the plan.
    pub signals: Vec<CutSignal>,
    /// Events that the choice matched: kept and dropped.
    pub matched: u64,
    pub epochs: Vec<Epoch>,
    pub dropped: BTreeMap<DropReason, u64>,
}

impl SessionEpochs {
    /// The position of a signal in the epochs' traces.
    pub(super) fn position(&self, signal: &SignalId) -> Result<usize, AnalysisError> {
        let position = self.signals.iter().position(|cut| cut.id == *signal);
        position.ok_or_else(|| AnalysisError::NotCut(signal.clone()))
    }

    /// Whether the session has no such stream or field, so that all of its events are dropped.
    pub fn lacks(&self, signal: &SignalId) -> bool {
        self.signals.iter().any(|cut| cut.id == *signal && cut.unit.is_none())
    }
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
        signals: cutter.cut_signals(),
        matched: onsets.len() as u64,
        epochs: kept,
        dropped,
    })
}

struct Cutter<'a> {
    timeline: &'a Timeline,
    plan: &'a EpochPlan,
    /// In the order of the plan. `None`: the session has no such stream or field.
    signals: Vec<Option<SessionSignal>>,
    /// Empty if no signal is read from the face.
    looks: Vec<SampleQuality>,
    grid: Grid,
}

impl<'a> Cutter<'a> {
    fn new(timeline: &'a Timeline, plan: &'a EpochPlan) -> Self {
        let phases = baseline_phases(timeline);
        Cutter {
            timeline,
            plan,
            signals: plan.signals.iter().map(|id| SessionSignal::of(timeline, plan, id, &phases)).collect(),
            looks: if plan.reads_the_face() { sample_quality(timeline) } else { Vec::new() },
            grid: Grid {
                window_ns: plan.grid_ns(plan.window_s),
                before_ns: plan.baseline_s.map(|window| plan.grid_ns(window)),
            },
        }
    }

    fn cut_signals(self) -> Vec<CutSignal> {
        let units = self.signals.into_iter().map(|signal| signal.map(|signal| signal.unit));
        self.plan.signals.iter().cloned().zip(units).map(|(id, unit)| CutSignal { id, unit }).collect()
    }

    fn reach(&self, onset: &Onset) -> (Timestamp, Timestamp) {
        let (from, until) = self.plan.reach_s();
        let at = |s: f64| Timestamp::from_ns(onset.at.as_ns().saturating_add(ns(s)));
        (at(from), at(until))
    }

    fn cut(&self, onset: &Onset, from: Timestamp, until: Timestamp) -> Result<Epoch, DropReason> {
        let signals: Option<Vec<&SessionSignal>> = self.signals.iter().map(Option::as_ref).collect();
        let signals = signals.ok_or(DropReason::StreamMissing)?;
        if !signals.iter().all(|signal| signal.covers(from, until)) {
            return Err(DropReason::OutsideRecording);
        }
        let trace = |signal: &&SessionSignal| {
            let cut = signal.trace(onset.at.as_ns(), &self.grid);
            cut.map_err(|hole_ns| self.why_missing(signal, hole_ns))
        };
        let traces = signals.iter().map(trace).collect::<Result<Vec<_>, _>>()?;
        self.look_at_quality(from, until)?;
        if traces.iter().any(|trace| trace.values(self.plan.zero).is_none()) {
            return Err(DropReason::NoBaseline);
        }
        Ok(Epoch { onset: onset.at, event_seq: onset.seq, traces })
    }

    /// The gaps show whether there was no face, or whether the frames were not scored.
    fn why_missing(&self, signal: &SessionSignal, at_ns: i64) -> DropReason {
        let reach = signal.bridge_ns;
        let is_there = |g: &EventRow<Gap>| {
            g.at.as_ns() <= at_ns.saturating_add(reach) && g.what.until.as_ns() >= at_ns.saturating_sub(reach)
        };
        let of_face = |g: &EventRow<Gap>| [AFFECT, FACE].contains(&g.stream.as_str());
        let says_no_face = |g: &EventRow<Gap>| g.what.reason == GapReason::NoFace && of_face(g) && is_there(g);
        let is_face_missing = signal.is_of_the_face && self.timeline.gaps().iter().any(says_no_face);
        if is_face_missing { DropReason::FaceMissing } else { DropReason::DataMissing }
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
    use crate::{Correction, QualityLimits};
    use serde_json::json;
    use session::{
        Body, Field, Record, StreamInfo, StreamKind, affect_stream, face, face_stream, marker_stream, phase_stream,
        rating_stream,
    };
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
            assert_eq!(epoch.traces[0].raw.len(), 126);
            assert!((f64::from(epoch.traces[0].raw[25]) - onset / 100.0).abs() < 1e-6);
            assert!((epoch.traces[0].zero.unwrap() - (onset - 0.5) / 100.0).abs() < 1e-6);
            let corrected = epoch.traces[0].values(Correction::Corrected).unwrap();
            assert!((corrected[125] - 0.045).abs() < 1e-6, "{}", corrected[125]);
            assert_eq!(epoch.traces[0].values(Correction::ZScored), None);
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
        let trace = &cut.epochs[0].traces[0];
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
        assert_eq!(cut.dropped, BTreeMap::from([(DropReason::StreamMissing, 1)]));
        assert!(cut.lacks(&SignalId::valence()) && cut.signals.len() == 2);
    }

    /// A session of 60 s with skin conductance at 250 Hz and a pulse at 1 Hz, each its time over 100.
    fn physiology(mut scene: Scene) -> Scene {
        let of = |name: &str, field: &str, unit: &str, hz| StreamInfo {
            name: name.parse().unwrap(),
            kind: StreamKind::Samples,
            description: "test".into(),
            fields: vec![Field::new(field, unit, "")],
            nominal_rate_hz: Some(hz),
            software: "test".into(),
        };
        for (stream, hz) in [(of("lsl_eda", "EDA", "uS", 250.0), 250i64), (of("pulse", "rate_bpm", "1/min", 1.0), 1)] {
            let name = stream.name.to_string();
            scene.timeline.declare(stream);
            for k in 0..60 * hz {
                let at_ns = k * 1_000_000_000 / hz;
                let values = [(at_ns as f64 * 1e-11) as f32];
                scene.put(&name, at_ns, Body::Sample { frame: None, values: values[..].into() });
            }
        }
        scene
    }

    fn signals(all: &[&str]) -> EpochPlan {
        EpochPlan { signals: all.iter().map(|text| text.parse().unwrap()).collect(), ..plan() }
    }

    #[test]
    fn any_field_of_any_stream_is_cut_and_its_unit_is_known() {
        let scene = physiology(Scene::new(&[], &[])).markers(&[10.0, 20.02]);
        let cut = scene.cut(&signals(&["lsl_eda.EDA", "pulse.rate_bpm", "affect.valence"]));
        assert_eq!((cut.epochs.len(), cut.dropped.len()), (2, 0), "{:?}", cut.dropped);
        let units: Vec<_> = cut.signals.iter().map(|signal| signal.unit.as_deref().unwrap()).collect();
        assert_eq!(units, ["uS", "1/min", "1"]);
        for (epoch, onset) in cut.epochs.iter().zip([10.0, 20.02]) {
            for trace in &epoch.traces {
                assert_eq!(trace.raw.len(), 126);
                // The mean of ten samples is half a sample early.
                assert!((f64::from(trace.raw[25]) - onset / 100.0).abs() < 3e-5, "{}", trace.raw[25]);
                assert!((trace.zero.unwrap() - (onset - 0.5) / 100.0).abs() < 3e-5);
            }
        }
    }

    #[test]
    fn a_face_that_is_turned_away_is_no_reason_to_drop_skin_conductance() {
        let turned = || physiology(Scene::new(&[(31.0, 32.0)], &[(8.0, 20.0)])).markers(&[10.0, 30.0]);
        let of_eda = turned().cut(&signals(&["lsl_eda.EDA"]));
        assert_eq!((of_eda.epochs.len(), of_eda.dropped.len()), (2, 0), "{:?}", of_eda.dropped);
        let both = turned().cut(&signals(&["lsl_eda.EDA", "affect.valence"]));
        assert_eq!(both.dropped, BTreeMap::from([(DropReason::FaceTurned, 1), (DropReason::DataMissing, 1)]));
    }

    #[test]
    fn a_session_without_the_stream_or_the_field_drops_its_events() {
        for missing in ["lsl_eda.EDA", "affect.joy"] {
            let cut = Scene::new(&[], &[]).markers(&[10.0, 30.0]).cut(&signals(&["affect.valence", missing]));
            assert_eq!(cut.dropped, BTreeMap::from([(DropReason::StreamMissing, 2)]));
            assert!(cut.lacks(&missing.parse().unwrap()) && !cut.lacks(&SignalId::valence()));
        }
    }

    #[test]
    fn a_missing_second_of_a_pulse_drops_its_epoch_although_the_face_was_away() {
        let mut scene = Scene::new(&[], &[]).markers(&[10.0, 30.0]);
        let away =
            Gap { until: Timestamp::from_secs_f64(35.0), reason: GapReason::NoFace, lost: 1, note: String::new() };
        scene.put("affect", ns(25.0), Body::Gap(away));
        scene.timeline.declare(StreamInfo { nominal_rate_hz: Some(1.0), ..rating_stream() });
        for second in (0..60).filter(|second| *second != 31) {
            let values = [0.5f32, second as f32];
            scene.put("rating", second * 1_000_000_000, Body::Sample { frame: None, values: values[..].into() });
        }
        let cut = scene.cut(&signals(&["rating.arousal"]));
        assert_eq!(cut.epochs.len(), 1);
        assert_eq!(cut.dropped, BTreeMap::from([(DropReason::DataMissing, 1)]));
    }
}
