//! Apache Kafka, the judge of what a scenario may expect: one KRaft node, controller and broker in one process.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use crate::broker::{BrokerProgram, DATA_DIRECTORY, Readiness};
use crate::port::free_port;
use crate::problem::{Doing, Problem};
use crate::workspace::{root, target_directory};

/// The version, as in `tests/kafka/pom.xml`.
pub const VERSION: &str = "4.3.1";

/// Any cluster id will do.
const CLUSTER_ID: &str = "MkU3OEVBNTcwNTJENDM2Qg";

/// The exit code of a Java program that SIGTERM ended.
const EXIT_CODE_AFTER_SIGTERM: i32 = 143;

/// How a Java virtual machine is set up, and what Apache Kafka logs.
#[derive(Debug)]
struct Machine {
    options: &'static [&'static str],
    /// Under `tests/kafka`.
    log_configuration: &'static str,
}

/// A heap that is ample for the scenarios, and compilation by the fast compiler alone, which starts sooner.
const FOR_TESTS: Machine =
    Machine { options: &["-Xmx512m", "-XX:TieredStopAtLevel=1"], log_configuration: "log4j2.yaml" };

/// What `bin/kafka-server-start.sh` and `bin/kafka-run-class.sh` set up, without the listener of JMX and the log of the
/// garbage collector, which would only cost time.
const AS_ITS_SCRIPTS: Machine = Machine {
    options: &[
        "-Xmx1G",
        "-Xms1G",
        "-server",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        "-XX:InitiatingHeapOccupancyPercent=35",
        "-XX:+ExplicitGCInvokesConcurrent",
        "-Djava.awt.headless=true",
    ],
    log_configuration: "log4j2-measured.yaml",
};

/// Apache Kafka, fetched.
#[derive(Debug, Clone)]
pub struct Kafka {
    class_path: String,
    server: &'static Machine,
}

impl Kafka {
    /// Has Maven fetch Apache Kafka, unless it did so before.
    ///
    /// # Errors
    /// Maven failed.
    pub fn fetch() -> Result<Self, Problem> {
        static FETCHED: OnceLock<Result<Kafka, Problem>> = OnceLock::new();
        FETCHED.get_or_init(fetch_class_path).clone()
    }

    /// The same, with the broker's virtual machine set up as Apache Kafka's own scripts do, and with the logging that is
    /// its default: what is measured is what people run.
    #[must_use]
    pub fn as_its_scripts_start_it(self) -> Self {
        Self { server: &AS_ITS_SCRIPTS, ..self }
    }

    /// The options of the virtual machine that the broker runs on.
    #[must_use]
    pub fn server_options(&self) -> &'static [&'static str] {
        self.server.options
    }

    /// A command that runs a program of Apache Kafka in a directory, by the name of its main class.
    #[must_use]
    pub fn java(&self, directory: &Path, main_class: &str) -> Command {
        self.java_on(&FOR_TESTS, directory, main_class)
    }

    /// The same on a virtual machine that is set up as Apache Kafka's own scripts do, for programs that measure.
    #[must_use]
    pub fn java_as_its_scripts_start_it(&self, directory: &Path, main_class: &str) -> Command {
        self.java_on(&AS_ITS_SCRIPTS, directory, main_class)
    }

    /// Compiles a program against Apache Kafka's jars, with those files beside it that it needs; its classes go to a
    /// directory.
    ///
    /// # Errors
    /// It does not compile.
    pub fn compile(&self, source: &Path, into: &Path) -> Result<Self, Problem> {
        let mut compiler = Command::new("javac");
        compiler.arg("-nowarn").arg("-cp").arg(&self.class_path).arg("-d").arg(into);
        compiler.arg("-sourcepath").arg(source.parent().unwrap_or(Path::new(""))).arg(source);
        let output = compiler.output().doing("run javac")?;
        if !output.status.success() {
            return Err(Problem::new(format!("javac failed:\n{}", String::from_utf8_lossy(&output.stderr))));
        }
        Ok(Self { class_path: format!("{}:{}", into.display(), self.class_path), server: self.server })
    }

    fn java_on(&self, machine: &Machine, directory: &Path, main_class: &str) -> Command {
        let log_configuration = root().join("tests/kafka").join(machine.log_configuration);
        let mut command = Command::new("java");
        command.args(machine.options).current_dir(directory);
        command.arg(format!("-Dlog4j2.configurationFile={}", log_configuration.display()));
        command.arg("-cp").arg(&self.class_path).arg(main_class);
        command
    }
}

fn fetch_class_path() -> Result<Kafka, Problem> {
    let project = root().join("tests/kafka/pom.xml");
    let file = target_directory()?.join(format!("kafka-{VERSION}.class-path"));
    if let Some(class_path) = current_class_path(&project, &file) {
        return Ok(Kafka { class_path, server: &FOR_TESTS });
    }
    let output = Command::new("mvn")
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(&project)
        .arg("dependency:build-classpath")
        .arg(format!("-Dmdep.outputFile={}", file.display()))
        .output()
        .doing("run mvn")?;
    if !output.status.success() {
        return Err(Problem::new(format!("mvn failed:\n{}", String::from_utf8_lossy(&output.stdout))));
    }
    let class_path = std::fs::read_to_string(&file).doing("read Maven's class path")?;
    Ok(Kafka { class_path, server: &FOR_TESTS })
}

/// The class path of an earlier run, when it is newer than the project file and all that it names still exists.
fn current_class_path(project: &Path, file: &Path) -> Option<String> {
    let modified = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let class_path = std::fs::read_to_string(file).ok()?;
    let current =
        modified(file)? > modified(project)? && class_path.split(':').all(|jar| Path::new(jar).is_file());
    current.then_some(class_path)
}

fn properties_file(directory: &Path) -> PathBuf {
    directory.join("server.properties")
}

fn properties(directory: &Path, port: u16, controller_port: u16) -> String {
    let data = directory.join(DATA_DIRECTORY);
    let lines = [
        "process.roles=broker,controller".to_owned(),
        "node.id=1".to_owned(),
        format!("controller.quorum.voters=1@127.0.0.1:{controller_port}"),
        format!("listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}"),
        format!("advertised.listeners=PLAINTEXT://127.0.0.1:{port}"),
        "controller.listener.names=CONTROLLER".to_owned(),
        format!("log.dirs={}", data.display()),
        "offsets.topic.replication.factor=1".to_owned(),
        "transaction.state.log.replication.factor=1".to_owned(),
        "transaction.state.log.min.isr=1".to_owned(),
        // Ottla's default: the first consumer does not wait for others.
        "group.initial.rebalance.delay.ms=0".to_owned(),
    ];
    lines.join("\n") + "\n"
}

impl BrokerProgram for Kafka {
    fn name(&self) -> String {
        format!("Apache Kafka {VERSION}")
    }

    fn prepare(&self, directory: &Path, port: u16) -> Result<(), Problem> {
        let file = properties_file(directory);
        std::fs::write(&file, properties(directory, port, free_port()?))
            .doing("write Kafka's configuration")?;
        let mut format = self.java(directory, "kafka.tools.StorageTool");
        format.args(["format", "--cluster-id", CLUSTER_ID, "--config"]).arg(&file).stdin(Stdio::null());
        let output = format.output().doing("run Kafka's storage tool")?;
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(Problem::new(format!("Kafka's storage tool failed:\n{error}")));
        }
        Ok(())
    }

    fn serve(&self, directory: &Path, _port: u16) -> Command {
        let mut command = self.java_on(self.server, directory, "kafka.Kafka");
        command.arg(properties_file(directory));
        command
    }

    fn set(&self, command: &mut Command, name: &str, value: &str) {
        command.arg("--override").arg(format!("{name}={value}"));
    }

    fn readiness(&self) -> Readiness {
        Readiness::ListsItself
    }

    fn ended_cleanly(&self, status: ExitStatus) -> bool {
        status.code() == Some(EXIT_CODE_AFTER_SIGTERM)
    }
}
