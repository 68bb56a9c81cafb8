//! The figures as they were, in a file, and what has changed since.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Figure;

/// Figures that were counted before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The compiler that built what was counted: another one makes other instructions.
    pub compiler: String,
    /// Figures by their names.
    pub figures: BTreeMap<String, f64>,
}

/// A figure that is not what it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// What it was; nothing if it is new.
    pub was: Option<f64>,
    /// What it is; nothing if it is counted no more.
    pub is: Option<f64>,
}

impl Record {
    /// Of these figures.
    pub fn new(compiler: &str, figures: &[Figure]) -> Self {
        let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
        Self {
            compiler: compiler.to_owned(),
            figures: figures
                .iter()
                .map(|figure| (figure.name.clone(), rounded(figure.value)))
                .collect(),
        }
    }

    /// Reads it.
    pub fn read(path: &Path) -> Result<Self> {
        let doing = || format!("read {}", path.display());
        let text = std::fs::read(path).with_context(doing)?;
        serde_json::from_slice(&text).with_context(doing)
    }

    /// Writes it.
    pub fn write(&self, path: &Path) -> Result<()> {
        std::fs::write(path, serde_json::to_string_pretty(self)? + "\n")
            .with_context(|| format!("write {}", path.display()))
    }

    /// What has changed by more than may be, in either direction: a figure that fell unnoticed would hide its next rise.
    pub fn changes(&self, figures: &[Figure]) -> Vec<Change> {
        let mut changes = Vec::new();
        for figure in figures {
            let was = self.figures.get(&figure.name).copied();
            let has_changed = was.is_none_or(|was| {
                let may = (was.abs() * figure.tolerance.part).max(figure.tolerance.least);
                (figure.value - was).abs() > may
            });
            if has_changed {
                changes.push(Change {
                    name: figure.name.clone(),
                    was,
                    is: Some(figure.value),
                });
            }
        }
        let gone = self
            .figures
            .iter()
            .filter(|(name, _)| !figures.iter().any(|figure| figure.name == **name));
        changes.extend(gone.map(|(name, was)| Change {
            name: name.clone(),
            was: Some(*was),
            is: None,
        }));
        changes
    }

    /// All figures beside what they were.
    pub fn table(&self, figures: &[Figure]) -> String {
        let mut out = String::new();
        for figure in figures {
            let was = self.figures.get(&figure.name);
            let was = was.map_or_else(|| "new".to_owned(), |was| format!("{was:.3}"));
            let _ = writeln!(out, "{:14.3}  was {was:>14}  {}", figure.value, figure.name);
        }
        out
    }
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.was, self.is) {
            (Some(was), Some(is)) => {
                let way = if is > was { "MORE" } else { "LESS" };
                let percent = (is / was - 1.0) * 100.0;
                write!(
                    f,
                    "{way}: {}: {was:.3} before, {is:.3} now ({percent:+.1} %)",
                    self.name
                )
            }
            (None, Some(is)) => write!(f, "NEW: {}: {is:.3}", self.name),
            (Some(was), None) => write!(f, "GONE: {}: {was:.3} before", self.name),
            (None, None) => write!(f, "{}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tolerance;
    use super::*;

    fn figure(name: &str, value: f64) -> Figure {
        Figure {
            name: name.to_owned(),
            value,
            tolerance: Tolerance {
                part: 0.03,
                least: 0.1,
            },
        }
    }

    /// A check that lets changes through in one direction, or passes what it no longer counts, is none.
    #[test]
    fn every_change_beyond_the_tolerance_is_told() {
        let record = Record::new("rustc", &[figure("a", 100.0), figure("small", 0.01)]);
        let changed = |a: f64, small: f64| {
            let figures = [figure("a", a), figure("small", small)];
            let names = record
                .changes(&figures)
                .into_iter()
                .map(|change| change.name);
            names.collect::<Vec<_>>()
        };
        assert!(changed(102.9, 0.1).is_empty());
        assert!(changed(97.1, 0.0).is_empty());
        assert_eq!(changed(103.1, 0.0), ["a"]);
        assert_eq!(changed(96.9, 0.0), ["a"]);
        assert_eq!(changed(100.0, 0.12), ["small"]);

        let other = record.changes(&[figure("a", 100.0), figure("b", 1.0)]);
        let told: Vec<_> = other.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["NEW: b: 1.000", "GONE: small: 0.010 before"]);
    }
}
