//! Files both ways: Apache Kafka's own tools read what Ottla has written, and Ottla takes over what Apache Kafka has.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the functions around the tests fail as the tests do"
)]

mod codec;
mod dump;
mod imported;
mod records;
mod transactions;
mod wire;
mod workload;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use ottla_tests::broker::Broker;
use ottla_tests::kafka::Kafka;
use ottla_tests::ottla::Ottla;
use ottla_tests::toolchain::Toolchain;
use ottla_tests::verdict::skips_fail;

use dump::Dump;
use imported::Imported;
use workload::Workload;

/// Apache Kafka, unless this machine cannot run it.
fn kafka() -> Option<Kafka> {
    if let Some(missing) = Toolchain::Java.missing() {
        assert!(!skips_fail(), "{missing}, which CI does not allow");
        eprintln!("skipped: {missing}");
        return None;
    }
    Some(Kafka::fetch().unwrap())
}

#[test]
fn kafkas_tools_read_what_ottla_has_written() {
    let Some(kafka) = kafka() else { return };
    let logs = tempfile::tempdir().unwrap();
    let mut broker = Broker::start(Arc::new(Ottla::find().unwrap()), &logs.path().join("log")).unwrap();
    let mut workload = Workload::begin(&mut broker);
    workload.work(&mut broker);
    workload.commit(&mut broker);
    broker.stop().unwrap();
    let dump = Dump { kafka: &kafka, data: broker.data_directory() };
    let told = dump.check(&workload);
    eprintln!("after a clean stop: {told}");

    broker.start_again().unwrap();
    workload.work(&mut broker);
    workload.commit(&mut broker);
    broker.kill().unwrap();
    workload.work(&mut broker);
    broker.stop().unwrap();
    let told = dump.check(&workload);
    eprintln!("after kill -9 and a clean stop: {told}");
}

#[test]
fn ottla_takes_over_what_kafka_has_written() {
    let Some(kafka) = kafka() else { return };
    let ottla = Ottla::find().unwrap();
    let logs = tempfile::tempdir().unwrap();
    let mut broker = Broker::start(Arc::new(kafka), &logs.path().join("kafka.log")).unwrap();
    let mut workload = Workload::begin(&mut broker);
    workload.work(&mut broker);
    workload.commit(&mut broker);
    let refused = import(&ottla, &broker.data_directory(), &logs.path().join("refused")).output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("a broker is using it"), "{told}");

    // What kill -9 would leave now: the files of a broker that runs.
    let crashed = logs.path().join("crashed");
    let copied = Command::new("cp").arg("-r").arg(broker.data_directory()).arg(&crashed).status().unwrap();
    assert!(copied.success());
    broker.stop().unwrap();
    for from in [crashed, broker.data_directory()] {
        let imported = Imported { ottla: ottla.clone(), from, with_remarks: false };
        let mut taken = Broker::start(Arc::new(imported), &logs.path().join("ottla.log")).unwrap();
        let read = workload.check_all_is_there(&mut taken);
        eprintln!("imported {read} records");
        let mut more = workload.clone();
        more.work(&mut taken);
        taken.kill().unwrap();
        more.check_all_is_there(&mut taken);
        taken.stop().unwrap();
    }
}

#[test]
fn what_was_aborted_in_kafka_is_aborted_after_the_import() {
    let Some(kafka) = kafka() else { return };
    let ottla = Ottla::find().unwrap();
    let logs = tempfile::tempdir().unwrap();
    let mut broker = Broker::start(Arc::new(kafka), &logs.path().join("kafka.log")).unwrap();
    Workload::begin(&mut broker);
    transactions::write(&mut broker);
    let told = transactions::read(&mut broker);
    let aborted: usize = told.iter().map(|told| told.aborted.len()).sum();
    assert!(aborted > 12 && told.len() > 3, "{} fetches, {aborted} aborted", told.len());
    assert_eq!(told.last().map(|told| told.stable), Some(0), "one is open");
    broker.stop().unwrap();
    let imported = Imported { ottla, from: broker.data_directory(), with_remarks: true };
    let mut taken = Broker::start(Arc::new(imported), &logs.path().join("ottla.log")).unwrap();
    for how in ["imported", "after kill -9"] {
        assert_eq!(transactions::read(&mut taken), told, "{how}");
        eprintln!("{how}: {} fetches, {aborted} aborted transactions as Kafka told them", told.len());
        if how == "imported" {
            taken.kill().unwrap();
        }
    }
    taken.stop().unwrap();
}

/// The command that imports everything.
fn import(ottla: &Ottla, from: &Path, into: &Path) -> Command {
    let mut command = Command::new(ottla.binary());
    command.arg("import").arg("--data-dir").arg(into).arg("--from").arg(from);
    command
}
