//! Words that are not written here. They are put together from two halves in this file, which is checked too.

use crate::files::SourceFile;

/// The one file that may hold unsafe code.
const UNSAFE_FILE: &str = "crates/log/src/disk/map.rs";

const UNFINISHED: [&str; 4] =
    [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("FIX", "ME"), concat!("XX", "X")];

const SLEEPS: [&str; 2] = [concat!("thread::sl", "eep"), concat!("time::sl", "eep(")];

const IGNORE: &str = concat!("#[ign", "ore");

/// The lint and its levels may be named; code may not be unsafe.
pub(crate) fn unsafe_code(file: &SourceFile) -> Vec<String> {
    if !file.is_rust() || file.path == UNSAFE_FILE {
        return Vec::new();
    }
    let is_unsafe = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        ["{", "fn ", "impl ", "trait ", "extern "]
            .iter()
            .any(|what| code.contains(&format!("{UNSAFE} {what}")))
            || code.contains(ALLOW_UNSAFE)
    };
    faults(file, file.text.lines().enumerate().map(|(index, line)| (index + 1, line)), is_unsafe, |_| {
        format!("unsafe code belongs into {UNSAFE_FILE} alone: find a safe way or a crate that offers one")
    })
}

const UNSAFE: &str = concat!("un", "safe");
const ALLOW_UNSAFE: &str = concat!("allow(un", "safe_code");

pub(crate) fn unfinished(file: &SourceFile) -> Vec<String> {
    // Words of other people's licences and of digests are not ours.
    if file.path == "LICENSE" || is_lock_file(&file.path) {
        return Vec::new();
    }
    let lines = file.text.lines().enumerate().map(|(index, line)| (index + 1, line));
    faults(
        file,
        lines,
        |line| UNFINISHED.iter().any(|word| line.contains(word)),
        |line| format!("{:?} marks unfinished work: finish it or open an issue", line.trim()),
    )
}

pub(crate) fn sleeps_in_tests(file: &SourceFile) -> Vec<String> {
    if !file.is_rust() {
        return Vec::new();
    }
    faults(
        file,
        file.test_lines(),
        |line| SLEEPS.iter().any(|word| line.contains(word)),
        |_| {
            "a test that sleeps is slow or unsure: wait for the condition itself, or hand the code a clock"
                .to_owned()
        },
    )
}

pub(crate) fn ignored_tests(file: &SourceFile) -> Vec<String> {
    if !file.is_rust() {
        return Vec::new();
    }
    let lines = file.text.lines().enumerate().map(|(index, line)| (index + 1, line));
    faults(
        file,
        lines,
        |line| line.contains(IGNORE),
        |_| "a test that nobody runs proves nothing: mend it, or make it a command of its own".to_owned(),
    )
}

/// Whether an ecosystem's tool writes this file.
pub(crate) fn is_lock_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "Cargo.lock" | "package-lock.json" | "go.sum") || name.ends_with(".lock")
}

fn faults<'a>(
    file: &SourceFile,
    lines: impl Iterator<Item = (usize, &'a str)>,
    is_fault: impl Fn(&str) -> bool,
    advice: impl Fn(&str) -> String,
) -> Vec<String> {
    let path = &file.path;
    lines
        .filter(|(_, line)| is_fault(line))
        .map(|(number, line)| format!("{path}:{number}: {}", advice(line)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::made_up;

    #[test]
    fn unsafe_code_is_found_everywhere_but_in_its_file() {
        let block = format!("let x = {UNSAFE} {{ y() }};\n");
        assert_eq!(unsafe_code(&made_up("crates/log/src/lib.rs", &block)).len(), 1);
        assert_eq!(unsafe_code(&made_up("a.rs", &format!("#![{ALLOW_UNSAFE})]\n"))).len(), 1);
        assert!(unsafe_code(&made_up(UNSAFE_FILE, &block)).is_empty());
        assert!(
            unsafe_code(&made_up("a.rs", "// It would be unsafe { } to do so.\n#![deny(unsafe_code)]\n"))
                .is_empty()
        );
    }

    #[test]
    fn unfinished_work_is_found() {
        for word in UNFINISHED {
            let faults = unfinished(&made_up("docs/a.md", &format!("fine\nnot fine: {word}\n")));
            assert!(faults[0].starts_with("docs/a.md:2: "), "{faults:?}");
            assert!(unfinished(&made_up("tests/clients/a/package-lock.json", word)).is_empty());
        }
    }

    #[test]
    fn sleeps_are_found_in_tests_only() {
        for word in SLEEPS {
            let sleep = format!("    {word}(x);\n");
            assert_eq!(sleeps_in_tests(&made_up("tests/src/a.rs", &sleep)).len(), 1);
            assert_eq!(
                sleeps_in_tests(&made_up("crates/a/src/b.rs", &format!("#[cfg(test)]\n{sleep}"))).len(),
                1
            );
            assert!(sleeps_in_tests(&made_up("crates/a/src/b.rs", &sleep)).is_empty());
        }
    }

    #[test]
    fn ignored_tests_are_found() {
        assert_eq!(ignored_tests(&made_up("a.rs", &format!("{IGNORE}]\nfn x() {{}}\n"))).len(), 1);
        assert!(ignored_tests(&made_up("a.rs", "#[test]\n")).is_empty());
    }
}
