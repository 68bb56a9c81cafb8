//! `strongroom serve-rest` with the real restic as its client.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Child;

use strongroom_testkit::{
    CompareOptions, Random, Restic, Strongroom, assert_same_trees, strongroom,
};

/// The executable as a server, until it is dropped.
struct Served {
    program: Strongroom,
    child: Child,
    port: String,
}

impl Served {
    fn start(arguments: &[&str]) -> Self {
        Self::start_in(strongroom!(), arguments)
    }

    fn start_in(program: Strongroom, arguments: &[&str]) -> Self {
        let mut all = vec!["serve-rest", "--path", "served", "--listen", "127.0.0.1:0"];
        all.extend(arguments);
        let mut child = program.spawn(all);
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let port = line.trim().trim_end_matches('/').rsplit(':').next();
        let port = port.unwrap().to_owned();
        assert!(port.parse::<u16>().is_ok(), "{line:?}");
        Self {
            program,
            child,
            port,
        }
    }

    fn url(&self, scheme: &str, sign_in: &str, repository: &str) -> String {
        format!(
            "rest:{scheme}://{sign_in}127.0.0.1:{}/{repository}/",
            self.port
        )
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.program.home().join("served").join(name)
    }

    /// Asks it to stop, and how it ended.
    fn stop(mut self) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        let sent = std::process::Command::new("kill").arg(&pid).status();
        assert!(sent.unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn source(folder: &Path) -> PathBuf {
    let source = folder.join("source");
    fs::create_dir_all(source.join("deep")).unwrap();
    fs::write(source.join("small"), "kept").unwrap();
    fs::write(source.join("deep/large"), Random::new(50).bytes(9 << 20)).unwrap();
    source
}

#[test]
fn restic_makes_backs_up_checks_forgets_and_restores() {
    let served = Served::start(&["--no-auth"]);
    let home = tempfile::tempdir().unwrap();
    let source = source(home.path());
    let restic = Restic::new(served.url("http", "", "r"), "try-me");
    restic.init();
    restic.run(["init"]).expect_code(1);
    restic.backup(&[&source]);
    fs::write(source.join("small"), "changed").unwrap();
    restic.backup(&[&source]);
    restic.check_read_data();
    restic.forget_prune(["--keep-last", "1"]);
    restic.check_read_data();
    let target = home.path().join("target");
    restic.restore_folder("latest", &source, &target);
    let options = CompareOptions {
        root: false,
        ..CompareOptions::default()
    };
    assert_same_trees(&source, &target, &options);
    assert_eq!(served.stop().code(), Some(0));
}

/// A machine that was taken over must not be able to remove its backups.
#[test]
fn append_only_lets_a_client_add_and_nothing_else() {
    let served = Served::start(&["--no-auth", "--append-only"]);
    let home = tempfile::tempdir().unwrap();
    let source = source(home.path());
    let address = served.url("http", "", "r");
    let restic = Restic::new(&address, "try-me");
    restic.init();
    restic.backup(&[&source]);
    fs::write(source.join("small"), "changed").unwrap();
    restic.backup(&[&source]);
    restic.check_read_data();
    // It tells of the refusal, and ends with 0 all the same.
    let forgot = restic.run(["forget", "--keep-last", "1"]);
    assert!(forgot.stderr_text().contains("403"), "{forgot}");
    assert_eq!(restic.snapshot_ids().len(), 2);
    let ours = &served.program;
    let with = ["-r", &address, "--yes"];
    let forget = ours.command(["forget", "--keep-last", "1"].iter().chain(&with));
    let forget = { forget }.env("STRONGROOM_PASSWORD", "try-me").output();
    assert_eq!(forget.unwrap().status.code(), Some(24));
    assert_eq!(restic.snapshot_ids().len(), 2);
    assert_eq!(restic.list("locks"), [""; 0], "locks were removed");
    restic.check_read_data();
}

#[test]
fn whoever_cannot_sign_in_sees_nothing_and_a_user_only_their_own() {
    let program = strongroom!();
    let users = program.home().join("users");
    let htpasswd = |arguments: &[&str]| {
        let mut command = std::process::Command::new("htpasswd");
        let ran = command.args(arguments).current_dir(program.home()).output();
        assert!(ran.unwrap().status.success());
    };
    htpasswd(&["-B", "-b", "-c", "users", "ada", "pa:ss"]);
    htpasswd(&["-s", "-b", "users", "bob", "word"]);
    let arguments = [
        "--htpasswd-file",
        "users",
        "--private-repos",
        "--prometheus",
    ];
    let served = Served::start_in(program, &arguments);
    let home = tempfile::tempdir().unwrap();
    let source = source(home.path());
    for (user, password) in [("ada", "pa:ss"), ("bob", "word")] {
        let sign_in = format!("{user}:{}@", password.replace(':', "%3A"));
        let restic = Restic::new(served.url("http", &sign_in, &format!("{user}/r")), "try-me");
        restic.init();
        restic.backup(&[&source]);
        restic.check_read_data();
        let others = if user == "ada" { "bob/r" } else { "ada/r" };
        for elsewhere in [others, "r", ""] {
            let elsewhere = Restic::new(served.url("http", &sign_in, elsewhere), "try-me");
            elsewhere.run(["init"]).expect_code(1);
        }
        assert!(served.folder(&format!("{user}/r/config")).is_file());
    }
    for sign_in in ["", "ada:wrong@", "eve:word@"] {
        let restic = Restic::new(served.url("http", sign_in, "ada/r"), "try-me");
        restic
            .run(["snapshots", "--retry-lock", "0s"])
            .expect_code(1);
    }
    // A user who was removed is out without a restart.
    let known = fs::read_to_string(&users).unwrap();
    let rest: Vec<_> = known
        .lines()
        .filter(|line| !line.starts_with("bob"))
        .collect();
    fs::write(&users, format!("{}\n\n", rest.join("\n"))).unwrap();
    let restic = Restic::new(served.url("http", "bob:word@", "bob/r"), "try-me");
    restic.run(["snapshots"]).expect_code(1);
}

/// A certificate that nobody vouches for is refused, and accepted where it is named.
#[test]
fn tls_is_spoken_and_an_unknown_certificate_refused() {
    let program = strongroom!();
    let made = std::process::Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(program.home())
        .output();
    assert!(made.unwrap().status.success());
    let tls = [
        "--no-auth",
        "--tls-cert",
        "cert.pem",
        "--tls-key",
        "key.pem",
    ];
    let served = Served::start_in(program, &tls);
    let address = served.url("https", "", "r");
    let certificate = served.program.home().join("cert.pem");
    let home = tempfile::tempdir().unwrap();
    let source = source(home.path());
    let restic = Restic::new(&address, "try-me");
    let trusting = ["--cacert", certificate.to_str().unwrap()];
    restic.run(["init"].iter().chain(&trusting)).ok();
    let arguments = ["backup", source.to_str().unwrap()];
    restic.run(arguments.iter().chain(&trusting)).ok();

    let ours = |arguments: &[&str]| {
        let mut command = served.program.command(["-r", &address]);
        command.args(arguments).env("STRONGROOM_PASSWORD", "try-me");
        command.output().unwrap()
    };
    let refused = ours(&["snapshots"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(24), "{said}");
    assert!(
        said.contains("certificate") && said.contains("--cacert"),
        "{said}"
    );
    assert_eq!(
        ours(&["check", "--read-data", trusting[0], trusting[1]])
            .status
            .code(),
        Some(0)
    );
    let insecure = ours(&["snapshots", "--insecure-tls"]);
    let said = String::from_utf8_lossy(&insecure.stderr).into_owned();
    assert_eq!(insecure.status.code(), Some(0), "{said}");
    assert!(
        said.contains("warning:") && said.contains("not checked"),
        "{said}"
    );
}

#[test]
fn beyond_its_size_a_server_takes_nothing_more() {
    let served = Served::start(&["--no-auth", "--max-size", "4M"]);
    let home = tempfile::tempdir().unwrap();
    let source = source(home.path());
    let address = served.url("http", "", "r");
    let run = |arguments: &[&str]| {
        let mut command = served.program.command(["-r", &address]);
        command.args(arguments).env("STRONGROOM_PASSWORD", "try-me");
        command.output().unwrap().status.code()
    };
    assert_eq!(run(&["init"]), Some(0));
    assert_eq!(
        run(&["backup", source.join("small").to_str().unwrap()]),
        Some(0)
    );
    assert_eq!(run(&["backup", source.to_str().unwrap()]), Some(25));
    assert_eq!(run(&["check", "--read-data"]), Some(0));
}

/// T-16: a snapshot's own time is whatever its maker says; the receipt has the server's, and clients cannot write it.
#[test]
fn t16_the_time_of_receipt_is_the_servers_own() {
    let served = Served::start(&["--no-auth", "--append-only"]);
    let home = tempfile::tempdir().unwrap();
    let source = source(home.path());
    let restic = Restic::new(served.url("http", "", "r"), "try-me");
    restic.init();
    restic.backup_with(["--time", "2099-01-01 00:00:00"], &[&source]);
    let id = restic.snapshot_ids().remove(0);
    let receipt = served.folder(&format!("r/strongroom/receipts/{id}"));
    let receipt: serde_json::Value = serde_json::from_slice(&fs::read(receipt).unwrap()).unwrap();
    let received: jiff::Timestamp = receipt["received"].as_str().unwrap().parse().unwrap();
    let age = jiff::Timestamp::now().duration_since(received);
    assert!(age.as_secs().abs() < 600, "{receipt}");
}

/// T-16: snapshots that claim to be of the future, one a day, are for a policy what they are: all of today. The true ones that came earlier stay.
#[test]
fn t16_a_policy_on_the_server_counts_from_the_receipt() {
    let served = Served::start(&["--no-auth", "--append-only"]);
    let home = tempfile::tempdir().unwrap();
    let source = source(home.path());
    let restic = Restic::new(served.url("http", "", "r"), "try-me");
    restic.init();
    restic.backup(&[&source]);
    let honest = restic.snapshot_ids().remove(0);
    // It came a week ago.
    let folder = served.folder("r");
    let receipt = folder.join(format!("strongroom/receipts/{honest}"));
    let week_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(7 * 24);
    fs::write(receipt, format!(r#"{{"received":"{week_ago}"}}"#)).unwrap();
    for day in 1..=4 {
        restic.backup_with(["--time", &format!("2099-01-0{day} 00:00:00")], &[&source]);
    }
    let forget = |arguments: &[&str]| -> serde_json::Value {
        let mut command = served.program.command(["-r", folder.to_str().unwrap()]);
        command.args(["forget", "--dry-run", "--json", "--keep-daily", "3"]);
        command.args(arguments).env("STRONGROOM_PASSWORD", "try-me");
        serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
    };
    let kept = |plan: &serde_json::Value| -> Vec<String> {
        let kept = plan[0]["keep"].as_array().unwrap().iter();
        kept.map(|file| file["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let believed = forget(&["--age-by", "stated"]);
    assert!(!kept(&believed).contains(&honest), "{believed}");
    let by_receipt = forget(&[]);
    assert_eq!(kept(&by_receipt).len(), 2, "{by_receipt}");
    assert!(kept(&by_receipt).contains(&honest), "{by_receipt}");
    assert_eq!(by_receipt[0]["received"].as_object().unwrap().len(), 5);
}
