//! What a server answers.

use bytes::{Buf, Bytes, TryGetError};

/// A reply that is longer is not from a server that keeps to the protocol: the largest that we ask for is a piece of
/// [`super::features::PIECE_BYTES_MAX`] bytes, the largest that is not asked for by length a listing.
pub(super) const REPLY_BYTES_MAX: u32 = 1 << 20;

const VERSION_REPLY: u8 = 2;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;
const NAME: u8 = 104;
const ATTRS: u8 = 105;
const EXTENDED_REPLY: u8 = 201;

const ATTR_SIZE: u32 = 1;
const ATTR_OWNER: u32 = 2;
const ATTR_PERMISSIONS: u32 = 4;
const ATTR_TIMES: u32 = 8;
const ATTR_EXTENDED: u32 = 1 << 31;

/// What a server says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Its version and the extensions that it names, with their data.
    Version(u32, Vec<(Bytes, Bytes)>),
    /// How a request ended, unless another reply says it.
    Status {
        /// Zero is success.
        code: u32,
        /// For people; no encoding is promised.
        message: Bytes,
    },
    /// A file or folder that was opened.
    Handle(Bytes),
    /// What was read.
    Data(Bytes),
    /// Entries of a folder.
    Names(Vec<(Bytes, Attributes)>),
    /// What a file or folder is.
    Attributes(Attributes),
    /// The answer to an extension, whose meaning the request decides.
    Extended(Bytes),
}

/// What a server tells of a file or folder; each of it may be missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    /// Bytes.
    pub(super) size: Option<u64>,
    /// Type and permission bits.
    pub(super) mode: Option<u32>,
    /// Seconds since 1970.
    pub(super) modified_s: Option<u32>,
}

/// What kind of thing an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileType {
    File,
    Folder,
    Link,
    Other,
}

impl Attributes {
    /// A server that gives no mode is taken to speak of a file, as one has to with the simplest ones.
    pub(super) fn file_type(&self) -> FileType {
        match self.mode.map(|mode| mode & 0o170_000) {
            None | Some(0 | 0o100_000) => FileType::File,
            Some(0o040_000) => FileType::Folder,
            Some(0o120_000) => FileType::Link,
            Some(_) => FileType::Other,
        }
    }
}

/// A reply that keeps to no protocol.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reply of type {kind} is malformed")]
pub(super) struct Malformed {
    kind: u8,
}

impl Reply {
    /// Reads a packet without its length: the number of the request that it answers, and the reply.
    ///
    /// # Errors
    /// [`Malformed`] where it ends too early or is of no type that a client knows.
    pub(super) fn decode(mut packet: Bytes) -> Result<(u32, Self), Malformed> {
        let kind = packet.try_get_u8().map_err(|_| Malformed { kind: 0 })?;
        decode(kind, packet).ok_or(Malformed { kind })
    }
}

fn decode(kind: u8, mut from: Bytes) -> Option<(u32, Reply)> {
    let id = from.try_get_u32().ok()?;
    let reply = match kind {
        // In this reply the version is in the place of the number.
        VERSION_REPLY => return Some((0, Reply::Version(id, extensions(from)?))),
        STATUS => Reply::Status {
            code: from.try_get_u32().ok()?,
            // The oldest servers leave the message out.
            message: text(&mut from).unwrap_or_default(),
        },
        HANDLE => Reply::Handle(text(&mut from)?),
        DATA => Reply::Data(text(&mut from)?),
        NAME => Reply::Names(names(from)?),
        ATTRS => Reply::Attributes(attributes(&mut from)?),
        EXTENDED_REPLY => Reply::Extended(from),
        _ => return None,
    };
    Some((id, reply))
}

fn extensions(mut from: Bytes) -> Option<Vec<(Bytes, Bytes)>> {
    let mut found = Vec::new();
    while from.has_remaining() {
        found.push((text(&mut from)?, text(&mut from)?));
    }
    Some(found)
}

fn names(mut from: Bytes) -> Option<Vec<(Bytes, Attributes)>> {
    let count = from.try_get_u32().ok()?;
    // An entry has 12 bytes at least, so a count that is made up reserves no more than the packet has.
    let mut found = Vec::with_capacity((count as usize).min(from.remaining() / 12));
    for _ in 0..count {
        let name = text(&mut from)?;
        text(&mut from)?;
        found.push((name, attributes(&mut from)?));
    }
    Some(found)
}

fn attributes(from: &mut Bytes) -> Option<Attributes> {
    let has = from.try_get_u32().ok()?;
    let mut found = Attributes::default();
    if has & ATTR_SIZE != 0 {
        found.size = Some(from.try_get_u64().ok()?);
    }
    if has & ATTR_OWNER != 0 {
        from.try_get_u64().ok()?;
    }
    if has & ATTR_PERMISSIONS != 0 {
        found.mode = Some(from.try_get_u32().ok()?);
    }
    if has & ATTR_TIMES != 0 {
        from.try_get_u32().ok()?;
        found.modified_s = Some(from.try_get_u32().ok()?);
    }
    if has & ATTR_EXTENDED != 0 {
        for _ in 0..from.try_get_u32().ok()? {
            text(from)?;
            text(from)?;
        }
    }
    Some(found)
}

fn text(from: &mut Bytes) -> Option<Bytes> {
    let length = from.try_get_u32().ok()? as usize;
    (length <= from.remaining()).then(|| from.split_to(length))
}

/// What `statvfs@openssh.com` tells of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileSystem {
    /// Bytes that we may still write.
    pub(super) free_bytes: u64,
    /// No more files can be made, whatever the bytes.
    pub(super) no_files_left: bool,
    pub(super) is_read_only: bool,
}

impl FileSystem {
    pub(super) fn decode(mut from: Bytes) -> Option<Self> {
        let mut numbers = [0; 11];
        for number in &mut numbers {
            *number = from.try_get_u64().ok()?;
        }
        let [
            _,
            fragment,
            _,
            _,
            available,
            files,
            _,
            files_available,
            _,
            flags,
            _,
        ] = numbers;
        Some(Self {
            free_bytes: available.saturating_mul(fragment),
            // Some file systems count no files, and say zero of zero.
            no_files_left: files > 0 && files_available == 0,
            is_read_only: flags & 1 != 0,
        })
    }
}

/// What `limits@openssh.com` tells: the longest packet, read and write; zero where the server does not say.
pub(super) fn decode_limits(mut from: Bytes) -> Option<(u64, u64, u64)> {
    let mut next = || -> Result<u64, TryGetError> { from.try_get_u64() };
    Some((next().ok()?, next().ok()?, next().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(packet: &[u8]) -> Result<(u32, Reply), Malformed> {
        Reply::decode(Bytes::copy_from_slice(packet))
    }

    /// A packet of each type.
    const PACKETS: [&[u8]; 7] = [
        b"\x02\0\0\0\x03\0\0\0\x01a\0\0\0\x011",
        b"\x65\0\0\0\x07\0\0\0\x04\0\0\0\x03why\0\0\0\0",
        b"\x66\0\0\0\x07\0\0\0\x02\0\x80",
        b"\x67\0\0\0\x07\0\0\0\x03xyz",
        b"\x68\0\0\0\x07\0\0\0\x01\0\0\0\x01\xe9\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x09\0\0\x81\xa4",
        b"\x69\0\0\0\x07\0\0\0\x0f\0\0\0\0\0\0\0\x09\0\0\0\x01\0\0\0\x02\0\0\x41\xed\0\0\0\x03\0\0\0\x04",
        b"\xc9\0\0\0\x07rest",
    ];

    #[test]
    fn replies_are_read_as_the_draft_has_them() {
        let bytes = Bytes::from_static;
        let file = Attributes {
            size: Some(9),
            mode: Some(0o100_644),
            modified_s: None,
        };
        let folder = Attributes {
            size: Some(9),
            mode: Some(0o040_755),
            modified_s: Some(4),
        };
        let expected = [
            (0, Reply::Version(3, vec![(bytes(b"a"), bytes(b"1"))])),
            (
                7,
                Reply::Status {
                    code: 4,
                    message: bytes(b"why"),
                },
            ),
            (7, Reply::Handle(bytes(b"\0\x80"))),
            (7, Reply::Data(bytes(b"xyz"))),
            (7, Reply::Names(vec![(bytes(b"\xe9"), file)])),
            (7, Reply::Attributes(folder)),
            (7, Reply::Extended(bytes(b"rest"))),
        ];
        for (packet, expected) in PACKETS.iter().zip(expected) {
            assert_eq!(decoded(packet), Ok(expected));
        }
        assert_eq!(
            (file.file_type(), folder.file_type()),
            (FileType::File, FileType::Folder)
        );
    }

    /// A server, or whoever is in its place, may send anything: it must cost the connection at most.
    #[test]
    fn no_reply_is_believed_beyond_its_end() {
        for packet in PACKETS {
            for end in 0..packet.len() {
                let _ = decoded(&packet[..end]);
            }
            for at in 0..packet.len() {
                for byte in [0, 1, 0x7f, 0x80, 0xff] {
                    let mut changed = packet.to_vec();
                    changed[at] = byte;
                    let _ = decoded(&changed);
                }
            }
        }
        // A count of 4 thousand million entries, of which there is none.
        assert!(decoded(b"\x68\0\0\0\x07\xff\xff\xff\xff").is_err());
        assert!(decoded(b"\x69\0\0\0\x07\x80\0\0\0\xff\xff\xff\xff").is_err());
        assert!(decoded(b"").is_err() && decoded(b"\x63\0\0\0\x07").is_err());
    }

    #[test]
    fn a_file_system_is_full_or_read_only_by_its_figures() {
        let of = |numbers: [u64; 11]| {
            let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
            FileSystem::decode(Bytes::from(bytes)).unwrap()
        };
        let free = of([4096, 512, 100, 50, 40, 10, 5, 5, 0, 0, 255]);
        assert_eq!(
            (free.free_bytes, free.no_files_left, free.is_read_only),
            (20_480, false, false)
        );
        let full = of([4096, u64::MAX, 0, 0, u64::MAX, 10, 0, 0, 0, 3, 255]);
        assert_eq!(
            (full.free_bytes, full.no_files_left, full.is_read_only),
            (u64::MAX, true, true)
        );
        assert!(!of([0; 11]).no_files_left);
        assert!(FileSystem::decode(Bytes::from_static(b"short")).is_none());
    }
}
