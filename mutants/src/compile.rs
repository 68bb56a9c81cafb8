//! Building the copy, and leaving out what does not compile.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::changes::Change;
use crate::copy::{self, Copy};
use crate::rewrite::{CONSTANT, LeftOut, Rewritten};

/// A test executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// The name of the test target; that of the crate for the tests that stand in it.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// What is built.
pub struct Built {
    /// The test executables of the package.
    pub binaries: Vec<Binary>,
    /// Why changes are not in them.
    pub left_out: BTreeMap<u32, String>,
}

#[derive(Deserialize)]
struct Line {
    reason: String,
    message: Option<Message>,
    executable: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[derive(Deserialize)]
struct Message {
    level: String,
    message: String,
    rendered: Option<String>,
    spans: Vec<MessageSpan>,
    #[serde(default)]
    children: Vec<Message>,
}

#[derive(Deserialize)]
struct MessageSpan {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    is_primary: bool,
}

/// Makes the copy and builds it, again and again, until all that is left in it compiles. `reasons` has what is known not to compile; `only` the
/// test targets that are built, all if it is empty.
pub fn build(
    workspace: &Path,
    folder: &Path,
    package: &Path,
    changes: &[Change],
    mut reasons: BTreeMap<u32, String>,
    only: &[String],
) -> Result<Built> {
    let mut left_out = LeftOut {
        changes: reasons.keys().copied().collect(),
        ..LeftOut::default()
    };
    // The crate alone first: that is quicker, and where most errors are.
    let mut tests = vec!["test", "--no-run"];
    for target in only {
        match target.as_str() {
            "lib" => tests.push("--lib"),
            target => tests.extend(["--test", target]),
        }
    }
    for arguments in [["build", "--lib"].as_slice(), &tests] {
        loop {
            let copy = copy::make(workspace, folder, package, changes, &left_out)?;
            let lines = cargo(&folder.join(package), arguments)?;
            let errors: Vec<&Message> = errors(&lines).collect();
            if errors.is_empty() {
                if arguments.contains(&"test") {
                    let impossible = copy.files.values().flat_map(|file| &file.impossible);
                    reasons
                        .extend(impossible.map(|(number, reason)| (*number, (*reason).to_owned())));
                    return Ok(Built {
                        binaries: binaries(lines),
                        left_out: reasons,
                    });
                }
                break;
            }
            let before = (left_out.changes.len(), left_out.constants.len());
            for error in &errors {
                blame(&copy, error, &mut left_out, &mut reasons);
            }
            let after = (left_out.changes.len(), left_out.constants.len());
            eprintln!(
                "{} errors: {} changes and {} constant functions are left out by now",
                errors.len(),
                after.0,
                after.1
            );
            if after == before {
                let texts: Vec<_> = errors
                    .iter()
                    .filter_map(|error| error.rendered.as_deref())
                    .collect();
                bail!(
                    "the copy does not compile, and no change is to blame:\n{}",
                    texts.join("\n")
                );
            }
        }
    }
    bail!("nothing was built")
}

fn cargo(package: &Path, arguments: &[&str]) -> Result<Vec<Line>> {
    let mut command = Command::new("cargo");
    command
        .args(arguments)
        .args(["--message-format", "json"])
        .current_dir(package);
    // Nobody looks at line numbers here, and every test executable would carry them.
    command
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = command.output().context("run cargo")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<Line> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    if !output.status.success() && errors(&lines).next().is_none() {
        bail!("cargo {} failed", arguments.join(" "));
    }
    Ok(lines)
}

fn errors(lines: &[Line]) -> impl Iterator<Item = &Message> {
    let messages = lines.iter().filter_map(|line| line.message.as_ref());
    messages.filter(|message| message.level.starts_with("error") && !message.spans.is_empty())
}

fn binaries(lines: Vec<Line>) -> Vec<Binary> {
    let tests = lines.into_iter().filter(|line| {
        line.reason == "compiler-artifact"
            && line.profile.as_ref().is_some_and(|profile| profile.test)
    });
    tests
        .filter_map(|line| {
            Some(Binary {
                name: line.target?.name,
                path: line.executable?,
            })
        })
        .collect()
}

/// Leaves out what an error comes from: a function that was `const`, what a change wrote, or all changes of the place.
fn blame(
    copy: &Copy,
    error: &Message,
    left_out: &mut LeftOut,
    reasons: &mut BTreeMap<u32, String>,
) {
    let unconst: HashSet<&String> = copy.files.values().flat_map(|file| &file.unconst).collect();
    // "cannot call non-const associated function `Id::new` in constants"
    let named = error
        .message
        .split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|path| path.split("::<").next()?.rsplit("::").next());
    let named: Vec<String> = named
        .map(|name| name.trim_end_matches('>').to_owned())
        .filter(|name| unconst.contains(name))
        .collect();
    if error.message.contains("non-const") && !named.is_empty() {
        left_out.constants.extend(named);
        return;
    }
    let spans: Vec<&MessageSpan> = all_spans(error);
    let (primary, others): (Vec<&MessageSpan>, Vec<&MessageSpan>) =
        spans.into_iter().partition(|span| span.is_primary);
    let found = [
        (&primary, true),
        (&others, true),
        (&primary, false),
        (&others, false),
    ]
    .into_iter()
    .find_map(|(spans, exact)| {
        let numbers: HashSet<u32> = spans
            .iter()
            .flat_map(|span| changes_at(copy, span, exact))
            .collect();
        (!numbers.is_empty()).then_some(numbers)
    });
    for number in found.into_iter().flatten() {
        left_out.changes.insert(number);
        let is_constant = error.message.contains("non-const");
        let reason = if is_constant {
            CONSTANT.to_owned()
        } else {
            format!("does not compile: {}", error.message)
        };
        reasons.entry(number).or_insert(reason);
    }
}

fn all_spans(message: &Message) -> Vec<&MessageSpan> {
    let below = message.children.iter().flat_map(all_spans);
    message.spans.iter().chain(below).collect()
}

/// The changes that wrote what is there, or (not `exact`) those of the smallest place around it.
fn changes_at(copy: &Copy, span: &MessageSpan, exact: bool) -> Vec<u32> {
    let Some(file) = copy.files.get(&span.file_name) else {
        return Vec::new();
    };
    let range = span.byte_start..span.byte_end;
    if exact {
        written_at(file, &range)
    } else {
        around(file, &range)
    }
}

fn written_at(file: &Rewritten, range: &Range<usize>) -> Vec<u32> {
    let touching = file
        .written
        .iter()
        .filter(|(written, _)| written.start <= range.start && range.end <= written.end);
    touching.map(|(_, number)| *number).collect()
}

fn around(file: &Rewritten, range: &Range<usize>) -> Vec<u32> {
    let around = file.around.iter().filter(|(place, numbers)| {
        !numbers.is_empty() && place.start <= range.start && range.end <= place.end
    });
    around
        .min_by_key(|(place, _)| place.len())
        .map(|(_, numbers)| numbers.clone())
        .unwrap_or_default()
}
