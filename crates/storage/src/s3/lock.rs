//! Object lock: what is held against removal, and for how long.

use std::time::SystemTime;

use jiff::Timestamp;

use crate::failure::Failure;
use crate::{ErrorKind, StoragePath};

use super::abilities::with_md5;
use super::request::S3Request;
use super::{S3Storage, Step};

const MODE: &str = "x-amz-object-lock-mode";
const UNTIL: &str = "x-amz-object-lock-retain-until-date";

impl S3Storage {
    /// A request that makes a file, with the lock that was asked for.
    pub(super) fn locked(&self, request: S3Request) -> S3Request {
        let Some(lock) = self.options.lock else {
            return request;
        };
        let until = Timestamp::now().checked_add(lock.period);
        let until = written(until.unwrap_or(Timestamp::MAX));
        request.header(MODE, lock.mode).header(UNTIL, until)
    }

    /// Holds a file for longer (`PutObjectRetention`). A lock that lasts longer is left alone, and a firmer one stays firm.
    pub(super) async fn extend_lock(&self, path: &StoragePath, until: SystemTime) -> Step<()> {
        let until = Timestamp::try_from(until);
        let (Some(lock), Ok(until)) = (self.options.lock, until) else {
            let message =
                "files are held against removal where s3.lock-mode and s3.lock-days are set";
            return Err(Failure::new(ErrorKind::Unsupported, message));
        };
        // Without the right to see it, there is no lock in the answer; the server then decides by itself.
        let look = S3Request::on_key("HEAD", self.client.key(path));
        let response = self.client.send(&look).await?;
        let held: Option<Timestamp> = response.header(UNTIL).and_then(|time| time.parse().ok());
        let is_firm = response.header(MODE) == Some("COMPLIANCE");
        response.discard().await;
        if held.is_some_and(|held| held >= until) {
            return Ok(());
        }
        let mode = if is_firm { "COMPLIANCE" } else { lock.mode };
        let document = format!(
            "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>{mode}</Mode>\
             <RetainUntilDate>{}</RetainUntilDate></Retention>",
            written(until)
        );
        let request = S3Request::on_key("PUT", self.client.key(path)).query("retention", "");
        let request = with_md5(request.document(document));
        self.client.send(&request).await?.discard().await;
        Ok(())
    }
}

/// To the second: not every server reads more.
fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
