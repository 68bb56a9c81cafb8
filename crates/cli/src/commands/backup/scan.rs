//! Counts what a backup will read, beside the backup, so that the time left can be told.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use strongroom_repository::backup::Handle;
use strongroom_repository::format::NodeKind;
use strongroom_repository::progress::Amount;
use tokio_util::sync::CancellationToken;

use crate::output::meter::{Meter, Scanner};

/// When a walk begins that only serves the estimate: a backup that is over by then has no time left to tell.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// A walk over the source on a thread of its own; dropping it ends the walk.
pub struct Scan {
    stop: CancellationToken,
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Scan {
    /// Counts what is below the root, unless it is dropped within `patience`. Errors are the backup's to report.
    pub fn start(
        root: Box<dyn Handle>,
        patience: Duration,
        meter: &Meter,
        cancel: &CancellationToken,
    ) -> Self {
        let stop = cancel.child_token();
        let (scanner, stopped) = (meter.scanner(), stop.clone());
        let (sender, dropped) = channel();
        let thread = std::thread::spawn(move || {
            if patience.is_zero()
                || dropped.recv_timeout(patience) == Err(RecvTimeoutError::Timeout)
            {
                count(root, &scanner, &stopped);
            }
        });
        Self {
            stop,
            thread: Some((sender, thread)),
        }
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some((sender, thread)) = self.thread.take() {
            drop(sender);
            // A panic there costs the estimate alone.
            let _ = thread.join();
        }
    }
}

fn count(root: Box<dyn Handle>, scanner: &Scanner, stop: &CancellationToken) {
    let mut pending = vec![root];
    while let Some(folder) = pending.pop() {
        let Ok(children) = folder.children() else {
            continue;
        };
        for entry in children.flatten() {
            if stop.is_cancelled() {
                return;
            }
            match entry.node.kind {
                NodeKind::Dir => pending.push(entry.handle),
                NodeKind::File => scanner.found(Amount {
                    files: 1,
                    bytes: entry.node.size_bytes,
                    items: 0,
                }),
                _ => {}
            }
        }
    }
    scanner.finish();
}
