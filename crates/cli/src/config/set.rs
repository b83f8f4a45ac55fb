//! `ottla config set` and `ottla config delete`.

use std::error::Error;

use clap::Args;
use serde::Serialize;

use super::alter::{Change, alter};
use super::resource::{Kind, Resource};
use crate::ask::{self, Bootstrap, key_and_value};
use crate::client::Cluster;

/// Changes settings, all of them or, when the broker refuses one, none.
#[derive(Debug, Args)]
pub(super) struct Set {
    /// What has the settings
    #[arg(value_enum)]
    kind: Kind,

    /// Its name; of a broker its id, or `default`
    name: String,

    /// What to set
    #[arg(value_name = "KEY=VALUE", value_parser = key_and_value, required_unless_present_any = ["append", "subtract"])]
    pairs: Vec<(String, String)>,

    /// Add to a setting that is a list; repeat it for several
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    append: Vec<(String, String)>,

    /// Take out of a setting that is a list; repeat it for several
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    subtract: Vec<(String, String)>,

    #[command(flatten)]
    how: How,
}

/// Takes settings away, so that the default counts again.
#[derive(Debug, Args)]
pub(super) struct Delete {
    /// What has the settings
    #[arg(value_enum)]
    kind: Kind,

    /// Its name; of a broker its id, or `default`
    name: String,

    /// What to take away
    #[arg(value_name = "KEY", required = true)]
    keys: Vec<String>,

    #[command(flatten)]
    how: How,
}

/// What both have in common.
#[derive(Debug, Args)]
struct How {
    /// Have the broker check it all and change nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    bootstrap: Bootstrap,

    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

/// What is told.
#[derive(Debug, Serialize)]
struct Told {
    resource: String,
    changed: bool,
}

impl Set {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let mut changes = Vec::new();
        changes.extend(self.pairs.into_iter().map(|(key, value)| Change::set(key, value)));
        changes.extend(self.append.into_iter().map(|(key, value)| Change::append(key, value)));
        changes.extend(self.subtract.into_iter().map(|(key, value)| Change::subtract(key, value)));
        self.how.run(&Resource::named(self.kind, &self.name)?, &changes)
    }
}

impl Delete {
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let changes: Vec<Change> = self.keys.into_iter().map(Change::delete).collect();
        self.how.run(&Resource::named(self.kind, &self.name)?, &changes)
    }
}

impl How {
    fn run(&self, resource: &Resource, changes: &[Change]) -> Result<(), Box<dyn Error>> {
        let mut cluster = Cluster::connect(&self.bootstrap)?;
        alter(&mut cluster, resource, changes, self.dry_run)?;
        let told = Told { resource: resource.words(), changed: !self.dry_run };
        let what = if self.dry_run { "could be changed" } else { "are changed" };
        if self.json {
            ask::print_json(&told)
        } else {
            ask::print(&format!("the settings of {} {what}\n", told.resource))
        }
    }
}
