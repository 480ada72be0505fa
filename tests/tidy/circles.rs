//! No two files of a crate import each other, directly or through others: files can be read in an order.
//!
//! A file imports another one if a path in it leads there: `crate::…`, `super::…`, `self::…`, or a module that the file
//! declares. The declaration `mod x;` itself imports nothing, and neither do comments, text and tests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::tree;

static USES: LazyLock<Regex> = LazyLock::new(|| pattern(r"\buse\s+([^;]+);"));
static QUALIFIED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|[^\w:])((?:crate|super|self)(?:\s*::\s*\w+)+)"));
static DECLARED: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bmod\s+(\w+)\s*;"));
static HEADS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|[^\w:])([a-z_]\w*)\s*::"));
static TESTS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\n#\[cfg\(test\)\]\n(?:pub\(crate\) )?mod tests \{"));
static NOT_CODE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r##"(?s)//[^\n]*|/\*.*?\*/|r#".*?"#|r"[^"]*"|"(?:\\.|[^"\\])*"|'(?:\\[^']+|[^'\\])'|pub\((?:in )?[\w:]+\)"##,
    )
});

/// Imports by file: both by module path (`rules::trace`), the root of the crate as `lib`.
type Imports = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_files_of_a_crate_import_each_other() {
    let mut found = BTreeSet::new();
    for (name, files) in crates() {
        found.extend(circles(&imports(&files)).into_iter().map(|circle| format!("{name}: {}", circle.join(" "))));
    }
    let found = found.into_iter().collect::<Vec<_>>().join("\n");
    assert!(found.is_empty(), "these files import each other:\n{found}");
}

#[test]
fn every_way_to_name_another_file_is_an_import() {
    let found = |text: &str| {
        let files = [("lib", "pub mod a;\npub mod b;"), ("a", "mod one;\nmod two;"), ("a::two", ""), ("b", "")];
        let mut files: BTreeMap<String, String> = files.map(|(file, text)| (file.into(), text.into())).into();
        files.insert("a::one".into(), text.into());
        imports(&files)["a::one"].iter().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found("use crate::b::B;"), "b");
    assert_eq!(found("pub(crate) use crate::{a::two, b::{self, B}};"), "a::two b");
    assert_eq!(found("use super::two::Two as Other;"), "a::two");
    assert_eq!(found("use super::A;"), "a");
    assert_eq!(found("use super::super::b;"), "b");
    assert_eq!(found("fn f() -> crate::Root { super::two::two() }"), "a::two lib");
    assert_eq!(found("/// [`crate::b`] \"quoted\"\nfn f(c: char) -> bool { c == '\"' } // crate::b"), "");
    assert_eq!(found("const LINK: &str = \"//crate::b\"; use super::two;"), "a::two");
    assert_eq!(found("pub(in crate::b) fn f() {}\npub(super) fn g() {}"), "");
    assert_eq!(found("fn f() {}\n#[cfg(test)]\nmod tests { use crate::b; }"), "");
}

#[test]
fn a_circle_is_found_however_long_it_is() {
    let files = [
        ("lib", "pub mod a; pub mod b; pub mod c; pub mod d;"),
        ("a", "use crate::b;"),
        ("b", "use crate::c;"),
        ("c", "mod below; pub fn c() { below::f() }"),
        ("c::below", "use crate::a;"),
        ("d", "use crate::a;"),
    ];
    let files = files.map(|(file, text)| (file.to_owned(), text.to_owned())).into();
    let circle = ["a", "b", "c", "c::below"].map(str::to_owned).to_vec();
    assert_eq!(circles(&imports(&files)), BTreeSet::from([circle]));
}

/// Files of every crate that holds product code, by module path.
fn crates() -> BTreeMap<String, BTreeMap<String, String>> {
    let mut crates: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (path, text) in tree::texts() {
        let Some((name, file)) = path.split_once("/src/") else { continue };
        let Some(file) = file.strip_suffix(".rs") else { continue };
        let is_product = ["shared/", "functions/", "infra/"].iter().any(|folder| name.starts_with(folder));
        let module = file.strip_suffix("/mod").unwrap_or(file).replace('/', "::");
        if is_product && module != "main" && !module.split("::").any(|part| part.ends_with("tests")) {
            crates.entry(name.to_owned()).or_default().insert(module, text);
        }
    }
    crates
}

fn imports(files: &BTreeMap<String, String>) -> Imports {
    files.iter().map(|(module, text)| (module.clone(), imported(module, text, files))).collect()
}

/// The files that the file `module` imports.
fn imported(module: &str, text: &str, files: &BTreeMap<String, String>) -> BTreeSet<String> {
    let code = code(text);
    let mut paths: Vec<String> = USES.captures_iter(&code).flat_map(|found| leaves("", &found[1])).collect();
    let rest = USES.replace_all(&code, "");
    paths.extend(QUALIFIED.captures_iter(&rest).map(|found| found[1].split_whitespace().collect()));
    let declared: BTreeSet<&str> =
        DECLARED.captures_iter(&rest).filter_map(|found| found.get(1)).map(|name| name.as_str()).collect();
    let heads = HEADS.captures_iter(&rest).map(|found| found[1].to_owned());
    paths.extend(heads.filter(|head| declared.contains(head.as_str())));
    let resolved = paths.iter().filter_map(|path| file_of(path, module, files));
    resolved.filter(|file| file != module).collect()
}

/// Without comments, text, visibilities and the tests at its end.
fn code(text: &str) -> String {
    let text = TESTS.find(text).map_or(text, |tests| &text[..tests.start()]);
    NOT_CODE.replace_all(text, "").into_owned()
}

/// The paths of a tree: `a::{b, c::{self, D as E}}` → `a::b`, `a::c::self`, `a::c::D`.
fn leaves(prefix: &str, tree: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for branch in branches(tree) {
        let joined = |end: &str| format!("{prefix}{}", end.split_whitespace().collect::<String>());
        match branch.split_once('{') {
            Some((path, below)) => {
                let below = below.trim_end().strip_suffix('}').unwrap_or(below);
                paths.extend(leaves(&joined(path), below));
            }
            None => paths.push(joined(branch.split(" as ").next().unwrap_or_default())),
        }
    }
    paths
}

/// Splits at the commas that stand in no inner braces.
fn branches(tree: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, letter) in tree.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&tree[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&tree[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The file that a path in `module` leads to: the longest module that the path begins with.
fn file_of(path: &str, module: &str, files: &BTreeMap<String, String>) -> Option<String> {
    let mut at: Vec<&str> = module.split("::").filter(|part| *part != "lib").collect();
    let mut parts = path.split("::").peekable();
    match *parts.peek()? {
        "crate" => at.clear(),
        "self" | "super" => {}
        first => {
            at.push(first);
            files.get(&at.join("::"))?;
            at.pop();
        }
    }
    for part in parts {
        match part {
            "crate" | "self" => {}
            "super" => drop(at.pop()),
            name => at.push(name),
        }
    }
    let known = (1..=at.len()).rev().map(|length| at[..length].join("::")).find(|file| files.contains_key(file));
    Some(known.unwrap_or_else(|| "lib".to_owned()))
}

/// The largest groups of files in which every file reaches every other one.
fn circles(imports: &Imports) -> BTreeSet<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        imports.keys().map(|file| (file, reach(file, imports))).collect();
    let circle = |file: &String| -> Vec<String> {
        reached[file].iter().filter(|other| reached[**other].contains(file)).map(|other| (*other).clone()).collect()
    };
    imports.keys().map(circle).filter(|files| !files.is_empty()).collect()
}

/// The files that `file` imports, directly or through others; itself if it is in a circle.
fn reach<'a>(file: &String, imports: &'a Imports) -> BTreeSet<&'a String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&String> = imports[file].iter().collect();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(imports.get(next).into_iter().flatten());
        }
    }
    found
}

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid pattern")
}
