//! Storing a file.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::client::{Answer, Client};
use super::failure::Fault;
use super::folders::{self, Modes, unless_refused};
use super::handle::{Handle, Opening};
use super::place::Place;
use super::publish::{self, Decided, Unpublished};
use super::reasons::unchanged;
use super::request::Request;
use super::temporary::Temporary;
use crate::failure::Failure;
use crate::temporary_name;
use crate::{ErrorKind, StoragePath, WriteMode};

/// Bytes of one call that are sent and not yet confirmed. What a link of 1 Gbit/s holds in 50 ms is 6 MB; the rest is
/// what waits on the server for its disk.
const IN_FLIGHT_BYTES: u64 = 16 << 20;

/// One write.
pub(super) struct Job<'a> {
    pub(super) client: &'a Arc<Client>,
    pub(super) place: &'a Place,
    pub(super) path: &'a StoragePath,
    pub(super) modes: Modes,
    pub(super) mode: WriteMode,
}

/// What a write begins with: the file under its temporary name, and the folder, to sync it afterwards.
struct Begun {
    temporary: Temporary,
    file: Handle,
    folder: Option<Handle>,
}

impl Job<'_> {
    pub(super) async fn run(&self, data: &Bytes) -> Result<Decided, Failure> {
        if temporary_name::is_restics(self.path.file_name()) {
            return Err(Failure::new(
                ErrorKind::Unsupported,
                "the name is reserved for temporary files",
            ));
        }
        let Begun {
            mut temporary,
            file,
            folder,
        } = match self.begin().await {
            Err(Fault::Refused(refusal)) if refusal.is_not_found() => {
                folders::make(self.client, self.place, self.path, self.modes).await?;
                match self.begin().await {
                    Ok(begun) => begun,
                    Err(fault) => return Err(self.unchanged(data, fault).await),
                }
            }
            Err(fault) => return Err(self.unchanged(data, fault).await),
            Ok(begun) => begun,
        };
        temporary.hold(file);
        if let Err(fault) = self.fill(&mut temporary, data).await {
            // Asked while what was written of it is still there: that is what filled the disk.
            return Err(self.unchanged(data, fault).await);
        }
        self.publish(temporary, folder, data).await
    }

    async fn unchanged(&self, data: &Bytes, fault: Fault) -> Failure {
        if let Fault::Ended(failure) = fault {
            return failure;
        }
        unchanged(self.client, self.place, data.len() as u64, fault).await
    }

    /// Everything that can be asked before the first answer has come, in one round trip.
    async fn begin(&self) -> Result<Begun, Fault> {
        let client = self.client;
        let folder_name = self.place.folder_of(self.path);
        let taken = match self.mode {
            WriteMode::New => {
                let name = self.place.of(self.path);
                Some(client.ask(Request::StatLink(&name)).await?)
            }
            WriteMode::Replace => None,
        };
        let folder = match client.features().sync {
            true => Some(Handle::ask(client, Request::OpenToRead(&folder_name)).await?),
            false => None,
        };
        let temporary = Temporary::new(client, &folder_name).map_err(Fault::Ended)?;
        let create = Request::CreateNew(temporary.name(), self.modes.file);
        let file = Handle::ask(client, create).await?;

        if let Some(taken) = taken {
            match taken.attributes().await {
                Ok(_) => return Err(Fault::Ended(publish::name_is_taken())),
                Err(Fault::Refused(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
        let file = file.handle().await?;
        Ok(Begun {
            temporary,
            file,
            folder: opened(folder).await?,
        })
    }

    /// Sends all of it and has it brought to the disk, measured and closed, before anybody can see it.
    async fn fill(&self, temporary: &mut Temporary, data: &Bytes) -> Result<(), Fault> {
        let client = self.client;
        let Some(file) = temporary.file() else {
            return Ok(());
        };
        let coming = self.send(file, data).await?;
        // None of the answers is waited for here: a server takes up what concerns one file in the order in which it comes.
        let mode = match self.modes.must_be_set() {
            true => {
                let request = Request::SetModeOfHandle(file.id(), self.modes.file);
                Some(client.ask(request).await?)
            }
            false => None,
        };
        let synced = match client.features().sync {
            true => Some(client.ask(Request::Sync(file.id())).await?),
            false => None,
        };
        let measured = client.ask(Request::StatHandle(file.id())).await?;
        let closed = client.ask(Request::Close(file.id())).await?;
        temporary.closed();

        for (_, answer) in coming {
            answer.done().await?;
        }
        if let Some(mode) = mode {
            unless_refused(mode.done().await)?;
        }
        if let Some(synced) = synced {
            match synced.done().await {
                // Some file systems cannot; a disk that is full or broken says something else.
                Err(fault) if fault.is_unsupported() => {}
                result => result?,
            }
        }
        let measured = measured.attributes().await?.size;
        closed.done().await?;
        self.confirm(measured, temporary.name(), data).await
    }

    /// Sends all of it and returns the answers that have not come yet.
    async fn send(&self, file: &Handle, data: &Bytes) -> Result<VecDeque<(u64, Answer)>, Fault> {
        let piece_bytes = self.client.features().write_bytes as usize;
        let mut coming: VecDeque<(u64, Answer)> = VecDeque::new();
        let mut in_flight = 0;
        let mut offset = 0;
        let mut rest = data.clone();
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(piece_bytes));
            let length = piece.len() as u64;
            let write = Request::Write {
                handle: file.id(),
                offset,
                data: &piece,
            };
            coming.push_back((length, self.client.ask(write).await?));
            offset += length;
            in_flight += length;
            while in_flight > IN_FLIGHT_BYTES
                && let Some((length, answer)) = coming.pop_front()
            {
                answer.done().await?;
                in_flight -= length;
            }
        }
        Ok(coming)
    }

    /// Whether the server has as much as it was sent. One that works on several requests at once may have looked too early,
    /// and is asked again.
    async fn confirm(&self, measured: Option<u64>, name: &str, data: &Bytes) -> Result<(), Fault> {
        let sent = data.len() as u64;
        if measured == Some(sent) {
            return Ok(());
        }
        let again = self.client.ask(Request::Stat(name)).await?;
        match again.attributes().await?.size {
            Some(stored) if stored != sent => Err(Fault::Ended(Failure::passing(
                ErrorKind::Mismatch,
                format!("the server has {stored} of the {sent} bytes that it was sent"),
            ))),
            _ => Ok(()),
        }
    }

    async fn publish(
        &self,
        temporary: Temporary,
        folder: Option<Handle>,
        data: &Bytes,
    ) -> Result<Decided, Failure> {
        let (from, to) = (temporary.name(), self.place.of(self.path));
        let folder = folder.as_ref();
        let named = match self.mode {
            WriteMode::New => publish::without_replacing(self.client, from, &to, folder).await,
            WriteMode::Replace => publish::replacing(self.client, from, &to, folder)
                .await
                .map_err(Unpublished::Fault),
        };
        match named {
            Ok(decided) => {
                temporary.keep();
                Ok(decided)
            }
            Err(Unpublished::Taken) => Err(publish::name_is_taken()),
            Err(Unpublished::Fault(fault)) => Err(self.unchanged(data, fault).await),
        }
    }
}

/// A folder that a server will not open like a file cannot be synced.
async fn opened(folder: Option<Opening>) -> Result<Option<Handle>, Fault> {
    match folder {
        None => Ok(None),
        Some(opening) => match opening.handle().await {
            Ok(handle) => Ok(Some(handle)),
            Err(Fault::Refused(_)) => Ok(None),
            Err(fault) => Err(fault),
        },
    }
}
