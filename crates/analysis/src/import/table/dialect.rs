//! The layout of a table: its delimiter and its header row.

use super::columns::is_usual_time;
use super::number::NumberStyle;
use super::rows::{Delimiter, Row, Rows};

/// The number of rows that determine the delimiter.
const EXAMINED_ROWS: usize = 200;
/// The largest number of lines above the header. Some programs write lines about the recording there.
const MAX_LINES_ABOVE: usize = 40;
/// If several are possible, the first is used: with tabs and semicolons, commas are decimal marks.
const DELIMITERS: [u8; 4] = [b'\t', b';', b',', b'|'];

pub(super) struct Dialect<'a> {
    pub delimiter: Delimiter,
    pub header: Row<'a>,
    /// The text below the header, and the number of its first line.
    pub body: &'a str,
    pub body_line: usize,
    pub notes: Vec<String>,
}

/// Determines the layout. `time` is the column with the times, if the user named it. `None`: all rows are blank.
pub(super) fn dialect<'a>(text: &'a str, time: Option<&str>) -> Result<Option<Dialect<'a>>, String> {
    let (separator, text, line) = excel_separator(text);
    let is_time = |cell: &str| match time {
        Some(name) => cell.eq_ignore_ascii_case(name),
        None => is_usual_time(cell),
    };
    let candidates: Vec<Layout<'a>> = match separator {
        Some(delimiter) => vec![Layout::of(text, line, Delimiter::Char(delimiter), &is_time)],
        None => DELIMITERS.map(|d| Layout::of(text, line, Delimiter::Char(d), &is_time)).into(),
    };
    let best = candidates.into_iter().filter(|c| c.header_cells() > 1).rev().max_by_key(Layout::score);
    let layout = best.unwrap_or_else(|| {
        let spaced = Layout::of(text, line, Delimiter::Spaces, &is_time);
        let is_spaced = spaced.header_cells() > 1 && spaced.has_time && spaced.alike == spaced.rows;
        if is_spaced { spaced } else { Layout::of(text, line, Delimiter::Nothing, &is_time) }
    });
    layout.dialect(text, line, separator.is_some())
}

/// Excel writes `sep=;` as a first line. Returns the separator, the text below, and the number of its first line.
fn excel_separator(text: &str) -> (Option<u8>, &str, usize) {
    let end = text.find(['\r', '\n']).unwrap_or(text.len());
    let first = text[..end].trim_start_matches('\u{feff}');
    let first = first.strip_prefix('"').map_or(first, |rest| rest.strip_suffix('"').unwrap_or(rest));
    let is_it = first.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("sep="));
    match first.as_bytes() {
        [_, _, _, _, delimiter] if is_it && delimiter.is_ascii() && *delimiter != b'"' => {
            let rest = &text[end..];
            let rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\r', '\n'])).unwrap_or(rest);
            (Some(*delimiter), rest, 2)
        }
        _ => (None, text, 1),
    }
}

/// The layout of a table with one delimiter.
struct Layout<'a> {
    delimiter: Delimiter,
    header: Option<Row<'a>>,
    has_time: bool,
    /// Examined rows below the header, and the number of them that have as many cells as the header.
    rows: usize,
    alike: usize,
    /// Lines above the header that are not blank, and how many of them are comments.
    above: usize,
    comments: usize,
    problem: Option<String>,
}

impl<'a> Layout<'a> {
    fn of(text: &'a str, line: usize, delimiter: Delimiter, is_time: &dyn Fn(&str) -> bool) -> Self {
        let (mut rows, mut problem) = (Vec::new(), None);
        for row in Rows::new(text, line, delimiter).take(EXAMINED_ROWS) {
            match row {
                Ok(row) if row.is_blank() => {}
                Ok(row) => rows.push(row),
                Err(e) => problem = Some(e),
            }
        }
        let names_time = |row: &Row| (0..row.cells.len()).any(|k| is_time(row.cell(k)));
        let named = rows
            .iter()
            .take(MAX_LINES_ABOVE)
            .position(|row| !is_comment(row) && names_time(row))
            .filter(|k| is_header(&rows[..=*k]));
        let first = rows.iter().position(|row| !is_comment(row));
        // NumPy writes its header as a comment: `# onset kind`. It is the last comment above the rows.
        let commented = rows.iter().take_while(|row| is_comment(row)).count().checked_sub(1).filter(|k| {
            let bare = uncommented(rows[*k].clone());
            named.is_none() && names_time(&bare)
        });
        let at = named.or(commented).or(first);
        let header = at.map(|k| if commented == Some(k) { uncommented(rows[k].clone()) } else { rows[k].clone() });
        let cells = header.as_ref().map_or(0, |h| h.cells.len());
        let below = at.map_or(&[][..], |k| &rows[k + 1..]);
        let above = at.map_or(&[][..], |k| &rows[..k]);
        Layout {
            delimiter,
            has_time: named.or(commented).is_some(),
            rows: below.len(),
            alike: below.iter().filter(|row| row.cells.len() == cells).count(),
            above: above.len(),
            comments: above.iter().filter(|row| is_comment(row)).count(),
            header,
            problem,
        }
    }

    fn header_cells(&self) -> usize {
        self.header.as_ref().map_or(0, |h| h.cells.len())
    }

    /// A layout is better if it has a column with times, rows, rows of equal length, and many columns. Without the second
    /// criterion, text in the last row (`x<tab>t`) can pass for a header.
    fn score(&self) -> (bool, bool, usize, usize) {
        let share = (self.alike * 100).checked_div(self.rows).unwrap_or(100);
        (self.has_time, self.rows > 0, share, self.header_cells())
    }

    fn dialect(self, text: &'a str, line: usize, has_separator_line: bool) -> Result<Option<Dialect<'a>>, String> {
        // If a quote above or in the header is not closed, there are no rows.
        let Some(header) = self.header else { return self.problem.map_or(Ok(None), Err) };
        let mut rows = Rows::new(text, line, self.delimiter);
        while rows.next().is_some_and(|row| row.is_ok_and(|row| row.line < header.line)) {}
        let (body, body_line) = rows.rest();
        let mut notes = Vec::new();
        let source = if has_separator_line { " (set in its first line)" } else { "" };
        notes.extend(separated(self.delimiter).map(|by| format!("its cells are separated by {by}{source}")));
        let others = self.above - self.comments;
        if others > 0 {
            notes.push(format!("its header is line {}: {others} line(s) above it were skipped", header.line));
        }
        Ok(Some(Dialect { delimiter: self.delimiter, header, body, body_line, notes }))
    }
}

/// Whether the last row can be the header of the rows below: it has no numbers, and more cells than any row above.
fn is_header(rows: &[Row]) -> bool {
    let cells = |row: &Row| (0..row.cells.len()).filter(|k| !row.cell(*k).is_empty()).count();
    let Some((header, above)) = rows.split_last() else { return false };
    let is_number = |k| NumberStyle::PLAIN.parse(header.cell(k)).is_some();
    let mut above = above.iter().filter(|row| !is_comment(row)).peekable();
    above.peek().is_none() || (above.all(|row| cells(row) < cells(header)) && !(0..header.cells.len()).any(is_number))
}

fn is_comment(row: &Row) -> bool {
    row.cell(0).starts_with('#')
}

fn uncommented(row: Row<'_>) -> Row<'_> {
    let Row { line, mut cells } = row;
    if let Some(first) = cells.first_mut() {
        *first = first.trim_start_matches('#').trim().to_owned().into();
        // The first cell is `#` if spaces separate the cells of `# onset`.
        if first.is_empty() {
            cells.remove(0);
        }
    }
    Row { line, cells }
}

fn separated(delimiter: Delimiter) -> Option<String> {
    Some(match delimiter {
        Delimiter::Char(b'\t') => "tabs".to_owned(),
        Delimiter::Char(b',') => "commas".to_owned(),
        Delimiter::Char(b';') => "semicolons".to_owned(),
        Delimiter::Char(other) => format!("`{}`", char::from(other)),
        Delimiter::Spaces => "spaces".to_owned(),
        Delimiter::Nothing => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str) -> (Delimiter, Vec<String>, usize, String) {
        let found = dialect(text, None).unwrap().unwrap();
        let header = found.header.cells.iter().map(|c| c.to_string()).collect();
        (found.delimiter, header, found.body_line, found.notes.join("; "))
    }

    #[test]
    fn quoted_delimiters_in_a_header_separate_nothing() {
        for (text, delimiter, cells) in [
            ("onset,trial_type,\"reaction (ms; corrected)\"\n0.5,smile,312\n", b',', 3),
            ("onset,trial_type,reaction (ms; corrected)\n0.5,smile,312\n", b',', 3),
            ("onset\ttrial_type\t\"a, b; c\"\n0,5\tsmile\tx\n", b'\t', 3),
            ("onset;rt, ms\n1,5;312\n", b';', 2),
            ("onset|kind\n1|a,b\n", b'|', 2),
            ("Time;Event\r\n1,5;\"a; b\"\r\n", b';', 2),
            ("onset,trial_type,said\n0,a,x\t\tt\n", b',', 3),
        ] {
            let (found, header, ..) = layout(text);
            assert_eq!((found, header.len()), (Delimiter::Char(delimiter), cells), "{text}");
        }
        assert_eq!(layout("onset\n0,5\n1,5\n").0, Delimiter::Nothing);
        assert_eq!(layout("onset  kind\n1.0   a\n").0, Delimiter::Spaces);
        assert_eq!(layout("onset kind\n1.0 a b\n").0, Delimiter::Nothing);
    }

    #[test]
    fn excel_says_its_separator() {
        for text in ["sep=;\nonset;a,b\n1;2\n", "\"SEP=;\"\r\nonset;a,b\r\n1;2\r\n"] {
            let (delimiter, header, body_line, notes) = layout(text);
            assert_eq!((delimiter, header.join("|"), body_line), (Delimiter::Char(b';'), "onset|a,b".into(), 3));
            assert!(notes.contains("set in its first line"));
        }
        assert_eq!(layout("sep=\t\nonset\tkind\n1\ta\n").0, Delimiter::Char(b'\t'));
        assert_eq!(layout("sep=|\ronset|kind\r1|a\r").0, Delimiter::Char(b'|'));
        assert_eq!(layout("separation,onset\n1,2\n").1[0], "separation");
    }

    #[test]
    fn what_stands_above_the_header_is_passed_over() {
        let (_, header, body_line, notes) = layout("\nScenario - faces\nLogfile, 3\n\nSubject\tTime\tCode\n1\t2\ta\n");
        assert_eq!((header.join("|"), body_line), ("Subject|Time|Code".into(), 6));
        assert!(notes.contains("line 5") && notes.contains("2 line(s)"), "{notes}");
        let (_, header, _, notes) = layout("# made by a program, 2025\n;;\nonset,kind\n1,a\n");
        assert!(header == ["onset", "kind"] && !notes.contains("line"), "{header:?} {notes}");
        assert_eq!(layout("# onset,kind\n1,a\n").1, ["onset", "kind"]);
        assert_eq!(layout("# onset kind\n1 a\n").1, ["onset", "kind"]);
        assert!(dialect("\n;;\n", None).unwrap().is_none_or(|d| d.header.cells.len() < 4));
        assert!(dialect("", None).unwrap().is_none());
        assert!(dialect("\"never", None).is_err());
    }
}
