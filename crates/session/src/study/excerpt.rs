//! What is read from the study of a stored session.

use serde::Deserialize;

use super::error::{StudyError, at};
use super::model::default_affect_model;

/// A few keys of a study. Other keys may be wrong, or unknown to this version of the program.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct StudyExcerpt {
    #[serde(default)]
    pub description: String,
    #[serde(default = "default_affect_model")]
    pub affect_model: String,
    #[serde(default)]
    pub annotation_labels: Vec<String>,
    #[serde(default)]
    pub consent: ConsentExcerpt,
    #[serde(default)]
    pub conditions: Vec<ConditionExcerpt>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ConditionExcerpt {
    pub name: String,
    #[serde(default)]
    pub description: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ConsentExcerpt {
    pub text: String,
    pub required: bool,
}

impl StudyExcerpt {
    pub fn read(text: &str) -> Result<StudyExcerpt, StudyError> {
        toml::from_str(text).map_err(|e| at(text, e.span().map_or(0, |span| span.start), e.message().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Study;

    #[test]
    fn keys_of_other_versions_do_not_hide_the_known_ones() {
        let text = "name = \"a b\"\ntitle = \"A\"\naffect_model = \"small\"\nannotation_labels = [\"smile\"]\nlater = 1\n\
            [consent]\ntext = \"Ja?\"\nrequired = true\nmore = \"x\"\n";
        assert!(Study::parse(text).is_err());
        let read = StudyExcerpt::read(text).unwrap();
        assert_eq!((read.affect_model.as_str(), &read.annotation_labels[..]), ("small", &["smile".to_owned()][..]));
        assert_eq!(read.consent, ConsentExcerpt { text: "Ja?".into(), required: true });
        assert_eq!(StudyExcerpt::read("name = \"a\"\n").unwrap().affect_model, "affect");
        let e = StudyExcerpt::read("name = \"a\"\naffect_model = 1\n").unwrap_err();
        assert_eq!(e.line, 2, "{e}");
    }
}
