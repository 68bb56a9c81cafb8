//! Standard input that a cancelled backup does not wait for.

use std::io::{Error, Read, Result};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Reads standard input on a thread of its own, a few blocks ahead.
pub struct Input {
    blocks: Receiver<Result<Vec<u8>>>,
    block: Vec<u8>,
    used: usize,
    cancel: CancellationToken,
}

const BLOCK_BYTES: usize = 256 * 1024;
const BLOCKS_AHEAD: usize = 4;

/// How long a cancelled backup waits at most.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Input {
    /// Begins to read.
    pub fn start(cancel: &CancellationToken) -> Self {
        let (sender, blocks) = sync_channel(BLOCKS_AHEAD);
        std::thread::spawn(move || {
            let mut stdin = std::io::stdin().lock();
            loop {
                let mut block = vec![0; BLOCK_BYTES];
                let read = match stdin.read(&mut block) {
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    read => read,
                };
                let is_last = !matches!(read, Ok(1..));
                let block = read.map(|length| {
                    block.truncate(length);
                    block
                });
                if sender.send(block).is_err() || is_last {
                    return;
                }
            }
        });
        Self {
            blocks,
            block: Vec::new(),
            used: 0,
            cancel: cancel.clone(),
        }
    }

    /// The next block; an empty one at the end.
    fn next(&mut self) -> Result<Vec<u8>> {
        loop {
            match self.blocks.recv_timeout(LOOK_EVERY) {
                Ok(block) => return block,
                Err(RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
                Err(RecvTimeoutError::Timeout) if self.cancel.is_cancelled() => {
                    return Err(Error::other("interrupted"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.used >= self.block.len() {
            self.block = self.next()?;
            self.used = 0;
        }
        let mut rest = self.block.get(self.used..).unwrap_or_default();
        let length = rest.read(buffer)?;
        self.used += length;
        Ok(length)
    }
}
