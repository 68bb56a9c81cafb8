use std::sync::Arc;

use strongroom_repository::ErrorKind;
use strongroom_repository::format::Id;
use strongroom_repository::progress::Silent;
use strongroom_repository::snapshots::{SnapshotFilter, SnapshotName, select_named, select_one};
use strongroom_storage::MemoryStorage;
use strongroom_testkit::engine::new_repository;

use crate::scene::{fill, now, snapshot};

#[tokio::test]
async fn names_lead_to_snapshots() {
    let repository = new_repository(Arc::new(MemoryStorage::new())).await;
    fill(&repository).await;
    let filter = SnapshotFilter {
        hosts: vec!["bob".into()],
        ..SnapshotFilter::default()
    };
    let name = |text: &str| text.parse::<SnapshotName>().unwrap();
    let latest = select_one(&repository, &name("latest"), &filter, now(), &Silent)
        .await
        .unwrap();
    assert_eq!(latest.snapshot, snapshot(1, "bob", &[]));
    let at = SnapshotFilter {
        until: Some(now() - jiff::SignedDuration::from_hours(24 * 4)),
        ..filter.clone()
    };
    let earlier = select_one(&repository, &name("latest"), &at, now(), &Silent)
        .await
        .unwrap();
    assert_eq!(earlier.snapshot, snapshot(4, "bob", &["even"]));
    let names = [
        name(&earlier.id.to_hex()),
        name("latest"),
        name(&earlier.id.to_hex()[..20]),
    ];
    let chosen = select_named(&repository, &names, &filter, now(), &Silent)
        .await
        .unwrap();
    assert_eq!(chosen, [earlier, latest]);
    let kind = |text: &str, filter: SnapshotFilter| {
        let (repository, name) = (repository.clone(), name(text));
        async move {
            select_one(&repository, &name, &filter, now(), &Silent)
                .await
                .unwrap_err()
                .kind()
        }
    };
    assert_eq!(
        kind(&Id::of(b"nothing").to_hex(), filter.clone()).await,
        ErrorKind::NotFound
    );
    assert_eq!(
        kind(&Id::of(b"nothing").to_hex()[..10], filter).await,
        ErrorKind::NotFound
    );
    let nobody = SnapshotFilter {
        hosts: vec!["nobody".into()],
        ..SnapshotFilter::default()
    };
    assert_eq!(kind("latest", nobody).await, ErrorKind::NotFound);
}
