//! What the kernel counts of a process.

use std::path::Path;

use rustix::param::clock_ticks_per_second;
use serde_json::{Value, json};

use super::machine::field_of;
use crate::problem::{Doing, Problem};

/// Places of the times in `/proc/PID/stat`, counted behind the program's name (proc_pid_stat(5) counts from 1 and
/// begins with the id and the name).
const USER_TIME_PLACE: usize = 11;
const SYSTEM_TIME_PLACE: usize = 12;

/// The field of a thread's status that counts forced switches.
const INVOLUNTARY: &str = "nonvoluntary_ctxt_switches";

/// Resident memory, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// All of it, the binary's own pages and mapped files with it (VmRSS).
    pub resident_kib: u64,
    /// The part that no file stands behind: heap and stacks (RssAnon).
    pub anonymous_kib: u64,
    /// The most that was ever resident since the start or [`Usage::reset_peak`] (VmHWM).
    pub peak_kib: u64,
}

impl Memory {
    /// Reads the counters of a running process.
    ///
    /// # Errors
    /// There is no such process.
    pub fn of_process(id: u32) -> Result<Self, Problem> {
        let kib = |name: &str| {
            let value = field_of(&format!("/proc/{id}/status"), name)?;
            value.trim_end_matches(" kB").parse().doing(format_args!("read {name}"))
        };
        Ok(Self { resident_kib: kib("VmRSS")?, anonymous_kib: kib("RssAnon")?, peak_kib: kib("VmHWM")? })
    }

    /// For the raw figures.
    #[must_use]
    pub fn json(self) -> Value {
        json!({"resident": self.resident_kib, "anonymous": self.anonymous_kib, "peak": self.peak_kib})
    }
}

/// What a process has used since its start. All of it grows, so that two readings make a difference.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// Processor time in user mode, in seconds.
    pub user_seconds: f64,
    /// Processor time in the kernel, in seconds.
    pub system_seconds: f64,
    /// System calls that read and that write, as the kernel counts them (syscr, syscw): sockets and files. None of those
    /// that map, poll or wait.
    pub reads_and_writes: u64,
    /// Switches to another thread, over all threads that still live.
    pub context_switches: u64,
    /// Those among them that the kernel forced, since a thread had used up its time or a more urgent one was due.
    pub involuntary_switches: u64,
}

impl Usage {
    /// Reads the counters of a running process.
    ///
    /// # Errors
    /// There is no such process, or it belongs to someone else.
    pub fn of_process(id: u32) -> Result<Self, Problem> {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).doing("read a process's times")?;
        let ticks = clock_ticks_per_second() as f64;
        // The name, in parentheses, may hold spaces.
        let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
        let seconds = |place: usize| {
            let field = fields.split(' ').nth(place).unwrap_or_default();
            field.parse::<f64>().map(|count| count / ticks).doing("read a process's times")
        };
        let calls = |name: &str| -> Result<u64, Problem> {
            field_of(&format!("/proc/{id}/io"), name)?.parse().doing(format_args!("read {name}"))
        };
        Ok(Self {
            user_seconds: seconds(USER_TIME_PLACE)?,
            system_seconds: seconds(SYSTEM_TIME_PLACE)?,
            reads_and_writes: calls("syscr")?.saturating_add(calls("syscw")?),
            context_switches: context_switches(id, "ctxt_switches")?,
            involuntary_switches: context_switches(id, INVOLUNTARY)?,
        })
    }

    /// Lets VmHWM begin anew.
    ///
    /// # Errors
    /// There is no such process, or it belongs to someone else.
    pub fn reset_peak(id: u32) -> Result<(), Problem> {
        std::fs::write(format!("/proc/{id}/clear_refs"), "5").doing("reset the peak of a process's memory")
    }

    /// Processor time, in seconds.
    #[must_use]
    pub fn cpu_seconds(&self) -> f64 {
        self.user_seconds + self.system_seconds
    }

    /// What was used since an earlier reading.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            user_seconds: self.user_seconds - earlier.user_seconds,
            system_seconds: self.system_seconds - earlier.system_seconds,
            reads_and_writes: self.reads_and_writes.saturating_sub(earlier.reads_and_writes),
            // A thread that has ended takes its count along.
            context_switches: self.context_switches.saturating_sub(earlier.context_switches),
            involuntary_switches: self.involuntary_switches.saturating_sub(earlier.involuntary_switches),
        }
    }

    /// For the raw figures.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "user_seconds": self.user_seconds,
            "system_seconds": self.system_seconds,
            "reads_and_writes": self.reads_and_writes,
            "context_switches": self.context_switches,
            "involuntary_switches": self.involuntary_switches,
        })
    }
}

/// Counts in the fields whose name ends so.
fn context_switches(id: u32, field: &str) -> Result<u64, Problem> {
    let tasks = Path::new("/proc").join(id.to_string()).join("task");
    let tasks = std::fs::read_dir(&tasks).doing(format_args!("list {}", tasks.display()))?;
    let mut switches: u64 = 0;
    for task in tasks {
        let status = task.doing("list threads")?.path().join("status");
        // A thread may end at any time.
        let Ok(text) = std::fs::read_to_string(&status) else { continue };
        let counts = text.lines().filter_map(|line| {
            let (name, count) = line.split_once(':')?;
            name.ends_with(field).then(|| count.trim().parse::<u64>().ok())?
        });
        switches = switches.saturating_add(counts.sum());
    }
    Ok(switches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted() {
        let id = std::process::id();
        let before = Usage::of_process(id).unwrap();
        let mut sum: u64 = 0;
        let began = std::time::Instant::now();
        while began.elapsed() < std::time::Duration::from_millis(100) {
            sum = sum.wrapping_add(std::hint::black_box(1));
            std::fs::read("/proc/self/stat").unwrap();
        }
        let used = Usage::of_process(id).unwrap().since(&before);
        assert!(sum > 0 && used.cpu_seconds() > 0.0 && used.reads_and_writes > 0, "{used:?}");
    }

    #[test]
    fn memory_has_parts() {
        let memory = Memory::of_process(std::process::id()).unwrap();
        assert!(memory.anonymous_kib > 0 && memory.resident_kib >= memory.anonymous_kib, "{memory:?}");
        assert!(memory.peak_kib >= memory.resident_kib, "{memory:?}");
    }
}
