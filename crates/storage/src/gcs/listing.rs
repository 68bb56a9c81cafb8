//! What the service says of objects: the parts of "Objects" and "Objects: list" of its reference that are used here.

use bytes::Bytes;
use data_encoding::BASE64;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::crc32c::crc32c;
use crate::failure::Failure;
use crate::key_prefix::KeyPrefix;
use crate::{ErrorKind, FileInfo};

/// An object, of which a part of the fields is asked for.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Object {
    name: String,
    /// A number of 64 bits, which is text in JSON.
    size: Option<String>,
    crc32c: Option<String>,
}

impl Object {
    /// Reads one.
    pub(super) fn parse(body: &Bytes) -> Result<Self, Failure> {
        parsed(body)
    }

    /// Its size.
    pub(super) fn size_bytes(&self) -> Result<u64, Failure> {
        let size = self.size.as_deref().and_then(|size| size.parse().ok());
        size.ok_or_else(|| {
            let message = "the service does not say how large the file is";
            Failure::passing(ErrorKind::Mismatch, message)
        })
    }

    /// Whether the service has stored these bytes, by its own words.
    pub(super) fn is(&self, size_bytes: u64, checksum: &str) -> bool {
        let same_size = self.size_bytes().is_ok_and(|size| size == size_bytes);
        same_size && self.crc32c.as_deref() == Some(checksum)
    }
}

/// The checksum of some bytes in the service's form.
pub(super) fn checksum(data: &[u8]) -> String {
    BASE64.encode(&crc32c(data).to_be_bytes())
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Page {
    items: Vec<Object>,
    #[serde(rename = "nextPageToken")]
    next: Option<String>,
}

/// The files of a page, and the token of the next where there is one.
pub(super) fn of_page(
    prefix: &KeyPrefix,
    body: &Bytes,
) -> Result<(Vec<FileInfo>, Option<String>), Failure> {
    let page: Page = parsed(body)?;
    let mut files = Vec::with_capacity(page.items.len());
    for object in &page.items {
        if let Some(path) = prefix.path(&object.name) {
            let size_bytes = object.size_bytes()?;
            files.push(FileInfo { path, size_bytes });
        }
    }
    Ok((files, page.next.filter(|next| !next.is_empty())))
}

fn parsed<T: DeserializeOwned>(body: &Bytes) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        let message = format!("the answer is not in the service's form: {error}");
        Failure::passing(ErrorKind::Mismatch, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A listing with a hole costs snapshots.
    #[test]
    fn pages_are_read_and_nonsense_is_an_error() {
        let prefix = KeyPrefix::parse("a").unwrap();
        let page = r#"{"kind":"storage#objects","nextPageToken":"t","items":[
            {"name":"a/data/ab/abcd","size":"7"},{"name":"a/other thing","size":"1"},{"name":"b/x","size":"1"}]}"#;
        let (files, next) = of_page(&prefix, &Bytes::from(page)).unwrap();
        assert_eq!(files.len(), 1);
        assert_eq!(
            (files[0].path.as_str(), files[0].size_bytes),
            ("data/ab/abcd", 7)
        );
        assert_eq!(next.as_deref(), Some("t"));
        let (files, next) = of_page(&prefix, &Bytes::from("{}")).unwrap();
        assert!(files.is_empty() && next.is_none());
        for wrong in [
            "",
            "<html>",
            r#"{"items":[{"name":"a/x"}]}"#,
            r#"{"items":[{"name":"a/x","size":"-1"}]}"#,
        ] {
            let error = of_page(&prefix, &Bytes::from(wrong)).err().unwrap();
            assert_eq!(error.kind, ErrorKind::Mismatch, "{wrong}");
        }
    }

    #[test]
    fn an_object_is_what_was_sent_or_is_not() {
        assert_eq!(checksum(b"123456789"), "4waSgw==");
        let object = |text: &str| Object::parse(&Bytes::from(text.to_owned())).unwrap();
        let right = object(r#"{"size":"9","crc32c":"4waSgw=="}"#);
        assert!(right.is(9, &checksum(b"123456789")));
        assert!(!right.is(8, &checksum(b"123456789")));
        assert!(!right.is(9, &checksum(b"123456780")));
        assert!(!object("{}").is(0, &checksum(b"")));
    }
}
