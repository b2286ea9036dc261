//! A disk that fills during an export: a sentence, and nothing left behind.

use std::path::Path;
use std::process::Command;

use super::{export, record_study};

/// A file system of its own, so small that it fills; `None`, with the reason printed, where this user may not mount.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(kib: u32) -> Option<SmallDisk> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={kib}k");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).output();
        match mount {
            Ok(output) if output.status.success() => return Some(SmallDisk(dir)),
            Ok(output) => println!("skipped: no small file system: {}", String::from_utf8_lossy(&output.stderr)),
            Err(e) => println!("skipped: mount: {e}"),
        }
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.path()).status();
        assert!(unmounted.is_ok_and(|s| s.success()) || std::thread::panicking());
    }
}

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
