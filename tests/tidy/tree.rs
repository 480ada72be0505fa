//! The files of the project.

use std::fs;
use std::path::{Path, PathBuf};

/// Made by tools; not ours.
const NOT_OURS: [&str; 5] = [".git", ".aws-sam", ".larkspur", "node_modules", "target"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the crate lies in the project")
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Names of the folders in `path`, sorted.
pub(crate) fn folders(path: &str) -> Vec<String> {
    let mut names: Vec<String> = entries(&root().join(path))
        .into_iter()
        .filter(|entry| entry.is_dir())
        .map(|entry| entry.file_name().expect("an entry has a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Every text file of the project, by its path from the root.
pub(crate) fn texts() -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(folder) = open.pop() {
        for entry in entries(&folder) {
            let name = entry.file_name().expect("an entry has a name").to_string_lossy().into_owned();
            if NOT_OURS.contains(&name.as_str()) {
                continue;
            }
            if entry.is_dir() {
                open.push(entry);
            } else if let Ok(text) = fs::read_to_string(&entry) {
                let path = entry.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("a readable entry").path()).collect()
}
