//! Why a request is not granted.

use ottla_model::ErrorCode;

/// Kafka's code, with a sentence for responses that have room for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::group) struct Refusal {
    pub(in crate::group) error: ErrorCode,
    pub(in crate::group) message: Box<str>,
}

impl Refusal {
    pub(super) fn new(error: ErrorCode, message: impl Into<Box<str>>) -> Self {
        Self { error, message: message.into() }
    }
}
