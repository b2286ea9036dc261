//! The sentiment of a text, by VADER (Hutto & Gilbert 2014): a lexicon of rated words and rules for negation,
//! emphasis and contrast. It is made for short English texts; another language needs a lexicon of its own, and the
//! English rules then do nothing.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use thiserror::Error;
use vader_sentiment::{SentimentIntensityAnalyzer, parse_raw_lexicon};

use super::{DeletedPassage, deleted_passages};
use session::{Body, Record, StreamInfo, Timeline};

/// VADER's figures. `positive`, `neutral` and `negative` are shares of the text and sum to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sentiment {
    /// −1 most negative … 1 most positive.
    pub compound: f64,
    pub positive: f64,
    pub neutral: f64,
    pub negative: f64,
}

/// Rated words, one a line: the word, a tab, its rating from −4 to 4; further columns are ignored, as in VADER's own file.
#[derive(Clone, Debug)]
pub struct Lexicon(String);

#[derive(Clone, Debug, PartialEq, Error)]
pub enum LexiconError {
    #[error("line {line} of the lexicon is `{found}`; it should be a word, a tab and a number from −4 to 4")]
    Line { line: usize, found: String },
    #[error("the lexicon has no words: each line should be a word, a tab and a number from −4 to 4")]
    Empty,
}

impl Lexicon {
    pub fn parse(text: &str) -> Result<Lexicon, LexiconError> {
        let mut lines = Vec::new();
        for (k, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let mut columns = line.split('\t').map(str::trim);
            let word = columns.next().filter(|word| !word.is_empty());
            let rating = columns.next().and_then(|n| n.parse::<f64>().ok()).filter(|n| (-4.0..=4.0).contains(n));
            let (Some(word), Some(rating)) = (word, rating) else {
                let found = line.chars().take(60).collect::<String>().escape_debug().to_string();
                return Err(LexiconError::Line { line: k + 1, found });
            };
            lines.push(format!("{word}\t{rating}"));
        }
        if lines.is_empty() { Err(LexiconError::Empty) } else { Ok(Lexicon(lines.join("\n"))) }
    }
}

/// A deleted passage with its sentiment; `None` where its text is not known or holds no word to judge by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TakenBack {
    #[serde(flatten)]
    pub passage: DeletedPassage,
    pub sentiment: Option<Sentiment>,
}

/// The deleted passages of a session, in order of deletion. `lexicon` replaces the English one.
pub fn taken_back(timeline: &Timeline, lexicon: Option<&Lexicon>) -> Vec<TakenBack> {
    let passages = deleted_passages(timeline);
    let texts: Vec<&str> = passages.iter().map(|p| p.text.as_deref().unwrap_or_default()).collect();
    let sentiments = sentiments(&texts, lexicon);
    passages.into_iter().zip(sentiments).map(|(passage, sentiment)| TakenBack { passage, sentiment }).collect()
}

/// The same as events of `stream`, each at the moment at which taking back began.
pub fn deleted_events(timeline: &Timeline, stream: &StreamInfo) -> Vec<Record> {
    let name = Arc::new(stream.name.clone());
    let event = |(seq, TakenBack { passage, sentiment }): (usize, TakenBack)| Record {
        stream: name.clone(),
        seq: seq as u64,
        at: passage.from,
        body: Body::event(
            "taken_back",
            json!({
                "target": passage.target, "text": passage.text, "length": passage.length,
                "until_ns": passage.until.as_ns(), "is_replaced": passage.is_replaced,
                "sentiment": sentiment.map(|s| s.compound),
            }),
        ),
    };
    taken_back(timeline, None).into_iter().enumerate().map(event).collect()
}

/// The sentiment of each text; `None` where it holds no word to judge by. `lexicon` replaces the English one.
pub fn sentiments(texts: &[&str], lexicon: Option<&Lexicon>) -> Vec<Option<Sentiment>> {
    let own = lexicon.map(|lexicon| parse_raw_lexicon(&lexicon.0));
    let analyzer = match &own {
        Some(words) => SentimentIntensityAnalyzer::from_lexicon(words),
        None => SentimentIntensityAnalyzer::new(),
    };
    texts.iter().map(|text| sentiment(&analyzer, text)).collect()
}

fn sentiment(analyzer: &SentimentIntensityAnalyzer<'_>, text: &str) -> Option<Sentiment> {
    if !text.contains(char::is_alphanumeric) && text.is_ascii() {
        return None;
    }
    let scores = analyzer.polarity_scores(text);
    let score = |name: &str| scores.get(name).copied().filter(|s| s.is_finite());
    let found = Sentiment {
        compound: score("compound")?,
        positive: score("pos")?,
        neutral: score("neu")?,
        negative: score("neg")?,
    };
    // All zero: no token was left after the splitting.
    (found.positive + found.neutral + found.negative > 0.5).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn english(text: &str) -> Option<Sentiment> {
        sentiments(&[text], None)[0]
    }

    /// Figures printed by the authors' own Python package, vaderSentiment 3.3.2, for the same sentences.
    #[test]
    fn the_authors_figures() {
        for (text, compound) in [
            ("VADER is smart, handsome, and funny.", 0.8316),
            ("VADER is not smart, handsome, nor funny.", -0.7424),
            ("Today sucks", -0.3612),
        ] {
            let found = english(text).unwrap().compound;
            assert!((found - compound).abs() < 5e-5, "{text}: {found}");
        }
    }

    #[test]
    fn another_lexicon_judges_another_language() {
        let german = Lexicon::parse("gut\t1.9\nschrecklich\t-2.5\t0.8\n").unwrap();
        let found = sentiments(&["das ist gut", "das ist schrecklich", "das ist so"], Some(&german));
        assert!(found[0].unwrap().compound > 0.3);
        assert!(found[1].unwrap().compound < -0.3);
        assert_eq!(found[2].unwrap().compound, 0.0);
    }

    #[test]
    fn a_bad_lexicon_says_which_line() {
        let error = Lexicon::parse("gut\t1.9\nschlecht").unwrap_err();
        assert_eq!(error, LexiconError::Line { line: 2, found: "schlecht".into() });
        assert!(Lexicon::parse("gut\tNaN").is_err());
        assert!(Lexicon::parse("gut\t400").is_err());
        assert_eq!(Lexicon::parse(" \n").unwrap_err(), LexiconError::Empty);
    }

    #[test]
    fn a_deleted_passage_is_an_event_that_can_be_asked_for() {
        use session::{PAGE, Timestamp, deleted_stream, page_stream};
        let mut timeline = Timeline::default();
        timeline.declare(page_stream());
        timeline.declare(deleted_stream());
        for (seq, (at, before, after, inserted, deleted)) in
            [(10, 0, 9, "I hate it", ""), (20, 9, 0, "", "I hate it")].into_iter().enumerate()
        {
            let data = json!({
                "target": "#comment", "document": 1, "length_before": before, "length_after": after, "position": 0,
                "inserted": inserted, "deleted": deleted,
                "inserted_length": inserted.len(), "deleted_length": deleted.len(),
            });
            let stream = Arc::new(PAGE.parse().unwrap());
            timeline.ingest(&Record {
                stream,
                seq: seq as u64,
                at: Timestamp::from_ns(at),
                body: Body::event("input", data),
            });
        }
        deleted_events(&timeline, &deleted_stream()).iter().for_each(|r| timeline.ingest(r));
        let choice: crate::EventChoice = "deleted matches=hate".parse().unwrap();
        let onsets = choice.choose(&timeline).unwrap();
        assert_eq!(onsets.iter().map(|o| o.at.as_ns()).collect::<Vec<_>>(), [20]);
        let event = &timeline.events()[2].what;
        assert!((event.data["sentiment"].as_f64().unwrap() + 0.5719).abs() < 5e-5);
    }

    #[test]
    fn nothing_to_judge_by_is_none() {
        for text in ["", " ", "…", "?!", "a"] {
            assert!(english(text).is_none_or(|s| s.compound == 0.0), "{text}");
        }
        assert_eq!(english(""), None);
    }

    proptest! {
        #[test]
        fn any_text_gives_shares_or_nothing(text in any::<String>()) {
            if let Some(s) = english(&text) {
                prop_assert!((-1.0..=1.0).contains(&s.compound));
                prop_assert!((s.positive + s.neutral + s.negative - 1.0).abs() < 1e-9);
            }
        }
    }
}
