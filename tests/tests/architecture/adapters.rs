//! The shape that all adapters have.

use std::collections::{BTreeMap, BTreeSet};

use super::{code, listed, name, packages, root, sources};

/// Whether the adapter's document has anything that the device tells of its own accord.
fn pushes(adapter: &str) -> bool {
    let catalogue = match adapter.trim_start_matches("adapter-") {
        "terminal" => "mqtt_terminal",
        name => name,
    };
    let text = std::fs::read_to_string(root().join(format!("tests/contracts/{catalogue}.yaml"))).unwrap();
    !text.contains("\nevents: []")
}

#[test]
fn every_adapter_has_the_same_files() {
    let adapters = packages().iter().map(name).filter(|name| name.starts_with("adapter-")).collect::<Vec<_>>();
    assert!(!adapters.is_empty());
    for adapter in adapters {
        let there = |file: &str| root().join("crates").join(&adapter).join(file).exists();
        for file in ["src/lib.rs", "src/wire", "src/convert", "src/codes.rs", "src/ops"] {
            assert!(there(file) || there(&format!("{file}.rs")), "{adapter} has no {file}");
        }
        assert!(there("src/push.rs") || there("src/push") || !pushes(&adapter), "{adapter} has no src/push");
        assert!(there("tests/contract.rs") || there("tests/contract/main.rs"), "{adapter} has no contract test");
    }
}

/// The layers of an adapter, each with those that it may use.
const LAYERS: &[(&str, &[&str])] = &[
    ("lib", &["serve", "ops", "push", "work", "request", "device", "settings", "convert", "wire", "codes"]),
    ("serve", &["ops", "request", "device", "convert", "wire", "codes"]),
    ("ops", &["work", "push", "request", "device", "settings", "convert", "wire", "codes"]),
    ("push", &["work", "device", "settings", "convert", "wire", "codes"]),
    ("work", &["device", "settings", "convert", "wire", "codes"]),
    ("request", &["device", "convert", "wire", "codes"]),
    ("device", &["settings", "convert", "wire", "codes"]),
    ("settings", &["convert", "wire", "codes"]),
    ("convert", &["wire", "codes"]),
    ("wire", &["codes"]),
    ("codes", &[]),
];
/// The adapters that are built like this.
const LAYERED: [&str; 5] =
    ["adapter-facebox", "adapter-sensetime", "adapter-sophon", "adapter-terminal", "adapter-uniview"];

/// The modules of an adapter by their paths, such as `push::broker`, with their code. Tests in them may use anything and
/// are left out.
fn modules(adapter: &str) -> BTreeMap<String, String> {
    let mut found = Vec::new();
    sources(&format!("crates/{adapter}/src"), &mut found);
    let module = |(path, text): (String, String)| {
        let inside = path.split_once("/src/").unwrap().1.trim_end_matches(".rs");
        let module = inside.strip_suffix("/mod").unwrap_or(inside).replace('/', "::");
        (module, code(text.split("#[cfg(test)]").next().unwrap()))
    };
    found.into_iter().map(module).collect()
}

/// The paths that `text` begins with, lists in braces written out.
fn expanded(text: &str) -> Vec<String> {
    if text.starts_with('{') {
        return listed(text).into_iter().flat_map(expanded).collect();
    }
    let path = listed(text)[0];
    match text[path.len()..].starts_with('{') {
        true => expanded(&text[path.len()..]).into_iter().map(|end| format!("{path}{end}")).collect(),
        false => vec![path.to_owned()],
    }
}

/// All paths in the code that begin with one of `crate`, `super` and `self`, from the root of the crate.
fn paths(module: &str, code: &str) -> Vec<String> {
    let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
    let from = |start: &str, base: &str| {
        let paths = code.split(start).skip(1).flat_map(expanded);
        paths.map(|path| if base.is_empty() { path } else { format!("{base}::{path}") }).collect::<Vec<_>>()
    };
    [from("crate::", ""), from("super::", parent), from("self::", module)].concat()
}

/// The other modules that a module uses.
fn uses(module: &str, code: &str, modules: &BTreeMap<String, String>) -> BTreeSet<String> {
    let within = |path: &str, module: &str| path == module || path.starts_with(&format!("{module}::"));
    let innermost = |path: String| modules.keys().filter(|module| within(&path, module)).max_by_key(|m| m.len());
    let mut used: BTreeSet<_> = paths(module, code).into_iter().filter_map(innermost).cloned().collect();
    // A module names those below it without a prefix.
    let is_start = |before: &str| !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':'));
    let named = |inner: &str| code.match_indices(&format!("{inner}::")).any(|(place, _)| is_start(&code[..place]));
    let below =
        modules.keys().filter(|other| other.rsplit_once("::").is_some_and(|(p, inner)| p == module && named(inner)));
    used.extend(below.cloned());
    used.remove(module);
    used
}

#[test]
fn layers_of_adapters_use_only_what_is_below_them() {
    for adapter in LAYERED {
        for (module, code) in modules(adapter) {
            let layer = module.split("::").next().unwrap();
            let Some((_, below)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
                panic!("{module} of {adapter} is in no layer");
            };
            for path in paths(&module, &code) {
                // What is in the root of the crate is for other crates: the layers name the module.
                let used = path.split("::").next().unwrap();
                let allowed = used == layer || below.contains(&used) || used.is_empty();
                assert!(allowed, "{module} of {adapter} uses {path}, which is not below {layer}");
            }
        }
    }
}

#[test]
fn no_modules_of_an_adapter_use_each_other_in_a_circle() {
    for adapter in LAYERED {
        let modules = modules(adapter);
        let used = |(module, code): (&String, &String)| (module.clone(), uses(module, code, &modules));
        let mut open: BTreeMap<_, _> = modules.iter().map(used).collect();
        // Without a circle there is always one that uses none of the others.
        while let Some(free) = open.iter().find(|(_, used)| used.iter().all(|module| !open.contains_key(module))) {
            let free = free.0.clone();
            open.remove(&free);
        }
        assert!(open.is_empty(), "{adapter} has circles among {open:#?}");
    }
}
