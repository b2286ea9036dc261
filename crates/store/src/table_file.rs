//! Reads a text table with its encoding, delimiter, line ends and quotes. Changes are written in the same format, and all
//! other bytes stay the same.

use std::ops::Range;

use encoding_rs::WINDOWS_1252;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    /// For all files that are not UTF-8. Includes Latin-1.
    Windows1252,
}

/// The text of a table that a spreadsheet may have written: in UTF-8, UTF-16 or Windows-1252. An error is a sentence.
pub fn table_text(bytes: &[u8]) -> Result<String, String> {
    TableText::decode(bytes).map(|table| table.text)
}

/// Text with the data to write it again.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TableText {
    encoding: Encoding,
    /// Without its byte order mark.
    pub text: String,
    has_mark: bool,
}

const MARK: char = '\u{feff}';

impl TableText {
    /// An error is a sentence about the file, without its name.
    pub(super) fn decode(bytes: &[u8]) -> Result<TableText, String> {
        let encoding = match bytes {
            [b'P', b'K', 3, 4, ..] => {
                return Err(
                    "it is an Excel workbook and not text: save it as `Unicode text` or as tab-separated text".into()
                );
            }
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
                return Err("it is in UTF-32, which is not supported: save it as UTF-8".into());
            }
            [0xff, 0xfe, ..] => Encoding::Utf16Le,
            [0xfe, 0xff, ..] => Encoding::Utf16Be,
            [first, 0, ..] if *first != 0 => Encoding::Utf16Le,
            [0, second, ..] if *second != 0 => Encoding::Utf16Be,
            _ if std::str::from_utf8(bytes).is_ok() => Encoding::Utf8,
            _ => Encoding::Windows1252,
        };
        let text = decoded(encoding, bytes)?;
        let has_mark = text.starts_with(MARK);
        let table = TableText { encoding, text: text.trim_start_matches(MARK).to_owned(), has_mark };
        if table.text.contains('\0') {
            return Err("it holds zero bytes and is not text: save it as UTF-8".into());
        }
        // Writing it again must not change any byte.
        if table.encode()? == bytes {
            Ok(table)
        } else {
            Err("its encoding cannot be preserved: save it as UTF-8".into())
        }
    }

    pub(super) fn new(text: String) -> TableText {
        TableText { encoding: Encoding::Utf8, text, has_mark: false }
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, String> {
        let mut text = String::with_capacity(self.text.len() + 3);
        text.extend(self.has_mark.then_some(MARK));
        text.push_str(&self.text);
        Ok(match self.encoding {
            Encoding::Utf8 => text.into_bytes(),
            Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Encoding::Windows1252 => {
                let (bytes, _, has_unknown) = WINDOWS_1252.encode(&text);
                if has_unknown {
                    return Err(
                        "it has a character that its encoding, Windows-1252, does not have: save it as UTF-8".into()
                    );
                }
                bytes.into_owned()
            }
        })
    }
}

fn decoded(encoding: Encoding, bytes: &[u8]) -> Result<String, String> {
    let utf16 = |word: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(
                "it is in UTF-16 and ends in the middle of a character: it is cut off. Save it again".to_owned()
            );
        }
        let words: Vec<u16> = pairs.iter().map(|pair| word(*pair)).collect();
        String::from_utf16(&words)
            .map_err(|_| "it is in UTF-16 and holds half letters (unpaired surrogates): save it as UTF-8".to_owned())
    };
    match encoding {
        Encoding::Utf8 => Ok(String::from_utf8_lossy(bytes).into_owned()),
        Encoding::Utf16Le => utf16(u16::from_le_bytes),
        Encoding::Utf16Be => utf16(u16::from_be_bytes),
        Encoding::Windows1252 => Ok(WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()),
    }
}

/// One row of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// Line number as in an editor. For a row of several lines, its first line.
    pub line: usize,
    /// Byte range in the text, with the line end.
    pub place: Range<usize>,
    /// Without quotes and without surrounding spaces.
    pub cells: Vec<String>,
    /// The line end; empty if the last line has none.
    pub end: &'static str,
}

impl Row {
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(String::is_empty)
    }
}

/// Splits text into rows. A cell is quoted if it begins with a quote. Inside it, two quotes mean one. An error is a line
/// number and a description.
pub(super) fn rows(text: &str, delimiter: char) -> Result<Vec<Row>, (usize, String)> {
    let mut rows = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < text.len() {
        let (row, lines) = row(text, at, line, delimiter)?;
        at = row.place.end;
        line += lines;
        rows.push(row);
    }
    Ok(rows)
}

/// The row that begins at `at`, and its number of lines.
fn row(text: &str, at: usize, line: usize, delimiter: char) -> Result<(Row, usize), (usize, String)> {
    let mut cells = Vec::new();
    let (mut pos, mut lines) = (at, 1);
    loop {
        let (cell, behind, inner_lines) = cell(&text[pos..], delimiter).ok_or_else(|| {
            (line + lines - 1, "a quote begins here and never ends: close it, or remove it".to_owned())
        })?;
        cells.push(cell);
        pos += behind;
        lines += inner_lines;
        let rest = &text[pos..];
        if rest.starts_with(delimiter) {
            pos += delimiter.len_utf8();
            continue;
        }
        let end = ["\r\n", "\n", "\r"].into_iter().find(|end| rest.starts_with(end)).unwrap_or("");
        pos += end.len();
        return Ok((Row { line, place: at..pos, cells, end }, lines));
    }
}

/// The cell at the beginning of `text`, its length, and its number of line ends. `None` if a quote never ends.
fn cell(text: &str, delimiter: char) -> Option<(String, usize, usize)> {
    let until = |from: usize| {
        let rest = &text[from..];
        from + rest.find([delimiter, '\r', '\n']).unwrap_or(rest.len())
    };
    let Some(quoted) = text.strip_prefix('"') else {
        let end = until(0);
        return Some((text[..end].trim().to_owned(), end, 0));
    };
    let mut content = String::new();
    let mut rest = quoted;
    loop {
        let quote = rest.find('"')?;
        content.push_str(&rest[..quote]);
        rest = &rest[quote + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                content.push('"');
                rest = more;
            }
            None => break,
        }
    }
    let closed = text.len() - rest.len();
    let end = until(closed);
    let lines = text[..closed].replace("\r\n", "\n").matches(['\r', '\n']).count();
    // Text after the closing quote is part of the cell.
    content.push_str(&text[closed..end]);
    Some((content.trim().to_owned(), end, lines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cells(text: &str, delimiter: char) -> Vec<Vec<String>> {
        rows(text, delimiter).unwrap().into_iter().map(|r| r.cells).collect()
    }

    #[test]
    fn rows_end_in_every_way_and_lines_are_an_editors() {
        assert_eq!(cells("a;b\rc;d\r\ne;f\ng", ';'), [vec!["a", "b"], vec!["c", "d"], vec!["e", "f"], vec!["g"]]);
        let text = "id;note\n1;\"two\r\nlines; and a \"\"quote\"\"\"\n2;x\n";
        let read = rows(text, ';').unwrap();
        assert_eq!(read[1].cells[1], "two\r\nlines; and a \"quote\"");
        assert_eq!(read.iter().map(|r| r.line).collect::<Vec<_>>(), [1, 2, 4]);
        assert_eq!(cells("5\" tall\tx", '\t'), [["5\" tall", "x"]]);
        assert_eq!(rows("a\nb;\"c\nd\n", ';').unwrap_err().0, 2);
    }

    #[test]
    fn what_is_no_text_is_refused_with_the_reason() {
        let refused = |bytes: &[u8]| TableText::decode(bytes).unwrap_err();
        assert!(refused(b"PK\x03\x04...").contains("Excel workbook"));
        assert!(refused(b"\xff\xfea\0b").contains("cut off"));
        assert!(refused(b"\xff\xfe\0\xd8a\0").contains("half letters"));
        assert!(refused(b"\xff\xfe\0\0a\0\0\0").contains("UTF-32"));
        assert!(refused(b"ab\0c").contains("zero bytes"));
    }

    proptest! {
        /// Every accepted text is written back unchanged, and its rows cover the whole text.
        #[test]
        fn nothing_is_lost_between_reading_and_writing(
            text in "[\\PC\t\r\n;\"]{0,80}",
            bytes in prop::collection::vec(any::<u8>(), 0..80),
            encoding in 0..5u8,
        ) {
            let with_mark = format!("{MARK}{text}");
            let bytes = match encoding {
                0 => text.clone().into_bytes(),
                1 => with_mark.into_bytes(),
                2 => with_mark.encode_utf16().flat_map(u16::to_le_bytes).collect(),
                3 => with_mark.encode_utf16().flat_map(u16::to_be_bytes).collect(),
                _ => bytes,
            };
            if let Ok(table) = TableText::decode(&bytes) {
                prop_assert_eq!(table.encode().unwrap(), bytes);
                for delimiter in ['\t', ';', ','] {
                    if let Ok(rows) = rows(&table.text, delimiter) {
                        let all: String = rows.iter().map(|r| &table.text[r.place.clone()]).collect();
                        prop_assert_eq!(&all, &table.text);
                    }
                }
            }
        }
    }
}
