//! The least that must hold before anything is built on the two storages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use bytes::Bytes;
use strongroom_storage::*;

async fn smoke(s: &dyn Storage) {
    let p = |t: &str| StoragePath::new(t).unwrap();
    assert_eq!(s.list(None).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(
        s.write(&p("a"), Bytes::new(), WriteMode::New, Class::Data)
            .await
            .unwrap_err()
            .kind,
        ErrorKind::NotFound
    );
    s.create().await.unwrap();
    s.create().await.unwrap();
    let f = p("data/ab/abcd");
    s.write(
        &f,
        Bytes::from_static(b"hello"),
        WriteMode::New,
        Class::Data,
    )
    .await
    .unwrap();
    assert_eq!(
        s.write(&f, Bytes::new(), WriteMode::New, Class::Data)
            .await
            .unwrap_err()
            .kind,
        ErrorKind::AlreadyExists
    );
    assert_eq!(s.read(&f, None, Class::Data).await.unwrap(), "hello");
    s.write(
        &f,
        Bytes::from_static(b"world!"),
        WriteMode::Replace,
        Class::Data,
    )
    .await
    .unwrap();
    let r = |offset, length| Some(ByteRange { offset, length });
    assert_eq!(s.read(&f, r(1, 3), Class::Data).await.unwrap(), "orl");
    assert_eq!(s.read(&f, r(6, 0), Class::Data).await.unwrap(), "");
    assert_eq!(
        s.read(&f, r(6, 1), Class::Data).await.unwrap_err().kind,
        ErrorKind::RangeOutside
    );
    assert_eq!(
        s.list(None).await.unwrap(),
        [FileInfo {
            path: f.clone(),
            size_bytes: 6
        }]
    );
    assert_eq!(s.list(Some(&p("data"))).await.unwrap().len(), 1);
    assert!(s.list(Some(&p("index"))).await.unwrap().is_empty());
    assert_eq!(s.stat(&f).await.unwrap().size_bytes, 6);
    s.delete(&f).await.unwrap();
    assert_eq!(s.delete(&f).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(
        s.read(&f, None, Class::Data).await.unwrap_err().kind,
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn memory() {
    smoke(&MemoryStorage::missing()).await;
}

#[tokio::test]
async fn local() {
    let dir = tempfile::tempdir().unwrap();
    smoke(&LocalStorage::new(dir.path().join("x/y"))).await;
}
