//! The kernel's questions, answered by the browser.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::Duration;

use fuser::{
    Errno, FileHandle, Filesystem, FopenFlags, Generation, INodeNo, InitFlags, KernelConfig,
    LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty,
    ReplyEntry, ReplyOpen, ReplyXattr, Request,
};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::attributes::{Surroundings, kind_of};
use super::handles::Handles;
use crate::browser::{Browser, Failure, Listing, Seen};
use crate::file::OpenFile;

/// What lies in a snapshot never changes; the kernel keeps it for as long as it likes.
const FOR_EVER: Duration = Duration::from_secs(24 * 60 * 60);
/// Above the snapshots the kernel asks every time.
const NOT_AT_ALL: Duration = Duration::ZERO;
const GENERATION: Generation = Generation(0);

/// Answers every question as a task of its own, so that a slow one holds nobody else up.
pub struct Mount {
    shared: Arc<Shared>,
    runtime: Handle,
    /// Told when the kernel has no more questions.
    ended: Option<oneshot::Sender<()>>,
}

struct Shared {
    browser: Arc<Browser>,
    surroundings: Surroundings,
    files: Handles<OpenFile>,
    listings: Handles<Listing>,
}

impl Mount {
    pub fn new(
        browser: Browser,
        surroundings: Surroundings,
        runtime: Handle,
        ended: oneshot::Sender<()>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                browser: Arc::new(browser),
                surroundings,
                files: Handles::default(),
                listings: Handles::default(),
            }),
            runtime,
            ended: Some(ended),
        }
    }

    /// Answers in a task.
    fn answer<F: Future<Output = ()> + Send + 'static>(&self, with: impl FnOnce(Arc<Shared>) -> F) {
        self.runtime.spawn(with(Arc::clone(&self.shared)));
    }
}

impl From<Failure> for Errno {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotFound => Self::ENOENT,
            Failure::NotADirectory => Self::ENOTDIR,
            Failure::WrongKind => Self::EINVAL,
            Failure::Unreadable => Self::EIO,
        }
    }
}

/// How long the kernel may keep what it was told.
fn keep(seen: &Seen) -> Duration {
    match seen {
        Seen::Entry(..) => FOR_EVER,
        _ => NOT_AT_ALL,
    }
}

impl Filesystem for Mount {
    fn init(&mut self, _request: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // A kernel without it asks for each entry.
        let _ = config.add_capabilities(InitFlags::FUSE_DO_READDIRPLUS);
        let _ = config.add_capabilities(InitFlags::FUSE_READDIRPLUS_AUTO);
        Ok(())
    }

    fn destroy(&mut self) {
        if let Some(ended) = self.ended.take() {
            // Nobody listens where the mount was given up.
            let _ = ended.send(());
        }
    }

    fn lookup(&self, _request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let name = name.as_bytes().to_vec();
        self.answer(
            async move |shared| match shared.browser.look_up(parent.0, &name).await {
                Ok((number, seen)) => {
                    let attributes = shared.surroundings.attributes(number, &seen);
                    reply.entry(&keep(&seen), &attributes, GENERATION);
                }
                Err(failure) => reply.error(failure.into()),
            },
        );
    }

    fn forget(&self, _request: &Request, number: INodeNo, lookups: u64) {
        self.shared.browser.inodes.forget(number.0, lookups);
    }

    fn getattr(
        &self,
        _request: &Request,
        number: INodeNo,
        _handle: Option<FileHandle>,
        reply: ReplyAttr,
    ) {
        self.answer(
            async move |shared| match shared.browser.see(number.0).await {
                Ok(seen) => {
                    let attributes = shared.surroundings.attributes(number.0, &seen);
                    reply.attr(&keep(&seen), &attributes);
                }
                Err(failure) => reply.error(failure.into()),
            },
        );
    }

    fn readlink(&self, _request: &Request, number: INodeNo, reply: ReplyData) {
        self.answer(
            async move |shared| match shared.browser.link_target(number.0).await {
                Ok(target) => reply.data(&target),
                Err(failure) => reply.error(failure.into()),
            },
        );
    }

    fn open(&self, _request: &Request, number: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        self.answer(
            async move |shared| match shared.browser.open_file(number.0).await {
                Ok(file) => {
                    let handle = shared.files.open(file);
                    reply.opened(FileHandle(handle), FopenFlags::FOPEN_KEEP_CACHE);
                }
                Err(failure) => reply.error(failure.into()),
            },
        );
    }

    fn read(
        &self,
        _request: &Request,
        number: INodeNo,
        handle: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        self.answer(async move |shared| {
            let Some(file) = shared.files.get(handle.0) else {
                return reply.error(Errno::EBADF);
            };
            let browser = &shared.browser;
            match browser.read(number.0, &file, offset, size.into()).await {
                Ok(content) => reply.data(&content),
                Err(failure) => reply.error(failure.into()),
            }
        });
    }

    fn release(
        &self,
        _request: &Request,
        _number: INodeNo,
        handle: FileHandle,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        self.shared.files.close(handle.0);
        reply.ok();
    }

    fn opendir(&self, _request: &Request, number: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        self.answer(
            async move |shared| match shared.browser.list(number.0).await {
                Ok(listing) => {
                    let handle = shared.listings.open(listing);
                    reply.opened(FileHandle(handle), FopenFlags::empty());
                }
                Err(failure) => reply.error(failure.into()),
            },
        );
    }

    fn readdir(
        &self,
        _request: &Request,
        _number: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let Some(listing) = self.shared.listings.get(handle.0) else {
            return reply.error(Errno::EBADF);
        };
        let browser = &self.shared.browser;
        for at in offset.. {
            let full = match at {
                0 => reply.add(INodeNo(listing.number), 1, fuser::FileType::Directory, "."),
                1 => reply.add(INodeNo(listing.parent), 2, fuser::FileType::Directory, ".."),
                _ => {
                    let Some(entry) = position(at).and_then(|at| listing.get(browser, at)) else {
                        break;
                    };
                    let number = INodeNo(entry.number(browser));
                    let kind = kind_of(&entry.seen);
                    reply.add(number, at + 1, kind, OsStr::from_bytes(entry.name))
                }
            };
            if full {
                break;
            }
        }
        reply.ok();
    }

    fn readdirplus(
        &self,
        _request: &Request,
        _number: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectoryPlus,
    ) {
        let Some(listing) = self.shared.listings.get(handle.0) else {
            return reply.error(Errno::EBADF);
        };
        let browser = &self.shared.browser;
        let surroundings = &self.shared.surroundings;
        for at in offset.. {
            let (own, name) = match at {
                0 => (listing.number, "."),
                1 => (listing.parent, ".."),
                _ => {
                    let Some(entry) = position(at).and_then(|at| listing.get(browser, at)) else {
                        break;
                    };
                    let number = entry.remember(browser, listing.number);
                    let attributes = surroundings.attributes(number, &entry.seen);
                    let name = OsStr::from_bytes(entry.name);
                    let keep = keep(&entry.seen);
                    if reply.add(
                        INodeNo(number),
                        at + 1,
                        name,
                        &keep,
                        &attributes,
                        GENERATION,
                    ) {
                        // It did not fit in, so the kernel does not know it by this.
                        browser.inodes.forget(number, 1);
                        break;
                    }
                    continue;
                }
            };
            // The kernel takes nothing but the number of these two, and does not count them.
            let attributes = surroundings.attributes(own, &Seen::Folder);
            if reply.add(
                INodeNo(own),
                at + 1,
                name,
                &NOT_AT_ALL,
                &attributes,
                GENERATION,
            ) {
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(
        &self,
        _request: &Request,
        _number: INodeNo,
        handle: FileHandle,
        _flags: OpenFlags,
        reply: ReplyEmpty,
    ) {
        self.shared.listings.close(handle.0);
        reply.ok();
    }

    fn getxattr(
        &self,
        _request: &Request,
        number: INodeNo,
        name: &OsStr,
        size: u32,
        reply: ReplyXattr,
    ) {
        let name = name.as_bytes().to_vec();
        self.answer(
            async move |shared| match shared.browser.see(number.0).await {
                Ok(seen) => {
                    let attributes = seen.node().map(|node| &node.extended_attributes);
                    let mut attributes = attributes.into_iter().flatten();
                    match attributes.find(|attribute| attribute.name.as_bytes() == name) {
                        Some(attribute) => send(&attribute.value, size, reply),
                        None => reply.error(Errno::NO_XATTR),
                    }
                }
                Err(failure) => reply.error(failure.into()),
            },
        );
    }

    fn listxattr(&self, _request: &Request, number: INodeNo, size: u32, reply: ReplyXattr) {
        self.answer(
            async move |shared| match shared.browser.see(number.0).await {
                Ok(seen) => {
                    let mut names = Vec::new();
                    for attribute in seen
                        .node()
                        .map_or(&[][..], |node| &node.extended_attributes)
                    {
                        names.extend_from_slice(attribute.name.as_bytes());
                        names.push(0);
                    }
                    send(&names, size, reply);
                }
                Err(failure) => reply.error(failure.into()),
            },
        );
    }
}

/// The position in a listing; the first two offsets are `.` and `..`.
fn position(offset: u64) -> Option<usize> {
    usize::try_from(offset.checked_sub(2)?).ok()
}

/// Whoever asks with size 0 wants to know how much there is.
fn send(value: &[u8], size: u32, reply: ReplyXattr) {
    match u32::try_from(value.len()) {
        Ok(length) if size == 0 => reply.size(length),
        Ok(length) if length <= size => reply.data(value),
        _ => reply.error(Errno::ERANGE),
    }
}
