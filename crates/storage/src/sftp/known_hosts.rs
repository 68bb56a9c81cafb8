//! The host keys that a person has accepted: files in the format of OpenSSH's `known_hosts` (sshd(8)).

use std::path::{Path, PathBuf};

use data_encoding::{BASE64, BASE64_NOPAD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::patterns::matches_any;

/// The lines that are about one host.
#[derive(Debug, Default)]
pub(super) struct KnownHosts {
    lines: Vec<Line>,
}

/// One line that is about the host.
#[derive(Debug)]
struct Line {
    file: PathBuf,
    number: usize,
    marker: Marker,
    algorithm: String,
    key: Vec<u8>,
    /// It names the port; otherwise it names the host alone, which for another port than 22 is only a hint.
    is_exact: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    None,
    Revoked,
    /// The key of an authority that signs host keys; we understand no such signatures.
    Authority,
}

/// What the files say of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict<'a> {
    Known,
    /// Somebody has said that this key is no longer to be trusted.
    Revoked(&'a Path, usize),
    /// Another key of the same kind is known.
    Changed(&'a Path, usize),
    /// No key of this kind is known; `other` are the kinds that are.
    Unknown {
        other: Vec<&'a str>,
        authority: bool,
    },
}

/// The name under which a host stands in such a file.
pub(super) fn name_of(host: &str, port: u16) -> String {
    match port {
        22 => host.to_owned(),
        port => format!("[{host}]:{port}"),
    }
}

impl KnownHosts {
    /// Takes the lines about the host from the text of a file. What cannot be read is passed over, as OpenSSH does.
    pub(super) fn add(&mut self, file: &Path, text: &str, host: &str, port: u16) {
        let host = host.to_ascii_lowercase();
        let exact = name_of(&host, port);
        for (index, line) in text.lines().enumerate() {
            let Some((marker, names, algorithm, key)) = fields(line) else {
                continue;
            };
            let is_exact = is_about(names, &exact);
            if !is_exact && !is_about(names, &host) {
                continue;
            }
            self.lines.push(Line {
                file: file.to_owned(),
                number: index + 1,
                marker,
                algorithm: algorithm.to_owned(),
                key,
                is_exact,
            });
        }
    }

    /// What the files say of this key.
    pub(super) fn verdict(&self, algorithm: &str, key: &[u8]) -> Verdict<'_> {
        let same = |line: &&Line| line.algorithm == algorithm && line.key == key;
        let revoked = |line: &&Line| line.marker == Marker::Revoked && same(line);
        if let Some(line) = self.lines.iter().find(revoked) {
            return Verdict::Revoked(&line.file, line.number);
        }
        let plain = || self.lines.iter().filter(|line| line.marker == Marker::None);
        if plain().any(|line| same(&line)) {
            return Verdict::Known;
        }
        let changed = |line: &&Line| line.is_exact && line.algorithm == algorithm;
        if let Some(line) = plain().find(changed) {
            return Verdict::Changed(&line.file, line.number);
        }
        let mut other: Vec<&str> = plain()
            .filter(|line| line.is_exact)
            .map(|line| line.algorithm.as_str())
            .collect();
        other.dedup();
        let authority = |line: &Line| line.marker == Marker::Authority;
        Verdict::Unknown {
            other,
            authority: self.lines.iter().any(authority),
        }
    }

    /// The kinds of keys that are known, so that the server can be asked for one of them.
    pub(super) fn algorithms(&self) -> impl Iterator<Item = &str> {
        let plain = self.lines.iter().filter(|line| line.marker == Marker::None);
        plain.map(|line| line.algorithm.as_str())
    }
}

/// Marker, names, kind and key of a line.
fn fields(line: &str) -> Option<(Marker, &str, &str, Vec<u8>)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let mut words = line.split_ascii_whitespace();
    let first = words.next()?;
    let (marker, names) = match first {
        "@revoked" => (Marker::Revoked, words.next()?),
        "@cert-authority" => (Marker::Authority, words.next()?),
        unknown if unknown.starts_with('@') => return None,
        names => (Marker::None, names),
    };
    let algorithm = words.next()?;
    let key = words.next()?.trim_end_matches('=');
    Some((
        marker,
        names,
        algorithm,
        BASE64_NOPAD.decode(key.as_bytes()).ok()?,
    ))
}

/// Whether a list of names, patterns and hashes has the name.
fn is_about(names: &str, name: &str) -> bool {
    if names.starts_with("|1|") {
        return is_hash_of(names, name);
    }
    matches_any(names.split(','), name)
}

/// `|1|SALT|HASH`: the name, hashed so that the file does not tell where its owner goes.
fn is_hash_of(hashed: &str, name: &str) -> bool {
    let mut parts = hashed.split('|').skip(2);
    let mut next = || BASE64.decode(parts.next()?.as_bytes()).ok();
    let (Some(salt), Some(hash)) = (next(), next()) else {
        return false;
    };
    let Ok(hmac) = Hmac::<Sha1>::new_from_slice(&salt) else {
        return false;
    };
    hmac.chain_update(name).verify_slice(&hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g";
    const OTHER: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIP8CAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g";

    fn decoded(key: &str) -> Vec<u8> {
        BASE64_NOPAD.decode(key.as_bytes()).unwrap()
    }

    fn known(text: &str, host: &str, port: u16) -> KnownHosts {
        let mut known = KnownHosts::default();
        known.add(Path::new("/known"), text, host, port);
        known
    }

    fn verdict(text: &str, host: &str, port: u16) -> String {
        let known = known(text, host, port);
        format!("{:?}", known.verdict("ssh-ed25519", &decoded(KEY)))
    }

    /// Whoever takes a name for known that is not gives the password and the data to whoever answers.
    #[test]
    fn a_key_is_known_for_the_names_of_its_line_alone() {
        for (names, host, port, expected) in [
            ("host", "host", 22, "Known"),
            ("host", "HOST", 22, "Known"),
            ("a,host,b", "host", 22, "Known"),
            ("*.example.org", "a.example.org", 22, "Known"),
            (
                "*.example.org,!a.example.org",
                "a.example.org",
                22,
                "Unknown",
            ),
            ("h?st", "host", 22, "Known"),
            ("host", "host2", 22, "Unknown"),
            ("host", "xhost", 22, "Unknown"),
            ("[host]:2222", "host", 2222, "Known"),
            ("[host]:2222", "host", 2223, "Unknown"),
            ("[host]:2222", "host", 22, "Unknown"),
            // Known without a port, as OpenSSH takes it.
            ("host", "host", 2222, "Known"),
        ] {
            let line = format!("# comment\n\n{names} ssh-ed25519 {KEY} me@home\n");
            let found = verdict(&line, host, port);
            assert!(
                found.starts_with(expected),
                "{names} {host} {port}: {found}"
            );
        }
    }

    /// Made by `ssh-keygen -H` for the name `host`.
    #[test]
    fn hashed_names_are_found() {
        let line = hashed("host");
        assert_eq!(verdict(&line, "host", 22), "Known");
        assert!(verdict(&line, "host2", 22).starts_with("Unknown"));
        let line = hashed("[host]:2222");
        assert_eq!(verdict(&line, "host", 2222), "Known");
        for broken in ["|1|", "|1|x|y", "|1|AAAA", "|2|AAAA|AAAA"] {
            let line = format!("{broken} ssh-ed25519 {KEY}");
            assert!(verdict(&line, "host", 22).starts_with("Unknown"));
        }
    }

    fn hashed(name: &str) -> String {
        let salt = [7; 20];
        let hash = Hmac::<Sha1>::new_from_slice(&salt).unwrap();
        let hash = hash.chain_update(name).finalize().into_bytes();
        let (salt, hash) = (BASE64.encode(&salt), BASE64.encode(&hash));
        format!("|1|{salt}|{hash} ssh-ed25519 {KEY}")
    }

    #[test]
    fn a_changed_key_is_told_from_an_unknown_one() {
        let other = format!("a ssh-ed25519 {OTHER}\nhost ssh-ed25519 {OTHER}\n");
        assert_eq!(verdict(&other, "host", 22), "Changed(\"/known\", 2)");
        // Two are right: the server may have been given a new one.
        let both = format!("host ssh-ed25519 {OTHER}\nhost ssh-ed25519 {KEY}\n");
        assert_eq!(verdict(&both, "host", 22), "Known");
        let kind = format!("host ecdsa-sha2-nistp256 {OTHER}\n");
        let known = known(&kind, "host", 22);
        assert_eq!(
            known.verdict("ssh-ed25519", &decoded(KEY)),
            Verdict::Unknown {
                other: vec!["ecdsa-sha2-nistp256"],
                authority: false
            }
        );
        assert_eq!(
            known.algorithms().collect::<Vec<_>>(),
            ["ecdsa-sha2-nistp256"]
        );
        // What stands there without the port is no reason to call another server's key changed.
        assert!(verdict(&format!("host ssh-ed25519 {OTHER}"), "host", 2222).starts_with("Unknown"));
    }

    #[test]
    fn a_revoked_key_is_refused_even_where_it_is_known() {
        let line = format!("host ssh-ed25519 {KEY}\n@revoked * ssh-ed25519 {KEY}\n");
        assert_eq!(verdict(&line, "host", 22), "Revoked(\"/known\", 2)");
        let authority = format!("@cert-authority *.org ssh-ed25519 {KEY}");
        assert_eq!(
            verdict(&authority, "a.org", 22),
            "Unknown { other: [], authority: true }"
        );
    }
}
