//! The requirements of a test. If one is missing, the test is skipped and prints the reason. With
//! `AFFECTOGRAPH_NEED_ALL=1`, which `.ci/run` sets, a skip is a failure.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Skips a test: returns `None` if `what` was not `found`.
pub fn need<T, E: Display>(what: &str, found: Result<T, E>) -> Option<T> {
    need_unless(must_have_all(), what, found)
}

fn must_have_all() -> bool {
    std::env::var_os("AFFECTOGRAPH_NEED_ALL").is_some_and(|value| value == "1")
}

fn need_unless<T, E: Display>(must_have_all: bool, what: &str, found: Result<T, E>) -> Option<T> {
    match found {
        Ok(found) => Some(found),
        Err(why) if must_have_all => panic!("AFFECTOGRAPH_NEED_ALL=1, and {what} is missing: {why}"),
        Err(why) => {
            println!("skipped: {what} is missing: {why}");
            None
        }
    }
}

/// A program on the search path.
pub fn need_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    need(&format!("the program `{name}`"), found.ok_or("it is not on PATH"))
}

/// A file or folder below `../shared` or `$AFFECTOGRAPH_SHARED`.
pub fn need_shared(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("AFFECTOGRAPH_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join(name);
    let found = if path.exists() { Ok(path) } else { Err(format!("{} does not exist", path.display())) };
    need(&format!("the shared file {name}"), found)
}

/// A small file system in memory, which can be filled. Mounting it needs administrator rights.
pub struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    pub fn mount(kib: u32) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={kib}k");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        let mounted = match mount {
            Ok(output) if output.status.success() => Ok(SmallDisk(folder)),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(e) => Err(format!("mount: {e}")),
        };
        need("a small file system", mounted)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|s| s.success()) || std::thread::panicking());
    }
}

#[test]
fn what_is_missing_skips_a_test_or_fails_it() {
    assert_eq!(need_unless(true, "a thing", Ok::<_, String>(7)), Some(7));
    assert_eq!(need_unless(false, "a thing", Err::<u8, _>("lost")), None);
    let failed = std::panic::catch_unwind(|| need_unless(true, "a thing", Err::<u8, _>("lost"))).unwrap_err();
    let said = failed.downcast_ref::<String>().unwrap();
    assert!(said.contains("a thing is missing: lost"), "{said}");
}
