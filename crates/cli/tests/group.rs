//! `ottla group` against a running broker: the history of a group's offsets, which a kill does not take away.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use bytes::Bytes;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::*;
use ottla_wire::client::Client;

/// A running `ottla serve`, killed when it is dropped.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(directory: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ottla"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"]).current_dir(directory);
        let mut child = command.env_clear().stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("ottla ready ").unwrap_or_else(|| panic!("first line: {line:?}"));
        Self { child, address: address.trim().to_owned() }
    }

    fn client(&self) -> Client {
        Client::connect(&*self.address).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ottla"));
        command.arg("group").args(arguments).args(["--bootstrap", &self.address]).env_clear();
        command.output().unwrap()
    }

    /// What a command prints that must succeed, without the times in front.
    fn told(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        text.lines()
            .map(words)
            .map(|line| line.split_once("Z ").map_or(line.clone(), |(_, rest)| rest.into()))
            .collect()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // SIGKILL: nothing is closed or flushed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn group() -> GroupId {
    GroupId("readers".into())
}

fn commit(client: &mut Client, member: (&str, i32), offset: i64) {
    let partition = OffsetCommitRequestPartition::default().with_committed_offset(offset);
    let topic = OffsetCommitRequestTopic::default()
        .with_name(TopicName("orders".into()))
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(group())
        .with_member_id(member.0.to_owned().into())
        .with_generation_id_or_member_epoch(member.1)
        .with_topics(vec![topic]);
    assert_eq!(client.send(8, &request).unwrap().topics[0].partitions[0].error_code, 0);
}

/// A consumer that commits, without an assignment, and leaves.
fn consume(client: &mut Client) {
    let topic = CreatableTopic::default()
        .with_name(TopicName("orders".into()))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let create = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(5000);
    assert_eq!(client.send(7, &create).unwrap().topics[0].error_code, 0);
    let find = FindCoordinatorRequest::default().with_coordinator_keys(vec!["readers".into()]);
    assert_eq!(client.send(4, &find).unwrap().coordinators[0].error_code, 0);
    let protocol =
        JoinGroupRequestProtocol::default().with_name("range".into()).with_metadata(Bytes::from_static(b"m"));
    let join = JoinGroupRequest::default()
        .with_group_id(group())
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(10_000)
        .with_protocol_type("consumer".into())
        .with_protocols(vec![protocol]);
    let joined = client.send(3, &join).unwrap();
    let sync = SyncGroupRequest::default()
        .with_group_id(group())
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone());
    assert_eq!(client.send(2, &sync).unwrap().error_code, 0);
    commit(client, (&joined.member_id, joined.generation_id), 0);
    let leave = LeaveGroupRequest::default().with_group_id(group()).with_member_id(joined.member_id);
    assert_eq!(client.send(2, &leave).unwrap().error_code, 0);
}

#[test]
fn the_history_outlives_a_kill_and_a_reset_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let serving = Serving::start(dir.path());
    let mut client = serving.client();
    client.set_client_id(Some("reader".into()));
    consume(&mut client);
    client.set_client_id(Some("boss".into()));
    commit(&mut client, ("", -1), 40);
    let why = serving.told(&["why", "readers"]).join("\n");
    assert!(why.contains("joined") && why.contains("nobody is left"), "{why}");
    drop(serving);

    let serving = Serving::start(dir.path());
    let history = serving.told(&["history", "readers", "--since", "10m"]);
    assert!(history[1].starts_with("orders-0 - 0 commit, NOT THE OWNER reader-"), "{history:?}");
    assert!(history[1].ends_with("in 1, reader at /127.0.0.1"), "{history:?}");
    assert_eq!(history[2..], ["orders-0 0 40 reset, PAST THE END boss at /127.0.0.1"]);
    assert_eq!(serving.told(&["offsets", "readers"])[2..], ["orders-0 40"]);
    assert_eq!(serving.told(&["undo", "readers", "--dry-run"])[2..], ["orders-0 40 0"]);
    assert_eq!(serving.told(&["offsets", "readers"])[2..], ["orders-0 40"]);
    assert_eq!(serving.told(&["undo", "readers"])[2..], ["orders-0 40 0"]);
    assert_eq!(serving.told(&["offsets", "readers"])[2..], ["orders-0 0"]);
    assert_eq!(serving.told(&["diff", "readers", "--from", "1h"])[2..], ["orders-0 - 0 3"]);
    drop(serving);

    let serving = Serving::start(dir.path());
    assert_eq!(serving.told(&["offsets", "readers"])[2..], ["orders-0 0"]);
    let history = serving.told(&["history", "readers"]);
    assert_eq!(history.last().unwrap(), "orders-0 40 0 undo ottla at /127.0.0.1");
    let refused = serving.run(&["history", "readers", "--since", "yesterday"]);
    assert!(!refused.status.success());
}
