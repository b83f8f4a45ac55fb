//! The aims, as what measured figures are to be.

use crate::contender::Kind;

/// What a figure of Ottla is put beside.
#[derive(Debug, Clone, Copy)]
pub(super) enum Beside {
    /// Nothing: the figure itself counts.
    Itself,
    /// The same figure of another contender.
    Contender(Kind),
    /// The same figure of Ottla's at another point.
    Point(&'static str),
}

/// What a figure, or its ratio, is to be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Goal {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
}

/// One comparison.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aim {
    /// What is wanted, for people.
    pub(super) what: &'static str,
    pub(super) measure: &'static str,
    pub(super) point: &'static str,
    pub(super) figure: &'static str,
    pub(super) beside: Beside,
    pub(super) goal: Goal,
}

const fn aim(
    what: &'static str,
    (measure, point, figure): (&'static str, &'static str, &'static str),
    beside: Beside,
    goal: Goal,
) -> Aim {
    Aim { what, measure, point, figure, beside, goal }
}

use Beside::{Contender, Itself, Point};
use Goal::{AtLeast, AtMost};

const WARM: Beside = Contender(Kind::KafkaWarm);
const COLD: Beside = Contender(Kind::KafkaCold);
const KFAKE: Beside = Contender(Kind::Kfake);
const FLOOR: Beside = Contender(Kind::Floor);

const EMPTY: &str = "empty directory";
const SMALL: &str = "1 KB records, 16 KB batches";
const SEVERAL: &str = "1 KB records, 16 KB batches, 12 in a request";
const LARGE: &str = "1 KB records, 1 MB batches";
const TINY: &str = "100 B records, 16 KB batches";
const LOW: &str = "200 a second";
const MIDDLE: &str = "2,000 a second";
const HIGH: &str = "20,000 a second";

const PRODUCE_CPU: &str = "broker CPU a GB produced";
const FETCH_CPU: &str = "broker CPU a GB fetched";
const STOCK: &str = "throughput with stock clients";
const LEAN: &str = "throughput with the lean load";
const LATENCY: &str = "end-to-end latency";
const COMMIT_CPU: &str = "broker CPU a commit";
const COMMIT_P99: &str = "p99 of a commit";
const FLUSH: &str = "flush.messages=1, records a second";
const TOPICS: &str = "topics a second";
const GROWTH: &str = "throughput over partitions";

/// All of them.
pub(super) const AIMS: &[Aim] = &[
    aim(
        "exec to first acknowledged record, ms",
        ("start", EMPTY, "first_acknowledged_ms"),
        Itself,
        AtMost(10.0),
    ),
    aim(
        "exec to first acknowledged record",
        ("start", EMPTY, "first_acknowledged_ms"),
        COLD,
        AtMost(1.0 / 300.0),
    ),
    aim("resident memory when idle, MB", ("start", EMPTY, "resident_idle_mb"), Itself, AtMost(10.0)),
    aim(
        "anonymous memory afterwards, MB",
        ("memory", "10 GB in and out", "anonymous_mb"),
        Itself,
        AtMost(64.0),
    ),
    aim(PRODUCE_CPU, ("produce", SMALL, "cpu_s_per_gb"), WARM, AtMost(0.4)),
    aim(PRODUCE_CPU, ("produce", SMALL, "cpu_s_per_gb"), FLOOR, AtMost(1.5)),
    aim(PRODUCE_CPU, ("produce", SEVERAL, "cpu_s_per_gb"), WARM, AtMost(0.4)),
    aim(PRODUCE_CPU, ("produce", SEVERAL, "cpu_s_per_gb"), FLOOR, AtMost(1.5)),
    aim(PRODUCE_CPU, ("produce", LARGE, "cpu_s_per_gb"), WARM, AtMost(0.4)),
    aim(PRODUCE_CPU, ("produce", LARGE, "cpu_s_per_gb"), FLOOR, AtMost(1.5)),
    aim("broker CPU a million records produced", ("produce", TINY, "cpu_s_per_million"), WARM, AtMost(0.4)),
    aim(FETCH_CPU, ("fetch", SMALL, "cpu_s_per_gb"), WARM, AtMost(0.6)),
    aim(FETCH_CPU, ("fetch", SMALL, "cpu_s_per_gb"), FLOOR, AtMost(1.5)),
    aim(STOCK, ("stock", "Java, in", "per_s"), WARM, AtLeast(1.0)),
    aim(STOCK, ("stock", "Java, out", "per_s"), WARM, AtLeast(1.0)),
    aim(STOCK, ("stock", "Java, in and out", "per_s"), WARM, AtLeast(1.0)),
    aim(STOCK, ("stock", "librdkafka, in", "per_s"), WARM, AtLeast(1.0)),
    aim(STOCK, ("stock", "librdkafka, out", "per_s"), WARM, AtLeast(1.0)),
    aim(STOCK, ("stock", "librdkafka, in and out", "per_s"), WARM, AtLeast(1.0)),
    aim(STOCK, ("stock", "franz-go, in", "per_s"), WARM, AtLeast(1.0)),
    aim(STOCK, ("stock", "franz-go, out", "per_s"), WARM, AtLeast(1.0)),
    aim(STOCK, ("stock", "franz-go, in and out", "per_s"), WARM, AtLeast(1.0)),
    aim(LEAN, ("produce", SMALL, "mb_per_s"), WARM, AtLeast(2.0)),
    aim(LEAN, ("fetch", SMALL, "mb_per_s"), WARM, AtLeast(2.0)),
    aim(LEAN, ("both", SMALL, "mb_per_s"), WARM, AtLeast(2.0)),
    aim(LATENCY, ("latency", LOW, "p99_ms"), WARM, AtMost(0.2)),
    aim(LATENCY, ("latency", LOW, "p99.9_ms"), WARM, AtMost(0.2)),
    aim(LATENCY, ("latency", MIDDLE, "p99_ms"), WARM, AtMost(0.2)),
    aim(LATENCY, ("latency", MIDDLE, "p99.9_ms"), WARM, AtMost(0.2)),
    aim(LATENCY, ("latency", HIGH, "p99_ms"), WARM, AtMost(0.2)),
    aim(LATENCY, ("latency", HIGH, "p99.9_ms"), WARM, AtMost(0.2)),
    aim(COMMIT_CPU, ("commits", "1", "cpu_us_each"), WARM, AtMost(0.1)),
    aim(COMMIT_CPU, ("commits", "16", "cpu_us_each"), WARM, AtMost(0.15)),
    aim(COMMIT_CPU, ("commits", "128", "cpu_us_each"), WARM, AtMost(0.2)),
    aim(COMMIT_CPU, ("commits", "1", "cpu_us_each"), FLOOR, AtMost(2.0)),
    aim(COMMIT_CPU, ("commits", "16", "cpu_us_each"), FLOOR, AtMost(2.0)),
    aim(COMMIT_CPU, ("commits", "128", "cpu_us_each"), FLOOR, AtMost(2.0)),
    aim(COMMIT_P99, ("commits", "1", "p99_ms"), WARM, AtMost(0.2)),
    aim(COMMIT_P99, ("commits", "16", "p99_ms"), WARM, AtMost(0.2)),
    aim(COMMIT_P99, ("commits", "128", "p99_ms"), WARM, AtMost(0.2)),
    aim(FLUSH, ("flush", "1 producers", "per_s"), WARM, AtLeast(3.0)),
    aim(FLUSH, ("flush", "16 producers", "per_s"), WARM, AtLeast(3.0)),
    aim(FLUSH, ("flush", "128 producers", "per_s"), WARM, AtLeast(3.0)),
    aim(TOPICS, ("topics", "one after another", "per_s"), WARM, AtLeast(90.0)),
    aim(TOPICS, ("topics", "in one request", "per_s"), WARM, AtLeast(90.0)),
    aim(TOPICS, ("topics", "one after another", "per_s"), KFAKE, AtLeast(1.0)),
    aim(TOPICS, ("topics", "in one request", "per_s"), KFAKE, AtLeast(1.0)),
    aim("commits a second", ("commits", "1", "per_s"), KFAKE, AtLeast(1.0)),
    aim("commits a second", ("commits", "16", "per_s"), KFAKE, AtLeast(1.0)),
    aim("commits a second", ("commits", "128", "per_s"), KFAKE, AtLeast(1.0)),
    aim(LATENCY, ("latency", LOW, "p99_ms"), KFAKE, AtMost(1.0)),
    aim(LATENCY, ("latency", MIDDLE, "p99_ms"), KFAKE, AtMost(1.0)),
    aim(LATENCY, ("latency", HIGH, "p99_ms"), KFAKE, AtMost(1.0)),
    aim(GROWTH, ("partitions", "100", "mb_per_s"), Point("1"), AtLeast(0.8)),
    aim(GROWTH, ("partitions", "1000", "mb_per_s"), Point("1"), AtLeast(0.8)),
    aim(GROWTH, ("partitions", "10000", "mb_per_s"), Point("1"), AtLeast(0.8)),
    aim(GROWTH, ("partitions", "1000", "fetch_mb_per_s"), Point("1"), AtLeast(0.8)),
    aim(GROWTH, ("partitions", "10000", "fetch_mb_per_s"), Point("1"), AtLeast(0.8)),
    aim(
        "memory of an idle connection, kB",
        ("connections", "10,000 idle", "resident_kb_each"),
        Itself,
        AtMost(10.0),
    ),
    aim(
        "p99 over connections",
        ("connections", "1,000 producing", "p99_ms"),
        Point("10 producing"),
        AtMost(3.0),
    ),
    aim(
        "broker CPU a GB delivered",
        ("fan-out", "100 consumers", "cpu_s_per_gb"),
        Point("1 consumers"),
        AtMost(1.0),
    ),
    aim("start after kill -9", ("recovery", "kill -9", "served_s"), COLD, AtMost(0.1)),
];
