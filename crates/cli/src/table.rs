//! Tables for people: columns of plain text, aligned, two spaces between them.

use crate::paint;

/// How a column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Names and sentences.
    Left,
    /// Numbers.
    Right,
}

/// A table that is being made.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: usize,
}

#[derive(Debug)]
struct Column {
    align: Align,
    /// The title and the cells under it.
    cells: Vec<String>,
}

impl Table {
    /// A table with these titles.
    pub(crate) fn new<'a>(columns: impl AsRef<[(&'a str, Align)]>) -> Self {
        let column = |&(title, align): &(&str, Align)| Column { align, cells: vec![title.to_owned()] };
        Self { columns: columns.as_ref().iter().map(column).collect(), rows: 0 }
    }

    /// Adds a row; it has as many cells as there are columns. Control characters, which a name from elsewhere may hold,
    /// are shown as question marks.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let shown = |c: char| if c.is_control() { '?' } else { c };
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.cells.push(cell.chars().map(shown).collect());
        }
        self.rows += 1;
    }

    /// True when there are only titles.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The lines.
    pub(crate) fn to_text(&self) -> String {
        let mut lines = vec![String::new(); self.rows + 1];
        for Column { align, cells } in &self.columns {
            let width = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
            for (line, cell) in lines.iter_mut().zip(cells) {
                match align {
                    Align::Left => line.push_str(&format!("{cell:<width$}  ")),
                    Align::Right => line.push_str(&format!("{cell:>width$}  ")),
                }
            }
        }
        let shown = |(row, line): (usize, &String)| {
            let line = line.trim_end();
            format!("{}\n", if row == 0 { paint::title(line) } else { line.to_owned() })
        };
        lines.iter().enumerate().map(shown).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new([("TOPIC", Align::Left), ("LAG", Align::Right), ("WHY", Align::Left)]);
        assert!(table.is_empty());
        table.row(vec!["größer".to_owned(), "1".to_owned(), "a b".to_owned()]);
        table.row(vec!["a\u{1b}[31m".to_owned(), "12345".to_owned(), String::new()]);
        assert!(!table.is_empty());
        assert_eq!(
            table.to_text(),
            "TOPIC     LAG  WHY\n\
             größer      1  a b\n\
             a?[31m  12345\n"
        );
    }
}
