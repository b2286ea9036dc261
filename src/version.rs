//! The version of the program, and the git revision of its sources.

use serde_json::json;

/// The git revision of the sources. `None`: the program was not built from a git repository.
pub fn revision() -> Option<String> {
    let revision = env!("AFFECTOGRAPH_REVISION");
    (revision != "unknown").then(|| revision.to_owned())
}

/// `affectograph 0.1.0 (15aad2a)`, or the same as JSON.
pub fn version(is_json: bool) -> String {
    let (program, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let revision = env!("AFFECTOGRAPH_REVISION");
    if is_json {
        return json!({ "program": program, "version": version, "revision": revision }).to_string();
    }
    format!("{program} {version} ({revision})")
}
