//! The modules of a crate: what each declares, imports, exports and mentions.

use super::tokens::tokens;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module, in a file of its own or in that of its parent.
#[derive(Default)]
pub struct Module {
    pub file: PathBuf,
    pub parent: Option<usize>,
    pub children: BTreeMap<String, usize>,
    pub uses: Vec<Use>,
    /// Paths from `crate` or `super` outside `use` lines.
    pub paths: Vec<Vec<String>>,
    /// What it defines, as far as that can be read without expanding macros.
    pub items: BTreeSet<String>,
    /// Every name outside `use` lines.
    pub mentions: BTreeSet<String>,
}

/// One name of a `use` line.
pub struct Use {
    pub path: Vec<String>,
    /// The name that it gets here; none for `*`.
    pub name: Option<String>,
    /// `pub use`, `pub(crate) use`, ...
    pub exported: bool,
}

/// The modules of the crate whose root is `file`, the root first.
pub fn modules(file: &Path) -> Vec<Module> {
    let mut found = Vec::new();
    read(file, file.parent().unwrap(), None, &mut found);
    found
}

/// Adds the module in `file`, whose children lie in `folder`.
fn read(file: &Path, folder: &Path, parent: Option<usize>, found: &mut Vec<Module>) -> usize {
    let source = fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    parse(&tokens(&source), file, folder, parent, found)
}

fn parse(tokens: &[String], file: &Path, folder: &Path, parent: Option<usize>, found: &mut Vec<Module>) -> usize {
    let this = found.len();
    found.push(Module { file: file.to_path_buf(), parent, ..Module::default() });
    let (mut at, mut depth) = (0, 0usize);
    let token = |at: usize| tokens.get(at).map_or("", String::as_str);
    while at < tokens.len() {
        match token(at) {
            "mod" if token(at + 2) == ";" => {
                let name = token(at + 1);
                let (flat, nested) = (folder.join(format!("{name}.rs")), folder.join(name));
                let file = if flat.is_file() { flat } else { nested.join("mod.rs") };
                let child = read(&file, &nested, Some(this), found);
                found[this].children.insert(name.to_owned(), child);
                at += 3;
            }
            "mod" if token(at + 2) == "{" => {
                let end = closing(tokens, at + 2);
                let child = parse(&tokens[at + 3..end], file, &folder.join(token(at + 1)), Some(this), found);
                found[this].children.insert(token(at + 1).to_owned(), child);
                at = end + 1;
            }
            // Not the `use<'a>` of a return type.
            "use" if token(at + 1) != "<" => {
                let end = at + tokens[at..].iter().position(|t| t == ";").unwrap_or(tokens.len() - at);
                let exported = at > 0 && (token(at - 1) == "pub" || token(at - 1) == ")");
                names(&tokens[at + 1..end], &[], exported, &mut found[this].uses);
                at = end + 1;
            }
            // Not the `pub(in crate::...)` of a visibility, nor the `$crate` of a macro's text.
            "crate" | "super" if token(at + 1) == "::" && !["in", "$"].contains(&token(at.saturating_sub(1))) => {
                let path = path(&tokens[at..]);
                at += 2 * path.len() - 1;
                found[this].paths.push(path);
            }
            word => {
                match word {
                    "{" | "(" | "[" => depth += 1,
                    "}" | ")" | "]" => depth = depth.saturating_sub(1),
                    "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union" if depth == 0 => {
                        found[this].items.insert(token(at + 1).to_owned());
                    }
                    "macro_rules" => drop(found[this].items.insert(token(at + 2).to_owned())),
                    _ => {}
                }
                found[this].mentions.insert(word.to_owned());
                at += 1;
            }
        }
    }
    this
}

/// The path that begins these tokens.
fn path(tokens: &[String]) -> Vec<String> {
    let mut path = Vec::new();
    for pair in tokens.chunks(2).take_while(|pair| pair[0].starts_with(|c: char| c.is_alphabetic() || c == '_')) {
        path.push(pair[0].clone());
        if pair.get(1).is_none_or(|separator| separator != "::") {
            break;
        }
    }
    path
}

/// The place of the brace that closes the one at `open`.
fn closing(tokens: &[String], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        depth += i32::from(token == "{") - i32::from(token == "}");
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

/// The names that the tree of a `use` line brings, below `prefix`.
fn names(tree: &[String], prefix: &[String], exported: bool, found: &mut Vec<Use>) {
    let (mut path, mut at) = (prefix.to_vec(), 0);
    while at < tree.len() {
        match tree[at].as_str() {
            "{" => return branches(&tree[at + 1..closing(tree, at)], &path, exported, found),
            "*" => return found.push(Use { path, name: None, exported }),
            "as" => return found.push(Use { path, name: Some(tree[at + 1].clone()), exported }),
            // A path that begins with `::` names another crate.
            "::" if path.is_empty() => return,
            // So does one in a macro's text, `$crate::...`, for whoever calls it.
            "$" => return,
            "::" => {}
            segment => path.push(segment.to_owned()),
        }
        at += 1;
    }
    // `a::{self}` is `a`.
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    let name = path.last().cloned();
    found.push(Use { path, name, exported });
}

fn branches(list: &[String], prefix: &[String], exported: bool, found: &mut Vec<Use>) {
    let (mut begin, mut depth) = (0, 0);
    for at in 0..=list.len() {
        match list.get(at).map(String::as_str) {
            Some("{") => depth += 1,
            Some("}") => depth -= 1,
            Some(",") | None if depth == 0 => {
                if begin < at {
                    names(&list[begin..at], prefix, exported, found);
                }
                begin = at + 1;
            }
            _ => {}
        }
    }
}
