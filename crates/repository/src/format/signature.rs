//! Statements: signed files of ours that say which snapshots were published and removed, and in which order.
//!
//! Text, one fact a line, so that one can be read by a person and verified with everyday tools. `docs/format-signatures.md`
//! is the specification. The form is canonical: a text that is not what [`Statement::encode`] yields for what it says is no
//! statement.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::str::FromStr;

use jiff::Timestamp;

use crate::format::{FormatError, Id};

/// Longest statement in bytes: about two hundred thousand lines.
pub const STATEMENT_MAX_BYTES: u64 = 16 * 1024 * 1024;

const FIRST_LINE: &str = "strongroom signatures 1";
const WHAT: &str = "statement";
const ANNOUNCED: &str = "announced-";

/// Longest signature in bytes; those of both algorithms are shorter.
const SIGNATURE_MAX_BYTES: usize = 64;

/// What a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StatementKind {
    /// What is about to be done. No link of the chain.
    Announcement,
    /// What was done.
    Statement,
    /// All that is known, in place of the statements that it replaces.
    Checkpoint,
}

/// How a statement is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SignatureAlgorithm {
    /// RFC 8032, section 5.1: a signature of 64 bytes.
    Ed25519,
    /// RFC 2104 with SHA-256 and a shared key of 32 bytes: 32 bytes.
    HmacSha256,
}

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it is for.
    pub kind: StatementKind,
    /// Identifier of the repository, from its configuration.
    pub repository: Id,
    /// One more than the highest of the parents'; the first has 1.
    pub generation: u64,
    /// When it was made, in whole seconds.
    pub time: Timestamp,
    /// How it is signed.
    pub algorithm: SignatureAlgorithm,
    /// Identifier of the key that signs it.
    pub key: Id,
    /// SHA-256 of the files of all heads of the chain that were seen.
    pub parents: BTreeSet<Id>,
    /// Snapshots that were published; in a checkpoint all that are there.
    pub published: BTreeSet<Id>,
    /// Snapshots that were removed; in a checkpoint all that ever were.
    pub removed: BTreeSet<Id>,
    /// SHA-256 of the files that a checkpoint stands for.
    pub replaced: BTreeSet<Id>,
}

/// A statement with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedStatement {
    /// What is signed.
    pub statement: Statement,
    /// The signature, not verified.
    pub signature: Vec<u8>,
}

/// A statement's place in the chain: its generation and the SHA-256 of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Link {
    /// Its generation.
    pub generation: u64,
    /// SHA-256 of its file.
    pub hash: Id,
}

/// The name of a statement's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatementName {
    /// It holds an announcement.
    pub is_announcement: bool,
    /// What it holds.
    pub link: Link,
}

impl StatementKind {
    const ALL: [Self; 3] = [Self::Announcement, Self::Statement, Self::Checkpoint];

    const fn word(self) -> &'static str {
        match self {
            Self::Announcement => "announcement",
            Self::Statement => "statement",
            Self::Checkpoint => "checkpoint",
        }
    }
}

impl SignatureAlgorithm {
    const ALL: [Self; 2] = [Self::Ed25519, Self::HmacSha256];

    /// The word in files and on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::HmacSha256 => "hmac-sha256",
        }
    }
}

impl Statement {
    /// The bytes that are signed: all lines but the last.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "{FIRST_LINE}\nkind {}\nrepository {}\ngeneration {}\ntime {}\nkey {} {}\n",
            self.kind.word(),
            self.repository,
            self.generation,
            self.time,
            self.algorithm.word(),
            self.key,
        );
        for (word, ids) in self.lists() {
            for id in ids {
                let _ = writeln!(text, "{word} {id}");
            }
        }
        text.into_bytes()
    }

    fn lists(&self) -> [(&'static str, &BTreeSet<Id>); 4] {
        [
            ("parent", &self.parents),
            ("published", &self.published),
            ("removed", &self.removed),
            ("replaced", &self.replaced),
        ]
    }

    fn list_mut(&mut self, word: &str) -> Option<&mut BTreeSet<Id>> {
        match word {
            "parent" => Some(&mut self.parents),
            "published" => Some(&mut self.published),
            "removed" => Some(&mut self.removed),
            "replaced" => Some(&mut self.replaced),
            _ => None,
        }
    }
}

impl SignedStatement {
    /// The file: the signed lines, then the signature in base64.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.statement.encode();
        let signature = data_encoding::BASE64.encode(&self.signature);
        bytes.extend_from_slice(format!("signature {signature}\n").as_bytes());
        bytes
    }

    /// Reads a file. The signature is not verified.
    ///
    /// # Errors
    /// [`FormatError::UnsupportedVersion`] for a later version of the form, [`FormatError::TooLarge`],
    /// [`FormatError::Value`] for what is no statement or not in the canonical form.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.len() as u64 > STATEMENT_MAX_BYTES {
            return Err(FormatError::TooLarge {
                what: WHAT,
                limit_bytes: STATEMENT_MAX_BYTES,
            });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| invalid("it is not text"))?;
        let mut lines = text.lines();
        first_line(lines.next().unwrap_or_default())?;
        let mut statement = Statement {
            kind: word(field(&mut lines, "kind")?, StatementKind::ALL, |kind| {
                kind.word()
            })?,
            repository: id(field(&mut lines, "repository")?)?,
            generation: number(field(&mut lines, "generation")?)?,
            time: time(field(&mut lines, "time")?)?,
            algorithm: SignatureAlgorithm::Ed25519,
            key: Id::from_bytes([0; 32]),
            parents: BTreeSet::new(),
            published: BTreeSet::new(),
            removed: BTreeSet::new(),
            replaced: BTreeSet::new(),
        };
        let key = field(&mut lines, "key")?;
        let (algorithm, key) = key.split_once(' ').ok_or_else(|| invalid("its key"))?;
        statement.algorithm = word(algorithm, SignatureAlgorithm::ALL, |algorithm| {
            algorithm.word()
        })?;
        statement.key = id(key)?;
        let mut signature = None;
        for line in lines {
            let (word, value) = line.split_once(' ').unwrap_or((line, ""));
            if word == "signature" && signature.is_none() {
                signature = Some(decode_signature(value)?);
            } else {
                let list = statement.list_mut(word).ok_or_else(|| invalid("a line"))?;
                list.insert(id(value)?);
            }
        }
        let signed = Self {
            statement,
            signature: signature.ok_or_else(|| invalid("it has no signature"))?,
        };
        // Order, repetitions, leading zeros, white space: whatever is not as we write it is somebody else's.
        if signed.encode() != bytes {
            return Err(invalid("it is not in the canonical form"));
        }
        Ok(signed)
    }

    /// The name of the file that holds this.
    pub fn name(&self) -> StatementName {
        StatementName {
            is_announcement: self.statement.kind == StatementKind::Announcement,
            link: Link {
                generation: self.statement.generation,
                hash: Id::of(&self.encode()),
            },
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010}-{}", self.generation, self.hash)
    }
}

impl FromStr for Link {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let wrong = || invalid("its name");
        let (generation, hash) = text.split_once('-').ok_or_else(wrong)?;
        let link = Self {
            generation: generation.parse().map_err(|_| wrong())?,
            hash: hash.parse().map_err(|_| wrong())?,
        };
        match link.to_string() == text {
            true => Ok(link),
            false => Err(wrong()),
        }
    }
}

impl fmt::Display for StatementName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_announcement { ANNOUNCED } else { "" })?;
        self.link.fmt(f)
    }
}

impl FromStr for StatementName {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let rest = text.strip_prefix(ANNOUNCED);
        Ok(Self {
            is_announcement: rest.is_some(),
            link: rest.unwrap_or(text).parse()?,
        })
    }
}

fn invalid(detail: &str) -> FormatError {
    FormatError::value(WHAT, detail)
}

fn first_line(line: &str) -> Result<(), FormatError> {
    if line == FIRST_LINE {
        return Ok(());
    }
    let version = line.strip_prefix("strongroom signatures ");
    match version.and_then(|version| version.parse().ok()) {
        Some(version) => Err(FormatError::UnsupportedVersion(version)),
        None => Err(invalid("its first line")),
    }
}

fn field<'a>(
    lines: &mut impl Iterator<Item = &'a str>,
    name: &'static str,
) -> Result<&'a str, FormatError> {
    let line = lines.next().unwrap_or_default();
    let value = line
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix(' '));
    value.ok_or_else(|| invalid(name))
}

fn word<T: Copy, const N: usize>(
    text: &str,
    all: [T; N],
    of: impl Fn(T) -> &'static str,
) -> Result<T, FormatError> {
    let found = all.into_iter().find(|one| of(*one) == text);
    found.ok_or_else(|| invalid("a word that is not known"))
}

fn id(text: &str) -> Result<Id, FormatError> {
    text.parse().map_err(|_| invalid("an identifier"))
}

fn number(text: &str) -> Result<u64, FormatError> {
    text.parse().map_err(|_| invalid("a number"))
}

fn time(text: &str) -> Result<Timestamp, FormatError> {
    text.parse().map_err(|_| invalid("its time"))
}

fn decode_signature(text: &str) -> Result<Vec<u8>, FormatError> {
    let bytes = data_encoding::BASE64.decode(text.as_bytes());
    bytes
        .ok()
        .filter(|bytes| bytes.len() <= SIGNATURE_MAX_BYTES)
        .ok_or_else(|| invalid("its signature"))
}

#[cfg(test)]
mod tests;
