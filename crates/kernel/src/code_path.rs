use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU8, Ordering};

/// How wide the instructions may be that are used. It is an upper bound: where the processor lacks some of these, or
/// nothing has been written for them, the next narrower path is taken.
///
/// The results are the same on every path. The setting is for tests and benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CodePath {
    /// What is compiled for every processor of the architecture, and the crates of others with what they detect themselves.
    Portable = 0,
    /// Up to 256 bits: on x86-64 AVX2, PCLMULQDQ and the instructions for SHA-256.
    Avx2 = 1,
    /// 512 bits: AVX-512 with VPCLMULQDQ, VAES, GFNI and IFMA.
    Avx512 = 2,
}

static WIDEST_ALLOWED: AtomicU8 = AtomicU8::new(CodePath::Avx512 as u8);

impl CodePath {
    /// Every path, the narrowest first.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The widest path that this process may use: [`CodePath::Avx512`] unless [`CodePath::allow_up_to`] was called.
    pub fn current() -> Self {
        let allowed = WIDEST_ALLOWED.load(Ordering::Relaxed);
        Self::ALL
            .into_iter()
            .find(|path| *path as u8 == allowed)
            .unwrap_or(Self::Portable)
    }

    /// Lets this process use no wider path than this one, from now on. What was made before keeps its path.
    pub fn allow_up_to(self) {
        WIDEST_ALLOWED.store(self as u8, Ordering::Relaxed);
    }

    /// The name, as it is parsed: `portable`, `avx2`, `avx512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }
}

/// No name of a code path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownCodePath;

impl fmt::Display for UnknownCodePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not one of portable, avx2, avx512")
    }
}

impl std::error::Error for UnknownCodePath {}

impl FromStr for CodePath {
    type Err = UnknownCodePath;

    fn from_str(text: &str) -> Result<Self, UnknownCodePath> {
        Self::ALL
            .into_iter()
            .find(|path| path.name() == text)
            .ok_or(UnknownCodePath)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_and_others_refused() {
        for path in CodePath::ALL {
            assert_eq!(path.name().parse(), Ok(path));
        }
        assert_eq!("AVX".parse::<CodePath>(), Err(UnknownCodePath));
        assert_eq!("".parse::<CodePath>(), Err(UnknownCodePath));
    }
}
