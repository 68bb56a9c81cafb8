//! What the machine can do, shown by somebody else's code: copying memory, OpenSSL's command, zstd itself, a chain of cache misses.

use std::hint::black_box;
use std::process::Command;

use anyhow::Result;

use super::{Timer, input};
use crate::random::Random;

/// A rate, and what it is the rate of.
pub type Limit = (f64, String);

/// Reading memory that is in no cache of the core: the sum of its words.
pub fn reading(timer: &Timer) -> Limit {
    let bytes = input::random(timer.effort.length);
    let rate = timer.giga(bytes.len(), || {
        let words = bytes.chunks_exact(8).map(|word| {
            word.iter()
                .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte))
        });
        black_box(words.fold(0_u64, u64::wrapping_add));
    });
    (rate, "adding up all words in memory".to_owned())
}

/// Copying memory.
pub fn copying(timer: &Timer) -> Limit {
    let bytes = input::random(timer.effort.length);
    let mut copy = vec![0; bytes.len()];
    let rate = timer.giga(bytes.len(), || {
        copy.copy_from_slice(black_box(&bytes));
        black_box(&copy);
    });
    (rate, "copying memory".to_owned())
}

/// OpenSSL's own speed of an algorithm in blocks of 16 KiB; nothing where there is no OpenSSL.
pub fn openssl(timer: &Timer, algorithm: &str) -> Option<Limit> {
    if !timer.effort.openssl {
        return None;
    }
    let words = [
        "speed", "-mr", "-seconds", "1", "-bytes", "16384", "-evp", algorithm,
    ];
    let output = Command::new("openssl").args(words).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // +F:number:name:bytes a second
    let line = text.lines().find(|line| line.starts_with("+F:"))?;
    let rate: f64 = line.rsplit(':').next()?.parse().ok()?;
    Some((rate / 1e9, format!("openssl speed -evp {algorithm}")))
}

/// zstd alone, with a context and memory that are used again.
pub fn zstd(timer: &Timer, data: fn(usize) -> Vec<u8>, blob: usize) -> Result<Option<Limit>> {
    let data = data(timer.effort.length);
    let mut context = zstd::bulk::Compressor::new(3)?;
    let mut out = Vec::with_capacity(zstd::zstd_safe::compress_bound(blob));
    let rate = timer.giga(data.len(), || {
        for blob in data.chunks(blob) {
            out.clear();
            let _ = black_box(context.compress_to_buffer(blob, &mut out));
        }
    });
    Ok(Some((rate, "zstd level 3 alone, without proof".to_owned())))
}

/// zstd's way back alone.
pub fn zstd_back(timer: &Timer, data: fn(usize) -> Vec<u8>, blob: usize) -> Result<Option<Limit>> {
    let data = data(timer.effort.length);
    let mut frames = Vec::new();
    for blob in data.chunks(blob) {
        frames.push(zstd::bulk::compress(blob, 3)?);
    }
    let mut context = zstd::bulk::Decompressor::new()?;
    let mut out = Vec::with_capacity(blob);
    let rate = timer.giga(data.len(), || {
        for frame in &frames {
            out.clear();
            let _ = black_box(context.decompress_to_buffer(frame, &mut out));
        }
    });
    Ok(Some((rate, "zstd alone, into the same memory".to_owned())))
}

/// Going through JSON.
pub fn json(timer: &Timer, text: &[u8]) -> Result<Option<Limit>> {
    let rate = timer.giga(text.len(), || {
        black_box(serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok());
    });
    let what = "serde_json, which looks at the JSON and keeps nothing";
    Ok(Some((rate, what.to_owned())))
}

/// Reads of random records of 48 bytes, as many as the index has: each misses the caches once.
pub fn missing(timer: &Timer) -> Limit {
    let records = timer.effort.blobs;
    let table = vec![1_u64; records * 6];
    let mut random = Random::new(3);
    let places: Vec<usize> = (0..100_000).map(|_| random.index(records) * 6).collect();
    let rate = timer.mega(places.len(), || {
        let mut at = 0;
        for place in &places {
            // The next place depends on what was read, as a look-up does on the one before it.
            at = table[(place + at - at % 6) % table.len()] as usize * 6;
        }
        black_box(at);
    });
    (
        rate,
        "one cache miss after the other in a table of the same size".to_owned(),
    )
}
