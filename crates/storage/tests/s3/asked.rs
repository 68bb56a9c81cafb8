//! What a proxy in front of the server has seen, and what it answers in the server's place.

use std::io::{Read, Write};
use std::net::TcpStream;

use strongroom_testkit::{FaultProxy, HttpAsked, HttpFault};

/// An error of the protocol, in place of an answer.
pub fn refusal(status: u16, code: &str) -> HttpFault {
    HttpFault::Answer(
        status,
        format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Injected</Message></Error>"
        ),
    )
}

/// A write of a file in one request.
pub fn is_put(asked: &HttpAsked) -> bool {
    asked.method == "PUT" && !asked.path.contains('?') && asked.path.matches('/').count() > 1
}

/// The request that puts the parts together.
pub fn is_completion(asked: &HttpAsked) -> bool {
    asked.method == "POST" && asked.path.contains("uploadId=")
}

/// A part, by its number from 1 on.
pub fn is_part(asked: &HttpAsked, number: usize) -> bool {
    let is = format!("partNumber={number}&");
    asked.method == "PUT" && asked.path.contains(&is)
}

pub fn count(proxy: &FaultProxy, picks: impl Fn(&HttpAsked) -> bool) -> usize {
    proxy.asked().iter().filter(|asked| picks(asked)).count()
}

/// moto looks who asks, and believes every signature.
const KEY: &str = "Authorization: AWS4-HMAC-SHA256 Credential=ada/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// A request past the storage; what the server answered.
pub fn directly(host: &str, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{KEY}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
