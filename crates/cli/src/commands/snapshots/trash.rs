//! What is in the trash.

use serde_json::{Value, json};
use strongroom_repository::Repository;
use strongroom_repository::lock::{Access, Lock};
use strongroom_repository::snapshots::SnapshotFile;
use strongroom_repository::trash::TrashEntry;

use super::Arguments;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::identifier;
use crate::output::figures;
use crate::output::meter::Activity;
use crate::output::snapshot::{self, Column};

/// Lists the trash.
pub async fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode> {
    let repository = context.open().await?;
    let loading = async |_: &Lock| load(arguments, &repository, context).await;
    let (entries, unreadable) = context.locked(&repository, Access::Read, loading).await?;
    show(&entries, arguments, context)?;
    context.output.flush()?;
    match unreadable {
        0 => Ok(ExitCode::Success),
        number => Err(Error::new(
            ExitCode::DamageFound,
            format!(
                "{} in the trash cannot be read",
                figures::count(number, "snapshot")
            ),
        )
        .hint("run `strongroom check` to see all damage")),
    }
}

/// The entries that are asked for, and how many cannot be read.
async fn load(
    arguments: &Arguments,
    repository: &Repository,
    context: &Context,
) -> Result<(Vec<TrashEntry>, u64)> {
    let meter = context.meter(Activity::Other);
    let (mut entries, unreadable) = repository.load_trash(meter.progress()).await?;
    drop(meter);
    for (_, error) in &unreadable {
        context.output.warning(&error.to_string());
    }
    if !arguments.snapshots.is_empty() {
        let there: Vec<_> = entries.iter().map(|entry| entry.record.snapshot).collect();
        let names = arguments.snapshots.iter();
        let wanted = names
            .map(|name| identifier::resolve_present("snapshot in the trash", name, &there))
            .collect::<Result<Vec<_>>>()?;
        entries.retain(|entry| wanted.contains(&entry.record.snapshot));
    }
    let filter = arguments.filter.filter(&context.environment, None);
    entries.retain(|entry| filter.matches(&entry.snapshot));
    Ok((entries, unreadable.len() as u64))
}

fn show(entries: &[TrashEntry], arguments: &Arguments, context: &Context) -> Result<()> {
    if context.output.is_json() {
        let values = entries.iter().map(value).collect::<Result<Vec<Value>>>()?;
        return context.output.json(&values);
    }
    let zone = &context.environment.time_zone;
    let files: Vec<SnapshotFile> = entries.iter().map(TrashEntry::file).collect();
    let until = |entry: &TrashEntry| vec![figures::time(entry.record.kept_until, zone)];
    let cells: Vec<Vec<String>> = entries.iter().map(until).collect();
    let column = Column {
        title: "Until",
        cells: &cells,
    };
    let table = snapshot::table(&files, Some(&column), arguments.compact, zone);
    context.output.lines(&table)
}

/// restic's JSON of the snapshot, and the times of the trash.
fn value(entry: &TrashEntry) -> Result<Value> {
    let mut value = snapshot::json(&entry.file())?;
    if let Some(object) = value.as_object_mut() {
        let time = |time: strongroom_repository::format::Time| json!(time.to_string());
        object.insert("forgotten_at".to_owned(), time(entry.record.forgotten_at));
        object.insert("kept_until".to_owned(), time(entry.record.kept_until));
    }
    Ok(value)
}
