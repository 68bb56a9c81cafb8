//! Snapshots that damage touches, with paths in them.

use serde_json::{Value, json};
use strongroom_repository::check::AffectedSnapshot;

use super::{Output, escape, figures};
use crate::error::Result;

/// For people.
pub fn text(affected: &[AffectedSnapshot], output: &Output) -> Result<()> {
    for snapshot in affected {
        output.result(format_args!(
            "snapshot {} cannot be restored whole: {} damaged",
            snapshot.snapshot.short(),
            figures::count(snapshot.entries, "path"),
        ))?;
        for path in &snapshot.paths {
            output.result(format_args!("  {}", escape::name(path)))?;
        }
        if snapshot.entries > snapshot.paths.len() as u64 {
            output.result("  …")?;
        }
    }
    Ok(())
}

/// For programs.
pub fn json(snapshot: &AffectedSnapshot) -> Value {
    let path = |path: &Vec<u8>| String::from_utf8_lossy(path).into_owned();
    json!({
        "snapshot": snapshot.snapshot, "entries": snapshot.entries,
        "paths": snapshot.paths.iter().map(path).collect::<Vec<_>>(),
    })
}
