//! The form in which the schemas are kept, and how a shape is made from it.
//!
//! One line of text a message, in the words of Kafka's own schemas:
//!
//! ```text
//! TransactionalId:string? Acks:int16 TopicData:[Name:string@0-12 TopicId:uuid@13+ Partitions:[int32]]
//! ```
//!
//! A field is its name and type. `[..]` is an array of a primitive type or of structs, `(..)` a struct. Then
//! follow, where they apply: `?` null is allowed (`?2-7`: in these versions only), `#1` it is tagged field 1,
//! `@13+` or `@0-12` the versions that have it. `records` are bytes here.

use std::ops::RangeInclusive;

use super::shape::{Element, Kind, Shape, Step, Tag};

/// The name of the fields that say what went wrong.
const ERROR_CODE: &str = "ErrorCode";

/// [`Message::flexible_from`] of a message that has no flexible version.
pub(super) const NEVER: i16 = i16::MAX;

/// One message at all its versions.
pub(super) struct Message {
    pub(super) key: i16,
    pub(super) name: &'static str,
    pub(super) versions: RangeInclusive<i16>,
    /// First version with compact lengths and tagged fields (KIP-482).
    pub(super) flexible_from: i16,
    fields: &'static str,
}

/// One line of a table.
pub(super) const fn message(
    key: i16,
    name: &'static str,
    versions: RangeInclusive<i16>,
    flexible_from: i16,
    fields: &'static str,
) -> Message {
    Message { key, name, versions, flexible_from, fields }
}

impl Message {
    pub(super) const fn version_count(&self) -> usize {
        (*self.versions.end() - *self.versions.start()) as usize + 1
    }

    /// The first version with a throttle time as its first field; nothing when it stands elsewhere.
    pub(super) fn throttle_time_from(&self) -> Option<i16> {
        let rest = self.fields.strip_prefix("ThrottleTimeMs:int32")?;
        match rest.strip_prefix('@') {
            Some(versions) => versions.split_once('+')?.0.parse().ok(),
            None => Some(*self.versions.start()),
        }
    }

    /// The shape at `version`; nothing when the text is not of the form above, which a test rules out.
    pub(super) fn shape(&self, version: i16) -> Option<Shape> {
        let flexible = version >= self.flexible_from;
        let mut text = Text { rest: self.fields, version, flexible, keeps_tags: self.flexible_from != NEVER };
        let shape = text.fields()?;
        text.rest.is_empty().then_some(shape)
    }
}

/// In-memory size of `Bytes`, of a string and of either as an `Option`.
const SLICE_MEMORY_BYTES: usize = 32;
/// In-memory size of a `Vec` or a `BTreeMap`, without what it holds.
const COLLECTION_MEMORY_BYTES: usize = 24;

/// What is left to read of the text of a message.
struct Text {
    rest: &'static str,
    version: i16,
    flexible: bool,
    /// Whether `kafka-protocol` gives the structs of the message a map of unknown tagged fields.
    keeps_tags: bool,
}

/// What a type is at one version.
struct Type {
    kind: Kind,
    memory_bytes: usize,
}

impl Text {
    fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        found
    }

    /// Takes the longest prefix of which every byte passes.
    fn take_while(&mut self, passes: impl Fn(u8) -> bool) -> &'static str {
        let length = self.rest.bytes().take_while(|&byte| passes(byte)).count();
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        self.rest = rest;
        taken
    }

    fn number(&mut self) -> Option<i16> {
        self.take_while(|byte| byte.is_ascii_digit()).parse().ok()
    }

    /// True when the version is in the range that follows; a missing range holds all versions.
    fn in_range(&mut self) -> Option<bool> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Some(true);
        }
        let first = self.number()?;
        let last = if self.take(b'+') {
            i16::MAX
        } else {
            self.take(b'-').then_some(())?;
            self.number()?
        };
        Some((first..=last).contains(&self.version))
    }

    /// Fields up to the end or a closing bracket.
    fn fields(&mut self) -> Option<Shape> {
        let mut steps: Vec<Step> = Vec::new();
        let mut tags = Vec::new();
        let mut memory_bytes = if self.keeps_tags { COLLECTION_MEMORY_BYTES } else { 0 };
        loop {
            self.take_while(|byte| byte == b' ');
            if matches!(self.peek(), None | Some(b']' | b')')) {
                break;
            }
            let name = self.take_while(|byte| byte.is_ascii_alphanumeric());
            self.take(b':').then_some(())?;
            let mut field = self.kind()?;
            memory_bytes += field.memory_bytes;
            if self.take(b'?') && self.in_range()? {
                field.kind.set_nullable();
            }
            let tag = if self.take(b'#') { Some(self.number()?) } else { None };
            let exists = !self.take(b'@') || self.in_range()?;
            let error_at = (name == ERROR_CODE).then_some(0);
            let step = exists.then_some(Step { name, kind: field.kind, error_at });
            match (tag, step) {
                (Some(tag), step) => tags.push(Tag { tag: u32::try_from(tag).ok()?, step }),
                (None, Some(step)) => push(&mut steps, step),
                (None, None) => {}
            }
        }
        Some(Shape::new(steps, self.flexible.then_some(tags), memory_bytes, self.flexible))
    }

    fn kind(&mut self) -> Option<Type> {
        if self.take(b'[') {
            let element = match self.primitive() {
                Some(Type { kind: Kind::Fixed(bytes), memory_bytes }) => {
                    Element::Fixed { bytes, memory_bytes }
                }
                Some(Type { kind: Kind::Text { .. }, .. }) => {
                    Element::Text { memory_bytes: SLICE_MEMORY_BYTES }
                }
                Some(_) => return None,
                None => Element::Struct(self.fields()?),
            };
            self.take(b']').then_some(())?;
            let kind = Kind::Array { nullable: false, element };
            return Some(Type { kind, memory_bytes: COLLECTION_MEMORY_BYTES });
        }
        if self.take(b'(') {
            let shape = self.fields()?;
            self.take(b')').then_some(())?;
            // An `Option` of a struct finds room in the pointers of the struct, or takes a word more.
            let memory_bytes = shape.memory_bytes() + size_of::<usize>();
            return Some(Type { kind: Kind::Struct { nullable: false, shape }, memory_bytes });
        }
        self.primitive()
    }

    /// A primitive type; takes nothing when the next word is the name of a field.
    fn primitive(&mut self) -> Option<Type> {
        let word = self.rest.split(|end: char| !end.is_ascii_alphanumeric()).next()?;
        let fixed = |bytes| Type { kind: Kind::Fixed(bytes), memory_bytes: bytes };
        let slice = |kind| Type { kind, memory_bytes: SLICE_MEMORY_BYTES };
        let found = match word {
            "bool" | "int8" => fixed(1),
            "int16" | "uint16" => fixed(2),
            "int32" => fixed(4),
            "int64" | "float64" => fixed(8),
            "uuid" => fixed(16),
            "string" => slice(Kind::Text { nullable: false }),
            "bytes" | "records" => slice(Kind::Bytes { nullable: false }),
            _ => return None,
        };
        self.rest = self.rest.get(word.len()..)?;
        Some(found)
    }
}

/// Adds a step; neighbours of a fixed size become one, named after the first.
fn push(steps: &mut Vec<Step>, step: Step) {
    if let (Some(Step { kind: Kind::Fixed(before), error_at, .. }), Kind::Fixed(bytes)) =
        (steps.last_mut(), &step.kind)
    {
        *error_at = error_at.or(step.error_at.map(|_| *before));
        *before += bytes;
    } else {
        steps.push(step);
    }
}
