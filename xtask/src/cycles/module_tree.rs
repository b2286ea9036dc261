//! Reads a crate's modules from its root file, in the same way as the compiler: `mod x;` refers to the next file.
//!
//! Modules and functions that exist only in tests are skipped.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use syn::{Attribute, Item, Visibility};

use super::references::{self, Reference};
use super::syntax::{Import, attributes, flatten, is_only_for_tests, plain};

pub type FileId = usize;
pub type ModuleId = usize;

#[derive(Default)]
pub struct ModuleTree {
    pub files: Vec<SourceFile>,
    pub modules: Vec<Module>,
    /// Files that define a `macro_rules!` of this name. Such macros can be used without a path.
    pub macros: HashMap<String, Vec<FileId>>,
}

pub struct SourceFile {
    pub path: PathBuf,
    /// The file that declares this one with `mod x;`.
    pub parent: Option<FileId>,
}

pub struct Module {
    pub file: FileId,
    pub parent: Option<ModuleId>,
    pub items: HashMap<String, Vec<Definition>>,
    pub imports: Vec<Import>,
    pub references: Vec<Reference>,
}

#[derive(Clone)]
pub enum Definition {
    Module(ModuleId),
    /// `variants` are those of an enum, because `use Enum::*` brings them into scope.
    Item {
        file: FileId,
        variants: Vec<String>,
    },
}

impl ModuleTree {
    pub fn read(root: &Path) -> Result<Self, String> {
        let mut tree = Self::default();
        let folder = root.parent().unwrap_or(Path::new("")).to_owned();
        tree.read_file(root, &folder, None)?;
        Ok(tree)
    }

    /// `folder` contains the modules that the file declares.
    fn read_file(&mut self, path: &Path, folder: &Path, parent: Option<ModuleId>) -> Result<ModuleId, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let parsed =
            syn::parse_file(&text).map_err(|e| format!("{}:{}: {e}", path.display(), e.span().start().line))?;
        let file = self.files.len();
        let parent_file = parent.map(|module| self.modules[module].file);
        self.files.push(SourceFile { path: path.to_owned(), parent: parent_file });
        self.read_module(file, folder, parent, &parsed.items)
    }

    fn read_module(
        &mut self,
        file: FileId,
        folder: &Path,
        parent: Option<ModuleId>,
        items: &[Item],
    ) -> Result<ModuleId, String> {
        let module = self.modules.len();
        let empty = Module { file, parent, items: HashMap::new(), imports: Vec::new(), references: Vec::new() };
        self.modules.push(empty);
        for item in items.iter().filter(|item| !is_only_for_tests(attributes(item))) {
            match item {
                Item::Mod(declared) => {
                    let name = plain(&declared.ident);
                    let child = match &declared.content {
                        Some((_, items)) => self.read_module(file, &folder.join(&name), Some(module), items)?,
                        None => {
                            let (path, inner) = self.find_file(file, folder, &name, &declared.attrs)?;
                            self.read_file(&path, &inner, Some(module))?
                        }
                    };
                    self.define(module, name, Definition::Module(child));
                }
                Item::Use(used) => {
                    let is_public = !matches!(used.vis, Visibility::Inherited);
                    if used.leading_colon.is_none() {
                        flatten(&used.tree, &mut Vec::new(), &mut |name, path, line| {
                            let import = Import { name, path, line, is_public, is_local: false };
                            self.modules[module].imports.push(import);
                        });
                    }
                }
                other => self.read_item(module, file, other),
            }
        }
        Ok(module)
    }

    fn read_item(&mut self, module: ModuleId, file: FileId, item: &Item) {
        let mut variants = Vec::new();
        let name = match item {
            Item::Const(x) => Some(&x.ident),
            Item::Enum(x) => {
                variants = x.variants.iter().map(|variant| plain(&variant.ident)).collect();
                Some(&x.ident)
            }
            Item::Fn(x) => Some(&x.sig.ident),
            Item::Macro(x) => x.ident.as_ref(),
            Item::Static(x) => Some(&x.ident),
            Item::Struct(x) => Some(&x.ident),
            Item::Trait(x) => Some(&x.ident),
            Item::TraitAlias(x) => Some(&x.ident),
            Item::Type(x) => Some(&x.ident),
            Item::Union(x) => Some(&x.ident),
            _ => None,
        };
        if let Some(name) = name.map(plain) {
            if matches!(item, Item::Macro(_)) {
                self.macros.entry(name.clone()).or_default().push(file);
            }
            self.define(module, name, Definition::Item { file, variants });
        }
        let found = references::of_item(item);
        self.modules[module].imports.extend(found.imports);
        self.modules[module].references.extend(found.references);
    }

    fn define(&mut self, module: ModuleId, name: String, definition: Definition) {
        self.modules[module].items.entry(name).or_default().push(definition);
    }

    /// The file of `mod name;`, and the folder of the modules that this file declares.
    fn find_file(
        &self,
        file: FileId,
        folder: &Path,
        name: &str,
        attributes: &[Attribute],
    ) -> Result<(PathBuf, PathBuf), String> {
        let declaring = &self.files[file].path;
        if let Some(path) = attributes.iter().find_map(path_attribute) {
            let path = declaring.parent().unwrap_or(Path::new("")).join(path);
            let inner = path.parent().unwrap_or(Path::new("")).to_owned();
            return Ok((path, inner));
        }
        let inner = folder.join(name);
        let candidates = [folder.join(format!("{name}.rs")), inner.join("mod.rs")];
        match candidates.into_iter().find(|path| path.is_file()) {
            Some(path) => Ok((path, inner)),
            None => Err(format!("{}: `mod {name};` has no file", declaring.display())),
        }
    }
}

fn path_attribute(attribute: &Attribute) -> Option<String> {
    let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
    let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value else { return None };
    pair.path.is_ident("path").then(|| text.value())
}
