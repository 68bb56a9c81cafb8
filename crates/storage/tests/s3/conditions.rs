//! Servers that know less than others: what they cannot do is found out, and never promised.

use bytes::Bytes;
use strongroom_storage::{Class, ErrorKind, Storage, WriteMode};
use strongroom_testkit::servers::Moto;
use strongroom_testkit::{FaultProxy, HttpAsked, HttpFault};

use crate::asked::{count, is_completion, is_put, refusal};
use crate::opened::{opened, path};

async fn write(storage: &dyn Storage, name: &str, data: impl Into<Bytes>) -> Result<(), ErrorKind> {
    let (name, data) = (path(name), data.into());
    let written = storage.write(&name, data, WriteMode::New, Class::Data);
    written.await.map_err(|error| error.kind)
}

/// New files are new, and whether the server itself keeps two writers apart is as it says.
async fn new_files_stay(
    rule: impl FnMut(&HttpAsked) -> HttpFault + Send + 'static,
    atomic: bool,
) -> FaultProxy {
    let server = Moto::start(&[]);
    let proxy = FaultProxy::start(server.host(), rule);
    let address = format!("s3:http://{}/bucket/p", proxy.host());
    let storage = opened(&address, &["s3.part-size=5MiB"]);
    storage.create().await.unwrap();
    assert!(!storage.capabilities().atomic_new, "nothing is known yet");
    for (name, length) in [("locks/a", 10), ("data/b", 100_000), ("data/c", 11 << 20)] {
        let (data, other) = (vec![1; length], vec![2; length]);
        write(storage.as_ref(), name, data.clone()).await.unwrap();
        let again = write(storage.as_ref(), name, other).await;
        assert_eq!(again, Err(ErrorKind::AlreadyExists), "{name}");
        let read = storage.read(&path(name), None, Class::Data).await.unwrap();
        assert!(read == data, "{name}");
    }
    assert_eq!(storage.capabilities().atomic_new, atomic);
    proxy
}

/// Two `init`s at once are only kept apart where the server does it; and once it is known to, nobody asks before.
#[tokio::test]
async fn a_server_that_keeps_the_condition_is_found_out() {
    let proxy = new_files_stay(|_| HttpFault::None, true).await;
    let asked = proxy.asked();
    let is_first = |asked: &&HttpAsked| is_put(asked) && asked.path.ends_with("/data/b");
    let first = asked.iter().find(is_first).unwrap().number;
    assert_ne!(
        asked[first - 1].method,
        "HEAD",
        "it need not be asked any more"
    );
    // Whatever was stored was confirmed by the answer, so nobody had to ask for it.
    assert_ne!(asked[first + 1].method, "HEAD");
}

#[tokio::test]
async fn a_server_that_ignores_the_condition_is_asked_before() {
    let ignores = |asked: &HttpAsked| match is_put(asked) || is_completion(asked) {
        true => HttpFault::WithoutHeader("if-none-match"),
        false => HttpFault::None,
    };
    new_files_stay(ignores, false).await;
}

#[tokio::test]
async fn a_server_that_refuses_the_condition_is_used_without_it() {
    let refuses = |asked: &HttpAsked| match asked.header("if-none-match") {
        Some(_) => refusal(501, "NotImplemented"),
        None => HttpFault::None,
    };
    let proxy = new_files_stay(refuses, false).await;
    let sent = count(&proxy, |asked| asked.header("if-none-match").is_some());
    assert_eq!(sent, 2, "with each checksum once, and not again");
}

/// Backblaze and others refuse what they do not know; a backup there must work all the same.
#[tokio::test]
async fn a_server_without_checksums_gets_the_one_that_all_know() {
    let refuses = |asked: &HttpAsked| {
        let has = asked
            .headers
            .iter()
            .any(|(name, _)| name.starts_with("x-amz-checksum"));
        match has {
            true => refusal(400, "InvalidArgument"),
            false => HttpFault::None,
        }
    };
    let proxy = new_files_stay(refuses, true).await;
    let with = |name: &'static str| count(&proxy, |asked| asked.header(name).is_some());
    assert_eq!(with("x-amz-checksum-sha256"), 1);
    assert!(with("content-md5") >= 5);
}

/// A server that says nothing of what it has stored is asked, as long as its tag does not show it.
#[tokio::test]
async fn what_the_server_keeps_is_confirmed_by_its_tag() {
    let server = Moto::start(&[]);
    let proxy = FaultProxy::start(server.host(), |asked| match is_put(asked) {
        // Without it, moto gives no checksum back.
        true => HttpFault::WithoutHeader("x-amz-sdk-checksum-algorithm"),
        false => HttpFault::None,
    });
    let storage = opened(&format!("s3:http://{}/bucket", proxy.host()), &[]);
    storage.create().await.unwrap();
    let data = Bytes::from(vec![7; 1 << 20]);
    let name = path("data/a");
    let write = storage.write(&name, data, WriteMode::Replace, Class::Data);
    write.await.unwrap();
    assert_eq!(proxy.asked().last().unwrap().method, "PUT");
}
