//! The memory of a process, as the kernel counts it.

use ottla_tests::problem::{Doing, Problem};

use crate::machine::field_of;

/// Resident memory, in KiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// All of it, the binary's own pages and mapped files with it (VmRSS).
    pub(crate) resident_kib: u64,
    /// The part that no file stands behind: heap and stacks (RssAnon).
    pub(crate) anonymous_kib: u64,
}

impl Memory {
    /// Reads the counters of a running process.
    pub(crate) fn of_process(id: u32) -> Result<Self, Problem> {
        let kib = |name: &str| {
            let value = field_of(&format!("/proc/{id}/status"), name)?;
            value.trim_end_matches(" kB").parse().doing(format_args!("read {name}"))
        };
        Ok(Self { resident_kib: kib("VmRSS")?, anonymous_kib: kib("RssAnon")? })
    }
}
