//! The requests of files that go in parts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::failure::Failure;
use crate::{Class, ErrorKind, Retry, StoragePath, WriteMode};

use super::abilities::{Checksum, Condition, Form};
use super::failure::{self, Refusal};
use super::put::{changed, exists, hashed};
use super::request::{S3Request, Sum};
use super::uploads::{Part, Upload, abort};
use super::xml::Element;
use super::{S3Storage, Step};

/// More parts no upload may have.
const MOST_PARTS: usize = 10_000;
/// Uploads of ours that were begun longer ago have nobody who goes on with them.
const OLD: SignedDuration = SignedDuration::from_hours(24);

impl S3Storage {
    /// Stores a file in parts. After an error that passes, the same call goes on where this one ended.
    pub(super) async fn put_in_parts(
        &self,
        path: &StoragePath,
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Step<()> {
        let is_new = mode == WriteMode::New;
        if is_new && self.client.size_if_there(path).await?.is_some() {
            self.give_up_any(path).await;
            return Err(exists());
        }
        let part_bytes = self.options.part_bytes.max(data.len().div_ceil(MOST_PARTS));
        let sums = hashed(&data, move |data| {
            let parts = data.chunks(part_bytes);
            parts
                .map(|part| Sha256::digest(part).into())
                .collect::<Vec<Sum>>()
        });
        let sums = sums.await?;
        let upload = match self.uploads.find(path, &sums) {
            Some(upload) => upload,
            None => self.begin(path, sums, class).await?,
        };
        let done = async {
            self.send_parts(path, &upload, &data, part_bytes).await?;
            // Not every server that keeps the condition for a file keeps it for one in parts.
            let is_looked_at = is_new && !self.client.endpoint().is_aws();
            if is_looked_at && self.client.size_if_there(path).await?.is_some() {
                return Err(exists());
            }
            self.complete(path, &upload, is_new).await
        };
        match done.await {
            Ok(()) => self.uploads.forget(path, &upload),
            Err(failure) => {
                if failure.retry == Retry::Never {
                    self.give_up(path, &upload).await;
                }
                return Err(failure);
            }
        }
        Ok(())
    }

    async fn begin(&self, path: &StoragePath, sums: Vec<Sum>, class: Class) -> Step<Arc<Upload>> {
        self.tidy().await;
        let begun = |form: Form| async move {
            let mut request = self.new_file("POST", path, class).query("uploads", "");
            if form.checksum == Checksum::Sha256 {
                request = request.header("x-amz-checksum-algorithm", "SHA256");
            }
            let body = self.client.send(&request).await?.read().await?;
            let id = Element::parse(&body)?
                .text_of("UploadId")
                .map(str::to_owned);
            let id = id.ok_or_else(|| {
                let message = "the server began an upload and gave it no name";
                Failure::passing(ErrorKind::Mismatch, message)
            })?;
            Ok((id, form.checksum))
        };
        let (id, checksum) = self.abilities.in_known_form(false, begun).await?;
        let upload = Arc::new(Upload::new(id, checksum, sums));
        for (path, gone) in self.uploads.keep(path, &upload) {
            abort(&self.client, self.client.key(&path), gone.id.clone()).await;
        }
        Ok(upload)
    }

    /// Sends what is missing. After an error no other part is begun, and those on their way arrive.
    async fn send_parts(
        &self,
        path: &StoragePath,
        upload: &Arc<Upload>,
        data: &Bytes,
        part_bytes: usize,
    ) -> Step<()> {
        let has_failed = AtomicBool::new(false);
        let send = |index: usize| {
            let has_failed = &has_failed;
            async move {
                if has_failed.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let sent = self
                    .send_part(path, upload, data, (index, part_bytes))
                    .await;
                if sent.is_err() {
                    has_failed.store(true, Ordering::Relaxed);
                }
                sent
            }
        };
        let sent = stream::iter(upload.missing()).map(send);
        let sent: Vec<_> = sent
            .buffer_unordered(self.options.connections)
            .collect()
            .await;
        let Some(refusal) = sent.into_iter().find_map(Result::err) else {
            return Ok(());
        };
        if refusal.is_about_the_form() && upload.checksum == Checksum::Sha256 {
            // It took the upload and not the checksums of its parts: all of it again, without.
            self.abilities.learn_checksum(Checksum::Md5);
            self.give_up(path, upload).await;
            return Err(Failure::passing(
                ErrorKind::Unsupported,
                refusal.failure.message,
            ));
        }
        Err(self.lost(path, upload, refusal))
    }

    async fn send_part(
        &self,
        path: &StoragePath,
        upload: &Upload,
        data: &Bytes,
        (index, part_bytes): (usize, usize),
    ) -> Result<(), Refusal> {
        let start = index.saturating_mul(part_bytes).min(data.len());
        let part = data.slice(start..start.saturating_add(part_bytes).min(data.len()));
        let sum = upload.sums.get(index).copied().unwrap_or_default();
        let request = S3Request::on_key("PUT", self.client.key(path))
            .query("partNumber", (index + 1).to_string())
            .query("uploadId", upload.id.as_str())
            .body(part, sum);
        let form = Form {
            checksum: upload.checksum,
            condition: false,
        };
        let _turn = self.client.turn().await?;
        let response = self.client.send(&form.on(request, &sum)).await?;
        let tag = response.header("etag").map(str::to_owned);
        response.discard().await;
        let tag = tag.ok_or_else(|| {
            let message = "the server took a part and gave it no name";
            Failure::passing(ErrorKind::Mismatch, message)
        })?;
        upload.add(index, Part { tag, sum });
        Ok(())
    }

    async fn complete(&self, path: &StoragePath, upload: &Arc<Upload>, is_new: bool) -> Step<()> {
        let send = |form: Form| async move {
            let request = S3Request::on_key("POST", self.client.key(path))
                .query("uploadId", upload.id.as_str());
            let request = form.conditioned(request.document(upload.document()));
            let response = self.client.send(&request).await?;
            // The status is sent before the parts are put together; what came of it stands in the body.
            let document = Element::parse(&response.read().await?)?;
            match document.name.as_str() {
                "Error" => Err(failure::of_document(&document, 200)),
                _ => Ok(document),
            }
        };
        let done = match is_new && self.abilities.condition() != Condition::Refused {
            true => match send(self.form(true)).await {
                Err(refusal) if refusal.is_about_the_form() => send(self.form(false)).await,
                done => done,
            },
            false => send(self.form(false)).await,
        };
        let document = match done {
            Ok(document) => document,
            Err(refusal)
                if is_new && (refusal.status == 412 || refusal.code == "PreconditionFailed") =>
            {
                return Err(exists());
            }
            Err(refusal) => return Err(self.lost(path, upload, refusal)),
        };
        match upload.is_confirmed_by(document.text_of("ChecksumSHA256"), document.text_of("ETag")) {
            Some(true) => {}
            Some(false) => return Err(changed()),
            None => self.abilities.learn_unconfirmed(),
        }
        Ok(())
    }

    fn form(&self, condition: bool) -> Form {
        Form {
            checksum: self.abilities.checksum(),
            condition,
        }
    }

    /// What an upload has failed with. One that the server does not know was completed by a call whose answer was lost, or
    /// given up by somebody: the call is to be made again and will see.
    fn lost(&self, path: &StoragePath, upload: &Arc<Upload>, refusal: Refusal) -> Failure {
        match refusal.code.as_str() {
            "NoSuchUpload" => {
                self.uploads.forget(path, upload);
                Failure::passing(
                    ErrorKind::Io,
                    "the server no longer knows the upload of the parts",
                )
            }
            "InvalidPart" | "InvalidPartOrder" => {
                self.uploads.forget(path, upload);
                Failure::passing(ErrorKind::Mismatch, refusal.failure.message)
            }
            _ => refusal.into(),
        }
    }

    async fn give_up(&self, path: &StoragePath, upload: &Arc<Upload>) {
        self.uploads.forget(path, upload);
        abort(&self.client, self.client.key(path), upload.id.clone()).await;
    }

    async fn give_up_any(&self, path: &StoragePath) {
        if let Some(upload) = self.uploads.of(path) {
            self.give_up(path, &upload).await;
        }
    }

    /// Gives up what processes that were killed have left below our prefix, once, before the first upload in parts: whoever
    /// uploads may also do this, and whoever only reads is not kept waiting. What fails here is tried by the next process.
    async fn tidy(&self) {
        if self.uploads.has_tidied.swap(true, Ordering::Relaxed) {
            return;
        }
        let request = S3Request::on_bucket("GET")
            .query("uploads", "")
            .query("prefix", self.client.prefix_of(None));
        let Ok(response) = self.client.send(&request).await else {
            return;
        };
        // The server's clock, by which it says when an upload was begun.
        let now = response
            .header("date")
            .and_then(|date| httpdate::parse_http_date(date).ok());
        let now = now.and_then(|now| Timestamp::try_from(now).ok());
        let (Some(now), Ok(body)) = (now, response.read().await) else {
            return;
        };
        for (key, id) in old(&body, now) {
            if self.client.path(&key).is_some() {
                abort(&self.client, key, id).await;
            }
        }
    }
}

/// Uploads in a listing that were begun long ago.
fn old(body: &[u8], now: Timestamp) -> Vec<(String, String)> {
    let Ok(list) = Element::parse(body) else {
        return Vec::new();
    };
    let is_old = |upload: &&Element| {
        let begun: Option<Timestamp> = upload
            .text_of("Initiated")
            .and_then(|time| time.parse().ok());
        begun.is_some_and(|begun| now.duration_since(begun) > OLD)
    };
    let named = |upload: &Element| {
        let text = |name: &str| upload.text_of(name).map(str::to_owned);
        Some((text("Key")?, text("UploadId")?))
    };
    list.children("Upload")
        .filter(is_old)
        .filter_map(named)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Giving up what another machine is uploading just now would cost it its backup.
    #[test]
    fn only_what_is_older_than_a_day_is_old() {
        let upload = |key: &str, begun: &str| {
            format!(
                "<Upload><Key>{key}</Key><UploadId>id-{key}</UploadId><Initiated>{begun}</Initiated></Upload>"
            )
        };
        let body = format!(
            "<ListMultipartUploadsResult>{}{}{}{}</ListMultipartUploadsResult>",
            upload("a", "2026-01-01T12:00:00.000Z"),
            upload("b", "2026-01-02T12:00:00.000Z"),
            upload("c", "2026-01-09T12:00:00.000Z"),
            upload("d", "soon"),
        );
        let now = "2026-01-02T13:00:00Z".parse().unwrap();
        assert_eq!(
            old(body.as_bytes(), now),
            [("a".to_owned(), "id-a".to_owned())]
        );
        assert!(old(b"<html>", now).is_empty());
    }
}
