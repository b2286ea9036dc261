//! The web parts that `scripts/build-web` builds from `client/` into `build/web`, embedded in the program.

/// A file of the server's dashboard.
#[derive(Debug, Clone, Copy)]
pub struct DashboardFile {
    /// Below `/dashboard/`.
    pub name: &'static str,
    /// The value of the HTTP header `Content-Type`.
    pub content_type: &'static str,
    pub bytes: &'static [u8],
}

/// The recording script of the lab's pages. `__CONFIG__` in it is to be replaced with the script's settings as JSON.
pub const RECORDER_JS: &str = include_str!(concat!(env!("OUT_DIR"), "/recorder.js"));

/// Shows a recorded page again, in the replay window.
pub const REPLAY_JS: &str = include_str!(concat!(env!("OUT_DIR"), "/replay.js"));

/// The licences of the npm packages inside all these files.
pub const THIRD_PARTY_LICENSES: &str = include_str!(concat!(env!("OUT_DIR"), "/THIRD_PARTY_LICENSES.txt"));

/// All files of the dashboard, sorted by name. `index.html` is its page.
pub const DASHBOARD: &[DashboardFile] = include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));
