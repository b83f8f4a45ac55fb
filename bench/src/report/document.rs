//! The document, and the part of it that is written by this program.

use std::path::Path;

use ottla_tests::problem::{Doing, Problem};
use serde_json::Value;

use crate::results::Results;

const BEGIN: &str = "<!-- measured: written by `cargo bench-versus report` -->\n";
const END: &str = "<!-- end of measured -->\n";

/// Replaces what stands between the markers.
pub(super) fn replace(document: &Path, text: &str) -> Result<(), Problem> {
    let old = std::fs::read_to_string(document).doing(format_args!("read {}", document.display()))?;
    let new = replaced(&old, text);
    let new = new.ok_or_else(|| Problem::new(format!("{} lacks its markers", document.display())))?;
    std::fs::write(document, new).doing(format_args!("write {}", document.display()))
}

fn replaced(old: &str, text: &str) -> Option<String> {
    let (before, rest) = old.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{text}\n{END}{after}"))
}

/// A line that tells on what a file was measured.
pub(super) fn machine(results: &Results) -> String {
    let head = &results.head;
    let machine = head.get("machine").unwrap_or(&Value::Null);
    let text = |name: &str| match machine.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "unknown".to_owned(),
    };
    let command = head.get("command").and_then(Value::as_str).unwrap_or_default();
    let name = results.path().file_name().unwrap_or_default().to_string_lossy();
    format!(
        "* {}: {} cores of {}, {} of memory, {}, commit {}; load before {}. `{command}`, raw results in \
         `docs/measurements/{name}`.\n",
        text("date"),
        text("cores"),
        text("processor"),
        text("memory"),
        text("kernel"),
        text("commit"),
        text("load_average_before"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let old = format!("# A\n{BEGIN}old\n{END}rest\n");
        let new = replaced(&old, "new").unwrap();
        assert_eq!(new, format!("# A\n{BEGIN}\nnew\n{END}rest\n"));
        assert_eq!(replaced(&new, "new").unwrap(), new);
        assert!(replaced("# A\n", "new").is_none());
    }
}
