//! Several lists at once: patterns with and without regard to case.

use super::{Case, PatternList, Verdict};
use crate::Result;

/// The patterns of a command: a list that regards case and one that does not. Negation stays within its list, as in restic.
#[derive(Debug, Clone)]
pub struct PatternSet {
    sensitive: PatternList,
    insensitive: PatternList,
}

impl PatternSet {
    /// Compiles both lists.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] naming every malformed pattern of the first list that has one.
    pub fn parse<P: AsRef<[u8]>, Q: AsRef<[u8]>>(
        sensitive: impl IntoIterator<Item = P>,
        insensitive: impl IntoIterator<Item = Q>,
    ) -> Result<Self> {
        Ok(Self {
            sensitive: PatternList::parse(sensitive, Case::Sensitive)?,
            insensitive: PatternList::parse(insensitive, Case::Insensitive)?,
        })
    }

    /// Whether there are no patterns.
    pub fn is_empty(&self) -> bool {
        self.sensitive.is_empty() && self.insensitive.is_empty()
    }

    /// Whether one of the lists matches; for patterns that exclude.
    pub fn is_match(&self, path: &[u8]) -> bool {
        (!self.sensitive.is_empty() && self.sensitive.is_match(path))
            || (!self.insensitive.is_empty() && self.insensitive.is_match(path))
    }

    /// Whether one of the lists matches, and whether one of them may match below; for patterns that include.
    pub fn matches(&self, path: &[u8]) -> Verdict {
        let first = self.sensitive.matches(path);
        let second = self.insensitive.matches(path);
        Verdict {
            matched: first.matched || second.matched,
            child_may_match: first.child_may_match || second.child_may_match,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PatternSet;

    /// Negating a pattern of one list does not take back what the other excludes.
    #[test]
    fn lists_do_not_negate_each_other() {
        let set = PatternSet::parse(["*.jpg", "!b.jpg"], ["*.PNG", "!a.jpg"]).unwrap();
        assert!(set.is_match(b"/a.jpg"));
        assert!(!set.is_match(b"/b.jpg"));
        assert!(set.is_match(b"/c.png"));
        assert!(
            !PatternSet::parse([""; 0], [""; 0])
                .unwrap()
                .matches(b"/x")
                .matched
        );
    }
}
