//! Finds the file that defines the item of a path. Re-exports, renames and globs are followed to the definition.

use std::collections::{HashMap, HashSet};

use super::module_tree::{Definition, FileId, ModuleId, ModuleTree};
use super::syntax::Import;

pub struct Resolver<'a> {
    tree: &'a ModuleTree,
    /// The imports of each name, per module.
    imports: Vec<HashMap<&'a str, Vec<&'a Import>>>,
    globs: Vec<Vec<&'a Import>>,
}

/// Names that are being resolved. Their imports are not followed a second time.
type Resolving = HashSet<(ModuleId, String)>;

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

    /// The files that define the items of `path` in `module`. Empty for a module or an item of another crate. Several
    /// files if one name is, for example, a type and a function.
    pub fn files(&self, module: ModuleId, path: &[String]) -> Vec<FileId> {
        let found = self.path(module, path, &mut Resolving::new());
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

    /// Whether `file` contains a submodule of `module`.
    pub fn is_below(&self, file: FileId, module: ModuleId) -> bool {
        let ancestor = self.tree.modules[module].file;
        std::iter::successors(self.tree.files[file].parent, |&file| self.tree.files[file].parent)
            .any(|file| file == ancestor)
    }

    fn path(&self, module: ModuleId, path: &[String], resolving: &mut Resolving) -> Vec<Definition> {
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
        let mut found = self.name(here, first, resolving);
        for name in others {
            let mut next = Vec::new();
            for definition in found {
                match definition {
                    Definition::Module(inner) => next.extend(self.name(inner, name, resolving)),
                    // A variant of an enum or a function of a type belongs to the file of the type.
                    item @ Definition::Item { .. } => next.push(item),
                }
            }
            found = next;
        }
        found
    }

    fn name(&self, module: ModuleId, name: &str, resolving: &mut Resolving) -> Vec<Definition> {
        let mut found = self.tree.modules[module].items.get(name).cloned().unwrap_or_default();
        // In `mod x; use x::x;`, the first `x` of the path is the module.
        if !resolving.insert((module, name.to_owned())) {
            return found;
        }
        let imports = self.imports[module].get(name).map_or(&[][..], Vec::as_slice);
        for is_local in [false, true] {
            if is_local && !found.is_empty() {
                break;
            }
            for import in imports.iter().filter(|import| import.is_local == is_local) {
                found.extend(self.path(module, &import.path, resolving));
            }
        }
        if found.is_empty() && imports.is_empty() {
            for glob in &self.globs[module] {
                found.extend(self.through_glob(module, glob, name, resolving));
            }
        }
        resolving.remove(&(module, name.to_owned()));
        found
    }

    fn through_glob(&self, module: ModuleId, glob: &Import, name: &str, resolving: &mut Resolving) -> Vec<Definition> {
        let mut found = Vec::new();
        for definition in self.path(module, &glob.path, resolving) {
            match definition {
                Definition::Module(inner) => found.extend(self.name(inner, name, resolving)),
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
