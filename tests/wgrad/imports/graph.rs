//! Which file imports which, and the circles among them.

use super::modules::{Module, Use, modules};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Where a path leads: to a module, or to an item in the file of one.
#[derive(Clone, Copy)]
enum Target {
    Module(usize),
    Item(usize),
}

struct Crate {
    modules: Vec<Module>,
}

impl Crate {
    /// What `name` is in the module `at`; `seen` are the modules on the way, for globs lead in circles too.
    fn lookup(&self, at: usize, name: &str, seen: &mut Vec<(usize, String)>) -> Option<Target> {
        if seen.iter().any(|(module, known)| *module == at && known == name) {
            return None;
        }
        seen.push((at, name.to_owned()));
        let module = &self.modules[at];
        if let Some(&child) = module.children.get(name) {
            return Some(Target::Module(child));
        }
        if module.items.contains(name) {
            return Some(Target::Item(at));
        }
        if let Some(found) = module.uses.iter().find(|u| u.name.as_deref() == Some(name)) {
            return self.resolve(at, &found.path, seen);
        }
        let globs = module.uses.iter().filter(|u| u.name.is_none());
        let targets = globs.filter_map(|u| match self.resolve(at, &u.path, seen)? {
            Target::Module(module) => Some(module),
            Target::Item(_) => None,
        });
        let targets: Vec<usize> = targets.collect();
        if let Some(found) = targets.iter().find_map(|&module| self.lookup(module, name, seen)) {
            return Some(found);
        }
        // What a macro defines is at least mentioned where the macro is called.
        module.mentions.contains(name).then_some(Target::Item(at))
    }

    /// Where a path in the module `at` leads; none for a path into another crate.
    fn resolve(&self, at: usize, path: &[String], seen: &mut Vec<(usize, String)>) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let mut found = match first.as_str() {
            "crate" => Target::Module(0),
            "self" => Target::Module(at),
            "super" => Target::Module(self.modules[at].parent?),
            name => self.lookup(at, name, seen)?,
        };
        for segment in rest {
            let Target::Module(module) = found else { break };
            found = match segment.as_str() {
                "super" => Target::Module(self.modules[module].parent?),
                name => self.lookup(module, name, seen).unwrap_or(Target::Item(module)),
            };
        }
        Some(found)
    }

    /// Each import: from which file, to which.
    fn imports(&self) -> Vec<(&Path, &Path)> {
        let mut found = Vec::new();
        for (at, module) in self.modules.iter().enumerate() {
            let is_export = |u: &Use| u.exported && u.name.as_ref().is_none_or(|name| !module.mentions.contains(name));
            let imported = module.uses.iter().filter(|u| !is_export(u)).map(|u| &u.path);
            for path in imported.chain(&module.paths) {
                if let Some(Target::Module(to) | Target::Item(to)) = self.resolve(at, path, &mut Vec::new()) {
                    found.push((&*module.file, &*self.modules[to].file));
                }
            }
        }
        found
    }
}

/// Each import of a crate, from which file to which, relative to the folder of its root.
pub fn imports(root: &Path) -> Vec<[PathBuf; 2]> {
    let whole = Crate { modules: modules(root) };
    let relative = |file: &Path| file.strip_prefix(root.parent().unwrap()).unwrap().to_path_buf();
    whole.imports().into_iter().map(|(from, to)| [relative(from), relative(to)]).collect()
}

/// Files that import one another, directly or round about: each group once, with the imports among them.
pub fn circles(root: &Path) -> Vec<Circle> {
    let whole = Crate { modules: modules(root) };
    let mut edges: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
    for (from, to) in whole.imports() {
        if from != to {
            edges.entry(from).or_default().insert(to);
        }
    }
    let reached: BTreeMap<&Path, BTreeSet<&Path>> = edges.keys().map(|&file| (file, reachable(file, &edges))).collect();
    let mut groups: BTreeSet<Vec<&Path>> = BTreeSet::new();
    for (&file, seen) in &reached {
        let group: Vec<&Path> = seen.iter().copied().filter(|other| reached.get(other).is_some_and(|s| s.contains(file))).collect();
        if group.len() > 1 {
            groups.insert(group);
        }
    }
    let inside = |group: &[&Path]| {
        let all = group.iter().flat_map(|&from| edges[from].iter().map(move |&to| (from, to)));
        all.filter(|(_, to)| group.contains(to)).map(|(from, to)| (from.to_path_buf(), to.to_path_buf())).collect()
    };
    groups.iter().map(|group| Circle { files: group.iter().map(|f| f.to_path_buf()).collect(), imports: inside(group) }).collect()
}

/// Files that cannot be read one without the other.
pub struct Circle {
    pub files: Vec<PathBuf>,
    pub imports: Vec<(PathBuf, PathBuf)>,
}

fn reachable<'a>(from: &Path, edges: &BTreeMap<&'a Path, BTreeSet<&'a Path>>) -> BTreeSet<&'a Path> {
    let (mut seen, mut todo) = (BTreeSet::new(), vec![from]);
    while let Some(file) = todo.pop() {
        for &next in edges.get(file).into_iter().flatten() {
            if seen.insert(next) {
                todo.push(next);
            }
        }
    }
    seen
}
