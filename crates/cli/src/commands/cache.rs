//! `strongroom cache`: the local caches.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::Args;
use serde_json::json;
use strongroom_storage::{CacheDirectory, CacheFolder};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::table::Table;
use crate::output::{escape, figures};

/// List or remove local caches
///
/// A cache holds copies of metadata and can be removed at any time.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Remove caches that were not used for long
    #[arg(long)]
    pub cleanup: bool,

    /// Days without use after which a cache is old
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub max_age: u32,

    /// Do not add up sizes
    #[arg(long)]
    pub no_size: bool,
}

/// Runs the command.
pub async fn run(arguments: Arguments, context: &Context) -> Result<ExitCode> {
    let Some(root) = context.cache_directory() else {
        return Err(Error::usage("there is no folder for the cache")
            .hint("give --cache-dir, or set STRONGROOM_CACHE_DIR or HOME"));
    };
    let directory = CacheDirectory::new(root);
    let age = Duration::from_secs(u64::from(arguments.max_age) * 24 * 3600);
    let now = SystemTime::now();
    let looking =
        tokio::task::spawn_blocking(move || look(&directory, age, now, arguments.cleanup));
    let found = looking
        .await
        .map_err(|e| Error::failed(format!("look at the caches: {e}")))??;
    show(&found, arguments.no_size, now, context)?;
    Ok(ExitCode::Success)
}

struct Found {
    root: PathBuf,
    folders: Vec<CacheFolder>,
    old: Vec<CacheFolder>,
    removed: bool,
}

/// A cache holds nothing but copies, so removing one needs no confirmation.
fn look(directory: &CacheDirectory, age: Duration, now: SystemTime, remove: bool) -> Result<Found> {
    let root = directory.root().to_owned();
    let doing = |what: &str| format!("{what} the caches in {}", root.display());
    let old = directory
        .plan_removal(age, now)
        .map_err(|e| Error::file(&e, doing("list")))?;
    if remove {
        directory
            .remove(&old)
            .map_err(|e| Error::file(&e, doing("remove old ones of")))?;
    }
    let folders = directory
        .folders()
        .map_err(|e| Error::file(&e, doing("list")))?;
    Ok(Found {
        folders,
        old,
        removed: remove,
        root,
    })
}

fn show(found: &Found, no_size: bool, now: SystemTime, context: &Context) -> Result<()> {
    let output = &context.output;
    let days = |folder: &CacheFolder| {
        let age = now.duration_since(folder.last_used).unwrap_or_default();
        age.as_secs() / (24 * 3600)
    };
    if output.is_json() {
        let folder = |folder: &CacheFolder| {
            json!({
                "repository_id": folder.name, "days_since_last_use": days(folder),
                "old": found.old.contains(folder), "size": folder.size_bytes,
            })
        };
        return output.json(&json!({
            "message_type": "caches", "directory": found.root.to_string_lossy(),
            "caches": found.folders.iter().map(folder).collect::<Vec<_>>(),
            "removed": if found.removed { found.old.len() } else { 0 },
        }));
    }
    if found.removed {
        let removed = figures::count(found.old.len() as u64, "old cache");
        output.report(format_args!("removed {removed}"))?;
    }
    let mut header = vec!["Repository", "Last used", "Old"];
    header.extend((!no_size).then_some("Size"));
    let mut table = Table::new(header);
    for folder in &found.folders {
        let old = if found.old.contains(folder) {
            "yes"
        } else {
            ""
        };
        let short: String = folder.name.chars().take(10).collect();
        let used = format!("{} ago", figures::count(days(folder), "day"));
        let mut row = vec![short, used, old.to_owned()];
        row.extend((!no_size).then(|| figures::size(folder.size_bytes)));
        table.row(row);
    }
    let number = figures::count(found.folders.len() as u64, "cache");
    let root = found.root.display().to_string();
    table.footer(format!("{number} in {}", escape::text(&root)));
    output.lines(&table.lines())
}
