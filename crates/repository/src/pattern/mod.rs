//! Patterns that leave files out or take them in, with restic's exact meaning.
//!
//! A pattern is a path whose components may hold `*`, `?`, `[a-z]` and `\`; `**` stands for any number of components,
//! also none. A pattern that begins with `/` matches from the root; any other matches at any depth. What lies below a match
//! matches as well. `!` in front turns a pattern round: what it matches is taken out of what earlier patterns matched.
//! The reference is restic's manual, "Excluding files"; paths and patterns are bytes and need not be UTF-8.

mod character;
mod clean;
mod file;
mod glob;
mod list;
mod set;

pub use clean::clean;
pub use file::{decode_text, lines, parse_pattern_file};
pub use list::{Case, PatternList, Verdict};
pub use set::PatternSet;
