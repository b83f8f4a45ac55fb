//! `ottla serve`.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use ottla_broker::{Broker, Loaded, Sources};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::ask;
use crate::logs::{self, LogFormat};
use crate::service_manager;

/// Runs a broker.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen; port 0 picks a free one [default: what a service manager hands over, or 127.0.0.1:9092]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,

    /// Where to keep data [default: ./ottla-data]
    #[arg(long, value_name = "DIR", conflicts_with = "memory")]
    data_dir: Option<PathBuf>,

    /// Keep everything in memory and write nothing to disk
    #[arg(long)]
    memory: bool,

    /// Read settings from a file like Apache Kafka's server.properties
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Set one of Apache Kafka's broker settings, or one of ottla's own
    #[arg(short = 'c', value_name = "KEY=VALUE")]
    pairs: Vec<String>,

    /// How log lines are written, on standard error
    #[arg(long, value_enum, default_value = "text")]
    log_format: LogFormat,
}

impl Serve {
    /// Serves until a signal says stop.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        logs::begin(self.log_format);
        let sources = Sources { pairs: self.pairs, environment: ask::environment(), file: self.config };
        let Loaded { settings, warnings, without_effect, .. } = sources.load()?;
        warnings.iter().for_each(|warning| warn!("{warning}"));
        if !without_effect.is_empty() {
            info!("settings of Apache Kafka without effect here: {}", without_effect.join(", "));
        }
        let handed_over = service_manager::sockets(std::env::var("LISTEN_FDNAMES").ok())?;
        let mut builder = Broker::builder().settings(settings);
        builder = match &self.listen {
            Some(address) => builder.listen(address),
            None if handed_over.is_empty() => builder.listen_as_set(),
            None => builder.inherit(handed_over),
        };
        if let Some(path) = self.data_dir {
            builder = builder.data_dir(path);
        }
        if self.memory {
            builder = builder.memory();
        }
        raise_descriptor_limit();
        serve(builder)
    }
}

/// Takes as many descriptors as the system grants, as the JVM does: a partition and a connection each need one.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        warn!(%error, "cannot raise the limit of open files from {:?}", limit.current);
    }
}

fn serve(builder: ottla_broker::Builder) -> Result<(), Box<dyn Error>> {
    // Signals are caught before the broker is up, so that none kills it half started.
    let waiting = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let entered = waiting.enter();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let broker = builder.start()?;
    drop(entered);
    if let Some(address) = broker.metrics_address() {
        info!("metrics are at http://{address}/metrics");
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "ottla ready {}", broker.address())?;
    out.flush()?;
    drop(out);
    service_manager::tell_ready();
    waiting.block_on(async {
        std::future::poll_fn(|context| {
            let stopped = terminate.poll_recv(context).is_ready() || interrupt.poll_recv(context).is_ready();
            if stopped { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    });
    info!("stopping");
    service_manager::tell_stopping();
    broker.stop();
    Ok(())
}
