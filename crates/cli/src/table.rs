//! Tables for people: columns of plain text, aligned, two spaces between them.

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
pub(crate) struct Table<const N: usize> {
    align: [Align; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table with these titles.
    pub(crate) fn new(columns: [(&str, Align); N]) -> Self {
        Self {
            align: columns.map(|(_, align)| align),
            rows: vec![columns.map(|(title, _)| title.to_owned())],
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    /// True when there are only titles.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.len() <= 1
    }

    /// The lines. Control characters, which a name from elsewhere may hold, are shown as a question mark.
    pub(crate) fn to_text(&self) -> String {
        let shown =
            |cell: &String| cell.chars().map(|c| if c.is_control() { '?' } else { c }).collect::<String>();
        let rows: Vec<[String; N]> = self.rows.iter().map(|row| row.each_ref().map(shown)).collect();
        let mut widths = [0; N];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let mut text = String::new();
        for row in &rows {
            let mut line = String::new();
            for ((cell, align), width) in row.iter().zip(self.align).zip(widths) {
                match align {
                    Align::Left => line.push_str(&format!("{cell:<width$}  ")),
                    Align::Right => line.push_str(&format!("{cell:>width$}  ")),
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new([("TOPIC", Align::Left), ("LAG", Align::Right), ("WHY", Align::Left)]);
        assert!(table.is_empty());
        table.row(["größer".to_owned(), "1".to_owned(), "a b".to_owned()]);
        table.row(["a\u{1b}[31m".to_owned(), "12345".to_owned(), String::new()]);
        assert_eq!(
            table.to_text(),
            "TOPIC     LAG  WHY\n\
             größer      1  a b\n\
             a?[31m  12345\n"
        );
    }
}
