use std::ffi::OsString;
use std::path::Path;

use super::{Commands, Operation, Place, Tool, words};

/// `tar | zstd`: no encryption, no deduplication, every backup a full one. A baseline, not a peer.
pub struct Tar;

impl Tool for Tar {
    fn name(&self) -> &'static str {
        "tar+zstd"
    }

    fn settings(&self) -> &'static str {
        "tar | zstd -3 -T0: no encryption, no deduplication, each backup a full one"
    }

    fn version(&self) -> Vec<OsString> {
        words([
            "sh",
            "-c",
            "tar --version | head -n 1 && command -v zstd >/dev/null",
        ])
    }

    fn environment(&self, _place: &Place) -> Vec<(&'static str, OsString)> {
        Vec::new()
    }

    fn commands(&self, operation: &Operation, place: &Place) -> Option<Commands> {
        let archive = |name: &str| place.repository().join(format!("{name}.tar.zst"));
        let command = match operation {
            Operation::Init => vec!["mkdir".into(), place.repository().into()],
            Operation::Backup { source, snapshot } => shell(
                "tar -cf - \"$1\" | zstd -q -3 -T0 -o \"$2\"",
                Path::new(source),
                &archive(snapshot),
            ),
            Operation::Restore { snapshot, target } => shell(
                "zstd -dqc \"$1\" | tar -C \"$2\" -xf -",
                &archive(snapshot),
                target,
            ),
            Operation::RestorePath {
                snapshot,
                path,
                target,
            } => {
                let mut words = shell(
                    "zstd -dqc \"$1\" | tar -C \"$2\" -xf - \"$3\"",
                    &archive(snapshot),
                    target,
                );
                words.push(path.into());
                words
            }
            Operation::CheckData => shell(
                "for file in \"$1\"/*.zst; do zstd -tq \"$file\" || exit 1; done",
                &place.repository(),
                Path::new(""),
            ),
            _ => return None,
        };
        Some(vec![command])
    }

    fn is_peer(&self) -> bool {
        false
    }
}

/// A pipe fails where any of its parts does.
fn shell(script: &str, first: &Path, second: &Path) -> Vec<OsString> {
    let mut words = words(["bash", "-o", "pipefail", "-c", script, "bash"]);
    words.extend([first.into(), second.into()]);
    words
}
