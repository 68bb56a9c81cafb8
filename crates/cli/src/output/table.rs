//! Plain tables: a header, a rule, rows whose cells may have several lines, a rule, a footer.

use std::fmt::Write;

/// A table for people. Cells have to be escaped before.
#[derive(Debug, Default)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<Vec<String>>>,
    footer: Option<String>,
}

impl Table {
    /// A table with these columns.
    pub fn new<'a>(header: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            header: header.into_iter().map(str::to_owned).collect(),
            ..Self::default()
        }
    }

    /// Adds a row of cells of one line.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|c| vec![c]).collect());
    }

    /// Adds a row of cells of any number of lines.
    pub fn tall_row(&mut self, cells: impl IntoIterator<Item = Vec<String>>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Adds a line below the table.
    pub fn footer(&mut self, line: impl Into<String>) {
        self.footer = Some(line.into());
    }

    /// The lines of the table.
    pub fn lines(&self) -> Vec<String> {
        let widths: Vec<usize> = (0..self.header.len()).map(|n| self.width(n)).collect();
        let header = padded(self.header.iter().map(String::as_str), &widths);
        let mut body = Vec::new();
        for row in &self.rows {
            let height = row.iter().map(Vec::len).max().unwrap_or(0);
            for line in 0..height {
                let cells = row.iter().map(|c| c.get(line).map_or("", String::as_str));
                body.push(padded(cells, &widths));
            }
        }
        let longest = body.iter().chain([&header]).map(|line| columns(line)).max();
        let rule = "-".repeat(longest.unwrap_or(0));
        let mut lines = vec![header, rule.clone()];
        lines.append(&mut body);
        lines.push(rule);
        lines.extend(self.footer.clone());
        lines
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column)).flatten();
        let widest = cells.map(|cell| columns(cell)).max().unwrap_or(0);
        widest.max(self.header.get(column).map_or(0, |cell| columns(cell)))
    }
}

fn padded<'a>(cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.zip(widths) {
        let gap = width.saturating_sub(columns(cell)) + 2;
        // Writing to a String cannot fail.
        let _ = write!(line, "{cell}{:gap$}", "");
    }
    line.truncate(line.trim_end().len());
    line
}

/// Columns that a text takes on a terminal.
fn columns(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["ID", "Paths", "Size"]);
        table.tall_row([
            vec!["a".into()],
            vec!["/x".into(), "/yyyy".into()],
            vec!["1 B".into()],
        ]);
        table.footer("1 snapshot");
        let expected = "ID  Paths  Size\n---------------\na   /x     1 B\n    /yyyy\n---------------\n1 snapshot";
        assert_eq!(table.lines().join("\n"), expected);
    }
}
