//! Ctrl-C and its relatives: the first asks the work to stop, the second ends the program.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::exit::ExitCode;
use crate::output::Output;

/// Cancels the token at the first SIGINT, SIGTERM or SIGHUP and exits at the second. Needs a runtime.
pub fn watch(cancel: CancellationToken, output: Arc<Output>) -> Result<()> {
    let listen = |kind| signal(kind).map_err(|e| Error::file(&e, "listen to signals"));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            if cancel.is_cancelled() {
                // Asked twice: whatever still runs leaves no half-done file under a final name, so ending here is safe.
                std::process::exit(i32::from(ExitCode::Interrupted.number()));
            }
            cancel.cancel();
            output.note("stopping; once more ends the program at once");
        }
    });
    Ok(())
}
