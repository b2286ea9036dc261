//! The table of a questionnaire's items, as Excel and other programs save it.

use affectograph::recording::questionnaire_items;
use affectograph::session::Study;

const STUDY: &str =
    "name = \"q\"\ntitle = \"Q\"\n[[questionnaires]]\nname = \"mood\"\nkind = \"items\"\nitems = \"items.csv\"\n";

#[test]
fn a_table_that_excel_saved_is_read_in_every_encoding() {
    let dir = tempfile::tempdir().unwrap();
    let study = Study::parse(STUDY).unwrap();
    let read = |bytes: &[u8]| {
        std::fs::write(dir.path().join("items.csv"), bytes).unwrap();
        questionnaire_items(&study.questionnaires[0], dir.path()).map_err(|e| e.to_string())
    };
    let table = "item;text\r\nfeel;Wie fühlen Sie sich?\r\n;\r\n;\r\n";
    let windows: Vec<u8> = table.chars().map(|c| c as u8).collect();
    let unicode = format!("\u{feff}{}", table.replace(';', "\t"));
    let unicode: Vec<u8> = unicode.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [&windows[..], &unicode, table.as_bytes()] {
        let items = read(bytes).unwrap();
        assert_eq!(items.iter().map(|item| item.text.as_str()).collect::<Vec<_>>(), ["Wie fühlen Sie sich?"]);
    }
    let e = read(b"PK\x03\x04...").unwrap_err();
    assert!(e.contains("Excel workbook"), "{e}");
}
