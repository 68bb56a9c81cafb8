//! Work on the target, off the runtime's own threads.

use crate::{Error, ErrorKind, Result};

/// Runs a job that may block and waits for it.
pub(super) async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(job).await.map_err(|_| {
        Error::new(
            ErrorKind::Internal,
            "a task that writes to the target panicked",
        )
    })
}
