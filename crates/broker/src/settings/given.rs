//! What somebody has set, by name.

use std::collections::BTreeMap;
use std::fmt;

/// Names and values as they were given, checked, in Kafka's print. Its debug output names the settings only: among the
/// values are passwords.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Given(BTreeMap<String, String>);

impl Given {
    /// The value that was given for a name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn put(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), value);
    }

    /// All of it, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
