//! Reads the epochs of one session from the parts of it that the question needs.

use std::ops::Range;
use std::path::Path;

use super::events::read_lsl_samples;
use super::{Question, SessionAnswer, StudyQueryError, read_events};
use analysis::{EventChoice, baseline_phases, epochs};
use session::{AFFECT, FACE, LATER, LSL, PHASE, StreamKind, Timeline, Timestamp};
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

    let mut stretches = baseline_phases(&timeline);
    let slack_s = question.plan.longest_bridge_s + 2.0 / question.plan.rate_hz;
    let (from_s, until_s) = question.plan.reach_s();
    for choice in choices() {
        for onset in choice.choose(&timeline)? {
            let at = |s: f64| Timestamp::from_secs_f64(onset.at.as_secs_f64() + s);
            stretches.push(at(from_s - slack_s)..at(until_s + slack_s));
        }
    }
    let stretches = joined(stretches);
    let read = file
        .streams()
        .iter()
        .filter(|s| s.kind == StreamKind::Samples && is_read(s.name.as_str(), question.plan.source()));
    for stream in read {
        file.each_gap(stream.name.as_str(), |r| timeline.ingest(&r))?;
        if stream.name.as_str().starts_with(LSL) {
            read_lsl_samples(file, stream.name.as_str(), &stretches, &mut timeline)?;
        } else {
            file.each_sample(stream.name.as_str(), &stretches, |r| timeline.ingest(&r))?;
        }
    }
    Ok(timeline)
}

fn is_read(stream: &str, source: &str) -> bool {
    [source, AFFECT, FACE].iter().any(|name| stream == *name || stream.strip_suffix(LATER) == Some(name))
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
