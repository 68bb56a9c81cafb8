//! Identifiers that people shorten.

use strongroom_repository::format::Id;
use strongroom_repository::{FileKind, Repository};

use crate::error::{Error, Result};

/// The one identifier that begins with the given digits.
pub fn resolve(noun: &str, prefix: &str, ids: impl IntoIterator<Item = Id>) -> Result<Id> {
    let digits = prefix.to_ascii_lowercase();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Error::usage(format!(
            "{prefix:?} is no beginning of an identifier, which has hexadecimal digits"
        )));
    }
    if let Ok(id) = digits.parse() {
        return Ok(id);
    }
    let mut matching: Vec<Id> = ids
        .into_iter()
        .filter(|id| id.to_hex().starts_with(&digits))
        .collect();
    matching.sort_unstable();
    matching.dedup();
    match matching.as_slice() {
        [id] => Ok(*id),
        [] => Err(Error::failed(format!("there is no {noun} {prefix}"))),
        [first, second, ..] => Err(Error::failed(format!(
            "more than one {noun} begins with {prefix}: {first}, {second}…"
        ))
        .hint("give more digits of the identifier")),
    }
}

/// The same, for a whole identifier too only if it is among them.
pub fn resolve_present(noun: &str, prefix: &str, ids: &[Id]) -> Result<Id> {
    let id = resolve(noun, prefix, ids.iter().copied())?;
    match ids.contains(&id) {
        true => Ok(id),
        false => Err(Error::failed(format!("there is no {noun} {prefix}"))),
    }
}

/// The same among the files of a kind.
pub async fn resolve_file(repository: &Repository, kind: FileKind, prefix: &str) -> Result<Id> {
    let files = repository.list(kind).await?;
    resolve(kind.noun(), prefix, files.iter().map(|file| file.id))
}

#[cfg(test)]
mod tests {
    use strongroom_repository::format::Id;

    use super::resolve;

    #[test]
    fn a_beginning_has_to_mean_one_thing() {
        let ids = [
            Id::from_bytes([0xab; 32]),
            Id::from_bytes([0xac; 32]),
            Id::from_bytes([0xac; 32]),
        ];
        assert_eq!(resolve("key", "AB", ids).unwrap(), ids[0]);
        assert_eq!(resolve("key", "ac", ids).unwrap(), ids[1]);
        for (prefix, code) in [("a", 1), ("ff", 1), ("", 2), ("xy", 2), ("../a", 2)] {
            assert_eq!(resolve("key", prefix, ids).unwrap_err().code.number(), code);
        }
    }
}
