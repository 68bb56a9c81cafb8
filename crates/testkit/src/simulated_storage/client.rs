//! One process that uses the storage.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use strongroom_storage::{
    ByteRange, Capabilities, Class, FileInfo, Operation, Result, Storage, StoragePath, WriteMode,
};

use super::choice::{Chooser, Chosen, Shown, folder};
use super::{CALL, Faults, Shared, Traced};
use crate::{Asked, Fault, FaultyStorage};

/// A storage as one process sees it. Clones are the same process.
#[derive(Clone)]
pub struct SimulatedClient {
    shared: Arc<Shared>,
    name: Arc<str>,
    chooser: Arc<Mutex<Chooser>>,
}

impl SimulatedClient {
    pub(super) fn new(shared: Arc<Shared>, name: &str, faults: &Faults) -> Self {
        let chooser = Chooser::new(shared.seed, name, faults);
        Self {
            shared,
            name: name.into(),
            chooser: Arc::new(Mutex::new(chooser)),
        }
    }

    /// The process is killed: no call is carried out any more.
    pub fn kill(&self) {
        self.chooser.lock().unwrap().end();
    }

    /// Whether it was killed or its sign-in expired.
    pub fn is_over(&self) -> bool {
        self.chooser.lock().unwrap().is_over()
    }

    /// The size of a file as it really is.
    async fn size(&self, path: Option<&StoragePath>) -> Option<u64> {
        let info = self.shared.truth.stat(path?).await;
        info.ok().map(|info| info.size_bytes)
    }

    async fn choose(&self, asked: &Asked, written: Option<usize>) -> Chosen {
        let size_bytes = match written {
            Some(size_bytes) => size_bytes,
            None => {
                let stored = self.size(asked.path.as_ref()).await.unwrap_or(0);
                asked.range.map_or(stored, |range| range.length) as usize
            }
        };
        let chosen = self.chooser.lock().unwrap().choose(asked, size_bytes);
        self.trace(asked, &chosen);
        chosen
    }

    fn trace(&self, asked: &Asked, chosen: &Chosen) {
        let mut call = format!("{} {}", asked.operation, folder(asked));
        if chosen.fault != Fault::None {
            call.push_str(&format!(": {:?}", chosen.fault));
        }
        if chosen.shown != Shown::All {
            call.push_str(&format!(": {:?}", chosen.shown));
        }
        if chosen.rotten.is_some() {
            call.push_str(": a bit rots");
        }
        if !chosen.sleep.is_zero() {
            call.push_str(&format!(": sleeps for {} h", chosen.sleep.as_secs() / 3600));
        }
        let client = self.name.to_string();
        self.shared
            .trace
            .lock()
            .unwrap()
            .push(Traced { client, call });
    }

    /// The storage that does to this one call what was chosen.
    fn with(&self, chosen: &Chosen) -> FaultyStorage {
        let truth = Arc::new(self.shared.truth.clone());
        FaultyStorage::every(truth, |_| true, chosen.fault)
    }

    /// A call that changes a file, with its change remembered.
    async fn change<F>(&self, path: &StoragePath, call: F) -> Result<()>
    where
        F: Future<Output = Result<()>> + Send,
    {
        let before = self.size(Some(path)).await;
        let result = call.await;
        if before != self.size(Some(path)).await {
            self.shared.history.lock().unwrap().changed(path, before);
        }
        result
    }

    /// The answer is on the way: time passes and others act.
    async fn answer<T>(&self, asked: &Asked, chosen: &Chosen, result: Result<T>) -> Result<T> {
        self.shared.clock.pass(CALL + chosen.sleep);
        if let Some(interleave) = &self.shared.interleave {
            interleave.answered(&self.name, asked, chosen.sleep).await;
        }
        result
    }

    async fn rot(&self, path: &StoragePath, place: u64) {
        let truth = &self.shared.truth;
        let Ok(data) = truth.read(path, None, Class::Data).await else {
            return;
        };
        let mut data = data.to_vec();
        if data.is_empty() {
            return;
        }
        let place = place as usize % data.len();
        data[place] ^= 1;
        let write = truth.write(path, data.into(), WriteMode::Replace, Class::Data);
        write.await.unwrap();
    }
}

fn asked(operation: Operation, path: Option<&StoragePath>, range: Option<ByteRange>) -> Asked {
    Asked {
        number: 0,
        operation,
        path: path.cloned(),
        range,
    }
}

impl fmt::Debug for SimulatedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedClient")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Storage for SimulatedClient {
    fn location(&self) -> String {
        self.shared.truth.location()
    }

    /// One call after the other, so that a client's calls have an order.
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            connections: 1,
            ..self.shared.truth.capabilities()
        }
    }

    async fn create(&self) -> Result<()> {
        let asked = asked(Operation::Create, None, None);
        let chosen = self.choose(&asked, None).await;
        let result = self.with(&chosen).create().await;
        self.answer(&asked, &chosen, result).await
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        let asked = asked(Operation::List, folder, None);
        let chosen = self.choose(&asked, None).await;
        let listed = self.with(&chosen).list(folder).await;
        let shown = listed.map(|files| {
            let history = self.shared.history.lock().unwrap();
            history.show(files, folder, chosen.shown)
        });
        self.answer(&asked, &chosen, shown).await
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let asked = asked(Operation::Stat, Some(path), None);
        let chosen = self.choose(&asked, None).await;
        let result = self.with(&chosen).stat(path).await;
        self.answer(&asked, &chosen, result).await
    }

    async fn read(
        &self,
        path: &StoragePath,
        range: Option<ByteRange>,
        class: Class,
    ) -> Result<Bytes> {
        let asked = asked(Operation::Read, Some(path), range);
        let chosen = self.choose(&asked, None).await;
        if let Some(place) = chosen.rotten {
            self.rot(path, place).await;
        }
        let result = self.with(&chosen).read(path, range, class).await;
        self.answer(&asked, &chosen, result).await
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Result<()> {
        let asked = asked(Operation::Write, Some(path), None);
        let chosen = self.choose(&asked, Some(data.len())).await;
        let storage = self.with(&chosen);
        let result = self
            .change(path, storage.write(path, data, mode, class))
            .await;
        self.answer(&asked, &chosen, result).await
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let asked = asked(Operation::Delete, Some(path), None);
        let chosen = self.choose(&asked, None).await;
        let storage = self.with(&chosen);
        let result = self.change(path, storage.delete(path)).await;
        self.answer(&asked, &chosen, result).await
    }
}
