//! Where requests go: the server, the bucket's place in its addresses, and the region, which the server may correct.

use std::sync::{Mutex, PoisonError};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::Url;

use super::{S3Location, S3Options};

/// Everything but the letters that a signature leaves as they are (RFC 3986, section 2.3).
pub(super) const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// The same for a path, whose slashes stay.
const ESCAPED_IN_PATHS: &AsciiSet = &ESCAPED.remove(b'/');

/// Where the bucket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathStyle {
    /// In the host's name with AWS, in the path with everybody else.
    Auto,
    Always,
    Never,
}

/// A bucket on a server.
#[derive(Debug)]
pub(super) struct Endpoint {
    server: Server,
    bucket: String,
    in_path: bool,
    region: Mutex<String>,
    /// The person has named the region, or the host does.
    names_region: bool,
}

#[derive(Debug)]
enum Server {
    /// AWS, where each region has a host. `given` is the host of an address, with the region that it is for.
    Aws {
        given: Option<(Url, String)>,
    },
    Other(Url),
}

impl Endpoint {
    pub(super) fn new(location: &S3Location, options: &S3Options) -> Self {
        let named = location.server().or(options.endpoint.as_ref());
        let of_host = named.and_then(|url| region_of_host(url.host_str()?));
        let names_region = options.region.is_some() || of_host.is_some();
        let server = match named {
            None => Server::Aws { given: None },
            Some(url) if is_aws(url.host_str().unwrap_or_default()) => Server::Aws {
                given: of_host.clone().map(|region| (url.clone(), region)),
            },
            Some(url) => Server::Other(url.clone()),
        };
        let region = match &server {
            // A host of AWS serves its own region alone.
            Server::Aws {
                given: Some((_, region)),
            } => Some(region.clone()),
            _ => options.region.clone().or(of_host),
        };
        let is_aws = matches!(server, Server::Aws { .. });
        let bucket = location.bucket().to_owned();
        let in_path = match options.path_style {
            PathStyle::Always => true,
            PathStyle::Never => false,
            // A certificate for all buckets covers one part of a name, and names have no capitals.
            PathStyle::Auto => !is_aws || !is_host_part(&bucket),
        };
        Self {
            server,
            bucket,
            in_path,
            region: Mutex::new(region.unwrap_or_else(|| "us-east-1".to_owned())),
            names_region,
        }
    }

    /// Whether this is AWS itself, whose abilities are known.
    pub(super) fn is_aws(&self) -> bool {
        matches!(self.server, Server::Aws { .. })
    }

    /// Whether somebody has said which region it is.
    pub(super) fn names_region(&self) -> bool {
        self.names_region
    }

    /// The bucket's name.
    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The region that requests are signed for.
    pub(super) fn region(&self) -> String {
        let region = self.region.lock().unwrap_or_else(PoisonError::into_inner);
        region.clone()
    }

    /// Takes over what a server says about the region; whether that is something new after a request for `asked`.
    pub(super) fn moves(&self, asked: &str, to: &str) -> bool {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if to == asked || to.is_empty() || !to.bytes().all(plain) {
            return false;
        }
        let mut region = self.region.lock().unwrap_or_else(PoisonError::into_inner);
        to.clone_into(&mut region);
        true
    }

    /// The address of a key, or of the bucket where there is none. `query` is in its final form.
    pub(super) fn url(&self, region: &str, key: Option<&str>, query: &str) -> Option<Url> {
        let mut url = self.server_in(region)?;
        let key = key.map(|key| utf8_percent_encode(key, ESCAPED_IN_PATHS).to_string());
        let key = key.unwrap_or_default();
        match self.in_path {
            true => {
                let bucket = utf8_percent_encode(&self.bucket, ESCAPED);
                let slash = if key.is_empty() { "" } else { "/" };
                url.set_path(&format!("/{bucket}{slash}{key}"));
            }
            false => {
                let host = format!("{}.{}", self.bucket, url.host_str()?);
                url.set_host(Some(&host)).ok()?;
                url.set_path(&format!("/{key}"));
            }
        }
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        Some(url)
    }

    fn server_in(&self, region: &str) -> Option<Url> {
        match &self.server {
            Server::Other(url) => Some(url.clone()),
            Server::Aws {
                given: Some((url, of)),
            } if of == region => Some(url.clone()),
            Server::Aws { .. } => {
                let end = if region.starts_with("cn-") { ".cn" } else { "" };
                Url::parse(&format!("https://s3.{region}.amazonaws.com{end}/")).ok()
            }
        }
    }
}

fn is_aws(host: &str) -> bool {
    let host = host.strip_suffix(".cn").unwrap_or(host);
    let names_s3 = host.starts_with("s3.") || host.starts_with("s3-");
    names_s3 && host.ends_with(".amazonaws.com")
}

/// `s3.eu-central-1.amazonaws.com`, `s3.dualstack.eu-west-1.amazonaws.com`, `s3-eu-west-1.amazonaws.com`, and with other
/// providers the second part of a name that begins with `s3.`: `s3.eu-central-003.backblazeb2.com`.
fn region_of_host(host: &str) -> Option<String> {
    let (first, rest) = host.split_once('.')?;
    if is_aws(host) {
        let rest = rest.strip_prefix("dualstack.").unwrap_or(rest);
        let region = match first.strip_prefix("s3-") {
            Some(region) => region,
            None => rest
                .strip_suffix(".cn")
                .unwrap_or(rest)
                .strip_suffix(".amazonaws.com")?,
        };
        return Some(region.to_owned());
    }
    if host.ends_with(".r2.cloudflarestorage.com") {
        return Some("auto".to_owned());
    }
    let (region, domain) = rest.split_once('.')?;
    let is_region = region.contains('-') && domain.contains('.');
    (first == "s3" && is_region).then(|| region.to_owned())
}

fn is_host_part(bucket: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let has_length = (3..=63).contains(&bucket.len());
    has_length && bucket.bytes().all(plain) && !bucket.starts_with('-') && !bucket.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HttpOptions;
    use crate::{Options, Surroundings};

    fn endpoint(address: &str, pairs: &[&str]) -> Endpoint {
        let options = Options::parse(pairs.iter().copied()).unwrap();
        let surroundings = Surroundings::default();
        let http = HttpOptions::new(&options, &surroundings, Default::default()).unwrap();
        let options = S3Options::new(&options, &surroundings, http).unwrap();
        Endpoint::new(&S3Location::parse(address).unwrap(), &options)
    }

    fn asks(endpoint: &Endpoint, key: &str) -> String {
        endpoint
            .url(&endpoint.region(), Some(key), "")
            .unwrap()
            .into()
    }

    /// A bucket looked for on the wrong host is one that is not there.
    #[test]
    fn buckets_stand_where_the_server_expects_them() {
        for (address, pairs, expected) in [
            (
                "//bucket",
                &[][..],
                "https://bucket.s3.us-east-1.amazonaws.com/k",
            ),
            (
                "//bucket",
                &["s3.region=cn-north-1"],
                "https://bucket.s3.cn-north-1.amazonaws.com.cn/k",
            ),
            (
                "s3.amazonaws.com/bucket",
                &["s3.region=eu-west-2"],
                "https://bucket.s3.eu-west-2.amazonaws.com/k",
            ),
            (
                "s3-eu-west-1.amazonaws.com/my.bucket",
                &[],
                "https://s3-eu-west-1.amazonaws.com/my.bucket/k",
            ),
            (
                "s3.dualstack.eu-west-1.amazonaws.com/bucket",
                &[],
                "https://bucket.s3.dualstack.eu-west-1.amazonaws.com/k",
            ),
            (
                "//bucket",
                &["s3.endpoint=http://h:9"],
                "http://h:9/bucket/k",
            ),
            (
                "https://h:9/bucket",
                &["s3.path-style=false"],
                "https://bucket.h:9/k",
            ),
        ] {
            assert_eq!(asks(&endpoint(address, pairs), "k"), expected);
        }
        let strange = asks(&endpoint("https://h/b", &[]), "a b/ü'(~");
        assert_eq!(strange, "https://h/b/a%20b/%C3%BC%27%28~");
    }

    #[test]
    fn the_region_comes_from_the_host_and_from_what_the_server_says() {
        for (address, region) in [
            ("s3.eu-central-003.backblazeb2.com/b", "eu-central-003"),
            ("abc.r2.cloudflarestorage.com/b", "auto"),
            ("s3.fr-par.scw.cloud/b", "fr-par"),
            ("s3.example.org/b", "us-east-1"),
            ("https://127.0.0.1:9000/b", "us-east-1"),
        ] {
            assert_eq!(endpoint(address, &[]).region(), region);
        }
        let here = endpoint("s3.eu-central-1.amazonaws.com/bucket", &[]);
        assert!(!here.moves("eu-central-1", "eu-central-1"));
        assert!(!here.moves("eu-central-1", "evil.example/"));
        assert!(here.moves("eu-central-1", "eu-north-1"));
        assert_eq!(
            asks(&here, "k"),
            "https://bucket.s3.eu-north-1.amazonaws.com/k"
        );
    }
}
