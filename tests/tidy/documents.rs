//! Commands in the READMEs that no test can run, because they need an AWS account or the package index: what they name
//! exists. `tests/scenarios/readme.rs` runs all others.

use std::path::Path;
use std::process::Command;

use regex::Regex;

use crate::tree;
use crate::yaml::load;

const DOCUMENTS: [&str; 3] = ["README.md", "infra/README.md", "shared/intake/README.md"];

// Proves: finding E7
#[test]
fn every_shell_block_of_the_readmes_can_be_read_by_a_shell() {
    for document in DOCUMENTS {
        for block in shell_blocks(document) {
            let read = Command::new("bash").args(["-n", "-c", &block]).output().expect("bash runs");
            assert!(read.status.success(), "{document}:\n{block}\n{}", String::from_utf8_lossy(&read.stderr));
        }
    }
}

#[test]
fn every_file_that_a_document_names_exists() {
    let link = Regex::new(r"\]\(([^)#\s]+)").expect("valid");
    let code = Regex::new(r"`((?:functions|shared|infra|tests)/[A-Za-z0-9_./-]+)`").expect("valid");
    for (document, text) in tree::texts().into_iter().filter(|(path, _)| path.ends_with(".md")) {
        let folder = Path::new(&document).parent().unwrap_or(Path::new("")).to_owned();
        // Some documents are read by rustdoc, which resolves links to items.
        let links = link.captures_iter(&text).map(|found| found[1].to_owned());
        let links = links.filter(|link| !link.contains("://") && !link.contains("::"));
        let named = code.captures_iter(&text).map(|found| Path::new(&found[1]).to_owned());
        for path in links.map(|link| folder.join(link)).chain(named) {
            assert!(tree::root().join(&path).exists(), "{document} names {}, which is not there", path.display());
        }
    }
}

// Proves: finding E7
#[test]
fn what_the_readmes_name_of_the_template_exists() {
    let template = load("template.yaml");
    let of = |part: &str, name: &str| !template[part][name].is_null();
    let parameters = Regex::new(r"\b([A-Z][A-Za-z0-9]+)=").expect("valid");
    let outputs = Regex::new(r"(?:OutputKey==['`\x22]|output `)([A-Za-z0-9]+)").expect("valid");
    for document in DOCUMENTS {
        let text = tree::read(document);
        for block in shell_blocks(document).iter().filter(|block| block.contains("--parameter-overrides")) {
            for name in parameters.captures_iter(block).map(|found| found[1].to_owned()) {
                assert!(of("Parameters", &name), "{document} sets the parameter {name}, which template.yaml has not");
            }
        }
        for name in outputs.captures_iter(&text).map(|found| found[1].to_owned()) {
            assert!(of("Outputs", &name), "{document} names the output {name}, which template.yaml has not");
        }
    }
}

#[test]
fn infra_readme_has_only_commands_that_need_an_account() {
    for block in shell_blocks("infra/README.md") {
        for command in block.lines().filter(|line| line.starts_with(char::is_alphabetic)) {
            let known = ["sam ", "aws "].iter().any(|program| command.starts_with(program));
            assert!(known, "infra/README.md has a command that a test should run: {command}");
        }
    }
}

// Proves: finding E7
#[test]
fn the_packages_that_the_readme_says_to_install_are_those_of_the_tests() {
    let readme = tree::read("README.md");
    let packages = tree::read("tests/tools/requirements-test.txt") + &tree::read("tests/tools/requirements-deploy.txt");
    let installs = Regex::new(r"pip install ([a-z0-9 -]+)").expect("valid");
    let named: Vec<String> = installs
        .captures_iter(&readme)
        .flat_map(|found| found[1].split(' ').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert!(named.iter().any(|name| name == "aiosmtpd") && named.iter().any(|name| name == "aws-sam-cli"), "{named:?}");
    for name in named.iter().filter(|name| !name.is_empty()) {
        assert!(packages.lines().any(|line| line.starts_with(&format!("{name}=="))), "no test installs {name}");
    }
    let server = tree::read("tests/tools/smtp_server.py");
    assert!(server.contains("\"--port\"") && server.contains("\"--print\""));
}

/// A filter that names no test selects nothing, and says nothing.
#[test]
fn every_test_that_the_runner_s_profiles_name_exists() {
    let named = Regex::new(r"test\(([a-z0-9_:]+)\)").expect("valid");
    let files = tree::texts();
    let modules = |name: &str| files.iter().any(|(path, _)| path.ends_with(&format!("/{name}.rs")));
    let functions = |name: &str| {
        let function = Regex::new(&format!(r"fn [a-z0-9_]*{name}[a-z0-9_]*\(")).expect("valid");
        files.iter().any(|(path, text)| path.ends_with(".rs") && function.is_match(text))
    };
    for found in named.captures_iter(&tree::read(".config/nextest.toml")) {
        let name = &found[1];
        assert!(name.split("::").all(|part| modules(part) || functions(part)), "no test is called {name}");
    }
}

fn shell_blocks(document: &str) -> Vec<String> {
    let text = tree::read(document);
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            let inside: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
            if language == "sh" {
                blocks.push(inside.join("\n"));
            }
        }
    }
    blocks
}
