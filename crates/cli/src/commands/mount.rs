//! `strongroom mount`: snapshots as folders.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use strongroom_mount::{
    ErrorKind, Mounted, Options, PathTemplate, READ_CACHE_BYTES, TimeTemplate, Unmounted,
};
use strongroom_repository::Repository;
use strongroom_repository::clock::SystemClock;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::progress::Progress;

use crate::arguments::{SnapshotFilterArguments, values};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::{Output, escape};
use crate::select;

/// Show snapshots as a read-only folder of the system
///
/// Runs until Ctrl-C or until the folder is unmounted. Below it snapshots are found in ids, snapshots (by time), hosts and tags;
/// "latest" is the newest of its folder. Nothing is read before it is looked at. What cannot be read gives an
/// input/output error where it is touched, and a line here.
#[derive(Debug, Args)]
pub struct Arguments {
    /// An empty folder to show them in
    #[arg(value_name = "MOUNTPOINT")]
    pub mountpoint: PathBuf,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// Where snapshots are shown; %i short and %I long identifier, %u user, %h host, %t each tag, %T time; several are all shown
    /// [default: ids/%i snapshots/%T hosts/%h/%T tags/%t/%T]
    #[arg(long, value_name = "TEMPLATE")]
    pub path_template: Vec<PathTemplate>,

    /// How times are written: as 2 January 2006, 15:04:05 in the zone -0700 would look [default: 2006-01-02T15:04:05Z07:00]
    #[arg(long, value_name = "TEMPLATE")]
    pub time_template: Option<TimeTemplate>,

    /// Show everything as root's
    #[arg(long)]
    pub owner_root: bool,

    /// Let other users look, too, each at what the modes of the files allow
    #[arg(long)]
    pub allow_other: bool,

    /// With --allow-other: let them read everything, whatever the modes say
    #[arg(long)]
    pub no_default_permissions: bool,

    /// Look for new snapshots at most this often
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = values::duration)]
    pub reload_every: Duration,

    /// Memory for what was read, so that it is not fetched again [default: 128M]
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub cache_memory: Option<u64>,
}

/// Tells of what cannot be read.
struct Warnings(Arc<Output>);

impl Progress for Warnings {
    fn entry_error(&self, path: &[u8], during: &str, error: &str) {
        let path = escape::name(path);
        self.0.warning(&format!("{during} {path}: {error}"));
    }

    fn warning(&self, message: &str) {
        self.0.warning(message);
    }
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    // Before a password is asked for.
    let mountpoint = strongroom_mount::check_mountpoint(&arguments.mountpoint).map_err(told)?;
    let named = context.named()?;
    refuse_overlap(&mountpoint, named.directory())?;
    refuse_overlap(&mountpoint, context.cache_directory().as_deref())?;
    let repository = context.open_named(&named).await?;
    let mut options = options(arguments, mountpoint, context);
    let serving = async |_: &Lock| {
        let verified = select::verify_all(context, &repository, &options.filter).await?;
        if context.requires_signatures() {
            // What appears from here on was not verified.
            options.only = Some(verified.into_iter().collect());
        }
        serve(&repository, &options, context).await
    };
    context.locked(&repository, Access::Read, serving).await
}

fn options(arguments: Arguments, mountpoint: PathBuf, context: &Context) -> Options {
    let templates = arguments.path_template;
    Options {
        mountpoint,
        filter: arguments.filter.filter(&context.environment, None),
        only: None,
        path_templates: match templates.is_empty() {
            true => PathTemplate::defaults(),
            false => templates,
        },
        time_template: arguments.time_template.unwrap_or_default(),
        owner_root: arguments.owner_root,
        allow_other: arguments.allow_other,
        default_permissions: !arguments.no_default_permissions,
        reload_after: arguments.reload_every,
        read_cache_bytes: arguments.cache_memory.unwrap_or(READ_CACHE_BYTES),
        clock: Arc::new(SystemClock),
        progress: Arc::new(Warnings(Arc::clone(&context.output))),
    }
}

/// Reading the repository would go through the mount, which waits for the reading.
fn refuse_overlap(mountpoint: &Path, directory: Option<&Path>) -> Result<()> {
    let Some(directory) = directory.and_then(|directory| directory.canonicalize().ok()) else {
        return Ok(());
    };
    match directory.starts_with(mountpoint) || mountpoint.starts_with(&directory) {
        true => Err(Error::refused(format!(
            "mount on {}: it and {}, which is read meanwhile, lie in one another",
            mountpoint.display(),
            directory.display()
        ))
        .hint("choose a folder elsewhere")),
        false => Ok(()),
    }
}

async fn serve(repository: &Repository, options: &Options, context: &Context) -> Result<ExitCode> {
    let mounting = strongroom_mount::mount(repository.clone(), options);
    let mut mounted = tokio::select! {
        mounted = mounting => mounted.map_err(told)?,
        () = context.cancel.cancelled() => return Err(Error::interrupted()),
    };
    announce(&mounted, context)?;
    tokio::select! {
        () = mounted.ended() => {}
        () = context.cancel.cancelled() => {}
    }
    let shown = mounted.mountpoint().display().to_string();
    match mounted.unmount().await.map_err(told)? {
        Unmounted::Free => {}
        Unmounted::InUse => context.output.warning(&format!(
            "{shown} is unmounted, but programs still use it: what they hold open cannot be read any more"
        )),
    }
    Ok(ExitCode::Success)
}

/// Tells at once that the folder can be used: whoever started this may wait for the line.
fn announce(mounted: &Mounted, context: &Context) -> Result<()> {
    let output = &context.output;
    let mountpoint = mounted.mountpoint();
    if output.is_json() {
        output.json(&json!({
            "message_type": "mounted",
            "mountpoint": mountpoint.to_string_lossy(),
        }))?;
    }
    output.report(format_args!(
        "The snapshots are in {}; Ctrl-C or unmounting it ends this.",
        mountpoint.display()
    ))?;
    output.flush()
}

fn told(error: strongroom_mount::Error) -> Error {
    let message = error.to_string();
    let (code, hint) = match error.kind() {
        ErrorKind::Repository => {
            return match error.into_repository() {
                Some(error) => error.into(),
                None => Error::failed(message),
            };
        }
        ErrorKind::NotEmpty => (ExitCode::Refused, "make an empty folder to mount on"),
        ErrorKind::Mountpoint => (
            ExitCode::Failed,
            "make a folder that this user may write to",
        ),
        ErrorKind::Disconnected => (
            ExitCode::Failed,
            "take it away with `umount MOUNTPOINT`, or `fusermount3 -u MOUNTPOINT` as an ordinary user",
        ),
        ErrorKind::NoFuse => (
            ExitCode::Failed,
            "install the system's package fuse3; a container must be given the device /dev/fuse and the right to mount",
        ),
        ErrorKind::Template => (ExitCode::Usage, "see `strongroom mount --help`"),
        _ => (
            ExitCode::Failed,
            "for --allow-other as an ordinary user, /etc/fuse.conf must say user_allow_other",
        ),
    };
    Error::new(code, message).hint(hint)
}
