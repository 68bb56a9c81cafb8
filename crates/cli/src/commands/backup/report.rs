//! What a backup did, for people and as restic's `summary`.

use std::collections::BTreeMap;

use serde_json::json;
use strongroom_repository::backup::{LeftOut, LeftOutReason};

use super::several::Reached;
use super::{Arguments, Done};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::{escape, figures};

/// Shows the report; an incomplete backup ends with an error of its own code.
pub fn show(
    done: &Done,
    several: Option<&Reached>,
    arguments: &Arguments,
    context: &Context,
) -> Result<ExitCode> {
    tell_left_out(&done.left_out, context);
    match context.output.is_json() {
        true => summary(done, several, arguments, context)?,
        false => text(done, arguments, context)?,
    }
    if let Some(several) = several {
        several.show(context)?;
        if !done.report.is_partial() {
            return several.end();
        }
    }
    if !done.report.is_partial() {
        return Ok(ExitCode::Success);
    }
    context.output.flush()?;
    let errors = figures::count(done.report.figures.errors, "error");
    Err(Error::new(
        ExitCode::SourceIncomplete,
        format!("some source data could not be read ({errors}); the snapshot is incomplete"),
    )
    .hint("the errors above name what is missing; mend the cause and run the same command again"))
}

fn text(done: &Done, arguments: &Arguments, context: &Context) -> Result<()> {
    let output = &context.output;
    let (figures, written) = (&done.report.figures, &done.report.written);
    output.report("")?;
    let row = |what: &str, new: u64, changed: u64, unmodified: u64| {
        format!("{what:<12} {new:>5} new, {changed:>5} changed, {unmodified:>5} unmodified")
    };
    output.report(row(
        "Files:",
        figures.files_new,
        figures.files_changed,
        figures.files_unmodified,
    ))?;
    output.report(row(
        "Dirs:",
        figures.dirs_new,
        figures.dirs_changed,
        figures.dirs_unmodified,
    ))?;
    if output.style().verbosity > 0 {
        output.report(format_args!("Data Blobs:  {:>5} new", written.data_blobs))?;
        output.report(format_args!("Tree Blobs:  {:>5} new", written.tree_blobs))?;
    }
    let verb = match arguments.dry_run {
        true => "Would add",
        false => "Added",
    };
    output.report(format_args!(
        "{verb} to the repository: {} ({} stored)\n",
        figures::size(written.plain_bytes),
        figures::size(written.stored_bytes),
    ))?;
    output.report(format_args!(
        "processed {}, {} in {}",
        figures::count(figures.files(), "file"),
        figures::size(figures.bytes),
        figures::seconds(done.elapsed.as_secs()),
    ))?;
    healed(done, context)?;
    match done.report.snapshot_id {
        Some(id) => output.report(format_args!("snapshot {} saved", id.short())),
        None if arguments.dry_run => output.report("dry run: nothing was stored"),
        None => output.report("nothing has changed: no snapshot was made"),
    }
}

/// What earlier snapshots had lost, and whether they have it again.
fn healed(done: &Done, context: &Context) -> Result<()> {
    let Some(healed) = &done.report.healed else {
        return Ok(());
    };
    let output = &context.output;
    let files = match healed.files {
        1 => "1 file that earlier snapshots lacked is whole again".to_owned(),
        number => format!("{number} files that earlier snapshots lacked are whole again"),
    };
    if healed.blobs > 0 {
        let blobs = figures::count(healed.blobs, "blob");
        output.report(format_args!("healed: {blobs}, {files}"))?;
    }
    if healed.lost > 0 {
        output.warning(&format!(
            "earlier snapshots still lack {}: `strongroom check` names the files",
            figures::count(healed.lost, "blob")
        ));
    }
    Ok(())
}

fn summary(
    done: &Done,
    several: Option<&Reached>,
    arguments: &Arguments,
    context: &Context,
) -> Result<()> {
    let (figures, written) = (&done.report.figures, &done.report.written);
    let mut summary = json!({
        "message_type": "summary",
        "files_new": figures.files_new,
        "files_changed": figures.files_changed,
        "files_unmodified": figures.files_unmodified,
        "dirs_new": figures.dirs_new,
        "dirs_changed": figures.dirs_changed,
        "dirs_unmodified": figures.dirs_unmodified,
        "data_blobs": written.data_blobs,
        "tree_blobs": written.tree_blobs,
        "data_added": written.plain_bytes,
        "data_added_packed": written.stored_bytes,
        "total_files_processed": figures.files(),
        "total_bytes_processed": figures.bytes,
        "total_duration": done.elapsed.as_secs_f64(),
    });
    if let Some(object) = summary.as_object_mut() {
        if let Some(times) = &done.report.snapshot.summary {
            object.insert("backup_start".into(), json!(times.backup_start.to_string()));
            object.insert("backup_end".into(), json!(times.backup_end.to_string()));
        }
        if let Some(id) = done.report.snapshot_id {
            object.insert("snapshot_id".into(), json!(id));
        }
        if arguments.dry_run {
            object.insert("dry_run".into(), json!(true));
        }
        if let Some(healed) = &done.report.healed {
            object.insert("blobs_healed".into(), json!(healed.blobs));
            object.insert("files_healed".into(), json!(healed.files));
            object.insert("blobs_lost".into(), json!(healed.lost));
        }
        if let Some(several) = several {
            object.insert("destinations".into(), several.json());
        }
        if figures.errors > 0 {
            object.insert("error_count".into(), json!(figures.errors));
        }
    }
    context.output.json(&summary)
}

/// What the user did not exclude by a pattern is never left out without a word.
fn tell_left_out(left_out: &[LeftOut], context: &Context) {
    let output = &context.output;
    let mut numbers: BTreeMap<LeftOutReason, u64> = BTreeMap::new();
    for left in left_out {
        let path = escape::name(&left.path);
        match left.reason {
            LeftOutReason::Own => {
                output.note(format_args!(
                    "left out {path}: the repository or the cache itself"
                ));
            }
            LeftOutReason::SymlinkLoop => {
                output.warning(&format!(
                    "{path} leads back to where it lies: stored as a link"
                ));
            }
            reason => {
                output.detail(1, format_args!("left out {path}: {}", words(reason)));
                *numbers.entry(reason).or_default() += 1;
            }
        }
    }
    for (reason, number) in numbers {
        output.note(format_args!(
            "left out {}: {}",
            figures::count(number, "path"),
            words(reason)
        ));
    }
}

fn words(reason: LeftOutReason) -> &'static str {
    match reason {
        LeftOutReason::Own => "the repository or the cache itself",
        LeftOutReason::OtherFileSystem => "on another file system",
        LeftOutReason::Tagged => "the content of marked directories",
        LeftOutReason::TooLarge => "larger than the limit",
        LeftOutReason::SymlinkLoop => "a loop of symbolic links",
        LeftOutReason::Symlink => "symbolic links",
    }
}
