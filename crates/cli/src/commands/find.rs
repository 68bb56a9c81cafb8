//! `strongroom find`: files by name over many snapshots.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use clap::Args;
use serde_json::{Value, json};
use strongroom_repository::Repository;
use strongroom_repository::find::{
    FindOptions, ObjectMatch, ObjectQuery, SnapshotMatches, find_entries, find_objects,
};
use strongroom_repository::format::{BlobKind, Id, Time};
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::pattern::{Case, PatternList};
use strongroom_repository::snapshots::SnapshotFile;

use crate::arguments::{SnapshotFilterArguments, values};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::meter::Activity;
use crate::output::{escape, figures, node};
use crate::select;

/// Find files in snapshots
///
/// A pattern without / matches names, one with / absolute paths; * ? [a-z] and ** as in --exclude.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Patterns; with --blob, --tree or --pack beginnings of identifiers
    #[arg(value_name = "PATTERN", required = true)]
    pub patterns: Vec<OsString>,

    #[command(flatten)]
    pub filter: SnapshotFilterArguments,

    /// Search in this snapshot; several are alternatives
    #[arg(short, long, value_name = "SNAPSHOT")]
    pub snapshot: Vec<String>,

    /// Ignore the case of names
    #[arg(short, long)]
    pub ignore_case: bool,

    /// Show mode, owner, size and time
    #[arg(short, long)]
    pub long: bool,

    /// Show sizes in KiB, MiB, …
    #[arg(long)]
    pub human_readable: bool,

    /// Only what was changed at this time or later
    #[arg(short = 'O', long, value_name = "TIME")]
    pub oldest: Option<String>,

    /// Only what was changed at this time or before
    #[arg(short = 'N', long, value_name = "TIME")]
    pub newest: Option<String>,

    /// Oldest snapshot first
    #[arg(short = 'R', long)]
    pub reverse: bool,

    /// The patterns are identifiers of data blobs
    #[arg(long, conflicts_with_all = ["tree", "pack"])]
    pub blob: bool,

    /// The patterns are identifiers of trees
    #[arg(long, conflicts_with = "pack")]
    pub tree: bool,

    /// The patterns are identifiers of packs
    #[arg(long)]
    pub pack: bool,

    /// Show the pack of each blob
    #[arg(long)]
    pub show_pack_id: bool,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let repository = context.open().await?;
    let filter = arguments.filter.filter(&context.environment, None);
    let finding = async |_: &Lock| {
        let mut chosen = select::many(context, &repository, &arguments.snapshot, &filter).await?;
        chosen
            .files
            .sort_by_key(|file| (file.snapshot.time, file.id));
        if !arguments.reverse {
            chosen.files.reverse();
        }
        let exit = chosen.exit();
        let errors = match arguments.blob || arguments.tree || arguments.pack {
            true => objects(chosen.files, &arguments, &repository, context).await?,
            false => entries(chosen.files, &arguments, &repository, context).await?,
        };
        super::damage(errors)?;
        exit
    };
    context.locked(&repository, Access::Read, finding).await
}

/// A pattern to find something cannot be negated: a `!` at its beginning is part of the name.
fn plain(patterns: &[OsString]) -> Vec<Vec<u8>> {
    let plain = |pattern: &OsString| match pattern.as_bytes().strip_prefix(b"!") {
        Some(rest) => [b"[!]", rest].concat(),
        None => pattern.as_bytes().to_vec(),
    };
    patterns.iter().map(plain).collect()
}

async fn entries(
    snapshots: Vec<SnapshotFile>,
    arguments: &Arguments,
    repository: &Repository,
    context: &Context,
) -> Result<u64> {
    let zone = &context.environment.time_zone;
    let time = |text: &Option<String>| -> Result<Option<Time>> {
        let time = text.as_deref().map(|text| values::time(text, zone));
        Ok(time.transpose().map_err(Error::usage)?.map(Time::utc))
    };
    let case = match arguments.ignore_case {
        true => Case::Insensitive,
        false => Case::Sensitive,
    };
    let options = FindOptions {
        patterns: PatternList::parse(plain(&arguments.patterns), case)?,
        oldest: time(&arguments.oldest)?,
        newest: time(&arguments.newest)?,
    };
    let meter = context.meter(Activity::Other);
    let index = repository.open_index(meter.progress()).await?;
    let found = find_entries(
        repository,
        &index,
        snapshots,
        &options,
        meter.progress(),
        &context.cancel,
    )
    .await?;
    let errors = meter.errors();
    drop(meter);
    let found: Vec<SnapshotMatches> = found
        .into_iter()
        .filter(|found| !found.matches.is_empty())
        .collect();
    match context.output.is_json() {
        true => entries_json(&found, context)?,
        false => entries_text(&found, arguments, context)?,
    }
    Ok(errors)
}

fn entries_text(found: &[SnapshotMatches], arguments: &Arguments, context: &Context) -> Result<()> {
    let output = &context.output;
    let zone = &context.environment.time_zone;
    for (number, found) in found.iter().enumerate() {
        if number > 0 {
            output.result("")?;
        }
        output.report(format_args!(
            "Found matching entries in snapshot {} from {}",
            found.snapshot.id.short(),
            figures::time(found.snapshot.snapshot.time, zone)
        ))?;
        for entry in &found.matches {
            let (long, human) = (arguments.long, arguments.human_readable);
            output.result(node::line(&entry.node, &entry.path, long, human, zone))?;
        }
    }
    Ok(())
}

fn entries_json(found: &[SnapshotMatches], context: &Context) -> Result<()> {
    let snapshot = |found: &SnapshotMatches| {
        let matches = found.matches.iter();
        let matches: Vec<Value> = matches.map(|e| node::found(&e.node, &e.path)).collect();
        json!({"matches": matches, "hits": matches.len(), "snapshot": found.snapshot.id})
    };
    context
        .output
        .json(&found.iter().map(snapshot).collect::<Vec<_>>())
}

async fn objects(
    snapshots: Vec<SnapshotFile>,
    arguments: &Arguments,
    repository: &Repository,
    context: &Context,
) -> Result<u64> {
    // What is not valid UTF-8 begins no identifier.
    let patterns = arguments.patterns.iter();
    let patterns = patterns.map(|p| p.to_string_lossy().into_owned()).collect();
    let query = match (arguments.blob, arguments.tree) {
        (true, _) => ObjectQuery::Blobs(patterns),
        (_, true) => ObjectQuery::Trees(patterns),
        _ => ObjectQuery::Packs(patterns),
    };
    let meter = context.meter(Activity::Other);
    let index = repository.load_index(meter.progress()).await?;
    let found = find_objects(
        repository,
        &index,
        &snapshots,
        &query,
        meter.progress(),
        &context.cancel,
    )
    .await?;
    let errors = meter.errors();
    drop(meter);
    let mut values = Vec::new();
    for found in &found {
        let Some(snapshot) = snapshots.get(found.snapshot) else {
            continue;
        };
        let pack = index.locate(found.kind, &found.id).map(|place| place.pack);
        match context.output.is_json() {
            true => values.push(object_json(found, snapshot)),
            false => object_text(
                found,
                snapshot,
                pack.filter(|_| arguments.show_pack_id),
                context,
            )?,
        }
    }
    if context.output.is_json() {
        context.output.json(&values)?;
    }
    Ok(errors)
}

fn object_json(found: &ObjectMatch, snapshot: &SnapshotFile) -> Value {
    let object_type = match found.kind {
        BlobKind::Data => "blob",
        BlobKind::Tree => "tree",
    };
    let mut value = json!({
        "object_type": object_type, "id": found.id,
        "path": String::from_utf8_lossy(&found.path),
    });
    if let (Some(object), Some(parent)) = (value.as_object_mut(), found.parent_tree) {
        object.insert("parent_tree".to_owned(), json!(parent));
    }
    if let Some(object) = value.as_object_mut() {
        object.insert("snapshot".to_owned(), json!(snapshot.id));
        object.insert("time".to_owned(), json!(snapshot.snapshot.time.to_string()));
    }
    value
}

fn object_text(
    found: &ObjectMatch,
    snapshot: &SnapshotFile,
    pack: Option<Id>,
    context: &Context,
) -> Result<()> {
    let output = &context.output;
    let zone = &context.environment.time_zone;
    let kind = match found.kind {
        BlobKind::Data => "blob",
        BlobKind::Tree => "tree",
    };
    output.result(format_args!("Found {kind} {}", found.id))?;
    output.result(format_args!(
        " ... {} {}",
        if kind == "blob" { "in file" } else { "path" },
        escape::name(&found.path)
    ))?;
    if let Some(parent) = found.parent_tree {
        output.result(format_args!("     (tree {parent})"))?;
    }
    output.result(format_args!(
        " ... in snapshot {} ({})",
        snapshot.id.short(),
        figures::time(snapshot.snapshot.time, zone)
    ))?;
    match pack {
        Some(pack) => output.result(format_args!("Object belongs to pack {pack}")),
        None => Ok(()),
    }
}
