//! Memory for packs and keys comes in large pages, where the system has them to give.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use strongroom_kernel::LargePages;

#[global_allocator]
static MEMORY: LargePages = LargePages;

/// The flags of the mapping that a place lies in, as the system tells them.
fn flags_of(place: *const u8) -> String {
    let maps = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut is_here = false;
    for line in maps.lines() {
        let range = line
            .split(' ')
            .next()
            .and_then(|range| range.split_once('-'));
        let range = range.and_then(|(begin, end)| {
            let address = |text| usize::from_str_radix(text, 16).ok();
            Some(address(begin)?..address(end)?)
        });
        if let Some(range) = range {
            is_here = range.contains(&place.addr());
        }
        if is_here && let Some(flags) = line.strip_prefix("VmFlags:") {
            return flags.to_owned();
        }
    }
    panic!("no mapping at {place:?}");
}

fn asks(memory: &[u8]) -> bool {
    let middle = &memory[memory.len() / 2];
    flags_of(middle).split(' ').any(|flag| flag == "hg")
}

/// If it failed, every command would spend a third of its time on being given memory: 8,192 pages for each lane of the key alone.
#[test]
fn large_pieces_ask_for_large_pages_and_keep_their_content() {
    if !fs::exists("/sys/kernel/mm/transparent_hugepage").unwrap() {
        return;
    }
    let cleared = vec![0_u8; 32 << 20];
    assert!(asks(&cleared));
    assert!(cleared.iter().all(|byte| *byte == 0));
    let mut grown = b"what was there".repeat(10_000);
    let before = grown.clone();
    grown.reserve_exact(20 << 20);
    grown.resize(20 << 20, 7);
    assert!(asks(&grown));
    assert_eq!(grown[..before.len()], before);
    assert!(!asks(&vec![1_u8; 64 << 10]));
}
