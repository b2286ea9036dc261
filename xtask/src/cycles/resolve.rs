//! Finds the file that defines what a path names. Re-exports, renames and globs are followed to the definition.

use std::collections::{HashMap, HashSet};

use super::module_tree::{Definition, FileId, ModuleId, ModuleTree};
use super::syntax::Import;

pub struct Resolver<'a> {
    tree: &'a ModuleTree,
    /// Where each name of each module is imported.
    imports: Vec<HashMap<&'a str, Vec<&'a Import>>>,
    globs: Vec<Vec<&'a Import>>,
}

/// Names on the way to an answer. The imports of a name that is asked for again are not followed again.
type Asked = HashSet<(ModuleId, String)>;

impl<'a> Resolver<'a> {
    pub fn new(tree: &'a ModuleTree) -> Self {
        let mut imports = Vec::with_capacity(tree.modules.len());
        let mut globs = Vec::with_capacity(tree.modules.len());
        for module in &tree.modules {
            let mut named: HashMap<&str, Vec<&Import>> = HashMap::new();
            for import in &module.imports {
                if let Some(name) = &import.name {
                    named.entry(name).or_default().push(import);
                }
            }
            imports.push(named);
            globs.push(module.imports.iter().filter(|import| import.name.is_none()).collect());
        }
        Self { tree, imports, globs }
    }

    /// The files that define what `path` names in `module`. None where it names a module or another crate's item.
    /// Several where one name is, say, a type and a function.
    pub fn files(&self, module: ModuleId, path: &[String]) -> Vec<FileId> {
        let found = self.path(module, path, &mut Asked::new());
        found
            .into_iter()
            .filter_map(|definition| match definition {
                Definition::Item { file, .. } => Some(file),
                Definition::Module(_) => None,
            })
            .collect()
    }

    pub fn macro_files(&self, module: ModuleId, path: &[String]) -> Vec<FileId> {
        let found = self.files(module, path);
        match path {
            [name] if found.is_empty() => self.tree.macros.get(name).cloned().unwrap_or_default(),
            _ => found,
        }
    }

    /// Whether `file` is that of a module inside `module`.
    pub fn is_below(&self, file: FileId, module: ModuleId) -> bool {
        let ancestor = self.tree.modules[module].file;
        std::iter::successors(self.tree.files[file].parent, |&file| self.tree.files[file].parent)
            .any(|file| file == ancestor)
    }

    fn path(&self, module: ModuleId, path: &[String], asked: &mut Asked) -> Vec<Definition> {
        let mut here = module;
        let mut rest = path;
        while let Some((first, others)) = rest.split_first() {
            here = match first.as_str() {
                "crate" => 0,
                "self" => here,
                "super" => match self.tree.modules[here].parent {
                    Some(parent) => parent,
                    None => return Vec::new(),
                },
                _ => break,
            };
            rest = others;
        }
        let Some((first, others)) = rest.split_first() else { return vec![Definition::Module(here)] };
        let mut found = self.name(here, first, asked);
        for name in others {
            let mut next = Vec::new();
            for definition in found {
                match definition {
                    Definition::Module(inner) => next.extend(self.name(inner, name, asked)),
                    // An enum's variant or a type's function: the type's file has it.
                    item @ Definition::Item { .. } => next.push(item),
                }
            }
            found = next;
        }
        found
    }

    fn name(&self, module: ModuleId, name: &str, asked: &mut Asked) -> Vec<Definition> {
        let mut found = self.tree.modules[module].items.get(name).cloned().unwrap_or_default();
        // `mod x; use x::x;`: the first `x` of the path is the module.
        if !asked.insert((module, name.to_owned())) {
            return found;
        }
        let imports = self.imports[module].get(name).map_or(&[][..], Vec::as_slice);
        for is_local in [false, true] {
            if is_local && !found.is_empty() {
                break;
            }
            for import in imports.iter().filter(|import| import.is_local == is_local) {
                found.extend(self.path(module, &import.path, asked));
            }
        }
        if found.is_empty() && imports.is_empty() {
            for glob in &self.globs[module] {
                found.extend(self.through_glob(module, glob, name, asked));
            }
        }
        asked.remove(&(module, name.to_owned()));
        found
    }

    fn through_glob(&self, module: ModuleId, glob: &Import, name: &str, asked: &mut Asked) -> Vec<Definition> {
        let mut found = Vec::new();
        for definition in self.path(module, &glob.path, asked) {
            match definition {
                Definition::Module(inner) => found.extend(self.name(inner, name, asked)),
                Definition::Item { file, variants } => {
                    if variants.iter().any(|variant| variant == name) {
                        found.push(Definition::Item { file, variants: Vec::new() });
                    }
                }
            }
        }
        found
    }
}
