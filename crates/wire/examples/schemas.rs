//! Writes `src/schema/requests.rs` and `src/schema/responses.rs` from Kafka's message schemas.
//!
//!     cargo run -p ottla-wire --example schemas -- DIRECTORY crates/wire/src/schema
//!     cargo fmt -p ottla-wire
//!
//! DIRECTORY is `common/message` of an unpacked kafka-clients jar. Taken are all requests that a broker's
//! listener answers, and their responses. `src/schema/text.rs` tells the form of the result.

#![allow(clippy::indexing_slicing)] // `Value` answers null for what is not there, it does not panic.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use serde_json::Value;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [from, to] = arguments.as_slice() else {
        return Err("usage: schemas DIRECTORY_OF_JSON DIRECTORY_OF_TABLES".into());
    };
    let mut requests = BTreeMap::new();
    let mut responses = BTreeMap::new();
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if path.extension().is_none_or(|extension| extension != "json") || !name.ends_with("Request") {
            continue;
        }
        let request = read(&path)?;
        let listeners = request["listeners"].as_array().cloned().unwrap_or_default();
        if listeners.iter().any(|listener| listener == "broker") {
            let key = request["apiKey"].as_i64().ok_or("no apiKey")?;
            let response =
                read(&path.with_file_name(format!("{}.json", name.replace("Request", "Response"))))?;
            requests.insert(key, message(key, "Request", &request)?);
            responses.insert(key, message(key, "Response", &response)?);
        }
    }
    fs::write(Path::new(to).join("requests.rs"), table("REQUESTS", "requests", &requests))?;
    fs::write(Path::new(to).join("responses.rs"), table("RESPONSES", "responses", &responses))?;
    Ok(())
}

/// JSON with `//` comments, which stand on lines of their own or behind the last value of a line.
fn read(path: &Path) -> Outcome<Value> {
    let text = fs::read_to_string(path)?;
    let mut json = String::new();
    for line in text.lines() {
        let mut in_string = false;
        let mut end = line.len();
        for (place, character) in line.char_indices() {
            in_string ^= character == '"';
            if !in_string && line[place..].starts_with("//") {
                end = place;
                break;
            }
        }
        json.push_str(&line[..end]);
        json.push('\n');
    }
    serde_json::from_str(&json).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn table(constant: &str, what: &str, messages: &BTreeMap<i64, String>) -> String {
    let mut text = format!(
        "//! Schemas of the {what} that a broker's listener answers.\n//!\n\
         //! Made by `examples/schemas.rs` from the message schemas of kafka-clients 4.3.1, which is under the\n\
         //! Apache License 2.0. Not edited by hand.\n\n\
         use super::text::{{Message, NEVER, message}};\n\n\
         pub(super) const {constant}: [Message; {}] = [\n",
        messages.len()
    );
    for message in messages.values() {
        text.push_str(message);
    }
    text.push_str("];\n");
    text
}

fn message(key: i64, suffix: &str, json: &Value) -> Outcome<String> {
    let name = json["name"].as_str().ok_or("no name")?.trim_end_matches(suffix);
    let valid = Range::parse(json["validVersions"].as_str().ok_or("no validVersions")?)?;
    let flexible = match json["flexibleVersions"].as_str().ok_or("no flexibleVersions")? {
        "none" => "NEVER".to_owned(),
        range => Range::parse(range)?.first.to_string(),
    };
    let mut structs = BTreeMap::new();
    for common in json["commonStructs"].as_array().into_iter().flatten() {
        structs.insert(common["name"].as_str().unwrap_or_default(), &common["fields"]);
    }
    let words = Fields { valid, structs }.words(&json["fields"])?;
    Ok(format!(
        "message({key}, \"{name}\", {}..={}, {flexible}, {}),\n",
        valid.first,
        valid.last,
        wrap(&words)
    ))
}

/// A string literal that is folded between words.
fn wrap(words: &str) -> String {
    let mut literal = String::from("\"");
    let mut column = 0;
    for word in words.split(' ') {
        if column + word.len() > 95 {
            literal.push_str("\\\n         ");
            column = 0;
        }
        literal.push_str(word);
        literal.push(' ');
        column += word.len() + 1;
    }
    format!("{}\"", literal.trim_end())
}

#[derive(Clone, Copy, PartialEq)]
struct Range {
    first: i16,
    last: i16,
}

impl Range {
    fn parse(text: &str) -> Outcome<Self> {
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (first.parse()?, last.parse()?),
            None => match text.strip_suffix('+') {
                Some(first) => (first.parse()?, i16::MAX),
                None => (text.parse()?, text.parse()?),
            },
        };
        Ok(Self { first, last })
    }

    /// The part inside `other`, or nothing.
    fn within(self, other: Self) -> Option<Self> {
        let both = Self { first: self.first.max(other.first), last: self.last.min(other.last) };
        (both.first <= both.last).then_some(both)
    }

    /// How the range is written where `valid` is what there is; nothing when it is all of it.
    fn text(self, valid: Self) -> String {
        if self == valid {
            String::new()
        } else if self.last == valid.last {
            format!("{}+", self.first)
        } else {
            format!("{}-{}", self.first, self.last)
        }
    }
}

struct Fields<'a> {
    valid: Range,
    structs: BTreeMap<&'a str, &'a Value>,
}

impl Fields<'_> {
    fn words(&self, fields: &Value) -> Outcome<String> {
        let mut words = Vec::new();
        for field in fields.as_array().ok_or("no fields")? {
            words.extend(self.word(field)?);
        }
        Ok(words.join(" "))
    }

    fn word(&self, field: &Value) -> Outcome<Option<String>> {
        let text = |key: &str| field[key].as_str();
        let name = text("name").ok_or("a field without name")?;
        let Some(versions) = Range::parse(text("versions").ok_or("no versions")?)?.within(self.valid) else {
            return Ok(None);
        };
        let mut word = format!("{name}:{}", self.kind(field)?);
        let nullable = text("nullableVersions").map(Range::parse).transpose()?;
        if let Some(nullable) = nullable.and_then(|nullable| nullable.within(versions)) {
            write!(word, "?{}", nullable.text(versions))?;
        }
        if let Some(tagged) = text("taggedVersions") {
            if Range::parse(tagged)?.within(self.valid) != Some(versions) {
                return Err(format!("{name} is tagged in some of its versions only").into());
            }
            write!(word, "#{}", field["tag"].as_u64().ok_or("no tag")?)?;
        }
        if versions != self.valid {
            write!(word, "@{}", versions.text(self.valid))?;
        }
        Ok(Some(word))
    }

    fn kind(&self, field: &Value) -> Outcome<String> {
        let kind = field["type"].as_str().ok_or("no type")?;
        let (array, element) = match kind.strip_prefix("[]") {
            Some(element) => (true, element),
            None => (false, kind),
        };
        let inner = if element.starts_with(char::is_lowercase) {
            element.to_owned()
        } else {
            let own = &field["fields"];
            let fields =
                if own.is_array() { own } else { self.structs.get(element).ok_or("unknown struct")? };
            self.words(fields)?
        };
        Ok(match (array, inner == element) {
            (true, _) => format!("[{inner}]"),
            (false, true) => inner,
            (false, false) => format!("({inner})"),
        })
    }
}
