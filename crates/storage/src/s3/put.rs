//! Files that go in one request.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::failure::Failure;
use crate::http::HttpResponse;
use crate::{Class, ErrorKind, StoragePath, WriteMode};

use super::abilities::{Condition, Form, with_md5};
use super::failure::Refusal;
use super::read::no_such_file;
use super::request::{S3Request, Sum, base64, hex, md5};
use super::{S3Storage, Step};

/// Up to this size, the same bytes are sent again to find out whether the server keeps the condition.
const PROBE_BYTES: usize = 64 << 10;
/// More than this is hashed where it keeps nobody else waiting.
const SHORT_BYTES: usize = 256 << 10;

impl S3Storage {
    /// Stores a file in one request.
    pub(super) async fn put(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Step<()> {
        let is_new = mode == WriteMode::New;
        let is_kept = self.abilities.condition() == Condition::Kept;
        if is_new && !is_kept && self.client.size_if_there(path).await?.is_some() {
            return Err(exists());
        }
        let sum = hashed(&data, |data| Sha256::digest(data).into()).await?;
        let send = |form| self.put_once(path, &data, sum, class, form);
        match self.abilities.in_known_form(is_new, send).await {
            Ok(response) => self.confirm(response, &data, &sum).await?,
            Err(refusal) if is_new && refusal.status == 412 => {
                self.abilities.learn_condition(Condition::Kept);
                return Err(exists());
            }
            Err(refusal) => return Err(refusal.into()),
        }
        if is_new && data.len() <= PROBE_BYTES && self.abilities.condition() == Condition::Unknown {
            self.probe(path, &data, sum, class).await;
        }
        Ok(())
    }

    async fn put_once(
        &self,
        path: &StoragePath,
        data: &Bytes,
        sum: Sum,
        class: Class,
        form: Form,
    ) -> Result<HttpResponse, Refusal> {
        let request = self.new_file("PUT", path, class).body(data.clone(), sum);
        let mut request = form.on(request, &sum);
        if self.options.lock.is_some()
            && !request
                .headers
                .iter()
                .any(|(name, _)| *name == "content-md5")
        {
            // Servers that know no other checksum want one with a lock.
            request = with_md5(request);
        }
        let _turn = self.client.turn().await?;
        self.client.send(&request).await
    }

    /// A request that makes a file, with what is to hold for it.
    pub(super) fn new_file(
        &self,
        method: &'static str,
        path: &StoragePath,
        class: Class,
    ) -> S3Request {
        let request = S3Request::on_key(method, self.client.key(path))
            .header("content-type", "application/octet-stream")
            .maybe_header("x-amz-storage-class", self.options.class(class));
        self.locked(request)
    }

    /// Whether the answer shows that all bytes have come; otherwise the storage is asked for the file.
    async fn confirm(&self, response: HttpResponse, data: &Bytes, sum: &Sum) -> Step<()> {
        let kept = response
            .header("x-amz-checksum-sha256")
            .map(|kept| kept == base64(sum));
        let tag = response
            .header("etag")
            .map(|tag| tag.trim_matches('"').to_owned());
        response.discard().await;
        let is_confirmed = match kept {
            Some(kept) => kept,
            None => tag.as_deref() == Some(hex(&hashed(data, md5).await?).as_str()),
        };
        match (is_confirmed, kept) {
            (true, _) => {}
            (false, Some(_)) => return Err(changed()),
            (false, None) => self.abilities.learn_unconfirmed(),
        }
        Ok(())
    }

    /// Sends a file that was stored just now once more, on the condition that there is none. That changes nothing whatever
    /// the server makes of it, and tells whether two writers of a new file are kept apart.
    async fn probe(&self, path: &StoragePath, data: &Bytes, sum: Sum, class: Class) {
        let form = Form {
            checksum: self.abilities.checksum(),
            condition: true,
        };
        match self.put_once(path, data, sum, class, form).await {
            Ok(response) => {
                response.discard().await;
                self.abilities.learn_condition(Condition::Ignored);
            }
            Err(refusal) if refusal.status == 412 => {
                self.abilities.learn_condition(Condition::Kept)
            }
            Err(_) => {}
        }
    }

    /// Removes a file. The protocol does not tell whether there was one.
    pub(super) async fn remove(&self, path: &StoragePath) -> Step<()> {
        if self.client.size_if_there(path).await?.is_none() {
            return Err(no_such_file());
        }
        let request = S3Request::on_key("DELETE", self.client.key(path));
        self.client.send(&request).await?.discard().await;
        Ok(())
    }
}

/// A hash of bytes, computed where it keeps nobody waiting who sends or receives.
pub(super) async fn hashed<T: Send + 'static>(
    data: &Bytes,
    hash: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Step<T> {
    if data.len() <= SHORT_BYTES {
        return Ok(hash(data));
    }
    let data = data.clone();
    let computed = tokio::task::spawn_blocking(move || hash(&data)).await;
    computed.map_err(|error| Failure::new(ErrorKind::Io, error.to_string()))
}

pub(super) fn exists() -> Failure {
    Failure::new(ErrorKind::AlreadyExists, "a file of that name exists")
}

/// What the server keeps has another checksum than what was sent.
pub(super) fn changed() -> Failure {
    let message = "the server has stored other bytes than it was sent";
    Failure::passing(ErrorKind::Mismatch, message)
}
