//! A connection whose bytes keep to a pace.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use crate::Pace;

/// Most bytes that go or come between two looks at the pace.
const PIECE_BYTES: usize = 32 << 10;

/// Wraps a connection, or one direction of it. It lies below everything that buffers, so that what is limited is what the
/// line carries.
pub(super) struct Paced<S> {
    inner: S,
    up: Turn,
    down: Turn,
}

struct Turn {
    pace: Pace,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> Paced<S> {
    /// The paces of what goes to the storage and of what comes from it.
    pub(super) fn new(inner: S, (up, down): &(Pace, Pace)) -> Self {
        let turn = |pace: &Pace| Turn {
            pace: pace.clone(),
            waiting: None,
        };
        Self {
            inner,
            up: turn(up),
            down: turn(down),
        }
    }
}

impl Turn {
    /// Ready when what has passed so far has had its time.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if let Some(sleep) = &mut self.waiting {
                ready!(sleep.as_mut().poll(cx));
                self.waiting = None;
            }
            match self.pace.take(0) {
                None => return Poll::Ready(()),
                Some(due) => self.waiting = Some(Box::pin(tokio::time::sleep_until(due))),
            }
        }
    }

    fn piece(&self) -> usize {
        self.pace.piece(PIECE_BYTES)
    }

    fn passed(&self, bytes: usize) {
        self.pace.take(bytes as u64);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(this.down.poll(cx));
        // A line without a limit is read in as large pieces as whoever reads has room for.
        let most = match this.down.pace.rate() {
            None => buffer.remaining(),
            Some(_) => this.down.piece().min(buffer.remaining()),
        };
        let mut piece = ReadBuf::new(buffer.initialize_unfilled_to(most));
        ready!(Pin::new(&mut this.inner).poll_read(cx, &mut piece))?;
        let come = piece.filled().len();
        buffer.advance(come);
        this.down.passed(come);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        ready!(this.up.poll(cx));
        let most = match this.up.pace.rate() {
            None => bytes.len(),
            Some(_) => this.up.piece().min(bytes.len()),
        };
        let piece = bytes.get(..most).unwrap_or(bytes);
        let gone = ready!(Pin::new(&mut this.inner).poll_write(cx, piece))?;
        this.up.passed(gone);
        Poll::Ready(Ok(gone))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;

    use super::*;

    /// A backup by day that takes the whole line is turned off, and then there is none.
    #[tokio::test(start_paused = true)]
    async fn bytes_keep_to_the_pace_in_both_directions() {
        let pace = || Pace::per_second(NonZeroU64::new(10_000).unwrap());
        let (near, mut far) = tokio::io::duplex(1 << 20);
        let mut near = Paced::new(near, &(pace(), pace()));
        let start = Instant::now();
        near.write_all(&[1; 50_000]).await.unwrap();
        let up = start.elapsed();
        far.write_all(&[2; 50_000]).await.unwrap();
        let mut bytes = vec![0; 50_000];
        near.read_exact(&mut bytes).await.unwrap();
        let down = start.elapsed() - up;
        for took in [up, down] {
            assert!(
                took > Duration::from_millis(4500) && took < Duration::from_secs(6),
                "{took:?}"
            );
        }
        assert_eq!(bytes, [2; 50_000]);
    }
}
