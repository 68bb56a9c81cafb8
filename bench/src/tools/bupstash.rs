use std::ffi::OsString;

use super::{Commands, Operation, Place, Tool, joined, words};

/// bupstash: a key file instead of a password, so no key is derived.
pub struct Bupstash;

impl Tool for Bupstash {
    fn name(&self) -> &'static str {
        "bupstash"
    }

    fn settings(&self) -> &'static str {
        "as it comes: zstd level 3; its key lies in a file, so it derives none; a send log for each source"
    }

    fn version(&self) -> Vec<OsString> {
        words(["bupstash", "version"])
    }

    fn environment(&self, place: &Place) -> Vec<(&'static str, OsString)> {
        vec![
            ("BUPSTASH_REPOSITORY", place.repository().into()),
            ("BUPSTASH_KEY", place.home().join("key").into()),
            ("BUPSTASH_QUERY_CACHE", place.cache().join("query").into()),
        ]
    }

    fn commands(&self, operation: &Operation, place: &Place) -> Option<Commands> {
        let commands = match operation {
            Operation::Init => {
                let mut key = words(["bupstash", "new-key", "-o"]);
                key.push(place.home().join("key").into());
                vec![key, words(["bupstash", "init"])]
            }
            Operation::Backup { source, snapshot } => {
                let mut put = words(["bupstash", "put", "-q", "--send-log"]);
                put.push(
                    place
                        .cache()
                        .join(format!("sent-{}", source.replace('/', "-")))
                        .into(),
                );
                put.extend(words([&format!("name={snapshot}"), *source]));
                vec![put]
            }
            Operation::Restore { snapshot, target } => {
                let mut restore = words(["bupstash", "restore", "-q", "--into"]);
                restore.push(target.into());
                restore.push(format!("name={snapshot}").into());
                vec![restore]
            }
            Operation::RestorePath {
                snapshot,
                path,
                target,
            } => {
                // It picks folders alone. Paths begin below what was backed up.
                if path.extension().is_some() {
                    return None;
                }
                let below: std::path::PathBuf = path.components().skip(1).collect();
                let mut restore = words(["bupstash", "restore", "-q", "--into"]);
                restore.push(target.into());
                restore.push(joined("--pick=", &below));
                restore.push(format!("name={snapshot}").into());
                vec![restore]
            }
            Operation::List => vec![words(["bupstash", "list", "-q"])],
            Operation::Prune { forget, .. } => {
                let removals = forget
                    .iter()
                    .map(|name| words(["bupstash", "rm", "-q", &format!("name={name}")]));
                removals.chain([words(["bupstash", "gc", "-q"])]).collect()
            }
            Operation::Check
            | Operation::CheckData
            | Operation::Find { .. }
            | Operation::PruneDryRun
            | Operation::Mount { .. } => return None,
        };
        Some(commands)
    }
}
