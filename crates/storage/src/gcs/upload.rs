//! Sending files: small ones in one request, larger ones in a session that goes on after a break ("Resumable uploads" of the
//! service's reference).

use bytes::{Bytes, BytesMut};
use data_encoding::HEXLOWER;

use super::client::GcsClient;
use super::failure;
use super::listing::{Object, checksum};
use super::options::{GRAIN_BYTES, StorageClasses};
use super::session::{Sessions, What};
use crate::failure::Failure;
use crate::http::{HttpRequest, HttpResponse, Url};
use crate::{Class, ErrorKind, Retry, StoragePath, WriteMode};

type Step<T> = Result<T, Failure>;

/// What is asked for of the object that an upload makes.
const FIELDS: (&str, &str) = ("fields", "size,crc32c");
/// Pieces that may go without the session getting any further before it is given up.
const STANDSTILLS: u32 = 3;

/// Sends files to a bucket.
#[derive(Debug)]
pub(super) struct Uploads {
    sessions: Sessions,
    chunk_bytes: usize,
    classes: StorageClasses,
}

/// One file on its way.
struct File<'a> {
    key: &'a str,
    data: Bytes,
    checksum: String,
    mode: WriteMode,
    storage_class: Option<&'static str>,
}

/// How far a session has come.
enum Come {
    /// So many bytes are there.
    To(usize),
    /// The object is there, and this is what the service says of it.
    ToTheEnd(Object),
    /// The service does not know the session any more.
    Nowhere,
}

impl Uploads {
    pub(super) fn new(chunk_bytes: usize, classes: StorageClasses) -> Self {
        Self {
            sessions: Sessions::default(),
            chunk_bytes,
            classes,
        }
    }

    /// Stores a file under a key.
    pub(super) async fn send(
        &self,
        client: &GcsClient,
        (path, key): (&StoragePath, &str),
        data: Bytes,
        mode: WriteMode,
        class: Class,
    ) -> Step<()> {
        let file = File {
            key,
            checksum: checksum(&data),
            data,
            mode,
            storage_class: self.classes.of(class),
        };
        let object = match file.data.len() <= self.chunk_bytes {
            true => file.at_once(client).await?,
            false => {
                let what = What::new(path, &file.data, mode, class);
                self.in_session(client, what, &file).await?
            }
        };
        match object.is(file.data.len() as u64, &file.checksum) {
            true => Ok(()),
            false => {
                let message = "the service does not confirm what it was sent";
                Err(Failure::passing(ErrorKind::Mismatch, message))
            }
        }
    }

    async fn in_session(&self, client: &GcsClient, what: What, file: &File<'_>) -> Step<Object> {
        let (mut session, mut come) = match self.sessions.take(&what) {
            Some(session) => {
                let guard = self.sessions.guard(what.clone(), session.clone());
                let come = file.ask(client, &session).await?;
                guard.forget();
                (session, come)
            }
            None => (file.begin(client).await?, Come::To(0)),
        };
        if matches!(come, Come::Nowhere) {
            (session, come) = (file.begin(client).await?, Come::To(0));
        }
        let guard = self.sessions.guard(what, session.clone());
        let mut standstills = 0;
        loop {
            let at = match come {
                Come::To(at) => at,
                Come::ToTheEnd(object) => {
                    guard.forget();
                    return Ok(object);
                }
                Come::Nowhere => {
                    guard.forget();
                    let message = "the service has forgotten the upload; it begins anew";
                    return Err(Failure::passing(ErrorKind::Unreachable, message));
                }
            };
            let sent = file.send_piece(client, &session, at, self.chunk_bytes);
            come = match sent.await {
                Ok(come) => come,
                Err(failure)
                    if failure.retry == Retry::Later && failure.kind != ErrorKind::Mismatch =>
                {
                    // It goes on in this session when it is tried again.
                    return Err(failure);
                }
                Err(failure) => match file.after_refusal(client, &session, at, &failure).await {
                    Some(come) => come,
                    None => {
                        guard.forget();
                        return Err(failure);
                    }
                },
            };
            if matches!(come, Come::To(now) if now <= at) {
                standstills += 1;
                if standstills >= STANDSTILLS {
                    let message = "the service takes bytes of the upload and does not keep them";
                    return Err(Failure::passing(ErrorKind::Io, message));
                }
            }
        }
    }
}

impl File<'_> {
    /// What is said of the object before its bytes.
    fn metadata(&self) -> String {
        let mut metadata = serde_json::json!({"name": self.key, "crc32c": self.checksum});
        if let (Some(class), Some(fields)) = (self.storage_class, metadata.as_object_mut()) {
            fields.insert("storageClass".to_owned(), class.into());
        }
        metadata.to_string()
    }

    fn query<'a>(&'a self, kind: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut query = vec![("uploadType", kind), ("name", self.key), FIELDS];
        if self.mode == WriteMode::New {
            query.push(("ifGenerationMatch", "0"));
        }
        query
    }

    /// One request with two parts (RFC 2387): what is said of the object, and the object.
    async fn at_once(&self, client: &GcsClient) -> Step<Object> {
        // Bytes that nobody can have put into the file on purpose.
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| {
            Failure::new(
                ErrorKind::Io,
                format!("the system gives no random bytes: {error}"),
            )
        })?;
        let boundary = HEXLOWER.encode(&random);
        let mut body = BytesMut::with_capacity(self.data.len().saturating_add(1024));
        let metadata = self.metadata();
        body.extend_from_slice(
            format!(
                "--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{metadata}\r\n\
                 --{boundary}\r\nContent-Type: application/octet-stream\r\n\r\n"
            )
            .as_bytes(),
        );
        body.extend_from_slice(&self.data);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let request = client.upload(&self.query("multipart"));
        let request = request.header(
            "content-type",
            format!("multipart/related; boundary={boundary}"),
        );
        let response = client.send(request.body(body.freeze())).await?;
        match response.status() {
            200 | 201 => Object::parse(&response.read().await?),
            _ => Err(failure::of_upload(response).await),
        }
    }

    /// A new session.
    async fn begin(&self, client: &GcsClient) -> Step<Url> {
        let request = client.upload(&self.query("resumable"));
        let request = request
            .header("content-type", "application/json; charset=UTF-8")
            .header("x-upload-content-type", "application/octet-stream")
            .header("x-upload-content-length", self.data.len().to_string())
            .body(Bytes::from(self.metadata()));
        let response = client.send(request).await?;
        if !matches!(response.status(), 200 | 201) {
            return Err(failure::of(response).await);
        }
        let named = response
            .header("location")
            .and_then(|text| client.named(text));
        response.discard().await;
        named.ok_or_else(|| {
            let message = "the service begins an upload and does not say where it goes on";
            Failure::passing(ErrorKind::Mismatch, message)
        })
    }

    /// Asks a session how far it has come.
    async fn ask(&self, client: &GcsClient, session: &Url) -> Step<Come> {
        let range = format!("bytes */{}", self.data.len());
        let request = client
            .on_named("PUT", session)
            .header("content-range", range);
        self.come(client.send(request).await?).await
    }

    /// Sends the piece at a place.
    async fn send_piece(
        &self,
        client: &GcsClient,
        session: &Url,
        at: usize,
        chunk_bytes: usize,
    ) -> Step<Come> {
        let end = at.saturating_add(chunk_bytes).min(self.data.len());
        let range = format!("bytes {at}-{}/{}", end.saturating_sub(1), self.data.len());
        let request: HttpRequest = client.on_named("PUT", session);
        let request = request
            .header("content-range", range)
            .body(self.data.slice(at.min(end)..end));
        self.come(client.send(request).await?).await
    }

    /// A piece that is there already may be refused, as where something on the way has sent it twice: where the session has
    /// come further meanwhile, it goes on.
    async fn after_refusal(
        &self,
        client: &GcsClient,
        session: &Url,
        at: usize,
        failure: &Failure,
    ) -> Option<Come> {
        if failure.kind != ErrorKind::Io {
            return None;
        }
        match self.ask(client, session).await {
            Ok(Come::To(now)) if now > at => Some(Come::To(now)),
            Ok(Come::ToTheEnd(object)) => Some(Come::ToTheEnd(object)),
            _ => None,
        }
    }

    async fn come(&self, response: HttpResponse) -> Step<Come> {
        match response.status() {
            200 | 201 => Ok(Come::ToTheEnd(Object::parse(&response.read().await?)?)),
            308 => {
                let come = response.header("range").and_then(end_of).unwrap_or(0);
                response.discard().await;
                // What is there has to go on at a multiple; and what is all there has to be asked for its end.
                let grain = (come - come % GRAIN_BYTES).min(self.data.len().saturating_sub(1));
                Ok(Come::To(grain - grain % GRAIN_BYTES))
            }
            404 | 410 => {
                response.discard().await;
                Ok(Come::Nowhere)
            }
            _ => Err(failure::of_upload(response).await),
        }
    }
}

/// The number of bytes in `bytes=0-N`.
fn end_of(range: &str) -> Option<usize> {
    let last: usize = range.trim().strip_prefix("bytes=0-")?.parse().ok()?;
    last.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::end_of;

    /// One byte too far, and the file has a hole.
    #[test]
    fn a_session_says_the_last_byte_that_it_has() {
        assert_eq!(end_of("bytes=0-262143"), Some(262_144));
        assert_eq!(end_of("bytes=0-0"), Some(1));
        for wrong in [
            "",
            "bytes=1-5",
            "0-5",
            "bytes=0-",
            "bytes=0-99999999999999999999",
        ] {
            assert_eq!(end_of(wrong), None, "{wrong}");
        }
    }
}
