//! Lists of patterns for whole paths.

use std::collections::HashSet;

use super::character::lowercase;
use super::clean;
use super::glob::Component;
use crate::{Error, ErrorKind, Result};

/// Whether upper and lower case are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// `--exclude`, `--include`
    Sensitive,
    /// `--iexclude`, `--iinclude`
    Insensitive,
}

/// What a list says of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The path matches.
    pub matched: bool,
    /// Something below the path may match.
    pub child_may_match: bool,
}

/// Patterns, compiled. A list without patterns matches nothing.
#[derive(Debug, Clone)]
pub struct PatternList {
    case: Case,
    patterns: Vec<Pattern>,
    /// Patterns that are one plain name. Held apart only where no pattern is negated, since then order does not matter.
    names: HashSet<Box<[u8]>>,
}

#[derive(Debug, Clone)]
struct Pattern {
    negated: bool,
    /// It began with `/`, so it matches from the root only.
    anchored: bool,
    /// What stands between `**`; each run of components has to be found behind the one before.
    runs: Vec<Vec<Component>>,
}

impl PatternList {
    /// Compiles patterns; empty ones are left out.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] naming every malformed pattern.
    pub fn parse<P: AsRef<[u8]>>(
        patterns: impl IntoIterator<Item = P>,
        case: Case,
    ) -> Result<Self> {
        let mut compiled = Vec::new();
        let mut malformed = Vec::new();
        for original in patterns {
            let original = original.as_ref();
            let text = match case {
                Case::Sensitive => original.into(),
                Case::Insensitive => lowercase(original),
            };
            match Pattern::compile(&text) {
                _ if original.is_empty() => {}
                Some(pattern) => compiled.push(pattern),
                None => malformed.push(String::from_utf8_lossy(original).into_owned()),
            }
        }
        if !malformed.is_empty() {
            let message = format!("invalid pattern(s): {}", malformed.join(", "));
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        Ok(Self::new(case, compiled))
    }

    fn new(case: Case, mut patterns: Vec<Pattern>) -> Self {
        let mut names = HashSet::new();
        if patterns.iter().all(|pattern| !pattern.negated) {
            patterns.retain(|pattern| match pattern.plain_name() {
                Some(name) => {
                    names.insert(name.into());
                    false
                }
                None => true,
            });
        }
        Self {
            case,
            patterns,
            names,
        }
    }

    /// Whether there are no patterns.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.names.is_empty()
    }

    /// Whether a path matches. A pattern matches what lies below a path that it matches, too.
    ///
    /// Paths are cleaned ones (no `//`, no trailing `/`), absolute as a rule. The root `/` itself matches nothing.
    pub fn is_match(&self, path: &[u8]) -> bool {
        self.judge(path, |list, path| list.matched(path))
    }

    /// Whether a path matches and whether something below it may.
    pub fn matches(&self, path: &[u8]) -> Verdict {
        self.judge(path, |list, path| Verdict {
            matched: list.matched(path),
            child_may_match: list.child_may_match(path),
        })
    }

    fn judge<T>(&self, path: &[u8], judge: impl FnOnce(&Self, &Path<'_>) -> T) -> T {
        match self.case {
            Case::Sensitive => judge(self, &Path::split(path)),
            Case::Insensitive => judge(self, &Path::split(&lowercase(path))),
        }
    }

    /// The last pattern that matches decides.
    fn matched(&self, path: &Path<'_>) -> bool {
        let name_matches = !self.names.is_empty()
            && path
                .components()
                .iter()
                .any(|name| self.names.contains(*name));
        name_matches
            || self
                .patterns
                .iter()
                .rev()
                .find(|pattern| pattern.matches(path))
                .is_some_and(|pattern| !pattern.negated)
    }

    /// The last pattern decides that may match a child, or that (negated) matches the path.
    fn child_may_match(&self, path: &Path<'_>) -> bool {
        !self.names.is_empty()
            || self
                .patterns
                .iter()
                .rev()
                .find(|pattern| match pattern.negated {
                    true => pattern.matches(path),
                    false => pattern.child_may_match(path),
                })
                .is_some_and(|pattern| !pattern.negated)
    }
}

impl Pattern {
    fn compile(text: &[u8]) -> Option<Self> {
        let (negated, text) = match text.split_first() {
            Some((b'!', rest)) => (true, rest),
            _ => (false, text),
        };
        let text = clean(text);
        let (anchored, text) = match text.split_first() {
            Some((b'/', rest)) => (true, rest),
            _ => (false, text.as_slice()),
        };
        let mut runs = vec![Vec::new()];
        for component in text.split(|&byte| byte == b'/') {
            // Nothing is left of the pattern `/`, which like `/**` matches everything.
            if component == b"**" || component.is_empty() {
                runs.push(Vec::new());
            } else if let Some(run) = runs.last_mut() {
                run.push(Component::compile(component).ok()?);
            }
        }
        Some(Self {
            negated,
            anchored,
            runs,
        })
    }

    /// The name where the pattern is nothing but one.
    fn plain_name(&self) -> Option<&[u8]> {
        match self.runs.as_slice() {
            [run] if !self.anchored && !self.negated => match run.as_slice() {
                [Component::Literal(name)] => Some(name),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the runs follow one another somewhere in the path: the first at the root where the pattern is anchored,
    /// each at the first place it fits. Since what follows a match does not count, the first place is as good as any.
    fn matches(&self, path: &Path<'_>) -> bool {
        let mut rest = path.components();
        if rest.is_empty() || (self.anchored && !path.absolute) {
            return false;
        }
        let mut anywhere = !self.anchored;
        for run in &self.runs {
            let furthest = if anywhere { rest.len() } else { 0 };
            let behind = (0..=furthest).find_map(|start| run_rest(run, rest.get(start..)?));
            match behind {
                Some(behind) => rest = behind,
                None => return false,
            }
            anywhere = true;
        }
        true
    }

    /// Whether something below the path may match: always for a pattern that is not anchored, otherwise where the path
    /// fits the beginning of the pattern.
    fn child_may_match(&self, path: &Path<'_>) -> bool {
        let beginning = self.runs.first().map(Vec::as_slice).unwrap_or_default();
        !self.anchored
            || (path.absolute
                && beginning
                    .iter()
                    .zip(path.components())
                    .all(|(component, name)| component.matches(name)))
    }
}

/// What of the path follows the run, where it begins with it.
fn run_rest<'p, 'n>(run: &[Component], path: &'p [&'n [u8]]) -> Option<&'p [&'n [u8]]> {
    let (head, rest) = path.split_at_checked(run.len())?;
    run.iter()
        .zip(head)
        .all(|(component, name)| component.matches(name))
        .then_some(rest)
}

/// A path in its components; no memory is allocated for paths of usual depth.
struct Path<'a> {
    absolute: bool,
    few: [&'a [u8]; Path::FEW],
    length: usize,
    many: Vec<&'a [u8]>,
}

impl<'a> Path<'a> {
    const FEW: usize = 24;

    fn split(path: &'a [u8]) -> Self {
        let (absolute, text) = match path.split_first() {
            Some((b'/', rest)) => (true, rest),
            _ => (false, path),
        };
        let mut split = Self {
            absolute,
            few: [&[]; Self::FEW],
            length: 0,
            many: Vec::new(),
        };
        if text.is_empty() {
            return split;
        }
        for component in text.split(|&byte| byte == b'/') {
            match split.few.get_mut(split.length) {
                Some(place) => *place = component,
                None if split.many.is_empty() => {
                    split.many = text.split(|&byte| byte == b'/').collect();
                    break;
                }
                None => break,
            }
            split.length += 1;
        }
        split
    }

    fn components(&self) -> &[&'a [u8]] {
        if self.many.is_empty() {
            self.few.get(..self.length).unwrap_or_default()
        } else {
            &self.many
        }
    }
}

#[cfg(test)]
mod tests;
