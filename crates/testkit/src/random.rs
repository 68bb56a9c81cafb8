//! Random numbers that are the same on every machine.

/// A small deterministic generator (xorshift64*); no cryptography.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A seed for a run: that of the variable `SEED`, by which a failure is replayed, or a new one. Print it.
    pub fn fresh_seed() -> u64 {
        let given = std::env::var("SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        given.unwrap_or_else(|| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            let nanoseconds = now.map_or(0, |since| since.as_nanos() as u64);
            nanoseconds ^ u64::from(std::process::id()) << 40
        })
    }

    /// The generator of a seed; every seed, zero too, gives a stream of its own.
    pub fn new(seed: u64) -> Self {
        // One step of splitmix64, since xorshift must not start at zero and similar seeds should differ at once.
        let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((z ^ (z >> 31)) | 1)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`, which must not be zero.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next_u64() % limit
    }

    /// Bytes that do not compress.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(len + 8);
        while out.len() < len {
            out.extend_from_slice(&self.next_u64().to_le_bytes());
        }
        out.truncate(len);
        out
    }

    /// Bytes that compress well and still differ everywhere: lines of words and numbers.
    pub fn text(&mut self, len: usize) -> Vec<u8> {
        const WORDS: [&str; 8] = [
            "vault", "key", "ledger", "gate", "copper", "lantern", "river", "north",
        ];
        let mut out = Vec::with_capacity(len + 64);
        while out.len() < len {
            let n = self.next_u64();
            let word = |shift: u32| WORDS[(n >> shift) as usize % WORDS.len()];
            out.extend_from_slice(
                format!("{} {} {} {}\n", word(0), word(8), word(16), n >> 40).as_bytes(),
            );
        }
        out.truncate(len);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_seed_always_gives_the_same_bytes() {
        assert_eq!(Random::new(7).bytes(4097), Random::new(7).bytes(4097));
        assert_ne!(Random::new(7).bytes(64), Random::new(8).bytes(64));
        assert_eq!(Random::new(0).text(1000).len(), 1000);
    }
}
