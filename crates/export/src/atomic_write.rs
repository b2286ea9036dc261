//! Writes files and folders to a temporary name and renames them.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::error::{ExportError, file_error};

/// The temporary path in the same folder as `path`.
fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

/// Creates `folder` with the files that `fill` writes into its argument, completely or not at all. An existing empty folder
/// is replaced. A folder with content is an error.
pub(super) fn publish_folder<T>(
    folder: &Path,
    fill: impl FnOnce(&Path) -> Result<T, ExportError>,
) -> Result<T, ExportError> {
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(ExportError::NotEmpty(folder.to_owned()));
    }
    let part = beside(folder);
    let made = fs::create_dir_all(&part).map_err(|source| file_error("create", folder, source));
    let result = made.and_then(|()| fill(&part)).and_then(|done| {
        if folder.exists() {
            fs::remove_dir(folder).map_err(|source| file_error("replace the empty folder", folder, source))?;
        }
        fs::rename(&part, folder).map_err(|source| file_error("create", folder, source))?;
        Ok(done)
    });
    result.map_err(|e| {
        // The first error is reported. If the removal fails, the partial folder is left.
        fs::remove_dir_all(&part).ok();
        named_as_asked(e, &part, folder)
    })
}

/// Writes `path`. An existing file is replaced only when the new content is complete.
pub(super) fn publish_file(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), ExportError> {
    let part = beside(path);
    // The folder of a proposed path may not exist yet.
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let made = parent.map_or(Ok(()), make_folder);
    let result = made
        .and_then(|()| write_file(&part, fill))
        .and_then(|()| fs::rename(&part, path).map_err(|source| file_error("write", path, source)));
    result.map_err(|e| {
        // As above.
        fs::remove_file(&part).ok();
        named_as_asked(e, &part, path)
    })
}

/// A new file inside a folder that is being published.
pub(super) fn write_file(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), ExportError> {
    let write = || {
        let mut out = BufWriter::with_capacity(1 << 16, File::create(path)?);
        fill(&mut out)?;
        out.flush()
    };
    write().map_err(|source| file_error("write", path, source))
}

pub(super) fn make_folder(path: &Path) -> Result<(), ExportError> {
    fs::create_dir_all(path).map_err(|source| file_error("create", path, source))
}

/// Replaces the temporary path in an error by `to`. The temporary path no longer exists when the user reads the message.
fn named_as_asked(error: ExportError, part: &Path, to: &Path) -> ExportError {
    let renamed = |path: PathBuf| match path.strip_prefix(part) {
        Ok(rest) if rest.as_os_str().is_empty() => to.to_owned(),
        Ok(rest) => to.join(rest),
        Err(_) => path,
    };
    match error {
        ExportError::File { op, path, source } => ExportError::File { op, path: renamed(path), source },
        ExportError::Draw { path, reason } => ExportError::Draw { path: renamed(path), reason },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_leaves_nothing_and_names_what_was_asked_for() {
        let tmp = tempfile::tempdir().unwrap();
        let to = tmp.path().join("out");
        let full = || io::Error::from_raw_os_error(28);
        let e = publish_folder(&to, |part| {
            write_file(&part.join("a.csv"), |out| out.write_all(b"1"))?;
            write_file(&part.join("b.csv"), |_| Err(full()))
        });
        let sentence = e.unwrap_err().to_string();
        assert!(sentence.contains("out/b.csv") && sentence.contains("No space left"), "{sentence}");
        let e = publish_file(&to, |_| Err(full())).unwrap_err().to_string();
        assert!(!e.contains(".part"), "{e}");
        assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_in_a_new_folder_is_written() {
        let tmp = tempfile::tempdir().unwrap();
        let to = tmp.path().join("export/of/figure.png");
        publish_file(&to, |out| out.write_all(b"1")).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"1");
        fs::write(tmp.path().join("file"), "2").unwrap();
        let e = publish_file(&tmp.path().join("file/figure.png"), |out| out.write_all(b"1")).unwrap_err().to_string();
        assert!(e.contains("file"), "{e}");
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let tmp = tempfile::tempdir().unwrap();
        fs::write(tmp.path().join("precious.csv"), "1").unwrap();
        let e = publish_folder(tmp.path(), |_| Ok(())).unwrap_err();
        assert!(matches!(e, ExportError::NotEmpty(_)), "{e}");
        assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1);
    }
}
