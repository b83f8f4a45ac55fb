//! Walks a body along the shape of its message.

use super::shape::{Element, Kind, Shape, Step};
use super::{DECODED_BYTES_FREE, DECODED_BYTES_PER_BYTE};
use crate::malformed::{Malformed, PATH_FIELDS_MAX, Reason};
use crate::reader::STRING_BYTES_MAX;

/// What the allocator adds to a block of memory, rounded up.
const ALLOCATION_BYTES: usize = 16;

/// What the first unknown tagged field of a struct costs: a leaf of the `BTreeMap<i32, Bytes>` in which
/// `kafka-protocol` keeps it, with room for eleven.
const FIRST_TAG_BYTES: usize = 416 + ALLOCATION_BYTES;

/// What every further one costs: leaves are at worst 5 of 11 full, inner nodes likewise.
const NEXT_TAG_BYTES: usize = 112;

/// A walk over one body.
pub(super) struct Walk<'a> {
    body: &'a [u8],
    position: usize,
    flexible: bool,
    cost_bytes: usize,
    cost_bytes_max: usize,
    /// Every error code that is not 0, when they are wanted.
    errors: Option<Vec<i16>>,
    /// Names of the fields around the place of an error, innermost first.
    path: [&'static str; PATH_FIELDS_MAX],
    path_fields: usize,
}

/// Walks all of `body` and returns what decoding it costs, in bytes of memory.
pub(super) fn walk(shape: &Shape, flexible: bool, body: &[u8]) -> Result<usize, Malformed> {
    let mut walk = Walk::new(flexible, body);
    match walk.message(shape) {
        Ok(()) => Ok(walk.cost_bytes),
        Err(reason) => Err(Malformed::new(reason, walk.position).within(walk.path)),
    }
}

/// The error codes in `body` that are not 0, up to the first byte that does not follow the shape.
pub(super) fn errors(shape: &Shape, flexible: bool, body: &[u8]) -> Vec<i16> {
    let mut walk = Walk { errors: Some(Vec::new()), ..Walk::new(flexible, body) };
    // A body that does not follow the shape tells what it told up to there.
    let _ = walk.message(shape);
    walk.errors.unwrap_or_default()
}

impl<'a> Walk<'a> {
    fn new(flexible: bool, body: &'a [u8]) -> Self {
        Self {
            body,
            position: 0,
            flexible,
            cost_bytes: 0,
            cost_bytes_max: body
                .len()
                .saturating_mul(DECODED_BYTES_PER_BYTE)
                .saturating_add(DECODED_BYTES_FREE),
            errors: None,
            path: [""; PATH_FIELDS_MAX],
            path_fields: 0,
        }
    }
}

impl Walk<'_> {
    fn message(&mut self, shape: &Shape) -> Result<(), Reason> {
        self.cost(shape.memory_bytes())?;
        self.fields(shape)?;
        if self.left() == 0 { Ok(()) } else { Err(Reason::Trailing) }
    }

    fn fields(&mut self, shape: &Shape) -> Result<(), Reason> {
        for step in shape.steps() {
            self.step(step)?;
        }
        match shape.tags() {
            Some(_) => self.tagged_fields(shape),
            None => Ok(()),
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), Reason> {
        self.note_error(step);
        self.field(&step.kind).inspect_err(|_| {
            if let Some(name) = self.path.get_mut(self.path_fields) {
                *name = step.name;
                self.path_fields += 1;
            }
        })
    }

    fn note_error(&mut self, step: &Step) {
        let (Some(at), Some(errors)) = (step.error_at, &mut self.errors) else { return };
        let bytes = self.body.get(self.position.saturating_add(at)..).and_then(|rest| rest.first_chunk());
        let code = bytes.map_or(0, |bytes| i16::from_be_bytes(*bytes));
        if code != 0 {
            errors.push(code);
        }
    }

    fn field(&mut self, kind: &Kind) -> Result<(), Reason> {
        match kind {
            Kind::Fixed(bytes) => self.skip(*bytes),
            Kind::Text { nullable } => self.text(*nullable),
            Kind::Bytes { nullable } => {
                let length = self.length(*nullable)?;
                self.skip(length.unwrap_or(0))
            }
            Kind::Array { nullable, element } => self.array(*nullable, element),
            Kind::Struct { nullable: false, shape } => self.fields(shape),
            Kind::Struct { nullable: true, shape } => self.nullable_struct(shape),
        }
    }

    /// Kafka takes any positive marker, `kafka-protocol` only 1, and everybody writes 1.
    fn nullable_struct(&mut self, shape: &Shape) -> Result<(), Reason> {
        match self.byte()? {
            0xff => Ok(()),
            1 => self.fields(shape),
            _ => Err(Reason::StructMarker),
        }
    }

    fn array(&mut self, nullable: bool, element: &Element) -> Result<(), Reason> {
        let Some(count) = self.length(nullable)? else { return Ok(()) };
        if count == 0 {
            return Ok(());
        }
        if count.saturating_mul(element.bytes_min(self.flexible)) > self.left() {
            return Err(Reason::Elements);
        }
        self.cost(count.saturating_mul(element.memory_bytes()).saturating_add(ALLOCATION_BYTES))?;
        match element {
            Element::Fixed { bytes, .. } => self.skip(count.saturating_mul(*bytes)),
            Element::Text { .. } => (0..count).try_for_each(|_| self.text(false)),
            Element::Struct(shape) => (0..count).try_for_each(|_| self.fields(shape)),
        }
    }

    fn tagged_fields(&mut self, shape: &Shape) -> Result<(), Reason> {
        let count = self.varint()?;
        let mut unknown = 0usize;
        for _ in 0..count {
            let tag = self.varint()?;
            let length = self.varint()? as usize;
            if length > self.left() {
                return Err(Reason::Truncated);
            }
            let end = self.position.saturating_add(length);
            match shape.tags().unwrap_or_default().iter().find(|known| known.tag == tag) {
                Some(known) => self.step(known.step.as_ref().ok_or(Reason::TagVersion)?)?,
                None => {
                    self.cost(if unknown == 0 { FIRST_TAG_BYTES } else { NEXT_TAG_BYTES })?;
                    unknown = unknown.saturating_add(1);
                    self.position = end;
                }
            }
            if self.position != end {
                return Err(Reason::TagLength);
            }
        }
        Ok(())
    }

    fn text(&mut self, nullable: bool) -> Result<(), Reason> {
        let length = if self.flexible { self.compact_length()? } else { i64::from(self.int16()?) };
        let Some(length) = check_length(length, nullable)? else { return Ok(()) };
        if length > STRING_BYTES_MAX {
            return Err(Reason::StringTooLong);
        }
        let start = self.position;
        self.skip(length)?;
        let text = self.body.get(start..self.position).unwrap_or_default();
        if std::str::from_utf8(text).is_ok() { Ok(()) } else { Err(Reason::NotUtf8) }
    }

    fn length(&mut self, nullable: bool) -> Result<Option<usize>, Reason> {
        let length = if self.flexible { self.compact_length()? } else { i64::from(self.int32()?) };
        check_length(length, nullable)
    }

    fn compact_length(&mut self) -> Result<i64, Reason> {
        Ok(i64::from(self.varint()?) - 1)
    }

    /// An unsigned varint of at most 32 bits. Kafka and `kafka-protocol` drop the bits beyond; nobody sends any.
    fn varint(&mut self) -> Result<u32, Reason> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            if shift == 28 && byte > 0x0f {
                return Err(Reason::Varint);
            }
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        Ok(value)
    }

    fn byte(&mut self) -> Result<u8, Reason> {
        let byte = *self.body.get(self.position).ok_or(Reason::Truncated)?;
        self.position += 1;
        Ok(byte)
    }

    fn int16(&mut self) -> Result<i16, Reason> {
        self.bytes().map(i16::from_be_bytes)
    }

    fn int32(&mut self) -> Result<i32, Reason> {
        self.bytes().map(i32::from_be_bytes)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Reason> {
        let rest = self.body.get(self.position..).unwrap_or_default();
        let (bytes, _) = rest.split_first_chunk::<N>().ok_or(Reason::Truncated)?;
        self.position += N;
        Ok(*bytes)
    }

    fn left(&self) -> usize {
        self.body.len().saturating_sub(self.position)
    }

    fn skip(&mut self, count: usize) -> Result<(), Reason> {
        if count > self.left() {
            return Err(Reason::Truncated);
        }
        self.position += count;
        Ok(())
    }

    fn cost(&mut self, bytes: usize) -> Result<(), Reason> {
        self.cost_bytes = self.cost_bytes.saturating_add(bytes);
        if self.cost_bytes > self.cost_bytes_max { Err(Reason::Memory) } else { Ok(()) }
    }
}

/// -1 is null; a length fits 31 bits in both encodings.
fn check_length(length: i64, nullable: bool) -> Result<Option<usize>, Reason> {
    match length {
        -1 if nullable => Ok(None),
        -1 => Err(Reason::Null),
        0..=0x7fff_ffff => usize::try_from(length).map(Some).map_err(|_| Reason::Length),
        _ => Err(Reason::Length),
    }
}
