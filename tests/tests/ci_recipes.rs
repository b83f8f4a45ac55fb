//! `docs/ci.md` tells the truth: its recipes that need no container engine run here with the release binary, and the page
//! quotes them whole. The recipe in Rust is a test of the broker's crate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

use ottla_tests::client_program::build;
use ottla_tests::ottla::Ottla;
use ottla_tests::toolchain::Toolchain;
use ottla_tests::verdict::skips_fail;
use ottla_tests::workspace::{client_directory, root};

const QUOTED: [&str; 4] = ["with-broker", "orders_test.py", "Ottla.java", "library.rs"];

fn recipe(name: &str) -> PathBuf {
    root().join("docs/examples/ci").join(name)
}

/// A command that finds the `ottla` under test as it would find an installed one.
fn command(program: impl AsRef<Path>) -> Command {
    let binary = Ottla::find().unwrap().binary().to_owned();
    let mut path = binary.parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let mut command = Command::new(program.as_ref());
    command.env("PATH", path);
    command
}

fn check(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Whether the test has to be left out, which is told, and fails in CI.
fn lacks(toolchain: Toolchain) -> bool {
    let Some(missing) = toolchain.missing() else { return false };
    assert!(!skips_fail(), "{missing}");
    eprintln!("left out: {missing}");
    true
}

#[test]
fn the_page_quotes_the_recipes() {
    let page = std::fs::read_to_string(root().join("docs/ci.md")).unwrap();
    for name in QUOTED {
        let text = std::fs::read_to_string(recipe(name)).unwrap();
        assert!(page.contains(&format!("\n{text}```\n")), "docs/ci.md does not quote {name} as it is");
    }
}

#[test]
fn a_command_with_a_broker_around_it() {
    let said = check(command(recipe("with-broker")).args(["sh", "-c", "echo at $BOOTSTRAP"]));
    assert!(said.starts_with("at 127.0.0.1:"), "{said}");
    let failed = command(recipe("with-broker")).arg("false").status().unwrap();
    assert_eq!(failed.code(), Some(1), "the command's exit code is its own");
}

#[test]
fn a_python_test() {
    if lacks(Toolchain::Python) {
        return;
    }
    let client = client_directory("python-librdkafka");
    build(&client).unwrap();
    check(command(client.join(".venv/bin/python")).arg(recipe("orders_test.py")));
}

#[test]
fn a_java_test() {
    if lacks(Toolchain::Java) {
        return;
    }
    build(&client_directory("java-4.3.1")).unwrap();
    let classes = tempfile::tempdir().unwrap();
    let libraries = client_directory("java").join("target-4.3.1/lib/*").display().to_string();
    let mut compile = Command::new("javac");
    compile.args(["--release", "17", "-Xlint:all", "-Werror", "-cp", &libraries, "-d"]).arg(classes.path());
    check(compile.args(["Ottla.java", "OrdersTest.java"].map(recipe)));
    let path = format!("{}:{libraries}", classes.path().display());
    check(command("java").args(["-cp", &path, "OrdersTest"]));
}
