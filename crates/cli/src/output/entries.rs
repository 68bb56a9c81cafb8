//! What is told of single entries with `-vv`, for people and as restic's `verbose_status`.

use serde_json::json;
use strongroom_repository::progress::{Change, Item};

use super::meter::{Activity, State};
use super::{escape, figures};

impl State {
    pub(super) fn tell_item(&self, item: &Item<'_>) {
        let action = self.action(item.change);
        if self.output.is_json() {
            let path = String::from_utf8_lossy(item.path);
            let value = match self.activity {
                Activity::Restore => json!({
                    "message_type": "verbose_status", "action": action, "item": path,
                    "size": item.node.size_bytes,
                }),
                _ => self.backed_up(action, item, &path),
            };
            // A reader that has gone is noticed when the report is written.
            let _ = self.output.json(&value);
            return;
        }
        let path = escape::name(item.path);
        let line = match (item.change, self.activity) {
            (Change::New | Change::Changed, Activity::Backup) => format!(
                "{action:<9} {path} ({} added, {} stored)",
                figures::size(item.added_bytes),
                figures::size(item.stored_bytes)
            ),
            _ => format!("{action:<9} {path}"),
        };
        let _ = self.output.report(line);
    }

    /// restic's `verbose_status`: a directory's bytes are metadata, a file's are data.
    fn backed_up(&self, action: &str, item: &Item<'_>, path: &str) -> serde_json::Value {
        let is_dir = item.node.subtree.is_some();
        let (data, metadata) = match is_dir {
            true => ((0, 0), (item.added_bytes, item.stored_bytes)),
            false => ((item.added_bytes, item.stored_bytes), (0, 0)),
        };
        json!({
            "message_type": "verbose_status", "action": action,
            "item": if is_dir { format!("{path}/") } else { path.to_owned() },
            "duration": self.started.elapsed().as_secs_f64(),
            "data_size": data.0, "data_size_in_repo": data.1,
            "metadata_size": metadata.0, "metadata_size_in_repo": metadata.1,
            "total_files": 0,
        })
    }

    fn action(&self, change: Change) -> &'static str {
        match (self.activity, change) {
            (Activity::Restore, Change::New) => "restored",
            (Activity::Restore, Change::Changed) => "updated",
            (_, Change::New) => "new",
            (_, Change::Changed) => "modified",
            (_, Change::Unchanged) => "unchanged",
            (_, Change::Deleted) => "deleted",
            (_, Change::Skipped) => "skipped",
        }
    }

    pub(super) fn scan_finished(&self) {
        if self.output.style.verbosity < 2 {
            return;
        }
        let (total, elapsed) = (self.total(), self.started.elapsed().as_secs_f64());
        if self.output.is_json() {
            let _ = self.output.json(&json!({
                "message_type": "verbose_status", "action": "scan_finished", "item": "",
                "duration": elapsed, "data_size": total.bytes, "data_size_in_repo": 0,
                "metadata_size": 0, "metadata_size_in_repo": 0, "total_files": total.files,
            }));
        } else {
            let (files, bytes) = (
                figures::count(total.files, "file"),
                figures::size(total.bytes),
            );
            let _ = self.output.report(format_args!(
                "scan finished in {elapsed:.3}s: {files}, {bytes}"
            ));
        }
    }
}
