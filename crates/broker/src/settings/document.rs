//! The page of settings, made from the tables.

use std::fmt::Write;

use super::client_metrics::CLIENT_METRICS_SETTINGS;
use super::group::GROUP_SETTINGS;
use super::scoped::ScopedSetting;
use super::stored::STORED;
use super::table::{Row, rows};
use super::topic::TOPIC_SETTINGS;
use super::{Settings, value::Check};

const HEAD: &str = "# Configuration

This page is made from the tables in `crates/broker/src/settings`. To make it again:

    OTTLA_WRITE_DOCUMENTS=1 cargo test -p ottla-broker --test configuration_page

## Where settings come from

Ottla takes Apache Kafka's settings under their names, with their types and bounds. The stronger source wins:

1. `ottla serve -c KEY=VALUE`, as often as you like. A name that nobody knows is an error.
2. Environment variables that begin with `KAFKA_`, as in Apache Kafka's image: `KAFKA_LOG_RETENTION_MS` is
   `log.retention.ms`. One underscore is a dot, two are an underscore, three a dash. Variables of Kafka's start scripts, such
   as `KAFKA_HEAP_OPTS`, are none.
3. `ottla serve --config FILE`, a Java properties file, such as Apache Kafka's `server.properties`.
4. The default.

In a file or the environment a name that nobody knows gives a warning with the name that is written most like it. A value
that does not fit stops the start, and the message says what would. Settings of Kafka that mean nothing here are checked and
kept, DescribeConfigs tells them, and the log names them once.

At run time `kafka-configs.sh` and the Admin API change what the column *update* allows: `cluster-wide` settings for one
broker or for all, `per-broker` ones for one broker. `read-only` ones are set at start. A change is in force when it is
answered, and survives a restart: it is a record in `__cluster_metadata-0`. What is set for one broker stands above what is
set for all brokers, and that above what the broker was started with.

A default in bold differs from Apache Kafka 4.3.1, whose default stands behind it; `none` is one that Kafka wants to be
told.

";

/// Apache Kafka's defaults where Ottla has another one; `none` where Kafka wants to be told.
pub(super) const OTHER_DEFAULTS: &[(&str, &str)] = &[
    ("controller.listener.names", "none"),
    ("group.initial.rebalance.delay.ms", "3000"),
    ("listeners", "PLAINTEXT://:9092"),
    ("log.dirs", "null"),
    ("max.connections", "2147483647"),
    ("node.id", "none"),
    ("queued.max.request.bytes", "-1"),
    ("socket.listen.backlog.size", "50"),
];

/// The Markdown page `docs/configuration.md`: every setting with its type, default, which values it takes, when a change of
/// it is taken, and what it does.
#[must_use]
pub fn settings_document() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("## Settings of the broker\n\n");
    broker_table(&mut page, rows().filter(|row| row.acts() && !row.is_internal()));
    page.push_str("\n## Settings of a topic\n\nA topic that does not set one inherits the broker's.\n\n");
    scoped_table(&mut page, TOPIC_SETTINGS);
    page.push_str("\n## Settings of a group\n\n");
    scoped_table(&mut page, GROUP_SETTINGS);
    page.push_str("\n## Settings of a subscription of client metrics\n\n");
    scoped_table(&mut page, CLIENT_METRICS_SETTINGS);
    page.push_str("\n## Settings without effect\n\n");
    page.push_str("Accepted, so that a `server.properties` is taken as it is.\n");
    for theme in STORED {
        let Some(first) = theme.first() else { continue };
        let _ = write!(page, "\n{}\n\n", first.doc);
        stored_table(&mut page, theme);
    }
    page
}

fn broker_table<'a>(page: &mut String, rows: impl Iterator<Item = &'a Row>) {
    page.push_str("| setting | type | default | values | update | importance | what it does |\n");
    page.push_str("|---|---|---|---|---|---|---|\n");
    let mut rows: Vec<&Row> = rows.collect();
    rows.sort_by_key(|row| row.name);
    for row in rows {
        let default = match OTHER_DEFAULTS.iter().find(|(name, _)| *name == row.name) {
            Some((_, kafkas)) => format!("**{}** ({kafkas})", shown(row.default())),
            None => shown(row.default()),
        };
        let (kind, values) = (row.kind, values(row.check));
        let (update, importance) = (row.update, row.importance);
        let _ = writeln!(
            page,
            "| `{}` | {kind} | {default} | {values} | {update} | {importance} | {} |",
            row.name, row.doc
        );
    }
}

fn scoped_table(page: &mut String, settings: &[ScopedSetting]) {
    page.push_str("| setting | type | default | values | broker's setting | what it does |\n");
    page.push_str("|---|---|---|---|---|---|\n");
    let broker = Settings::default();
    for setting in settings.iter().filter(|setting| !setting.name.starts_with("internal.")) {
        let inherited = setting.synonym.map_or(String::new(), |name| format!("`{name}`"));
        let default = shown((setting.default)(&broker));
        let doc =
            if setting.acts { setting.doc.to_owned() } else { format!("*Stored only.* {}", setting.doc) };
        let (kind, values) = (setting.kind, values(setting.check));
        let _ =
            writeln!(page, "| `{}` | {kind} | {default} | {values} | {inherited} | {doc} |", setting.name);
    }
}

fn stored_table(page: &mut String, rows: &[Row]) {
    page.push_str("| setting | type | default | values | update |\n|---|---|---|---|---|\n");
    for row in rows.iter().filter(|row| !row.is_internal()) {
        let (kind, values, update) = (row.kind, values(row.check), row.update);
        let _ =
            writeln!(page, "| `{}` | {kind} | {} | {values} | {update} |", row.name, shown(row.default()));
    }
}

/// A default in a table. Limits that nobody reaches are told as such.
fn shown(default: Option<String>) -> String {
    match default.as_deref() {
        None => "null".to_owned(),
        Some("") => "empty".to_owned(),
        Some(text) => text.replace('|', "\\|"),
    }
}

fn values(check: Check) -> String {
    match check {
        Check::Any => String::new(),
        check => format!("`{check}`"),
    }
}
