//! Helpers for syntax: the imports of `use`, and items that exist only in tests.

use syn::{Attribute, Item, UseTree};

/// One leaf of a `use` tree.
pub struct Import {
    /// The name in this module. `None` for `use a::*`.
    pub name: Option<String>,
    pub path: Vec<String>,
    pub line: usize,
    pub is_public: bool,
    /// The import is inside a function. Names of the module take precedence.
    pub is_local: bool,
}

/// Calls `each` with the name in scope (`None` for a glob), the path and the line of each leaf.
pub fn flatten(tree: &UseTree, prefix: &mut Vec<String>, each: &mut dyn FnMut(Option<String>, Vec<String>, usize)) {
    match tree {
        UseTree::Path(path) => {
            prefix.push(plain(&path.ident));
            flatten(&path.tree, prefix, each);
            prefix.pop();
        }
        UseTree::Name(name) => leaf(&name.ident, &name.ident, prefix, each),
        UseTree::Rename(renamed) => leaf(&renamed.ident, &renamed.rename, prefix, each),
        UseTree::Glob(glob) => each(None, prefix.clone(), glob.star_token.spans[0].start().line),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, prefix, each)),
    }
}

fn leaf(
    used: &syn::Ident,
    name: &syn::Ident,
    prefix: &[String],
    each: &mut dyn FnMut(Option<String>, Vec<String>, usize),
) {
    let line = used.span().start().line;
    let mut path = prefix.to_vec();
    // In `use a::{self}`, `self` refers to `a`. In `use self::a`, it is the first segment.
    if used != "self" || path.is_empty() {
        path.push(plain(used));
    }
    let name = if name == "self" { path.last().cloned().unwrap_or_default() } else { plain(name) };
    each(Some(name), path, line);
}

/// The identifier without the `r#` of a raw identifier.
pub fn plain(ident: &syn::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map_or(text.clone(), str::to_owned)
}

/// `#[test]`, `#[cfg(test)]` and `#[cfg(all(test, …))]`.
pub fn is_only_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return attribute.path().is_ident("test") };
        let condition: String = list.tokens.to_string().split_whitespace().collect();
        list.path.is_ident("cfg")
            && (condition == "test" || condition.starts_with("all(") && condition[4..].starts_with("test"))
    })
}

pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(x) => &x.attrs,
        Item::Enum(x) => &x.attrs,
        Item::ExternCrate(x) => &x.attrs,
        Item::Fn(x) => &x.attrs,
        Item::ForeignMod(x) => &x.attrs,
        Item::Impl(x) => &x.attrs,
        Item::Macro(x) => &x.attrs,
        Item::Mod(x) => &x.attrs,
        Item::Static(x) => &x.attrs,
        Item::Struct(x) => &x.attrs,
        Item::Trait(x) => &x.attrs,
        Item::TraitAlias(x) => &x.attrs,
        Item::Type(x) => &x.attrs,
        Item::Union(x) => &x.attrs,
        Item::Use(x) => &x.attrs,
        _ => &[],
    }
}
