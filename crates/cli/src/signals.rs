//! Ctrl-C and SIGTERM, for commands that end what they are doing before they go.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

/// The exit code of a process that Ctrl-C ended, for the one who does not want to wait.
const INTERRUPTED: i32 = 130;

/// Says whether a signal has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Catches both signals from now on. The second one ends the process at once.
    pub(crate) fn catch() -> io::Result<Self> {
        let stop = Self::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let entered = runtime.enter();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        drop(entered);
        let caught = stop.clone();
        std::thread::spawn(move || {
            runtime.block_on(async {
                loop {
                    std::future::poll_fn(|context| {
                        let came = interrupt.poll_recv(context).is_ready()
                            || terminate.poll_recv(context).is_ready();
                        if came { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
                    })
                    .await;
                    if caught.0.swap(true, Ordering::SeqCst) {
                        std::process::exit(INTERRUPTED);
                    }
                }
            });
        });
        Ok(stop)
    }

    /// True once a signal has come.
    pub(crate) fn is_asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
