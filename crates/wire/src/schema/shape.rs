//! The shape of a message at one version: what a walker needs, and nothing else.

/// A struct at one version.
#[derive(Debug)]
pub(crate) struct Shape {
    steps: Box<[Step]>,
    /// The tagged fields that have a schema; nothing when the version has no tagged fields at all.
    tags: Option<Box<[Tag]>>,
    bytes_min: usize,
    memory_bytes: usize,
}

/// One field, or a run of fields of fixed size.
#[derive(Debug)]
pub(crate) struct Step {
    /// Kafka's name of the (first) field.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Where in the run a field named `ErrorCode` is, in bytes.
    pub(crate) error_at: Option<usize>,
}

/// What a field looks like on the wire.
#[derive(Debug)]
pub(crate) enum Kind {
    /// So many bytes, of whatever value.
    Fixed(usize),
    Text {
        nullable: bool,
    },
    Bytes {
        nullable: bool,
    },
    Array {
        nullable: bool,
        element: Element,
    },
    Struct {
        nullable: bool,
        shape: Shape,
    },
}

/// What the elements of an array look like.
#[derive(Debug)]
pub(crate) enum Element {
    Fixed { bytes: usize, memory_bytes: usize },
    Text { memory_bytes: usize },
    Struct(Shape),
}

/// A tagged field. Without a step it belongs to other versions of the message.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) tag: u32,
    pub(crate) step: Option<Step>,
}

impl Shape {
    /// `memory_bytes` is the size of the decoded struct, with the fields of all versions and rounded here.
    pub(crate) fn new(steps: Vec<Step>, tags: Option<Vec<Tag>>, memory_bytes: usize, flexible: bool) -> Self {
        let fields: usize = steps.iter().map(|step| step.kind.bytes_min(flexible)).sum();
        Self {
            bytes_min: fields + usize::from(tags.is_some()),
            memory_bytes: memory_bytes.next_multiple_of(size_of::<usize>()),
            steps: steps.into(),
            tags: tags.map(Into::into),
        }
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(crate) fn tags(&self) -> Option<&[Tag]> {
        self.tags.as_deref()
    }

    /// The fewest bytes that the struct takes on the wire.
    pub(crate) fn bytes_min(&self) -> usize {
        self.bytes_min
    }

    /// The bytes that the decoded struct takes in memory, without what its fields point to.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }
}

impl Kind {
    pub(crate) fn set_nullable(&mut self) {
        match self {
            Self::Fixed(_) => {}
            Self::Text { nullable }
            | Self::Bytes { nullable }
            | Self::Array { nullable, .. }
            | Self::Struct { nullable, .. } => *nullable = true,
        }
    }

    fn bytes_min(&self, flexible: bool) -> usize {
        match self {
            Self::Fixed(bytes) => *bytes,
            Self::Text { .. } => text_bytes_min(flexible),
            Self::Bytes { .. } | Self::Array { .. } => {
                if flexible {
                    1
                } else {
                    4
                }
            }
            Self::Struct { nullable: true, .. } => 1,
            Self::Struct { nullable: false, shape } => shape.bytes_min(),
        }
    }
}

impl Element {
    /// The fewest bytes that an element takes on the wire; never 0, so that no count is free.
    pub(crate) fn bytes_min(&self, flexible: bool) -> usize {
        match self {
            Self::Fixed { bytes, .. } => *bytes,
            Self::Text { .. } => text_bytes_min(flexible),
            Self::Struct(shape) => shape.bytes_min().max(1),
        }
    }

    /// The bytes that a decoded element takes in memory, without what its fields point to.
    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            Self::Fixed { memory_bytes, .. } | Self::Text { memory_bytes } => *memory_bytes,
            Self::Struct(shape) => shape.memory_bytes(),
        }
    }
}

const fn text_bytes_min(flexible: bool) -> usize {
    if flexible { 1 } else { 2 }
}
