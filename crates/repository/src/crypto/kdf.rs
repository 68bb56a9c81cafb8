//! From a password to a key: scrypt (RFC 7914), its lanes computed side by side.

use rayon::ThreadPoolBuilder;
use zeroize::Zeroizing;

use crate::crypto::{CryptoError, MasterKey};

/// Bytes of salt in a key file.
pub const SALT_LENGTH: usize = 64;

/// Memory that all lanes in work may take together. One lane may take all of it.
const MEMORY_MAX: u64 = 1 << 30;

/// Bytes that all lanes together may fill: about two minutes of one core. A hostile key file cannot ask for more.
const WORK_MAX: u64 = 64 << 30;

/// The cost of deriving a key from a password.
///
/// A lane takes `128 * n * r` bytes of memory; `p` lanes are independent of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfParams {
    /// Cost, a power of two from 2.
    pub n: u64,
    /// Block size.
    pub r: u64,
    /// Number of lanes.
    pub p: u64,
}

impl KdfParams {
    /// What new keys are made with: four lanes of 32 MiB, about 0.3 s of one core of today. An attacker pays for all
    /// lanes, we compute them side by side.
    ///
    /// Three lanes of this size are the least that is recommended for passwords today (OWASP's table: N = 2^15, r = 8,
    /// p = 3, as much work as N = 2^17, r = 8, p = 1). A fourth is a margin above that, and lets two or four cores finish
    /// together. restic's calibration takes five to six on such a machine: that is half as much work again for whoever
    /// guesses, and for us in each command, of which a backup that finds nothing new spends most there.
    pub const DEFAULT: Self = Self {
        n: 1 << 15,
        r: 8,
        p: 4,
    };

    /// The parameters, if they are sensible and affordable; else [`CryptoError::KdfParams`].
    fn check(self) -> Result<(scrypt::Params, u64), CryptoError> {
        let refuse = |reason| CryptoError::KdfParams {
            n: self.n,
            r: self.r,
            p: self.p,
            reason,
        };
        if self.n < 2 || !self.n.is_power_of_two() || self.r == 0 || self.p == 0 {
            return Err(refuse("out of range"));
        }
        let block = self.r.checked_mul(128);
        let lane = block.and_then(|block| block.checked_mul(self.n));
        let lane = lane
            .filter(|lane| *lane <= MEMORY_MAX)
            .ok_or_else(|| refuse("too much memory"))?;
        lane.checked_mul(self.p)
            .filter(|work| *work <= WORK_MAX)
            .ok_or_else(|| refuse("too much work"))?;
        // The blocks of all lanes are held at once, however small N is.
        block
            .and_then(|block| block.checked_mul(self.p))
            .filter(|blocks| *blocks <= MEMORY_MAX)
            .ok_or_else(|| refuse("too much memory"))?;
        // All fit: the products above are larger than each factor.
        let narrow = |value| u32::try_from(value).map_err(|_| refuse("out of range"));
        let log_n = u8::try_from(self.n.ilog2()).map_err(|_| refuse("out of range"))?;
        let params = scrypt::Params::new(log_n, narrow(self.r)?, narrow(self.p)?)
            .map_err(|_| refuse("out of range"))?;
        Ok((params, lane))
    }

    /// Derives the key that opens a key file. Blocks the thread for as long as the parameters ask for.
    ///
    /// # Errors
    /// [`CryptoError::KdfParams`] for parameters that would take more than 1 GiB of memory or minutes of time;
    /// [`CryptoError::KeyFile`] for a salt that is not [`SALT_LENGTH`] bytes.
    pub fn derive(self, password: &[u8], salt: &[u8]) -> Result<MasterKey, CryptoError> {
        if salt.len() != SALT_LENGTH {
            return Err(CryptoError::KeyFile("the salt does not have 64 bytes"));
        }
        let (params, lane_bytes) = self.check()?;
        // A pool of its own: as many lanes at a time as there are cores and the memory allows, whatever else
        // runs on the engine's threads.
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let threads = self.p.min(cores).min(MEMORY_MAX / lane_bytes).max(1);
        let pool = ThreadPoolBuilder::new()
            .num_threads(usize::try_from(threads).unwrap_or(1))
            .thread_name(|_| "scrypt".to_owned())
            .build()
            .map_err(|error| CryptoError::Threads(error.to_string()))?;
        let mut derived = Zeroizing::new([0; 64]);
        pool.install(|| scrypt::scrypt(password, salt, &params, derived.as_mut_slice()))
            .map_err(|_| CryptoError::InvalidKey)?;
        MasterKey::from_derived(&derived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7914 section 12, third vector (N=1024 r=8 p=16), with its salt put in by hand.
    #[test]
    fn lanes_side_by_side_give_what_the_rfc_says() {
        let params = KdfParams {
            n: 1024,
            r: 8,
            p: 16,
        };
        let (scrypt_params, _) = params.check().unwrap();
        let mut out = [0; 64];
        scrypt::scrypt(b"password", b"NaCl", &scrypt_params, &mut out).unwrap();
        assert_eq!(
            data_encoding::HEXLOWER.encode(&out),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
        );
    }

    #[test]
    fn parameters_of_hostile_key_files_are_refused_at_once() {
        let cases = [
            (0, 8, 1),
            (1, 8, 1),
            (3, 8, 1),
            (u64::MAX, 8, 1),
            (1 << 63, 8, 1),
            (1 << 63, u64::MAX, u64::MAX),
            (1 << 15, 0, 1),
            (1 << 15, 8, 0),
            (1 << 15, 8, u64::MAX),
            (1 << 15, u64::MAX, 1),
            (1 << 21, 8, 1),
            (1 << 15, 8, 1 << 20),
            (2, 1, 1 << 40),
            (2, 1 << 22, 1 << 22),
            (2, 1 << 20, 16),
        ];
        for (n, r, p) in cases {
            let refused = KdfParams { n, r, p }.derive(b"x", &[1; 64]);
            assert!(
                matches!(refused, Err(CryptoError::KdfParams { .. })),
                "N={n} r={r} p={p}: {refused:?}"
            );
        }
    }

    #[test]
    fn a_wrong_salt_is_refused() {
        for length in [0, 1, 63, 65] {
            let refused = KdfParams { n: 2, r: 1, p: 1 }.derive(b"x", &vec![1; length]);
            assert!(refused.is_err());
        }
    }

    #[test]
    fn what_restic_and_we_write_is_affordable() {
        KdfParams::DEFAULT.check().unwrap();
        // Other programs' choices: restic on fast machines, and one lane of 128 MiB.
        KdfParams {
            n: 1 << 15,
            r: 8,
            p: 32,
        }
        .check()
        .unwrap();
        KdfParams {
            n: 1 << 17,
            r: 8,
            p: 1,
        }
        .check()
        .unwrap();
    }
}
