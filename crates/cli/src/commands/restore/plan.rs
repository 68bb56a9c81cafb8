//! What a restore would do.

use serde_json::json;
use strongroom_repository::ErrorKind;
use strongroom_repository::format::NodeKind;
use strongroom_repository::progress::Change;
use strongroom_repository::restore::{RestorePlan, RestoreSummary};

use super::conflicts;
use super::report::{incomplete, summary};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::{escape, figures};

/// What of the target a plan destroys.
pub struct Losses {
    overwritten: u64,
    removed: u64,
}

impl Losses {
    /// Whether the user has to be asked.
    pub fn is_any(&self) -> bool {
        self.overwritten + self.removed > 0
    }
}

impl std::fmt::Display for Losses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let entries = |number: u64| match number {
            1 => "1 entry".to_owned(),
            _ => format!("{number} entries"),
        };
        match (self.overwritten, self.removed) {
            (overwritten, 0) => write!(f, "overwrite {}", entries(overwritten)),
            (0, removed) => write!(f, "remove {}", entries(removed)),
            (overwritten, removed) => write!(
                f,
                "overwrite {} and remove {}",
                entries(overwritten),
                entries(removed)
            ),
        }
    }
}

/// Counts what a plan destroys. A directory that stays a directory loses nothing.
pub fn losses(plan: &RestorePlan) -> Losses {
    let mut losses = Losses {
        overwritten: 0,
        removed: 0,
    };
    for action in plan.actions() {
        match action.change {
            Change::Deleted => losses.removed += 1,
            Change::Changed if action.node.is_some_and(|n| n.kind != NodeKind::Dir) => {
                losses.overwritten += 1;
            }
            _ => {}
        }
    }
    losses
}

/// A strict restore writes nothing where it is known that something will be missing.
pub fn refuse_problems(plan: &RestorePlan, delete: bool, context: &Context) -> Result<()> {
    const SHOWN: usize = 50;
    let (output, problems) = (&context.output, &plan.problems);
    if problems.is_empty() {
        return Ok(());
    }
    for problem in problems {
        if output.is_json() {
            output.aside(json!({
                "message_type": "error", "error": {"message": problem.message},
                "during": "restore", "item": String::from_utf8_lossy(&problem.path),
            }));
        }
    }
    if !output.is_json() {
        for problem in problems.iter().take(SHOWN) {
            output.warning(&problem.to_string());
        }
        if problems.len() > SHOWN {
            output.warning("more follow; --json lists all of them");
        }
    }
    // Something that a snapshot names and that is not there is damage of the repository.
    let is_damage = |kind| matches!(kind, ErrorKind::Damaged | ErrorKind::NotFound);
    let code = match problems.iter().find(|problem| !is_damage(problem.kind)) {
        None => ExitCode::DamageFound,
        Some(problem) => problem.kind.into(),
    };
    let number = match problems.len() {
        1 => "1 entry".to_owned(),
        number => format!("{number} entries"),
    };
    let hint = match code {
        ExitCode::DamageFound => {
            "--allow-partial-restore restores the rest; `strongroom check` shows all damage"
        }
        _ if !delete && conflicts::is_blocked_by_folder(plan) => {
            "--delete removes what is in those folders, --allow-partial-restore restores the rest; \
             --dry-run shows what is in the way"
        }
        _ => "--allow-partial-restore restores the rest; --dry-run shows what is in the way",
    };
    Err(Error::new(
        code,
        format!("{number} cannot be restored; nothing was written"),
    )
    .hint(hint))
}

/// The plan of a dry run. What is known to go wrong is an incomplete restore here, too.
pub fn show_plan(plan: &RestorePlan, context: &Context) -> Result<ExitCode> {
    let output = &context.output;
    if output.style().verbosity > 0 {
        for action in plan.actions() {
            let path = action.path.absolute();
            let size = action.node.map_or(0, |node| node.size_bytes);
            if output.is_json() {
                output.json(&json!({
                    "message_type": "verbose_status", "action": word(action.change),
                    "item": String::from_utf8_lossy(&path), "size": size,
                }))?;
            } else {
                let line = format!("{:<9} {}", word(action.change), escape::name(&path));
                output.report(line)?;
            }
        }
    }
    let conflicts = conflicts::list(plan, context)?;
    for problem in &plan.problems {
        output.warning(&problem.to_string());
    }
    let totals = &plan.totals;
    if output.is_json() {
        let mut summary = summary(
            &RestoreSummary {
                total_files: totals.entries,
                files_restored: totals.entries,
                files_skipped: totals.skipped,
                files_deleted: totals.deleted,
                total_bytes: totals.bytes,
                bytes_restored: totals.bytes,
                bytes_reused: totals.bytes.saturating_sub(totals.fetched_bytes),
                bytes_skipped: totals.skipped_bytes,
                ..RestoreSummary::default()
            },
            None,
        );
        if let Some(summary) = summary.as_object_mut().filter(|_| conflicts > 0) {
            summary.insert("conflicts".to_owned(), json!(conflicts));
        }
        output.json(&summary)?;
    } else {
        output.report(format_args!(
            "Would restore {} files/dirs ({}), {} of it from the repository",
            totals.entries,
            figures::size(totals.bytes),
            figures::size(totals.fetched_bytes),
        ))?;
        output.report(format_args!(
            "Would leave {} as they are ({}) and remove {}",
            totals.skipped,
            figures::size(totals.skipped_bytes),
            totals.deleted,
        ))?;
        if totals.lacking_bytes() > 0 {
            let lacking = figures::size(totals.lacking_bytes());
            output.warning(&format!("the target has {lacking} too little free space"));
        }
    }
    match plan.problems.len() {
        0 => Ok(ExitCode::Success),
        number => Err(incomplete(number)),
    }
}

fn word(change: Change) -> &'static str {
    match change {
        Change::New => "restored",
        Change::Changed => "updated",
        Change::Unchanged => "unchanged",
        Change::Deleted => "deleted",
        Change::Skipped => "skipped",
    }
}
