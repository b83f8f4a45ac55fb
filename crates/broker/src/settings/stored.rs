//! Settings of Apache Kafka 4.3.1 that mean nothing here: accepted, so that a `server.properties` is taken as it is,
//! checked and described as Kafka does, and without effect.

mod controllers;
mod quotas;
mod replication;
mod security;
mod share;
mod threads;
mod tiers;

use super::table::Row;

/// Rows in the order name, type, Kafka's default, which values, when a change is taken and how much it matters. All rows
/// of a file have one reason why they have no effect.
macro_rules! stored {
    ($why:literal; $($name:literal, $kind:ident, $default:expr, $check:expr, $update:ident $importance:ident;)*) => {
        pub(super) const ROWS: &[crate::settings::table::Row] = {
            #[allow(unused_imports, reason = "not every file has a row with a check")]
            use crate::settings::table::{Effect, Importance, Row, Update};
            use crate::settings::value::{Check, Kind};
            &[$(Row {
                name: $name,
                kind: Kind::$kind,
                check: $check,
                update: Update::$update,
                importance: Importance::$importance,
                doc: $why,
                effect: Effect::Stored { default: $default },
            },)*]
        };
    };
}
use stored;

/// The rows, theme by theme.
pub(super) const STORED: &[&[Row]] = &[
    threads::ROWS,
    quotas::ROWS,
    controllers::ROWS,
    replication::ROWS,
    tiers::ROWS,
    share::ROWS,
    security::ROWS,
];
