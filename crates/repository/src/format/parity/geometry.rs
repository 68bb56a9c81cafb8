//! Where things lie in a group. All of it follows from the descriptor.
//!
//! The members lie side by side, each from offset zero, filled up with zeros to the length of a part: the longest member,
//! rounded up to whole blocks. A *row* is the same window of every member and of every part; each row stands for itself.

use super::{BLOCK_BYTES, Checksum, ParityGroup};

impl ParityGroup {
    /// How many parts there are: so many members may be lost.
    pub fn parts(&self) -> u64 {
        self.files.iter().map(|file| file.parts).sum()
    }

    /// The length of one part.
    pub fn part_bytes(&self) -> u64 {
        let longest = self.members.iter().map(|member| member.size_bytes).max();
        longest.unwrap_or(0).next_multiple_of(BLOCK_BYTES)
    }

    /// The number of windows that a file of this size has.
    pub fn windows(&self, size_bytes: u64) -> u64 {
        size_bytes.div_ceil(u64::from(self.window_bytes).max(1))
    }

    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.windows(self.part_bytes())
    }

    /// Where the window of a row begins, and how many bytes of a file of this size are in it.
    pub fn window(&self, row: u64, size_bytes: u64) -> (u64, u64) {
        let window = u64::from(self.window_bytes);
        let begin = row.saturating_mul(window);
        (begin, size_bytes.saturating_sub(begin).min(window))
    }

    /// The length of the table of checksums.
    pub fn table_bytes(&self) -> u64 {
        let members = self.members.iter();
        let windows: u64 = members.map(|member| self.windows(member.size_bytes)).sum();
        let of_parts = self.parts().saturating_mul(self.rows());
        windows
            .saturating_add(of_parts)
            .saturating_mul(Checksum::LENGTH as u64)
    }

    /// The length of a parity file that holds so many parts.
    pub fn file_bytes(&self, parts: u64) -> u64 {
        parts
            .saturating_mul(self.part_bytes())
            .saturating_add(self.table_bytes())
    }

    /// The length of all parity files.
    pub fn parity_bytes(&self) -> u64 {
        let files = self.files.iter();
        files
            .map(|file| self.file_bytes(file.parts))
            .fold(0, u64::saturating_add)
    }
}
