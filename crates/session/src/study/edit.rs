//! Writes changes of a study into its text. Comments, order and spacing of everything else stay.

use toml::Value;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};

use super::error::{StudyError, at};
use super::model::Study;

/// `text` with the differences from `old`, which was parsed from it, to `new`. The new study need not be valid: the check of
/// the text reports what is wrong. A text of several lines gets the line ends of the file.
pub fn edited_text(text: &str, old: &Study, new: &Study) -> Result<String, StudyError> {
    if old == new {
        return Ok(text.to_owned());
    }
    let mut document = document(text)?;
    let (old, new) = (tree(old, text)?, tree(new, text)?);
    merge(document.as_table_mut(), &old, &new);
    Ok(with_line_ends_of(text, document.to_string()))
}

pub(super) fn document(text: &str) -> Result<DocumentMut, StudyError> {
    text.parse().map_err(|e: toml_edit::TomlError| at(text, e.span().map_or(0, |s| s.start), e.message().to_owned()))
}

/// `toml_edit` ends each line as Unix does.
pub(super) fn with_line_ends_of(text: &str, edited: String) -> String {
    if text.contains("\r\n") { edited.replace("\r\n", "\n").replace('\n', "\r\n") } else { edited }
}

fn tree(study: &Study, text: &str) -> Result<toml::Table, StudyError> {
    toml::Table::try_from(study).map_err(|e| at(text, 0, format!("the study cannot be written as text: {e}")))
}

/// Keys whose value did not change are not touched, so keys that are absent because they have their default stay absent.
fn merge(table: &mut Table, old: &toml::Table, new: &toml::Table) {
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        table.remove(key);
    }
    let mut changed: Vec<_> = new.iter().filter(|(key, value)| old.get(*key) != Some(value)).collect();
    // A new table begins with what names it.
    changed.sort_by_key(|(key, _)| !["name", "key"].contains(&key.as_str()));
    for (key, value) in changed {
        match (value, old.get(key)) {
            (Value::Table(new), before) => {
                let empty = toml::Table::new();
                let before = match before {
                    Some(Value::Table(before)) => before,
                    _ => &empty,
                };
                into_table(table, key);
                if let Some(Item::Table(inner)) = table.get_mut(key) {
                    merge(inner, before, new);
                }
            }
            (Value::Array(new), before) if is_of_tables(new, before) => {
                let before = before.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                merge_tables(table, key, before, new);
            }
            (value, _) => put(table, key, value),
        }
    }
}

fn is_of_tables(new: &[Value], before: Option<&Value>) -> bool {
    let before = before.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    new.iter().chain(before).next().is_some() && new.iter().chain(before).all(Value::is_table)
}

/// A table in braces becomes a table with a head, so that people can read what is added to it.
fn into_table(table: &mut Table, key: &str) {
    let item = table.entry(key).or_insert_with(|| Item::Table(Table::new()));
    if !item.is_table() {
        let made = std::mem::take(item).into_table().unwrap_or_default();
        *item = Item::Table(made);
    }
}

/// Replaces a value and keeps the comment behind it.
fn put(table: &mut Table, key: &str, value: &Value) {
    let mut made = written(value);
    match table.get_mut(key) {
        Some(Item::Value(present)) => {
            *made.decor_mut() = present.decor().clone();
            *present = made;
        }
        _ => {
            table.insert(key, Item::Value(made));
        }
    }
}

fn written(value: &Value) -> toml_edit::Value {
    let lines = value.as_str().filter(|text| text.contains('\n')).map(|text| text.replace("\r\n", "\n"));
    // `toml` writes a text of several lines between three quotation marks. Its line ends are those of the file.
    let text = match lines {
        Some(lines) => toml::to_string_pretty(&toml::Table::from_iter([("v".to_owned(), Value::String(lines))])),
        None => Ok(format!("v = {value}")),
    };
    let parsed = text.ok().and_then(|text| text.parse::<DocumentMut>().ok());
    let item = parsed.and_then(|document| document.get("v").cloned());
    // Not reached: what `toml` writes is TOML.
    let otherwise = || toml_edit::Value::from(value.to_string());
    let mut made = item.and_then(|item| item.into_value().ok()).unwrap_or_else(otherwise);
    made.decor_mut().clear();
    made.decor_mut().set_prefix(" ");
    made
}

/// Each new element takes the old one that is equal or has the same name, with its comments; else one of the rest.
fn merge_tables(table: &mut Table, key: &str, old: &[Value], new: &[Value]) {
    let mut present: Vec<Option<Table>> = match table.remove(key) {
        Some(Item::ArrayOfTables(all)) => all.into_iter().map(Some).collect(),
        Some(item) => item.into_array_of_tables().map(|all| all.into_iter().map(Some).collect()).unwrap_or_default(),
        None => Vec::new(),
    };
    present.resize(old.len(), None);
    let mut sources: Vec<Option<usize>> = vec![None; new.len()];
    let mut is_taken = vec![false; old.len()];
    let rules: [fn(&Value, &Value) -> bool; 3] = [|a, b| a == b, has_same_name, |_, _| true];
    for rule in rules {
        for (k, value) in new.iter().enumerate() {
            if sources[k].is_none()
                && let Some(from) = (0..old.len()).find(|from| !is_taken[*from] && rule(&old[*from], value))
            {
                (sources[k], is_taken[from]) = (Some(from), true);
            }
        }
    }
    let mut all = ArrayOfTables::new();
    let empty = Value::Table(toml::Table::new());
    for (k, value) in new.iter().enumerate() {
        let (mut made, before) = match sources[k] {
            Some(from) => (present[from].take().unwrap_or_default(), &old[from]),
            None => (new_table(), &empty),
        };
        // Without a position, the tables are written in the order of the array.
        made.set_position(None);
        if let (Some(before), Some(value)) = (before.as_table(), value.as_table()) {
            merge(&mut made, before, value);
        }
        all.push(made);
    }
    if !all.is_empty() {
        table.insert(key, Item::ArrayOfTables(all));
    }
}

/// An empty line before the head.
fn new_table() -> Table {
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    table
}

fn has_same_name(a: &Value, b: &Value) -> bool {
    ["name", "key"].iter().any(|key| a.get(key).is_some_and(|name| b.get(key) == Some(name)))
}

#[cfg(test)]
mod tests {
    use super::super::{
        ConsentSettings, Marker, PageSettings, Phase, PhaseKind, Questionnaire, QuestionnaireKind, QuestionnaireTime,
        StudyCondition,
    };
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = r#"# Our study of pictures, see the protocol.
name = "pictures"   # also in folder names
title = "Pictures"

[page]
address = "page"    # beside this file
mask = []           # nothing secret

[camera]
# The lab's old camera.
width_px = 640

# Keys of the operator.
[[markers]]
key = "1"
label = "looked away"

# Only in the pilot:
[[markers]]
key = "2"
label = "spoke"

[consent]
text = """
A camera records your face.
"""

[[phases]]
name = "rest"
seconds = 8
"#;

    fn changed(change: impl FnOnce(&mut Study)) -> String {
        let old = Study::parse(TEXT).unwrap();
        let mut new = old.clone();
        change(&mut new);
        let text = edited_text(TEXT, &old, &new).unwrap();
        assert_eq!(Study::parse(&text).unwrap(), new, "{text}");
        text
    }

    #[test]
    fn a_change_is_one_line_and_comments_stay() {
        assert_eq!(changed(|_| {}), TEXT);
        let text = changed(|s| s.title = "Ten pictures".into());
        assert_eq!(text, TEXT.replace("\"Pictures\"", "\"Ten pictures\""));
        let text = changed(|s| s.page.as_mut().unwrap().address = "https://example.org".into());
        assert_eq!(text, TEXT.replace("\"page\" ", "\"https://example.org\" "));
        let text = changed(|s| s.camera.width_px = 1280);
        assert_eq!(text, TEXT.replace("width_px = 640", "width_px = 1280"));
    }

    #[test]
    fn a_removed_table_takes_its_comment_with_it_and_no_other() {
        let text = changed(|s| drop(s.markers.remove(1)));
        assert!(text.contains("# Keys of the operator.") && !text.contains("Only in the pilot"), "{text}");
        let text = changed(|s| drop(s.markers.remove(0)));
        assert!(!text.contains("# Keys of the operator.") && text.contains("Only in the pilot"), "{text}");
        let text = changed(|s| s.markers.clear());
        assert!(!text.contains("markers") && text.contains("The lab's old camera"), "{text}");
        let text = changed(|s| s.page = None);
        assert!(!text.contains("[page]") && text.contains("width_px = 640"), "{text}");
    }

    #[test]
    fn new_tables_are_readable() {
        let text = changed(|s| {
            s.phases.insert(0, Phase { name: "cross".into(), seconds: 60.0, kind: PhaseKind::Baseline });
            s.markers.push(Marker { key: 'x', label: "odd".into() });
            s.conditions.push(StudyCondition { name: "calm".into(), description: String::new() });
            s.assignment.seed = 7;
            s.consent.required = true;
        });
        assert!(text.contains("[[conditions]]\nname = \"calm\"\n"), "{text}");
        assert!(text.contains("[assignment]\nseed = 7\n"), "{text}");
        assert!(text.contains("\n[[phases]]\nname = \"cross\"\nkind = \"baseline\"\nseconds = 60.0\n"), "{text}");
        assert!(text.find("cross").unwrap() < text.find("\"rest\"").unwrap(), "{text}");
    }

    #[test]
    fn a_text_of_several_lines_stays_readable() {
        let text = changed(|s| s.consent.text = "One line.\n\nAnother \"line\".\n".into());
        assert!(text.contains("\"\"\"\nOne line.\n\nAnother \"line\".\n\"\"\""), "{text}");
    }

    #[test]
    fn a_study_that_is_not_valid_yet_is_written_too() {
        let old = Study::parse(TEXT).unwrap();
        let new = Study { name: "a b".into(), ..old.clone() };
        let text = edited_text(TEXT, &old, &new).unwrap();
        assert!(Study::parse(&text).unwrap_err().message.contains("a b"));
    }

    #[test]
    fn the_line_ends_of_windows_stay() {
        let text = TEXT.replace('\n', "\r\n");
        let old = Study::parse(&text).unwrap();
        let new = Study { title: "Ten pictures".into(), ..old.clone() };
        let edited = edited_text(&text, &old, &new).unwrap();
        assert_eq!(edited, text.replace("\"Pictures\"", "\"Ten pictures\""), "the consent is the same text");
        for consent in ["One.\r\nTwo.\r\n", "One.\nTwo.\n"] {
            let new = Study { consent: ConsentSettings { text: consent.into(), ..old.consent.clone() }, ..old.clone() };
            let edited = edited_text(&text, &old, &new).unwrap();
            assert_eq!(Study::parse(&edited).unwrap().consent.text, "One.\r\nTwo.\r\n", "{edited}");
        }
    }

    /// The forms of TOML that the editor does not write itself: tables in braces, dotted keys, lists in one line.
    const TERSE: &str = r##"name = "terse"
title = "Terse"
page = { address = "page", mask = ["#a"] } # beside
camera.width_px = 800
consent = { required = true, text = "Yes?" }
markers = [{ key = "1", label = "spoke" }, { label = "left", key = "2" }]
phases = [{ name = "rest", seconds = 8, kind = "baseline" }]
conditions = [
    { name = "calm", description = "slow music" },
    { name = "loud" },
]
questionnaires = [{ name = "q", kind = "affect_grid" }]
"##;

    /// The study in the text, with the line ends of Unix in its consent.
    fn parsed(text: &str) -> Study {
        let mut study = Study::parse(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        study.consent.text = study.consent.text.replace("\r\n", "\n");
        study
    }

    fn questionnaire(name: &str, kind: usize) -> Questionnaire {
        let kind = QuestionnaireKind::ALL[kind];
        let items = if kind == QuestionnaireKind::Items { format!("{name}.csv") } else { String::new() };
        let when = if name.len() > 3 { QuestionnaireTime::Before } else { QuestionnaireTime::After };
        Questionnaire { name: name.into(), kind, when, text: String::new(), items }
    }

    #[test]
    fn lists_in_one_line_keep_what_a_change_does_not_touch() {
        let old = Study::parse(TERSE).unwrap();
        let mut new = old.clone();
        new.conditions.swap(0, 1);
        new.camera.width_px = 1024;
        new.page.as_mut().unwrap().address = "task".into();
        let text = edited_text(TERSE, &old, &new).unwrap();
        assert_eq!(Study::parse(&text).unwrap(), new, "{text}");
        for kept in ["markers = [{ key = \"1\", label", "consent = { required", "slow music"] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
    }

    proptest! {
        #[test]
        fn any_change_arrives(
            text in prop::sample::select(vec![TEXT, TERSE]), ends in prop::sample::select(vec!["\n", "\r\n"]),
            title in "\\PC{0,40}", consent in "[a-z\"'\\\\\n\t ]{0,60}", labels in prop::collection::vec("[a-z]{1,8}", 0..4),
            keys in prop::collection::hash_set("[a-z]", 0..5), seconds in prop::collection::vec(1.0f64..1e4, 0..4),
            conditions in prop::collection::hash_map("calm|loud|[a-z]{1,6}", "[a-z ]{0,8}", 0..4),
            questionnaires in prop::collection::hash_map("q|[a-z]{1,6}", 0usize..3, 0..4),
            has_page: bool, seed in 0u64..1_000_000,
        ) {
            let text = text.replace('\n', ends);
            let old = Study::parse(&text).unwrap();
            let mut new = old.clone();
            new.title = title;
            new.consent.text = consent;
            new.annotation_labels = labels.into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
            new.markers = keys.iter().map(|k| Marker { key: k.chars().next().unwrap(), label: k.repeat(2) }).collect();
            new.phases = seconds.iter().map(|s| Phase { name: format!("{s:.0}"), seconds: *s, kind: PhaseKind::Task }).collect();
            new.conditions = conditions.into_iter().map(|(name, description)| StudyCondition { name, description }).collect();
            new.questionnaires = questionnaires.iter().map(|(name, kind)| questionnaire(name, *kind)).collect();
            new.assignment.seed = seed;
            new.page = has_page.then(|| PageSettings { address: "page".into(), ..PageSettings::default() });
            let edited = edited_text(&text, &old, &new).unwrap();
            prop_assert_eq!(parsed(&edited), new, "{}", edited);
            let present = Study::parse(&edited).unwrap();
            let again = edited_text(&edited, &present, &old).unwrap();
            prop_assert_eq!(parsed(&again), parsed(&text), "{}", again);
        }
    }
}
