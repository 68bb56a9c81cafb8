//! Who may go on. One process at a time has the turn, for so many calls; all others wait for the answer to a call.
//!
//! So a run is an order of calls and nothing else, whatever threads do. A process waits after a call has been carried
//! out and before it has the answer: time passes there, and whoever looks at a clock before the next call can know it.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use strongroom_testkit::Asked;
use strongroom_testkit::simulated_storage::Interleave;
use tokio::sync::Notify;

#[derive(Default)]
pub struct Turns {
    state: Mutex<State>,
    /// The turn was given.
    given: Notify,
    /// The turn is over.
    over: Notify,
}

#[derive(Default)]
struct State {
    whose: Option<String>,
    calls_left: u32,
    asleep: BTreeSet<String>,
}

impl State {
    /// Takes one of the calls of this turn.
    fn takes(&mut self, client: &str) -> bool {
        if self.whose.as_deref() != Some(client) || self.calls_left == 0 {
            return false;
        }
        self.calls_left -= 1;
        true
    }
}

impl Turns {
    /// Gives a process the turn, and wakes it if it sleeps.
    pub fn give(&self, client: &str, calls: u32) {
        let mut state = self.state.lock().unwrap();
        state.whose = Some(client.to_owned());
        state.calls_left = calls;
        state.asleep.remove(client);
        drop(state);
        self.given.notify_waiters();
    }

    /// Nobody has the turn.
    pub fn end(&self) {
        self.state.lock().unwrap().whose = None;
    }

    pub fn is_asleep(&self, client: &str) -> bool {
        self.state.lock().unwrap().asleep.contains(client)
    }

    /// Whether a call of the client is answered now. A process that may make no further call has had its turn.
    fn goes_on(&self, client: &str) -> bool {
        let mut state = self.state.lock().unwrap();
        if state.takes(client) {
            return true;
        }
        if state.whose.as_deref() == Some(client) {
            state.whose = None;
            self.over.notify_one();
        }
        false
    }

    /// Waits until the process that has the turn has made its calls.
    pub async fn over(&self) {
        while self.state.lock().unwrap().whose.is_some() {
            self.over.notified().await;
        }
    }
}

#[async_trait]
impl Interleave for Turns {
    async fn answered(&self, client: &str, _: &Asked, slept: Duration) {
        if !slept.is_zero() {
            let mut state = self.state.lock().unwrap();
            state.asleep.insert(client.to_owned());
            if state.whose.as_deref() == Some(client) {
                state.calls_left = 0;
            }
        }
        loop {
            let mut given = pin!(self.given.notified());
            given.as_mut().enable();
            if self.goes_on(client) {
                return;
            }
            given.await;
        }
    }
}
