use strongroom_repository::progress::Silent;
use strongroom_repository::stats::{StatsMode, stats};
use tokio_util::sync::CancellationToken;

use crate::scene::scene;

#[tokio::test(flavor = "multi_thread")]
async fn stats_count_what_restic_counts() {
    let scene = scene().await;
    let (repository, index, cancel) = (&scene.repository, &scene.index, CancellationToken::new());
    for (word, mode) in [
        ("restore-size", StatsMode::RestoreSize),
        ("files-by-contents", StatsMode::FilesByContents),
        ("blobs-per-file", StatsMode::BlobsPerFile),
        ("raw-data", StatsMode::RawData),
    ] {
        for snapshots in [&scene.snapshots[..], &scene.snapshots[1..2]] {
            let mut arguments = vec![
                "stats".to_owned(),
                "--json".into(),
                "--mode".into(),
                word.into(),
            ];
            // All of them by default; named, they come in the order of the names.
            arguments.extend(snapshots.iter().map(|file| file.id.to_hex()));
            let theirs = scene.restic.run(&arguments).ok().json();
            let ours = stats(repository, index, snapshots, mode, &Silent, &cancel)
                .await
                .unwrap();
            let number = |name: &str| theirs[name].as_u64().unwrap_or_default();
            assert_eq!(ours.snapshots_count, number("snapshots_count"), "{word}");
            assert_eq!(ours.total_size_bytes, number("total_size"), "{word}");
            assert_eq!(ours.total_file_count, number("total_file_count"), "{word}");
            assert_eq!(ours.total_blob_count, number("total_blob_count"), "{word}");
            assert_eq!(
                ours.total_uncompressed_size_bytes,
                number("total_uncompressed_size"),
                "{word}"
            );
            let close = |name: &str, ours: Option<f64>| {
                let theirs = theirs[name].as_f64().unwrap_or_default();
                assert!(
                    (theirs - ours.unwrap_or_default()).abs() < 1e-6,
                    "{word} {name}: {theirs} {ours:?}"
                );
            };
            close("compression_ratio", ours.compression_ratio);
            close("compression_progress", ours.compression_progress);
            close("compression_space_saving", ours.compression_space_saving);
            let deduplicates = ours.deduplication_ratio.is_some_and(|ratio| ratio > 1.0);
            assert_eq!(deduplicates, mode == StatsMode::RawData);
        }
    }
}
