//! The rules of this repository that a program can check. Each rule is a function from a file to the sentences that
//! say what is wrong and what to do, with a test beside it that shows it can fail.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the functions around the tests fail as the tests do")]

mod documents;
mod files;
mod layers;
mod manifest;
mod places;
mod sizes;
mod words;

use files::{SourceFile, repository_files};

/// Applies a rule to every file of the repository and fails with all that it says.
fn check(rule: impl Fn(&SourceFile) -> Vec<String>) {
    let faults: Vec<String> = repository_files().iter().flat_map(rule).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn files_are_short() {
    check(sizes::long_file);
}

#[test]
fn functions_are_short() {
    check(sizes::long_functions);
}

#[test]
fn unsafe_stays_in_one_file() {
    check(words::unsafe_code);
}

#[test]
fn unfinished_code_is_not_kept() {
    check(words::unfinished);
}

#[test]
fn tests_do_not_sleep() {
    check(words::sleeps_in_tests);
}

#[test]
fn tests_are_not_switched_off() {
    check(words::ignored_tests);
}

#[test]
fn no_path_of_one_machine_is_named() {
    check(places::machine_paths);
}

#[test]
fn no_package_registry_is_named() {
    check(places::registry_hosts);
}

#[test]
fn every_crate_is_described() {
    check(documents::crate_without_description);
}

#[test]
fn every_document_has_one_title() {
    check(documents::titles);
}

#[test]
fn every_dependency_has_its_reason() {
    check(manifest::dependencies_without_reason);
}

#[test]
fn crates_depend_only_downwards() {
    let faults = layers::wrong_dependencies(&ottla_tests::workspace::cargo_metadata().unwrap());
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn pure_crates_build_without_a_runtime() {
    let faults: Vec<String> = layers::PURE_CRATES
        .into_iter()
        .flat_map(|name| layers::runtimes_in_tree(name, &layers::dependency_tree(name)))
        .collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}
