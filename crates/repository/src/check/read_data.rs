//! Reading packs whole: their hash, their header, and every blob in them.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::finding::{Finding, FindingKind};
use super::report::Findings;
use crate::format::pack_header::{self, PackedBlob};
use crate::format::{BlobKind, Id};
use crate::index::{Index, IndexedBlob};
use crate::progress::{Amount, Phase, Progress};
use crate::repository::{BlobMemory, IdleMemory, Repository, RunningHash, StoredBlob};
use crate::usage::{Bitmap, Marks, PackContents, is_damage};
use crate::{Error, ErrorKind, Result};

/// Mebibytes of packs in memory for each thread, and for one pack more that is being read meanwhile. A pack that is larger than
/// all of it is alone.
const IN_FLIGHT_MIB: u32 = 18;

/// What reading a part of the data took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Read {
    pub packs: u64,
    pub bytes: u64,
}

/// Reads these packs (with their sizes in bytes), each once, several at a time.
pub(super) async fn read_packs(
    repository: &Repository,
    index: &Index,
    packs: Vec<(Id, u64)>,
    findings: &Findings,
    damaged: &Marks,
    progress: &dyn Progress,
    cancel: &CancellationToken,
) -> Result<Read> {
    progress.begin(Phase::ReadData);
    let bytes: u64 = packs.iter().map(|(_, size)| size).sum();
    progress.add_total(Amount {
        items: packs.len() as u64,
        bytes,
        ..Amount::default()
    });
    progress.total_known();
    let numbers: HashMap<&Id, usize> = index
        .packs()
        .iter()
        .enumerate()
        .map(|(number, id)| (id, number))
        .collect();
    let chosen = Bitmap::new(index.packs().len());
    for number in packs.iter().filter_map(|(pack, _)| numbers.get(pack)) {
        chosen.set(*number);
    }
    let contents = PackContents::new(index, |_, _, pack| chosen.get(pack as usize))?;
    let threads = u32::try_from(repository.workers().threads()).unwrap_or(u32::MAX);
    let budget_mib = IN_FLIGHT_MIB.saturating_mul(threads.saturating_add(1));
    let budget = Arc::new(Semaphore::new(budget_mib as usize));
    let idle = Arc::<IdleMemory>::default();
    let connections = repository.storage().capabilities().connections;
    let at_once = connections.max(threads as usize).saturating_add(1);
    let mut verdicts = stream::iter(&packs)
        .map(|(pack, size)| {
            let blobs = numbers
                .get(pack)
                .map(|number| contents.blobs(index, *number))
                .unwrap_or_default();
            let (budget, idle) = (Arc::clone(&budget), Arc::clone(&idle));
            let mebibytes = u32::try_from(size >> 20).unwrap_or(u32::MAX);
            let mebibytes = mebibytes.saturating_add(1).min(budget_mib);
            async move {
                let _permit = budget
                    .acquire_many_owned(mebibytes)
                    .await
                    .map_err(|_| Error::new(ErrorKind::Internal, "the budget of memory is gone"))?;
                read_pack(repository, *pack, *size, blobs, idle).await
            }
        })
        .buffer_unordered(at_once);
    let mut read = Read::default();
    while let Some(verdict) = verdicts.try_next().await? {
        if cancel.is_cancelled() {
            return Err(Error::cancelled());
        }
        read.packs = read.packs.saturating_add(1);
        read.bytes = read.bytes.saturating_add(verdict.size_bytes);
        progress.advance(Amount {
            items: 1,
            bytes: verdict.size_bytes,
            ..Amount::default()
        });
        for blob in &verdict.damaged {
            damaged.mark_record(index, blob);
        }
        findings.add_all(verdict.findings);
    }
    Ok(read)
}

/// What is wrong with a pack.
#[derive(Default)]
struct Verdict {
    size_bytes: u64,
    findings: Vec<Finding>,
    damaged: Vec<IndexedBlob>,
}

async fn read_pack(
    repository: &Repository,
    pack: Id,
    size_bytes: u64,
    blobs: Vec<IndexedBlob>,
    idle: Arc<IdleMemory>,
) -> Result<Verdict> {
    let kind = blobs.first().map_or(BlobKind::Data, |blob| blob.kind);
    match repository.load_pack_range(kind, &pack, None).await {
        Ok(content) => {
            let job = repository.clone();
            repository
                .workers()
                .run(move || idle.lend(|memory| verify(&job, pack, &content, &blobs, memory)))
                .await
        }
        Err(error) if is_damage(&error) => {
            let finding = Finding::new(FindingKind::PackUnreadable { pack }, error.to_string());
            Ok(Verdict {
                size_bytes,
                findings: vec![finding],
                damaged: blobs,
            })
        }
        Err(error) => Err(error),
    }
}

fn verify(
    repository: &Repository,
    pack: Id,
    content: &Bytes,
    blobs: &[IndexedBlob],
    memory: &mut BlobMemory,
) -> Verdict {
    let mut findings = Vec::new();
    let mut found = |kind, message: String| findings.push(Finding::new(kind, message));
    match read_header(repository, content) {
        Ok(header) if agrees(&header, blobs) => {}
        Ok(_) => found(
            FindingKind::PackHeader { pack },
            format!("pack {pack}: its header does not agree with the index"),
        ),
        Err(error) => found(
            FindingKind::PackHeader { pack },
            format!("pack {pack}: header: {error}"),
        ),
    }
    let stored: Vec<StoredBlob<'_>> = blobs.iter().map(|blob| blob_in(content, blob)).collect();
    let mut damaged = Vec::new();
    let mut hash = RunningHash::new(content);
    repository.decode_blobs_beside(memory, &stored, &mut hash, |number, decoded| {
        if let (Err(error), Some(blob)) = (decoded, blobs.get(number)) {
            let kind = FindingKind::Blob {
                pack,
                kind: blob.kind,
                blob: blob.id,
            };
            found(kind, format!("{} {error}", blob.kind));
            damaged.push(*blob);
        }
    });
    if hash.finish() != pack {
        let message = format!("pack {pack}: its content does not match its name");
        // What is wrong with the whole comes before what is wrong in it.
        findings.insert(0, Finding::new(FindingKind::PackHash { pack }, message));
    }
    Verdict {
        size_bytes: content.len() as u64,
        findings,
        damaged,
    }
}

/// A blob where the index says that it lies; nothing, which no decoder takes for a blob, where the pack is too short.
fn blob_in<'a>(content: &'a [u8], blob: &IndexedBlob) -> StoredBlob<'a> {
    let begin = blob.location.offset as usize;
    let end = begin.saturating_add(blob.location.length as usize);
    StoredBlob {
        id: blob.id,
        location: blob.location,
        stored: content.get(begin..end).unwrap_or_default(),
    }
}

fn read_header(repository: &Repository, content: &[u8]) -> Result<Vec<PackedBlob>> {
    let (before, field) = content
        .split_last_chunk::<4>()
        .ok_or_else(|| Error::damaged("too short for a pack"))?;
    let sealed_length = pack_header::sealed_length(*field, content.len() as u64)?;
    let begin = before
        .len()
        .checked_sub(sealed_length as usize)
        .ok_or_else(|| Error::damaged("too short"))?;
    let header = repository
        .master()
        .open(before.get(begin..).unwrap_or_default())?;
    Ok(pack_header::decode(&header, begin as u64)?)
}

/// Whether header and index (in the order of the offsets) name the same blobs.
fn agrees(header: &[PackedBlob], blobs: &[IndexedBlob]) -> bool {
    let same = |(a, b): (&PackedBlob, &IndexedBlob)| {
        a.kind == b.kind
            && a.id == b.id
            && a.offset == b.location.offset
            && a.length == b.location.length
            && a.uncompressed_length == b.location.uncompressed_length
    };
    header.len() == blobs.len() && header.iter().zip(blobs).all(same)
}
