//! The image of `docker/Dockerfile`, built without an engine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::problem::{Doing, Problem};
use crate::workspace::{root, target_directory};

/// The image's name in the storage of the test.
const NAME: &str = "localhost/ottla";
/// What stands in for the Dockerfile's first stage, and the binary in it, below the storage.
const STAGE: &str = "stage";
const BINARY: &str = "stage/built/ottla";

/// A built image, in a storage of its own.
#[derive(Debug)]
pub struct Image {
    storage: TempDir,
    /// Its description: `docker` holds what engines read.
    description: Value,
}

/// What this machine or user lacks to build and start it, in words.
#[must_use]
pub fn missing() -> Option<String> {
    let ran = |program: &str, argument: &str| {
        let mut command = Command::new(program);
        command.arg(argument).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()
    };
    if ran("buildah", "--version").is_none_or(|output| !output.status.success()) {
        return Some("this machine lacks buildah (Debian: apt-get install buildah)".to_owned());
    }
    if ran("id", "-u").is_none_or(|output| output.stdout.trim_ascii() != b"0") {
        return Some("starting a container by chroot takes root".to_owned());
    }
    None
}

impl Image {
    /// Builds it from the Dockerfile and a binary of this workspace.
    ///
    /// # Errors
    /// The binary or the image can not be built.
    pub fn build() -> Result<Self, Problem> {
        let parent = target_directory()?.join("tmp");
        fs::create_dir_all(&parent).doing("make a directory for the image")?;
        let storage = tempfile::Builder::new()
            .prefix("image-")
            .tempdir_in(parent)
            .doing("make a directory for the image")?;
        let image = Self { storage, description: Value::Null };
        let stage = image.stage()?;
        let context = format!("build={}", stage.display());
        let dockerfile = root().join("docker/Dockerfile");
        let mut command = image.buildah();
        command.args(["build", "--isolation", "chroot", "--format", "docker", "--build-context", &context]);
        command.args(["--tag", NAME, "--file"]).arg(dockerfile).arg(root());
        run(&mut command)?;
        let text = run(image.buildah().args(["inspect", "--type", "image", NAME]))?;
        let description = serde_json::from_str(&text).doing("read the image's description")?;
        Ok(Self { description, ..image })
    }

    /// What the Dockerfile's first stage leaves behind, made here.
    fn stage(&self) -> Result<PathBuf, Problem> {
        let stage = self.storage.path().join(STAGE);
        let built = stage.join("built");
        fs::create_dir_all(built.join("data")).doing("make the stage")?;
        let mut release = Command::new(root().join("docker/release"));
        run(release.arg("--output").arg(&built).env("CARGO_TARGET_DIR", target_directory()?))?;
        let machine = run(Command::new("uname").arg("-m"))?;
        let binary = built.join(format!("ottla-{}", machine.trim()));
        fs::rename(binary, self.binary()).doing("name the binary")?;
        Ok(stage)
    }

    /// The binary that is in it.
    #[must_use]
    pub fn binary(&self) -> PathBuf {
        self.storage.path().join(BINARY)
    }

    /// A container's root directory, made of the image.
    ///
    /// # Errors
    /// buildah can not make or mount one.
    pub fn root_directory(&self) -> Result<PathBuf, Problem> {
        let container = run(self.buildah().args(["from", NAME]))?;
        let path = run(self.buildah().args(["mount", container.trim()]))?;
        Ok(PathBuf::from(path.trim()))
    }

    /// A part of what engines read of the image, by its JSON pointer below `/Docker/config`.
    ///
    /// # Errors
    /// There is no such part.
    pub fn config(&self, pointer: &str) -> Result<&Value, Problem> {
        let path = format!("/Docker/config{pointer}");
        self.description.pointer(&path).ok_or_else(|| Problem::new(format!("the image has no {path}")))
    }

    /// The strings of a list in the description.
    ///
    /// # Errors
    /// There is no such part.
    pub fn strings(&self, pointer: &str) -> Result<Vec<String>, Problem> {
        let list = self.config(pointer)?.as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect())
    }

    /// The bytes of its layers, as a registry keeps and a client pulls them before compression.
    ///
    /// # Errors
    /// The image has no manifest that can be read.
    pub fn layer_bytes(&self) -> Result<u64, Problem> {
        let text = self.description.pointer("/Manifest").and_then(Value::as_str).unwrap_or_default();
        let manifest: Value = serde_json::from_str(text).doing("read the image's manifest")?;
        let layers = manifest.pointer("/layers").and_then(Value::as_array);
        let layers = layers.ok_or_else(|| Problem::new("the manifest has no layers"))?;
        Ok(layers.iter().filter_map(|layer| layer.pointer("/size").and_then(Value::as_u64)).sum())
    }

    fn buildah(&self) -> Command {
        let below = |name: &str| -> PathBuf { Path::new(self.storage.path()).join(name) };
        let mut command = Command::new("buildah");
        // A storage of its own, by plain copies: nothing of the user's is seen or changed, and no module is needed.
        command.args(["--storage-driver", "vfs", "--root"]).arg(below("root"));
        command.arg("--runroot").arg(below("run"));
        command
    }
}

/// Runs a command to its end and gives what it printed.
fn run(command: &mut Command) -> Result<String, Problem> {
    let output = command.stdin(Stdio::null()).output().doing(format_args!("run {command:?}"))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(Problem::new(format!("{command:?} ended with {}:\n{error}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
