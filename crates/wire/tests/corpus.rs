//! The fuzz targets over the committed corpus and a bounded number of mutations of it. `fuzz/` runs them longer.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)] // A test.

use std::fs;
use std::path::Path;

use ottla_wire::fuzz::{SplitMix64, fuzz_frame, fuzz_request, mutate};
use ottla_wire::{api_keys, check_request, flexible_from, private_keys};

/// The files of one target, in the order of their names.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.display().to_string(), fs::read(&path).expect("a file")))
        .collect();
    files.sort();
    files
}

fn run(target: &str, mutations: usize, function: fn(&[u8])) {
    const SEED: u64 = 0x0771a;
    println!("seed {SEED:#x}");
    let mut random = SplitMix64(SEED);
    for (name, content) in corpus(target) {
        println!("{name}");
        function(&content);
        for _ in 0..mutations {
            let mut mutated = content.clone();
            mutate(&mut random, &mut mutated);
            function(&mutated);
        }
    }
}

#[test]
fn frames() {
    run("frame", 2000, fuzz_frame);
}

#[test]
fn requests() {
    run("request", 500, fuzz_request);
}

#[test]
fn the_corpus_has_a_small_and_a_full_body_of_every_api() {
    for key in api_keys().chain(private_keys()) {
        let files = corpus("request");
        let of_key = files.iter().filter(|(_, content)| content[..2] == key.to_be_bytes());
        let mut count = 0;
        for (name, content) in of_key {
            let version = i16::from_be_bytes([content[2], content[3]]);
            let header_bytes = 10 + usize::from(version >= flexible_from(key).expect("listed"));
            let outcome = check_request(key, version, &content[header_bytes..]);
            assert!(outcome.is_ok(), "{name} is no longer valid: {outcome:?}");
            count += 1;
        }
        assert_eq!(count, 2, "of API {key}");
    }
}
