//! Signatures of the version 4, with the hash of the body in them (Amazon S3 API Reference, "Authenticating Requests: Using
//! the Authorization Header").

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::credentials::AccessKey;
use super::request::{Sum, hex};

/// What is signed of a request.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    /// Escaped.
    pub(super) path: &'a str,
    /// Escaped, in the order of the names.
    pub(super) query: &'a str,
    /// Names in small letters; without the host and those that are made here.
    pub(super) headers: &'a [(&'static str, String)],
    pub(super) host: &'a str,
    pub(super) body_sum: &'a Sum,
}

/// The headers that sign a request; the last one holds the signature.
pub(super) fn headers(
    signed: &Signed<'_>,
    key: &AccessKey,
    region: &str,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let date = now.strftime("%Y%m%d").to_string();
    let body_sum = hex(signed.body_sum);
    let mut made = vec![
        ("x-amz-content-sha256", body_sum.clone()),
        ("x-amz-date", time.clone()),
    ];
    if let Some(token) = &key.session_token {
        made.push(("x-amz-security-token", token.expose_secret().to_owned()));
    }
    let mut all: Vec<(&str, &str)> = vec![("host", signed.host)];
    let given = signed.headers.iter().chain(&made);
    all.extend(given.map(|(name, value)| (*name, value.trim())));
    all.sort_unstable();
    let lines: String = all
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let names: Vec<_> = all.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let request = format!(
        "{}\n{}\n{}\n{lines}\n{names}\n{body_sum}",
        signed.method, signed.path, signed.query
    );
    let scope = format!("{date}/{region}/s3/aws4_request");
    let request_sum = hex(&Sha256::digest(request.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{request_sum}");
    let secret = format!("AWS4{}", key.secret.expose_secret());
    let mut signing = secrecy::SecretSlice::from(secret.into_bytes());
    for part in [&date, region, "s3", "aws4_request"] {
        signing = mac(signing.expose_secret(), part).to_vec().into();
    }
    let signature = hex(&mac(signing.expose_secret(), &text));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={signature}",
        key.id
    );
    made.push(("authorization", authorization));
    made
}

fn mac(key: &[u8], text: &str) -> Sum {
    // Fails for no length of a key.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Sum::default();
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(signed: &Signed<'_>) -> String {
        let key = AccessKey {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            session_token: None,
            expires: None,
        };
        let now = "2013-05-24T00:00:00Z".parse().unwrap();
        let headers = headers(signed, &key, "us-east-1", now);
        let (_, authorization) = headers.last().unwrap();
        authorization.rsplit('=').next().unwrap().to_owned()
    }

    /// The examples that AWS has published with the description. A signature that is wrong opens nothing.
    #[test]
    fn the_published_examples_come_out() {
        let host = "examplebucket.s3.amazonaws.com";
        let nothing: Sum = Sha256::digest([]).into();
        let range = [("range", "bytes=0-9".to_owned())];
        let get = |path, query, headers| Signed {
            method: "GET",
            path,
            query,
            headers,
            host,
            body_sum: &nothing,
        };
        assert_eq!(
            signature(&get("/test.txt", "", &range)),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        assert_eq!(
            signature(&get("/", "lifecycle=", &[])),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        );
        assert_eq!(
            signature(&get("/", "max-keys=2&prefix=J", &[])),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
        let headers = [
            ("date", "Fri, 24 May 2013 00:00:00 GMT".to_owned()),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY".to_owned()),
        ];
        let put = Signed {
            method: "PUT",
            path: "/test%24file.text",
            query: "",
            headers: &headers,
            host,
            body_sum: &Sha256::digest(b"Welcome to Amazon S3.").into(),
        };
        assert_eq!(
            signature(&put),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        );
    }
}
