//! The methods text: recording, software, computation and exclusions. It is generated from the data only.

use super::event_analysis::EventAnalysis;
use super::html::{count, length, percent, plural};
use super::tally::Tally;
use crate::Selection;
use crate::selection::folder_label;
use analysis::{Correction, EpochPlan, FaceRecord, Measure, QualityReport, describe_dropped};
use session::{StreamName, program};
use store::ModelDescription;
use study_query::Findings;

/// The paragraphs of the text, without markup.
pub(super) fn text(selection: &Selection, tally: &Tally, analysis: Option<EventAnalysis<'_>>) -> Vec<String> {
    let mut paragraphs = vec![recording(tally)];
    paragraphs.extend((tally.asked_for(FaceRecord::Nothing) < tally.rows.len() as u64).then(|| affect(tally)));
    paragraphs.push(sample(selection, tally));
    if let Some(analysis) = analysis {
        paragraphs.push(epochs(analysis));
        paragraphs.push(statistics(analysis));
    }
    paragraphs
}

/// The texts, separated by semicolons.
fn joined<'a>(all: impl IntoIterator<Item = &'a String>) -> String {
    all.into_iter().map(String::as_str).collect::<Vec<_>>().join("; ")
}

fn recording(tally: &Tally) -> String {
    let with_pictures = tally.rows.is_empty() || tally.asked_for(FaceRecord::Pictures) > 0;
    let mut text = if with_pictures {
        format!(
            "The participant's face was recorded with a camera ({}) by {}. Every frame was stored with its capture time on \
             one monotonic clock.",
            joined(&tally.cameras),
            joined(&tally.recorders)
        )
    } else {
        format!("The sessions were recorded by {} on one monotonic clock.", joined(&tally.recorders))
    };
    let (scores, nothing) = (tally.asked_for(FaceRecord::Scores), tally.asked_for(FaceRecord::Nothing));
    if scores > 0 {
        text.push_str(&format!(
            " In {} the participant's browser scored the frames of its own camera. It stored the scores with the capture \
             time of their frame, and no picture. Frames that came while the networks were busy were not scored.",
            plural(scores, "session")
        ));
    }
    if nothing > 0 {
        text.push_str(&format!(" {} without a camera.", were_recorded(nothing)));
    }
    if tally.events.keys().any(|kind| kind.starts_with("page/")) {
        text.push_str(
            " Actions on the web page were stamped by the page and mapped onto the same clock by repeated round-trip measurements",
        );
        match tally.clock_uncertainty_ms() {
            Some(ms) => text.push_str(&format!(" (largest uncertainty {ms:.2} ms).")),
            None => text.push('.'),
        }
    }
    text
}

fn were_recorded(sessions: u64) -> String {
    format!("{} {} recorded", plural(sessions, "session"), if sessions == 1 { "was" } else { "were" })
}

/// The checksum of a network's file, with a remark if there is one.
fn checksum(m: &ModelDescription) -> String {
    let sum = if m.sha256.is_empty() { m.sum().to_owned() } else { format!("sha256 {}", m.sha256) };
    sum + &m.remark()
}

fn affect(tally: &Tally) -> String {
    let networks: Vec<String> =
        tally.models().iter().map(|m| format!("{} version {} ({})", m.name, m.version, checksum(m))).collect();
    let networks = if networks.is_empty() { "not named in the files".to_owned() } else { networks.join("; ") };
    format!(
        "Valence (unpleasant −1 to pleasant 1) and arousal (calm −1 to excited 1) were estimated frame by frame by neural \
         networks: {networks}. The values are the networks' raw outputs, neither smoothed nor clipped. They estimate how \
         people judge facial expressions in pictures and not what a person feels."
    )
}

fn sample(selection: &Selection, tally: &Tally) -> String {
    let mut text = format!(
        "The data comprise {} of {} with a total length of {}. ",
        plural(tally.rows.len() as u64, "session"),
        plural(tally.participants() as u64, "participant"),
        length(tally.seconds()),
    );
    for (face_record, what) in
        [(FaceRecord::Pictures, "stored"), (FaceRecord::Scores, "seen without storing a picture")]
    {
        if tally.asked_for(face_record) == 0 {
            continue;
        }
        let of =
            |number: fn(&QualityReport) -> u64| tally.sum(|q| if q.face_record == face_record { number(q) } else { 0 });
        let (received, lost) = (of(QualityReport::frames_received), of(|q| q.frames_lost));
        let share = percent(lost as f64 / (received + lost).max(1) as f64);
        text.push_str(&format!("{} frames were {what} and {} lost ({share}); ", count(received), count(lost)));
    }
    match tally.face_share() {
        Some(share) => text.push_str(&format!(
            "a face was found in {} of the {} scored frames.",
            percent(share),
            count(tally.sum(|q| q.frames_scored))
        )),
        None if text.ends_with("; ") => text.push_str("no frame was scored."),
        None => text.push_str("No frame was scored."),
    }
    let grades: Vec<String> = tally.grades.iter().map(|(grade, n)| format!("{grade}: {n}")).collect();
    let (before_last, unresponsive) = match tally.page_longest_busy_s() {
        Some(longest_s) => {
            (",", format!(" and the time during which the page was unresponsive (longest {longest_s:.2} s)"))
        }
        None => (" and", String::new()),
    };
    text.push_str(&format!(
        " Recording quality was graded from A to F by frames lost, longest time between frames{before_last} share of \
         frames with a face{unresponsive} ({}).",
        grades.join(", ")
    ));
    match selection.left_out() {
        [] => text.push_str(" No session was excluded."),
        left_out => {
            let names: Vec<_> = left_out.iter().map(|one| folder_label(&one.folder)).collect();
            text.push_str(&format!(
                " {} could not be read and {} excluded ({}).",
                plural(left_out.len() as u64, "session"),
                if left_out.len() == 1 { "was" } else { "were" },
                names.join(", ")
            ));
        }
    }
    text
}

fn epochs(EventAnalysis { answer, findings }: EventAnalysis<'_>) -> String {
    let plan = &answer.question.plan;
    let (from, until) = plan.window_s;
    let bridge = match one_source(plan) {
        Some(_) => format!("{} s", plan.longest_bridge_s),
        None => format!("{} s and 1.5 nominal intervals of their stream", plan.longest_bridge_s),
    };
    let mut text = format!(
        "Epochs from {} to {} s around events were resampled to {} Hz by linear interpolation; an epoch in which \
         samples were more than {bridge} apart was dropped.",
        minus(from),
        minus(until),
        plan.rate_hz
    );
    if one_source(plan).is_none() {
        text.push_str(
            " If a stream has 1.5 samples or more for each point, a point is the mean of the nearest samples.",
        );
    }
    if !plan.keep_overlapping {
        text.push_str(" Of overlapping epochs the later one was dropped.");
    }
    text.push_str(&zero(plan, findings));
    if plan.reads_the_face() {
        text.push_str(&limits(plan));
    }
    for condition in &findings.conditions {
        let Some(a) = condition.averages.first() else { continue };
        text.push_str(&format!(
            " Of {} matching `{}`, {} of {} were kept; {}.",
            plural(a.matched, "event"),
            condition.name,
            plural(a.epochs, "epoch"),
            plural(a.participants, "participant"),
            if a.dropped.is_empty() {
                "none was dropped".to_owned()
            } else {
                format!("dropped: {}", describe_dropped(&a.dropped))
            }
        ));
    }
    text
}

fn limits(plan: &EpochPlan) -> String {
    let l = &plan.limits;
    format!(
        " An epoch was also dropped if in more than {} of its frames the eyes were less than {} px apart, the head was \
         turned by more than {}° (yaw) or {}° (pitch), or the face's mean brightness was outside {} to {}.",
        percent(f64::from(l.most_failing)),
        l.min_inter_ocular_px,
        l.max_yaw_deg,
        l.max_pitch_deg,
        l.brightness.0,
        l.brightness.1
    )
}

/// The number with the minus sign U+2212 instead of a hyphen.
fn minus(seconds: f64) -> String {
    seconds.to_string().replace('-', "−")
}

/// The stream, if the signals are valence and arousal of one stream.
fn one_source(plan: &EpochPlan) -> Option<&StreamName> {
    let first = &plan.signals.first()?.stream;
    plan.signals.iter().all(|signal| signal.is_affect() && signal.stream == *first).then_some(first)
}

/// The signals with their units: `valence and arousal`, `lsl_eda.EDA (uS)`.
pub(super) fn signals_in_words(findings: &Findings) -> String {
    let in_words = |measure: &Measure| match measure.unit.as_str() {
        "1" | "" => measure.name.clone(),
        unit => format!("{} ({unit})", measure.name),
    };
    let all: Vec<String> =
        findings.conditions.iter().take(1).flat_map(|c| &c.averages).map(|a| in_words(&a.measure)).collect();
    match &all[..] {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The correction of the values.
fn zero(plan: &EpochPlan, findings: &Findings) -> String {
    let source = match one_source(plan) {
        Some(stream) => format!("stream `{stream}`"),
        None => signals_in_words(findings),
    };
    match (plan.zero, plan.baseline_s) {
        (Correction::Raw, _) if one_source(plan).is_some() => format!(" Raw values of the {source} were averaged."),
        (Correction::Raw, _) => format!(" Raw values of {source} were averaged."),
        (Correction::Corrected, Some((from, until))) => {
            let (from, until) = (minus(from), minus(until));
            format!(" The mean from {from} to {until} s was subtracted from each epoch ({source}).")
        }
        (Correction::Corrected, None) => {
            format!(" Each participant's mean in a guided neutral phase was subtracted ({source}).")
        }
        (Correction::ZScored, _) => format!(
            " Values were corrected by their baseline and divided by the participant's standard deviation in a guided \
             neutral phase ({source})."
        ),
    }
}

fn statistics(EventAnalysis { findings, .. }: EventAnalysis<'_>) -> String {
    let settings = findings.settings;
    let tests = || findings.conditions.iter().flat_map(|c| &c.against_zero).chain(&findings.comparisons);
    let random = format!(
        "{} random permutations, seed {}; a difference is called significant only if the upper end of the 95 % interval of its p is at \
         most 0.05",
        count(settings.permutations),
        settings.seed
    );
    let how = match tests().filter(|t| t.is_exact).map(|t| t.permutations).max() {
        Some(all) if tests().all(|t| t.is_exact) => format!("all distinct permutations, at most {}", count(all)),
        Some(_) => format!("{random}; if there are fewer distinct permutations, all of them"),
        None => random,
    };
    format!(
        "Epochs were averaged within participants first and then over participants; 95 % intervals are pointwise, by \
         Student's t. Differences over time were tested with a cluster-based permutation test (Maris & Oostenveld, 2007, \
         J. Neurosci. Methods 164, 177–190; cluster-forming p < 0.05, two-sided; {how}). All of this was computed with {}.",
        program()
    )
}
