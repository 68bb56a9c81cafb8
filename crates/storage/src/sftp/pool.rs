//! The sessions with one server: opened when they are needed, replaced when they have ended.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::client::Client;
use super::connect::Connector;
use crate::ErrorKind;
use crate::failure::Failure;

/// Calls that share a session before another one is opened. Each session has a program of its own on the server, which
/// works on one request after the other, and waits for the disk in between.
pub(super) const CALLS_A_SESSION: usize = 2;

/// All sessions of a storage.
#[derive(Debug)]
pub(super) struct Pool {
    connector: Connector,
    /// Longest time to reach the server, sign in and greet it.
    connect: Duration,
    /// Longest time in which nothing moves while an answer is awaited.
    no_progress: Duration,
    state: Mutex<State>,
    /// Held by whoever opens the only session; those who need one wait for it.
    first: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    sessions: Vec<Arc<Session>>,
    /// Sessions that there may be.
    most: usize,
    /// Another one is being opened behind the calls.
    is_opening: bool,
}

#[derive(Debug)]
struct Session {
    client: Arc<Client>,
    calls: AtomicUsize,
}

/// A session for one call.
#[derive(Debug)]
pub(super) struct Turn(Arc<Session>);

impl Turn {
    pub(super) fn client(&self) -> &Arc<Client> {
        &self.0.client
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    pub(super) fn new(
        connector: Connector,
        most: usize,
        (connect, no_progress): (Duration, Duration),
    ) -> Self {
        Self {
            connector,
            connect,
            no_progress,
            state: Mutex::new(State {
                sessions: Vec::new(),
                most: most.max(1),
                is_opening: false,
            }),
            first: tokio::sync::Mutex::new(()),
        }
    }

    /// The session with the fewest calls. Waits only where there is none.
    pub(super) async fn turn(self: &Arc<Self>) -> Result<Turn, Failure> {
        if let Some(turn) = self.least_busy() {
            return Ok(turn);
        }
        let _first = self.first.lock().await;
        if let Some(turn) = self.least_busy() {
            return Ok(turn);
        }
        let session = self.open().await?;
        let turn = Turn::of(&session);
        self.lock().sessions.push(session);
        Ok(turn)
    }

    fn least_busy(self: &Arc<Self>) -> Option<Turn> {
        let mut state = self.lock();
        state.sessions.retain(|session| session.client.is_alive());
        let calls = |session: &&Arc<Session>| session.calls.load(Ordering::Relaxed);
        let session = Arc::clone(state.sessions.iter().min_by_key(calls)?);
        let is_busy = calls(&&session) >= CALLS_A_SESSION;
        if is_busy && !state.is_opening && state.sessions.len() < state.most {
            state.is_opening = true;
            let pool = Arc::clone(self);
            tokio::spawn(async move { pool.open_another().await });
        }
        Some(Turn::of(&session))
    }

    /// Where a server wants no more sessions, those that there are will do.
    async fn open_another(&self) {
        let opened = self.open().await;
        let mut state = self.lock();
        state.is_opening = false;
        match opened {
            Ok(session) => state.sessions.push(session),
            Err(_) => state.most = state.sessions.len().max(1),
        }
    }

    async fn open(&self) -> Result<Arc<Session>, Failure> {
        let opening = async {
            let transport = self.connector.connect().await?;
            Client::start(transport, self.no_progress).await
        };
        let client = tokio::time::timeout(self.connect, opening).await;
        let client = client.unwrap_or_else(|_| {
            Err(Failure::passing(
                ErrorKind::TimedOut,
                format!(
                    "no session within {} s; limit.connect sets that time",
                    self.connect.as_secs_f64()
                ),
            ))
        })?;
        Ok(Arc::new(Session {
            client: Arc::new(client),
            calls: AtomicUsize::new(0),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    fn of(session: &Arc<Session>) -> Self {
        session.calls.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(session))
    }
}
