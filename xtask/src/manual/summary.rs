//! The order of the pages: docs/SUMMARY.md, with all pages of a folder below its README.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::files::read;
use crate::{links, repository};

pub const FILE: &str = "docs/SUMMARY.md";

#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    pub title: String,
    /// In the repository's root folder.
    pub file: PathBuf,
    /// Pages below a page.
    pub depth: usize,
    /// The heading above the page, if it is the first one below it.
    pub part: Option<String>,
}

/// All pages in order. A folder of documents is listed by its README: its other documents are below it.
pub fn pages(root: &Path) -> Result<Vec<Page>, String> {
    let text = read(&root.join(FILE))?;
    let committed = repository::output(repository::command("git")?.args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "docs",
    ]))?;
    let documents: Vec<PathBuf> = committed.lines().filter(|file| file.ends_with(".md")).map(PathBuf::from).collect();
    let listed = listed(&text)?;
    let mut pages: Vec<Page> = Vec::new();
    for page in listed {
        let (folder, depth) = (page.file.parent().unwrap_or(Path::new("")).to_owned(), page.depth + 1);
        let is_readme = page.file.file_name().is_some_and(|name| name == "README.md");
        let readme = page.file.clone();
        pages.push(page);
        let below = documents.iter().filter(|file| is_readme && file.parent() == Some(&folder) && **file != readme);
        for file in below {
            let text = read(&root.join(file))?;
            let title = text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("Untitled").to_owned();
            pages.push(Page { title, file: file.clone(), depth, part: None });
        }
    }
    let is_absent =
        |file: &&PathBuf| file.as_path() != Path::new(FILE) && !pages.iter().any(|page| page.file == **file);
    let absent: Vec<String> = documents.iter().filter(is_absent).map(|file| file.display().to_string()).collect();
    if absent.is_empty() { Ok(pages) } else { Err(format!("{FILE} does not list {}", absent.join(", "))) }
}

/// `# Part` and `- [Title](file.md)` with two spaces for each depth.
fn listed(text: &str) -> Result<Vec<Page>, String> {
    let mut pages = Vec::new();
    let mut part = None;
    for (at, line) in text.lines().enumerate() {
        if let Some(title) = line.strip_prefix("# ") {
            part = Some(title.to_owned());
            continue;
        }
        let entry = line.trim_start();
        if entry.is_empty() {
            continue;
        }
        let parts =
            entry.strip_prefix("- [").and_then(|rest| rest.strip_suffix(')')).and_then(|rest| rest.split_once("]("));
        let (title, target) = parts.ok_or_else(|| format!("{FILE}:{}: not `- [Title](file.md)`", at + 1))?;
        pages.push(Page {
            title: title.to_owned(),
            file: links::normal(&Path::new("docs").join(target)),
            depth: (line.len() - entry.len()) / 2,
            // The heading of the file is no part.
            part: part.take().filter(|name| name != "Summary"),
        });
    }
    Ok(pages)
}

/// In mdBook's form, with files in the repository's root folder.
pub fn text(pages: &[Page]) -> String {
    let mut text = "# Summary\n".to_owned();
    for page in pages {
        if let Some(part) = &page.part {
            write!(text, "\n# {part}\n\n").expect("writing to a String does not fail");
        }
        let indent = "  ".repeat(page.depth);
        writeln!(text, "{indent}- [{}]({})", page.title, page.file.display())
            .expect("writing to a String does not fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_and_the_parts_are_kept() {
        let given = "# Summary\n\n- [Start](start.md)\n\n# Analyst\n\n- [Read](../README.md)\n  - [Below](a/b.md)\n";
        let pages = listed(given).unwrap();
        assert_eq!(pages[1].file, Path::new("README.md"));
        assert_eq!((pages[0].part.as_deref(), pages[1].part.as_deref(), pages[2].depth), (None, Some("Analyst"), 1));
        let expected =
            "# Summary\n- [Start](docs/start.md)\n\n# Analyst\n\n- [Read](README.md)\n  - [Below](docs/a/b.md)\n";
        assert_eq!(text(&pages), expected);
        assert!(listed("- Start").is_err());
    }

    #[test]
    fn every_document_is_in_the_manual() {
        let root = repository::root().unwrap();
        let pages = pages(&root).unwrap();
        let missing: Vec<_> = pages.iter().filter(|page| !root.join(&page.file).is_file()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
