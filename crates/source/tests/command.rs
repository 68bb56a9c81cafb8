//! A program's output is stored only if the program says that it is whole, and no program is left behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use rustix::process::{Pid, test_kill_process};
use strongroom_repository::backup::{Content, Source};
use strongroom_repository::format::Time;
use strongroom_source::command::{Command, Invocation};
use strongroom_testkit::source_suite::walk;

struct Started {
    source: Command,
    stderr: Arc<Mutex<Vec<u8>>>,
}

fn sh(script: &str) -> Started {
    run("sh", &["-c", script])
}

fn run(program: &str, arguments: &[&str]) -> Started {
    let stderr = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&stderr);
    let invocation = Invocation {
        program: program.into(),
        arguments: arguments.iter().map(Into::into).collect(),
        on_stderr: Arc::new(move |bytes| heard.lock().unwrap().extend_from_slice(bytes)),
    };
    let time = Time::utc(Timestamp::UNIX_EPOCH);
    let source = Command::new(b"dumps/shop.sql", time, invocation).unwrap();
    Started { source, stderr }
}

/// The open output of the command.
fn open(source: &Command) -> Box<dyn Content> {
    let folder = source.root().children().unwrap().next().unwrap().unwrap();
    let file = folder.handle.children().unwrap().next().unwrap().unwrap();
    file.handle.open().unwrap()
}

/// A number that the program prints on a line of its own.
fn read_pid(content: &mut dyn Content) -> Pid {
    let mut line = Vec::new();
    loop {
        let mut byte = [0];
        content.read_exact(&mut byte).unwrap();
        if byte == *b"\n" {
            let number = str::from_utf8(&line).unwrap().trim().parse().unwrap();
            return Pid::from_raw(number).unwrap();
        }
        line.push(byte[0]);
    }
}

/// Waits until a process that is no child of ours is gone: its parent, which was killed too, no longer reaps it.
fn assert_gone(pid: Pid) {
    let state = || std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    while let Ok(stat) = state() {
        if stat.rsplit(") ").next().unwrap().starts_with('Z') {
            return;
        }
        std::thread::yield_now();
    }
}

#[test]
fn the_output_is_the_content_and_errors_are_passed_on() {
    let started = sh("printf 'a\\0b'; echo careful >&2");
    let walked = walk(&started.source).without_errors();
    assert_eq!(walked.paths(), ["/dumps", "/dumps/shop.sql"]);
    assert_eq!(
        walked.at("/dumps/shop.sql").content.as_deref(),
        Some(&b"a\0b"[..])
    );
    assert_eq!(*started.stderr.lock().unwrap(), b"careful\n");
    assert!(started.source.all_or_nothing());
}

#[test]
fn arguments_reach_the_program_without_a_shell() {
    let walked = walk(&run("printf", &["%s", "$HOME; *\"'"]).source).without_errors();
    assert_eq!(
        walked.at("/dumps/shop.sql").content.as_deref(),
        Some(&b"$HOME; *\"'"[..])
    );
}

#[test]
fn a_program_that_fails_after_its_output_makes_the_content_an_error() {
    for (script, message) in [
        ("echo half; exit 3", "exit status 3"),
        ("echo half; kill -9 $$", "killed by signal 9"),
        ("exit 0", "no data came"),
    ] {
        let walked = walk(&sh(script).source);
        assert_eq!(walked.only_error().message, message, "{script}");
        assert!(
            !walked.found.contains_key(&b"/dumps/shop.sql"[..]),
            "{script}"
        );
    }
    let walked = walk(&run("/nowhere/at all", &["secret"]).source);
    assert_eq!(walked.only_error().during, "start");
    assert!(!walked.only_error().to_string().contains("secret"));
}

#[test]
fn t24_a_command_that_is_given_up_is_ended_with_its_children() {
    let started = sh("sleep 1000 & echo $!; echo $$; wait");
    let mut content = open(&started.source);
    let (child, leader) = (read_pid(content.as_mut()), read_pid(content.as_mut()));
    drop(content);
    // Reaped, so that nothing has its number.
    assert!(test_kill_process(leader).is_err());
    assert_gone(child);
}

#[test]
fn t24_an_interruption_wakes_a_read_that_waits_for_a_hanging_command() {
    let started = sh("echo $$; exec sleep 1000");
    let mut content = open(&started.source);
    let leader = read_pid(content.as_mut());
    let reader = std::thread::spawn(move || {
        let mut rest = Vec::new();
        let read = content.read_to_end(&mut rest);
        (read.unwrap(), content.finish().unwrap_err().message)
    });
    started.source.interrupt();
    assert_eq!(reader.join().unwrap(), (0, "interrupted".to_owned()));
    assert!(test_kill_process(leader).is_err());
}

#[test]
fn an_interruption_before_the_start_keeps_the_command_from_starting() {
    let started = sh("echo started");
    started.source.interrupt();
    assert_eq!(walk(&started.source).only_error().message, "interrupted");
}

#[test]
fn a_child_that_keeps_standard_error_open_does_not_hold_up_the_end() {
    let started = sh("sleep 1000 >/dev/null & echo $!");
    let mut content = open(&started.source);
    let child = read_pid(content.as_mut());
    content.read_to_end(&mut Vec::new()).unwrap();
    content.finish().unwrap();
    rustix::process::kill_process(child, rustix::process::Signal::KILL).unwrap();
}
