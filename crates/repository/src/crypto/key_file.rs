use zeroize::Zeroizing;

use crate::crypto::{CryptoError, KdfParams, MasterKey, SALT_LENGTH, fill_random};
use crate::format::key_file::{decode_master_key, encode_master_key};
use crate::format::{KeyFile, Time};

/// Who makes a key file, and when; shown in lists of keys and not used otherwise.
#[derive(Debug, Clone)]
pub struct KeyOwner {
    /// The moment.
    pub created: Time,
    /// Name of the user.
    pub username: String,
    /// Name of the machine.
    pub hostname: String,
}

impl KeyFile {
    /// Encrypts the master key with a password. Takes as long as the parameters ask for, on this thread.
    ///
    /// # Errors
    /// [`CryptoError::KdfParams`] for unusable parameters, [`CryptoError::Random`] without random bytes.
    pub fn create(
        password: &[u8],
        master: &MasterKey,
        params: KdfParams,
        owner: KeyOwner,
    ) -> Result<Self, CryptoError> {
        let mut salt = vec![0; SALT_LENGTH];
        fill_random(&mut salt)?;
        let user_key = params.derive(password, &salt)?;
        let data = user_key.seal(&encode_master_key(master))?;
        Ok(Self {
            created: owner.created,
            username: owner.username,
            hostname: owner.hostname,
            kdf: "scrypt".to_owned(),
            n: params.n,
            r: params.r,
            p: params.p,
            salt,
            data,
        })
    }

    /// The master key, or `None` if the password does not belong to this key file.
    ///
    /// A damaged key file cannot be told from a wrong password where the damage is in its encrypted part or its salt.
    /// Takes as long as the parameters ask for, on this thread.
    ///
    /// # Errors
    /// [`CryptoError::KeyFile`] for an unknown derivation or a wrong salt, [`CryptoError::KdfParams`] for parameters
    /// that cost too much, [`CryptoError::InvalidKey`] if the password fits and what it opens is no key.
    pub fn unlock(&self, password: &[u8]) -> Result<Option<MasterKey>, CryptoError> {
        if self.kdf != "scrypt" {
            return Err(CryptoError::KeyFile(
                "its key derivation function is not scrypt",
            ));
        }
        let params = KdfParams {
            n: self.n,
            r: self.r,
            p: self.p,
        };
        let user_key = params.derive(password, &self.salt)?;
        match user_key.open(&self.data) {
            Ok(json) => decode_master_key(&Zeroizing::new(json)).map(Some),
            Err(CryptoError::WrongMac) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: KdfParams = KdfParams { n: 16, r: 1, p: 3 };

    fn owner() -> KeyOwner {
        KeyOwner {
            created: Time::from_unix(1_700_000_000, 5, &jiff::tz::TimeZone::UTC),
            username: "ann".to_owned(),
            hostname: "host".to_owned(),
        }
    }

    #[test]
    fn the_right_password_opens_and_no_other() {
        let master = MasterKey::generate().unwrap();
        let file = KeyFile::create("pässword".as_bytes(), &master, CHEAP, owner()).unwrap();
        let read = KeyFile::decode(&file.encode()).unwrap();
        assert_eq!(read, file);
        assert_eq!(read.created, file.created);
        let opened = read.unlock("pässword".as_bytes()).unwrap().unwrap();
        assert_eq!(opened.parts(), master.parts());
        for wrong in ["", "password", "pässword ", "Pässword"] {
            assert!(
                read.unlock(wrong.as_bytes()).unwrap().is_none(),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn damaged_key_files_are_errors_or_wrong_passwords_but_never_keys() {
        let master = MasterKey::generate().unwrap();
        let json = KeyFile::create(b"x", &master, CHEAP, owner())
            .unwrap()
            .encode();
        for length in 0..json.len() {
            assert!(KeyFile::decode(&json[..length]).is_err());
        }
        for bit in 0..json.len() * 8 {
            let mut damaged = json.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let Ok(file) = KeyFile::decode(&damaged) else {
                continue;
            };
            // A flipped digit of N, r or p may ask for a lot of work that is allowed; it is not worth a test's time.
            if file.n.saturating_mul(file.r).saturating_mul(file.p) > 1 << 12 {
                continue;
            }
            if let Ok(Some(key)) = file.unlock(b"x") {
                assert_eq!(key.parts(), master.parts());
            }
        }
    }

    #[test]
    fn an_unknown_derivation_is_an_error() {
        let master = MasterKey::generate().unwrap();
        let mut file = KeyFile::create(b"x", &master, CHEAP, owner()).unwrap();
        file.kdf = "argon2".to_owned();
        assert!(matches!(file.unlock(b"x"), Err(CryptoError::KeyFile(_))));
    }

    #[test]
    fn what_opens_but_is_no_key_is_an_error() {
        let salt = [7; SALT_LENGTH];
        let user_key = CHEAP.derive(b"x", &salt).unwrap();
        let master = MasterKey::generate().unwrap();
        let mut file = KeyFile::create(b"x", &master, CHEAP, owner()).unwrap();
        file.salt = salt.to_vec();
        for json in [
            &b""[..],
            b"{}",
            br#"{"mac":{"k":"","r":""},"encrypt":""}"#,
            br#"{"mac":{"k":"AAAAAAAAAAAAAAAAAAAAAA==","r":"AAAAAAAAAAAAAAAAAAAAAA=="},"encrypt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#,
        ] {
            file.data = user_key.seal(json).unwrap();
            assert_eq!(file.unlock(b"x").unwrap_err(), CryptoError::InvalidKey);
        }
    }
}
