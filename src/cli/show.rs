//! `affectograph show`, and the text about a session for all commands.

use std::path::Path;
use std::process::ExitCode;

use super::args::Show;
use super::output::print_out;
use crate::failure::Failure;
use crate::session_json::session_json;
use analysis::{FaceRecord, Lexicon, QualityReport, TakenBack, taken_back};
use session::{COMPACTED_KIND, COMPACTION, CheckId};
use study_query::StoredSession;

pub fn run(a: &Show) -> Result<ExitCode, Failure> {
    let lexicon = a.lexicon.as_deref().map(read_lexicon).transpose()?;
    let stored = StoredSession::open(&a.session)?;
    let deleted = taken_back(&stored.timeline, lexicon.as_ref());
    if a.json {
        let mut object = session_json(&stored)?;
        object["deleted"] = serde_json::to_value(&deleted)?;
        print_out!("{object}");
    } else {
        print_session(&stored);
        deleted.iter().for_each(print_deleted);
    }
    Ok(ExitCode::SUCCESS)
}

fn read_lexicon(path: &Path) -> Result<Lexicon, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("could not read `{}`: {e}", path.display()))?;
    Lexicon::parse(&text).map_err(|e| format!("`{}`: {e}", path.display()).into())
}

fn print_deleted(deleted: &TakenBack) {
    let TakenBack { passage, sentiment } = deleted;
    let text = passage.text.as_deref().map_or("(masked)".to_owned(), |text| format!("{text:?}"));
    let sentiment = sentiment.map_or(String::new(), |s| format!(", sentiment {:+.2}", s.compound));
    print_out!("deleted   {}  {} in {}{sentiment}", passage.from, text, passage.target);
}

pub fn print_session(stored: &StoredSession) {
    let (h, q) = (stored.file.header(), &stored.quality);
    print_out!("{} {}, study {} ({})", h.participant, h.session, h.study.name, h.study.title);
    print_out!("recorded  {} by {}", h.zero_utc.format("%Y-%m-%d %H:%M:%S UTC"), h.software_with_revision());
    print_out!("camera    {}", h.camera);
    for m in &h.models {
        let sum = if m.sha256.is_empty() { m.sum().to_owned() } else { format!("sha256 {}…", m.short_sum()) };
        print_out!("network   {} {} ({sum}{})", m.name, m.version, m.remark());
    }
    if let Some(condition) = &h.condition {
        let by_hand = h.condition_assigned.as_ref().filter(|assigned| *assigned != condition);
        let how = by_hand.map(|a| format!(" (chosen by hand; assigned was {a})")).unwrap_or_default();
        print_out!("condition {condition}{how}");
    }
    if h.pilot {
        print_out!("pilot     recorded to try the study");
    }
    print_compaction(stored);
    if !h.overridden_checks.is_empty() {
        print_out!("overrode  {}", CheckId::texts(&h.overridden_checks));
    }
    print_out!();
    print_quality(q);
}

/// The recorded streams were read from the pictures before that.
fn print_compaction(stored: &StoredSession) {
    let events = stored.timeline.events().iter();
    for event in events.filter(|e| e.stream.as_str() == COMPACTION && e.what.kind == COMPACTED_KIND) {
        let data = &event.what.data;
        let text = |name: &str| data[name].as_str().unwrap_or("?").to_owned();
        let number = |name: &str| data[name].as_f64().unwrap_or(f64::NAN);
        print_out!(
            "compacted {} on {}: {:.1} MB of Motion JPEG became {:.1} MB, SSIM {:.4} in the mean, {:.4} at worst",
            text("format"),
            text("made_utc"),
            number("bytes_before") / 1e6,
            number("bytes_after") / 1e6,
            number("ssim_mean"),
            number("ssim_worst")
        );
    }
}

fn print_frames(q: &QualityReport) {
    let (scored, skipped) = (q.frames_scored, q.frames_skipped);
    match q.face_record {
        FaceRecord::Nothing => return print_out!("camera    none was asked for"),
        FaceRecord::Scores => {
            print_out!(
                "frames    {} seen by the browser, {} lost; no picture was stored",
                q.frames_expected,
                q.frames_lost
            );
            print_out!("scored    {scored} ({skipped} skipped)");
        }
        FaceRecord::Pictures => {
            let (stored, expected) = (q.frames_stored, q.frames_expected);
            print_out!("frames    {stored} stored of {expected} expected, {} lost", q.frames_lost);
            print_out!("scored    {scored} ({skipped} skipped live, still in the video)");
        }
    }
    let share = q.face_share.map(|s| format!("in {:.1} % of the scored frames", 100.0 * s));
    print_out!("face      {}", share.unwrap_or_else(|| "no frame was scored".to_owned()));
    print_out!("largest gap between frames {:.3} s", q.largest_gap_s);
    if q.silent_end_s > 0.0 {
        print_out!("silent    no frame in the last {:.2} s", q.silent_end_s);
    }
}

pub fn print_quality(q: &QualityReport) {
    print_out!("length    {:.2} s", q.seconds);
    print_frames(q);
    if let Some(ms) = q.clock_uncertainty_ms {
        print_out!("page clock uncertainty ± {ms:.2} ms");
    }
    if let Some(jumps) = q.clock_jumps {
        print_out!("page clock {}", jumps.finding());
    }
    if let Some(busy) = q.page_busy {
        print_out!("page was blocked {:.1} % of the time, at most {:.2} s at once", 100.0 * busy.share, busy.longest_s);
    }
    if let Some(unseen) = q.frames_unseen.filter(|n| *n > 0) {
        print_out!("page had frames of other sites that were not recorded: {unseen}");
    }
    for (kind, n) in &q.events {
        print_out!("events    {n:6}  {kind}");
    }
    for (reason, g) in &q.gaps {
        print_out!("gap       {reason}: {} times, {:.2} s, {} missing", g.count, g.seconds, g.lost);
    }
    if let Some(loss) = &q.video_loss {
        print_out!("video     {loss}");
    }
    if let Some(sentence) = q.end.pauses.sentence() {
        print_out!("pauses    {sentence}");
    }
    if let Some(finding) = q.end.finding() {
        print_out!("ended     {finding}");
    }
    print_out!("grade     {}", q.grade);
}
