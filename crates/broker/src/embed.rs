//! Starts and stops a broker.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ottla_log::{Disk, MemoryDisk, RealDisk};
use tokio::runtime::{self, Handle, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::SystemClock;
use crate::error::OpenError;
use crate::server::{Connections, Listener, MetricsListener, RequestMemory, parse_listener};
use crate::settings::{SettingError, Settings, broker_listeners};
use crate::shard::{Flusher, Lock, Place, Seams, Shard};

/// How long a stop waits for connections to notice.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// The directory's name on a disk in memory.
const MEMORY_PATH: &str = "/ottla";

/// Where a broker listens.
#[derive(Debug, Default)]
enum Listen {
    /// On a free port of the loopback address: what a test wants.
    #[default]
    FreePort,
    /// Where `listeners` says.
    AsSet,
    /// Here.
    At(String),
    /// On sockets that somebody else has bound, each under a listener's name.
    Inherited(Vec<(String, std::net::TcpListener)>),
}

/// How a broker will start.
#[derive(Debug, Default)]
pub struct Builder {
    settings: Settings,
    listen: Listen,
    data_dir: Option<PathBuf>,
    memory: bool,
    worker_threads: Option<usize>,
}

impl Builder {
    /// Takes these settings in place of the defaults.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets one setting by Kafka's name.
    ///
    /// # Errors
    /// [`SettingError`] for an unknown name or a value that does not fit.
    pub fn set(mut self, name: &str, value: &str) -> Result<Self, SettingError> {
        self.settings.set(name, value)?;
        Ok(self)
    }

    /// Listens here, as `HOST:PORT` or `NAME://HOST:PORT`. Port 0 picks a free one. Without this the broker listens on
    /// a free port of the loopback address.
    #[must_use]
    pub fn listen(mut self, address: &str) -> Self {
        self.listen = Listen::At(address.to_owned());
        self
    }

    /// Listens where the setting `listeners` says.
    #[must_use]
    pub fn listen_as_set(mut self) -> Self {
        self.listen = Listen::AsSet;
        self
    }

    /// Serves on sockets that listen already, such as those of socket activation, in place of `listeners`. Each comes with
    /// the name of its listener, by which `advertised.listeners` is found.
    #[must_use]
    pub fn inherit(mut self, sockets: Vec<(String, std::net::TcpListener)>) -> Self {
        self.listen = Listen::Inherited(sockets);
        self
    }

    /// Keeps data in this directory, in place of `log.dirs`.
    #[must_use]
    pub fn data_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(path.into());
        self
    }

    /// Keeps everything in memory and writes nothing to disk.
    #[must_use]
    pub fn memory(mut self) -> Self {
        self.memory = true;
        self
    }

    /// Threads that serve requests; without it, one a processor.
    #[must_use]
    pub fn worker_threads(mut self, threads: usize) -> Self {
        self.worker_threads = Some(threads);
        self
    }

    /// Starts the broker. When this returns, it answers.
    ///
    /// # Errors
    /// [`OpenError`] when the data directory or the address cannot be used.
    pub fn start(mut self) -> Result<Broker, OpenError> {
        let runtime = Threads(Some(self.runtime()?));
        let handle = runtime.handle()?;
        let entered = handle.enter();
        // The port is taken first: of two brokers started by mistake the second must not touch the data.
        let listeners = self.listeners()?;
        let address = listeners.first().map(|listener| listener.address).ok_or_else(|| {
            OpenError::Listener { text: String::new(), reason: "there is no listener".to_owned() }
        })?;
        let metrics = self.metrics_listener()?;
        let metrics_address = metrics.as_ref().map(|listener| listener.address);
        let place = self.place();
        // What DescribeConfigs tells is what is in force.
        let mut settings = self.settings;
        let bound: Vec<String> =
            listeners.iter().map(|listener| format!("{}://{}", listener.name, listener.address)).collect();
        let log_dirs = vec![place.path.display().to_string()];
        settings.started_with(bound, log_dirs);
        let connections = Arc::new(Connections::default());
        let memory = RequestMemory::new(settings.queued_max_request_bytes);
        let clock = Arc::new(SystemClock::new());
        let flusher = Arc::new(Flusher::new(Arc::clone(&clock) as _, settings.ottla_flush_background_ms));
        let seams = Seams::one_node(Arc::clone(&flusher) as _);
        let shard = Shard::open(settings, place, clock, seams)?;
        let (stop, stopped) = watch::channel(false);
        let mut tasks = Vec::with_capacity(listeners.len().saturating_add(1));
        for listener in listeners {
            let serve =
                listener.serve(Arc::clone(&shard), Arc::clone(&connections), memory.clone(), stopped.clone());
            tasks.push(handle.spawn(serve));
        }
        tasks.push(handle.spawn(flusher.run(Arc::clone(shard.shared_sync()), stopped.clone())));
        if let Some(listener) = metrics {
            tasks.push(handle.spawn(listener.serve(Arc::clone(&shard), stopped.clone())));
        }
        tasks.push(handle.spawn(Arc::clone(&shard).keep_house(stopped.clone())));
        tasks.push(handle.spawn(Arc::clone(&shard).run_cleaner(stopped.clone())));
        tasks.push(handle.spawn(Arc::clone(&shard).run_markers(stopped.clone())));
        let timers = Arc::clone(&shard);
        tasks.push(handle.spawn(async move { timers.run_timers(stopped).await }));
        drop(entered);
        Ok(Broker { address, metrics_address, shard, stop, tasks, runtime })
    }

    fn runtime(&self) -> Result<Runtime, OpenError> {
        let mut builder = runtime::Builder::new_multi_thread();
        if let Some(threads) = self.worker_threads {
            builder.worker_threads(threads.max(1));
        }
        builder
            .thread_name("ottla")
            .enable_all()
            .build()
            .map_err(|error| OpenError::Runtime(error.to_string()))
    }

    /// Takes the ports.
    fn listeners(&mut self) -> Result<Vec<Listener>, OpenError> {
        let settings = &self.settings;
        let written = match std::mem::take(&mut self.listen) {
            Listen::FreePort => vec!["127.0.0.1:0".to_owned()],
            Listen::AsSet => broker_listeners(settings).cloned().collect(),
            Listen::At(address) => vec![address],
            Listen::Inherited(sockets) => {
                let adopt = |(name, socket)| Listener::adopt(name, socket, settings);
                return sockets.into_iter().map(adopt).collect();
            }
        };
        let addresses: Result<Vec<_>, _> = written.iter().map(|text| parse_listener(text)).collect();
        addresses?.into_iter().map(|address| Listener::bind(address, settings)).collect()
    }

    fn metrics_listener(&self) -> Result<Option<MetricsListener>, OpenError> {
        let written = &self.settings.ottla_metrics_listener;
        if written.is_empty() {
            return Ok(None);
        }
        let address = parse_listener(written)?;
        MetricsListener::bind(&address, self.settings.socket_listen_backlog_size).map(Some)
    }

    fn place(&self) -> Place {
        if self.memory {
            let disk: Arc<dyn Disk> = Arc::new(MemoryDisk::default());
            return Place { disk, path: PathBuf::from(MEMORY_PATH), lock: Lock::None };
        }
        let configured = self.settings.log_dirs.first().map(PathBuf::from);
        let path = self.data_dir.clone().or(configured).unwrap_or_else(|| PathBuf::from("ottla-data"));
        Place { disk: Arc::new(RealDisk), path, lock: Lock::File }
    }
}

/// The threads of a broker. Dropped where it may not block, such as inside a test's own runtime after a start that failed,
/// a runtime would panic.
#[derive(Debug)]
struct Threads(Option<Runtime>);

impl Threads {
    fn handle(&self) -> Result<Handle, OpenError> {
        let stopped = || OpenError::Runtime("they have stopped".to_owned());
        self.0.as_ref().map(|runtime| runtime.handle().clone()).ok_or_else(stopped)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A running broker. It stops when it is dropped.
pub struct Broker {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    shard: Arc<Shard>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    runtime: Threads,
}

impl Broker {
    /// Begins with the default settings.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where the first listener listens, with its real port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where `GET /metrics` is answered, with its real port; nowhere unless `ottla.metrics.listener` says so.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Stops: connections are closed, logs are flushed, and the next start needs no scan.
    pub fn stop(mut self) {
        self.stop_once();
    }

    fn stop_once(&mut self) {
        let Some(runtime) = self.runtime.0.take() else { return };
        // Nobody listening any more is as good as being told.
        let _ = self.stop.send(true);
        let tasks = std::mem::take(&mut self.tasks);
        // Dropped inside a test's own runtime this thread may not block on another one; a plain thread may.
        let joined = std::thread::spawn(move || {
            runtime.block_on(async {
                let all = async {
                    for task in tasks {
                        // A task that panicked has ended too.
                        let _ = task.await;
                    }
                };
                let _ = tokio::time::timeout(STOP_PATIENCE, all).await;
            });
            runtime.shutdown_timeout(STOP_PATIENCE);
        });
        let _ = joined.join();
        self.shard.close();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stop_once();
    }
}

impl std::fmt::Debug for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broker").field("address", &self.address).finish_non_exhaustive()
    }
}
