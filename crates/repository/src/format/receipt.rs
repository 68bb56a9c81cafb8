use serde::Deserialize;

use crate::format::{FormatError, Time};

/// A file under `strongroom/receipts/`, named by a snapshot: when a server received it, by the server's own clock.
///
/// Written in the clear by `serve-rest`, which has no key, and by nobody else: its clients cannot write there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// When the snapshot arrived.
    pub received: Time,
}

/// Fields that later servers may add are passed over.
#[derive(Deserialize)]
struct Fields {
    received: Time,
}

impl Receipt {
    /// Most bytes of one; a name of a user takes the rest.
    pub const BYTES_MAX: usize = 64 << 10;

    /// Reads the JSON of a receipt.
    ///
    /// # Errors
    /// [`FormatError::Json`] if it is none, [`FormatError::TooLarge`].
    pub fn decode(json: &[u8]) -> Result<Self, FormatError> {
        const WHAT: &str = "receipt";
        if json.len() > Self::BYTES_MAX {
            return Err(FormatError::TooLarge {
                what: WHAT,
                limit_bytes: Self::BYTES_MAX as u64,
            });
        }
        let fields: Fields =
            serde_json::from_slice(json).map_err(|error| FormatError::json(WHAT, &error))?;
        let received = fields.received;
        Ok(Self { received })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_read_and_what_has_none_is_an_error() {
        let receipt = Receipt::decode(br#"{"received":"2026-11-20T12:00:00Z","user":null}"#);
        let expected = "2026-11-20T12:00:00Z".parse().unwrap();
        assert_eq!(receipt.unwrap().received, expected);
        for wrong in [&b"{}"[..], b"", b"[]", br#"{"received":7}"#] {
            assert!(Receipt::decode(wrong).is_err());
        }
        assert!(Receipt::decode(&vec![b' '; Receipt::BYTES_MAX + 1]).is_err());
    }
}
