//! Puts the git revision of the sources into `AFFECTOGRAPH_REVISION`, for `--version` and the headers of sessions.

use std::path::Path;
use std::process::Command;

/// Changes outside of these paths do not affect the program.
const SOURCES: [&str; 14] = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "src",
    "crates",
    "client/src",
    "client/dashboard",
    "client/scripts",
    "client/package-lock.json",
    "client/tsconfig.json",
    "models/affect/model.toml",
    "assets",
    "LICENSE-MIT",
    "rust-toolchain.toml",
];

fn main() {
    for path in SOURCES {
        rerun_if_changed(path);
    }
    let revision = revision().unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env=AFFECTOGRAPH_REVISION={revision}");
}

/// `15aad2a`, or `15aad2a-dirty` where the sources differ from that commit. `None` outside of a git repository.
fn revision() -> Option<String> {
    // An unpacked archive may be inside the repository of another project.
    let is_ours = git(&["rev-parse", "--show-prefix"])?.is_empty();
    if !is_ours {
        return None;
    }
    let commit = git(&["rev-parse", "--short", "HEAD"])?;
    let mut watched = vec!["HEAD".to_owned(), "packed-refs".to_owned()];
    watched.extend(git(&["symbolic-ref", "--quiet", "HEAD"]));
    for file in watched {
        if let Some(path) = git(&["rev-parse", "--git-path", &file]) {
            rerun_if_changed(&path);
        }
    }
    let mut status = vec!["status", "--porcelain", "--"];
    status.extend(SOURCES);
    let is_dirty = !git(&status)?.is_empty();
    Some(if is_dirty { format!("{commit}-dirty") } else { commit })
}

fn git(arguments: &[&str]) -> Option<String> {
    // Does not lock the index, because another git command may need it.
    let output = Command::new("git").env("GIT_OPTIONAL_LOCKS", "0").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Cargo rebuilds each time if the path does not exist.
fn rerun_if_changed(path: &str) {
    if Path::new(path).exists() {
        println!("cargo:rerun-if-changed={path}");
    }
}
