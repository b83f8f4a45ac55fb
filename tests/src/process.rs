//! A child process with a deadline on its end, and no way to be left behind.

use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};

use crate::problem::{Doing, Problem};

/// A running child. Dropping it kills it and waits for it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Becomes readable when the child ends, which gives the wait a deadline without polling.
    descriptor: OwnedFd,
    /// The group to kill, when the child leads one.
    group: Option<Pid>,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts the command.
    ///
    /// # Errors
    /// The program can not be started.
    pub fn start(command: &mut Command) -> Result<Self, Problem> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().doing(format_args!("start {program}"))?;
        let pid = Pid::from_child(&child);
        let descriptor = pidfd_open(pid, PidfdFlags::empty()).doing(format_args!("watch {program}"))?;
        Ok(Self { child, descriptor, group: None, ended: None })
    }

    /// Starts the command as the leader of a new process group, so that what it starts itself dies with it.
    ///
    /// # Errors
    /// The program can not be started.
    pub fn start_group(command: &mut Command) -> Result<Self, Problem> {
        use std::os::unix::process::CommandExt;
        let mut process = Self::start(command.process_group(0))?;
        process.group = Some(Pid::from_child(&process.child));
        Ok(process)
    }

    /// The child's process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The child itself, to take its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Sends SIGTERM. A child that has ended already is no error.
    pub fn terminate(&self) {
        let _ = pidfd_send_signal(&self.descriptor, Signal::TERM);
    }

    /// Sends SIGSTOP: the child does nothing more until it is killed or thawed. A child that has ended already is no
    /// error.
    pub fn freeze(&self) {
        let _ = pidfd_send_signal(&self.descriptor, Signal::STOP);
    }

    /// Sends SIGCONT: a frozen child goes on as if no time had passed. A child that has ended already is no error.
    pub fn thaw(&self) {
        let _ = pidfd_send_signal(&self.descriptor, Signal::CONT);
    }

    /// Sends SIGKILL to the child, or to its group when it leads one.
    pub fn kill(&self) {
        let _ = match self.group {
            Some(group) => kill_process_group(group, Signal::KILL),
            None => pidfd_send_signal(&self.descriptor, Signal::KILL),
        };
    }

    /// Waits until the child ends, at most `limit`. `None` when it still runs then.
    ///
    /// # Errors
    /// The system refuses to wait.
    pub fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>, Problem> {
        if self.ended.is_some() {
            return Ok(self.ended);
        }
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).doing("express a time limit")?;
            let mut descriptors = [PollFd::new(&self.descriptor, PollFlags::IN)];
            match poll(&mut descriptors, Some(&timeout)) {
                Ok(0) => return Ok(None),
                Ok(_) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error).doing("wait for a process"),
            }
        }
        if self.group.is_some() {
            // The leader is not reaped yet, so its id still means this group: what it left running goes now.
            self.kill();
        }
        self.ended = Some(self.child.wait().doing("wait for a process")?);
        Ok(self.ended)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.kill();
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_exit_status_is_told() {
        let mut process = Process::start(&mut shell("exit 7")).unwrap();
        let status = process.wait(Duration::from_secs(10)).unwrap().unwrap();
        assert_eq!(status.code(), Some(7));
    }

    #[test]
    fn a_wait_ends_at_its_limit_and_the_child_can_be_terminated() {
        let mut process = Process::start(&mut shell("exec cat /dev/zero >/dev/null")).unwrap();
        assert_eq!(process.wait(Duration::from_millis(1)).unwrap(), None);
        process.terminate();
        assert!(!process.wait(Duration::from_secs(10)).unwrap().unwrap().success());
    }

    #[test]
    fn a_dropped_group_takes_its_children_along() {
        let mut command = shell("cat /dev/zero >/dev/null & echo $!; wait");
        let mut process = Process::start_group(command.stdout(std::process::Stdio::piped())).unwrap();
        let mut line = String::new();
        let output = process.child().stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).unwrap();
        let grandchild = Pid::from_raw(line.trim().parse().unwrap()).unwrap();
        let watch = pidfd_open(grandchild, PidfdFlags::empty()).unwrap();
        drop(process);
        let limit = Timespec { tv_sec: 10, tv_nsec: 0 };
        assert_eq!(poll(&mut [PollFd::new(&watch, PollFlags::IN)], Some(&limit)), Ok(1));
    }
}
