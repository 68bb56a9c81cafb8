use super::*;

fn blobs() -> Vec<PackedBlob> {
    let blob = |kind, offset, length, uncompressed| PackedBlob {
        kind,
        id: Id::of(&[offset as u8]),
        offset,
        length,
        uncompressed_length: NonZeroU32::new(uncompressed),
    };
    vec![
        blob(BlobKind::Data, 0, 32, 0),
        blob(BlobKind::Tree, 32, 100, 0),
        blob(BlobKind::Data, 132, 200, 1000),
        blob(BlobKind::Tree, 332, 40, 7),
    ]
}

#[test]
fn a_header_keeps_its_blobs() {
    let key = MasterKey::generate().unwrap();
    let mut pack = vec![0; 372];
    append(&key, &blobs(), &mut pack).unwrap();
    let entries: u32 = blobs().iter().map(PackedBlob::header_entry_length).sum();
    assert_eq!(pack.len() as u64, 372 + overhead(u64::from(entries)));
    let field = *pack.last_chunk().unwrap();
    let length = sealed_length(field, pack.len() as u64).unwrap() as usize;
    let begin = pack.len() - 4 - length;
    assert_eq!(begin, 372);
    let header = key.open(&pack[begin..begin + length]).unwrap();
    assert_eq!(decode(&header, begin as u64).unwrap(), blobs());
    assert_eq!(encode(&blobs()), header);
}

#[test]
fn blobs_that_are_not_the_packs_content_are_not_written() {
    let key = MasterKey::generate().unwrap();
    for length in [0, 371, 373] {
        assert!(append(&key, &blobs(), &mut vec![0; length]).is_err());
    }
    let mut swapped = blobs();
    swapped.swap(0, 1);
    assert!(append(&key, &swapped, &mut vec![0; 372]).is_err());
}

#[test]
fn a_blob_outside_its_pack_is_refused() {
    let header = encode(&blobs());
    assert!(decode(&header, 372).is_ok());
    assert!(decode(&header, 10_000).is_ok());
    for blobs_length in 0..372 {
        assert!(decode(&header, blobs_length).is_err());
    }
    let huge = |length| PackedBlob {
        length,
        ..blobs()[0]
    };
    for lengths in [
        vec![u32::MAX, u32::MAX],
        vec![31],
        vec![0],
        vec![u32::MAX, 32],
    ] {
        let blobs: Vec<_> = lengths.into_iter().map(huge).collect();
        assert!(decode(&encode(&blobs), u64::MAX).is_err());
    }
}

#[test]
fn a_compressed_blob_of_no_length_is_refused() {
    let mut header = encode(&blobs()[2..3]);
    assert!(decode(&header, 200).is_ok() || decode(&header, 1000).is_ok());
    header[5..9].fill(0);
    assert!(decode(&header, 1000).is_err());
}

#[test]
fn truncated_and_damaged_headers_do_not_panic() {
    let header = encode(&blobs());
    let whole = [0, 37, 74, 115, 156];
    for length in 0..=header.len() {
        assert_eq!(
            decode(&header[..length], 372).is_ok(),
            whole.contains(&length),
            "{length}"
        );
    }
    for bit in 0..header.len() * 8 {
        let mut damaged = header.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        for blob in decode(&damaged, 372).unwrap_or_default() {
            assert!(u64::from(blob.offset) + u64::from(blob.length) <= 372);
        }
    }
}

#[test]
fn header_lengths_are_bounded() {
    for (length, pack, ok) in [
        (0, 1 << 30, false),
        (31, 1 << 30, false),
        (68, 1 << 30, false),
        (69, 1 << 30, true),
        (69, 73, true),
        (69, 72, false),
        (16 << 20, 1 << 30, true),
        ((16 << 20) + 1, 1 << 30, false),
        (u32::MAX, u64::MAX, false),
        (69, 0, false),
    ] {
        assert_eq!(
            sealed_length(length.to_le_bytes(), pack).is_ok(),
            ok,
            "{length} in {pack}"
        );
    }
}
