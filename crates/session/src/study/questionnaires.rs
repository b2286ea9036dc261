//! `[[questionnaires]]`: questions that the program shows before or after the study's page, and the table of their items.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::names::is_short_name;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Questionnaire {
    /// Short name, stored with each answer.
    pub name: String,
    pub kind: QuestionnaireKind,
    #[serde(default)]
    pub when: QuestionnaireTime,
    /// The instruction above the items. Empty: a neutral one.
    #[serde(default)]
    pub text: String,
    /// The table of the items, relative to the study file. Only for the kind `items`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub items: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionnaireKind {
    /// Valence, arousal and dominance on drawn figures, 1 to 9.
    Manikins,
    /// One click into a square of pleasantness and activation, 1 to 9 each.
    AffectGrid,
    /// Likert and visual analogue items from a table.
    Items,
}

impl QuestionnaireKind {
    pub const ALL: [QuestionnaireKind; 3] =
        [QuestionnaireKind::Manikins, QuestionnaireKind::AffectGrid, QuestionnaireKind::Items];

    /// The name stored in files.
    pub fn as_str(self) -> &'static str {
        match self {
            QuestionnaireKind::Manikins => "manikins",
            QuestionnaireKind::AffectGrid => "affect_grid",
            QuestionnaireKind::Items => "items",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionnaireTime {
    /// After the baseline, before the page or the timed phases.
    Before,
    #[default]
    After,
}

/// One item of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Short name, stored with the answer.
    pub item: String,
    pub text: String,
    pub scale: Scale,
    /// The words at the two ends of the scale.
    pub left: String,
    pub right: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// 1 to this number.
    Likert(u8),
    /// A line from 0 to 100 without a mark at the beginning.
    VisualAnalogue,
}

/// An error in a table of items.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {message}")]
pub struct ItemsError {
    pub line: u64,
    pub message: String,
}

const COLUMNS: &str = "item, text, scale, points, left, right";
const MAX_ITEMS: usize = 500;

#[derive(Deserialize)]
struct ItemRow {
    item: String,
    text: String,
    #[serde(default)]
    scale: String,
    #[serde(default)]
    points: Option<u8>,
    #[serde(default)]
    left: String,
    #[serde(default)]
    right: String,
}

impl Item {
    /// Reads `items.csv`: columns `item`, `text`, and if wanted `scale` (`likert` or `vas`), `points`, `left`, `right`.
    /// The columns are separated by commas, semicolons or tabs.
    pub fn read_table(text: &str) -> Result<Vec<Item>, ItemsError> {
        let text = text.trim_start_matches('\u{feff}');
        let head = text.lines().next().unwrap_or_default();
        let delimiter = [b'\t', b';', b','].into_iter().find(|d| head.contains(char::from(*d))).unwrap_or(b',');
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
        let wrong = |line: u64, message: String| ItemsError { line, message };
        let head = reader.headers().map_err(|e| wrong(1, e.to_string()))?.clone();
        for needed in ["item", "text"] {
            if !head.iter().any(|name| name == needed) {
                return Err(wrong(1, format!("there is no column `{needed}`: the columns are {COLUMNS}")));
            }
        }
        let (mut items, mut names) = (Vec::new(), HashSet::new());
        for row in reader.into_records() {
            let row = row.map_err(|e| wrong(e.position().map_or(0, csv::Position::line), e.to_string()))?;
            let line = row.position().map_or(0, csv::Position::line);
            // Excel leaves empty rows at the end.
            if row.iter().all(str::is_empty) {
                continue;
            }
            let row: ItemRow = row.deserialize(Some(&head)).map_err(|e| wrong(line, e.to_string()))?;
            let item = Item::of(row).map_err(|message| wrong(line, message))?;
            if !names.insert(item.item.clone()) {
                return Err(wrong(
                    line,
                    format!("the item `{}` is listed twice: give each item its own name", item.item),
                ));
            }
            items.push(item);
            if items.len() > MAX_ITEMS {
                return Err(wrong(line, format!("more than {MAX_ITEMS} items: split the questionnaire")));
            }
        }
        if items.is_empty() {
            Err(wrong(1, "there is no item below the names of the columns".into()))
        } else {
            Ok(items)
        }
    }

    fn of(row: ItemRow) -> Result<Item, String> {
        if !is_short_name(&row.item) {
            return Err(format!("the item's name is `{}`: use 1 to 40 letters, digits, `-` and `_`", row.item));
        }
        if row.text.is_empty() || row.text.len() > 1000 {
            return Err(format!("the text of the item `{}` must have 1 to 1000 bytes", row.item));
        }
        let scale = match (row.scale.as_str(), row.points) {
            ("" | "likert", points) => {
                let points = points.unwrap_or(5);
                if !(2..=11).contains(&points) {
                    return Err(format!("the item `{}` has {points} points: a Likert item has 2 to 11", row.item));
                }
                Scale::Likert(points)
            }
            ("vas", None) => Scale::VisualAnalogue,
            ("vas", Some(_)) => {
                return Err(format!("the item `{}` is a line (`vas`): leave its `points` empty", row.item));
            }
            (other, _) => return Err(format!("the scale `{other}` is unknown: write `likert` or `vas`")),
        };
        Ok(Item { item: row.item, text: row.text, scale, left: row.left, right: row.right })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_table_of_items_is_read_and_errors_have_a_line() {
        let table = "item,text,scale,points,left,right\ntense,\"I feel tense, now\",likert,7,not at all,very\npain,How strong?,vas,,none,worst\n";
        let items = Item::read_table(table).unwrap();
        assert_eq!((items[0].scale, items[0].text.as_str()), (Scale::Likert(7), "I feel tense, now"));
        assert_eq!((items[1].scale, items[1].right.as_str()), (Scale::VisualAnalogue, "worst"));
        assert_eq!(Item::read_table(&table.replace(',', ";").replace("; now", ", now")).unwrap(), items);
        assert_eq!(Item::read_table("item\ttext\na\tCalm?\n").unwrap()[0].scale, Scale::Likert(5));
        assert_eq!(Item::read_table("item;text\r\na;Calm?\r\n;\r\n; \r\n").unwrap().len(), 1);
        for (bad, line, word) in [
            ("text\nCalm?\n", 1, "no column `item`"),
            ("item,text\n", 1, "no item"),
            ("item,text\na,Calm?\na,Tense?\n", 3, "twice"),
            ("item,text,points\na,Calm?,1\n", 2, "2 to 11"),
            ("item,text,scale\na,Calm?,grid\n", 2, "`likert` or `vas`"),
            ("item,text,scale,points\na,Calm?,vas,7\n", 2, "leave its `points` empty"),
            ("item,text\na b,Calm?\n", 2, "name"),
            ("item,text\na,\n", 2, "1 to 1000"),
        ] {
            let e = Item::read_table(bad).unwrap_err();
            assert!(e.line == line && e.message.contains(word), "{bad:?}: {e}");
        }
    }

    proptest! {
        #[test]
        fn no_table_makes_the_reader_panic(text in "\\PC{0,200}", rows in "[a-z,;\"\n\t0-9]{0,200}") {
            Item::read_table(&text).ok();
            Item::read_table(&format!("item,text,scale,points\n{rows}")).ok();
        }
    }
}
