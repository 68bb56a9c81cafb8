use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::{Commands, Operation, Place, Tool, joined, words};

/// The program whose format ours is, and what all targets are ratios to.
pub struct Restic;

impl Tool for Restic {
    fn name(&self) -> &'static str {
        "restic"
    }

    fn settings(&self) -> &'static str {
        "as it comes: repository version 2, compression auto (about zstd level 3), cache on"
    }

    fn version(&self) -> Vec<OsString> {
        words(["restic", "version"])
    }

    fn environment(&self, place: &Place) -> Vec<(&'static str, OsString)> {
        vec![
            ("RESTIC_REPOSITORY", place.repository().into()),
            ("RESTIC_PASSWORD_FILE", place.password_file().into()),
            ("RESTIC_CACHE_DIR", place.cache().into()),
        ]
    }

    fn commands(&self, operation: &Operation, _place: &Place) -> Option<Commands> {
        commands(OsStr::new("restic"), operation)
    }

    fn has_restic_format(&self) -> bool {
        true
    }
}

/// The commands of a program that is called as restic is.
pub fn commands(program: &OsStr, operation: &Operation) -> Option<Commands> {
    let word = OsString::from;
    let arguments: Vec<OsString> = match operation {
        Operation::Init => words(["init", "-q"]),
        Operation::Backup { source, snapshot } => {
            words(["backup", "-q", "--tag", snapshot, source])
        }
        Operation::Restore { snapshot, target } => restore(snapshot, target),
        Operation::RestorePath {
            snapshot,
            path,
            target,
        } => {
            let mut words = restore(snapshot, target);
            words.extend([word("--include"), joined("/", path)]);
            words
        }
        Operation::Check => words(["check", "-q"]),
        Operation::CheckData => words(["check", "-q", "--read-data"]),
        Operation::List => words(["snapshots", "--json"]),
        Operation::Find { pattern } => words(["find", pattern]),
        Operation::Prune { keep, .. } => {
            let mut arguments = words([
                "forget",
                "-q",
                "--group-by",
                "",
                "--prune",
                "--max-unused",
                "0",
            ]);
            for snapshot in *keep {
                arguments.extend(words(["--keep-tag", snapshot]));
            }
            arguments
        }
        Operation::PruneDryRun => words(["prune", "--dry-run"]),
        Operation::Mount { point } => vec![word("mount"), point.into()],
    };
    Some(vec![[vec![program.to_owned()], arguments].concat()])
}

fn restore(snapshot: &str, target: &Path) -> Vec<OsString> {
    let mut words = words(["restore", "-q", "latest", "--tag", snapshot, "--target"]);
    words.push(target.into());
    words
}
