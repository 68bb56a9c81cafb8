//! The contract that every kind of storage keeps.

use std::fmt;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{ErrorKind, Operation, Result, StorageError, StoragePath};

/// A half-open range of bytes inside a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ByteRange {
    /// First byte.
    pub offset: u64,
    /// Number of bytes; zero is allowed and reads nothing.
    pub length: u64,
}

impl ByteRange {
    /// Whether the range lies inside a file of this size; the error says how it does not.
    ///
    /// # Errors
    /// A sentence for [`crate::ErrorKind::RangeOutside`].
    pub fn check(self, file_size_bytes: u64) -> std::result::Result<(), String> {
        match self.offset.checked_add(self.length) {
            Some(end) if end <= file_size_bytes => Ok(()),
            _ => Err(format!(
                "the range of {} bytes at {} lies outside the file of {file_size_bytes} bytes",
                self.length, self.offset
            )),
        }
    }
}

/// What a file is used for; a hint for caches, tiers and storage classes, never a matter of correctness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Small and read often: configuration, keys, indexes, snapshots, packs of trees.
    Metadata,
    /// Large and read at restores: packs of file contents.
    Data,
}

/// What a write does where a file of that name exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WriteMode {
    /// Fail with [`crate::ErrorKind::AlreadyExists`] and leave the old file as it is.
    New,
    /// Put the new content in place of the old in one step.
    Replace,
}

/// A file as [`Storage::list`] and [`Storage::stat`] tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileInfo {
    /// Its name.
    pub path: StoragePath,
    /// Its size.
    pub size_bytes: u64,
}

/// What a kind of storage can promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// [`WriteMode::New`] is decided by the storage itself, so of two writers at once one fails.
    pub atomic_new: bool,
    /// [`WriteMode::Replace`] never shows a reader a mixture or an absence.
    pub atomic_replace: bool,
    /// Calls at the same time that still make it faster.
    pub connections: usize,
    /// Whether the bytes stay on this machine (so that a cache gains nothing).
    pub local: bool,
    /// Files may have names beside those of restic's layout. A server that speaks restic's protocol and nothing more
    /// refuses them. A kind that learns this from the server knows it once the first call has been answered.
    pub own_folders: bool,
    /// The storage has to be created before anything else. Where it is a prefix in something larger (a bucket, a remote),
    /// nobody can tell whether it exists: it has no files then, and a write makes it.
    pub must_be_created: bool,
    /// Whatever has a final name is whole. Where it is not promised, a reader may meet the beginning of a file that is being
    /// written, or one that was cut off: some remotes of rclone's write in place.
    pub whole_files: bool,
    /// `write` returns when the storage has said what it holds, so that nobody has to ask again.
    pub confirms_writes: bool,
}

/// Where files live.
///
/// Promises of every kind, checked by the shared conformance suite:
/// - A file appears whole or not at all ([`Capabilities::whole_files`]): before `write` returns `Ok` no reader sees a
///   part of it, and after a crash there is no file of that name with other content. When `write` has returned `Ok` the file survives
///   a crash of this machine or of the server, as far as the storage can promise that, and the storage has confirmed
///   that it holds all of it: its size at least, a checksum where it has one ([`crate::ConfirmStorage`]).
/// - What `write` stored, `read`, `stat` and `list` show as soon as it has returned.
/// - Temporary files of interrupted writes never show up in `list`.
/// - Every call may be made from many tasks at once, may be dropped (cancelled) at any await, and leaves
///   nothing half-done under a final name.
/// - Errors tell the truth about `kind` and `retry`; no call panics on what the storage answers.
#[async_trait]
pub trait Storage: fmt::Debug + Send + Sync {
    /// The storage as a person would name it, without credentials: `local:/srv/backup`.
    fn location(&self) -> String;

    /// What this storage can promise.
    fn capabilities(&self) -> Capabilities;

    /// Makes the place that files can be written to (the directory, the bucket). Succeeds where it exists.
    /// No other call makes it where [`Capabilities::must_be_created`] is set: a disk that is not mounted must not be
    /// written around.
    async fn create(&self) -> Result<()>;

    /// All files below the folder, at any depth, in no order; below everything where `folder` is `None`.
    ///
    /// A folder that does not exist has no files; a storage that does not exist is
    /// [`crate::ErrorKind::NotFound`].
    async fn list(&self, folder: Option<&StoragePath>) -> Result<Vec<FileInfo>>;

    /// One file. [`crate::ErrorKind::NotFound`] where there is none.
    async fn stat(&self, path: &StoragePath) -> Result<FileInfo>;

    /// The bytes of a file, whole or a range.
    ///
    /// Returns exactly the range: [`crate::ErrorKind::RangeOutside`] where the file is shorter,
    /// [`crate::ErrorKind::NotFound`] where there is none.
    async fn read(
        &self,
        path: &StoragePath,
        range: Option<ByteRange>,
        class: Class,
    ) -> Result<Bytes>;

    /// Stores a file; folders on the way are made.
    ///
    /// [`crate::ErrorKind::NotFound`] where the storage does not exist. After any other error but
    /// [`crate::ErrorKind::AlreadyExists`] the file may have been stored all the same, and then whole.
    async fn write(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Result<()>;

    /// Removes a file. [`crate::ErrorKind::NotFound`] where there is none.
    async fn delete(&self, path: &StoragePath) -> Result<()>;

    /// Holds a file against removal until a time at least, as long as the storage can do that; one that is held for longer
    /// stays so. [`crate::ErrorKind::Unsupported`] where it cannot, or was not set up to; [`crate::ErrorKind::NotFound`]
    /// where there is no such file.
    async fn hold(&self, path: &StoragePath, _until: SystemTime) -> Result<()> {
        let message = "this kind of storage cannot hold files against removal";
        let kind = ErrorKind::Unsupported;
        let location = self.location();
        Err(StorageError::new(
            kind,
            Operation::Hold,
            location,
            Some(path),
            message,
        ))
    }

    /// Removes a folder that has no files, where the kind has folders of their own; one that is not there, or whose kind
    /// knows only names with slashes in them, is a success. Nobody may write below it meanwhile.
    async fn remove_empty_folder(&self, _folder: &StoragePath) -> Result<()> {
        Ok(())
    }

    /// Seconds that the clock of the server was ahead of this machine's at its last answer, to a second or two; `None`
    /// where it has not told, or never does. Asks nothing.
    fn clock_ahead_s(&self) -> Option<i64> {
        None
    }
}
