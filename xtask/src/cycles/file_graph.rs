//! The graph of files that use each other, and its circles.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::module_tree::{FileId, ModuleTree};
use super::resolve::Resolver;

/// A line that makes one file depend on another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    pub line: usize,
    pub path: String,
}

#[derive(Clone, Default)]
pub struct FileGraph {
    pub edges: BTreeMap<(FileId, FileId), BTreeSet<Use>>,
}

impl FileGraph {
    pub fn new(tree: &ModuleTree) -> Self {
        let resolver = Resolver::new(tree);
        let mut graph = Self::default();
        for (id, module) in tree.modules.iter().enumerate() {
            for import in &module.imports {
                for file in resolver.files(id, &import.path) {
                    // A re-export of an item of a submodule is not a use.
                    if !(import.is_public && resolver.is_below(file, id)) {
                        graph.add(module.file, file, import.line, &import.path);
                    }
                }
            }
            for reference in &module.references {
                let files = if reference.is_macro {
                    resolver.macro_files(id, &reference.path)
                } else {
                    resolver.files(id, &reference.path)
                };
                for file in files {
                    graph.add(module.file, file, reference.line, &reference.path);
                }
            }
        }
        graph
    }

    fn add(&mut self, from: FileId, to: FileId, line: usize, path: &[String]) {
        if from != to {
            let place = Use { line, path: path.join("::") };
            self.edges.entry((from, to)).or_default().insert(place);
        }
    }

    /// Keeps only the edges between these files.
    pub fn retain(&mut self, keeps: impl Fn(FileId) -> bool) {
        self.edges.retain(|&(from, to), _| keeps(from) && keeps(to));
    }

    /// Removes the edge from child to parent of each pair that uses each other. Returns the pairs (parent, child).
    pub fn take_parent_pairs(&mut self, tree: &ModuleTree) -> Vec<(FileId, FileId)> {
        let is_pair = |&(child, parent): &(FileId, FileId)| {
            tree.files[child].parent == Some(parent) && self.edges.contains_key(&(parent, child))
        };
        let pairs: Vec<_> = self.edges.keys().copied().filter(is_pair).collect();
        for pair in &pairs {
            self.edges.remove(pair);
        }
        pairs.into_iter().map(|(child, parent)| (parent, child)).collect()
    }

    fn neighbours(&self, file: FileId) -> impl Iterator<Item = FileId> + '_ {
        self.edges.range((file, 0)..=(file, FileId::MAX)).map(|(&(_, to), _)| to)
    }

    fn reachable(&self, from: FileId) -> BTreeSet<FileId> {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![from];
        while let Some(file) = waiting.pop() {
            waiting.extend(self.neighbours(file).filter(|&next| seen.insert(next)));
        }
        seen
    }

    /// The strongly connected components of more than one file.
    pub fn components(&self) -> Vec<BTreeSet<FileId>> {
        let files: BTreeSet<FileId> = self.edges.keys().map(|&(from, _)| from).collect();
        let reached: BTreeMap<FileId, BTreeSet<FileId>> =
            files.iter().map(|&file| (file, self.reachable(file))).collect();
        let reaches = |from, to| reached.get(&from).is_some_and(|files| files.contains(&to));
        let mut assigned: BTreeSet<FileId> = BTreeSet::new();
        let mut components = Vec::new();
        for &file in &files {
            if reaches(file, file) && !assigned.contains(&file) {
                let component: BTreeSet<FileId> =
                    reached[&file].iter().copied().filter(|&other| reaches(other, file)).collect();
                assigned.extend(&component);
                components.push(component);
            }
        }
        components
    }

    /// The shortest path from a file of `component` back to itself.
    pub fn shortest_circle(&self, component: &BTreeSet<FileId>) -> Vec<FileId> {
        let circles = component.iter().filter_map(|&file| self.circle_from(file, component));
        circles.min_by_key(Vec::len).unwrap_or_default()
    }

    fn circle_from(&self, start: FileId, component: &BTreeSet<FileId>) -> Option<Vec<FileId>> {
        let mut came_from = BTreeMap::new();
        let mut waiting = VecDeque::from([start]);
        while let Some(file) = waiting.pop_front() {
            for next in self.neighbours(file).filter(|next| component.contains(next)) {
                if next == start {
                    let back = |&file: &FileId| came_from.get(&file).copied();
                    let mut circle: Vec<_> = std::iter::successors(Some(file), back).collect();
                    circle.reverse();
                    return Some(circle);
                }
                if let Entry::Vacant(unseen) = came_from.entry(next) {
                    unseen.insert(file);
                    waiting.push_back(next);
                }
            }
        }
        None
    }

    /// All circles that have to be broken: the shortest one, then the shortest one after its edge with the fewest uses was
    /// removed, and so on.
    pub fn circles_to_break(&self, component: &BTreeSet<FileId>) -> Vec<Vec<FileId>> {
        let mut rest = self.clone();
        rest.retain(|file| component.contains(&file));
        let mut circles = Vec::new();
        while let Some(component) = rest.components().into_iter().next() {
            let circle = rest.shortest_circle(&component);
            let lightest = edges_of(&circle).into_iter().min_by_key(|edge| rest.edges[edge].len());
            let Some(lightest) = lightest else { break };
            rest.edges.remove(&lightest);
            circles.push(circle);
        }
        circles
    }
}

/// The edges of a circle. The last one leads back to the first file.
pub fn edges_of(circle: &[FileId]) -> Vec<(FileId, FileId)> {
    let next = circle.iter().cycle().skip(1);
    circle.iter().copied().zip(next.copied()).collect()
}
