use serde::Deserialize;

use crate::format::go_json::Object;
use crate::format::read::Base64;
use crate::format::{FormatError, Id, Time};

/// A file under `strongroom/trash/`, named by the snapshot: a snapshot that was forgotten and can be brought back.
///
/// Stored encrypted, as restic's own small files are. It holds the bytes of the snapshot's file, so that what comes back
/// is the same file under the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrashRecord {
    /// The snapshot: the SHA-256 of `stored`.
    pub snapshot: Id,
    /// Its file as it was stored.
    pub stored: Vec<u8>,
    /// When it was forgotten, by the clock of whoever did it.
    pub forgotten_at: Time,
    /// From when on it is kept: not before any time that was known when it was forgotten, whatever that clock said.
    pub counted_from: Time,
    /// Until when it is kept; not before `counted_from`.
    pub kept_until: Time,
}

/// A record of another version is left alone by this program.
const VERSION: u64 = 1;

#[derive(Deserialize)]
struct Fields {
    version: u64,
    snapshot: Id,
    file: Base64,
    forgotten_at: Time,
    counted_from: Time,
    kept_until: Time,
}

impl TrashRecord {
    /// Reads the JSON of a record.
    ///
    /// # Errors
    /// [`FormatError::Json`] if it is none, [`FormatError::Value`] if it is of another version, its bytes are not the
    /// snapshot's, or it ends before it begins.
    pub fn decode(json: &[u8]) -> Result<Self, FormatError> {
        const WHAT: &str = "trash record";
        let fields: Fields =
            serde_json::from_slice(json).map_err(|error| FormatError::json(WHAT, &error))?;
        let wrong = |detail: String| Err(FormatError::value(WHAT, detail));
        if fields.version != VERSION {
            return wrong(format!("version {} is not known", fields.version));
        }
        if Id::of(&fields.file.0) != fields.snapshot {
            return wrong("its bytes are not those of the snapshot that it names".to_owned());
        }
        if fields.kept_until < fields.counted_from {
            return wrong("it ends before it begins".to_owned());
        }
        Ok(Self {
            snapshot: fields.snapshot,
            stored: fields.file.0,
            forgotten_at: fields.forgotten_at,
            counted_from: fields.counted_from,
            kept_until: fields.kept_until,
        })
    }

    /// The JSON.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        object.number("version", VERSION);
        object.id("snapshot", &self.snapshot);
        object.base64("file", &self.stored);
        object.time("forgotten_at", &self.forgotten_at);
        object.time("counted_from", &self.counted_from);
        object.time("kept_until", &self.kept_until);
        object.end();
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> TrashRecord {
        TrashRecord {
            snapshot: Id::of(b"a snapshot's file"),
            stored: b"a snapshot's file".to_vec(),
            forgotten_at: "2026-11-20T12:00:00Z".parse().unwrap(),
            counted_from: "2026-11-20T12:00:00Z".parse().unwrap(),
            kept_until: "2026-12-04T12:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_record_comes_back() {
        assert_eq!(TrashRecord::decode(&record().encode()).unwrap(), record());
    }

    /// A record that is believed when it is not what was written lets a prune remove what it should keep.
    #[test]
    fn what_makes_no_sense_is_refused() {
        let json = String::from_utf8(record().encode()).unwrap();
        for (from, to) in [
            (r#""version":1"#, r#""version":2"#),
            (r#""version":1,"#, ""),
            (r#""file":""#, r#""file":"AAAA"#),
            ("2026-12-04", "2026-10-04"),
            (r#""kept_until""#, r#""other""#),
        ] {
            let wrong = json.replacen(from, to, 1);
            assert_ne!(wrong, json);
            assert!(TrashRecord::decode(wrong.as_bytes()).is_err(), "{from}");
        }
    }

    #[test]
    fn damage_is_an_error_or_another_record_but_no_panic() {
        let json = record().encode();
        for length in 0..json.len() {
            assert!(TrashRecord::decode(&json[..length]).is_err());
        }
        for bit in 0..json.len() * 8 {
            let mut damaged = json.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let _ = TrashRecord::decode(&damaged);
        }
    }
}
