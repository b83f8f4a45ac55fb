//! What a run needs: the broker that was chosen, and the client programs.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::cast::{HOSTS, PRODUCER};
use crate::broker::BrokerProgram;
use crate::client_program::build;
use crate::clients::CLIENTS;
use crate::ottla::Ottla;
use crate::problem::Problem;
use crate::schedule::BrokerChoice;
use crate::workspace::client_directory;

/// The broker that the environment chose, and its name with its version.
///
/// # Errors
/// The choice is unknown, or the broker is not there and can not be built or fetched.
pub fn chosen_broker() -> Result<(Arc<dyn BrokerProgram>, String), Problem> {
    let choice = BrokerChoice::from_environment()?;
    let program = choice.obtain()?;
    let name = match choice {
        BrokerChoice::Ottla => Ottla::find()?.version()?,
        BrokerChoice::Kafka => program.name(),
    };
    Ok((program, name))
}

/// What this machine lacks for the client programs, in words.
#[must_use]
pub fn missing_toolchain() -> Option<String> {
    let needed = CLIENTS.iter().filter(|client| clients().contains(client.name));
    let missing: BTreeSet<String> = needed.filter_map(|client| client.toolchain.missing()).collect();
    (!missing.is_empty()).then(|| missing.into_iter().collect::<Vec<_>>().join("; "))
}

/// Builds the client programs.
///
/// # Errors
/// One can not be built.
pub fn build_clients() -> Result<(), Problem> {
    clients().into_iter().try_for_each(|client| build(&client_directory(client)))
}

fn clients() -> BTreeSet<&'static str> {
    HOSTS.iter().copied().chain([PRODUCER]).collect()
}
