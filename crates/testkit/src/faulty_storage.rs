//! A storage that fails, lies or damages at chosen calls, the same way each time.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use strongroom_storage::{
    ByteRange, Capabilities, Class, ErrorKind, FileInfo, Operation, Result, Retry, Storage,
    StorageError, StoragePath, WriteMode,
};

/// A call that is about to be made.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Counts all calls to this storage from 0 on.
    pub number: usize,
    /// What is called.
    pub operation: Operation,
    /// The file, or the folder of a listing.
    pub path: Option<StoragePath>,
    /// The range of a read.
    pub range: Option<ByteRange>,
}

impl Asked {
    /// Whether it is this operation on a path that starts with `prefix` (`""` for all).
    pub fn is(&self, operation: Operation, prefix: &str) -> bool {
        let path = self.path.as_ref().map_or("", StoragePath::as_str);
        self.operation == operation && path.starts_with(prefix)
    }
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it is passed on.
    None,
    /// It fails and was not carried out.
    Fail(ErrorKind, Retry),
    /// It was carried out and the answer was lost.
    FailAfter(ErrorKind, Retry),
    /// A read or write has only so many bytes, and says that all is well.
    Truncate(usize),
    /// A write stores only so many bytes under the final name and fails: a server that breaks the promise.
    Torn(usize),
    /// One bit of what is read or written is flipped: the lowest of the byte at this place from the start.
    Flip(usize),
    /// A write or delete does nothing, and says that all is well. A listing is empty.
    Lose,
    /// A write or delete is carried out twice.
    Duplicate,
    /// The call never ends and was not carried out.
    Hang,
}

type Rule = dyn FnMut(&Asked) -> Fault + Send;

/// Passes calls on to a storage, each with the fault that a rule chooses. Clones share the rule and the count.
#[derive(Clone)]
pub struct FaultyStorage {
    inner: Arc<dyn Storage>,
    rule: Arc<Mutex<(usize, Box<Rule>)>>,
}

impl FaultyStorage {
    /// Asks `rule` before each call.
    pub fn new(
        inner: Arc<dyn Storage>,
        rule: impl FnMut(&Asked) -> Fault + Send + 'static,
    ) -> Self {
        Self {
            inner,
            rule: Arc::new(Mutex::new((0, Box::new(rule)))),
        }
    }

    /// The fault for every call that the predicate picks.
    pub fn every(
        inner: Arc<dyn Storage>,
        picks: impl Fn(&Asked) -> bool + Send + 'static,
        fault: Fault,
    ) -> Self {
        Self::new(
            inner,
            move |asked| {
                if picks(asked) { fault } else { Fault::None }
            },
        )
    }

    /// The fault for the `nth` call (from 0) that the predicate picks, and for no other.
    pub fn nth(
        inner: Arc<dyn Storage>,
        nth: usize,
        picks: impl Fn(&Asked) -> bool + Send + 'static,
        fault: Fault,
    ) -> Self {
        let mut seen = 0;
        Self::new(inner, move |asked| {
            if !picks(asked) {
                return Fault::None;
            }
            seen += 1;
            if seen == nth + 1 { fault } else { Fault::None }
        })
    }

    /// A crash: the first `calls` calls are carried out, everything after them fails for good.
    pub fn stops_after(inner: Arc<dyn Storage>, calls: usize) -> Self {
        Self::every(
            inner,
            move |asked| asked.number >= calls,
            Fault::Fail(ErrorKind::Unreachable, Retry::Never),
        )
    }

    /// Calls asked for so far.
    pub fn asked(&self) -> usize {
        self.rule.lock().unwrap().0
    }

    fn fault(
        &self,
        operation: Operation,
        path: Option<&StoragePath>,
        range: Option<ByteRange>,
    ) -> Fault {
        let mut rule = self.rule.lock().unwrap();
        let asked = Asked {
            number: rule.0,
            operation,
            path: path.cloned(),
            range,
        };
        rule.0 += 1;
        (rule.1)(&asked)
    }

    fn error(
        &self,
        kind: ErrorKind,
        retry: Retry,
        operation: Operation,
        path: Option<&StoragePath>,
    ) -> StorageError {
        let error = StorageError::new(kind, operation, self.location(), path, "injected fault");
        match retry {
            Retry::Never => error,
            Retry::Later => error.retryable(),
        }
    }

    /// The call with the fault; `Lose` and `Duplicate` are for the caller to have dealt with.
    async fn with<T, F>(
        &self,
        fault: Fault,
        operation: Operation,
        path: Option<&StoragePath>,
        call: F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        match fault {
            Fault::Fail(kind, retry) => Err(self.error(kind, retry, operation, path)),
            Fault::Hang => std::future::pending().await,
            Fault::FailAfter(kind, retry) => {
                call.await?;
                Err(self.error(kind, retry, operation, path))
            }
            _ => call.await,
        }
    }
}

fn damage(data: Bytes, fault: Fault) -> Bytes {
    match fault {
        Fault::Truncate(length) | Fault::Torn(length) => data.slice(..length.min(data.len())),
        Fault::Flip(place) if place < data.len() => {
            let mut data = data.to_vec();
            data[place] ^= 1;
            Bytes::from(data)
        }
        _ => data,
    }
}

impl fmt::Debug for FaultyStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStorage")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Storage for FaultyStorage {
    fn location(&self) -> String {
        self.inner.location()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn create(&self) -> Result<()> {
        let fault = self.fault(Operation::Create, None, None);
        self.with(fault, Operation::Create, None, self.inner.create())
            .await
    }

    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>> {
        let fault = self.fault(Operation::List, folder, None);
        if fault == Fault::Lose {
            return Ok(Vec::new());
        }
        self.with(fault, Operation::List, folder, self.inner.list(folder))
            .await
    }

    async fn stat(&self, path: &StoragePath) -> Result<FileInfo> {
        let fault = self.fault(Operation::Stat, Some(path), None);
        self.with(fault, Operation::Stat, Some(path), self.inner.stat(path))
            .await
    }

    async fn read(
        &self,
        path: &StoragePath,
        range: Option<ByteRange>,
        class: Class,
    ) -> Result<Bytes> {
        let fault = self.fault(Operation::Read, Some(path), range);
        let read = self.inner.read(path, range, class);
        let data = self.with(fault, Operation::Read, Some(path), read).await?;
        Ok(damage(data, fault))
    }

    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Result<()> {
        let fault = self.fault(Operation::Write, Some(path), None);
        let data = damage(data, fault);
        if fault == Fault::Lose {
            return Ok(());
        }
        let first = self.inner.write(path, data.clone(), mode, class);
        self.with(fault, Operation::Write, Some(path), first)
            .await?;
        match fault {
            Fault::Torn(_) => {
                Err(self.error(ErrorKind::Io, Retry::Later, Operation::Write, Some(path)))
            }
            Fault::Duplicate => self.inner.write(path, data, mode, class).await,
            _ => Ok(()),
        }
    }

    async fn delete(&self, path: &StoragePath) -> Result<()> {
        let fault = self.fault(Operation::Delete, Some(path), None);
        if fault == Fault::Lose {
            return Ok(());
        }
        let first = self.inner.delete(path);
        self.with(fault, Operation::Delete, Some(path), first)
            .await?;
        match fault {
            Fault::Duplicate => self.inner.delete(path).await,
            _ => Ok(()),
        }
    }
}
