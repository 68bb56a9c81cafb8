//! As much of HTTP/1.1 as a proxy needs: heads, and bodies with a length or in chunks.

use std::io::{self, BufRead, Read};

/// A request or an answer with its whole body.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// The first line.
    pub(crate) start: String,
    /// Names as they came.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Reads one; `None` where the connection has ended. `has_body` says of an answer whether one follows.
    pub(crate) fn read(from: &mut impl BufRead, has_body: bool) -> io::Result<Option<Self>> {
        let mut start = String::new();
        if from.read_line(&mut start)? == 0 {
            return Ok(None);
        }
        let mut message = Self {
            start: start.trim_end().to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        loop {
            let mut line = String::new();
            if from.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            let header = (name.to_owned(), value.trim().to_owned());
            message.headers.push(header);
        }
        if !has_body {
            return Ok(Some(message));
        }
        if message.header("transfer-encoding") == Some("chunked") {
            message.body = chunks(from)?;
            message.remove("transfer-encoding");
        } else if let Some(length) = message.header("content-length").map(str::to_owned) {
            let length = length.parse().map_err(io::Error::other)?;
            from.take(length).read_to_end(&mut message.body)?;
            if message.body.len() as u64 != length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        } else if message.start.starts_with("HTTP/") && message.status() != Some(204) {
            from.read_to_end(&mut message.body)?;
        }
        Ok(Some(message))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    pub(crate) fn set(&mut self, name: &str, value: impl ToString) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.to_string()));
    }

    /// The status of an answer.
    pub(crate) fn status(&self) -> Option<u16> {
        self.start.split(' ').nth(1)?.parse().ok()
    }

    /// The head as bytes.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

fn chunks(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let digits = line.trim().split(';').next().unwrap_or_default();
        let length = u64::from_str_radix(digits, 16).map_err(io::Error::other)?;
        from.take(length).read_to_end(&mut body)?;
        let mut end = String::new();
        from.read_line(&mut end)?;
        if length == 0 {
            return Ok(body);
        }
    }
}
