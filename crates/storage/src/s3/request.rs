//! A request of the protocol, before it is known where it goes and who signs it.

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use md5::Md5;
use percent_encoding::utf8_percent_encode;
use sha2::{Digest, Sha256};

use super::endpoint::ESCAPED;

/// SHA-256 of some bytes.
pub(super) type Sum = [u8; 32];

/// A request on a key of the bucket, or on the bucket.
#[derive(Debug, Clone)]
pub(super) struct S3Request {
    pub(super) method: &'static str,
    pub(super) key: Option<String>,
    query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
    pub(super) body_sum: Sum,
}

impl S3Request {
    /// On a key.
    pub(super) fn on_key(method: &'static str, key: String) -> Self {
        Self {
            key: Some(key),
            ..Self::on_bucket(method)
        }
    }

    /// On the bucket.
    pub(super) fn on_bucket(method: &'static str) -> Self {
        Self {
            method,
            key: None,
            query: Vec::new(),
            headers: Vec::new(),
            body: Bytes::new(),
            body_sum: Sha256::digest([]).into(),
        }
    }

    /// With a parameter.
    pub(super) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// With a header, whose name is in small letters.
    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a header where there is a value for it.
    pub(super) fn maybe_header(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// With a body, whose SHA-256 is known.
    pub(super) fn body(mut self, body: Bytes, sum: Sum) -> Self {
        (self.body, self.body_sum) = (body, sum);
        self
    }

    /// With a short document.
    pub(super) fn document(self, text: String) -> Self {
        let sum = Sha256::digest(text.as_bytes()).into();
        self.body(Bytes::from(text), sum)
    }

    /// The parameters as they are signed and sent: escaped, and in the order of their names.
    pub(super) fn query_text(&self) -> String {
        let mut pairs: Vec<_> = self.query.iter().collect();
        pairs.sort();
        let pairs: Vec<_> = pairs
            .into_iter()
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ESCAPED)))
            .collect();
        pairs.join("&")
    }
}

/// As the protocol writes a checksum.
pub(super) fn base64(sum: &[u8]) -> String {
    BASE64.encode(sum)
}

/// As signatures and tags write one.
pub(super) fn hex(sum: &[u8]) -> String {
    HEXLOWER.encode(sum)
}

/// What tags are made of, and what servers check that know no other checksum. Against accidents alone.
pub(super) fn md5(data: &[u8]) -> [u8; 16] {
    Md5::digest(data).into()
}
