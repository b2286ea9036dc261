//! What every step of the packaging needs to know.

use std::path::PathBuf;

use crate::repository;

pub struct Release {
    pub root: PathBuf,
    pub version: String,
    /// Seconds since 1970 of the newest commit.
    pub time_s: u64,
    /// The program without symbols.
    pub program: PathBuf,
    pub liblsl: Liblsl,
}

/// The library of Lab Streaming Layer as the packages contain it.
pub struct Liblsl {
    pub file: PathBuf,
    pub version: String,
    /// The version of the PyPI wheel mne-lsl that it is from.
    pub wheel: String,
}

impl Release {
    /// The folder with the files of the packages. It becomes `/usr`.
    pub fn tree(&self) -> PathBuf {
        self.root.join("build/dist/tree")
    }

    /// The release's time as `date` prints it.
    pub fn date(&self, format: &str) -> Result<String, String> {
        let mut command = repository::command("date")?;
        let text = repository::output(command.args(["--utc", "--date", &format!("@{}", self.time_s), format]))?;
        Ok(text.trim().to_owned())
    }
}
