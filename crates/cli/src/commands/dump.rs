//! `strongroom dump`: one file or directory to standard output.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use strongroom_repository::format::NodeKind;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::pattern::clean;
use strongroom_repository::walk::{Located, locate};
use strongroom_repository::{ErrorKind, Repository};
use tokio::sync::mpsc;

use crate::arguments::SnapshotFilterArguments;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::export::{
    Feed, LeftOut, Pieces, feed_directory, feed_file, write_plain, write_tar, write_zip,
};
use crate::index;
use crate::output::escape;
use crate::output::meter::Activity;
use crate::select;

/// Bytes that are gathered before they are written.
const BUFFER_BYTES: usize = 256 * 1024;

/// Print a file of a snapshot, or a directory as an archive
#[derive(Debug, Args)]
pub struct Arguments {
    /// Snapshot, SNAPSHOT:PATH, or "latest"
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: OsString,

    /// Absolute path of a file or directory in the snapshot; / for all of it
    #[arg(value_name = "PATH")]
    pub file: OsString,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// Format for a directory
    #[arg(short, long, value_name = "FORMAT", default_value = "tar")]
    pub archive: Archive,

    /// Write to a file, which must not exist yet
    #[arg(short, long, value_name = "FILE")]
    pub target: Option<PathBuf>,
}

/// Formats of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Archive {
    /// Keeps everything: owners, times, links, devices, extended attributes
    Tar,
    /// Keeps files, directories, symbolic links, modes and times
    Zip,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let repository = context.open().await?;
    let printing = async |_: &Lock| dump(&arguments, &repository, context).await;
    context.locked(&repository, Access::Read, printing).await
}

async fn dump(
    arguments: &Arguments,
    repository: &Repository,
    context: &Context,
) -> Result<ExitCode> {
    let filter = arguments.filter.filter(&context.environment, None);
    let found = select::one(context, repository, &arguments.snapshot, &filter).await?;
    let index = {
        let meter = context.meter(Activity::Other);
        Arc::new(index::load_readable(repository, meter.progress(), context).await?)
    };
    let path = [&found.path, &b"/"[..], arguments.file.as_bytes()].concat();
    let located = locate(repository, &index, found.file.snapshot.tree, &path).await?;
    let base = clean(&[b"/", &*path].concat());
    let (sender, pieces) = mpsc::channel(1);
    let cancel = context.cancel.child_token();
    let feed = Feed {
        repository: repository.clone(),
        index,
        cancel: cancel.clone(),
        sender,
    };
    let is_directory = matches!(located, Located::Directory { .. });
    if let Located::Other(node) = &located
        && node.kind != NodeKind::File
    {
        let kind = node.kind.as_str();
        return Err(Error::failed(format!(
            "{} is a {kind} and has no content",
            escape::name(&base)
        ))
        .hint("give the directory that it lies in: an archive holds it"));
    }
    let feeding = async {
        match located {
            Located::Directory { tree, .. } => feed_directory(feed, tree, &base).await,
            Located::Other(node) => feed_file(feed, *node).await,
        }
    };
    let form = is_directory.then_some(arguments.archive);
    let (zone, target) = (
        context.environment.time_zone.clone(),
        arguments.target.clone(),
    );
    let writing =
        tokio::task::spawn_blocking(move || write(pieces, form, &zone, target.as_deref()));
    let (fed, written) = tokio::join!(feeding, writing);
    let written = written.map_err(|e| Error::failed(format!("write: {e}")))?;
    finish(fed, written, arguments, context)
}

/// The cause where both sides failed: the writer saw a channel that was cut off, or the feed a writer that was gone.
fn finish(
    fed: strongroom_repository::Result<()>,
    written: io::Result<Vec<LeftOut>>,
    arguments: &Arguments,
    context: &Context,
) -> Result<ExitCode> {
    if (written.is_err() || fed.is_err())
        && let Some(target) = &arguments.target
    {
        // Half of a file must not pass for a whole one. That it cannot be removed is no worse than the error itself.
        let _ = std::fs::remove_file(partial(target));
    }
    context.check_cancelled()?;
    match (fed, written) {
        (Ok(()), Ok(left_out)) => Ok(report(&left_out, context)),
        (Err(error), _) if error.kind() != ErrorKind::Cancelled => Err(error.into()),
        (_, Err(error)) => Err(match &arguments.target {
            Some(target) => Error::file(&error, format_args!("write {}", target.display())),
            None => Error::standard_output(&error),
        }),
        (Err(error), Ok(_)) => Err(error.into()),
    }
}

fn report(left_out: &[LeftOut], context: &Context) -> ExitCode {
    for entry in left_out {
        let path = escape::name(&entry.path);
        context
            .output
            .warning(&format!("left out {path}: {}", entry.reason));
    }
    match left_out.is_empty() {
        true => ExitCode::Success,
        false => ExitCode::PartialRestore,
    }
}

/// Writes to standard output, or to a file that gets its name when it is whole.
fn write(
    pieces: Pieces,
    form: Option<Archive>,
    zone: &TimeZone,
    target: Option<&Path>,
) -> io::Result<Vec<LeftOut>> {
    let Some(target) = target else {
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
        return write_to(pieces, form, zone, &mut out);
    };
    let partial = partial(target);
    if target.symlink_metadata().is_ok() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "it exists already",
        ));
    }
    let file = File::options()
        .write(true)
        .create_new(true)
        .open(&partial)?;
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, file);
    let left_out = write_to(pieces, form, zone, &mut out)?;
    out.into_inner()?.sync_all()?;
    std::fs::rename(&partial, target)?;
    Ok(left_out)
}

fn write_to(
    pieces: Pieces,
    form: Option<Archive>,
    zone: &TimeZone,
    out: &mut dyn Write,
) -> io::Result<Vec<LeftOut>> {
    match form {
        None => write_plain(pieces, out).map(|()| Vec::new()),
        Some(Archive::Tar) => write_tar(pieces, out),
        Some(Archive::Zip) => write_zip(pieces, zone, out),
    }
}

/// The name that a file has until it is whole.
fn partial(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}
