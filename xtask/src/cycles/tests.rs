//! Small crates with and without circles.

use std::path::Path;

use super::file_graph::{FileGraph, edges_of};
use super::module_tree::{FileId, ModuleTree};

/// Writes the files into a folder and reads the crate whose root is the first of them.
fn read(files: &[(&str, &str)]) -> (tempfile::TempDir, ModuleTree) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let tree = ModuleTree::read(&folder.path().join(files[0].0)).unwrap();
    (folder, tree)
}

/// "from > to" of every edge, in alphabetical order.
fn edges(files: &[(&str, &str)]) -> Vec<String> {
    let (folder, tree) = read(files);
    let name = |file: FileId| short(&tree, file, folder.path());
    let graph = FileGraph::new(&tree);
    let mut edges: Vec<_> = graph.edges.keys().map(|&(from, to)| format!("{} > {}", name(from), name(to))).collect();
    edges.sort();
    edges
}

fn short(tree: &ModuleTree, file: FileId, folder: &Path) -> String {
    tree.files[file].path.strip_prefix(folder).unwrap().display().to_string()
}

/// The shortest circle of each component, without pairs of parent and child.
fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let (folder, tree) = read(files);
    let mut graph = FileGraph::new(&tree);
    graph.take_parent_pairs(&tree);
    let name = |file: FileId| short(&tree, file, folder.path());
    let components = graph.components();
    components.iter().map(|component| graph.shortest_circle(component).into_iter().map(name).collect()).collect()
}

#[test]
fn a_chain_is_no_circle() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "use super::c::C; pub struct B(C);"),
        ("c.rs", "pub struct C;"),
    ];
    assert_eq!(edges(&files), ["a.rs > b.rs", "b.rs > c.rs"]);
    assert!(circles(&files).is_empty());
}

#[test]
fn a_circle_of_three_is_found_with_its_lines() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::{b::{B}};\npub struct A(B);"),
        ("b.rs", "pub struct B;\npub fn b() { super::c::c() }"),
        ("c.rs", "pub fn c() { let _: Option<super::a::A> = None; }"),
    ];
    assert_eq!(circles(&files), [["a.rs", "b.rs", "c.rs"]]);
    let (_folder, tree) = read(&files);
    let graph = FileGraph::new(&tree);
    let circle = graph.shortest_circle(&graph.components()[0]);
    let uses = &graph.edges[&edges_of(&circle)[1]];
    let place = uses.first().unwrap();
    assert_eq!((place.line, place.path.as_str()), (2, "super::c::c"));
}

#[test]
fn a_re_export_and_a_rename_lead_to_the_file_that_defines() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use a::Deep as Shallow; pub use a::*;"),
        ("a.rs", "pub struct Deep; pub fn named() { crate::b::b() }"),
        ("b.rs", "use crate::Shallow as Other; pub fn b() { let _ = Other; }"),
    ];
    assert_eq!(edges(&files), ["a.rs > b.rs", "b.rs > a.rs"]);
    assert_eq!(circles(&files), [["a.rs", "b.rs"]]);
    let globbed = [files[0], files[1], ("b.rs", "use super::*; pub fn b() { named() }")];
    assert_eq!(edges(&globbed), ["a.rs > b.rs", "b.rs > a.rs"]);
}

#[test]
fn a_module_and_a_function_may_have_one_name() {
    let files = [
        ("lib.rs", "mod grade; mod user; pub use grade::grade;"),
        ("grade.rs", "pub fn grade() {}"),
        ("user.rs", "pub fn user() { crate::grade() }"),
    ];
    assert_eq!(edges(&files), ["user.rs > grade.rs"]);
}

#[test]
fn parent_and_child_are_a_pair_of_their_own() {
    let files = [
        ("lib.rs", "mod room;"),
        ("room/mod.rs", "mod part; pub struct Shared; pub fn whole() { part::part() }"),
        ("room/part.rs", "use super::Shared; pub fn part() { let _ = Shared; }"),
    ];
    assert_eq!(edges(&files), ["room/mod.rs > room/part.rs", "room/part.rs > room/mod.rs"]);
    assert!(circles(&files).is_empty());
    let (_folder, tree) = read(&files);
    assert_eq!(FileGraph::new(&tree).take_parent_pairs(&tree), [(1, 2)]);
}

#[test]
fn a_parent_that_only_re_exports_uses_nothing() {
    let files = [
        ("lib.rs", "mod a; pub use a::A; pub const SHARED: u8 = 1;"),
        ("a.rs", "pub struct A; pub fn a() -> u8 { crate::SHARED }"),
    ];
    assert_eq!(edges(&files), ["a.rs > lib.rs"]);
}

#[test]
fn tests_and_visibility_count_for_nothing() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        (
            "a.rs",
            "pub(in crate::b) struct A;\n#[cfg(test)] mod tests { use crate::b::B; fn f(_: B) {} }\n#[cfg(test)] use crate::b::B;",
        ),
        ("b.rs", "use crate::a::A; pub struct B(A);"),
    ];
    assert_eq!(edges(&files), ["b.rs > a.rs"]);
}

#[test]
fn paths_in_macros_and_attributes_count_and_variables_do_not() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "pub fn a() { assert!(super::b::LIMIT > 1); }"),
        (
            "b.rs",
            "pub const LIMIT: u8 = 2;\n#[serde(with = \"crate::c\")] struct S;\n#[serde(with = \"crate::c::write\")] struct T;",
        ),
        ("c.rs", "use super::*; pub fn write(b: u8) -> u8 { let a = b; a }"),
    ];
    assert_eq!(edges(&files), ["a.rs > b.rs", "b.rs > c.rs"]);
}

#[test]
fn inline_modules_and_enums_lie_in_their_file() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c { pub use crate::a::Kind; }"),
        ("a.rs", "pub enum Kind { One, Two }"),
        ("b.rs", "use crate::c::Kind::*; pub fn b() { let _ = One; }"),
    ];
    assert_eq!(edges(&files), ["b.rs > a.rs"]);
}

#[test]
fn the_circles_to_break_are_all_that_there_are() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "pub struct A; use crate::b::B;"),
        ("b.rs", "pub struct B; use crate::a::A; use crate::c::C;"),
        ("c.rs", "pub struct C; use crate::b::B;"),
    ];
    let (_folder, tree) = read(&files);
    let graph = FileGraph::new(&tree);
    let components = graph.components();
    assert_eq!(components.len(), 1);
    assert_eq!(graph.circles_to_break(&components[0]).len(), 2);
}

#[test]
fn a_module_without_a_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lib.rs"), "mod missing;").unwrap();
    let error = ModuleTree::read(&folder.path().join("lib.rs")).err().unwrap();
    assert!(error.contains("missing"), "{error}");
}
