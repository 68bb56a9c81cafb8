//! What is asked of a server: the requests of SFTP version 3 (draft-ietf-secsh-filexfer-02) and of the extensions of OpenSSH
//! that we use.
//!
//! Written here and not taken from a crate: a client has to live with handles and names that are no UTF-8, and with
//! replies that are too long or too short, without giving up the connection and everything that runs on it.

use bytes::{BufMut, Bytes, BytesMut};

/// The version that every server speaks.
const VERSION: u32 = 3;

const INIT: u8 = 1;
const OPEN: u8 = 3;
const CLOSE: u8 = 4;
const READ: u8 = 5;
const WRITE: u8 = 6;
const LSTAT: u8 = 7;
const FSTAT: u8 = 8;
const SETSTAT: u8 = 9;
const FSETSTAT: u8 = 10;
const OPENDIR: u8 = 11;
const READDIR: u8 = 12;
const REMOVE: u8 = 13;
const MKDIR: u8 = 14;
const RMDIR: u8 = 15;
const REALPATH: u8 = 16;
const STAT: u8 = 17;
const RENAME: u8 = 18;
const EXTENDED: u8 = 200;

const ATTR_PERMISSIONS: u32 = 4;

const OPEN_READ: u32 = 1;
const OPEN_WRITE: u32 = 2;
const OPEN_CREATE: u32 = 8;
const OPEN_EXCLUSIVE: u32 = 32;

/// What we ask of a server.
#[derive(Debug, Clone, Copy)]
pub(super) enum Request<'a> {
    /// Opens a file, or a folder that is to be synced, for reading.
    OpenToRead(&'a str),
    /// Makes a file that must not exist yet, with these permission bits.
    CreateNew(&'a str, u32),
    Close(&'a Bytes),
    Read {
        handle: &'a Bytes,
        offset: u64,
        length: u32,
    },
    Write {
        handle: &'a Bytes,
        offset: u64,
        data: &'a Bytes,
    },
    StatHandle(&'a Bytes),
    Stat(&'a str),
    /// Of a link itself.
    StatLink(&'a str),
    /// The path without links, as a listing of one entry.
    RealPath(&'a str),
    SetModeOfHandle(&'a Bytes, u32),
    SetMode(&'a str, u32),
    OpenFolder(&'a str),
    ReadFolder(&'a Bytes),
    Remove(&'a str),
    /// Fails where the folder is not empty.
    RemoveFolder(&'a str),
    MakeFolder(&'a str, u32),
    /// Fails where the new name is taken, if the server keeps to the draft. Some replace instead.
    Rename(&'a str, &'a str),
    /// `posix-rename@openssh.com`
    RenameReplacing(&'a str, &'a str),
    /// `hardlink@openssh.com`
    Link(&'a str, &'a str),
    /// `fsync@openssh.com`
    Sync(&'a Bytes),
    /// `statvfs@openssh.com`
    FileSystem(&'a str),
    /// `limits@openssh.com`
    Limits,
}

/// A packet on its way out. What is to be written lies apart, so that it is not copied.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) head: Bytes,
    pub(super) body: Bytes,
}

impl Frame {
    /// The first packet of a session.
    pub(super) fn hello() -> Self {
        let mut head = BytesMut::with_capacity(9);
        head.put_u32(5);
        head.put_u8(INIT);
        head.put_u32(VERSION);
        Self {
            head: head.freeze(),
            body: Bytes::new(),
        }
    }

    /// `None` where a name or a piece is longer than a packet can be.
    pub(super) fn of(request: Request<'_>, id: u32) -> Option<Self> {
        let mut head = BytesMut::with_capacity(128);
        // The length is put in when it is known.
        head.put_u32(0);
        head.put_u8(kind(request));
        head.put_u32(id);
        let body = put_fields(&mut head, request)?;
        let length = head.len().checked_add(body.len())?.checked_sub(4)?;
        let length = u32::try_from(length).ok()?;
        head.get_mut(..4)?.copy_from_slice(&length.to_be_bytes());
        Some(Self {
            head: head.freeze(),
            body,
        })
    }
}

fn kind(request: Request<'_>) -> u8 {
    match request {
        Request::OpenToRead(_) | Request::CreateNew(..) => OPEN,
        Request::Close(_) => CLOSE,
        Request::Read { .. } => READ,
        Request::Write { .. } => WRITE,
        Request::StatHandle(_) => FSTAT,
        Request::Stat(_) => STAT,
        Request::StatLink(_) => LSTAT,
        Request::RealPath(_) => REALPATH,
        Request::SetModeOfHandle(..) => FSETSTAT,
        Request::SetMode(..) => SETSTAT,
        Request::OpenFolder(_) => OPENDIR,
        Request::ReadFolder(_) => READDIR,
        Request::Remove(_) => REMOVE,
        Request::RemoveFolder(_) => RMDIR,
        Request::MakeFolder(..) => MKDIR,
        Request::Rename(..) => RENAME,
        Request::RenameReplacing(..)
        | Request::Link(..)
        | Request::Sync(_)
        | Request::FileSystem(_)
        | Request::Limits => EXTENDED,
    }
}

fn put_fields(to: &mut BytesMut, request: Request<'_>) -> Option<Bytes> {
    match request {
        Request::OpenToRead(path) => {
            put_text(to, path.as_bytes())?;
            to.put_u32(OPEN_READ);
            to.put_u32(0);
        }
        Request::CreateNew(path, mode) => {
            put_text(to, path.as_bytes())?;
            to.put_u32(OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE);
            put_mode(to, mode);
        }
        Request::Read {
            handle,
            offset,
            length,
        } => {
            put_text(to, handle)?;
            to.put_u64(offset);
            to.put_u32(length);
        }
        Request::Write {
            handle,
            offset,
            data,
        } => {
            put_text(to, handle)?;
            to.put_u64(offset);
            to.put_u32(u32::try_from(data.len()).ok()?);
            return Some(data.clone());
        }
        Request::Close(handle) | Request::StatHandle(handle) | Request::ReadFolder(handle) => {
            put_text(to, handle)?;
        }
        Request::Stat(path)
        | Request::StatLink(path)
        | Request::RealPath(path)
        | Request::OpenFolder(path)
        | Request::Remove(path)
        | Request::RemoveFolder(path) => {
            put_text(to, path.as_bytes())?;
        }
        Request::SetModeOfHandle(handle, mode) => {
            put_text(to, handle)?;
            put_mode(to, mode);
        }
        Request::SetMode(path, mode) | Request::MakeFolder(path, mode) => {
            put_text(to, path.as_bytes())?;
            put_mode(to, mode);
        }
        Request::Rename(from, to_path) => put_two(to, from, to_path)?,
        Request::RenameReplacing(from, to_path) => {
            put_text(to, b"posix-rename@openssh.com")?;
            put_two(to, from, to_path)?;
        }
        Request::Link(from, to_path) => {
            put_text(to, b"hardlink@openssh.com")?;
            put_two(to, from, to_path)?;
        }
        Request::Sync(handle) => {
            put_text(to, b"fsync@openssh.com")?;
            put_text(to, handle)?;
        }
        Request::FileSystem(path) => {
            put_text(to, b"statvfs@openssh.com")?;
            put_text(to, path.as_bytes())?;
        }
        Request::Limits => put_text(to, b"limits@openssh.com")?,
    }
    Some(Bytes::new())
}

fn put_two(to: &mut BytesMut, first: &str, second: &str) -> Option<()> {
    put_text(to, first.as_bytes())?;
    put_text(to, second.as_bytes())
}

fn put_text(to: &mut BytesMut, text: &[u8]) -> Option<()> {
    to.put_u32(u32::try_from(text.len()).ok()?);
    to.put_slice(text);
    Some(())
}

fn put_mode(to: &mut BytesMut, mode: u32) {
    to.put_u32(ATTR_PERMISSIONS);
    to.put_u32(mode);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(request: Request<'_>) -> Vec<u8> {
        let Frame { head, body } = Frame::of(request, 7).unwrap();
        [head, body].concat()
    }

    /// As the draft has them, byte by byte.
    #[test]
    fn requests_are_written_as_the_draft_has_them() {
        let handle = Bytes::from_static(b"\0\x80");
        let data = Bytes::from_static(b"xyz");
        for (request, expected) in [
            (
                Request::Close(&handle),
                &b"\0\0\0\x0b\x04\0\0\0\x07\0\0\0\x02\0\x80"[..],
            ),
            (
                Request::Write {
                    handle: &handle,
                    offset: 5,
                    data: &data,
                },
                b"\0\0\0\x1a\x06\0\0\0\x07\0\0\0\x02\0\x80\0\0\0\0\0\0\0\x05\0\0\0\x03xyz",
            ),
            (
                Request::CreateNew("a", 0o600),
                b"\0\0\0\x16\x03\0\0\0\x07\0\0\0\x01a\0\0\0\x2a\0\0\0\x04\0\0\x01\x80",
            ),
            (
                Request::Rename("a", "b"),
                b"\0\0\0\x0f\x12\0\0\0\x07\0\0\0\x01a\0\0\0\x01b",
            ),
            (
                Request::Limits,
                b"\0\0\0\x1b\xc8\0\0\0\x07\0\0\0\x12limits@openssh.com",
            ),
        ] {
            assert_eq!(sent(request), expected, "{request:?}");
        }
        assert_eq!(Frame::hello().head, &b"\0\0\0\x05\x01\0\0\0\x03"[..]);
    }
}
