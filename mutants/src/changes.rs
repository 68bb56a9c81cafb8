//! The changes, as `cargo mutants --list --json` names them.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// A change of one place of the code. Its number is its position in the list.
#[derive(Debug, Clone, Deserialize)]
pub struct Change {
    /// File, place and what is done, in words; the same for the same code.
    pub name: String,
    /// The file, from the folder of the workspace.
    pub file: String,
    /// What kind of change it is.
    pub genre: Genre,
    /// What is replaced.
    pub span: Span,
    /// What comes in its place.
    pub replacement: String,
}

/// The kinds of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Genre {
    /// A function returns at once; the span is its body.
    FnValue,
    /// An operator between two expressions; the span is the operator.
    BinaryOperator,
    /// An operator before an expression is left out; the span is the operator.
    UnaryOperator,
    /// An arm of a `match` is left out; the span is the arm.
    MatchArm,
    /// The guard of an arm; the span is the expression after `if`.
    MatchArmGuard,
    /// A field of a struct expression that takes the others from elsewhere is left out; the span is the field.
    StructField,
    /// One that this tool does not know.
    #[serde(other)]
    Other,
}

/// A stretch of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Span {
    /// Its first character.
    pub start: Place,
    /// The character after its last.
    pub end: Place,
}

/// A character of a file; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

/// Reads a list.
pub fn read(path: &Path) -> Result<Vec<Change>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is not a list of changes", path.display()))
}

/// Where the lines of a text begin.
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Of this text.
    pub fn new(text: &'a str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at.saturating_add(1));
        Self {
            text,
            starts: std::iter::once(0).chain(after_breaks).collect(),
        }
    }

    /// The byte at which a character begins; `None` outside the text.
    pub fn byte(&self, place: Place) -> Option<usize> {
        let start = *self.starts.get(place.line.checked_sub(1)?)?;
        let line = self.text.get(start..)?;
        let skipped = place.column.checked_sub(1)?;
        let mut ends = line
            .char_indices()
            .map(|(at, _)| at)
            .chain(std::iter::once(line.len()));
        ends.nth(skipped).map(|at| start.saturating_add(at))
    }
}
