//! `strongroom ls`: the files of a snapshot.

mod ncdu;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::ls::{ListOptions, Listing};
use strongroom_repository::pattern::clean;
use strongroom_repository::snapshots::SnapshotFile;
use strongroom_repository::walk::{Damage, Entry, Step, Walk, locate};

use crate::arguments::SnapshotFilterArguments;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::meter::Activity;
use crate::output::{escape, node, snapshot};
use crate::select::{self, Selected};

/// List the files of a snapshot
///
/// Without directories, everything in the snapshot; with them, what lies directly in them, or with --recursive below them.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Snapshot, SNAPSHOT:PATH, or "latest"
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: OsString,

    /// Absolute paths of directories in the snapshot
    #[arg(value_name = "DIRECTORY")]
    pub directories: Vec<OsString>,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// Show mode, owner, size and time
    #[arg(short, long)]
    pub long: bool,

    /// Show sizes in KiB, MiB, …
    #[arg(long)]
    pub human_readable: bool,

    /// Include everything below the directories
    #[arg(long)]
    pub recursive: bool,

    /// Sort by
    #[arg(short, long, value_name = "KEY", default_value = "name")]
    pub sort: SortKey,

    /// Sort the other way round
    #[arg(long)]
    pub reverse: bool,

    /// Print what `ncdu -f -` reads
    #[arg(long, conflicts_with_all = ["json", "sort", "reverse", "directories"])]
    pub ncdu: bool,
}

/// What a listing is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SortKey {
    Name,
    Size,
    #[value(alias = "mtime")]
    Time,
    Atime,
    Ctime,
    Extension,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let mut directories = Vec::new();
    for directory in &arguments.directories {
        let path = directory.as_bytes();
        if !path.starts_with(b"/") {
            let shown = escape::name(path);
            return Err(Error::usage(format!(
                "{shown}: directories in a snapshot begin with /"
            )));
        }
        directories.push(clean(path));
    }
    let repository = context.open().await?;
    let filter = arguments.filter.filter(&context.environment, None);
    let listing = async |_: &Lock| {
        let selected = select::one(context, &repository, &arguments.snapshot, &filter).await?;
        let index = {
            let meter = context.meter(Activity::Other);
            Arc::new(repository.open_index(meter.progress()).await?)
        };
        let root = selected.file.snapshot.tree;
        let located = locate(&repository, &index, root, &selected.path).await?;
        let tree = located.directory()?;
        if arguments.ncdu {
            let walk = Walk::new(
                repository.clone(),
                index,
                tree,
                b"/",
                context.cancel.clone(),
            );
            return ncdu::export(&selected.file, walk, context).await;
        }
        let options = ListOptions {
            directories,
            recursive: arguments.recursive,
        };
        let cancel = context.cancel.clone();
        let listing = Listing::new(repository.clone(), index, tree, options, cancel);
        list(&selected, listing, &arguments, context).await
    };
    let errors = context.locked(&repository, Access::Read, listing).await?;
    context.output.flush()?;
    super::damage(errors)?;
    Ok(ExitCode::Success)
}

async fn list(
    selected: &Selected,
    mut listing: Listing,
    arguments: &Arguments,
    context: &Context,
) -> Result<u64> {
    let output = &context.output;
    match output.is_json() {
        true => output.json(&header(&selected.file)?)?,
        false => {
            let zone = &context.environment.time_zone;
            output.note(format_args!("{}:", snapshot::line(&selected.file, zone)));
        }
    }
    let is_sorted = arguments.sort == SortKey::Name && !arguments.reverse;
    let mut entries = Vec::new();
    let mut errors = 0;
    while let Some(step) = listing.next().await? {
        match step {
            Step::Entry(entry) if is_sorted => show(&entry, arguments, context)?,
            Step::Entry(entry) => entries.push(entry),
            Step::Left(_) => {}
            Step::Damage(damage) => {
                errors += 1;
                tell_damage(&damage, context);
            }
        }
    }
    sort(&mut entries, arguments);
    entries
        .iter()
        .try_for_each(|entry| show(entry, arguments, context))?;
    Ok(errors)
}

/// Damage on the way is told where it lies; the listing goes on behind it.
fn tell_damage(damage: &Damage, context: &Context) {
    let path = escape::name(&damage.path);
    context.output.warning(&format!("{path}: {}", damage.error));
}

fn header(file: &SnapshotFile) -> Result<Value> {
    let mut value = snapshot::json(file)?;
    if let Some(object) = value.as_object_mut() {
        object.insert("message_type".to_owned(), json!("snapshot"));
        object.insert("struct_type".to_owned(), json!("snapshot"));
    }
    Ok(value)
}

fn show(entry: &Entry, arguments: &Arguments, context: &Context) -> Result<()> {
    let (output, zone) = (&context.output, &context.environment.time_zone);
    if output.is_json() {
        return output.json(&node::listed(&entry.node, &entry.path));
    }
    let (long, human) = (arguments.long, arguments.human_readable);
    output.result(node::line(&entry.node, &entry.path, long, human, zone))
}

fn sort(entries: &mut [Box<Entry>], arguments: &Arguments) {
    let extension = |entry: &Entry| {
        let name = entry.node.name.as_slice();
        let dot = name.iter().rposition(|byte| *byte == b'.');
        dot.and_then(|dot| name.get(dot..))
            .unwrap_or_default()
            .to_vec()
    };
    entries.sort_by(|a, b| {
        let order = match arguments.sort {
            SortKey::Name => a.path.cmp(&b.path),
            SortKey::Size => a.node.size_bytes.cmp(&b.node.size_bytes),
            SortKey::Time => a.node.mtime.cmp(&b.node.mtime),
            SortKey::Atime => a.node.atime.cmp(&b.node.atime),
            SortKey::Ctime => a.node.ctime.cmp(&b.node.ctime),
            SortKey::Extension => extension(a).cmp(&extension(b)),
        };
        order.then_with(|| a.path.cmp(&b.path))
    });
    if arguments.reverse {
        entries.reverse();
    }
}
