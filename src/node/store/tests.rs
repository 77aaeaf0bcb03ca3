mod damage;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::node::clock::Clock;

fn source(value: Value) -> Source {
    Source::from_value(value).expect("an object")
}

fn one(operation: Operation) -> Batch {
    let mut batch = Batch::new();
    batch.push(operation);
    batch
}

async fn put(store: &Store, id: &str, value: Value) -> Result<Outcome, OperationError> {
    let write = DocumentWrite::new("a", Some(id.to_owned()), source(value));
    store.commit(one(Operation::Write(write))).await.expect("a commit").outcomes.remove(0)
}

fn ids(store: &Store) -> Vec<String> {
    let Some(index) = store.catalogue().index("a").cloned() else { return Vec::new() };
    store
        .read(|reader| {
            let mut ids = Vec::new();
            reader.scan(index.number, |id, _, _| {
                ids.push(id.to_owned());
                Ok::<_, StoreError>(Step::Next)
            })?;
            Ok(ids)
        })
        .expect("a scan")
}

fn times(store: &Store, field: &str) -> Vec<i64> {
    let index = store.catalogue().index("a").cloned().expect("an index");
    let number = *index.ordered.get(field).expect("an order");
    store
        .read(|reader| {
            let mut times = Vec::new();
            reader.in_order((index.number, number), (i64::MIN, i64::MAX), None, true, |time, _| {
                times.push(time);
                Ok::<_, StoreError>(Step::Next)
            })?;
            Ok(times)
        })
        .expect("a scan")
}

#[tokio::test]
async fn versions_sequence_numbers_and_conflicts() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let Ok(Outcome::Created(first)) = put(&store, "1", json!({"x": 1})).await else { panic!("not created") };
    assert_eq!((first.version, first.seq_no), (1, 0));
    let Ok(Outcome::Updated(second)) = put(&store, "1", json!({"x": 2})).await else { panic!("not updated") };
    assert_eq!((second.version, second.seq_no), (2, 1));

    let expected = Expected::SequenceNumber { seq_no: 0, primary_term: 1 };
    let delete = Operation::Delete { index: "a".to_owned(), id: "1".to_owned(), expected };
    let refused = store.commit(one(delete)).await.expect("a commit").all().expect_err("a conflict");
    assert_eq!(
        refused.to_string(),
        "[1]: version conflict, required seqNo [0], primary term [1]. current document has seqNo [1] and primary term [1]"
    );
    let create =
        DocumentWrite { kind: WriteKind::Create, ..DocumentWrite::new("a", Some("1".to_owned()), source(json!({}))) };
    let refused = store.commit(one(Operation::Write(create))).await.expect("a commit").all().expect_err("a conflict");
    assert_eq!(refused.to_string(), "[1]: version conflict, document already exists (current version [2])");
}

#[tokio::test]
async fn a_refused_operation_leaves_the_others_and_the_state_in_force() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    put(&store, "1", json!({"x": 1})).await.expect("a write");
    let mut batch = Batch::new();
    batch.index("a", "2", source(json!({"x": "no number"})));
    batch.index("a", "3", source(json!({"x": 3})));
    batch.put_state("k", "v");
    let outcomes = store.commit(batch).await.expect("a commit").outcomes;
    assert!(matches!(outcomes.as_slice(), [Err(OperationError::Field { .. }), Ok(Outcome::Created(_))]));
    assert_eq!(ids(&store), ["1", "3"]);
    assert_eq!(store.state("k").expect("a read").as_deref(), Some(b"v".as_slice()));
}

#[tokio::test]
async fn an_expectation_refuses_the_whole_batch() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let mut batch = Batch::new();
    batch.expect_state("k", Some("old".into()));
    batch.put_state("k", "new");
    batch.index("a", "1", source(json!({})));
    assert!(matches!(store.commit(batch).await, Err(StoreError::Expectation { key }) if key == "k"));
    assert_eq!(store.state("k").expect("a read"), None);
    assert!(ids(&store).is_empty());
}

#[tokio::test]
async fn state_is_found_by_prefix() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let mut batch = Batch::new();
    for key in ["job/b", "job/a", "jobs", "feed/a"] {
        batch.put_state(key, key.to_owned());
    }
    store.commit(batch).await.expect("a commit");
    let keys: Vec<_> = store.state_prefix("job/").expect("a read").into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["job/a", "job/b"]);
}

#[tokio::test]
async fn dates_are_in_order_and_an_overwrite_moves_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    for (id, at) in [("1", "2026-01-03T00:00:00Z"), ("2", "2026-01-01T00:00:00Z"), ("3", "1969-12-31T00:00:00Z")] {
        put(&store, id, json!({"at": at})).await.expect("a write");
    }
    assert_eq!(times(&store, "at"), [-86_400_000, 1_767_225_600_000, 1_767_398_400_000]);
    put(&store, "2", json!({"at": "2026-02-01T00:00:00Z"})).await.expect("a write");
    assert_eq!(times(&store, "at"), [-86_400_000, 1_767_398_400_000, 1_769_904_000_000]);
}

#[tokio::test]
async fn a_number_gets_its_order_on_request_and_keeps_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let mut batch = Batch::new();
    for number in 0..2500 {
        batch.index("a", format!("{number}"), source(json!({"ts": 10_000 - number})));
    }
    store.commit(batch).await.expect("a commit").all().expect("all written");
    store.commit(one(Operation::Order { index: "a".to_owned(), field: "ts".to_owned() })).await.expect("a commit");
    put(&store, "late", json!({"ts": 1})).await.expect("a write");
    put(&store, "0", json!({"ts": 2})).await.expect("a write");
    let times = times(&store, "ts");
    assert_eq!(times.len(), 2501);
    assert_eq!(times.get(..3), Some([1, 2, 7501].as_slice()));
    assert!(times.is_sorted());
}

#[tokio::test]
async fn a_deleted_index_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    put(&store, "1", json!({"at": "2026-01-03"})).await.expect("a write");
    store
        .commit(one(Operation::DeleteIndex { index: "a".to_owned() }))
        .await
        .expect("a commit")
        .all()
        .expect("deleted");
    assert!(store.catalogue().index("a").is_none());
    let Ok(Outcome::Created(written)) = put(&store, "2", json!({"at": "2026-01-04"})).await else {
        panic!("not created")
    };
    assert_eq!((written.version, written.seq_no), (1, 0));
    assert_eq!(ids(&store), ["2"]);
    assert_eq!(times(&store, "at").len(), 1);
}

#[tokio::test]
async fn concurrent_commits_share_a_sync_and_all_are_there_after_reopening() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let commits = store.subscribe();
    let writes = (0..200).map(|number| {
        let store = store.clone();
        tokio::spawn(async move { put(&store, &format!("{number}"), json!({"n": number})).await })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.expect("a task").expect("a write");
    }
    assert!(*commits.borrow() < 200, "each write was synced alone");
    store.close();
    drop(store);
    assert_eq!(ids(&Store::open(folder.path()).expect("a store")).len(), 200);
}

/// What a power cut leaves is some state of the file between two syncs; a copy taken between two acknowledged writes is the
/// strictest of them that a test in one process can take.
#[tokio::test]
async fn a_copy_of_the_open_file_holds_all_that_was_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    for round in 0..10 {
        put(&store, &format!("{round}"), json!({"n": round})).await.expect("a write");
        let copy = tempfile::tempdir().expect("a folder");
        fs::copy(folder.path().join("store.redb"), copy.path().join("store.redb")).expect("a copy");
        let reopened = Store::open(copy.path()).expect("a store");
        assert_eq!(ids(&reopened).len(), round + 1);
        put(&reopened, "after", json!({"n": 1})).await.expect("a write after the crash");
    }
}

#[test]
fn a_second_user_of_the_folder_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let _store = Store::open(folder.path()).expect("a store");
    assert!(matches!(Store::open(folder.path()), Err(OpenError::Locked(_))));
}

fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.file_name().is_some_and(|name| name != "node.lock"))
        .map(|path| (path.display().to_string(), fs::read(&path).expect("a file")))
        .collect();
    found.sort();
    found
}

#[test]
fn damaged_and_foreign_folders_are_refused_and_left_as_they_are() {
    for (name, bytes) in [
        ("store.redb", b"this is no store".repeat(1000)),
        ("store.redb", Vec::new()),
        ("store.redb", vec![0; 100_000]),
        ("letters.txt", b"foreign".to_vec()),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(name), &bytes).expect("a file");
        let before = contents(folder.path());
        let refused = Store::open(folder.path()).expect_err("refused");
        assert!(
            matches!(refused, OpenError::Damaged { .. } | OpenError::Foreign { .. }),
            "{name} of {} bytes: {refused:?}",
            bytes.len()
        );
        assert_eq!(contents(folder.path()), before, "{name}");
    }
}

#[tokio::test]
async fn a_cut_file_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    put(&store, "1", json!({"n": 1})).await.expect("a write");
    store.close();
    drop(store);
    let file = folder.path().join("store.redb");
    let whole = fs::read(&file).expect("the file");
    fs::write(&file, whole.get(..whole.len() / 2).expect("half")).expect("cut");
    let before = contents(folder.path());
    assert!(matches!(Store::open(folder.path()), Err(OpenError::Damaged { .. })));
    assert_eq!(contents(folder.path()), before);
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_the_store_lives_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let limit = SizeLimit::default();
    let store = Store::open_limited(folder.path(), limit.clone(), Clock::system()).expect("a store");
    put(&store, "1", json!({"n": 1})).await.expect("a write");
    limit.set(fs::metadata(folder.path().join("store.redb")).expect("the file").len());
    let mut batch = Batch::new();
    batch.index("a", "big", source(json!({"text": "x".repeat(8 * 1024 * 1024)})));
    assert!(matches!(store.commit(batch).await, Err(StoreError::Full)));
    assert_eq!(ids(&store), ["1"]);
    limit.set(u64::MAX);
    put(&store, "2", json!({"n": 2})).await.expect("a write after room was made");
    assert_eq!(ids(&store), ["1", "2"]);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    store.close();
    let mut batch = Batch::new();
    batch.put_state("k", "v");
    assert!(matches!(store.commit(batch).await, Err(StoreError::Closed)));
}
