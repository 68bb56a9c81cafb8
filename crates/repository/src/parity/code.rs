//! The Reed–Solomon code over GF(2^16), the one place that knows the crate which computes it.
//!
//! docs/format-parity.md defines the code independently of the crate, and a test computes it from there. The crate's "high
//! rate" is asked for by name: it chooses otherwise by the numbers, and what it chooses is not part of its promises.

use reed_solomon_simd::engine::DefaultEngine;
use reed_solomon_simd::rate::{
    HighRateDecoder, HighRateEncoder, RateDecoder as _, RateEncoder as _,
};

use crate::{Error, ErrorKind, Result};

fn failed(error: reed_solomon_simd::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("Reed-Solomon code: {error}"))
}

/// The parts that belong to members' bytes. All are of one length, a multiple of 64 bytes. Keeps a core busy.
pub(super) fn encode<T: AsRef<[u8]>>(
    members: &[T],
    parts: usize,
    length_bytes: usize,
) -> Result<Vec<Vec<u8>>> {
    let mut encoder = HighRateEncoder::new(
        members.len(),
        parts,
        length_bytes,
        DefaultEngine::new(),
        None,
    )
    .map_err(failed)?;
    for member in members {
        encoder.add_original_shard(member).map_err(failed)?;
    }
    let encoded = encoder.encode().map_err(failed)?;
    Ok(encoded.recovery_iter().map(<[u8]>::to_vec).collect())
}

/// The bytes of the members that are not there, in their order, from those that are and from as many parts as members
/// are missing. Keeps a core busy.
///
/// # Errors
/// [`ErrorKind::Damaged`] where there are not enough parts.
pub(super) fn decode<T: AsRef<[u8]>>(
    members: &[Option<T>],
    parts: &[Option<T>],
    length_bytes: usize,
) -> Result<Vec<Vec<u8>>> {
    let missing = members.iter().filter(|member| member.is_none()).count();
    if missing == 0 {
        return Ok(Vec::new());
    }
    if parts.iter().flatten().count() < missing {
        return Err(Error::damaged("there is not enough parity"));
    }
    let mut decoder = HighRateDecoder::new(
        members.len(),
        parts.len(),
        length_bytes,
        DefaultEngine::new(),
        None,
    )
    .map_err(failed)?;
    for (at, member) in present(members) {
        decoder.add_original_shard(at, member).map_err(failed)?;
    }
    for (at, part) in present(parts).take(missing) {
        decoder.add_recovery_shard(at, part).map_err(failed)?;
    }
    let decoded = decoder.decode().map_err(failed)?;
    Ok(decoded
        .restored_original_iter()
        .map(|(_, bytes)| bytes.to_vec())
        .collect())
}

fn present<T>(all: &[Option<T>]) -> impl Iterator<Item = (usize, &T)> {
    let with_place = all.iter().enumerate();
    with_place.filter_map(|(at, bytes)| Some((at, bytes.as_ref()?)))
}

#[cfg(test)]
mod tests;
