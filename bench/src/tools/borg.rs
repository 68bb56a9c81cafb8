use std::ffi::OsString;

use super::{Commands, Operation, PASSWORD, Place, Tool, words};

/// Borg 1.4.
pub struct Borg;

impl Tool for Borg {
    fn name(&self) -> &'static str {
        "borg"
    }

    fn settings(&self) -> &'static str {
        "repokey-blake2, the faster of its encryptions; zstd level 3, since lz4 is its default; cache on"
    }

    fn version(&self) -> Vec<OsString> {
        words(["borg", "--version"])
    }

    fn environment(&self, place: &Place) -> Vec<(&'static str, OsString)> {
        vec![
            ("BORG_REPO", place.repository().into()),
            ("BORG_PASSPHRASE", PASSWORD.into()),
            ("BORG_BASE_DIR", place.home().into()),
            ("BORG_CACHE_DIR", place.cache().into()),
            ("BORG_RELOCATED_REPO_ACCESS_IS_OK", "yes".into()),
            ("BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK", "yes".into()),
        ]
    }

    fn commands(&self, operation: &Operation, _place: &Place) -> Option<Commands> {
        let commands = match operation {
            Operation::Init => vec![words(["borg", "init", "-e", "repokey-blake2"])],
            Operation::Backup { source, snapshot } => {
                vec![words([
                    "borg",
                    "create",
                    "-C",
                    "zstd,3",
                    &format!("::{snapshot}"),
                    source,
                ])]
            }
            Operation::Restore { snapshot, target } => vec![extract(target, snapshot, None)],
            Operation::RestorePath {
                snapshot,
                path,
                target,
            } => {
                vec![extract(target, snapshot, Some(path.as_os_str().to_owned()))]
            }
            Operation::Check => vec![words(["borg", "check"])],
            Operation::CheckData => vec![words(["borg", "check", "--verify-data"])],
            Operation::List => vec![words(["borg", "list", "--json"])],
            // It looks into one archive at a time.
            Operation::Find { .. } | Operation::PruneDryRun => return None,
            Operation::Prune { forget, .. } => {
                let mut delete = words(["borg", "delete", "::"]);
                delete.extend(words(forget.iter().copied()));
                vec![delete, words(["borg", "compact", "--threshold", "0"])]
            }
            Operation::Mount { point } => {
                let mut mount = words(["borg", "mount", "--foreground", "::"]);
                mount.push(point.into());
                vec![mount]
            }
        };
        Some(commands)
    }
}

/// It extracts into the working directory.
fn extract(target: &std::path::Path, snapshot: &str, path: Option<OsString>) -> Vec<OsString> {
    let mut words = words(["env", "-C"]);
    words.push(target.into());
    words.extend(super::words(["borg", "extract", &format!("::{snapshot}")]));
    words.extend(path);
    words
}
