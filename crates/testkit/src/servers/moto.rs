//! S3 as moto speaks it: buckets in the memory of a Python process. It believes every signature.

use std::path::PathBuf;
use std::process::Command;

use super::ServerProcess;

/// A server without any bucket.
#[derive(Debug)]
pub struct Moto {
    process: ServerProcess,
    host: String,
}

impl Moto {
    /// Keys that it takes, as it takes any.
    pub const ENVIRONMENT: [(&str, &str); 2] = [
        ("AWS_ACCESS_KEY_ID", "ada"),
        ("AWS_SECRET_ACCESS_KEY", "try-me"),
    ];

    /// Starts it, with more variables of its environment if need be.
    pub fn start(variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program());
        command.args(["-H", "127.0.0.1", "-p", "0"]);
        for (name, value) in variables {
            command.env(name, value);
        }
        let (process, host) = ServerProcess::start(&mut command, |line| {
            let (_, address) = line.split_once("Running on http://")?;
            Some(address.trim().to_owned())
        });
        Self { process, host }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The address of a bucket, or of a part of one.
    pub fn url(&self, bucket_and_path: &str) -> String {
        format!("s3:http://{}/{bucket_and_path}", self.host)
    }

    /// What it has said.
    pub fn said(&self) -> String {
        self.process.said()
    }
}

fn program() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let folder = cache.expect("a home folder").join("strongroom-tests");
    let program = folder.join("python/bin/moto_server");
    assert!(
        program.is_file(),
        "no moto here; run scripts/install-test-servers"
    );
    program
}
