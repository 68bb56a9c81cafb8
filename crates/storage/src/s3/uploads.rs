//! Files that go in parts. An upload that was begun is known until it is complete, so that a write which is tried again
//! sends what is missing and nothing twice.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::abilities::Checksum;
use super::client::S3Client;
use super::request::{S3Request, Sum, base64, hex, md5};
use super::xml::escaped;
use crate::StoragePath;
use sha2::{Digest, Sha256};

/// Uploads that are kept in mind. They hold no data; the server keeps their parts.
const MOST_OPEN: usize = 64;

/// A part that the server has.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// As the server wrote it.
    pub(super) tag: String,
    pub(super) sum: Sum,
}

/// An upload that the server knows.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) id: String,
    pub(super) checksum: Checksum,
    /// What the parts have to be, in their order.
    pub(super) sums: Vec<Sum>,
    parts: Mutex<BTreeMap<usize, Part>>,
}

impl Upload {
    pub(super) fn new(id: String, checksum: Checksum, sums: Vec<Sum>) -> Self {
        Self {
            id,
            checksum,
            sums,
            parts: Mutex::default(),
        }
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<usize, Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server has a part; they count from 0 on here.
    pub(super) fn add(&self, index: usize, part: Part) {
        self.parts().insert(index, part);
    }

    /// The parts that the server does not have.
    pub(super) fn missing(&self) -> Vec<usize> {
        let parts = self.parts();
        let all = 0..self.sums.len();
        all.filter(|index| !parts.contains_key(index)).collect()
    }

    /// The document that completes it.
    pub(super) fn document(&self) -> String {
        let mut document =
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                .to_owned();
        for (index, part) in self.parts().iter() {
            let checksum = match self.checksum {
                Checksum::Sha256 => {
                    format!("<ChecksumSHA256>{}</ChecksumSHA256>", base64(&part.sum))
                }
                Checksum::Md5 => String::new(),
            };
            document.push_str(&format!(
                "<Part><ETag>{}</ETag>{checksum}<PartNumber>{}</PartNumber></Part>",
                escaped(&part.tag),
                index + 1
            ));
        }
        document.push_str("</CompleteMultipartUpload>");
        document
    }

    /// Whether what the server says of the whole file follows from its parts; `None` where it says nothing that does.
    pub(super) fn is_confirmed_by(
        &self,
        checksum: Option<&str>,
        tag: Option<&str>,
    ) -> Option<bool> {
        let count = self.sums.len();
        if let Some(checksum) = checksum {
            let composite = base64(&Sha256::digest(self.sums.concat()));
            // Some leave the number away.
            return Some(checksum == format!("{composite}-{count}") || checksum == composite);
        }
        let mut of_parts = Vec::new();
        for part in self.parts().values() {
            let bytes =
                data_encoding::HEXLOWER_PERMISSIVE.decode(part.tag.trim_matches('"').as_bytes());
            of_parts.extend(bytes.ok().filter(|bytes| bytes.len() == 16)?);
        }
        let tag = tag?.trim_matches('"');
        (tag == format!("{}-{count}", hex(&md5(&of_parts)))).then_some(true)
    }
}

/// The uploads of a storage that are not complete.
#[derive(Debug)]
pub(super) struct Uploads {
    client: Arc<S3Client>,
    open: Mutex<HashMap<StoragePath, Arc<Upload>>>,
    /// Old ones have been looked for.
    pub(super) has_tidied: AtomicBool,
}

impl Uploads {
    pub(super) fn new(client: Arc<S3Client>) -> Self {
        Self {
            client,
            open: Mutex::default(),
            has_tidied: AtomicBool::new(false),
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<StoragePath, Arc<Upload>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The upload of these bytes under this name, if one was begun.
    pub(super) fn find(&self, path: &StoragePath, sums: &[Sum]) -> Option<Arc<Upload>> {
        let open = self.open();
        open.get(path).filter(|upload| upload.sums == sums).cloned()
    }

    /// Whatever upload was begun under this name.
    pub(super) fn of(&self, path: &StoragePath) -> Option<Arc<Upload>> {
        self.open().get(path).cloned()
    }

    /// Keeps one in mind; those that have to go for it are to be given up.
    pub(super) fn keep(
        &self,
        path: &StoragePath,
        upload: &Arc<Upload>,
    ) -> Vec<(StoragePath, Arc<Upload>)> {
        let mut open = self.open();
        let mut gone = Vec::new();
        if let Some(other) = open.insert(path.clone(), Arc::clone(upload)) {
            gone.push((path.clone(), other));
        }
        if open.len() > MOST_OPEN {
            // One that nobody is at, if there is.
            let idle = open
                .iter()
                .find(|(_, upload)| Arc::strong_count(upload) == 1);
            if let Some(path) = idle.map(|(path, _)| path.clone()) {
                gone.extend(open.remove_entry(&path));
            }
        }
        gone
    }

    /// It is complete, or the server no longer knows it.
    pub(super) fn forget(&self, path: &StoragePath, upload: &Arc<Upload>) {
        let mut open = self.open();
        if open
            .get(path)
            .is_some_and(|known| Arc::ptr_eq(known, upload))
        {
            open.remove(path);
        }
    }
}

/// Gives up an upload, so that its parts cost nothing. Where that fails, it is old in a day and given up then.
pub(super) async fn abort(client: &S3Client, key: String, id: String) {
    let request = S3Request::on_key("DELETE", key).query("uploadId", id);
    if let Ok(response) = client.send(&request).await {
        response.discard().await;
    }
}

impl Drop for Uploads {
    /// Gives up what is left, where somebody is there to carry it out; a process that ends leaves it to the next.
    fn drop(&mut self) {
        self.has_tidied.store(true, Ordering::Relaxed);
        let open = std::mem::take(&mut *self.open());
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        for (path, upload) in open {
            let (client, key) = (Arc::clone(&self.client), self.client.key(&path));
            let id = upload.id.clone();
            runtime.spawn(async move { abort(&client, key, id).await });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(tags: &[&str]) -> Upload {
        let sums = tags.iter().map(|tag| Sha256::digest(tag).into()).collect();
        let upload = Upload::new("id".to_owned(), Checksum::Sha256, sums);
        for (index, tag) in tags.iter().enumerate() {
            let tag = format!("\"{}\"", hex(&md5(tag.as_bytes())));
            let sum = upload.sums[index];
            upload.add(index, Part { tag, sum });
        }
        upload
    }

    /// A server that puts parts together in another order, or leaves one away, must not be believed.
    #[test]
    fn a_whole_is_confirmed_by_its_parts_alone() {
        let (right, wrong) = (upload(&["a", "b", "c"]), upload(&["b", "a", "c"]));
        let whole = |upload: &Upload| base64(&Sha256::digest(upload.sums.concat()));
        let checksum = format!("{}-3", whole(&right));
        assert_eq!(right.is_confirmed_by(Some(&checksum), None), Some(true));
        assert_eq!(wrong.is_confirmed_by(Some(&checksum), None), Some(false));
        let parts = [md5(b"a"), md5(b"b"), md5(b"c")].concat();
        let tag = format!("\"{}-3\"", hex(&md5(&parts)));
        assert_eq!(right.is_confirmed_by(None, Some(&tag)), Some(true));
        assert_eq!(wrong.is_confirmed_by(None, Some(&tag)), None);
        assert_eq!(right.is_confirmed_by(None, Some("\"opaque\"")), None);
        assert_eq!(right.is_confirmed_by(None, None), None);
        let document = right.document();
        assert!(
            document.contains("<PartNumber>3</PartNumber>"),
            "{document}"
        );
        let part = Part {
            tag: "a&b".to_owned(),
            sum: right.sums[0],
        };
        right.add(0, part);
        assert!(right.document().contains("a&amp;b"));
    }
}
