use std::ffi::OsString;

use super::{Commands, Operation, Place, Tool, words};

/// The other implementation of restic's format in Rust.
pub struct Rustic;

impl Tool for Rustic {
    fn name(&self) -> &'static str {
        "rustic"
    }

    fn settings(&self) -> &'static str {
        "as it comes: repository version 2, zstd at its default (level 3), cache on"
    }

    fn version(&self) -> Vec<OsString> {
        words(["rustic", "--version"])
    }

    fn environment(&self, place: &Place) -> Vec<(&'static str, OsString)> {
        vec![
            ("RUSTIC_REPOSITORY", place.repository().into()),
            ("RUSTIC_PASSWORD_FILE", place.password_file().into()),
            ("RUSTIC_CACHE_DIR", place.cache().into()),
            ("RUSTIC_NO_PROGRESS", "true".into()),
            ("RUSTIC_LOG_LEVEL", "warn".into()),
        ]
    }

    fn commands(&self, operation: &Operation, _place: &Place) -> Option<Commands> {
        let arguments: Vec<OsString> = match operation {
            Operation::Init => words(["init"]),
            Operation::Backup { source, snapshot } => words(["backup", "--tag", snapshot, source]),
            Operation::Restore { snapshot, target } => {
                let mut words = words(["restore", "--filter-tags", snapshot, "latest"]);
                words.push(target.into());
                words
            }
            Operation::RestorePath {
                snapshot,
                path,
                target,
            } => {
                // A path within a snapshot is what it restores into the target itself.
                let mut words = words(["restore", "--filter-tags", snapshot]);
                words.push(super::joined("latest:", path));
                words.push(target.join(path).into());
                words
            }
            Operation::Check => words(["check"]),
            Operation::CheckData => words(["check", "--read-data"]),
            Operation::List => words(["snapshots", "--json"]),
            Operation::Find { pattern } => words(["find", "--glob", pattern]),
            Operation::Prune { keep, .. } => {
                let mut words = words(["forget", "--group-by", "", "--prune", "--instant-delete"]);
                words.extend(super::words([
                    "--max-unused",
                    "0%",
                    "--keep-delete",
                    "0s",
                    "--keep-pack",
                    "0s",
                ]));
                for snapshot in *keep {
                    words.extend(super::words(["--keep-tags", snapshot]));
                }
                words
            }
            Operation::PruneDryRun => words(["prune", "--dry-run"]),
            Operation::Mount { .. } => return None,
        };
        Some(vec![[words(["rustic"]), arguments].concat()])
    }

    fn has_restic_format(&self) -> bool {
        true
    }
}
