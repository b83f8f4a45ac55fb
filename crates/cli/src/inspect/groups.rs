//! `ottla inspect groups`.

use std::error::Error;

use clap::Args;

use super::stopped::{Directory, how};
use crate::ask;
use crate::group::offsets_text;

/// Shows the groups of a stopped data directory: what they have committed, and how far behind they are.
///
/// Nothing in the directory is changed.
#[derive(Debug, Args)]
pub(super) struct InspectGroups {
    #[command(flatten)]
    directory: Directory,

    /// The groups [default: all]
    #[arg(value_name = "GROUP")]
    groups: Vec<String>,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

impl InspectGroups {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let document = self.directory.open()?.groups(&self.groups)?;
        if self.json {
            return ask::print_json(&document);
        }
        let offsets = offsets_text(&document.groups);
        ask::print(&format!("{}{offsets}", how(document.stopped)))
    }
}
