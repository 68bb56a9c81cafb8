//! Which files share a group.
//!
//! A part is as long as the longest member, so members of similar size waste little. What one group costs in memory while
//! it is made is bounded: its parts are held until they are written.

use crate::format::parity::{MEMBER_BYTES_MAX, ParityMember};

/// Files up to this size get as many parts as there are members: all of them may be lost. Keys, `config`, snapshots and
/// most index files are so small, and without them nothing else is worth anything.
pub(super) const SMALL_BYTES: u64 = 64 << 10;

/// Most members of a group that is made: so a percentage is a number of parts.
pub(super) const FULL_MEMBERS: usize = 100;

/// Most bytes of parts of one group, unless a single part is longer.
const PARTS_BYTES: u64 = 96 << 20;

/// In a group no file is longer than so many times another, small files apart.
const SPREAD: u64 = 4;

/// A file can be protected at all.
pub(super) fn can_protect(size_bytes: u64) -> bool {
    (1..=MEMBER_BYTES_MAX).contains(&size_bytes)
}

pub(super) fn is_small(size_bytes: u64) -> bool {
    size_bytes <= SMALL_BYTES
}

/// The parts of a group whose longest file has this size.
pub(super) fn parts(members: usize, longest_bytes: u64, percent: u8) -> usize {
    if is_small(longest_bytes) {
        return members;
    }
    members
        .saturating_mul(usize::from(percent))
        .div_ceil(100)
        .max(1)
}

/// Most members of a group whose longest file has this size.
pub(super) fn capacity(longest_bytes: u64, percent: u8) -> usize {
    if is_small(longest_bytes) {
        return FULL_MEMBERS;
    }
    let parts_max = (PARTS_BYTES / longest_bytes.max(1)).max(1);
    let members = parts_max.saturating_mul(100) / u64::from(percent).max(1);
    usize::try_from(members)
        .unwrap_or(FULL_MEMBERS)
        .clamp(1, FULL_MEMBERS)
}

/// Divides files among groups.
pub(super) fn arrange(mut files: Vec<ParityMember>, percent: u8) -> Vec<Vec<ParityMember>> {
    files.sort_unstable_by_key(|file| (std::cmp::Reverse(file.size_bytes), file.kind, file.id));
    let mut groups = Vec::new();
    let mut rest = files.as_slice();
    while let Some(longest) = rest.first() {
        let alike = rest.iter().take_while(|file| {
            let small = is_small(file.size_bytes);
            match is_small(longest.size_bytes) {
                true => small,
                false => !small && file.size_bytes.saturating_mul(SPREAD) >= longest.size_bytes,
            }
        });
        let alike = alike.count().max(1);
        // Evenly: a last group with one member would cost as many parts as one with twenty.
        let into = alike.div_ceil(capacity(longest.size_bytes, percent));
        let (group, others) = rest.split_at(alike.div_ceil(into).min(rest.len()));
        groups.push(group.to_vec());
        rest = others;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::{arrange, capacity, parts};
    use crate::format::Id;
    use crate::format::parity::{ParityMember, ParityMemberKind};

    fn files(sizes: &[(u64, usize)]) -> Vec<ParityMember> {
        let sizes = sizes
            .iter()
            .flat_map(|(size, count)| std::iter::repeat_n(*size, *count));
        let file = |(at, size_bytes): (usize, u64)| ParityMember {
            kind: ParityMemberKind::Pack,
            id: Id::of(&at.to_le_bytes()),
            size_bytes,
            removed: false,
        };
        sizes.enumerate().map(file).collect()
    }

    #[test]
    fn like_goes_with_like_and_groups_are_even() {
        let mib = 1 << 20;
        let shape = |sizes: &[(u64, usize)], percent| -> Vec<(usize, usize)> {
            let groups = arrange(files(sizes), percent);
            let shape = groups.iter().map(|group| {
                let longest = group[0].size_bytes;
                (group.len(), parts(group.len(), longest, percent))
            });
            shape.collect()
        };
        assert_eq!(shape(&[], 5), []);
        assert_eq!(shape(&[(16 * mib, 1)], 5), [(1, 1)]);
        assert_eq!(shape(&[(16 * mib, 100)], 5), [(100, 5)]);
        assert_eq!(shape(&[(16 * mib, 101)], 5), [(51, 3), (50, 3)]);
        assert_eq!(shape(&[(16 * mib, 3), (mib, 40)], 5), [(3, 1), (40, 2)]);
        assert_eq!(
            shape(&[(300, 150), (mib, 1)], 5),
            [(1, 1), (75, 75), (75, 75)]
        );
        assert_eq!(shape(&[(16 * mib, 13)], 100), [(5, 5), (4, 4), (4, 4)]);
    }

    #[test]
    fn the_parts_of_a_group_fit_into_memory() {
        for percent in [1, 5, 33, 100] {
            for size in [70_000, 1 << 20, 20 << 20, 128 << 20, 256 << 20] {
                let members = capacity(size, percent);
                let bytes = parts(members, size, percent) as u64 * size;
                assert!(
                    bytes <= super::PARTS_BYTES.max(size),
                    "{percent} % of {size}"
                );
            }
        }
    }
}
