//! Apache Kafka's Java client, of version 2, through a proxy that holds its requests back and delivers them when later
//! transactions are open. It copies a partition; what comes out must be what went in. Such a client sends no
//! AddPartitionsToTxn and no AddOffsetsToTxn.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ottla_tests::broker::{Broker, Options};
use ottla_tests::copy::{Job, Mode};
use ottla_tests::load::Random;
use ottla_tests::port::free_port;
use ottla_tests::proxy::{Delivered, Head, Proxy};
use ottla_tests::schedule::BrokerChoice;
use ottla_tests::toolchain::Toolchain;
use ottla_tests::verdict::skips_fail;

const SEED: u64 = 0x6c61_7465;
const RECORDS: u64 = 4_000;
const RECORDS_IN_TRANSACTION_MAX: u64 = 40;
/// How long the client waits for an answer before it goes on over another connection.
const PATIENT_MS: u64 = 600;
const LIMIT: Duration = Duration::from_secs(300);
/// Once in so many requests of these kinds one is held.
const HELD_ONCE_IN: [(i16, u64); 3] = [(PRODUCE, 14), (END_TXN, 12), (TXN_OFFSET_COMMIT, 16)];
const PRODUCE: i16 = 0;
const END_TXN: i16 = 26;
const TXN_OFFSET_COMMIT: i16 = 28;
/// A held request is delivered when the client has asked for so many ends of transactions meanwhile, at most.
const ENDS_MAX: u64 = 4;
/// Of each kind so many are delivered late.
const DELIVERED_MIN: usize = 3;

#[test]
fn requests_that_come_late_harm_no_transaction_of_a_java_client() {
    if let Some(missing) = Toolchain::Java.missing() {
        assert!(!skips_fail(), "{missing}, which CI does not allow");
        eprintln!("skipped: {missing}");
        return;
    }
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let directory = tempfile::Builder::new().prefix("late-").tempdir_in(parent).unwrap();
    let port = free_port().unwrap();
    let advertised = ("advertised.listeners".to_owned(), format!("PLAINTEXT://127.0.0.1:{port}"));
    let options = Options { settings: vec![advertised], ..Options::default() };
    let program = BrokerChoice::from_environment().unwrap().obtain().unwrap();
    let broker = Broker::start_with(program, &directory.path().join("broker.log"), options).unwrap();
    let holding = Holding::new();
    let proxy = Proxy::start(port, broker.address(), holding.policy()).unwrap();
    let job = Job::new(directory.path(), proxy.address(), RECORDS).unwrap();
    job.finish(Mode::Fill, LIMIT).unwrap();
    holding.active.store(true, Ordering::Release);
    let copy = Mode::Copy { seed: SEED, patient_ms: PATIENT_MS, records_max: RECORDS_IN_TRANSACTION_MAX };
    let mut running = job.start(copy).unwrap();
    let delivered = deliver_late(&holding, &proxy, || running.has_ended(Duration::from_millis(2)).unwrap());
    holding.active.store(false, Ordering::Release);
    let count = |api: i16| delivered.iter().filter(|one| one.head.api == api).count();
    println!(
        "seed {SEED}: delivered late: {} Produce, {} EndTxn, {} TxnOffsetCommit, of {} transactions",
        count(PRODUCE),
        count(END_TXN),
        count(TXN_OFFSET_COMMIT),
        holding.ends.load(Ordering::Acquire)
    );
    let compared = job.finish(Mode::Compare, LIMIT);
    if let Err(problem) = compared {
        panic!("seed {SEED}, files kept in {}:\n{problem}", directory.keep().display());
    }
    for api in [PRODUCE, END_TXN, TXN_OFFSET_COMMIT] {
        assert!(count(api) >= DELIVERED_MIN, "{api} was delivered late {} times", count(api));
    }
    assert!(delivered.iter().all(|one| one.answered), "the broker answers them: {delivered:?}");
}

/// What is held, and how far the client is.
struct Holding {
    active: Arc<AtomicBool>,
    /// How many ends of transactions were asked for.
    ends: Arc<AtomicU64>,
}

impl Holding {
    fn new() -> Self {
        Self { active: Arc::default(), ends: Arc::default() }
    }

    fn policy(&self) -> Box<dyn FnMut(&Head) -> bool + Send> {
        let (active, ends) = (Arc::clone(&self.active), Arc::clone(&self.ends));
        let mut random = Random::new(SEED);
        Box::new(move |head| {
            if head.api == END_TXN {
                ends.fetch_add(1, Ordering::AcqRel);
            }
            let once_in = HELD_ONCE_IN.iter().find(|(api, _)| *api == head.api).map(|(_, once_in)| *once_in);
            active.load(Ordering::Acquire) && once_in.is_some_and(|once_in| random.once_in(once_in))
        })
    }
}

/// Delivers each held request when the client has gone on by some transactions, until the client has ended.
fn deliver_late(holding: &Holding, proxy: &Proxy, mut has_ended: impl FnMut() -> bool) -> Vec<Delivered> {
    let mut random = Random::part(SEED, 1);
    let mut delivered = Vec::new();
    let deadline = Instant::now() + LIMIT;
    let mut next = None;
    while !has_ended() {
        assert!(Instant::now() < deadline, "the copy takes too long");
        let ends = holding.ends.load(Ordering::Acquire);
        if proxy.held() == 0 {
            next = None;
        } else if ends >= *next.get_or_insert_with(|| ends + 1 + random.below(ENDS_MAX)) {
            delivered.extend(proxy.release());
            next = None;
        }
    }
    // Those that are left come when everything is over.
    delivered.extend(std::iter::from_fn(|| proxy.release()));
    delivered
}
