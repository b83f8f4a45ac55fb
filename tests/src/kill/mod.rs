//! Kills the broker with SIGKILL, again and again, under load, and checks what it kept.
//!
//! A round is a number of cycles over one data directory: start, load, kill. Then everything comes to rest, the broker is
//! killed and started once more, all of its logs and offsets are read, and [`crate::check`] judges what the clients saw
//! and what was read. The seed decides what the clients do and when the kills come; the machine decides how the two
//! meet, so a seed gives a similar round and not the same one.

mod commits;
mod cycle;
mod ledger;
mod round;
mod settings;
mod stage;
mod victim;

pub use commits::{CommitOutcome, CommitRun, run_commits};
pub use cycle::{Cycle, KILL_AFTER_MS};
pub use ledger::{Entry, Ledger};
pub use round::{Outcome, Round, run};
pub use settings::{SettingsOutcome, SettingsRun, run_settings};
pub use stage::{Judged, Stage};
