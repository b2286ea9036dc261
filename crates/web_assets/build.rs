//! Copies `build/web` into the build, and lists the dashboard's files. Fails where that folder is not complete.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

/// `scripts/build-web` writes it after all other files.
const LAST_FILE: &str = "SOURCES.sha256";
const FILES: [&str; 3] = ["recorder.js", "replay.js", "THIRD_PARTY_LICENSES.txt"];
const DASHBOARD: &str = "dashboard";
/// The library that the server hosts.
const CLIENT: &str = "client";
const CLIENT_VERSION: &str = "client-version.txt";

fn main() -> ExitCode {
    match embed() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("cargo::error={problem}");
            ExitCode::FAILURE
        }
    }
}

fn embed() -> Result<(), String> {
    let web = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("../../build/web");
    let out = PathBuf::from(variable("OUT_DIR")?);
    println!("cargo:rerun-if-changed=build.rs");
    // Cargo treats a missing folder as changed, so the next build checks again.
    println!("cargo:rerun-if-changed={}", web.display());
    let is_complete = FILES
        .iter()
        .chain(&[LAST_FILE, CLIENT_VERSION, "dashboard/index.html", "client/affectograph.min.js"])
        .all(|file| web.join(file).is_file());
    if !is_complete {
        return Err("build/web is missing or not complete: run `scripts/build-web` (`./run` and `./test` do it too)."
            .to_owned());
    }
    for file in FILES.iter().chain(&[CLIENT_VERSION]) {
        copy(&web.join(file), &out.join(file))?;
    }
    embed_folder(&web, &out, DASHBOARD)?;
    embed_folder(&web, &out, CLIENT)
}

/// Writes a table of all files of a folder.
fn embed_folder(web: &Path, out: &Path, folder: &str) -> Result<(), String> {
    let copies = out.join(folder);
    fs::create_dir_all(&copies).map_err(|e| format!("{} cannot be created: {e}", copies.display()))?;
    let mut table = String::from("&[\n");
    for name in names(&web.join(folder))? {
        copy(&web.join(folder).join(&name), &copies.join(&name))?;
        let content_type = content_type(folder, &name)?;
        writeln!(
            table,
            "WebFile {{ name: {name:?}, content_type: {content_type:?}, \
             bytes: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{folder}/{name}\")) }},"
        )
        .map_err(|e| e.to_string())?;
    }
    table.push(']');
    let path = out.join(format!("{folder}.rs"));
    fs::write(&path, table).map_err(|e| format!("{} cannot be written: {e}", path.display()))
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|e| format!("{name}: {e}"))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to).map_err(|e| format!("{} cannot be copied: {e}", from.display())).map(|_bytes| ())
}

fn names(folder: &Path) -> Result<Vec<String>, String> {
    let list = || -> io::Result<Vec<String>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    let mut names = list().map_err(|e| format!("{} cannot be listed: {e}", folder.display()))?;
    names.sort();
    Ok(names)
}

fn content_type(folder: &str, name: &str) -> Result<&'static str, String> {
    match name.rsplit('.').next() {
        Some("html") => Ok("text/html; charset=utf-8"),
        Some("js") => Ok("text/javascript; charset=utf-8"),
        Some("css") => Ok("text/css; charset=utf-8"),
        Some("txt") => Ok("text/plain; charset=utf-8"),
        Some("svg") => Ok("image/svg+xml"),
        Some("wasm") => Ok("application/wasm"),
        Some("LICENSE-MIT" | "LICENSE-APACHE") => Ok("text/plain; charset=utf-8"),
        _ => Err(format!("build/web/{folder}/{name}: add its content type to crates/web_assets/build.rs")),
    }
}
