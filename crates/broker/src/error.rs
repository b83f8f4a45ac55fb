//! Why a broker does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a broker does not start. One line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the data directory.
    #[error(
        "the data directory {path} is used by another process; stop it or choose another one with --data-dir"
    )]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The data directory cannot be used.
    #[error("cannot use the data directory {path}: {reason}")]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A partition's files cannot be opened.
    #[error("cannot open the log of {partition}: {reason}")]
    Log {
        /// The partition, as `TOPIC-NUMBER`.
        partition: String,
        /// What is wrong.
        reason: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// A listener is written wrongly.
    #[error("invalid listener '{text}': {reason}")]
    Listener {
        /// What was given.
        text: String,
        /// What would be right.
        reason: String,
    },
    /// The threads could not be started.
    #[error("cannot start threads: {0}")]
    Runtime(String),
}
