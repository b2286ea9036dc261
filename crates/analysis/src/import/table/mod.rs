//! Reads tables of events in the formats of BIDS, PsychoPy, E-Prime and Excel, or written by hand.
//!
//! The steps are: bytes to text ([`encoding`]), text to rows of cells ([`dialect`], [`rows`], [`grid`]), header to columns
//! ([`columns`]), cells to times ([`times`]). Each step reports its decisions. If two interpretations would give different
//! times, the table is refused with the line.

mod columns;
mod day_order;
mod dialect;
mod encoding;
mod grid;
mod moment;
mod number;
mod options;
mod rows;
mod times;
mod unit;

use serde_json::{Map, Value};

use super::{EventFile, ForeignEvent};
use crate::unescaped_cell;
use columns::is_nothing;
use grid::Table;
use rows::Row;
use times::Times;

pub use options::{TableOptions, TextEncoding, parse_encoding, parse_zone};
pub use unit::TimeUnit;

/// Empty cells of other columns. Words such as `none` may be data.
const NO_DATA: [&str; 4] = ["", "n/a", "N/A", "NA"];

/// Reads a table. The error is the end of a sentence that begins with the file: the cause and the line.
pub(super) fn read(content: &[u8], options: &TableOptions) -> Result<EventFile, String> {
    let text = encoding::text(content, options.encoding)?;
    let mut notes: Vec<String> = text.note.into_iter().collect();
    let table = Table::read(&text.text, options.time.as_deref(), &mut notes)?;
    let time = time_column(&table, options)?;
    let times = times::times(&table, time, options)?;
    notes.extend(times.note.iter().cloned());
    let lasting = times::lasting(&table, time, &times, options, &mut notes)?;
    let kind = kind_column(&table, time, &times, options, &mut notes)?;

    let mut file = EventFile { clock: times.clock, unit: times.unit, ..EventFile::default() };
    let mut left_out = LeftOut::default();
    for (k, row) in table.rows.iter().enumerate() {
        let Some(at_s) = times.at_s[k] else {
            left_out.add(row);
            continue;
        };
        let word = kind.map(|column| row.cell(column)).filter(|cell| !is_nothing(cell));
        let is_other = |column: &usize| *column != time && Some(*column) != kind && !lasting.is_used_up(*column, k);
        let others = (0..row.cells.len()).filter(is_other);
        let mut data: Map<String, Value> = others
            .filter(|column| !NO_DATA.contains(&row.cell(*column)))
            .filter_map(|column| {
                Some((table.header.names.get(column)?.clone(), Value::from(unescaped_cell(&row.cells[column]))))
            })
            .collect();
        if times.is_written_out {
            data.insert(super::IMPORTED_TIME.to_owned(), Value::from(row.cell(time)));
        }
        let kind = word.map_or("event", unescaped_cell).to_owned();
        file.events.push(ForeignEvent { at_s, duration_s: lasting.duration_s[k], kind, data });
    }
    if file.events.is_empty() && !table.rows.is_empty() {
        let name = &table.header.names[time];
        return Err(format!("none of its {} rows has a time in `{name}`{}", table.rows.len(), could_be(&table)));
    }
    file.rows_without_time = left_out.rows;
    notes.extend(left_out.note());
    file.notes = notes;
    Ok(file)
}

fn time_column(table: &Table, options: &TableOptions) -> Result<usize, String> {
    let header = &table.header;
    if let Some(name) = &options.time {
        return header.named(name);
    }
    if let Some(column) = options.rate_hz.and_then(|_| header.count()) {
        return Ok(column);
    }
    let usual = header.times();
    let filled = usual.iter().copied().find(|column| table.cells(*column).next().is_some());
    if let Some(column) = filled.or(usual.first().copied()) {
        return Ok(column);
    }
    if let Some(column) = header.count() {
        return Err(format!(
            "it has no column with a time, and `{}` counts samples or frames: set their number per second with --rate, or \
             the column with the times with --time",
            header.names[column]
        ));
    }
    Err(format!("it has no column with a usual name for times{}", could_be(table)))
}

/// The columns that could contain the times, as the end of an error message.
fn could_be(table: &Table) -> String {
    let (sounding, others): (Vec<usize>, Vec<usize>) = (0..table.header.names.len())
        .filter(|column| times::are_times(table, *column))
        .partition(|column| table.header.sounds_like_time(*column));
    let named =
        |columns: &[usize]| columns.iter().map(|k| table.header.names[*k].as_str()).collect::<Vec<_>>().join(", ");
    match (&sounding[..], &others[..]) {
        ([], []) => {
            format!(": set the column with the times with --time. The columns are {}", table.header.names.join(", "))
        }
        ([], others) => format!(". Numbers are in {}: set the column with the times with --time", named(others)),
        (times, _) => format!(
            ". These columns could be times: {}. Set one with --time, and the column with the kinds of events with --kind",
            named(times)
        ),
    }
}

fn kind_column(
    table: &Table,
    time: usize,
    times: &Times,
    options: &TableOptions,
    notes: &mut Vec<String>,
) -> Result<Option<usize>, String> {
    let header = &table.header;
    if let Some(name) = &options.kind {
        return header.named(name).map(Some);
    }
    let has_kinds = |column: &usize| {
        let timed = table.rows.iter().zip(&times.at_s).filter(|(_, at_s)| at_s.is_some());
        timed.into_iter().any(|(row, _)| !is_nothing(row.cell(*column)))
    };
    let usual: Vec<usize> = header.kinds().into_iter().filter(|column| *column != time).collect();
    let found = usual.iter().copied().find(has_kinds);
    match (found, usual.first()) {
        (Some(column), Some(first)) if column != *first => notes.push(format!(
            "`{}` is empty in every row: the kinds of events are from `{}`",
            header.names[*first], header.names[column]
        )),
        (None, _) => {
            notes.push("no column contains the kinds of events (--kind sets one): every kind is `event`".to_owned())
        }
        _ => {}
    }
    Ok(found)
}

/// Rows without a time. BIDS writes them for events that did not happen, PsychoPy for other routines.
#[derive(Default)]
struct LeftOut {
    rows: u64,
    first_line: usize,
}

impl LeftOut {
    fn add(&mut self, row: &Row) {
        if self.rows == 0 {
            self.first_line = row.line;
        }
        self.rows += 1;
    }

    fn note(&self) -> Option<String> {
        let (rows, line) = (self.rows, self.first_line);
        (rows > 0).then(|| format!("{rows} row(s) without a time were left out (the first in line {line})"))
    }
}

#[cfg(test)]
mod tests;
