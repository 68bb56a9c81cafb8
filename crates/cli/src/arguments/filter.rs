//! Which snapshots are meant, by host, tags and paths.

use clap::Args;
use jiff::Timestamp;
use strongroom_repository::snapshots::{SnapshotFilter, TagList};

use crate::environment::Environment;

/// Options that narrow a set of snapshots down, or what `latest` means.
#[derive(Debug, Clone, Default, Args)]
pub struct SnapshotFilterArguments {
    /// Only snapshots of this host; several are alternatives [env: STRONGROOM_HOST]
    #[arg(
        help_heading = "Snapshot filters",
        short = 'H',
        long,
        value_name = "HOST"
    )]
    pub host: Vec<String>,

    /// Only snapshots with all tags of this list; several lists are alternatives
    #[arg(help_heading = "Snapshot filters", long, value_name = "TAG[,TAG…]")]
    pub tag: Vec<String>,

    /// Only snapshots of this absolute path; of several, all
    #[arg(help_heading = "Snapshot filters", long, value_name = "PATH")]
    pub path: Vec<String>,
}

impl SnapshotFilterArguments {
    /// The hosts asked for; the environment's where none was given. An empty name given means every host.
    fn hosts(&self, environment: &Environment) -> Vec<String> {
        let given: Vec<String> = match self.host.is_empty() {
            false => self.host.clone(),
            true => environment
                .setting_text("HOST")
                .map(str::to_owned)
                .into_iter()
                .collect(),
        };
        given.into_iter().filter(|host| !host.is_empty()).collect()
    }

    /// What the engine chooses by; `until` is the last instant that passes.
    pub fn filter(&self, environment: &Environment, until: Option<Timestamp>) -> SnapshotFilter {
        SnapshotFilter {
            hosts: self.hosts(environment),
            tags: self.tag.iter().map(|list| TagList::parse(list)).collect(),
            paths: self.path.clone(),
            until,
        }
    }
}

/// `a, b` as two tags.
pub fn split_tags(list: &str) -> impl Iterator<Item = String> {
    list.split(',').map(|tag| tag.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Environment, SnapshotFilterArguments};

    #[test]
    fn the_hosts_of_the_environment_hold_where_none_is_given() {
        let environment = Environment::of(&[("RESTIC_HOST", "here")]);
        let of = |hosts: &[&str]| SnapshotFilterArguments {
            host: hosts.iter().map(|&h| h.to_owned()).collect(),
            ..Default::default()
        };
        assert_eq!(of(&[]).hosts(&environment), ["here"]);
        assert_eq!(of(&["a", "b"]).hosts(&environment), ["a", "b"]);
        assert!(of(&[""]).hosts(&environment).is_empty());
    }
}
