//! `cargo xtask cycles [--strict] [--all] [--list] [FOLDER…]`: circles between the files of a crate.
//!
//! Two files that use each other cannot be read, tested or moved separately. The compiler forbids circles between crates only.
//! An edge is a path in a file (`use`, types, calls, macros, attributes) to an item that another file of the crate defines.
//! Not detected: methods of a type that a third file implements, and code that a macro generates.

mod file_graph;
mod module_tree;
mod references;
mod resolve;
mod syntax;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::repository;
use file_graph::{FileGraph, edges_of};
use module_tree::{FileId, ModuleTree};

const USAGE: &str = "cargo xtask cycles [--strict] [--all] [--list] [FOLDER…]
  --strict  a parent module and a child that use each other are an error, too
  --all     print all circles that have to be broken, and not only the shortest one of each group of files
  --list    print the size of each graph
  FOLDER    a crate's src, or a folder in it: check only this folder (default: all crates)";
/// The largest number of uses that are printed per edge.
const SHOWN_USES: usize = 4;

#[derive(Default)]
struct Options {
    is_strict: bool,
    shows_all: bool,
    lists: bool,
}

pub fn run(arguments: &[String]) -> Result<(), String> {
    let mut options = Options::default();
    let mut folders = Vec::new();
    for argument in arguments {
        match argument.as_str() {
            "--strict" => options.is_strict = true,
            "--all" => options.shows_all = true,
            "--list" => options.lists = true,
            text if text.starts_with('-') => return Err(format!("{text} is not an option.\n{USAGE}")),
            folder => folders.push(PathBuf::from(folder)),
        }
    }
    if folders.is_empty() {
        folders = crate_folders(&repository::root()?)?;
    }
    let mut circles = 0;
    for folder in &folders {
        for root in root_files(folder)? {
            circles += check(&root, folder, &options)?;
        }
    }
    if circles > 0 { Err(format!("{circles} circles between files")) } else { Ok(()) }
}

/// `src` of the root package, of each package in `crates/`, and of xtask.
fn crate_folders(repository: &Path) -> Result<Vec<PathBuf>, String> {
    let mut folders = vec![repository.join("src"), repository.join("xtask/src")];
    let crates = repository.join("crates");
    if crates.is_dir() {
        for entry in std::fs::read_dir(&crates).map_err(|e| format!("{}: {e}", crates.display()))? {
            folders.push(entry.map_err(|e| format!("{}: {e}", crates.display()))?.path().join("src"));
        }
    }
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    Ok(folders)
}

/// `lib.rs` and `main.rs` are the roots of one crate each. For a folder inside a crate, those of the nearest folder above.
fn root_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let absolute = folder.canonicalize().map_err(|e| format!("{}: {e}", folder.display()))?;
    for above in absolute.ancestors() {
        let roots = ["lib.rs", "main.rs"].map(|name| above.join(name));
        let roots: Vec<PathBuf> = roots.into_iter().filter(|path| path.is_file()).collect();
        if !roots.is_empty() {
            return Ok(roots);
        }
    }
    Err(format!("{}: neither this folder nor a folder above it contains lib.rs or main.rs", folder.display()))
}

/// Prints the circles between the files of `folder` and returns their number.
fn check(root: &Path, folder: &Path, options: &Options) -> Result<usize, String> {
    let tree = ModuleTree::read(root)?;
    let folder = folder.canonicalize().map_err(|e| format!("{}: {e}", folder.display()))?;
    let is_inside = |file: FileId| tree.files[file].path.starts_with(&folder);
    let mut graph = FileGraph::new(&tree);
    graph.retain(is_inside);
    let name = |file: FileId| tree.files[file].path.strip_prefix(&folder).unwrap_or(&tree.files[file].path).display();
    let files = (0..tree.files.len()).filter(|&file| is_inside(file)).count();
    if files == 0 {
        return Ok(0);
    }
    let edges = graph.edges.len();
    let pairs = graph.clone().take_parent_pairs(&tree);
    let whole = graph.clone();
    graph.take_parent_pairs(&tree);
    let components = graph.components();
    if options.lists || !components.is_empty() || (options.is_strict && !pairs.is_empty()) {
        println!("{}", root.parent().filter(|&above| above == folder).map_or(folder.as_path(), |_| root).display());
    }
    if options.lists {
        println!("  {files} files, {edges} edges, {} parents and children that use each other", pairs.len());
    }
    let mut circles = 0;
    for component in &components {
        let names: Vec<String> = component.iter().map(|&file| name(file).to_string()).collect();
        println!("  {} files use each other: {}", names.len(), names.join(", "));
        let shown =
            if options.shows_all { graph.circles_to_break(component) } else { vec![graph.shortest_circle(component)] };
        circles += shown.len();
        for circle in shown {
            println!("    a circle of {} files", circle.len());
            for edge in edges_of(&circle) {
                print_edge(&graph, edge, &name);
            }
        }
    }
    if options.is_strict {
        for &(parent, child) in &pairs {
            println!("  a parent and its child use each other");
            print_edge(&whole, (parent, child), &name);
            print_edge(&whole, (child, parent), &name);
        }
        circles += pairs.len();
    }
    Ok(circles)
}

fn print_edge<N: std::fmt::Display>(graph: &FileGraph, edge: (FileId, FileId), name: &impl Fn(FileId) -> N) {
    let (from, to) = edge;
    println!("      {} → {}", name(from), name(to));
    let uses = &graph.edges[&edge];
    for place in uses.iter().take(SHOWN_USES) {
        println!("        {}:{}  {}", name(from), place.line, place.path);
    }
    if uses.len() > SHOWN_USES {
        println!("        and {} more", uses.len() - SHOWN_USES);
    }
}
