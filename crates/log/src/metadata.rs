//! The file that says which topic a directory belongs to (`PartitionMetadataFile`).

use ottla_model::TopicId;

const VERSION_LINE: &str = "version: 0";
const TOPIC_ID_KEY: &str = "topic_id: ";

/// The text of the file.
pub(crate) fn to_text(topic_id: TopicId) -> String {
    format!("{VERSION_LINE}\n{TOPIC_ID_KEY}{topic_id}")
}

/// The topic id in a file's text; `None` when it is damaged.
pub(crate) fn parse(text: &str) -> Option<TopicId> {
    let mut lines = text.lines();
    if lines.next()? != VERSION_LINE {
        return None;
    }
    TopicId::parse(lines.next()?.strip_prefix(TOPIC_ID_KEY)?).filter(|id| !id.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        let id = TopicId::from_random(42 << 64);
        let text = to_text(id);
        assert_eq!(text, format!("version: 0\ntopic_id: {id}"));
        assert_eq!(parse(&text), Some(id));
        for bad in
            ["", "version: 1\ntopic_id: x", "version: 0", "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA"]
        {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
