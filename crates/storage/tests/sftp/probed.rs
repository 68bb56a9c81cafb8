//! Probing servers that can do more and less: what they declare is what is seen, and nothing of the probe stays.

use strongroom_storage::Probe;
use strongroom_storage::probe::{ProbeSettings, ProbeStep, Verdict};

use crate::opened::piped;

#[tokio::test]
async fn what_a_server_can_do_is_seen_and_nothing_is_left_on_it() {
    for arguments in ["", "-P hardlink", "-P posix-rename"] {
        let folder = tempfile::tempdir().unwrap();
        let storage = piped(folder.path(), arguments);
        storage.create().await.unwrap();
        let size_bytes = Some(1 << 20);
        let probe = Probe::new(storage, ProbeSettings { size_bytes }).unwrap();
        let report = probe.run(|_| {}).await;
        let broken: Vec<_> = report.broken().collect();
        assert_eq!(broken, [], "{arguments}");
        for tried in &report.tried {
            let is_clock = tried.step == ProbeStep::Clock;
            assert!(
                is_clock || matches!(tried.verdict, Verdict::Good),
                "{arguments}: {tried:?}"
            );
        }
        let left = probe.clean_up().await;
        assert!(left.paths.is_empty(), "{arguments}: {left:?}");
        let mut found = Vec::new();
        let mut folders = vec![folder.path().to_owned()];
        while let Some(inside) = folders.pop() {
            for entry in std::fs::read_dir(inside).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path.clone());
                }
                found.push(path.display().to_string());
            }
        }
        found.retain(|path| path.contains("strongroom-test-"));
        assert_eq!(found, [""; 0], "{arguments}");
    }
}
