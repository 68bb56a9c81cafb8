//! What can be set for rclone; the names are restic's.

use crate::Options;
use crate::options::{OptionError, OptionGroup, OptionInfo, words};

/// Options of `rclone:`.
pub(crate) const OPTIONS: OptionGroup = OptionGroup {
    name: "rclone",
    page: "rclone.md",
    options: &[
        OptionInfo {
            key: CONNECTIONS,
            value: "NUMBER",
            help: "Requests at the same time; otherwise 5",
        },
        OptionInfo {
            key: PROGRAM,
            value: "COMMAND",
            help: "The program to run, with words before its own arguments if need be; otherwise rclone",
        },
        OptionInfo {
            key: ARGS,
            value: "ARGUMENTS",
            help: "What it is told to do, before the remote; otherwise serve restic --stdio --b2-hard-delete",
        },
    ],
};

const CONNECTIONS: &str = "rclone.connections";
const PROGRAM: &str = "rclone.program";
const ARGS: &str = "rclone.args";

/// What was set, or holds without.
#[derive(Debug, Clone)]
pub(crate) struct RcloneOptions {
    pub(crate) connections: usize,
    pub(crate) program: String,
    /// Without the remote, which is the last.
    pub(crate) arguments: Vec<String>,
}

impl RcloneOptions {
    pub(crate) fn new(options: &Options) -> Result<Self, OptionError> {
        let words_of = |key, default| {
            let text = options.text(key).unwrap_or(default);
            words(key, text, "words whose quotes are closed")
        };
        let mut arguments = words_of(PROGRAM, "rclone")?;
        let program = arguments.remove(0);
        arguments.extend(words_of(ARGS, "serve restic --stdio --b2-hard-delete")?);
        let connections = options.count(CONNECTIONS)?;
        Ok(Self {
            connections: connections.map_or(5, std::num::NonZeroUsize::get),
            program,
            arguments,
        })
    }
}
