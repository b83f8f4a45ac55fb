//! Counts the system calls of a process, with perf where it is there and may do so.

use std::process::{Command, Stdio};
use std::time::Duration;

use ottla_tests::load::Gate;
use rustix::process::{Pid, Signal, kill_process};

const EVENT: &str = "raw_syscalls:sys_enter";

/// How long perf takes to attach to all threads; it does not tell when it has.
const ATTACH_TIME: Duration = Duration::from_millis(300);

/// Counts from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Counter {
    perf: std::process::Child,
}

impl Counter {
    /// Attaches to a process; `None` where that is not possible.
    #[must_use]
    pub(crate) fn begin(id: u32) -> Option<Self> {
        let mut command = Command::new("perf");
        command.args(["stat", "-x", ",", "-e", EVENT, "-p", &id.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut perf = command.spawn().ok()?;
        Gate::default().pause(ATTACH_TIME);
        // Where it may not attach it ends at once.
        matches!(perf.try_wait(), Ok(None)).then_some(Self { perf })
    }

    /// Ends, and gives how many calls there were.
    #[must_use]
    pub(crate) fn end(self) -> Option<u64> {
        // Not the interrupt of a terminal: who was started in the background ignores that, and perf too until it has set up
        // its own handling, so that it would count for ever. This one ends it early at the worst.
        kill_process(Pid::from_child(&self.perf), Signal::ALARM).ok()?;
        let output = self.perf.wait_with_output().ok()?;
        count_in(&String::from_utf8_lossy(&output.stderr))
    }
}

/// The count in perf's comma-separated output.
fn count_in(output: &str) -> Option<u64> {
    let line = output.lines().find(|line| line.contains(EVENT))?;
    line.split(',').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found() {
        assert_eq!(count_in("12345,,raw_syscalls:sys_enter,99,100.00,,\n"), Some(12_345));
        assert_eq!(count_in("<not counted>,,raw_syscalls:sys_enter,0,100.00,,\n"), None);
        assert_eq!(count_in("event syntax error\n"), None);
    }
}
