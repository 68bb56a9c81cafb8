//! Messages of unequal lengths on a fixed number of lanes.

use super::{Block, compress256};

/// A state, and what it still has to take in.
pub(super) struct Item<'a> {
    pub(super) state: [u32; 8],
    /// One after the other. The first is empty only if the second is.
    parts: [&'a [Block]; 2],
}

impl<'a> Item<'a> {
    pub(super) fn new(state: [u32; 8], first: &'a [Block], second: &'a [Block]) -> Self {
        let mut item = Self {
            state,
            parts: [first, second],
        };
        item.skip(0);
        item
    }

    /// Takes everything in that is left, as one message alone.
    pub(super) fn finish(&mut self) {
        for part in std::mem::take(&mut self.parts) {
            if !part.is_empty() {
                compress256(&mut self.state, part);
            }
        }
    }

    /// Blocks that are left.
    fn left(&self) -> usize {
        self.parts[0].len() + self.parts[1].len()
    }

    /// Forgets `count` blocks, which are at most those of the first part.
    fn skip(&mut self, count: usize) {
        let [first, second] = self.parts;
        let rest = first.get(count..).unwrap_or_default();
        self.parts = if rest.is_empty() {
            [second, &[]]
        } else {
            [rest, second]
        };
    }
}

/// `N` states that are advanced by as many blocks each, at the same time.
pub(super) trait Lanes<const N: usize> {
    /// Sets the state of a lane below `N`.
    fn put(&mut self, lane: usize, state: &[u32; 8]);

    /// The state of a lane below `N`.
    fn get(&self, lane: usize) -> [u32; 8];

    /// Takes the first `count` blocks of each lane in. No lane has fewer.
    fn compress(&mut self, blocks: [&[Block]; N], count: usize);
}

/// Advances items in lanes as long as at least `fewest` of these have something to do; what is left stays in the items.
pub(super) fn compress<const N: usize>(
    lanes: &mut impl Lanes<N>,
    fewest: usize,
    items: &mut [Item],
) {
    let mut waiting: Vec<usize> = (0..items.len())
        .filter(|index| items[*index].left() > 0)
        .collect();
    if waiting.len() < fewest {
        return;
    }
    // The longest come first, so that the lanes end at about the same time. They are taken from the end.
    waiting.sort_unstable_by_key(|index| items[*index].left());
    // The items in the lanes; those that are busy are the first ones.
    let mut busy: Vec<usize> = Vec::with_capacity(N);
    loop {
        while busy.len() < N
            && let Some(index) = waiting.pop()
        {
            lanes.put(busy.len(), &items[index].state);
            busy.push(index);
        }
        if busy.len() < fewest {
            break;
        }
        step(lanes, &busy, items);
        let mut lane = 0;
        while let Some(index) = busy.get(lane).copied() {
            if items[index].left() > 0 {
                lane += 1;
                continue;
            }
            items[index].state = lanes.get(lane);
            if let Some(next) = waiting.pop() {
                lanes.put(lane, &items[next].state);
                busy[lane] = next;
            } else {
                let last = lanes.get(busy.len() - 1);
                lanes.put(lane, &last);
                busy.swap_remove(lane);
            }
        }
    }
    for (lane, index) in busy.into_iter().enumerate() {
        items[index].state = lanes.get(lane);
    }
}

/// Advances all busy lanes by as many blocks as the shortest has.
fn step<const N: usize>(lanes: &mut impl Lanes<N>, busy: &[usize], items: &mut [Item]) {
    let blocks_of = |index: usize| items[index].parts[0];
    let (Some(count), Some(first)) = (
        busy.iter().map(|index| blocks_of(*index).len()).min(),
        busy.first(),
    ) else {
        return;
    };
    // An idle lane computes what nobody asks for.
    let mut blocks = [blocks_of(*first); N];
    for (lane, index) in blocks.iter_mut().zip(busy) {
        *lane = blocks_of(*index);
    }
    lanes.compress(blocks, count);
    for index in busy {
        items[*index].skip(count);
    }
}
