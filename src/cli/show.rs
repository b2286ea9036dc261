//! `affectograph show`, and how a session is put into words and JSON for every command.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::Failure;
use super::args::Show;
use analysis::{Lexicon, QualityReport, TakenBack, taken_back};
use session::{CheckId, Timeline};
use store::{SessionFile, StoreError};
use study_query::session_quality;

pub fn run(a: &Show) -> Result<ExitCode, Failure> {
    let lexicon = a.lexicon.as_deref().map(read_lexicon).transpose()?;
    let loaded = Loaded::open(&a.session)?;
    let deleted = taken_back(&loaded.timeline, lexicon.as_ref());
    if a.json {
        let mut object = loaded.json()?;
        object["deleted"] = serde_json::to_value(&deleted)?;
        println!("{object}");
    } else {
        loaded.print()?;
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
    println!("deleted   {}  {} in {}{sentiment}", passage.from, text, passage.target);
}

/// A session's folder, given that or a file in it.
pub fn session_folder(path: &Path) -> PathBuf {
    let is_file = path.is_file();
    path.parent().filter(|p| is_file && !p.as_os_str().is_empty()).unwrap_or(path).to_owned()
}

/// A reopened session with everything that is said about it.
pub struct Loaded {
    pub file: SessionFile,
    pub timeline: Timeline,
    pub quality: QualityReport,
}

impl Loaded {
    pub fn open(path: &Path) -> Result<Loaded, StoreError> {
        let file = SessionFile::open(&session_folder(path))?;
        let timeline = file.timeline()?;
        let quality = session_quality(&file, &timeline)?;
        Ok(Loaded { file, timeline, quality })
    }

    /// Header and quality as one object: the same for `show`, `record` and `selftest`.
    pub fn json(&self) -> Result<Value, Failure> {
        let q = &self.quality;
        let mut object = json!({
            "session": self.file.folder(),
            "state": self.file.state()?,
            "header": self.file.header(),
            "streams": self.file.streams().iter().map(|s| json!({
                "name": s.name, "kind": s.kind, "software": s.software,
                "samples": self.timeline.series(s.name.as_str()).map(session::SampleSeries::len),
            })).collect::<Vec<_>>(),
        });
        if let (Value::Object(all), Value::Object(figures)) = (&mut object, serde_json::to_value(q)?) {
            all.extend(figures);
        }
        Ok(object)
    }

    pub fn print(&self) -> Result<(), Failure> {
        let (h, q) = (self.file.header(), &self.quality);
        println!("{} {}, study {} ({})", h.participant, h.session, h.study.name, h.study.title);
        println!("recorded  {} by {}", h.zero_utc.format("%Y-%m-%d %H:%M:%S UTC"), h.software);
        println!("camera    {}", h.camera);
        for m in &h.models {
            let sum = if m.sha256.is_empty() { m.sum().to_owned() } else { format!("sha256 {}…", m.short_sum()) };
            println!("network   {} {} ({sum}{})", m.name, m.version, m.remark());
        }
        if !h.overridden_checks.is_empty() {
            println!("overrode  {}", CheckId::texts(&h.overridden_checks));
        }
        println!();
        print_quality(q);
        Ok(())
    }
}

pub fn print_quality(q: &QualityReport) {
    println!("length    {:.2} s", q.seconds);
    println!("frames    {} stored of {} expected, {} lost", q.frames_stored, q.frames_expected, q.frames_lost);
    println!("scored    {} ({} skipped live, still in the video)", q.frames_scored, q.frames_skipped);
    println!(
        "face      {}",
        q.face_share.map_or("nothing was scored".into(), |s| format!("in {:.1} % of the scored frames", 100.0 * s))
    );
    println!("largest gap between frames {:.3} s", q.largest_gap_s);
    if let Some(ms) = q.clock_uncertainty_ms {
        println!("page clock known to ± {ms:.2} ms");
    }
    if let Some(busy) = q.page_busy {
        println!("page stood still {:.1} % of the time, {:.2} s at the longest", 100.0 * busy.share, busy.longest_s);
    }
    if let Some(unseen) = q.frames_unseen.filter(|n| *n > 0) {
        println!("page has frames of other sites that were not looked into: {unseen}");
    }
    for (kind, n) in &q.events {
        println!("events    {n:6}  {kind}");
    }
    for (reason, g) in &q.gaps {
        println!("gap       {reason}: {} times, {:.2} s, {} missing", g.count, g.seconds, g.lost);
    }
    if let Some(loss) = &q.video_loss {
        println!("video     {loss}");
    }
    if let Some(sentence) = q.end.finding() {
        println!("ended     {sentence}");
    }
    println!("grade     {}", q.grade);
}
