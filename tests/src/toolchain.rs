//! Which of the ecosystems that the client programs need are on this machine.

use std::process::{Command, Stdio};

/// An ecosystem that client programs are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Toolchain {
    /// A JDK and Maven.
    Java,
    /// Go.
    Go,
    /// Python 3.9 or newer with its module `venv`.
    Python,
    /// Node and npm.
    Node,
}

/// What must run with exit code 0 for a toolchain to be usable, and what to say when it does not.
struct Check {
    program: &'static str,
    arguments: &'static [&'static str],
    needed: &'static str,
}

const JAVA: [Check; 2] = [
    // Apache Kafka itself needs 17. The source file mode, which exists from 11 on, would be slower than this.
    Check {
        program: "javac",
        arguments: &["--release", "17", "-version"],
        needed: "a JDK of version 17 or newer",
    },
    Check { program: "mvn", arguments: &["-version"], needed: "Maven" },
];
const GO: [Check; 1] = [Check { program: "go", arguments: &["version"], needed: "Go" }];
const PYTHON: [Check; 1] = [Check {
    program: "python3",
    arguments: &["-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))"],
    needed: "Python 3.9 or newer with venv (Debian: python3-venv)",
}];
const NODE: [Check; 2] = [
    Check { program: "node", arguments: &["--version"], needed: "Node" },
    Check { program: "npm", arguments: &["--version"], needed: "npm" },
];

impl Toolchain {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Java, Self::Go, Self::Python, Self::Node];

    /// What of this toolchain is missing on this machine, in words; `None` when it can be used.
    #[must_use]
    pub fn missing(self) -> Option<String> {
        missing(self.checks())
    }

    fn checks(self) -> &'static [Check] {
        match self {
            Self::Java => &JAVA,
            Self::Go => &GO,
            Self::Python => &PYTHON,
            Self::Node => &NODE,
        }
    }
}

fn missing(checks: &[Check]) -> Option<String> {
    let absent: Vec<&str> = checks.iter().filter(|check| !check.holds()).map(|check| check.needed).collect();
    (!absent.is_empty()).then(|| format!("this machine lacks {}", absent.join(" and ")))
}

impl Check {
    fn holds(&self) -> bool {
        let mut command = Command::new(self.program);
        command.args(self.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let present = Check { program: "true", arguments: &[], needed: "nothing" };
        let absent = Check { program: "no-such-program-of-ottla", arguments: &[], needed: "a dream" };
        let failing = Check { program: "false", arguments: &[], needed: "a newer version" };
        assert_eq!(missing(&[present]), None);
        assert_eq!(missing(&[absent, failing]).unwrap(), "this machine lacks a dream and a newer version");
    }
}
