//! `strongroom forget`: snapshots removed by a policy.

use clap::Args;

use super::prune::RepackArguments;
use crate::arguments::SnapshotFilterArguments;
use crate::context::Context;
use crate::error::Result;
use crate::exit::ExitCode;

/// Remove snapshots by a policy, or by name
///
/// Snapshots are grouped, and in each group those that any --keep… names are kept. Each is shown with the reason why it is
/// kept. A policy that would keep nothing of a group is refused. The data stays until `prune`, or --prune.
#[derive(Debug, Args)]
#[command(mut_arg("host", |arg| arg.short(None)))]
pub struct Arguments {
    /// Snapshots to remove, whatever the policy
    #[arg(value_name = "SNAPSHOT")]
    pub snapshots: Vec<String>,

    /// Keep the last N snapshots ("unlimited" for all)
    #[arg(short = 'l', long, value_name = "N", help_heading = "Policy")]
    pub keep_last: Option<String>,

    /// Keep the last of each of the last N hours that have one
    #[arg(short = 'H', long, value_name = "N", help_heading = "Policy")]
    pub keep_hourly: Option<String>,

    /// Keep the last of each of the last N days that have one
    #[arg(short = 'd', long, value_name = "N", help_heading = "Policy")]
    pub keep_daily: Option<String>,

    /// Keep the last of each of the last N weeks that have one
    #[arg(short = 'w', long, value_name = "N", help_heading = "Policy")]
    pub keep_weekly: Option<String>,

    /// Keep the last of each of the last N months that have one
    #[arg(short = 'm', long, value_name = "N", help_heading = "Policy")]
    pub keep_monthly: Option<String>,

    /// Keep the last of each of the last N years that have one
    #[arg(short = 'y', long, value_name = "N", help_heading = "Policy")]
    pub keep_yearly: Option<String>,

    /// Keep all that are at most this much older than the latest, such as 1y5m7d2h
    #[arg(long, value_name = "DURATION", help_heading = "Policy")]
    pub keep_within: Option<String>,

    /// Keep hourly ones within a duration
    #[arg(long, value_name = "DURATION", help_heading = "Policy")]
    pub keep_within_hourly: Option<String>,

    /// Keep daily ones within a duration
    #[arg(long, value_name = "DURATION", help_heading = "Policy")]
    pub keep_within_daily: Option<String>,

    /// Keep weekly ones within a duration
    #[arg(long, value_name = "DURATION", help_heading = "Policy")]
    pub keep_within_weekly: Option<String>,

    /// Keep monthly ones within a duration
    #[arg(long, value_name = "DURATION", help_heading = "Policy")]
    pub keep_within_monthly: Option<String>,

    /// Keep yearly ones within a duration
    #[arg(long, value_name = "DURATION", help_heading = "Policy")]
    pub keep_within_yearly: Option<String>,

    /// Keep all with all tags of this list
    #[arg(long, value_name = "TAG[,TAG…]", help_heading = "Policy")]
    pub keep_tag: Vec<String>,

    /// Apply the policy to each group of equal host, paths, tags; '' for one group
    #[arg(
        short,
        long,
        value_name = "GROUP",
        default_value = "host,paths",
        help_heading = "Policy"
    )]
    pub group_by: String,

    /// Zone in which hours, days, weeks … begin, such as Europe/Amsterdam [default: the local one]
    #[arg(long, value_name = "ZONE", help_heading = "Policy")]
    pub time_zone: Option<String>,

    /// Allow removing every snapshot of a group
    #[arg(long, help_heading = "Policy")]
    pub unsafe_allow_remove_all: bool,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// One line a snapshot, without its paths
    #[arg(short, long)]
    pub compact: bool,

    /// Show what would be removed, and remove nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Remove data that is no longer needed right away
    #[arg(long)]
    pub prune: bool,

    #[command(flatten)]
    pub repack: RepackArguments,
}

/// Runs the command.
pub async fn run(_arguments: Arguments, _context: &Context) -> Result<ExitCode> {
    Err(super::not_in_this_build("forget"))
}
