//! Recognises files that are neither a table nor XDF, for an error message with the right next step.

/// The format of a file by its first bytes, and what to do. `None` if it may be a table.
pub(super) fn foreign_format(content: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| content.starts_with(magic);
    let holds = |at: usize, magic: &[u8]| content.get(at..).is_some_and(|rest| rest.starts_with(magic));
    Some(match () {
        () if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") => {
            "a ZIP archive or an Excel or OpenDocument workbook: save its sheet as CSV, or unpack it"
        }
        () if starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") => "an old Excel or Office file: save its sheet as CSV",
        () if starts(b"SQLite format 3\0") => "an SQLite database: export its table of events as CSV",
        () if starts(b"PAR1") => "a Parquet file: write it as CSV first",
        () if starts(b"MATLAB 5.0 MAT-file") => "a MATLAB file: write its events with `writetable` as CSV",
        () if starts(b"\x89HDF\r\n\x1a\n") => "an HDF5 or MATLAB 7.3 file: write its events as CSV first",
        () if starts(b"0       ") || starts(b"\xffBIOSEMI") => "an EDF or BDF recording: write its events as CSV first",
        () if starts(b"Brain Vision Data Exchange Marker") || starts(b"BrainVision Data Exchange Marker") => {
            "a BrainVision marker file: write its markers as CSV first"
        }
        () if starts(b"%PDF-") => "a PDF document",
        () if starts(b"\x89PNG\r\n\x1a\n") || starts(b"\xff\xd8\xff") || starts(b"GIF8") => "a picture",
        () if holds(4, b"ftyp") || starts(b"\x1a\x45\xdf\xa3") || (starts(b"RIFF") && holds(8, b"AVI ")) => {
            "a film: `affectograph analyze` makes a session from it"
        }
        () if starts(b"RIFF") || starts(b"OggS") || starts(b"ID3") || starts(b"fLaC") => "a sound file",
        () if starts(b"7z\xbc\xaf\x27\x1c")
            || starts(b"BZh")
            || starts(b"\xfd7zXZ\0")
            || starts(b"\x28\xb5\x2f\xfd") =>
        {
            "a compressed file of another kind than gzip: unpack it first"
        }
        () if starts(b"\x80\x02") || starts(b"\x80\x03") || starts(b"\x80\x04") || starts(b"\x80\x05") => {
            "a Python pickle (PsychoPy's .psydat): import the .csv that lies beside it"
        }
        () => return foreign_text(content),
    })
}

/// Text files that are not tables, recognised by their first words, in any encoding.
fn foreign_text(content: &[u8]) -> Option<&'static str> {
    let head: Vec<u8> = content.iter().copied().take(400).filter(|b| *b != 0).collect();
    let text = String::from_utf8_lossy(&head);
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{fffd}' || c == 'ÿ');
    let starts = |word: &str| text.get(..word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word));
    Some(match () {
        () if starts("*** Header Start ***") => {
            "E-Prime's own log: export the table from E-DataAid (File, Export) and import that"
        }
        () if starts("<?xml") && text.contains("ANNOTATION_DOCUMENT") => {
            "an ELAN document: export it from ELAN as tab-delimited text"
        }
        () if starts("<?xml") || starts("<!DOCTYPE") || starts("<html") => "XML or a web page: save the table as CSV",
        () if starts("{") || starts("[{") || starts("[\n") || starts("[ ") || starts("[]") => {
            "JSON: write it as CSV first (jsPsych: `data.get().csv()`)"
        }
        () if starts("File type = \"ooTextFile\"") => "a Praat file: write it in Praat as a table",
        () if starts("{\\rtf") => "a text document (RTF): save it as plain text",
        () => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_files_are_called_what_they_are() {
        let format_of = |content: &[u8]| foreign_format(content).unwrap_or("perhaps a table");
        assert!(format_of(b"PK\x03\x04\x14\0").contains("workbook"));
        assert!(format_of(b"\xff\xd8\xff\xe0").contains("picture"));
        assert!(format_of(b"\0\0\0\x20ftypisom").contains("film"));
        assert!(format_of(b"[{\"rt\": 1}]").contains("JSON"));
        assert!(format_of("\u{feff}<?xml version=\"1.0\"?><ANNOTATION_DOCUMENT>".as_bytes()).contains("ELAN"));
        let eprime: Vec<u8> = "\u{feff}*** Header Start ***\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(format_of(&eprime).contains("E-Prime"));
        for table in ["onset,kind\n", "", "[stim],time\n", "\"onset\"\t\"kind\"\n", "0.5\t1\t1\n"] {
            assert_eq!(foreign_format(table.as_bytes()), None, "{table}");
        }
    }
}
