//! A file in which every change can be chosen at run time.
//!
//! Where a function may return at once, it asks first: `if is(7) { return Ok(()); }`. Where an expression may be another one, it becomes
//! `(if is(8) { (a <= b) } else { (a < b) })`. Only one change is in effect at a time, so what stands in an expression's place is made
//! of the original: the text grows with the depth of what lies within each other, and not with its power. An arm is left out by a guard.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use anyhow::Result;

use crate::changes::{Change, Genre, Lines};
use crate::places::{Function, Places};

/// How the copy asks whether a change is in effect.
const ASK: &str = "crate::chosen::is";

/// Why a change is not in the new text: constants, patterns, sizes of arrays have no run time.
pub const CONSTANT: &str = "computed while it is compiled";
const LET: &str = "between conditions with `let`";
const NOT_FOUND: &str = "its place was not found";

/// What is to stay as it is.
#[derive(Debug, Default)]
pub struct LeftOut {
    /// Changes, by their numbers.
    pub changes: HashSet<u32>,
    /// Functions, by name, that stay `const`: something is computed with them while it is compiled.
    pub constants: HashSet<String>,
}

/// The result.
#[derive(Debug, Default)]
pub struct Rewritten {
    /// The new text.
    pub text: String,
    /// What each change wrote, as bytes of the new text.
    pub written: Vec<(Range<usize>, u32)>,
    /// The functions, expressions and patterns of the new text that can be changed, and by what.
    pub around: Vec<(Range<usize>, Vec<u32>)>,
    /// Changes that are not in it, with the reason.
    pub impossible: Vec<(u32, &'static str)>,
    /// Functions that are not `const` any more.
    pub unconst: HashSet<String>,
}

/// What is done with a stretch of the old text.
enum Edit {
    /// Another expression in its place.
    Expression(Vec<(u32, String)>),
    /// A body that may return at once.
    Body(Vec<(u32, String)>),
    /// A pattern that may be made to match nothing.
    Pattern(u32),
    /// Left out.
    Remove,
}

/// By where they begin and, so that what encloses another comes first, by where they end, backwards.
type Edits = BTreeMap<(usize, Reverse<usize>), Edit>;

/// Rewrites a file with these changes, which are all in it.
pub fn rewrite(text: &str, changes: &[(u32, &Change)], left_out: &LeftOut) -> Result<Rewritten> {
    let places = Places::find(text)?;
    let lines = Lines::new(text);
    let mut planner = Planner {
        text,
        places: &places,
        left_out,
        edits: Edits::new(),
    };
    let mut result = Rewritten::default();
    for (number, change) in changes {
        if left_out.changes.contains(number) {
            continue;
        }
        let start = lines.byte(change.span.start);
        let planned = match start.zip(lines.byte(change.span.end)) {
            Some((start, end)) => planner.plan(*number, change, start..end),
            None => Err(NOT_FOUND),
        };
        match planned {
            Ok(Some(unconst)) => result.unconst.extend([unconst]),
            Ok(None) => {}
            Err(reason) => result.impossible.push((*number, reason)),
        }
    }
    let edits: Vec<_> = planner
        .edits
        .into_iter()
        .map(|((start, Reverse(end)), edit)| (start..end, edit))
        .collect();
    Writer {
        text,
        result: &mut result,
    }
    .write(0..text.len(), &edits);
    Ok(result)
}

struct Planner<'a> {
    text: &'a str,
    places: &'a Places,
    left_out: &'a LeftOut,
    edits: Edits,
}

impl Planner<'_> {
    /// Plans one change; returns the name of the function that is not `const` any more.
    fn plan(
        &mut self,
        number: u32,
        change: &Change,
        range: Range<usize>,
    ) -> Result<Option<String>, &'static str> {
        let function = self.places.function(&range);
        if self.places.is_constant(&range) {
            return Err(CONSTANT);
        }
        if function.is_some_and(|function| {
            function.constness.is_some() && self.left_out.constants.contains(&function.name)
        }) {
            return Err(CONSTANT);
        }
        match change.genre {
            Genre::FnValue => {
                let body = function.ok_or(NOT_FOUND)?.body.clone();
                let edit = self.edits.entry((body.start, Reverse(body.end)));
                if let Edit::Body(returns) = edit.or_insert_with(|| Edit::Body(Vec::new())) {
                    returns.push((number, change.replacement.clone()));
                }
            }
            Genre::BinaryOperator | Genre::UnaryOperator => {
                let found = self
                    .places
                    .operators
                    .iter()
                    .find(|place| place.operator == range)
                    .ok_or(NOT_FOUND)?;
                if found.has_let {
                    return Err(LET);
                }
                self.replace(number, &found.whole, &found.operator, &change.replacement)?;
            }
            Genre::MatchArm => {
                let found = self
                    .places
                    .arms
                    .iter()
                    .find(|arm| arm.whole.start == range.start)
                    .ok_or(NOT_FOUND)?;
                match &found.guard {
                    Some(guard) => self.replace(number, guard, guard, "false")?,
                    None => {
                        let key = (found.pattern.start, Reverse(found.pattern.end));
                        self.edits.insert(key, Edit::Pattern(number));
                    }
                }
            }
            Genre::MatchArmGuard => {
                let mut guards = self.places.arms.iter().filter_map(|arm| arm.guard.as_ref());
                let found = guards
                    .find(|guard| guard.start == range.start)
                    .ok_or(NOT_FOUND)?;
                self.replace(number, found, found, &change.replacement)?;
            }
            Genre::StructField => {
                let found = self
                    .places
                    .fields
                    .iter()
                    .find(|field| field.field.start == range.start)
                    .ok_or(NOT_FOUND)?;
                self.replace(number, &found.whole, &found.field, "")?;
            }
            Genre::Other => return Err("a kind of change that this tool does not know"),
        }
        Ok(function.and_then(|function| self.remove_const(function)))
    }

    /// Plans that `part` of an expression may be something else.
    fn replace(
        &mut self,
        number: u32,
        whole: &Range<usize>,
        part: &Range<usize>,
        with: &str,
    ) -> Result<(), &'static str> {
        let before = self.text.get(whole.start..part.start).ok_or(NOT_FOUND)?;
        let after = self.text.get(part.end..whole.end).ok_or(NOT_FOUND)?;
        let edit = self.edits.entry((whole.start, Reverse(whole.end)));
        if let Edit::Expression(others) = edit.or_insert_with(|| Edit::Expression(Vec::new())) {
            others.push((number, format!("{before}{with}{after}")));
        }
        Ok(())
    }

    fn remove_const(&mut self, function: &Function) -> Option<String> {
        let word = function.constness.clone()?;
        self.edits
            .insert((word.start, Reverse(word.end)), Edit::Remove);
        Some(function.name.clone())
    }
}

struct Writer<'a> {
    text: &'a str,
    result: &'a mut Rewritten,
}

impl Writer<'_> {
    /// Writes a stretch of the old text with the edits that lie in it.
    fn write(&mut self, range: Range<usize>, mut edits: &[(Range<usize>, Edit)]) {
        let mut written = range.start;
        while let Some(((place, edit), rest)) = edits.split_first() {
            let within = rest
                .iter()
                .take_while(|(other, _)| other.start < place.end)
                .count();
            let (within, rest) = rest.split_at(within);
            self.kept(written..place.start);
            let start = self.result.text.len();
            self.edit(place, edit, within);
            let numbers: Vec<u32> = match edit {
                Edit::Expression(others) | Edit::Body(others) => {
                    others.iter().map(|(number, _)| *number).collect()
                }
                Edit::Pattern(number) => vec![*number],
                Edit::Remove => Vec::new(),
            };
            self.result
                .around
                .push((start..self.result.text.len(), numbers));
            written = place.end;
            edits = rest;
        }
        self.kept(written..range.end);
    }

    fn edit(&mut self, place: &Range<usize>, edit: &Edit, within: &[(Range<usize>, Edit)]) {
        match edit {
            Edit::Expression(others) => {
                self.result.text.push('(');
                for (number, other) in others {
                    self.added(
                        *number,
                        &format!("if {ASK}({number}) {{ ({other}) }} else "),
                    );
                }
                self.result.text.push_str("{ (");
                self.write(place.clone(), within);
                self.result.text.push_str(") })");
            }
            Edit::Body(returns) => {
                self.result.text.push('{');
                for (number, value) in returns {
                    self.added(
                        *number,
                        &format!(" if {ASK}({number}) {{ return {value}; }}"),
                    );
                }
                self.write(place.start.saturating_add(1)..place.end, within);
            }
            Edit::Pattern(number) => {
                self.write(place.clone(), within);
                self.added(*number, &format!(" if !{ASK}({number})"));
            }
            Edit::Remove => {}
        }
    }

    fn kept(&mut self, range: Range<usize>) {
        self.result
            .text
            .push_str(self.text.get(range).unwrap_or_default());
    }

    fn added(&mut self, number: u32, text: &str) {
        let start = self.result.text.len();
        self.result.text.push_str(text);
        self.result
            .written
            .push((start..self.result.text.len(), number));
    }
}
