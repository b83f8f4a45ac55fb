//! `bench-versus report`: raw results become docs/performance.md.

use std::path::PathBuf;

use clap::Args;
use ottla_tests::problem::Problem;
use ottla_tests::workspace::root;

use crate::report::write;
use crate::results::Results;

#[derive(Debug, Args)]
pub(super) struct Report {
    /// Files of raw results
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The document whose marked part is written [default: docs/performance.md]
    #[arg(long)]
    document: Option<PathBuf>,
}

impl Report {
    pub(super) fn run(&self) -> Result<(), Problem> {
        let results: Vec<Results> =
            self.files.iter().map(|file| Results::read(file)).collect::<Result<_, _>>()?;
        let document = self.document.clone().unwrap_or_else(|| root().join("docs/performance.md"));
        write(&results, &document)
    }
}
