//! A server that says what a test tells it to, and keeps what it was asked.
//!
//! For what no emulator of a service shows: sign-ins, refusals, conditions. It knows nothing of any service; what it says is the
//! test's own reading of the documentation.

use std::fmt;
use std::io::{self, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::fault_proxy::message::Message;

/// A request that has come.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// In capitals.
    pub method: String,
    /// With the query.
    pub path: String,
    /// Names as they came.
    pub headers: Vec<(String, String)>,
    /// Whole.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// A header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl HttpAnswer {
    /// A status and a body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

type Script = dyn FnMut(&HttpRequest) -> HttpAnswer + Send;

/// The server. Ends when it is dropped.
pub struct ScriptedHttp {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    script: Mutex<Box<Script>>,
    asked: Mutex<Vec<HttpRequest>>,
    ended: AtomicBool,
}

impl ScriptedHttp {
    /// Answers each request as the script says; one after the other, also where they come at once.
    pub fn start(script: impl FnMut(&HttpRequest) -> HttpAnswer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            script: Mutex::new(Box::new(script)),
            asked: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let for_thread = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if for_thread.ended.load(Ordering::Relaxed) {
                    return;
                }
                let shared = Arc::clone(&for_thread);
                std::thread::spawn(move || connection(stream, &shared));
            }
        });
        Self {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Every request that came so far.
    pub fn asked(&self) -> Vec<HttpRequest> {
        self.shared.asked.lock().unwrap().clone()
    }
}

fn connection(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reading = BufReader::new(client.try_clone()?);
    while let Some(message) = Message::read(&mut reading, true)? {
        let mut words = message.start.split(' ').map(str::to_owned);
        let request = HttpRequest {
            method: words.next().unwrap_or_default(),
            path: words.next().unwrap_or_default(),
            headers: message.headers,
            body: message.body,
        };
        let answer = (shared.script.lock().unwrap())(&request);
        let is_head = request.method == "HEAD";
        shared.asked.lock().unwrap().push(request);
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", answer.status);
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !is_head {
            head.push_str(&format!("Content-Length: {}\r\n", answer.body.len()));
        }
        client.write_all(format!("{head}\r\n").as_bytes())?;
        if !is_head {
            client.write_all(&answer.body)?;
        }
    }
    Ok(())
}

impl Drop for ScriptedHttp {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl fmt::Debug for ScriptedHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedHttp")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
