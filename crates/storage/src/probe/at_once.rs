//! Several calls at the same time.

use bytes::Bytes;
use futures::future::join_all;

use super::report::Verdict;
use super::run::{Probe, SMALL_BYTES, State, Step};
use crate::{Class, ErrorKind, Result, WriteMode};

/// Pairs of writers; one pair may by chance come one after the other.
const ROUNDS: usize = 6;

/// Pairs where nothing can be removed afterwards.
const ROUNDS_TO_KEEP: usize = 2;

/// Bytes of each of several files.
const SEVERAL_BYTES: usize = 64 << 10;

/// Most files at once.
const MOST: usize = 32;

impl Probe {
    /// Two programs that take one name at the same time: where both are told that theirs is stored, one of them is wrong.
    pub(super) async fn two_writers(&self, state: &mut State) -> Result<Step> {
        let rounds = match state.deletes {
            Some(true) => ROUNDS,
            _ => ROUNDS_TO_KEEP,
        };
        let mut both = 0;
        for round in 0..rounds {
            let one = self.random(SMALL_BYTES)?;
            let two = match state.own {
                true => self.random(SMALL_BYTES)?,
                false => one.clone(),
            };
            let path = self.name(state, &format!("two-writers-{round}"), &one)?;
            let (first, second) = futures::join!(
                self.write(&path, one.clone(), WriteMode::New),
                self.write(&path, two.clone(), WriteMode::New),
            );
            let winner = match (first, second) {
                (Ok(()), Ok(())) => {
                    both += 1;
                    continue;
                }
                (Ok(()), Err(error)) if is_refusal(error.kind) => one,
                (Err(error), Ok(())) if is_refusal(error.kind) => two,
                (Err(error), Err(other)) if is_refusal(error.kind) && is_refusal(other.kind) => {
                    return Ok(Step::broken("refused both of two writers of a new file"));
                }
                (Err(error), other) | (other, Err(error)) => {
                    return Err(match other {
                        Err(other) if is_refusal(error.kind) => other,
                        _ => error,
                    });
                }
            };
            let held = self.read_compared(&path, &winner).await?;
            if !matches!(held.verdict, Verdict::Good) {
                return Ok(Step::broken(
                    "told one of two writers that its file is stored, and holds another",
                ));
            }
        }
        state.atomic_new = Some(both == 0);
        Ok(match (both, self.storage.capabilities().atomic_new) {
            (0, _) => Step::good().note("one of two, each time"),
            (_, true) => Step::broken(format!(
                "declares to decide which of two writers is first, and told both that theirs is stored ({both} of \
                 {rounds} times)"
            )),
            (_, false) => Step::good().note(format!(
                "both succeeded {both} of {rounds} times: not decided by the storage, as declared"
            )),
        })
    }

    /// As many files as a backup sends at once.
    pub(super) async fn several(&self, state: &mut State) -> Result<Step> {
        let number = self
            .storage
            .capabilities()
            .connections
            .saturating_mul(2)
            .clamp(4, MOST);
        let mut files = Vec::with_capacity(number);
        for n in 0..number {
            let data = self.random(SEVERAL_BYTES)?;
            files.push((self.name(state, &format!("several-{n}"), &data)?, data));
        }
        let writes = files
            .iter()
            .map(|(path, data)| self.write(path, data.clone(), WriteMode::New));
        for written in join_all(writes).await {
            match written {
                Err(error) if error.kind == ErrorKind::Mismatch => {
                    return Ok(Step::broken(error.message));
                }
                written => written?,
            }
        }
        let mut missing = 0_usize;
        match state.own {
            true => {
                let folder = self.names.folder()?;
                let listed = self.storage.list(Some(&folder)).await?;
                for (path, _) in &files {
                    match listed.iter().filter(|file| file.path == *path).count() {
                        0 => missing += 1,
                        1 => {}
                        times => return Ok(Step::broken(format!("lists one file {times} times"))),
                    }
                }
            }
            false => {
                let stats = files.iter().map(|(path, _)| self.storage.stat(path));
                for stat in join_all(stats).await {
                    match stat {
                        Err(error) if error.kind == ErrorKind::NotFound => missing += 1,
                        stat => drop(stat?),
                    }
                }
            }
        }
        if missing > 0 {
            return Ok(Step::broken(format!(
                "does not list {missing} of {number} files that were written at once"
            )));
        }
        let reads = files
            .iter()
            .map(|(path, _)| self.storage.read(path, None, Class::Data));
        for ((_, data), read) in files.iter().zip(join_all(reads).await) {
            match read {
                Ok(read) if read == *data => {}
                Ok(_) => return Ok(wrong_bytes(data)),
                Err(error) if error.kind == ErrorKind::NotFound => {
                    return Ok(Step::broken("has lost a file that it had stored"));
                }
                Err(error) => return Err(error),
            }
        }
        let bytes = number.saturating_mul(SEVERAL_BYTES).saturating_mul(2);
        Ok(Step::good()
            .bytes(bytes as u64)
            .note(format!("{number} files of 64 KiB, written and read")))
    }
}

fn wrong_bytes(data: &Bytes) -> Step {
    Step::broken(format!(
        "gave back other bytes of one of several files ({} bytes) read at once",
        data.len()
    ))
}

/// [`ErrorKind::AlreadyExists`], or a wrapper's finding that the other one was faster.
fn is_refusal(kind: ErrorKind) -> bool {
    kind == ErrorKind::AlreadyExists
}
