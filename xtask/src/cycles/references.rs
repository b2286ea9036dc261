//! Collects the paths in one item: types, functions, macros, patterns, and the contents of macros and attributes.

use std::collections::HashSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::syntax::{Import, attributes, flatten, is_only_for_tests, plain};

pub struct Reference {
    pub path: Vec<String>,
    pub line: usize,
    pub is_macro: bool,
}

#[derive(Default)]
pub struct Found {
    pub references: Vec<Reference>,
    pub imports: Vec<Import>,
}

pub fn of_item(item: &syn::Item) -> Found {
    let mut collector = Collector::default();
    collector.visit_item(item);
    collector.found
}

#[derive(Default)]
struct Collector {
    found: Found,
    /// Names that the functions around the current place bind.
    locals: Vec<HashSet<String>>,
}

impl Collector {
    fn add(&mut self, path: Vec<String>, line: usize) {
        // A variable is not a qualifier: after `let state`, `state::name` still refers to the module.
        let can_be_local = path.len() == 1 || path[0].starts_with(char::is_uppercase);
        let is_local = can_be_local && self.locals.iter().any(|names| names.contains(&path[0]));
        if !is_local && path[0] != "Self" {
            self.found.references.push(Reference { path, line, is_macro: false });
        }
    }

    fn add_macro(&mut self, path: Vec<String>, line: usize) {
        self.found.references.push(Reference { path, line, is_macro: true });
    }

    /// The first `count` segments of a path.
    fn add_path(&mut self, path: &syn::Path, count: usize) {
        if path.leading_colon.is_none() && count > 0 {
            let names = path.segments.iter().take(count).map(|segment| plain(&segment.ident)).collect();
            self.add(names, path.segments[0].ident.span().start().line);
        }
        for segment in &path.segments {
            self.visit_path_arguments(&segment.arguments);
        }
    }

    /// `<T as Trait>::name`: the trait's path is a reference, `name` is not.
    fn add_qualified(&mut self, qself: Option<&syn::QSelf>, path: &syn::Path) {
        if let Some(qself) = qself {
            self.visit_type(&qself.ty);
        }
        self.add_path(path, qself.map_or(path.segments.len(), |qself| qself.position));
    }

    /// The meaning of a token inside a macro is not known, so only token sequences in the form of a path are collected.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is = |at: usize, sign: char| matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == sign);
        let mut at = 0;
        while at < tokens.len() {
            let TokenTree::Ident(first) = &tokens[at] else {
                if let TokenTree::Group(group) = &tokens[at] {
                    self.add_tokens(group.stream());
                }
                at += 1;
                continue;
            };
            let is_dollar_crate = first == "crate" && at > 0 && is(at - 1, '$');
            let follows = |sign| at > 0 && is(at - 1, sign);
            let is_part = (follows('.') && !(at > 1 && is(at - 2, '.')))
                || follows('\'')
                || (at > 1 && is(at - 1, ':') && is(at - 2, ':'))
                || (follows('$') && !is_dollar_crate);
            let mut path = vec![plain(first)];
            let mut next = at + 1;
            while is(next, ':') && is(next + 1, ':') {
                let Some(TokenTree::Ident(name)) = tokens.get(next + 2) else { break };
                path.push(plain(name));
                next += 3;
            }
            if !is_part {
                let line = first.span().start().line;
                let is_called =
                    matches!(tokens.get(next), Some(TokenTree::Group(g)) if g.delimiter() == Delimiter::Parenthesis);
                if is(next, '!') && matches!(tokens.get(next + 1), Some(TokenTree::Group(_))) {
                    self.add_macro(path, line);
                } else if path.len() > 1 || is_called || path[0].starts_with(char::is_uppercase) {
                    self.add(path, line);
                }
            }
            at = next;
        }
    }

    /// `#[serde(with = "crate::numbers")]` names a module in a string.
    fn add_paths_in_strings(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.add_paths_in_strings(group.stream()),
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let path: Vec<String> = text.trim_matches('"').split("::").map(str::to_owned).collect();
                    let is_name =
                        |name: &String| !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
                    if text.starts_with('"') && path.iter().all(is_name) {
                        self.add(path, literal.span().start().line);
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }

    fn inside(&mut self, names: HashSet<String>, visit: impl FnOnce(&mut Self)) {
        self.locals.push(names);
        visit(self);
        self.locals.pop();
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_only_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, used: &'ast syn::ItemUse) {
        if used.leading_colon.is_none() {
            flatten(&used.tree, &mut Vec::new(), &mut |name, path, line| {
                self.found.imports.push(Import { name, path, line, is_public: false, is_local: true });
            });
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        let mut names = Bound::default();
        names.visit_signature(&function.sig);
        names.visit_block(&function.block);
        self.inside(names.0, |this| visit::visit_item_fn(this, function));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if is_only_for_tests(&function.attrs) {
            return;
        }
        let mut names = Bound::default();
        names.visit_signature(&function.sig);
        names.visit_block(&function.block);
        self.inside(names.0, |this| visit::visit_impl_item_fn(this, function));
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        let mut names = Bound::default();
        names.visit_trait_item_fn(function);
        self.inside(names.0, |this| visit::visit_trait_item_fn(this, function));
    }

    // `pub(in crate::x)` limits who may use an item; it uses nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let tokens = match &attribute.meta {
            syn::Meta::List(list) => list.tokens.clone(),
            syn::Meta::NameValue(_) | syn::Meta::Path(_) => return,
        };
        let is_known = ["allow", "cfg", "cfg_attr", "doc", "expect", "repr", "warn"];
        if !is_known.iter().any(|name| attribute.path().is_ident(name)) {
            self.add_tokens(tokens.clone());
            self.add_paths_in_strings(tokens);
        }
    }

    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        self.add_qualified(path.qself.as_ref(), &path.path);
    }

    fn visit_type_path(&mut self, path: &'ast syn::TypePath) {
        self.add_qualified(path.qself.as_ref(), &path.path);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add_path(path, path.segments.len());
    }

    // A constant in a pattern reads like a variable.
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        let name = plain(&pattern.ident);
        if name.starts_with(char::is_uppercase) {
            self.add(vec![name], pattern.ident.span().start().line);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        if called.path.leading_colon.is_none() {
            let path = called.path.segments.iter().map(|segment| plain(&segment.ident)).collect();
            self.add_macro(path, called.path.segments[0].ident.span().start().line);
        }
        self.add_tokens(called.tokens.clone());
    }
}

/// The names that a function binds anywhere inside it: parameters, variables, generic types and items.
#[derive(Default)]
struct Bound(HashSet<String>);

impl<'ast> Visit<'ast> for Bound {
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        // `None` and constants in patterns are names of items; variables begin with a small letter.
        let name = plain(&pattern.ident);
        if !name.starts_with(char::is_uppercase) {
            self.0.insert(name);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_type_param(&mut self, parameter: &'ast syn::TypeParam) {
        self.0.insert(plain(&parameter.ident));
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        let name = match item {
            syn::Item::Const(x) => &x.ident,
            syn::Item::Enum(x) => &x.ident,
            syn::Item::Fn(x) => &x.sig.ident,
            syn::Item::Static(x) => &x.ident,
            syn::Item::Struct(x) => &x.ident,
            syn::Item::Trait(x) => &x.ident,
            syn::Item::Type(x) => &x.ident,
            _ => return,
        };
        self.0.insert(plain(name));
    }
}
