//! Valid bodies of every API and version, made from the schemas.

use crate::schema::{Element, Kind, Shape, Step, Tag, request_shape, response_shape};

/// What to put into a sample.
#[derive(Debug, Clone)]
pub struct Fill<'a> {
    /// Number of elements of every array, but of the one that `many` names.
    pub elements: usize,
    /// Path and number of elements of one array.
    pub many: Option<(&'a [&'static str], usize)>,
    /// Content of every string and of all bytes.
    pub text: &'a str,
    /// Every byte of every number, id and boolean.
    pub byte: u8,
    /// Null where null is allowed.
    pub nulls: bool,
    /// Write the tagged fields that the schema knows.
    pub known_tags: bool,
    /// Number of unknown tagged fields at the end of every struct.
    pub unknown_tags: u32,
}

impl Default for Fill<'_> {
    /// The smallest body: empty arrays, empty strings, nulls, zeros.
    fn default() -> Self {
        Self { elements: 0, many: None, text: "", byte: 0, nulls: true, known_tags: false, unknown_tags: 0 }
    }
}

/// A valid body and the places of its lengths.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// The body.
    pub bytes: Vec<u8>,
    /// Its lengths, in order.
    pub lengths: Vec<Length>,
}

/// Where a length stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Length {
    /// Its first byte.
    pub position: usize,
    /// Its number of bytes.
    pub bytes: usize,
    /// How it is written.
    pub form: LengthForm,
    /// What it is the length of, outermost field first.
    pub path: Vec<&'static str>,
}

/// How a length is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LengthForm {
    /// Two bytes; -1 is null.
    Int16,
    /// Four bytes; -1 is null.
    Int32,
    /// A varint of one more than the length; 0 is null.
    Compact,
    /// A varint of the length or count itself: tagged fields.
    Varint,
}

impl LengthForm {
    /// The bytes of `length` in this form. What does not fit wraps, as in a hostile message.
    #[must_use]
    pub fn encode(self, length: i64) -> Vec<u8> {
        match self {
            Self::Int16 => (length as i16).to_be_bytes().to_vec(),
            Self::Int32 => (length as i32).to_be_bytes().to_vec(),
            Self::Compact => varint(length.wrapping_add(1) as u32),
            Self::Varint => varint(length as u32),
        }
    }
}

fn varint(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

impl Sample {
    /// The body with another value in place of one length.
    #[must_use]
    pub fn with_length(&self, length: &Length, value: i64) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes
            .splice(length.position..length.position.saturating_add(length.bytes), length.form.encode(value));
        bytes
    }
}

/// A valid body of a request; `None` for an API or version that Kafka 4.3.1 does not have.
#[must_use]
pub fn sample_request(api_key: i16, version: i16, fill: &Fill<'_>) -> Option<Sample> {
    request_shape(api_key, version).map(|(flexible, shape)| sample(flexible, shape, fill))
}

/// A valid body of a response; `None` for an API or version that Kafka 4.3.1 does not have.
#[must_use]
pub fn sample_response(api_key: i16, version: i16, fill: &Fill<'_>) -> Option<Sample> {
    response_shape(api_key, version).map(|(flexible, shape)| sample(flexible, shape, fill))
}

/// The paths of all arrays of a request, outermost first; empty for what Kafka 4.3.1 does not have.
#[must_use]
pub fn request_arrays(api_key: i16, version: i16) -> Vec<Vec<&'static str>> {
    let mut arrays = Vec::new();
    if let Some((_, shape)) = request_shape(api_key, version) {
        collect_arrays(shape, &mut Vec::new(), &mut arrays);
    }
    arrays
}

fn collect_arrays(shape: &Shape, path: &mut Vec<&'static str>, arrays: &mut Vec<Vec<&'static str>>) {
    let tagged = shape.tags().unwrap_or_default().iter().filter_map(|tag| tag.step.as_ref());
    for step in shape.steps().iter().chain(tagged) {
        path.push(step.name);
        match &step.kind {
            Kind::Array { element, .. } => {
                arrays.push(path.clone());
                if let Element::Struct(inner) = element {
                    collect_arrays(inner, path, arrays);
                }
            }
            Kind::Struct { shape, .. } => collect_arrays(shape, path, arrays),
            _ => {}
        }
        path.pop();
    }
}

fn sample(flexible: bool, shape: &Shape, fill: &Fill<'_>) -> Sample {
    let mut sampler = Sampler { fill, flexible, sample: Sample::default(), path: Vec::new() };
    sampler.fields(shape);
    sampler.sample
}

struct Sampler<'a> {
    fill: &'a Fill<'a>,
    flexible: bool,
    sample: Sample,
    path: Vec<&'static str>,
}

impl Sampler<'_> {
    fn fields(&mut self, shape: &Shape) {
        for step in shape.steps() {
            self.step(step);
        }
        if let Some(tags) = shape.tags() {
            self.tagged_fields(tags);
        }
    }

    fn step(&mut self, step: &Step) {
        self.path.push(step.name);
        let nulls = self.fill.nulls;
        match &step.kind {
            Kind::Fixed(bytes) => {
                self.sample.bytes.resize(self.sample.bytes.len().saturating_add(*bytes), self.fill.byte);
            }
            Kind::Text { nullable } if *nullable && nulls => self.length(LengthForm::Int16, -1),
            Kind::Text { .. } => self.text(LengthForm::Int16),
            Kind::Bytes { nullable } if *nullable && nulls => self.length(LengthForm::Int32, -1),
            Kind::Bytes { .. } => self.text(LengthForm::Int32),
            Kind::Array { nullable, element } => self.array(*nullable && nulls, element),
            Kind::Struct { nullable: true, .. } if nulls && !self.on_the_way() => {
                self.sample.bytes.push(0xff);
            }
            Kind::Struct { nullable, shape } => {
                if *nullable {
                    self.sample.bytes.push(1);
                }
                self.fields(shape);
            }
        }
        self.path.pop();
    }

    /// True for the array that [`Fill::many`] names and for the fields around it.
    fn on_the_way(&self) -> bool {
        self.fill.many.is_some_and(|(path, _)| path.starts_with(&self.path))
    }

    fn array(&mut self, null: bool, element: &Element) {
        if null && !self.on_the_way() {
            return self.length(LengthForm::Int32, -1);
        }
        let count = match self.fill.many {
            Some((path, count)) if path == self.path => count,
            _ if self.on_the_way() => 1,
            _ => self.fill.elements,
        };
        self.length(LengthForm::Int32, i64::try_from(count).unwrap_or(i64::MAX));
        for _ in 0..count {
            match element {
                Element::Fixed { bytes, .. } => {
                    self.sample.bytes.resize(self.sample.bytes.len().saturating_add(*bytes), self.fill.byte);
                }
                Element::Text { .. } => self.text(LengthForm::Int16),
                Element::Struct(shape) => self.fields(shape),
            }
        }
    }

    fn text(&mut self, form: LengthForm) {
        self.length(form, i64::try_from(self.fill.text.len()).unwrap_or(i64::MAX));
        self.sample.bytes.extend_from_slice(self.fill.text.as_bytes());
    }

    /// A length; `form` is that of a version that is not flexible.
    fn length(&mut self, form: LengthForm, length: i64) {
        let form = match form {
            LengthForm::Int16 | LengthForm::Int32 if self.flexible => LengthForm::Compact,
            form => form,
        };
        let encoded = form.encode(length);
        let position = self.sample.bytes.len();
        self.sample.lengths.push(Length { position, bytes: encoded.len(), form, path: self.path.clone() });
        self.sample.bytes.extend(encoded);
    }

    fn tagged_fields(&mut self, tags: &[Tag]) {
        let known: Vec<(u32, &Step)> = tags
            .iter()
            .filter_map(|tag| Some((tag.tag, tag.step.as_ref()?)))
            .filter(|(_, step)| {
                self.path.push(step.name);
                let on_the_way = self.on_the_way();
                self.path.pop();
                self.fill.known_tags || on_the_way
            })
            .collect();
        let count = known.len().saturating_add(self.fill.unknown_tags as usize);
        self.length(LengthForm::Varint, i64::try_from(count).unwrap_or(i64::MAX));
        for (tag, step) in known {
            self.sample.bytes.extend(varint(tag));
            self.tagged_field(step);
        }
        for tag in 0..self.fill.unknown_tags {
            // No schema has tags of this size.
            self.sample.bytes.extend(varint(tag.saturating_add(1000)));
            self.length(LengthForm::Varint, 0);
        }
    }

    /// The length of a tagged field and its content, which comes first to know the length.
    fn tagged_field(&mut self, step: &Step) {
        let outer = std::mem::take(&mut self.sample);
        self.step(step);
        let inner = std::mem::replace(&mut self.sample, outer);
        self.length(LengthForm::Varint, i64::try_from(inner.bytes.len()).unwrap_or(i64::MAX));
        let start = self.sample.bytes.len();
        self.sample.bytes.extend(inner.bytes);
        self.sample.lengths.extend(
            inner
                .lengths
                .into_iter()
                .map(|length| Length { position: length.position.saturating_add(start), ..length }),
        );
    }
}
