//! `docs/command-line.md` tells the truth: its examples run, from the first to the last, and print what it says they print.
//!
//! A block of `console` is what a person sees: lines that begin with `$ ` are commands, the others what they print. In these,
//! `…` stands for whatever is printed there.

use std::process::Command;

use ottla_tests::workspace::root;

use crate::scene::{Scene, ran};

struct Example {
    command: String,
    expected: Vec<String>,
}

fn read() -> Vec<Example> {
    let page = std::fs::read_to_string(root().join("docs/command-line.md")).unwrap();
    let mut examples: Vec<Example> = Vec::new();
    for block in page.split("```console\n").skip(1) {
        let (block, _) = block.split_once("```").unwrap();
        for line in block.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => {
                    examples.push(Example { command: command.to_owned(), expected: Vec::new() });
                }
                None => examples.last_mut().unwrap().expected.push(line.to_owned()),
            }
        }
    }
    examples
}

pub(crate) fn examples(scene: &Scene) {
    let mut broker = scene.broker("page.log");
    let directory = tempfile::tempdir().unwrap();
    let mut path = scene.binary.parent().unwrap().as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let examples = read();
    assert!(examples.len() > 10, "the page has {} examples", examples.len());
    for Example { command, expected } in examples {
        let mut shell = Command::new("timeout");
        shell.args(["--signal=KILL", "60", "sh", "-c", &command]).current_dir(directory.path());
        shell.env("PATH", &path).env("OTTLA_BOOTSTRAP", broker.address());
        let ran = ran(shell, b"");
        let said = String::from_utf8(ran.out).unwrap() + &ran.err;
        let said: Vec<&str> = said.lines().collect();
        let is_same = said.len() == expected.len()
            && said.iter().zip(&expected).all(|(said, expected)| matches(said, expected));
        assert!(
            is_same,
            "$ {command}\nprints\n{}\nand the page says\n{}",
            said.join("\n"),
            expected.join("\n")
        );
    }
    broker.stop().unwrap();
}

/// Whether a line is what the page says.
fn matches(said: &str, expected: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut rest) = said.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut last = "";
    let is_open = expected.contains('…');
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = part;
    }
    rest.is_empty() || is_open && last.is_empty()
}
