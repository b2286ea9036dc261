//! `[questionnaire_texts]`: the program's own words in questionnaires, in the language of the participants.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::questionnaires::QuestionnaireKind;

/// A text that the program, and not the study, puts into a questionnaire. The language stands beside the texts in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionnaireText {
    /// As in HTML: `en`, `de`, `zh-Hant`.
    Language,
    ContinueButton,
    OneMissing,
    SeveralMissing,
    ValenceRow,
    ArousalRow,
    DominanceRow,
    GridTop,
    GridBottom,
    GridLeft,
    GridRight,
    /// The name of a square of the affect grid, for screen readers.
    GridSquare,
}

impl QuestionnaireText {
    pub const ALL: [QuestionnaireText; 12] = [
        QuestionnaireText::Language,
        QuestionnaireText::ContinueButton,
        QuestionnaireText::OneMissing,
        QuestionnaireText::SeveralMissing,
        QuestionnaireText::ValenceRow,
        QuestionnaireText::ArousalRow,
        QuestionnaireText::DominanceRow,
        QuestionnaireText::GridTop,
        QuestionnaireText::GridBottom,
        QuestionnaireText::GridLeft,
        QuestionnaireText::GridRight,
        QuestionnaireText::GridSquare,
    ];

    /// The key in the study file.
    pub fn as_str(self) -> &'static str {
        match self {
            QuestionnaireText::Language => "language",
            QuestionnaireText::ContinueButton => "continue_button",
            QuestionnaireText::OneMissing => "one_missing",
            QuestionnaireText::SeveralMissing => "several_missing",
            QuestionnaireText::ValenceRow => "valence_row",
            QuestionnaireText::ArousalRow => "arousal_row",
            QuestionnaireText::DominanceRow => "dominance_row",
            QuestionnaireText::GridTop => "grid_top",
            QuestionnaireText::GridBottom => "grid_bottom",
            QuestionnaireText::GridLeft => "grid_left",
            QuestionnaireText::GridRight => "grid_right",
            QuestionnaireText::GridSquare => "grid_square",
        }
    }

    /// What a study without a text of its own shows.
    pub fn english(self) -> &'static str {
        match self {
            QuestionnaireText::Language => "en",
            QuestionnaireText::ContinueButton => "Continue",
            QuestionnaireText::OneMissing => "One answer is missing.",
            QuestionnaireText::SeveralMissing => "{number} answers are missing.",
            QuestionnaireText::ValenceRow => "Unpleasant to pleasant",
            QuestionnaireText::ArousalRow => "Calm to excited",
            QuestionnaireText::DominanceRow => "Controlled to in control",
            QuestionnaireText::GridTop => "highly activated",
            QuestionnaireText::GridBottom => "sleepy",
            QuestionnaireText::GridLeft => "unpleasant",
            QuestionnaireText::GridRight => "pleasant",
            QuestionnaireText::GridSquare => "Pleasantness {pleasantness}, activation {activation}",
        }
    }

    /// The words in braces that the program replaces by numbers.
    pub fn placeholders(self) -> &'static [&'static str] {
        match self {
            QuestionnaireText::SeveralMissing => &["{number}"],
            QuestionnaireText::GridSquare => &["{pleasantness}", "{activation}"],
            _ => &[],
        }
    }

    /// Whether a questionnaire of this kind shows the text.
    pub fn is_of(self, kind: QuestionnaireKind) -> bool {
        match self {
            QuestionnaireText::Language
            | QuestionnaireText::ContinueButton
            | QuestionnaireText::OneMissing
            | QuestionnaireText::SeveralMissing => true,
            QuestionnaireText::ValenceRow | QuestionnaireText::ArousalRow | QuestionnaireText::DominanceRow => {
                kind == QuestionnaireKind::Manikins
            }
            QuestionnaireText::GridTop
            | QuestionnaireText::GridBottom
            | QuestionnaireText::GridLeft
            | QuestionnaireText::GridRight
            | QuestionnaireText::GridSquare => kind == QuestionnaireKind::AffectGrid,
        }
    }
}

/// The texts that the study has of its own. The others are English.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionnaireTexts(BTreeMap<QuestionnaireText, String>);

impl QuestionnaireTexts {
    pub fn own(&self, text: QuestionnaireText) -> Option<&str> {
        self.0.get(&text).map(String::as_str)
    }

    /// What the participant sees.
    pub fn get(&self, text: QuestionnaireText) -> &str {
        self.own(text).map_or_else(|| text.english(), str::trim)
    }

    /// An empty value removes the study's own text.
    pub fn set(&mut self, text: QuestionnaireText, value: String) {
        if value.is_empty() {
            self.0.remove(&text);
        } else {
            self.0.insert(text, value);
        }
    }

    pub fn remove_blanks(&mut self) {
        self.0.retain(|_, value| !value.trim().is_empty());
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn is_english(&self) -> bool {
        self.get(QuestionnaireText::Language).split('-').next().is_some_and(|first| first.eq_ignore_ascii_case("en"))
    }

    /// The text that a questionnaire of this kind would show in English although the study is in another language.
    pub(super) fn untranslated(&self, kind: QuestionnaireKind) -> Option<QuestionnaireText> {
        let is_missing = |text: &QuestionnaireText| text.is_of(kind) && self.own(*text).is_none();
        QuestionnaireText::ALL.into_iter().find(is_missing).filter(|_| self.is_foreign())
    }

    /// Whether the questionnaires are in another language than English.
    pub(super) fn is_foreign(&self) -> bool {
        !self.is_empty() && !self.is_english()
    }

    /// What is wrong with the texts themselves: the text, and a message for the user.
    pub(super) fn check(&self) -> Result<(), (QuestionnaireText, String)> {
        for (text, value) in &self.0 {
            let key = text.as_str();
            let wrong = |message: String| Err((*text, format!("`questionnaire_texts.{key}` {message}")));
            if value.trim().is_empty() {
                return wrong("is empty: write a text, or remove the line for the English one".to_owned());
            }
            if value.chars().count() > MAX_CHARS || value.contains(char::is_control) {
                return wrong(format!("must be one line of at most {MAX_CHARS} characters"));
            }
            if let Some(missing) = text.placeholders().iter().find(|word| !value.contains(**word)) {
                return wrong(format!("must contain `{missing}`, which the program replaces by a number"));
            }
            if *text == QuestionnaireText::Language && !is_language(value.trim()) {
                return wrong(format!("is `{value}`: write a language as HTML does, such as `en`, `de` or `zh-Hant`"));
            }
        }
        let first = self.0.keys().next().filter(|text| **text != QuestionnaireText::Language);
        first.map_or(Ok(()), |text| {
            let message =
                "`questionnaire_texts` needs `language`, such as `en` or `de`, for the check that no text is missing";
            Err((*text, message.to_owned()))
        })
    }
}

const MAX_CHARS: usize = 200;

fn is_language(name: &str) -> bool {
    let mut parts = name.split('-');
    let is_first = |part: &str| (2..=3).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphabetic());
    let is_next = |part: &str| (1..=8).contains(&part.len()) && part.chars().all(|c| c.is_ascii_alphanumeric());
    parts.next().is_some_and(is_first) && parts.all(is_next)
}

#[cfg(test)]
mod tests {
    use super::super::{Study, edited_text};
    use super::*;

    const STUDY: &str = "name = \"mood\"\ntitle = \"Mood\"\n[[questionnaires]]\nname = \"a\"\nkind = \"manikins\"\n";

    #[test]
    fn a_key_in_the_file_is_the_name_of_its_text() {
        for text in QuestionnaireText::ALL {
            let named = serde_json::to_value(text).unwrap();
            assert_eq!(named, text.as_str());
            assert!(text.placeholders().iter().all(|word| text.english().contains(word)));
        }
    }

    #[test]
    fn a_study_without_the_table_is_in_english() {
        let texts = Study::parse(STUDY).unwrap().questionnaire_texts;
        assert!(texts.is_empty());
        assert_eq!(texts.get(QuestionnaireText::ContinueButton), "Continue");
    }

    #[test]
    fn a_study_in_another_language_has_all_texts_that_it_shows() {
        let with = |texts: &str| Study::parse(&format!("{STUDY}[questionnaire_texts]\nlanguage = \"de\"\n{texts}"));
        let rows = "valence_row = \"unangenehm bis angenehm\"\narousal_row = \"ruhig bis erregt\"\n\
            dominance_row = \"ausgeliefert bis überlegen\"\n";
        let rest = "continue_button = \"Weiter\"\none_missing = \"Eine Antwort fehlt.\"\n\
            several_missing = \"{number} Antworten fehlen.\"\n";
        let e = with("").unwrap_err();
        assert!(e.line == 3 && e.message.contains("has no `text`"), "{e}");
        let instructed = |texts: &str| {
            let study = STUDY.replace("\"manikins\"", "\"manikins\"\ntext = \"Wie fühlen Sie sich?\"");
            Study::parse(&format!("{study}[questionnaire_texts]\nlanguage = \"de\"\n{texts}"))
        };
        let e = instructed(rows).unwrap_err();
        assert!(e.line == 7 && e.message.contains("continue_button"), "{e}");
        let e = instructed(rest).unwrap_err();
        assert!(e.message.contains("valence_row") && e.message.contains("`de`"), "{e}");
        // The grid is not part of this study, so its texts may be missing.
        let texts = instructed(&format!("{rows}{rest}")).unwrap().questionnaire_texts;
        assert_eq!(texts.get(QuestionnaireText::ContinueButton), "Weiter");
        assert_eq!(texts.get(QuestionnaireText::ValenceRow), "unangenehm bis angenehm");
    }

    #[test]
    fn a_change_of_one_word_keeps_the_comments_of_the_table() {
        let text = format!(
            "{STUDY}[questionnaire_texts]\n# Checked by two speakers.\nlanguage = \"en-GB\" # British\ngrid_top = \"awake\"\n"
        );
        let old = Study::parse(&text).unwrap();
        let mut new = old.clone();
        new.questionnaire_texts.set(QuestionnaireText::GridTop, "wide awake".into());
        let edited = edited_text(&text, &old, &new).unwrap();
        assert_eq!(edited, text.replace("\"awake\"", "\"wide awake\""));
        // A word that is removed is the program's again.
        new.questionnaire_texts.set(QuestionnaireText::GridTop, String::new());
        let edited = edited_text(&text, &old, &new).unwrap();
        assert_eq!(edited, text.replace("grid_top = \"awake\"\n", ""));
        assert_eq!(Study::parse(&edited).unwrap(), new);
    }

    #[test]
    fn mistakes_have_their_line() {
        for (line, word) in [
            ("language = \"German!\"", "`German!`"),
            ("language = \"\"", "is empty"),
            ("language = \"en\"\ncontinue_button = \" \"", "is empty"),
            ("language = \"en\"\ncontinue_button = \"a\\nb\"", "one line"),
            ("language = \"en\"\nseveral_missing = \"Some are missing.\"", "`{number}`"),
            ("language = \"en\"\ngrid_square = \"{activation}\"", "`{pleasantness}`"),
            ("grid_top = \"awake\"", "needs `language`"),
            ("language = \"en\"\ngrid_middle = \"awake\"", "grid_middle"),
        ] {
            let text = format!("{STUDY}[questionnaire_texts]\n{line}\n");
            let e = Study::parse(&text).unwrap_err();
            let expected = text.trim_end().matches('\n').count() + 1;
            assert!(e.line == expected && e.message.contains(word), "{line}: {e}");
        }
        let written = "[questionnaire_texts]\nlanguage = \"en-GB\"\ngrid_top = \"awake\"\n";
        let texts = Study::parse(&format!("{STUDY}{written}")).unwrap().questionnaire_texts;
        assert_eq!(
            (texts.get(QuestionnaireText::GridTop), texts.get(QuestionnaireText::GridLeft)),
            ("awake", "unpleasant")
        );
    }
}
