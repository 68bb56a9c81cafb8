//! Names below the root of a target, checked so that none can lead out of it.

use std::cmp::Ordering;
use std::fmt;

/// A name that no entry may have: it is empty, `.` or `..`, or holds `/` or a zero byte.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{:?} is no name of a file", String::from_utf8_lossy(.0))]
pub struct InvalidName(pub Vec<u8>);

/// The path of an entry below the root of a target, as raw bytes.
///
/// Every part of it is a plain name ([`InvalidName`] says what that is), so a path can only lead downwards. It can be
/// longer than what the system takes as one path.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct TargetPath(Vec<u8>);

impl TargetPath {
    /// The root of the target.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// The entry of that name in this directory.
    ///
    /// # Errors
    /// [`InvalidName`] where the name could lead anywhere else.
    pub fn join(&self, name: &[u8]) -> Result<Self, InvalidName> {
        check_name(name)?;
        let mut bytes = Vec::with_capacity(self.0.len() + 1 + name.len());
        bytes.extend_from_slice(&self.0);
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name);
        Ok(Self(bytes))
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The directory and the name in it; `None` for the root.
    pub fn split(&self) -> Option<(Self, &[u8])> {
        match self.0.iter().rposition(|&byte| byte == b'/') {
            _ if self.is_root() => None,
            Some(at) => {
                let (parent, name) = self.0.split_at(at);
                Some((Self(parent.to_vec()), name.get(1..).unwrap_or_default()))
            }
            None => Some((Self::root(), &self.0)),
        }
    }

    /// The names on the way from the root to the entry.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.0
            .split(|&byte| byte == b'/')
            .filter(|name| !name.is_empty())
    }

    /// The path with `/` between its parts and none in front; empty for the root.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path as it is shown, and as patterns see it: with a `/` in front.
    pub fn absolute(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() + 1);
        bytes.push(b'/');
        bytes.extend_from_slice(&self.0);
        bytes
    }
}

/// Name by name: a directory comes before what it holds, and that before what comes after the directory.
impl Ord for TargetPath {
    fn cmp(&self, other: &Self) -> Ordering {
        // No name holds a zero byte, so `/` in its place comes before all that names are made of.
        let rank = |byte: u8| if byte == b'/' { 0 } else { byte };
        let mut pairs = self.0.iter().zip(&other.0);
        match pairs.find(|(a, b)| a != b) {
            Some((a, b)) => rank(*a).cmp(&rank(*b)),
            None => self.0.len().cmp(&other.0.len()),
        }
    }
}

impl PartialOrd for TargetPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for TargetPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for TargetPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetPath({:?})", String::from_utf8_lossy(&self.0))
    }
}

/// Whether an entry may have this name.
///
/// # Errors
/// [`InvalidName`] where it may not.
pub fn check_name(name: &[u8]) -> Result<(), InvalidName> {
    let bad =
        matches!(name, b"" | b"." | b"..") || name.iter().any(|byte| matches!(byte, b'/' | 0));
    if bad {
        Err(InvalidName(name.to_vec()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_target() {
        for bad in ["", ".", "..", "/", "/etc", "a/b", "../x", "a/", "a\0b"] {
            assert!(TargetPath::root().join(bad.as_bytes()).is_err(), "{bad:?}");
        }
        for good in ["...", "..a", "a..", "~", "-rf", "a\nb", "[a]*?", "\\", "C:"] {
            assert!(TargetPath::root().join(good.as_bytes()).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_path_splits_into_what_it_was_joined_from() {
        let a = TargetPath::root().join(b"a").unwrap();
        let b = a.join(b"\xff").unwrap();
        assert_eq!(b.split().unwrap(), (a.clone(), &b"\xff"[..]));
        assert_eq!(a.split().unwrap(), (TargetPath::root(), &b"a"[..]));
        assert!(TargetPath::root().split().is_none());
        assert_eq!(b.names().collect::<Vec<_>>(), [&b"a"[..], b"\xff"]);
        assert_eq!(TargetPath::root().names().count(), 0);
        assert_eq!(b.absolute(), b"/a/\xff");
    }

    /// A directory that came behind what it holds would be made after it.
    #[test]
    fn a_directory_comes_before_what_it_holds_and_what_follows_it() {
        let path = |text: &str| {
            let join = |path: TargetPath, name: &str| path.join(name.as_bytes()).unwrap();
            text.split('/')
                .filter(|n| !n.is_empty())
                .fold(TargetPath::root(), join)
        };
        let ordered = [
            "", "a", "a/a", "a/z", "a\u{1}", "a\u{1}/b", "a b", "a.b", "aa", "é",
        ];
        for (i, a) in ordered.iter().enumerate() {
            for (j, b) in ordered.iter().enumerate() {
                let (a, b) = (path(a), path(b));
                assert_eq!(a.cmp(&b), i.cmp(&j), "{a} {b}");
                assert_eq!(a.cmp(&b), a.names().cmp(b.names()), "{a} {b}");
            }
        }
    }
}
