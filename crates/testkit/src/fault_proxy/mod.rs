//! A proxy between a client and a real HTTP server that does to chosen requests what networks and servers do.
//!
//! Real TCP: a reset is a reset, a stall is silence on an open connection. The rule sees each request before it is passed
//! on and says what happens to it; the same rule does the same to the same requests, and nothing depends on time.

pub(crate) mod message;
mod serve;

use std::fmt;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A request that has come.
#[derive(Debug, Clone)]
pub struct HttpAsked {
    /// Counts all requests to this proxy from 0 on.
    pub number: usize,
    /// In capitals.
    pub method: String,
    /// With the query.
    pub path: String,
    /// Bytes that come with it.
    pub body_bytes: usize,
    /// Names as they came, with their values.
    pub headers: Vec<(String, String)>,
}

impl HttpAsked {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpFault {
    /// Nothing: it is passed on.
    None,
    /// It is answered with this status and was not passed on.
    Status(u16),
    /// As before, with a `Retry-After`.
    StatusWithPause(u16, String),
    /// It is answered with this status and this body, and was not passed on.
    Answer(u16, String),
    /// It is passed on without this header.
    WithoutHeader(&'static str),
    /// It was carried out, and the answer has this status.
    StatusAfter(u16),
    /// The connection is reset, and it was not passed on.
    Reset,
    /// It was carried out, and the connection is reset before the answer.
    LostAnswer,
    /// It was carried out twice; the second answer is given.
    Twice,
    /// The answer's body breaks off after so many bytes, with a reset.
    ResetAnswerAfter(usize),
    /// The answer's body ends in an orderly way after so many bytes, and its head promises all of them.
    CutAnswer(usize),
    /// The answer's body has so many bytes, and its head says the same.
    ShortAnswer(usize),
    /// The answer's body has so many bytes too many, and its head says the same.
    LongAnswer(usize),
    /// The lowest bit of the answer's byte at this place is flipped.
    FlipAnswer(usize),
    /// The lowest bit of the request's byte at this place is flipped before it is passed on.
    FlipRequest(usize),
    /// Only so many bytes of the request's body are passed on, as if they were all.
    ShortRequest(usize),
    /// Nothing is answered, on an open connection.
    Stall,
    /// The head of the answer and so many bytes come, then nothing more, on an open connection.
    StallAfter(usize),
    /// The answer begins byte by byte.
    Drip,
}

type Rule = dyn FnMut(&HttpAsked) -> HttpFault + Send;

/// Passes requests on to a server, each with the fault that a rule chooses. Ends when it is dropped.
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    upstream: String,
    rule: Mutex<(usize, Box<Rule>)>,
    asked: Mutex<Vec<HttpAsked>>,
    ended: AtomicBool,
}

impl FaultProxy {
    /// In front of the server at `upstream` (`127.0.0.1:PORT`).
    pub fn start(
        upstream: &str,
        rule: impl FnMut(&HttpAsked) -> HttpFault + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            rule: Mutex::new((0, Box::new(rule))),
            asked: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let for_thread = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if for_thread.ended.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&for_thread)) else {
                    continue;
                };
                std::thread::spawn(move || serve::connection(stream, &shared));
            }
        });
        Self {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// The fault for the `nth` request (from 0) that the predicate picks, and for no other.
    pub fn nth(
        upstream: &str,
        nth: usize,
        picks: impl Fn(&HttpAsked) -> bool + Send + 'static,
        fault: HttpFault,
    ) -> Self {
        let mut seen = 0;
        Self::start(upstream, move |asked| {
            if !picks(asked) {
                return HttpFault::None;
            }
            seen += 1;
            match seen == nth + 1 {
                true => fault.clone(),
                false => HttpFault::None,
            }
        })
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Every request that came so far.
    pub fn asked(&self) -> Vec<HttpAsked> {
        self.shared.asked.lock().unwrap().clone()
    }
}

impl Shared {
    fn fault(&self, mut asked: HttpAsked) -> HttpFault {
        let mut rule = self.rule.lock().unwrap();
        asked.number = rule.0;
        rule.0 += 1;
        let fault = (rule.1)(&asked);
        self.asked.lock().unwrap().push(asked);
        fault
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultProxy")
            .field("address", &self.address)
            .field("upstream", &self.shared.upstream)
            .finish_non_exhaustive()
    }
}
