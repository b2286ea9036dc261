//! `participants.tsv`, with the columns of BIDS, also as Excel and other programs save it. People may add columns. This
//! module only adds and removes rows and writes conditions, in the format of the file. A file that it cannot preserve is
//! refused and not changed.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::StoreError;
use super::folders::replace_file;
use super::session_condition::{CONDITION_ASSIGNED, CONDITION_PREFIX};
use super::table_file::{Row, TableText, rows};
use session::ParticipantId;

pub const PARTICIPANTS_FILE: &str = "participants.tsv";
const ID_COLUMN: &str = "participant_id";
const ADDED_COLUMN: &str = "added";
/// The BIDS text for an unknown value.
pub(super) const UNKNOWN: &str = "n/a";

/// The laboratory's list of participants.
#[derive(Clone, Debug)]
pub struct ParticipantTable {
    path: PathBuf,
    table: TableText,
    delimiter: char,
    head: Row,
    rows: Vec<Row>,
    /// Several if several columns have this name and the same content.
    id_columns: Vec<usize>,
}

impl ParticipantTable {
    /// `None` if there is no file, or if it is empty.
    pub fn read(path: &Path) -> Result<Option<ParticipantTable>, StoreError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(StoreError::io("read", path)(e)),
        };
        let table = TableText::decode(&bytes).map_err(|message| wrong(path, 1, message))?;
        if table.text.trim().is_empty() { Ok(None) } else { ParticipantTable::of(path, table).map(Some) }
    }

    fn of(path: &Path, table: TableText) -> Result<ParticipantTable, StoreError> {
        let (delimiter, all) = cut(&table.text).map_err(|(line, message)| wrong(path, line, message))?;
        let is_head = |row: &Row| row.cells.iter().any(|cell| is_named(cell, ID_COLUMN));
        // Excel may write a line `sep=;` before it.
        let at = all.iter().take(2).position(is_head).ok_or_else(|| {
            wrong(
                path,
                1,
                format!("no column `{ID_COLUMN}`: write the names of the columns into the first line, separated by tabs or semicolons"),
            )
        })?;
        let mut rows = all.into_iter().skip(at);
        let head = rows.next().ok_or_else(|| {
            wrong(path, 1, "the first line is missing: write the names of the columns into it".into())
        })?;
        let id_columns: Vec<usize> = (0..head.cells.len()).filter(|k| is_named(&head.cells[*k], ID_COLUMN)).collect();
        let this = ParticipantTable { path: path.to_owned(), table, delimiter, head, rows: rows.collect(), id_columns };
        this.check_ids()?;
        Ok(this)
    }

    /// If two columns are called `participant_id`, each row must have the same value in both.
    fn check_ids(&self) -> Result<(), StoreError> {
        for row in self.people() {
            let ids: Vec<&str> = self.ids_of(row).collect();
            if let [first, rest @ ..] = &ids[..]
                && let Some(other) = rest.iter().find(|other| *other != first)
            {
                let message = format!(
                    "two columns are called `{ID_COLUMN}`, with the values `{first}` and `{other}`: rename one of them"
                );
                return Err(wrong(&self.path, row.line, message));
            }
        }
        Ok(())
    }

    fn people(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.is_blank())
    }

    /// The values of the columns of this name. Empty cells are skipped.
    fn ids_of<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = &'a str> {
        let cells = self.id_columns.iter().filter_map(|k| row.cells.get(*k));
        cells.map(String::as_str).filter(|cell| !cell.is_empty())
    }

    fn is_of(&self, row: &Row, participant: &ParticipantId) -> bool {
        self.ids_of(row).next() == Some(participant.as_str())
    }

    /// In the order of the file.
    fn participants(&self) -> Result<Vec<ParticipantId>, StoreError> {
        let id = |row: &Row| -> Result<ParticipantId, String> { self.ids_of(row).next().unwrap_or_default().parse() };
        self.people().map(|row| id(row).map_err(|message| wrong(&self.path, row.line, message))).collect()
    }

    /// The columns that people added: position and a unique name.
    pub fn own_columns(&self) -> Vec<(usize, String)> {
        let widest = self.rows.iter().map(|row| row.cells.len()).max().unwrap_or(0).max(self.head.cells.len());
        let mut columns: Vec<(usize, String)> = Vec::new();
        for k in 0..widest {
            let name = self.head.cells.get(k).map_or("", String::as_str);
            let is_ours = is_named(name, ID_COLUMN) || is_named(name, ADDED_COLUMN);
            let has_cells =
                || self.rows.iter().any(|row| row.cells.get(k).is_some_and(|c| !c.is_empty() && c != UNKNOWN));
            if is_ours || name.is_empty() && !has_cells() {
                continue;
            }
            let name = if name.is_empty() { format!("column_{}", k + 1) } else { name.to_owned() };
            let is_taken = |name: &str| is_named(name, ID_COLUMN) || columns.iter().any(|(_, n)| n == name);
            let numbered = (2..).map(|n| format!("{name}_{n}"));
            let free = std::iter::once(name.clone()).chain(numbered).find(|n| !is_taken(n));
            columns.push((k, free.unwrap_or(name)));
        }
        columns
    }

    /// The value of a column for a participant. `None` if the cell is empty or the participant is not listed.
    pub fn cell(&self, participant: &ParticipantId, column: usize) -> Option<&str> {
        let row = self.people().find(|row| self.is_of(row, participant))?;
        row.cells.get(column).map(String::as_str).filter(|cell| !cell.is_empty())
    }

    /// As [`ParticipantTable::cell`], by the name of the column. `None` also if the value is unknown.
    fn value(&self, participant: &ParticipantId, name: &str) -> Option<&str> {
        let column = self.head.cells.iter().position(|cell| is_named(cell, name))?;
        self.cell(participant, column).filter(|cell| *cell != UNKNOWN)
    }

    /// The values of the column with this name, by participant. Empty and unknown cells are left out.
    pub(super) fn column(&self, name: &str) -> Result<Vec<(ParticipantId, String)>, StoreError> {
        let Some(column) = self.head.cells.iter().position(|cell| is_named(cell, name)) else { return Ok(Vec::new()) };
        let all = self.participants()?.into_iter().zip(self.people());
        let value = |row: &Row| row.cells.get(column).filter(|c| !c.is_empty() && *c != UNKNOWN).cloned();
        Ok(all.filter_map(|(id, row)| Some((id, value(row)?))).collect())
    }

    /// The text with this value in the participant's row. A column that does not exist is added behind the others. Only the
    /// head and the rows that get a cell change.
    fn with_cell(&self, participant: &ParticipantId, name: &str, value: &str) -> TableText {
        let known = self.head.cells.iter().position(|cell| is_named(cell, name));
        let column = known.unwrap_or(self.head.cells.len());
        let mut table = self.table.clone();
        let is_changed = |row: &&Row| known.is_none() || self.is_of(row, participant);
        // From the end, so that the places of the earlier rows stay.
        for row in self.rows.iter().rev().filter(|row| !row.is_blank()).filter(is_changed) {
            let value = if self.is_of(row, participant) { value } else { UNKNOWN };
            let mut cells = row.cells.clone();
            cells.resize(cells.len().max(column + 1), String::new());
            value.clone_into(&mut cells[column]);
            table.text.replace_range(row.place.clone(), &self.line(&cells, row.end));
        }
        if known.is_none() {
            let cells: Vec<String> = self.head.cells.iter().cloned().chain([name.to_owned()]).collect();
            table.text.replace_range(self.head.place.clone(), &self.line(&cells, self.head.end));
        }
        table
    }

    /// The table with these values in the participant's row: columns and values. `None` if it has them already.
    fn with_cells(
        &self,
        participant: &ParticipantId,
        cells: &[(String, String)],
    ) -> Result<Option<ParticipantTable>, StoreError> {
        let mut changed: Option<ParticipantTable> = None;
        for (name, value) in cells {
            let table = changed.as_ref().unwrap_or(self);
            let wanted = Some(value.as_str()).filter(|value| *value != UNKNOWN);
            if table.value(participant, name) != wanted {
                changed = Some(ParticipantTable::of(&self.path, table.with_cell(participant, name, value))?);
            }
        }
        Ok(changed)
    }

    /// A row as text. Cells with a delimiter, a quote or a line end are quoted.
    fn line(&self, cells: &[String], end: &str) -> String {
        let needs_quotes = |cell: &str| cell.contains([self.delimiter, '\r', '\n']) || cell.starts_with('"');
        let cell = |cell: &String| match needs_quotes(cell) {
            true => format!("\"{}\"", cell.replace('"', "\"\"")),
            false => cell.clone(),
        };
        cells.iter().map(cell).collect::<Vec<_>>().join(&self.delimiter.to_string()) + end
    }

    /// The text with a new row for the participant. `None` if there is a row already.
    fn with(&self, participant: &ParticipantId, on: NaiveDate) -> Option<TableText> {
        if self.people().any(|row| self.is_of(row, participant)) {
            return None;
        }
        let date = on.to_string();
        let cells = self.head.cells.iter().map(|name| match name.as_str() {
            "" => "",
            name if is_named(name, ID_COLUMN) => participant.as_str(),
            name if is_named(name, ADDED_COLUMN) => date.as_str(),
            _ => UNKNOWN,
        });
        let row = cells.collect::<Vec<_>>().join(&self.delimiter.to_string());
        // The row goes after the last row with content, because Excel leaves empty rows at the end.
        let last = self.people().last().unwrap_or(&self.head);
        let end = [last, &self.head].into_iter().map(|row| row.end).find(|end| !end.is_empty()).unwrap_or("\n");
        let begin = if last.end.is_empty() { end } else { "" };
        let mut table = self.table.clone();
        table.text.insert_str(last.place.end, &format!("{begin}{row}{end}"));
        Some(table)
    }

    /// The text without the participant's rows. `None` if there are none.
    fn without(&self, participant: &ParticipantId) -> Option<TableText> {
        let theirs: Vec<&Row> = self.people().filter(|row| self.is_of(row, participant)).collect();
        let mut table = self.table.clone();
        theirs.iter().rev().for_each(|row| table.text.replace_range(row.place.clone(), ""));
        (!theirs.is_empty()).then_some(table)
    }
}

/// The rows, split by the delimiter with which the head has the participant column.
fn cut(text: &str) -> Result<(char, Vec<Row>), (usize, String)> {
    let mut first_problem = None;
    for delimiter in ['\t', ';', ','] {
        match rows(text, delimiter) {
            Ok(rows) if rows.iter().take(2).any(|r| r.cells.iter().any(|cell| is_named(cell, ID_COLUMN))) => {
                // If there is only one column, the first delimiter is used.
                return Ok((delimiter, rows));
            }
            Ok(_) => {}
            Err(problem) => drop(first_problem.get_or_insert(problem)),
        }
    }
    match first_problem {
        Some(problem) => Err(problem),
        None => Ok(('\t', rows(text, '\t')?)),
    }
}

/// Ignores upper and lower case.
fn is_named(cell: &str, name: &str) -> bool {
    cell.trim().eq_ignore_ascii_case(name)
}

/// In the order of the file. Empty if there is no file.
pub(super) fn read(path: &Path) -> Result<Vec<ParticipantId>, StoreError> {
    ParticipantTable::read(path)?.map_or_else(|| Ok(Vec::new()), |table| table.participants())
}

/// Fails if a row could not be added. Called before a recording.
pub(super) fn check(path: &Path) -> Result<(), StoreError> {
    ParticipantTable::read(path).map(drop)
}

/// Adds a row unless there is one. All other bytes of the file stay the same.
pub(super) fn add(path: &Path, participant: &ParticipantId, on: NaiveDate) -> Result<(), StoreError> {
    enter(path, participant, on, &[])
}

/// As [`add`], and writes values into columns of the row, all in one step.
pub(super) fn enter(
    path: &Path,
    participant: &ParticipantId,
    on: NaiveDate,
    cells: &[(String, String)],
) -> Result<(), StoreError> {
    let table = match ParticipantTable::read(path)? {
        Some(table) => table,
        None => ParticipantTable::of(path, TableText::new(format!("{ID_COLUMN}\t{ADDED_COLUMN}\n")))?,
    };
    let added = table.with(participant, on).map(|text| ParticipantTable::of(path, text)).transpose()?;
    let filled = added.as_ref().unwrap_or(&table).with_cells(participant, cells)?;
    filled.or(added).map_or(Ok(()), |table| write(path, &table.table))
}

/// Writes values into columns of the participant's row. Does nothing if the participant is not listed.
pub(super) fn set(path: &Path, participant: &ParticipantId, cells: &[(String, String)]) -> Result<(), StoreError> {
    let Some(table) = ParticipantTable::read(path)? else { return Ok(()) };
    if !table.people().any(|row| table.is_of(row, participant)) {
        return Ok(());
    }
    table.with_cells(participant, cells)?.map_or(Ok(()), |table| write(path, &table.table))
}

/// The value of the column with this name. `None` if it is empty or unknown, or if the participant is not listed.
pub(super) fn value(path: &Path, participant: &ParticipantId, name: &str) -> Result<Option<String>, StoreError> {
    let table = ParticipantTable::read(path)?;
    Ok(table.and_then(|table| table.value(participant, name).map(str::to_owned)))
}

/// Removes the participant's rows. All other bytes of the file stay the same. Returns whether there were any.
pub(super) fn remove(path: &Path, participant: &ParticipantId) -> Result<bool, StoreError> {
    let table = ParticipantTable::read(path)?;
    table.and_then(|table| table.without(participant)).map_or(Ok(false), |table| write(path, &table).map(|()| true))
}

/// Whether people wrote something about the participant. A condition that the random order gave is none of it.
pub(super) fn has_own_data(path: &Path, participant: &ParticipantId) -> Result<bool, StoreError> {
    let Some(table) = ParticipantTable::read(path)? else { return Ok(false) };
    let is_drawn = |name: &str| {
        let name = name.to_ascii_lowercase();
        let is_assigned = || table.value(participant, &format!("{name}{CONDITION_ASSIGNED}")).is_some();
        name.starts_with(CONDITION_PREFIX) && (name.ends_with(CONDITION_ASSIGNED) || is_assigned())
    };
    let is_filled = |column| table.cell(participant, column).is_some_and(|cell| cell != UNKNOWN);
    Ok(table.own_columns().into_iter().any(|(column, name)| !is_drawn(&name) && is_filled(column)))
}

fn write(path: &Path, table: &TableText) -> Result<(), StoreError> {
    let bytes = table.encode().map_err(|message| wrong(path, 1, message))?;
    replace_file(path, &bytes)
}

fn wrong(path: &Path, line: usize, message: String) -> StoreError {
    StoreError::Participants { path: path.to_owned(), line, message }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use proptest::prelude::*;

    const DAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();

    fn id(n: u32) -> ParticipantId {
        ParticipantId::numbered(n)
    }

    fn file() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(PARTICIPANTS_FILE);
        (dir, path)
    }

    #[test]
    fn a_cell_is_set_and_a_new_column_added() {
        let (_dir, path) = file();
        let text = "sep=;\r\nage;participant_id;note\r\n33;sub-01;\"tall; 2 m\"\r\n;;\r\n20;sub-02\r\n";
        std::fs::write(&path, text).unwrap();
        let set = |who, value: &str| set(&path, &id(who), &[("condition_x".to_owned(), value.to_owned())]).unwrap();
        set(3, "calm");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "nobody is listed by it");
        set(2, "calm");
        let added =
            "sep=;\r\nage;participant_id;note;condition_x\r\n33;sub-01;\"tall; 2 m\";n/a\r\n;;\r\n20;sub-02;;calm\r\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), added);
        set(1, "excited");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), added.replace("n/a", "excited"));
        let table = ParticipantTable::read(&path).unwrap().unwrap();
        let column = table.column("condition_x").unwrap();
        assert_eq!(column, [(id(1), "excited".to_owned()), (id(2), "calm".to_owned())]);
        assert_eq!(table.column("other").unwrap(), []);
    }

    #[test]
    fn a_condition_that_was_drawn_is_no_data_of_the_laboratory() {
        let (_dir, path) = file();
        for (text, is_own) in [
            ("participant_id\tcondition_x\tcondition_x_assigned\nsub-01\ta\tb\n", false),
            ("participant_id\tCondition_X\tcondition_X_assigned\tage\nsub-01\ta\tb\tn/a\n", false),
            ("participant_id\tcondition_x\tcondition_x_assigned\tage\nsub-01\ta\tb\t33\n", true),
            ("participant_id\tcondition_x\tcondition_x_assigned\nsub-01\ta\tn/a\n", true),
            ("participant_id\tcondition_x\nsub-01\ta\n", true),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(has_own_data(&path, &id(1)).unwrap(), is_own, "{text}");
        }
    }

    #[test]
    fn rows_are_added_once_and_other_columns_kept() {
        let (_dir, path) = file();
        assert_eq!(read(&path).unwrap(), []);
        add(&path, &id(1), DAY).unwrap();
        add(&path, &id(1), DAY).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "participant_id\tadded\nsub-01\t2026-11-23\n");

        let own = "age\tparticipant_id\thand\r\n33\tsub-04\tleft";
        std::fs::write(&path, own).unwrap();
        add(&path, &id(4), DAY).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), own);
        add(&path, &id(5), DAY).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{own}\r\nn/a\tsub-05\tn/a\r\n"));
        assert_eq!(read(&path).unwrap(), [id(4), id(5)]);
        remove(&path, &id(5)).unwrap();
        remove(&path, &id(7)).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{own}\r\n"));
        std::fs::write(&path, "\u{feff}participant_id\nsub-09\n").unwrap();
        add(&path, &id(10), DAY).unwrap();
        assert_eq!(read(&path).unwrap(), [id(9), id(10)]);
    }

    fn utf16(text: &str, word: fn(u16) -> [u8; 2]) -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(word).collect()
    }

    /// Files without and with `sub-03`.
    #[test]
    fn a_participant_is_added_in_the_files_own_form() {
        let latin1 = |text: &str| text.chars().map(|c| c as u8).collect::<Vec<u8>>();
        let plain = |text: &str| text.as_bytes().to_vec();
        let (old, new) = ("participant_id\tGröße\r\nsub-01\t170\r\n", "sub-03\tn/a\r\n");
        let whole = format!("{old}{new}");
        let cases: [(&str, Vec<u8>, Vec<u8>); 13] = [
            ("UTF-16 LE", utf16(old, u16::to_le_bytes), utf16(&whole, u16::to_le_bytes)),
            ("UTF-16 BE", utf16(old, u16::to_be_bytes), utf16(&whole, u16::to_be_bytes)),
            ("Latin-1", latin1(old), latin1(&whole)),
            (
                "Windows-1252",
                b"participant_id;note\n sub-01;10 \x80\n".to_vec(),
                b"participant_id;note\n sub-01;10 \x80\nsub-03;n/a\n".to_vec(),
            ),
            ("UTF-8 with a mark", plain(&format!("\u{feff}{old}")), plain(&format!("\u{feff}{whole}"))),
            (
                "semicolons",
                plain("participant_id;age\nsub-01;33\n"),
                plain("participant_id;age\nsub-01;33\nsub-03;n/a\n"),
            ),
            ("commas", plain("age,participant_id\n33,sub-01\n"), plain("age,participant_id\n33,sub-01\nn/a,sub-03\n")),
            ("CR", plain("participant_id\tage\rsub-01\t33\r"), plain("participant_id\tage\rsub-01\t33\rsub-03\tn/a\r")),
            (
                "capitals",
                plain("Participant_ID\tAdded\nsub-01\t\n"),
                plain("Participant_ID\tAdded\nsub-01\t\nsub-03\t2026-11-23\n"),
            ),
            (
                "two id columns",
                plain("participant_id\tage\tPARTICIPANT_ID\nsub-01\t33\tsub-01\n"),
                plain("participant_id\tage\tPARTICIPANT_ID\nsub-01\t33\tsub-01\nsub-03\tn/a\tsub-03\n"),
            ),
            (
                "quoted cells",
                plain("\"participant_id\";\"note\"\n\"sub-01\";\"a; b\nc\"\n"),
                plain("\"participant_id\";\"note\"\n\"sub-01\";\"a; b\nc\"\nsub-03;n/a\n"),
            ),
            (
                "empty columns and rows",
                plain("participant_id;age;;\r\nsub-01;33;;\r\n;;;\r\n;;;\r\n"),
                plain("participant_id;age;;\r\nsub-01;33;;\r\nsub-03;n/a;;\r\n;;;\r\n;;;\r\n"),
            ),
            (
                "sep",
                plain("sep=;\nparticipant_id;age\nsub-01;33"),
                plain("sep=;\nparticipant_id;age\nsub-01;33\nsub-03;n/a\n"),
            ),
        ];
        for (form, old, new) in cases {
            let (_dir, path) = file();
            std::fs::write(&path, &old).unwrap();
            assert_eq!(read(&path).unwrap(), [id(1)], "{form}");
            add(&path, &id(1), DAY).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), old, "{form}");
            add(&path, &id(3), DAY).unwrap();
            let now = std::fs::read(&path).unwrap();
            assert_eq!(now, new, "{form}: {}", String::from_utf8_lossy(&now));
            assert_eq!(read(&path).unwrap(), [id(1), id(3)], "{form}");
            remove(&path, &id(1)).unwrap();
            assert_eq!(read(&path).unwrap(), [id(3)], "{form}");
        }
    }

    #[test]
    fn mistakes_are_named_by_line_and_left_alone() {
        let cases: [(&[u8], &str); 7] = [
            (b"participant_id\nsub-01\n\nAnna\n", "line 4: `Anna`"),
            (b"name;age\n", "line 1: no column"),
            (b"participant_id\tParticipant_Id\nsub-01\tsub-01\nsub-02\tsub-04\n", "line 3: two columns"),
            (b"participant_id;note\nsub-01;\"open\nsub-02;x\n", "line 2: a quote begins here"),
            (b"PK\x03\x04 a workbook", "line 1: it is an Excel workbook"),
            (b"\xff\xfep\0a", "line 1: it is in UTF-16 and ends"),
            (b"participant_id\nsub-01\0\n", "line 1: it holds zero bytes"),
        ];
        for (bytes, sentence) in cases {
            let (_dir, path) = file();
            std::fs::write(&path, bytes).unwrap();
            let refused = read(&path).unwrap_err().to_string();
            assert!(refused.contains("participants.tsv, ") && refused.contains(sentence), "{refused}");
            if !sentence.contains("Anna") {
                assert!(add(&path, &id(9), DAY).unwrap_err().to_string().contains(sentence));
                assert!(remove(&path, &id(1)).unwrap_err().to_string().contains(sentence));
            }
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
    }

    #[test]
    fn the_laboratorys_columns_are_told_apart() {
        let (_dir, path) = file();
        std::fs::write(&path, "participant_id;age;age;;added;\nsub-01;33;34;left;x;\n").unwrap();
        let table = ParticipantTable::read(&path).unwrap().unwrap();
        let columns = table.own_columns();
        assert_eq!(columns, [(1, "age".to_owned()), (2, "age_2".to_owned()), (3, "column_4".to_owned())]);
        assert_eq!(table.cell(&id(1), 2), Some("34"));
        assert_eq!((table.cell(&id(1), 5), table.cell(&id(2), 1)), (None, None));
    }

    proptest! {
        /// Adding and removing a participant keeps all bytes of the laboratory's file.
        #[test]
        fn the_laboratorys_bytes_stay(
            notes in prop::collection::vec("[\\PC&&[^\"]]{0,12}", 0..6),
            delimiter in prop::sample::select(vec!['\t', ';', ',']),
            end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
            encoding in 0..3u8,
        ) {
            let mut text = format!("participant_id{delimiter}note{end}");
            for (k, note) in notes.iter().enumerate() {
                text += &format!("sub-{k}x{delimiter}\"{note}\"{end}");
            }
            let bytes = match encoding {
                0 => text.into_bytes(),
                1 => utf16(&text, u16::to_le_bytes),
                _ => utf16(&text, u16::to_be_bytes),
            };
            let (_dir, path) = file();
            std::fs::write(&path, &bytes).unwrap();
            add(&path, &id(7), DAY).unwrap();
            let now = std::fs::read(&path).unwrap();
            prop_assert!(now.starts_with(&bytes) && now.len() > bytes.len());
            prop_assert_eq!(read(&path).unwrap().len(), notes.len() + 1);
            remove(&path, &id(7)).unwrap();
            prop_assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
    }
}
