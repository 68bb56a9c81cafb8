//! Signing with the account's key: "Authorize with Shared Key" of the service's REST reference, in the form for blobs that
//! holds from version 2015-02-21 on.

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::ErrorKind;
use crate::failure::Failure;

/// What is signed of a request.
#[derive(Debug)]
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    /// As it goes over the line, with everything escaped.
    pub(super) path: &'a str,
    /// Names and values, not escaped.
    pub(super) query: &'a [(&'static str, String)],
    /// In lower case.
    pub(super) headers: &'a [(&'static str, String)],
    pub(super) body_bytes: usize,
}

/// Headers whose values are signed in this order, with an empty line for each that is not there. The length of the body
/// stands between the second and the third, and the date is always in a header of the service's own.
const BEFORE_LENGTH: [&str; 2] = ["content-encoding", "content-language"];
const BEHIND_LENGTH: [&str; 8] = [
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
];

/// The text that is signed.
pub(super) fn string_to_sign(account: &str, request: &Signed<'_>) -> String {
    let value = |name: &str| {
        let mut headers = request.headers.iter();
        let found = headers.find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let length = match request.body_bytes {
        0 => String::new(),
        bytes => bytes.to_string(),
    };
    let mut text = format!("{}\n", request.method);
    let lines = BEFORE_LENGTH.iter().map(|name| value(name));
    let lines = lines.chain([length.as_str()]);
    for line in lines.chain(BEHIND_LENGTH.iter().map(|name| value(name))) {
        text.push_str(line);
        text.push('\n');
    }
    let mut own: Vec<_> = request.headers.iter().collect();
    own.retain(|(name, _)| name.starts_with("x-ms-"));
    own.sort();
    for (name, value) in own {
        text.push_str(&format!("{name}:{value}\n"));
    }
    text.push_str(&format!("/{account}{}", request.path));
    let mut query: Vec<_> = request.query.iter().collect();
    query.sort();
    for (name, value) in query {
        text.push_str(&format!("\n{name}:{value}"));
    }
    text
}

/// The value of the `Authorization` header. `key` is as the service shows it, in Base64.
pub(super) fn authorization(account: &str, key: &str, text: &str) -> Result<String, Failure> {
    let unusable = |_| {
        let message = "the key of the account is not in Base64: it is shown under \"Access keys\" of the account";
        Failure::new(ErrorKind::Unauthenticated, message)
    };
    let key = zeroize::Zeroizing::new(BASE64.decode(key.as_bytes()).map_err(unusable)?);
    // HMAC takes a key of any length.
    let mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| {
        let message = "the key of the account cannot be used";
        Failure::new(ErrorKind::Unauthenticated, message)
    })?;
    let signature = mac.chain_update(text.as_bytes()).finalize().into_bytes();
    Ok(format!("SharedKey {account}:{}", BASE64.encode(&signature)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let pairs = pairs.iter();
        pairs.map(|(n, v)| (*n, (*v).to_owned())).collect()
    }

    /// The example of the service's reference: with one line too many or too few, nobody gets in.
    #[test]
    fn the_text_is_that_of_the_reference() {
        let request = Signed {
            method: "GET",
            path: "/mycontainer",
            query: &pairs(&[
                ("restype", "container"),
                ("comp", "metadata"),
                ("timeout", "20"),
            ]),
            headers: &pairs(&[
                ("x-ms-version", "2015-02-21"),
                ("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"),
            ]),
            body_bytes: 0,
        };
        let expected = "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n\
            /myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20";
        assert_eq!(string_to_sign("myaccount", &request), expected);
    }

    #[test]
    fn every_header_has_its_line() {
        let request = Signed {
            method: "PUT",
            path: "/box/a%20b",
            query: &[],
            headers: &pairs(&[
                ("if-none-match", "*"),
                ("content-md5", "md5=="),
                ("x-ms-blob-type", "BlockBlob"),
                ("content-type", "text/plain"),
            ]),
            body_bytes: 11,
        };
        let expected =
            "PUT\n\n\n11\nmd5==\ntext/plain\n\n\n\n*\n\n\nx-ms-blob-type:BlockBlob\n/acc/box/a%20b";
        assert_eq!(string_to_sign("acc", &request), expected);
    }

    /// RFC 4231, test case 2, in the form of a key of the service.
    #[test]
    fn the_signature_is_hmac_sha256() {
        let key = BASE64.encode(b"Jefe");
        let header = authorization("acc", &key, "what do ya want for nothing?").unwrap();
        let expected = "SharedKey acc:W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
        assert_eq!(header, expected);
        let error = authorization("acc", "hunter2 is no key", "x").unwrap_err();
        assert!(!error.message.contains("hunter2"));
    }
}
