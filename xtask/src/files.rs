//! Reads and writes files. Each message names the file.

use std::path::Path;

pub fn failed(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

pub fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| failed(path, &e))
}

/// Writes a file and makes the folders above it.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    make_folder_of(path)?;
    std::fs::write(path, text).map_err(|e| failed(path, &e))
}

/// Copies a file and makes the folders above the copy.
pub fn copy(from: &Path, to: &Path) -> Result<(), String> {
    make_folder_of(to)?;
    std::fs::copy(from, to).map_err(|e| failed(from, &e))?;
    Ok(())
}

/// Copies a folder with all that is in it.
pub fn copy_folder(from: &Path, to: &Path) -> Result<(), String> {
    for entry in std::fs::read_dir(from).map_err(|e| failed(from, &e))? {
        let path = entry.map_err(|e| failed(from, &e))?.path();
        let copied = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() { copy_folder(&path, &copied)? } else { copy(&path, &copied)? }
    }
    Ok(())
}

/// An empty folder. What an earlier run left there is removed.
pub fn recreate(folder: &Path) -> Result<(), String> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed(folder, &e)),
        _ => {}
    }
    std::fs::create_dir_all(folder).map_err(|e| failed(folder, &e))
}

pub fn make_folder_of(path: &Path) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(|e| failed(folder, &e))
}
