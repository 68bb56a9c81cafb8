//! Random files, random damage.

use std::collections::HashSet;

use strongroom_repository::FileKind;
use strongroom_repository::format::parity::{ParityGroup, ParityMemberKind, parity_name};
use strongroom_repository::parity::recover::Verdict;
use strongroom_storage::{MemoryStorage, Storage};
use strongroom_testkit::Random;

use crate::vault::{self, all, exclusive};

/// Files of all kinds, from a few bytes to several windows.
async fn fill(storage: &dyn Storage, random: &mut Random) {
    let kinds = [
        FileKind::Pack,
        FileKind::Index,
        FileKind::Snapshot,
        FileKind::Key,
    ];
    for _ in 0..5 + random.below(20) {
        let size = match random.below(3) {
            0 => 1 + random.below(2000),
            1 => 60_000 + random.below(20_000),
            _ => 200_000 + random.below(1_000_000),
        };
        let kind = kinds[random.below(4) as usize];
        let bytes = random.bytes(size as usize);
        vault::add(storage, kind, bytes).await;
    }
}

/// Path, offset and length.
type Place = (String, u64, u64);

/// Where the bytes of members and of parts lie.
fn places(group: &ParityGroup) -> (Vec<Place>, Vec<Place>) {
    let member = |member: &strongroom_repository::format::parity::ParityMember| {
        let kind = match member.kind {
            ParityMemberKind::Config => return ("config".to_owned(), 0, member.size_bytes),
            ParityMemberKind::Key => FileKind::Key,
            ParityMemberKind::Snapshot => FileKind::Snapshot,
            ParityMemberKind::Index => FileKind::Index,
            ParityMemberKind::Pack => FileKind::Pack,
        };
        let path = kind.path(&member.id).unwrap();
        (path.as_str().to_owned(), 0, member.size_bytes)
    };
    let members = group.members.iter().map(member).collect();
    let mut parts = Vec::new();
    for file in &group.files {
        let path = format!("strongroom/parity/{}", parity_name(&file.id));
        for part in 0..file.parts {
            parts.push((path.clone(), part * group.part_bytes(), group.part_bytes()));
        }
    }
    (members, parts)
}

async fn flip(storage: &dyn Storage, path: &str, at: u64) {
    let mut bytes = vault::get(storage, path).await.to_vec();
    bytes[at as usize] ^= 1;
    vault::put(storage, path, bytes).await;
}

/// Damages so many windows of one row, of members alone or of parts too.
async fn damage_row(
    storage: &dyn Storage,
    group: &ParityGroup,
    row: u64,
    windows: u64,
    members_alone: bool,
    random: &mut Random,
) -> HashSet<String> {
    let (members, parts) = places(group);
    let mut candidates = members;
    if !members_alone {
        candidates.extend(parts);
    }
    candidates.retain(|(_, _, size)| group.window(row, *size).1 > 0);
    let mut damaged = HashSet::new();
    for _ in 0..windows {
        if candidates.is_empty() {
            break;
        }
        let at = random.below(candidates.len() as u64) as usize;
        let (path, base, size) = candidates.swap_remove(at);
        let (begin, length) = group.window(row, size);
        flip(storage, &path, base + begin + random.below(length)).await;
        damaged.insert(path);
    }
    damaged
}

async fn made(seed: u64) -> (MemoryStorage, Random) {
    let mut random = Random::new(seed);
    let (repository, storage) = vault::new().await;
    fill(&storage, &mut random).await;
    let percent = [1, 5, 20, 50, 100][random.below(5) as usize];
    let report = vault::make(&repository, &exclusive(percent)).await.unwrap();
    let files = vault::files(&storage, "").await;
    assert_eq!(report.files_protected, files.len() as u64, "seed {seed}");
    (storage, random)
}

/// What was promised to survive would be lost.
#[tokio::test(flavor = "multi_thread")]
async fn damage_up_to_the_number_of_parts_in_each_row_is_mended() {
    for seed in 0..25 {
        let (storage, mut random) = made(seed).await;
        let before = vault::files(&storage, "").await;
        for (_, group) in vault::groups(&storage).await {
            for row in 0..group.rows() {
                let windows = random.below(group.parts() + 1);
                damage_row(&storage, &group, row, windows, false, &mut random).await;
            }
        }
        let plan = vault::plan(&storage, &all()).await;
        let report = vault::execute(&storage, &plan).await;
        assert!(report.failed.is_empty(), "seed {seed}: {:?}", report.failed);
        assert_eq!(vault::files(&storage, "").await, before, "seed {seed}");
        assert_eq!(report.quarantined.len(), report.recovered.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_files_as_there_are_parts_may_be_lost_or_cut_off() {
    for seed in 100..125 {
        let (storage, mut random) = made(seed).await;
        let before = vault::files(&storage, "").await;
        for (_, group) in vault::groups(&storage).await {
            let (mut members, _) = places(&group);
            for _ in 0..group.parts() {
                let at = random.below(members.len() as u64) as usize;
                let (path, _, size) = members.swap_remove(at);
                match random.below(3) {
                    0 => vault::delete(&storage, &path).await,
                    1 => {
                        let length = random.below(size) as usize;
                        let cut = vault::get(&storage, &path).await[..length].to_vec();
                        vault::put(&storage, &path, cut).await;
                    }
                    _ => {
                        let mut grown = vault::get(&storage, &path).await.to_vec();
                        grown.push(0);
                        vault::put(&storage, &path, grown).await;
                    }
                }
            }
        }
        // By the listing alone.
        let options = strongroom_repository::parity::recover::RecoverOptions {
            read_data: false,
            ..all()
        };
        let plan = vault::plan(&storage, &options).await;
        vault::execute(&storage, &plan).await;
        assert_eq!(vault::files(&storage, "").await, before, "seed {seed}");
        assert_eq!(
            vault::plan(&storage, &all()).await.items(),
            [],
            "seed {seed}"
        );
    }
}

/// A file that is wrong in a new way would be worse than one that is known to be damaged.
#[tokio::test(flavor = "multi_thread")]
async fn more_damage_than_that_is_said_and_nothing_is_overwritten() {
    for seed in 200..225 {
        let (storage, mut random) = made(seed).await;
        let mut lost = HashSet::new();
        for (_, group) in vault::groups(&storage).await {
            let windows = group.parts() + 1;
            lost.extend(damage_row(&storage, &group, 0, windows, true, &mut random).await);
            // Groups of small files survive the loss of all of them, so of their parts some go.
            if lost.len() as u64 <= group.parts() {
                let (_, parts) = places(&group);
                flip(&storage, &parts[0].0, parts[0].1).await;
            }
        }
        let damaged = vault::files(&storage, "").await;
        let plan = vault::plan(&storage, &all()).await;
        let hopeless = plan.items().iter();
        let hopeless = hopeless
            .filter(|item| item.verdict == Verdict::NotEnoughParity)
            .count();
        assert!(hopeless > 0, "seed {seed}");
        let report = vault::execute(&storage, &plan).await;
        assert!(report.failed.is_empty(), "seed {seed}");
        let after = vault::files(&storage, "").await;
        let changed = after
            .iter()
            .filter(|(path, bytes)| damaged.get(*path) != Some(*bytes));
        assert_eq!(changed.count(), report.recovered.len(), "seed {seed}");
        assert_eq!(
            plan.items().len() - hopeless,
            report.recovered.len(),
            "seed {seed}"
        );
    }
}
