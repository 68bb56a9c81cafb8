//! What happens to a file that is there: refused, replaced, removed.

use bytes::Bytes;

use super::files::{nothing_written, refuses};
use super::report::Verdict;
use super::run::{LATE, Probe, SMALL_BYTES, State, Step};
use crate::{Class, ErrorKind, Result, StoragePath, WriteMode};

/// How often a file is replaced under a reader's eyes.
const ROUNDS: usize = 4;

impl Probe {
    /// A new file where there is one: restic's files are never overwritten, and two programs must not take one name.
    pub(super) async fn new_over_existing(&self, state: &mut State) -> Result<Step> {
        let Some((path, old)) = &state.small else {
            return Ok(nothing_written());
        };
        let data = match state.own {
            true => self.random(SMALL_BYTES / 2)?,
            // Under the name of a hash there can be nothing else.
            false => old.clone(),
        };
        let answer = match self.write(path, data.clone(), WriteMode::New).await {
            Err(error) if error.kind == ErrorKind::AlreadyExists => None,
            Err(error) if refuses(error.kind) => Some(error.message),
            Err(error) if error.kind == ErrorKind::Mismatch => {
                return Ok(Step::broken(error.message));
            }
            Err(error) => return Err(error),
            Ok(()) => {
                let held = self.storage.read(path, None, Class::Data).await?;
                let what = match held == *old {
                    true => "said that it had stored a new file where there was one",
                    false => "replaced a file although a new one was asked for",
                };
                state.small = Some((path.clone(), held));
                return Ok(Step::broken(what));
            }
        };
        let held = self.read_compared(path, old).await?;
        Ok(match (held.verdict, answer) {
            (Verdict::Good, None) => Step::good().note("refused, as it should be"),
            (Verdict::Good, Some(said)) => {
                Step::good().note(format!("refused, for another reason: {said}"))
            }
            _ => Step::broken("refused a new file where there was one, and changed the old one"),
        })
    }

    /// Other bytes in place of a file's, several times, while somebody reads it.
    pub(super) async fn replace(&self, state: &mut State) -> Result<Step> {
        let Some((path, old)) = state.small.clone() else {
            return Ok(nothing_written());
        };
        let contents = match state.own {
            true => [self.random(SMALL_BYTES / 2)?, self.random(SMALL_BYTES)?],
            false => [old.clone(), old.clone()],
        };
        let mut seen = Seen::default();
        let known = [old, contents[0].clone(), contents[1].clone()];
        for data in contents.iter().cycle().take(ROUNDS) {
            let written = self.write_watched(&path, data, &known, &mut seen).await;
            match written {
                Ok(()) => {}
                Err(error) if refuses(error.kind) => {
                    return Ok(Step::of(Verdict::Refused(
                        "lets no file be replaced".to_owned(),
                    )));
                }
                Err(error) if error.kind == ErrorKind::Mismatch => {
                    return Ok(Step::broken(error.message));
                }
                Err(error) => return Err(error),
            }
            state.small = Some((path.clone(), data.clone()));
            let held = self.read_compared(&path, data).await?;
            if !matches!(held.verdict, Verdict::Good) {
                return Ok(Step::broken(
                    "said that it had replaced a file, and holds other bytes",
                ));
            }
        }
        state.atomic_replace = Some(seen.is_whole());
        let declared = self.storage.capabilities().atomic_replace;
        Ok(match (seen.is_whole(), declared) {
            (true, _) => Step::good().bytes(SMALL_BYTES as u64),
            (false, true) => Step::broken(format!(
                "declares to replace in one step, and a reader saw {}",
                seen.what()
            )),
            (false, false) => Step::good().note(format!(
                "not in one step, as declared: a reader saw {}",
                seen.what()
            )),
        })
    }

    async fn write_watched(
        &self,
        path: &StoragePath,
        data: &Bytes,
        known: &[Bytes],
        seen: &mut Seen,
    ) -> Result<()> {
        let mut writing = Box::pin(self.write(path, data.clone(), WriteMode::Replace));
        loop {
            // The writer first: a storage whose reads never wait would keep it from ending.
            tokio::select! {
                biased;
                written = &mut writing => return written,
                read = self.storage.read(path, None, Class::Data) => match read {
                    Ok(read) => seen.mixture |= !known.contains(&read),
                    Err(error) => seen.absence |= error.kind == ErrorKind::NotFound,
                },
            }
            // Nor may such reads keep this from being dropped.
            tokio::task::yield_now().await;
        }
    }

    pub(super) async fn delete(&self, state: &mut State) -> Result<Step> {
        let Some(path) = &state.second else {
            return Ok(nothing_written());
        };
        match self.storage.delete(path).await {
            Ok(()) => {
                state.deletes = Some(true);
                Ok(Step::good())
            }
            Err(error) if refuses(error.kind) => {
                state.deletes = Some(false);
                Ok(Step::of(Verdict::Refused(
                    "lets nothing be removed: it is append-only, or this user may not".to_owned(),
                )))
            }
            Err(error) if error.kind == ErrorKind::NotFound => {
                Ok(Step::broken("has lost a file that it had stored"))
            }
            Err(error) => Err(error),
        }
    }

    /// What was removed must be gone for everybody at once, in every way of asking.
    pub(super) async fn look_for_deleted(&self, state: &mut State) -> Result<Step> {
        let Some(path) = state.second.clone().filter(|_| state.deletes == Some(true)) else {
            let why = "nothing was removed";
            return Ok(Step::of(Verdict::LeftOut(why.to_owned())));
        };
        let mut pauses = LATE.iter();
        let mut first = None;
        loop {
            let shown = self.shows(&path, state).await?;
            match (shown, first) {
                (None, None) => return Ok(Step::good()),
                (None, Some(how)) => {
                    let late = state.paused.as_secs_f64();
                    return Ok(Step::broken(format!(
                        "still {how} a file {late:.1} s after it was removed"
                    )));
                }
                (Some(how), _) => first = Some(first.unwrap_or(how)),
            }
            match (pauses.next(), first) {
                (Some(pause), _) => self.pause(state, *pause).await,
                (None, how) => {
                    let how = how.unwrap_or("shows");
                    return Ok(Step::broken(format!("still {how} a file that was removed")));
                }
            }
        }
    }

    /// In which way a file is still shown.
    async fn shows(&self, path: &StoragePath, state: &State) -> Result<Option<&'static str>> {
        match self.storage.read(path, None, Class::Data).await {
            Ok(_) => return Ok(Some("reads")),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        match self.storage.stat(path).await {
            Ok(_) => return Ok(Some("shows")),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listed = self.list_around(path, state).await?;
        let is_listed = listed.iter().any(|file| file.path == *path);
        Ok(is_listed.then_some("lists"))
    }
}

/// What a reader saw while a file was replaced.
#[derive(Debug, Default)]
struct Seen {
    absence: bool,
    mixture: bool,
}

impl Seen {
    fn is_whole(&self) -> bool {
        !self.absence && !self.mixture
    }

    fn what(&self) -> &'static str {
        match (self.mixture, self.absence) {
            (true, _) => "neither the old nor the new file",
            (false, true) => "no file at all for a moment",
            (false, false) => "the old or the new file",
        }
    }
}
