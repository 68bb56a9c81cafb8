//! Snapshots as people and programs see them.

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use strongroom_repository::pin::{Pin, is_pin_tag};
use strongroom_repository::snapshots::{GroupKey, SnapshotFile};

use super::table::Table;
use super::{escape, figures};
use crate::error::{Error, Result};

/// restic's JSON of a snapshot: what is stored, then `id` and `short_id`.
pub fn json(stored: &SnapshotFile) -> Result<Value> {
    let mut value: Value = serde_json::from_slice(&stored.snapshot.encode())
        .map_err(|e| Error::failed(format!("write a snapshot as JSON: {e}")))?;
    if let Some(object) = value.as_object_mut() {
        object.insert("id".to_owned(), json!(stored.id));
        object.insert("short_id".to_owned(), json!(stored.id.short()));
        if let Some(pin) = Pin::of(&stored.snapshot.tags) {
            let until = pin.until.map(|until| until.to_string());
            object.insert("pin".to_owned(), json!({"until": until, "note": pin.note}));
        }
    }
    Ok(value)
}

/// One line on a snapshot: `snapshot 1047e729 of [/home] at 2026-11-20 12:00:00 by root@host`.
pub fn line(stored: &SnapshotFile, zone: &TimeZone) -> String {
    let snapshot = &stored.snapshot;
    let paths: Vec<_> = snapshot.paths.iter().map(|p| shown(p)).collect();
    format!(
        "snapshot {} of [{}] at {} by {}@{}",
        stored.id.short(),
        paths.join(", "),
        figures::time(snapshot.time, zone),
        shown(&snapshot.username),
        shown(&snapshot.hostname),
    )
}

/// One more column of a table, with the lines of each row.
pub struct Column<'a> {
    pub title: &'a str,
    pub cells: &'a [Vec<String>],
}

/// A table of snapshots in restic's columns. `more` says something else of each, such as why it is kept.
pub fn table(
    snapshots: &[SnapshotFile],
    more: Option<&Column<'_>>,
    compact: bool,
    zone: &TimeZone,
) -> Vec<String> {
    let mut header = vec!["ID", "Time", "Host", "Tags"];
    header.extend(more.map(|column| column.title));
    header.extend((!compact).then_some("Paths"));
    header.push("Size");
    let mut table = Table::new(header);
    for (number, stored) in snapshots.iter().enumerate() {
        let snapshot = &stored.snapshot;
        let list = |texts: &[String]| texts.iter().map(|text| shown(text)).collect::<Vec<_>>();
        let tags = match compact {
            true => list(&tags(stored)),
            false => vec![list(&tags(stored)).join(",")],
        };
        let mut row = vec![
            vec![stored.id.short()],
            vec![figures::time(snapshot.time, zone)],
            vec![shown(&snapshot.hostname)],
            tags,
        ];
        row.extend(more.map(|column| column.cells.get(number).cloned().unwrap_or_default()));
        row.extend((!compact).then(|| list(&snapshot.paths)));
        let summary = snapshot.summary.as_ref();
        row.push(
            summary
                .map(|s| figures::size(s.total_bytes_processed))
                .into_iter()
                .collect(),
        );
        table.tall_row(row);
    }
    table.footer(figures::count(snapshots.len() as u64, "snapshot"));
    table.lines()
}

/// The tags, with those of a pin as one text for people.
fn tags(stored: &SnapshotFile) -> Vec<String> {
    let tags = &stored.snapshot.tags;
    let Some(pin) = Pin::of(tags) else {
        return tags.clone();
    };
    let others = tags.iter().filter(|tag| !is_pin_tag(tag)).cloned();
    others.chain([pin.to_string()]).collect()
}

/// What the snapshots of a group have in common: `host vm, paths [/home]`; `None` where nothing is grouped by.
pub fn group(key: &GroupKey) -> Option<String> {
    let text = key.to_string();
    (!text.is_empty()).then(|| escape::text(&text).into_owned())
}

fn shown(text: &str) -> String {
    escape::name(text.as_bytes()).into_owned()
}
