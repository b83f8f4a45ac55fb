//! The mount namespace of the test.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use ottla_tests::ottla::{BINARY_VARIABLE, Ottla};
use ottla_tests::problem::{Doing, Problem};

use crate::mounts::Disk;

/// What may be mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ground {
    /// File systems in memory, by anybody who may make a user namespace.
    UserNamespace,
    /// File systems on a loop device, too, by root.
    Root,
}

/// Tells the program, started again in its namespace, that it is there.
const VARIABLE: &str = "OTTLA_TESTS_GROUND";

/// The ways into a namespace, best first, by the arguments of unshare(1).
const WAYS: [(Ground, &str, &[&str]); 2] = [
    (Ground::Root, "root", &["--mount", "--propagation", "private"]),
    (Ground::UserNamespace, "user", &["--map-root-user", "--mount", "--propagation", "private"]),
];

/// Starts this program again in a mount namespace, with the broker built before. Gives the ground when it is there
/// already, and none where there is no way in.
pub(crate) fn enter() -> Result<Option<Ground>, Problem> {
    if let Some(ground) = env::var_os(VARIABLE) {
        return Ok(WAYS.iter().find(|(_, name, _)| ground == *name).map(|(ground, ..)| *ground));
    }
    let Some((_, name, arguments)) = WAYS.iter().find(|(_, _, arguments)| opens(arguments)) else {
        return Ok(None);
    };
    let binary = Ottla::find()?;
    let this = env::current_exe().doing("find this program")?;
    let mut command = Command::new("unshare");
    command.args(*arguments).arg("--").arg(this).args(env::args_os().skip(1));
    let error = command.env(VARIABLE, name).env(BINARY_VARIABLE, binary.binary()).exec();
    Err(error).doing("start unshare")
}

fn opens(arguments: &[&str]) -> bool {
    let mut command = Command::new("unshare");
    command.args(arguments).args(["--", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// What this ground lacks, in words.
pub(crate) fn lacks(ground: Option<Ground>, needed: Ground) -> Option<String> {
    let Some(ground) = ground else {
        return Some("this user may neither mount nor make a user namespace".to_owned());
    };
    if ground < needed {
        return Some("a file system on a loop device takes root".to_owned());
    }
    if needed == Ground::Root {
        return Disk::missing();
    }
    None
}
