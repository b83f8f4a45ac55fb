//! What crates and documents begin with.

use crate::files::SourceFile;

pub(crate) fn crate_without_description(file: &SourceFile) -> Vec<String> {
    let is_crate = file.path.ends_with("src/lib.rs") || file.path.ends_with("src/main.rs");
    if !is_crate || file.text.starts_with("//!") {
        return Vec::new();
    }
    vec![format!(
        "{} does not begin with //!: say in its first lines what the crate is and what it may not know",
        file.path
    )]
}

pub(crate) fn titles(file: &SourceFile) -> Vec<String> {
    if !file.path.ends_with(".md") {
        return Vec::new();
    }
    let titles = title_count(&file.text);
    if titles == 1 {
        return Vec::new();
    }
    vec![format!("{} has {titles} lines that begin with \"# \": a document has one title", file.path)]
}

/// Counts the titles outside of fenced code, where a `#` begins a comment.
fn title_count(text: &str) -> usize {
    let mut is_code = false;
    let mut count = 0;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code && line.starts_with("# ") {
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::made_up;

    #[test]
    fn a_crate_without_a_description_is_found() {
        assert_eq!(crate_without_description(&made_up("crates/a/src/lib.rs", "mod b;\n")).len(), 1);
        assert!(crate_without_description(&made_up("crates/a/src/lib.rs", "//! A.\n")).is_empty());
        assert!(crate_without_description(&made_up("crates/a/src/b.rs", "mod b;\n")).is_empty());
    }

    #[test]
    fn a_document_without_or_with_two_titles_is_found() {
        assert_eq!(titles(&made_up("a.md", "text\n")).len(), 1);
        assert_eq!(titles(&made_up("a.md", "# A\n\n# B\n")).len(), 1);
        assert!(titles(&made_up("a.md", "# A\n\n```sh\n# a comment\n```\n\n## B\n")).is_empty());
    }
}
