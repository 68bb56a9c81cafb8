//! Listings, in pages (`ListObjectsV2`).

use percent_encoding::percent_decode_str;

use crate::failure::Failure;
use crate::{ErrorKind, FileInfo, StoragePath};

use super::Step;
use super::client::S3Client;
use super::request::S3Request;
use super::xml::Element;

impl S3Client {
    /// Everything below a folder. Keys that are no names of files are none of ours: marks of folders, files of others.
    pub(super) async fn list_files(&self, folder: Option<&StoragePath>) -> Step<Vec<FileInfo>> {
        let prefix = self.prefix_of(folder);
        let mut files = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut request = S3Request::on_bucket("GET")
                .query("list-type", "2")
                .query("encoding-type", "url")
                .query("prefix", prefix.clone());
            if let Some(token) = &next {
                request = request.query("continuation-token", token.clone());
            }
            let page = Page::parse(&self.send(&request).await?.read().await?)?;
            for (key, size_bytes) in page.keys {
                let path = key.starts_with(&prefix).then(|| self.path(&key)).flatten();
                files.extend(path.map(|path| FileInfo { path, size_bytes }));
            }
            match page.next {
                None => return Ok(files),
                Some(token) if next.as_ref() == Some(&token) => {
                    return Err(malformed("a page of the listing leads to itself"));
                }
                token => next = token,
            }
        }
    }
}

#[derive(Debug)]
struct Page {
    keys: Vec<(String, u64)>,
    next: Option<String>,
}

impl Page {
    fn parse(body: &[u8]) -> Step<Self> {
        let list = Element::parse(body)?;
        if list.name != "ListBucketResult" {
            return Err(malformed("the answer is no listing"));
        }
        let is_escaped = list
            .text_of("EncodingType")
            .is_some_and(|name| name.eq_ignore_ascii_case("url"));
        let mut keys = Vec::new();
        for file in list.children("Contents") {
            // Not trimmed: blanks may be a part of it.
            let key = file
                .child("Key")
                .map(|key| key.text.as_str())
                .unwrap_or_default();
            let key = match is_escaped {
                true => unescaped(key)?,
                false => key.to_owned(),
            };
            let size = file.text_of("Size").and_then(|size| size.parse().ok());
            keys.push((
                key,
                size.ok_or_else(|| malformed("a file of the listing has no size"))?,
            ));
        }
        let next = list.text_of("NextContinuationToken").map(str::to_owned);
        let goes_on = list
            .text_of("IsTruncated")
            .is_some_and(|text| text.eq_ignore_ascii_case("true"));
        match (goes_on, next) {
            (false, _) => Ok(Self { keys, next: None }),
            (true, Some(next)) => Ok(Self {
                keys,
                next: Some(next),
            }),
            (true, None) => Err(malformed(
                "the listing goes on and does not say where: the server does not know version 2",
            )),
        }
    }
}

/// A blank is written as a plus by some servers, and a plus never as itself.
fn unescaped(key: &str) -> Step<String> {
    let key = key.replace('+', " ");
    let decoded = percent_decode_str(&key).decode_utf8();
    let decoded = decoded.map_err(|_| malformed("a key of the listing is no text"))?;
    Ok(decoded.into_owned())
}

fn malformed(message: &str) -> Failure {
    Failure::passing(ErrorKind::Mismatch, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(inside: &str) -> Step<Page> {
        Page::parse(format!("<ListBucketResult>{inside}</ListBucketResult>").as_bytes())
    }

    /// A listing with a hole costs snapshots.
    #[test]
    fn pages_are_read_and_one_without_an_end_is_an_error() {
        let file = |key: &str| format!("<Contents><Key>{key}</Key><Size>7</Size></Contents>");
        let whole = page(&format!(
            "<IsTruncated>false</IsTruncated>{}",
            file("a%2Bb")
        ))
        .unwrap();
        assert_eq!(
            (whole.keys, whole.next),
            (vec![("a%2Bb".to_owned(), 7)], None)
        );
        let escaped = page(&format!(
            "<EncodingType>url</EncodingType>{}",
            file("a%2Bb+c%2F%C3%BC")
        ))
        .unwrap();
        assert_eq!(escaped.keys, [("a+b c/ü".to_owned(), 7)]);
        let more = "<IsTruncated>true</IsTruncated>";
        let next = page(&format!(
            "{more}<NextContinuationToken>t=</NextContinuationToken>"
        ))
        .unwrap();
        assert_eq!(next.next.as_deref(), Some("t="));
        assert!(page(more).is_err());
        assert!(page("<Contents><Key>a</Key></Contents>").is_err());
        assert!(Page::parse(b"<Other/>").is_err());
        assert!(Page::parse(b"<ListBucketResult><IsTruncated>false").is_err());
    }
}
