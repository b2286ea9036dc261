//! The bill of materials in CycloneDX: crates in the program, npm packages in its web parts, ONNX Runtime, liblsl, networks.
//!
//! `cargo cyclonedx` is not used: it knows crates only, and lists those of build scripts and tests too.

use std::path::Path;

use serde_json::{Value, json};

use super::release::Release;
use crate::files::{failed, read, write};
use crate::{notices, repository};

pub const FILE: &str = "build/dist/affectograph.cdx.json";

pub fn create(release: &Release) -> Result<(), String> {
    let mut components = crates(release)?;
    components.extend(npm_packages(&release.root)?);
    components.push(onnxruntime(&release.root)?);
    components.push(liblsl(release)?);
    components.extend(networks(&release.root)?);
    println!("{FILE}: {} components", components.len());
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": release.date("+%Y-%m-%dT%H:%M:%SZ")?,
            "component": {
                "type": "application",
                "bom-ref": "affectograph",
                "name": "affectograph",
                "version": release.version,
                "licenses": [{ "expression": "MIT OR Apache-2.0" }],
                "hashes": [{ "alg": "SHA-256", "content": sha256(&release.program)? }],
            },
        },
        "components": components,
    });
    let text = serde_json::to_string_pretty(&document).map_err(|e| format!("{FILE}: {e}"))?;
    write(&release.root.join(FILE), &(text + "\n"))
}

/// With the checksums of Cargo.lock, which are those of the downloaded archives.
fn crates(release: &Release) -> Result<Vec<Value>, String> {
    let metadata = notices::metadata(&[])?;
    let lock = read(&release.root.join("Cargo.lock"))?;
    let components = notices::linked(&metadata)?.into_iter().map(|package| {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let (name, version) = (text("name"), text("version"));
        let purl = format!("pkg:cargo/{name}@{version}");
        let mut component =
            json!({ "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl });
        if !text("license").is_empty() {
            component["licenses"] = json!([{ "expression": text("license").replace('/', " OR ") }]);
        }
        if let Some(checksum) = checksum(&lock, name, version) {
            component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
        }
        component
    });
    Ok(components.collect())
}

fn checksum(lock: &str, name: &str, version: &str) -> Option<String> {
    let entry = lock.split("[[package]]").find(|entry| {
        entry.contains(&format!("\nname = \"{name}\"\n")) && entry.contains(&format!("\nversion = \"{version}\"\n"))
    })?;
    let line = entry.lines().find_map(|line| line.strip_prefix("checksum = \""))?;
    Some(line.trim_end_matches('"').to_owned())
}

/// The packages whose licence texts the build of the web parts lists: `NAME VERSION (LICENCE)` below each line of `=`.
fn npm_packages(root: &Path) -> Result<Vec<Value>, String> {
    let text = read(&root.join("build/web/THIRD_PARTY_LICENSES.txt"))?;
    let found: Vec<Value> = listed_packages(&text)
        .map(|(name, version, licence)| {
            let purl = format!("pkg:npm/{}@{version}", name.replacen('@', "%40", 1));
            json!({ "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
                "licenses": [{ "expression": licence }] })
        })
        .collect();
    if found.is_empty() { Err("build/web/THIRD_PARTY_LICENSES.txt lists no package".to_owned()) } else { Ok(found) }
}

fn listed_packages(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut after_rule = false;
    text.lines().filter_map(move |line| {
        let is_heading = after_rule && !line.is_empty();
        after_rule = is_heading || line.starts_with("====");
        let (rest, licence) = line.strip_suffix(')').filter(|_| is_heading)?.rsplit_once(" (")?;
        let (name, version) = rest.rsplit_once(' ')?;
        Some((name, version, licence))
    })
}

fn onnxruntime(root: &Path) -> Result<Value, String> {
    let version = read(&root.join("build/onnxruntime/VERSION"))?.trim().to_owned();
    let purl = format!("pkg:pypi/onnxruntime@{version}");
    Ok(json!({
        "type": "library", "bom-ref": purl, "name": "onnxruntime", "version": version, "purl": purl,
        "licenses": [{ "expression": "MIT" }],
        "hashes": [{ "alg": "SHA-256", "content": sha256(&root.join("build/onnxruntime/libonnxruntime.so"))? }],
    }))
}

/// The checksum is that of the packed file, which has no symbols and no search path.
fn liblsl(release: &Release) -> Result<Value, String> {
    let purl = format!("pkg:pypi/mne-lsl@{}", release.liblsl.wheel);
    Ok(json!({
        "type": "library", "bom-ref": purl, "name": "liblsl", "version": release.liblsl.version, "purl": purl,
        "licenses": [{ "expression": "MIT AND BSL-1.0" }],
        "hashes": [{ "alg": "SHA-256", "content": sha256(&release.liblsl.file)? }],
    }))
}

fn networks(root: &Path) -> Result<Vec<Value>, String> {
    let folder = root.join("models");
    let entries = std::fs::read_dir(&folder).map_err(|e| failed(&folder, &e))?;
    let mut cards: Vec<_> =
        entries.flatten().map(|entry| entry.path()).filter(|p| p.join("model.toml").is_file()).collect();
    cards.sort();
    cards.iter().map(|path| network(path)).collect()
}

fn network(folder: &Path) -> Result<Value, String> {
    let card = read(&folder.join("model.toml"))?;
    let value = |key: &str| {
        let found = card.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='));
        found.map(|value| value.trim().trim_matches('"').to_owned())
    };
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let version = value("version").ok_or_else(|| format!("{}: model.toml has no version", folder.display()))?;
    Ok(json!({
        "type": "machine-learning-model", "bom-ref": format!("model/{name}"), "name": name, "version": version,
        "hashes": [{ "alg": "SHA-256", "content": sha256(&folder.join("model.onnx"))? }],
    }))
}

fn sha256(path: &Path) -> Result<String, String> {
    let text = repository::output(repository::command("sha256sum")?.arg(path))?;
    text.split_whitespace().next().map(str::to_owned).ok_or_else(|| format!("{}: no checksum", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_and_checksums_are_read() {
        let text = "Files contain:\n\n=====\n@rrweb/types 2.2.2 (MIT)\nuplot 1.6.32 (MIT)\n\nMIT License (the text)\n";
        let found: Vec<_> = listed_packages(text).collect();
        assert_eq!(found, [("@rrweb/types", "2.2.2", "MIT"), ("uplot", "1.6.32", "MIT")]);
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"12\"\n\n[[package]]\nname = \"a\"\nversion = \"2.0.0\"\nchecksum = \"34\"\n";
        assert_eq!(checksum(lock, "a", "2.0.0").unwrap(), "34");
        assert_eq!(checksum(lock, "b", "2.0.0"), None);
    }
}
