//! Raw results, and tables of them.

mod file;
mod table;

pub use file::{Key, Point, Results};
pub use table::{Cell, cells, table};
