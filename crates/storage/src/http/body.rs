//! A body on its way out, and the watch over what moves.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::failure::Failure;
use crate::{ErrorKind, Pace};

/// Bytes handed to the connection at a time: few enough that a slow line still moves now and then.
const PIECE_BYTES: usize = 64 << 10;

/// When something last moved.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    last: Arc<Mutex<Instant>>,
    limit: Duration,
}

impl Progress {
    /// Begins now; a call in which nothing moves for `limit` ends.
    pub(super) fn start(limit: Duration) -> Self {
        Self {
            last: Arc::new(Mutex::new(Instant::now())),
            limit,
        }
    }

    /// Something has moved, or is held back by us.
    pub(super) fn moved_at(&self, when: Instant) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = when.max(*last);
    }

    /// The future's value, unless nothing moves for too long.
    pub(super) async fn watch<T>(
        &self,
        what: &str,
        call: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let mut call = std::pin::pin!(call);
        loop {
            let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(end) = last.checked_add(self.limit) else {
                return Ok(call.await);
            };
            tokio::select! {
                value = &mut call => return Ok(value),
                () = tokio::time::sleep_until(end) => {}
            }
            let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.elapsed() >= self.limit {
                let seconds = self.limit.as_secs_f64();
                let message = format!("{what}: nothing moved for {seconds} s (limit.no-progress)");
                return Err(Failure::passing(ErrorKind::TimedOut, message));
            }
        }
    }
}

/// Bytes in memory, sent in pieces at a pace.
pub(super) struct PacedBody {
    rest: Bytes,
    pace: Pace,
    progress: Progress,
    /// The next piece has been let through by the pace, from this moment on.
    waiting: Option<Pin<Box<Sleep>>>,
    taken: usize,
}

impl PacedBody {
    pub(super) fn new(data: Bytes, pace: Pace, progress: Progress) -> Self {
        Self {
            rest: data,
            pace,
            progress,
            waiting: None,
            taken: 0,
        }
    }
}

impl http_body::Body for PacedBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            return Poll::Ready(None);
        }
        if this.taken == 0 {
            this.taken = this.pace.piece(PIECE_BYTES).min(this.rest.len());
            if let Some(due) = this.pace.take(this.taken as u64) {
                this.progress.moved_at(due);
                this.waiting = Some(Box::pin(tokio::time::sleep_until(due)));
            }
        }
        if let Some(waiting) = &mut this.waiting {
            std::task::ready!(waiting.as_mut().poll(context));
            this.waiting = None;
        }
        this.progress.moved_at(Instant::now());
        let piece = this.rest.split_to(std::mem::take(&mut this.taken));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
