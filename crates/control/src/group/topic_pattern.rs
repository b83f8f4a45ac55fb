//! Placeholder until the real one comes.
use std::collections::BTreeSet;

use ottla_model::TopicName;

use super::TopicsImage;

pub struct TopicPattern(String);

impl TopicPattern {
    pub fn compile(text: &str) -> Result<Self, String> {
        if text.contains("(") {
            Err(format!(
                "SubscribedTopicRegex `{text}` is not a valid regular expression: missing closing )."
            ))
        } else {
            Ok(Self(text.replace(".*", "")))
        }
    }

    pub fn topics(&self, topics: &TopicsImage) -> BTreeSet<TopicName> {
        topics
            .topics()
            .map(|topic| &topic.name)
            .filter(|name| name.as_str().starts_with(&self.0))
            .cloned()
            .collect()
    }
}
