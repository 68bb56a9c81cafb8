//! A file that is being written under its partial name.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rustix::fs::{AtFlags, FallocateFlags, Mode, OFlags, Stat};
use rustix::io::Errno;
use strongroom_repository::format::Node;
use strongroom_repository::restore::{
    Attributes, Basis, Existing, ExistingKind, NewFile, Place, TargetErrorKind, TargetFile,
    TargetPath, TargetResult, Withheld, partial_name,
};

use super::attributes::Origin;
use super::dirs::Entry;
use super::failure::{During, Failure, fail};
use super::object::Object;
use super::{Inner, OPEN, copy, list, place};

/// Holes are made of whole blocks of this size.
const BLOCK_BYTES: usize = 4096;

pub(super) struct PartialFile {
    target: Arc<Inner>,
    path: TargetPath,
    partial: Vec<u8>,
    /// Device and inode: what is opened again later must be the same file.
    id: (u64, u64),
    size_bytes: u64,
    place: Place,
    sparse: bool,
    start: Start,
    /// As the file was when it was begun.
    stat: Stat,
    dirty: AtomicBool,
    /// End of what was written.
    end: AtomicU64,
    /// It has its final name, or is left as it is.
    finished: bool,
}

/// What to do with the file if it is not finished, and what lies where nothing was written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// It is new: holes, and removed.
    Empty,
    /// It had the final name and this mode: old content; it keeps the partial name if something was written.
    Moved(Mode),
    /// It had the partial name: old content, and keeps the name.
    Found,
}

impl PartialFile {
    pub(super) fn begin(
        target: &Arc<Inner>,
        path: &TargetPath,
        new: &NewFile,
    ) -> TargetResult<Self> {
        let at = target.dirs.parent(path)?;
        let partial = partial_name(at.name);
        let open_old = |name: &[u8], old: &Existing| open_unchanged(&at.dir, name, old, path);
        let (fd, start) = match &new.basis {
            Basis::Nothing | Basis::Copy(..) => {
                let fd =
                    create(&at.dir, &partial).map_err(|errno| at.explain(path, "create", errno))?;
                (fd, Start::Empty)
            }
            Basis::InPlace(old) => {
                // A leftover beside it was found to be of less use.
                place::clear(&at.dir, &partial)
                    .map_err(|errno| at.explain(path, "replace", errno))?;
                let read = open_old(at.name, old)?;
                let mode = Object::of_file(read.as_fd())
                    .during(path, "look at")?
                    .mode();
                let fd = make_writable(&read, &at, at.name, path)?;
                place::rename_free(&at.dir, at.name, &partial)
                    .map_err(|errno| at.explain(path, "rename", errno))?;
                (fd, Start::Moved(mode))
            }
            Basis::Leftover(old) => {
                let fd = make_writable(&open_old(&partial, old)?, &at, &partial, path)?;
                (fd, Start::Found)
            }
        };
        let stat = rustix::fs::fstat(&fd).during(path, "look at")?;
        let file = Self {
            target: Arc::clone(target),
            path: path.clone(),
            partial,
            id: (stat.st_dev, stat.st_ino),
            size_bytes: new.size_bytes,
            place: match new.basis {
                Basis::InPlace(_) => Place::Free,
                _ => new.place,
            },
            sparse: new.sparse,
            start,
            stat,
            dirty: AtomicBool::new(false),
            end: AtomicU64::new(0),
            finished: false,
        };
        if let Basis::Copy(old, ranges) = &new.basis {
            let from = open_old(at.name, old)?;
            for range in ranges {
                copy::copy_range(&from, &fd, range).during(path, "copy from the old")?;
            }
        }
        target.files.insert(file.id, Arc::new(fd));
        Ok(file)
    }

    /// The descriptor; opened again where it was closed in favour of others.
    fn fd(&self) -> TargetResult<Arc<OwnedFd>> {
        if let Some(fd) = self.target.files.get(&self.id) {
            return Ok(fd);
        }
        let at = self.target.dirs.parent(&self.path)?;
        let flags = OPEN | OFlags::RDWR | OFlags::NONBLOCK;
        let fd = rustix::fs::openat(&at.dir, &self.partial[..], flags, Mode::empty())
            .during(&self.path, "open the partial file of")?;
        let stat = rustix::fs::fstat(&fd).during(&self.path, "look at the partial file of")?;
        if (stat.st_dev, stat.st_ino) != self.id {
            let message = "somebody replaced it";
            let during = "open the partial file of";
            return Err(fail(TargetErrorKind::Changed, &self.path, during, message));
        }
        let fd = Arc::new(fd);
        self.target.files.insert(self.id, Arc::clone(&fd));
        Ok(fd)
    }

    /// Whether the partial name still stands for this file.
    fn has_its_name(&self, at: &Entry<'_>) -> bool {
        rustix::fs::statat(&at.dir, &self.partial[..], AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| (stat.st_dev, stat.st_ino) == self.id)
    }

    fn write(&self, offset: u64, data: &[u8]) -> TargetResult<()> {
        self.dirty.store(true, Ordering::Relaxed);
        let end = offset.saturating_add(data.len() as u64);
        self.end.fetch_max(end, Ordering::Relaxed);
        copy::write_all(&*self.fd()?, data, offset).during(&self.path, "write")
    }

    fn write_zeros(&self, mut offset: u64, mut length: u64) -> TargetResult<()> {
        let zeros = vec![0; 128 * 1024];
        while length > 0 {
            let count = length.min(zeros.len() as u64);
            let part = zeros.get(..usize::try_from(count).unwrap_or(zeros.len()));
            self.write(offset, part.unwrap_or_default())?;
            offset = offset.saturating_add(count);
            length -= count;
        }
        Ok(())
    }

    fn set_size(&self, fd: &OwnedFd) -> TargetResult<()> {
        let is_right = match self.start {
            Start::Empty => self.end.load(Ordering::Relaxed) == self.size_bytes,
            Start::Moved(_) | Start::Found => {
                let stat = rustix::fs::fstat(fd).during(&self.path, "look at")?;
                u64::try_from(stat.st_size) == Ok(self.size_bytes)
            }
        };
        if is_right {
            return Ok(());
        }
        rustix::fs::ftruncate(fd, self.size_bytes).during(&self.path, "set the size of")
    }
}

impl TargetFile for PartialFile {
    fn write_at(&self, offset: u64, data: &[u8]) -> TargetResult<()> {
        if !self.sparse {
            return self.write(offset, data);
        }
        for (from, to, zero) in runs(data) {
            let part = data.get(from..to).unwrap_or_default();
            let offset = offset.saturating_add(from as u64);
            if zero {
                self.zero_at(offset, part.len() as u64)?;
            } else {
                self.write(offset, part)?;
            }
        }
        Ok(())
    }

    fn zero_at(&self, offset: u64, length: u64) -> TargetResult<()> {
        if self.start == Start::Empty || length == 0 {
            return Ok(());
        }
        self.dirty.store(true, Ordering::Relaxed);
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        match rustix::fs::fallocate(&*self.fd()?, flags, offset, length) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => self.write_zeros(offset, length),
            other => other.during(&self.path, "make a hole in"),
        }
    }

    fn leave(mut self: Box<Self>) -> bool {
        let stays = self.start == Start::Found || self.dirty.load(Ordering::Relaxed);
        if stays {
            self.target.files.remove(&self.id);
            self.finished = true;
        }
        stays
    }

    fn finish(mut self: Box<Self>, node: &Node, attributes: &Attributes) -> TargetResult<Withheld> {
        let fd = self.fd()?;
        self.target.files.remove(&self.id);
        self.set_size(&fd)?;
        let object = Object::with_stat(fd.as_fd(), self.stat);
        let origin = match self.start {
            Start::Empty => Origin::Made,
            Start::Moved(_) | Start::Found => Origin::Found,
        };
        let withheld = self
            .target
            .apply(&object, node, attributes, origin)
            .map_err(|(during, errno)| Failure::from(errno).at(&self.path, during))?;
        let at = self.target.dirs.parent(&self.path)?;
        // Another restore into the same place would have the same partial name.
        if !self.has_its_name(&at) {
            let message = "somebody replaced the partial file";
            return Err(fail(
                TargetErrorKind::Changed,
                &self.path,
                "rename",
                message,
            ));
        }
        place::settle(&at.dir, &self.partial, at.name, self.place)
            .map_err(|errno| at.explain(&self.path, "rename", errno))?;
        self.finished = true;
        Ok(withheld)
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        self.target.files.remove(&self.id);
        let Ok(at) = self.target.dirs.parent(&self.path) else {
            return;
        };
        if !self.has_its_name(&at) {
            return;
        }
        match self.start {
            Start::Empty => {
                let _ = place::clear(&at.dir, &self.partial);
            }
            Start::Moved(mode) if !self.dirty.load(Ordering::Relaxed) => {
                if place::rename_free(&at.dir, &self.partial, at.name).is_ok() {
                    let _ = Object::open(&at.dir, at.name).and_then(|object| object.chmod(mode));
                }
            }
            Start::Moved(_) | Start::Found => {}
        }
    }
}

/// Makes a file that only this user can open, in place of whatever has the partial name.
fn create(dir: &OwnedFd, partial: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OPEN | OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
    let mode = Mode::RUSR | Mode::WUSR;
    match rustix::fs::openat(dir, partial, flags, mode) {
        Err(Errno::EXIST) => {
            place::clear(dir, partial)?;
            rustix::fs::openat(dir, partial, flags, mode)
        }
        other => other,
    }
}

/// Opens a file to go on with it, if it is still what the plan saw. Its owner may have made it read-only.
fn open_unchanged(
    dir: &OwnedFd,
    name: &[u8],
    old: &Existing,
    path: &TargetPath,
) -> TargetResult<OwnedFd> {
    let read = rustix::fs::openat(dir, name, OPEN | OFlags::NONBLOCK, Mode::empty())
        .during(path, "open")?;
    let stat = rustix::fs::fstat(&read).during(path, "look at")?;
    let now = list::describe(name, &stat);
    let same = now.file_id == old.file_id
        && now.kind == ExistingKind::File
        && (now.size_bytes, now.mtime, now.ctime) == (old.size_bytes, old.mtime, old.ctime);
    if !same {
        let message = "it has changed since the plan was made";
        return Err(fail(TargetErrorKind::Changed, path, "open", message));
    }
    Ok(read)
}

/// Opens a file for writing that is open for reading. From here on nobody but its owner can open it.
fn make_writable(
    read: &OwnedFd,
    at: &Entry<'_>,
    name: &[u8],
    path: &TargetPath,
) -> TargetResult<OwnedFd> {
    match rustix::fs::fchmod(read, Mode::RUSR | Mode::WUSR) {
        // Another's file that this user may write nevertheless.
        Ok(()) | Err(Errno::PERM) => {}
        Err(errno) => return Err(errno).during(path, "make writable"),
    }
    let flags = OPEN | OFlags::RDWR | OFlags::NONBLOCK;
    let write = rustix::fs::openat(&at.dir, name, flags, Mode::empty())
        .map_err(|errno| at.explain(path, "open", errno))?;
    let identity = |fd: &OwnedFd| rustix::fs::fstat(fd).map(|stat| (stat.st_dev, stat.st_ino));
    if identity(read).during(path, "look at")? == identity(&write).during(path, "look at")? {
        Ok(write)
    } else {
        let message = "somebody replaced it";
        Err(fail(TargetErrorKind::Changed, path, "open", message))
    }
}

/// The data in runs of whole zero blocks and runs of anything else: from, to, whether zero.
fn runs(data: &[u8]) -> Vec<(usize, usize, bool)> {
    let mut runs: Vec<(usize, usize, bool)> = Vec::new();
    let mut from = 0;
    for block in data.chunks(BLOCK_BYTES) {
        let to = from + block.len();
        let zero = block.iter().all(|&byte| byte == 0);
        match runs.last_mut() {
            Some(last) if last.2 == zero => last.1 = to,
            _ => runs.push((from, to, zero)),
        }
        from = to;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_cover_the_data_without_gaps() {
        let mut data = vec![0; 3 * BLOCK_BYTES + 10];
        data[BLOCK_BYTES] = 1;
        let expected = [
            (0, BLOCK_BYTES, true),
            (BLOCK_BYTES, 2 * BLOCK_BYTES, false),
            (2 * BLOCK_BYTES, data.len(), true),
        ];
        assert_eq!(runs(&data), expected);
        assert!(runs(&[]).is_empty());
    }
}
