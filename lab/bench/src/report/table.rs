//! A table of text: aligned in a terminal, Markdown in a document.

use std::fmt;

use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
pub struct Table {
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(title: &str, columns: &[&str]) -> Self {
        Self {
            title: title.to_owned(),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column));
        cells
            .chain(self.columns.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    }

    fn line(&self, f: &mut fmt::Formatter<'_>, cells: &[String]) -> fmt::Result {
        for (column, cell) in cells.iter().enumerate() {
            write!(f, "| {cell:<width$} ", width = self.width(column))?;
        }
        writeln!(f, "|")
    }
}

/// Markdown whose columns also line up in a terminal.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.title)?;
        self.line(f, &self.columns)?;
        let rules: Vec<_> = (0..self.columns.len())
            .map(|column| "-".repeat(self.width(column)))
            .collect();
        self.line(f, &rules)?;
        for row in &self.rows {
            self.line(f, row)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new("Speed", &["way", "payments/s"]);
        table.row(["direct".to_owned(), "12 ×".to_owned()]);
        assert_eq!(
            table.to_string(),
            "Speed\n\n\
             | way    | payments/s |\n\
             | ------ | ---------- |\n\
             | direct | 12 ×       |\n"
        );
    }
}
