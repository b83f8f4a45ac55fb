//! `ottla produce` and `ottla consume`.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::scene::{Scene, text};

/// Lines of the files that are sent whole.
const LINES: usize = 30_000;

fn sorted(lines: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = lines.lines().collect();
    lines.sort_unstable();
    lines
}

pub(crate) fn lines(scene: &Scene) {
    scene.topic("lines", "3");
    let input = "one:1\ntwo:2\nthree:3\none:4\nno key\n:empty key\nempty value:\n";
    let told = scene.run_with(&["produce", "lines", "-K", ":", "--json"], input.as_bytes()).json();
    assert_eq!((&told["topic"], &told["records"]), (&json!("lines"), &json!(7)));
    let counts = told["partitions"].as_array().unwrap().iter().map(|one| one["records"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), 7);
    let written = scene.run(&["consume", "lines", "-e", "-K", ":"]).text();
    // A record without a key and one with an empty key look the same with -K, and are told apart by -Z or %K.
    let expected = input.replace("no key", ":no key");
    assert_eq!(sorted(&written), sorted(&expected));
    // What has the same key is in the same partition, in its order.
    let ones = scene.run(&["consume", "lines", "-e", "-f", r"%k %p %s\n"]).text();
    let ones: Vec<&str> = ones.lines().filter(|line| line.starts_with("one ")).collect();
    // Kafka's Java producer puts this key there.
    assert_eq!(ones, ["one 2 1", "one 2 4"]);
    let nulls = scene.run(&["consume", "lines", "-e", "-Z", "-f", r"%k|%K|%s\n"]).text();
    assert!(nulls.contains("NULL|-1|no key\n") && nulls.contains("|0|empty key\n"), "{nulls}");
}

pub(crate) fn files_in_every_codec(scene: &Scene) {
    let mut lines = String::new();
    for number in 0..LINES {
        lines.push_str(&format!("key {}\tvalue {number} {}\n", number % 100, "x".repeat(number % 150)));
    }
    let (_directory, path) = Scene::file(lines.as_bytes());
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let topic = format!("codec-{codec}");
        scene.topic(&topic, "3");
        let sent = scene.run(&["produce", &topic, text(&path), "-K", "\\t", "-z", codec, "--quiet"]);
        assert_eq!(sent.text(), "");
        let written = scene.run(&["consume", &topic, "-e", "-K", "\\t"]).text();
        assert!(sorted(&written) == sorted(&lines), "{codec}");
        // Within a key they are in order.
        let of_key = |text: &str| text.lines().filter(|line| line.starts_with("key 7\t")).count();
        let mut numbers = written.lines().filter(|line| line.starts_with("key 7\t")).map(number);
        let mut last = None;
        assert!(numbers.all(|number| last.replace(number) < Some(number)), "{codec}");
        assert_eq!(of_key(&written), LINES / 100);
    }
}

fn number(line: &str) -> usize {
    line.split(' ').nth(2).unwrap().parse().unwrap()
}

pub(crate) fn json_lines(scene: &Scene) {
    scene.topic("json", "1");
    let written = [
        json!({"key": "k", "value": "größer", "timestamp": 1_700_000_000_000_u64}),
        json!({"key": null, "value": null, "headers": [{"name": "h", "value": null}, {"name": "h", "value": "2"}]}),
        json!({"key_base64": "/wA=", "value_base64": "gIA=", "headers": [{"name": "b", "value_base64": "/w=="}]}),
    ];
    let input: String = written.iter().map(|record| format!("{record}\n")).collect();
    scene.run_with(&["produce", "json", "--from-json"], input.as_bytes()).text();
    let told = scene.run(&["consume", "json", "-e", "--json"]).text();
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.len(), 3);
    for (offset, (told, written)) in told.iter().zip(&written).enumerate() {
        assert_eq!(told["topic"], "json");
        assert_eq!((&told["partition"], &told["offset"]), (&json!(0), &json!(offset)));
        assert_eq!(told["timestamp_type"], "create");
        for (name, value) in written.as_object().unwrap() {
            if name != "headers" {
                assert_eq!(&told[name], value, "{told}");
            }
        }
    }
    assert_eq!(told[1]["headers"], written[1]["headers"]);
    assert_eq!(told[2]["headers"][0]["value_base64"], "/w==");
    // What came out goes in again.
    let lines = scene.run(&["consume", "json", "-e", "-J"]).text();
    scene.topic("json-again", "1");
    scene.run_with(&["produce", "json-again", "--from-json"], lines.as_bytes()).text();
    let again = scene.run(&["consume", "json-again", "-e", "-J"]).text();
    assert_eq!(again.replace("json-again", "json"), lines);
    let wrong =
        scene.run_with(&["produce", "json", "--from-json"], b"{\"value\":\"x\"}\n{\"vaule\":\"y\"}\n");
    let wrong = wrong.complaint();
    assert!(wrong.contains("standard input: record 2: unknown field `vaule`"), "{wrong}");
    assert!(wrong.contains("1 records were sent before"), "{wrong}");
}

pub(crate) fn positions(scene: &Scene) {
    scene.topic("positions", "2");
    let records: String = (0..10)
        .map(|number| {
            format!("{}\n", json!({"value": format!("v{number}"), "timestamp": 1000 * (number + 1)}))
        })
        .collect();
    scene.run_with(&["produce", "positions", "-p", "1", "--from-json"], records.as_bytes()).text();
    scene.run_with(&["produce", "positions", "-p", "0"], b"other\n").text();
    let of = |arguments: &[&str]| {
        let all = [&["consume", "positions", "-D", " "], arguments].concat();
        scene.run(&all).text().trim_end().to_owned()
    };
    for (arguments, expected) in [
        (&["-p", "1", "-e"][..], "v0 v1 v2 v3 v4 v5 v6 v7 v8 v9"),
        (&["-p1", "-e", "-o", "7"], "v7 v8 v9"),
        (&["-p1", "-e", "-o", "-2"], "v8 v9"),
        (&["-p1", "-e", "-o-99", "-c", "2"], "v0 v1"),
        (&["-p1", "-e", "-o", "end"], ""),
        (&["-p1", "-c", "3"], "v0 v1 v2"),
        (&["-p1", "-e", "-o", "s@8500"], "v8 v9"),
        (&["-p1", "-o", "s@3000", "-o", "e@5000"], "v2 v3"),
        (&["-p1", "-o", "s@1970-01-01T00:00:09Z", "-e"], "v8 v9"),
        (&["-p", "0,1", "-e", "-o", "-1"], "other v9"),
        (&["-p0", "-p1", "-e", "-o", "0", "-c0"], ""),
    ] {
        let written = of(arguments);
        let mut words: Vec<&str> = written.split_whitespace().collect();
        words.sort_unstable();
        assert_eq!(words.join(" "), expected, "{arguments:?}");
    }
    for (arguments, complaint) in [
        (&["-o", "11"][..], "has no offset 11: it begins at 0 and ends at"),
        (&["-p", "2"], "there is no partition 2"),
        (&["-o", "stored"], "--offset stored needs --group"),
        (&["-o", "1", "-o", "2"], "--offset says twice where to begin"),
    ] {
        let told = scene.run(&[&["consume", "positions", "-e"], arguments].concat()).complaint();
        assert!(told.contains(complaint), "{told}");
    }
    let told = scene.run(&["consume", "no-such-topic", "-e"]).complaint();
    assert!(told.contains("there is no topic 'no-such-topic'"), "{told}");
}

pub(crate) fn delimiters(scene: &Scene) {
    scene.topic("delimiters", "1");
    let produce = |arguments: &[&str], input: &[u8]| {
        scene.run_with(&[&["produce", "delimiters"], arguments].concat(), input).bytes()
    };
    produce(&["-D", "\\0"], b"a\nb\0c");
    produce(&["-D", "--", "-K", "=>", "-Z"], b"k=>v--k=>--=>w");
    let (directory, path) = Scene::file(b"whole\nfile\n");
    let second = directory.path().join("second");
    std::fs::write(&second, b"").unwrap();
    produce(
        &["--whole-files", "-k", "name", "-H", "a=1", "-H", "a=", "-H", "b", text(&path), text(&second)],
        b"",
    );
    produce(&["-c", "1"], b"one\ntwo\n");
    let written = scene.run(&["consume", "delimiters", "-e", "-Z", "-f", r"%k|%s|%h|%S;"]).text();
    let expected = [
        "NULL|a\nb||3",
        "NULL|c||1",
        "k|v||1",
        "k|NULL||-1",
        "NULL|w||1",
        "name|whole\nfile\n|a=1,a=,b=NULL|11",
        "name||a=1,a=,b=NULL|0",
        "NULL|one||3",
    ];
    assert_eq!(written.trim_end_matches(';').split(';').collect::<Vec<_>>(), expected);
    let framed = scene.run(&["consume", "delimiters", "-c", "1", "-f", "%R%s"]).bytes();
    assert_eq!(framed, b"\0\0\0\x03a\nb");
    let joined = scene.run(&["consume", "delimiters", "-e", "-o", "-3", "-D", "\\x1e"]).bytes();
    assert_eq!(joined, b"whole\nfile\n\x1e\x1eone\x1e");
}

pub(crate) fn closed_pipe(scene: &Scene) {
    scene.topic("pipe", "1");
    let many: String = (0..20_000).map(|number| format!("{number} {}\n", "x".repeat(100))).collect();
    scene.run_with(&["produce", "pipe"], many.as_bytes()).text();
    let mut consumer = scene.bare(&["consume", "pipe"]);
    let mut consumer = consumer.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let head = {
        // The command holds the pipe open as long as it lives.
        let mut head = Command::new("head");
        head.arg("-n1").stdin(consumer.stdout.take().unwrap()).output().unwrap()
    };
    assert!(head.stdout.starts_with(b"0 xxx"));
    let ended = consumer.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), &*ended.stderr), (Some(0), &b""[..]));
}

pub(crate) fn refusals(scene: &Scene) {
    scene.topic("refusals", "1");
    let long = vec![b'x'; 3_000_000];
    let (directory, _) = Scene::file(b"");
    let (gone, folder) = (directory.path().join("gone"), text(directory.path()).to_owned());
    let cases: BTreeMap<&str, (Vec<&str>, &[u8])> = BTreeMap::from([
        (
            "record 2 has 3000000 bytes, more than refusals-0 takes (max.message.bytes)",
            (vec!["refusals"], &long[..]),
        ),
        ("topic 'refusals' has no partition 1; it has 1, counted from 0", (vec!["refusals", "-p1"], b"x")),
        ("'a b' is no name that a topic can have", (vec!["a b"], b"x")),
        ("No such file or directory", (vec!["refusals", text(&gone)], b"")),
        ("it is a directory", (vec!["refusals", &folder], b"")),
    ]);
    for (complaint, (arguments, input)) in cases {
        let input = if input.len() > 1 { [b"first\n", input].concat() } else { input.to_vec() };
        let told = scene.run_with(&[&["produce"], &arguments[..]].concat(), &input).complaint();
        assert!(told.contains(complaint), "{told}");
    }
    // What can be sent is sent, also next to what is too large: a batch that is refused is sent in halves.
    scene.run(&["topic", "create", "small", "-p1", "-c", "max.message.bytes=2000"]).text();
    let lines: String = (0..500).map(|number| format!("{number} {}\n", "x".repeat(500))).collect();
    scene.run_with(&["produce", "small"], lines.as_bytes()).text();
    assert_eq!(scene.run(&["consume", "small", "-e"]).text(), lines);
}
