//! The web parts that `scripts/build-web` builds from `client/` into `build/web`, embedded in the program.

/// A file that the server sends.
#[derive(Debug, Clone, Copy)]
pub struct WebFile {
    /// In its folder.
    pub name: &'static str,
    /// The value of the HTTP header `Content-Type`.
    pub content_type: &'static str,
    pub bytes: &'static [u8],
}

/// The recording script of the lab's pages. Replace `__CONFIG__` in it with the script's settings as JSON.
pub const RECORDER_JS: &str = include_str!(concat!(env!("OUT_DIR"), "/recorder.js"));

/// The script of the replay window. It shows a recorded page again.
pub const REPLAY_JS: &str = include_str!(concat!(env!("OUT_DIR"), "/replay.js"));

/// The licence texts of the npm packages inside all these files.
pub const THIRD_PARTY_LICENSES: &str = include_str!(concat!(env!("OUT_DIR"), "/THIRD_PARTY_LICENSES.txt"));

/// All files of the dashboard, sorted by name. `index.html` is its page.
pub const DASHBOARD: &[WebFile] = include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));

/// All files of the browsers' library, sorted by name. A page loads `affectograph.min.js` or `affectograph.js`.
pub const CLIENT: &[WebFile] = include!(concat!(env!("OUT_DIR"), "/client.rs"));

/// The version of the library.
pub const CLIENT_VERSION: &str = include_str!(concat!(env!("OUT_DIR"), "/client-version.txt"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_licence_texts_of_the_embedded_packages_are_embedded_and_served() {
        for part in ["rrweb 2.", "(https://github.com/rrweb-io/rrweb/graphs/contributors)", "uplot 1.", "Leon Sorokin"]
        {
            assert!(THIRD_PARTY_LICENSES.contains(part), "{part}");
        }
        let served = DASHBOARD.iter().find(|file| file.name == "THIRD_PARTY_LICENSES.txt");
        assert_eq!(served.map(|file| file.bytes), Some(THIRD_PARTY_LICENSES.as_bytes()));
    }
}
