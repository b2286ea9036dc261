//! The fields of a study that the owner edits in the dashboard, and how they are written into `study.toml`.
//!
//! Only the edited keys change. Comments, the order of the keys, and keys that the dashboard does not know stay as they are,
//! because people also edit this file with a text editor.

use serde::{Deserialize, Serialize};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, TableLike, Value};
use utoipa::ToSchema;

use session::{RemoteCamera, Study};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StudyForm {
    pub title: String,
    #[serde(default)]
    pub description: String,
    /// The address of the study's page.
    pub address: String,
    #[serde(default)]
    pub consent_text: String,
    #[serde(default)]
    pub consent_required: bool,
    /// CSS selectors of elements for which only the occurrence of events is recorded.
    #[serde(default)]
    pub mask: Vec<String>,
    /// CSS selectors of fields whose typed text is recorded.
    #[serde(default)]
    pub content: Vec<String>,
    /// `off`, `scores` or `video`: the most that a page may use of the camera. `null`: the page decides.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub camera: Option<RemoteCamera>,
    /// `null`: the page decides.
    #[serde(default)]
    pub replay: Option<bool>,
    /// `null`: no limit.
    #[serde(default)]
    pub max_participants: Option<u64>,
    #[serde(default)]
    pub completion_code: String,
    #[serde(default)]
    pub redirect: String,
    /// Names of the conditions.
    #[serde(default)]
    pub conditions: Vec<String>,
    /// How often each condition occurs in a block of the random assignment. 0: once.
    #[serde(default)]
    pub block_repeats: u32,
}

impl StudyForm {
    pub fn of(study: &Study) -> StudyForm {
        let page = study.page.clone().unwrap_or_default();
        StudyForm {
            title: study.title.clone(),
            description: study.description.clone(),
            address: page.address,
            consent_text: study.consent.text.clone(),
            consent_required: study.consent.required,
            mask: page.mask,
            content: page.content,
            camera: study.remote.camera,
            replay: study.remote.replay,
            max_participants: study.remote.max_participants,
            completion_code: study.remote.completion_code.clone(),
            redirect: study.remote.redirect.clone(),
            conditions: study.conditions.iter().map(|c| c.name.clone()).collect(),
            block_repeats: study.assignment.block_repeats.unwrap_or(0),
        }
    }

    /// The text of a new study.
    pub fn new_text(&self, name: &str) -> Result<String, String> {
        self.edited(&format!("name = {}\n", Value::from(name)))
    }

    /// The text of a study after the edit.
    pub fn edited(&self, text: &str) -> Result<String, String> {
        let mut file: DocumentMut = text.parse().map_err(|e| format!("The study's file is not valid TOML: {e}."))?;
        let root = file.as_table_mut();
        put(root, "title", Some(self.title.as_str().into()));
        put(root, "description", given(&self.description));
        let max_participants = self.max_participants.map(|n| i64::try_from(n).unwrap_or(i64::MAX).into());
        let camera = self.camera.map(|camera| camera.as_str().into());
        let block_repeats = (self.block_repeats > 0).then(|| i64::from(self.block_repeats).into());
        // A study without a page stays one.
        let address = self.address.trim();
        let address = (root.contains_key("page") || !address.is_empty()).then(|| address.into());
        let tables: [(&str, Vec<KeyValue<'_>>); 4] = [
            ("page", vec![("address", address), ("mask", list(&self.mask)), ("content", list(&self.content))]),
            ("consent", vec![("text", given(&self.consent_text)), ("required", Some(self.consent_required.into()))]),
            (
                "remote",
                vec![
                    ("camera", camera),
                    ("replay", self.replay.map(Value::from)),
                    ("max_participants", max_participants),
                    ("completion_code", given(self.completion_code.trim())),
                    ("redirect", given(self.redirect.trim())),
                ],
            ),
            ("assignment", vec![("block_repeats", block_repeats)]),
        ];
        for (name, values) in tables {
            put_all(root, name, values)?;
        }
        put_conditions(root, &self.conditions);
        Ok(file.to_string())
    }
}

/// A key and its new value. `None`: the key is removed.
type KeyValue<'a> = (&'a str, Option<Value>);

fn given(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| text.into())
}

fn list(texts: &[String]) -> Option<Value> {
    let texts: Array = texts.iter().map(|t| t.trim()).filter(|t| !t.is_empty()).collect();
    (!texts.is_empty()).then_some(Value::Array(texts))
}

/// Sets or removes a key. A value that is the same keeps its formatting.
fn put(table: &mut dyn TableLike, key: &str, new: Option<Value>) {
    let Some(mut new) = new else {
        table.remove(key);
        return;
    };
    match table.get_mut(key) {
        Some(Item::Value(old)) => {
            if !is_same(old, &new) {
                *new.decor_mut() = old.decor().clone();
                *old = new;
            }
        }
        _ => {
            table.insert(key, Item::Value(new));
        }
    }
}

fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.value() == b.value(),
        (Value::Integer(a), Value::Integer(b)) => a.value() == b.value(),
        (Value::Boolean(a), Value::Boolean(b)) => a.value() == b.value(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| is_same(a, b)),
        _ => false,
    }
}

/// A table that would be empty is not made.
fn put_all(root: &mut Table, name: &str, values: Vec<KeyValue<'_>>) -> Result<(), String> {
    if !root.contains_key(name) {
        if values.iter().all(|(_, value)| value.is_none()) {
            return Ok(());
        }
        root.insert(name, Item::Table(Table::new()));
    }
    let table = root.get_mut(name).and_then(Item::as_table_like_mut);
    let table = table.ok_or_else(|| format!("`{name}` in the study's file is not a table."))?;
    values.into_iter().for_each(|(key, value)| put(table, key, value));
    Ok(())
}

/// A condition that stays keeps its other keys.
fn put_conditions(root: &mut Table, names: &[String]) {
    let names: Vec<&str> = names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
    let old: Vec<Table> =
        root.get("conditions").and_then(Item::as_array_of_tables).into_iter().flatten().cloned().collect();
    let name_of = |table: &Table| table.get("name").and_then(Item::as_str).map(str::to_owned);
    if !names.is_empty() && old.iter().map(name_of).eq(names.iter().map(|name| Some((*name).to_owned()))) {
        return;
    }
    let mut conditions = ArrayOfTables::new();
    for name in names {
        let kept = old.iter().find(|table| name_of(table).as_deref() == Some(name)).cloned();
        conditions.push(kept.unwrap_or_else(|| {
            let mut table = Table::new();
            table.insert("name", Item::Value(name.into()));
            table
        }));
    }
    root.remove("conditions");
    if !conditions.is_empty() {
        root.insert("conditions", Item::ArrayOfTables(conditions));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = r##"# Our study
name = "demo"
title = "Demo" # shown in lists

[page]
address = "https://a.example"
mask = ["#secret"] # the diary

[[markers]]
key = "1"
label = "smile"
"##;

    #[test]
    fn an_edit_keeps_comments_and_what_it_does_not_know() {
        let study = Study::parse(TEXT).unwrap();
        let form = StudyForm::of(&study);
        let unchanged = form.edited(TEXT).unwrap();
        assert_eq!(StudyForm::of(&Study::parse(&unchanged).unwrap()), form);
        assert!(
            unchanged.starts_with("# Our study\nname = \"demo\"\ntitle = \"Demo\" # shown in lists\n"),
            "{unchanged}"
        );
        let new = StudyForm {
            title: "A \"new\" title".into(),
            consent_text: "I agree.\nTo all.".into(),
            consent_required: true,
            content: vec!["textarea".into(), " ".into()],
            camera: Some(RemoteCamera::Scores),
            replay: Some(true),
            max_participants: Some(40),
            completion_code: "AB12".into(),
            redirect: "https://b.example/?cc=AB12".into(),
            conditions: vec!["calm".into(), "loud".into()],
            block_repeats: 2,
            ..form
        };
        let edited = new.edited(&unchanged).unwrap();
        let study = Study::parse(&edited).unwrap_or_else(|e| panic!("{e}\n{edited}"));
        assert_eq!(StudyForm::of(&study), StudyForm { content: vec!["textarea".into()], ..new.clone() });
        assert_eq!(study.markers.len(), 1);
        for kept in ["# Our study", "# shown in lists", "# the diary"] {
            assert!(edited.contains(kept), "{edited}");
        }
        // Back to nothing.
        let bare = StudyForm { conditions: vec![], redirect: String::new(), ..new }.edited(&edited).unwrap();
        assert!(!bare.contains("redirect") && !bare.contains("[[conditions]]"), "{bare}");
        Study::parse(&bare).unwrap();
    }

    proptest! {
        /// What an owner types cannot become another key of the file.
        #[test]
        fn typed_text_stays_text(title in "\\PC{1,40}", consent_text in "(\\PC|\n|\"|'|\\\\){0,60}", mask in "\\PC{1,20}") {
            prop_assume!(!mask.trim().is_empty());
            let form = StudyForm { title, consent_text, mask: vec![mask], ..StudyForm::of(&Study::parse(TEXT).unwrap()) };
            let study = Study::parse(&form.edited(TEXT).unwrap()).unwrap();
            let trimmed = StudyForm { mask: vec![form.mask[0].trim().to_owned()], ..form };
            prop_assert_eq!(StudyForm::of(&study), trimmed);
        }
    }
}
