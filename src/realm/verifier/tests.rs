use std::time::Duration;

use super::*;
use crate::realm::file::password::PasswordHash;

fn hash() -> Arc<PasswordHash> {
    let text = "$2a$04$abcdefghijklmnopqrstuugZ4cCtXYvT3AWc2gHnp4bhaIZgm6TGC"; // of `secret-1`
    Arc::new(PasswordHash::parse(text).unwrap())
}

fn job(password: &str, wait: Duration) -> Job {
    let password = Zeroizing::new(password.as_bytes().to_vec());
    Job { password, hash: hash(), deadline: Instant::now() + wait }
}

const LONG: Duration = Duration::from_secs(600);

/// A verifier whose threads are not started: what is submitted stays in the queues.
fn idle(queue_length: usize) -> Verifier {
    let shared = Arc::new(Shared { queues: Mutex::default(), wake: Condvar::new(), queue_length });
    Verifier { shared, threads: Vec::new() }
}

#[test]
fn answers_whether_the_password_is_right() {
    let verifier = Verifier::start(2, 4).unwrap();
    let right = verifier.submit(job("secret-1", LONG), Lane::Stranger).unwrap();
    let wrong = verifier.submit(job("secret-2", LONG), Lane::Known).unwrap();
    assert_eq!((right.blocking_recv(), wrong.blocking_recv()), (Ok(true), Ok(false)));
}

#[test]
fn skips_what_came_too_late() {
    let verifier = Verifier::start(1, 4).unwrap();
    let late = verifier.submit(job("secret-1", Duration::ZERO), Lane::Stranger).unwrap();
    assert!(late.blocking_recv().is_err());
}

#[test]
fn a_full_queue_is_told_at_once_and_does_not_shut_out_known_callers() {
    let verifier = idle(2);
    let first = verifier.submit(job("a", LONG), Lane::Stranger).unwrap();
    let _second = verifier.submit(job("b", LONG), Lane::Stranger).unwrap();
    assert!(verifier.submit(job("c", LONG), Lane::Stranger).is_err());
    let _known = verifier.submit(job("d", LONG), Lane::Known).unwrap();
    drop(first); // taken back: its place is free
    assert!(verifier.submit(job("e", LONG), Lane::Stranger).is_ok());
}

#[test]
fn known_callers_go_first_and_the_others_have_their_turn() {
    let verifier = idle(8);
    let submit = |lane, name: &str| verifier.submit(job(name, LONG), lane).unwrap();
    let _waiting: Vec<_> = (0..6).map(|_| submit(Lane::Stranger, "stranger")).collect();
    let _known: Vec<_> = (0..6).map(|_| submit(Lane::Known, "known")).collect();
    let _suspects: Vec<_> = (0..2).map(|_| submit(Lane::Suspect, "guesser")).collect();
    let mut queues = verifier.shared.lock();
    let order: Vec<_> = std::iter::from_fn(|| queues.take()).map(|waiting| waiting.job.password[0] as char).collect();
    assert_eq!(order.iter().collect::<String>(), "kkskkskgkssssg");
}
