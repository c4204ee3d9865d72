//! Rows in a frame, as the database's own clients show them.

use std::fmt::Write as _;
use std::io::{self, Write};

use payment_store::query::{Cell, Table};

use crate::output::safe;

/// A longer cell pushes the rest of its own line to the right, and widens no other line.
const WIDTH_MAX: usize = 120;

/// Written line by line: the whole text may take many times the memory of the rows.
pub fn write(table: &Table, out: &mut impl Write) -> io::Result<()> {
    if table.columns.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = table
        .columns
        .iter()
        .map(|column| safe(&column.name))
        .collect();
    let mut widths: Vec<_> = names.iter().map(|name| name.chars().count()).collect();
    for row in &table.rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = text(cell).chars().count().max(*width);
        }
    }
    for width in &mut widths {
        *width = WIDTH_MAX.min(*width);
    }
    let dashes: Vec<_> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
    let rule = format!("+{}+", dashes.join("+"));
    writeln!(out, "{rule}")?;
    for (name, width) in names.iter().zip(&widths) {
        write!(out, "| {name:<width$} ")?;
    }
    writeln!(out, "|\n{rule}")?;
    for row in &table.rows {
        for ((cell, width), column) in row.iter().zip(&widths).zip(&table.columns) {
            let text = text(cell);
            if column.is_number {
                write!(out, "| {text:>width$} ")?;
            } else {
                write!(out, "| {text:<width$} ")?;
            }
        }
        writeln!(out, "|")?;
    }
    if !table.rows.is_empty() {
        writeln!(out, "{rule}")?;
    }
    out.flush()
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        // Quoted if it would else be read as another kind of cell, or as a quoted one.
        Cell::Text(text) if text == "NULL" || text.starts_with('\'') || text.starts_with("0x") => {
            format!("'{}'", safe(text))
        }
        Cell::Text(text) => safe(text),
        Cell::Bytes(bytes) => bytes.iter().fold("0x".to_owned(), |mut hex, byte| {
            // Writing to a String can't fail.
            let _ = write!(hex, "{byte:02X}");
            hex
        }),
    }
}
