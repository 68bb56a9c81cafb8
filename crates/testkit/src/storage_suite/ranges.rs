//! Reading parts of a file.

use strongroom_storage::{ByteRange, Class, ErrorKind};

use super::{Fixture, assert_kind, content, created, path, put};

const SIZE_BYTES: u64 = 5000;

/// A blob that is cut one byte off cannot be decrypted.
pub async fn a_range_is_returned_exactly(fixture: &Fixture) {
    let storage = created(fixture).await;
    let data = content(3, SIZE_BYTES as usize);
    put(storage, "data/ab/file", data.clone()).await;
    let ranges = [
        (0, SIZE_BYTES),
        (0, 1),
        (0, 0),
        (1, 1),
        (1234, 2000),
        (SIZE_BYTES - 1, 1),
        (SIZE_BYTES - 17, 17),
        (SIZE_BYTES, 0),
        (2500, 0),
    ];
    for class in [Class::Data, Class::Metadata] {
        for (offset, length) in ranges {
            let range = ByteRange { offset, length };
            let read = storage
                .read(&path("data/ab/file"), Some(range), class)
                .await
                .unwrap();
            let expected = &data[offset as usize..(offset + length) as usize];
            assert_eq!(read, expected, "{range:?} {class:?}");
        }
    }
}

/// A file that is shorter than its index says must not be taken for read: half a blob is no blob.
pub async fn a_range_outside_is_an_error(fixture: &Fixture) {
    let storage = created(fixture).await;
    put(storage, "data/ab/file", content(3, SIZE_BYTES as usize)).await;
    let ranges = [
        (0, SIZE_BYTES + 1),
        (SIZE_BYTES, 1),
        (SIZE_BYTES + 1, 0),
        (SIZE_BYTES - 1, 2),
        (SIZE_BYTES * 100, 1),
        (1, u64::MAX),
        (u64::MAX, 1),
        (u64::MAX, u64::MAX),
        (u64::MAX, 0),
        (0, u64::MAX),
        (0, 1 << 62),
    ];
    for class in [Class::Data, Class::Metadata] {
        for (offset, length) in ranges {
            let range = ByteRange { offset, length };
            let read = storage
                .read(&path("data/ab/file"), Some(range), class)
                .await;
            assert_kind(read, ErrorKind::RangeOutside);
        }
        let nothing = Some(ByteRange {
            offset: 0,
            length: 0,
        });
        let read = storage.read(&path("missing"), nothing, class).await;
        assert_kind(read, ErrorKind::NotFound);
    }
}
