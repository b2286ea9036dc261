//! Tells the answers to a questionnaire from the marks of the study's page.

use serde_json::{Map, Value};

use super::guide::ScreenEvent;
use page::questionnaire_number;

/// The kind of a mark of the page.
pub(super) const MARK: &str = "mark";
/// The mark with which a page ends itself.
const DONE: &str = "done";

/// Knows the document of the questionnaire that is shown. The recording script reports each document's address before the
/// first script of the page, so a page cannot pretend to be a questionnaire.
#[derive(Debug, Default)]
pub(super) struct Answers {
    shown: Option<Shown>,
}

#[derive(Debug)]
struct Shown {
    document: u64,
    questionnaire: usize,
}

/// A record of the page, with its stream.
#[derive(Debug)]
pub(super) struct Sorted {
    /// For the stream `questionnaire`.
    pub is_answer: bool,
    pub kind: String,
    pub data: Map<String, Value>,
    /// For the guide.
    pub news: Option<ScreenEvent>,
}

impl Answers {
    pub(super) fn sort(&mut self, kind: String, data: Map<String, Value>) -> Sorted {
        let document = data.get("document").and_then(Value::as_u64);
        if kind == "document"
            && let (Some(document), Some(url)) = (document, data.get("url").and_then(Value::as_str))
        {
            self.shown = questionnaire_number(url).map(|questionnaire| Shown { document, questionnaire });
        }
        if kind != MARK {
            return Sorted { is_answer: false, kind, data, news: None };
        }
        match &self.shown {
            Some(shown) if document == Some(shown.document) => {
                let (kind, data) = answer(data);
                let news = (kind == "finished").then_some(ScreenEvent::Answered(shown.questionnaire));
                Sorted { is_answer: true, kind, data, news }
            }
            _ => {
                let is_done = data.get("name").and_then(Value::as_str) == Some(DONE);
                Sorted { is_answer: false, kind, data, news: is_done.then_some(ScreenEvent::PageDone) }
            }
        }
    }
}

/// The name of the mark becomes the kind. The fields of its data stand beside the times of the page.
fn answer(mut mark: Map<String, Value>) -> (String, Map<String, Value>) {
    let kind = match mark.remove("name") {
        Some(Value::String(name)) => name,
        _ => MARK.to_owned(),
    };
    if let Some(Value::Object(fields)) = mark.remove("data") {
        mark.extend(fields);
    }
    (kind, mark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(answers: &mut Answers, kind: &str, data: Value) -> Sorted {
        let Value::Object(data) = data else { panic!("not an object") };
        answers.sort(kind.to_owned(), data)
    }

    #[test]
    fn only_a_questionnaire_answers() {
        let mut answers = Answers::default();
        let mark = |document: u64, name: &str| json!({"document": document, "page_ms": 5.0, "name": name, "data": {"item": "valence"}});
        record(&mut answers, "document", json!({"document": 1, "url": "host://localhost/questionnaire/2"}));
        let sorted = record(&mut answers, "mark", mark(1, "answer"));
        assert!(sorted.is_answer && sorted.news.is_none());
        assert_eq!(
            (sorted.kind.as_str(), &sorted.data["item"], &sorted.data["page_ms"]),
            ("answer", &json!("valence"), &json!(5.0))
        );
        assert!(!record(&mut answers, "click", json!({"document": 1})).is_answer, "a click stays an action on a page");
        assert!(matches!(record(&mut answers, "mark", mark(1, "finished")).news, Some(ScreenEvent::Answered(2))));

        record(&mut answers, "document", json!({"document": 2, "url": "study://localhost/index.html"}));
        let sorted = record(&mut answers, "mark", mark(2, "finished"));
        assert!(!sorted.is_answer && sorted.news.is_none(), "the study's page cannot answer");
        assert!(matches!(record(&mut answers, "mark", mark(2, "done")).news, Some(ScreenEvent::PageDone)));
        let late = record(&mut answers, "mark", mark(1, "finished"));
        assert!(!late.is_answer && late.news.is_none());
    }
}
