//! `cargo xtask bench NAME…`: runs benches, and prints the ratio of each result to the baselines of its group.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::repository;

pub fn run(names: &[String]) -> Result<(), String> {
    if names.is_empty() || names.iter().any(|name| name.starts_with('-')) {
        return Err("Usage: cargo xtask bench NAME… with names of benches in benches/".to_owned());
    }
    let began = SystemTime::now();
    let mut command = repository::cargo()?;
    command.args(["bench", "--locked"]);
    for name in names {
        command.args(["--bench", name]);
    }
    repository::run(&mut command)?;
    let mut groups = BTreeMap::new();
    collect(&target()?.join("criterion"), began, &mut groups)?;
    for line in groups.iter().flat_map(|(group, medians)| ratios(group, medians)) {
        println!("{line}");
    }
    Ok(())
}

fn target() -> Result<PathBuf, String> {
    let text = repository::output(repository::cargo()?.args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&text).map_err(|e| format!("cargo metadata: {e}"))?;
    metadata["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .ok_or("the output of cargo metadata contains no target folder".to_owned())
}

type Groups = BTreeMap<String, Vec<(String, f64)>>;

/// Criterion writes `new/benchmark.json` and `new/estimates.json` for each function. Results of older runs are skipped.
fn collect(folder: &Path, began: SystemTime, groups: &mut Groups) -> Result<(), String> {
    if !folder.is_dir() {
        return Ok(()); // a bench without criterion prints its own results
    }
    let failed = |e: &dyn std::fmt::Display| format!("{}: {e}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(|e| failed(&e))? {
        let path = entry.map_err(|e| failed(&e))?.path();
        let estimates = path.join("estimates.json");
        if !path.ends_with("new") || !estimates.is_file() {
            if path.is_dir() {
                collect(&path, began, groups)?;
            }
            continue;
        }
        if std::fs::metadata(&estimates).and_then(|data| data.modified()).map_err(|e| failed(&e))? < began {
            continue;
        }
        let (name, times) = (json(&path.join("benchmark.json"))?, json(&estimates)?);
        let text = |key: &str| name[key].as_str().unwrap_or_default().to_owned();
        let median = times["median"]["point_estimate"].as_f64().ok_or_else(|| failed(&"no median"))?;
        groups.entry(text("group_id")).or_default().push((text("function_id"), median));
    }
    Ok(())
}

fn json(path: &Path) -> Result<serde_json::Value, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// One line per pair of a function and a baseline of its group.
fn ratios(group: &str, medians: &[(String, f64)]) -> Vec<String> {
    let is_baseline = |name: &str| name.starts_with("baseline");
    let mut lines = Vec::new();
    for (name, median_ns) in medians.iter().filter(|(name, _)| !is_baseline(name)) {
        let ms = median_ns / 1e6;
        let baselines: Vec<_> = medians.iter().filter(|(name, _)| is_baseline(name)).collect();
        if baselines.is_empty() {
            lines.push(format!("{group}: {name}: {ms:.4} ms"));
        }
        for (baseline, baseline_ns) in baselines {
            let (baseline_ms, ratio) = (baseline_ns / 1e6, median_ns / baseline_ns);
            lines.push(format!("{group}: {name}: {ms:.4} ms; {baseline}: {baseline_ms:.4} ms; ratio {ratio:.2}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_stands_beside_each_baseline_of_new_runs() {
        let folder = tempfile::tempdir().unwrap();
        for (name, median) in [("detector", 1e6), ("baseline: YuNet", 2e6)] {
            let new = folder.path().join("vision").join(name.replace(':', "_")).join("new");
            std::fs::create_dir_all(&new).unwrap();
            let id = serde_json::json!({ "group_id": "vision", "function_id": name });
            std::fs::write(new.join("benchmark.json"), id.to_string()).unwrap();
            let times = serde_json::json!({ "median": { "point_estimate": median } });
            std::fs::write(new.join("estimates.json"), times.to_string()).unwrap();
        }
        let mut groups = Groups::new();
        collect(folder.path(), SystemTime::UNIX_EPOCH, &mut groups).unwrap();
        let lines = ratios("vision", &groups["vision"]);
        assert_eq!(lines, ["vision: detector: 1.0000 ms; baseline: YuNet: 2.0000 ms; ratio 0.50"]);
        let mut none = Groups::new();
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        collect(folder.path(), later, &mut none).unwrap();
        assert!(none.is_empty());
    }
}
