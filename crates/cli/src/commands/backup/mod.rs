//! `strongroom backup`: a new snapshot.

mod files_from;
mod heal;
mod input;
mod report;
mod scan;
mod several;
mod source;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use strongroom_repository::backup::{BackupOptions, BackupReport, LeftOut, Source};
use strongroom_repository::format::{Id, Time};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::snapshots::{GroupBy, SnapshotFilter, TagList, newest};
use strongroom_repository::{ErrorKind, Repository};
use tokio::task::JoinHandle;

use crate::arguments::{ExcludeArguments, split_tags, values};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::open::Named;
use crate::output::meter::Activity;
use crate::patterns;
use crate::select;

/// Back up files and directories as a new snapshot
///
/// Files that did not change since the last snapshot of the same host and paths are not read again.
/// The repository and the cache are left out by themselves where they lie inside of what is backed up.
///
/// With several --repo the source is read once: it is backed up into the first repository that opens, and from there the new
/// snapshot, and those of the same host and paths that a repository has missed, are copied into the others.
///
/// Ends with 3 where something could not be read: the snapshot is made without it. The same where not every repository has
/// the snapshot.
#[derive(Debug, Args)]
pub struct Arguments {
    /// What to back up; with --stdin-from-command the command and its arguments
    #[arg(value_name = "PATH")]
    pub paths: Vec<OsString>,

    /// Create the repository where there is none
    #[arg(long)]
    pub init: bool,

    /// Show what would be stored, and store nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Tags of the snapshot
    #[arg(long, value_name = "TAG[,TAG…]")]
    pub tag: Vec<String>,

    /// Name of the host in the snapshot [env: STRONGROOM_HOST]
    #[arg(short = 'H', long, value_name = "HOST")]
    pub host: Option<String>,

    /// Time of the snapshot, such as "2026-11-20 12:00:00" [default: now]
    #[arg(long, value_name = "TIME")]
    pub time: Option<String>,

    /// Snapshot to compare with [default: the latest of the group]
    #[arg(long, value_name = "SNAPSHOT", conflicts_with = "force")]
    pub parent: Option<String>,

    /// What the snapshot to compare with has in common: host, paths, tags
    #[arg(short, long, value_name = "GROUP", default_value = "host,paths")]
    pub group_by: String,

    /// Read every file again, whatever the last snapshot says
    #[arg(short, long)]
    pub force: bool,

    /// Look first which packs are missing, and store again what is lost and still on the source
    ///
    /// Done without being asked where a listing costs next to nothing: in a local directory.
    #[arg(long)]
    pub heal: bool,

    /// Make no snapshot where nothing has changed
    #[arg(long)]
    pub skip_if_unchanged: bool,

    /// Do not take a changed ctime for a changed file
    #[arg(long)]
    pub ignore_ctime: bool,

    /// Do not take a changed inode number or ctime for a changed file
    #[arg(long)]
    pub ignore_inode: bool,

    /// Store access times
    #[arg(long)]
    pub with_atime: bool,

    /// Do not count files before, so no time left is shown
    #[arg(long)]
    pub no_scan: bool,

    /// Files to read at the same time [env: STRONGROOM_READ_CONCURRENCY]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub read_concurrency: Option<u32>,

    /// What to do with symbolic links
    #[arg(long, value_name = "POLICY", default_value = "archive-link")]
    pub symlinks: Symlinks,

    #[command(flatten)]
    pub exclude: ExcludeArguments,

    /// Leave out the content of directories with a CACHEDIR.TAG
    #[arg(long, help_heading = "Exclude")]
    pub exclude_caches: bool,

    /// Leave out the content of directories that hold this file, which may have to begin with a header
    #[arg(long, value_name = "NAME[:HEADER]", help_heading = "Exclude")]
    pub exclude_if_present: Vec<String>,

    /// Leave out files that are larger, such as 500M
    #[arg(long, value_name = "SIZE", value_parser = values::size, help_heading = "Exclude")]
    pub exclude_larger_than: Option<u64>,

    /// Do not enter other file systems
    #[arg(short = 'x', long, help_heading = "Exclude")]
    pub one_file_system: bool,

    /// Read what to back up from a file: patterns, one a line, # for comments; - for standard input
    #[arg(long, value_name = "FILE", help_heading = "What to back up")]
    pub files_from: Vec<PathBuf>,

    /// The same with plain paths, one a line
    #[arg(long, value_name = "FILE", help_heading = "What to back up")]
    pub files_from_verbatim: Vec<PathBuf>,

    /// The same with plain paths, each ended by a zero byte
    #[arg(long, value_name = "FILE", help_heading = "What to back up")]
    pub files_from_raw: Vec<PathBuf>,

    /// Back up what comes from standard input
    #[arg(long, help_heading = "What to back up", conflicts_with_all = ["stdin_from_command", "paths"])]
    pub stdin: bool,

    /// Back up what a command prints; a command that fails makes no snapshot
    #[arg(long, help_heading = "What to back up")]
    pub stdin_from_command: bool,

    /// Name of the file in the snapshot
    #[arg(
        long,
        value_name = "NAME",
        default_value = "stdin",
        help_heading = "What to back up"
    )]
    pub stdin_filename: String,
}

/// What to do with symbolic links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Symlinks {
    /// Store the link itself
    ArchiveLink,
    /// Leave links out
    Skip,
    /// Store what they point to; a link that leads back to where it lies stays a link
    Follow,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let named = context.named_all()?;
    let zone = &context.environment.time_zone;
    let time = match &arguments.time {
        Some(text) => values::time(text, zone).map_err(Error::usage)?,
        None => Timestamp::now(),
    };
    let plan = Plan {
        time: Time::new(time, zone),
        excludes: patterns::exclude(&arguments.exclude, context)?,
        tags: arguments.tags(),
        hostname: arguments.hostname(context),
        began_to_read: AtomicBool::new(false),
        arguments,
    };
    let wanted = plan.wanted(context)?;
    let [one] = named.as_slice() else {
        return several::run(&plan, &wanted, named, context).await;
    };
    let repository = plan.repository(one, context).await?;
    // Only what exists when the source is made is recognized as our own.
    let source = plan.source(&wanted, &[one], context)?;
    let access = plan.access();
    let backing_up = async |lock: &Lock| plan.execute(&source, &repository, lock, context).await;
    let done = context.locked(&repository, access, backing_up).await?;
    report::show(&done, None, &plan.arguments, context)
}

/// What is to be done, read from the arguments.
struct Plan {
    arguments: Arguments,
    time: Time,
    hostname: String,
    tags: Vec<String>,
    excludes: patterns::Patterns,
    /// From here on what a stream has given cannot be had again.
    began_to_read: AtomicBool,
}

impl Arguments {
    fn hostname(&self, context: &Context) -> String {
        let environment = &context.environment;
        let given = self.host.clone().filter(|host| !host.is_empty());
        let named = || environment.setting_text("HOST").map(str::to_owned);
        given
            .or_else(named)
            .unwrap_or_else(|| environment.hostname.clone())
    }

    fn tags(&self) -> Vec<String> {
        let tags = self.tag.iter().flat_map(|list| split_tags(list));
        tags.filter(|tag| !tag.is_empty()).collect()
    }
}

impl Plan {
    fn access(&self) -> Access {
        match self.arguments.dry_run {
            true => Access::Read,
            false => Access::Append,
        }
    }

    async fn repository(&self, named: &Named, context: &Context) -> Result<Repository> {
        if self.arguments.init && !self.arguments.dry_run {
            match context.create(named, None).await {
                Ok(repository) => {
                    super::init::note(context, named, &repository);
                    return context.with_cache(named, repository).await;
                }
                Err(error) if error.kind == Some(ErrorKind::RepositoryExists) => {}
                Err(error) => return Err(error),
            }
        }
        context.open_named(named).await
    }

    async fn execute(
        &self,
        source: &Arc<dyn Source>,
        repository: &Repository,
        lock: &Lock,
        context: &Context,
    ) -> Result<Done> {
        let parent = self.parent(&**source, repository, context).await?;
        let output = &context.output;
        match &parent {
            Some(parent) => output.note(format_args!("using parent snapshot {}", parent.short())),
            None if self.reads_files() => {
                output.note("no parent snapshot found, all files are read");
            }
            None => {}
        }
        let meter = context.meter(Activity::Backup);
        let index = match self.arguments.dry_run {
            true => repository.open_index(meter.progress()).await?,
            // Takes over the packs of a backup that died.
            false => {
                repository
                    .load_index_to_write(lock, meter.progress())
                    .await?
            }
        };
        let index = heal::without_lost(index, self.arguments.heal, repository, context).await?;
        // With -vv the result of the walk is asked for.
        let patience = match output.style().verbosity {
            0 | 1 => scan::PATIENCE,
            _ => Duration::ZERO,
        };
        let scan = (self.reads_files() && !self.arguments.no_scan)
            .then(|| scan::Scan::start(source.root(), patience, &meter, &context.cancel));
        let environment = &context.environment;
        let options = BackupOptions {
            time: self.time,
            hostname: self.hostname.clone(),
            username: environment.username.clone(),
            uid: environment.uid,
            gid: environment.gid,
            paths: source.paths(),
            excludes: self.excludes.recorded.clone(),
            tags: self.tags.clone(),
            program_version: format!("strongroom {}", env!("CARGO_PKG_VERSION")),
            parent,
            ignore_ctime: self.arguments.ignore_ctime || self.arguments.ignore_inode,
            ignore_inode: self.arguments.ignore_inode,
            skip_if_unchanged: self.arguments.skip_if_unchanged,
            all_or_nothing: source.all_or_nothing(),
            dry_run: self.arguments.dry_run,
        };
        let progress = meter.shared();
        self.began_to_read.store(true, Ordering::Relaxed);
        let interrupting = interrupt_when_cancelled(source, context);
        let result = repository
            .backup(
                &index,
                source.root(),
                options,
                lock,
                &progress,
                &context.cancel,
            )
            .await;
        interrupting.abort();
        drop(scan);
        Ok(Done {
            report: result?,
            elapsed: meter.elapsed(),
            left_out: source.left_out(),
        })
    }

    fn reads_files(&self) -> bool {
        !self.arguments.stdin && !self.arguments.stdin_from_command
    }

    /// The snapshot to compare with: the one asked for, or the newest of the group by the time of this one.
    async fn parent(
        &self,
        source: &dyn Source,
        repository: &Repository,
        context: &Context,
    ) -> Result<Option<Id>> {
        let arguments = &self.arguments;
        if let Some(name) = &arguments.parent {
            let all = SnapshotFilter::default();
            let found = select::one(context, repository, OsStr::new(name), &all).await?;
            return Ok(Some(found.file.id));
        }
        if arguments.force || !self.reads_files() {
            return Ok(None);
        }
        let group_by: GroupBy = arguments.group_by.parse()?;
        let filter = SnapshotFilter {
            hosts: group_by
                .host
                .then(|| self.hostname.clone())
                .into_iter()
                .collect(),
            paths: if group_by.paths {
                source.paths()
            } else {
                Vec::new()
            },
            tags: group_by
                .tags
                .then(|| TagList::parse(&self.tags.join(",")))
                .into_iter()
                .collect(),
            until: Some(self.time.instant()),
        };
        let mut snapshots = select::all(context, repository).await?;
        let ids: Vec<Id> = snapshots.iter().map(|file| file.id).collect();
        let trusted = repository.trusted_snapshots(&ids).await?;
        snapshots.retain(|file| trusted.contains(&file.id));
        let parent = newest(snapshots, &filter, Timestamp::now());
        Ok(parent.map(|parent| parent.id))
    }
}

/// A thread that waits for data of the source notices nothing else.
fn interrupt_when_cancelled(source: &Arc<dyn Source>, context: &Context) -> JoinHandle<()> {
    let (source, cancel) = (Arc::clone(source), context.cancel.clone());
    tokio::spawn(async move {
        cancel.cancelled().await;
        source.interrupt();
    })
}

/// What a backup came to.
pub(super) struct Done {
    pub report: BackupReport,
    pub elapsed: Duration,
    pub left_out: Vec<LeftOut>,
}
