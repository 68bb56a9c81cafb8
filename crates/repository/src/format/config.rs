use serde::Deserialize;

use crate::chunker::Polynomial;
use crate::format::go_json::Object;
use crate::format::{FormatError, Id};

/// Version of a repository's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RepositoryVersion {
    /// Nothing is compressed.
    V1 = 1,
    /// Blobs and unpacked files may be compressed.
    V2 = 2,
}

/// The file `config`: what is settled for all the life of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Version of the format.
    pub version: RepositoryVersion,
    /// Random name of the repository.
    pub id: Id,
    /// What the chunker cuts with.
    pub chunker_polynomial: Polynomial,
}

#[derive(Deserialize)]
struct Fields {
    version: u64,
    id: Id,
    chunker_polynomial: String,
}

impl Config {
    /// Reads the JSON of a config.
    ///
    /// # Errors
    /// [`FormatError::UnsupportedVersion`] for a version that is not known, whatever else is in it;
    /// [`FormatError::Json`] or [`FormatError::Value`] if it is no config, or its polynomial cannot be used.
    pub fn decode(json: &[u8]) -> Result<Self, FormatError> {
        #[derive(Deserialize)]
        struct VersionOnly {
            version: u64,
        }
        let what = "config";
        let invalid = |error: serde_json::Error| FormatError::json(what, &error);
        let version = match serde_json::from_slice::<VersionOnly>(json)
            .map_err(invalid)?
            .version
        {
            1 => RepositoryVersion::V1,
            2 => RepositoryVersion::V2,
            other => return Err(FormatError::UnsupportedVersion(other)),
        };
        let fields: Fields = serde_json::from_slice(json).map_err(invalid)?;
        debug_assert_eq!(fields.version, version as u64);
        let chunker_polynomial = fields
            .chunker_polynomial
            .parse()
            .map_err(|error| FormatError::value(what, format!("chunker_polynomial: {error}")))?;
        Ok(Self {
            version,
            id: fields.id,
            chunker_polynomial,
        })
    }

    /// The JSON as restic writes it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        object.number("version", self.version as u64);
        object.id("id", &self.id);
        object.string(
            "chunker_polynomial",
            self.chunker_polynomial.to_string().as_bytes(),
        );
        object.end();
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"version":2,"id":"e186b0956020d741720d876120ffbb62e9f246f39d70daa28771147198c4550f","chunker_polynomial":"2617f5ccda21f1"}"#;

    #[test]
    fn a_config_keeps_its_bytes() {
        let config = Config::decode(JSON.as_bytes()).unwrap();
        assert_eq!(config.version, RepositoryVersion::V2);
        assert_eq!(String::from_utf8(config.encode()).unwrap(), JSON);
    }

    #[test]
    fn a_newer_version_is_told_from_damage() {
        for version in [0, 3, 99] {
            let json = format!(r#"{{"version":{version},"new":[1]}}"#);
            assert_eq!(
                Config::decode(json.as_bytes()),
                Err(FormatError::UnsupportedVersion(version))
            );
        }
    }

    #[test]
    fn an_unusable_polynomial_is_refused() {
        // Too short, too long, reducible, zero, not a number.
        for polynomial in [
            "1",
            "4000000000000f",
            "2617f5ccda21f0",
            "20000000000001",
            "0",
            "",
            "x",
            "ffffffffffffffffff",
        ] {
            let json = JSON.replace("2617f5ccda21f1", polynomial);
            assert!(Config::decode(json.as_bytes()).is_err(), "{polynomial}");
        }
    }

    #[test]
    fn damage_is_an_error_or_another_config_but_no_panic() {
        for length in 0..JSON.len() {
            assert!(Config::decode(&JSON.as_bytes()[..length]).is_err());
        }
        for bit in 0..JSON.len() * 8 {
            let mut damaged = JSON.as_bytes().to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let _ = Config::decode(&damaged);
        }
    }
}
