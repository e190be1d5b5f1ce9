//! The house as it was drawn: who may depend on whom, and what may stand where.
#![allow(clippy::unwrap_used)]

mod adapters;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What each crate may depend on within the house; an adapter for a vendor may use `adapter` and `domain`.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("store", &["domain"]),
    ("video", &["domain"]),
    ("vision", &["domain"]),
    ("host", &["domain"]),
    ("adapter", &["domain"]),
    ("console", &["adapter", "domain"]),
    ("testkit", &["domain"]),
];
/// Where no vendor is known.
const BELOW_THE_ADAPTERS: [&str; 6] = ["domain", "store", "video", "vision", "host", "adapter"];
const VENDORS: [&str; 10] =
    ["sensetime", "sensenebula", "uniview", "unv", "facebox", "sophon", "sensedlc", "hikvision", "dahua", "megvii"];
/// The layers of `domain` above its types, each resting on those before it.
const LAYERS: [&str; 5] = ["rules", "ports", "gallery", "surveillance", "appliance"];
/// The one module with unsafe code: vector instructions.
const UNSAFE: &str = "crates/domain/src/gallery/kernel";
/// The longest file, tests included.
const LONGEST_FILE: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The packages of the workspace as cargo sees them.
fn packages() -> Vec<Value> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(root());
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn name(value: &Value) -> String {
    value["name"].as_str().unwrap().to_owned()
}

/// For each package, the packages of the house it depends on: to be built, and only in its tests.
fn dependencies() -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let packages = packages();
    let house: BTreeSet<_> = packages.iter().map(name).collect();
    let of = |package: &Value| {
        let inner = package["dependencies"].as_array().unwrap().iter().filter(|d| house.contains(&name(d)));
        let (tests, built): (Vec<_>, Vec<_>) = inner.partition(|d| d["kind"] == "dev");
        (built.into_iter().map(name).collect(), tests.into_iter().map(name).collect())
    };
    packages.iter().map(|package| (name(package), of(package))).collect()
}

#[test]
fn every_arrow_points_down() {
    for (package, (built, _)) in dependencies() {
        let allowed = match ARROWS.iter().find(|(name, _)| *name == package) {
            Some((_, allowed)) => *allowed,
            None if package.starts_with("adapter-") => &["adapter", "domain"],
            None if package == "daemon" || package == "polyface-tests" => continue,
            None => panic!("{package} has no place in the house"),
        };
        let strange: Vec<_> = built.iter().filter(|name| !allowed.contains(&name.as_str())).collect();
        assert!(strange.is_empty(), "{package} must not depend on {strange:?}");
    }
}

#[test]
fn the_fakes_are_for_tests_and_nobody_needs_the_daemon() {
    for (package, (built, tests)) in dependencies() {
        if package != "polyface-tests" {
            assert!(!built.contains("testkit"), "{package} is built with testkit");
        }
        assert!(!built.contains("daemon") && !tests.contains("daemon"), "{package} depends on the daemon");
        let other = |name: &&String| name.starts_with("adapter-");
        let adapters: Vec<_> = tests.iter().filter(other).collect();
        assert!(adapters.is_empty() || !package.starts_with("adapter"), "{package} tests with {adapters:?}");
    }
}

#[test]
fn every_crate_is_named_like_its_folder() {
    for package in packages().iter().filter(|package| name(package) != "polyface-tests") {
        let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
        assert_eq!(manifest.parent().unwrap(), root().join("crates").join(name(package)));
    }
}

#[test]
fn every_crate_keeps_the_house_rules() {
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""));
    for package in packages() {
        let manifest = std::fs::read_to_string(package["manifest_path"].as_str().unwrap()).unwrap();
        if name(&package) == "domain" {
            // What is forbidden cannot be allowed anywhere: there it is denied, and all else is the same.
            let lints = section(&workspace, "[workspace.lints.rust]", "\n[profile");
            let own = lints.replace("[workspace.lints.", "[lints.").replace("\"forbid\"", "\"deny\"");
            assert!(manifest.contains(own.trim_end()), "the lints of domain are not those of the workspace");
        } else {
            assert!(manifest.contains("[lints]\nworkspace = true"), "{} sets its own lints", name(&package));
        }
    }
}

/// The part of a text from `from` until before `to`.
fn section<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let start = text.find(from).unwrap();
    let length = text[start..].find(to).unwrap();
    &text[start..start + length]
}

/// Source files below a folder of the repository, with their paths in it.
fn sources(folder: &str, found: &mut Vec<(String, String)>) {
    let Ok(entries) = std::fs::read_dir(root().join(folder)) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            if !matches!(path.rsplit('/').next(), Some("target" | "cache")) {
                sources(&path, found);
            }
        } else if path.ends_with(".rs") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            found.push((path, text));
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    sources("crates", &mut found);
    sources("tests", &mut found);
    assert!(found.len() > 50, "the sources are not where they are looked for");
    found
}

#[test]
fn no_vendor_is_known_below_the_adapters() {
    let mut found = Vec::new();
    BELOW_THE_ADAPTERS.iter().for_each(|package| sources(&format!("crates/{package}/src"), &mut found));
    for (path, text) in found {
        let words = text.to_lowercase();
        let mut words = words.split(|c: char| !c.is_alphanumeric());
        let vendor = words.find(|word| VENDORS.iter().any(|vendor| word.starts_with(vendor)));
        assert_eq!(vendor, None, "{path} names a vendor");
    }
}

/// The position of a module of `domain` among its layers; 0 for types.
fn layer(module: &str) -> usize {
    LAYERS.iter().position(|layer| *layer == module).map_or(0, |position| position + 1)
}

/// The text without its comments.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The parts of a list in braces, which `text` begins with; or else the path that it begins with.
fn listed(text: &str) -> Vec<&str> {
    let Some(list) = text.strip_prefix('{') else {
        let end = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | ':'));
        return vec![&text[..end.unwrap_or(text.len())]];
    };
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (place, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                parts.push(list[start..place].trim());
                start = place + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    parts
}

/// The module of `domain` that each name in its root comes from.
fn roots(library: &str) -> BTreeMap<String, String> {
    let uses = library.split(" use ").skip(1).filter_map(|text| text.split_once("::"));
    let names = |(module, names): (&str, &str)| {
        let of = |name: &str| (name.to_owned(), module.to_owned());
        listed(names).into_iter().map(of).collect::<Vec<_>>()
    };
    uses.flat_map(names).collect()
}

/// The first names of all paths from the root of the crate.
fn used(code: &str) -> BTreeSet<&str> {
    let paths = code.split("crate::").skip(1).flat_map(listed);
    paths.filter_map(|path| path.split("::").next()).filter(|name| !name.is_empty()).collect()
}

#[test]
fn domain_is_built_in_layers() {
    let mut files = Vec::new();
    sources("crates/domain/src", &mut files);
    let library = &files.iter().find(|(path, _)| path.ends_with("/lib.rs")).unwrap().1;
    let roots = roots(&code(library));
    assert_eq!(roots["Appliance"], "appliance", "the root is not understood");
    for (path, text) in files.iter().filter(|(path, _)| !path.ends_with("/lib.rs")) {
        let module = path.trim_start_matches("crates/domain/src/").split(['/', '.']).next().unwrap();
        for name in used(&code(text)) {
            let source = roots.get(name).map_or(name, String::as_str);
            assert!(layer(source) <= layer(module), "{path} uses {name} of {source}, which rests on {module}");
            assert!(module != "surveillance" || source == name, "{path} imports {name} without its module");
        }
    }
}

#[test]
fn sql_is_spoken_in_the_store_only() {
    const WORDS: [&str; 6] = ["rusqlite", "insert into", "select *", "delete from", "create table", "pragma "];
    for (path, text) in all_sources() {
        let elsewhere = !path.starts_with("crates/store/") && !path.starts_with("tests/tests/architecture/");
        let text = text.to_lowercase();
        let spoken = WORDS.iter().find(|word| elsewhere && text.contains(**word));
        assert_eq!(spoken, None, "{path} speaks SQL");
    }
}

#[test]
fn the_core_knows_no_wire_form() {
    let mut found = Vec::new();
    sources("crates/domain/src", &mut found);
    // Settings, and what another version of the program reads about its upgrade.
    const KEPT: [&str; 2] = ["crates/domain/src/settings", "crates/domain/src/appliance/upgrades/ledger.rs"];
    for (path, text) in found.iter().filter(|(path, _)| !KEPT.iter().any(|kept| path.starts_with(kept))) {
        assert!(!text.contains("serde_json"), "{path} writes or reads JSON: only {KEPT:?} are kept in it");
    }
}

#[test]
fn files_are_short() {
    let long: Vec<_> = all_sources()
        .into_iter()
        .map(|(path, text)| (text.lines().count(), path))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn no_file_allows_unsafe_code_or_leaves_work_undone() {
    for (path, text) in all_sources().into_iter().filter(|(path, _)| !path.starts_with("tests/tests/architecture/")) {
        let unsafe_words: &[&str] =
            if path.starts_with(UNSAFE) { &[] } else { &["allow(unsafe_code", "unsafe {", "unsafe fn"] };
        for word in unsafe_words.iter().chain(&["todo!(", "unimplemented!("]) {
            assert!(!text.contains(word), "{path} has {word}");
        }
    }
}
