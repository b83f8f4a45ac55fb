//! `ottla consume --group` and `ottla group`.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::scene::Scene;

pub(crate) fn goes_on(scene: &Scene) {
    scene.topic("goes-on", "1");
    scene.run_with(&["produce", "goes-on"], b"1\n2\n3\n4\n5\n").text();
    let read = |arguments: &[&str]| {
        scene.run(&[&["consume", "goes-on", "--group", "goes-on-group"], arguments].concat()).text()
    };
    assert_eq!(read(&["-c", "2"]), "1\n2\n");
    assert_eq!(read(&["-e", "-o", "end"]), "3\n4\n5\n", "what is committed counts for more than --offset");
    assert_eq!(read(&["-e"]), "");
    scene.run_with(&["produce", "goes-on"], b"6\n").text();
    assert_eq!(read(&["-e", "-o", "stored"]), "6\n");
    let other = scene.run(&["consume", "goes-on", "-G", "other", "-e", "-o", "-1"]).text();
    assert_eq!(other, "6\n");
}

struct Member {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Member {
    fn start(scene: &Scene) -> Self {
        let mut command = scene.bare(&["consume", "shared", "-G", "sharing", "-f", r"%p %s\n"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn next(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

/// Two members read two partitions, each one; when one leaves, the other reads both and nothing twice.
pub(crate) fn share(scene: &Scene) {
    scene.topic("shared", "2");
    let send = |partition: &str, value: &str| {
        scene.run_with(&["produce", "shared", "-p", partition], format!("{value}\n").as_bytes()).text();
    };
    let mut first = Member::start(scene);
    send("0", "a");
    send("1", "b");
    let mut read = [first.next(), first.next()];
    read.sort_unstable();
    assert_eq!(read, ["0 a", "1 b"], "one member has both partitions");
    let mut second = Member::start(scene);
    // Until the group has noticed, the first member still gets both.
    let got = std::thread::scope(|scope| {
        let got = scope.spawn(|| second.next());
        while !got.is_finished() {
            send("0", "c");
            send("1", "c");
        }
        got.join().unwrap()
    });
    let of_second = &got[..1];
    let of_first = if of_second == "0" { "1" } else { "0" };
    send(of_first, "last of first");
    let expected = format!("{of_first} last of first");
    while first.next() != expected {}
    first.stop();
    send(of_first, "after");
    let expected = format!("{of_first} after");
    let mut doubled = Vec::new();
    loop {
        let line = second.next();
        if line == expected {
            break;
        }
        if line.starts_with(of_first) {
            doubled.push(line);
        }
    }
    assert!(doubled.is_empty(), "read before by the member that left: {doubled:?}");
    second.stop();
}

pub(crate) fn json(scene: &Scene) {
    scene.topic("told", "1");
    scene.run_with(&["produce", "told"], b"1\n2\n").text();
    scene.run(&["consume", "told", "-G", "tellers", "-c", "1"]).text();
    let group = |arguments: &[&str]| scene.run(&[&["group"], arguments, &["--json"]].concat()).json();
    let listed = group(&["list"]);
    let groups = listed["groups"]["entries"].as_array().unwrap();
    assert!(groups.iter().any(|group| group["group"] == "tellers"), "{listed}");
    let lag = group(&["lag", "tellers"]);
    assert_eq!(lag["groups"]["entries"][0]["read_uncommitted"]["records"], json!(1));
    assert_eq!(group(&["describe", "tellers"])["groups"]["entries"][0]["state"], "Empty");
    assert_eq!(group(&["offsets", "tellers"])["offsets"]["entries"][0]["offset"], json!(1));
    assert!(group(&["history", "tellers"])["changes"]["entries"].is_array());
    assert!(group(&["diff", "tellers", "--from", "1h"]).is_object());
    assert!(group(&["why", "tellers"])["events"]["entries"].is_array());
}
