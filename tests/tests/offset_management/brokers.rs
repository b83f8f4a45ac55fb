//! The brokers that the programs run against: one for each set of settings that a program asks for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ottla_tests::broker::{Broker, BrokerProgram, Options};
use ottla_tests::problem::Problem;

use crate::programs::Settings;

/// Brokers that are started when they are first asked for. Programs share them, since each has topics of its own.
pub(crate) struct Brokers {
    program: Arc<dyn BrokerProgram>,
    logs: PathBuf,
    started: Mutex<BTreeMap<Settings, Broker>>,
}

impl Brokers {
    pub(crate) fn new(program: Arc<dyn BrokerProgram>, logs: &Path) -> Self {
        Self { program, logs: logs.to_owned(), started: Mutex::default() }
    }

    /// The address of the broker with these settings. When it is started here, `begin` is done with it first.
    pub(crate) fn address(
        &self,
        settings: &Settings,
        begin: impl FnOnce(&str) -> Result<(), Problem>,
    ) -> Result<String, Problem> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(broker) = started.get(settings) {
            return Ok(broker.address());
        }
        let log = self.logs.join(format!("broker-{}.log", started.len()));
        let options = Options { settings: settings.clone(), ..Options::default() };
        let broker = Broker::start_with(Arc::clone(&self.program), &log, options)?;
        let address = broker.address();
        begin(&address)?;
        started.insert(settings.clone(), broker);
        Ok(address)
    }

    /// Stops all of them.
    ///
    /// # Errors
    /// One had ended before, or did not end as it should.
    pub(crate) fn stop(&self) -> Result<(), Problem> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        started.values_mut().try_for_each(Broker::stop)
    }
}
