//! The twin itself.

use super::*;

const DIRECTORY: &str = "/data";

fn disk() -> SimDisk {
    SimDisk::new(Path::new(DIRECTORY), 1)
}

fn create(disk: &SimDisk, name: &str) -> Arc<dyn DiskFile> {
    let open = OpenFile { create: true, capacity: 1 << 20 };
    disk.open(&Path::new(DIRECTORY).join(name), open).expect("opened")
}

fn bytes(disk: &SimDisk, name: &str) -> Option<Vec<u8>> {
    disk.read(&Path::new(DIRECTORY).join(name)).ok()
}

#[test]
fn only_what_was_synced_survives_for_sure() {
    let disk = disk();
    let file = create(&disk, "a");
    file.write_at(0, &[b"one"]).expect("written");
    file.sync().expect("synced");
    assert_eq!(bytes(&disk.crash(Loss::Dropped, 0), "a"), None, "its name was not synced");
    disk.sync_dir(Path::new(DIRECTORY)).expect("synced");
    file.write_at(3, &[b"two"]).expect("written");
    assert_eq!(bytes(&disk.crash(Loss::Dropped, 0), "a"), Some(b"one".to_vec()));
    assert_eq!(bytes(&disk.crash(Loss::Kept, 0), "a"), Some(b"onetwo".to_vec()));
    let killed = disk.kill();
    assert_eq!(bytes(&killed, "a"), Some(b"onetwo".to_vec()));
    assert_eq!(bytes(&killed.crash(Loss::Dropped, 0), "a"), Some(b"one".to_vec()), "it may still be lost");
    for seed in 0..50 {
        let torn = bytes(&disk.crash(Loss::Torn, seed), "a").expect("there");
        assert!(b"onetwo".starts_with(&torn) && torn.len() >= 3, "{torn:?}");
    }
}

#[test]
fn names_are_lost_until_their_directory_is_synced() {
    let disk = disk();
    disk.replace(&Path::new(DIRECTORY).join("a"), b"old").expect("replaced");
    assert_eq!(bytes(&disk.crash(Loss::Dropped, 0), "a"), Some(b"old".to_vec()));
    let file = create(&disk, "b");
    file.write_at(0, &[b"new"]).expect("written");
    file.sync().expect("synced");
    let (from, to) = (Path::new(DIRECTORY).join("b"), Path::new(DIRECTORY).join("a"));
    disk.rename(&from, &to).expect("renamed");
    assert_eq!(bytes(&disk.crash(Loss::Dropped, 0), "a"), Some(b"old".to_vec()));
    disk.sync_dir(Path::new(DIRECTORY)).expect("synced");
    assert_eq!(bytes(&disk.crash(Loss::Dropped, 0), "a"), Some(b"new".to_vec()));
}

#[test]
fn blocks_are_old_or_new() {
    let disk = disk();
    let file = create(&disk, "a");
    file.write_at(0, &[&vec![1; SIM_BLOCK_BYTES]]).expect("written");
    file.sync().expect("synced");
    disk.sync_dir(Path::new(DIRECTORY)).expect("synced");
    file.write_at(SIM_BLOCK_BYTES as u64, &[&vec![2; 2 * SIM_BLOCK_BYTES]]).expect("written");
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..100 {
        let left = bytes(&disk.crash(Loss::Blocks, seed), "a").expect("there");
        seen.insert(left.chunks(SIM_BLOCK_BYTES).map(|block| block[0]).collect::<Vec<_>>());
    }
    let all = [vec![1], vec![1, 0, 0], vec![1, 0, 2], vec![1, 2, 0], vec![1, 2, 2]];
    assert_eq!(seen, all.into_iter().collect());
}

#[test]
fn rules_hit_the_operation_that_they_name() {
    let disk = disk();
    let file = create(&disk, "a");
    disk.set_rules(vec![Rule::once(Class::Change, 1, Fault::ShortWrite)]);
    file.write_at(0, &[b"ab"]).expect("number 0");
    let error = file.write_at(2, &[b"cdef"]).expect_err("number 1");
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(bytes(&disk, "a"), Some(b"abcd".to_vec()));
    file.write_at(2, &[b"x"]).expect("number 2");
    assert_eq!(bytes(&disk, "a"), Some(b"abxd".to_vec()), "a shorter write leaves what is behind it");
    assert_eq!((disk.count(Class::Change), disk.count(Class::Sync)), (3, 0));

    disk.set_rules(vec![Rule::once(Class::Any, 0, Fault::Off)]);
    assert!(file.write_at(4, &[b"yz"]).is_err());
    assert!(disk.is_off() && file.sync().is_err() && bytes(&disk, "a").is_none());
    assert!(bytes(&disk.kill(), "a").is_some_and(|bytes| bytes.starts_with(b"abxd")));
}

#[test]
fn a_failed_sync_loses_what_a_second_one_does_not_bring_back() {
    let lost = (0..20).any(|seed| {
        let disk = SimDisk::new(Path::new(DIRECTORY), seed);
        let file = create(&disk, "a");
        disk.sync_dir(Path::new(DIRECTORY)).expect("synced");
        file.write_at(0, &[b"x"]).expect("written");
        disk.set_rules(vec![Rule::once(Class::Sync, 0, Fault::Failing)]);
        assert!(file.sync().is_err());
        file.sync().expect("the second one succeeds");
        assert_eq!(bytes(&disk, "a"), Some(b"x".to_vec()));
        bytes(&disk.crash(Loss::Kept, 0), "a") == Some(Vec::new())
    });
    assert!(lost);
}

#[test]
fn a_sync_of_everything_leaves_nothing_to_lose() {
    let disk = disk();
    for name in ["a", "b"] {
        let file = create(&disk, name);
        file.write_at(0, &[b"bytes"]).expect("written");
    }
    disk.volume(Path::new(DIRECTORY)).expect("there").sync_all().expect("synced");
    for loss in Loss::ALL {
        let left = disk.crash(loss, 7);
        assert_eq!(
            (bytes(&left, "a"), bytes(&left, "b")),
            (Some(b"bytes".to_vec()), Some(b"bytes".to_vec()))
        );
    }
    // One that fails forgets what it did not write, as the kernel does.
    let survives = (0..20).map(|seed| {
        let disk = SimDisk::new(Path::new(DIRECTORY), seed);
        create(&disk, "a").write_at(0, &[b"bytes"]).expect("written");
        disk.set_rules(vec![Rule::once(Class::Sync, 0, Fault::Failing)]);
        disk.sync_all().expect_err("number 0");
        disk.sync_all().expect("number 1");
        bytes(&disk.crash(Loss::Kept, 0), "a").is_some_and(|bytes| bytes == b"bytes")
    });
    let kept: Vec<bool> = survives.collect();
    assert!(kept.contains(&true) && kept.contains(&false), "{kept:?}");
}
