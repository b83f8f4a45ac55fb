//! Colour, on a terminal only.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;

/// Whether standard output shows colour; unset, as in tests, means that it does not.
static IS_ON: OnceLock<bool> = OnceLock::new();

/// Looks at standard output and at the environment: there is colour on a terminal, unless `NO_COLOR` is set
/// (no-color.org) or the terminal is a dumb one.
pub(crate) fn begin() {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    let _ = IS_ON.set(io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb);
}

fn is_on() -> bool {
    IS_ON.get().copied().unwrap_or(false)
}

/// A title.
pub(crate) fn title(text: &str) -> String {
    painted(text, "1")
}

fn painted(text: &str, code: &str) -> String {
    if is_on() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}
