//! Splits text into rows of cells, with the line numbers of an editor. No crate is used, because error messages need the
//! line of a quote that is never closed, and the line of a row with any kind of line end.

use std::borrow::Cow;

/// The largest row. In a longer row a quote is not closed, or the file is not a table.
const MOST_ROW_BYTES: usize = 16 << 20;
/// The number of columns of Excel.
const MOST_CELLS: usize = 16_384;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delimiter {
    /// An ASCII character that is neither a quote nor a line end.
    Char(u8),
    /// Any number of spaces and tabs.
    Spaces,
    /// The table has one column.
    Nothing,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row<'a> {
    /// The line in which the row begins, from 1.
    pub line: usize,
    pub cells: Vec<Cow<'a, str>>,
}

impl Row<'_> {
    /// Whether the row has no content. Rows of delimiters are blank, also of the delimiters of other tables.
    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| bare(cell).chars().all(|c| ",;|\t".contains(c)))
    }

    /// Empty if the row is too short.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", |cell| bare(cell))
    }
}

/// The cell without invisible characters around it: spaces, and byte order marks of files that were joined.
pub(super) fn bare(cell: &str) -> &str {
    cell.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}')
}

/// The rows of `text`, including blank rows. Ends after the first error.
pub(super) struct Rows<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    delimiter: Delimiter,
}

impl<'a> Rows<'a> {
    /// `line` is the number of the first line of `text`.
    pub fn new(text: &'a str, line: usize, delimiter: Delimiter) -> Self {
        Rows { text, at: 0, line, delimiter }
    }

    /// The remaining text, and the number of its first line.
    pub fn rest(&self) -> (&'a str, usize) {
        (&self.text[self.at..], self.line)
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn is_delimiter(&self, byte: u8) -> bool {
        match self.delimiter {
            Delimiter::Char(delimiter) => byte == delimiter,
            Delimiter::Spaces => byte == b' ' || byte == b'\t',
            Delimiter::Nothing => false,
        }
    }

    fn skip_spaces(&mut self) {
        while let Some(byte) = self.byte() {
            let is_space = byte == b' ' || byte == b'\t';
            let is_mark = self.text[self.at..].starts_with('\u{feff}');
            match () {
                () if is_mark => self.at += '\u{feff}'.len_utf8(),
                () if is_space && (!self.is_delimiter(byte) || self.delimiter == Delimiter::Spaces) => self.at += 1,
                () => break,
            }
        }
    }

    /// Skips a line end. `false`: there is none at this position.
    fn skip_line_end(&mut self) -> bool {
        let rest = &self.text.as_bytes()[self.at..];
        let bytes = match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => return false,
        };
        self.at += bytes;
        self.line += 1;
        true
    }

    fn row(&mut self) -> Result<Row<'a>, String> {
        let (start, line) = (self.at, self.line);
        let mut cells = Vec::new();
        loop {
            self.skip_spaces();
            // Spaces at the end of a line are no delimiters.
            let is_over = self.delimiter == Delimiter::Spaces && !cells.is_empty();
            if is_over && (self.byte().is_none() || matches!(self.byte(), Some(b'\r' | b'\n'))) {
                self.skip_line_end();
                return Ok(Row { line, cells });
            }
            cells.push(if self.byte() == Some(b'"') { self.quoted(start)? } else { Cow::Borrowed(self.plain()) });
            if self.at - start > MOST_ROW_BYTES || cells.len() > MOST_CELLS {
                return Err(format!("line {line} is too long for a row of a table: check that it is the right file"));
            }
            match self.byte() {
                Some(byte) if self.is_delimiter(byte) => self.at += 1,
                _ => {
                    self.skip_line_end();
                    return Ok(Row { line, cells });
                }
            }
        }
    }

    fn plain(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let is_end = |b: u8| b == b'\n' || b == b'\r' || self.is_delimiter(b);
        let length = rest.bytes().position(is_end).unwrap_or(rest.len());
        self.at += length;
        bare(&rest[..length])
    }

    /// Reads a quoted cell. The position is at its opening quote. Two quotes inside the cell are one quote.
    fn quoted(&mut self, row_start: usize) -> Result<Cow<'a, str>, String> {
        let (opened_at, opened_in) = (self.at, self.line);
        self.at += 1;
        let mut content = Cow::Borrowed("");
        loop {
            let piece_at = self.at;
            while self.byte().is_some_and(|b| b != b'"') {
                if !self.skip_line_end() {
                    self.at += 1;
                }
            }
            add(&mut content, &self.text[piece_at..self.at]);
            if self.byte().is_none() || self.at - row_start > MOST_ROW_BYTES {
                return Err(format!("the quote that begins in line {opened_in} is not closed"));
            }
            self.at += 1;
            if self.byte() != Some(b'"') {
                break;
            }
            self.at += 1;
            add(&mut content, "\"");
        }
        self.skip_spaces_behind_quote();
        match self.byte() {
            None | Some(b'\n' | b'\r') => Ok(content),
            Some(byte) if self.is_delimiter(byte) => Ok(content),
            Some(_) => self.quotes_that_are_text(opened_at, opened_in),
        }
    }

    fn skip_spaces_behind_quote(&mut self) {
        if self.delimiter != Delimiter::Spaces {
            self.skip_spaces();
        }
    }

    /// Reads a cell such as `"Hello" she said`. Programs that do not quote cells write this. It is unambiguous if there is no
    /// delimiter and no line end between the quotes.
    fn quotes_that_are_text(&mut self, opened_at: usize, opened_in: usize) -> Result<Cow<'a, str>, String> {
        let quoted = &self.text.as_bytes()[opened_at..self.at];
        if quoted.iter().any(|b| matches!(b, b'\n' | b'\r') || self.is_delimiter(*b)) {
            return Err(format!(
                "in line {} text follows a closing quote that was opened in line {opened_in}: a quote is missing before or \
                 after it",
                self.line
            ));
        }
        self.at = opened_at;
        Ok(Cow::Borrowed(self.plain()))
    }
}

fn add<'a>(content: &mut Cow<'a, str>, piece: &'a str) {
    if content.is_empty() {
        *content = Cow::Borrowed(piece);
    } else {
        content.to_mut().push_str(piece);
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Row<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.text.len() {
            return None;
        }
        let row = self.row();
        if row.is_err() {
            self.at = self.text.len();
        }
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &str, delimiter: u8) -> Vec<(usize, Vec<String>)> {
        let rows = Rows::new(text, 1, Delimiter::Char(delimiter));
        rows.map(|r| r.map(|r| (r.line, r.cells.iter().map(|c| c.to_string()).collect())).unwrap()).collect()
    }

    fn problem(text: &str) -> String {
        Rows::new(text, 1, Delimiter::Char(b',')).find_map(Result::err).unwrap()
    }

    #[test]
    fn lines_are_counted_as_editors_do() {
        let text = "a,b\r\n\r1,\"two\r\nlines\"\n\n3,c\r\r\n4,d";
        let lines: Vec<_> = rows(text, b',').into_iter().map(|(line, cells)| (line, cells.join("|"))).collect();
        let expected = [(1, "a|b"), (2, ""), (3, "1|two\r\nlines"), (5, ""), (6, "3|c"), (7, ""), (8, "4|d")];
        assert_eq!(lines, expected.map(|(line, cells)| (line, cells.to_owned())));
    }

    #[test]
    fn quotes_hold_delimiters_and_quotes() {
        let cells = |text: &str| rows(text, b'\t')[0].1.clone();
        assert_eq!(
            cells("1\t\"a\tb\"\t \"say \"\"hi\"\"\" \t\"\"\t5\" wide"),
            ["1", "a\tb", "say \"hi\"", "", "5\" wide"]
        );
        // Written by programs that do not quote cells.
        assert_eq!(cells("1\t\"Hello\" she said\tx"), ["1", "\"Hello\" she said", "x"]);
        assert_eq!(cells("\u{feff}\"a\"\t\u{feff}0.5"), ["a", "0.5"]);
    }

    #[test]
    fn a_quote_without_its_partner_is_refused_with_its_line() {
        assert!(problem("onset,text\r\n1,x\r\n2,\"never\r\n3,y\r\n").contains("begins in line 3 is not closed"));
        let two = problem("onset,text\n1,\"never\n2,\"y\"\n");
        assert!(two.contains("opened in line 2") && two.contains("in line 3"), "{two}");
        assert!(problem("\"").contains("line 1"));
        let endless = format!("a,\"{}", "x\n".repeat(MOST_ROW_BYTES / 2 + 10));
        assert!(problem(&endless).contains("begins in line 1 is not closed"));
        assert!(problem(&"x".repeat(MOST_ROW_BYTES + 10)).contains("too long"));
        assert!(problem(&",".repeat(MOST_CELLS + 10)).contains("too long"));
    }

    #[test]
    fn spaces_can_separate() {
        let spaced = Rows::new("onset  kind \n 1.0 \t \"a b\"  \n", 1, Delimiter::Spaces);
        let cells: Vec<Vec<_>> = spaced.map(|r| r.unwrap().cells).collect();
        assert_eq!(cells, [["onset", "kind"], ["1.0", "a b"]]);
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(
            cells in prop::collection::vec(prop::collection::vec("[ -~äß\n\r\t]{0,8}", 2..4), 1..6),
            delimiter in prop::sample::select(vec![b',', b';', b'\t', b'|']),
            end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        ) {
            let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let separator = char::from(delimiter).to_string();
            let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(&separator);
            let text = cells.iter().map(line).collect::<Vec<_>>().join(end);
            let read: Vec<Vec<String>> = rows(&text, delimiter).into_iter().map(|(_, cells)| cells).collect();
            prop_assert_eq!(read, cells);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[\",;\t\r\na \u{feff}ä]{0,60}") {
            for delimiter in [Delimiter::Char(b','), Delimiter::Char(b'\t'), Delimiter::Spaces, Delimiter::Nothing] {
                let rows: Vec<_> = Rows::new(&text, 1, delimiter).collect();
                prop_assert!(rows.len() <= text.len());
            }
        }
    }
}
