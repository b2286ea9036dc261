//! A disk that fills during an export: a sentence, and nothing left behind.

use super::{export, record_study};
use crate::need::SmallDisk;

#[test]
fn no_format_leaves_anything_half_written() {
    let tmp = tempfile::tempdir().unwrap();
    record_study(tmp.path());
    let Some(disk) = SmallDisk::mount(48) else { return };
    for format in FORMATS {
        let output = export(&["--study", "demo"], format, &disk.path().join("out"), tmp.path());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{format}: {said}");
        assert!(said.contains("No space left on device") && said.contains("out"), "{format}: {said}");
        assert!(!said.contains(".part"), "{format}: {said}");
        assert_eq!(std::fs::read_dir(disk.path()).unwrap().count(), 0, "{format} left something behind");
    }
}

const FORMATS: [&str; 6] = ["csv", "tidy", "bids", "xdf", "parquet", "report"];
