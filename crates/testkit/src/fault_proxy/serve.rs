//! One connection of a client.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};

use super::message::Message;
use super::{HttpAsked, HttpFault, Shared};

/// Bytes that come one by one before the rest: more would be a test of patience.
const DRIPS: usize = 4096;

/// Serves requests until one side has had enough.
pub(super) fn connection(client: TcpStream, shared: &Shared) {
    let _ = client.set_nodelay(true);
    let Ok(reading) = client.try_clone() else {
        return;
    };
    let mut reading = BufReader::new(reading);
    while let Ok(Some(request)) = Message::read(&mut reading, true) {
        let fault = shared.fault(asked(&request));
        match one(&client, request, &fault, shared) {
            Ok(Next::Goes) => {}
            Ok(Next::Ends) => {
                let _ = client.shutdown(Shutdown::Write);
                return;
            }
            Ok(Next::Resets) => return reset(&client),
            Ok(Next::Waits) => {
                // Until the client has had enough.
                let _ = reading.read_to_end(&mut Vec::new());
                return;
            }
            Err(_) => return,
        }
    }
}

/// What becomes of the connection after a request.
enum Next {
    Goes,
    Ends,
    Resets,
    Waits,
}

fn asked(request: &Message) -> HttpAsked {
    let mut words = request.start.split(' ').map(str::to_owned);
    HttpAsked {
        number: 0,
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        body_bytes: request.body.len(),
        headers: request.headers.clone(),
    }
}

fn one(
    mut client: &TcpStream,
    mut request: Message,
    fault: &HttpFault,
    shared: &Shared,
) -> io::Result<Next> {
    match fault {
        HttpFault::Status(status) => return refuse(client, *status, None),
        HttpFault::StatusWithPause(status, pause) => return refuse(client, *status, Some(pause)),
        HttpFault::Answer(status, body) => {
            let is_head = request.start.starts_with("HEAD ");
            return answer(client, *status, if is_head { "" } else { body });
        }
        HttpFault::WithoutHeader(name) => request.remove(name),
        HttpFault::Reset => return Ok(Next::Resets),
        HttpFault::Stall => return Ok(Next::Waits),
        HttpFault::FlipRequest(place) => flip(&mut request.body, *place),
        HttpFault::ShortRequest(length) => request.body.truncate(*length),
        HttpFault::Twice => {
            pass_on(&request, shared)?;
        }
        _ => {}
    }
    let mut answer = pass_on(&request, shared)?;
    match fault {
        HttpFault::LostAnswer => return Ok(Next::Resets),
        HttpFault::StatusAfter(status) => return refuse(client, *status, None),
        HttpFault::FlipAnswer(place) => flip(&mut answer.body, *place),
        HttpFault::ShortAnswer(length) => {
            answer.body.truncate(*length);
            answer.set("Content-Length", answer.body.len());
        }
        HttpFault::LongAnswer(more) => {
            answer.body.extend(std::iter::repeat_n(b'x', *more));
            answer.set("Content-Length", answer.body.len());
        }
        _ => {}
    }
    client.write_all(&answer.head())?;
    let first = |length: &usize| answer.body.get(..*length).unwrap_or(&answer.body);
    match fault {
        HttpFault::ResetAnswerAfter(length) => {
            client.write_all(first(length))?;
            Ok(Next::Resets)
        }
        HttpFault::CutAnswer(length) => {
            client.write_all(first(length))?;
            Ok(Next::Ends)
        }
        HttpFault::StallAfter(length) => {
            client.write_all(first(length))?;
            Ok(Next::Waits)
        }
        HttpFault::Drip => {
            let (slowly, rest) = answer.body.split_at(answer.body.len().min(DRIPS));
            for byte in slowly {
                client.write_all(&[*byte])?;
            }
            client.write_all(rest)?;
            Ok(Next::Goes)
        }
        _ => client.write_all(&answer.body).map(|()| Next::Goes),
    }
}

fn refuse(mut client: &TcpStream, status: u16, pause: Option<&String>) -> io::Result<Next> {
    let pause = pause.map_or(String::new(), |pause| format!("Retry-After: {pause}\r\n"));
    let head = format!("HTTP/1.1 {status} Injected\r\n{pause}Content-Length: 0\r\n\r\n");
    client.write_all(head.as_bytes())?;
    Ok(Next::Goes)
}

fn answer(mut client: &TcpStream, status: u16, body: &str) -> io::Result<Next> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Injected\r\nContent-Length: {length}\r\n\r\n");
    client.write_all(head.as_bytes())?;
    client.write_all(body.as_bytes())?;
    Ok(Next::Goes)
}

fn flip(body: &mut [u8], place: usize) {
    if let Some(byte) = body.get_mut(place) {
        *byte ^= 1;
    }
}

/// The server's answer, read to its end. Where it does not answer, the client's connection ends as well.
fn pass_on(request: &Message, shared: &Shared) -> io::Result<Message> {
    let mut server = TcpStream::connect(&shared.upstream)?;
    let mut request = request.clone();
    let is_head = request.start.starts_with("HEAD ");
    let has_length = request.header("content-length").is_some();
    if has_length || !request.body.is_empty() {
        request.set("Content-Length", request.body.len());
    }
    request.set("Connection", "close");
    server.write_all(&request.head())?;
    server.write_all(&request.body)?;
    let mut reading = BufReader::new(server);
    let answer = Message::read(&mut reading, !is_head)?;
    let mut answer = answer.ok_or(io::ErrorKind::UnexpectedEof)?;
    answer.remove("connection");
    if !is_head {
        answer.set("Content-Length", answer.body.len());
    }
    Ok(answer)
}

/// Closes such that the other side sees a reset: with data unread, or with no time to linger.
fn reset(client: &TcpStream) {
    let _ = rustix::net::sockopt::set_socket_linger(client, Some(std::time::Duration::ZERO));
}
