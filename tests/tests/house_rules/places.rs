//! Places that mean something on one machine or in one network only, and so have no business in the repository.

use crate::files::SourceFile;

/// Directories in which people and machines keep their own things, without the slashes around them.
const MACHINE_DIRECTORIES: [&str; 4] = ["root", "opt", "home", "work"];

/// The hosts of package registries, in two halves, so that this file does not name them.
const REGISTRY_HOSTS: [(&str, &str); 12] = [
    ("registry.npmjs", ".org"),
    ("registry.yarnpkg", ".com"),
    ("files.pythonhosted", ".org"),
    ("pypi", ".org"),
    ("proxy.golang", ".org"),
    ("sum.golang", ".org"),
    ("static.crates", ".io"),
    ("index.crates", ".io"),
    ("repo1.maven", ".org"),
    ("repo.maven.apache", ".org"),
    ("repo.maven", ".org"),
    ("deb.debian", ".org"),
];

pub(crate) fn machine_paths(file: &SourceFile) -> Vec<String> {
    let path = &file.path;
    let mut faults = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for directory in MACHINE_DIRECTORIES {
            let place = format!("/{directory}/");
            if line.match_indices(&place).any(|(start, _)| begins_a_path(&line[..start])) {
                let number = index + 1;
                faults.push(format!(
                    "{path}:{number}: {place} is a place on one machine: name it from the repository"
                ));
            }
        }
    }
    faults
}

/// Whether a slash after this text is the first of a path, not one in the middle of a longer one.
fn begins_a_path(before: &str) -> bool {
    !before.ends_with(|last: char| last.is_alphanumeric() || "._-/}~$)*@".contains(last))
}

pub(crate) fn registry_hosts(file: &SourceFile) -> Vec<String> {
    if file.path == "Cargo.lock" {
        return Vec::new();
    }
    let path = &file.path;
    let hosts = REGISTRY_HOSTS.map(|(first, second)| format!("{first}{second}"));
    let named = hosts.iter().filter(|host| file.text.contains(host.as_str()));
    named
        .map(|host| format!("{path} names {host}: leave the registry to the ecosystem's own default"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::made_up;

    #[test]
    fn paths_of_one_machine_are_found() {
        for directory in MACHINE_DIRECTORIES {
            let faults = machine_paths(&made_up("docs/a.md", &format!("see\n`/{directory}/x` there\n")));
            assert!(faults[0].starts_with("docs/a.md:2: "), "{faults:?}");
            assert!(machine_paths(&made_up("a.md", &format!("target/{directory}/x"))).is_empty());
            assert!(
                machine_paths(&made_up("a.md", &format!("https://example.org/{directory}/x"))).is_empty()
            );
        }
    }

    #[test]
    fn registries_are_found_outside_of_the_lock_file() {
        for (first, second) in REGISTRY_HOSTS {
            let text = format!("from https://{first}{second}/x\n");
            assert!(!registry_hosts(&made_up("docs/a.md", &text)).is_empty());
            assert!(registry_hosts(&made_up("Cargo.lock", &text)).is_empty());
        }
    }
}
