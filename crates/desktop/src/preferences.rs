//! Preferences that are stored between two starts. They belong to this computer and not to a study, and they contain no
//! data about people.

use std::io::Write;
use std::path::{Path, PathBuf};

use eframe::egui;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::lane_choice::Lanes;
use super::window_size::WindowSize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeChoice {
    #[default]
    System,
    Light,
    Dark,
}

impl ThemeChoice {
    pub const ALL: [ThemeChoice; 3] = [ThemeChoice::System, ThemeChoice::Light, ThemeChoice::Dark];

    pub fn label(self) -> &'static str {
        match self {
            ThemeChoice::System => "Like the system",
            ThemeChoice::Light => "Light",
            ThemeChoice::Dark => "Dark",
        }
    }

    pub fn preference(self) -> egui::ThemePreference {
        match self {
            ThemeChoice::System => egui::ThemePreference::System,
            ThemeChoice::Light => egui::ThemePreference::Light,
            ThemeChoice::Dark => egui::ThemePreference::Dark,
        }
    }
}

/// The text sizes to choose from. 1 is the normal size.
pub const TEXT_SCALES: [f32; 7] = [0.8, 0.9, 1.0, 1.25, 1.5, 1.75, 2.0];

/// Where the participant's page is shown, if it has its own window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ParticipantScreen {
    /// Counts from 0. `None`: the second monitor, if there is one.
    pub monitor: Option<usize>,
    pub full_screen: bool,
}

impl Default for ParticipantScreen {
    fn default() -> Self {
        ParticipantScreen { monitor: None, full_screen: true }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sounds {
    /// A sound when data is being lost.
    pub alarm: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    pub look: ThemeChoice,
    /// 1 is the normal size.
    pub text_scale: f32,
    /// Whether the marker pad opens with a recording.
    pub marker_pad: bool,
    /// The address of the last server. The token is never stored.
    pub server: String,
    /// The folder of recordings. `None`: the default.
    pub recordings: Option<PathBuf>,
    pub participant: ParticipantScreen,
    pub sounds: Sounds,
    /// The signals that are shown below valence and arousal.
    pub lanes: Lanes,
    /// The size of the window. `None`: the usual one.
    pub window: Option<WindowSize>,
}

impl Default for Preferences {
    fn default() -> Self {
        Preferences {
            look: ThemeChoice::System,
            text_scale: 1.0,
            marker_pad: false,
            server: String::new(),
            recordings: None,
            participant: ParticipantScreen::default(),
            sounds: Sounds::default(),
            lanes: Lanes::default(),
            window: None,
        }
    }
}

#[derive(Debug, Error)]
#[error("The preferences could not be {action} {}: {why}", path.display())]
pub struct PreferencesError {
    action: &'static str,
    path: PathBuf,
    why: String,
}

impl Preferences {
    /// The file of the preferences on this system. `None` if the system has no folder for it.
    pub fn default_path() -> Option<PathBuf> {
        let from = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let folder = if cfg!(windows) {
            from("APPDATA")
        } else if cfg!(target_os = "macos") {
            from("HOME").map(|home| home.join("Library/Application Support"))
        } else {
            from("XDG_CONFIG_HOME").or_else(|| from("HOME").map(|home| home.join(".config")))
        };
        folder.map(|f| f.join("affectograph").join("window.toml"))
    }

    /// The folder of recordings, with `~` as the home folder. `None`: the default. `Err` is the path as it was typed, if it is
    /// not a whole path: it would depend on the folder from which the program is started.
    pub fn recordings_folder(&self) -> Result<Option<PathBuf>, &Path> {
        let Some(typed) = &self.recordings else { return Ok(None) };
        whole(typed, std::env::home_dir().as_deref()).map(Some).ok_or(typed)
    }

    /// The defaults if the file does not exist.
    pub fn load(path: &Path) -> Result<Preferences, PreferencesError> {
        let error = |why: String| PreferencesError { action: "read from", path: path.to_owned(), why };
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let mut found: Preferences = toml::from_str(&text).map_err(|e| error(e.message().to_owned()))?;
                let is_sane = (0.5..=3.0).contains(&found.text_scale);
                if !is_sane {
                    found.text_scale = 1.0;
                }
                Ok(found)
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Preferences::default()),
            Err(e) => Err(error(e.to_string())),
        }
    }

    /// Replaces the file as a whole. Waits for the disk.
    pub fn store(&self, path: &Path) -> Result<(), PreferencesError> {
        let error = |why: String| PreferencesError { action: "written to", path: path.to_owned(), why };
        let text = toml::to_string(self).map_err(|e| error(e.to_string()))?;
        replace(path, &text).map_err(|e| error(e.to_string()))
    }
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// `None`: it is not a whole path.
fn whole(typed: &Path, home: Option<&Path>) -> Option<PathBuf> {
    let path = match (typed.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => typed.to_owned(),
    };
    path.is_absolute().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_path_is_a_folder_of_recordings() {
        let home = Some(Path::new("/home/ann"));
        assert_eq!(whole(Path::new("/data/rec"), home), Some("/data/rec".into()));
        assert_eq!(whole(Path::new("~/rec"), home), Some("/home/ann/rec".into()));
        for typed in ["rec", "./rec", "~bob/rec", ""] {
            assert_eq!(whole(Path::new(typed), home), None, "{typed}");
        }
        assert_eq!(whole(Path::new("~/rec"), None), None);
        let relative = Preferences { recordings: Some("rec".into()), ..Preferences::default() };
        assert_eq!(relative.recordings_folder(), Err(Path::new("rec")));
        assert_eq!(Preferences::default().recordings_folder(), Ok(None));
    }

    #[test]
    fn a_failed_write_keeps_the_stored_preferences() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("window.toml");
        let stored = Preferences { marker_pad: true, ..Preferences::default() };
        stored.store(&path).unwrap();
        // A folder cannot be replaced by a file.
        let other = folder.path().join("folder");
        std::fs::create_dir(&other).unwrap();
        let problem = Preferences::default().store(&other).unwrap_err().to_string();
        assert!(problem.contains("written to") && other.is_dir(), "{problem}");
        assert_eq!(Preferences::load(&path).unwrap(), stored);
    }

    #[test]
    fn the_look_survives_a_restart_and_a_torn_file_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/window.toml");
        assert_eq!(Preferences::load(&path).unwrap(), Preferences::default());
        let mut lanes = Lanes::default();
        lanes.live.add("pulse.rate_bpm".parse().unwrap()).unwrap();
        lanes.review.add("lsl_eda.EDA".parse().unwrap()).unwrap();
        let chosen = Preferences {
            look: ThemeChoice::Dark,
            text_scale: 1.3,
            marker_pad: true,
            server: "https://example.org".into(),
            recordings: Some("/data/recordings".into()),
            participant: ParticipantScreen { monitor: Some(2), full_screen: false },
            sounds: Sounds { alarm: true },
            lanes,
            window: Some(WindowSize { width: 1100.0, height: 720.0, is_maximized: true }),
        };
        chosen.store(&path).unwrap();
        assert_eq!(Preferences::load(&path).unwrap(), chosen);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
        // A file of an older version.
        std::fs::write(&path, "look = \"dark\"\ntext_scale = 1.1\nserver = \"\"\n").unwrap();
        let old = Preferences::load(&path).unwrap();
        assert_eq!((old.text_scale, old.participant.full_screen, old.sounds.alarm), (1.1, true, false));
        std::fs::write(&path, "look = \"pink").unwrap();
        assert!(Preferences::load(&path).unwrap_err().to_string().contains("window.toml"));
    }
}
