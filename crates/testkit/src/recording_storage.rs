//! A storage that writes down every call, for tests that assert on work done.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use strongroom_storage::{
    ByteRange, Capabilities, Class, ErrorKind, FileInfo, Operation, Result, Storage, StoragePath,
    WriteMode,
};

/// One finished call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What was called.
    pub operation: Operation,
    /// The file, or the folder of a listing.
    pub path: Option<StoragePath>,
    /// The range that was asked for; `None` for a whole file and for every other call.
    pub range: Option<ByteRange>,
    /// Bytes read or written; files listed are not bytes.
    pub bytes: u64,
    /// The class of a read or a write.
    pub class: Option<Class>,
    /// The mode of a write.
    pub mode: Option<WriteMode>,
    /// How it ended.
    pub outcome: std::result::Result<(), ErrorKind>,
}

/// Passes every call on and records it once it has ended, in the order of the ends. Clones share the record.
///
/// A call that was dropped midway is not recorded.
#[derive(Debug, Clone)]
pub struct RecordingStorage {
    inner: Arc<dyn Storage>,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl RecordingStorage {
    /// Records the calls to `inner` from now on.
    pub fn new(inner: Arc<dyn Storage>) -> Self {
        Self {
            inner,
            calls: Arc::default(),
        }
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// All calls so far, forgetting them.
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    /// The calls of one operation on paths that start with `prefix` (`""` for all).
    pub fn of(&self, operation: Operation, prefix: &str) -> Vec<Call> {
        let below = |call: &Call| {
            call.path
                .as_ref()
                .map_or("", StoragePath::as_str)
                .starts_with(prefix)
        };
        let mut calls = self.calls();
        calls.retain(|call| call.operation == operation && below(call));
        calls
    }

    /// How many calls [`Self::of`] finds.
    pub fn count(&self, operation: Operation, prefix: &str) -> usize {
        self.of(operation, prefix).len()
    }

    /// The bytes of all calls that [`Self::of`] finds.
    pub fn bytes(&self, operation: Operation, prefix: &str) -> u64 {
        self.of(operation, prefix)
            .iter()
            .map(|call| call.bytes)
            .sum()
    }

    fn record<T>(&self, mut call: Call, result: &Result<T>, bytes: impl FnOnce(&T) -> u64) {
        match result {
            Ok(value) => call.bytes = bytes(value),
            Err(error) => call.outcome = Err(error.kind),
        }
        self.calls.lock().unwrap().push(call);
    }
}

fn call(operation: Operation, path: Option<&StoragePath>) -> Call {
    Call {
        operation,
        path: path.cloned(),
        range: None,
        bytes: 0,
        class: None,
        mode: None,
        outcome: Ok(()),
    }
}

/// The range as offsets, for short assertions.
impl Call {
    /// First and one past the last byte that was asked for, where a range was.
    pub fn offsets(&self) -> Option<Range<u64>> {
        self.range
            .map(|range| range.offset..range.offset + range.length)
    }
}

#[async_trait]
impl Storage for RecordingStorage {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn create(&self) -> Result<()> {
        let result = self.inner.create().await;
        self.record(call(Operation::Create, None), &result, |()| 0);
        result
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        let result = self.inner.list(folder).await;
        self.record(call(Operation::List, folder), &result, |_| 0);
        result
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let result = self.inner.stat(path).await;
        self.record(call(Operation::Stat, Some(path)), &result, |_| 0);
        result
    }

    async fn read(
        &self,
        path: &StoragePath,
        range: Option<ByteRange>,
        class: Class,
    ) -> Result<Bytes> {
        let result = self.inner.read(path, range, class).await;
        let call = Call {
            range,
            class: Some(class),
            ..call(Operation::Read, Some(path))
        };
        self.record(call, &result, |data| data.len() as u64);
        result
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Result<()> {
        let length = data.len() as u64;
        let result = self.inner.write(path, data, mode, class).await;
        let call = Call {
            class: Some(class),
            mode: Some(mode),
            ..call(Operation::Write, Some(path))
        };
        self.record(call, &result, |()| length);
        result
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let result = self.inner.delete(path).await;
        self.record(call(Operation::Delete, Some(path)), &result, |()| 0);
        result
    }
}
