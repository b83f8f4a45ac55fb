//! Keeps two processes from one data directory.
//!
//! Apache Kafka takes a POSIX record lock on `.lock` (`FileChannel.tryLock`). So does this, and neither broker starts on
//! the directory of the other. Such a lock belongs to a process: it does not keep out a second broker in the same process,
//! and it is gone as soon as the process closes any descriptor of the file. The directory itself is locked first, with
//! `flock`, which belongs to a descriptor: whoever comes second in this process does not get to open the file.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;

/// The file, as Kafka names it.
const LOCK: &str = ".lock";

/// A locked directory. It is free when this is dropped.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    // In this order: while the file is being closed, the directory still keeps others of this process out.
    _file: Option<File>,
    _directory: File,
}

impl DirectoryLock {
    /// Locks a directory for a broker; `None` when somebody else has it.
    pub(super) fn take(path: &Path) -> io::Result<Option<Self>> {
        let directory = File::open(path)?;
        if !is_taken(directory.try_lock())? {
            return Ok(None);
        }
        let file = File::options().create(true).truncate(false).write(true).open(path.join(LOCK))?;
        let is_taken = is_recorded(fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive))?;
        Ok(is_taken.then_some(Self { _file: Some(file), _directory: directory }))
    }

    /// Keeps brokers from a directory that is only read, and leaves it as it is; `None` when a broker has it.
    pub(crate) fn keep_out_brokers(path: &Path) -> io::Result<Option<Self>> {
        let directory = File::open(path)?;
        if !is_taken(directory.try_lock_shared())? {
            return Ok(None);
        }
        let file = match File::open(path.join(LOCK)) {
            Ok(file) => Some(file),
            // No broker has ever had it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let lock = |file: &File| is_recorded(fcntl_lock(file, FlockOperation::NonBlockingLockShared));
        let is_taken = file.as_ref().map_or(Ok(true), lock)?;
        Ok(is_taken.then_some(Self { _file: file, _directory: directory }))
    }
}

fn is_taken(tried: Result<(), TryLockError>) -> io::Result<bool> {
    match tried {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn is_recorded(tried: rustix::io::Result<()>) -> io::Result<bool> {
    match tried {
        Ok(()) => Ok(true),
        Err(Errno::AGAIN | Errno::ACCESS) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::{Child, ChildStdout, Command, Stdio};

    use super::*;

    /// Tells the helper process what to lock.
    const PATH_VARIABLE: &str = "OTTLA_TEST_LOCK_FILE";

    /// What Kafka does, in a process of its own, as the other tests start it: takes a POSIX lock, says whether it got it,
    /// and holds it until its input ends. Without them there is nothing to do.
    #[test]
    fn helper() {
        let Some(path) = std::env::var_os(PATH_VARIABLE) else { return };
        let file = File::options().create(true).truncate(false).write(true).open(path).expect("opened");
        let taken = fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
        writeln!(io::stdout(), "lock: {taken}").expect("told");
        io::stdin().read_line(&mut String::new()).expect("ended");
    }

    /// A process that has tried to lock.
    struct Other {
        child: Child,
        /// Kept open: what it says last must have somewhere to go.
        _says: BufReader<ChildStdout>,
    }

    /// Starts one, and tells whether it got the lock.
    fn other_process(directory: &Path) -> (Other, bool) {
        let name = "shard::directory_lock::tests::helper";
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", name, "--nocapture"])
            .env(PATH_VARIABLE, directory.join(LOCK))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let mut says = BufReader::new(child.stdout.take().expect("piped"));
        let told = says.by_ref().lines().map(|line| line.expect("text")).find_map(|line| {
            let (_, taken) = line.split_once("lock: ")?;
            taken.parse::<bool>().ok()
        });
        (Other { child, _says: says }, told.expect("it tells"))
    }

    fn end(mut other: Other) {
        drop(other.child.stdin.take());
        other.child.wait().expect("ended");
    }

    #[test]
    fn a_directory_that_kafka_has_is_locked_and_free_when_it_ends() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let (kafka, taken) = other_process(directory.path());
        assert!(taken);
        assert!(DirectoryLock::take(directory.path()).expect("asked").is_none());
        assert!(DirectoryLock::keep_out_brokers(directory.path()).expect("asked").is_none());
        end(kafka);
        assert!(DirectoryLock::take(directory.path()).expect("asked").is_some());
        let reader = DirectoryLock::keep_out_brokers(directory.path()).expect("asked").expect("free");
        let (kafka, taken) = other_process(directory.path());
        assert!(!taken && DirectoryLock::take(directory.path()).expect("asked").is_none());
        end(kafka);
        drop(reader);
    }

    #[test]
    fn kafka_is_kept_out_also_after_a_second_try_of_the_same_process() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let held = DirectoryLock::take(directory.path()).expect("asked").expect("free");
        // It must not open the file: to close it again would give up the first one's lock.
        assert!(DirectoryLock::take(directory.path()).expect("asked").is_none());
        assert!(DirectoryLock::keep_out_brokers(directory.path()).expect("asked").is_none());
        let (kafka, taken) = other_process(directory.path());
        assert!(!taken);
        end(kafka);
        drop(held);
        let (kafka, taken) = other_process(directory.path());
        assert!(taken);
        end(kafka);
    }
}
