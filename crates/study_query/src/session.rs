//! Reads the epochs of one session from the parts of it that the question needs.

use std::ops::Range;
use std::path::Path;

use super::events::read_lsl_samples;
use super::{Question, SessionAnswer, StudyQueryError, read_events};
use analysis::{EpochPlan, EventChoice, baseline_phases, epochs};
use session::{AFFECT, FACE, LATER, LSL, PHASE, StreamInfo, StreamKind, Timeline, Timestamp};
use store::SessionFile;

/// Reads the events of the question, then the samples around them, and cuts the epochs. The cost depends on the number of
/// events, not on the length of the session.
pub fn session_epochs(folder: &Path, question: &Question) -> Result<SessionAnswer, StudyQueryError> {
    let file = SessionFile::open(folder)?;
    let timeline = around_events(&file, question)?;
    let header = file.header();
    // A choice of another condition finds no event here, although the timeline may have events of another choice.
    let mut nothing = Timeline::default();
    file.declare_streams(&mut nothing);
    let cut = |choice: &EventChoice| {
        let timeline = if choice.takes_condition(header.condition.as_deref()) { &timeline } else { &nothing };
        epochs(timeline, &header.participant, header.session, choice, &question.plan)
    };
    Ok(SessionAnswer {
        folder: folder.to_owned(),
        study: header.study.name.clone(),
        software: header.software.clone(),
        models: header.models.clone(),
        conditions: question.conditions.iter().map(cut).collect::<Result<_, _>>()?,
    })
}

/// Reads the part of the session that is sufficient for [`epochs`]. The result is the same as from the whole session.
fn around_events(file: &SessionFile, question: &Question) -> Result<Timeline, StudyQueryError> {
    let mut timeline = Timeline::default();
    file.declare_streams(&mut timeline);
    let condition = file.header().condition.as_deref();
    let choices = || question.conditions.iter().filter(|choice| choice.takes_condition(condition));
    for choice in choices() {
        read_events(file, choice, &mut timeline)?;
    }
    file.each_event(PHASE, None, |r| timeline.ingest(&r))?;

    let phases = baseline_phases(&timeline);
    let mut onsets = Vec::new();
    for choice in choices() {
        onsets.extend(choice.choose(&timeline)?.into_iter().map(|onset| onset.at));
    }
    let is_read = |stream: &&StreamInfo| stream.kind == StreamKind::Samples && is_read(stream, &question.plan);
    for stream in file.streams().iter().filter(is_read) {
        let stretches = stretches(&phases, &onsets, &question.plan, stream.nominal_rate_hz);
        file.each_gap(stream.name.as_str(), |r| timeline.ingest(&r))?;
        if stream.name.as_str().starts_with(LSL) {
            read_lsl_samples(file, stream.name.as_str(), &stretches, &mut timeline)?;
        } else {
            file.each_sample(stream.name.as_str(), &stretches, |r| timeline.ingest(&r))?;
        }
    }
    Ok(timeline)
}

/// Whether the plan needs the samples of a stream. The quality of the face is in `affect` and `face`.
fn is_read(stream: &StreamInfo, plan: &EpochPlan) -> bool {
    let name = stream.name.as_str();
    let is_or_completes = |other: &str| name == other || name.strip_suffix(LATER) == Some(other);
    let of_signals = plan.signals.iter().any(|signal| is_or_completes(signal.stream.as_str()));
    of_signals || (plan.reads_the_face() && [AFFECT, FACE].into_iter().any(is_or_completes))
}

/// The times of one stream that the epochs need: the baseline phases, and around each event its window and the samples on
/// both sides, between which a point is interpolated.
fn stretches(
    phases: &[Range<Timestamp>],
    onsets: &[Timestamp],
    plan: &EpochPlan,
    nominal_rate_hz: Option<f64>,
) -> Vec<Range<Timestamp>> {
    let slack_s = plan.bridge_s(nominal_rate_hz) + 2.0 / plan.rate_hz;
    let (from_s, until_s) = plan.reach_s();
    let around = onsets.iter().map(|onset| {
        let at = |s: f64| Timestamp::from_secs_f64(onset.as_secs_f64() + s);
        at(from_s - slack_s)..at(until_s + slack_s)
    });
    joined(phases.iter().cloned().chain(around).collect())
}

/// Sorts the ranges and joins those that touch, so that no sample is read twice.
fn joined(mut stretches: Vec<Range<Timestamp>>) -> Vec<Range<Timestamp>> {
    stretches.sort_by_key(|s| s.start);
    let mut joined: Vec<Range<Timestamp>> = Vec::with_capacity(stretches.len());
    for stretch in stretches {
        match joined.last_mut() {
            Some(last) if stretch.start <= last.end => last.end = last.end.max(stretch.end),
            _ => joined.push(stretch),
        }
    }
    joined
}
