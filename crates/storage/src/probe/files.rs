//! One file: written, looked at, read, listed.

use std::time::Duration;

use bytes::Bytes;

use super::report::Verdict;
use super::run::{LATE, Probe, SMALL_BYTES, State, Step};
use crate::{ByteRange, Class, ErrorKind, FileInfo, Result, StoragePath, WriteMode};

/// A file that everybody may ask for, and that nothing here changes.
const ASKED_FIRST: &str = "config";

impl Probe {
    /// Whatever the answer is, the storage is there. Kinds that learn from the server what it can know it after this.
    pub(super) async fn first_contact(&self, state: &mut State) -> Result<Step> {
        if let Ok(path) = StoragePath::new(ASKED_FIRST) {
            match self.storage.stat(&path).await {
                Ok(_) => {}
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        state.own = self.storage.capabilities().own_folders;
        Ok(Step::good())
    }

    pub(super) async fn write_small(&self, state: &mut State) -> Result<Step> {
        let data = self.random(SMALL_BYTES)?;
        let path = self.name(state, "small", &data)?;
        let written = self.write(&path, data.clone(), WriteMode::New).await;
        state.small = Some((path, data));
        match written {
            Ok(()) => Ok(Step::good().bytes(SMALL_BYTES as u64)),
            // The storage has said so, and does not hold it.
            Err(error) if error.kind == ErrorKind::Mismatch => {
                state.confirms_writes = Some(false);
                Ok(Step::broken(error.message))
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn stat_small(&self, state: &mut State) -> Result<Step> {
        let Some((path, data)) = &state.small else {
            return Ok(nothing_written());
        };
        let length = data.len() as u64;
        let step = match self.storage.stat(path).await {
            Ok(info) if info.size_bytes == length => Step::good(),
            Ok(info) => Step::broken(format!(
                "said that it had stored {length} bytes, and shows {}",
                info.size_bytes
            )),
            Err(error) if error.kind == ErrorKind::NotFound => {
                Step::broken("said that it had stored a file, and does not show it")
            }
            Err(error) => return Err(error),
        };
        let is_right = matches!(step.verdict, Verdict::Good);
        state.confirms_writes = Some(is_right && state.confirms_writes != Some(false));
        Ok(step)
    }

    pub(super) async fn read_small(&self, state: &mut State) -> Result<Step> {
        let Some((path, data)) = &state.small else {
            return Ok(nothing_written());
        };
        self.read_compared(path, data).await
    }

    /// Reads a file and compares it with what it should hold.
    pub(super) async fn read_compared(&self, path: &StoragePath, data: &Bytes) -> Result<Step> {
        let read = self.storage.read(path, None, Class::Data).await;
        let step = match read {
            Ok(read) if read == *data => Step::good(),
            Ok(read) if read.len() != data.len() => Step::broken(format!(
                "gave back {} of {} bytes and called that the file",
                read.len(),
                data.len()
            )),
            Ok(_) => Step::broken("gave back other bytes than it was given"),
            Err(error) if error.kind == ErrorKind::NotFound => {
                Step::broken("has lost a file that it had stored")
            }
            Err(error) if error.kind == ErrorKind::Mismatch => Step::broken(error.message),
            Err(error) => return Err(error),
        };
        Ok(step.bytes(data.len() as u64))
    }

    pub(super) async fn ranges(&self, state: &mut State) -> Result<Step> {
        let Some((path, data)) = &state.small else {
            return Ok(nothing_written());
        };
        let inside = ByteRange {
            offset: 1000,
            length: 1000,
        };
        let read = self.storage.read(path, Some(inside), Class::Data).await;
        match read {
            Ok(read) if Some(&*read) == data.get(1000..2000) => {}
            Ok(_) => {
                return Ok(Step::broken(
                    "gave back another part of a file than asked for",
                ));
            }
            Err(error) if is_wrong(error.kind) => return Ok(Step::broken(error.message)),
            Err(error) => return Err(error),
        }
        let beyond = ByteRange {
            offset: SMALL_BYTES as u64 - 96,
            length: 200,
        };
        match self.storage.read(path, Some(beyond), Class::Data).await {
            Err(error) if is_wrong(error.kind) => Ok(Step::good().bytes(inside.length)),
            Err(error) => Err(error),
            Ok(_) => Ok(Step::broken("gave back a part that the file does not have")),
        }
    }

    /// A second file, listed the moment that it is written.
    pub(super) async fn list_at_once(&self, state: &mut State) -> Result<Step> {
        let data = self.random(SMALL_BYTES)?;
        let path = self.name(state, "listed", &data)?;
        if let Err(error) = self.write(&path, data.clone(), WriteMode::New).await {
            return match error.kind {
                ErrorKind::Mismatch => Ok(Step::broken(error.message)),
                _ => Err(error),
            };
        }
        state.second = Some(path.clone());
        let mut pauses = LATE.iter();
        loop {
            let listed = self.list_around(&path, state).await?;
            let named: Vec<&FileInfo> = listed.iter().filter(|file| file.path == path).collect();
            match (named.as_slice(), state.paused) {
                ([], _) => {}
                ([one], _) if one.size_bytes != data.len() as u64 => {
                    return Ok(Step::broken(format!(
                        "lists a file of {} bytes with {}",
                        data.len(),
                        one.size_bytes
                    )));
                }
                ([_], Duration::ZERO) => return Ok(Step::good()),
                ([_], late) => {
                    let late = late.as_secs_f64();
                    return Ok(Step::broken(format!(
                        "does not list a new file at once, only after {late:.1} s"
                    )));
                }
                (several, _) => {
                    let number = several.len();
                    return Ok(Step::broken(format!("lists one file {number} times")));
                }
            }
            match pauses.next() {
                Some(pause) => self.pause(state, *pause).await,
                None => return Ok(Step::broken("does not list a file that it has stored")),
            }
        }
    }

    /// The listing that a file should be in.
    pub(super) async fn list_around(
        &self,
        path: &StoragePath,
        state: &State,
    ) -> Result<Vec<FileInfo>> {
        let folder = match state.own {
            true => self.names.folder().ok(),
            // With the two letters that it begins with, the listing is the shorter one where a server knows such folders.
            false => path.as_str().rsplit_once('/').and_then(|(folder, _)| {
                let folder = StoragePath::new(folder);
                folder.ok()
            }),
        };
        self.storage.list(folder.as_ref()).await
    }

    /// Whether the first file is as it was left. Some storages lose what they have shown before.
    pub(super) async fn still_there(&self, state: &mut State) -> Result<Step> {
        let Some((path, data)) = state.small.clone() else {
            return Ok(nothing_written());
        };
        let read = self.read_compared(&path, &data).await?;
        if !matches!(read.verdict, Verdict::Good) {
            return Ok(read);
        }
        let listed = self.list_around(&path, state).await?;
        let names = listed.iter().filter(|file| file.path == path).count();
        Ok(match names {
            0 => Step::broken("no longer lists a file that it has"),
            1 => read,
            number => Step::broken(format!("lists one file {number} times")),
        })
    }

    /// A file beside restic's layout, where the others do not lie there.
    pub(super) async fn own_folders(&self, state: &mut State) -> Result<Step> {
        if state.own {
            state.own_folders = Some(true);
            return Ok(Step::good());
        }
        let path = self.names.in_folder("beside")?;
        let data = self.random(16)?;
        match self.write(&path, data, WriteMode::New).await {
            Ok(()) => {
                state.own_folders = Some(true);
                Ok(Step::good())
            }
            Err(error) if refuses(error.kind) => {
                state.own_folders = Some(false);
                let what = "takes only names of restic's layout";
                Ok(Step::of(Verdict::Refused(what.to_owned())))
            }
            Err(error) => Err(error),
        }
    }
}

pub(super) fn nothing_written() -> Step {
    Step::of(Verdict::LeftOut("there is no file to try it on".to_owned()))
}

/// The storage understood, and does not want to.
pub(super) fn refuses(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnly | ErrorKind::Unsupported
    )
}

fn is_wrong(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::RangeOutside | ErrorKind::Mismatch)
}
