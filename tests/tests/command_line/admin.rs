//! `ottla topic`, `ottla config` and `ottla health`.

use std::process::Command;

use serde_json::json;

use crate::scene::{Scene, ran};

pub(crate) fn topics(scene: &Scene) {
    let created =
        scene.run(&["topic", "create", "made", "made-too", "-p", "2", "-c", "retention.ms=1234567"]);
    assert_eq!(created.text(), "created made\ncreated made-too\n");
    scene.run_with(&["produce", "made", "-p", "1"], b"1\n2\n").text();
    let described = scene.run(&["topic", "describe", "made", "--json"]).json();
    let topic = &described[0];
    assert_eq!((&topic["topic"], &topic["configs"]["retention.ms"]), (&json!("made"), &json!("1234567")));
    let ends: Vec<_> = topic["partitions"].as_array().unwrap().iter().map(|one| &one["end_offset"]).collect();
    assert_eq!(ends, [&json!(0), &json!(2)]);
    assert_eq!(topic["partitions"][1]["start_offset"], json!(0));
    let table = scene.run(&["topic", "describe", "made"]).text();
    assert!(table.starts_with("made: 2 partitions, id "), "{table}");
    assert!(table.contains("\n  retention.ms=1234567\n"), "{table}");
    assert!(!table.contains('\x1b'), "there is colour in a pipe");
    let listed = scene.run(&["topic", "list", "--json"]).json();
    let made = listed.as_array().unwrap().iter().find(|topic| topic["topic"] == "made").unwrap();
    assert_eq!((&made["partitions"], &made["internal"]), (&json!(2), &json!(false)));
    assert_eq!(made["id"], topic["id"]);
    assert!(scene.run(&["topic", "list"]).text().contains("\nmade-too "));

    assert_eq!(
        scene.run(&["topic", "alter", "made", "-p", "4", "--dry-run"]).text(),
        "could be altered: made\n"
    );
    assert_eq!(scene.run(&["topic", "alter", "made", "-p", "3"]).text(), "altered made\n");
    let told = scene.run(&["topic", "alter", "made", "-p", "2"]).complaint();
    assert!(told.contains("INVALID_PARTITIONS"), "{told}");
    let told = scene.run(&["topic", "create", "made"]).complaint();
    assert!(told.contains("topic 'made' is not created") && told.contains("TOPIC_ALREADY_EXISTS"), "{told}");
    scene.run(&["topic", "create", "made", "--if-not-exists"]).text();
    let told = scene.run(&["topic", "create", "made-wrong", "-c", "retention.ms=soon"]).complaint();
    assert!(told.contains("INVALID_CONFIG") && told.contains("retention.ms"), "{told}");
    assert_eq!(scene.run(&["topic", "create", "dry", "--dry-run"]).text(), "could be created: dry\n");
    let told = scene.run(&["topic", "describe", "dry"]).complaint();
    assert!(told.contains("there is no topic 'dry'"), "{told}");
    let partly = scene.run(&["topic", "delete", "made", "made-missing"]);
    assert_eq!((partly.code, &*partly.out), (Some(1), &b"deleted made\n"[..]));
    assert!(partly.err.contains("there is no topic 'made-missing'"), "{}", partly.err);
    let told = scene.run(&["topic", "delete", "made-too", "made-missing", "--if-exists", "--json"]).json();
    assert_eq!(told[1], json!({"topic": "made-too", "outcome": "deleted"}));
}

pub(crate) fn settings(scene: &Scene) {
    scene.run(&["topic", "create", "settings", "-c", "retention.ms=1000000"]).text();
    let get = |key: &str| scene.run(&["config", "get", "topic", "settings", key]);
    assert_eq!(get("retention.ms").text(), "1000000\n");
    assert_eq!(get("cleanup.policy").text(), "delete\n");
    assert!(get("no.such").complaint().contains("topic 'settings' has no setting 'no.such'"));
    let own = scene.run(&["config", "describe", "topic", "settings", "--json"]).json();
    let retention = own.as_array().unwrap().iter().find(|setting| setting["name"] == "retention.ms").unwrap();
    assert_eq!((&retention["value"], &retention["source"]), (&json!("1000000"), &json!("topic")));
    let all = scene.run(&["config", "describe", "topic", "settings", "--all"]).text();
    assert!(all.starts_with("SETTING ") && all.contains("\nsegment.bytes "), "{all}");
    assert!(scene.run(&["config", "describe", "broker", "1", "--all"]).text().contains("message.max.bytes"));
    for (arguments, complaint) in [
        (["describe", "topic", "missing"], "there is no topic 'missing'"),
        (["describe", "broker", "77"], "there is no broker 77; there are: 1"),
        (["describe", "broker", "one"], "a broker is named by its id, or 'default'"),
    ] {
        let told = scene.run(&[&["config"], &arguments[..]].concat()).complaint();
        assert!(told.contains(complaint), "{told}");
    }
    let set = scene.run(&["config", "set", "topic", "settings", "retention.ms=77", "segment.bytes=2000000"]);
    assert_eq!(set.text(), "the settings of topic 'settings' are changed\n");
    assert_eq!(get("retention.ms").text(), "77\n");
    let refused = scene.run(&["config", "set", "topic", "settings", "retention.ms=78", "segment.bytes=x"]);
    assert!(refused.complaint().contains("the settings of topic 'settings' stay as they are"));
    assert_eq!(get("retention.ms").text(), "77\n");
    scene.run(&["config", "set", "topic", "settings", "--append", "cleanup.policy=compact"]).text();
    assert_eq!(get("cleanup.policy").text(), "delete,compact\n");
    scene.run(&["config", "set", "topic", "settings", "--subtract", "cleanup.policy=delete"]).text();
    assert_eq!(get("cleanup.policy").text(), "compact\n");
    scene.run(&["config", "delete", "topic", "settings", "retention.ms", "--dry-run"]).text();
    assert_eq!(get("retention.ms").text(), "77\n");
    scene.run(&["config", "delete", "topic", "settings", "retention.ms"]).text();
    assert_eq!(get("retention.ms").text(), "604800000\n");
    scene
        .run(&["topic", "alter", "settings", "-c", "retention.ms=99", "--delete-config", "segment.bytes"])
        .text();
    assert_eq!(get("retention.ms").text(), "99\n");
    scene.run(&["config", "set", "group", "some-group", "consumer.session.timeout.ms=50000"]).text();
    let group = scene.run(&["config", "get", "group", "some-group", "consumer.session.timeout.ms"]);
    assert_eq!(group.text(), "50000\n");
    scene.run(&["config", "set", "broker", "default", "message.max.bytes=2000000"]).text();
    assert_eq!(scene.run(&["config", "get", "broker", "1", "message.max.bytes"]).text(), "2000000\n");
    scene.run(&["config", "delete", "broker", "default", "message.max.bytes"]).text();
}

pub(crate) fn health(scene: &Scene) {
    let address = scene.address();
    let health = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = Command::new(&scene.binary);
        command.env_clear().envs(variables.iter().copied()).arg("health").args(arguments);
        ran(command, b"")
    };
    assert_eq!(health(&[], &["-b", address]).text(), format!("{address} is healthy\n"));
    let port = address.split(':').nth(1).unwrap();
    let listeners = format!("PLAINTEXT://0.0.0.0:{port},OTHER://127.0.0.1:1");
    let map = ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "PLAINTEXT:PLAINTEXT,OTHER:PLAINTEXT");
    let told = health(&[("KAFKA_LISTENERS", &listeners), map], &["--json"]).json();
    assert_eq!((&told["healthy"], &told["brokers"]), (&json!(true), &json!(1)));
    assert_eq!(told["address"], address);
    let pair = format!("listeners=PLAINTEXT://:{port}");
    health(&[], &["-c", &pair]).text();
    let told = health(&[], &["-b", "127.0.0.1:1"]);
    assert!(told.complaint().contains("cannot connect to 127.0.0.1:1: Connection refused"));
    let told = health(&[], &["-b", "127.0.0.1:1", "--json"]);
    let document: serde_json::Value = serde_json::from_slice(&told.out).unwrap();
    assert_eq!((told.code, &document["healthy"]), (Some(1), &json!(false)));
    // Something answers, but no broker.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap().to_string();
    let answers = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let told = health(&[], &["-b", &silent]).complaint();
    assert!(told.contains("does not answer as a Kafka does"), "{told}");
    answers.join().unwrap();
}
