//! `cargo xtask manual`: builds the manual from docs/SUMMARY.md with mdBook into build/manual/html. It is searchable and works
//! without a network.
//!
//! Documents link to others by their places in the repository. The book therefore has the repository's folders. A link to a file
//! that is not in the book becomes its text.

mod check;
mod summary;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::files::{copy, read, recreate, write};
use crate::{links, markdown, repository};

/// Where the built manual is, in the repository's root folder.
pub const HTML: &str = "build/manual/html";
const SOURCES: &str = "build/manual/src";
const MDBOOK_VERSION: &str = "0.5.4";
/// Pictures that pages show.
const PICTURES: [&str; 3] = ["png", "svg", "jpg"];

const CONFIGURATION: &str = r#"[book]
title = "affectograph"
language = "en"
src = "src"

[build]
build-dir = "html"
# A README stays README.html, as the links of the documents name it.
use-default-preprocessors = false

[output.html]
default-theme = "light"
preferred-dark-theme = "navy"
no-section-label = true
additional-css = ["manual.css"]

[output.html.print]
enable = false
"#;

pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("cargo xtask manual takes no arguments".to_owned());
    }
    let root = repository::root()?;
    let mdbook = mdbook(&root)?;
    let pages = summary::pages(&root)?;
    let folder = root.join("build/manual");
    recreate(&folder)?;
    write(&folder.join("book.toml"), CONFIGURATION)?;
    copy(&root.join("docs/manual.css"), &folder.join("manual.css"))?;
    write(&root.join(SOURCES).join("SUMMARY.md"), &summary::text(&pages))?;
    copy_pages(&root, &pages)?;
    repository::run(repository::command(mdbook)?.args(["build", "build/manual"]))?;
    open_at_first_page(&root, &pages)?;
    let checked = check::links(&root.join(HTML))?;
    println!("{HTML}/index.html: {} pages, {checked} links within the manual, all of them lead somewhere", pages.len());
    Ok(())
}

/// mdBook of this version: on PATH, in build/tools, or installed there from crates.io.
fn mdbook(root: &Path) -> Result<PathBuf, String> {
    let own = root.join("build/tools/bin/mdbook");
    let is_wanted = |program: &Path| {
        let version = std::process::Command::new(program).arg("--version").output();
        version.is_ok_and(|found| String::from_utf8_lossy(&found.stdout).trim() == format!("mdbook v{MDBOOK_VERSION}"))
    };
    for program in [PathBuf::from("mdbook"), own.clone()] {
        if is_wanted(&program) {
            return Ok(program);
        }
    }
    println!("Installing mdbook {MDBOOK_VERSION} into build/tools (once; this takes minutes)");
    let tools = root.join("build/tools");
    let mut install = repository::cargo()?;
    install.args(["install", "--quiet", "--locked", "mdbook", "--version", MDBOOK_VERSION, "--no-default-features"]);
    install.args(["--features", "search", "--root"]).arg(tools);
    repository::run(&mut install)?;
    if is_wanted(&own) { Ok(own) } else { Err(format!("{} is not mdbook {MDBOOK_VERSION}", own.display())) }
}

/// The pages at their places in the repository, with the pictures that they show.
fn copy_pages(root: &Path, pages: &[summary::Page]) -> Result<(), String> {
    let in_book: BTreeSet<&Path> = pages.iter().map(|page| page.file.as_path()).collect();
    for page in pages {
        let text = read(&root.join(&page.file))?;
        let mut pictures = Vec::new();
        let text = markdown::replaced(&text, |target| {
            if target.contains("://") || target.starts_with("mailto:") || target.starts_with('#') {
                return true;
            }
            let path = target.split('#').next().unwrap_or(target);
            let file = links::normal(&page.file.parent().unwrap_or(Path::new("")).join(path));
            let is_picture = file.extension().is_some_and(|e| PICTURES.iter().any(|known| e == *known));
            if is_picture {
                pictures.push(file);
                return true;
            }
            in_book.contains(file.as_path())
        });
        write(&root.join(SOURCES).join(&page.file), &text)?;
        for picture in pictures {
            copy(&root.join(&picture), &root.join(SOURCES).join(&picture))?;
        }
    }
    Ok(())
}

/// mdBook writes the first page a second time as index.html, where the links of a page in a folder are wrong.
fn open_at_first_page(root: &Path, pages: &[summary::Page]) -> Result<(), String> {
    let first = pages.first().ok_or("docs/SUMMARY.md lists no page")?.file.with_extension("html");
    let first = first.display();
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>affectograph</title>\n\
         <meta http-equiv=\"refresh\" content=\"0; url={first}\">\n<a href=\"{first}\">The manual of affectograph</a>\n</html>\n"
    );
    write(&root.join(HTML).join("index.html"), &page)
}
