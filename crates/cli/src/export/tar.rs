//! tar in the pax format, as GNU tar, bsdtar and Python read it: nothing of an entry is lost but sockets.

use std::collections::HashMap;
use std::io::{self, Read, Write};

use strongroom_repository::format::{Node, NodeKind};
use tar::{EntryType, Header};

use super::{ExportEntry, LeftOut, Piece, Pieces, cut_off, pax};

/// tar is made of blocks of so many bytes.
const BLOCK: usize = 512;

/// Writes everything that comes; returns what tar cannot hold.
///
/// # Errors
/// The output's, or [`io::ErrorKind::UnexpectedEof`] if the pieces were cut off: the archive has no end then.
pub fn write_tar(pieces: Pieces, out: &mut dyn Write) -> io::Result<Vec<LeftOut>> {
    let mut content = Content {
        pieces,
        data: Vec::new(),
        at: 0,
        seen: None,
    };
    let mut writer = TarWriter {
        out,
        links: HashMap::new(),
        left_out: Vec::new(),
    };
    while let Some(entry) = content.next_entry()? {
        writer.entry(&entry, &mut content)?;
    }
    // The end of the archive: two empty blocks.
    writer.out.write_all(&[0; 2 * BLOCK])?;
    writer.out.flush()?;
    Ok(writer.left_out)
}

struct TarWriter<'a> {
    out: &'a mut dyn Write,
    /// Files with several names: the path under which the content is in the archive already.
    links: HashMap<(u64, u64), Vec<u8>>,
    left_out: Vec<LeftOut>,
}

impl TarWriter<'_> {
    fn entry(&mut self, entry: &ExportEntry, content: &mut Content) -> io::Result<()> {
        let node = &entry.node;
        let kind = match node.kind {
            NodeKind::File => EntryType::Regular,
            NodeKind::Dir => EntryType::Directory,
            NodeKind::Symlink => EntryType::Symlink,
            NodeKind::BlockDevice => EntryType::Block,
            NodeKind::CharDevice => EntryType::Char,
            NodeKind::Fifo => EntryType::Fifo,
            NodeKind::Socket => return self.leave_out(entry, "tar has no sockets"),
            _ => return self.leave_out(entry, "an unknown kind of entry"),
        };
        let mut path = entry.path.clone();
        if kind == EntryType::Directory {
            path.push(b'/');
        }
        if let Some(first) = self.other_name(entry) {
            content.skip()?;
            return self.write(
                EntryType::Link,
                &path,
                Some(&first),
                0,
                node,
                &mut io::empty(),
            );
        }
        let link = (kind == EntryType::Symlink).then_some(node.link_target.as_slice());
        let size = if kind == EntryType::Regular {
            node.size_bytes
        } else {
            0
        };
        self.write(kind, &path, link, size, node, &mut content.exactly(size))
    }

    /// The path under which the same file came before.
    fn other_name(&mut self, entry: &ExportEntry) -> Option<Vec<u8>> {
        let node = &entry.node;
        if node.kind != NodeKind::File || node.links < 2 || node.inode == 0 {
            return None;
        }
        let key = (node.device_id, node.inode);
        if let Some(first) = self.links.get(&key) {
            return Some(first.clone());
        }
        self.links.insert(key, entry.path.clone());
        None
    }

    fn write(
        &mut self,
        kind: EntryType,
        path: &[u8],
        link: Option<&[u8]>,
        size: u64,
        node: &Node,
        content: &mut dyn Read,
    ) -> io::Result<()> {
        let records = pax::records(path, link, size, node);
        if !records.is_empty() {
            let records = pax::encode(&records)?;
            let mut header = header(
                EntryType::XHeader,
                b"pax-header",
                None,
                records.len() as u64,
                node,
            );
            header.set_mode(0o644);
            header.set_cksum();
            self.append(&header, records.len() as u64, &mut records.as_slice())?;
        }
        self.append(&header(kind, path, link, size, node), size, content)
    }

    /// Writes a header and exactly `size` bytes of content, filled up to whole blocks.
    ///
    /// By hand, since the library's builder ends an archive when it is dropped, even after an error: it would look whole.
    fn append(&mut self, header: &Header, size: u64, content: &mut dyn Read) -> io::Result<()> {
        self.out.write_all(header.as_bytes())?;
        if io::copy(content, self.out)? != size {
            return Err(wrong_size());
        }
        let beyond = usize::try_from(size % BLOCK as u64).unwrap_or_default();
        let padding = [0; BLOCK];
        let fill = if beyond == 0 { 0 } else { BLOCK - beyond };
        self.out.write_all(padding.get(..fill).unwrap_or_default())
    }

    fn leave_out(&mut self, entry: &ExportEntry, reason: &'static str) -> io::Result<()> {
        self.left_out.push(LeftOut {
            path: entry.path.clone(),
            reason,
        });
        Ok(())
    }
}

fn header(kind: EntryType, path: &[u8], link: Option<&[u8]>, size: u64, node: &Node) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(node.mode.unix_permissions());
    header.set_uid(u64::from(node.uid & 0o777_7777));
    header.set_gid(u64::from(node.gid & 0o777_7777));
    // What does not fit stands in a pax record, which counts.
    header.set_size(size);
    header.set_mtime(u64::try_from(node.mtime.unix_seconds()).unwrap_or(0) & 0o777_7777_7777);
    if let Some(ustar) = header.as_ustar_mut() {
        fill(&mut ustar.name, path);
        fill(&mut ustar.linkname, link.unwrap_or_default());
        fill(&mut ustar.uname, node.user.as_bytes());
        fill(&mut ustar.gname, node.group.as_bytes());
    }
    if matches!(kind, EntryType::Block | EntryType::Char) {
        // Cannot fail for ustar headers, which have the fields.
        let _ = header.set_device_major(rustix::fs::major(node.device));
        let _ = header.set_device_minor(rustix::fs::minor(node.device));
    }
    header.set_cksum();
    header
}

/// Fills a field of a header, cut to its length.
fn fill(field: &mut [u8], value: &[u8]) {
    for (to, from) in field.iter_mut().zip(value) {
        *to = *from;
    }
}

/// The pieces as contents of entries.
struct Content {
    pieces: Pieces,
    data: Vec<u8>,
    at: usize,
    /// What was seen behind a content that was passed over: an entry or the end.
    seen: Option<Option<Box<ExportEntry>>>,
}

impl Content {
    /// The next entry; `None` at the end. What is left of the content of the last one must have been read.
    fn next_entry(&mut self) -> io::Result<Option<Box<ExportEntry>>> {
        if let Some(seen) = self.seen.take() {
            return Ok(seen);
        }
        match self.pieces.blocking_recv() {
            Some(Piece::Entry(entry)) => Ok(Some(entry)),
            Some(Piece::End) => Ok(None),
            Some(Piece::Data(_)) => Err(wrong_size()),
            None => Err(cut_off()),
        }
    }

    /// Passes over the content of the last entry.
    fn skip(&mut self) -> io::Result<()> {
        while self.seen.is_none() {
            match self.pieces.blocking_recv() {
                Some(Piece::Data(_)) => {}
                Some(Piece::Entry(entry)) => self.seen = Some(Some(entry)),
                Some(Piece::End) => self.seen = Some(None),
                None => return Err(cut_off()),
            }
        }
        Ok(())
    }

    fn exactly(&mut self, size: u64) -> Exactly<'_> {
        Exactly {
            content: self,
            left: size,
        }
    }
}

/// As many bytes of content as the entry's size says; fewer or more are an error, since the archive would be garbled.
struct Exactly<'a> {
    content: &'a mut Content,
    left: u64,
}

impl Read for Exactly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        let content = &mut *self.content;
        while content.at >= content.data.len() {
            match content.pieces.blocking_recv() {
                Some(Piece::Data(data)) => (content.data, content.at) = (data, 0),
                Some(_) => return Err(wrong_size()),
                None => return Err(cut_off()),
            }
        }
        let rest = content.data.get(content.at..).unwrap_or_default();
        let limit = usize::try_from(self.left).unwrap_or(usize::MAX);
        let length = rest.len().min(buffer.len()).min(limit);
        for (to, from) in buffer.iter_mut().zip(rest.iter().take(length)) {
            *to = *from;
        }
        content.at = content.at.saturating_add(length);
        self.left = self.left.saturating_sub(length as u64);
        if self.left == 0 && content.at < content.data.len() {
            return Err(wrong_size());
        }
        Ok(length)
    }
}

fn wrong_size() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "a file's content does not have the size that its entry says",
    )
}
