//! A running contender, and what the operating system counts of it while it works.

use std::time::{Duration, Instant};

use ottla_tests::broker::Broker;
use ottla_tests::measure::{Connection, NewTopic, Peak, PeakWatch, Usage};
use ottla_tests::problem::Problem;

use crate::contender::Kind;
use crate::figures::{Figures, megabytes};
use crate::size::Size;
use crate::system_calls::Counter;

const GIGABYTE: f64 = 1e9;

/// A contender that runs, for one turn.
pub struct Stage {
    /// Which one.
    pub kind: Kind,
    /// Its process.
    pub broker: Broker,
    /// How much is measured.
    pub size: Size,
    numbers: usize,
}

/// What work came to and what it cost.
#[derive(Debug)]
pub struct Metered<T> {
    /// What the work came to.
    pub value: T,
    /// How long it took.
    pub took: Duration,
    /// What the broker's process used meanwhile.
    pub usage: Usage,
    /// What this process used meanwhile.
    pub client: Usage,
    /// The most memory that the broker had meanwhile.
    pub peak: Peak,
}

impl Stage {
    /// Around a broker that has just started.
    #[must_use]
    pub fn new(kind: Kind, broker: Broker, size: Size) -> Self {
        Self { kind, broker, size, numbers: 0 }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> String {
        self.broker.address()
    }

    /// Whether it keeps topics and groups.
    #[must_use]
    pub fn is_broker(&self) -> bool {
        self.kind != Kind::Floor
    }

    /// Makes a topic that did not exist before, and gives its name. A floor has one topic of any name.
    ///
    /// # Errors
    /// It is refused.
    pub fn topic(
        &mut self,
        partitions: i32,
        settings: &[(&'static str, &'static str)],
    ) -> Result<String, Problem> {
        if !self.is_broker() {
            return Ok(FLOOR_TOPIC.to_owned());
        }
        let name = format!("bench-{:03}", self.next_number());
        let topic = NewTopic { name: name.clone(), partitions, settings: settings.to_vec() };
        crate::topics::create(&mut self.broker, topic)?;
        Ok(name)
    }

    /// A number that this process of the contender had not before.
    pub fn next_number(&mut self) -> usize {
        self.numbers = self.numbers.saturating_add(1);
        self.numbers
    }

    /// Removes a topic, so that its files do not fill the disk. A floor keeps its own.
    ///
    /// # Errors
    /// It is refused.
    pub fn remove_topic(&mut self, name: &str) -> Result<(), Problem> {
        if !self.is_broker() {
            return Ok(());
        }
        crate::topics::delete(&mut Connection::open(&self.address())?, name)
    }

    /// Does work and takes what it costs. The work gets the broker's address.
    ///
    /// # Errors
    /// The work fails, or the broker has ended.
    pub fn metered<T>(
        &mut self,
        work: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Result<Metered<T>, Problem> {
        self.metered_with(|broker| work(&broker.address()))
    }

    /// The same for work that gets the broker itself.
    ///
    /// # Errors
    /// As [`Self::metered`].
    pub fn metered_with<T>(
        &mut self,
        work: impl FnOnce(&mut Broker) -> Result<T, Problem>,
    ) -> Result<Metered<T>, Problem> {
        let id = self.broker.process_id();
        let own_id = std::process::id();
        let watch = PeakWatch::begin(id)?;
        let client_before = Usage::of_process(own_id)?;
        let before = Usage::of_process(id)?;
        let began = Instant::now();
        let value = work(&mut self.broker);
        let took = began.elapsed();
        self.broker.check_running()?;
        let usage = Usage::of_process(id)?.since(&before);
        let client = Usage::of_process(own_id)?.since(&client_before);
        Ok(Metered { value: value?, took, usage, client, peak: watch.end()? })
    }

    /// Does a little more work, which tells how many units it was, and sets how many system calls the broker made for a
    /// unit of it, where they can be counted. A warm-up leaves it out.
    ///
    /// # Errors
    /// The work fails.
    pub fn count_system_calls(
        &mut self,
        figures: &mut Figures,
        name: &str,
        work: impl FnOnce(&str) -> Result<f64, Problem>,
    ) -> Result<(), Problem> {
        if self.size == Size::WarmUp {
            return Ok(());
        }
        let counter = Counter::begin(self.broker.process_id());
        let units = work(&self.address())?;
        if let Some(calls) = counter.and_then(Counter::end) {
            figures.set(name, calls as f64 / units);
        }
        Ok(())
    }
}

/// The part of a load during which system calls are counted, since that slows the broker.
pub const COUNTED_PART: u64 = 20;

/// What floors call their topic: as long as the names that brokers get, so that frames are of one length.
pub const FLOOR_TOPIC: &str = "bench-000";

impl<T> Metered<T> {
    /// What it cost a gigabyte, and how many megabytes went a second.
    #[must_use]
    pub fn per_gigabyte(&self, bytes: u64, took: Duration) -> Figures {
        let gigabytes = bytes as f64 / GIGABYTE;
        let mut figures = Figures::default();
        figures.set("mb_per_s", bytes as f64 / 1e6 / took.as_secs_f64());
        figures.set("cpu_s_per_gb", self.usage.cpu_seconds() / gigabytes);
        figures.set("user_s_per_gb", self.usage.user_seconds / gigabytes);
        figures.set("system_s_per_gb", self.usage.system_seconds / gigabytes);
        figures.set("client_cpu_s_per_gb", self.client.cpu_seconds() / gigabytes);
        figures.set("gigabytes", gigabytes);
        self.set_rest(&mut figures, gigabytes, "per_gb");
        figures
    }

    /// What it cost for each of so many requests or records, and how many went a second.
    #[must_use]
    pub fn per_each(&self, count: u64, took: Duration) -> Figures {
        let count = count as f64;
        let mut figures = Figures::default();
        figures.set("per_s", count / took.as_secs_f64());
        figures.set("cpu_us_each", self.usage.cpu_seconds() * 1e6 / count);
        figures.set("user_us_each", self.usage.user_seconds * 1e6 / count);
        figures.set("system_us_each", self.usage.system_seconds * 1e6 / count);
        figures.set("client_cpu_us_each", self.client.cpu_seconds() * 1e6 / count);
        figures.set("count", count);
        self.set_rest(&mut figures, count, "each");
        figures
    }

    fn set_rest(&self, figures: &mut Figures, units: f64, unit: &str) {
        let usage = &self.usage;
        let involuntary = usage.involuntary_switches;
        let voluntary = usage.context_switches.saturating_sub(involuntary);
        figures.set(&format!("voluntary_switches_{unit}"), voluntary as f64 / units);
        figures.set(&format!("involuntary_switches_{unit}"), involuntary as f64 / units);
        figures.set(&format!("reads_and_writes_{unit}"), usage.reads_and_writes as f64 / units);
        figures.set("peak_resident_mb", megabytes(self.peak.resident_kib));
        figures.set("peak_anonymous_mb", megabytes(self.peak.anonymous_kib));
        figures.set("seconds", self.took.as_secs_f64());
    }
}
