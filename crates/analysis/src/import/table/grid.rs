//! The rows of a table below its header.

use super::columns::{Header, is_no_time};
use super::dialect::dialect;
use super::number::NumberStyle;
use super::rows::{Row, Rows};

/// The largest number of rows and cells of a table of events.
const MOST_ROWS: usize = 2_000_000;
const MOST_CELLS: usize = 30_000_000;

/// A table: its header and its rows.
pub(super) struct Table<'a> {
    pub header: Header,
    /// Without blank rows, comments and repeated headers.
    pub rows: Vec<Row<'a>>,
}

impl<'a> Table<'a> {
    pub fn read(text: &'a str, time: Option<&str>, notes: &mut Vec<String>) -> Result<Table<'a>, String> {
        let found = dialect(text, time)?.ok_or("it is empty")?;
        let header = Header::new(&found.header);
        let is_number = |k: usize| NumberStyle::PLAIN.parse(found.header.cell(k)).is_some();
        if (0..found.header.cells.len()).all(is_number) {
            return Err(format!(
                "line {} contains numbers instead of column names: add a header line above it, for example onset and \
                 trial_type",
                found.header.line
            ));
        }
        notes.extend(found.notes);
        notes.extend(header.notes.iter().cloned());
        let mut rows = Vec::new();
        let (mut comments, mut short, mut repeated, mut cells) = (0, Vec::new(), 0, 0);
        for row in Rows::new(found.body, found.body_line, found.delimiter) {
            let row = row?;
            if row.is_blank() {
                continue;
            }
            if is_comment(&row, &header) {
                comments += 1;
                continue;
            }
            if row.cells == found.header.cells {
                repeated += 1;
                continue;
            }
            fits(&row, &header)?;
            if row.cells.len() < header.names.len() {
                short.push(row.line);
            }
            cells += row.cells.len();
            rows.push(row);
            if rows.len() > MOST_ROWS || cells > MOST_CELLS {
                return Err(format!("it has more than {} rows: check that it is a list of events", rows.len() - 1));
            }
        }
        if comments > 0 {
            notes.push(format!("{comments} comment(s) beginning with `#` were skipped"));
        }
        if repeated > 0 {
            notes.push(format!("{repeated} row(s) that repeat the header were skipped"));
        }
        if let Some(first) = short.first() {
            notes.push(format!(
                "{} row(s) have fewer cells than the header (the first in line {first}): the missing cells were read as empty",
                short.len()
            ));
        }
        Ok(Table { header, rows })
    }

    /// The cells of a column, without cells that have no time.
    pub fn cells(&self, column: usize) -> impl Iterator<Item = &str> + Clone {
        self.rows.iter().map(move |row| row.cell(column)).filter(|cell| !is_no_time(cell))
    }
}

/// Whether a row is a comment, such as `# paused here`: it has one cell, or another number of cells than the header.
fn is_comment(row: &Row, header: &Header) -> bool {
    let has_one_cell = (1..row.cells.len()).all(|k| row.cell(k).is_empty());
    row.cell(0).starts_with('#') && (has_one_cell || row.cells.len() != header.names.len())
}

/// Refuses a row with more cells than the header, because the columns of its cells are unknown.
fn fits(row: &Row, header: &Header) -> Result<(), String> {
    let (cells, names) = (row.cells.len(), header.names.len());
    let surplus = (names..cells).any(|k| !row.cell(k).is_empty());
    if !surplus {
        return Ok(());
    }
    Err(format!(
        "line {} has {cells} cells, but the header has {names} columns. Put texts and numbers that contain the delimiter \
         in quotes, and give each column a name",
        row.line
    ))
}
