//! The process, started when it is first needed and whenever it has ended.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{RcloneLocation, RcloneOptions, failure};
use crate::ErrorKind;
use crate::Pace;
use crate::failure::Failure;
use crate::http::{HttpClient, HttpRequest, Pipe, Url};
use crate::process::Process;
use crate::rest::Connect;

/// The first request, on a file that nobody has; restic asks the same way.
const HELLO: &str = "http://localhost/file-that-is-not-there";

/// A process that has closed its pipes is given so long to end, so that its status can be told.
const ENDING: Duration = Duration::from_secs(5);

/// Starts rclone and speaks with it.
#[derive(Debug)]
pub(super) struct RcloneProcess {
    options: RcloneOptions,
    location: RcloneLocation,
    connect: Duration,
    no_progress: Duration,
    paces: (Pace, Pace),
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    pipe: Pipe,
    client: HttpClient,
    /// Ends with this.
    _process: Process,
}

impl RcloneProcess {
    pub(super) fn new(
        options: RcloneOptions,
        location: RcloneLocation,
        (connect, no_progress): (Duration, Duration),
        paces: (Pace, Pace),
    ) -> Self {
        Self {
            options,
            location,
            connect,
            no_progress,
            paces,
            running: Mutex::new(None),
        }
    }

    async fn start(&self) -> Result<Running, Failure> {
        let mut arguments = self.options.arguments.clone();
        arguments.push(self.location.argument().to_owned());
        let program = &self.options.program;
        let (mut process, stdin, stdout) = Process::start(program, &arguments)?;
        let pipe = Pipe::connect(tokio::io::join(stdout, stdin)).await?;
        let client = HttpClient::over_pipe(pipe.clone(), self.no_progress, self.paces.clone());
        let url =
            Url::parse(HELLO).map_err(|e| Failure::new(ErrorKind::Unsupported, e.to_string()))?;
        let hello = client.send(HttpRequest::new("GET", url));
        match tokio::time::timeout(self.connect, hello).await {
            // Whatever it says, it speaks.
            Ok(Ok(answer)) => answer.discard().await,
            Ok(Err(why)) => {
                let ended = process.ended(ENDING).await;
                return Err(failure::unanswered(program, ended, why));
            }
            Err(_) => {
                let message = format!("{program} did not answer in time (limit.connect)");
                return Err(Failure::passing(ErrorKind::TimedOut, message));
            }
        }
        Ok(Running {
            client,
            pipe,
            _process: process,
        })
    }
}

#[async_trait]
impl Connect for RcloneProcess {
    async fn connect(&self) -> Result<HttpClient, Failure> {
        let mut running = self.running.lock().await;
        match &*running {
            Some(running) if running.pipe.is_open() => return Ok(running.client.clone()),
            // The old process ends before a new one begins.
            _ => drop(running.take()),
        }
        let started = self.start().await?;
        let client = started.client.clone();
        *running = Some(started);
        Ok(client)
    }
}
