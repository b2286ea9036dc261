//! `affectograph list`

use std::process::ExitCode;

use serde_json::{Value, json};

use super::args::List;
use super::output::print_out;
use crate::failure::Failure;
use crate::places::Places;
use store::{Condition, SessionEntry};
use study_query::listed_grade;

pub fn run(a: &List, places: &Places) -> Result<ExitCode, Failure> {
    let library = places.library()?;
    let sessions = library.sessions()?;
    if a.json {
        let rows = sessions.iter().map(|s| -> Result<Value, serde_json::Error> {
            let mut row = serde_json::to_value(s)?;
            row["grade"] = serde_json::to_value(listed_grade(s))?;
            Ok(row)
        });
        let rows: Vec<Value> = rows.collect::<Result<_, _>>()?;
        print_out!("{}", json!({ "root": library.root(), "sessions": rows }));
        return Ok(ExitCode::SUCCESS);
    }
    if sessions.is_empty() {
        print_out!(
            "There is no session in {}. `affectograph record --participant sub-01 --camera phantom` records one.",
            library.root().display()
        );
    }
    for s in sessions {
        print_out!("{}", line(&s));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(s: &SessionEntry) -> String {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let condition = match &s.condition {
        Condition::Opens(state) => format!("{state:?}").to_lowercase(),
        Condition::Damaged(why) => format!("DAMAGED: {why}"),
    };
    let loss = s.video_loss.as_ref().map_or_else(String::new, |loss| format!(", {loss}"));
    let pilot = if s.pilot { ", pilot" } else { "" };
    let grade = listed_grade(s).map(|grade| grade.to_string());
    format!(
        "{:8} {:7} {:12} {:16} {:>9} {:>8.1} MB  {}  {}{}{}  {}",
        or_dash(s.participant.as_ref().map(ToString::to_string)),
        or_dash(s.session.map(|n| n.to_string())),
        or_dash(s.study.clone()),
        or_dash(s.started.map(|t| t.format("%Y-%m-%d %H:%M").to_string())),
        or_dash(s.length.map(|l| format!("{:.1} s", l.as_secs_f64()))),
        s.size_bytes as f64 / 1e6,
        or_dash(grade),
        condition,
        pilot,
        loss,
        s.folder.display()
    )
}
