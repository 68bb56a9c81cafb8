//! zip: files, directories and symbolic links with their modes and times, for systems that know no tar.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use strongroom_repository::format::{Node, NodeKind};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::{ExportEntry, LeftOut, Piece, Pieces, cut_off};

/// Writes everything that comes; returns what zip cannot hold. Times are those of `zone`, since zip knows no other.
///
/// # Errors
/// The output's, or [`io::ErrorKind::UnexpectedEof`] if the pieces were cut off: the archive has no end then.
pub fn write_zip(
    mut pieces: Pieces,
    zone: &TimeZone,
    out: &mut dyn Write,
) -> io::Result<Vec<LeftOut>> {
    let mut zip = ZipWriter::new_stream(out);
    let mut left_out = Vec::new();
    loop {
        match pieces.blocking_recv() {
            Some(Piece::Entry(entry)) => {
                if let Err(reason) = start(&mut zip, &entry, zone)? {
                    left_out.push(LeftOut {
                        path: entry.path,
                        reason,
                    });
                }
            }
            Some(Piece::Data(data)) => zip.write_all(&data)?,
            Some(Piece::End) => {
                zip.finish()?.flush()?;
                return Ok(left_out);
            }
            None => return Err(cut_off()),
        }
    }
}

type Writer<'a> = ZipWriter<StreamWriter<&'a mut dyn Write>>;

fn start(
    zip: &mut Writer<'_>,
    entry: &ExportEntry,
    zone: &TimeZone,
) -> io::Result<Result<(), &'static str>> {
    let node = &entry.node;
    // The format demands text; what a name lost shows as U+FFFD.
    let name = String::from_utf8_lossy(&entry.path);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(node.size_bytes > u64::from(u32::MAX))
        .unix_permissions(node.mode.unix_permissions())
        .last_modified_time(dos_time(node, zone));
    match node.kind {
        NodeKind::File => zip.start_file(name, options)?,
        NodeKind::Dir => zip.add_directory(name, options)?,
        NodeKind::Symlink => {
            zip.add_symlink(name, String::from_utf8_lossy(&node.link_target), options)?;
        }
        _ => return Ok(Err("zip has only files, directories and symbolic links")),
    }
    Ok(Ok(()))
}

/// The time in the two seconds' steps of zip, from 1980 to 2107; others become the first or the last.
fn dos_time(node: &Node, zone: &TimeZone) -> DateTime {
    let at = zone.to_datetime(node.mtime.instant());
    let part = |value: i8| u8::try_from(value).unwrap_or_default();
    let time = u16::try_from(at.year()).ok().and_then(|year| {
        DateTime::from_date_and_time(
            year,
            part(at.month()),
            part(at.day()),
            part(at.hour()),
            part(at.minute()),
            part(at.second()),
        )
        .ok()
    });
    time.unwrap_or_else(|| {
        if at.year() < 1980 {
            DateTime::DEFAULT
        } else {
            last_dos_time()
        }
    })
}

fn last_dos_time() -> DateTime {
    DateTime::from_date_and_time(2107, 12, 31, 23, 59, 58).unwrap_or(DateTime::DEFAULT)
}
