use serde::Deserialize;

use crate::format::go_json::Object;
use crate::format::{FormatError, Time, read};

/// A file under `locks/`: who works with the repository, and whether alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// When it was written or last refreshed.
    pub time: Time,
    /// Nobody else may work with the repository.
    pub exclusive: bool,
    /// Name of the machine.
    pub hostname: String,
    /// Name of the user.
    pub username: String,
    /// Process on the machine. Signed, since restic allows it.
    pub pid: i64,
    /// The user; 0 is not written.
    pub uid: u32,
    /// The user's group; 0 is not written.
    pub gid: u32,
    /// What makes the process unique for ever, if `strongroom` wrote the lock; a field that restic ignores. Not written
    /// if empty.
    pub process: String,
}

#[derive(Deserialize)]
struct Fields {
    time: Time,
    #[serde(default, deserialize_with = "read::null_is_default")]
    exclusive: bool,
    #[serde(default, deserialize_with = "read::null_is_default")]
    hostname: String,
    #[serde(default, deserialize_with = "read::null_is_default")]
    username: String,
    #[serde(default, deserialize_with = "read::null_is_default")]
    pid: i64,
    #[serde(default, deserialize_with = "read::null_is_default")]
    uid: u32,
    #[serde(default, deserialize_with = "read::null_is_default")]
    gid: u32,
    #[serde(default, deserialize_with = "read::null_is_default")]
    process: String,
}

impl Lock {
    /// Reads the JSON of a lock.
    ///
    /// # Errors
    /// [`FormatError::Json`] if it is none.
    pub fn decode(json: &[u8]) -> Result<Self, FormatError> {
        let fields: Fields =
            serde_json::from_slice(json).map_err(|error| FormatError::json("lock", &error))?;
        Ok(Self {
            time: fields.time,
            exclusive: fields.exclusive,
            hostname: fields.hostname,
            username: fields.username,
            pid: fields.pid,
            uid: fields.uid,
            gid: fields.gid,
            process: fields.process,
        })
    }

    /// The JSON as restic writes it, with `process` behind.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        object.time("time", &self.time);
        object.boolean("exclusive", self.exclusive);
        object.string("hostname", self.hostname.as_bytes());
        object.string("username", self.username.as_bytes());
        object.raw("pid", self.pid.to_string().as_bytes());
        object.number_if("uid", self.uid.into());
        object.number_if("gid", self.gid.into());
        if !self.process.is_empty() {
            object.string("process", self.process.as_bytes());
        }
        object.end();
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"time":"2026-11-20T12:01:30.1+01:00","exclusive":true,"hostname":"vm","username":"ann","pid":12,"uid":1000,"gid":100}"#;

    #[test]
    fn a_lock_keeps_its_bytes() {
        for json in [
            JSON.to_owned(),
            JSON.replace(r#","uid":1000,"gid":100"#, ""),
            JSON.replace("12,", "-1,"),
        ] {
            let lock = Lock::decode(json.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(lock.encode()).unwrap(), json);
        }
    }

    #[test]
    fn damage_is_an_error_or_another_lock_but_no_panic() {
        for length in 0..JSON.len() {
            assert!(Lock::decode(&JSON.as_bytes()[..length]).is_err());
        }
        for bit in 0..JSON.len() * 8 {
            let mut damaged = JSON.as_bytes().to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let _ = Lock::decode(&damaged);
        }
    }
}
