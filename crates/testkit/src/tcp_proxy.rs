//! A proxy between a client and a real server that does to connections what networks do, at a byte of its choice.
//!
//! For protocols whose requests it cannot read (SSH). Real TCP: a reset is a reset, a stall is silence on an open
//! connection. What happens depends on the bytes that have passed, never on time.

use std::collections::HashMap;
use std::fmt;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::net::sockopt::set_socket_linger;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TcpWay {
    /// From the client.
    Up,
    /// To the client.
    Down,
}

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TcpFault {
    /// Nothing.
    None,
    /// It is reset after so many bytes that way.
    ResetAfter(TcpWay, usize),
    /// Nothing more passes in either direction after so many bytes that way, and the connection stays open.
    StallAfter(TcpWay, usize),
    /// The lowest bit of the byte at this place is flipped.
    Flip(TcpWay, usize),
    /// Bytes pass a few at a time that way.
    Drip(TcpWay),
}

type Rule = dyn FnMut(usize) -> TcpFault + Send;

/// Passes connections on to a server. Ends when it is dropped, with all connections.
pub struct TcpProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    upstream: String,
    rule: Mutex<Box<Rule>>,
    accepted: AtomicUsize,
    /// Both ends of each connection, by its number.
    open: Mutex<HashMap<usize, [TcpStream; 2]>>,
    ended: AtomicBool,
}

impl TcpProxy {
    /// In front of the server at `upstream` (`127.0.0.1:PORT`); the rule gets the number of a connection, from 0 on.
    pub fn start(upstream: &str, rule: impl FnMut(usize) -> TcpFault + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            rule: Mutex::new(Box::new(rule)),
            accepted: AtomicUsize::new(0),
            open: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let for_thread = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if for_thread.ended.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(stream) = stream {
                    connect(stream, &for_thread);
                }
            }
        });
        Self {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Connections that have come so far.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::Relaxed)
    }
}

fn connect(client: TcpStream, shared: &Arc<Shared>) {
    let number = shared.accepted.fetch_add(1, Ordering::Relaxed);
    let fault = (shared.rule.lock().unwrap())(number);
    let Ok(server) = TcpStream::connect(&shared.upstream) else {
        return;
    };
    let both = || (client.try_clone().unwrap(), server.try_clone().unwrap());
    let mut open = shared.open.lock().unwrap();
    open.insert(
        number,
        [client.try_clone().unwrap(), server.try_clone().unwrap()],
    );
    drop(open);
    let stalled = Arc::new(AtomicBool::new(false));
    for way in [TcpWay::Up, TcpWay::Down] {
        let (client, server) = both();
        let (from, to) = match way {
            TcpWay::Up => (client, server),
            TcpWay::Down => (server, client),
        };
        let (stalled, shared) = (Arc::clone(&stalled), Arc::clone(shared));
        std::thread::spawn(move || {
            if pass(from, to, way, fault, &stalled) == Passed::UntilReset {
                shared.open.lock().unwrap().remove(&number);
            }
        });
    }
}

#[derive(PartialEq, Eq)]
enum Passed {
    UntilTheEnd,
    UntilReset,
}

fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    way: TcpWay,
    fault: TcpFault,
    stalled: &AtomicBool,
) -> Passed {
    let mut buffer = vec![0; 64 << 10];
    let mut passed = 0;
    loop {
        let room = match fault {
            TcpFault::Drip(slow) if slow == way => 7,
            _ => buffer.len(),
        };
        let length = match from.read(&mut buffer[..room]) {
            Ok(0) | Err(_) => break,
            Ok(length) => length,
        };
        let mut piece = &mut buffer[..length];
        if let TcpFault::ResetAfter(bad, at) | TcpFault::StallAfter(bad, at) = fault
            && bad == way
            && passed + length > at
        {
            piece = &mut piece[..at - passed];
            let _ = to.write_all(piece);
            if matches!(fault, TcpFault::ResetAfter(..)) {
                reset(&from);
                reset(&to);
                return Passed::UntilReset;
            }
            stalled.store(true, Ordering::Relaxed);
        }
        if stalled.load(Ordering::Relaxed) {
            // Taken and not passed on, until somebody gives up.
            while matches!(from.read(&mut buffer), Ok(1..)) {}
            return Passed::UntilTheEnd;
        }
        if let TcpFault::Flip(bad, at) = fault
            && bad == way
            && (passed..passed + length).contains(&at)
        {
            piece[at - passed] ^= 1;
        }
        if to.write_all(piece).is_err() {
            break;
        }
        passed += length;
    }
    let _ = to.shutdown(Shutdown::Write);
    Passed::UntilTheEnd
}

/// The last to close a socket that does not linger resets it. Until then its other end is told that nothing more will come, and can send until
/// our buffer is full, which is silence and no reset: so nobody may keep it.
fn reset(stream: &TcpStream) {
    let _ = set_socket_linger(stream, Some(std::time::Duration::ZERO));
    let _ = stream.shutdown(Shutdown::Both);
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        for (_, ends) in self.shared.open.lock().unwrap().drain() {
            for end in ends {
                let _ = end.shutdown(Shutdown::Both);
            }
        }
    }
}

impl fmt::Debug for TcpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpProxy")
            .field("address", &self.address)
            .field("upstream", &self.shared.upstream)
            .finish_non_exhaustive()
    }
}
