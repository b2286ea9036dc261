//! `affectograph list`

use std::process::ExitCode;

use serde_json::json;

use super::args::List;
use super::{Failure, Places};
use crate::store::{Condition, SessionEntry};

pub fn run(a: &List, places: &Places) -> Result<ExitCode, Failure> {
    let library = places.library()?;
    let sessions = library.sessions()?;
    if a.json {
        println!("{}", json!({ "root": library.root(), "sessions": sessions }));
        return Ok(ExitCode::SUCCESS);
    }
    if sessions.is_empty() {
        println!(
            "No session in {} yet. `affectograph record --participant sub-01 --camera phantom` makes one.",
            library.root().display()
        );
    }
    for s in sessions {
        println!("{}", line(&s));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(s: &SessionEntry) -> String {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let condition = match &s.condition {
        Condition::Opens(state) => format!("{state:?}").to_lowercase(),
        Condition::Damaged(why) => format!("DAMAGED: {why}"),
    };
    let grade = s.summary.as_ref().and_then(|m| m.quality.as_ref()?.get("grade")?.as_str().map(str::to_owned));
    format!(
        "{:8} {:7} {:12} {:16} {:>9} {:>8.1} MB  {}  {}  {}",
        or_dash(s.participant.as_ref().map(ToString::to_string)),
        or_dash(s.session.map(|n| n.to_string())),
        or_dash(s.study.clone()),
        or_dash(s.started.map(|t| t.format("%Y-%m-%d %H:%M").to_string())),
        or_dash(s.length.map(|l| format!("{:.1} s", l.as_secs_f64()))),
        s.size_bytes as f64 / 1e6,
        or_dash(grade),
        condition,
        s.folder.display()
    )
}
