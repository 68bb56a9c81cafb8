//! What a prune may leave and how much it may rewrite; names and meaning are restic's.

use std::collections::HashSet;
use std::str::FromStr;

use jiff::Timestamp;

use crate::format::Id;

/// How much unused data may stay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxUnused {
    /// So many percent of the repository after the prune; at least 0 and below 100.
    Percent(f64),
    /// So many bytes.
    Bytes(u64),
    /// All of it: only packs that hold nothing else are removed.
    Unlimited,
}

impl Default for MaxUnused {
    fn default() -> Self {
        Self::Percent(5.0)
    }
}

/// A text that is no [`MaxUnused`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is none of a percentage from 0% to below 100%, a size such as 10G, and \"unlimited\""
)]
pub struct InvalidMaxUnused(String);

impl FromStr for MaxUnused {
    type Err = InvalidMaxUnused;

    fn from_str(text: &str) -> Result<Self, InvalidMaxUnused> {
        let parsed = match text.trim() {
            "unlimited" => Some(Self::Unlimited),
            percent if percent.ends_with('%') => {
                let percent = percent.trim_end_matches('%').parse::<f64>().ok();
                percent
                    .filter(|percent| (0.0..100.0).contains(percent))
                    .map(Self::Percent)
            }
            size => crate::check::parse_size(size).map(Self::Bytes),
        };
        parsed.ok_or_else(|| InvalidMaxUnused(text.to_owned()))
    }
}

impl MaxUnused {
    /// Bytes of unused data that may stay beside so many bytes of used data.
    pub fn limit_bytes(self, used_bytes: u64) -> u64 {
        match self {
            // Of all that is there afterwards, not of what is used. The cast saturates.
            Self::Percent(percent) => (percent / (100.0 - percent) * used_bytes as f64) as u64,
            Self::Bytes(bytes) => bytes,
            Self::Unlimited => u64::MAX,
        }
    }
}

/// What leaves the trash.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EmptyTrash {
    /// Entries whose time has come.
    #[default]
    Due,
    /// All entries, those that cannot be read too.
    All,
}

/// What a prune does.
#[derive(Debug, Clone, Default)]
pub struct PruneOptions {
    /// How much unused data may stay.
    pub max_unused: MaxUnused,
    /// Rewrite less than this.
    pub max_repack_bytes: Option<u64>,
    /// Rewrite packs of trees alone.
    pub repack_cacheable_only: bool,
    /// Rewrite packs below 80 % of the pack size, if there are ten of them.
    pub repack_small: bool,
    /// Rewrite packs below this size, if there are ten of them.
    pub repack_smaller_than_bytes: Option<u64>,
    /// Rewrite and compress data that is not compressed. Trees always are.
    pub repack_uncompressed: bool,
    /// Now, for the trash: nothing whose time comes after it leaves. The default is so long ago that nothing does.
    pub now: Timestamp,
    /// What leaves the trash.
    pub empty_trash: EmptyTrash,
    /// Plan as if these snapshots were gone. The plan can be carried out once they are.
    pub forgotten: HashSet<Id>,
}

#[cfg(test)]
mod tests {
    use super::MaxUnused;

    #[test]
    fn limits_are_read_as_restic_reads_them() {
        let parsed = |text: &str| text.parse::<MaxUnused>().ok();
        assert_eq!(parsed("unlimited"), Some(MaxUnused::Unlimited));
        assert_eq!(parsed("0%"), Some(MaxUnused::Percent(0.0)));
        assert_eq!(parsed("12.5%"), Some(MaxUnused::Percent(12.5)));
        assert_eq!(parsed("0"), Some(MaxUnused::Bytes(0)));
        assert_eq!(parsed("10k"), Some(MaxUnused::Bytes(10 << 10)));
        for bad in ["", "100%", "-1%", "NaN%", "%", "-5", "1x", "limited"] {
            assert_eq!(parsed(bad), None, "{bad:?}");
        }
        assert_eq!(MaxUnused::Percent(50.0).limit_bytes(1000), 1000);
        assert_eq!(MaxUnused::Percent(0.0).limit_bytes(1000), 0);
        assert_eq!(MaxUnused::Percent(20.0).limit_bytes(1000), 250);
    }
}
