//! `strongroom restore`: files back from a snapshot.

mod conflicts;
mod plan;
mod report;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use strongroom_repository::Repository;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::pattern::{Case, PatternList};
use strongroom_repository::restore::{
    self, AttributeFilter, Attributes, OwnerPolicy, RestoreOptions, Selection, Target, TimePolicy,
    plan_restore,
};
use strongroom_repository::walk::locate;
use strongroom_source::files::target::DirectoryTarget;

use crate::arguments::{ExcludeArguments, SnapshotFilterArguments, values};
use crate::confirm::confirm;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::index;
use crate::output::meter::Activity;
use crate::output::{escape, snapshot};
use crate::patterns;
use crate::select::{self, Selected};
use crate::signing;

/// Restore files from a snapshot
///
/// Into an empty directory, or into an existing tree, where only what differs is written.
/// What is known to be missing is found out before anything is written, and then nothing is (exit code 21, or what fits);
/// with --allow-partial-restore the rest is restored all the same. It ends with 20 wherever something is missing in the end.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Snapshot, SNAPSHOT:PATH, or "latest" [default with --at: the last one before]
    #[arg(value_name = "SNAPSHOT", required_unless_present = "at")]
    pub snapshot: Option<OsString>,

    /// Directory to restore into
    #[arg(short, long, value_name = "DIRECTORY")]
    pub target: PathBuf,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// The state at this time: the last snapshot taken by then
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,

    /// Show what would be written and removed, and what is in the way; do nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// What to do where a file exists
    #[arg(long, value_name = "WHEN", default_value = "always")]
    pub overwrite: Overwrite,

    /// Remove what the snapshot does not have from the target
    #[arg(long)]
    pub delete: bool,

    /// Read every restored file again and compare
    #[arg(long)]
    pub verify: bool,

    /// Write long runs of zeros as holes
    #[arg(long)]
    pub sparse: bool,

    /// Restore what can be had where something is known to be missing
    #[arg(long)]
    pub allow_partial_restore: bool,

    /// Who owns what is restored: id, name, none, or UID:GID
    ///
    /// By the numbers of the snapshot; by its names where they exist here; the user who restores; or given numbers,
    /// either of which may be left out.
    #[arg(long, value_name = "POLICY", default_value = "id", value_parser = owner)]
    pub owner: OwnerPolicy,

    /// Which times restored entries get
    #[arg(long, value_name = "POLICY", default_value = "snapshot")]
    pub times: Times,

    /// Do not wait until everything is on stable storage, where it survives a power cut
    #[arg(long)]
    pub no_sync: bool,

    /// Do not compare the space needed with the space free
    #[arg(long)]
    pub no_space_check: bool,

    #[command(flatten)]
    pub exclude: ExcludeArguments,

    /// Restore what matches the pattern alone
    #[arg(short, long, value_name = "PATTERN", help_heading = "Include")]
    pub include: Vec<OsString>,

    /// The same, whatever the case
    #[arg(long, value_name = "PATTERN", help_heading = "Include")]
    pub iinclude: Vec<OsString>,

    /// Read patterns to restore from a file, one a line
    #[arg(long, value_name = "FILE", help_heading = "Include")]
    pub include_file: Vec<PathBuf>,

    /// Like --include-file, whatever the case
    #[arg(long, value_name = "FILE", help_heading = "Include")]
    pub iinclude_file: Vec<PathBuf>,

    /// Leave out extended attributes whose names match
    #[arg(
        long,
        value_name = "PATTERN",
        help_heading = "Exclude",
        conflicts_with = "include_xattr"
    )]
    pub exclude_xattr: Vec<String>,

    /// Restore extended attributes whose names match alone
    #[arg(long, value_name = "PATTERN", help_heading = "Include")]
    pub include_xattr: Vec<String>,
}

/// What to do where a file exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Overwrite {
    /// Make it what the snapshot has, whatever it is
    Always,
    /// The same, and take files of equal size and time for equal
    IfChanged,
    /// Only where the snapshot's is newer
    IfNewer,
    /// Leave it
    Never,
}

/// Which times restored entries get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Times {
    /// Those of the snapshot
    Snapshot,
    /// The time of the restore
    Now,
}

fn owner(text: &str) -> std::result::Result<OwnerPolicy, String> {
    let number = |text: &str| match text {
        "" => Ok(None),
        _ => text.parse().map(Some),
    };
    match text {
        "id" => Ok(OwnerPolicy::Id),
        "name" => Ok(OwnerPolicy::Name),
        "none" => Ok(OwnerPolicy::None),
        _ => {
            let (uid, gid) = text.split_once(':').unwrap_or((text, ""));
            match (number(uid), number(gid)) {
                (Ok(uid), Ok(gid)) if uid.is_some() || gid.is_some() => {
                    Ok(OwnerPolicy::Fixed { uid, gid })
                }
                _ => Err(format!(
                    "{text:?} is none of id, name, none, and numbers such as 1000:1000"
                )),
            }
        }
    }
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let until = match &arguments.at {
        Some(text) => {
            Some(values::time(text, &context.environment.time_zone).map_err(Error::usage)?)
        }
        None => None,
    };
    let options = arguments.options(context)?;
    let repository = context.open().await?;
    let filter = arguments.filter.filter(&context.environment, until);
    let name = arguments
        .snapshot
        .clone()
        .unwrap_or_else(|| "latest".into());
    let restoring = async |_: &Lock| {
        let selected = select::one(context, &repository, &name, &filter).await?;
        if let Some(report) = &selected.signatures {
            signing::tell_vouch(&selected.file.id, report, context)?;
        }
        restore(&selected, &arguments, &options, &repository, context).await
    };
    context.locked(&repository, Access::Read, restoring).await
}

impl Arguments {
    fn options(&self, context: &Context) -> Result<RestoreOptions> {
        let exclude = patterns::exclude(&self.exclude, context)?.set;
        let include = patterns::collect(
            &self.include,
            &self.include_file,
            &self.iinclude,
            &self.iinclude_file,
            context,
        )?
        .set;
        let selection = match (include.is_empty(), exclude.is_empty()) {
            (true, true) => Selection::All,
            (false, true) => Selection::Include(include),
            (true, false) => Selection::Exclude(exclude),
            (false, false) => {
                return Err(Error::usage(
                    "patterns to include and patterns to exclude exclude each other",
                ));
            }
        };
        Ok(RestoreOptions {
            overwrite: match self.overwrite {
                Overwrite::Always => restore::Overwrite::Always,
                Overwrite::IfChanged => restore::Overwrite::IfChanged,
                Overwrite::IfNewer => restore::Overwrite::IfNewer,
                Overwrite::Never => restore::Overwrite::Never,
            },
            selection,
            delete: self.delete,
            sparse: self.sparse,
            attributes: Attributes {
                owner: self.owner,
                times: match self.times {
                    Times::Snapshot => TimePolicy::Snapshot,
                    Times::Now => TimePolicy::Now,
                },
                extended: self.extended_attributes()?,
            },
            allow_partial: self.allow_partial_restore,
            ignore_free_space: self.no_space_check,
            verify: self.verify,
            sync: !self.no_sync,
            ..RestoreOptions::default()
        })
    }

    fn extended_attributes(&self) -> Result<AttributeFilter> {
        let (patterns, wanted) = match self.include_xattr.is_empty() {
            true => (&self.exclude_xattr, false),
            false => (&self.include_xattr, true),
        };
        if patterns.is_empty() {
            return Ok(AttributeFilter::all());
        }
        let list = PatternList::parse(patterns, Case::Sensitive)?;
        Ok(AttributeFilter::new(move |name| {
            list.is_match(format!("/{name}").as_bytes()) == wanted
        }))
    }
}

async fn restore(
    selected: &Selected,
    arguments: &Arguments,
    options: &RestoreOptions,
    repository: &Repository,
    context: &Context,
) -> Result<ExitCode> {
    let output = &context.output;
    let zone = &context.environment.time_zone;
    let place = arguments.target.display().to_string();
    output.note(format_args!(
        "restoring {} to {}",
        snapshot::line(&selected.file, zone),
        escape::text(&place)
    ));
    let meter = context.meter(Activity::Restore);
    let index = index::load_readable(repository, meter.progress(), context).await?;
    let root = selected.file.snapshot.tree;
    let found = locate(repository, &index, root, &selected.path).await?;
    let tree = found.directory().map_err(|error| {
        Error::from(error)
            .hint("name the directory and add --include for one file, or use `strongroom dump`")
    })?;
    let target: Arc<dyn Target> = Arc::new(DirectoryTarget::new(&arguments.target));
    let plan = plan_restore(
        repository,
        &index,
        tree,
        target,
        options,
        meter.progress(),
        &context.cancel,
    )
    .await?;
    drop(meter);
    if matches!(options.selection, Selection::Include(_))
        && plan.totals.entries + plan.totals.skipped == 0
    {
        output.warning("nothing in the snapshot matches what is to be included");
    }
    if arguments.dry_run {
        return plan::show_plan(&plan, context);
    }
    if !arguments.allow_partial_restore {
        plan::refuse_problems(&plan, arguments.delete, context)?;
    }
    let losses = plan::losses(&plan);
    if losses.is_any() {
        conflicts::show_losses(&plan, context);
        confirm(context, &format!("{losses} in {place}")).await?;
    }
    let meter = context.meter(Activity::Restore);
    let done = plan
        .execute(repository, &index, meter.progress(), &context.cancel)
        .await
        .map_err(report::at_target)?;
    let elapsed = meter.elapsed();
    drop(meter);
    report::show(done, elapsed, context)
}
