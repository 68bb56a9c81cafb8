//! The search for places where restic's chunker may cut: where the Rabin fingerprint of the 64 bytes before has its lowest 20
//! bits zero.
//!
//! The fingerprint is these 64 bytes, read as a polynomial over GF(2), modulo a polynomial of degree 53. The portable path rolls
//! it from byte to byte (`tables`). The wide ones compute 16 of the 20 bits at many positions at once (`convolution`), and ask the tables
//! about the one position in 65,536 that is left.

#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod clmul;
#[cfg(target_arch = "x86_64")]
mod clmul256;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
mod convolution;
mod field;
mod tables;

use crate::CodePath;
use tables::Tables;

/// Bytes that a fingerprint covers.
pub const WINDOW: usize = 64;

/// The bits that are zero at a cut: one position in 2^20.
const MASK: u64 = (1 << 20) - 1;

/// Finds cut points for one polynomial. Making one takes about 20 microseconds and 5 KiB.
#[derive(Debug)]
pub struct FingerprintSearch {
    tables: Tables,
    wide: Wide,
}

/// A path beside the tables.
#[derive(Debug)]
enum Wide {
    None,
    #[cfg(target_arch = "x86_64")]
    Clmul(clmul::Clmul),
    #[cfg(target_arch = "x86_64")]
    Clmul256(clmul256::Clmul256),
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
}

impl Wide {
    #[cfg(target_arch = "x86_64")]
    fn detect(polynomial: u64, path: CodePath) -> Self {
        let constants = || convolution::Constants::new(polynomial);
        if path >= CodePath::Avx512 && avx512::Avx512::is_available() {
            avx512::Avx512::new(constants()).map_or(Self::None, Self::Avx512)
        } else if path >= CodePath::Avx2 && clmul256::Clmul256::is_available() {
            clmul256::Clmul256::new(constants()).map_or(Self::None, Self::Clmul256)
        } else if path >= CodePath::Avx2 {
            clmul::Clmul::new(constants()).map_or(Self::None, Self::Clmul)
        } else {
            Self::None
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn detect(_: u64, _: CodePath) -> Self {
        Self::None
    }
}

/// What the search of a part of the data found.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// A cut so many bytes behind the first position.
    Cut(usize),
    /// None at so many positions.
    NoneIn(usize),
}

impl FingerprintSearch {
    /// A search on the widest path that is allowed. Bit `i` of `polynomial` is the coefficient of `x^i`.
    ///
    /// The polynomial has degree 53 and a constant term, as every irreducible one. For others the search finds something, but not
    /// the same on every path.
    pub fn new(polynomial: u64) -> Self {
        Self::on_path(polynomial, CodePath::current())
    }

    /// A search on a path of one's own choice, or the widest one below that exists here.
    pub fn on_path(polynomial: u64, path: CodePath) -> Self {
        Self {
            tables: Tables::new(polynomial),
            wide: Wide::detect(polynomial, path),
        }
    }

    /// The path that was taken.
    pub fn path(&self) -> CodePath {
        match self.wide {
            Wide::None => CodePath::Portable,
            #[cfg(target_arch = "x86_64")]
            Wide::Clmul(_) | Wide::Clmul256(_) => CodePath::Avx2,
            #[cfg(target_arch = "x86_64")]
            Wide::Avx512(_) => CodePath::Avx512,
        }
    }

    /// The first position from `first` to `end` (both included) at which `data` may be cut: the length of what lies before it.
    ///
    /// Positions below [`WINDOW`] have no fingerprint; `None` if `first` is one, or `end` lies behind the data.
    pub fn find(&self, data: &[u8], first: usize, end: usize) -> Option<usize> {
        // In runs of zeros each position is a cut. They are common, and not worth more than one look.
        let data = data.get(..end)?;
        let start = first.checked_sub(WINDOW)?;
        let first_window = data.get(start..first)?;
        if self.tables.is_cut(first_window) {
            return Some(first);
        }
        // From here on `data` begins with the window before its first tested position.
        let data = data.get(start + 1..)?;
        let cut = match self.blocks(data) {
            Found::Cut(at) => Some(at),
            Found::NoneIn(tested) => {
                let rest = self.tables.one_by_one(data.get(tested..)?);
                rest.map(|at| tested + at)
            }
        };
        cut.map(|at| first + 1 + at)
    }

    /// Searches as much of the data as the path does in whole blocks.
    fn blocks(&self, data: &[u8]) -> Found {
        match &self.wide {
            Wide::None => self.tables.blocks(data),
            #[cfg(target_arch = "x86_64")]
            Wide::Clmul(wide) => wide.blocks(data, &self.tables),
            #[cfg(target_arch = "x86_64")]
            Wide::Clmul256(wide) => wide.blocks(data, &self.tables),
            #[cfg(target_arch = "x86_64")]
            Wide::Avx512(wide) => wide.blocks(data, &self.tables),
        }
    }
}

#[cfg(test)]
mod tests;
