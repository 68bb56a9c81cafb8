//! `strongroom cat`: what is inside the repository.

use std::ffi::OsString;

use clap::{Args, Subcommand};
use strongroom_repository::format::{BlobKind, Id};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::snapshots::SnapshotFilter;
use strongroom_repository::walk::locate;
use strongroom_repository::{FileKind, Repository};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::identifier::{resolve, resolve_file};
use crate::output::meter::Activity;
use crate::select;

/// Print an object of the repository
///
/// The master key is not among them: whoever has it needs no password, and it would end up in logs and histories.
#[derive(Debug, Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    object: Object,
}

#[derive(Debug, Subcommand)]
enum Object {
    /// The configuration
    Config,
    /// A snapshot
    Snapshot {
        /// Its identifier, or "latest"
        id: OsString,
    },
    /// An index file
    Index {
        /// Its identifier
        id: String,
    },
    /// A key file; the master key in it is encrypted
    Key {
        /// Its identifier
        id: String,
    },
    /// A lock file
    Lock {
        /// Its identifier
        id: String,
    },
    /// A pack, as it is stored
    Pack {
        /// Its identifier
        id: String,
    },
    /// The content of a blob
    Blob {
        /// Its identifier
        id: String,
    },
    /// The tree of a directory in a snapshot
    Tree {
        /// SNAPSHOT:PATH
        #[arg(value_name = "SNAPSHOT:PATH")]
        tree: OsString,
    },
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let repository = context.open().await?;
    let printing = async |_: &Lock| print(&arguments.object, &repository, context).await;
    context.locked(&repository, Access::Read, printing).await?;
    Ok(ExitCode::Success)
}

async fn print(object: &Object, repository: &Repository, context: &Context) -> Result<()> {
    let file = async |kind: FileKind, id: &str| {
        let id = resolve_file(repository, kind, id).await?;
        json(&repository.load_file(kind, &id).await?, context)
    };
    match object {
        Object::Config => json(&repository.config().encode(), context),
        Object::Snapshot { id } => {
            let all = SnapshotFilter::default();
            let found = select::one(context, repository, id, &all).await?;
            let stored = repository.load_file(FileKind::Snapshot, &found.file.id);
            json(&stored.await?, context)
        }
        Object::Index { id } => file(FileKind::Index, id).await,
        Object::Key { id } => file(FileKind::Key, id).await,
        Object::Lock { id } => file(FileKind::Lock, id).await,
        Object::Pack { id } => pack(id, repository, context).await,
        Object::Blob { id } => blob(id, repository, context).await,
        Object::Tree { tree } => print_tree(tree, repository, context).await,
    }
}

/// JSON for reading: the members in their order, indented. What is no JSON is printed as it is.
fn json(stored: &[u8], context: &Context) -> Result<()> {
    let parsed = serde_json::from_slice::<serde_json::Value>(stored);
    match parsed.and_then(|value| serde_json::to_string_pretty(&value)) {
        Ok(text) => context.output.result(text),
        Err(_) => context.output.bytes(stored),
    }
}

async fn pack(prefix: &str, repository: &Repository, context: &Context) -> Result<()> {
    let id = resolve_file(repository, FileKind::Pack, prefix).await?;
    let stored = repository.load_raw(FileKind::Pack, &id).await?;
    context.output.bytes(&stored)?;
    match Id::of(&stored) == id {
        true => Ok(()),
        false => Err(Error::new(
            ExitCode::DamageFound,
            format!("pack {id}: its content does not match its name"),
        )),
    }
}

async fn blob(prefix: &str, repository: &Repository, context: &Context) -> Result<()> {
    let index = {
        let meter = context.meter(Activity::Other);
        repository.load_index(meter.progress()).await?
    };
    let kinds = [BlobKind::Data, BlobKind::Tree];
    let known = kinds
        .into_iter()
        .flat_map(|kind| index.blobs(kind))
        .map(|blob| blob.id);
    let id = resolve("blob", prefix, known)?;
    let kind = kinds
        .into_iter()
        .find(|kind| index.contains(*kind, &id))
        .ok_or_else(|| Error::failed(format!("there is no blob {prefix}")))?;
    let content = repository.load_blob(&index, kind, &id).await?;
    context.output.bytes(&content)
}

async fn print_tree(tree: &OsString, repository: &Repository, context: &Context) -> Result<()> {
    let all = SnapshotFilter::default();
    let found = select::one(context, repository, tree, &all).await?;
    let index = {
        let meter = context.meter(Activity::Other);
        repository.open_index(meter.progress()).await?
    };
    let root = found.file.snapshot.tree;
    let tree = locate(repository, &index, root, &found.path)
        .await?
        .directory()?;
    let content = repository.load_blob(&index, BlobKind::Tree, &tree).await?;
    json(&content, context)
}
