//! Rows of deleted text, with the same columns in the tables of a session and of a study.

use super::cells::seconds;
use analysis::{TakenBack, taken_back};
use session::Timeline;

pub(super) const COLUMNS: [&str; 9] =
    ["from_s", "until_s", "typed_from_s", "typed_until_s", "target", "text", "length", "is_replaced", "sentiment"];

/// Sentiment by VADER's English lexicon. A cell is empty if the sentiment is unknown.
pub(super) fn rows(timeline: &Timeline) -> impl Iterator<Item = [String; COLUMNS.len()]> {
    taken_back(timeline, None).into_iter().map(|TakenBack { passage, sentiment }| {
        let typed = |pick: fn((_, _)) -> _| passage.typed.map_or(String::new(), |times| seconds(pick(times)));
        [
            seconds(passage.from),
            seconds(passage.until),
            typed(|(first, _)| first),
            typed(|(_, last)| last),
            passage.target.clone(),
            passage.text.clone().unwrap_or_default(),
            passage.length.to_string(),
            passage.is_replaced.to_string(),
            sentiment.map_or(String::new(), |s| format!("{:.4}", s.compound)),
        ]
    })
}
