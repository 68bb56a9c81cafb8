//! Figures in Prometheus' form.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What has happened since the start.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    received_bytes: AtomicU64,
    sent_bytes: AtomicU64,
    stored_files: AtomicU64,
    removed_files: AtomicU64,
    answers: Mutex<BTreeMap<(String, u16), u64>>,
}

impl Metrics {
    /// A file was stored.
    pub(crate) fn stored(&self, bytes: u64) {
        self.received_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.stored_files.fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes of files were sent.
    pub(crate) fn sent(&self, bytes: u64) {
        self.sent_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A file was removed.
    pub(crate) fn removed(&self) {
        self.removed_files.fetch_add(1, Ordering::Relaxed);
    }

    /// A request was answered. Methods that nobody knows count together, so that a stranger cannot make up labels.
    pub(crate) fn answered(&self, method: &str, status: u16) {
        let known = ["GET", "HEAD", "POST", "DELETE"];
        let method = known.iter().find(|known| **known == method);
        let method = method.map_or("other", |method| method);
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.entry((method.to_owned(), status)).or_default() += 1;
    }

    /// The page.
    pub(crate) fn page(&self, used_bytes: u64) -> String {
        let mut page = String::new();
        let mut figure = |name: &str, kind: &str, help: &str, value: u64| {
            let _ = writeln!(
                page,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
            );
        };
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        figure(
            "strongroom_rest_received_bytes_total",
            "counter",
            "Bytes of files that clients have stored.",
            of(&self.received_bytes),
        );
        figure(
            "strongroom_rest_sent_bytes_total",
            "counter",
            "Bytes of files that clients have read.",
            of(&self.sent_bytes),
        );
        figure(
            "strongroom_rest_stored_files_total",
            "counter",
            "Files that clients have stored.",
            of(&self.stored_files),
        );
        figure(
            "strongroom_rest_removed_files_total",
            "counter",
            "Files that clients have removed.",
            of(&self.removed_files),
        );
        figure(
            "strongroom_rest_used_bytes",
            "gauge",
            "Bytes of all files below the folder that is served.",
            used_bytes,
        );
        let name = "strongroom_rest_requests_total";
        let _ = writeln!(
            page,
            "# HELP {name} Requests by method and status.\n# TYPE {name} counter"
        );
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        for ((method, status), number) in &*answers {
            let _ = writeln!(
                page,
                "{name}{{method=\"{method}\",status=\"{status}\"}} {number}"
            );
        }
        page
    }
}
