//! A container of the image: its root directory, its user and its environment, and this machine's network.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use ottla_tests::broker::{BrokerProgram, Readiness};
use ottla_tests::problem::Problem;

use ottla_tests::image::Image;

/// The image as a broker that the harness starts, stops and kills.
#[derive(Debug)]
pub(crate) struct Container {
    root: PathBuf,
    user: String,
    environment: Vec<String>,
    entry: Vec<String>,
    command: Vec<String>,
}

impl Container {
    /// A new container, with an empty volume.
    pub(crate) fn of(image: &Image) -> Result<Self, Problem> {
        let user = image.config("/User")?.as_str().unwrap_or_default().to_owned();
        Ok(Self {
            root: image.root_directory()?,
            user,
            environment: image.strings("/Env")?,
            entry: image.strings("/Entrypoint")?,
            command: image.strings("/Cmd")?,
        })
    }

    /// A command inside the container, with the image's environment and user.
    pub(crate) fn inside(&self, words: &[String]) -> Command {
        let mut command = Command::new("chroot");
        command.arg(format!("--userspec={}", self.user)).arg(&self.root).args(words).env_clear();
        command.envs(self.environment.iter().filter_map(|pair| pair.split_once('=')));
        command
    }

    /// Adds what `docker run -e` would, so that clients reach the broker on this port of localhost.
    pub(crate) fn listen(command: &mut Command, port: u16) {
        command.env("KAFKA_LISTENERS", format!("PLAINTEXT://0.0.0.0:{port}"));
        command.env("KAFKA_ADVERTISED_LISTENERS", format!("PLAINTEXT://localhost:{port}"));
    }
}

impl BrokerProgram for Container {
    fn name(&self) -> String {
        "the image".to_owned()
    }

    fn prepare(&self, _directory: &Path, _port: u16) -> Result<(), Problem> {
        Ok(())
    }

    /// Serves with its data in the image's volume, whatever the directory.
    fn serve(&self, _directory: &Path, port: u16) -> Command {
        let mut command = self.inside(&[self.entry.as_slice(), &self.command].concat());
        Self::listen(&mut command, port);
        command
    }

    fn set(&self, command: &mut Command, name: &str, value: &str) {
        let name = name.replace('_', "__").replace('-', "___").replace('.', "_").to_ascii_uppercase();
        command.env(format!("KAFKA_{name}"), value);
    }

    fn readiness(&self) -> Readiness {
        Readiness::ListsItself
    }

    fn ended_cleanly(&self, status: ExitStatus) -> bool {
        status.success()
    }
}
