//! Restarts and signals in the middle.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::scene::Scene;

/// Lines before the broker goes away, and after.
const LINES: usize = 5_000;

pub(crate) fn restart(scene: &Scene) {
    let mut broker = scene.broker("restart.log");
    let address = broker.address();
    scene.run_at(&address, &["topic", "create", "t", "-p", "1"], b"").text();
    let line = |number: usize| format!("line {number}\n");
    let lines = |from: usize| (from..from + LINES).map(line).collect::<String>();
    let mut produce = scene.bare(&["produce", "t", "--bootstrap", &address]);
    let mut produce = produce.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut consume = scene.bare(&["consume", "t", "--bootstrap", &address]);
    let mut consume = consume.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut read = BufReader::new(consume.stdout.take().unwrap()).lines();
    let mut stdin = produce.stdin.take().unwrap();
    stdin.write_all(lines(0).as_bytes()).unwrap();
    // Some have arrived, others are under way.
    assert_eq!(read.next().unwrap().unwrap(), "line 0");
    broker.kill().unwrap();
    stdin.write_all(lines(LINES).as_bytes()).unwrap();
    drop(stdin);
    let produced = produce.wait_with_output().unwrap();
    assert_eq!(produced.status.code(), Some(0), "{}", String::from_utf8_lossy(&produced.stderr));
    // The consumer outlives it too, and both together lose and double nothing.
    for number in 1..2 * LINES {
        assert_eq!(read.next().unwrap().unwrap(), line(number).trim_end());
    }
    kill_process(Pid::from_child(&consume), Signal::INT).unwrap();
    assert_eq!(consume.wait().unwrap().code(), Some(0));
    let again = scene.run_at(&address, &["consume", "t", "-e"], b"").text();
    assert!(again == lines(0) + &lines(LINES), "the log has other lines");
    broker.stop().unwrap();
}

pub(crate) fn ctrl_c(scene: &Scene) {
    scene.topic("ctrl-c", "1");
    for signal in [Signal::INT, Signal::TERM] {
        let mut consume = scene.bare(&["consume", "ctrl-c", "-o", "end"]);
        let mut consume = consume.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut read = BufReader::new(consume.stdout.take().unwrap()).lines();
        // Only what comes after it has begun is read, so lines come until one does.
        let first = std::thread::scope(|scope| {
            let first = scope.spawn(|| read.next().unwrap().unwrap());
            while !first.is_finished() {
                scene.run_with(&["produce", "ctrl-c"], b"line\n").text();
            }
            first.join().unwrap()
        });
        assert_eq!(first, "line");
        kill_process(Pid::from_child(&consume), signal).unwrap();
        let ended = consume.wait_with_output().unwrap();
        assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), &b""[..]), "{signal:?}");
    }
}
