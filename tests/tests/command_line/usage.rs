//! Arguments, manual pages and completions.

use std::process::Command;

use crate::scene::{Scene, text};

/// The exit code of a command whose arguments are wrong.
const USAGE: i32 = 2;

pub(crate) fn bad_arguments(scene: &Scene) {
    let (_directory, path) = Scene::file(b"");
    for (arguments, complaint) in [
        (&["topics"][..], "a similar subcommand exists: 'topic'"),
        (&["topic", "create"], "<TOPIC>"),
        (&["topic", "create", "t", "-p", "0"], "0 is not in 1.."),
        (&["topic", "create", "t", "-c", "retention"], "it must be KEY=VALUE"),
        (&["topic", "alter", "t"], "--partitions"),
        (&["produce", "t", "-D", ""], "it must not be empty"),
        (&["produce", "t", "-D", "\\q"], "\\q is no escape"),
        (&["produce", "t", "-z", "brotli"], "gzip, snappy, lz4, zstd"),
        (&["produce", "t", "-a", "2"], "all, 1, 0"),
        (&["produce", "t", "--whole-files", "-K", ":", text(&path)], "cannot be used with"),
        (&["consume", "t", "-f", "%x"], "%x stands for nothing"),
        (&["consume", "t", "-o", "soon"], "it is beginning, end, stored"),
        (&["consume", "t", "-p", "-1"], "-1"),
        (&["consume", "t", "-p", "1", "-G", "g"], "cannot be used with"),
        (&["config", "set", "topic", "t"], "KEY=VALUE"),
        (&["config", "get", "user", "u", "k"], "topic, broker, group"),
        (&["completions", "csh"], "bash"),
    ] {
        let told = scene.run_at("127.0.0.1:1", arguments, b"");
        assert_eq!(told.code, Some(USAGE), "{arguments:?}: {}", told.err);
        assert!(told.err.contains(complaint), "{arguments:?}: {}", told.err);
    }
    for command in
        [&["topic", "list"][..], &["produce", "t"], &["consume", "t"], &["config", "describe", "topic", "t"]]
    {
        let told = scene.run_at("127.0.0.1:1", command, b"").complaint();
        assert!(told.contains("cannot connect to 127.0.0.1:1"), "{told}");
        assert!(told.contains("is a broker running there?"), "{told}");
        let told = scene.run_at("localhost", command, b"").complaint();
        assert!(told.contains("'localhost' is no address; write HOST:PORT"), "{told}");
    }
    // Of several brokers the first that answers is asked.
    let several = format!("127.0.0.1:1,{}", scene.address());
    scene.run_at(&several, &["topic", "list"], b"").text();
    let told = scene.run(&["man", text(&path)]).complaint();
    assert!(told.contains("cannot write manual pages into"), "{told}");
}

pub(crate) fn pages_and_completions(scene: &Scene) {
    let directory = tempfile::tempdir().unwrap();
    scene.run(&["man", text(directory.path())]).text();
    let mut commands = Vec::new();
    collect(scene, &mut Vec::new(), &mut commands);
    assert!(commands.len() > 25, "{commands:?}");
    for command in &commands {
        let name =
            ["ottla"].into_iter().chain(command.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
        let page = std::fs::read_to_string(directory.path().join(format!("{name}.1"))).expect(&name);
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
        assert!(page.contains(".SH DESCRIPTION"), "{name}");
    }
    let pages = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(pages, commands.len(), "there is a page of something that is no command");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = scene.run(&["completions", shell]).text();
        for command in &commands {
            let words = command.last().map_or("ottla", String::as_str);
            assert!(script.contains(words), "{shell}: {command:?}");
        }
        if shell == "bash" {
            let (_directory, path) = Scene::file(script.as_bytes());
            let offered = "COMP_WORDS=(ottla to); COMP_CWORD=1; _ottla ottla to ottla; echo ${COMPREPLY[@]}";
            let mut bash = Command::new("bash");
            let offered = bash.arg("-c").arg(format!("source {}; {offered}", text(&path))).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&offered.stdout), "topic\n");
        }
    }
}

/// All commands, from what their help says, the first one without a name.
fn collect(scene: &Scene, command: &mut Vec<String>, commands: &mut Vec<Vec<String>>) {
    commands.push(command.clone());
    let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["-h"]).collect();
    let help = scene.run(&arguments).text();
    let Some((_, listed)) = help.split_once("\nCommands:\n") else { return };
    for line in listed.lines().take_while(|line| !line.is_empty()) {
        // What is further in is the rest of a description.
        let Some(name) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) else { continue };
        let name = name.split_whitespace().next().unwrap();
        assert_ne!(name, "help", "{command:?} lists a command for help");
        command.push(name.to_owned());
        collect(scene, command, commands);
        command.pop();
    }
}
