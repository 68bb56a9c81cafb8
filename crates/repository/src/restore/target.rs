//! What a restore writes into.

use std::ops::Range;

use crate::format::{Node, Time};
use crate::restore::{Attributes, TargetPath};

/// Why an entry of a target could not be read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TargetErrorKind {
    /// There is no such entry.
    NotFound,
    /// What should be a directory is none: a file, or a symbolic link, which is never followed.
    NotADirectory,
    /// A directory is in the way and it is not empty.
    NotEmpty,
    /// Something of that name has appeared since the plan was made; on a target that ignores case this is
    /// another entry whose name differs in case alone.
    Exists,
    /// The entry is not what it was when the plan was made.
    Changed,
    /// No space, or the user's share of it is used up.
    NoSpace,
    /// The target is read-only.
    ReadOnly,
    /// Not allowed.
    Denied,
    /// The entry, or its directory, is marked immutable or append-only.
    Immutable,
    /// The target cannot hold this: the name is too long for it, or it knows no such kind of entry.
    Unsupported,
    /// Anything else; the message says what.
    Other,
}

/// An entry of a target could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{during} {path}: {message}")]
pub struct TargetError {
    /// What went wrong.
    pub kind: TargetErrorKind,
    /// The entry.
    pub path: TargetPath,
    /// What was being done: `create`, `write`, `rename` …
    pub during: &'static str,
    /// What the system said.
    pub message: String,
}

/// Result of a call of a target.
pub type TargetResult<T> = std::result::Result<T, TargetError>;

/// What an entry of a target is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExistingKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link and what it points to.
    Symlink(Vec<u8>),
    /// A named pipe.
    Fifo,
    /// A Unix socket.
    Socket,
    /// A block device and its number.
    BlockDevice(u64),
    /// A character device and its number.
    CharDevice(u64),
}

/// An entry that a target holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Existing {
    /// Its name.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: ExistingKind,
    /// Bytes of a file's content.
    pub size_bytes: u64,
    /// Bytes that it takes up.
    pub allocated_bytes: u64,
    /// Last change of the content.
    pub mtime: Time,
    /// Last change of anything.
    pub ctime: Time,
    /// Number of hard links.
    pub links: u64,
    /// Device and inode: two entries with the same numbers are the same file.
    pub file_id: (u64, u64),
    /// Its owner.
    pub uid: u32,
    /// Whether it belongs to who runs the restore.
    pub mine: bool,
}

/// The entries of a directory of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// What people put there, in no order.
    pub entries: Vec<Existing>,
    /// What an interrupted restore left (names as [`crate::restore::partial_name`] makes them).
    pub leftovers: Vec<Existing>,
}

/// What a file that is to be written begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// Nothing: every byte will be written.
    Nothing,
    /// Copies of these ranges of the file that has the name now.
    ///
    /// That file stays as it is until the new one takes its place.
    Copy(Existing, Vec<Range<u64>>),
    /// The file that has the name now: it is moved to the partial name and written in place.
    InPlace(Existing),
    /// The leftover of an interrupted restore, which lies under the partial name already.
    Leftover(Existing),
}

/// What is expected under the final name when an entry takes its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nothing. If something is there nevertheless, it stays, and the call fails with [`TargetErrorKind::Exists`].
    Free,
    /// Something that is no directory; it is replaced in one step.
    Taken,
    /// An empty directory; it is removed first.
    EmptyDir,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its size.
    pub size_bytes: u64,
    /// What it begins with.
    pub basis: Basis,
    /// What is under its name now.
    pub place: Place,
    /// Whether blocks of zeros become holes.
    pub sparse: bool,
}

impl NewFile {
    /// A file that gets this content and nothing else.
    pub fn of(content: &[u8], place: Place) -> Self {
        Self {
            size_bytes: content.len() as u64,
            basis: Basis::Nothing,
            place,
            sparse: false,
        }
    }
}

/// Attributes that could not be set and need not be an error, because this user may not set them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Withheld {
    /// The owner or the group; then the set-user-id and set-group-id bits of a file are left out as well.
    pub owner: bool,
    /// Extended attributes that only a privileged user may set, or that the target cannot hold.
    pub extended_attributes: u64,
}

/// Where a restore writes.
///
/// Promises of every implementation:
/// - No call reads or writes anything outside the root, whatever the target holds: a symbolic link on the way is
///   never followed and is [`TargetErrorKind::NotADirectory`]; one under the final name is replaced, never written through.
/// - Nothing appears under a final name before it is whole with all of its attributes, and what was there stays
///   until then ([`Basis::InPlace`] moves it to the partial name first).
/// - Calls for different entries may be made from many threads at once. They may block, so they are never made on
///   an async runtime. The number of open files is bounded, however many [`TargetFile`]s there are.
/// - The parent of an entry exists when the entry is created: the caller sees to that.
pub trait Target: Send + Sync {
    /// The target as a person would name it.
    fn location(&self) -> String;

    /// Whether the root is there. [`TargetErrorKind::NotADirectory`] where it is something else; a symbolic link to
    /// a directory is one, since the user named it.
    fn exists(&self) -> TargetResult<bool>;

    /// Makes the root and what leads to it. Succeeds where it is there.
    fn create(&self) -> TargetResult<()>;

    /// Bytes that can still be written; `None` where that is not known. Works where the root does not exist yet.
    fn available_bytes(&self) -> TargetResult<Option<u64>>;

    /// The entries of a directory. [`TargetErrorKind::NotFound`] where it does not exist.
    fn list(&self, dir: &TargetPath) -> TargetResult<Listing>;

    /// What the target takes a name for: on one that ignores case, an entry whose name differs in case. `None` for nothing.
    fn look(&self, path: &TargetPath) -> TargetResult<Option<Existing>>;

    /// Whether an entry is marked immutable or append-only; `false` where the target knows no such mark.
    fn is_immutable(&self, path: &TargetPath) -> TargetResult<bool>;

    /// Opens a regular file to be read.
    fn read(&self, file: &TargetPath) -> TargetResult<Box<dyn ReadAt>>;

    /// Makes a directory that only this user can use until [`Target::set_attributes`]. [`TargetErrorKind::Exists`]
    /// where there is something of that name.
    fn create_dir(&self, dir: &TargetPath) -> TargetResult<()>;

    /// Makes sure that this user can change the entries of an existing directory, if he may change its mode.
    /// Until [`Target::relock_dir`] or [`Target::set_attributes`].
    fn unlock_dir(&self, dir: &TargetPath) -> TargetResult<()>;

    /// Takes back what [`Target::unlock_dir`] did. Nothing where it did nothing.
    fn relock_dir(&self, dir: &TargetPath) -> TargetResult<()>;

    /// Begins to write a file under its partial name.
    ///
    /// [`TargetErrorKind::Changed`] where what the [`Basis`] names is not what it was.
    fn create_file(&self, file: &TargetPath, new: &NewFile) -> TargetResult<Box<dyn TargetFile>>;

    /// Writes a file whose content is all here. It is new: nothing of an old one is used, and what lies under the
    /// partial name may stay there.
    ///
    /// The same as [`Target::create_file`], one write and [`TargetFile::finish`]; a target may have a shorter way, for most
    /// files are small.
    fn write_file(
        &self,
        file: &TargetPath,
        place: Place,
        content: &[u8],
        node: &Node,
        attributes: &Attributes,
    ) -> TargetResult<Withheld> {
        write_in_steps(self, file, place, content, node, attributes)
    }

    /// Makes an entry that is neither file nor directory, with its attributes.
    fn create_special(
        &self,
        path: &TargetPath,
        node: &Node,
        place: Place,
        attributes: &Attributes,
    ) -> TargetResult<Withheld>;

    /// Gives a file another name.
    fn link(&self, original: &TargetPath, link: &TargetPath, place: Place) -> TargetResult<()>;

    /// Sets the attributes of an entry that exists and is of the node's kind.
    fn set_attributes(
        &self,
        path: &TargetPath,
        node: &Node,
        attributes: &Attributes,
    ) -> TargetResult<Withheld>;

    /// Removes an entry that is no directory. [`TargetErrorKind::NotFound`] where there is none.
    fn remove_entry(&self, path: &TargetPath) -> TargetResult<()>;

    /// Removes an empty directory. [`TargetErrorKind::NotEmpty`] where it is not.
    fn remove_dir(&self, dir: &TargetPath) -> TargetResult<()>;

    /// Puts all that was written on stable storage: after this it survives a power cut.
    fn sync(&self) -> TargetResult<()>;
}

/// Writes a file whose content is all here as one whose content comes in parts.
pub fn write_in_steps<T: Target + ?Sized>(
    target: &T,
    file: &TargetPath,
    place: Place,
    content: &[u8],
    node: &Node,
    attributes: &Attributes,
) -> TargetResult<Withheld> {
    let begun = target.create_file(file, &NewFile::of(content, place))?;
    begun.write_at(0, content)?;
    begun.finish(node, attributes)
}

/// A file that is open for reading.
pub trait ReadAt: Send + Sync {
    /// Bytes from an offset on; fewer than asked for only at the end of the file.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> TargetResult<usize>;
}

/// A file that is being written under its partial name.
///
/// Dropped without [`TargetFile::finish`] or [`TargetFile::leave`], it is removed; except where it was begun with [`Basis::InPlace`] or
/// [`Basis::Leftover`]: then it stays under the partial name, where the next restore goes on with it (and
/// [`Basis::InPlace`] gets its final name back if nothing had been written).
pub trait TargetFile: Send + Sync {
    /// Writes at an offset, from any thread.
    fn write_at(&self, offset: u64, data: &[u8]) -> TargetResult<()>;

    /// Writes zeros at an offset; a hole where the target can.
    fn zero_at(&self, offset: u64, length: u64) -> TargetResult<()>;

    /// Gives the file up for now. If something was written to it, it stays under its partial name, where the next restore
    /// goes on with it; whether it does.
    fn leave(self: Box<Self>) -> bool;

    /// Sets size and attributes and gives the file its final name.
    fn finish(self: Box<Self>, node: &Node, attributes: &Attributes) -> TargetResult<Withheld>;
}
