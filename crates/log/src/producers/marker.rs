//! The record that ends a transaction (`EndTransactionMarker`).

use bytes::Buf;

use crate::batch::Record;

/// Key type of an abort and of a commit (`ControlRecordType`).
const ABORT: i16 = 0;
const COMMIT: i16 = 1;

/// What the end marker of a transaction says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EndMarker {
    pub(crate) coordinator_epoch: i32,
    pub(crate) timestamp: i64,
}

impl EndMarker {
    /// Reads the record of a control batch; `None` when it is of another type.
    pub(crate) fn parse(record: &Record) -> Option<Self> {
        let mut key = record.key.as_deref()?;
        let _version = key.try_get_i16().ok()?;
        if !matches!(key.try_get_i16().ok()?, ABORT | COMMIT) {
            return None;
        }
        let mut value = record.value.as_deref()?;
        let _version = value.try_get_i16().ok()?;
        Some(Self { coordinator_epoch: value.try_get_i32().ok()?, timestamp: record.timestamp })
    }
}
