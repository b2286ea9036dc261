//! `cargo xtask notices [options of cargo metadata]`: writes the licence texts of the crates in the release binary to
//! build/THIRD_PARTY_LICENSES.txt. With `--no-default-features --features server`: those of a server.
//!
//! `cargo about` is not used, because it would compile 216 crates for this file.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::repository;

/// Licences that do not name a copyright holder. Their text is the same for all crates.
const SAME_FOR_ALL: &[&str] = &["Apache-2.0", "MPL-2.0", "CC0-1.0", "Unlicense", "BSL-1.0"];
/// Folders inside a crate that are searched for the licences of C sources that it bundles.
const SEARCH_DEPTH: usize = 2;

struct Crate {
    name: String,
    expression: String,
    authors: String,
    texts: BTreeSet<String>,
}

/// Where the texts are written, in the repository's root folder.
pub const FILE: &str = "build/THIRD_PARTY_LICENSES.txt";

pub fn run(arguments: &[String]) -> Result<(), String> {
    let root = repository::root()?;
    let metadata = metadata(arguments)?;
    let mut crates = Vec::new();
    for package in linked(&metadata)? {
        crates.push(read(package)?);
    }
    let known = texts_by_licence(&root, &crates)?;
    let mut missing = Vec::new();
    for one in crates.iter_mut().filter(|one| one.texts.is_empty()) {
        match text_of(one, &known) {
            Some(text) => {
                one.texts.insert(text);
            }
            None => missing
                .push(format!("{} ({}) contains no licence text, and none is known for it", one.name, one.expression)),
        }
    }
    if !missing.is_empty() {
        return Err(missing.join("\n"));
    }
    let path = root.join(FILE);
    std::fs::create_dir_all(root.join("build")).map_err(|e| format!("build: {e}"))?;
    std::fs::write(&path, document(&crates)).map_err(|e| format!("{}: {e}", path.display()))?;
    println!("{}: {} crates", path.display(), crates.len());
    Ok(())
}

/// What cargo says about all packages, for this system.
pub fn metadata(options: &[String]) -> Result<Value, String> {
    let version = repository::output(repository::command("rustc")?.arg("-vV"))?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .ok_or("the output of rustc -vV contains no host")?;
    let mut command = repository::cargo()?;
    command.args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host]);
    let text = repository::output(command.args(options))?;
    serde_json::from_str(&text).map_err(|e| format!("cargo metadata: {e}"))
}

/// Packages from a registry that are linked into the root package. Dependencies of build scripts and tests, and
/// procedural macros, are not linked.
pub fn linked(metadata: &Value) -> Result<Vec<&Value>, String> {
    let list = |value: &'_ Value| value.as_array().cloned().unwrap_or_default();
    let packages: HashMap<&str, &Value> =
        metadata["packages"].as_array().into_iter().flatten().filter_map(|p| Some((p["id"].as_str()?, p))).collect();
    let nodes: HashMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|n| Some((n["id"].as_str()?, n)))
        .collect();
    let is_macro =
        |package: &Value| list(&package["targets"]).iter().any(|t| list(&t["kind"]).contains(&"proc-macro".into()));
    let mut waiting = vec![metadata["resolve"]["root"].as_str().ok_or("the workspace has no root package")?];
    let mut seen = HashSet::new();
    let mut found = BTreeMap::new();
    while let Some(id) = waiting.pop() {
        let (Some(package), Some(node)) = (packages.get(id), nodes.get(id)) else {
            return Err(format!("{id} is unknown"));
        };
        if is_macro(package) || !seen.insert(id) {
            continue;
        }
        if !package["source"].is_null() {
            found.insert((package["name"].as_str(), id), *package);
        }
        let dependencies = node["deps"].as_array().into_iter().flatten();
        let is_linked = |d: &&Value| list(&d["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
        waiting.extend(dependencies.filter(is_linked).filter_map(|d| d["pkg"].as_str()));
    }
    Ok(found.into_values().collect())
}

fn read(package: &Value) -> Result<Crate, String> {
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    let folder = Path::new(text("manifest_path")).parent().unwrap_or(Path::new("")).to_owned();
    let mut files = Vec::new();
    licence_files(&folder, SEARCH_DEPTH, &mut files)?;
    if let Some(file) = package["license_file"].as_str() {
        files.push(folder.join(file));
    }
    let mut texts = BTreeSet::new();
    for file in files {
        let bytes = std::fs::read(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        texts.insert(String::from_utf8_lossy(&bytes).replace("\r\n", "\n").trim().to_owned());
    }
    let authors: Vec<&str> = package["authors"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    Ok(Crate {
        name: format!("{} {}", text("name"), text("version")),
        expression: text("license").replace('/', " OR "),
        authors: authors.join(", "),
        texts,
    })
}

fn licence_files(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            if depth > 0 {
                licence_files(&path, depth - 1, files)?;
            }
        } else if is_licence(&path) || is_of_font(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn is_licence(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_uppercase()).unwrap_or_default();
    let begins = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE", "OFL", "UFL"];
    let is_text = !name.contains('.') || [".TXT", ".MD"].iter().any(|ending| name.ends_with(ending));
    // LICENSE-MIT, LICENSE.BSD and LICENSE.zlib are licence texts. LICENSE.rs is not.
    let is_source =
        [".RS", ".TOML", ".PY", ".C", ".H", ".JSON", ".YML", ".SH"].iter().any(|ending| name.ends_with(ending));
    let is_begun = begins.iter().any(|begin| name.starts_with(begin)) && (is_text || !is_source);
    // A font's licence: emoji-icon-font-mit-license.txt.
    is_begun || name.ends_with("LICENSE.TXT")
}

/// The text beside a font says what the font is made of, and its licence.
fn is_of_font(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "txt") && path.with_extension("ttf").is_file()
}

/// The two texts of this repository, and the texts of crates with exactly one licence and one text.
fn texts_by_licence(root: &Path, crates: &[Crate]) -> Result<HashMap<String, String>, String> {
    let mut known = HashMap::new();
    for one in crates.iter().filter(|one| one.texts.len() == 1 && SAME_FOR_ALL.contains(&one.expression.as_str())) {
        known.extend(one.texts.iter().map(|text| (one.expression.clone(), text.clone())));
    }
    for (name, file) in [("MIT", "LICENSE-MIT"), ("Apache-2.0", "LICENSE-APACHE")] {
        let text = std::fs::read_to_string(root.join(file)).map_err(|e| format!("{file}: {e}"))?;
        known.insert(name.to_owned(), text.trim().to_owned());
    }
    Ok(known)
}

/// The text of one of the crate's licences. In the MIT licence, the crate's authors are the copyright holders.
fn text_of(one: &Crate, known: &HashMap<String, String>) -> Option<String> {
    if one.expression.contains(" AND ") {
        return None;
    }
    let offered: Vec<&str> = one.expression.split(" OR ").map(str::trim).collect();
    let same = SAME_FOR_ALL.iter().filter(|name| offered.contains(name)).find_map(|name| known.get(*name));
    if let Some(text) = same {
        return Some(text.clone());
    }
    let text = known.get("MIT").filter(|_| offered.contains(&"MIT"))?;
    let holder = if one.authors.is_empty() { format!("the authors of {}", one.name) } else { one.authors.clone() };
    let holder_line = format!("Copyright (c) {holder}");
    let lines = text.lines().map(|line| if line.starts_with("Copyright") { holder_line.as_str() } else { line });
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// Each text once, below the list of its crates.
fn document(crates: &[Crate]) -> String {
    let mut by_text: BTreeMap<&str, Vec<&Crate>> = BTreeMap::new();
    for one in crates {
        for text in &one.texts {
            by_text.entry(text).or_default().push(one);
        }
    }
    let mut groups: Vec<_> = by_text.into_iter().collect();
    groups.sort_by_key(|(_, crates)| crates[0].name.as_str());
    let mut out = "This program contains the following libraries under the following licences.\n".to_owned();
    for (text, crates) in groups {
        out.push_str("\n================================================================================\n");
        for one in crates {
            writeln!(out, "{} ({})", one.name, one.expression).expect("writing to a String does not fail");
        }
        writeln!(out, "\n{text}").expect("writing to a String does not fail");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(expression: &str, authors: &str) -> Crate {
        Crate { name: "a 1.0.0".into(), expression: expression.into(), authors: authors.into(), texts: BTreeSet::new() }
    }

    #[test]
    fn a_missing_text_is_made_only_where_it_is_known() {
        let known = HashMap::from([
            ("MIT".to_owned(), "MIT\n\nCopyright (c) us\nPermission".to_owned()),
            ("Apache-2.0".to_owned(), "Apache".to_owned()),
        ]);
        assert_eq!(text_of(&one("MIT", "Ada"), &known).unwrap(), "MIT\n\nCopyright (c) Ada\nPermission");
        assert_eq!(text_of(&one("MIT OR Apache-2.0", ""), &known).unwrap(), "Apache");
        assert_eq!(text_of(&one("BSD-3-Clause", "Ada"), &known), None);
        assert_eq!(text_of(&one("MIT AND BSD-3-Clause", "Ada"), &known), None);
    }

    #[test]
    fn the_licences_of_bundled_fonts_are_found() {
        let folder = std::env::temp_dir().join(format!("affectograph_notices_{}", std::process::id()));
        std::fs::create_dir_all(folder.join("fonts")).unwrap();
        let names = ["Hack.ttf", "Hack.txt", "icons-mit-license.txt", "OFL.txt", "notes.txt", "license.rs"];
        for name in names {
            std::fs::write(folder.join("fonts").join(name), name).unwrap();
        }
        let mut found = Vec::new();
        licence_files(&folder, SEARCH_DEPTH, &mut found).unwrap();
        let mut found: Vec<_> = found.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        found.sort_unstable();
        assert_eq!(found, ["Hack.txt", "OFL.txt", "icons-mit-license.txt"]);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn only_what_is_linked_is_listed() {
        let package = |name: &str, kind: &str, source: Value| serde_json::json!({ "id": name, "name": name, "source": source, "targets": [{ "kind": [kind] }] });
        let dependency = |name: &str, kind: Value| serde_json::json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let node = |name: &str, deps: Vec<Value>| serde_json::json!({ "id": name, "deps": deps });
        let metadata = serde_json::json!({
            "packages": [package("ours", "bin", Value::Null), package("linked", "lib", "r".into()),
                package("macros", "proc-macro", "r".into()), package("tested", "lib", "r".into()), package("inner", "lib", "r".into())],
            "resolve": { "root": "ours", "nodes": [
                node("ours", vec![dependency("linked", Value::Null), dependency("macros", Value::Null), dependency("tested", "dev".into())]),
                node("linked", vec![]), node("macros", vec![dependency("inner", Value::Null)]), node("tested", vec![]), node("inner", vec![]),
            ] },
        });
        let names: Vec<_> = linked(&metadata).unwrap().iter().filter_map(|p| p["name"].as_str()).collect();
        assert_eq!(names, ["linked"]);
    }
}
