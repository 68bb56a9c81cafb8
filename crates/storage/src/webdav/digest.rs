//! Digest authentication: what a server asks (RFC 9110, section 11.6.1) and what it is answered (RFC 7616).

use std::fmt::Write;

use data_encoding::HEXLOWER;
use md5::Md5;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// A way of signing in that a server offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Offer {
    Basic,
    Digest(Challenge),
    /// Any other.
    Other,
}

/// What a server wants to see proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    realm: String,
    pub(super) nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// As the server wrote it; left out of the answer where the server left it out.
    algorithm_name: Option<String>,
    is_session: bool,
    /// Whether the server counts requests; those of RFC 2069 do not.
    has_qop: bool,
    /// The sign-in was good and the nonce is too old.
    pub(super) is_stale: bool,
}

/// In the order of preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha256,
}

/// Who signs in.
#[derive(Clone, Copy)]
pub(super) struct Who<'a> {
    pub(super) user: &'a str,
    pub(super) password: &'a str,
}

/// What for.
#[derive(Clone, Copy)]
pub(super) struct What<'a> {
    pub(super) method: &'a str,
    /// Path and query, as in the request.
    pub(super) uri: &'a str,
}

impl Algorithm {
    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => HEXLOWER.encode(&Md5::digest(text)),
            Self::Sha256 => HEXLOWER.encode(&Sha256::digest(text)),
        }
    }
}

/// What the headers of an answer offer.
pub(super) fn offers(headers: &[String]) -> Vec<Offer> {
    let challenges = headers.iter().flat_map(|header| split(header));
    let offer = |(scheme, parameters): (String, Parameters)| {
        if scheme.eq_ignore_ascii_case("basic") {
            return Offer::Basic;
        }
        let is_digest = scheme.eq_ignore_ascii_case("digest");
        let challenge = is_digest.then(|| Challenge::new(&parameters)).flatten();
        challenge.map_or(Offer::Other, Offer::Digest)
    };
    challenges.map(offer).collect()
}

/// The strongest digest of the offers.
pub(super) fn strongest(offers: &[Offer]) -> Option<&Challenge> {
    let digests = offers.iter().filter_map(|offer| match offer {
        Offer::Digest(challenge) => Some(challenge),
        _ => None,
    });
    digests.max_by_key(|challenge| challenge.algorithm)
}

impl Challenge {
    /// `None` where it asks for what is not known here.
    fn new(parameters: &Parameters) -> Option<Self> {
        let of = |name: &str| {
            let mut found = parameters
                .iter()
                .filter(|(known, _)| known.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.as_str())
        };
        let name = of("algorithm").unwrap_or("MD5").to_ascii_lowercase();
        let plain = name.strip_suffix("-sess");
        let algorithm = match plain.unwrap_or(&name) {
            "md5" => Algorithm::Md5,
            "sha-256" => Algorithm::Sha256,
            _ => return None,
        };
        let has_qop = match of("qop") {
            None => false,
            Some(ways) => {
                let mut ways = ways.split(',').map(str::trim);
                ways.find(|way| way.eq_ignore_ascii_case("auth"))?;
                true
            }
        };
        Some(Self {
            realm: of("realm").unwrap_or_default().to_owned(),
            nonce: of("nonce")?.to_owned(),
            opaque: of("opaque").map(str::to_owned),
            algorithm,
            algorithm_name: of("algorithm").map(str::to_owned),
            is_session: plain.is_some(),
            has_qop,
            is_stale: of("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    /// The value of the header that answers it, for the `count`th request (from 1) with this nonce.
    pub(super) fn answer(&self, who: Who<'_>, what: What<'_>, client: &str, count: u32) -> String {
        let hash = |text: &str| self.algorithm.hash(text);
        let mut first = hash(&format!("{}:{}:{}", who.user, self.realm, who.password));
        if self.is_session {
            first = hash(&format!("{first}:{}:{client}", self.nonce));
        }
        let second = hash(&format!("{}:{}", what.method, what.uri));
        let response = match self.has_qop {
            true => format!("{first}:{}:{count:08x}:{client}:auth:{second}", self.nonce),
            false => format!("{first}:{}:{second}", self.nonce),
        };
        let mut header = "Digest ".to_owned();
        // Writing into a string does not fail.
        let _ = match who.user.is_ascii() {
            true => write!(header, "username=\"{}\"", quoted(who.user)),
            false => {
                let encoded = utf8_percent_encode(who.user, NON_ALPHANUMERIC);
                write!(header, "username*=UTF-8''{encoded}")
            }
        };
        let _ = write!(
            header,
            ", realm=\"{}\", nonce=\"{}\", uri=\"{}\", response=\"{}\"",
            quoted(&self.realm),
            quoted(&self.nonce),
            what.uri,
            hash(&response)
        );
        if let Some(name) = &self.algorithm_name {
            let _ = write!(header, ", algorithm={name}");
        }
        if let Some(opaque) = &self.opaque {
            let _ = write!(header, ", opaque=\"{}\"", quoted(opaque));
        }
        if self.has_qop || self.is_session {
            let _ = write!(header, ", cnonce=\"{client}\"");
        }
        if self.has_qop {
            let _ = write!(header, ", qop=auth, nc={count:08x}");
        }
        header
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

type Parameters = Vec<(String, String)>;

/// Schemes with their parameters. One header may hold several, and commas stand between parameters as between schemes: a
/// word with `=` behind it is a parameter, any other begins the next scheme.
fn split(header: &str) -> Vec<(String, Parameters)> {
    let mut found: Vec<(String, Parameters)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        let end = rest.find([',', ' ', '\t', '=']).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if word.is_empty() && behind.is_empty() {
            return found;
        }
        rest = behind.trim_start_matches([' ', '\t']);
        let Some(value) = rest.strip_prefix('=') else {
            found.push((word.to_owned(), Vec::new()));
            continue;
        };
        let (value, behind) = take_value(value.trim_start_matches([' ', '\t']));
        rest = behind;
        if let Some((_, parameters)) = found.last_mut() {
            parameters.push((word.to_owned(), value));
        }
    }
}

/// A word, or what stands between quotes, and what follows it.
fn take_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (word, behind) = text.split_at(end);
        return (word.to_owned(), behind);
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
            _ => value.push(letter),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests;
