//! Comma-separated tables. Every table of an export is written by this type, so that no text in it is run as a formula.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use analysis::escaped_cell;

pub(super) struct CsvTable<W: Write> {
    out: csv::Writer<W>,
    has_head: bool,
}

impl CsvTable<File> {
    pub fn create(path: &Path) -> csv::Result<Self> {
        Ok(CsvTable { out: csv::Writer::from_path(path)?, has_head: false })
    }
}

impl<W: Write> CsvTable<W> {
    pub fn new(out: W) -> Self {
        CsvTable { out: csv::Writer::from_writer(out), has_head: false }
    }

    pub fn write_record<C: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = C>) -> csv::Result<()> {
        self.has_head = true;
        cells.into_iter().try_for_each(|cell| self.out.write_field(escaped_cell(cell.as_ref()).as_ref()))?;
        self.out.write_record(None::<&[u8]>)
    }

    /// Writes the names of the row's fields first, if nothing was written before.
    pub fn serialize(&mut self, row: impl Serialize) -> csv::Result<()> {
        let mut one = csv::WriterBuilder::new().has_headers(!self.has_head).from_writer(Vec::new());
        one.serialize(row)?;
        let bytes = one.into_inner().map_err(|e| io::Error::other(e.to_string()))?;
        let mut lines = csv::ReaderBuilder::new().has_headers(false).from_reader(&bytes[..]);
        lines.records().try_for_each(|record| self.write_record(&record?))
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Row {
        text: &'static str,
        value: f64,
    }

    #[test]
    fn rows_of_both_kinds_are_escaped() {
        let mut bytes = Vec::new();
        let mut table = CsvTable::new(&mut bytes);
        table.serialize(Row { text: "=1+1", value: -0.5 }).unwrap();
        table.serialize(Row { text: "a", value: 1.0 }).unwrap();
        table.write_record(["@x", "-7"]).unwrap();
        table.write_record(["", "a,b"]).unwrap();
        table.flush().unwrap();
        drop(table);
        assert_eq!(String::from_utf8(bytes).unwrap(), "text,value\n'=1+1,-0.5\na,1.0\n'@x,-7\n,\"a,b\"\n");
    }
}
