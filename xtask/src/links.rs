//! `cargo xtask links`: checks that the files, headings and tests exist that documents link to or name.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use crate::{repository, test_names};

/// A text in backquotes is taken for a file if it has one of these extensions or starts with a folder of the repository.
const ENDINGS: &[&str] =
    &["css", "html", "js", "json", "md", "mjs", "py", "rs", "sh", "sql", "toml", "ts", "txt", "yml"];

pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("cargo xtask links takes no arguments".to_owned());
    }
    let root = repository::root()?;
    let listed = repository::output(repository::command("git")?.args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let files: Vec<&str> = listed.lines().filter(|file| root.join(file).exists()).collect();
    let mut documents = HashMap::new();
    for file in files.iter().filter(|file| file.ends_with(".md")) {
        let text = std::fs::read_to_string(root.join(file)).map_err(|e| format!("{file}: {e}"))?;
        documents.insert(PathBuf::from(file), text);
    }
    let repository = Repository { root: &root, files: &files, documents: &documents };
    let mut names: Vec<&PathBuf> = documents.keys().collect();
    names.sort();
    let mut problems = Vec::new();
    for document in names {
        for mention in mentions(&documents[document]) {
            if let Some(problem) = repository.problem(document, &mention)? {
                problems.push(format!("{}:{}: {problem}", document.display(), mention.line));
            }
        }
    }
    if let Some(text) = documents.get(Path::new(test_names::DOCUMENT)) {
        problems.extend(test_names::problems(text, &root, &files)?);
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

#[derive(Debug, PartialEq, Eq)]
struct Mention {
    line: usize,
    text: String,
    is_link: bool,
}

struct Repository<'a> {
    root: &'a Path,
    files: &'a [&'a str],
    documents: &'a HashMap<PathBuf, String>,
}

impl Repository<'_> {
    fn problem(&self, document: &Path, mention: &Mention) -> Result<Option<String>, String> {
        let text = mention.text.as_str();
        if !mention.is_link {
            let is_missing = self.is_file_name(text) && !self.has_named(document, text) && !self.is_ignored(text)?;
            return Ok(is_missing.then(|| format!("`{text}` is not a file of the repository")));
        }
        if text.contains("://") || text.starts_with("mailto:") {
            return Ok(None);
        }
        let (path, heading) = text.split_once('#').unwrap_or((text, ""));
        let target = if path.is_empty() {
            document.to_owned()
        } else {
            normal(&document.parent().unwrap_or(Path::new("")).join(path))
        };
        if !self.root.join(&target).exists() {
            return Ok(Some(format!("the linked file {text} does not exist")));
        }
        let headings = self.documents.get(&target).map(|text| headings(text));
        let is_missing = !heading.is_empty() && headings.is_some_and(|known| !known.iter().any(|name| name == heading));
        Ok(is_missing.then(|| format!("the linked heading {text} does not exist")))
    }

    fn is_file_name(&self, text: &str) -> bool {
        let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
        let Some((first, _)) = text.split_once('/') else { return false };
        // `fuzz/corpus/TARGET` and `configs/NET.toml` contain placeholders. `docs/README.md` is a file name.
        let is_capital = |part: &str| part.len() > 1 && part.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let is_placeholder = text
            .split('/')
            .filter_map(|part| part.split('.').next())
            .any(|part| is_capital(part) && !["README", "LICENSE", "ARCHITECTURE", "CONTRIBUTING"].contains(&part));
        let has_ending = text.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending));
        let folder = format!("{first}/");
        is_plain
            && !is_placeholder
            && !text.starts_with('/')
            && (has_ending || self.files.iter().any(|file| file.starts_with(&folder)))
    }

    /// Whether the file is in the root folder, beside the document, in `src/` or in a crate of the workspace.
    fn has_named(&self, document: &Path, text: &str) -> bool {
        let text = text.trim_end_matches('/');
        let beside = normal(&document.parent().unwrap_or(Path::new("")).join(text));
        let in_crate = text.split_once('/').map(|(name, rest)| format!("crates/{name}/src/{rest}")).unwrap_or_default();
        let places = [PathBuf::from(text), beside, Path::new("src").join(text), PathBuf::from(in_crate)];
        places.iter().any(|place| self.root.join(place).exists())
    }

    /// Files that git ignores are created by a build. Files outside of the repository are not checked.
    fn is_ignored(&self, text: &str) -> Result<bool, String> {
        if text.starts_with("..") {
            return Ok(true);
        }
        let mut command = repository::command("git")?;
        let status = command.args(["check-ignore", "--quiet", text]).status();
        Ok(status.map_err(|e| format!("git could not be started: {e}"))?.success())
    }
}

/// Links and texts in backquotes, without those in fenced blocks.
fn mentions(text: &str) -> Vec<Mention> {
    let mut mentions = Vec::new();
    let mut is_fenced = false;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if !is_fenced {
            let mut add = |text: &str, is_link| mentions.push(Mention { line: at + 1, text: text.to_owned(), is_link });
            let mut prose = String::new();
            for (part, text) in line.split('`').enumerate() {
                if part % 2 == 0 { prose.push_str(text) } else { add(text, false) }
            }
            for rest in prose.split("](").skip(1) {
                let target = rest.split(')').next().unwrap_or_default();
                add(target.split_whitespace().next().unwrap_or_default(), true);
            }
            let reference = prose.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]: "));
            if let Some((_, target)) = reference.filter(|(name, _)| !name.contains(' ')) {
                add(target.split_whitespace().next().unwrap_or_default(), true);
            }
        }
    }
    mentions
}

/// The names of headings in links, in GitHub's form.
fn headings(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut is_fenced = false;
    for line in text.lines() {
        is_fenced ^= line.trim_start().starts_with("```");
        let title = line.trim_start_matches('#');
        if is_fenced || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let kept = title
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .collect::<String>();
        let name = kept.replace(' ', "-");
        let earlier = found.iter().filter(|known| **known == name).count();
        found.push(if earlier == 0 { name } else { format!("{name}-{earlier}") });
    }
    found
}

/// `path` without `.` and `..`.
pub fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_names_are_found_outside_fences() {
        let text = "See [a](docs/a.md#x \"title\") and `src/b.rs`.\n```\n[no](no.md) `src/no.rs`\n```\n[ref]: c.md";
        let mention = |line, text: &str, is_link| Mention { line, text: text.to_owned(), is_link };
        assert_eq!(
            mentions(text),
            [mention(1, "src/b.rs", false), mention(1, "docs/a.md#x", true), mention(5, "c.md", true)]
        );
    }

    #[test]
    fn a_missing_file_and_a_missing_heading_are_problems() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("crates/store/src")).unwrap();
        std::fs::write(folder.path().join("crates/store/src/lock.rs"), "").unwrap();
        std::fs::write(folder.path().join("a.md"), "").unwrap();
        let files = ["a.md", "crates/store/src/lock.rs"];
        let documents = HashMap::from([(PathBuf::from("a.md"), "# One & two\n".to_owned())]);
        let repository = Repository { root: folder.path(), files: &files, documents: &documents };
        let problem = |text: &str| {
            let mention = Mention { line: 1, text: text.to_owned(), is_link: true };
            repository.problem(Path::new("docs/b.md"), &mention).unwrap()
        };
        assert_eq!(problem("../a.md#one--two"), None);
        assert_eq!(problem("https://example.org"), None);
        assert!(problem("../a.md#three").is_some());
        assert!(problem("a.md").is_some());
        assert!(repository.is_file_name("crates/store/x.rs") && repository.is_file_name("store/lock.rs"));
        assert!(!repository.is_file_name("text/html") && !repository.is_file_name("crates/NAME/x.rs"));
        assert!(repository.has_named(Path::new("a.md"), "store/lock.rs"));
        assert!(!repository.has_named(Path::new("a.md"), "store/gone.rs"));
    }
}
