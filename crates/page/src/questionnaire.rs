//! A questionnaire as a page of the program. Its script marks when each item appeared and how it was answered.

use serde_json::{Value, json};

use session::{Questionnaire, QuestionnaireItem, QuestionnaireKind, QuestionnaireText, QuestionnaireTexts, Scale};

const PAGE: &str = include_str!("questionnaire/page.html");
const SCRIPT: &str = include_str!("questionnaire/questionnaire.js");
/// The figures of the template for picture rating, so that both look the same.
const MANIKINS: &str = include_str!("../../../assets/studies/templates/pictures/page/manikins.js");

/// The HTML of a questionnaire. `items` are those of its table, and empty for the other kinds. `texts` are the words that
/// the program adds.
pub fn questionnaire_page(
    questionnaire: &Questionnaire,
    items: &[QuestionnaireItem],
    texts: &QuestionnaireTexts,
) -> String {
    let items: Vec<_> = items
        .iter()
        .map(|i| {
            let points = match i.scale {
                Scale::Likert(points) => Some(points),
                Scale::VisualAnalogue => None,
            };
            json!({ "item": i.item, "text": i.text, "points": points, "left": i.left, "right": i.right })
        })
        .collect();
    let instruction = match (questionnaire.text.trim(), questionnaire.kind) {
        ("", QuestionnaireKind::Manikins) => {
            "How do you feel right now? Choose one figure or one place between two figures in each row."
        }
        ("", QuestionnaireKind::AffectGrid) => "How do you feel right now? Choose one square.",
        ("", QuestionnaireKind::Items) => "Please answer each question.",
        (own, _) => own,
    };
    let words = QuestionnaireText::ALL.map(|text| (text.as_str().to_owned(), Value::from(texts.get(text))));
    let data = json!({
        "name": questionnaire.name,
        "kind": questionnaire.kind.as_str(),
        "text": instruction,
        "words": serde_json::Map::from_iter(words),
        "items": items,
    });
    // `<` cannot end the script.
    let data = data.to_string().replace('<', "\\u003c");
    let manikins = if questionnaire.kind == QuestionnaireKind::Manikins { MANIKINS } else { "" };
    PAGE.replace("MANIKINS", manikins).replace("SCRIPT", &SCRIPT.replace("__QUESTIONNAIRE__", &data))
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::QuestionnaireTime;

    #[test]
    fn a_text_stays_a_text() {
        let questionnaire = Questionnaire {
            name: "mood".into(),
            kind: QuestionnaireKind::Items,
            when: QuestionnaireTime::After,
            text: "</script><script>alert(1)".into(),
            items: "items.csv".into(),
        };
        let items = QuestionnaireItem::read_table("item,text\ncalm,How <b>calm</b>?\n").unwrap();
        let mut texts = QuestionnaireTexts::default();
        texts.set(QuestionnaireText::ContinueButton, "</script><i>Weiter".into());
        let page = questionnaire_page(&questionnaire, &items, &texts);
        assert!(!page.contains("<script>alert") && page.contains("\\u003cscript>alert(1)"), "{page}");
        assert!(page.contains("\"continue_button\":\"\\u003c/script>\\u003ci>Weiter\""));
        assert!(page.contains("\"points\":5") && page.contains("\"item\":\"calm\""));
        assert!(!page.contains("__QUESTIONNAIRE__") && !page.contains("MANIKINS"));
    }
}
