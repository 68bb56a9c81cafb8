//! A large file, for the speed, and to see whether anybody can meet a part of it.

use std::time::Duration;

use super::files::nothing_written;
use super::report::Verdict;
use super::run::{LARGEST_BYTES, Probe, STANDARD_BYTES, State, Step};
use crate::{ErrorKind, Result, WriteMode};

/// Pause between two looks at a file that is being written.
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Probe {
    pub(super) async fn upload(&self, state: &mut State) -> Result<Step> {
        if self.settings.size_bytes.is_none() && state.deletes != Some(true) {
            let why = "it could not be removed; ask for it with a size";
            return Ok(Step::of(Verdict::LeftOut(why.to_owned())));
        }
        let size_bytes = self.settings.size_bytes.unwrap_or(STANDARD_BYTES);
        let size_bytes = size_bytes.min(LARGEST_BYTES);
        let data = self.random(usize::try_from(size_bytes).unwrap_or(usize::MAX))?;
        let path = self.name(state, "large", &data)?;
        let mut saw_part = false;
        let mut writing = Box::pin(self.write(&path, data.clone(), WriteMode::New));
        let look = async || {
            tokio::time::sleep(LOOK_EVERY).await;
            let shown = self.storage.stat(&path).await;
            shown.is_ok_and(|shown| shown.size_bytes != size_bytes)
        };
        let written = loop {
            tokio::select! {
                biased;
                written = &mut writing => break written,
                is_part = look() => saw_part |= is_part,
            }
        };
        drop(writing);
        match written {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::Mismatch => {
                return Ok(Step::broken(error.message));
            }
            Err(error) => return Err(error),
        }
        state.large = Some((path.clone(), data));
        state.whole_files = Some(!saw_part);
        if saw_part && self.storage.capabilities().whole_files {
            return Ok(Step::broken(
                "declares that files are whole, and showed a part of one that was being written",
            ));
        }
        let shown = self.storage.stat(&path).await?.size_bytes;
        if shown != size_bytes {
            return Ok(Step::broken(format!(
                "said that it had stored {size_bytes} bytes, and shows {shown}"
            )));
        }
        let step = Step::good().bytes(size_bytes);
        Ok(match saw_part {
            true => step.note("a part of it was seen while it was written, as declared"),
            false => step,
        })
    }

    pub(super) async fn download(&self, state: &mut State) -> Result<Step> {
        match state.large.take() {
            Some((path, data)) => self.read_compared(&path, &data).await,
            None => Ok(nothing_written()),
        }
    }
}
