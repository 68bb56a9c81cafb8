//! Which packs a check reads.

use std::str::FromStr;

use crate::format::Id;
use crate::{Error, ErrorKind, Result};

/// How much of the data a check reads; the words and their meaning are restic's.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum ReadData {
    /// Trees alone, which every check reads.
    #[default]
    Nothing,
    /// Every pack.
    All,
    /// `3/5`: of packs in five groups by the first byte of their names the third. All groups together are everything.
    Group {
        /// Which one, from 1 on.
        number: u8,
        /// How many groups, at most 255.
        groups: u8,
    },
    /// `2.5%`: so many of the packs, chosen at random; one at least.
    Percent(f64),
    /// `10G`: packs chosen at random, as many as have this size if all were equally large; one at least.
    Bytes(u64),
}

/// A text that is no subset of the data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is none of N/T with N from 1 to T and T up to 255, a percentage above 0 up to 100%, and a size such as 10G"
)]
pub struct InvalidSubset(String);

impl FromStr for ReadData {
    type Err = InvalidSubset;

    fn from_str(text: &str) -> std::result::Result<Self, InvalidSubset> {
        parse(text.trim()).ok_or_else(|| InvalidSubset(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<ReadData> {
    if let Some((number, groups)) = text.split_once('/') {
        let (number, groups) = (number.parse().ok()?, groups.parse().ok()?);
        return (number >= 1 && number <= groups).then_some(ReadData::Group { number, groups });
    }
    if let Some(percent) = text.strip_suffix('%') {
        let percent: f64 = percent.parse().ok()?;
        return (percent > 0.0 && percent <= 100.0).then_some(ReadData::Percent(percent));
    }
    let bytes = parse_size(text)?;
    (bytes > 0).then_some(ReadData::Bytes(bytes))
}

/// A size: digits, and k, M, G or T for powers of 1024.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let unit = match text.chars().last()?.to_ascii_lowercase() {
        'k' => 1_u64 << 10,
        'm' => 1 << 20,
        'g' => 1 << 30,
        't' => 1 << 40,
        _ => 1,
    };
    let digits = text
        .strip_suffix(|c: char| c.is_ascii_alphabetic())
        .filter(|_| unit > 1)
        .unwrap_or(text);
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// The packs to read, of all that exist with their sizes in bytes.
pub(super) fn choose(subset: ReadData, mut packs: Vec<(Id, u64)>) -> Result<Vec<(Id, u64)>> {
    let percent = match subset {
        ReadData::Nothing => return Ok(Vec::new()),
        ReadData::All => return Ok(packs),
        ReadData::Group { number, groups } => {
            packs.retain(|(id, _)| {
                let [first, ..] = *id.as_bytes();
                first
                    .checked_rem(groups)
                    .is_some_and(|group| group == number.saturating_sub(1))
            });
            return Ok(packs);
        }
        ReadData::Percent(percent) => percent,
        ReadData::Bytes(bytes) => {
            let all: u64 = packs.iter().map(|(_, size)| size).sum();
            if bytes >= all {
                return Ok(packs);
            }
            bytes as f64 / all as f64 * 100.0
        }
    };
    // Truncated, as restic does; a product of finite numbers that are not negative.
    let count = ((packs.len() as f64 * (percent / 100.0)) as usize).clamp(1, packs.len().max(1));
    shuffle(&mut packs)?;
    packs.truncate(count);
    Ok(packs)
}

/// Puts the packs in a random order: each check reads others.
fn shuffle(packs: &mut [(Id, u64)]) -> Result<()> {
    let random = |limit: usize| {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::new(ErrorKind::Internal, format!("random numbers: {error}")))?;
        // The remainder's bias is a matter of 2^-40 for a million packs.
        Ok::<_, Error>(
            u64::from_le_bytes(bytes)
                .checked_rem(limit as u64)
                .unwrap_or(0) as usize,
        )
    };
    for last in (1..packs.len()).rev() {
        packs.swap(last, random(last.saturating_add(1))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{ReadData, choose};
    use crate::format::Id;

    #[test]
    fn subsets_are_read_as_restic_reads_them() {
        let parsed = |text: &str| text.parse::<ReadData>().ok();
        assert_eq!(
            parsed("1/1"),
            Some(ReadData::Group {
                number: 1,
                groups: 1
            })
        );
        assert_eq!(
            parsed("3/255"),
            Some(ReadData::Group {
                number: 3,
                groups: 255
            })
        );
        assert_eq!(parsed("2.5%"), Some(ReadData::Percent(2.5)));
        assert_eq!(parsed("100%"), Some(ReadData::Percent(100.0)));
        assert_eq!(parsed("10G"), Some(ReadData::Bytes(10 << 30)));
        assert_eq!(parsed("512"), Some(ReadData::Bytes(512)));
        for bad in [
            "",
            "0/1",
            "2/1",
            "1/0",
            "1/256",
            "/",
            "1/2/3",
            "-1/2",
            "0%",
            "101%",
            "%",
            "NaN%",
            "0",
            "k",
            "1x",
            "-5",
            "99999999T",
        ] {
            assert_eq!(parsed(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn all_groups_together_are_every_pack_once() {
        let packs: Vec<(Id, u64)> = (0..500_u32)
            .map(|n| (Id::of(&n.to_le_bytes()), 10))
            .collect();
        for groups in [1, 2, 7, 255] {
            let mut all: Vec<(Id, u64)> = (1..=groups)
                .flat_map(|number| {
                    choose(ReadData::Group { number, groups }, packs.clone()).unwrap()
                })
                .collect();
            all.sort_unstable();
            let mut expected = packs.clone();
            expected.sort_unstable();
            assert_eq!(all, expected, "{groups}");
        }
    }

    #[test]
    fn a_share_is_chosen_without_repetition_and_never_empty() {
        let packs: Vec<(Id, u64)> = (0..200_u32)
            .map(|n| (Id::of(&n.to_le_bytes()), 10))
            .collect();
        for (subset, expected) in [
            (ReadData::Percent(10.0), 20),
            (ReadData::Percent(0.01), 1),
            (ReadData::Percent(100.0), 200),
            (ReadData::Bytes(1000), 100),
            (ReadData::Bytes(1 << 40), 200),
            (ReadData::All, 200),
            (ReadData::Nothing, 0),
        ] {
            let mut chosen = choose(subset, packs.clone()).unwrap();
            chosen.sort_unstable();
            chosen.dedup();
            assert_eq!(chosen.len(), expected, "{subset:?}");
        }
        assert!(
            choose(ReadData::Percent(50.0), Vec::new())
                .unwrap()
                .is_empty()
        );
    }
}
