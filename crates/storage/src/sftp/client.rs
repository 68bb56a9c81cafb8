//! One session of SFTP over a pair of pipes: many requests on their way at once, each answered for itself.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::failure::{Fault, Refusal};
use super::features::Features;
use super::reply::{Attributes, Reply};
use super::request::{Frame, Request};
use crate::ErrorKind;
use crate::failure::Failure;

mod pipes;

/// Packets that wait to be written. Few, so that a small request does not wait behind many large ones.
const QUEUE_FRAMES: usize = 8;

type WhyEnded = dyn Fn() -> BoxFuture<'static, Option<String>> + Send + Sync;

/// What a session runs over.
pub(super) struct Transport {
    pub(super) reader: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) writer: Box<dyn AsyncWrite + Send + Unpin>,
    /// Says what is known of the reason when the pipes have ended.
    pub(super) why_ended: Box<WhyEnded>,
    /// Ends the connection when it is dropped.
    pub(super) keep: Box<dyn Any + Send + Sync>,
}

/// A session. It ends when it is dropped, when the pipes end, and when nothing moves for too long.
pub(super) struct Client {
    shared: Arc<Shared>,
    outgoing: mpsc::Sender<Frame>,
    features: Features,
    tasks: [JoinHandle<()>; 2],
    _keep: Box<dyn Any + Send + Sync>,
}

struct Shared {
    state: Mutex<State>,
    next_id: AtomicU32,
    /// Nothing may stand still for longer while an answer is awaited.
    no_progress: Duration,
    why_ended: Box<WhyEnded>,
    /// Set when the session has ended.
    has_ended: watch::Sender<bool>,
}

struct State {
    waiting: HashMap<u32, oneshot::Sender<Reply>>,
    ended: Option<Failure>,
    /// When a byte last went or came, or a first request began to wait.
    moved: Instant,
}

/// An answer that is on its way. Dropping it leaves the request as it is and ignores the answer.
pub(super) struct Answer {
    receiver: oneshot::Receiver<Reply>,
    shared: Arc<Shared>,
}

impl Client {
    /// Greets the server and learns what it can do.
    pub(super) async fn start(
        transport: Transport,
        no_progress: Duration,
    ) -> Result<Self, Failure> {
        let Transport {
            reader,
            writer,
            why_ended,
            keep,
        } = transport;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                waiting: HashMap::new(),
                ended: None,
                moved: Instant::now(),
            }),
            next_id: AtomicU32::new(1),
            no_progress,
            why_ended,
            has_ended: watch::Sender::new(false),
        });
        let (outgoing, queue) = mpsc::channel(QUEUE_FRAMES);
        let tasks = [
            tokio::spawn(pipes::read_replies(reader, Arc::clone(&shared))),
            tokio::spawn(pipes::write_frames(writer, queue, Arc::clone(&shared))),
        ];
        let mut client = Self {
            shared,
            outgoing,
            features: Features::default(),
            tasks,
            _keep: keep,
        };
        // The reply to the greeting comes as number zero.
        match client.send(Frame::hello(), 0).await?.reply().await? {
            Reply::Version(3.., extensions) => client.features = Features::named(&extensions),
            Reply::Version(version, _) => {
                return Err(Failure::new(
                    ErrorKind::Unsupported,
                    format!("the server speaks version {version} of SFTP, and 3 is needed"),
                ));
            }
            _ => return Err(Fault::unexpected().into()),
        }
        if client.features.limits {
            // A server that names the extension and then refuses it has the smallest limits.
            let reply = client.ask(Request::Limits).await?.reply().await?;
            if let Reply::Extended(limits) = reply {
                client.features.learn_limits(limits);
            }
        }
        Ok(client)
    }

    pub(super) fn features(&self) -> &Features {
        &self.features
    }

    /// Whether it has not ended, as far as is known.
    pub(super) fn is_alive(&self) -> bool {
        self.shared.lock().ended.is_none()
    }

    /// Puts a request on its way. Requests of one task reach the server in their order.
    pub(super) async fn ask(&self, request: Request<'_>) -> Result<Answer, Fault> {
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let frame = Frame::of(request, id).ok_or_else(|| {
            Fault::Ended(Failure::new(ErrorKind::Unsupported, "a name is too long"))
        })?;
        self.send(frame, id).await.map_err(Fault::Ended)
    }

    /// Either waits for room and is given up without a trace, or sends the frame and begins to wait for its answer.
    async fn send(&self, frame: Frame, id: u32) -> Result<Answer, Failure> {
        let room = self.outgoing.reserve().await;
        let room = room.map_err(|_| self.shared.reason())?;
        let answer = self.shared.expect(id)?;
        room.send(frame);
        Ok(answer)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared.end(lost(None));
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("features", &self.features)
            .finish_non_exhaustive()
    }
}

impl Answer {
    pub(super) async fn reply(self) -> Result<Reply, Failure> {
        self.receiver.await.map_err(|_| self.shared.reason())
    }

    /// For requests that only succeed.
    pub(super) async fn done(self) -> Result<(), Fault> {
        match self.reply().await.map_err(Fault::Ended)? {
            Reply::Status { code: 0, .. } => Ok(()),
            other => Err(refused(other)),
        }
    }

    pub(super) async fn handle(self) -> Result<Bytes, Fault> {
        match self.reply().await.map_err(Fault::Ended)? {
            Reply::Handle(handle) => Ok(handle),
            other => Err(refused(other)),
        }
    }

    pub(super) async fn attributes(self) -> Result<Attributes, Fault> {
        match self.reply().await.map_err(Fault::Ended)? {
            Reply::Attributes(attributes) => Ok(attributes),
            other => Err(refused(other)),
        }
    }

    /// `None` at the end of the file.
    pub(super) async fn data(self) -> Result<Option<Bytes>, Fault> {
        match self.reply().await.map_err(Fault::Ended)? {
            Reply::Data(data) => Ok(Some(data)),
            other => end_or_refused(other),
        }
    }

    /// `None` after the last entry of the folder.
    pub(super) async fn names(self) -> Result<Option<Vec<(Bytes, Attributes)>>, Fault> {
        match self.reply().await.map_err(Fault::Ended)? {
            Reply::Names(names) => Ok(Some(names)),
            other => end_or_refused(other),
        }
    }
}

fn refused(reply: Reply) -> Fault {
    match reply {
        Reply::Status { code, message } if code != 0 => Fault::Refused(Refusal::new(code, message)),
        _ => Fault::unexpected(),
    }
}

fn end_or_refused<T>(reply: Reply) -> Result<Option<T>, Fault> {
    match refused(reply) {
        Fault::Refused(refusal) if refusal.is_end() => Ok(None),
        fault => Err(fault),
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the answer with this number.
    fn expect(self: &Arc<Self>, id: u32) -> Result<Answer, Failure> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.lock();
        if let Some(ended) = &state.ended {
            return Err(ended.clone());
        }
        if state.waiting.is_empty() {
            state.moved = Instant::now();
        }
        state.waiting.insert(id, sender);
        Ok(Answer {
            receiver,
            shared: Arc::clone(self),
        })
    }

    fn moved(&self) {
        self.lock().moved = Instant::now();
    }

    /// What is left of the time in which something has to move; `None` when it is over.
    fn patience(&self) -> Option<Duration> {
        let state = self.lock();
        if state.waiting.is_empty() {
            return Some(self.no_progress);
        }
        let left = self.no_progress.checked_sub(state.moved.elapsed())?;
        (!left.is_zero()).then_some(left)
    }

    fn answer(&self, id: u32, reply: Reply) -> Result<(), Failure> {
        let Some(sender) = self.lock().waiting.remove(&id) else {
            return Err(Failure::passing(
                ErrorKind::Unreachable,
                "the server answered what it was not asked",
            ));
        };
        // Whoever asked may have gone.
        let _ = sender.send(reply);
        Ok(())
    }

    /// Ends the session; everybody who waits gets the reason. The first reason stays.
    fn end(&self, failure: Failure) {
        let mut state = self.lock();
        state.ended.get_or_insert(failure);
        state.waiting.clear();
        self.has_ended.send_replace(true);
    }

    fn reason(&self) -> Failure {
        let ended = self.lock().ended.clone();
        ended.unwrap_or_else(|| lost(None))
    }
}

/// A connection that has ended. The next call opens another one.
fn lost(why: Option<String>) -> Failure {
    let message = match why {
        Some(why) => format!("the connection has ended: {why}"),
        None => "the connection has ended".to_owned(),
    };
    Failure::passing(ErrorKind::Unreachable, message)
}

#[cfg(test)]
mod tests;
