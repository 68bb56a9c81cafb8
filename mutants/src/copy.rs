//! The copy of the workspace that is changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::changes::Change;
use crate::rewrite::{LeftOut, Rewritten, rewrite};

/// What says which change is in effect.
const CHOSEN: &str = include_str!("chosen.rs");

/// Lints say nothing of the product here: what is written in is not meant to be read.
const LINTS: &str = "#![allow(warnings, unsafe_code, unused_must_use, unconditional_panic, arithmetic_overflow, clippy::all)]\n";

/// A copy in which every change can be chosen.
pub struct Copy {
    /// Where it is.
    pub folder: PathBuf,
    /// Its files that were rewritten, from the folder of the copy.
    pub files: BTreeMap<String, Rewritten>,
}

/// Brings the copy of `workspace` up to date: what git knows or would add, with the changes written in. Files that do not change are not
/// touched, so that they are not built again.
pub fn make(
    workspace: &Path,
    folder: &Path,
    package: &Path,
    changes: &[Change],
    left_out: &LeftOut,
) -> Result<Copy> {
    let root = package.join("src/lib.rs");
    let mut by_file: BTreeMap<&str, Vec<(u32, &Change)>> = BTreeMap::new();
    for (number, change) in (0..).zip(changes) {
        by_file
            .entry(&change.file)
            .or_default()
            .push((number, change));
    }
    let mut files = BTreeMap::new();
    for file in list(workspace)? {
        let from = workspace.join(&file);
        let Ok(mut content) = std::fs::read(&from) else {
            // Removed, and git has not been told yet.
            continue;
        };
        let name = file.to_string_lossy().into_owned();
        if by_file.contains_key(name.as_str()) || file == root {
            let text = String::from_utf8(content).with_context(|| format!("read {name}"))?;
            let changes = by_file.remove(name.as_str()).unwrap_or_default();
            let mut rewritten =
                rewrite(&text, &changes, left_out).with_context(|| format!("rewrite {name}"))?;
            if file == root {
                rewritten = declare(rewritten);
            }
            content = rewritten.text.clone().into_bytes();
            files.insert(name, rewritten);
        }
        write(&folder.join(&file), &content)?;
    }
    ensure!(
        by_file.is_empty(),
        "changes of files that are not there: {:?}",
        by_file.keys()
    );
    write(
        &folder.join(package).join("src/chosen.rs"),
        CHOSEN.as_bytes(),
    )?;
    Ok(Copy {
        folder: folder.to_owned(),
        files,
    })
}

/// Declares the module that says which change is in effect, and puts the lints off. On the line of the first declaration, since what
/// stands before it belongs to the whole crate.
fn declare(mut rewritten: Rewritten) -> Rewritten {
    rewritten.text = format!("{LINTS}{}\npub mod chosen;\n", rewritten.text);
    let move_on = |range: &mut std::ops::Range<usize>| {
        *range = range.start.saturating_add(LINTS.len())..range.end.saturating_add(LINTS.len());
    };
    rewritten
        .written
        .iter_mut()
        .for_each(|(range, _)| move_on(range));
    rewritten
        .around
        .iter_mut()
        .for_each(|(range, _)| move_on(range));
    rewritten
}

fn list(workspace: &Path) -> Result<Vec<PathBuf>> {
    let arguments = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let output = Command::new("git")
        .args(arguments)
        .current_dir(workspace)
        .output()
        .context("run git")?;
    ensure!(
        output.status.success(),
        "git: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let names = output
        .stdout
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    names
        .map(|name| Ok(PathBuf::from(std::str::from_utf8(name)?)))
        .collect()
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, content).with_context(|| format!("write {}", path.display()))
}
