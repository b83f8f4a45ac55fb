//! Why a group rebalanced, over a socket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::time::{Duration, Instant};

use kafka_protocol::messages::DeleteGroupsRequest;
use ottla_broker::Broker;
use ottla_broker::private::{GroupEvent, TopicPartitions};
use ottla_model::ErrorCode;
use ottla_wire::client::Client;
use ottla_wire::private::GroupWhy;
use support::groups::{ask, group_id, join_for, leave};
use support::*;

const GROUP: &str = "readers";
const PATIENCE: Duration = Duration::from_secs(30);

/// What happened, the oldest first, and the state of the group.
fn why(client: &mut Client) -> (String, Vec<GroupEvent>) {
    let told = ask(client, &GroupWhy { group: GROUP.into() }).unwrap();
    assert!(told.events.entries.is_sorted_by_key(|event| -event.time_ms));
    (told.state, told.events.entries.into_iter().rev().map(|event| event.event).collect())
}

#[test]
fn a_member_that_fell_silent_is_told_with_what_it_did_last() {
    let builder = Broker::builder().memory().set("group.min.session.timeout.ms", "1").unwrap();
    let broker = builder.start().unwrap();
    let mut watcher = client(&broker);
    create(&mut watcher, "orders", 4, &[]);
    find_coordinator(&mut watcher, GROUP);
    let mut reader = client(&broker);
    reader.set_client_id(Some("reader".into()));
    let member = join_for(&mut reader, GROUP, "orders", &[0, 1, 3], 300);
    let mut fetcher = client(&broker);
    fetcher.set_client_id(Some("reader".into()));
    assert_eq!(fetch(&mut fetcher, "orders", 0), []);
    // It crashes: its connections are gone long before its session is.
    drop((reader, fetcher));
    let deadline = Instant::now() + PATIENCE;
    let events = loop {
        let (state, events) = why(&mut watcher);
        if state == "Empty" {
            break events;
        }
        assert!(Instant::now() < deadline, "still {state}");
        std::thread::yield_now();
    };
    let evicted = events.iter().find_map(|event| match event {
        GroupEvent::Evicted { member, missed, waited_ms, last_seen_in, last_seen_ms_ago } => {
            Some((member, missed.as_str(), *waited_ms, last_seen_in.as_deref(), last_seen_ms_ago.unwrap()))
        }
        _ => None,
    });
    let (who, missed, waited_ms, last_seen_in, ago_ms) = evicted.unwrap();
    assert_eq!((who.member_id.as_str(), who.client_id.as_str()), (&*member.id, "reader"));
    assert_eq!((who.client_host.as_str(), missed, waited_ms), ("/127.0.0.1", "heartbeat", 300));
    assert_eq!(last_seen_in, Some("Fetch"));
    assert!(ago_ms <= PATIENCE.as_millis() as u64);
    let finished = events.iter().find_map(|event| match event {
        GroupEvent::RebalanceFinished { generation: 1, before: None, after, .. } => after.clone(),
        _ => None,
    });
    let expected = TopicPartitions { topic: "orders".to_owned(), partitions: vec![0, 1, 3] };
    assert_eq!(finished.unwrap()[0].topics, [expected]);
    assert!(matches!(events.last(), Some(GroupEvent::Emptied { generation: 2 })));
}

#[test]
fn who_left_and_who_deleted() {
    let broker = broker();
    let mut client = client(&broker);
    let asked = GroupWhy { group: GROUP.into() };
    assert_eq!(ask(&mut client, &asked).unwrap_err().0, ErrorCode::NotCoordinator);
    create(&mut client, "orders", 1, &[]);
    find_coordinator(&mut client, GROUP);
    assert_eq!(ask(&mut client, &asked).unwrap_err().0, ErrorCode::GroupIdNotFound);
    let member = join_for(&mut client, GROUP, "orders", &[0], 10_000);
    leave(&mut client, GROUP, &member);
    client.set_client_id(Some("boss".into()));
    let delete = DeleteGroupsRequest::default().with_groups_names(vec![group_id(GROUP)]);
    assert_eq!(client.send(2, &delete).unwrap().results[0].error_code, 0);
    let (state, events) = why(&mut client);
    assert_eq!(state, "Dead");
    assert!(events.iter().any(|event| matches!(event, GroupEvent::Left { removed_by: None, .. })));
    let Some(GroupEvent::Deleted { by }) = events.last() else { panic!("{events:?}") };
    assert_eq!(by.as_deref(), Some("boss at /127.0.0.1"));
}
