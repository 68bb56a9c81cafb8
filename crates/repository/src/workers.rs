//! The bounded set of threads that hash, compress and encrypt.

use std::sync::Arc;

use crate::{Error, ErrorKind, Result};

/// A pool of threads for work that keeps a core busy. Clones share the threads.
#[derive(Debug, Clone)]
pub struct Workers {
    pool: Arc<rayon::ThreadPool>,
}

impl Workers {
    /// A pool of so many threads; zero means one for each core.
    ///
    /// # Errors
    /// The system refuses the threads.
    pub fn new(threads: usize) -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|number| format!("worker-{number}"))
            // A panic is a bug; it ends the job, whose waiter gets an error, and not the process.
            .panic_handler(|_| {})
            .build()
            .map_err(|error| {
                Error::new(
                    ErrorKind::Internal,
                    format!("start worker threads: {error}"),
                )
            })?;
        Ok(Self {
            pool: Arc::new(pool),
        })
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Runs a job on the pool and waits for it without blocking the runtime.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the job panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.pool.spawn(move || {
            // The waiter may be gone (cancelled): its result is not wanted any more.
            let _ = sender.send(job());
        });
        receiver
            .await
            .map_err(|_| Error::new(ErrorKind::Internal, "a worker thread panicked"))
    }

    /// Runs a short job on a thread of its own and waits for it without blocking the runtime.
    ///
    /// For what other work waits for: an index file while all workers wait for the uploader that writes it, or a lock that
    /// has to be written anew while the pool has hours of work in its queue.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the job panicked.
    pub async fn run_beside<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        tokio::task::spawn_blocking(job)
            .await
            .map_err(|error| Error::new(ErrorKind::Internal, format!("a thread ended: {error}")))
    }

    /// Starts a job on the pool and does not wait.
    pub fn spawn(&self, job: impl FnOnce() + Send + 'static) {
        self.pool.spawn(job);
    }
}
