//! The matrix of damage: each thing that can happen to a file × each kind of file of a repository, and what follows. The
//! table in `docs/damage.md` is what the tests expect; it is compared with what the program does.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../vault/mod.rs"]
mod vault;

mod action;
mod own;
mod parity;
mod scene;
mod signatures;
mod table;
mod verdict;

use std::sync::Mutex;

use action::Action;
use scene::{Object, Scene};
use verdict::Verdicts;

/// If a cell of the table were wrong, somebody would throw away what could be had back, or trust what is lost.
#[test]
fn what_follows_from_damage_is_what_the_document_says() {
    let scene = Scene::new();
    let mut cells: Vec<(Object, Action)> = Vec::new();
    for object in Object::ALL {
        cells.extend(Action::ALL.map(|action| (object, action)));
    }
    let next = Mutex::new(cells.iter().enumerate());
    let found = Mutex::new(vec![None; cells.len()]);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((number, (object, action))) = next.lock().unwrap().next() else {
                        return;
                    };
                    let verdicts = Verdicts::of(&scene, number, *object, *action);
                    found.lock().unwrap()[number] = Some(verdicts);
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    let rows = cells.iter().zip(found);
    let rows = rows.map(|((object, action), verdicts)| (*object, *action, verdicts.unwrap()));
    table::assert_documented(&rows.collect::<Vec<_>>());
}
