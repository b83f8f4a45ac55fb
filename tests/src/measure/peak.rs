//! The most anonymous memory that a process had at a time, which the kernel does not keep.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::usage::{Memory, Usage};
use crate::load::Gate;
use crate::problem::Problem;

/// The pause between two looks.
const INTERVAL: Duration = Duration::from_millis(20);

/// What a process had at most, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Peak {
    /// Without what files stand behind; seen every 20 ms.
    pub anonymous_kib: u64,
    /// All that was resident, mapped files with it; counted by the kernel.
    pub resident_kib: u64,
}

/// Watches a process.
#[derive(Debug)]
pub struct PeakWatch {
    gate: Arc<Gate>,
    thread: JoinHandle<Peak>,
}

impl PeakWatch {
    /// Begins to watch, from what the process has now.
    ///
    /// # Errors
    /// There is no such process.
    pub fn begin(id: u32) -> Result<Self, Problem> {
        Usage::reset_peak(id)?;
        let gate = Arc::new(Gate::default());
        let seen = Arc::clone(&gate);
        let thread = std::thread::spawn(move || {
            let mut peak = Peak::default();
            while let Ok(memory) = Memory::of_process(id) {
                peak.anonymous_kib = peak.anonymous_kib.max(memory.anonymous_kib);
                peak.resident_kib = peak.resident_kib.max(memory.peak_kib);
                if seen.is_closed() {
                    break;
                }
                seen.pause(INTERVAL);
            }
            peak
        });
        Ok(Self { gate, thread })
    }

    /// Looks once more and ends.
    ///
    /// # Errors
    /// The thread that watched is gone.
    pub fn end(self) -> Result<Peak, Problem> {
        self.gate.close();
        self.thread.join().map_err(|_| Problem::new("the watch of a process's memory ended by itself"))
    }
}
