//! The workspace manifest: every dependency has a reason.

use crate::files::SourceFile;

const SECTION: &str = "[workspace.dependencies]";

pub(crate) fn dependencies_without_reason(file: &SourceFile) -> Vec<String> {
    if file.path != "Cargo.toml" {
        return Vec::new();
    }
    let section = file.text.lines().skip_while(|line| *line != SECTION).skip(1);
    let mut faults = Vec::new();
    let mut has_reason = false;
    for line in section.take_while(|line| !line.starts_with('[')) {
        let name = line.split([' ', '=']).next().unwrap_or_default();
        if line.trim().is_empty() {
            has_reason = false;
        } else if line.starts_with('#') {
            has_reason = true;
        } else if line.starts_with(|first: char| first.is_alphabetic())
            && !name.starts_with("ottla-")
            && !has_reason
        {
            faults.push(format!("Cargo.toml: {name} has no comment above it: say why the project needs it"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::made_up;

    #[test]
    fn a_dependency_without_a_reason_is_found() {
        let with = |lines: &str| {
            let text = format!(
                "[workspace]\n{SECTION}\nottla-a = {{ path = \"a\" }}\n{lines}\n[profile.dev]\nopt = 1\n"
            );
            dependencies_without_reason(&made_up("Cargo.toml", &text))
        };
        assert!(with("\n# Two of one kind.\nb = \"1\"\nc = \"2\"\n").is_empty());
        assert_eq!(with("\nb = \"1\"\n").len(), 1);
        assert_eq!(with("\n# Why b.\nb = \"1\"\n\nc = \"2\"\n").len(), 1);
    }
}
