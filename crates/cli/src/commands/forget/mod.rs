//! `strongroom forget`: snapshots removed by a policy.

mod show;

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use strongroom_repository::forget::{
    AgeBy, Calendar, Count, Duration, ForgetOptions, ForgetPlan, Policy, plan_forget,
    plan_forget_named,
};
use strongroom_repository::format::{Id, Time};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::snapshots::TagList;
use strongroom_repository::{ErrorKind, Repository};

use super::prune::{self, RepackArguments};
use crate::arguments::SnapshotFilterArguments;
use crate::confirm::confirm;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::figures;
use crate::output::meter::Activity;
use crate::select;

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

    /// Zone in which hours, days, weeks … begin: Europe/Amsterdam, local, or written
    ///
    /// "written" is the UTC offset that each snapshot was written with, as in restic. [default: written]
    #[arg(long, value_name = "ZONE", help_heading = "Policy")]
    pub time_zone: Option<String>,

    /// What the age of a snapshot is: its receipt by the server, or the time that it states
    ///
    /// A machine that was taken over can state any time. `serve-rest` writes down when each snapshot arrived; those of other storages
    /// have no receipt, and their stated time counts.
    #[arg(long, value_name = "TIME", default_value = "receipt", value_parser = ["receipt", "stated"], help_heading = "Policy")]
    pub age_by: String,

    /// Allow removing every snapshot of a group
    #[arg(long, help_heading = "Policy")]
    pub unsafe_allow_remove_all: bool,

    /// Keep what is removed in the trash for so long, such as 14d: `undelete` brings it back
    ///
    /// `prune` keeps the data until then; restic's prune does not.
    #[arg(long, value_name = "DURATION")]
    pub trash: Option<Duration>,

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
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let policy = arguments.policy()?;
    if !arguments.snapshots.is_empty() && !policy.is_empty() {
        return Err(
            Error::usage("snapshots that are named and a policy exclude each other")
                .hint("name the snapshots to remove, or give --keep-… options; not both"),
        );
    }
    let options = arguments.options(policy, context)?;
    let prune_options = arguments.repack.options()?;
    let repository = context.open().await?;
    let access = match arguments.dry_run {
        true => Access::Read,
        false => Access::Exclusive,
    };
    let forgetting = async |lock: &Lock| {
        let mut plan = plan(&arguments, &options, &repository, context).await?;
        if let Some(keep_for) = arguments.trash {
            let meter = context.meter(Activity::Other);
            let (now, progress) = (options.now, meter.progress());
            plan = plan
                .into_trash(&repository, keep_for, now, progress)
                .await?;
        }
        show::show(&plan, &options.policy, &arguments, context)?;
        let removed: Vec<Id> = plan.remove().map(|file| file.id).collect();
        let number = removed.len() as u64;
        if arguments.dry_run {
            context.output.report("dry run: nothing was removed")?;
        }
        if number > 0 && !arguments.dry_run {
            let what = figures::count(number, "snapshot");
            let and = if arguments.prune {
                " and the data that is no longer needed"
            } else {
                ""
            };
            let until = until(&plan, context);
            let doing = match &until {
                None => format!("remove {what}{and}"),
                Some(until) => format!("put {what} into the trash until {until}"),
            };
            confirm(context, &doing).await?;
            let meter = context.meter(Activity::Other);
            plan.execute(&repository, lock, meter.progress(), &context.cancel)
                .await?;
            drop(meter);
            context.output.report(match until {
                None => format!("removed {what}"),
                Some(until) => format!("put {what} into the trash until {until}"),
            })?;
        }
        if arguments.prune && number > 0 {
            let mut options = prune_options.clone();
            // What goes into the trash is needed as before.
            if arguments.dry_run && plan.trash.is_none() {
                options.forgotten = removed.into_iter().collect();
            }
            prune::prune(
                &repository,
                &options,
                lock,
                arguments.dry_run,
                true,
                context,
            )
            .await?;
        }
        Ok(plan.unreadable.len())
    };
    match context.locked(&repository, access, forgetting).await? {
        0 => Ok(ExitCode::Success),
        number => Err(Error::new(
            ExitCode::DamageFound,
            format!(
                "{} cannot be read and stay",
                figures::count(number as u64, "snapshot")
            ),
        )
        .hint("run `strongroom check` to see all damage")),
    }
}

/// Until when what the plan removes can be brought back.
fn until(plan: &ForgetPlan, context: &Context) -> Option<String> {
    let until = plan.trash.as_ref()?.kept_until;
    Some(figures::time(
        Time::utc(until),
        &context.environment.time_zone,
    ))
}

async fn plan(
    arguments: &Arguments,
    options: &ForgetOptions,
    repository: &Repository,
    context: &Context,
) -> Result<ForgetPlan> {
    if !arguments.snapshots.is_empty() {
        let names = &arguments.snapshots;
        let chosen = select::many(context, repository, names, &options.filter).await?;
        let meter = context.meter(Activity::Other);
        let plan = plan_forget_named(chosen.files)
            .end_pins(repository, options.now, meter.progress())
            .await;
        drop(meter);
        return plan.map_err(|error| match error.kind() {
            ErrorKind::Refused => Error::from(error).hint(
                "`strongroom unpin` lets it be forgotten; a pin ends when a snapshot is there that was taken after its date",
            ),
            _ => Error::from(error),
        });
    }
    if options.policy.is_empty() {
        return Err(Error::usage(
            "neither a policy nor a snapshot was given, so nothing is removed",
        )
        .hint("give --keep-last N or another --keep-… option, or name snapshots"));
    }
    let meter = context.meter(Activity::Other);
    let plan = plan_forget(repository, options, meter.progress()).await;
    drop(meter);
    plan.map_err(|error| match error.kind() {
        ErrorKind::Refused => Error::from(error).hint(
            "check --keep-tag and the filters for slips; --unsafe-allow-remove-all with a filter removes all on purpose",
        ),
        _ => Error::from(error),
    })
}

impl Arguments {
    fn policy(&self) -> Result<Policy> {
        let count = |name: &str, text: &Option<String>| -> Result<Count> {
            let parsed = text.as_deref().map_or(Ok(Count::default()), str::parse);
            parsed.map_err(|error| Error::from(error).context(format_args!("--keep-{name}")))
        };
        let within = |name: &str, text: &Option<String>| -> Result<Duration> {
            let parsed = text.as_deref().map_or(Ok(Duration::default()), str::parse);
            parsed.map_err(|error| Error::from(error).context(format_args!("--keep-within{name}")))
        };
        Ok(Policy {
            last: count("last", &self.keep_last)?,
            hourly: count("hourly", &self.keep_hourly)?,
            daily: count("daily", &self.keep_daily)?,
            weekly: count("weekly", &self.keep_weekly)?,
            monthly: count("monthly", &self.keep_monthly)?,
            yearly: count("yearly", &self.keep_yearly)?,
            within: within("", &self.keep_within)?,
            within_hourly: within("-hourly", &self.keep_within_hourly)?,
            within_daily: within("-daily", &self.keep_within_daily)?,
            within_weekly: within("-weekly", &self.keep_within_weekly)?,
            within_monthly: within("-monthly", &self.keep_within_monthly)?,
            within_yearly: within("-yearly", &self.keep_within_yearly)?,
            tags: self
                .keep_tag
                .iter()
                .map(|list| TagList::parse(list))
                .collect(),
        })
    }

    fn options(&self, policy: Policy, context: &Context) -> Result<ForgetOptions> {
        let calendar = match self.time_zone.as_deref() {
            None | Some("written") => Calendar::Written,
            Some("local") => Calendar::Zone(context.environment.time_zone.clone()),
            Some(name) => Calendar::Zone(TimeZone::get(name).map_err(|e| {
                Error::usage(format!("--time-zone: {e}"))
                    .hint("write it as Europe/Amsterdam, UTC, local or written")
            })?),
        };
        Ok(ForgetOptions {
            filter: self.filter.filter(&context.environment, None),
            group_by: self.group_by.parse()?,
            policy,
            calendar,
            age_by: match self.age_by.as_str() {
                "stated" => AgeBy::Stated,
                _ => AgeBy::Receipt,
            },
            now: Timestamp::now(),
            allow_remove_all: self.unsafe_allow_remove_all,
        })
    }
}
