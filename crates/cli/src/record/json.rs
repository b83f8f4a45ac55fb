//! A record as one line of JSON: what `ottla consume --json` writes and `ottla produce --from-json` reads.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Header, base64};

/// A record. Bytes that are text stand as text; others as base64 under a name of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JsonRecord {
    /// Where it was read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) topic: Option<String>,
    /// Where it was read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) partition: Option<i32>,
    /// Where it was read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) offset: Option<i64>,
    /// In milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp: Option<i64>,
    /// `create` or `append`: whose time it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp_type: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<JsonHeader>,
    #[serde(default)]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_base64: Option<String>,
    #[serde(default)]
    value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonHeader {
    name: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
}

impl JsonRecord {
    /// A record of these bytes.
    pub(crate) fn new(key: Option<&[u8]>, value: Option<&[u8]>, headers: &[Header]) -> Self {
        let ((key, key_base64), (value, value_base64)) = (split(key), split(value));
        let header = |(name, value): &Header| {
            let (value, value_base64) = split(value.as_deref());
            JsonHeader { name: String::from_utf8_lossy(name).into_owned(), value, value_base64 }
        };
        let headers = headers.iter().map(header).collect();
        Self { headers, key, key_base64, value, value_base64, ..Self::default() }
    }

    /// Its key.
    pub(crate) fn key(&self) -> Result<Option<Bytes>, String> {
        join(self.key.as_deref(), self.key_base64.as_deref(), "key")
    }

    /// Its value.
    pub(crate) fn value(&self) -> Result<Option<Bytes>, String> {
        join(self.value.as_deref(), self.value_base64.as_deref(), "value")
    }

    /// Its headers.
    pub(crate) fn headers(&self) -> Result<Vec<Header>, String> {
        let header = |header: &JsonHeader| {
            let value = join(header.value.as_deref(), header.value_base64.as_deref(), "value")?;
            Ok((Bytes::copy_from_slice(header.name.as_bytes()), value))
        };
        self.headers.iter().map(header).collect()
    }
}

/// Bytes as text, or as base64.
fn split(bytes: Option<&[u8]>) -> (Option<String>, Option<String>) {
    match bytes.map(|bytes| std::str::from_utf8(bytes).map_err(|_| bytes)) {
        None => (None, None),
        Some(Ok(text)) => (Some(text.to_owned()), None),
        Some(Err(bytes)) => (None, Some(base64::encode(bytes))),
    }
}

fn join(text: Option<&str>, encoded: Option<&str>, name: &str) -> Result<Option<Bytes>, String> {
    match (text, encoded) {
        (Some(_), Some(_)) => Err(format!("{name} and {name}_base64 are both there; leave one out")),
        (Some(text), None) => Ok(Some(Bytes::copy_from_slice(text.as_bytes()))),
        (None, None) => Ok(None),
        (None, Some(encoded)) => {
            let bytes = base64::decode(encoded).ok_or_else(|| format!("{name}_base64 is no base64"))?;
            Ok(Some(bytes.into()))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let headers =
            [(Bytes::from_static(b"h"), None), (Bytes::from_static(b"h"), Some(Bytes::from_static(b"\xff")))];
        let record = JsonRecord::new(Some(b"\xfe"), Some("ö".as_bytes()), &headers);
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(
            text,
            r#"{"headers":[{"name":"h","value":null},{"name":"h","value":null,"value_base64":"/w=="}],"key":null,"key_base64":"/g==","value":"ö"}"#
        );
        let read: JsonRecord = serde_json::from_str(&text).unwrap();
        assert_eq!(read, record);
        assert_eq!(read.key().unwrap().as_deref(), Some(&b"\xfe"[..]));
        assert_eq!(read.value().unwrap().as_deref(), Some("ö".as_bytes()));
        assert_eq!(read.headers().unwrap(), headers);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let read = |text| serde_json::from_str::<JsonRecord>(text).map_err(|error| error.to_string());
        assert!(read(r#"{"vaule":"x"}"#).unwrap_err().contains("unknown field `vaule`"));
        let both = read(r#"{"value":"x","value_base64":"eA=="}"#).unwrap();
        assert!(both.value().unwrap_err().contains("both"));
        assert!(read(r#"{"key_base64":"?"}"#).unwrap().key().is_err());
    }
}
