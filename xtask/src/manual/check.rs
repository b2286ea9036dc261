//! Every link of the built manual leads to a file and a heading of it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::files::{failed, read};
use crate::links::normal;

/// Returns the number of links within the manual.
pub fn links(folder: &Path) -> Result<usize, String> {
    let mut pages = HashMap::new();
    read_pages(folder, folder, &mut pages)?;
    let anchors: HashMap<&PathBuf, HashSet<&str>> =
        pages.iter().map(|(page, text)| (page, values(text, " id=\"").collect())).collect();
    let (mut checked, mut problems) = (0, Vec::new());
    for (page, text) in &pages {
        for target in values(text, " href=\"").chain(values(text, " src=\"")) {
            if target.is_empty() || target.contains(':') {
                continue;
            }
            checked += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file =
                if path.is_empty() { page.clone() } else { normal(&page.parent().unwrap_or(Path::new("")).join(path)) };
            if !folder.join(&file).exists() {
                problems.push(format!("{}: {target} does not exist", page.display()));
            } else if !anchor.is_empty() && anchors.get(&file).is_some_and(|known| !known.contains(anchor)) {
                problems.push(format!("{}: {target} has no such heading", page.display()));
            }
        }
    }
    problems.sort();
    if problems.is_empty() { Ok(checked) } else { Err(problems.join("\n")) }
}

fn read_pages(root: &Path, folder: &Path, pages: &mut HashMap<PathBuf, String>) -> Result<(), String> {
    for entry in std::fs::read_dir(folder).map_err(|e| failed(folder, &e))? {
        let path = entry.map_err(|e| failed(folder, &e))?.path();
        if path.is_dir() {
            read_pages(root, &path, pages)?;
        } else if path.extension().is_some_and(|ending| ending == "html") {
            let text = read(&path)?;
            pages.insert(path.strip_prefix(root).unwrap_or(&path).to_owned(), text);
        }
    }
    Ok(())
}

/// The values of an attribute in tags. Pieces of code show tags too, but with `&lt;`.
fn values<'a>(text: &'a str, attribute: &'a str) -> impl Iterator<Item = &'a str> {
    let tags = text.split('<').skip(1).filter_map(|rest| rest.split('>').next());
    tags.filter_map(move |tag| tag.split_once(attribute)?.1.split('"').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_missing_page_or_heading_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("docs")).unwrap();
        std::fs::write(folder.path().join("b.html"), "<h1 id=\"one\"></h1>").unwrap();
        let page = folder.path().join("docs/a.html");
        std::fs::write(
            &page,
            "<a href=\"../b.html#one\">b</a> <a href=\"https://example.org\">x</a> &lt;img src=\"x\">",
        )
        .unwrap();
        assert_eq!(links(folder.path()), Ok(1));
        std::fs::write(&page, "<a href=\"../b.html#two\">b</a> <img src=\"c.png\">").unwrap();
        let problems = links(folder.path()).unwrap_err();
        assert!(
            problems.contains("b.html#two has no such heading") && problems.contains("c.png does not exist"),
            "{problems}"
        );
    }
}
