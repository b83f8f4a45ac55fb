//! Looks at the groups all the time, and commits in the name of members that own a partition no more.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::ask::{forge, look};
use super::cast::GROUPS;
use super::event::Fact;
use super::record::Record;
use crate::load::Gate;
use crate::measure::Connection;
use crate::problem::Problem;

/// The pause between two looks.
const REST: Duration = Duration::from_millis(250);

/// A thread that watches until it is stopped.
#[derive(Debug)]
pub(super) struct Watch {
    gate: Arc<Gate>,
    thread: JoinHandle<()>,
}

impl Watch {
    pub(super) fn start(address: String, record: Arc<Record>) -> Self {
        let gate = Arc::new(Gate::default());
        let until = Arc::clone(&gate);
        let thread = std::thread::spawn(move || {
            while !until.is_closed() {
                // The broker is killed now and then.
                let _ = watch(&address, &record, &until);
                until.pause(REST);
            }
        });
        Self { gate, thread }
    }

    pub(super) fn stop(self) -> Result<(), Problem> {
        self.gate.close();
        self.thread.join().map_err(|_| Problem::new("the watching thread panicked"))
    }
}

fn watch(address: &str, record: &Record, until: &Gate) -> Result<(), Problem> {
    let mut connection = Connection::open(address)?;
    while !until.is_closed() {
        for forgery in record.forgeries() {
            let error = forge(&mut connection, &forgery)?;
            let (group, id) = (forgery.group, forgery.id);
            let (epoch, partition) = (forgery.epoch, forgery.partition);
            record.note(Fact::Forged { group, id, epoch, partition, error });
        }
        for group in &GROUPS {
            record.note(Fact::Seen(look(&mut connection, group.name)?));
        }
        until.pause(REST);
    }
    Ok(())
}
