//! What keeps the node from starting is one line and exit 78; what goes wrong later is an answer, and the node goes on.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::harness::{Client, Process};

fn start(folder: &Path) -> Process {
    Process::start(&["node", "--address", "127.0.0.1:0", "--data", "data"], folder)
}

/// The node does not start: exit 78, and one line that holds the text.
fn refused(process: &mut Process, text: &str) {
    let status = process.end();
    assert_eq!(status.code(), Some(78), "{:?}: {:?}", status.signal(), process.log);
    assert_eq!(process.log.len(), 1, "{:?}", process.log);
    assert!(process.log[0].starts_with("mlgate: ") && process.log[0].contains(text), "{:?}", process.log);
}

fn call(client: &mut Client, line: &str, body: &str) -> (u16, Value) {
    let head = format!("Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    let response = client.ask(format!("{line} HTTP/1.1\r\n{head}\r\n{body}"));
    (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
}

/// A folder with a store that a node has made and left in order.
fn used() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut process = start(folder.path());
    let address = process.listening();
    for number in 0..20 {
        let body = json!({"number": number, "text": "x".repeat(2000)}).to_string();
        assert_eq!(call(&mut Client::connect(address), &format!("PUT /logs/_doc/{number}"), &body).0, 201);
    }
    process.signal("TERM");
    assert!(process.end().success());
    folder
}

#[test]
fn two_nodes_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = start(folder.path());
    let address = first.listening();
    refused(&mut start(folder.path()), "data folder [data] is in use by another process");
    assert_eq!(call(&mut Client::connect(address), "PUT /logs/_doc/1", "{}").0, 201, "the first goes on");
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_made() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(&["node", "--address", &address, "--data", "data"], folder.path());
    refused(&mut process, &format!("cannot listen on [{address}]: Address already in use"));
    assert!(!folder.path().join("data").exists());
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    for (name, is_folder) in [("_state", true), ("nodes", true), ("notes.txt", false)] {
        let folder = tempfile::tempdir().unwrap();
        let foreign = folder.path().join("data").join(name);
        fs::create_dir_all(if is_folder { &foreign } else { foreign.parent().unwrap() }).unwrap();
        if !is_folder {
            fs::write(&foreign, "mine").unwrap();
        }
        refused(&mut start(folder.path()), &format!("holds files that are not of mlgate's node, such as [{name}]"));
        assert_eq!(fs::read_dir(folder.path().join("data")).unwrap().count(), 1, "nothing was added");
    }
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("data"), "a file").unwrap();
    refused(&mut start(folder.path()), "cannot use data folder [data]");
    let mut below = Process::start(&["node", "--address", "127.0.0.1:0", "--data", "data/below"], folder.path());
    refused(&mut below, "cannot use data folder [data/below]: Not a directory");
    // Root may write everywhere but here.
    let mut nowhere = Process::start(&["node", "--address", "127.0.0.1:0", "--data", "/proc/nowhere"], folder.path());
    refused(&mut nowhere, "cannot use data folder [/proc/nowhere]");
}

#[test]
fn a_damaged_or_cut_store_is_named_and_left_as_it_is() {
    let folder = used();
    let store = folder.path().join("data/store.redb");
    let whole = fs::read(&store).unwrap();
    let mut broken: Vec<(&str, Vec<u8>)> = vec![("empty", Vec::new()), ("text", b"not a store".to_vec())];
    for part in 1..8 {
        broken.push(("cut", whole[..whole.len() * part / 8].to_vec()));
    }
    let mut headless = whole.clone();
    headless[..4096].fill(0xA5);
    broken.push(("headless", headless));
    // Every byte after the header: whatever is read first is broken, which redb meets with a panic.
    let mut bodiless = whole.clone();
    bodiless[4096..].fill(0x70);
    broken.push(("bodiless", bodiless));
    for (how, bytes) in broken {
        fs::write(&store, &bytes).unwrap();
        let mut process = start(folder.path());
        let status = process.end();
        assert_eq!((status.code(), process.log.len()), (Some(78), 1), "{how}: {:?}", process.log);
        assert!(
            process.log[0].contains("store [data/store.redb] is damaged and was left as it is"),
            "{:?}",
            process.log
        );
    }
    fs::write(&store, &whole).unwrap();
    assert_eq!(documents(start(folder.path())), 20);
}

fn documents(mut process: Process) -> u64 {
    let address = process.listening();
    call(&mut Client::connect(address), "GET /logs/_count", "").1["count"].as_u64().unwrap()
}

/// The program under a limit of what a file may hold, in blocks of 512 or 1024 bytes as the shell has it: writing beyond fails
/// with `EFBIG`, which the node takes as it takes a full disk.
fn limited(folder: &Path, blocks: u32) -> Process {
    let script = format!("ulimit -f {blocks}; trap '' XFSZ; exec \"$0\" node --address 127.0.0.1:0 --data data");
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_mlgate")]).current_dir(folder).stdin(Stdio::null());
    Process::spawn(command)
}

#[test]
fn no_room_at_start_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    refused(&mut limited(folder.path(), 2), "cannot use data folder [data]: File too large");
}

#[test]
fn no_room_later_is_an_answer_and_the_node_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = limited(folder.path(), 3000);
    let address = process.listening();
    let mut client = Client::connect(address);
    let body = json!({"text": "x".repeat(100_000)}).to_string();
    let mut written = 0;
    let full = loop {
        match call(&mut client, &format!("PUT /logs/_doc/{written}"), &body) {
            (201, _) => written += 1,
            refused => break refused,
        }
        assert!(written < 100, "the limit was not met");
    };
    assert_eq!((full.0, &full.1["error"]["type"]), (429, &json!("cluster_block_exception")), "{}", full.1);
    assert_eq!(call(&mut client, "GET /logs/_count", "").1["count"], json!(written));
    assert_eq!(call(&mut client, "PUT /_ml/anomaly_detectors/x", "{}").0, 400, "it answers on");
    process.signal("TERM");
    assert!(process.end().success());
    assert_eq!(documents(start(folder.path())), written);
}
